#!/bin/sh
# What `mask` hides is in nothing that is shown or written: whatever a case does with it, and wherever it is cut.
. "$(dirname "$0")/lib.sh"
own_world

secret='s3cr3t-of-the-house'
second='an0ther one'
export SECRET="$secret" SECOND="$second"

# All that the run has left on disk, and all that was printed.
hidden() { # WORD...
    for word; do
        ! grep -raF -e "$word" .run-matrix "$scratch/out" "$scratch/err" >"$scratch/found" || {
            fail "'$word' is in: $(cut -c1-300 "$scratch/found" | head -n 3)"
        }
    done
}

masked_suite() { # LINE OF TESTS...
    suite "$@"
    echo 'defaults: {mask: [SECRET, SECOND, UNSET]}' >>run-matrix.yaml
}

test_reports_of_what_a_case_printed() {
    masked_suite "{name: a, run: 'echo \"<\$SECRET>\"; echo \"[\$SECOND]\" >&2; exit 3'}" \
        "{name: b, run: 'echo \"<\$SECRET>\"'}"
    run --keep=all -v --report tap=out.tap --report json=out.json --junit-xml out.xml
    status_is 1
    hidden "$secret" "$second"
    out_has '<***>'
    out_has '[***]'
    ! grep -F -e "$secret" -e "$second" out.tap out.json out.xml || fail 'a report says it'
    grep -qF '***' out.tap && grep -qF '***' out.xml
    for format in summary junit tap json; do
        run report "--report=$format=-" latest
        hidden "$secret" "$second"
    done
    run show a
    out_has '<***>'
    run show b
    out_has '<***>'
    hidden "$secret"
}

# However many bytes a write has, as lines that are shown as they come.
test_live_output() {
    masked_suite "{name: a, run: 'for c in \$(echo \"x\$SECRET.y\" | sed \"s/./& /g\"); do printf %s \$c; sleep 0.002; done; echo; printf \"tail \$SECRET\"'}" \
        "{name: b, run: 'echo \"\$SECOND\" >&2; exit 1'}"
    run -s -n 1
    status_is 1
    out_has 'x***.y'
    out_has 'tail ***'
    hidden "$secret" "$second"
}

# What a case writes to a terminal of ours cannot be taken back: it gets one of its own.
test_live_output_on_a_terminal() {
    masked_suite "{name: a, run: 'test -t 1; echo \"<\$SECRET>\"; read -r x </dev/tty || echo none'}"
    TERM=xterm run_command python3 "$root/tests/e2e/on_terminal.py" '' '' "$program" -s
    status_is 0
    out_has '<***>'
    hidden "$secret"
}

# Cut by its end, a line of a value of several lines, and the last line that tells why a case is skipped.
test_parts() {
    SECRET=$(printf 'first line of it\nab\nthe third line')
    masked_suite "{name: a, run: 'echo \"\$SECRET\"; exit 77'}" \
        "{name: b, run: 'echo \"\$SECRET\" | tac; echo \"<ab>\"; exit 1'}"
    run -v
    status_is 1
    hidden 'first line' 'third line'
    out_has '***'
    out_has '<ab>'
}

test_command_lines_of_who_is_left_behind() {
    masked_suite "{name: a, leak-grace: 50ms, run: 'sh -c \"read x <\\\"\\\$0\\\"\" \"it is \$SECRET\" 2>/dev/null & $kid hang $token \"\$SECRET\" & until pgrep -f \"$token \$SECRET\"; do :; done >/dev/null'}"
    run
    status_is 1
    is "$(records '"verdict":"leaked"')" 1
    out_has "$token ***"
    hidden "$secret" "$second"
    nobody_is_left
}

# Set by `env`, also by what differs from case to case; in ids, cells and names of folders.
test_ids_and_cells() {
    {
        echo 'strategy: {matrix: {token: [alpha-token + \"more\", beta-token], pin: [12345678]}}'
        echo "tests: [{name: a, env: {T: '\${{ matrix.token }}', PIN: '\${{ matrix.pin }}'}, mask: [T, PIN], run: 'echo \$T; exit 1'}]"
    } >run-matrix.yaml
    run -v --report json=out.json
    status_is 1
    last_line_is '0 passed, 2 failed'
    hidden alpha-token beta-token 12345678
    ! grep -e alpha-token -e 12345678 out.json || fail 'out.json says it'
    is "$(find .run-matrix -name '*alpha*' -o -name '*beta*' -o -name '*1234*')" ''
    is "$(find .run-matrix/latest/cases -name stdout | wc -l)" 2
}

# It cannot be read again: whoever was killed in the middle is not finished with something else.
test_command_line_of_the_run() {
    masked_suite "{name: a, run: 'true'}"
    RUN_MATRIX_FAULTS=die-ended run -k "a or $secret"
    hidden "$secret"
    run --resume
    status_is 4
    err_has "what 'mask' hides"
}

test_show_config() {
    suite "{name: a, run: 'true', mask: [SECRET, TOKEN, PIN], env: {TOKEN: \"x\\\"y-token\", PIN: '12', COPY: '\${{ env.SECRET }}'}}"
    run show --config a
    status_is 0
    out_lacks y-token
    out_lacks "$secret"
    out_lacks "'12'"
    is "$(grep -c '\*\*\*' "$scratch/out")" 3
    run show --config --json a
    status_is 0
    out_lacks y-token
    out_lacks "$secret"
    out_lacks '"12"'
    python3 -m json.tool <"$scratch/out" >/dev/null
}

test_what_cannot_be_hidden_is_said() {
    suite "{name: a, run: 'echo abc', mask: [PIN, UNSET], env: {PIN: abc}}"
    run -v
    status_is 0
    err_has "run-matrix.yaml:2:"
    err_has "'PIN' is not hidden"
    suite "{name: a, run: 'true', mask: [UNSET]}"
    run
    status_is 0
    err_is_empty
}

# What a fixture says, and what it makes for its users, of whatever scope it is.
test_fixtures() {
    cat >run-matrix.yaml <<'Y'
fixtures:
  token:
    scope: session
    run: 'echo "TOKEN=made-by-a-fixture" >>"$RUN_MATRIX_ENV"; echo "made-by-a-fixture, $SECRET"; echo "and $PASS" >&2'
    env: {PASS: set-by-a-fixture}
    teardown: 'echo "gone: $PASS"'
  own:
    run: 'echo "own: $SECRET"; exit 3'
  wide:
    scope: session
    run: 'echo "wide: $SECRET" >&2; exit 3'
tests:
  - {name: a, fixtures: [token], run: 'echo "<$TOKEN> <$PASS>"; exit 1'}
  - {name: b, fixtures: [own], run: 'true'}
  - {name: c, fixtures: [wide], run: 'true'}
defaults: {mask: [SECRET, TOKEN, PASS]}
Y
    run -v --keep=all
    status_is 1
    out_has '<***> <***>'
    hidden "$secret" made-by-a set-by-a
    is "$(cat .run-matrix/latest/fixtures/token/stdout)" '***, ***'
    is "$(cat .run-matrix/latest/fixtures/token/teardown-stdout)" 'gone: ***'
    out_has 'own: ***'
    out_has 'wide: ***'
    sed -i '/^defaults/d' run-matrix.yaml
    run -v --keep=all
    grep -q "own: $secret" -r .run-matrix/latest/ || fail 'there is nothing to be hidden'
}

# What a suite says of its own tests: names, messages and output.
test_results() {
    masked_suite "{name: a, results: {tap: stdout}, run: 'echo 1..1; echo \"not ok 1 - by \$SECRET\"; echo \"  ---\"; echo \"  message: was \$SECOND\"; echo \"  ...\"; echo \"# \$SECRET\"; exit 1'}"
    run -v --report json=out.json --junit-xml out.xml --report tap=out.tap
    status_is 1
    hidden "$secret" "$second"
    ! grep -F -e "$secret" -e "$second" out.json out.xml out.tap || fail 'a report says it'
    grep -qF 'name="by%20%2A%2A%2A"' out.xml
    grep -qF 'was ***' out.xml
}

# Whoever finds what a dead run has left was not told what it was to hide.
test_reap() {
    suite "{name: a, mask: [SECRET, UNSET], run: [$kid, hang, $token, '\${{ env.SECRET }}']}"
    start
    for _ in $(seq 300); do
        [ -z "$(pgrep -f "kid hang $token")" ] || break
        sleep 0.1
    done
    crew=$(python3 -c 'import json
held = json.load(open(".run-matrix/latest/held.json"))
print(*(held[who]["pid"] for who in ("guard", "runner", "keeper")))')
    # shellcheck disable=SC2086 # three words
    kill -STOP $crew
    # shellcheck disable=SC2086
    kill -KILL $crew
    finish
    for pid in $crew; do
        while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
    done
    run reap --dry-run
    out_has "$token ***"
    hidden "$secret"
    run reap
    hidden "$secret"
    nobody_is_left
}

# On GitHub reports leave the machine, and its own tokens with them.
test_tokens_of_github() {
    suite "{name: a, run: 'echo \"<\$GITHUB_TOKEN>\"; exit 1'}"
    GITHUB_TOKEN=ghs_0123456789 run
    out_has '<ghs_0123456789>'
    GITHUB_ACTIONS=true GITHUB_TOKEN=ghs_0123456789 run
    out_has '<***>'
    out_lacks ghs_
}

# One pass, however many words there are.
test_much_of_it() {
    {
        echo 'tests:'
        echo "  - {name: a, run: 'base64 -w 100 /dev/urandom | head -c 30000000; echo \"\$V7\"; exit 1', mask: [$(seq -f V%.0f -s, 100)]}"
    } >run-matrix.yaml
    for i in $(seq 100); do
        export "V$i=$(printf 'secret-%s-%s' "$i" "$(head -c 60 /dev/urandom | base64 -w 0)")"
    done
    run
    status_is 1
    out_has '***'
    hidden "$V7"
}

run_tests
