"""The server and client of this example: kvd.py serve URL, kvd.py set URL KEY VALUE, kvd.py get URL KEY"""

import socket
import sys


def endpoint(url):
    if url.startswith("unix://"):
        return socket.AF_UNIX, url[len("unix://") :]
    host, port = url[len("tcp://") :].rsplit(":", 1)
    return socket.AF_INET, (host, int(port))


def serve(url):
    family, address = endpoint(url)
    values = {}
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.bind(address)
        listener.listen()
        while True:
            connection, _ = listener.accept()
            with connection:
                words = connection.makefile().readline().split()
                if len(words) == 3:
                    values[words[1]] = words[2]
                if len(words) > 1:
                    connection.sendall((values.get(words[1], "nothing") + "\n").encode())


def ask(url, words):
    family, address = endpoint(url)
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.connect(address)
        connection.sendall((" ".join(words) + "\n").encode())
        print(connection.makefile().readline().strip())


if sys.argv[1] == "serve":
    serve(sys.argv[2])
else:
    ask(sys.argv[2], [sys.argv[1]] + sys.argv[3:])
