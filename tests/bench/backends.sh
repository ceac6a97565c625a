#!/bin/sh
# What each backend costs: programs beside a bare exec, C tests beside a bare fork, and large processes to be forked.
# usage: backends.sh PROGRAM TOOLS     (TOOLS: the folder with measure, floor and hello; PROGRAM has its library beside it)
# For a quick look: BENCH_CASES=200 BENCH_ROUNDS=3
. "$(dirname "$0")/peers.sh"
root=$(realpath "$(dirname "$0")/../..")
built=$(dirname "$(realpath "$1")")
workshop "$1" "$2"
cases=${BENCH_CASES:-2000}
rounds=${BENCH_ROUNDS:-11}
cells=10
served='forkserver main_thread_forkserver'

# ---- suites ----

in_cells() { # FOLDER BACKEND CELLS, tests on stdin
    mkdir -p "$1"
    {
        awk -v backend="$2" -v n="$3" 'BEGIN {
            printf "strategy: {matrix: {backend: [%s], number: [", backend
            for (i = 0; i < n; i++) printf "%s%d", i ? ", " : "", i
            print "]}}\ntests:"
        }'
        cat
    } >"$1/run-matrix.yaml"
}

programs() { # FOLDER BACKEND
    awk -v n=$((cases / cells)) -v program="$tools/hello" \
        'BEGIN { for (i = 0; i < n; i++) printf "  - {name: t%d, run: [%s]}\n", i, program }' | in_cells "$1" "$2" $cells
}

compiled() { # FILE TESTS FLAG...
    file=$1
    tests=$2
    shift 2
    awk -v n="$tests" 'BEGIN {
        print "#include \"tests/bench/image.h\"\n#include <run_matrix.h>"
        print "__attribute__((constructor)) static void make(void) { image_make(); }"
        for (i = 0; i < n; i++) printf "TEST(t%d) { puts(\"ok\"); }\n", i
    }' >"$file.c"
    ${CC:-gcc} -O1 -D_GNU_SOURCE "-I$root" "-I$root/fixtures" "$@" -o "$file" "$file.c" "$built/librunmatrix.a"
}

modules() { # FOLDER BACKEND FILE CELLS
    echo "  - {name: t, module: '$PWD/$3'}" | in_cells "$1" "$2" "$4"
}

# ---- tables ----

# Rows of $labels, a line each, out of lines of measure; the first is the floor.
rows() { # N
    paste -d ' ' measured labels | awk -v n="$1" '{
        wall = $1; cpu = $2; ratio = $4
        floor = NR == 1 ? cpu : floor
        $1 = $2 = $3 = $4 = $5 = ""
        sub(/^ +/, "")
        printf "| %s | %.3f | %.3f | %.2f | %.2f |\n", $0, wall / n, cpu / n, ratio, cpu / floor
    }'
}

heading() { # WHAT
    printf '\n| %s | ms a case | CPU ms a case | × floor | × CPU of the floor |\n|---|--:|--:|--:|--:|\n' "$1"
}

# The whole command, in turns with its floor; each backend in a folder of its name.
beside_floor() { # N FLOOR-COMMAND... -- FOLDER...
    n=$1
    shift
    set -- "$@" end
    command=
    while [ "$1" != -- ]; do
        command="$command $1"
        shift
    done
    shift
    while [ "$1" != end ]; do
        set -- "$@" --in="$1" ../run-matrix run -n 2
        shift
    done
    shift
    # shellcheck disable=SC2086 # a command is words
    "$tools/measure" "$rounds" --in=. $command "$@" >measured
    rows "$n"
}

by_all() { # KIND BACKEND...
    kind=$1
    shift
    printf '`floor`\n' >labels
    folders=
    for backend; do
        echo "\`$backend\`" >>labels
        folders="$folders $kind-$backend"
    done
}

# ---- programs ----

all_programs="exec spawn $served"
for backend in $all_programs; do
    programs "program-$backend" "$backend"
done
echo "$cases programs with glibc that print something, \`run-matrix run -n 2\`, medians of $rounds rounds. \`floor\` is \`tests/bench/floor.c\`:"
echo 'vfork, exec, two memfds for the output, waitid, two at a time and nothing else. On a machine that others share CPU time is what compares:'
echo 'each case of ours is a session of its own, and the kernel shares a processor among sessions.'
# shellcheck disable=SC2086 # lists are words
{
    heading 'programs by'
    by_all program $all_programs
    beside_floor "$cases" "$tools/floor" "$cases" 2 "$tools/hello" -- $folders
}

# ---- C tests ----

compiled tests.so $((cases / cells)) -shared -fPIC
compiled tests $((cases / cells)) -Wl,-z,now
all_modules="$all_programs subint subint_forkserver"
for backend in $all_modules; do
    modules "module-$backend" "$backend" tests.so $cells
done
modules module-program forkserver tests $cells
echo
echo "$cases C tests that print something: $((cases / cells)) of a \`.so\`, in $cells cells. \`floor\` is here a bare fork, with two memfds for"
echo 'the output, `_exit` and waitid, two at a time and nothing else.'
# shellcheck disable=SC2086
{
    heading 'C tests by'
    by_all module $all_modules
    echo '`forkserver`, a program in place of the `.so`' >>labels
    beside_floor "$cases" "$tools/floor" "$cases" 2 -- $folders module-program
}

# ---- what tests share ----

many=${BENCH_MANY:-5000}

# A fixture of the session that takes 300 ms, and writes down that it was set up.
shares() { # FILE USES
    {
        printf '#include <run_matrix.h>\n#include <stdio.h>\n#include <unistd.h>\n'
        awk -v n=$((many / 50)) 'BEGIN {
            for (i = 0; i < n + 50; i++)
                printf "%s%d", i == 0 ? "PARAM(tens, int, " : i == n ? ");\nPARAM(ones, int, " : ", ", i
            print ");"
        }'
        echo 'FIXTURE(index, .scope = MX_SESSION) { int x; };'
        echo 'SETUP(index) { FILE *log = fopen(LOG, "a"); usleep(300000); fputc(10, log); fclose(log); }'
        echo "TEST(t, $2) { (void)(tens + ones); puts(\"ok\"); }"
    } >"$1.c"
    ${CC:-gcc} -O1 "-DLOG=\"$PWD/set-up\"" "-I$root/fixtures" -shared -fPIC -o "$1" "$1.c" "$built/librunmatrix.a"
}

shares alone.so 'WITH(tens, ones)'
shares shared.so 'USES(index), WITH(tens, ones)'
modules sharing-not forkserver alone.so 1
modules sharing forkserver shared.so 1
rm -f set-up
few_rounds=$(((rounds + 2) / 3))
"$tools/measure" "$few_rounds" --in=sharing-not ../run-matrix run -n 2 --in=sharing ../run-matrix run -n 2 >measured
printf 'nothing\na fixture that takes 300 ms\n' >labels
echo
echo "$many C tests by \`forkserver\` that share something set up once; in $few_rounds runs it was set up $(wc -l <set-up) times."
heading 'C tests that share' | sed 's/floor/nothing/g'
rows "$many"

# ---- peers ----

criterion_there() { [ -r /usr/include/criterion/criterion.h ]; }
criterion_words() { echo '#include <criterion/criterion.h>' && tests_of 'Test(suite, t%d) { puts("ok"); }\n'; }
criterion_flags() { echo -lcriterion; }
criterion_command() { echo ./criterion -j2 -q; }

check_there() { [ -r /usr/include/check.h ] && pkg-config --exists check; }
check_words() {
    echo '#include <check.h>'
    tests_of 'START_TEST(t%d) { puts("ok"); } END_TEST\n'
    echo 'int main(void) { Suite *s = suite_create("s"); TCase *c = tcase_create("c");'
    tests_of 'tcase_add_test(c, t%d);\n'
    echo 'suite_add_tcase(s, c); SRunner *r = srunner_create(s); srunner_run_all(r, CK_SILENT); return srunner_ntests_failed(r); }'
}
check_flags() { pkg-config --cflags --libs check; }
check_command() { echo ./check; }

tests_of() { # FORMAT
    awk -v n="$few" -v format="$1" 'BEGIN { for (i = 0; i < n; i++) printf format, i }'
}

# Both fork for each test, and neither keeps what it prints. Check runs one at a time.
peer_rows() {
    few=$((cases / 10))
    for name in criterion check; do
        "${name}_there" || continue
        { echo '#include <stdio.h>' && "${name}_words"; } >"$name.c"
        # shellcheck disable=SC2046
        ${CC:-gcc} -o "$name" "$name.c" $("${name}_flags")
        # shellcheck disable=SC2046
        "$tools/measure" 3 --in=. "$tools/floor" "$few" 2 --in=. $("${name}_command") >measured 2>log
        printf '`floor`\n`%s`\n' "$("${name}_command")" >labels
        rows "$few" | sed 1d
    done
}

peer_rows

# ---- large processes ----

# A case is what many take less what one takes: so the time to fill the memory, to be listed and to serve, is not in it.
image_row() { # MEGABYTES TESTS
    compiled image.so "$2" -shared -fPIC
    modules image-small forkserver image.so 1
    modules image-huge forkserver image.so 20
    set -- "$1" "$2" "env BENCH_IMAGE=$1" "env BENCH_HUGE=1 BENCH_IMAGE=$1" '../run-matrix run -n 2'
    # shellcheck disable=SC2086 # commands are words
    "$tools/measure" "$rounds" --in=. $3 "$tools/floor" 1 2 --in=. $3 "$tools/floor" "$2" 2 \
        --in=image-small $3 $5 --id t::t0 --in=image-small $3 $5 \
        --in=image-huge $4 $5 --id t::t0 --in=image-huge $4 $5 >measured
    awk -v n="$2" -v size="$1" '
        { wall[NR] = $1 }
        function each(i, cells) { return (wall[i + 1] - wall[i]) / (n - 1) / cells }
        END { printf "| %d MB | %.2f | %.2f | %.2f | %.2f |\n", size, each(1, 1), each(3, 1), each(5, 20), each(5, 20) / each(3, 1) }' measured
}

[ ! -r /sys/kernel/mm/transparent_hugepage/enabled ] || pages=$(sed 's/.*\[\(.*\)\].*/\1/' /sys/kernel/mm/transparent_hugepage/enabled)
rounds=$(((rounds + 1) / 2))
echo
echo 'C tests of a module that holds memory when they begin, by `forkserver`; `floor` is the bare fork of a process as large. With huge pages'
echo "by madvise(MADV_HUGEPAGE), without by MADV_NOHUGEPAGE; the machine is set to \`${pages:-never}\`. A case is what many take less what one takes,"
echo "by their number: 200, 200 and 100, and twenty times as many with huge pages; medians of $rounds rounds."
echo
echo '| memory | floor, ms a case | run-matrix, ms a case | run-matrix, huge pages | × without |'
echo '|---|--:|--:|--:|--:|'
image_row 5 200
image_row 100 200
image_row 1024 100
