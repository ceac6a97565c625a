/* What a process left as its report, in files or in its output, read into results. */
#include "runner/case_results.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK                ((size_t)64 << 10)
#define REPORT_MOST          ((uint64_t)1 << 30)  /* a report that is longer is read so far ... */
#define REPORT_MOST_IN_HURRY ((uint64_t)64 << 20) /* ... when the run is cancelled */

static struct results_reader *new_reader(const struct results_wish *wish, struct results *into)
{
    struct lines_error error;

    switch (wish->kind) {
    case RESULTS_JUNIT: return results_junit(into);
    case RESULTS_GTEST: return results_gtest(into);
    case RESULTS_TAP: return results_tap(into, false);
    case RESULTS_LINES: return results_lines(into, wish->text, &error);
    case RESULTS_NONE: break;
    }
    return NULL;
}

/* A report while it is read. */
struct source {
    struct session *s;
    struct slot *slot;
    struct results *into;
    struct results_reader *reader;
    const char *name; /* for people */
    char last;        /* byte */
    uint64_t done;    /* bytes, of all files of the attempt */
};

/*
 * Who is in a hurry does not wait for a long report: a step of GitHub's that is cancelled has seconds for everything. It
 * may be cancelled while one is read: then nobody has taken the signal yet.
 */
static uint64_t most_of(const struct source *source)
{
    bool in_hurry = source->s->cancelled || signals_ending_waits(&source->s->signals);

    return in_hurry ? REPORT_MOST_IN_HURRY : REPORT_MOST;
}

static void say_cut(struct source *source, uint64_t size, uint64_t read)
{
    diag_error(&source->into->problems, (struct place){.file = source->name},
               "it has %llu bytes, of which the first %llu are read", (unsigned long long)size,
               (unsigned long long)read);
    source->into->cut = true;
}

/* As much of it as there is when it is opened: somebody may still be writing. False and errno. */
static bool feed_file(struct source *source, int fd)
{
    char *bytes = mem_alloc(CHUNK);
    uint64_t at = 0, size;
    ssize_t got = 1;
    struct stat st = {0};

    fstat(fd, &st);
    size = (uint64_t)st.st_size;
    while (at < size && source->done < most_of(source)) {
        got = pread(fd, bytes, size - at < CHUNK ? (size_t)(size - at) : CHUNK, (off_t)at);
        if (got <= 0)
            break;
        results_feed(source->reader, (struct str){bytes, (size_t)got});
        source->last = bytes[got - 1];
        at += (uint64_t)got;
        source->done += (uint64_t)got;
    }
    free(bytes);
    if (at < size && got > 0)
        say_cut(source, size, at);
    return got >= 0;
}

/* Standard output; where lines are looked for, standard error after it. */
static void read_output(struct session *s, struct slot *slot, struct case_results *results)
{
    const struct results_wish *wish = &slot->recipe.results;
    struct capture_file *files = slot->capture.files;
    struct source source = {.s = s, .slot = slot, .into = &results->results, .last = '\n'};

    source.name = results->report = files[0].word ? files[0].word : "output";
    results_init(&results->results, source.name);
    source.reader = new_reader(wish, &results->results);
    if (!source.reader)
        return;
    for (int i = 0; i < (wish->kind == RESULTS_LINES ? 2 : 1); i++) {
        if (files[i].fd < 0)
            continue;
        if (source.last != '\n')
            results_feed(source.reader, str_of("\n"));
        feed_file(&source, files[i].fd);
    }
    results_end(source.reader);
}

/* What is in the folder that was lent is called as the case does: the folder will not be there any more. */
static const char *name_of(const struct session *s, struct slot *slot, const char *path)
{
    const char *folder = arena_printf(&slot->arena, "%s/%s/", s->run_path, slot->results.folder.path);
    size_t length = strlen(folder);

    return strncmp(path, folder, length) == 0
               ? arena_printf(&slot->arena, "$RUN_MATRIX_RESULTS/%s", path + length)
               : path;
}

/* A FIFO would keep us waiting. */
static bool read_file(struct source *source, const struct report_file *file)
{
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    bool good = false;

    errno = S_ISREG(file->st.st_mode) ? errno : ENOTSUP;
    if (fd >= 0 && S_ISREG(file->st.st_mode)) {
        results_go_on(source->into, source->name);
        source->reader = new_reader(&source->slot->recipe.results, source->into);
        good = feed_file(source, fd);
        results_end(source->reader);
    }
    if (!good)
        diag_error(&source->into->problems, (struct place){.file = source->name}, "cannot be read: %s",
                   strerror(errno));
    fd_close(&fd);
    return good;
}

static const char *why_none(struct slot *slot, bool stale)
{
    return arena_printf(&slot->arena, "wrote no report: '%.*s' %s", STR_ARG(slot->recipe.results.text),
                        stale ? "was there before it began, and is as it was" : "is not there");
}

static void read_files(struct session *s, struct slot *slot, struct case_results *results)
{
    const struct results_wish *wish = &slot->recipe.results;
    struct source source = {.s = s, .slot = slot, .into = &results->results};
    struct report_files found;
    size_t stale = 0, read = 0;

    report_files_find(&found, wish->paths, &slot->arena);
    results_init(&results->results, arena_cstr(&slot->arena, wish->text));
    for (size_t i = 0; i < found.count; i++) {
        if (report_file_is_stale(&results->before, &found.list[i])) {
            stale++;
            continue;
        }
        source.name = results->report = name_of(s, slot, found.list[i].path);
        read += read_file(&source, &found.list[i]);
    }
    if (read > 1)
        results->report = arena_printf(&slot->arena, "%zu files '%.*s'", read, STR_ARG(wish->text));
    if (!read && !results->results.problems.count)
        results->facts.missing = why_none(slot, stale > 0);
}

/* A process that crashes writes no report; its console had said more. */
static void read_otherwise(struct session *s, struct slot *slot, struct case_results *results)
{
    struct results_wish *wish = &slot->recipe.results;

    wish->kind = RESULTS_LINES;
    wish->text = str_of(wish->otherwise);
    results->facts.missing = NULL;
    results_release(&results->results);
    read_output(s, slot, results);
}

void report_read(struct session *s, struct slot *slot, struct case_results *results)
{
    if (results_in_output(slot->recipe.results.kind))
        read_output(s, slot, results);
    else
        read_files(s, slot, results);
    if (results->facts.missing && slot->recipe.results.otherwise)
        read_otherwise(s, slot, results);
}
