"""A program on a terminal of its own: on_terminal.py WORD KEYS COMMAND...

Prints what it printed; types KEYS (with \\x03 for Ctrl-C) when WORD has been seen. Ends with its status.
"""
import os
import pty
import select
import sys
import time

word, keys, command = sys.argv[1].encode(), sys.argv[2].encode().decode("unicode_escape").encode(), sys.argv[3:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)
seen, until = b"", time.monotonic() + 60
while time.monotonic() < until:
    if select.select([terminal], [], [], 0.2)[0]:
        try:
            some = os.read(terminal, 65536)
        except OSError:
            break
        if not some:
            break
        seen += some
    if keys and word in seen:
        os.write(terminal, keys)
        keys = b""
else:
    os.kill(child, 9)
sys.stdout.buffer.write(seen)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) % 256)
