/* Where dumps are written, and told of. */
#include "runner/dumps_internal.h"

#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/layout.h"
#include "runner/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* ---- before it runs ---- */

void dumps_prepare(struct session *s, struct slot *slot)
{
    struct dump_subject *subject = ARENA_NEW(&slot->arena, struct dump_subject);
    const char *folder;

    subject->id = slot->recipe.id;
    subject->pid = slot->pid;
    subject->role = "case";
    subject->timeout = slot->recipe.timeout;
    subject->capture = &slot->capture;
    subject->recipe = &slot->recipe;
    subject->inside = slot->recipe.dumps_inside ? slot->tmp.fd : -1;
    subject->attempt = s->cases[slot->on].attempts + 1u;
    folder = outputs_path(slot, LAYOUT_CASES, subject->attempt, "");
    subject->folder = arena_cstr(&slot->arena, (struct str){folder, strlen(folder) - 1});
    subject->daemons = fixtures_daemons(s, slot, &subject->daemon_count);
    slot->subject = subject;
}

/* ---- files ---- */

/* Not through what stands there already: a test may have put a link in its place. */
static bool write_one(struct session *s, const char *path, struct str text)
{
    int fd = -1;
    bool good = dir_make_parents(s->run.fd, path, 0777) == 0;

    if (good && (unlinkat(s->run.fd, path, 0) == 0 || errno == ENOENT))
        fd = openat(s->run.fd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    good = fd >= 0 && fd_write_all(fd, text.ptr, text.len) == 0;
    if (!good)
        session_note(s, "cannot write '%s': %s", path, strerror(errno));
    fd_close(&fd);
    return good;
}

/* Of a large tree that takes a while, which the loop does not have. */
void dump_render(struct session *s, const struct dump *dump, struct dump_texts *texts)
{
    dump_write_text(dump, s->mask, &texts->text);
    dump_write_json(dump, s->mask, &texts->json);
}

void dump_texts_release(struct dump_texts *texts)
{
    buf_release(&texts->text);
    buf_release(&texts->json);
}

const char *dump_write(struct session *s, struct arena *arena, const char *folder, const char *name,
                       const struct dump_texts *texts)
{
    const char *path = arena_printf(arena, "%s/%s.txt", folder, name);
    bool written = write_one(s, path, buf_str(&texts->text));

    if (written) /* else it is the disk, and was said */
        write_one(s, arena_printf(arena, "%s/%s.json", folder, name), buf_str(&texts->json));
    return written ? path : NULL;
}

bool dumps_is_ours(const struct slot *slot, const char *name)
{
    struct str text = str_of(name);

    return slot->dumped_meanwhile && (str_starts(text, "dump-slow.") || str_starts(text, "dump-asked")) &&
           (str_ends(text, ".txt") || str_ends(text, ".json"));
}

/* ---- of an attempt that goes on ---- */

void dump_job_told(struct session *s, struct dump_job *job)
{
    static const char *const names[DUMP_OCCASION_COUNT] = {
#define X(id, name) [id] = name,
        DUMP_OCCASIONS(X)
#undef X
    };
    const char *name = names[job->occasion], *path;

    if (!job->made) {
        progress_dumped(s->progress, str_of(job->title), "none, there was no time");
        return;
    }
    if (job->number > 1)
        name = arena_printf(&job->arena, "%s-%u", name, job->number);
    path = dump_write(s, &job->arena, job->folder, name, &job->texts);
    if (path)
        progress_dumped(s->progress, str_of(job->title),
                        arena_printf(&job->arena, "%s/%s", s->run.path, path));
}

/* ---- of one that is over ---- */

const char *dumps_why_not(struct slot *slot)
{
    if (slot->dump)
        return NULL;
    switch (slot->ending.dump) {
    case WATCH_DUMP_LATE: return "there is no dump: it was not made in time";
    case WATCH_DUMP_FLOODED: return "there is no dump: it wrote too much meanwhile";
    case WATCH_DUMP_REFUSED: return "there is no dump: too many others were being made";
    case WATCH_DUMP_MADE: return "there is no dump: it could not be begun in time";
    default: return NULL;
    }
}

/* Who is a zombie stands nowhere: nothing is missing of it. */
static bool is_partial(const struct dump *dump)
{
    for (uint32_t i = 0; i < dump->process_count; i++)
        if (dump->processes[i].why_no_stacks && dump->processes[i].state != 'Z')
            return true;
    return dump->why_no_stacks || dump->processes_more;
}

static void put(struct session *s, struct slot *slot, const struct dump *dump, const struct dump_texts *texts)
{
    slot->dump_path = dump_write(s, &slot->arena, slot->subject->folder, "dump", texts);
    slot->dump_partial = is_partial(dump);
}

void dumps_put(struct session *s, struct slot *slot, const struct dump *dump)
{
    struct dump_texts texts = {0};

    dump_render(s, dump, &texts);
    put(s, slot, dump, &texts);
    dump_texts_release(&texts);
}

bool dumps_place(const struct slot *slot, struct buf *out)
{
    return slot->dump && dump_place(&slot->dump->dump, out);
}

void dumps_keep(struct session *s, struct slot *slot, struct journal_attempt *attempt)
{
    struct dump_job *job = slot->dump;

    slot->dump = NULL;
    if (job && s->keep != KEEP_NONE && slot->worth == SOAK_ALL)
        put(s, slot, &job->dump, &job->texts);
    if (job)
        dump_job_free(job);
    attempt->dump = str_of(slot->dump_path);
    attempt->dump_partial = slot->dump_path && slot->dump_partial;
}
