#!/bin/sh
# C tests with sanitizers, coverage and valgrind, by every backend: the table of docs/sanitizers.md.
. "$(dirname "$0")/lib.sh"
own_world # compilers leave files in /tmp for a moment, and others look for what is left there

# A host that is built with one has no room for another, and options of ours would be theirs.
unset ASAN_OPTIONS TSAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS
if grep -q __asan_init "${program%/*}/run-matrix-host"; then
    echo '1..0 # SKIP the host is built with a sanitizer itself'
    exit 0
fi

all='exec spawn forkserver main_thread_forkserver subint subint_forkserver'
processes='exec spawn forkserver main_thread_forkserver'

source_of_tests() {
    cat >t.c <<'END'
#include <run_matrix.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
static volatile int sink;
static int shared;
static void *volatile keep;
static void *add(void *user) { shared++; return user; }
TEST(fine) { sink = 1; }
TEST(overflow) { char *p = malloc(8); volatile int n = 8; p[n] = 1; sink = p[0]; free(p); }
TEST(leak) { keep = malloc(24); keep = NULL; }
TEST(undefined) { volatile int n = INT_MAX; n = n + 1; sink = n; }
TEST(race)
{
    pthread_t a, b;
    pthread_create(&a, NULL, add, NULL);
    pthread_create(&b, NULL, add, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}
END
}

# Where it cannot be built, or not be run, there is nothing to be seen.
compile() { # COMPILER OUTPUT OPTION...
    compiler=$1 output=$2
    shift 2
    command -v "$compiler" >"$scratch/null" || skip "there is no $compiler"
    case $output in
    *.so) set -- -shared -fPIC "$@" ;;
    esac
    "$compiler" -g "-I$root/fixtures" "$@" -o "$output" t.c "$root/build/librunmatrix.a" -pthread 2>"$scratch/null" ||
        skip "$compiler cannot build with $*"
}

in_all() { # BACKENDS FILE TEST...
    backends=$1 file=$2
    shift 2
    rm -rf .run-matrix
    in_backends "$backends" "{name: t, module: $file, timeout: 20s, limits: {core: 0}}"
    for name in "$@"; do
        set -- "$@" --id "t::$name"
        shift
    done
    run run -n 2 "$@"
}

tells() { # BACKENDS TEST WORDS
    for backend in $1; do
        grep -F "t::$2@backend=$backend: " "$scratch/out" | grep -qE -e "$3" || {
            show out
            show err
            fail "$2 by $backend does not say: $3"
        }
    done
}

# A program, and a module, of a compiler; the words are what is said of the test.
finds() { # COMPILER SANITIZER TEST WORDS BACKENDS_OF_PROGRAM BACKENDS_OF_MODULE
    source_of_tests
    compile "$1" t "-fsanitize=$2"
    in_all "$5" t fine "$3"
    status_is 1
    tells "$5" "$3" "$4"
    last_line_is "$(echo "$5" | wc -w) passed, $(echo "$5" | wc -w) failed"
    [ "$6" ] || return 0
    compile "$1" t.so "-fsanitize=$2"
    in_all "$6" t.so fine "$3"
    status_is 1
    tells "$6" "$3" "$4"
    last_line_is "$(echo "$6" | wc -w) passed, $(echo "$6" | wc -w) failed"
}

unsupported() { # FILE BACKENDS WORDS
    in_all "$2" "$1" fine
    status_is 5
    run show --from latest
    for backend in $2; do
        run run --id "t::fine@backend=$backend" -v
        out_has "$3"
    done
}

overflow='AddressSanitizer: heap-buffer-overflow .*t\.c:11'
test_asan_of_gcc() {
    finds gcc address overflow "exit status 1: $overflow" "$processes" "$processes"
    unsupported t.so 'subint subint_forkserver' 'can be in a process only once'
}

test_asan_of_clang() {
    finds clang address overflow "exit status 1: $overflow" "$processes" ''
    compile clang t.so -fsanitize=address
    in_all exec t.so
    status_is 1
    out_has 'the runtime of its sanitizer is in no library'
}

test_lsan() {
    finds gcc leak leak 'exit status 23: LeakSanitizer: 24 byte\(s\) leaked in 1 allocation' "$processes" "$processes"
    unsupported t.so 'subint subint_forkserver' 'can be in a process only once'
    finds gcc address leak 'exit status 1: AddressSanitizer: 24 byte\(s\) leaked in 1 allocation' "$processes" "$processes"
    finds clang leak leak 'exit status 23: LeakSanitizer: 24 byte\(s\) leaked in 1 allocation' "$processes" ''
}

test_ubsan_of_gcc() {
    finds gcc undefined undefined 'exit status 1: UndefinedBehaviorSanitizer: undefined-behavior t\.c:13' "$processes" "$all"
}

test_ubsan_of_clang() {
    finds clang undefined undefined 'exit status 1: UndefinedBehaviorSanitizer: undefined-behavior t\.c:13' "$processes" ''
    UBSAN_OPTIONS=halt_on_error=0 run run --id t::undefined
    status_is 0
}

test_tsan() {
    race='exit status 66: ThreadSanitizer: data race .*t\.c:9'
    finds gcc thread race "$race" 'exec spawn forkserver' 'exec spawn forkserver'
    unsupported t.so 'main_thread_forkserver' 'ThreadSanitizer lets nobody start threads'
    unsupported t.so 'subint subint_forkserver' 'can be in a process only once'
    unsupported t 'main_thread_forkserver' 'ThreadSanitizer lets nobody start threads'
    finds clang thread race "$race" 'exec spawn forkserver' ''
    in_all main_thread_forkserver t race
    tells main_thread_forkserver race 'exit status 66$'
}

test_what_a_test_executes_is_left_alone() {
    source_of_tests
    cat >>t.c <<'END'
TEST(executes) { system("echo \"<$LD_PRELOAD$RUN_MATRIX_PRELOADED>\""); FAIL("to be seen"); }
END
    compile gcc t.so -fsanitize=address
    in_all "$processes" t.so executes
    is "$(cat .run-matrix/latest/cases/*/1/stdout | sort -u)" '<>'
    LD_PRELOAD=libc.so.6 in_all exec t.so executes
    is "$(cat .run-matrix/latest/cases/*/1/stdout)" '<libc.so.6>'
}

# Counters of a line: how often it is said to have run.
lines_run() { # LINE
    gcov -o "${1%%:*}" t.c >"$scratch/null" 2>&1
    awk -F: -v line="${1##*:}" '$2 + 0 == line && $1 + 0 > 0 { found = 1 } END { printf "%d", found }' t.c.gcov
}

test_gcov() {
    cat >t.c <<'END'
#include <run_matrix.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
static volatile int sink;
TEST(passes) { sink = 1; }
TEST(fails) {
    sink = 2;
    FAIL("so"); }
TEST(crashes) {
    sink = 3;
    raise(SIGKILL); }
TEST(forks) {
    if (!fork()) {
        sink = 4;
        _exit(0); }
    wait(NULL); }
END
    command -v gcov >"$scratch/null" || skip 'there is no gcov'
    gcc -g --coverage -fPIC "-I$root/fixtures" -c -o t.o t.c
    gcc --coverage -o t t.o "$root/build/librunmatrix.a" -pthread
    gcc --coverage -shared -o t.so t.o "$root/build/librunmatrix.a" -pthread
    for file in t t.so; do
        for backend in $processes; do
            rm -f ./*.gcda
            in_all "$backend" "$file" passes fails crashes forks
            last_line_is '2 passed, 2 failed'
            is "$file $backend: $(lines_run .:6)$(lines_run .:8)$(lines_run .:11)$(lines_run .:15)" "$file $backend: 1100"
        done
    done
    # No destructor runs in a namespace.
    rm -f ./*.gcda
    in_all 'subint subint_forkserver' t.so passes
    status_is 0
    is "$(lines_run .:6)" 0
}

test_llvm_cov() {
    command -v llvm-profdata llvm-cov >"$scratch/null" || skip 'there is no llvm-cov'
    printf '%s\n' '#include <run_matrix.h>' '#include <signal.h>' 'static volatile int sink;' 'TEST(one) {' '    sink = 1; }' 'TEST(two) {' '    sink = 2;' \
        '    FAIL("so"); }' 'TEST(killed) {' '    sink = 3;' '    raise(SIGKILL); }' >t.c
    for file in t t.so; do
        compile clang "$file" -fprofile-instr-generate -fcoverage-mapping
        for backend in $processes; do
            rm -f ./*.profraw
            LLVM_PROFILE_FILE=$PWD/c-%m.profraw in_all "$backend" "$file" one two killed
            last_line_is '1 passed, 2 failed'
            llvm-profdata merge -o all.profdata ./*.profraw
            llvm-cov show "./$file" -instr-profile=all.profdata t.c >shown
            counts=$(awk -F'|' '$1 + 0 == 5 || $1 + 0 == 7 || $1 + 0 == 10 { printf "%d", ($2 + 0 > 0) }' shown)
            is "$file $backend: $counts" "$file $backend: 110"
        done
    done
}

test_valgrind() {
    command -v valgrind >"$scratch/null" || skip 'there is no valgrind'
    valgrind -q true 2>"$scratch/null" || skip 'valgrind does not run here'
    source_of_tests
    for file in t t.so; do
        compile gcc "$file" -O0
        in_backends 'exec forkserver' "{name: t, module: $file}"
        run run -n 2 --wrapper 'valgrind -q --error-exitcode=9 --leak-check=full' --id t::fine --id t::overflow --id t::leak
        last_line_is '2 passed, 4 failed'
        tells 'exec forkserver' overflow 'exit status 9'
        tells 'exec forkserver' leak 'exit status 9'
    done
    run show t::leak@backend=exec
    out_has '24 bytes in 1 blocks are definitely lost'
}

run_tests
