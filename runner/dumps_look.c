/* What a dump is to be of, and the making of it. */
#include "runner/dumps_internal.h"

#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/layout.h"
#include "runner/base/mem.h"
#include "runner/inside/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROLE_MOST 80

/* ---- words ---- */

static const char *span_text(struct arena *arena, nanos span)
{
    struct buf text = {0};
    const char *words;

    span_format(&text, span);
    words = arena_cstr(arena, buf_str(&text));
    buf_release(&text);
    return words;
}

/* "its deadline of 10s has passed, in its call", "... in the teardown of 'registry'" */
static const char *deadline_text(struct dump_job *job, const struct dump_subject *subject,
                                 const struct watch_dump_wish *wish)
{
    const struct watch_part *part = &wish->part;
    struct arena *arena = &job->arena;
    const char *limit = span_text(arena, part->phase ? part->limit : subject->timeout);

    if (!part->phase)
        return arena_printf(arena, "its deadline of %s has passed, in its %s", limit,
                            watch_phase_words[wish->phase]);
    if (part->all)
        return arena_printf(arena, "all of its phases have taken too long; it is in its %s",
                            said_phase_words[part->phase]);
    return arena_printf(arena,
                        *part->of ? "the deadline of %s has passed, in the %s of '%s'"
                                  : "the deadline of %s has passed, in its %s%s",
                        limit, said_phase_words[part->phase], part->of);
}

static const char *reason_text(struct dump_job *job, const struct dump_subject *subject,
                               const struct watch_dump_wish *wish)
{
    switch (job->occasion) {
    case DUMP_SLOW:
        return arena_printf(&job->arena, "it has been running for %s, and is slow",
                            span_text(&job->arena, subject->recipe->slow));
    case DUMP_ASKED: return "somebody has asked for it (SIGUSR2)";
    default: break;
    }
    if (wish->last)
        return arena_printf(&job->arena, "it goes on although it was told to end (%s), and KILL is next",
                            watch_cause_words[wish->cause]);
    if (wish->cause == WATCH_SESSION)
        return "the deadline of the run has passed";
    return deadline_text(job, subject, wish);
}

/* ---- what it is made of ---- */

/* Opened anew: as long as somebody has it open, its file serves no other case. */
static void add_output(struct dump_job *job, const char *name, int fd)
{
    job->outputs[job->output_count++] = (struct dump_output){
        .name = name,
        .path = arena_printf(&job->arena, "%s/%s/%s", job->dumps->s->run.path, job->folder, name),
        .fd = fd,
    };
}

static void add_captured(struct dump_job *job, const struct capture *capture)
{
    for (int i = 0; i < CAPTURE_FILES_MOST; i++) {
        char path[40];
        int fd;

        job->captured[i] = -1;
        if (capture->files[i].fd < 0)
            continue;
        snprintf(path, sizeof path, "/proc/self/fd/%d", capture->files[i].fd);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        job->captured[i] = (int)job->output_count;
        add_output(job, capture->files[i].word, fd);
    }
}

static void add_trees(struct dump_job *job, const struct dump_subject *subject)
{
    job->tree_count = 1 + subject->daemon_count;
    job->trees = ARENA_ARRAY(&job->arena, struct dump_tree, job->tree_count);
    job->trees[0] = (struct dump_tree){.place = job->place,
                                       .generation = job->generation,
                                       .leader = subject->pid,
                                       .role = arena_cstr(&job->arena, str_of(subject->role))};
    for (uint32_t i = 0; i < subject->daemon_count; i++)
        job->trees[1 + i] = (struct dump_tree){
            .place = subject->daemons[i].place,
            .generation = subject->daemons[i].generation,
            .leader = subject->daemons[i].pid,
            .role = arena_printf(&job->arena, "fixture %s", subject->daemons[i].name),
        };
}

/* The loop may be about to forget the recipe when somebody reads this: names are copied. */
static void add_choices(struct dump_job *job, const struct recipe *recipe)
{
    struct dump_runtime_choice *choices =
        ARENA_ARRAY(&job->arena, struct dump_runtime_choice, recipe->runtime_count);

    for (uint32_t i = 0; i < recipe->runtime_count; i++)
        choices[i] = (struct dump_runtime_choice){arena_cstr(&job->arena, str_of(recipe->runtimes[i].image)),
                                                  recipe->runtimes[i].runtime};
    job->choices = choices;
    job->choice_count = recipe->runtime_count;
    job->asks_runtimes = recipe->asks_runtimes;
}

void dump_job_fill(struct dump_job *job, const struct dump_subject *subject,
                   const struct watch_dump_wish *wish)
{
    job->folder = arena_cstr(&job->arena, str_of(subject->folder));
    job->title = arena_printf(&job->arena, "%.*s, attempt %u", STR_ARG(subject->id), subject->attempt);
    job->reason = reason_text(job, subject, wish);
    job->asks_runtimes = true;
    add_trees(job, subject);
    add_captured(job, subject->capture);
    if (subject->recipe)
        add_choices(job, subject->recipe);
    if (subject->inside >= 0)
        job->inside = fcntl(subject->inside, F_DUPFD_CLOEXEC, 0);
}

/* ---- on its thread ---- */

/* "actor reader@c17c...": what an actor has its owner's library call it. */
static const char *role_of(struct dump_job *job, const struct dump_tree *tree, const struct proc_stat *stat)
{
    static const char title[] = "actor ";
    struct buf command = {0};
    const char *role = stat->pid == tree->leader ? tree->role : NULL, *text;

    if (!role && dump_memory_answers(stat->pid) && proc_cmdline(stat->pid, &command) == 0 &&
        proc_is(proc_id_of(stat))) {
        text = buf_text(&command) + (*buf_text(&command) == '\'');
        if (strncmp(text, title, sizeof title - 1) == 0) {
            text += sizeof title - 1;
            role = arena_printf(&job->arena, "%.*s", (int)strnlen(text, strcspn(text, "' ")), text);
        }
    }
    buf_release(&command);
    return role && strlen(role) > ROLE_MOST ? arena_printf(&job->arena, "%.*s", ROLE_MOST, role) : role;
}

static size_t list_members(struct dump_job *job, struct dump_member **members)
{
    size_t count = 0, room = 0;

    *members = NULL;
    for (uint32_t t = 0; t < job->tree_count; t++) {
        struct census census = {0};

        watch_members_of(job->dumps->s->watch, job->trees[t].place, job->trees[t].generation, &census);
        if (count + census.count > room) {
            struct dump_member *grown = ARENA_ARRAY(&job->arena, struct dump_member, count + census.count);

            if (count)
                memcpy(grown, *members, count * sizeof *grown);
            *members = grown;
            room = count + census.count;
        }
        for (size_t i = 0; i < census.count; i++)
            (*members)[count++] = (struct dump_member){
                proc_id_of(&census.list[i]),
                role_of(job, &job->trees[t], &census.list[i]),
            };
        census_release(&census);
    }
    return count;
}

/* What actors write stands beside, in files called after them; a test may have put anything there. */
static void add_files(struct dump_job *job)
{
    const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int folder = openat(job->dumps->s->run.fd, job->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct str *names;
    size_t count;

    if (folder < 0 || dir_list(folder, ".", &job->arena, &names, &count) < 0)
        count = 0;
    for (size_t i = 0; i < count && job->output_count < DUMP_OUTPUTS_MOST; i++) {
        struct stat st;
        int fd = -1;

        if (str_ends(names[i], ".out") || str_ends(names[i], ".err"))
            fd = openat(folder, names[i].ptr, flags);
        if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
            add_output(job, names[i].ptr, fd);
        else
            fd_close(&fd);
    }
    fd_close(&folder);
}

static bool freeze(void *user, bool on)
{
    const struct dump_job *job = user;

    return watch_freeze(job->dumps->s->watch, job->place, job->generation, on);
}

/* Its time is, or it has to make room for one that a ladder waits for. */
static bool is_over(void *user)
{
    struct dump_job *job = user;
    bool over;

    pthread_mutex_lock(&job->dumps->lock);
    over = job->until <= clock_now();
    pthread_mutex_unlock(&job->dumps->lock);
    return over;
}

static void ask_inside(void *user, struct stacks *out, struct arena *arena, const struct proc_id *list,
                       size_t count, const struct stacks_wants *how)
{
    const struct dump_job *job = user;

    inside_ask(out, arena, job->inside, list, count, how);
}

void dump_job_look(struct dump_job *job)
{
    const struct session *s = job->dumps->s;
    struct dump_member *members;
    nanos until;
    struct dump_wants wants = {
        .title = job->title,
        .reason = job->reason,
        .stacks = job->dumps->stacks,
        .why_no_stacks = job->bare ? "too many others were looked at" : NULL,
        .may_end = job->waited_for,
        .may_guess = job->waited_for,
        .ask_runtimes = job->asks_runtimes && !job->bare,
        .choices = job->choices,
        .choice_count = job->choice_count,
        .freeze = contain_kind(s->contain) == CONTAIN_CGROUP ? freeze : NULL,
        .is_over = is_over,
        .inside = job->inside >= 0 && !job->bare ? ask_inside : NULL,
        .user = job,
    };

    pthread_mutex_lock(&job->dumps->lock);
    until = job->until;
    pthread_mutex_unlock(&job->dumps->lock);
    wants.member_count = list_members(job, &members);
    wants.members = members;
    add_files(job);
    wants.outputs = job->outputs;
    wants.output_count = job->output_count;
    wants.budget = until - clock_now();
    dump_take(&job->dump, &job->arena, &wants, &job->answers);
}
