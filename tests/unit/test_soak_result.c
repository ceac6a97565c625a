/* What is told of soaks, as text and as JSON: the very words, and nothing of a test's that makes a line or a colour. */
#include "runner/base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/expect.h"
#include "tests/unit/soak_stage.h"

struct scene {
    struct stage stage;
    struct buf text;
};

static int set_up(void **state)
{
    struct scene *s = mem_zero(1, sizeof *s);

    stage_open(&s->stage);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;

    stage_close(&s->stage);
    buf_release(&s->text);
    free(s);
    return 0;
}

/* The next `count` in turn; those of the case `failing` fail, as said. */
static void run(struct soak *soak, uint32_t count, uint32_t failing, const struct soak_outcome *failure,
                nanos now)
{
    const struct soak_outcome passed = {.verdict = VERDICT_PASSED, .duration = NS_PER_S};

    for (uint32_t i = 0; i < count; i++) {
        uint32_t number, copy;
        struct soak_outcome outcome = passed;

        assert_true(soak_next(soak, &number, &copy));
        if (number == failing)
            outcome = *failure;
        outcome.attempt = soak_begin(soak, number);
        soak_ended(soak, number, copy, &outcome, now);
    }
}

static struct buf *tell(struct scene *s, int verbose)
{
    buf_clear(&s->text);
    soak_result_text(stage_result(&s->stage), false, verbose, &s->text);
    return &s->text;
}

/* ---- before and meanwhile ---- */

struct planned {
    struct soak_plan plan;
    const char *words;
};

static void test_plans(void **state)
{
    static const struct planned table[] = {
        {{.below = 0.003, .confidence = 0.95, .seed = 0x7f3a, .jobs = 4, .copies = 1},
         "about 998 clean runs, 5m33s, of 3 cases, seed 0x7f3a: they prove that the rate is below 0.3 % "
         "(confidence 95 %)"},
        {{.below = 0.003, .seed = 1, .jobs = 1, .copies = 2, .duration = 45 * 60 * NS_PER_S},
         "about 998 clean runs, 17m, of 3 cases, 2 copies of each at a time, for at most 45m, seed 0x1: they "
         "prove that"},
        {{.count = 500, .seed = 1, .jobs = 8}, "1,500 runs, 8m20s, of 3 cases, seed 0x1"},
        {{.duration = 3600 * NS_PER_S, .seed = 1},
         "as many runs as there is time for in 1h, of 3 cases, seed 0x1"},
        {{.until_fail = true, .seed = 1}, "runs until one fails, of 3 cases, seed 0x1"},
        {{.until_fail = true, .count = 2, .seed = 1}, "6 runs, 6s, of 3 cases, until one fails, seed 0x1"},
        {{.seed = 1}, "runs until it is interrupted, of 3 cases, seed 0x1"},
    };
    struct scene *s = *state;

    for (int i = 0; i < 3; i++)
        STAGE_CASE(&s->stage, "proto", 0, i == 0 ? "n=0" : i == 1 ? "n=1" : "n=2");
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct soak *soak;

        stage_clear(&s->stage);
        soak = stage_soak(&s->stage, &table[i].plan, false);
        buf_clear(&s->text);
        soak_tell_plan(soak, &s->text);
        if (!str_starts(buf_str(&s->text), table[i].words))
            fail_msg("'%s'\nis not\n'%s'", buf_text(&s->text), table[i].words);
        soak_close(soak);
    }
}

static void test_lines(void **state)
{
    static const struct soak_outcome failure = {.verdict = VERDICT_FAILED, .duration = NS_PER_S};
    struct scene *s = *state;
    struct soak_plan plan = {.below = 0.05, .confidence = 0.95, .seed = 1, .copies = 1};
    struct soak *soak;

    STAGE_CASE(&s->stage, "proto", 0);
    soak = stage_soak(&s->stage, &plan, false);
    soak_tell_line(soak, 0, 0, &s->text);
    assert_string_equal(buf_text(&s->text), "0 runs, 0 failed");
    run(soak, 49, NONE, NULL, 49 * NS_PER_S);
    buf_clear(&s->text);
    soak_tell_line(soak, 49 * NS_PER_S, 0, &s->text);
    assert_string_equal(buf_text(&s->text), "49 runs, 0 failed, 0 % [0, 6.8], proven below 5 % in 10s");
    buf_clear(&s->text);
    soak_tell_line(soak, 49 * NS_PER_S, 40, &s->text);
    assert_string_equal(buf_text(&s->text), "49 runs, 0 failed, 0 % [0, 6.8]");
    buf_clear(&s->text);
    soak_tell_line(soak, 49 * NS_PER_S, 20, &s->text);
    assert_string_equal(buf_text(&s->text), "49 runs, 0 failed");
    run(soak, 10, NONE, NULL, 59 * NS_PER_S);
    buf_clear(&s->text);
    soak_tell_line(soak, 59 * NS_PER_S, 0, &s->text);
    expect(&s->text, "59 runs, 0 failed, 0 % [0, 5.7], proven below 5 %");
    soak_close(soak);
    stage_clear(&s->stage);
    plan = (struct soak_plan){.count = 20000, .seed = 1};
    soak = stage_soak(&s->stage, &plan, false);
    run(soak, 12345, NONE, NULL, 12345 * NS_PER_MS);
    run(soak, 3, 0, &failure, 12348 * NS_PER_MS);
    buf_clear(&s->text);
    soak_tell_line(soak, 12348 * NS_PER_MS, 0, &s->text);
    expect(&s->text, "12,348 runs, 3 failed, 0.024 % [");
    expect(&s->text, "], 7.7s left");
    soak_close(soak);
}

/* ---- afterwards ---- */

static void test_nothing_failed(void **state)
{
    struct scene *s = *state;
    struct soak_plan plan = {.below = 0.003, .confidence = 0.95, .seed = 0x7f3a, .copies = 1};
    struct soak *soak;

    STAGE_CASE(&s->stage, "proto", 0);
    soak = stage_soak(&s->stage, &plan, false);
    run(soak, 998, NONE, NULL, 843 * NS_PER_S);
    assert_int_equal(soak_where(soak, 843 * NS_PER_S), SOAK_BELOW);
    soak_close(soak);
    assert_string_equal(buf_text(tell(s, 0)),
                        "proven: the rate is below 0.3 % (confidence 95 %)\n"
                        "998 runs in 14m, none failed; seed 0x7f3a\n"
                        "nothing failed in 998 runs: the rate is below 0.3 % (confidence 95 %)\n");
}

static const struct soak_outcome failure = {
    .verdict = VERDICT_CRASHED,
    .duration = 2 * NS_PER_S,
    .reason = S("SIGABRT"),
    .place = S("proto.c:41 in recv_exact"),
    .output = S("kvd: proto.c:41: recv_exact: Assertion `n > 0' failed.\n"),
    .evidence = S("cases/proto@capture=sys/1"),
};

/* A soak of two tests in two cells, of which one case fails each time; one is skipped. */
static void soak_four(struct scene *s, uint32_t failing, const struct soak_outcome *outcome)
{
    const struct soak_outcome skipped = {.verdict = VERDICT_SKIPPED, .reason = S("no server")};
    struct soak_plan plan = {.count = 50, .seed = 3, .copies = 1};
    struct soak *soak;
    uint32_t number, copy;

    STAGE_CASE(&s->stage, "proto", 0, "capture=fd", "os=linux");
    STAGE_CASE(&s->stage, "proto", 0, "capture=sys", "os=linux");
    STAGE_CASE(&s->stage, "names", 0, "capture=fd", "os=linux");
    STAGE_CASE(&s->stage, "names", 0, "capture=sys", "os=linux");
    soak = stage_soak(&s->stage, &plan, false);
    assert_true(soak_next(soak, &number, &copy));
    soak_ended(soak, number, copy, &skipped, 0);
    run(soak, 199, failing, outcome, 200 * NS_PER_S);
    assert_int_equal(soak_where(soak, 200 * NS_PER_S), SOAK_COUNTED);
    soak_close(soak);
}

static void test_all_of_it(void **state)
{
    struct scene *s = *state;
    struct buf *text;

    soak_four(s, 1, &failure);
    text = tell(s, 0);
    expect(text, "199 runs in 3m20s, 50 failed: 25 % [19, 32]; skipped 1 time; seed 0x3\n");
    expect(text, "\ncases, those that fail most first\n  proto@capture=sys,os=linux         50 runs     50 "
                 "failed  100 % [92.8, 100]\n");
    expect(text, "; skipped 1 time\n");
    expect(text, "\ncells\n  capture=sys,os=linux        ");
    expect(text, "\naxes\n  capture=fd    ");
    expect_none(text, "\n  os=linux"); /* it has but one value */
    expect(text,
           "\nwhat carries it\n  capture=sys: 50 % of 100 runs, against 0 % of 99 without it (p < 0.0001)\n"
           "  given capture=sys no other axis stands out\n");
    expect(
        text,
        "\nfailures, by what they have in common\n  50 crashed: SIGABRT\n     at proto.c:41 in recv_exact\n"
        "     | kvd: proto.c:41: recv_exact: Assertion `n > 0' failed.\n"
        "     first: proto@capture=sys,os=linux, attempt 1, kept in cases/proto@capture=sys/1\n"
        "     same test: proto (50 of 50, p < 0.0001)\n");
    expect(text, "\n  all: same test: proto (50 of 50, p < 0.0001)\n");
}

static void test_colours_are_ours(void **state)
{
    struct scene *s = *state;

    soak_four(s, 1, &failure);
    soak_result_text(stage_result(&s->stage), true, 0, &s->text);
    expect(&s->text, "\n\x1b[1mcells\x1b[0m\n");
    expect(&s->text, "\n  \x1b[31m50\x1b[0m crashed");
}

/* Whatever tests say and are called, lines and colours are ours alone. */
static void test_hostile_words(void **state)
{
    struct scene *s = *state;
    struct soak_outcome hostile = failure;
    const struct soak_plan plan = {.count = 2, .seed = 1};
    struct soak *soak;
    struct buf *text;

    hostile.reason = hostile.place = hostile.evidence = S("\x1b[2J\n::error::owned\r\xff\xe2\x80\xae");
    hostile.output = S("Error: \x1b]0;owned\a\x9b\x31m\xff\n");
    STAGE_CASE(&s->stage, "a\nb", 0, "x=\x1b[31m\n1");
    STAGE_CASE(&s->stage, "a\x7f", 0, "x=\xff");
    soak = stage_soak(&s->stage, &plan, false);
    run(soak, 4, 1, &hostile, NS_PER_S);
    soak_close(soak);
    text = tell(s, 2);
    for (size_t i = 0; i < text->len; i++)
        assert_true((unsigned char)text->ptr[i] >= ' ' || text->ptr[i] == '\n');
    expect_none(text, "\x7f");
    expect_none(text, "\xff");
    expect_none(text, "\xe2\x80\xae");
    expect_none(text, "\n::error");
    expect(text, "2 crashed: \\x1b[2J\\n::error::owned");
}

/* ---- JSON ---- */

static void test_json(void **state)
{
    struct scene *s = *state;
    struct json_reader reader = {0};
    enum json_token token;

    soak_four(s, 1, &failure);
    soak_result_json(stage_result(&s->stage), &s->text);
    reader.input = buf_str(&s->text);
    do {
        token = json_next(&reader);
        assert_int_not_equal(token, JSON_ERROR);
    } while (token != JSON_END);
    json_reader_release(&reader);
    expect(&s->text, "{\"schema\":1,\"end\":\"counted\",\"seed\":\"0x3\",\"plan\":{\"below\":null,"
                     "\"confidence\":0.95,\"count\":50,");
    expect(&s->text, "\"runs\":199,\"failed\":50,\"rate\":0.25125628140703515,\"low\":0.192");
    expect(&s->text, "\"cell\":{\"capture\":\"sys\",\"os\":\"linux\"},\"runs\":50,\"failed\":50,\"rate\":1,");
    expect(&s->text, "\"verdicts\":{\"crashed\":50},\"duration\":{\"shortest\":2,\"mean\":2,\"longest\":2}}");
    expect(&s->text,
           "\"carried_by\":[{\"axis\":\"capture\",\"value\":\"sys\",\"within\":[],\"with\":[],\"p\":");
    expect(&s->text, "\"gathering\":{\"how\":\"same\",\"p\":");
    expect(&s->text, "\"first\":{\"id\":\"proto@capture=sys,os=linux\",\"attempt\":1,\"evidence\":\"cases/"
                     "proto@capture=sys/1\"}");
}

/* ---- which axis: what only goes along ---- */

static void test_values_that_go_together(void **state)
{
    struct scene *s = *state;
    const struct soak_plan plan = {.count = 50, .seed = 3, .copies = 1};
    struct soak *soak;

    STAGE_CASE(&s->stage, "proto", 0, "os=linux", "libc=glibc");
    STAGE_CASE(&s->stage, "proto", 0, "os=alpine", "libc=musl");
    soak = stage_soak(&s->stage, &plan, false);
    run(soak, 100, 1, &failure, NS_PER_S);
    soak_close(soak);
    tell(s, 0);
    /* Either, and it is said; which of them stands first is of no matter. */
    expect(&s->text, "\nwhat carries it\n  ");
    expect(&s->text, "=");
    expect(&s->text,
           ": 100 % of 50 runs, against 0 % of 50 without it (p < 0.0001)\n    which never goes without ");
    expect(&s->text, ": it may be either\n");
}

static void test_nobody_carries_it(void **state)
{
    static const struct soak_outcome odd = {.verdict = VERDICT_FAILED, .reason = S("exit status 1")};
    struct scene *s = *state;
    const struct soak_plan plan = {.count = 50, .seed = 3, .copies = 1};
    struct soak *soak;

    STAGE_CASE(&s->stage, "proto", 0, "os=linux");
    STAGE_CASE(&s->stage, "proto", 0, "os=alpine");
    soak = stage_soak(&s->stage, &plan, false);
    run(soak, 1, 0, &odd, NS_PER_S);
    run(soak, 1, 1, &odd, NS_PER_S);
    run(soak, 98, NONE, NULL, NS_PER_S);
    soak_close(soak);
    expect(tell(s, 0), "\nwhat carries it\n  no value of an axis stands out\n");
}

/* ---- numbers ---- */

struct number {
    double rate;
    const char *text, *above;
};

static void test_numbers(void **state)
{
    static const struct number table[] = {
        {0, "0", "0"},
        {1, "100", "100"},
        {0.003, "0.3", "0.3"},
        {0.000238, "0.024", "0.024"},
        {0.0029973, "0.3", "0.3"},
        {0.00291, "0.29", "0.3"},
        {0.9997, "99.97", "99.97"},
        {0.051, "5.1", "5.1"},
        {0.30, "30", "30"},
        {0.5, "50", "50"},
        {1e-9, "0.0000001", "0.0000001"},
        {0.99, "99", "99"},
    };
    struct buf out = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        buf_clear(&out);
        percent_add(&out, table[i].rate);
        assert_string_equal(buf_text(&out), table[i].text);
        buf_clear(&out);
        percent_above_add(&out, table[i].rate);
        assert_string_equal(buf_text(&out), table[i].above);
    }
    buf_clear(&out);
    percent_below_add(&out, 0.0029973);
    buf_addc(&out, ' ');
    percent_below_add(&out, 0.003);
    buf_addc(&out, ' ');
    percent_below_add(&out, 0);
    buf_addc(&out, ' ');
    percent_below_add(&out, 0.98765);
    assert_string_equal(buf_text(&out), "0.29 0.3 0 98.7");
    buf_clear(&out);
    number_add(&out, 999);
    number_add(&out, 1000);
    number_add(&out, 1234567);
    number_add(&out, UINT64_MAX);
    assert_string_equal(buf_text(&out), "9991,0001,234,56718,446,744,073,709,551,615");
    buf_clear(&out);
    span_about_add(&out, 14 * 60 * NS_PER_S + 29 * NS_PER_S);
    buf_addc(&out, ' ');
    span_about_add(&out, 2 * 3600 * NS_PER_S + 61 * NS_PER_S);
    buf_addc(&out, ' ');
    span_about_add(&out, 7 * NS_PER_MS);
    buf_addc(&out, ' ');
    span_about_add(&out, -1); /* of a clock that was set back */
    assert_string_equal(buf_text(&out), "14m 2h1m 7ms 0s");
    buf_release(&out);
}

int main(void)
{
#define RESULT_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        RESULT_TEST(test_plans),
        RESULT_TEST(test_lines),
        RESULT_TEST(test_nothing_failed),
        RESULT_TEST(test_all_of_it),
        RESULT_TEST(test_colours_are_ours),
        RESULT_TEST(test_hostile_words),
        RESULT_TEST(test_json),
        RESULT_TEST(test_values_that_go_together),
        RESULT_TEST(test_nobody_carries_it),
        cmocka_unit_test(test_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
