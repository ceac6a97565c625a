"""A program on a terminal of its own: on_terminal.py WORD KEYS [--then WORD KEYS]... COMMAND...

Prints what it prints, as it comes; types KEYS (with \\x03 for Ctrl-C) when WORD has been seen, and so on with the next two,
WORD after what was seen before. For the KEYS "hang up" the terminal goes away instead. Ends with its status.
"""
import os
import pty
import select
import sys
import time


def arguments(args):
    """The steps, and the command."""
    steps = [args[:2]]
    args = args[2:]
    while args[0] == "--then":
        steps.append(args[1:3])
        args = args[3:]
    return [(word.encode(), keys) for word, keys in steps if keys], args


def read_some(terminal):
    """What is there to be read; None at its end."""
    if not select.select([terminal], [], [], 0.2)[0]:
        return b""
    try:
        return os.read(terminal, 65536) or None
    except OSError:
        return None


def play(terminal, steps, until):
    """False: it took too long."""
    seen = b""
    while time.monotonic() < until:
        some = read_some(terminal)
        if some is None:
            return True
        sys.stdout.buffer.write(some)
        sys.stdout.flush()
        seen += some
        while steps and steps[0][0] in seen:
            word, keys = steps.pop(0)
            seen = seen[seen.index(word) + len(word):]
            if keys == "hang up":
                return True
            os.write(terminal, keys.encode().decode("unicode_escape").encode())
    return False


steps, command = arguments(sys.argv[1:])
child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)
if not play(terminal, steps, time.monotonic() + 60):
    os.kill(child, 9)
os.close(terminal)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) % 256)
