/* What a run is called. */
#include "runner/base/dir.h"
#include "runner/base/mem.h"
#include "runner/store/internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MOST 18 /* of a number: one more than the largest is still a number */

/* After the number; d: a digit, x: a hexadecimal digit */
static const char tail[] = "-dddddddd-dddddd-xxxxxx";

static bool fits(char c, char pattern)
{
    switch (pattern) {
    case 'd': return isdigit((unsigned char)c);
    case 'x': return isdigit((unsigned char)c) || (c >= 'a' && c <= 'f');
    default: return c == pattern;
    }
}

bool run_number(struct str name, uint64_t *number)
{
    size_t digits = 0;

    *number = 0;
    for (; digits < name.len && isdigit((unsigned char)name.ptr[digits]); digits++)
        if (digits < DIGITS_MOST)
            *number = *number * 10 + (uint64_t)(name.ptr[digits] - '0');
    if (digits < 4 || digits > DIGITS_MOST || name.len != digits + sizeof tail - 1)
        return false;
    for (size_t i = 0; i < sizeof tail - 1; i++)
        if (!fits(name.ptr[digits + i], tail[i]))
            return false;
    return true;
}

/* By number, not by text: past 9999 there are more digits. */
static int newest_first(const void *left, const void *right)
{
    const struct str *a = left, *b = right;
    uint64_t number_a, number_b;

    run_number(*a, &number_a);
    run_number(*b, &number_b);
    if (number_a != number_b)
        return number_a < number_b ? 1 : -1;
    return str_cmp(*b, *a);
}

int run_names(const struct store *store, struct arena *arena, struct str **names, size_t *count)
{
    struct str *all;
    size_t there;
    uint64_t number;

    *names = NULL;
    *count = 0;
    if (dir_list(store->fd, STORE_RUNS, arena, &all, &there) < 0)
        return errno == ENOENT ? 0 : -1;
    *names = all;
    for (size_t i = 0; i < there; i++)
        if (run_number(all[i], &number))
            all[(*count)++] = all[i];
    if (*count)
        qsort(all, *count, sizeof *all, newest_first);
    return 0;
}

const char *run_path(struct arena *arena, struct str name)
{
    return arena_printf(arena, STORE_RUNS "/%.*s", STR_ARG(name));
}

size_t store_runs(struct store *store, size_t most, struct arena *arena, struct str **ids)
{
    size_t count;

    if (run_names(store, arena, ids, &count) < 0)
        return 0;
    return count < most ? count : most;
}
