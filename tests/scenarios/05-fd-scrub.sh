#!/bin/bash
# Number 5: what a child inherits is closed, wherever it is and whatever there is to find it by.
. "$(dirname "$0")/lib.sh"

# The soft limit can be raised as far as the hard one.
most=$(ulimit -Hn)
[ "$most" = unlimited ] || [ "$most" -gt 10000 ] || few=yes
raise() {
    [ -z "${few-}" ] || skip "no more than $most descriptors"
    ulimit -Sn 10001
}

# Starts a command with descriptors from 3 on, with one up there, and with a limit below that; 0: without.
with_fds() { # HOW-MANY HIGHEST LIMIT COMMAND...
    raise
    run_command python3 -c '
import os, resource, sys
many, highest, limit = map(int, sys.argv[1:4])
os.closerange(3, 10000)
null = 9000
os.dup2(os.open("/dev/null", os.O_RDONLY), null)
os.close(3)
for fd in [*range(3, 3 + many), *([highest] if highest else [])]:
    os.dup2(null, fd)
os.close(null)
if limit:
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
os.execv(sys.argv[4], sys.argv[4:])' "$@"
}

# In mounts of our own: what stands behind it is executed.
without_proc='umount -l /proc && exec "$@"'

test_control_a_limit_that_was_lowered() {
    with_fds 10 700 64 "$naive" limit
    out_is "$(printf '0\n1\n2\n700')"
}

test_control_no_proc() {
    unshare -m sh -c 'umount -l /proc' 2>/dev/null || skip 'no mounts of our own'
    with_fds 3 0 0 "$(command -v unshare)" -m sh -c "$without_proc" sh "$naive" proc
    out_is "$(seq 0 5)"
}

# The list is read in pieces, and its descriptor has a lower number than most of what it lists.
test_control_the_descriptor_of_the_list() {
    with_fds 0 0 0 "$naive" listed
    is "$(wc -l <"$scratch/out")" 3
    raise
    run_command python3 -c '
import os, sys
null = os.open("/dev/null", os.O_RDONLY)
for fd in range(20, 5000):
    os.dup2(null, fd, inheritable=True)
os.close(null)
os.execv(sys.argv[1], sys.argv[1:])' "$naive" listed
    [ "$(wc -l <"$scratch/out")" -gt 1000 ] || fail 'all of them were closed'
}

# Nothing came out of the pipe: who wrote into it had closed it by then.
test_control_a_pipe_on_0_and_1() {
    run_command "$naive" low
    status_is 7
}

# What the cases saw, whatever we were started with.
see_three() {
    status_is 0
    for id in $("$program" list -q); do
        is "$id $(printed "$id" | tr '\n' ' ')" "$id 0 1 2 "
    done
}

test_ours_a_limit_that_was_lowered() {
    in_backends 'exec spawn forkserver main_thread_forkserver' "{name: a, run: [$naive, list]}"
    with_fds 10 700 128 "$program"
    see_three
}

test_ours_many_of_them() {
    in_backends 'exec spawn forkserver main_thread_forkserver' "{name: a, run: [$naive, list]}"
    with_fds 4000 4900 0 "$program"
    see_three
}

test_ours_no_proc() {
    unshare -m sh -c 'umount -l /proc' 2>/dev/null || skip 'no mounts of our own'
    suite "{name: a, run: [$naive, list]}"
    with_fds 3 0 0 "$(command -v unshare)" -m sh -c "$without_proc" sh "$program"
    see_three
}

test_ours_streams_that_are_closed() {
    suite "{name: a, run: [$naive, list]}" '{name: b, run: "echo x; echo y >&2"}'
    for capture in fd pipe pty; do
        rm -rf .run-matrix
        status=0
        "$program" --capture "$capture" <&- >&- 2>&- || status=$?
        is "$capture $status" "$capture 0"
        is "$(printed a | tr '\n' ' ')" '0 1 2 '
        is "$(printed b | sort | tr '\n' ' ')" 'x y '
    done
}

run_tests
