/* The result of a soak, out of its file alone. */
#include "runner/soak/result.h"

#include "runner/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static void count(struct soak_result *result)
{
    result->tallies = ARENA_ARRAY(result->arena, struct tally, result->count);
    for (uint32_t i = 0; i < result->count; i++) {
        const struct state_case *record = &result->state.cases[i];

        result->tallies[i] =
            (struct tally){record_failures(record), record_attempts(record), record_unended(record)};
        tally_add(&result->all, result->tallies[i]);
        result->passed_over += record_passed_over(record);
        result->cases[i].expected = record->expected;
    }
}

static bool read_state(int folder, struct soak_result *result, const char **why)
{
    int fd = openat(folder, SOAK_STATE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct str text;
    bool good;

    if (fd < 0) {
        *why = strerror(errno);
        return false;
    }
    good = state_read(fd, result->arena, &result->state, why);
    fd_close(&fd);
    if (!good)
        return false;
    *why = "it is damaged";
    result->count = result->state.head->fixed.count;
    text = (struct str){result->state.text, (size_t)result->state.head->fixed.text_size};
    return cases_read(text, result->count, result->arena, &result->cases);
}

struct soak_result *soak_read(int folder, const char *path, struct arena *arena, struct diags *diags)
{
    struct soak_result *result = ARENA_NEW(arena, struct soak_result);
    const char *why;

    result->arena = arena;
    if (!read_state(folder, result, &why)) {
        diag_error(diags, (struct place){0}, "cannot read '%s/%s': %s", path, SOAK_STATE_NAME, why);
        return NULL;
    }
    count(result);
    result_name(result);
    result_find_carriers(result);
    result_gather(result);
    return result;
}

/* Behind the cases of the plan are those that nobody wrote as one. */
void soak_result_fixtures(struct soak_result *result, const struct journal_record *record)
{
    for (uint32_t i = result->count; i < record->case_count; i++) {
        const struct journal_history *history = &record->cases[i];
        const struct journal_attempt *last = journal_last(history);

        if (!history->what || !last || verdict_counts(last->outcome) != COUNT_FAILED)
            continue;
        if (result->fixture_failures < FIXTURES_MOST)
            result->fixtures[result->fixture_failures] = (struct fixture_failure){
                arena_str(result->arena, history->what->id), arena_str(result->arena, last->reason)};
        result->fixture_failures++;
    }
}

uint32_t soak_result_failed_fixtures(const struct soak_result *result)
{
    return result->fixture_failures;
}

enum soak_end soak_result_end(const struct soak_result *result)
{
    return (enum soak_end)result->state.head->totals.end;
}

void soak_result_counts(const struct soak_result *result, uint64_t *attempts, uint64_t *failures)
{
    *attempts = result->all.attempts;
    *failures = result->all.failures;
}

bool soak_result_failed(const struct soak_result *result)
{
    return result->all.failures > 0;
}
