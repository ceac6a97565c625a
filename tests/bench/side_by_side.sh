#!/bin/sh
# The same ten tests, written for our library and for those that people know: lines to write, what a failure shows, time.
# usage: side_by_side.sh PROGRAM TOOLS     (TOOLS: the folder with measure)
# For a quick look: BENCH_ROUNDS=1 BENCH_TESTS=50
. "$(dirname "$0")/peers.sh"
here=$(realpath "$(dirname "$0")/side_by_side")
workshop "$1" "$2"
# shellcheck source=tests/bench/side_by_side/frameworks.sh
. "$here/frameworks.sh"
rounds=${BENCH_ROUNDS:-5}
tests=${BENCH_TESTS:-200}

# ---- what is compared ----

titles() {
    cat <<LIST
1 An equality that fails
2 Two long texts that differ in the middle
3 Memory that differs
4 A fixture of two tests, the second of which fails
5 Named rows, one of which fails
6 What takes long to set up, used by many tests
7 A failure that is expected
8 SIGSEGV
9 A test that hangs
10 A flood of output, and a child left behind
LIST
}

# A folder for each framework, in which its tests stand, are built, and have run once: all, record.
run_all() { # FRAMEWORK
    mkdir "$1" && cp "$here/subject.c" "$here/subject.h" "$here/$("$1_source")" "$1"
    (
        cd "$1"
        "$1_build" >build.log 2>&1 || { cat build.log >&2 && exit 1; }
        # As on a terminal: what goes to stdout is not held back. One test at a time says in one place what belongs together.
        status=0
        # shellcheck disable=SC2046 # a command is words
        CRITERION_JOBS=1 SUBJECT_RECORD=$PWD/record stdbuf -oL $("$1_command") >all 2>&1 </dev/null || status=$?
        [ "$status" != 0 ] || { echo "bench: $1 has found nothing wrong" >&2 && exit 1; }
        alive >still_there
    )
}

alive() { # of those that were left behind who is still there; they are ended
    awk '$1 == "child" { print $2 }' record | while read -r pid; do
        if [ -e "/proc/$pid" ] && grep -q '^sleep$' "/proc/$pid/comm"; then
            echo "$pid"
            kill "$pid"
        fi
    done
}

recorded() { # FRAMEWORK WHAT
    grep -cx "$2" "$1/record" || :
}

# ---- tables: a row for each of what is told, a column for each framework ----

row() { # WORDS FUNCTION ARGUMENT...: the function is called with each framework, and the arguments
    printf '| %s |' "$1"
    what=$2
    shift 2
    for framework in $compared; do
        printf ' %s |' "$("$what" "$framework" "$@")"
    done
    echo
}

heading() {
    row '' label_of
    printf '|---|'
    for framework in $compared; do
        printf '%s' '--:|'
    done
    echo
}

# Of a section, or of all of them. Lines with nothing but a comment do not count, unless it is one that makes a difference.
lines_of() { # FRAMEWORK [SECTION]
    awk -v wanted="${2-}" '
        /^(\/\*|#) ([0-9]+|around)/ { section = $2; sub(/:.*/, "", section); next }
        /^ *$/ || /^ *\/\*.*\*\/$/ && !/run-matrix:/ { next }
        wanted == "" || section == wanted || wanted == "around" && section == "" { count++ }
        END { print count + 0 }' "$here/$("$1_source")"
}

times_built() { recorded "$1" 'index built'; }
closed() { echo "$(recorded "$1" 'store closed') of $(recorded "$1" 'store opened')"; }
printed() { awk 'END { printf "%.1f KB", size / 1000 } { size += length($0) + 1 }' "$1/all"; }
left() { [ -s "$1/still_there" ] && echo 'yes' || echo 'no'; }

# ---- what a failure shows ----

name_in() { # FRAMEWORK NUMBER
    names | awk -v number="$2" -v at="$(frameworks | tr ' ' '\n' | grep -nx "$1" | cut -d: -f1)" '$1 == number { print $(at + 1) }'
}

# Verbatim, but for where it ran, long lines, and many.
trimmed() {
    sed -e "s,$work/[a-z]*/,,g" -e "s,\\.\\./$(basename "$work")/[a-z]*/,,g" -e 's/[[:space:]]*$//' |
        awk -v most=20 -v wide=170 '
        function tell(line) {
            if (++told <= most)
                print (length(line) > wide ? substr(line, 1, wide) " [...]" : line)
        }
        function tell_flood() {
            if (flood > 2)
                tell("[" flood - 2 " more lines like these]")
            flood = 0
        }
        /a line that says nothing/ && ++flood > 2 { next }
        !/a line that says nothing/ { tell_flood() }
        { tell($0) }
        END {
            tell_flood()
            if (told > most)
                print "[" told - most " more lines]"
        }'
}

shown() { # FRAMEWORK NUMBER
    "$1_shows" "$(name_in "$1" "$2")" <"$1/all" | trimmed
}

last_line() { # FRAMEWORK
    sed -n '$p' "$1/all" | sed -e 's/^=* *//' -e 's/ *=*$//' | trimmed
}

section() { # NUMBER
    awk -v wanted="$1" '/^\/\* [0-9]+ / { on = $2 == wanted; next } on' "$here/test_ours.c" | sed -e '1{/^$/d}' | cat -s
}

of_test() { # NUMBER WORDS
    printf '\n### %s. %s\n\n```c\n%s\n```\n' "$1" "$2" "$(section "$1")"
    [ -n "$(name_in ours "$1")" ] || return 0
    for framework in $compared; do
        said=$(shown "$framework" "$1")
        if [ -n "$said" ]; then
            printf '\n%s:\n\n```text\n%s\n```\n' "$(label_of "$framework")" "$said"
        else
            printf '\n%s: no word of it. Its last line is `%s`.\n' "$(label_of "$framework")" "$(last_line "$framework")"
        fi
    done
}

# ---- time ----

# Scripts of a folder, for measure: sh build, and sh run, which is to find something wrong, or not.
scripts() { # FRAMEWORK FOLDER NOT
    printf '. "%s/../peers.sh"\n. "%s/frameworks.sh"\n%s_build\n' "$here" "$here" "$1" >"$2/build"
    (cd "$2" && printf '%s %s\n' "$3" "$("$1_command")") >"$2/run"
}

# Medians in milliseconds, and how many times ours, of a script of each of the folders, run in turns.
timed() { # SCRIPT FOLDER-SUFFIX WORDS
    set -- "$1" "$2" "$3" "$rounds"
    for framework in $compared; do
        set -- "$@" "--in=$framework$2" sh "$1"
    done
    words=$3
    shift 3
    "$tools/measure" "$@" >measured 2>measure.log || { cat measure.log >&2 && return 1; }
    printf '| %s |' "$words"
    awk '{ printf " %.0f ms (%.2f) |", $1, $4 }' measured
    echo
}

make_many() { # FRAMEWORK
    mkdir "$1_many"
    "$1_many" "$tests" >"$1_many/$("$1_source")"
    cp "$here/subject.c" "$here/subject.h" "$1_many"
    scripts "$1" "$1_many" ''
    (cd "$1_many" && sh build >build.log 2>&1) || { cat "$1_many/build.log" >&2 && return 1; }
}

# ---- the whole ----

there() {
    for framework in $(frameworks); do
        "${framework}_there" && echo "$framework" && continue
        echo "bench: no $(label_of "$framework") here: left out" >&2
    done
}

if kselftest_there; then
    kselftest_header .
fi
compared=$(there | tr '\n' ' ')
for framework in $compared; do
    run_all "$framework"
    scripts "$framework" "$framework" '!'
    make_many "$framework"
done

for framework in $compared; do
    (cd "$framework" && "${framework}_version")
done | paste -sd, | sed 's/,/, /g; s/$/./'

printf '\n## Lines to write\n\n'
echo 'Those that are not blank, and not only a comment; all files are formatted by the same rules. What is around the tests: headers, `main`, lists of tests, for Python what C functions take.'
echo
heading
while read -r number words; do
    row "$number. $words" lines_of "$number"
done <<LIST
$(titles)
LIST
row 'around them' lines_of around
row '**all of it**' lines_of

printf '\n## What became of it\n\n'
heading
row 'stores closed again, of those opened (4)' closed
row 'times that the index was built, for three tests (6)' times_built
row 'printed in all (10)' printed
row 'the child that was left behind is still there (10)' left

printf '\n## Time\n\n'
echo "Medians of $rounds rounds, in which all take turns, and in brackets the median of the ratios to run-matrix. As they run by themselves: two tests at a time by run-matrix, Criterion and pytest, one by the others. All that is"
echo 'compiled is compiled at once, without a cache; for Python it is the library that is tested.'
echo
heading
timed build '' 'compiling the ten tests'
timed run '' 'running them, 1 s of which is a deadline'
timed run _many "running $tests tests that pass"

printf '\n## What a failure shows\n'
titles | while read -r number words; do
    of_test "$number" "$words"
done
