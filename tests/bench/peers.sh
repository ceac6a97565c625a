# shellcheck shell=sh
# The runners that are compared, for the scripts beside this one to source. For every one of them, by its name:
#
#     <name>_there            is it on this machine?
#     <name>_suite N PROGRAM  writes what it needs to run PROGRAM (an absolute path) N times, in the current folder
#     <name>_command          the command that then runs it, from that folder, two at a time; its words have no spaces
#     <name>_words            what it does with the output, and what else to know of it
#
# Each captures as it does by itself; make and xargs, which let the output through, are there as a measure of spawning.

set -eu

# Where a script measures: a folder of its own, with run-matrix. Sets $work, $program and $tools.
workshop() { # PROGRAM TOOLS
    program=$(realpath "$1")
    # shellcheck disable=SC2034 # for those who source this
    tools=$(realpath "$2")
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    cd "$work"
    ln -s "$program" run-matrix
}

all() { echo make xargs "$(capturing)"; }
capturing() { echo make_sync ninja ctest lit pytest pytest_xdist pytest_forked prove parallel kyua meson; }

have() { command -v "$1" >/dev/null 2>&1; }

label() { # NAME, as people write it
    case $1 in
    ours) echo run-matrix ;;
    make_sync) echo 'make -O' ;;
    pytest) echo 'pytest + subprocess' ;;
    pytest_xdist) echo 'pytest-xdist + subprocess' ;;
    pytest_forked) echo 'pytest --forked + subprocess' ;;
    parallel) echo 'GNU parallel' ;;
    *) echo "$1" ;;
    esac
}

# As many names for a program as there are tests, for runners that know a test by its file.
names() { # N PROGRAM SUFFIX
    seq -f "t%.0f$3" "$1" | xargs -n 500 sh -c 'program=$0 && for name; do ln -s "$program" "$name"; done' "$2"
}

# ---- make, xargs, ninja ----

make_there() { have make; }
make_suite() {
    awk -v n="$1" -v program="$2" 'BEGIN {
        printf ".PHONY: all"
        for (i = 0; i < n; i++) printf " t%d", i
        printf "\nall:"
        for (i = 0; i < n; i++) printf " t%d", i
        print ""
        for (i = 0; i < n; i++) printf "t%d:\n\t@%s\n", i, program
    }' >Makefile
}
# Called by make bench, it is not to share that make's jobs.
make_command() { echo env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -r -j2; }
make_words() { echo 'captures nothing'; }

make_sync_there() { make_there; }
make_sync_suite() { make_suite "$@"; }
make_sync_command() { echo "$(make_command) -Otarget"; }
make_sync_words() { echo 'holds back the output of each target'; }

xargs_there() { have xargs; }
xargs_suite() { seq "$1" >list && echo "$2" >program; }
xargs_command() { echo "xargs -a list -n 1 -P 2 $(cat program)"; }
xargs_words() { echo 'captures nothing'; }

ninja_there() { have ninja; }
ninja_suite() {
    awk -v n="$1" -v program="$2" 'BEGIN {
        printf "rule run\n  command = %s\n", program
        for (i = 0; i < n; i++) printf "build t%d: run\n", i
    }' >build.ninja
}
ninja_command() { echo ninja -j2; }
ninja_words() { echo 'one pipe for both streams, a shell for each command'; }

# ---- test runners ----

ctest_there() { have ctest; }
ctest_suite() {
    awk -v n="$1" -v program="$2" 'BEGIN { for (i = 0; i < n; i++) printf "add_test(t%d \"%s\")\n", i, program }' >CTestTestfile.cmake
}
ctest_command() { echo ctest -j2; }
ctest_words() { echo 'one pipe for both streams'; }

meson_there() { have meson && have ninja; }
meson_suite() {
    {
        echo "project('bench')"
        echo "program = find_program('$2')"
        awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) printf "test(\047t%d\047, program)\n", i }'
    } >meson.build
    meson setup build >count.log 2>&1
}
meson_command() { echo meson test -C build --no-rebuild --num-processes 2; }
meson_words() { echo 'one pipe for both streams'; }

kyua_there() { have kyua; }
kyua_suite() {
    names "$1" "$2" ''
    {
        echo 'syntax(2)'
        echo 'test_suite("bench")'
        awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++) printf "plain_test_program{name=\"t%d\"}\n", i }'
    } >Kyuafile
}
# Its results go to the home folder; that is not to be the user's.
kyua_command() { echo env "HOME=$PWD" kyua -v parallelism=2 test; }
kyua_words() { echo 'a file for each stream, in SQLite afterwards'; }

prove_there() { have prove; }
prove_suite() {
    mkdir t && (cd t && names "$1" "$2" .t)
    echo "--exec ''" >.proverc # the tests are programs, not Perl
}
prove_command() { echo prove -j2 t/; }
prove_words() { echo 'a pipe for stdout, stderr let through'; }

lit_program() { find /usr/lib -path '*/build/utils/lit/lit.py' 2>/dev/null | sort -V | tail -n 1; }
lit_there() { have lit || [ -n "$(lit_program)" ]; }
lit_suite() {
    names "$1" "$2" .t
    cat >lit.cfg <<'END'
import os, lit.formats
config.name = 'bench'
config.test_format = lit.formats.ExecutableTest()
config.suffixes = ['.t']
config.environment = dict(os.environ)
END
}
lit_command() { echo "$(command -v lit || echo "/usr/bin/python3 $(lit_program)") -q -j2 ."; }
lit_words() { echo 'a pipe for each stream'; }

parallel_there() { have parallel && parallel --version 2>/dev/null | grep -q '^GNU'; }
parallel_suite() { seq "$1" >list && echo "$2" >program; }
parallel_command() { echo "parallel --will-cite -j2 -a list $(cat program)"; }
parallel_words() { echo 'two temporary files'; }

# ---- pytest: a function that calls the program ----

pytest_program() { # a python that has pytest and the module $1
    for python in python3 /usr/bin/python3; do
        "$python" -c "import pytest, ${1:-pytest}" 2>/dev/null && echo "$python -m pytest -q -p no:cacheprovider" && return
    done
    return 1
}
pytest_there() { pytest_program >/dev/null; }
pytest_suite() {
    cat >test_bench.py <<END
import subprocess, pytest

@pytest.mark.parametrize("number", range($1))
def test_program(number):
    subprocess.run(["$2"], capture_output=True, check=True)
END
}
pytest_command() { pytest_program; }
pytest_words() { echo 'a pipe for each stream; one at a time'; }

pytest_xdist_there() { pytest_program xdist >/dev/null; }
pytest_xdist_suite() { pytest_suite "$@"; }
pytest_xdist_command() { echo "$(pytest_program xdist) -n 2"; }
pytest_xdist_words() { echo 'a pipe for each stream'; }

pytest_forked_there() { pytest_program pytest_forked >/dev/null; }
pytest_forked_suite() { pytest_suite "$@"; }
pytest_forked_command() { echo "$(pytest_program pytest_forked) --forked"; }
pytest_forked_words() { echo 'a pipe for each stream, a process around each test; one at a time'; }

# ---- ours, in its two shapes ----

ours_suite() { # N PROGRAM
    awk -v n="$1" -v program="$2" 'BEGIN {
        print "version: 1\ntests:"
        for (i = 0; i < n; i++) printf "  - {name: t%d, run: [%s]}\n", i, program
    }' >run-matrix.yaml
}
ours_command() { echo ../run-matrix run -n 2; }
ours_words() { echo 'a file for each stream'; }

ours_axis_suite() { # N PROGRAM
    awk -v n="$1" -v program="$2" 'BEGIN {
        printf "version: 1\nstrategy:\n  matrix:\n    number: ["
        for (i = 0; i < n; i++) printf "%s%d", i ? ", " : "", i
        printf "]\ntests:\n  - {name: t, run: [%s, \"${{ matrix.number }}\"]}\n", program
    }' >run-matrix.yaml
}
ours_axis_command() { ours_command; }

# ---- what the scripts do with them ----

# Writes the suite of a runner into the folder of its name. The folder that we are in has run-matrix.
made() { # NAME N PROGRAM
    rm -rf "$1" && mkdir "$1" && (cd "$1" && "$1_suite" "$2" "$3")
}

command_of() { # NAME
    (cd "$1" && "$1_command")
}

# The command as people would type it: without what is only there because of this benchmark.
typed() { # NAME
    command_of "$1" | sed -E -e 's,^env ((-u )?[A-Z]+(=[^ ]*)? )*,,' -e 's, /[^ ]*/, ,g' -e 's,^[/.][^ ]*/,,'
}

# The same as made, and shows by a run that hello is run as often as it should be.
ready() { # NAME N HELLO
    made "$@" && command=$(command_of "$1") &&
        (cd "$1" && BENCH_COUNT=$PWD/count $command >count.log 2>&1 </dev/null) &&
        [ "$(wc -c <"$1/count")" = "$2" ] && return
    echo "bench: '$1' did not run $2 programs; its output ends:" >&2
    tail -n 15 "$1/count.log" >&2
    return 1
}

# The runners of a list that are here, and a word on standard error for each that is not.
present() { # NAME...
    for name; do
        "${name}_there" && echo "$name" && continue
        echo "bench: no $(label "$name") here: left out" >&2
    done
}
