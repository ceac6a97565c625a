#!/bin/sh
# The documentation says what the program does.
. "$(dirname "$0")/lib.sh"

test_the_reference_is_the_one_the_table_makes() {
    run schema --markdown
    status_is 0
    diff "$root/docs/reference.md" "$scratch/out" >/dev/null ||
        fail 'docs/reference.md is old: run-matrix schema --markdown > docs/reference.md'
}

# Transcripts in the pages: the file above them, the command after "$", and its output, "..." for lines left out.
test_the_readme_shows_what_happens() {
    awk '/^# run-matrix.yaml/ { on = 1 } /^```$/ { on = 0 } on' "$root/README.md" >run-matrix.yaml
    run list
    status_is 0
    awk '/^\$ / { on = $0 == "$ run-matrix list" && !seen++; next } /^(```.*)?$/ { on = 0 } on' "$root/README.md" | out_is
    run list --cell transport=uds -k 'not perms'
    out_has '  proto@backend=forkserver,transport=uds'
    run show --config perms
    sed -n 's/.* test  \(run-matrix.yaml:[0-9:]*\)$/\1/p' "$root/README.md" | head -n 1 >place
    [ -s place ] || fail 'no place in the README'
    out_has "$(cat place)"
}

test_the_readme_shows_what_errors_look_like() {
    awk '/^# run-matrix.yaml/ { on = 1 } /^```$/ { on = 0 } on' "$root/README.md" |
        sed 's/matrix.transport }}/matrix.tranport }}/; s/timeout: 10s/timout: 10s/' >run-matrix.yaml
    run list
    status_is 4
    sed -n 's/^\(run-matrix.yaml:[0-9:]* error: [^;(]*\).*/\1/p' "$root/README.md" >wanted
    [ -s wanted ] || fail 'no errors in the README'
    while IFS= read -r line; do
        err_has "$line"
    done <wanted
}

test_performance_was_measured() {
    grep -q '^| 1000000 |\|^| 100000 | 1000000 |' "$root/docs/performance.md" || fail 'docs/performance.md: run make bench'
}

test_pages_that_are_named_are_there() {
    for page in $(grep -oh '](\(docs/\)\?[a-z]*\.md)' "$root/README.md" | tr -d '()]'); do
        [ -f "$root/$page" ] || fail "README names $page"
    done
    for page in "$root"/docs/*.md; do
        for other in $(grep -oh ']([a-z]*\.md)' "$page" | tr -d '()]'); do
            [ -f "$root/docs/$other" ] || fail "$page names $other"
        done
    done
}

run_tests
