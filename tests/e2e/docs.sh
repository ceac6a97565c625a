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

test_the_c_test_of_the_readme_does_what_it_says() {
    mkdir tests
    awk '/^\/\/ tests\/test_conv.c/ { on = 1 } /^```$/ { on = 0 } on' "$root/README.md" >tests/test_conv.c
    run tests/
    status_is 0
    head -n 1 "$scratch/out" >shown
    tail -n 1 "$scratch/out" >>shown
    awk '/^\$ / { on = $0 == "$ run-matrix tests/"; next } /^```/ { on = 0 } on && $0 != "..."' "$root/README.md" >"$scratch/out"
    out_is <shown
}

# What a C test may write is what its headers have; those of a page are compared with them.
names_in_headers() {
    cat "$root"/fixtures/run_matrix.h "$root"/fixtures/run_matrix/checks.h "$root"/fixtures/run_matrix/tools.h >headers
    sed -n 's/^ *# *define \([A-Z_]*\|mx_[a-z_]*\)(.*/\1/p' headers
    # Functions that no macro stands for.
    sed -n 's/^[a-z][A-Za-z0-9_ ]*[ *]\(mx_[a-z_]*\)(.*;.*/\1/p' headers
    awk '/^struct mx_(fixture_)?options/ { on = 1 } /^}/ { on = 0 } on' headers |
        sed -n 's/^    [a-z][^;]*;.*/&/p' | sed 's/;.*//; s/ \*(\*\([a-z_]*\)).*/ \1/; s/,/\n/g' | sed -n 's/.*[ *]\([a-z_]*\)$/.\1/p'
}

test_the_page_of_c_tests_has_all_of_them() {
    # EXPECT_... is said once for all; the rest is how macros are made.
    names_in_headers | grep -v '^EXPECT\|_at$\|^MX_\(FORMAT\|JOINED\|WORDS\|SAID\|UNSAID\|CALL\|FORKED\)\|^.size$\|^mx_.*_\(begin\|end\|left\|over\|on\)$\|^mx_keep$' |
        sort -u >names
    [ "$(wc -l <names)" -gt 70 ] || fail "only $(wc -l <names) names in the headers"
    while IFS= read -r name; do
        grep -qw -- "$name" "$root/docs/man/run_matrix.3" || fail "docs/man/run_matrix.3 has no $name"
    done <names
}

test_the_page_of_the_host_has_all_options() {
    "${program%/*}/run-matrix-host" >said 2>&1 || :
    printf '#include <run_matrix.h>\nTEST(t) {}\n' >t.c
    gcc "-I$root/fixtures" -o t t.c "$root/build/librunmatrix.a"
    ./t --help >>said
    grep -o -e '--[a-z]*' said | sort -u >options
    [ "$(wc -l <options)" = 6 ] || fail "the options are $(tr '\n' ' ' <options)"
    while IFS= read -r option; do
        grep -q -- "Fl -${option#--}" "$root/docs/man/run-matrix-host.1" || fail "docs/man/run-matrix-host.1 has no $option"
    done <options
}

test_pages_for_man_are_well_written() {
    command -v mandoc >/dev/null || skip 'no mandoc'
    mandoc -T lint -W warning "$root"/docs/man/* >said || fail "$(cat said)"
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
