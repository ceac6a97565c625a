/* What reports tell of cases that were run again, and of quarantine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/expect.h"
#include "tests/unit/sample_run.h"

#include "runner/report/internal.h"

/* ---- flaky ---- */

static void test_each_attempt_of_a_flaky_case(void **state)
{
    static const struct {
        const char *reasons[7]; /* of attempts that failed */
        const char *words;
    } rows[] = {
        {{"a"}, "passed on attempt 2; attempt 1: a"},
        {{"a", "b"}, "passed on attempt 3; attempt 1: a; attempt 2: b"},
        {{"a", "a", "b"}, "passed on attempt 4; attempts 1 to 2: a; attempt 3: b"},
        {{"a", "", "", ""}, "passed on attempt 5; attempt 1: a; attempts 2 to 4: failed"},
        {{"a", "b", "a\n", "d"},
         "passed on attempt 5; attempt 1: a; attempt 2: b; attempt 3: a\\n; and others until attempt 4"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct journal_attempt attempts[8] = {0};
        struct journal_history history = {.attempts = attempts};
        struct buf text = {0};

        while (rows[i].reasons[history.count]) {
            attempts[history.count] =
                (struct journal_attempt){.attempt = history.count + 1,
                                         .verdict = VERDICT_FAILED,
                                         .reason = str_of(rows[i].reasons[history.count])};
            history.count++;
        }
        attempts[history.count] = (struct journal_attempt){
            .attempt = history.count + 1, .verdict = VERDICT_PASSED, .outcome = VERDICT_FLAKY, .last = true};
        history.count++;
        flaky_format(&text, &history);
        assert_string_equal(buf_text(&text), rows[i].words);
        buf_release(&text);
    }
}

/* ---- quarantine ---- */

static const struct journal_quarantine held = {STR("net-team"), STR("#451 \x1b"), STR("2026-12-01")},
                                       over = {STR("db-team"), STR("#7"), STR("2026-11-19")};

static void open_quarantine(struct sample *s)
{
    struct journal_history *history;
    struct journal_attempt *attempt;

    sample_open(s);
    attempt = sample_attempt(sample_case(s, 0, "held"), VERDICT_FAILED, "exit status 1");
    attempt->quarantined = true;
    attempt->quarantine = &held;
    sample_attempt(sample_case(s, 0, "released"), VERDICT_FAILED, "exit status 2")->quarantine = &over;
    attempt = sample_attempt(sample_case(s, 0, "good"), VERDICT_PASSED, "");
    attempt->quarantined = true;
    attempt->quarantine = &held;
    /* A retry that was not made: what is known of its quarantine stands in the attempt before. */
    history = sample_case(s, 0, "dropped");
    sample_attempt(history, VERDICT_FAILED, "exit status 3")->quarantine = &held;
    attempt = sample_attempt(history, VERDICT_NOT_RUN, "cancelled by SIGINT");
    attempt->outcome = VERDICT_FAILED;
    attempt->quarantined = true;
}

static void expect_all(struct sample *s, enum report_id id, const char *const *fragments, size_t count)
{
    struct buf text = {0};

    sample_report(s, id, &text);
    for (size_t i = 0; i < count; i++)
        expect(&text, fragments[i]);
    buf_release(&text);
}

static void test_quarantine_in_the_summary(void **state)
{
    static const char *const fragments[] = {
        "failures: 1\nFAIL    released  1.5s\n        exit status 2\n        its quarantine is over: this "
        "fails the "
        "run; db-team, #7, until 2026-11-19 (over for 2 days)\n",
        "failed in quarantine: 2\nFAIL    held     exit status 1; net-team, #451 \\x1b, until 2026-12-01 (10 "
        "days "
        "left)\nFAIL    dropped  cancelled by SIGINT; net-team, #451 \\x1b, until 2026-12-01 (10 days "
        "left)\n",
        ("failed, and counts since quarantine is over: 1\nFAIL    released  exit status 2; db-team, #7, "
         "until "
         "2026-11-19 (over for 2 days)\n"),
        "\n1 passed, 1 failed\n",
    };
    struct sample s;

    (void)state;
    open_quarantine(&s);
    expect_all(&s, REPORT_SUMMARY, fragments, ARRAY_LEN(fragments));
    sample_close(&s);
}

static void test_days(void **state)
{
    static const struct {
        struct str until;
        const char *words;
    } rows[] = {
        {STR("2026-11-21"), "a, b, until 2026-11-21 (its last day)"},
        {STR("2026-11-22"), "a, b, until 2026-11-22 (1 day left)"},
        {STR("2026-11-20"), "a, b, until 2026-11-20 (over for 1 day)"},
        {STR("2027-11-21"), "a, b, until 2027-11-21 (365 days left)"},
        {STR("2026-02-30"), "a, b, until 2026-02-30"},
    };
    struct sample s;

    (void)state;
    sample_open(&s);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct journal_quarantine quarantine = {STR("a"), STR("b"), rows[i].until};
        struct buf text = {0};

        quarantine_tell(&text, &s.record, &quarantine);
        assert_string_equal(buf_text(&text), rows[i].words);
        buf_release(&text);
    }
    sample_close(&s);
}

/* It fails nobody, and does not vanish. */
static void test_quarantine_in_other_reports(void **state)
{
    static const char *const tap[] = {
        "not ok 1 - held # TODO quarantined: exit status 1 (net-team, #451 \\x1b, until 2026-12-01)\n",
        "not ok 2 - released\n",
        "ok 3 - good\n",
        ("not ok 4 - dropped # TODO quarantined: cancelled by SIGINT (net-team, #451 \\x1b, until "
         "2026-12-01)\n"),
    };
    static const char *const junit[] = {
        "<skipped type=\"quarantined\" message=\"quarantined: exit status 1 (net-team, #451 \\x1b, until "
        "2026-12-01)\">",
        "<failure type=\"failed\" message=\"exit status 2\">",
    };
    static const char *const json[] = {
        "\"quarantined\":true,\"quarantine\":{\"owner\":\"net-team\",\"reason\":\"#451 "
        "\\u001b\",\"until\":\"2026-12-01\","
        "\"days_left\":10}",
        "\"quarantined\":false,\"quarantine\":{\"owner\":\"db-team\",\"reason\":\"#7\",\"until\":\"2026-11-"
        "19\",\"days_"
        "left\":-2}",
    };
    struct sample s;

    (void)state;
    open_quarantine(&s);
    expect_all(&s, REPORT_TAP, tap, ARRAY_LEN(tap));
    expect_all(&s, REPORT_JUNIT, junit, ARRAY_LEN(junit));
    expect_all(&s, REPORT_JSON, json, ARRAY_LEN(json));
    sample_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_attempt_of_a_flaky_case),
        cmocka_unit_test(test_quarantine_in_the_summary),
        cmocka_unit_test(test_days),
        cmocka_unit_test(test_quarantine_in_other_reports),
    };

    return cmocka_run_group_tests_name("report_again", tests, NULL, NULL);
}
