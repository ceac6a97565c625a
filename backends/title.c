/* What people, and we ourselves, see of a process that goes on with the memory of another one. */
#include "backends/raw.h"
#include "backends/serve.h"

#include "runner/base/io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#define COMM_SIZE 16
#define OURS      "RUN_MATRIX_"

/* The numbers of /proc/self/stat behind the name: the first of them is the third. */
enum { STAT_FIRST = 3, STAT_ARG_START = 48, STAT_ARG_END, STAT_ENV_START, STAT_ENV_END };

struct shown find_shown(void)
{
    struct buf line = {0};
    char *at = NULL, *places[4] = {NULL};

    if (file_read("/proc/self/stat", &line, 4096) == 0)
        at = strrchr(line.ptr, ')');
    for (int field = STAT_FIRST - 1; at && field < STAT_ENV_END; field++) {
        at = strchr(at + 1, ' ');
        if (at && field + 1 >= STAT_ARG_START)
            places[field + 1 - STAT_ARG_START] = (char *)(uintptr_t)strtoull(at, NULL, 10);
    }
    buf_release(&line);
    return (struct shown){places[0], places[1], places[2], places[3]};
}

/* As long as what we were called with, and no longer. */
static void put_title(const struct shown *shown, const char *title)
{
    size_t size = (size_t)(shown->argv_end - shown->argv), len = strlen(title);

    memset(shown->argv, 0, size);
    memcpy(shown->argv, title, len < size ? len : size - 1);
}

static bool is_of_ours(const char *entry)
{
    return *entry == 'R' && strncmp(entry, OURS, strlen(OURS)) == 0;
}

static bool tells_whose(const char *entry)
{
    static const char *const names[] = {"RUN_ID=", "CASE_ID=", "ATTEMPT="};

    if (!is_of_ours(entry))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(entry + strlen(OURS), names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/*
 * What tells whose process this is has to stand where /proc shows the environment that we were executed with. There is
 * a variable for that, long enough, and of those that say otherwise nothing is left; no other one is touched, for who
 * has asked for it may have kept where it is.
 */
static void put_cookies(const struct shown *shown, char *const *envp)
{
    char *at = NULL;
    size_t room = 0, len;

    for (char *entry = shown->env; entry < shown->env_end; entry += len + 1) {
        len = strnlen(entry, (size_t)(shown->env_end - entry));
        if (!is_of_ours(entry))
            continue;
        if (strncmp(entry, SERVE_ROOM, strlen(SERVE_ROOM)) == 0) {
            at = entry;
            room = len;
        }
        memset(entry, ' ', len); /* an empty one would be the end to who reads on, as sanitizers do */
    }
    for (; envp && *envp; envp++) {
        if (!tells_whose(*envp) || (len = strlen(*envp) + 1) > room)
            continue;
        memcpy(at, *envp, len);
        at += len;
        room -= len;
    }
}

/* Without printf: most of what it has of libc no test would look at, and each page there is a fault of its own. */
static void put_name(const char *test)
{
    char comm[COMM_SIZE] = "";

    memcpy(comm, test, strnlen(test, sizeof comm - 1));
    RAW(prctl, PR_SET_NAME, comm);
}

void show_whose(const struct shown *shown, const struct spawn_spec *spec)
{
    put_name(spec->test);
    if (spec->title && shown->argv && shown->argv < shown->argv_end)
        put_title(shown, spec->title);
    if (shown->env)
        put_cookies(shown, spec->envp);
}
