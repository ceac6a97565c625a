#!/bin/sh
# C sources that are tests: found in files and folders, compiled into a cache, side by side, with and without a file.
. "$(dirname "$0")/lib.sh"
own_world "$@" # compilers leave files in /tmp for a moment, and others look for what is left there

# A compiler that tells: in $log a line for each source that is compiled, "link" for each module.
# What was changed in the moment in which a run begins is not taken for known: the clock of files moves every few ms.
run() {
    command -p sleep 0.02
    run_command "$program" "$@"
}

counting_compiler() {
    log=$PWD/log
    write bin/cc <<END
#!/bin/sh
case " \$* " in
*' -c '*) for word; do :; done && echo "\${word##*/}" >>'$log' ;;
*) echo link >>'$log' ;;
esac
exec gcc "\$@"
END
    chmod +x bin/cc
    CC=$PWD/bin/cc
    export CC
}

compiled_is() { # WHAT WAS COMPILED, sorted; it is forgotten then
    is "$(sort "$log" 2>/dev/null | tr '\n' ' ')" "$1"
    rm -f "$log"
}

source_of() { # FILE TEST...
    file=$1
    shift
    mkdir -p "$(dirname "$file")"
    { echo '#include <run_matrix.h>' && printf 'TEST(%s) {}\n' "$@"; } >"$file"
}

test_a_folder_without_a_file() {
    source_of tests/test_list.c empty one
    source_of tests/net/test_tree.c nested
    source_of tests/helper.c not_a_test
    source_of tests/.hidden/test_no.c no
    source_of tests/net/.run-matrix/test_no.c no
    ln -s . tests/loop
    run list tests/
    status_is 0
    err_is_empty
    out_is <<'END'
2 files of C tests, no run-matrix.yaml
3 cases
  tests/net/test_tree::nested
  tests/test_list::empty
  tests/test_list::one
END
    run tests
    status_is 0
    out_has '2 files of C tests, no run-matrix.yaml'
    last_line_is '3 passed, 0 failed'
    run tests/test_list.c tests/net
    status_is 0
    last_line_is '3 passed, 0 failed'
    cd tests/net
    run test_tree.c
    status_is 0
    last_line_is '1 passed, 0 failed'
    run list -q ../test_list.c --id '*::one'
    out_is "$(cd .. && pwd -P)/test_list::one"
    run nothing.c
    status_is 4
    err_has "'nothing.c': No such file or directory"
    mkdir empty
    run empty
    status_is 4
    err_has "no run-matrix.yaml in 'empty' or above it, and no test_*.c and no test_*.so in it"
}

test_modules_and_programs_by_their_paths() {
    source_of t.c a b
    gcc "-I$root/fixtures" -shared -fPIC -o unit.so t.c "$root/build/librunmatrix.a"
    gcc "-I$root/fixtures" -o whole t.c "$root/build/librunmatrix.a"
    run unit.so ./whole
    status_is 0
    last_line_is '4 passed, 0 failed'
    # One that was built of a source beside it is that source's.
    mkdir tests && cp t.c tests/test_x.c && cp unit.so tests/test_x.so && cp unit.so tests/test_y.so
    run list -q tests
    out_is <<'END'
tests/test_x::a
tests/test_x::b
tests/test_y::a
tests/test_y::b
END
    echo text >./text
    run ./text
    status_is 4
    err_has "'./text' is no yaml file, no folder, no C source (.c), no module (.so), and no program"
}

test_one_file_by_two_names() {
    source_of tests/test_a.c a
    run list -q tests/test_a.c ./tests tests/../tests/test_a.c
    out_is tests/test_a::a
    gcc "-I$root/fixtures" -shared -fPIC -o tests/test_a.so tests/test_a.c "$root/build/librunmatrix.a"
    run tests/test_a.c tests/test_a.so
    status_is 4
    err_has "'tests/test_a.c' and 'tests/test_a.so' would have the same ids: name one of them"
    suite '{name: tests/test_a, run: "true"}' '{name: a, module: tests/test_a.c}'
    run list -q tests/test_a.c
    out_is a::a
    run list tests/test_a.c -k nothing # it is known, whatever is selected
    status_is 5
    out_lacks 'does not name'
    run tests/test_a.so
    status_is 4
    err_has "run-matrix.yaml:2:5: error: test 'tests/test_a' is called as the file 'tests/test_a.so' would be, which no test has"
}

# A program that is installed finds all it needs beside itself.
test_an_installation() {
    mkdir -p usr/bin usr/include usr/lib usr/libexec/run-matrix
    cp "$program" usr/bin/run-matrix
    cp "${program%/*}/run-matrix-host" usr/libexec/run-matrix/
    cp -R "$root"/fixtures/run_matrix* usr/include/
    cp "$root/build/librunmatrix.a" usr/lib/
    source_of tests/test_a.c a
    run_command usr/bin/run-matrix tests
    status_is 0
    last_line_is '1 passed, 0 failed'
    rm usr/lib/librunmatrix.a
    rm -rf .run-matrix
    run_command usr/bin/run-matrix tests
    status_is 1
    out_has 'it cannot be compiled: there is no librunmatrix.a beside run-matrix, nor in ../lib'
}

test_a_change_of_a_header_is_seen_while_watching() {
    mkdir tests && echo '#define X 1' >tests/x.h
    printf '#include "x.h"\n#include <run_matrix.h>\nTEST(x) { if (X != 2) FAIL("X is %%d", X); }\n' >tests/test_x.c
    start run -w tests
    await "$scratch/out" 'waiting for changes'
    out_has 'X is 1'
    echo '#define X 2' >tests/x.h
    await "$scratch/out" '1 passed, 0 failed'
    for _ in $(seq 300); do # until it waits again: a run that is interrupted while it ends has not passed
        [ "$(grep -c '^waiting for changes' "$scratch/out")" -lt 2 ] || break
        sleep 0.1
    done
    kill -INT "$runner"
    finish
    status_is 0
}

test_a_run_is_finished_that_was_killed() {
    source_of tests/test_a.c a b c
    RUN_MATRIX_FAULTS=die-written@2x1 run tests -n 1 --contain group
    run --resume
    status_is 0
    last_line_is '3 passed, 0 failed'
}

test_what_a_rerun_is_told() {
    mkdir tests && printf '#include <run_matrix.h>\nTEST(f) { FAIL("x is %%d", 3); }\n' >tests/test_x.c
    run tests/
    status_is 1
    out_has 'tests/test_x.c:2:'
    out_has 'x is 3'
    out_has 'run --id tests/test_x::f tests/'
    run run --id tests/test_x::f tests/
    status_is 1
    last_line_is '0 passed, 1 failed'
}

test_what_has_not_changed_is_not_compiled() {
    counting_compiler
    source_of tests/test_a.c a
    source_of tests/test_b.c b
    run tests
    status_is 0
    compiled_is 'link link test_a.c test_b.c '
    run tests
    status_is 0
    compiled_is ''
    touch tests/test_a.c && cp tests/test_b.c x && mv x tests/test_b.c
    run tests
    compiled_is ''
    run list -q tests
    compiled_is ''
    echo 'TEST(more) {}' >>tests/test_b.c
    run tests
    last_line_is '3 passed, 0 failed'
    compiled_is 'link test_b.c '
    # Where neither size nor time tells of it.
    touch -r tests/test_a.c stamp && sed -i 's/TEST(a)/TEST(z)/' tests/test_a.c && touch -r stamp tests/test_a.c
    run list -q tests/test_a.c
    out_is tests/test_a::z
    compiled_is 'link test_a.c '
}

# Not even to say which tests it has: a constructor would tell.
test_nobody_is_started_when_nothing_has_changed() {
    mkdir tests && cat >tests/test_x.c <<'END'
#include <fcntl.h>
#include <run_matrix.h>
#include <stdlib.h>
#include <unistd.h>
__attribute__((constructor)) static void tell(void) { close(open(getenv("SEEN"), O_CREAT | O_WRONLY, 0666)); }
TEST(x) {}
END
    SEEN=$PWD/seen run list -q tests
    out_is tests/test_x::x
    rm seen
    SEEN=$PWD/seen run list -q tests
    out_is tests/test_x::x
    [ ! -e seen ] || fail 'it was asked again'
}

test_warnings_are_passed_on() {
    mkdir tests && printf '#include <run_matrix.h>\nstatic int unused;\nTEST(x) {}\n' >tests/test_x.c
    sed -i '1i // run-matrix: cflags: -Wall' tests/test_x.c
    run tests
    status_is 0
    err_has 'tests/test_x.c:3:12: warning:'
    run tests
    status_is 0
    err_is_empty
}

test_clang() {
    command -v clang >/dev/null || skip 'there is no clang'
    source_of tests/test_x.c x
    suite '{name: unit, module: tests/, cflags: [-Wall, -Werror, -std=c11]}'
    CC=clang run run
    status_is 0
    err_is_empty
    last_line_is '1 passed, 0 failed'
}

test_headers_flags_compiler_and_libraries_are_known() {
    counting_compiler
    echo '#define HOW_MANY 1' >tests.h
    mkdir tests && cat >tests/test_h.c <<'END'
// run-matrix: ldflags: -L.. -lthree
#include "../tests.h"
#include <run_matrix.h>
int three(void);
TEST(h) { if (HOW_MANY != WANTED || three() != 3) FAIL("%d", HOW_MANY); }
END
    echo 'int three(void) { return 3; }' >three.c
    archive() { gcc -c -fPIC three.c && rm -f libthree.a && ar rc libthree.a three.o; }
    archive
    suite '{name: unit, module: tests/test_h.c, cflags: -DWANTED=1}'
    run run
    status_is 0
    compiled_is 'link test_h.c '
    echo '#define HOW_MANY 2' >tests.h
    run run
    status_is 1
    compiled_is 'link test_h.c '
    suite '{name: unit, module: tests/test_h.c, cflags: [-DWANTED=2]}'
    run run
    status_is 0
    compiled_is 'link test_h.c '
    sed -i 's/3/4/' three.c && archive
    run run
    status_is 1
    compiled_is 'link '
    sed -i 's/4/3/' three.c && archive
    run run
    status_is 0
    rm -f "$log" # what was linked before may be as good
    echo '# newer' >>bin/cc
    run run
    status_is 0
    compiled_is 'link test_h.c '
    CC="$CC -O1" run run
    status_is 0
    compiled_is 'link test_h.c '
}

test_a_damaged_cache_is_made_anew() {
    counting_compiler
    source_of tests/test_a.c a
    run tests
    compiled_is 'link test_a.c '
    truncate -s 100 .run-matrix/cache/made/*.so
    run tests
    status_is 0
    compiled_is 'link '
    for key in .run-matrix/cache/keys/*; do
        printf x | dd of="$key" bs=1 seek=70 conv=notrunc status=none
    done
    run tests
    status_is 0
    compiled_is 'link test_a.c '
    rm .run-matrix/cache/made/*
    run tests
    status_is 0
    compiled_is 'link test_a.c '
    # As it comes from another machine: other times and numbers, the same content.
    cp -R .run-matrix x && rm -rf .run-matrix && mv x .run-matrix
    run tests
    status_is 0
    compiled_is ''
}

test_a_compile_error_is_one_error_beside_the_others() {
    source_of tests/test_good.c fine
    printf '#include <run_matrix.h>\nTEST(x) { return 1 +; }\n' >tests/test_bad.c
    printf '#include <run_matrix.h>\nint missing(void);\nTEST(x) { missing(); }\n' >tests/test_link.c
    echo 'int x;' >tests/test_none.c
    run tests
    status_is 1
    out_has 'ERROR'
    out_has 'tests/test_bad: it cannot be compiled: tests/test_bad.c:2:'
    out_has 'error: expected expression before'
    out_has '| TEST(x) { return 1 +; }'
    out_has 'tests/test_link: it cannot be compiled:'
    out_has 'undefined reference to'
    out_lacks 'librunmatrix.a'
    out_has 'tests/test_none: its tests cannot be listed:'
    out_has 'there is no test in it'
    last_line_is '1 passed, 3 failed'
    CC='gcc -fdiagnostics-color=always' run run tests/test_bad.c
    out_has 'error: expected expression before'
    ! grep -qF '[01;31m' .run-matrix/latest/cases/*/1/stderr || fail 'there are colours in it'
}

test_no_compiler() {
    source_of tests/test_a.c a
    CC=nosuchcc run run tests
    status_is 1
    out_has "tests/test_a: it cannot be compiled: there is no program 'nosuchcc', which 'CC' names"
    PATH=$PWD run run tests
    status_is 1
    out_has "there is no C compiler: no program 'cc', 'gcc' or 'clang' on the PATH, and 'CC' names none"
}

test_what_a_source_asks_for() {
    mkdir -p tests/inc src above
    echo '#define FROM_INC 7' >tests/inc/inc.h
    echo 'int of_src(void) { return SQUARE(3); }' >src/a.c
    cat >tests/test_x.c <<'END'
/*
 * What it is.
 *
 * run-matrix: cflags: -Iinc '-DSQUARE(x)=((x)*(x))'; sources: ../src/a.c
 * run-matrix: ldflags: -lm
 */
#include <inc.h>
#include <math.h>
#include <run_matrix.h>
int of_src(void);
TEST(x) { if (of_src() != 9 || FROM_INC != 7 || cos(of_src() - 9.0) != 1) FAIL("no"); }
END
    run tests
    status_is 0
    (cd above && run ../tests && status_is 0)
    sed -i 's/cflags:/cflag:/' tests/test_x.c
    run tests
    status_is 1
    out_has "tests/test_x.c:4:16: 'cflag' is no key; allowed are cflags, ldflags, pkg-config and sources; did you mean 'cflags'?"
}

test_packages() {
    mkdir tests
    counting_compiler
    write pc/mine.pc <<'END'
Name: mine
Description: mine
Version: 1
Cflags: -DMINE=1
Libs: -lm
END
    PKG_CONFIG_PATH=$PWD/pc
    export PKG_CONFIG_PATH
    cat >tests/test_p.c <<'END'
// run-matrix: pkg-config: mine
#include <math.h>
#include <run_matrix.h>
TEST(p) { if (MINE != 1) FAIL("%d", MINE); }
END
    run tests
    status_is 0
    compiled_is 'link test_p.c '
    run tests
    compiled_is ''
    sed -i 's/MINE=1/MINE=2/' pc/mine.pc
    run tests
    status_is 1
    compiled_is 'link test_p.c '
    sed -i 's/: mine/: yours/' tests/test_p.c
    run tests
    status_is 1
    out_has 'tests/test_p: it cannot be compiled: tests/test_p.c:1:16: '
    out_has yours
}

test_fixtures_of_a_folder() {
    counting_compiler
    mkdir -p tests/sub
    echo 'int shared(void);' >both.h
    for name in a b; do
        printf '#include "../both.h"\n#include <run_matrix.h>\nTEST(%s) { if (shared() != 5) FAIL("no"); }\n' \
            "$name" >"tests/test_$name.c"
    done
    source_of tests/sub/test_c.c c
    {
        echo '// run-matrix: cflags: -DFIVE=5'
        echo '#include "../both.h"'
        echo 'int shared(void) { return FIVE; }'
    } >tests/fixtures_five.c
    run tests
    status_is 0
    compiled_is 'fixtures_five.c link link link test_a.c test_b.c test_c.c '
    sed -i 's/=5/=6/' tests/fixtures_five.c
    run tests
    last_line_is '1 passed, 2 failed'
    rm -f "$log"
    run tests
    compiled_is ''
    suite '{name: unit, module: "tests/*.c"}'
    run list -q
    out_is <<'END'
unit::test_a::a
unit::test_b::b
END
}

# Each waits for the other: one after another they would never end.
test_compilers_run_side_by_side() {
    for name in a b; do source_of "tests/test_$name.c" "$name"; done
    write bin/cc <<END
#!/bin/sh
case " \$* " in
*' -c '*)
    for word; do :; done
    touch "$PWD/came.\${word##*/}"
    until [ -e "$PWD/came.test_a.c" ] && [ -e "$PWD/came.test_b.c" ]; do sleep 0.05; done
    ;;
esac
exec gcc "\$@"
END
    chmod +x bin/cc
    CC=$PWD/bin/cc run run -n 2 tests
    status_is 0
    last_line_is '2 passed, 0 failed'
}

test_two_runs_at_once() {
    for i in 1 2 3 4; do source_of "tests/test_$i.c" t; done
    "$program" run tests >"$scratch/other" 2>&1 </dev/null &
    other=$!
    run tests
    status_is 0
    last_line_is '4 passed, 0 failed'
    wait "$other" || fail "the other one failed: $(tail -n 3 "$scratch/other")"
    run tests
    last_line_is '4 passed, 0 failed'
    is "$(find .run-matrix/cache/tmp -type f | wc -l)" 0
}

test_an_interrupt_ends_compilers() {
    source_of tests/test_a.c a
    write bin/cc <<END
#!/bin/sh
touch '$PWD/began'
exec '$kid' linger '$token'
END
    chmod +x bin/cc
    CC=$PWD/bin/cc start run tests
    await_file began
    kill -INT "$runner"
    finish
    [ "$status" != 0 ] || fail 'it went on'
    nobody_is_left
}

test_files_that_the_file_knows_are_its_tests() {
    source_of tests/test_a.c a
    source_of tests/test_b.c b
    source_of other/test_c.c c
    mkdir none
    cat >run-matrix.yaml <<'END'
strategy: {matrix: {size: [1, 2]}}
defaults: {cflags: '-DSIZE=${{ matrix.size }}'}
tests:
  - {name: unit, module: tests/}
  - {name: script, run: 'true', axes: []}
END
    run list -q
    out_is <<'END'
unit::test_a::a@size=1
unit::test_b::b@size=1
unit::test_a::a@size=2
unit::test_b::b@size=2
script
END
    run list -q tests/test_b.c
    out_is <<'END'
unit::test_b::b@size=1
unit::test_b::b@size=2
END
    run list tests
    out_has '4 cases'
    run list other
    status_is 0
    out_has '1 file of C tests that run-matrix.yaml does not name'
    out_has '1 case'
    out_has '  other/test_c::c'
    run other tests/test_a.c
    last_line_is '3 passed, 0 failed'
    run list -q none # has none: it stands for the suite that it is in, as ever
    is "$(wc -l <"$scratch/out")" 5
}

# A default that speaks of the matrix makes another module of the same source.
test_a_module_for_each_cell() {
    mkdir tests && printf '#include <run_matrix.h>\nTEST(s) { if (SIZE != 1) FAIL("%%d", SIZE); }\n' >tests/test_s.c
    cat >run-matrix.yaml <<'END'
strategy: {matrix: {size: [1, 2]}}
defaults: {cflags: '-DSIZE=${{ matrix.size }}'}
tests: [{name: unit, module: tests/test_s.c}]
END
    run run
    status_is 1
    out_has 'unit::s@size=2'
    last_line_is '1 passed, 1 failed'
}

test_an_override_of_flags() {
    mkdir tests && printf '#include <run_matrix.h>\nTEST(s) { if (SIZE != 1) FAIL("%%d", SIZE); }\n' >tests/test_s.c
    cat >run-matrix.yaml <<'END'
strategy: {matrix: {size: [1, 2]}}
tests: [{name: unit, module: tests/test_s.c, cflags: -DSIZE=1}]
overrides: [{select: 'unit@size=2', cflags: -DSIZE=3}]
END
    run run
    status_is 1
    out_has 'unit::s@size=2'
    out_has ' 3'
    last_line_is '1 passed, 1 failed'
}

# They are there before any fixture is made: each is a case, and has the fixture.
test_sources_beside_a_fixture_that_builds() {
    source_of tests/test_a.c a b
    cat >run-matrix.yaml <<'END'
fixtures: {build: {scope: session, run: [touch, built]}}
tests:
  - {name: unit, module: tests/, fixtures: [build]}
  - {name: mixed, module: [tests/test_a.c, 'made/*.so'], fixtures: [build]}
END
    run list -q
    out_is <<'END'
unit::test_a::a
unit::test_a::b
mixed
END
    run run
    status_is 1
    [ -e built ] || fail 'the fixture was not made'
    out_has "mixed: its tests cannot be run: 'tests/test_a.c' is C source, which is compiled before fixtures are made"
    last_line_is '2 passed, 1 failed'
}

test_what_is_skipped_is_not_compiled() {
    counting_compiler
    source_of tests/test_a.c a
    suite '{name: unit, module: tests/, skip: {reason: later}}'
    run run --no-tests pass
    last_line_is '0 passed, 0 failed, 1 skipped'
    compiled_is ''
}

test_a_sanitizer_makes_a_program() {
    echo 'int main(void) { return 0; }' >x.c
    { gcc -fsanitize=address x.c -o x 2>/dev/null && ./x; } || skip 'this compiler has no address sanitizer'
    mkdir tests && cat >tests/test_s.c <<'END'
// run-matrix: cflags: -fsanitize=address
#include <run_matrix.h>
#include <stdlib.h>
TEST(fine) {}
TEST(over) { char *volatile a = malloc(3); a[3] = 1; free(a); }
END
    run tests
    status_is 1
    out_has 'heap-buffer-overflow'
    last_line_is '1 passed, 1 failed'
}

test_where_the_cache_is() {
    source_of tests/test_a.c a
    RUN_MATRIX_DIR=$PWD/elsewhere run run tests
    status_is 0
    [ -d elsewhere/cache/made ] || fail 'it is not below RUN_MATRIX_DIR'
    [ ! -e .run-matrix ] || fail 'it is elsewhere too'
    RUN_MATRIX_DIR=/proc/nowhere XDG_CACHE_HOME=$PWD/xdg run list -q tests
    out_is tests/test_a::a
    [ -d xdg/run-matrix/made ] || fail 'it is not below XDG_CACHE_HOME'
}
run_tests
