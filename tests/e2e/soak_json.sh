#!/bin/bash
# What a soak has come to as JSON is as docs/soak.schema.json says, whatever it came to; and the schema refuses what is not.
. "$(dirname "$0")/lib.sh"

schema() { # FILE
    python3 "$root/tests/e2e/schema.py" "$root/docs/soak.schema.json" "$1"
}

is_right() {
    schema .run-matrix/latest/soak.json || fail "it is not as docs/soak.schema.json says"
}

# A value of the result: as Python has it of `soak`.
of_soak() { # EXPRESSION
    python3 -c 'import json, sys
soak = json.load(open(".run-matrix/latest/soak.json"))
print(eval(sys.argv[1]))' "$1"
}

test_all_kinds_of_results() {
    run soak --below 10% -- "$tiny"
    status_is 0
    is_right
    run soak --count 2 -- sh -c 'exit 77'
    is_right
    run soak --below 1% --count 3 -- "$tiny"
    status_is 6
    is_right
    run soak --until-fail -- false
    status_is 1
    is_right
}

# One of two axes carries it, in one of two tests; another test fails always, in words of its own.
test_axes_and_kinds() {
    cat >run-matrix.yaml <<'END'
strategy: {matrix: {speed: [slow, fast], colour: [red, blue]}}
tests:
  - {name: race, run: 'test $RUN_MATRIX_AXIS_SPEED = slow || { echo "error: message $RUN_MATRIX_ATTEMPT is lost" >&2; exit 3; }'}
  - {name: fine, run: 'true'}
  - {name: once, axes: [], run: 'test $RUN_MATRIX_ATTEMPT != 7'}
END
    run soak --count 12 --seed 5
    status_is 1
    is_right
    is "$(of_soak '[(c["axis"], c["value"], c["alone"]) for c in soak["carried_by"]]')" "[('speed', 'fast', True)]"
    is "$(of_soak '[(k["failed"], k["gathering"]["how"], k["gathering"]["tests"]) for k in soak["kinds"]]')" \
        "[(24, 'same', ['race']), (1, 'unknown', [])]"
    is "$(of_soak 'len(soak["cases"]), len(soak["cells"]), len(soak["axes"])')" '(9, 5, 4)'
    out_has 'speed=fast: 50 % of 48 runs, against 0 % of 48 without it'
}

test_fixtures_that_fail() {
    cat >run-matrix.yaml <<'END'
strategy: {matrix: {a: [x, y]}}
fixtures:
  once: {scope: session, run: ['true'], teardown: 'test -e good'}
  each: {scope: cell, run: ['true'], teardown: 'test ${{ matrix.a }} = x -o -e good'}
tests: [{name: t, fixtures: [once, each], run: ['true']}]
END
    run soak --count 2
    status_is 1
    is_right
    is "$(of_soak 'soak["failed_fixtures"], sorted(f["id"] for f in soak["fixtures"])')" "(2, ['fixture:each@a=y', 'fixture:once'])"
    out_has "fixture:once: the tear-down of fixture 'once' ended with exit status 1"
    last_line_is '4 passed, 0 failed, 2 fixtures failed'
    run report
    cmp "$scratch/out" .run-matrix/latest/soak.txt
    # Nothing is left to be run, and they have failed; then they are made again, and good.
    run soak --resume
    status_is 1
    touch good
    run soak --resume --count 3
    status_is 0
    is_right
    is "$(of_soak 'soak["failed_fixtures"], soak["fixtures"]')" '(0, [])'
    last_line_is '6 passed, 0 failed'
}

test_what_is_not_is_refused() {
    local change
    run soak --count 2 -- false
    for change in 'soak["schema"] = 2' 'del soak["rate"]' 'soak["more"] = 1' 'soak["kinds"][0]["failed"] = "2"' \
        'soak["end"] = "whatever"' 'soak["seed"] = 5' 'del soak["cases"][0]["cell"]' 'soak["gathering"]["how"] = None' \
        'soak["fixtures"] = [{"id": "fixture:f"}]'; do
        python3 -c 'import json, sys
soak = json.load(open(".run-matrix/latest/soak.json"))
exec(sys.argv[1])
json.dump(soak, open("wrong.json", "w"))' "$change"
        ! schema wrong.json >/dev/null || fail "accepted after: $change"
    done
}

run_tests
