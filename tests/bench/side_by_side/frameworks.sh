# shellcheck shell=sh
# The frameworks that are compared, for ../side_by_side.sh to source. For every one of them, by its name:
#
#     <name>_there       is it on this machine?
#     <name>_version     as people call it
#     <name>_source      its file in this folder
#     <name>_build       makes what is run of that file, in the current folder, which has the subject's, too
#     <name>_command     the command that runs it from there
#     <name>_shows TEST  what its output, on standard input, has of a test
#     <name>_many N      such a file with N tests that pass

frameworks() { echo ours criterion check cmocka kselftest pytest; }

# Of the ten tests those that show something: what they are called, in the order of frameworks.
names() {
    cat <<'END'
1  counts              text::counts          counts          counts          global.counts          test_counts
2  renders             text::renders         renders         renders         global.renders         test_renders
3  packs               text::packs           packs           packs           global.packs           test_packs
4  store_replaces      store::replaces       store_replaces  store_replaces  store.replaces         test_store_replaces
5  reads/number=octal  text::reads           reads           reads_octal     number.octal.reads     test_reads[octal]
7  rounds              text::rounds          rounds          rounds          global.rounds          test_rounds
8  measures_nobody     text::measures_nobody measures_nobody measures_nobody global.measures_nobody test_measures_nobody
9  gets_a_reply        text::gets_a_reply    gets_a_reply    gets_a_reply    reply.is_got           test_gets_a_reply
10 serves              text::serves          serves          serves          global.serves          test_serves
END
}

label_of() { # FRAMEWORK
    case $1 in
    ours) echo run-matrix ;;
    criterion) echo Criterion ;;
    check) echo Check ;;
    kselftest) echo kselftest_harness ;;
    *) echo "$1" ;;
    esac
}

built() { # SOURCE FLAGS...
    source=$1
    shift
    ${CC:-gcc} -g -I. -o tests "$source" subject.c "$@"
}

package_built() { # SOURCE PACKAGE of pkg-config
    # shellcheck disable=SC2046 # flags are words
    built "$1" $(pkg-config --cflags --libs "$2")
}

# A line for each of N tests, # being its number.
each() { # N LINE
    seq "$1" | awk -v line="$2" '{ text = line; gsub(/#/, $0, text); print text }'
}

# ---- run-matrix ----

ours_there() { :; }
ours_version() { ../run-matrix --version; }
ours_source() { echo test_ours.c; }
ours_build() { rm -rf .run-matrix/cache && ../run-matrix list test_ours.c; }
ours_command() { echo ../run-matrix run test_ours.c; }
ours_shows() { awk -v id="test_ours::$1" '/^[^ ]/ || /^$/ { on = $2 == id } on'; }
ours_many() {
    echo '#include <run_matrix.h>'
    each "$1" 'TEST(t#) { ASSERT_EQ(#, #); }'
}

# ---- Criterion ----

criterion_there() { pkg-config --exists criterion; }
criterion_version() { echo "Criterion $(pkg-config --modversion criterion)"; }
criterion_source() { echo criterion.c; }
criterion_build() { package_built criterion.c criterion; }
criterion_command() { echo ./tests; }
# What a test has said stands before the line that ends it.
criterion_shows() {
    awk -v id="$1" '
        /^\[----\]/ { said = said $0 "\n"; next }
        /^\[(FAIL|SKIP|PASS)\]/ && index($0, " " id ":") == 7 { printf "%s%s\n", said, $0 }
        { said = "" }'
}
criterion_many() {
    printf '#include <criterion/%s.h>\n' criterion new/assert
    each "$1" 'Test(many, t#) { cr_assert(eq(int, #, #)); }'
}

# ---- Check ----

check_there() { pkg-config --exists check; }
check_version() { echo "Check $(pkg-config --modversion check)"; }
check_source() { echo check.c; }
check_build() { package_built check.c check; }
check_command() { echo ./tests; }
check_shows() { grep -E "^[^ ]+:[0-9]+:[A-Z]:[a-z]+:$1:"; }
check_many() {
    echo '#include <check.h>'
    each "$1" 'START_TEST(t#) { ck_assert_int_eq(#, #); } END_TEST'
    echo 'int main(void) {
        Suite *suite = suite_create("many");
        SRunner *runner = srunner_create(suite);
        TCase *group = tcase_create("many");
        suite_add_tcase(suite, group);'
    each "$1" 'tcase_add_test(group, t#);'
    echo 'srunner_run_all(runner, CK_NORMAL); return srunner_ntests_failed(runner); }'
}

# ---- cmocka ----

cmocka_there() { pkg-config --exists cmocka; }
cmocka_version() { echo "cmocka $(pkg-config --modversion cmocka)"; }
cmocka_source() { echo cmocka.c; }
cmocka_build() { package_built cmocka.c cmocka; }
cmocka_command() { echo ./tests; }
cmocka_shows() {
    awk -v id="$1" '
        /^\[ RUN / { test = substr($0, 14); gsub(/ /, "_", test); on = test == id; next }
        on
        /^\[ (       OK| FAILED | SKIPPED) / || /^\[==/ { on = 0 }'
}
cmocka_many() {
    echo '#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>'
    each "$1" 'static void t#(void **state) { (void)state; assert_int_equal(#, #); }'
    echo 'int main(void) { const struct CMUnitTest tests[] = {'
    each "$1" 'cmocka_unit_test(t#),'
    echo '}; return cmocka_run_group_tests(tests, NULL, NULL); }'
}

# ---- kselftest_harness.h: under the GPL, and so none of ours; it is taken out of the sources of Debian's or Ubuntu's kernel ----

kselftest_archive() { find /usr/src -name 'linux-source-*.tar.*' 2>/dev/null | sort -V | tail -n 1; }
kselftest_there() { [ -n "$(kselftest_archive)" ]; }
kselftest_version() { echo "kselftest_harness.h of $(basename "$(kselftest_archive)" | sed 's/^linux-source-\([0-9.]*[0-9]\).*/Linux \1/')"; }
kselftest_source() { echo kselftest.c; }
kselftest_header() { # FOLDER
    tar -xf "$(kselftest_archive)" -C "$1" --strip-components=4 --wildcards '*/selftests/kselftest.h' '*/selftests/kselftest_harness.h'
}
kselftest_build() { built kselftest.c -I..; }
kselftest_command() { echo ./tests; }
kselftest_shows() {
    awk -v id="$1" '
        $2 == "RUN" { on = $3 == id; next }
        $2 == "OK" || $2 == "FAIL" { next }
        on
        /^(not )?ok / { on = 0 }'
}
kselftest_many() {
    echo '#include <kselftest_harness.h>'
    each "$1" 'TEST(t#) { ASSERT_EQ(#, #); }'
    echo TEST_HARNESS_MAIN
}

# ---- pytest: calls the same C by ctypes, in two processes, which are replaced when one dies (xdist) ----

pytest_there() { pytest_program xdist,pytest_timeout >/dev/null; }
pytest_version() { echo "$($(pytest_program) --version 2>&1) with xdist and timeout"; }
pytest_source() { echo test_pytest.py; }
pytest_build() { ${CC:-gcc} -g -I. -shared -fPIC -o libsubject.so subject.c; }
pytest_command() { echo "$(pytest_program xdist,pytest_timeout | sed 's/ -q//') -n 2 test_pytest.py"; }
# Of what died there are two places: stacks while it runs, of which only those of our own files are told, and a line at the end.
pytest_shows() {
    awk -v id="$1" '
        /Fatal Python error/ || /^\+\+\+.* Timeout / && dying == "" { sub(/^.*Fatal/, "Fatal"); dying = $0 "\n"; next }
        dying != "" && /^ *File .*test_pytest.py/ { dying = dying $0 "\n"; mine = index($0, "in " id) || mine }
        /node down/ { if (mine) printf "%s", dying; dying = ""; mine = 0 }
        /^__+ .* __+$/ { on = $2 == id }
        /^==/ { on = 0 }
        on || (index($0, "crashed while running") && index($0, "::" id "\047"))'
}
pytest_many() {
    each "$1" 'def test_t#():
    assert # == #
'
}
