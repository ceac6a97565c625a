#!/bin/sh
# librunmatrix as whoever writes C tests has it: compilers, standards, linkers; what the programs and modules do.
. "$(dirname "$0")/lib.sh"
own_world # compilers leave files in /tmp for a moment, and others look for what is left there

include=$root/fixtures
library=$root/build/librunmatrix.a
host=${program%/*}/run-matrix-host

compilers() {
    for cc in gcc clang; do
        ! command -v "$cc" >/dev/null || echo "$cc"
    done
}

compile() { # CC ARG...: everything is a warning, and every warning an error
    cc=$1
    shift
    "$cc" -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Werror "-I$include" "$@"
}

three_tests() {
    cat <<'END'
#include <run_matrix.h>
TEST(passes) {}
TEST(fails) { FAIL("%d is not %d", 1, 2); }
TEST(skips) { SKIP("no %s here", "network"); }
END
}

list_of_three() { # FILE
    cat <<END
{"run-matrix-tests":1,"count":3}
{"name":"passes","file":"$1","line":2}
{"name":"fails","file":"$1","line":3}
{"name":"skips","file":"$1","line":4}
END
}

test_every_standard_of_both_compilers() {
    three_tests >t.c
    for cc in $(compilers); do
        for std in c11 gnu11 c17 gnu17 c2x gnu2x; do
            compile "$cc" "-std=$std" -O2 -o t t.c "$library"
            run_command ./t --list
            status_is 0
            list_of_three t.c | out_is
        done
    done
}

test_from_cplusplus() {
    three_tests >t.cc
    count=0
    for cc in g++ clang++; do
        command -v "$cc" >/dev/null || continue
        for std in c++11 c++17 c++20; do
            "$cc" -Wall -Wextra -Wpedantic -Wshadow -Werror "-I$include" "-std=$std" -o t t.cc "$library"
            run_command ./t --list
            list_of_three t.cc | out_is
            run_command ./t --case fails
            status_is 1
            err_has 't.cc:3: fails: 1 is not 2'
            count=$((count + 1))
        done
    done
    [ "$count" -gt 0 ] || skip 'no compiler of C++'
}

# As many are found as were written, in programs and modules, whatever is optimised or thrown away.
test_every_linker_keeps_all_tests() {
    three_tests >t.c
    tried=0
    for cc in $(compilers); do
        for linker in bfd gold lld; do
            "$cc" "-fuse-ld=$linker" -o nothing -x c - 2>/dev/null <<END || continue
int main(void) { return 0; }
END
            tried=$((tried + 1))
            for flags in -O0 '-O3 -flto' '-O2 -ffunction-sections -fdata-sections -Wl,--gc-sections' \
                '-O2 -fvisibility=hidden -static' '-O1 -fsanitize=address,undefined' -no-pie; do
                case "$cc $linker $flags" in
                *-flto*)
                    # gcc's optimizer speaks to its own linkers, clang's to those with its plugin.
                    [ "$cc $linker" = 'gcc bfd' ] || [ "$cc $linker" = 'clang lld' ] || continue
                    ;;
                esac
                # shellcheck disable=SC2086 # flags are words
                compile "$cc" "-fuse-ld=$linker" $flags -o t t.c "$library" || fail "$cc $linker $flags"
                run_command ./t --list
                ran="$cc $linker $flags"
                list_of_three t.c | out_is
                run_command ./t --case fails
                status_is 1
            done
            for flags in -O0 '-O2 -fvisibility=hidden -ffunction-sections -fdata-sections -Wl,--gc-sections'; do
                # shellcheck disable=SC2086
                compile "$cc" "-fuse-ld=$linker" $flags -shared -fPIC -o t.so t.c "$library"
                run_command "$host" t.so --list
                ran="$cc $linker $flags, as a module"
                list_of_three t.c | out_is
                run_command "$host" ./t.so --case skips
                status_is 77
                out_is 'no network here'
            done
        done
    done
    [ "$tried" -gt 0 ] || fail 'no compiler and linker'
}

test_many_files_are_one_list_in_order() {
    printf '#include <run_matrix.h>\nTEST(b) {}\nTEST(a) {}\n' >b.c
    printf '#include <run_matrix.h>\nTEST(z) {}\nTEST(y) {}\n' >a.c
    compile gcc -O2 -o t b.c a.c "$library"
    run_command ./t --list
    out_is <<'END'
{"run-matrix-tests":1,"count":4}
{"name":"z","file":"a.c","line":2}
{"name":"y","file":"a.c","line":3}
{"name":"b","file":"b.c","line":2}
{"name":"a","file":"b.c","line":3}
END
}

# ---- all that is written down, in several files ----

# Fixtures in a header, set up in another file; parameters, rows, marks and options of files; from C and C++ at once.
many_things() { # CXX: a compiler of C++, or nothing
    cat >things.h <<'END'
#include <run_matrix.h>
FIXTURE(wide, .scope = MX_SESSION) { int value; };
FIXTURE(thing) { int value; };
FIXTURE(always, .autouse = 1) { int value; };
END
    cat >things.c <<'END'
#include "things.h"
#include <stdio.h>
SETUP(wide) { self->value = 7; }
TEARDOWN(wide) { printf("-wide %d\n", self->value); }
SETUP(thing, USES(wide)) { self->value = wide->value + 1; }
TEARDOWN(thing) { printf("-thing %d\n", self->value); }
SETUP(always) { printf("+always %d\n", self->value); }
END
    cat >a.c <<'END'
#include "things.h"
PARAM(depth, int, 1, 3);
MARK(net, "needs a network");
TEST(a, USES(thing), WITH(depth), .timeout = "2s") { ASSERT_EQ(thing->value + depth, 8 + depth); }
MODULE(.timeout = "10s", .marks = "net");
TEST(a2) {}
END
    b=b.c
    [ -z "$1" ] || b=b.cc
    cat >"$b" <<'END'
#include "things.h"
PARAM(depth, int, 5);
ROWS(number, struct { const char *text; int value; });
ROW(number, decimal) = {"10", 10};
ROW(number, octal, .xfail = "not yet", .marks = "slow") = {"010", 8};
TEST(b, WITH(number, depth), USES(thing)) { ASSERT_EQ(number.text[0] == '0', number.value == 8); }
END
    sed 's/TEST(b,/TEST(c,/' "$b" >"c${b#b}"
    cat >wanted <<END
{"run-matrix-tests":1,"count":7,"marks":{"net":"needs a network"}}
{"name":"a/depth=1","file":"a.c","line":4,"marks":["net"],"timeout":"2s"}
{"name":"a/depth=3","file":"a.c","line":4,"marks":["net"],"timeout":"2s"}
{"name":"a2","file":"a.c","line":6,"marks":["net"],"timeout":"10s"}
{"name":"b/number=decimal,depth=5","file":"$b","line":6}
{"name":"b/number=octal,depth=5","file":"$b","line":6,"marks":["slow"],"xfail":"not yet"}
{"name":"c/number=decimal,depth=5","file":"c${b#b}","line":6}
{"name":"c/number=octal,depth=5","file":"c${b#b}","line":6,"marks":["slow"],"xfail":"not yet"}
END
}

cxx_of() { # CC
    cxx=$(echo "$1" | sed 's/^gcc/g++/; s/^clang/clang++/')
    ! command -v "$cxx" >/dev/null || echo "$cxx"
}

all_are_there() { # COMMAND...: of what was linked
    run_command "$@" --list
    status_is 0
    out_is <wanted
    run_command "$@" --case a/depth=3
    status_is 0
    printf '+always 0\n-thing 8\n-wide 7\n' | out_is
}

compile_many_things() { # CC CXX FLAG...: to objects
    cc=$1 cxx=$2
    shift 2
    compile "$cc" "$@" -c things.c a.c
    if [ "$cxx" ]; then
        "$cxx" -Wall -Wextra -Wpedantic -Wshadow -Werror "-I$include" "$@" -c b.cc c.cc
    else
        compile "$cc" "$@" -c b.c c.c
    fi
}

test_every_linker_keeps_fixtures_rows_and_marks() {
    for cc in $(compilers); do
        cxx=$(cxx_of "$cc")
        rm -f ./*.c ./*.cc
        many_things "$cxx"
        while IFS='|' read -r compiling linking; do
            case "$cc $compiling" in clang*-flto*) linkers=lld ;; *-flto*) linkers=bfd ;; *) linkers='bfd gold lld' ;; esac
            # shellcheck disable=SC2086 # flags are words
            compile_many_things "$cc" "$cxx" $compiling || fail "$cc $compiling"
            for linker in $linkers; do
                echo 'int main(void) { return 0; }' | "$cc" "-fuse-ld=$linker" -o nothing -x c - 2>/dev/null || continue
                # shellcheck disable=SC2086
                "${cxx:-$cc}" "-fuse-ld=$linker" $compiling $linking -o t things.o a.o b.o c.o "$library" ||
                    fail "$cc $linker $compiling $linking"
                case $linking in
                *-shared*) all_are_there "$host" ./t ;;
                *) all_are_there ./t ;;
                esac
            done
        done <<'END'
-O0|
-O3 -flto|
-O2 -ffunction-sections -fdata-sections|-Wl,--gc-sections
-O2 -fvisibility=hidden|-static
-O1 -fsanitize=address,undefined|
-O1 -fPIC|-shared
-O2 -fPIC -fvisibility=hidden -ffunction-sections -fdata-sections|-shared -Wl,--gc-sections
END
    done
}

# What lies in an archive is linked when somebody names it; nobody knows of it where it is not. What can be told of is.
test_what_lies_in_archives() {
    many_things ''
    compile_many_things gcc '' -O1
    ar rcs tests.a things.o a.o b.o c.o
    gcc -o t -Wl,--whole-archive tests.a -Wl,--no-whole-archive "$library"
    all_are_there ./t
    gcc -o t tests.a "$library"
    run_command ./t --list
    status_is 99
    err_has 'there is no test in it'
    # Fixtures that tests name come out of one.
    ar rcs things.a things.o
    gcc -o t a.o b.o c.o things.a "$library"
    all_are_there ./t
    printf '#include "things.h"\nTEST(t) {}\n' >t.c
    compile gcc -o t t.c things.a "$library"
    for mode in --list '--case t' '--attempt t' ''; do
        # shellcheck disable=SC2086
        run_command ./t $mode
        status_is 99
        out_is_empty
        err_has "things.h:4: all tests have the fixture 'always', and there is no SETUP of it"
    done
    compile gcc -o t t.c -Wl,--whole-archive things.a -Wl,--no-whole-archive "$library"
    run_command ./t --case t
    status_is 0
    out_is '+always 0'
}

test_who_tears_down_is_where_it_is_set_up() {
    printf '#include <run_matrix.h>\nFIXTURE(thing) { int x; };\n' >thing.h
    printf '#include "thing.h"\nSETUP(thing) {}\nTEST(t, USES(thing)) {}\n' >a.c
    printf '#include "thing.h"\nTEARDOWN(thing) {}\n' >b.c
    for cc in $(compilers); do
        ! "$cc" "-I$include" -o t a.c b.c "$library" 2>said || fail 'it was linked'
        grep -q "undefined reference to .mx_SETUP_of_thing_in_this_file'" said || fail "$(cat said)"
    done
    gcc -shared -fPIC -w "-I$include" -o t.so a.c b.c "$library"
    run_command "$host" ./t.so --list
    status_is 99
    err_has 'undefined symbol: mx_SETUP_of_thing_in_this_file'
    # Before it, or behind.
    printf '#include "thing.h"\n#include <stdio.h>\nTEARDOWN(thing) { puts("down"); }\nSETUP(thing) {}\nTEST(t, USES(thing)) {}\n' >a.c
    compile gcc -o t a.c "$library"
    run_command ./t --case t
    out_is down
}

# Two of one name are two, as builds of several folders make them.
test_options_of_a_file_are_of_that_file() {
    mkdir one two
    printf '#include <run_matrix.h>\nMODULE(.timeout = "3s");\nTEST(a) {}\n' >one/t.c
    printf '#include <run_matrix.h>\n\nTEST(b) {}\n' >two/t.c
    for flags in -O0 '-O3 -flto'; do
        for folder in one two; do
            # shellcheck disable=SC2086
            (cd "$folder" && compile gcc $flags -c t.c)
        done
        # shellcheck disable=SC2086
        gcc $flags -o t one/t.o two/t.o "$library"
        run_command ./t --list
        out_is <<'END'
{"run-matrix-tests":1,"count":2}
{"name":"a","file":"t.c","line":3,"timeout":"3s"}
{"name":"b","file":"t.c","line":3}
END
    done
    printf '#include <run_matrix.h>\nMODULE(.timeout = "3s");\nMODULE(.marks = "net");\nTEST(a) {}\n' >t.c
    ! gcc "-I$include" -c t.c 2>said || fail 'twice'
    grep -q redefinition said || fail "$(cat said)"
}

# Its own names are mx_... alone: a user may call anything else what he likes.
test_its_own_names_are_its_own() {
    nm --defined-only --extern-only "$library" | awk 'NF == 3 && $3 !~ /^mx_/ { print $3 }' >"$scratch/out"
    out_is main
    # What it has inside, here with other meanings; and a main of the program's own.
    nm --defined-only "$library" | awk 'NF == 3 && $2 == "t" { print $3 }' | sort -u >names
    [ -s names ] || fail 'nothing is local'
    {
        three_tests
        grep -vxF main names | grep -x '[A-Za-z_][A-Za-z0-9_]*' | sed 's/.*/int &(void); int &(void) { return 1; }/'
        echo '#include <stdio.h>'
        echo 'int main(int argc, char **argv) { puts("mine"); return mx_main(argc, argv); }'
    } >t.c
    compile gcc -o t t.c "$library"
    run_command ./t --case skips
    status_is 77
    out_is <<'END'
mine
no network here
END
}

test_two_of_one_name_are_an_error() {
    printf '#include <run_matrix.h>\nTEST(a) {}\n' >a.c
    cp a.c b.c
    compile gcc -o t a.c b.c "$library"
    for mode in --list '--case a' ''; do
        # shellcheck disable=SC2086
        run_command ./t $mode
        status_is 99
        out_is_empty
        err_has "there is a test 'a' already, at "
    done
}

test_no_test_is_an_error() {
    printf '#include <run_matrix.h>\n' >t.c
    compile gcc -o t t.c "$library"
    compile gcc -shared -fPIC -o t.so t.c "$library"
    for command in ./t "$host ./t.so"; do
        for mode in '' --list; do
            # shellcheck disable=SC2086
            run_command $command $mode
            status_is 99
            out_is_empty
            err_has 'there is no test in it'
        done
    done
}

test_usage() {
    three_tests >t.c
    compile gcc -o t t.c "$library"
    for arguments in --nonsense --case '--case a b' '--list all' all; do
        # shellcheck disable=SC2086
        run_command ./t $arguments
        status_is 64
        err_has '--case NAME'
    done
    run_command ./t --help
    status_is 0
    out_has '--case NAME'
    run_command ./t --case nobody
    status_is 99
    err_has "there is no test 'nobody' in it"
    run_command "$host"
    status_is 64
    run_command "$host" --list
    status_is 64
    err_has 'run-matrix-host MODULE'
}

test_by_itself_a_program_prints_tap() {
    cat >t.c <<'END'
#include <run_matrix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
TEST(passes) { printf("no end of line"); }
TEST(fails) { FAIL("a \"%s\"\nof two lines", "word"); }
TEST(skips) { SKIP("no\nnetwork"); }
TEST(crashes) { raise(SIGKILL); }
TEST(leaves) { exit(3); }
TEST(leaves_at_once) { _exit(0); }
TEST(leaves_as_skipped) { _exit(77); }
static void leave(void) { _exit(0); }
TEST(leaves_when_it_has_failed) { atexit(leave); FAIL("before"); }
END
    compile gcc -o t t.c "$library"
    run_command ./t
    status_is 1
    out_is <<'END'
TAP version 13
1..8
ok 1 - passes
not ok 2 - fails
  ---
  message: "a \"word\"\u000aof two lines"
  file: "t.c"
  line: 7
  ...
ok 3 - skips # SKIP no network
not ok 4 - crashes
  ---
  message: "ended by signal 9 (Killed)"
  ...
not ok 5 - leaves
  ---
  message: "it ended its process itself, with status 3"
  ...
not ok 6 - leaves_at_once
  ---
  message: "it ended its process itself, with status 0"
  ...
not ok 7 - leaves_as_skipped
  ---
  message: "it ended its process itself, with status 77"
  ...
not ok 8 - leaves_when_it_has_failed
  ---
  message: "it ended its process itself, with status 0"
  ...
END
    run_command env --ignore-signal=CHLD ./t
    status_is 1
    printf '#include <run_matrix.h>\nTEST(a) {}\nTEST(b) { SKIP("no"); }\n' >t.c
    compile gcc -o t t.c "$library"
    run_command ./t
    status_is 0
}

# Whoever runs a test goes on after it: the second is run by the first one's own process.
test_a_test_ends_by_unwinding() {
    cat >t.c <<'END'
#include <run_matrix.h>
#include <stdio.h>
static void deeper(void) { FAIL("no"); }
static void deep(void) { deeper(); }
TEST(fails) { deep(); }
TEST(skips) { SKIP("no"); }
TEST(passes) { printf("not flushed"); }
END
    compile gcc -O2 -o t t.c "$library"
    for test in fails=1 skips=77 passes=0; do
        run_command ./t --case "${test%=*}"
        status_is "${test#*=}"
    done
    out_has 'not flushed'
}

# From a stack of the test's own, above and below its own, and from a handler.
test_it_unwinds_from_anywhere() {
    cat >t.c <<'END'
#define _GNU_SOURCE
#include <run_matrix.h>
#include <signal.h>
#include <stdio.h>
#include <ucontext.h>
static void fail(void) { FAIL("on another stack"); }
static char below[1 << 16], *above;
static void on_stack(char *stack)
{
    static ucontext_t here, there;
    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = sizeof below;
    there.uc_link = &here;
    makecontext(&there, fail, 0);
    swapcontext(&here, &there);
}
TEST(stack_below) { on_stack(below); }
TEST(stack_above) { on_stack(above); }
static void handle(int number) { FAIL("signal %d", number); }
TEST(handler) { signal(SIGUSR1, handle); raise(SIGUSR1); }
int main(int argc, char *argv[])
{
    char stack[sizeof below];
    above = stack;
    return mx_main(argc, argv);
}
END
    compile gcc -O1 -D_FORTIFY_SOURCE=2 -o t t.c "$library"
    for test in stack_below stack_above handler; do
        run_command ./t --case "$test"
        status_is 1
    done
    err_has ': handler: signal '
}

test_where_nothing_can_be_unwound() {
    cat >t.c <<'END'
#include <run_matrix.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void *fail(void *user) { (void)user; FAIL("in a thread"); }
TEST(thread)
{
    pthread_t thread;
    pthread_create(&thread, NULL, fail, NULL);
    pthread_join(thread, NULL);
    puts("and on");
}
TEST(child)
{
    int status = 0;
    if (fork() == 0)
        FAIL("in a child");
    wait(&status);
    printf("status %d\n", WEXITSTATUS(status));
}
TEST(child_leaves)
{
    int status = 0;
    if (fork() == 0)
        exit(0);
    wait(&status);
    if (status)
        FAIL("status %d", status);
}
END
    compile gcc -pthread -o t t.c "$library"
    run_command ./t --case thread
    status_is 1
    out_is 'and on'
    err_has 't.c:7: thread: in a thread'
    run_command ./t --case child
    status_is 1
    out_is 'status 1'
    err_has 't.c:19: child: in a child'
    run_command ./t --case child_leaves
    status_is 0
    err_is_empty
}

test_who_leaves_by_exit_has_not_passed() {
    cat >t.c <<'END'
#include <run_matrix.h>
#include <stdio.h>
#include <stdlib.h>
TEST(zero) { printf("last words"); exit(0); }
TEST(skip) { exit(77); }
TEST(three) { exit(3); }
TEST(passes) {}
TEST(skips) { SKIP("no"); }
TEST(as_if_passed) { exit(113); }
END
    compile gcc -o t t.c "$library"
    # What run-matrix asks for: nobody ends so who has not come to the end of a test.
    for pair in passes:113 skips:114 zero:1 skip:1 as_if_passed:1 three:3 nobody:99; do
        run_command ./t --attempt "${pair%:*}"
        is "$pair" "${pair%:*}:$status"
    done
    run_command ./t --case zero
    status_is 1
    is "$(cat "$scratch/out")" 'last words'
    err_has "t.c:4: test 'zero' ended its process itself, by exit(0), before it was at its end"
    run_command ./t --case skip
    status_is 1
    run_command ./t --case three
    status_is 3
}

test_what_is_no_module() {
    run_command "$host" nowhere.so
    status_is 99
    err_has "'nowhere.so' cannot be loaded: ./nowhere.so: cannot open shared object file: No such file or directory"
    echo text >text.so
    run_command "$host" ./text.so
    status_is 99
    err_has "'./text.so' cannot be loaded: ./text.so: file too short"
    echo 'int x;' >plain.c
    gcc -shared -fPIC -o plain.so plain.c
    run_command "$host" plain.so
    status_is 99
    err_has "'plain.so' is no module built with librunmatrix: it has no mx_module"
    echo 'const struct { unsigned version, size; void *rest[4]; } mx_module = {3, 40, {0}};' >newer.c
    gcc -shared -fPIC -o newer.so newer.c
    run_command "$host" newer.so --list
    status_is 99
    err_has "'newer.so' was built with another librunmatrix: version 3 of its mx_module, and this program knows 2"
    echo 'extern int nobody; int *x = &nobody;' >open.c
    gcc -shared -fPIC -o open.so open.c
    run_command "$host" open.so
    status_is 99
    err_has 'undefined symbol: nobody'
}

# A module brings the library along: it asks for nothing but libc.
test_a_module_stands_by_itself() {
    three_tests >t.c
    compile gcc -shared -fPIC -Wl,-z,defs -o t.so t.c "$library"
    cat >ns.c <<'END'
#define _GNU_SOURCE
#define MX_LOADS_MODULES
#include "fixtures/module.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
/* Ends by the exit of its namespace. */
static void run(const struct mx_module *module, const char *name)
{
    char *const words[] = {"t.so", "--case", (char *)name, NULL};
    int status = 0;

    if (fork() == 0)
        exit(module->main(3, words));
    wait(&status);
    printf("%s %d\n", name, WEXITSTATUS(status));
    fflush(stdout);
}
int main(void)
{
    for (int i = 0; i < 2; i++) {
        void *library = dlmopen(LM_ID_NEWLM, "./t.so", RTLD_NOW | RTLD_LOCAL);
        const struct mx_module *module = library ? dlsym(library, MX_MODULE_SYMBOL) : NULL;

        if (!module) {
            fprintf(stderr, "%s\n", dlerror());
            return 1;
        }
        for (const struct mx_item *const *t = module->first; t != module->last; t++)
            if ((*t)->kind == MX_IS_TEST)
                run(module, (*t)->name);
    }
    return 0;
}
END
    gcc -Wall -Wextra -Werror "-I$root" -o ns ns.c -ldl
    run_command ./ns
    status_is 0
    sort "$scratch/out" >sorted && mv sorted "$scratch/out"
    out_is <<'END'
fails 1
fails 1
no network here
no network here
passes 0
passes 0
skips 77
skips 77
END
}

# It would hold a descriptor of ours open for ever.
test_a_program_alone_leaves_nobody() {
    cat >t.c <<END
#include <run_matrix.h>
#include <unistd.h>
TEST(leaves_a_child)
{
    if (fork() == 0)
        execlp("sleep", "sleep", "1000.$$", (char *)0);
}
END
    compile gcc -o t t.c "$library"
    run_command ./t
    status_is 0
    out_has 'ok 1 - leaves_a_child'
    ! pgrep -f "sleep 1000.$$" >/dev/null || fail 'its child is there still'
}

run_tests
