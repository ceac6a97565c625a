/* What must be so: run-matrix examples/ctests/test_checks.c. Make one of them wrong, and see what is shown. */
#include <errno.h>
#include <fcntl.h>
#include <run_matrix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TEST(both_sides_are_shown)
{
    const char *greeting = "hello, world";
    size_t length = strlen(greeting);

    ASSERT_EQ(length, 12);
    ASSERT_LT(-1, length); /* as numbers, not as C converts them */
    EXPECT_EQ(greeting, "hello, world");
    EXPECT_STR_STARTS(greeting, "hello");
    EXPECT_MATCH(greeting, "^h.*d$", "with words of one's own: %zu", length);
    EXPECT_MEM_EQ(greeting, "hell", 4);
    EXPECT_NEAR(atof("1e-1") * 3, 0.3, 1e-9);
}

TEST(calls_say_why_they_fail)
{
    int fd = ASSERT_OK(open("/dev/null", O_RDONLY));

    EXPECT_OK(close(fd));
    EXPECT_ERRNO(close(fd), EBADF);
}

static void complain(void)
{
    fputs("usage: cp FROM TO\n", stderr);
    exit(2);
}

TEST(who_dies)
{
    EXPECT_DIES(raise(SIGKILL), SIGKILL);
    EXPECT_EXITS(exit(3), 3);
    EXPECT_EXITS_WITH(complain(), 2, "^usage: cp");
}

/* A helper fails in its own lines; CALL adds the line that has called it. */
static int count_words(const char *text)
{
    int words = 0;

    ASSERT_NOT_NULL(text);
    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        text += strcspn(text, " ");
        words++;
    }
    return words;
}

TEST(helpers)
{
    EXPECT_EQ(CALL(count_words("five lines of C")), 4);
    EXPECT_EQ(CALL(count_words("  ")), 0);
}
