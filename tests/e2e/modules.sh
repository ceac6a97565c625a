#!/bin/sh
# C tests under run-matrix: listed, selected, run, and whatever can be wrong with what they are built into.
. "$(dirname "$0")/lib.sh"
own_world # compilers leave files in /tmp for a moment, and others look for what is left there

host=${program%/*}/run-matrix-host

build() { # MODULE|PROGRAM, body on stdin
    mkdir -p "$(dirname "$1")"
    { echo '#include <run_matrix.h>' && cat; } >"$1.c"
    kind=
    case $1 in
    *.so) kind='-shared -fPIC' ;;
    esac
    # shellcheck disable=SC2086 # words
    gcc -Wall -Wextra -Werror "-I$root/fixtures" $kind -o "$1" "$1.c" "$root/build/librunmatrix.a"
}

one_test() { # MODULE|PROGRAM TEST...
    name=$1
    shift
    printf 'TEST(%s) {}\n' "$@" | build "$name"
}

test_every_way_to_end() {
    build unit.so <<'END'
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
TEST(passes) { printf("no end of line"); }
TEST(fails) { printf("so far\n"); FAIL("%d is not %d", 1, 2); }
TEST(skips) { printf("so far\n"); SKIP("no %s here", "network"); }
TEST(crashes) { raise(SIGSEGV); }
TEST(hangs) { for (;;) pause(); }
TEST(leaves) { exit(0); }
TEST(leaves_with_three) { exit(3); }
END
    sed 1d unit.so.c | build whole
    suite '{name: unit, module: unit.so, timeout: 2s, stop: [KILL], limits: {core: 0}}' \
        '{name: whole, module: whole, timeout: 2s, stop: [KILL], limits: {core: 0}}'
    # A host that is built with a sanitizer must not catch what it is to die of.
    ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}handle_segv=0 run run -n 4
    status_is 1
    out_has 'unit::fails: unit.so.c:7: 1 is not 2'
    out_has 'whole::fails: whole.c:7: 1 is not 2'
    for test in unit whole; do
        out_has "${test}::crashes: SIGSEGV"
        out_has "${test}::hangs: timed out after 2s"
        out_has "its own exit status is 3"
    done
    out_has '.so.c:7: fails: 1 is not 2'
    out_has "test 'leaves' ended its process itself, by exit(0)"
    run run --id '*::skips'
    out_has 'no network here'
    run run --id '*::passes'
    status_is 0
    last_line_is '2 passed, 0 failed'
    run show unit::passes
    out_has 'no end of line'
}

# A test that began and did not come to its end has not passed, however quietly its process went.
test_who_ends_its_process_has_not_passed() {
    build quiet.so <<'END'
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
static void leave(void) { _exit(0); }
TEST(passes) {}
TEST(skips) { SKIP("no"); }
TEST(exits) { exit(0); }
TEST(leaves) { _exit(0); }
TEST(leaves_as_skipped) { _exit(77); }
TEST(leaves_when_it_has_passed) { atexit(leave); }
TEST(leaves_when_it_has_failed) { atexit(leave); FAIL("before"); }
TEST(becomes_another) { execl("/bin/true", "true", (char *)NULL); }
END
    sed 1d quiet.so.c | build whole
    build early.so <<'END'
#include <stdlib.h>
#include <string.h>
TEST(begins) {}
__attribute__((constructor)) static void leave(int argc, char **argv)
{
    if (strcmp(argv[argc - 1], "--list") != 0)
        exit(0);
}
END
    sed 1d early.so.c | build early
    cat >run-matrix.yaml <<'END'
strategy: {matrix: {backend: [exec, spawn, forkserver, main_thread_forkserver, subint, subint_forkserver]}}
tests:
  - {name: quiet, module: quiet.so}
  - {name: early, module: early.so}
  - {name: whole, module: whole, only: "!startsWith(matrix.backend, 'subint')"}
  - {name: early_whole, module: early, only: "!startsWith(matrix.backend, 'subint')"}
END
    run run -n 2 --id '*::passes*' '*::skips*'
    status_is 0
    last_line_is '10 passed, 0 failed, 10 skipped'
    run run -n 2 quiet whole
    status_is 1
    last_line_is '10 passed, 60 failed, 10 skipped'
    "$program" report --format json | python3 -c '
import json, sys
for case in json.load(sys.stdin)["cases"]:
    name = case["test"] + "::" + case["id"].split("::")[1].split("@")[0]
    print(name, case["verdict"], case["attempts"][-1]["exit"], case["attempts"][-1]["reason"], sep="|")' | sort -u >"$scratch/out"
    for test in quiet whole; do
        for line in 'passes|passed|0|' 'skips|skipped|77|no' 'exits|failed|1|' \
            "leaves|failed|0|$(cut_short 0)" "leaves_as_skipped|failed|77|$(cut_short 77)" \
            "leaves_when_it_has_passed|failed|0|$(cut_short 0)" "leaves_when_it_has_failed|failed|0|$test" \
            "becomes_another|failed|0|$(cut_short 0)"; do
            out_has "$test::$line"
        done
    done
    is "$(wc -l <"$scratch/out")" 16
    run run -n 2 early early_whole
    status_is 1
    last_line_is '0 passed, 10 failed'
    for backend in exec spawn subint subint_forkserver; do
        out_has "early::begins@backend=$backend: $(cut_short 0)"
    done
    for backend in forkserver main_thread_forkserver; do
        out_has "early::begins@backend=$backend: its $backend ended with exit status 0"
        out_has "early_whole::begins@backend=$backend: its $backend ended with exit status 0"
    done
    out_has "early_whole::begins@backend=exec: $(cut_short 0)"
    out_has 'early_whole::begins@backend=spawn: ended before it got as far as its program'
    # All of it in one process, and in one of several.
    mkdir made
    cp early.so made/a.so
    cp early made/b
    suite '{name: one, module: made/a.so, fixtures: [build]}' '{name: all, module: "made/*", fixtures: [build]}'
    echo 'fixtures: {build: {scope: session, run: [true]}}' >>run-matrix.yaml
    run run
    status_is 1
    last_line_is '0 passed, 3 failed'
    out_has 'all (2 tests): 2 of 2 tests failed: a, b'
    out_has 'ended with status 0 before its tests began'
}

cut_short() { echo "its process ended with status $1 before its test could end it"; }

test_ids_and_selection() {
    one_test proto.so connects reconnects
    one_test build/unit_list.so empty one
    one_test build/unit_map.so empty two
    one_test build/unit_program empty
    cat >run-matrix.yaml <<'END'
strategy: {matrix: {backend: [subint, exec]}}
tests:
  - {name: proto, module: proto.so}
  - {name: unit, module: ['build/unit_*.so', build/unit_program], axes: []}
overrides:
  - {select: 'proto::reconnects@backend=exec', retries: 3}
END
    run list
    status_is 0
    err_is_empty
    out_is <<'END'
run-matrix.yaml: 2 cells
9 cases
  proto::connects@backend=subint
  proto::reconnects@backend=subint
  proto::connects@backend=exec
  proto::reconnects@backend=exec
  unit::unit_list::empty
  unit::unit_list::one
  unit::unit_map::empty
  unit::unit_map::two
  unit::unit_program::empty
END
    run list --json
    status_is 0
    out_has '"id":"unit::unit_map::two","test":"unit"'
    run list -q -k 'empty and not program'
    out_is <<'END'
unit::unit_list::empty
unit::unit_map::empty
END
    run list -q --id 'unit::*::two'
    out_is unit::unit_map::two
    run list -q --id unit::unit_list
    out_is <<'END'
unit::unit_list::empty
unit::unit_list::one
END
    run show --config proto::reconnects@backend=exec
    out_has 'retries              3'
    run run unit::unit_map::two proto::connects
    status_is 0
    last_line_is '3 passed, 0 failed'
}

# What is added beside it changes no id.
test_a_pattern_says_which_file_also_where_it_is_the_only_one() {
    one_test build/a/unit.so t
    suite '{name: unit, module: "build/*/unit.so"}'
    run list -q
    out_is unit::a/unit::t
    one_test build/b/unit.so t
    run list -q
    out_is <<'END'
unit::a/unit::t
unit::b/unit::t
END
    suite '{name: unit, module: [build/a/unit.so, build/a/unit.so, build/b/unit.so]}'
    run run
    status_is 1
    out_has "'build/a/unit.so' and 'build/b/unit.so' would have the same ids: give each a test of its own"
    last_line_is '1 passed, 1 failed'
}

test_what_cannot_be_asked_is_one_error_beside_the_others() {
    one_test all/good.so t
    echo text >all/text.so
    echo 'int x;' >x.c && gcc -shared -fPIC -o all/plain.so x.c
    echo 'const struct { unsigned version, size; void *rest[4]; } mx_module = {3, 40, {0}};' >x.c
    gcc -shared -fPIC -o all/newer.so x.c
    echo '#include <run_matrix.h>' >x.c
    gcc -shared -fPIC "-I$root/fixtures" -o all/none.so x.c "$root/build/librunmatrix.a"
    build all/dies.so <<'END'
#include <stdlib.h>
__attribute__((constructor)) static void die(void) { abort(); }
TEST(t) {}
END
    printf '#!/bin/sh\necho hello\n' >all/script && chmod +x all/script
    echo text >all/readme
    mkdir all/folder
    echo 'int nothing;' >all/source.c
    rm -f all/*.so.c
    suite '{name: unit, module: "all/*"}' '{name: none, module: ["no/*.so", nothing.so]}'
    run run
    status_is 1
    cannot='its tests cannot be listed:'
    out_has "unit::text: $cannot 'all/text.so' named no test (status 99); it said: 'all/text.so' cannot be loaded: all/text.so: file too short"
    out_has "unit::plain: $cannot 'all/plain.so' named no test (status 99); it said: 'all/plain.so' is no module built with librunmatrix: it has no mx_module"
    out_has "it said: 'all/newer.so' was built with another librunmatrix: version 3 of its mx_module, and this program knows 2"
    out_has "unit::none: $cannot 'all/none.so' named no test (status 99); it said: there is no test in it"
    out_has "unit::dies: $cannot 'all/dies.so' was ended by signal 6"
    out_has "unit::script: $cannot 'all/script': it printed no list of tests: is it built with librunmatrix?"
    out_has "unit::readme: $cannot 'all/readme' is no C source (.c), no module (.so), and no program: it may not be executed"
    out_has "unit::source: $cannot 'all/source.c' named no test (status 99); it said: there is no test in it"
    out_has "none: $cannot 'no/*.so': it matches no file; 'nothing.so': there is no such file"
    last_line_is '1 passed, 9 failed'
    run list
    status_is 0
    err_has 'run-matrix.yaml:2:26: warning: unit: its tests cannot be listed:'
}

# And nothing of it is left, nor is anybody whom it has started.
test_a_list_that_hangs() {
    one_test all/good.so t
    build all/hangs.so <<'END'
#include <stdlib.h>
#include <unistd.h>
__attribute__((constructor)) static void hang(void)
{
    if (fork() == 0)
        setsid();
    if (fork() == 0)
        execlp(getenv("KID"), "kid", "linger", getenv("WORD"), (char *)NULL);
    for (;;)
        pause();
}
TEST(t) {}
END
    rm all/*.c
    suite '{name: unit, module: "all/*", timeout: 2s, stop: [KILL]}'
    KID=$kid WORD=$token run run
    status_is 1
    out_has "unit::hangs: its tests cannot be listed: 'all/hangs.so' was not done in time ('timeout' says how long it may take)"
    last_line_is '1 passed, 1 failed'
    nobody_is_left
}

# The runner never does: every process that was one says which program it is.
test_modules_are_loaded_by_the_host_alone() {
    build unit.so <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
__attribute__((constructor)) static void tell(void)
{
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    FILE *seen = fopen(getenv("SEEN"), "a");
    if (!seen || len < 0)
        abort();
    fprintf(seen, "%.*s\n", (int)len, self);
    fclose(seen);
    printf("words of a constructor, without an end");
}
TEST(t) {}
END
    suite '{name: unit, module: unit.so}'
    SEEN=$PWD/seen run run
    status_is 0
    last_line_is '1 passed, 0 failed'
    is "$(sort seen | uniq -c | sed 's/^ *//')" "2 $(readlink -f "$host")"
}

test_where_a_case_lives() {
    build 'sub [1]/unit.so' <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
TEST(t)
{
    char cwd[4096];
    printf("%s\n%s\n%s\n", getcwd(cwd, sizeof cwd), getenv("RUN_MATRIX_CASE_ID"), getenv("MINE"));
}
END
    mkdir 'sub [1]/in'
    {
        echo 'tests:'
        echo '  - {name: here, module: "*.so", env: {MINE: x}}'
        echo '  - {name: there, module: ./unit.so, cwd: in, env: {MINE: y}}'
    } >'sub [1]/run-matrix.yaml'
    echo "suites: ['sub*/run-matrix.yaml']" >run-matrix.yaml
    run run
    status_is 0
    here=$(pwd -P)
    run show 'sub%20%5B1%5D/here::unit::t'
    out_has "$here/sub [1]"
    out_has ' x'
    run show 'sub%20%5B1%5D/there::t'
    out_has "$here/sub [1]/in"
    (cd 'sub [1]/in' && run run && status_is 0 && last_line_is '2 passed, 0 failed')
}

# What is asked depends on the cell: each has its own list.
test_a_file_for_each_cell() {
    one_test gcc.so both of_gcc
    one_test clang.so both of_clang
    cat >run-matrix.yaml <<'END'
strategy: {matrix: {cc: [gcc, clang, tcc]}}
tests:
  - {name: unit, module: '${{ matrix.cc }}.so'}
END
    run list -q
    out_is <<'END'
unit::both@cc=gcc
unit::of_gcc@cc=gcc
unit::both@cc=clang
unit::of_clang@cc=clang
unit@cc=tcc
END
    run run
    status_is 1
    out_has "unit@cc=tcc: its tests cannot be listed: 'tcc.so': there is no such file"
    last_line_is '4 passed, 1 failed'
}

test_what_a_test_leaves_is_known() {
    build unit.so <<'END'
#include <stdlib.h>
#include <unistd.h>
TEST(leaves)
{
    if (fork() == 0)
        execlp(getenv("KID"), "kid", "linger", getenv("WORD"), (char *)NULL);
}
END
    suite '{name: unit, module: unit.so, leak-grace: 100ms}'
    KID=$kid WORD=$token run run
    status_is 1
    out_has 'LEAK'
    nobody_is_left
}

test_when_a_fixture_builds_them() {
    cat >tests.c <<'END'
#include <run_matrix.h>
TEST(passes) {}
TEST(fails) { FAIL("no way"); }
TEST(skips) { SKIP("no"); }
END
    cat >make.sh <<END
set -e
cc="gcc -I$root/fixtures -o"
mkdir -p made
\$cc made/a.so -shared -fPIC tests.c "$root/build/librunmatrix.a"
\$cc made/b tests.c "$root/build/librunmatrix.a"
END
    cat >run-matrix.yaml <<'END'
fixtures: {build: {scope: session, run: [sh, make.sh]}}
tests:
  - {name: all, module: 'made/*', fixtures: [build]}
  - {name: one, module: made/a.so, fixtures: [build]}
  - {name: none, module: 'made/*.x', fixtures: [build]}
END
    run list
    status_is 0
    err_is_empty
    out_is <<'END'
run-matrix.yaml: 1 cell
3 cases
  all  (collected after fixture build)
  one  (collected after fixture build)
  none  (collected after fixture build)
END
    for _ in first again; do
        run run
        status_is 1
        out_has 'all (6 tests): 2 of 6 tests failed: a::fails, b::fails'
        out_has 'one (3 tests): 1 of 3 tests failed: fails'
        out_has 'tests.c:3'
        out_has ' no way'
        out_has "none: its tests cannot be run: 'made/*.x': it matches no file"
        last_line_is '3 passed, 4 failed, 3 skipped'
    done
    echo '#include <run_matrix.h>' >tests.c
    run run --id all one
    status_is 1
    out_has 'all (2 tests): exit status 99, a hard error'
    out_has 'one: exit status 99, a hard error'
    out_has 'there is no test in it'
}

test_where_the_host_is_looked_for() {
    one_test unit.so t
    one_test program t
    suite '{name: unit, module: unit.so}' '{name: program, module: program}'
    mkdir -p alone/bin
    cp "$program" alone/bin/run-matrix
    run_command alone/bin/run-matrix run
    status_is 1
    out_has "unit: its tests cannot be listed: there is no program 'run-matrix-host' beside run-matrix, nor in ../libexec/run-matrix"
    last_line_is '1 passed, 1 failed'
    mkdir -p alone/libexec/run-matrix
    cp "$host" alone/libexec/run-matrix
    run_command alone/bin/run-matrix run
    status_is 0
    last_line_is '2 passed, 0 failed'
}

test_an_installation_is_enough() {
    case $program in
    */asan/*) skip 'it is not this program that is installed' ;;
    esac
    command -v pkg-config >/dev/null || skip 'no pkg-config'
    make -s -C "$root" -o build/run-matrix -o build/run-matrix-host -o build/run-matrix-stacks -o build/librunmatrix.a install \
        DESTDIR="$PWD/root" PREFIX=/opt/rm >/dev/null 2>&1 || fail 'make install'
    PKG_CONFIG_PATH=$PWD/root/opt/rm/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$PWD/root
    export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
    printf '#include <run_matrix.h>\nTEST(t) {}\n' >t.c
    # shellcheck disable=SC2046 # words
    gcc -shared -fPIC -o t.so t.c $(pkg-config --cflags --libs run_matrix)
    suite '{name: unit, module: t.so}'
    run_command root/opt/rm/bin/run-matrix run
    status_is 0
    last_line_is '1 passed, 0 failed'
    # shellcheck disable=SC2046
    gcc -o t t.c $(pkg-config --cflags --libs run_matrix)
    run_command ./t
    status_is 0
    for page in man1/run-matrix.1 man1/run-matrix-host.1 man3/run_matrix.3; do
        [ -s "root/opt/rm/share/man/$page" ] || fail "no $page"
    done
    make -s -C "$root" uninstall DESTDIR="$PWD/root" PREFIX=/opt/rm >/dev/null
    is "$(find root -type f)" ''
}

run_tests
