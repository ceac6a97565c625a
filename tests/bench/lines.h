/* So many bytes of lines that differ from one another, and from those of others. */
#ifndef TESTS_BENCH_LINES_H
#define TESTS_BENCH_LINES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In pieces that are not written line by line; false: they could not be written. */
static inline int lines_write(FILE *out, int who, long long bytes)
{
    static const char filler[] =
        " ..............................................................................\n";
    char line[128];

    setvbuf(out, NULL, _IOFBF, (size_t)64 << 10);
    for (long long number = 0; bytes > 0; number++) {
        int size = snprintf(line, sizeof line, "%d: line %lld%s", who, number, filler);

        if (size > bytes) {
            size = (int)bytes;
            line[size - 1] = '\n';
        }
        if (fwrite(line, 1, (size_t)size, out) != (size_t)size)
            return 0;
        bytes -= size;
    }
    return fflush(out) == 0;
}

static inline long long number_of(const char *variable, long long otherwise)
{
    const char *text = getenv(variable);

    return text && *text ? atoll(text) : otherwise;
}

#endif
