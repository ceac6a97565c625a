#!/bin/sh
# The same suite under every backend comes to the same, but for what is listed here and in docs/ctests.md.
. "$(dirname "$0")/lib.sh"
own_world # compilers leave files in /tmp for a moment, and others look for what is left there

library=$root/build/librunmatrix.a

# Its name begins with what a test comes to; a namespace on a thread of a host cannot be ended from outside.
wanted() { # BACKEND, cases on stdin
    awk -v backend="$1" '{
        name = $1
        sub(/^t::/, "", name)
        want = name
        sub(/[_\/].*/, "", want)
        if (backend == "subint" && want == "timeout")
            want = "abandoned"
        if (name == "xpassed_strictly")
            want = "xpassed (strict)"
        print $1, want
    }'
}

verdicts() {
    "$program" report --format json | python3 -c '
import json, sys
for case in json.load(sys.stdin)["cases"]:
    print(case["id"].split("@")[0], case["verdict"])' | sort
}

test_every_backend_comes_to_the_same() {
    gcc -O1 -Wall -Wextra -shared -fPIC "-I$root/fixtures" -o t.so "$root/tests/suites/same/same.c" "$library" -pthread
    cat >run-matrix.yaml <<'END'
strategy: {matrix: {backend: [exec, spawn, forkserver, main_thread_forkserver, subint, subint_forkserver]}}
tests: [{name: t, module: t.so, stop: [INT 200ms, KILL], limits: {core: 0}, leak-grace: 100ms}]
END
    signals_kill
    for backend in exec spawn forkserver main_thread_forkserver subint subint_forkserver; do
        run run -n 4 --cell "backend=$backend"
        status_is 1
        verdicts >came
        [ "$(wc -l <came)" -ge 200 ] || fail "only $(wc -l <came) tests were run"
        wanted "$backend" <came >want
        diff want came >difference || fail "$backend: $(cat difference)"
    done
}

run_tests
