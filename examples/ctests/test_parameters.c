/* One test, many cases: run-matrix examples/ctests/test_parameters.c; run-matrix list says how they are called. */
#include <errno.h>
#include <limits.h>
#include <run_matrix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two of them: a case for each combination, reads_what_was_written/base=8,number=-1 and so on. */
PARAM(base, int, 8, 10, 16);
PARAM(number, long, 0, -1, 123456789);

TEST(reads_what_was_written, WITH(base, number))
{
    const char *format = base == 8 ? "%lo" : base == 10 ? "%ld" : "%lx";
    char text[30];

    snprintf(text, sizeof text, format, labs(number));
    ASSERT_EQ(strtol(text, NULL, base), labs(number));
}

/* Rows have names, and may have marks and expectations of their own: run-matrix -m huge, -k octal. */
MARK(huge, "a number that no long holds");

ROWS(
    text, struct {
        const char *text;
        long value;
        int error;
    });
ROW(text, decimal) = {"42", 42, 0};
ROW(text, octal) = {"052", 42, 0};
ROW(text, binary, .xfail = "strtol of C17 reads no binary numbers") = {"0b101010", 42, 0};
ROW(text, too_long, .marks = "huge") = {"99999999999999999999", LONG_MAX, ERANGE};

TEST(reads, WITH(text))
{
    errno = 0;
    ASSERT_EQ(strtol(text.text, NULL, 0), text.value);
    ASSERT_EQ(errno, text.error);
}

/* A failure that is known may be a crash; it is a failure when it does not happen any more. */
TEST(reads_nothing, .xfail = "there is nothing at NULL", .xfail_signal = SIGSEGV, .xfail_strict = 1)
{
    const char *volatile nothing = NULL;

    strtol(nothing, NULL, 0);
}
