#!/bin/sh
# `suites`: files of several folders are one run, and each of them means in it what it means alone.
. "$(dirname "$0")/lib.sh"
own_world

# The root has a test, kv and web a matrix each, and web a script that is found from its own folder.
monorepo() {
    write run-matrix.yaml <<'Y'
suites: [services/*/run-matrix.yaml]
defaults: {timeout: 40s}
tests: [{name: top, run: 'basename "$PWD" >"$RUN_MATRIX_ARTIFACTS/folder"'}]
Y
    write services/kv/run-matrix.yaml <<'Y'
strategy: {matrix: {storage: [memory, disk]}}
defaults: {timeout: 50s, env: {WHO: kv}}
tests:
  - {name: get, run: 'echo "$WHO in $(basename "$PWD") on ${{ matrix.storage }}"'}
  - {name: put, axes: [], run: 'pwd -P; exit 1'}
overrides:
  - {select: get@storage=disk, timeout: 2m}
  - {select: services/kv/put, marks: [writes]}
profiles: {ci: {retries: 1}}
Y
    write services/web/run-matrix.yaml <<'Y'
strategy: {matrix: {browser: [lynx]}}
tests:
  - {name: get, run: [./get.sh, '${{ matrix.browser }}']}
  - {name: sub, cwd: deep, axes: [], run: [cat, file]}
Y
    write services/web/get.sh <<'S'
#!/bin/sh
echo "web gets with $1, WHO is ${WHO-nobody}"
S
    chmod +x services/web/get.sh
    echo 'in the deep' | write services/web/deep/file
}

test_one_run() {
    monorepo
    run -v --keep=all --report json=out.json --report tap=out.tap --junit-xml out.xml
    status_is 1
    last_line_is '5 passed, 1 failed'
    is "$(find . -name journal.ndjson | wc -l)" 1
    out_has 'services/kv/run-matrix.yaml: 2 cells'
    out_has "$(pwd -P)/services/kv"
    is "$(cat .run-matrix/latest/cases/top/1/artifacts/folder)" here
    for file in out.json out.tap out.xml; do
        grep -q 'services/kv/put' "$file" || fail "$file does not say services/kv/put"
    done
    grep -qF 'file="services/kv/run-matrix.yaml" line="5"' out.xml
    run show services/kv/put
    out_has "$(pwd -P)/services/kv"
    run show services/kv/get@storage=memory
    out_has 'kv in kv on memory'
    run show services/web/get services/web/sub
    out_has 'web gets with lynx, WHO is nobody'
    out_has 'in the deep'
}

test_settings_are_of_their_own_file() {
    monorepo
    run show --config
    status_is 0
    cp "$scratch/out" config
    [ "$(grep -c '^  timeout  ' config)" = 6 ]
    is "$(grep -A 20 '^top' config | grep -m 1 '^  timeout')" "$(printf '  %-20s %-32s %s  %s' timeout 40s defaults run-matrix.yaml:2:21)"
    is "$(grep -A 20 'kv/get@storage=memory' config | grep -m 1 '^  timeout')" "$(printf '  %-20s %-32s %s  %s' timeout 50s defaults services/kv/run-matrix.yaml:2:21)"
    grep -A 20 'kv/get@storage=disk' config | grep -m 1 '^  timeout' | grep -q '2m .*override'
    grep -A 20 'kv/put' config | grep -m 1 '^  marks' | grep -q writes
    grep -A 20 'web/get' config | grep -m 1 '^  timeout' | grep -q '60s .*built-in'
    is "$(grep -A 20 'web/' config | grep -c WHO)" 0
    run list
    err_is_empty
    run -P ci
    is "$(records '"attempt":2,"verdict"')" 1
}

# Whoever names a suite, by its folder, one in it, one above it or its file, means its cases, with the same ids.
test_paths() {
    monorepo
    for path in services/kv services/kv/ ./services/kv/run-matrix.yaml "$PWD/services/kv"; do
        run list -q "$path"
        status_is 0
        out_is <<'O'
services/kv/get@storage=memory
services/kv/get@storage=disk
services/kv/put
O
    done
    run list -q services/web/deep
    out_is <<'O'
services/web/get@browser=lynx
services/web/sub
O
    run list -q services
    is "$(wc -l <"$scratch/out")" 5
    run list -q services/kv services/web
    is "$(wc -l <"$scratch/out")" 5
    run list -q .
    is "$(wc -l <"$scratch/out")" 6
    run list -q run-matrix.yaml
    is "$(wc -l <"$scratch/out")" 6
    run list -q services/web services/web/sub
    out_is services/web/sub
    run services/kv
    status_is 1
    last_line_is '2 passed, 1 failed'
    is "$(records '"id":"services/kv/')" 1
    out_lacks services/web
    [ ! -d services/kv/.run-matrix ]
    run show services/kv/put
    status_is 0
    run list --json services/web
    is "$(grep -o '"name":"[a-z, ]*","values"' "$scratch/out")" '"name":"lynx","values"'
}

# The nearest file counts: there a suite is one by itself.
test_from_within() {
    monorepo
    mkdir -p services/kv/src
    (cd services/kv/src && "$program" list -q) >"$scratch/out"
    out_is <<'O'
get@storage=memory
get@storage=disk
put
O
    (cd services/kv && "$program" list -q ../web) >"$scratch/out"
    out_is <<'O'
get@browser=lynx
sub
O
    (cd services && "$program" list -q kv) >"$scratch/out"
    is "$(wc -l <"$scratch/out")" 3
    grep -qx services/kv/put "$scratch/out"
}

# Each matrix has its own: other suites go on.
test_fail_fast_is_of_its_own_matrix() {
    write run-matrix.yaml <<'Y'
suites: [a/run-matrix.yaml, b/run-matrix.yaml]
Y
    write a/run-matrix.yaml <<'Y'
strategy: {fail-fast: true, matrix: {n: [1, 2, 3]}}
tests: [{name: t, run: 'test ${{ matrix.n }} != 1'}]
Y
    write b/run-matrix.yaml <<'Y'
strategy: {matrix: {n: [1, 2, 3]}}
tests: [{name: t, run: 'test ${{ matrix.n }} != 1'}]
Y
    run -n 1
    status_is 1
    is "$(records '"verdict":"not run"')" 2
    is "$(records '"verdict":"passed"')" 2
    is "$(records '"verdict":"failed"')" 2
}

# One cell of the first at a time, both of the second side by side: each waits for the other, and so it passes.
test_max_parallel_is_of_its_own_matrix() {
    mkfifo there back
    write run-matrix.yaml <<'Y'
suites: [a/run-matrix.yaml, b/run-matrix.yaml]
Y
    write a/run-matrix.yaml <<'Y'
strategy: {max-parallel: 1, matrix: {n: [1, 2, 3]}}
tests: [{name: t, run: 'mkdir ../held; : ; rmdir ../held'}]
Y
    write b/run-matrix.yaml <<'Y'
strategy: {matrix: {n: [1, 2]}}
tests: [{name: t, run: 'if [ ${{ matrix.n }} = 1 ]; then echo x >../there; cat ../back; else cat ../there; echo x >../back; fi'}]
Y
    run -n 4
    status_is 0
    last_line_is '5 passed, 0 failed'
}

# Of the file that was asked for: one run has one.
test_session_timeout_is_of_the_root() {
    monorepo
    sed -i 's/timeout: 40s/session-timeout: 1h/' run-matrix.yaml
    sed -i 's/timeout: 50s/session-timeout: 1ms/' services/kv/run-matrix.yaml
    run
    status_is 1
    last_line_is '5 passed, 1 failed'
    sed -i 's/session-timeout: 1h/session-timeout: 1ms/' run-matrix.yaml
    run
    status_is 1
    out_has 'session deadline'
}

# What a case leaves in the folder of its suite is seen.
test_leaks_in_folders_of_suites() {
    write run-matrix.yaml <<'Y'
suites: [s/run-matrix.yaml]
Y
    write s/run-matrix.yaml <<'Y'
tests: [{name: t, run: 'python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\"left.sock\")"'}]
Y
    run
    status_is 1
    is "$(records '"verdict":"leaked"')" 1
}

# ---- errors ----

test_a_broken_file_says_where() {
    monorepo
    echo 'tests: [{nme: x, run: [ls]}]' >services/web/run-matrix.yaml
    echo 'strategy: {matrix: {a: }}' >>services/kv/run-matrix.yaml
    run
    status_is 4
    err_has "services/web/run-matrix.yaml:1:10: error: unknown key 'nme'"
    err_has 'services/kv/run-matrix.yaml:10:1: error:'
    [ ! -e .run-matrix ]
}

test_circles() {
    write run-matrix.yaml <<'Y'
suites: [run-matrix.yaml]
Y
    run
    status_is 4
    err_has "run-matrix.yaml:1:10: error: 'run-matrix.yaml' is the file that says so: a suite does not contain itself"
    write run-matrix.yaml <<'Y'
suites: [a/run-matrix.yaml]
Y
    write a/run-matrix.yaml <<'Y'
suites: [../run-matrix.yaml]
tests: [{name: t, run: 'true'}]
Y
    run
    status_is 4
    err_has "a/run-matrix.yaml:1:9: error: 'suites' stands in 'run-matrix.yaml' already"
    rm -r a
    ln -s . a
    run
    status_is 4
    err_has "a/run-matrix.yaml:1:9: error: 'suites' stands in 'run-matrix.yaml' already"
}

test_nothing_matches() {
    write run-matrix.yaml <<'Y'
suites:
  - services/*/run-matrix.yaml
Y
    run
    status_is 4
    err_has "run-matrix.yaml:2:5: error: no file matches 'services/*/run-matrix.yaml'"
}

test_two_files_of_one_folder() {
    write run-matrix.yaml <<'Y'
suites: [s/*.yaml]
Y
    for name in one two; do
        echo "tests: [{name: t, run: 'true'}, {name: $name, run: 'true'}]" | write "s/$name.yaml"
    done
    run
    status_is 4
    err_has "s/two.yaml:1:9: error: test 's/t' is there already, at s/one.yaml:1:9"
    sed -i 's/{name: t, [^}]*}, //' s/two.yaml
    run list -q
    status_is 0
    out_is <<'O'
s/t
s/one
s/two
O
}

run_tests
