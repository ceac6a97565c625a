#!/bin/sh
# Servers that are stopped, die, or cannot make a process, and modules that are no good guests: each is told of in words,
# others go on, nothing is lost and nobody is left.
. "$(dirname "$0")/lib.sh"
own_world

served='forkserver main_thread_forkserver'
image=${IMAGE:-48} # megabytes of a large server; `make soak-self` has 1024

module() { # FILE, body on stdin
    { echo '#include <run_matrix.h>' && cat; } >"$1.c"
    gcc -Wall -Wextra -Werror "-I$root/fixtures" -shared -fPIC -o "$1" "$1.c" "$root/build/librunmatrix.a"
}

# A module whose constructor does something in a process of a kind: "server:" or "::t@backend=spawn", by whose case it is.
module_that() { # FILE KIND, statements on stdin
    {
        printf '#include <%s>\n' errno.h signal.h stddef.h stdio.h stdlib.h string.h sys/prctl.h sys/syscall.h \
            unistd.h linux/filter.h linux/seccomp.h
        echo '__attribute__((constructor)) static void begin(void) {'
        echo '    const char *whose = getenv("RUN_MATRIX_CASE_ID");'
        echo "    if (!whose || !strstr(whose, \"$2\")) return;"
        cat
        echo '}'
        echo 'TEST(t) { puts("of the test"); }'
    } | module "$1"
}

common='defaults: {timeout: 20s, stop: [KILL]}'

# "VERDICT: REASON" of a case.
end_of() { told "$1" 'case["verdict"] + ": " + last.get("reason", "")'; } # ID

ended() { # ID WORDS
    case $(end_of "$1") in
    *"$2"*) ;;
    *) fail "$1 came to: $(end_of "$1"), wanted: $2" ;;
    esac
}

# ---- it does not answer ----

test_a_stopped_server_is_ended_when_its_time_is_up() {
    cat >stop <<'END'
# Who forked for the server may be our parent for a moment still.
until s=$(pgrep -P "$(sed -n 's/^PPid:.//p' "/proc/$$/status")" -f "^run-matrix: $1"); do :; done
kill -STOP "$s"
while grep -L '^State:.T' "/proc/$s/task"/*/status | grep -q .; do :; done
END
    for backend in $served; do
        rm -rf .run-matrix
        in_backends "$backend" "{name: a, run: [sh, stop, $backend]}" '{name: b, run: ["true"]}' \
            '{name: c, run: ["true"]}'
        RUN_MATRIX_FAULTS=server-patience=300ms run -n 1 --contain=group
        status_is 1
        last_line_is '2 passed, 1 failed'
        ended "b@backend=$backend" "error: its $backend did not answer in time, and was ended"
        no_server_is_left
    done
}

# It would have an hour: who ends it is one of those that must have gone on.
test_others_go_on_while_a_server_does_not_answer() {
    module_that stops.so server: <<'END'
    raise(SIGSTOP);
END
    for backend in $served; do
        rm -rf .run-matrix
        in_backends "$backend exec" '{name: m, module: stops.so, only: "matrix.backend != '"'exec'"'"}' \
            '{name: a, run: ["true"], only: "matrix.backend == '"'exec'"'"}' \
            "{name: b, run: \"until $(signal_server KILL "$backend"); do :; done\", only: \"matrix.backend == 'exec'\"}"
        RUN_MATRIX_FAULTS=server-patience=1h run -n 2 --contain=group
        status_is 1
        last_line_is '2 passed, 1 failed'
        ended "m::t@backend=$backend" "error: its $backend died of SIGKILL"
        no_server_is_left
    done
}

# Whose parent is gone falls to us, and has its number until we reap it: who waits for that to be free is held up by nobody.
test_orphans_are_reaped_while_a_server_does_not_answer() {
    module_that stops.so server: <<'END'
    raise(SIGSTOP);
END
    cat >beside <<'END'
until pgrep -P $PPID -f "^run-matrix: $1"; do :; done
(sleep 1000 >/dev/null 2>&1 & echo $! >pid)
read -r pid <pid
kill -KILL "$pid"
while kill -0 "$pid"; do :; done
pkill -KILL -P $PPID -f "^run-matrix: $1"
END
    for backend in $served; do
        rm -rf .run-matrix
        in_backends "$backend exec" '{name: m, module: stops.so, only: "matrix.backend != '"'exec'"'"}' \
            "{name: b, run: [sh, beside, $backend], only: \"matrix.backend == 'exec'\"}"
        RUN_MATRIX_FAULTS=server-patience=1h run -n 2 --contain=group
        status_is 1
        last_line_is '1 passed, 1 failed'
        ended "m::t@backend=$backend" "error: its $backend died of SIGKILL"
        no_server_is_left
    done
}

test_a_cancel_does_not_wait_for_a_stopped_server() {
    module_that stops.so server: <<'END'
    raise(SIGSTOP);
END
    in_backends forkserver '{name: m, module: stops.so}'
    start
    for _ in $(seq 300); do
        [ -z "$(pgrep -r T -f '^run-matrix: forkserver' -P "$(pgrep -d, -P "$runner")")" ] || break
        sleep 0.1
    done
    kill -INT "$runner"
    finish
    status_is 2
    no_server_is_left
}

# ---- it dies ----

# Nothing has begun, so another one is asked; and one that is the death of all of them is told of.
test_a_server_that_dies_before_it_reads() {
    for backend in $served; do
        rm -rf .run-matrix
        in_backends "$backend" '{name: a, run: ["true"]}' "{name: b, run: [sh, -c, 'echo b >>made']}" '{name: c, run: ["true"]}'
        RUN_MATRIX_FAULTS=server-kill@2x1 run -n 1 --contain=group
        status_is 0
        last_line_is '3 passed, 0 failed'
        is "$(cat made)" b
        rm made
        RUN_MATRIX_FAULTS=server-kill@2 run -n 1 --contain=group b c
        status_is 1
        last_line_is '1 passed, 1 failed'
        ended "c@backend=$backend" "error: its $backend died of SIGKILL"
        rm made
        no_server_is_left
    done
}

# It is there, and how it ended is known, though nobody has said that it was started.
test_who_was_started_before_its_server_died_loses_nothing() {
    module m.so <<'END'
TEST(passes) {}
TEST(fails) { FAIL("as it should"); }
END
    for backend in $served; do
        for contain in group auto; do
            rm -rf .run-matrix
            in_backends "$backend" '{name: a, run: ["true"]}' '{name: b, run: [sh, -c, "exit 3"]}' '{name: m, module: m.so}'
            RUN_MATRIX_FAULTS=server-mute run -n 1 --contain="$contain"
            status_is 1
            last_line_is '2 passed, 2 failed'
            ended "b@backend=$backend" 'failed: exit status 3'
            ended "m::fails@backend=$backend" 'failed: m.so.c:3: as it should'
            no_server_is_left
        done
    done
}

test_many_cases_beside_servers_that_die() {
    for fault in server-kill@5x3 server-mute@5x3 server-kill@3x1,server-mute@9x5; do
        rm -rf .run-matrix
        in_backends "$served" "{name: a, matrix: {n: [$(seq -s, 1 20)]}, run: ['true']}"
        RUN_MATRIX_FAULTS=$fault run -n 4
        is "$(records '"ev":"end"')" 40
        is "$(records '"ev":"end"')" "$(($(records '"verdict":"passed"') + $(records 'died of SIGKILL')))"
        no_server_is_left
    done
}

# Who forks for it has not let the case go yet, and stays behind: with its server he is ended, and the case that he would
# have made is asked of another one. The handler runs in him and in nobody else, as the case is cloned without libc.
stuck_at_fork() { # FILE, and that which he waits for, the first one
    {
        printf '#include <%s>\n' fcntl.h pthread.h stdlib.h string.h unistd.h
        cat <<END
static void forked(void) {
    if (access("forked", F_OK) == 0)
        return;
    close(open("forked", O_CREAT | O_WRONLY, 0600));
    while (access("$2", F_OK) != 0) usleep(1000);
}
__attribute__((constructor)) static void begin(void) {
    const char *whose = getenv("RUN_MATRIX_CASE_ID");
    if (whose && strstr(whose, "server:")) pthread_atfork(NULL, NULL, forked);
}
TEST(t) { if (system("echo made >>made") != 0) FAIL("no file"); }
END
    } | module "$1"
}

test_who_forks_for_a_server_does_not_outlive_it() {
    in_backends 'main_thread_forkserver exec' '{name: m, module: m.so, only: "matrix.backend != '"'exec'"'"}' \
        '{name: b, run: [sh, killer], only: "matrix.backend == '"'exec'"'"}'
    cat >killer <<END
until [ -e forked ]; do sleep 0.01; done
$(signal_server KILL main_thread_forkserver)
touch killed
END
    # With the latter he may still make the case, or be ended before.
    for awaited in nothing killed; do
        stuck_at_fork m.so "$awaited"
        for contain in group auto; do
            rm -rf .run-matrix forked killed made
            run -n 2 --contain="$contain"
            status_is 0
            last_line_is '2 passed, 0 failed'
            is "$(cat made)" made
            no_server_is_left
        done
    done
}

# One that nobody kills is ended with its server when that is overdue.
test_who_forks_for_a_server_is_stuck() {
    in_backends main_thread_forkserver '{name: m, module: m.so}'
    stuck_at_fork m.so nothing
    RUN_MATRIX_FAULTS=server-patience=2s run -n 1 --contain=group
    status_is 1
    ended m::t@backend=main_thread_forkserver 'error: its main_thread_forkserver did not answer in time, and was ended'
    [ ! -e made ] || fail 'the case has run'
    no_server_is_left
}

# ---- it cannot make a process ----

# In the server, which may hold some memory, every clone fails from the start, until there is a file 'gone'.
forks_fail() { # FILE ERRNO [MEGABYTES]
    module_that "$1" server: <<END
    size_t size = (size_t)${3:-0} << 20;
    static char *volatile image; /* held: who looks for lost memory finds none */
    image = malloc(size);
    for (size_t at = 0; at < size; at += 4096) image[at] = 'x';
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | $2),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof code / sizeof *code, code};
    if (access("$PWD/gone", F_OK) == 0) return;
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) abort();
END
}

test_a_large_server_that_cannot_fork_says_so() {
    forks_fail again.so EAGAIN "$image"
    forks_fail memory.so ENOMEM "$image"
    in_backends forkserver '{name: again, module: again.so}' '{name: memory, module: memory.so}'
    run
    status_is 1
    ended again::t@backend=forkserver 'error: cannot start a process: Resource temporarily unavailable'
    ended memory::t@backend=forkserver 'error: cannot start a process: Cannot allocate memory'
    no_server_is_left
}

# The server waits for what comes next when it has refused the case; then it is ended, and the next one lacks nothing.
test_a_case_is_tried_again_when_there_are_processes_again() {
    waits=$(echo SYS_recvmsg | gcc -include sys/syscall.h -E -P - | tail -n 1)
    cat >mend <<END
server() { pgrep -P \$PPID -f '^run-matrix: forkserver'; }
until s=\$(server) && grep -q '^$waits ' "/proc/\$s/syscall"; do :; done
touch gone
kill -KILL "\$s"
while grep -q '^State:.[^Z]' "/proc/\$s/status"; do :; done
END
    for error in EAGAIN ENOMEM; do
        rm -rf .run-matrix gone
        forks_fail m.so "$error"
        in_backends 'forkserver exec' '{name: m, module: m.so}' '{name: b, run: [sh, mend]}'
        run -n 2 --contain=group m::t@backend=forkserver b@backend=exec
        status_is 0
        last_line_is '2 passed, 0 failed'
        no_server_is_left
    done
}

# ---- modules that are no good guests ----

test_what_a_constructor_does_to_a_server() {
    echo '    raise(SIGSEGV);' | module_that crashes.so server:
    echo '    puts("no luck today"); exit(0);' | module_that exits.so server:
    echo '    for (;;) pause();' | module_that hangs.so server:
    echo '    printf("of the constructor");' | module_that prints.so server:
    for backend in $served; do
        rm -rf .run-matrix
        in_backends "$backend" '{name: crashes, module: crashes.so}' '{name: exits, module: exits.so}' \
            '{name: hangs, module: hangs.so}' '{name: prints, module: prints.so}'
        ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}handle_segv=0 RUN_MATRIX_FAULTS=server-patience=2s run -n 4
        status_is 1
        last_line_is '1 passed, 3 failed'
        ended "crashes::t@backend=$backend" "error: its $backend died of SIGSEGV"
        ended "exits::t@backend=$backend" "error: its $backend ended with exit status 0; its last words: no luck today"
        ended "hangs::t@backend=$backend" \
            "error: its $backend was not ready in time, and was ended: what does it load?"
        run show "prints::t@backend=$backend"
        out_has 'of the test'
        out_lacks 'of the constructor'
        no_server_is_left
    done
}

# It closes the socket and stays: it is not waited for.
test_a_server_that_hangs_up_and_stays() {
    module m.so <<'END'
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
static pid_t server;
static void stay(void) { while (getpid() == server) pause(); }
static void *hang_up(void *user) { while (access("go", F_OK) != 0) ; shutdown(3, SHUT_RDWR); return user; }
__attribute__((constructor)) static void begin(void) {
    const char *whose = getenv("RUN_MATRIX_CASE_ID");
    pthread_t thread;
    if (!whose || !strstr(whose, "server:")) return;
    server = getpid();
    atexit(stay);
    pthread_create(&thread, NULL, hang_up, NULL);
}
TEST(t) {}
END
    sed -i "s,\"go\",\"$PWD/go\"," m.so.c && gcc -Wall -Werror "-I$root/fixtures" -shared -fPIC -o m.so m.so.c "$root/build/librunmatrix.a"
    in_backends 'main_thread_forkserver exec' '{name: m, module: m.so, only: "matrix.backend != '"'exec'"'"}' \
        "{name: b, run: [touch, go], only: \"matrix.backend == 'exec'\"}"
    run -n 1
    status_is 0
    no_server_is_left
}

# In a process that is there for this case alone it is the case's own.
test_what_a_constructor_does_to_a_fresh_process() {
    for backend in exec spawn subint subint_forkserver; do
        rm -rf .run-matrix
        echo '    raise(SIGSEGV);' | module_that crashes.so "::t@backend=$backend"
        echo '    for (;;) pause();' | module_that hangs.so "::t@backend=$backend"
        echo '    puts("of the constructor");' | module_that prints.so "::t@backend=$backend"
        in_backends "$backend" '{name: crashes, module: crashes.so, limits: {core: 0}}' \
            '{name: hangs, module: hangs.so, timeout: 500ms}' '{name: prints, module: prints.so}'
        ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}handle_segv=0 run -n 4
        status_is 1
        last_line_is '1 passed, 2 failed'
        ended "crashes::t@backend=$backend" 'crashed: SIGSEGV'
        ended "hangs::t@backend=$backend" 'timed out after 500ms'
        run show "prints::t@backend=$backend"
        out_has 'of the constructor'
    done
}

# Before there is a word of ours to be read by it: what is loaded into it is its death.
test_what_dies_while_it_is_loaded() {
    ! ldd "$program" | grep -q san || skip 'a sanitizer has to be loaded before all else'
    cat >dies.c <<'END'
#include <signal.h>
#include <unistd.h>
__attribute__((constructor)) static void begin(void) { raise(write(2, "no luck\n", 8) == 8 ? SIGTERM : SIGKILL); }
END
    gcc -shared -fPIC -o dies.so dies.c
    in_backends "exec spawn $served" "{name: a, run: ['true'], env: {LD_PRELOAD: '$PWD/dies.so'}}"
    run
    status_is 1
    ended a@backend=exec 'crashed: SIGTERM'
    ended a@backend=spawn 'error: ended before it got as far as its program: SIGTERM'
    for backend in $served; do
        ended "a@backend=$backend" "error: its $backend died of SIGTERM; its last words: no luck"
    done
    no_server_is_left
}

# It lists tests as ours do, and knows nothing else.
stranger() { # FILE, what it does when it is to serve on stdin
    {
        echo '#!/usr/bin/env python3'
        echo 'import os, signal, sys'
        echo 'if sys.argv[1:] == ["--list"]:'
        printf '%s\n' '    sys.exit(print("{\"run-matrix-tests\":1,\"count\":1}\n{\"name\":\"t\",\"file\":\"t.c\",\"line\":1}"))'
        cat
    } >"$1"
    chmod +x "$1"
}

test_programs_that_are_none_of_ours() {
    echo 'sys.exit("what is " + sys.argv[1] + "?")' | stranger refuses
    printf '%s\n' 'os.write(3, b"good day")' 'signal.pause()' | stranger talks
    for backend in $served; do
        rm -rf .run-matrix
        in_backends "$backend" '{name: refuses, module: refuses}' '{name: talks, module: talks}'
        run
        status_is 1
        ended "refuses::t@backend=$backend" "error: its $backend ended with exit status 1; its last words: what is --serve"
        ended "talks::t@backend=$backend" "error: its $backend does not speak our language"
        no_server_is_left
    done
    rm -rf .run-matrix
    in_backends spawn '{name: refuses, module: refuses}'
    run
    status_is 1
    ended refuses::t@backend=spawn 'error: ended before it got as far as its program, when it was to execute '
}

# Whoever would execute it waits until the lease is given back, which is not before the end.
test_a_program_that_cannot_be_opened_holds_nobody_else() {
    printf '#!/bin/sh\n' >held
    chmod +x held
    python3 -c '
import fcntl, os, signal
signal.signal(signal.SIGIO, signal.SIG_IGN)
held = os.open("held", os.O_RDONLY)
try:
    fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_WRLCK)
except OSError:
    open("refused", "w")
open("ready", "w")
signal.pause()' &
    holder=$!
    await_file ready
    in_backends 'exec spawn forkserver main_thread_forkserver' '{name: held, run: [./held], timeout: 2s}' \
        '{name: other, run: ["true"]}'
    [ -e refused ] || run -n 8
    kill "$holder"
    [ ! -e refused ] || skip 'no leases here'
    status_is 1
    last_line_is '4 passed, 4 failed'
    for backend in exec forkserver; do
        ended "held@backend=$backend" "error: did not get as far as its program within 10s, and was to execute './held'"
    done
    for backend in spawn main_thread_forkserver; do # which say that they are there just before
        ended "held@backend=$backend" 'timeout: timed out after 2s'
    done
    no_server_is_left
}

# ---- it is large ----

# Its server holds so much memory, all of it touched; its tests look whether they have it.
large() { # FILE
    module "$1" <<END
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define SIZE ((size_t)$image << 20)
static char *image;
__attribute__((constructor)) static void begin(void) {
    const char *whose = getenv("RUN_MATRIX_CASE_ID");
    if (whose && strstr(whose, "server:") && (image = malloc(SIZE)))
        for (size_t at = 0; at < SIZE; at += 4096) image[at] = 'x';
}
static int is_whole(void) {
    size_t at = 0;
    while (image && at < SIZE && image[at] == 'x') at += 4096;
    return at >= SIZE;
}
TEST(has) { if (!is_whole()) FAIL("it has not all"); }
TEST(fails) { if (is_whole()) FAIL("as it should"); }
TEST(stays) {
    close(open("$PWD/there", O_CREAT | O_WRONLY, 0600));
    while (access("$PWD/killed", F_OK) != 0) usleep(10000);
    if (!is_whole()) FAIL("it has not all");
}
END
}

test_a_large_server_dies_before_and_after_it_has_forked() {
    large m.so
    for backend in $served; do
        in_backends "$backend" '{name: m, module: m.so, matrix: {n: [1, 2]}}'
        for fault in server-kill@2x1 server-mute@1x2; do
            rm -rf .run-matrix
            RUN_MATRIX_FAULTS=$fault run -n 1 --contain=group -k 'has or fails'
            status_is 1
            last_line_is '2 passed, 2 failed'
            is "$(records ': as it should"')" 2
            no_server_is_left
        done
    done
}

test_a_large_server_dies_beside_its_case() {
    large m.so
    for backend in $served; do
        rm -rf .run-matrix there killed
        in_backends "$backend exec" '{name: m, module: m.so, only: "matrix.backend != '"'exec'"'"}' \
            "{name: b, run: \"until [ -e there ]; do sleep 0.01; done; $(signal_server KILL "$backend"); touch killed\", only: \"matrix.backend == 'exec'\"}"
        run -n 2 "m::stays@backend=$backend" b@backend=exec
        status_is 0
        last_line_is '2 passed, 0 failed'
        no_server_is_left
    done
}

test_a_large_server_is_stopped() {
    large m.so
    cat >stop <<'END'
until [ -e there ]; do sleep 0.01; done
# Who forked for the server may be our parent for a moment still.
until s=$(pgrep -P "$(sed -n 's/^PPid:.//p' "/proc/$$/status")" -f "^run-matrix: $1"); do :; done
kill -STOP "$s"
while grep -L '^State:.T' "/proc/$s/task"/*/status | grep -q .; do :; done
touch killed
END
    for backend in $served; do
        rm -rf .run-matrix there killed
        in_backends "$backend exec" '{name: m, module: m.so, only: "matrix.backend != '"'exec'"'"}' \
            "{name: b, run: [sh, stop, $backend], only: \"matrix.backend == 'exec'\"}" \
            '{name: c, module: m.so, only: "matrix.backend != '"'exec'"'"}'
        RUN_MATRIX_FAULTS=server-patience=$((2 + image / 100))s run -n 2 "m::stays@backend=$backend" b@backend=exec "c::has@backend=$backend"
        status_is 1
        last_line_is '2 passed, 1 failed'
        ended "c::has@backend=$backend" "error: its $backend did not answer in time, and was ended"
        no_server_is_left
    done
}

# ---- many ----

# Until so many are there, each with a file of its own.
until_all() { # COUNT
    echo "touch in/\$\$; until [ \$(ls in | wc -l) = $1 ]; do sleep 0.01; done"
}

# Eighteen modules are two more than there are servers at once; all their tests run side by side.
test_more_servers_than_there_are_at_once() {
    module m.so <<END
#include <stdlib.h>
TEST(t) { if (system("$(until_all 18)") != 0) FAIL("it was alone"); }
END
    set --
    for i in $(seq 18); do
        cp m.so "m$i.so"
        set -- "$@" "{name: m$i, module: m$i.so}"
    done
    for backend in $served; do
        rm -rf .run-matrix in
        mkdir in
        in_backends "$backend" "$@"
        run -n 18
        status_is 0
        last_line_is '18 passed, 0 failed'
        no_server_is_left
    done
}

# What a server was loaded with is not all the same for these, so none serves two of them; one after another has its turn.
test_servers_take_turns() {
    module m.so <<'END'
#include <stdlib.h>
#include <string.h>
static char loaded[64];
__attribute__((constructor)) static void begin(void) { strcpy(loaded, getenv("GCOV_PREFIX") ? getenv("GCOV_PREFIX") : ""); }
TEST(t) { if (strcmp(loaded, getenv("GCOV_PREFIX")) != 0) FAIL("loaded for another"); }
END
    cat >run-matrix.yaml <<YAML
strategy: {matrix: {backend: [$(echo "$served" | tr ' ' ,)], n: [$(seq -s, 20)]}}
defaults: {timeout: 20s, env: {GCOV_PREFIX: '/n-\${{ matrix.n }}'}}
tests: [{name: a, module: m.so}, {name: b, module: m.so}]
YAML
    for jobs in 1 4; do
        rm -rf .run-matrix
        run -n "$jobs"
        status_is 0
        last_line_is '80 passed, 0 failed'
        no_server_is_left
    done
}

# A socket holds some of what so many ask for; the others are not kept waiting for the end of those who run.
test_more_is_asked_for_than_a_server_can_be_told_of() {
    in_backends forkserver "{name: a, matrix: {n: [$(seq -s, 40)]}, env: {MUCH: '$(head -c 30000 /dev/zero | tr '\0' x)'}, run: [sh, -c, '$(until_all 40)']}"
    mkdir in
    run -n 40 --contain=group
    status_is 0
    last_line_is '40 passed, 0 failed'
    no_server_is_left
}

test_fast_cases_lose_no_status() {
    module m.so <<'END'
TEST(a) {}
TEST(b) {}
TEST(c) {}
TEST(fails) { FAIL("as it should"); }
END
    count=$((${FAST_CASES:-2000} / 4))
    for backend in spawn forkserver main_thread_forkserver subint_forkserver; do
        rm -rf .run-matrix
        in_backends "$backend" "{name: m, module: m.so, matrix: {n: [$(seq -s, "$count")]}}"
        run -q
        status_is 1
        last_line_is "$((3 * count)) passed, $count failed"
        is "$(records '"verdict":"failed"')" "$count"
        is "$(records ': as it should"')" "$count"
    done
}

# ---- what we were started with ----

surroundings='exec spawn forkserver main_thread_forkserver'

a_bit_of_all() {
    module m.so <<'END'
TEST(passes) {}
TEST(fails) { FAIL("as it should"); }
END
    in_backends "$surroundings" '{name: a, run: ["true"]}' '{name: b, run: [sh, -c, "exit 3"]}' '{name: m, module: m.so}'
}

ended_as_they_should() {
    status_is 1
    last_line_is '8 passed, 8 failed'
    is "$(records '"verdict":"failed"')" 8
    no_server_is_left
}

test_a_parent_that_ignores_its_children() {
    a_bit_of_all
    run_command env --ignore-signal=CHLD "$program"
    ended_as_they_should
}

test_without_standard_streams() {
    a_bit_of_all
    ran=$program status=0
    "$program" <&- >&- 2>&- || status=$?
    status_is 1
    is "$(records '"verdict":"passed"')" 8
    is "$(records '"verdict":"failed"')" 8
    no_server_is_left
}

test_a_case_with_few_descriptors() {
    a_bit_of_all
    sed -i 's/defaults: {/defaults: {limits: {files: 32}, /' run-matrix.yaml
    run
    ended_as_they_should
}

# A case of a server runs the program, which has a server, one of whose cases runs it again.
test_a_server_has_as_many_descriptors_at_any_depth() {
    cat >count <<END
#!/bin/sh
until server=\$(pgrep -P "\$(sed -n 's/^PPid:.//p' "/proc/\$\$/status")" -f "^run-matrix: \$1"); do :; done
echo "server \$(ls "/proc/\$server/fd" | wc -l), case \$(ls /proc/self/fd | wc -l)"
[ \$# = 1 ] || { cd "\$2" && '$program' -n 1 --contain=group >/dev/null && '$program' show a; }
END
    chmod +x count
    echo 'TEST(t) {}' | module m.so
    mkdir -p 2/3
    for backend in $served; do
        for depth in . 2 2/3; do
            next=$([ "$depth" = 2/3 ] || echo ", $PWD/$([ "$depth" = . ] && echo 2 || echo 2/3)")
            in_backends "$backend" "{name: m, module: $PWD/m.so}" "{name: a, run: ['$PWD/count', $backend$next]}"
            [ "$depth" = . ] || mv run-matrix.yaml "$depth"
            rm -rf "$depth/.run-matrix"
        done
        in_backends "$backend" "{name: m, module: m.so}" "{name: a, run: ['$PWD/count', $backend, $PWD/2]}"
        run -n 1 --contain=group
        status_is 0
        run show a
        is "$(grep -o 'server [0-9]*, case [0-9]*' "$scratch/out" | sort | uniq -c | grep -c '^ *3 server [0-9]')" 1
        no_server_is_left
    done
}

run_tests
