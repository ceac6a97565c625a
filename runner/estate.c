#include "runner/estate.h"

#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/orphans.h"
#include "runner/remains/remains.h"
#include "runner/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STRANGERS_PATIENCE (2 * NS_PER_S)
#define LEAVING_PATIENCE   NS_PER_S
#define STOCK_MOST         (200 * NS_PER_MS)
#define DEPTH_MOST         100
#define GRACE              (3 * NS_PER_S)

/* ---- those who come after ---- */

static bool note_below(void *user, pid_t pid)
{
    struct proc_ids *out = user;
    struct proc_stat stat;
    pid_t parent = pid;

    for (int depth = 0; depth < DEPTH_MOST && parent > 1 && proc_stat_read(parent, &stat) == 0; depth++) {
        parent = stat.ppid;
        if (parent == getpid())
            proc_ids_add(out, proc_identify(pid));
    }
    return true;
}

static bool is_survivor(const struct session *s, struct proc_id id)
{
    struct proc_stat stat;

    return id.pid != s->guard.keeper.pid && proc_stat_read(id.pid, &stat) == 0 && proc_stat_is_alive(&stat);
}

/* Whoever is alive when the runner is not: in its groups, or fallen to us. */
static void find_survivors(const struct session *s, struct proc_ids *out)
{
    const struct cgroups *groups = contain_cgroups(s->contain);
    size_t count = 0;

    if (!groups || !cgroups_procs(groups->path, out))
        proc_each(note_below, out);
    for (size_t i = 0; i < out->count; i++)
        if (is_survivor(s, out->list[i]))
            out->list[count++] = out->list[i];
    out->count = count;
}

/* What they hold is theirs for certain, as long as they hold it; so it is looked at before they are killed. */
static void kill_survivors(void *user)
{
    struct session *s = user;
    const struct cgroups *groups = contain_cgroups(s->contain);
    struct proc_ids survivors = {0};

    s->belongings = (struct leak_list){.arena = s->arena};
    find_survivors(s, &survivors);
    s->survivors = survivors.count;
    leaks_of_processes(&s->belongings, survivors.list, survivors.count, false, STOCK_MOST);
    if (groups)
        cgroups_kill(groups->path);
    proc_ids_release(&survivors);
}

/* The runner cannot do that any more; the keeper has no terminal. */
static void give_back_terminal(const struct session *s)
{
    struct tty tty = s->tty;

    if (s->interactive && s->has_modes)
        tty = (struct tty){.changed = true, .before = s->modes};
    tty.fd = tty.changed ? open("/dev/tty", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
    tty_close(&tty);
}

/* All who could say something are dead: what follows in the step is heard again. The keeper is heard by nobody. */
static void speak_again(const struct session *s)
{
    struct buf out = {0};

    job_last_words(&s->voice, &out);
    if (out.len)
        fd_write_all(s->style.fd, out.ptr, out.len);
    buf_release(&out);
}

/* In another process, by path: what we had open is closed there. */
static void clean(void *user, const char *who)
{
    struct session *s = user;
    struct reaping how = {.at_once = true, .who = who, .before.ended = (uint32_t)s->survivors};
    struct run_folder run = {s->run.id, s->run_path, dir_open(AT_FDCWD, s->run_path), s->run.lock};
    struct reaped result = {0};

    give_back_terminal(s);
    speak_again(s);
    for (size_t i = 0; i < s->belongings.count; i++)
        how.before.removed += leak_remove(&s->belongings.list[i]);
    if (run.fd >= 0)
        reap_run(&run, &how, &result);
}

static void exited(void *user, int status)
{
    struct session *s = user;

    diag_error(s->in->diags, (struct place){0}, "the runner ended with status %d before its run was over",
               status);
    diags_print(s->in->diags, stderr);
    fflush(stderr);
}

static void leave(void *user)
{
    const struct session *s = user;
    const struct cgroups *groups = contain_cgroups(s->contain);

    if (groups)
        cgroups_end_all(groups, LEAVING_PATIENCE);
}

/* The run is going on for others as long as it is locked. */
static void farewell(void *user)
{
    const struct session *s = user;

    close(s->run.lock);
    remains_forget_ended();
}

bool estate_guard(struct session *s)
{
    const struct guard_plan plan = {kill_survivors, clean, exited, leave, farewell, s, s->run.lock};

    if (guard_start(&s->guard, &s->signals, &plan) == 0 && contain_start(s->contain) == 0) {
        s->faults.guard = s->guard.pidfd;
        fault_place(&s->faults);
        return true;
    }
    diag_error(s->in->diags, (struct place){0}, "cannot start a guard for the run: %s", strerror(errno));
    return false;
}

/* ---- on record ---- */

static bool write_record(struct session *s)
{
    const struct cgroups *groups = contain_cgroups(s->contain);
    struct held held = {
        .run = s->run.id,
        .containment = s->containment,
        .tmp = s->workdirs.tmp,
        .guard = s->guard.guard,
        .runner = proc_identify(getpid()),
        .keeper = s->guard.keeper,
        .world = s->world,
        .masked = kitchen_masked(&s->kitchen, s->arena),
    };

    if (groups) {
        held.cgroup = groups->path;
        for (size_t i = 0; i < ARRAY_LEN(held.legacy); i++)
            held.legacy[i] = groups->legacy[i];
    }
    return held_write(s->run.fd, &held) == 0;
}

/* Ours, and those of runs beside us. */
static void leave_out_roots(struct session *s, const char *one)
{
    int folder = (int)(strrchr(one, '/') - one);

    world_leave_out(s->world, arena_printf(s->arena, "%.*s/rm-??????", folder, one));
}

#define FOLDERS_MOST 64 /* each is looked at after every case */

/* Where cases are started, of all suites that have any. */
static size_t folders_of_suites(const struct session *s, const char **folders)
{
    const struct suites *suites = &s->front->suites;
    size_t count = 0;

    for (uint32_t i = 0; i < suites->count && count < FOLDERS_MOST; i++) {
        const struct suite *suite = suites->list[i];
        char *folder =
            suite->left_out || !suite->test_count ? NULL : realpath(*suite->dir ? suite->dir : ".", NULL);

        if (folder)
            folders[count++] = arena_cstr(s->arena, str_of(folder));
        free(folder);
    }
    return count;
}

bool estate_hold(struct session *s)
{
    const char *folders[FOLDERS_MOST];

    s->world = world_new(folders, folders_of_suites(s, folders));
    leave_out_roots(s, s->workdirs.tmp);
    leave_out_roots(s, "/dev/shm/");
    world_leave_out(s->world, s->run_path);
    if (write_record(s)) {
        fault_place(&s->faults);
        return true;
    }
    diag_error(s->in->diags, (struct place){0}, "cannot write '%s/" REMAINS_NAME "': %s", s->run.path,
               strerror(errno));
    return false;
}

/* Too late for session_note: what shows it is closed. */
static void note_left(struct session *s, size_t count)
{
    const char *text =
        arena_printf(s->arena, "%zu process%s that fell to the run %s still there, see 'run-matrix reap'",
                     count, count == 1 ? "" : "es", count == 1 ? "is" : "are");

    diag_warning(s->in->diags, (struct place){0}, "%s", text);
    if (s->begun && !s->broken)
        journal_note(s->journal, str_of(text), s->ended);
}

void estate_let_go(struct session *s)
{
    size_t left = 0;

    fault_place(&s->faults);
    workdirs_close(&s->workdirs);
    workdirs_close(&s->shmdirs);
    workdirs_close(&s->sign);
    contain_close(s->contain);
    s->contain = NULL;
    /* Whatever fell to us. Without a guard we are who was executed, and may have had children before. */
    if (s->guard.page)
        left = orphans_end(STRANGERS_PATIENCE, NULL, NULL);
    if (left)
        note_left(s, left);
    fault_place(&s->faults);
    if (s->world)
        world_free(s->world);
    s->world = NULL;
    if (s->run.fd >= 0 && !left)
        held_remove(s->run.fd);
    fault_place(&s->faults);
    guard_release(&s->guard);
}

/* ---- others ---- */

/* At once: the next who is to be ended may take his time. */
static void say(void *user, const char *line)
{
    struct session *s = user;

    diag_warning(s->in->diags, (struct place){0}, "%s", line);
    diags_print(s->in->diags, stderr);
}

/* The run is to end before it has begun; the signal stays, to be heard when it has. */
static bool hurry(void *user)
{
    const struct session *s = user;

    return signals_ending_waits(&s->signals);
}

static struct reaping of_others(struct session *s)
{
    return (struct reaping){.grace = GRACE, .say = say, .hurry = hurry, .user = s};
}

void estate_reap_others(struct session *s)
{
    const struct reaping how = of_others(s);
    struct reaped result = {0};

    if (s->store.fd >= 0)
        reap_store(&s->store, &how, &result, s->in->diags);
}

void estate_reap_own(struct session *s)
{
    const struct reaping how = of_others(s);
    struct reaped result = {0};

    reap_run(&s->run, &how, &result);
}
