/* They write: much, or what is hard to read. */
#include "tests/kids/kid/kid.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int flood(char **args)
{
    static char block[64 << 10];
    long left = number(args[0]);
    int fd = args[1] && strcmp(args[1], "stderr") == 0 ? 2 : 1;

    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (i + 1) % 64 ? (char)('a' + i % 26) : '\n';
    while (left > 0) {
        ssize_t wrote = write(fd, block, left < (long)sizeof block ? (size_t)left : sizeof block);

        if (wrote < 0)
            return broken("write");
        left -= wrote;
    }
    return 0;
}

static int lines(char **args)
{
    long count = number(args[0]);

    for (long i = 1; i <= count; i++)
        printf("line %ld\n", i);
    return 0;
}

static int garbage(char **args)
{
    static const char bytes[] =
        "before \x1b[31mred\x1b]0;title\a \0 nul \xff\xc0\x80 bytes ]]> <tag> &amp; \r\b\x7f "
        "\xe2\x80\xae turned \xef\xbf\xbf\n\x1b[2Jno newline";

    (void)args;
    fwrite(bytes, 1, sizeof bytes - 1, stdout);
    fwrite(bytes, 1, sizeof bytes - 1, stderr);
    return 1;
}

static int megaline(char **args)
{
    (void)args;
    for (int i = 0; i < 1 << 20; i++)
        putchar('x');
    return 1;
}

static int print(char **args)
{
    say(args[0]);
    return 0;
}

static int complain(char **args)
{
    fprintf(stderr, "%s\n", args[0]);
    return 1;
}

const struct kid kids_write[] = {
    {"flood", "BYTES [stdout|stderr]", "writes so much in lines of 64", 1, .act = flood},
    {"lines", "N", "writes lines with numbers", 1, .act = lines},
    {"garbage", "", "writes what spoils reports and terminals, to both streams; exits 1", 0, .act = garbage},
    {"megaline", "", "writes a MiB without newline; exits 1", 0, .act = megaline},
    {"print", "TEXT", "prints a line", 1, .act = print},
    {"complain", "TEXT", "prints a line to stderr; exits 1", 1, .act = complain},
    {0},
};
