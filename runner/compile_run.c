/* Compilers as processes, and what is told of one that failed. */
#include "runner/compile_internal.h"

#include "ci/job.h"
#include "runner/base/harmless.h"
#include "runner/base/inert.h"
#include "runner/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WORDS_MOST ((size_t)1 << 20)
#define LINE_MOST  ((size_t)300)

/* ---- words ---- */

/* Everything, a line at a time, without colours. */
static const char *all_words(struct compiler *c, struct str out, struct str err)
{
    struct str parts[] = {err, out};
    struct buf words = {0};
    const char *text;

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        while (parts[i].len && words.len < WORDS_MOST) {
            const char *end = memchr(parts[i].ptr, '\n', parts[i].len);
            size_t len = end ? (size_t)(end - parts[i].ptr) : parts[i].len;

            text_harmless(&words, str_slice(parts[i], 0, len), false);
            buf_addc(&words, '\n');
            parts[i] = str_slice(parts[i], len + (end != NULL), parts[i].len);
        }
    text = arena_cstr(c->arena, buf_str(&words));
    buf_release(&words);
    return text;
}

static struct str line_at(const char *text)
{
    return (struct str){text, strcspn(text, "\n")};
}

/* What a compiler, or a linker, is there to say, and what says that somebody else has said it. */
static bool is_error(struct str line)
{
    static const char *const signs[] = {"error: ", "undefined reference", "multiple definition",
                                        "cannot find"};
    size_t at;

    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        if (str_find(line, signs[i], &at) && !str_find(line, "ld returned", &at))
            return true;
    return false;
}

/* The line that tells most: the first error, else the first there is. */
static struct str head_of(const char *words)
{
    struct str line, head = {0};

    for (; *words; words += line.len + (words[line.len] == '\n')) {
        line = line_at(words);
        if (is_error(line))
            return line;
        if (!head.len)
            head = str_trim(line);
    }
    return head;
}

/* All of it, but for what it was asked to print for us. */
static const char *words_of(struct compiler *c, const struct compile_step *step, const struct ask *ask)
{
    bool hides = step->traces && ask->err.len;

    return all_words(c, hides ? (struct str){"", 0} : buf_str(&ask->out), buf_str(&ask->err));
}

static void tell(struct compiler *c, struct compile_step *step, const struct ask *ask)
{
    const struct asked *asked = &ask->asked;
    const char *whom = step->words->list[0], *words = words_of(c, step, ask);
    struct str head = head_of(words);
    struct buf said = {0};

    if (*asked->error)
        buf_adds(&said, asked->error);
    else if (asked->timed_out)
        buf_addf(&said, "'%s' was not done in %lld s", whom, COMPILE_TIMEOUT / NS_PER_S);
    else if (asked->flooded)
        buf_addf(&said, "'%s' printed more than %zu MiB", whom, ASK_OUTPUT_MOST >> 20);
    else if (asked->signal)
        buf_addf(&said, "'%s' was ended by signal %d", whom, asked->signal);
    else if (!head.len)
        buf_addf(&said, "'%s' failed (status %d) and said nothing", whom, asked->status);
    else
        buf_addstr(&said, str_slice(head, 0, head.len < LINE_MOST ? head.len : LINE_MOST));
    step->problem = arena_cstr(c->arena, buf_str(&said));
    step->words_said = *words ? words : NULL;
    buf_release(&said);
}

/* ---- processes ---- */

/* Compilers read while people write: what has changed since is not known to be what was read. */
static void note_beginning(struct compiler *c)
{
    const struct timespec pause = {0, NS_PER_MS / 2};
    struct timespec then, now;

    clock_gettime(CLOCK_REALTIME_COARSE, &then);
    do {
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
        clock_gettime(CLOCK_REALTIME_COARSE, &now);
    } while (now.tv_sec == then.tv_sec && now.tv_nsec == then.tv_nsec);
    c->began = now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void describe(struct compiler *c, const struct compile_step *step, struct spawn_spec *spec)
{
    const char **argv = ARENA_ARRAY(c->arena, const char *, step->words->count + 1);

    memcpy(argv, step->words->list, step->words->count * sizeof *argv);
    *spec = (struct spawn_spec){.path = argv[0],
                                .argv = (char *const *)(uintptr_t)argv,
                                .envp = c->envp,
                                .cwd = c->cwd,
                                .stdio = {-1, -1, -1},
                                .session = true,
                                .terminal = -1};
}

/*
 * Warnings, as whoever compiles by himself would see them; in a job nothing that its log is read for, since a source may have its
 * compiler say anything. Said once: what is in the cache is not compiled again.
 */
static void pass_on(struct compiler *c, struct str err)
{
    if (str_trim(err).len)
        inert_print(str_of(all_words(c, (struct str){"", 0}, err)), job_inside(), stderr);
}

void compile_steps(struct compiler *c, struct compile_step *steps, uint32_t count)
{
    struct spawn_spec *specs = mem_zero(count + 1, sizeof *specs);
    struct ask *asks = mem_zero(count + 1, sizeof *asks);

    if (!c->began)
        note_beginning(c);
    for (uint32_t i = 0; i < count; i++) {
        describe(c, &steps[i], &specs[i]);
        asks[i] = (struct ask){.spec = &specs[i], .deadline = COMPILE_TIMEOUT};
    }
    ask_all(asks, count, c->jobs, c->contain);
    for (uint32_t i = 0; i < count; i++) {
        if (*asks[i].asked.error || asks[i].asked.status)
            tell(c, &steps[i], &asks[i]);
        else {
            pass_on(c, buf_str(&asks[i].err));
            steps[i].out = arena_str(c->arena, buf_str(&asks[i].out));
        }
        buf_release(&asks[i].out);
        buf_release(&asks[i].err);
    }
    free(specs);
    free(asks);
}
