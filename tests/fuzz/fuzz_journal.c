/* Any bytes as a journal: read, counted, gone on with. By going on nothing is lost that could be read before. */
#include "runner/base/io.h"
#include "runner/journal/journal.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define MEMORY_PER_BYTE 256 /* that a reader may take for a byte of the file */
#define MEMORY_BASE     4096

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void put(int folder, const uint8_t *bytes, size_t size)
{
    int fd = openat(folder, JOURNAL_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 || fd_write_all(fd, bytes, size) < 0)
        abort();
    fd_close(&fd);
}

static void check_case(const struct journal_record *record, const struct journal_history *history)
{
    if (history->what->test >= record->test_count || !str_starts(history->what->cell, "{"))
        abort();
    if (history->open && !history->executed)
        abort();
    for (uint32_t i = 0; i < history->count; i++) {
        const struct journal_attempt *a = &history->attempts[i];

        if (&record->cases[a->number] != history || !verdict_word(a->verdict) || !verdict_word(a->outcome))
            abort();
        if (a->output_count > JOURNAL_OUTPUTS_MOST || a->rung_count > JOURNAL_RUNGS_MOST ||
            a->note_count > JOURNAL_NOTES_MOST || a->at > record->duration)
            abort();
    }
}

static void check(const struct journal_record *record)
{
    struct journal_counts counts;
    uint64_t sum = 0, cases = 0, verdicts = 0;

    for (uint32_t i = 0; i < record->case_count; i++)
        check_case(record, &record->cases[i]);
    journal_count(record, &counts);
    for (int i = 0; i < COUNT_COUNT; i++) {
        sum += counts.counts[i];
        cases += counts.cases[i];
    }
    for (int i = 0; i < VERDICT_COUNT; i++)
        verdicts += counts.verdicts[i];
    if (sum + counts.quarantined != verdicts || cases > record->case_count ||
        (!counts.quarantined && cases != record->case_count))
        abort();
}

/* Whether it could be read, and an error when not. */
static bool read_it(struct arena *arena, int folder, struct journal_record *record)
{
    struct diags diags = {.arena = arena};
    bool read = journal_read(arena, folder, "f", record, &diags);

    if (read != (diags.errors == 0))
        abort();
    return read;
}

static void go_on(struct arena *arena, int folder, const struct journal_record *before)
{
    struct faults faults = {0};
    struct journal *journal = journal_open(folder, &faults);
    struct journal_record after;

    if (!journal || journal_note(journal, (struct str)STR("more"), 0) < 0)
        abort();
    journal_close(journal);
    if (!read_it(arena, folder, &after) || after.note_count != before->note_count + 1 ||
        after.case_count != before->case_count || after.test_count != before->test_count ||
        after.torn > before->torn)
        abort();
    for (uint32_t i = 0; i < after.case_count; i++)
        if (after.cases[i].count != before->cases[i].count || after.cases[i].open != before->cases[i].open)
            abort();
}

static bool look_at(void *user, const struct journal_result *result)
{
    *(uint64_t *)user += result->id.len + (uint64_t)result->duration;
    return verdict_word(result->verdict) != NULL;
}

/* The same bytes as the results of a case. */
static void read_results(int folder, size_t size)
{
    int fd = openat(folder, JOURNAL_NAME, O_RDONLY | O_CLOEXEC);
    uint64_t sum = 0;
    uint32_t torn = 0;

    journal_results_read(fd, look_at, &sum, &torn);
    if (torn > size)
        abort();
    fd_close(&fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char path[] = "/dev/shm/fuzz_journal-XXXXXX"; /* a disk would be ten times slower */
    struct arena arena = {0};
    struct journal_record record;
    int folder = mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (folder < 0)
        abort();
    put(folder, bytes, size);
    read_results(folder, size);
    if (read_it(&arena, folder, &record)) {
        if (arena.used > MEMORY_BASE + size * MEMORY_PER_BYTE)
            abort();
        check(&record);
        go_on(&arena, folder, &record);
    }
    unlinkat(folder, JOURNAL_NAME, 0);
    rmdir(path);
    fd_close(&folder);
    arena_release(&arena);
    return 0;
}
