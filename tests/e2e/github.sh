#!/bin/sh
# In a job of GitHub Actions: which cell it is, and what the runner reads out of what is printed.
. "$(dirname "$0")/lib.sh"

matrix() {
    cat >run-matrix.yaml <<'EOF'
strategy: {matrix: {backend: [exec, spawn], v: [1.10, '1.10']}}
tests:
  - {name: all, run: [echo, '${{ matrix.backend }}']}
  - {name: once, run: ['true'], axes: []}
  - {name: by-backend, run: ['true'], axes: [backend]}
EOF
}

list_of() { # CELL
    RUN_MATRIX_CELL=$1 run list -q
    status_is 0
    cat "$scratch/out"
}

test_each_case_is_the_job_of_one_cell() {
    matrix
    run list -q
    sort "$scratch/out" >all
    {
        list_of '{"backend": "exec", "v": 1.1}'
        list_of '{
  "backend": "exec",
  "v": "1.10"
}'
        list_of '{"v":1.1,"backend":"spawn","id":"spawn_1_1"}'
        list_of '{"backend": "spawn", "v": "1.10", "id": "spawn_1_10"}'
    } | sort >parts
    cmp all parts || fail 'not every case once'
}

test_a_job_runs_its_cell() {
    matrix
    RUN_MATRIX_CELL='{"backend": "spawn", "v": 1.1}' run
    status_is 0
    out_has ', cell backend=spawn,v=1.1'
    out_has '2 passed, 0 failed'
    RUN_MATRIX_CELL='{"backend": "spawn", "v": 1.1}' run --cell backend=exec
    status_is 5
    RUN_MATRIX_CELL='{"backend": "spawn", "v": 1.1}' run show --config all
    status_is 0
    out_has 'all@backend=spawn,v=1.1'
    out_lacks 'backend=exec'
}

test_what_is_no_cell() {
    matrix
    RUN_MATRIX_CELL='{"backend": "exce", "v": 1.1}' run
    status_is 4
    err_has 'the nearest is {"backend":"exec","v":1.1}'
    for text in '{' '[]' '"exec"' '{}' null; do
        RUN_MATRIX_CELL=$text run
        status_is 4
    done
    RUN_MATRIX=1 RUN_MATRIX_CELL='{"backend": "exce"}' run list
    status_is 0
    RUN_MATRIX_CELL='' run list
    status_is 0
}

test_a_matrix_of_jobs_that_do_not_say_their_cell() {
    matrix
    mkdir -p .github/workflows
    printf 'jobs: {tests: {strategy: {matrix: {a: [1]}}}, plain: {}}\n' >.github/workflows/ci.yml
    GITHUB_WORKSPACE=$PWD GITHUB_WORKFLOW_REF=o/r/.github/workflows/ci.yml@refs/heads/main
    export GITHUB_WORKSPACE GITHUB_WORKFLOW_REF
    GITHUB_JOB=tests run
    status_is 4
    err_has ".github/workflows/ci.yml:1:35: error: job 'tests' has a matrix"
    err_has "RUN_MATRIX_CELL: \${{ toJSON(matrix) }}"
    GITHUB_JOB=plain run list
    status_is 0
    GITHUB_JOB=tests RUN_MATRIX_CELL='{"backend": "exec", "v": 1.1}' run
    status_is 0
    suite '{name: a, run: ["true"]}'
    GITHUB_JOB=tests run
    status_is 0
}

run_tests
