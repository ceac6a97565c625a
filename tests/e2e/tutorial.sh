#!/bin/sh
# docs/tutorial.md: its files are written and its commands run, from top to bottom, and they print what it says.
. "$(dirname "$0")/lib.sh"

# A block whose fence names a file is that file; of a console block each "$ " is a command, and what follows it is what that
# prints, in order, "..." standing for anything.
follow() { # PAGE
    cat >"$scratch/follow.py" <<'P'
import os, re, subprocess, sys

page = open(sys.argv[1]).read()
commands = files = 0


def fail(text):
    sys.exit(text)


def pattern(line):
    return re.compile(".*".join(re.escape(piece) for piece in line.split("...")) + r"\s*\Z")


def run(command, wanted):
    done = subprocess.run(["bash", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300)
    got = done.stdout.splitlines()
    at, loose = 0, False
    for line in wanted:
        if line == "...":
            loose = True
            continue
        last = len(got) if loose else at + 1
        found = next((i for i in range(at, min(last, len(got))) if pattern(line).match(got[i])), None)
        if found is None:
            fail(f"$ {command}\n{done.stdout}\nthe page says: {line}")
        at, loose = found + 1, False
    if at < len(got) and not loose:
        fail(f"$ {command}\n{done.stdout}\nthe page does not say: {got[at]}")


for fence, body in re.findall(r"^```(\S* ?\S*)\n(.*?)^```$", page, re.M | re.S):
    language, _, name = fence.partition(" ")
    if name:
        files += 1
        with open(name, "w") as out:
            out.write(body)
        os.chmod(name, 0o755 if body.startswith("#!") else 0o644)
    elif language == "console":
        for piece in re.split(r"^\$ ", body, flags=re.M)[1:]:
            command, *wanted = piece.splitlines()
            commands += 1
            run(command, wanted)
    else:
        fail(f"a block that is neither a file nor a console: {fence}")
if commands < 10 or files < 5:
    fail(f"only {commands} commands and {files} files")
P
    mkdir .git
    ln -s "$program" "$scratch/run-matrix"
    PATH=$scratch:$PATH python3 "$scratch/follow.py" "$1"
}

test_the_tutorial() {
    follow "$root/docs/tutorial.md" >"$scratch/said" 2>&1 || fail "$(cat "$scratch/said")"
}

run_tests
