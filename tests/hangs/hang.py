"""Hangs in Python: hang.py. A thread waits for a word of another one, which waits for a lock that the first one has."""
import sys
import threading
import time

lock = threading.Lock()
word = threading.Event()


def waits_for_a_word():
    with lock:
        word.wait()  # hangs


def wants_the_lock():
    with lock:  # hangs
        word.set()


def line_of(thread):
    frame = sys._current_frames().get(thread.ident)
    while frame and frame.f_code.co_filename != __file__:
        frame = frame.f_back
    return frame and frame.f_code.co_name


def begin(body):
    thread = threading.Thread(target=body, name=body.__name__, daemon=True)
    thread.start()
    while line_of(thread) != body.__name__:
        time.sleep(0.001)
    return thread


first = begin(waits_for_a_word)
while not lock.locked():
    time.sleep(0.001)
second = begin(wants_the_lock)
print("ready", flush=True)
first.join()
