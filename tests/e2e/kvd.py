"""A daemon for tests of fixtures, and its client.

kvd.py serve URL [WORD...]   words: line notify file=PATH stubborn boot=STATUS never silent daemonize crowd
kvd.py fd [WORD...]          the same with the listener that it is handed
kvd.py ask URL WORD          sends a line, prints the answer: ping, die, exit=STATUS
"""

import os
import signal
import socket
import sys
import threading
import time


def endpoint(url):
    if url.startswith("unix://"):
        return socket.AF_UNIX, url[len("unix://") :]
    host, port = url[len("tcp://") :].rsplit(":", 1)
    return socket.AF_INET, (host, int(port))


def bound(url):
    family, at = endpoint(url)
    listener = socket.socket(family, socket.SOCK_STREAM)  # no SO_REUSEADDR
    listener.bind(at)
    return listener


def handed():
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS") != "1":
        sys.exit("it was handed nothing: " + str(os.environ.get("LISTEN_PID")))
    return socket.socket(fileno=3)


def say_ready(words):
    for word in words:
        if word == "line":
            print("kvd is listening", flush=True)
        elif word == "notify":
            talk = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            talk.sendto(b"STATUS=warming up\n", os.environ["NOTIFY_SOCKET"])
            talk.sendto(b"STATUS=fine\nREADY=1\n", os.environ["NOTIFY_SOCKET"])
        elif word.startswith("file="):
            open(word[len("file=") :], "w").close()


def answer(connection):
    text = connection.makefile().readline().strip()
    if text == "die":
        print("kvd dies", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
    if text.startswith("exit="):
        print("kvd leaves", file=sys.stderr, flush=True)
        os._exit(int(text[len("exit=") :]))
    if text:
        connection.sendall(("pong " + str(os.getpid()) + "\n").encode())


def serve(listener, words):
    for word in words:
        if word.startswith("boot="):
            print("kvd does not like it here", file=sys.stderr)
            sys.exit(int(word[len("boot=") :]))
    if "stubborn" in words:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if "daemonize" in words and os.fork():
        os._exit(0)
    if "never" in words:
        print("kvd thinks about it", flush=True)
        time.sleep(1000)
    if "crowd" in words:  # takes its time to be gone
        for _ in range(200):
            threading.Thread(target=threading.Event().wait, daemon=True).start()
    listener.listen(50)
    if "silent" not in words:
        say_ready(words)
    while True:
        connection, _ = listener.accept()
        try:
            answer(connection)
        except OSError:
            pass
        connection.close()


def ask(url, word):
    family, at = endpoint(url)
    connection = socket.socket(family, socket.SOCK_STREAM)
    connection.connect(at)
    connection.sendall((word + "\n").encode())
    print(connection.makefile().readline().strip())


if sys.argv[1] == "serve":
    serve(bound(sys.argv[2]), sys.argv[3:])
elif sys.argv[1] == "fd":
    serve(handed(), sys.argv[2:])
else:
    ask(sys.argv[2], sys.argv[3])
