#!/bin/sh
# Built-ins of C tests in compiled programs and modules: under backends that fork, execute, and load once more.
. "$(dirname "$0")/lib.sh"
own_world # compilers leave files in /tmp for a moment, and others look for what is left there

backends='exec forkserver subint'
include=$root/fixtures
library=$root/build/librunmatrix.a
host=${program%/*}/run-matrix-host

warnings='-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror'

module() { # source on stdin: t.so, and t as a program
    {
        echo '#include <run_matrix.h>'
        cat <<'END'
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#define CHECK(condition) do { if (!(condition)) FAIL("%s", #condition); } while (0)
#line 1 "t.c"
END
        cat
    } >t.c
    # shellcheck disable=SC2086 # words
    gcc -std=gnu11 $warnings -shared -fPIC "-I$include" -o t.so t.c "$library"
    # shellcheck disable=SC2086
    gcc -std=gnu11 $warnings "-I$include" -o t t.c "$library"
}

with_backends() { # MORE KEYS
    echo "strategy: {matrix: {backend: [$(echo "$backends" | sed 's/ /, /g')]}}" >run-matrix.yaml
    echo "tests: [{name: t, module: t.so$1}]" >>run-matrix.yaml
}

said() { # WORDS: how many of all cases have said so on stderr
    cat .run-matrix/latest/cases/*/1/stderr | grep -c -e "$1"
}

all_pass() { # HOW MANY TESTS
    with_backends "$2"
    run
    status_is 0
    last_line_is "$(($1 * 3)) passed, 0 failed"
    run_command ./t
    status_is 0
}

test_what_a_test_is_lent() {
    module <<'END'
static int number = 3;
TEST(folder)
{
    struct stat st;
    CHECK(stat(mx_tmpdir(), &st) == 0 && S_ISDIR(st.st_mode));
    CHECK(strcmp(mx_read_file(mx_write_file("a/b", "text")), "text") == 0);
    CHECK(strcmp(mx_path("a/%c", 'b') + strlen(mx_tmpdir()), "/a/b") == 0);
    CHECK(chmod(mx_path("a"), 0500) == 0);
}
TEST(addresses)
{
    const char *given = getenv("RUN_MATRIX_REG_ADDR");
    CHECK(!given || strcmp(given, mx_reg_addr().url) == 0);
    CHECK(mx_reg_addr().port && mx_new_addr("tcp").port != mx_reg_addr().port);
    CHECK(mx_new_addr("uds").path[0] == '/');
}
TEST(patches)
{
    mx_setenv("HOME", "/nowhere");
    mx_unsetenv("PATH");
    mx_chdir(mx_tmpdir());
    MX_SET(number, 4);
    CHECK(!getenv("PATH") && number == 4);
}
TEST(captures)
{
    CAPTURE(said) {
        printf("by stdio ");
        fflush(stdout);
        CHECK(system("echo by a child; echo error >&2") == 0);
    }
    CHECK(strcmp(said.out, "by stdio by a child\n") == 0 && strcmp(said.err, "error\n") == 0);
}
TEST(runs)
{
    struct mx_ran ran = MX_RUN("sh", "-c", "echo out; echo err >&2; exit 3");
    CHECK(ran.status == 3 && strcmp(ran.out, "out\n") == 0 && strcmp(ran.err, "err\n") == 0);
    ran = mx_run(&(struct mx_command){.argv = MX_ARGV("sh", "-c", "sleep 1000 & sleep 1000"), .timeout = "50ms"});
    CHECK(ran.timed_out && ran.signal == SIGINT);
}
TEST(daemons)
{
    struct mx_daemon *daemon = mx_daemon(&(struct mx_daemon_command){
        .argv = MX_ARGV("sh", "-c", "echo up; exec sleep 1000"), .ready = {.line = "^up$"}});
    CHECK(kill(daemon->pid, 0) == 0 && strcmp(mx_said(daemon).out, "up\n") == 0);
    CHECK(mx_stop(daemon).signal == SIGTERM);
}
TEST(draws) { CHECK(mx_random() != mx_random() && mx_random_below(5) < 5); }
TEST(waits)
{
    int64_t before = mx_now();
    WAIT_UNTIL(mx_now() >= before + 20000000, "1m");
    mx_sleep("1ms");
    CHECK(mx_left(mx_deadline("1h")) > 3000000);
}
END
    all_pass 8 ''
}

# By both compilers and all standards, with all that users may have switched on.
test_standards() {
    cat >t.c <<'END'
#include <run_matrix.h>
#include <stdio.h>
#include <string.h>
static int number = 3;
TEST(a)
{
    struct mx_command command = {0};
    const char *const argv[] = {"sh", "-c", "echo $A", NULL}, *const env[] = {"A=1", NULL};
    command.argv = argv;
    command.env = env;
    CAPTURE(said) { puts("x"); }
    if (strcmp(said.out, "x\n") != 0 || strcmp(mx_run(&command).out, "1\n") != 0 || MX_RUN("true").status != 0)
        FAIL("%s", said.out);
    MX_SET(number, 5);
    WAIT_UNTIL(number == 5, "1s");
    mx_setenv("A", mx_path("%d", number));
    mx_dump_on_hang(1000);
    mx_random_below(mx_random() | 1);
}
END
    for cc in gcc clang; do
        command -v "$cc" >/dev/null || continue
        for std in c11 gnu17 c2x; do
            # shellcheck disable=SC2086 # words
            "$cc" "-std=$std" $warnings "-I$include" -o t t.c "$library"
            run_command ./t
            status_is 0
        done
    done
    sed 's/= {0}/= mx_command()/' t.c >t.cc
    count=0
    for cc in g++ clang++; do
        command -v "$cc" >/dev/null || continue
        for std in c++11 c++17 c++20; do
            # shellcheck disable=SC2086
            "$cc" "-std=$std" $warnings "-I$include" -o t t.cc "$library"
            run_command ./t
            status_is 0
            count=$((count + 1))
        done
    done
    [ "$count" -gt 0 ] || skip 'no compiler of C++'
}

# Whatever becomes of a test: what it was lent is gone. By the runner where it could not do so itself.
test_nothing_is_left() {
    module <<END
static void start(void)
{
    mx_write_file("file", "");
    mx_daemon(&(struct mx_daemon_command){.argv = MX_ARGV("sh", "-c", "echo up; sleep 1000; : $token"), .ready = {.line = "up"}});
}
TEST(fails) { start(); FAIL("no"); }
TEST(crashes) { start(); raise(SIGKILL); }
TEST(leaves) { start(); exit(3); }
TEST(hangs, .timeout = "1s")
{
    start();
    mx_run(&(struct mx_command){.argv = MX_ARGV("sh", "-c", "sleep 1000; : $token"), .timeout = "1m"});
}
TEST(passes) { start(); }
END
    with_backends ', stop: [KILL]'
    run
    status_is 1
    last_line_is '3 passed, 12 failed'
    nobody_is_left
    is "$(find /tmp -name 'tmp-*' | head)" ''
}

test_where_and_why_it_failed() {
    module <<'END'
TEST(daemon)
{
    mx_daemon(&(struct mx_daemon_command){
        .argv = MX_ARGV("sh", "-c", "echo bad config >&2; kill -SEGV $$"), .ready = {.line = "up"}});
}
TEST(in_use)
{
    siginfo_t info;
    struct mx_daemon *daemon = mx_daemon(&(struct mx_daemon_command){.argv = MX_ARGV("sh", "-c", "exit 7")});
    waitid(P_PID, (id_t)daemon->pid, &info, WEXITED | WNOWAIT);
}
static void helper(void) { mx_run(&(struct mx_command){.argv = MX_ARGV("sh", "-c", "echo why; exit 2"), .check = true}); }
TEST(checked) { helper(); }
TEST(waits) { WAIT_UNTIL(getppid() == 0, "20ms"); }
END
    with_backends ''
    run
    status_is 1
    last_line_is '0 passed, 12 failed'
    for words in 't.c:3: daemon: sh died (SIGSEGV) before it was ready' '    bad config' \
        't.c:9: in_use: sh exited with status 7 while it was in use' \
        "t.c:12: checked: 'sh' exited with status 2" '    why' \
        't.c:14: waits: getppid() == 0 did not become true within 20ms'; do
        is "$words, $(said "$words")" "$words, 3"
    done
}

test_output_of_who_does_not_come_back() {
    module <<'END'
TEST(fails) { CAPTURE(said) { puts("caught out"); fputs("caught err\n", stderr); FAIL("in it"); } }
TEST(leaves) { CAPTURE(said) { puts("caught out"); fputs("caught err\n", stderr); exit(0); } }
END
    for command in ./t "$host ./t.so"; do
        for name in fails leaves; do
            # shellcheck disable=SC2086 # words
            run_command $command --case $name
            status_is 1
            out_is 'caught out'
            err_has 'caught err'
        done
        err_has "test 'leaves' ended its process itself"
    done
}

test_a_sanitizer_is_heard() {
    cat >t.c <<'END'
#include <run_matrix.h>
#include <stdlib.h>
TEST(overflows)
{
    char *volatile bytes = malloc(3);
    CAPTURE(said) { bytes[3] = 1; }
}
TEST(goes_on) { CAPTURE(said) { } }
TEST(leaks, .leaks = "memory") { for (int i = 0; i < 100; i++) *(void *volatile *)malloc(8) = NULL; }
END
    gcc -fsanitize=address -g "-I$include" -o t t.c "$library" 2>/dev/null || skip 'no sanitizer'
    run_command ./t --case overflows
    [ "$status" -gt 0 ] || fail 'it went on'
    err_has 'heap-buffer-overflow'
    run_command ./t --case goes_on
    status_is 0
    run_command ./t --case leaks
    [ "$status" -gt 0 ] || fail 'nobody has noticed'
    err_has 't.c:9: leaks: the test has left behind'
    err_has 'memory that nobody points to'
}

test_leaks() {
    module <<'END'
#include <fcntl.h>
#define WANTS .leaks = "fds threads memory"
static void *volatile kept;
static void *do_nothing(void *user) { return user; }
FIXTURE(log) { int fd; };
SETUP(log) { self->fd = open("/dev/null", O_WRONLY); }
TEARDOWN(log) { close(self->fd); }
TEST(clean, USES(log), .leaks = "fds, threads")
{
    pthread_t thread;
    mx_dump_on_hang(1000);
    CHECK(pthread_create(&thread, NULL, do_nothing, NULL) == 0);
    pthread_join(thread, NULL);
    CHECK(log->fd >= 0);
}
/* Neither the first thread nor a library that is loaded: of those the C library keeps something. */
TEST(clean_memory, USES(log), WANTS)
{
    CAPTURE(said) { printf("printed"); }
    puts(said.out);
    kept = malloc(1000);
    free(kept);
    mx_reg_addr();
    mx_chdir(mx_tmpdir());
    MX_RUN("true");
    mx_daemon(&(struct mx_daemon_command){.argv = MX_ARGV("sleep", "1000")});
    CHECK(log->fd >= 0);
}
static void *wait_for_ever(void *user) { for (;;) pause(); return user; }
TEST(fd, WANTS) { CHECK(open("/etc/passwd", O_RDONLY) >= 0); }
TEST(thread, WANTS) { pthread_t thread; pthread_create(&thread, NULL, wait_for_ever, NULL); }

/* Nobody points to it any more: who knows what is reachable sees it as well as who counts. */
static __attribute__((noinline)) void lose(void) { kept = malloc(1000); memset(kept, 1, 1000); kept = NULL; }
TEST(memory, WANTS) { lose(); }
TEST(unwatched) { kept = malloc(1000); CHECK(open("/etc/passwd", O_RDONLY) >= 0); }
END
    with_backends ''
    run
    status_is 1
    last_line_is '9 passed, 9 failed'
    is "$(said '^t.c:[0-9]*: [a-z]*: the test has left behind$')" 9
    is "$(said '^  descriptor [0-9]*: /etc/passwd, for reading$')" 3
    is "$(said "^  thread [0-9]*, '")" 3
    is "$(said '^  1008 bytes of memory\|^  memory that nobody points to')" 3
}

test_the_seed_is_told_and_taken() {
    module <<'END'
TEST(draws) { FAIL("drawn: %llx", (unsigned long long)mx_random()); }
TEST(draws_not) { FAIL("no"); }
END
    suite '{name: t, module: t.so}'
    run
    status_is 1
    seed=$(sed -n 's/.*with RUN_MATRIX_SEED=\(0x[0-9a-f]*\) it draws the same random numbers again.*/\1/p' "$scratch/out")
    is "$(echo "$seed" | wc -l)" 1
    drawn=$(grep -o 'drawn: [0-9a-f]*' "$scratch/out" | sort -u)
    run_command env "RUN_MATRIX_SEED=$seed" ./t --case draws
    err_has "$drawn"
    run_command ./t --case draws
    err_lacks "$drawn"
}

test_an_address_of_each_transport() {
    module <<'END'
TEST(address)
{
    struct mx_addr address = mx_reg_addr();
    CHECK(strcmp(address.url, getenv("RUN_MATRIX_REG_ADDR")) == 0);
    if (strcmp(getenv("RUN_MATRIX_AXIS_TRANSPORT"), "tcp") == 0)
        CHECK(strcmp(address.host, "127.0.0.1") == 0 && address.port > 0 && !address.path);
    else
        CHECK(!address.host && address.port == 0 && address.path[0] == '/');
}
END
    echo 'strategy: {matrix: {transport: [tcp, uds]}}' >run-matrix.yaml
    echo 'tests: [{name: t, module: t.so}]' >>run-matrix.yaml
    run
    status_is 0
    last_line_is '2 passed, 0 failed'
}

# Of a fixture that many share: the folder is its own, and there as long as it is.
test_what_a_shared_fixture_has() {
    module <<'END'
FIXTURE(shared, .scope = MX_SESSION) { char file[200], folder[200]; struct mx_addr address; int pid; };
SETUP(shared)
{
    snprintf(self->folder, sizeof self->folder, "%s", mx_tmpdir());
    snprintf(self->file, sizeof self->file, "%s", mx_write_file("f", "shared"));
    self->address = mx_new_addr("tcp");
    self->pid = (int)getpid();
}
static void check(const struct shared_fixture *shared)
{
    CHECK(strcmp(mx_read_file(shared->file), "shared") == 0);
    CHECK(shared->address.port > 0 && shared->address.port != mx_reg_addr().port);
    CHECK(shared->pid == (int)getpid() || strcmp(mx_tmpdir(), shared->folder) != 0);
}
TEST(one, USES(shared)) { check(shared); }
TEST(two, USES(shared)) { check(shared); }
END
    before=$(find /tmp -name 'mx-*' | sort) # who crashed by itself, under nobody, could not remove his
    all_pass 2 ''
    is "$(find /tmp -name 'mx-*' | sort)" "$before"
    is "$(find /tmp -path '/tmp/mx-*' -prune -o -name 'tmp-*' -print | head)" ''
}

test_a_hang_is_dumped() {
    module <<'END'
static pthread_barrier_t both;
static void *wait_here(void *user)
{
    pthread_barrier_wait(&both);
    pthread_barrier_wait(&both);
    return user;
}
TEST(hangs)
{
    pthread_t thread;
    FILE *log;
    char line[1000];
    int pipe_[2], threads = 0, err = dup(2);
    pthread_barrier_init(&both, NULL, 2);
    pthread_create(&thread, NULL, wait_here, NULL);
    pthread_barrier_wait(&both);
    CHECK(pipe(pipe_) == 0);
    dup2(pipe_[1], 2);
    mx_dump_on_hang(0.01);
    log = fdopen(pipe_[0], "r");
    while (fgets(line, sizeof line, log) && strcmp(line, "the test goes on\n") != 0)
        threads += strncmp(line, "thread ", 7) == 0;
    dup2(err, 2);
    pthread_barrier_wait(&both);
    pthread_join(thread, NULL);
    CHECK(threads >= 2);
}
END
    all_pass 1 ''
}

run_tests
