/* Scripts of steps: which of their commands is a call of run-matrix, and what it asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ci/check.h"
#include "runner/base/mem.h"

#include <stdio.h>
#include <string.h>

struct script {
    const char *text;
    enum step_does does;
    bool by_name;
    const char *profile; /* NULL: none */
};

static const struct script scripts[] = {
    /* plain calls */
    {"run-matrix", STEP_RUNS, true, NULL},
    {"exec run-matrix -n 4\n", STEP_RUNS, true, NULL},
    {"./run-matrix -P ci", STEP_RUNS, false, "ci"},
    {"\"$GITHUB_WORKSPACE/build/run-matrix\" --profile=ci", STEP_RUNS, false, "ci"},
    {"\"$HOME\"/bin/run-matrix --profile 'ci'", STEP_RUNS, false, "ci"},
    {"${{ github.workspace }}/build/run-matrix -Pci", STEP_RUNS, false, "ci"},
    {"run-matrix -P ${{ inputs.profile }}", STEP_RUNS, true, NULL},
    {"run-matrix -P \"$PROFILE\" -P ci", STEP_RUNS, true, "ci"},
    {"run-matrix tests/ -- list", STEP_RUNS, true, NULL},
    {"run-matrix run", STEP_RUNS, true, NULL},
    {"run-matrix soak -P nightly", STEP_SOAKS, true, "nightly"},
    {"run-matrix -P nightly soak", STEP_SOAKS, true, "nightly"},
    {"run-matrix ci matrix --github-output", STEP_PLANS, true, NULL},
    {"run-matrix --cell a=1 ci -k list matrix", STEP_PLANS, true, NULL},
    /* words of options are no commands */
    {"run-matrix -k soak", STEP_RUNS, true, NULL},
    {"run-matrix -m list --id show", STEP_RUNS, true, NULL},
    /* what starts no case of a cell */
    {"run-matrix exec -- make test", STEP_OTHER, true, NULL},
    {"run-matrix report latest", STEP_OTHER, true, NULL},
    {"run-matrix --version", STEP_OTHER, true, NULL},
    {"run-matrix ci check", STEP_OTHER, true, NULL},
    /* what stands before a program */
    {"A=1 B='x y' run-matrix", STEP_RUNS, true, NULL},
    {"sudo -E run-matrix", STEP_RUNS, true, NULL},
    {"sudo -u nobody env -i A=1 run-matrix", STEP_RUNS, true, NULL},
    {"timeout -k 5 10m nice -n 5 ./run-matrix", STEP_RUNS, false, NULL},
    {"timeout \"$LIMIT\" run-matrix", STEP_RUNS, true, NULL},
    {"time run-matrix", STEP_RUNS, true, NULL},
    {"if ! run-matrix; then exit 1; fi", STEP_RUNS, true, NULL},
    {"make && run-matrix || true", STEP_RUNS, false, NULL},
    {"make; run-matrix", STEP_RUNS, false, NULL},
    {"echo x | run-matrix 2>&1 | tee log", STEP_RUNS, false, NULL},
    {"set -e\nfor i in 1 2; do\n  run-matrix\ndone", STEP_RUNS, false, NULL},
    {"(cd sub && run-matrix)", STEP_RUNS, false, NULL},
    {"{ run-matrix; }", STEP_RUNS, true, NULL},
    {"echo \"matrix=$(run-matrix ci matrix)\" >>\"$GITHUB_OUTPUT\"", STEP_PLANS, true, NULL},
    {"M=`run-matrix ci matrix`", STEP_PLANS, true, NULL},
    {"run-matrix \\\n  -P ci", STEP_RUNS, true, "ci"},
    {"run-matrix >log -P ci", STEP_RUNS, true, "ci"},
    {"cat <<E\nE\nrun-matrix", STEP_RUNS, false, NULL},
    /* the name, and no call */
    {"sudo apt-get install -y run-matrix", STEP_OTHER, false, NULL},
    {"apt-get install run-matrix", STEP_OTHER, false, NULL},
    {"echo run-matrix", STEP_OTHER, false, NULL},
    {"echo 'first; run-matrix'", STEP_OTHER, false, NULL},
    {"echo \"first; run-matrix\"", STEP_OTHER, false, NULL},
    {"echo $(echo run-matrix)", STEP_OTHER, false, NULL},
    {"command -v run-matrix", STEP_OTHER, false, NULL},
    {"which run-matrix || exit 1", STEP_OTHER, false, NULL},
    {"# run-matrix\ntrue # run-matrix", STEP_OTHER, false, NULL},
    {"cat <<'E' >doc\nrun-matrix\n  run-matrix soak\nE\n", STEP_OTHER, false, NULL},
    {"cat <<-\\E\nrun-matrix\n\tE\nmake", STEP_OTHER, false, NULL},
    {"cp build/x >run-matrix", STEP_OTHER, false, NULL},
    {"cd run-matrix && make", STEP_OTHER, false, NULL},
    {"git clone https://example.org/run-matrix", STEP_OTHER, false, NULL},
    {"run-matrix-host", STEP_OTHER, false, NULL},
    {"wget -P dir x", STEP_OTHER, false, NULL},
    /* the profile of the call alone */
    {"wget -P dir x\nrun-matrix -P ci", STEP_RUNS, false, "ci"},
    {"run-matrix list -P one\nrun-matrix -P two", STEP_RUNS, true, "two"},
    {"run-matrix\nrun-matrix -P two", STEP_RUNS, true, "two"},
    {"run-matrix -P one\nrun-matrix soak -P two", STEP_SOAKS, true, "two"},
    {"run-matrix ci matrix -P one\nrun-matrix soak -P two", STEP_PLANS, true, "one"},
    /* what no shell would take */
    {"", STEP_OTHER, false, NULL},
    {"echo 'open\nrun-matrix", STEP_OTHER, false, NULL},
    {"echo \"$(run-matrix", STEP_RUNS, true, NULL},
    {"echo ${{ run-matrix", STEP_OTHER, false, NULL},
    {"cat <<E\nrun-matrix", STEP_OTHER, false, NULL},
    {")))run-matrix\\", STEP_OTHER, false, NULL},
    {"run-matrix -P", STEP_RUNS, true, NULL},
};

static void test_scripts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        const struct script *s = &scripts[i];
        struct script_view view;

        script_view(str_of(s->text), &view);
        if (view.does != s->does || view.by_name != s->by_name ||
            !str_is(view.profile, s->profile ? s->profile : ""))
            fail_msg("%s: does %d, by name %d, profile '%.*s'", s->text, view.does, view.by_name,
                     STR_ARG(view.profile));
    }
}

/* However deep: no more of the stack than is bounded, and no more time. */
static void test_deep(void **state)
{
    enum { LEN = 1 << 18 };
    static const char *const pieces[] = {"$(", "\"$(", "`", "(", "${{", "<<a\n", "'", "\\", "<<", "sudo "};
    static char text[LEN];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        size_t len = strlen(pieces[i]);
        struct script_view view;

        for (size_t at = 0; at < LEN; at++)
            text[at] = pieces[i][at % len];
        script_view((struct str){text, LEN}, &view);
        assert_int_equal(view.does, STEP_OTHER);
    }
}

static void test_profile_of_options(void **state)
{
    (void)state;
    assert_true(str_is(words_profile(str_of("-n 4 -P ci")), "ci"));
    assert_true(str_is(words_profile(str_of("-n 4\n--profile='my own'\n")), "my own"));
    assert_true(str_is(words_profile(str_of("list; -P ci")), "ci"));
    assert_true(str_is(words_profile(str_of("-P ${{ inputs.profile }}")), ""));
    assert_true(str_is(words_profile(str_of("-k '-P ci'")), ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scripts),
        cmocka_unit_test(test_deep),
        cmocka_unit_test(test_profile_of_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
