#!/bin/sh
# `ci`: the matrix of a workflow, the workflow, and where the two have drifted apart; and the scripts of the action.
. "$(dirname "$0")/lib.sh"

workflow=.github/workflows/run-matrix.yml

four_cells() {
    mkdir .git
    write run-matrix.yaml <<'Y'
strategy:
  max-parallel: 2
  matrix:
    backend: [exec, forkserver]
    transport: [tcp, uds]
defaults: {session-timeout: 20m}
tests:
  - {name: proto, run: './proto ${{ matrix.transport }}'}
profiles:
  ci: {retries: 1}
  nightly: {soak: {select: proto, below: 0.3%, within: 45m}}
Y
}

# ---- matrix ----

test_the_matrix_of_a_workflow() {
    four_cells
    run ci matrix
    status_is 0
    err_is_empty
    out_is <<'O'
{"include":[{"backend":"exec","transport":"tcp","id":"backend=exec,transport=tcp"},{"backend":"exec","transport":"uds","id":"backend=exec,transport=uds"},{"backend":"forkserver","transport":"tcp","id":"backend=forkserver,transport=tcp"},{"backend":"forkserver","transport":"uds","id":"backend=forkserver,transport=uds"}]}
O
    run ci matrix --cell transport=uds
    status_is 0
    out_lacks '"transport":"tcp"'
    err_has '2 cells get no jobs'
    run ci matrix -k nosuch
    status_is 5
    run ci
    status_is 4
    run ci matrx
    status_is 4
    err_has "did you mean 'matrix'?"
}

# By Python, as the runner reads that file: NAME<<DELIMITER, lines, DELIMITER.
outputs_in() { # FILE
    python3 - "$1" <<'P'
import sys
lines = iter(open(sys.argv[1]).read().split("\n"))
for line in lines:
    if not line:
        continue
    equals, heredoc = line.find("="), line.find("<<")
    assert equals >= 0 or heredoc >= 0, line
    if heredoc < 0 or 0 <= equals < heredoc:
        print(line)
        continue
    name, delimiter = line.split("<<", 1)
    value = []
    for line in lines:
        if line == delimiter:
            break
        value.append(line)
    print(name + "=" + "\n".join(value))
P
}

test_outputs_of_the_step() {
    four_cells
    printf 'before=1<<2' >said # by an echo -n, say
    GITHUB_OUTPUT=$PWD/said run ci matrix --github-output
    status_is 0
    out_is '4 jobs'
    outputs_in said >taken
    is "$(head -n 1 taken)" 'before=1<<2'
    sed -i 1d taken
    grep -q '^matrix={"include":\[{"backend":"exec"' taken || fail "$(cat taken)"
    is "$(sed -n '/^matrix/!p' taken | tr '\n' ' ')" 'count=4 max-parallel=2 fail-fast=false '
    run ci matrix --github-output
    status_is 4
    err_has 'GITHUB_OUTPUT'
    mkfifo waits
    for file in "$PWD" "$PWD/waits"; do
        GITHUB_OUTPUT=$file run ci matrix --github-output
        status_is 3
        err_has 'cannot write outputs of the step'
    done
}

test_no_job_at_all() {
    write run-matrix.yaml <<'Y'
strategy: {matrix: {os: [macos-14, windows-2022]}}
host: [os]
tests: [{name: t, run: [ls]}]
Y
    GITHUB_OUTPUT=$PWD/said run ci matrix --github-output
    status_is 0
    err_has '2 cells get no jobs: for another kind of machine than Linux'
    outputs_in said >taken
    is "$(tr '\n' ' ' <taken)" 'matrix={"include":[{"id":"none"}]} count=0 max-parallel=1 fail-fast=false '
    RUN_MATRIX_CELL='{"id":"none"}' run
    status_is 4
}

test_more_than_github_starts() {
    printf 'strategy: {matrix: {a: [%s], b: [1, 2]}}\n' "$(seq -s , 128)" >run-matrix.yaml
    run ci matrix
    status_is 0
    printf 'strategy: {matrix: {a: [%s], b: [1, 2]}}\n' "$(seq -s , 129)" >run-matrix.yaml
    run ci matrix
    status_is 4
    out_is_empty
    err_has '258 cells would be 258 jobs, and GitHub starts at most 256'
    printf 'strategy: {matrix: {a: [%s], b: [%s]}}\n' "$(seq -s , 200)" "$(head -c 3000 /dev/zero | tr '\0' x)" >run-matrix.yaml
    run ci matrix
    status_is 4
    err_has "a job's outputs have at most 1000000"
}

test_cells_that_jobs_could_not_tell_apart() {
    echo 'strategy: {matrix: {a: [1, 1]}}' >run-matrix.yaml
    run ci matrix
    status_is 4
    err_has 'the cell {"a":1} is there twice'
    echo 'strategy: {matrix: {a: [.nan]}}' >run-matrix.yaml
    run ci matrix
    status_is 4
    err_has 'run-matrix.yaml:1:25: error: JSON has no such number'
}

# Over all jobs each case is planned once, of each suite that is asked for.
every_case_once() { # PATH...
    run list -q "$@"
    sort "$scratch/out" >all
    run ci matrix "$@"
    status_is 0
    python3 -c 'import json, sys
for cell in json.load(sys.stdin)["include"]:
    print(json.dumps(cell))' <"$scratch/out" >cells
    while IFS= read -r cell; do
        RUN_MATRIX_CELL=$cell "$program" list -q "$@" || fail "$cell: $?"
    done <cells | sort >parts
    cmp all parts || fail "$(diff all parts)"
}

test_jobs_have_every_case_once() {
    four_cells
    cat >>run-matrix.yaml <<'Y'
suites: [kv/run-matrix.yaml, plain/run-matrix.yaml]
Y
    sed -i 's/^tests:/&\n  - {name: once, run: [ls], axes: []}\n  - {name: by, run: [ls], axes: [transport], only: matrix.transport == "uds"}/; s/"uds"/'"'uds'"'/' run-matrix.yaml
    write kv/run-matrix.yaml <<'Y'
strategy: {matrix: {backend: [exec], transport: [uds], include: [{backend: spawn, v: [1, {x: null}]}]}}
tests: [{name: kv, run: [ls]}, {name: one, run: [ls], axes: []}]
Y
    write plain/run-matrix.yaml <<'Y'
tests: [{name: plain, run: [ls]}]
Y
    every_case_once
    is "$(wc -l <cells)" 5
    [ "$(wc -l <all)" = 10 ] || fail "$(cat all)"
}

# What is left out decides nothing: neither where cases without a cell are, nor how jobs are run.
test_suites_that_are_left_out() {
    mkdir .git kv a plain
    echo 'suites: [kv/run-matrix.yaml, a/run-matrix.yaml, plain/run-matrix.yaml]' >run-matrix.yaml
    printf '%s\n' 'strategy: {max-parallel: 3, fail-fast: true, matrix: {k: [1, 2]}}' 'tests: [{name: kv, run: [ls]}]' >kv/run-matrix.yaml
    printf '%s\n' 'strategy: {max-parallel: 1, matrix: {a: [x, y]}}' 'tests: [{name: a, run: [ls]}]' >a/run-matrix.yaml
    echo 'tests: [{name: plain, run: [ls]}]' >plain/run-matrix.yaml
    every_case_once
    every_case_once plain
    is "$(cat cells)" '{"id": "all"}'
    every_case_once a plain
    is "$(wc -l <cells)" 2
    every_case_once kv plain
    GITHUB_OUTPUT=$PWD/said run ci matrix --github-output a plain
    outputs_in said >taken
    is "$(sed -n '/^matrix/!p' taken | tr '\n' ' ')" 'count=2 max-parallel=1 fail-fast=false '
    RUN_MATRIX_CELL='{"k": 1}' run list a plain
    status_is 4
    err_has 'is no cell of a/run-matrix.yaml'
    # The nearest of all of them, not of the first.
    RUN_MATRIX_CELL='{"a": "z"}' run list
    status_is 4
    err_has "is no cell of a/run-matrix.yaml; the nearest is {\"a\":\"x\"}"
}

# Cases without a cell go with the first cell that is for Linux, of whichever suite.
test_a_suite_that_is_for_other_machines_alone() {
    mkdir .git mac kv plain
    echo 'suites: [mac/run-matrix.yaml, plain/run-matrix.yaml, kv/run-matrix.yaml]' >run-matrix.yaml
    printf '%s\n' 'strategy: {matrix: {os: [macos-14]}}' 'host: [os]' 'tests: [{name: mac, run: [ls]}]' >mac/run-matrix.yaml
    echo 'tests: [{name: plain, run: [ls]}]' >plain/run-matrix.yaml
    printf '%s\n' 'strategy: {matrix: {os: [macos-14, ubuntu-24.04]}}' 'host: [os]' 'tests: [{name: kv, run: [ls]}]' >kv/run-matrix.yaml
    run ci matrix
    out_is '{"include":[{"os":"ubuntu-24.04","id":"os=ubuntu-24.04"}]}'
    RUN_MATRIX_CELL='{"os": "ubuntu-24.04"}' run list -q
    out_is 'plain/plain
kv/kv@os=ubuntu-24.04'
    run ci matrix mac plain
    out_is '{"include":[{"id":"all"}]}'
    RUN_MATRIX_CELL='{"id": "all"}' run list -q mac plain
    out_is plain/plain
}

test_inside_of_a_job_all_cells_are_there() {
    four_cells
    CI=true RUN_MATRIX_CELL='{"backend":"exec","transport":"tcp"}' run ci matrix
    status_is 0
    out_has 'backend=forkserver,transport=uds'
}

# ---- init, check ----

test_a_workflow_that_fits() {
    four_cells
    for how in '' --static; do
        # shellcheck disable=SC2086
        run ci init --force $how
        status_is 0
        out_has "wrote $workflow"
        run ci check
        status_is 0
        out_is "$workflow fits"
    done
    run ci init
    status_is 4
    err_has "$workflow: error: it is there already"
    grep -q 'timeout-minutes: 31' "$workflow" || fail 'the time of the session is not in it'
}

test_the_branch_that_a_repository_begins_with() {
    four_cells
    run ci init
    grep -qx '    branches: \[main, master\]' "$workflow" || fail "$(cat "$workflow")"
    mkdir -p .git/refs/remotes/origin
    echo 'ref: refs/remotes/origin/release/trunk-2' >.git/refs/remotes/origin/HEAD
    run ci init --force
    grep -qx '    branches: \[release/trunk-2\]' "$workflow" || fail "$(cat "$workflow")"
    echo 'ref: refs/remotes/origin/a*, b]' >.git/refs/remotes/origin/HEAD
    run ci init --force
    grep -qx '    branches: \[main, master\]' "$workflow" || fail "$(cat "$workflow")"
}

# Longer than GitHub's own machines have: on one of yours it fits.
test_a_session_that_takes_a_day() {
    four_cells
    sed -i 's/session-timeout: 20m/session-timeout: 24h/' run-matrix.yaml
    run ci init
    status_is 0
    err_has "GitHub's own machines end it after 360"
    run ci check
    status_is 0
}

test_a_file_below_the_root_of_the_repository() {
    four_cells
    mkdir -p "services/my kv"
    mv run-matrix.yaml 'services/my kv'
    cd 'services/my kv'
    run ci init -P ci --cell 'transport=tcp|uds' --deselect "it's"
    status_is 0
    grep -q 'working-directory: services/my kv$' "../../$workflow" || fail 'no working-directory'
    grep -qF "run-matrix ci matrix --github-output -P ci --cell 'transport=tcp|uds' --deselect 'it'\\''s'" "../../$workflow" || fail "$(cat "../../$workflow")"
    run ci check
    status_is 0
}

# The job is in the folder of the file, wherever this was typed.
test_paths_of_a_workflow() {
    mkdir -p .git mono/a 'mono/b c' mono/plain mono/sub
    echo "suites: [a/run-matrix.yaml, 'b c/run-matrix.yaml', plain/run-matrix.yaml]" >mono/run-matrix.yaml
    for name in a 'b c'; do
        printf '%s\n' 'strategy: {matrix: {v: [1, 2]}}' 'tests: [{name: t, run: [ls]}]' >"mono/$name/run-matrix.yaml"
    done
    echo 'tests: [{name: t, run: [ls]}]' >mono/plain/run-matrix.yaml
    echo '{"github": {}}' >mono/context.json
    cd mono/sub
    run ci init --context ../context.json ../a '../b c/run-matrix.yaml'
    status_is 0
    grep -qF "run-matrix ci matrix --github-output --context context.json a 'b c/run-matrix.yaml'" "../../$workflow" || fail "$(cat "../../$workflow")"
    grep -qF "args: '--context context.json a ''b c/run-matrix.yaml''" "../../$workflow" || fail "$(cat "../../$workflow")"
    run ci init --force ../run-matrix.yaml
    status_is 0
    grep -q 'args:' "../../$workflow" && fail 'all of it is named'
    cp ../context.json ../..
    run ci init --force --context ../../context.json
    status_is 4
    err_has "a workflow cannot name it"
}

# As a run takes them: what a profile asks of it from the file itself, whichever suite has the matrix.
test_profiles_of_a_monorepo() {
    mkdir -p .git a b
    printf '%s\n' 'suites: [a/run-matrix.yaml, b/run-matrix.yaml]' 'profiles: {nightly: {soak: {below: 0.3%, within: 45m}}}' >run-matrix.yaml
    printf '%s\n' 'strategy: {matrix: {v: [1, 2]}}' 'tests: [{name: t, run: [ls]}]' 'profiles: {ours: {retries: 1}}' >a/run-matrix.yaml
    printf '%s\n' 'tests: [{name: t, run: [ls]}]' 'profiles: {theirs: {soak: {below: 1%, within: 5m}}}' >b/run-matrix.yaml
    run ci init
    status_is 0
    grep -q '^          profile: nightly$' "$workflow" || fail 'the soak of the file is lost'
    grep -q 'profile: theirs' "$workflow" && fail 'a soak that no run reads'
    run ci check
    status_is 0
    for profile in ours theirs; do
        sed "/^  test:/,/^  soak:/s/^      - uses: run-matrix.*/&\n        with: {profile: $profile}/" "$workflow" >w.yml
        run ci check --workflow w.yml
        status_is 0
    done
    differs '/^  soak:/,$d' "profile 'nightly' says how to soak, and no job does"
    differs 's/profile: nightly/profile: nigthly/' "there is no profile 'nigthly'"
    differs 's/profile: nightly/profile: ours/' "profile 'ours' does not say how to soak (a/run-matrix.yaml"
    differs 's/profile: nightly/profile: theirs/' "the soak of profile 'theirs' is read in run-matrix.yaml alone, and is not said there"
}

test_what_cannot_be_written_down() {
    echo "strategy: {matrix: {a: [\"\${{ '\${{ x' }}\"]}}" >run-matrix.yaml
    run ci init --static
    status_is 4
    err_has 'do without --static'
    run ci init
    status_is 0
    echo 'strategy: {matrix: {a: [1], exclude: [{a: 1}]}}' >run-matrix.yaml
    run ci init --static --force
    status_is 4
    err_has 'no job to write down'
    cp "$workflow" before
    run ci init --force -k "\${{ github.token }}"
    status_is 4
    cmp before "$workflow" || fail 'written'
}

differs() { # SED EXPRESSION, WORDS OF THE ANSWER
    cp "$workflow" kept
    sed -i "$1" "$workflow"
    cmp -s kept "$workflow" && fail "nothing is changed by $1"
    run ci check
    mv kept "$workflow"
    status_is 1
    out_has "$2"
}

test_what_drifts_apart() {
    four_cells
    run ci init
    differs '/RUN_MATRIX_CELL/d; s/^    env:$//' 'run-matrix is not told which cell it is for'
    differs 's/toJSON(matrix)/toJSON(matrx)/' 'RUN_MATRIX_CELL is to be'
    differs 's/name: test (.*/name: test/' 'all jobs of the matrix have this name'
    differs 's/timeout-minutes: 31/timeout-minutes: 20/' 'GitHub ends the job before the session of 20m is over'
    differs 's/fail-fast: .*fromJSON.*/fail-fast: true/' "'fail-fast' is true here, and false there"
    differs 's/max-parallel: .*fromJSON.*/max-parallel: 3/' "'max-parallel' is 3 here, and 2 there (run-matrix.yaml:2:17)"
    differs 's/needs: plan/needs: []/' "which 'needs' does not name"
    differs "s/count != '0'/count == '0'/" "'count' is to be compared with 0 by !="
    differs '/if: needs.plan/d' 'the job starts also where there is no cell'
    differs 's/ --github-output//' 'it lacks --github-output'
    differs 's/profile: nightly/profile: nigthly/' "there is no profile 'nigthly'"
    differs 's/command: soak/comand: soak/' "the action has no input 'comand'; did you mean 'command'?"
    differs 's/runs-on: ubuntu-latest/runs-on: windows-latest/' "run-matrix is for Linux, and 'windows-latest' is not"
    differs '/schedule:/,/cron/d' 'nothing starts the soak'
    differs '/^  soak:/,$d' "profile 'nightly' says how to soak, and no job does"
    differs '/^  soak:/,$s/^    if:.*//' 'the soak runs with every push'
    differs "s/if: github.event_name != 'schedule'/if: github.event_name == 'schedule'/" 'the cases run on schedule alone'
    differs '/^        with:$/,/command: none/d' 'runs all cases itself'
    differs '/^  test:/q; /run-matrix.ci@v0/,/command: none/d' 'no step before installs run-matrix'
    differs '/^  test:/q; s/^      - uses: run-matrix.*/      - run: exec run-matrix ci matrix --github-output/; /command: none/d; /^        with:/d' \
        'no step before installs run-matrix'
    differs 's/matrix.id/matrix.i/' "no cell has a key 'i'"
    differs '/actions\/checkout/d' 'nothing is checked out before run-matrix is called'
}

test_cells_that_drift_apart() {
    four_cells
    run ci init --static
    differs '/backend: exec, transport: uds/d' 'cell backend=exec,transport=uds is not in the workflow (run-matrix.yaml:5:22)'
    differs 's/{backend: exec, transport: tcp/{backend: exec, transport: sctp/' \
        'cell backend=exec,transport=sctp is in the workflow, and run-matrix has nothing to run there'
    differs "s/id: 'backend=exec,transport=tcp'/id: x/" "the id of this cell is 'backend=exec,transport=tcp', not 'x'"
    differs "s/, id: 'backend=exec,transport=uds'//" 'this cell has no id, and others have'
    differs 's/fail-fast: false/fail-fast: true/' "'fail-fast' is true here"
    differs '/max-parallel/d' "'max-parallel' is not set here, and 2 there"
    sed -i 's/\[tcp, uds\]/[tcp]/' run-matrix.yaml
    run ci check
    status_is 1
    out_has "$workflow:"
    out_has '2 differences'
    # The same cells by another way: order, and numbers in quotes, make no difference to a job.
    printf '%s\n' 'on: push' 'jobs:' '  t:' '    runs-on: ubuntu-latest' '    strategy: {fail-fast: false, max-parallel: 2, matrix: {TRANSPORT: [tcp], backend: [forkserver, exec]}}' \
        "    env: {RUN_MATRIX_CELL: '\${{ tojson( matrix ) }}'}" '    steps: [{uses: actions/checkout@v4}, {run: make}, {run: ./run-matrix -P ci}]' >"$workflow"
    run ci check --workflow "$workflow#t"
    status_is 0
}

steps_of_job() { # LINE OF STEPS...
    {
        printf '%s\n' 'on: push' 'jobs:' '  t:' '    runs-on: ubuntu-latest' '    strategy: {fail-fast: false, matrix: {v: [1, 2]}}' '    steps:' \
            '      - uses: actions/checkout@v4' '      - run: make install'
        printf '      - %s\n' "$@"
    } >w.yml
    run ci check --workflow w.yml
}

test_what_calls_run_matrix() {
    printf '%s\n' 'strategy: {matrix: {v: [1, 2]}}' 'tests: [{name: t, run: [ls]}]' 'profiles: {ci: {retries: 1}}' >run-matrix.yaml
    env="env: {RUN_MATRIX_CELL: '\${{ toJSON(matrix) }}'}"
    # Neither says anything of a cell.
    steps_of_job 'run: sudo apt-get install -y run-matrix' 'run: run-matrix exec -- make test' "{run: 'set -e; timeout 9m run-matrix -P ci', $env}"
    status_is 0
    steps_of_job 'run: sudo apt-get install -y run-matrix' 'run: run-matrix exec -- make test'
    status_is 1
    out_is "w.yml:3:3: error: no job calls run-matrix
1 difference"
    # Each of the steps is on its own.
    steps_of_job "{run: run-matrix, $env}" 'run: sudo -E run-matrix -P ci'
    status_is 1
    out_is "w.yml:10:9: error: run-matrix is not told which cell it is for: env: {RUN_MATRIX_CELL: '\${{ toJSON(matrix) }}'}
1 difference"
    steps_of_job 'run: run-matrix' 'run: run-matrix -P ci'
    out_has 'w.yml:4:5: error: run-matrix is not told'
    out_has '1 difference'
    # What a step says itself holds for it.
    steps_of_job '{run: run-matrix, env: {RUN_MATRIX_CELL: wrong}}' 'run: run-matrix -P ci'
    sed -i "s/^    steps:/    $env\n&/" w.yml
    run ci check --workflow w.yml
    status_is 1
    out_is 'w.yml:10:50: error: RUN_MATRIX_CELL is to be ${{ toJSON(matrix) }}
1 difference'
    # And what both have is told once.
    sed -i 's/, env: {RUN_MATRIX_CELL: wrong}//; s/toJSON(matrix)/toJSON(github)/' w.yml
    run ci check --workflow w.yml
    out_has '1 difference'
}

# Whatever it is called: what init has written, check knows.
test_a_copy_of_the_action() {
    four_cells
    for uses in ./.github/actions/run-matrix me/fork/ci@v1 me/fork@0123abc run-matrix/run-matrix/ci@v0; do
        for how in '' --static; do
            run ci init --force --uses "$uses" ${how:+"$how"}
            status_is 0
            [ "$(grep -c "uses: $uses$" "$workflow")" = $((3 - (${#how} > 0))) ] || fail "$(cat "$workflow")"
            run ci check
            status_is 0
            run ci check --uses "$uses"
            status_is 0
            differs 's/profile: nightly/profile: nigthly/' "there is no profile 'nigthly'"
        done
    done
    # With less to know it by it has to be named.
    run ci init --force --uses me/fork/ci@v1
    sed -i '/command: run$/d; s/^        with:$/&\n          upload: true/' "$workflow"
    run ci check
    status_is 1
    out_has 'no job calls run-matrix'
    run ci check --uses me/fork/ci@v2
    status_is 0
    # Others' actions have commands of their own.
    sed -i 's/^      - uses: me.fork.*/      - {uses: some\/tool@v1, with: {command: run, target: x}}\n&/' "$workflow"
    run ci check --uses me/fork/ci
    status_is 0
}

test_machines_of_several_suites() {
    mkdir .git a b
    echo 'suites: [a/run-matrix.yaml, b/run-matrix.yaml]' >run-matrix.yaml
    machines() { # VALUES OF b
        printf '%s\n' 'strategy: {matrix: {os: [ubuntu-22.04, ubuntu-24.04]}}' 'host: [os]' 'tests: [{name: t, run: [ls]}]' >a/run-matrix.yaml
        printf '%s\n' "strategy: {matrix: {$1}}" 'tests: [{name: t, run: [ls]}]' >b/run-matrix.yaml
        run ci init --force
        status_is 0
        run ci check
        status_is 0
    }
    # The expression is that of all jobs.
    machines 'OS: [ubuntu-20.04]'
    grep -q "^    runs-on: \${{ matrix.os }}$" "$workflow" || fail "$(grep runs-on "$workflow")"
    differs 's/runs-on: ..{ matrix.os .*/runs-on: ubuntu-latest/' "cells differ in 'os', the kind of machine, and runs-on does not"
    machines 'os: [linux, bsd]'
    grep -q 'matrix.os' "$workflow" && fail 'a machine called linux'
    machines 'v: [1]'
    grep -q "^    runs-on: \${{ matrix.os || 'ubuntu-latest' }}$" "$workflow" || fail "$(grep runs-on "$workflow")"
    differs "s/ || 'ubuntu-latest'//" "cell 'v=1' has no key 'os', so its job has no machine"
    machines 'cc: [gcc, clang]'
    sed -i 's/^host: .*//' a/run-matrix.yaml
    differs 's/runs-on: ..{ matrix.os .*/runs-on: ${{ matrix.nosuch }}/' "no cell has a key 'nosuch'"
    differs 's/runs-on: ..{ matrix.os .*/runs-on: ${{ matrix.cc }}/' "has no key 'cc'"
}

test_machines_that_drift_apart() {
    mkdir .git
    write run-matrix.yaml <<'Y'
strategy: {matrix: {os: [ubuntu-22.04, ubuntu-24.04, macos-14]}}
host: [os]
tests: [{name: t, run: [ls]}]
Y
    run ci init
    grep -q "runs-on: \${{ matrix.os }}" "$workflow" || fail 'runs-on'
    differs 's/runs-on: ..{ matrix.os .*/runs-on: ubuntu-latest/' "cells differ in 'os', the kind of machine, and runs-on does not"
}

test_workflows_that_cannot_be_read() {
    four_cells
    run ci check
    status_is 4
    err_has "'run-matrix ci init' writes one"
    for text in '' '[' 'jobs: {}' 'jobs: 1' 'on: push'; do
        echo "$text" >w.yml
        run ci check --workflow w.yml
        status_is 4
        err_has 'w.yml'
    done
    echo 'jobs: {a: 1, b: {steps: x}, c: {steps: [1, null, {run: 2}]}}' >w.yml
    run ci check --workflow w.yml
    status_is 1
    out_has 'no job calls run-matrix'
    run ci check --workflow w.yml#nosuch
    status_is 4
}

test_our_own_workflow_fits() {
    cd "$root"
    run ci check --workflow .github/workflows/ci.yml examples/actors
    status_is 0
    run ci matrix examples/actors
    status_is 0
    out_has '"id":"backend=exec,transport=tcp,capture=fd"'
    out_lacks 'variant'
}

test_cells_of_a_workflow_that_are_for_others() {
    write .github/workflows/ci.yml <<'Y'
on: push
jobs:
  testing:
    runs-on: ${{ matrix.os }}-latest
    strategy: {matrix: {os: [ubuntu, macos, windows]}}
    steps: [{run: 'true'}]
Y
    write run-matrix.yaml <<'Y'
strategy: {from: .github/workflows/ci.yml}
tests: [{name: t, run: 'echo ${{ matrix.os }} >>ran'}]
Y
    run
    status_is 0
    out_has '3 cells: 1 here, 2 elsewhere (os=macos, os=windows)'
    last_line_is '1 passed, 0 failed'
    is "$(cat ran)" ubuntu
    run ci matrix
    out_is '{"include":[{"os":"ubuntu","id":"os=ubuntu"}]}'
}

test_the_workflow_that_a_matrix_comes_from() {
    write .github/workflows/ci.yml <<'Y'
on: push
jobs:
  testing:
    runs-on: ubuntu-latest
    strategy: {matrix: {cc: [gcc, clang]}}
    steps: [{uses: actions/checkout@v4}, {run: make}, {run: build/run-matrix}]
Y
    write run-matrix.yaml <<'Y'
strategy: {from: .github/workflows/ci.yml#testing}
tests: [{name: t, run: [ls]}]
Y
    run ci check
    status_is 1
    out_has '.github/workflows/ci.yml:4:5: error: run-matrix is not told which cell it is for'
    out_has '1 difference'
    sed -i "s/build.run-matrix/&, env: {RUN_MATRIX_CELL: '\${{ toJSON(matrix) }}'}/" .github/workflows/ci.yml
    run ci check
    status_is 0
    # Another job of that file has a matrix of its own, and another file is another one.
    cp .github/workflows/ci.yml other-ci.yml
    cat >>.github/workflows/ci.yml <<'Y'
  more:
    runs-on: ubuntu-latest
    strategy: {matrix: {cc: [tcc]}}
    env: {RUN_MATRIX_CELL: '${{ toJSON(matrix) }}'}
    steps: [{uses: actions/checkout@v4}, {run: build/run-matrix}]
Y
    run ci check --workflow .github/workflows/ci.yml
    status_is 1
    out_has 'cell cc=tcc is in the workflow, and run-matrix has nothing to run there'
    mv other-ci.yml ci.yml
    sed 's/gcc, clang/gcc/' ci.yml >other-ci.yml
    sed -i 's/from: .*#/from: ci.yml#/' run-matrix.yaml
    run ci check --workflow ci.yml
    status_is 0
    run ci check --workflow other-ci.yml
    status_is 1
    out_has 'is not in the workflow'
}

# ---- the action ----

action_run() { # NAME=VALUE...
    mkdir -p bin
    # shellcheck disable=SC2016
    printf '#!/bin/sh\nenv | grep ^INPUT_\nfor word in "$@"; do printf "<%%s>\\n" "$word"; done\n' >bin/run-matrix
    chmod +x bin/run-matrix
    run_command env PATH="$PWD/bin:$PATH" "$@" "$root/ci/action/run.sh"
}

test_inputs_of_the_action_are_words() {
    action_run INPUT_COMMAND=run
    status_is 0
    out_is '<run>'
    # shellcheck disable=SC2016 # that is what must not be expanded
    action_run INPUT_COMMAND=soak INPUT_PROFILE='x y' INPUT_JUNIT='a b.xml' INPUT_SELECTION="$(printf 'a::b\n\n$(touch bad)\n')" \
        INPUT_ARGS='-k "a or b" --cell x='\''y z'\''  $(touch bad) ; `touch bad` * \" "" '
    status_is 0
    out_is <<'O'
<soak>
<-P>
<x y>
<--junit-xml>
<a b.xml>
<-k>
<a or b>
<--cell>
<x=y z>
<$(touch>
<bad)>
<;>
<`touch>
<bad`>
<*>
<">
<>
<--id>
<a::b>
<--id>
<$(touch bad)>
O
    [ ! -e bad ] || fail 'an input was run'
    action_run INPUT_COMMAND='run; touch bad'
    status_is 4
    for args in '"open' "it's" '-k "a
b"'; do
        action_run INPUT_ARGS="$args"
        status_is 4
        err_is_empty
        out_is "::error title=run-matrix::'args' has a quote that is not closed"
    done
}

test_the_action_names_its_artifact() {
    mkdir runs
    run_command env GITHUB_OUTPUT="$PWD/o" RUN_DIR=runs INPUT_ARTIFACT_NAME="$(printf 'a/b:c"d\nrun-dir=/etc')" "$root/ci/action/name.sh"
    status_is 0
    is "$(cat o)" "run-dir=$(pwd -P)/runs
artifact-name=a-b-c-d-run-dir=-etc"
    run_command env GITHUB_OUTPUT="$PWD/o2" RUN_DIR=runs GITHUB_JOB=test JOB_INDEX=3 GITHUB_RUN_ATTEMPT=2 "$root/ci/action/name.sh"
    is "$(tail -n 1 o2)" artifact-name=run-matrix-test-2-3-runs
    # However long what comes before, the end is there.
    run_command env GITHUB_OUTPUT="$PWD/o3" RUN_DIR=runs OWN_ARTIFACT_NAME="$(head -c 300 /dev/zero | tr '\0' x)" JOB_INDEX=3 "$root/ci/action/name.sh"
    case $(tail -n 1 o3) in
    *x-3-runs) ;;
    *) fail "$(cat o3)" ;;
    esac
}

# By a name that no artifact may have the whole folder would be refused.
test_the_action_renames_what_could_not_be_uploaded() {
    mkdir -p 'runs/a:b/c"d' runs/fine
    echo one >'runs/a:b/c"d/x*y?'
    echo two >'runs/a:b/c"d/x-y-'
    echo three >"$(printf 'runs/fine/line\nbreak')"
    echo four >"runs/fine/back\\slash"
    mkfifo 'runs/<pipe>'
    run_command env GITHUB_OUTPUT="$PWD/o" RUN_DIR=runs GITHUB_JOB=test "$root/ci/action/name.sh"
    status_is 0
    is "$(find runs ! -type d -print0 | sort -z | tr '\0' ' ')" 'runs/-pipe- runs/a-b/c-d/x-y- runs/a-b/c-d/x-y-- runs/fine/back-slash runs/fine/line-break '
    is "$(cat runs/a-b/c-d/x-y--)" one
    grep -q 'continue-on-error: true' "$root/ci/action.yml" || fail 'an upload that fails makes the job red'
}

# Whoever uploads follows links, and waits for a pipe.
test_the_action_keeps_nothing_from_elsewhere() {
    mkdir -p home/.git runs/case/deep
    echo token >home/.git/config
    ln -s "$PWD/home" runs/case/home
    ln -s ../../../home/.git/config runs/case/deep/config
    ln -s ../../other runs/case/deep/nowhere
    ln -s "$PWD/home" "$(printf 'runs/case/deep/line\nbreak')"
    mkfifo runs/pipe
    echo own >runs/own
    name_it() { # RUN_DIR
        rm -f o
        run_command env GITHUB_OUTPUT="$PWD/o" RUN_DIR="$1" "$root/ci/action/name.sh"
        status_is 0
    }
    name_it "$PWD/runs"
    grep -q '^artifact-name=' o || fail "$(cat o)"
    is "$(find runs -type f | sort | tr '\n' ' ')" \
        'runs/case/deep/config runs/case/deep/line-break runs/case/deep/nowhere runs/case/home runs/own runs/pipe '
    is "$(find runs ! -type f ! -type d)" ''
    is "$(cat runs/case/home)" "Here was a link to $PWD/home"
    is "$(cat runs/case/deep/config)" 'Here was a link to ../../../home/.git/config'
    is "$(cat runs/own) $(cat home/.git/config)" 'own token'
    # Nor is another folder kept in the place of the run's.
    mv runs home/runs
    ln -s home runs
    for folder in runs "$PWD/runs" "$PWD/runs/runs"; do
        name_it "$folder"
        out_has '::warning title=run-matrix::the folder of the run is not what it was'
        [ ! -e o ] || fail "$(cat o)"
    done
}

# To be root is no help, as it is none to most: the words of a command that has no more rights than others.
unprivileged() { # CMD ARG...
    if [ "$(id -u)" = 0 ]; then
        run_command setpriv --bounding-set=-dac_override,-dac_read_search "$@"
    else
        run_command "$@"
    fi
}

test_the_action_keeps_what_cases_have_closed() {
    mkdir -p runs/case/closed/deep runs/z:z
    echo one >runs/case/closed/deep/file
    ln -s "$PWD" runs/case/closed/link
    chmod 0 runs/case/closed/deep/file runs/case/closed/deep runs/case/closed
    unprivileged true
    [ "$status" = 0 ] || skip 'no rights can be given up'
    unprivileged ls runs/case/closed
    [ "$status" != 0 ] || skip 'nothing is closed to us'
    unprivileged env GITHUB_OUTPUT="$PWD/o" RUN_DIR="$PWD/runs" GITHUB_JOB=test "$root/ci/action/name.sh"
    status_is 0
    out_is_empty
    is "$(cat o)" "run-dir=$(pwd -P)/runs
artifact-name=run-matrix-test-1-0-runs"
    unprivileged cat runs/case/closed/deep/file runs/case/closed/link
    out_is "one
Here was a link to $PWD"
    [ -d runs/z-z ] || fail 'not renamed'
}

# The rights that another user's folder would leave us: what cannot be read is told, and no job is red for it.
test_the_action_does_without_what_is_not_its_own() {
    [ "$(id -u)" = 0 ] || skip 'only root has files of others'
    mkdir -p runs/closed runs/fixed
    echo fine >runs/fine
    ln -s "$PWD" runs/fixed/link
    chown 65534 runs/closed runs/fixed || skip 'no files of others here'
    chmod 0 runs/closed
    chmod 755 runs/fixed
    setpriv --bounding-set=-dac_override,-dac_read_search,-fowner true || skip 'no rights can be given up'
    as_other() {
        rm -f o
        run_command setpriv --bounding-set=-dac_override,-dac_read_search,-fowner env GITHUB_OUTPUT="$PWD/o" RUN_DIR=runs "$root/ci/action/name.sh"
        status_is 0
    }
    as_other
    out_has 'what is no file of the folder of the run could not be replaced'
    is "$(cat o)" "run-dir=$(pwd -P)/runs"
    rm runs/fixed/link
    as_other
    out_has 'something in the folder of the run is not ours to read'
    grep -q '^artifact-name=' o || fail "$(cat o)"
}

# As a step of the action: a run, and what its artifact is called after it.
step_of_job() { # INDEX CELL
    : >outputs
    RUN_MATRIX_CELL=$2 GITHUB_ACTIONS=true GITHUB_JOB=test GITHUB_OUTPUT=$PWD/outputs run
    status_is 0
    outputs_in outputs >taken
    run_command env GITHUB_OUTPUT="$PWD/named" JOB_INDEX="$1" RUN_DIR="$(sed -n 's/^run-dir=//p' taken)" \
        OWN_ARTIFACT_NAME="$(sed -n 's/^artifact-name=//p' taken)" "$root/ci/action/name.sh"
    status_is 0
}

# GitHub ends the second job that has a name.
all_are_named_once() { # COUNT
    is "$(grep '^artifact-name=' named | sort -u | wc -l)" "$1"
    rm named
}

test_no_two_artifacts_have_one_name() {
    mkdir part other
    echo 'suites: [part/run-matrix.yaml, other/run-matrix.yaml]' >run-matrix.yaml
    cat >part/run-matrix.yaml <<'Y'
strategy: {matrix: {v: [1, x]}}
tests: [{name: t, run: ['true', '${{ matrix.v }}']}]
Y
    sed "s/1, x/'1'/; s/: t,/: u,/" part/run-matrix.yaml >other/run-matrix.yaml
    # Cells that differ in their types alone, of suites that are not the first.
    step_of_job 0 '{"v": 1}'
    grep -q '^cell=v=1$' taken || fail "$(cat taken)"
    step_of_job 1 '{"v": "1"}'
    step_of_job 2 '{"v": "x"}'
    grep -q '^cell=v=x$' taken || fail "$(cat taken)"
    grep -q '^artifact-name=run-matrix-test-v=x-1$' taken || fail "$(cat taken)"
    # The action twice in a job.
    step_of_job 2 '{"v": "x"}'
    all_are_named_once 4
    # A file without a matrix, in each job of one.
    cd part
    echo 'tests: [{name: t, run: ["true"]}]' >run-matrix.yaml
    step_of_job 0 ''
    step_of_job 1 ''
    all_are_named_once 2
    # Values that nobody may see.
    cat >run-matrix.yaml <<'Y'
strategy: {matrix: {v: [secret-one, secret-two]}}
defaults: {mask: [SECRET_ONE, SECRET_TWO]}
tests: [{name: t, run: ['true', '${{ matrix.v }}']}]
Y
    export SECRET_ONE=secret-one SECRET_TWO=secret-two
    step_of_job 0 '{"v": "secret-one"}'
    step_of_job 1 '{"v": "secret-two"}'
    ! grep 'secret' named || fail 'a secret is in the name'
    all_are_named_once 2
}

test_the_action_knows_what_it_has_built() {
    run_command env GITHUB_ACTION_PATH="$root/ci" RUNNER_TEMP="$PWD" GITHUB_OUTPUT="$PWD/o" "$root/ci/action/key.sh"
    status_is 0
    grep -qE '^key=run-matrix-[a-z0-9.-]+-[a-z0-9_]+-[0-9a-f]{32}$' o || fail "$(cat o)"
    # What another version has left on a machine that is kept is not taken for this one.
    is "$(sed -n 's/^prefix=//p' o)" "$PWD/run-matrix/$(sed -n 's/^key=.*-//p' o)"
    # What is there and starts is taken as it is.
    mkdir -p p/bin p/libexec/run-matrix
    ln -s "$program" p/bin/run-matrix
    ln -s "$program" p/libexec/run-matrix/run-matrix-stacks
    run_command env GITHUB_ACTION_PATH="$root/ci" PREFIX="$PWD/p" GITHUB_PATH="$PWD/path" "$root/ci/action/install.sh"
    status_is 0
    is "$(cat path)" "$PWD/p/bin"
}

# Of a job that builds something else, by flags that ours would not survive.
test_the_action_builds_by_itself() {
    mkdir -p src/tests src/ci/action
    cp "$root/ci/action/install.sh" src/ci/action
    printf '#!/bin/sh\n' >src/tests/packages
    chmod +x src/tests/packages
    cat >src/Makefile <<'M'
CFLAGS = -O2
WERROR = -Werror
all:
	echo '$(CC) $(CFLAGS)[$(WERROR)$(LDFLAGS)$(CPPFLAGS)]' >made
install:
	mkdir -p '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/libexec/run-matrix'
	for name in bin/run-matrix libexec/run-matrix/run-matrix-stacks; do \
		printf '#!/bin/sh\n' >'$(DESTDIR)$(PREFIX)/'$$name && chmod +x '$(DESTDIR)$(PREFIX)/'$$name; done
M
    run_command env CC=nosuch CFLAGS=-Wnosuch CPPFLAGS=-DX LDFLAGS=-lnosuch DESTDIR="$PWD/elsewhere" MAKEFLAGS=e MFLAGS=-e GNUMAKEFLAGS=-e \
        GITHUB_ACTION_PATH="$PWD/src/ci" PREFIX="$PWD/p" GITHUB_PATH="$PWD/path" "$root/ci/action/install.sh"
    status_is 0
    is "$(cat src/made)" 'cc -O2[]'
    [ -x p/bin/run-matrix ] || fail 'not installed'
    [ ! -e elsewhere ] || fail 'installed elsewhere'
    is "$(cat path)" "$PWD/p/bin"
}

# Kept before cases can write there, and whatever becomes of them; and what builds it is asked for where it may be missing.
test_the_action_keeps_what_it_has_built() {
    grep -o 'actions/cache[a-z/]*\|actions/upload-artifact\|action/install.sh\|action/run.sh' "$root/ci/action.yml" >steps
    is "$(tr '\n' ' ' <steps)" \
        'actions/cache/restore action/install.sh actions/cache/save action/run.sh actions/upload-artifact '
    grep -q 'make -C' "$root/ci/action/install.sh" || fail 'built by what?'
    grep -q '^build  *make  *program  *make$' "$root/tests/packages.txt" || fail 'no make'
}

# Every input is one that `ci check` knows, and stands in no script; what the action reads is set.
test_the_inputs_of_the_action() {
    sed -n '/^inputs:/,/^outputs:/s/^  \([a-z-]*\):$/\1/p' "$root/ci/action.yml" >inputs
    [ "$(wc -l <inputs)" = 10 ] || fail "$(cat inputs)"
    four_cells
    run ci init
    while IFS= read -r input; do
        case $input in
        command) value=none ;;
        profile) value=nightly ;;
        *) value=x ;;
        esac
        sed "/command: none/d; 0,/^        with:/s//&\n          $input: $value/" "$workflow" >w.yml
        grep -q "^          $input: $value$" w.yml || fail "$input is not in it"
        run ci check --workflow w.yml
        [ "$status" -le 1 ] || fail "not read: $(cat "$scratch/err")"
        out_lacks "$input'"
        grep -q "inputs\.$input " "$root/ci/action.yml" || fail "nothing reads $input"
    done <inputs
    grep -n 'run:.*\${{' "$root/ci/action.yml" && fail 'an expression in a script'
    grep -oh 'INPUT_[A-Z_]*' "$root"/ci/action/*.sh | sort -u >variables
    [ -s variables ] || fail 'no variables'
    while IFS= read -r variable; do
        grep -q "$variable: " "$root/ci/action.yml" || fail "$variable is not set"
    done <variables
}

run_tests
