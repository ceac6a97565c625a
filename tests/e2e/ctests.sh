#!/bin/sh
# C tests with fixtures and parameters: what is set up, how often, in which order, and what becomes of it, by every backend.
. "$(dirname "$0")/lib.sh"
own_world # compilers leave files in /tmp for a moment, and others look for what is left there

backends='exec spawn forkserver main_thread_forkserver subint subint_forkserver'
library=$root/build/librunmatrix.a

module() { # NAME, source on stdin
    {
        # Where everybody may write what he does, a line at once: said("set up %s", name).
        cat <<END
#include <run_matrix.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define said(...) (dprintf(open("$PWD/log", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600), __VA_ARGS__))
#line 1 "$1.c"
END
        cat
    } >"$1.c"
    gcc -shared -fPIC -Wall -Wextra -Werror "-I$root/fixtures" -o "$1.so" "$1.c" "$library"
}

with_backends() { # MORE KEYS
    echo "strategy: {matrix: {backend: [$(echo "$backends" | sed 's/ /, /g')]}}" >run-matrix.yaml
    echo "tests: [{name: t, module: t.so$1}]" >>run-matrix.yaml
}

log_is() { # LINES on stdin
    cat >wanted
    diff wanted log >difference || fail "the log is otherwise: $(cat difference)"
    rm -f log
}

# ---- names ----

test_parameters_make_names() {
    module t <<'END'
enum mode { FAST, SLOW };
PARAM(depth, int, 1, 3);
PARAM(text, const char *, "a b", "", "x,y", "x,y");
PARAM(twins, const char *, "2", "a", "a");
PARAM(mode, enum mode, FAST, SLOW);
PARAM(point, struct { int x; int y; }, {1, 2}, {3, 4});
PARAM(named, struct { const char *name; int n; }, {"one", 1}, {"two", 2});
PARAM(sum, int, 1 + 1, (int)sizeof(char));
ROWS(row, int);
ROW(row, second) = 2;
ROW(row, first) = 1;
TEST(a, WITH(depth, mode)) {}
TEST(b, WITH(text)) {}
TEST(b2, WITH(twins)) {}
TEST(c, WITH(point)) {}
TEST(d, WITH(named)) {}
TEST(e, WITH(sum)) {}
TEST(f, WITH(row)) { if (row != 2 && row != 1) FAIL("%d", row); }
END
    run_command "${program%/*}/run-matrix-host" ./t.so --list
    status_is 0
    sed -n 's/^{"name":"\([^"]*\)".*/\1/p' "$scratch/out" >names
    { tr "\n" " " <names | sed "s/ \$//"; echo; } >"$scratch/out"
    out_is \
        'a/depth=1,mode=FAST a/depth=1,mode=SLOW a/depth=3,mode=FAST a/depth=3,mode=SLOW b/text=a%20b b/text=1 b/text=2 b/text=3 b2/twins=0 b2/twins=1 b2/twins=2 c/point=0 c/point=1 d/named=one d/named=two e/sum=1%20+%201 e/sum=1 f/row=second f/row=first'
    while read -r name; do
        run_command "${program%/*}/run-matrix-host" ./t.so --case "$name"
        status_is 0
    done <names
    for name in a a/depth=1 a/depth=2,mode=FAST a/depth=1,mode=FAST,row=first a/mode=FAST,depth=1 b/text=x f/row=third f/ f/row=; do
        run_command "${program%/*}/run-matrix-host" ./t.so --case "$name"
        status_is 99
        err_has "there is no '$name' of that test"
    done
}

test_what_cannot_be_is_an_error_with_its_place() {
    while read -r place words; do
        read -r source
        echo "$source" | module t
        run_command "${program%/*}/run-matrix-host" ./t.so --list
        status_is 99
        err_has "$place $words"
    done <<'END'
t.c:1: 'wide' outlives what it uses: its scope is wider than that of 'narrow'
FIXTURE(narrow) { int x; }; SETUP(narrow) {} FIXTURE(wide, .scope = MX_SESSION) { int x; }; SETUP(wide, USES(narrow)) {} TEST(a, USES(wide)) {}
t.c:1: 'a' has a parameter without values: ROW(param, name) = ...; gives it one: 'row'
ROWS(row, int); TEST(a, WITH(row)) {}
t.c:1: 'b' uses itself, by 'a'
FIXTURE(a) { int x; }; FIXTURE(b) { int x; }; SETUP(a, USES(b)) {} SETUP(b, USES(a)) {} TEST(t, USES(b)) {}
END
}

# ---- set up and torn down ----

test_order_and_values() {
    module t <<'END'
PARAM(engine, const char *, "x", "y");
FIXTURE(outer) { char name[20]; };
SETUP(outer, WITH(engine)) { snprintf(self->name, sizeof self->name, "outer-%s", engine); said("+%s\n", self->name); }
TEARDOWN(outer) { said("-%s\n", self->name); }
FIXTURE(inner) { const char *of; };
SETUP(inner, USES(outer)) { self->of = outer->name; said("+inner of %s\n", self->of); }
TEARDOWN(inner) { said("-inner of %s\n", self->of); }
FIXTURE(always, .autouse = 1) { int x; };
SETUP(always) { said("+always\n"); }
TEST(uses, USES(inner, outer)) { said("%s, %s\n", inner->of, outer->name); }
END
    with_backends
    for backend in $backends; do
        run run -n 1 --cell "backend=$backend"
        status_is 0
        log_is <<'END'
+always
+outer-x
+inner of outer-x
outer-x, outer-x
-inner of outer-x
-outer-x
+always
+outer-y
+inner of outer-y
outer-y, outer-y
-inner of outer-y
-outer-y
END
    done
}

test_torn_down_whatever_becomes_of_the_test() {
    module t <<'END'
FIXTURE(first) { int x; };
SETUP(first) { said("+first "); }
TEARDOWN(first) { said("-first\n"); }
FIXTURE(second) { int x; };
SETUP(second, USES(first)) { said("+second "); }
TEARDOWN(second) { said("-second "); }
FIXTURE(broken) { int x; };
SETUP(broken, USES(second)) { FAIL("no luck"); }
TEARDOWN(broken) { said("never "); }
FIXTURE(careless) { int x; };
SETUP(careless, USES(first)) {}
TEARDOWN(careless) { FAIL("too late"); }
TEST(a_fails, USES(second)) { said("test "); FAIL("no"); }
TEST(b_skips, USES(second)) { said("test "); SKIP("no"); }
TEST(c_leaves, USES(second)) { said("test "); exit(0); }
TEST(d_is_not_reached, USES(broken)) { said("never "); }
TEST(e_is_told_too_late, USES(careless)) { said("test "); }
TEST(f_is_told_to_end, USES(second)) { said("test "); kill(getpid(), SIGINT); pause(); }
END
    with_backends
    for backend in exec spawn forkserver main_thread_forkserver subint_forkserver; do
        run run -n 1 --cell "backend=$backend"
        status_is 1
        out_has "FAIL        "
        log_is <<'END'
+first +second test -second -first
+first +second test -second -first
+first +second test -second -first
+first +second -second -first
+first test -first
+first +second test -second -first
END
        "$program" report --format json | python3 -c '
import json, sys
for case in json.load(sys.stdin)["cases"]:
    print(case["id"].split("@")[0], case["verdict"])' >"$scratch/out"
        out_is <<'END'
t::a_fails failed
t::b_skips skipped
t::c_leaves failed
t::d_is_not_reached error
t::e_is_told_too_late error
t::f_is_told_to_end crashed
END
    done
}

test_a_deadline_tears_down_too() {
    module t <<'END'
FIXTURE(thing) { int x; };
SETUP(thing) {}
TEARDOWN(thing) { said("torn down\n"); }
TEST(hangs, USES(thing)) { for (;;) pause(); }
static void give_back(void *user) { said("%s\n", (const char *)user); }
TEST(lent, .timeout = "300ms") { mx_at_end(give_back, "given back"); for (;;) pause(); }
END
    with_backends ', timeout: 300ms'
    for backend in exec spawn forkserver main_thread_forkserver subint_forkserver; do
        run run -n 1 --cell "backend=$backend"
        status_is 1
        out_has 'TIMEOUT'
        log_is <<'END'
torn down
given back
END
    done
}

# ---- shared ----

shared_module() {
    module t <<'END'
PARAM(engine, const char *, "x", "y");
FIXTURE(slow, .scope = MX_SESSION, .timeout = "20s") { char name[30]; int pid; };
SETUP(slow, WITH(engine)) { snprintf(self->name, sizeof self->name, "%s", engine); self->pid = getpid(); said("+%s\n", engine); }
TEARDOWN(slow) { said("-%s\n", self->name); if (self->pid != getpid()) said("by another\n"); }
PARAM(number, int, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
TEST(uses, USES(slow), WITH(number)) { if (slow->pid == getpid()) said("not shared\n"); }
END
}

test_what_is_shared_is_set_up_once() {
    shared_module
    with_backends
    for backend in forkserver main_thread_forkserver; do
        run run -n 2 --cell "backend=$backend"
        status_is 0
        out_has '20 passed, 0 failed'
        sort log >sorted && mv sorted log
        log_is <<'END'
+x
+y
-x
-y
END
    done
}

test_where_nothing_is_shared_each_has_its_own() {
    shared_module
    with_backends
    run run --cell 'backend=exec'
    status_is 0
    is "$(grep -c '^+' log) $(grep -c '^-' log) $(grep -c 'not shared' log)" '20 20 20'
}

test_of_a_cell_there_is_one_for_each_cell() {
    module t <<'END'
FIXTURE(one, .scope = MX_CELL) { int x; };
SETUP(one) { said("+%s\n", getenv("RUN_MATRIX_AXIS_COLOUR")); }
TEARDOWN(one) { said("-\n"); }
TEST(a, USES(one)) {}
TEST(b, USES(one)) {}
END
    cat >run-matrix.yaml <<'END'
strategy: {matrix: {colour: [red, blue]}}
tests: [{name: t, module: t.so}]
END
    run run
    status_is 0
    sort log >sorted && mv sorted log
    log_is <<'END'
+blue
+red
-
-
END
}

test_what_could_not_be_set_up_is_an_error_of_each_that_uses_it() {
    module t <<'END'
FIXTURE(broken, .scope = MX_SESSION) { int x; };
SETUP(broken) { said("tried\n"); FAIL("no %s", "luck"); }
FIXTURE(absent, .scope = MX_SESSION) { int x; };
SETUP(absent) { said("looked\n"); SKIP("no network"); }
TEST(a, USES(broken)) { said("never\n"); }
TEST(b, USES(broken)) { said("never\n"); }
TEST(c, USES(absent)) { said("never\n"); }
TEST(d) {}
END
    echo 'tests: [{name: t, module: t.so}]' >run-matrix.yaml
    run run -n 1
    status_is 1
    out_has '1 passed, 2 failed, 1 skipped'
    out_has 'no network'
    out_has "fixture 'broken' could not be set up: no luck"
    log_is <<'END'
tried
looked
END
}

# No test is there any more that could say so.
test_what_is_shared_and_cannot_be_torn_down_fails_the_run() {
    module t <<'END'
FIXTURE(thing, .scope = MX_SESSION, .teardown_timeout = "100ms") { int x; };
SETUP(thing) {}
TEARDOWN(thing)
{
    const char *how = getenv("HOW");
    fprintf(stderr, "so sad\n");
    if (*how == 'f') FAIL("no");
    if (*how == 'd') raise(SIGKILL);
    while (*how == 'h') pause();
}
TEST(a, USES(thing)) {}
END
    for how in fail die hang; do
        echo "tests: [{name: t, module: t.so, env: {HOW: $how}}]" >run-matrix.yaml
        run run
        status_is 1
        last_line_is '1 passed, 0 failed'
        grep -hF "could not be torn down: its forkserver" "$scratch/out" "$scratch/err" >told || fail "nobody said it: $how"
    done
    echo "tests: [{name: t, module: t.so, env: {HOW: well}}]" >run-matrix.yaml
    run run
    status_is 0
}

# It takes its server along, and nobody who does not use it.
test_who_dies_while_setting_up_is_an_error_with_last_words() {
    module t <<'END'
FIXTURE(dies, .scope = MX_SESSION) { int x; };
SETUP(dies) { fprintf(stderr, "now I die\n"); raise(SIGKILL); }
FIXTURE(leaves, .scope = MX_SESSION) { int x; };
SETUP(leaves) { fprintf(stderr, "now I leave\n"); exit(0); }
TEST(a, USES(dies)) {}
TEST(b, USES(leaves)) {}
TEST(c) {}
END
    echo 'tests: [{name: t, module: t.so}]' >run-matrix.yaml
    for jobs in 1 2; do
        run run -n "$jobs"
        status_is 1
        last_line_is '1 passed, 2 failed'
        out_has "t::a: its forkserver died of SIGKILL while it set up 'dies'; its last words: now I die"
        out_has "t::b: its forkserver ended with exit status 0 while it set up 'leaves'; its last words: now I leave"
    done
}

test_setting_up_has_a_deadline() {
    module t <<'END'
FIXTURE(hangs, .scope = MX_SESSION, .timeout = "100ms") { int x; };
SETUP(hangs) { fprintf(stderr, "waiting for godot\n"); for (;;) pause(); }
TEST(a, USES(hangs)) {}
TEST(b) {}
PARAM(number, int, 1, 2, 3, 4, 5, 6, 7, 8);
TEST(c, USES(hangs), WITH(number)) {}
END
    echo 'tests: [{name: t, module: t.so}]' >run-matrix.yaml
    run run -n 2
    status_is 1
    last_line_is '1 passed, 9 failed'
    is "$(grep -c "^ERROR.*: its forkserver took too long, and was ended while it set up 'hangs'; its last words: waiting for godot" "$scratch/out")" 1
    is "$(grep -c "^ERROR.*fixture 'hangs' could not be set up: it has taken its process along before, and is not tried again" "$scratch/out")" 8
}

# What it has made in its folder is there for all tests, and for nobody after the run, also when its server was killed.
test_what_is_shared_has_a_folder_of_its_own() {
    module t <<'END'
FIXTURE(file, .scope = MX_SESSION) { char path[200]; };
SETUP(file)
{
    snprintf(self->path, sizeof self->path, "%s/shared", getenv("TMPDIR"));
    fclose(fopen(self->path, "w"));
    said("%s\n", self->path);
}
PARAM(number, int, 1, 2, 3);
TEST(uses, USES(file), WITH(number)) { if (access(file->path, F_OK) < 0) FAIL("%s", file->path); }
END
    echo 'tests: [{name: t, module: t.so}]' >run-matrix.yaml
    run run -n 1
    status_is 0
    ! [ -e "$(cat log)" ] || fail "$(cat log) is there still"
    rm log
    run_command env RUN_MATRIX_FAULTS=server-mute@2 "$program" run -n 1
    [ "$(wc -l <log)" -gt 1 ] || fail "no server was killed: $(cat log)"
    while read -r path; do
        ! [ -e "$path" ] || fail "$path is there still"
    done <log
}

# Who waits for a server is told that it takes its time.
test_setting_up_may_take_longer_than_an_answer() {
    module t <<'END'
FIXTURE(slow, .scope = MX_SESSION, .timeout = "60s") { int x; };
SETUP(slow) { sleep(3); }
TEST(a, USES(slow)) {}
END
    echo 'tests: [{name: t, module: t.so}]' >run-matrix.yaml
    run_command env RUN_MATRIX_FAULTS=server-patience=2s "$program" run
    status_is 0
}

# ---- children, threads, leaving ----

test_failures_of_others_count() {
    module t <<'END'
#include <pthread.h>
#include <sys/wait.h>
static void *fail(void *user) { (void)user; FAIL("in a thread"); }
TEST(thread) { pthread_t t; pthread_create(&t, NULL, fail, NULL); pthread_join(t, NULL); }
TEST(child) { if (fork() == 0) FAIL("in a child"); wait(NULL); }
TEST(grandchild) { if (fork() == 0) { if (fork() == 0) FAIL("below it"); wait(NULL); _exit(0); } wait(NULL); }
END
    with_backends
    run run -n 2
    status_is 1
    out_has '0 passed, 18 failed'
    run_command "${program%/*}/run-matrix-host" ./t.so
    status_is 1
    is "$(grep -c '^not ok' "$scratch/out")" 3
}

# What is said may have no place to stand; nobody dies of that, and it counts all the same.
test_failures_count_wherever_they_cannot_be_written() {
    module t <<'END'
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
static void fail_in_a_child(void) { if (fork() == 0) { FAIL("in a child"); } wait(NULL); }
static const char *place(void) { static char path[300]; snprintf(path, sizeof path, "%s/.said", getenv("TMPDIR")); return path; }
TEST(removed) { fail_in_a_child(); unlink(place()); }
TEST(folder) { mkdir(place(), 0700); fail_in_a_child(); }
TEST(fifo) { mkfifo(place(), 0600); fail_in_a_child(); }
TEST(link) { if (symlink("/etc/passwd", place()) == 0) fail_in_a_child(); }
TEST(large) { int fd = open(place(), O_CREAT | O_WRONLY, 0600); if (ftruncate(fd, 10LL << 30) == 0) fail_in_a_child(); }
TEST(files) { setrlimit(RLIMIT_NOFILE, &(struct rlimit){3, 3}); fail_in_a_child(); }
TEST(size) { setrlimit(RLIMIT_FSIZE, &(struct rlimit){0, 0}); FAIL("too large"); }
TEST(bytes) { FAIL("'%s'", "a\xff\xfe\xc3"); }
END
    echo 'tests: [{name: t, module: t.so, timeout: 20s}]' >run-matrix.yaml
    run run
    status_is 1
    last_line_is '0 passed, 8 failed'
    out_lacks TIMEOUT
    out_lacks CRASH
    out_has "t::bytes: t.c:13: 'a\\xff\\xfe\\xc3'"
}

test_leaving_in_set_up_is_an_error() {
    module t <<'END'
FIXTURE(leaves) { int x; };
SETUP(leaves) { exit(0); }
TEARDOWN(leaves) { said("never set up\n"); }
TEST(a, USES(leaves)) {}
END
    echo 'strategy: {matrix: {backend: [exec, forkserver]}}' >run-matrix.yaml
    echo 'tests: [{name: t, module: t.so}]' >>run-matrix.yaml
    run run
    status_is 1
    out_has "ERROR"
    out_has "test 'a' ended its process itself, by exit(0)"
    ! [ -e log ] || fail 'what was not set up was torn down'
}

# Who is told to end while he tears down has his time for it.
test_tearing_down_is_not_cut() {
    module t <<'END'
FIXTURE(thing) { int x; };
SETUP(thing) {}
TEARDOWN(thing) { kill(getpid(), SIGINT); said("to its end\n"); }
TEST(a, USES(thing)) {}
END
    echo 'tests: [{name: t, module: t.so}]' >run-matrix.yaml
    run run
    status_is 1
    log_is <<'END'
to its end
END
}

run_tests
