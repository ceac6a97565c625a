#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>

#include "matrix/schema/internal.h"
#include "runner/base/date.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

static void sizes(void **state)
{
    static const struct {
        const char *text;
        int64_t bytes; /* -1: none */
    } rows[] = {
        {"0", 0},
        {"512", 512},
        {"12b", 12},
        {"64k", 65536},
        {"64K", 65536},
        {"64KiB", 65536},
        {"64kib", 65536},
        {"64kB", 64000},
        {"1m", 1 << 20},
        {"500MB", 500000000},
        {"1GiB", 1 << 30},
        {"1.5GiB", 1610612736},
        {"1.1GB", 1100000000},
        {"0.000001TB", 1000000},
        {"2t", 2199023255552},
        {"1.55k", 1587},
        {"8388607t", 9223370937343148032},
        {"9223372036854775807", INT64_MAX},
        {"9223372036854775808", -1},
        {"8388608t", -1},
        {"99999999999999999999", -1},
        {"", -1},
        {"k", -1},
        {"-1", -1},
        {"+1", -1},
        {"1.5", -1},
        {"1.5b", -1},
        {".5k", -1},
        {"1.k", -1},
        {"1.1234567k", -1},
        {"1 k", -1},
        {"1kk", -1},
        {"1kbb", -1},
        {"1ki", -1},
        {"1i", -1},
        {"1ib", -1},
        {"1p", -1},
        {"1e3", -1},
        {"0x10", -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t bytes = 0;
        bool valid = schema_size(str_of(rows[i].text), &bytes);

        if (valid != (rows[i].bytes >= 0) || (valid && bytes != (uint64_t)rows[i].bytes))
            fail_msg("'%s': %s, %llu", rows[i].text, valid ? "a size" : "none", (unsigned long long)bytes);
    }
}

static void percents(void **state)
{
    static const struct {
        const char *text;
        double fraction; /* -1: none */
    } rows[] = {
        {"0%", 0},    {"0.3%", 0.003}, {"95%", 0.95}, {"99.9%", 0.999},
        {"100%", 1},  {"100.0%", 1},   {"05%", 0.05}, {"100.1%", -1},
        {"101%", -1}, {"0100%", -1},   {"95", -1},    {"%", -1},
        {"", -1},     {".3%", -1},     {"3.%", -1},   {"-3%", -1},
        {"3 %", -1},  {"3%%", -1},     {"1e1%", -1},  {"0.00000000000000000000000000000001%", -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        double fraction = -1;
        bool valid = schema_percent(str_of(rows[i].text), &fraction);

        if (valid != (rows[i].fraction >= 0) || (valid && fraction != rows[i].fraction))
            fail_msg("'%s': %s, %.17g", rows[i].text, valid ? "a percentage" : "none", fraction);
    }
}

static void dates(void **state)
{
    static const struct {
        const char *text;
        int64_t days; /* since 1970; 0: it is no date */
    } rows[] = {
        {"2026-12-01", 20788},
        {"2024-02-29", 19782},
        {"2000-02-29", 11016},
        {"2026-01-31", 20484},
        {"2026-02-29", 0},
        {"2100-02-29", 0},
        {"2026-04-31", 0},
        {"2026-13-01", 0},
        {"2026-00-01", 0},
        {"2026-01-00", 0},
        {"26-01-01", 0},
        {"2026-1-1", 0},
        {"2026-01-011", 0},
        {"2026/01/01", 0},
        {"2026-01", 0},
        {"2026-01-01T00:00", 0},
        {"", 0},
        {" 2026-01-01", 0},
        {"20260101", 0},
        {"-2026-01-01", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t days = 0;
        bool valid = date_days(str_of(rows[i].text), &days);

        if (valid != (rows[i].days != 0) || days != rows[i].days)
            fail_msg("'%s': %s, %lld", rows[i].text, valid ? "a date" : "none", (long long)days);
    }
}

static void ladder_steps(void **state)
{
    static const struct {
        const char *text;
        int signal; /* 0: no step */
        enum ladder_target target;
        nanos wait;
    } rows[] = {
        {"KILL", SIGKILL, LADDER_TREE, -1},
        {"TERM", SIGTERM, LADDER_GROUP, -1},
        {"SIGTERM", SIGTERM, LADDER_GROUP, -1},
        {"INT group 3s", SIGINT, LADDER_GROUP, 3 * NS_PER_S},
        {"TERM tree", SIGTERM, LADDER_TREE, -1},
        {"QUIT leader 250ms", SIGQUIT, LADDER_LEADER, 250 * NS_PER_MS},
        {"TERM 5s", SIGTERM, LADDER_GROUP, 5 * NS_PER_S},
        {"TERM  tree   2s ", SIGTERM, LADDER_TREE, 2 * NS_PER_S},
        {"HUP 0", SIGHUP, LADDER_GROUP, 0},
        {"KILL group", SIGKILL, LADDER_GROUP, -1},
        {.text = ""},
        {.text = "SIG"},
        {.text = "term"},
        {.text = "15"},
        {.text = "SEGV"},
        {.text = " TERM"},
        {.text = "TERM 2s tree"},
        {.text = "TERM tree tree"},
        {.text = "TERM all"},
        {.text = "TERM tree soon"},
        {.text = "TERM tree 2s 3s"},
        {.text = "TERM\ttree"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ladder_step step;
        bool valid = schema_ladder_step(str_of(rows[i].text), &step);

        if (valid != (rows[i].signal != 0) ||
            (valid &&
             (step.signal != rows[i].signal || step.target != rows[i].target || step.wait != rows[i].wait)))
            fail_msg("'%s': %s", rows[i].text, valid ? "another step than that" : "no step");
    }
}

static void constraints(void **state)
{
    static const struct {
        const char *constraint, *version;
        char answer; /* 'y', 'n'; '?': no constraint */
    } rows[] = {
        {">=0.1", "0.1.0", 'y'},
        {">=0.1", "0.0.9", 'n'},
        {">0.1", "0.1.0", 'n'},
        {">0.1", "0.1.1", 'y'},
        {"<0.10", "0.9.0", 'y'},
        {"<=0.1", "0.1.0", 'y'},
        {"==0.1.0", "0.1.0", 'y'},
        {"=0.1", "0.1.1", 'n'},
        {"!=0.1", "0.1.0", 'n'},
        {"!=0.1", "0.2.0", 'y'},
        {">=0.1,<2", "1.9.9", 'y'},
        {">=0.1,<2", "2.0.0", 'n'},
        {" >= 0.1 , < 2 ", "1.0.0", 'y'},
        {">=1", "1.0.0-dev", 'y'},
        {"", "1.0.0", '?'},
        {"0.1", "1.0.0", '?'},
        {">=", "1.0.0", '?'},
        {">=1,", "1.0.0", '?'},
        {">=1.", "1.0.0", '?'},
        {">=1.2.3.4", "1.0.0", '?'},
        {"^1", "1.0.0", '?'},
        {">=1.x", "1.0.0", '?'},
        {">=1234567890", "1.0.0", '?'},
        {"<2,x", "1.0.0", '?'},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool valid,
            holds = schema_constraint_holds(str_of(rows[i].constraint), str_of(rows[i].version), &valid);
        char answer = !valid ? '?' : holds ? 'y' : 'n';

        if (answer != rows[i].answer)
            fail_msg("'%s' of %s: %c", rows[i].constraint, rows[i].version, answer);
    }
}

/* ---- the checks and the patterns beside them ---- */

/* Texts on the border of some form; every check and its pattern must think the same of each. */
static const struct str texts[] = {
    STR(""),
    STR(" "),
    STR("x"),
    STR("x "),
    STR(" x"),
    STR("a b"),
    STR("a\nb"),
    STR("a\tb"),
    STR("a\0b"),
    STR("\0"),
    STR("a\177b"),
    STR("gr\303\266\303\237e"),
    STR("\360\237\230\200"),
    STR("::"),
    STR(":"),
    STR("a:"),
    STR("a::"),
    STR("::a"),
    STR("a::b"),
    STR("a:::b"),
    STR("a::::b"),
    STR("a,b=c@d"),
    STR("="),
    STR("A=B"),
    STR("and"),
    STR("or"),
    STR("not"),
    STR("And"),
    STR("android"),
    STR("a-b.c/d+e:f_g"),
    STR("a(b)"),
    STR("0"),
    STR("60"),
    STR("-1"),
    STR("+1"),
    STR("1.5"),
    STR("1."),
    STR(".5"),
    STR("1e3"),
    STR("60s"),
    STR("1m30s"),
    STR("1h2m3s4ms"),
    STR("1.5h"),
    STR("250ms"),
    STR("1d"),
    STR("1w"),
    STR("5m"),
    STR("1s1m"),
    STR("1m1m"),
    STR("1d2h3m4s5ms"),
    STR("1h5ms"),
    STR("1.5h30m"),
    STR("1h1.5m"),
    STR("1m30"),
    STR("1.ms"),
    STR("TERM 1.5h30m"),
    STR("TERM 1h1.5m "),
    STR("s"),
    STR("60 s"),
    STR("1m30"),
    STR("1S"),
    STR("64k"),
    STR("64Kib"),
    STR("1.5GB"),
    STR("1.5"),
    STR("12b"),
    STR("1.123456m"),
    STR("1.1234567m"),
    STR("0%"),
    STR("0.0%"),
    STR("00.3%"),
    STR("000.3%"),
    STR("0.3%"),
    STR("099%"),
    STR("99.9%"),
    STR("100%"),
    STR("100.5%"),
    STR("3%%"),
    STR("2026-12-01"),
    STR("2026-12-32"),
    STR("2026-13-01"),
    STR("2026-1-1"),
    STR("KILL"),
    STR("SIGKILL"),
    STR("SIGSIGKILL"),
    STR("HUP"),
    STR("INT"),
    STR("QUIT"),
    STR("ABRT"),
    STR("USR1"),
    STR("USR2"),
    STR("ALRM"),
    STR("TERM"),
    STR("CONT"),
    STR("PWR"),
    STR("WINCH"),
    STR("SEGV"),
    STR("TERM group"),
    STR("TERM leader 3s"),
    STR("TERM  tree  1m30s "),
    STR("TERM 3s group"),
    STR("TERMgroup"),
    STR(">=0.1"),
    STR(">=0.1,<2"),
    STR(" >= 0.1 , != 1.2.3 "),
    STR(">=0.1,"),
    STR(",>=0.1"),
    STR("~1"),
    STR("=1"),
    STR("==1.2.3.4"),
    STR(">1234567890"),
    STR("SEGV"),
    STR("SIGSEGV"),
    STR("segv"),
    STR("SIGSIGSEGV"),
    STR("SIG"),
    STR("HUP"),
    STR("SYS"),
    STR("RTMIN"),
    STR("SIGRTMIN+1"),
    STR("RTMIN+30"),
    STR("RTMIN+31"),
    STR("RTMIN+0"),
    STR("RTMIN+05"),
    STR("signal 32"),
    STR("no signal"),
};

static bool pattern_takes(const char *pattern, struct str text)
{
    int error, answer;
    size_t at;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                     PCRE2_UTF | PCRE2_ALT_BSUX | PCRE2_DOLLAR_ENDONLY, &error, &at, NULL);
    pcre2_match_data *match;

    if (!code)
        fail_msg("no pattern, at %zu: %s", at, pattern);
    match = pcre2_match_data_create_from_pattern(code, NULL);
    answer = pcre2_match(code, (PCRE2_SPTR)text.ptr, text.len, 0, 0, match, NULL);
    pcre2_match_data_free(match);
    pcre2_code_free(code);
    return answer >= 0;
}

static void patterns_agree_with_checks(void **state)
{
    static const struct {
        const char *name;
        const struct schema_syntax *syntax;
    } syntaxes[] = {
#define X(id) {#id, &syntax_##id},
        SCHEMA_SYNTAXES(X)
#undef X
    };
    int differ = 0;

    (void)state;
    for (size_t s = 0; s < ARRAY_LEN(syntaxes); s++)
        for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
            bool check = syntaxes[s].syntax->valid(texts[t]);

            if (check == pattern_takes(syntaxes[s].syntax->pattern, texts[t]))
                continue;
            print_error("'%.*s' is %s %s, its pattern thinks otherwise\n", STR_ARG(texts[t]),
                        check ? "a" : "no", syntaxes[s].name);
            differ++;
        }
    assert_int_equal(differ, 0);
}

/* The schema relies on it: only a free form needs to be told apart from an expression. */
static void expressions_fit_free_forms_only(void **state)
{
    static const struct str expressions[] = {STR("${{ x }}"), STR("${{ x == y }}"), STR("a-${{x}}")};

    (void)state;
#define X(id)                                                                       \
    for (size_t i = 0; i < ARRAY_LEN(expressions); i++)                             \
        if (pattern_takes(syntax_##id.pattern, expressions[i]) != syntax_##id.free) \
            fail_msg("'%.*s' and the pattern of %s", STR_ARG(expressions[i]), #id);
    SCHEMA_SYNTAXES(X)
#undef X
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),
        cmocka_unit_test(percents),
        cmocka_unit_test(dates),
        cmocka_unit_test(ladder_steps),
        cmocka_unit_test(constraints),
        cmocka_unit_test(patterns_agree_with_checks),
        cmocka_unit_test(expressions_fit_free_forms_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
