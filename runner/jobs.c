#include "runner/jobs.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

static uint32_t processors(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return 1;
    return (uint32_t)CPU_COUNT(&set);
}

bool jobs_read(const char *text, uint32_t *jobs)
{
    char *end;
    unsigned long number;

    *jobs = processors();
    if (!text || strcmp(text, "auto") == 0)
        return true;
    errno = 0;
    number = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || number < 1 || number > JOBS_MOST || errno)
        return false;
    *jobs = (uint32_t)number;
    return true;
}
