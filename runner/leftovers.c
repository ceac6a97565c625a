#include "runner/leftovers.h"

#include "runner/base/dir.h"
#include "runner/base/mem.h"
#include "runner/inside/inside.h"
#include "runner/remains/remains.h"
#include "runner/said/said.h"
#include "runner/session.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define LOOK_MOST  (200 * NS_PER_MS) /* a storm of processes is not to be counted to its end */
#define NAMED_MOST 3

#define DOUBTFUL_MANY 64   /* so many are looked through for what may go; so are twice as many, and so on */
#define DOUBTFUL_MOST 4096 /* more are told of, and stay */

/* ---- the living ---- */

static void split(const struct session *s, const struct census *members, struct proc_ids *its,
                  struct proc_ids *shared)
{
    for (size_t i = 0; i < members->count; i++) {
        struct proc_id id = proc_id_of(&members->list[i]);

        proc_ids_add(contain_is_shared(s->contain, id) ? shared : its, id);
    }
}

static void note_shared(struct session *s, const struct slot *slot, const struct proc_ids *shared)
{
    struct arena texts = {0};
    struct leak_list found = {.arena = &texts};

    leaks_of_processes(&found, shared->list, shared->count, false, LOOK_MOST);
    for (size_t i = 0; i < found.count; i++)
        if (found.list[i].kind == LEAK_PROCESS)
            session_note(s, "%.*s was left behind by '%.*s' or by a case beside it, and was ended",
                         STR_ARG(found.list[i].words), STR_ARG(slot->recipe.id));
    leak_list_release(&found);
    arena_release(&texts);
}

void leftovers_of_tree(struct session *s, struct slot *slot)
{
    struct census members = {0};
    struct proc_ids its = {0}, shared = {0};

    watch_members(s->watch, slot->number, &members);
    split(s, &members, &its, &shared);
    slot->looked = its.count > 0 || !shared.count;
    leaks_of_processes(&slot->leaks, its.list, its.count, true, LOOK_MOST);
    if (shared.count)
        note_shared(s, slot, &shared);
    proc_ids_release(&its);
    proc_ids_release(&shared);
    census_release(&members);
}

/* ---- what has appeared ---- */

static bool is_alone(const struct session *s, const struct slot *slot)
{
    for (uint32_t i = 0; i < s->jobs; i++)
        if (s->slots[i].busy && &s->slots[i] != slot && (s->slots[i].listed || s->slots[i].fixture_count))
            return false;
    return true;
}

/* With others beside it nobody can say whose it is. Plain files are made by everybody all the time. */
static void note_ambiguous(struct session *s, const struct leak *leak, bool neighbour)
{
    struct buf names = {0};
    int count = 0;

    if (leak->kind == LEAK_OUTSIDE_FILE)
        return;
    for (uint32_t i = 0; i < s->jobs; i++)
        if (s->slots[i].busy && s->slots[i].listed && ++count <= NAMED_MOST)
            buf_addf(&names, "%s'%.*s'", count > 1 ? ", " : "", STR_ARG(s->slots[i].recipe.id));
    session_note(s, "%s %.*s was left behind while %s%s ran%s", leak_words[leak->kind], STR_ARG(leak->words),
                 buf_text(&names), count > NAMED_MOST ? " and others" : "",
                 neighbour ? ", and another run beside this one" : "");
    buf_release(&names);
}

/* Of this run for certain, and when nobody of those who may have made it runs any more it may go. */
static void remove_doubtful(struct session *s)
{
    for (size_t i = 0; i < s->doubtful.count; i++)
        leak_remove(&s->doubtful.list[i]);
    s->doubtful.count = 0;
    arena_clear(&s->doubtful_texts);
}

static void copy_doubtful(struct leak_list *to, const struct leak *leak, nanos seen)
{
    struct leak *kept = leak_add(to, leak->kind, leak->what, leak->words);

    kept->number = leak->number;
    kept->born = leak->born;
    kept->seen = seen;
}

/* Since when one of those runs who run now. */
static nanos oldest_of(const struct session *s)
{
    nanos oldest = fixtures_busy_since(s);

    for (uint32_t i = 0; i < s->jobs; i++)
        if (s->slots[i].busy && s->slots[i].taken < oldest)
            oldest = s->slots[i].taken;
    return oldest;
}

/*
 * In a soak somebody runs beside it all the time, and the moment at which all of them may go never comes. What was there
 * before any of those began who run now is of nobody who runs.
 */
static void remove_older(struct session *s)
{
    nanos oldest = oldest_of(s);
    struct arena texts = {0};
    struct leak_list kept = {.arena = &texts};

    for (size_t i = 0; i < s->doubtful.count; i++)
        if (s->doubtful.list[i].seen < oldest)
            leak_remove(&s->doubtful.list[i]);
        else
            copy_doubtful(&kept, &s->doubtful.list[i], s->doubtful.list[i].seen);
    leak_list_release(&s->doubtful);
    arena_release(&s->doubtful_texts);
    s->doubtful_texts = texts;
    s->doubtful = kept;
    s->doubtful.arena = &s->doubtful_texts;
}

static void keep_doubtful(struct session *s, const struct leak *leak)
{
    size_t count = s->doubtful.count;

    if (count >= DOUBTFUL_MANY && (count & (count - 1)) == 0)
        remove_older(s);
    if (s->doubtful.count < DOUBTFUL_MOST)
        copy_doubtful(&s->doubtful, leak, watch_now(s->watch));
}

/* What its processes held when they were looked at is found once more when they are dead. */
static bool is_known(const struct slot *slot, const struct leak *leak)
{
    for (size_t i = 0; i < slot->leaks.count; i++)
        if (slot->leaks.list[i].kind == leak->kind && str_eq(slot->leaks.list[i].what, leak->what))
            return true;
    return false;
}

static void add(struct slot *slot, const struct leak *leak)
{
    if (leak->kind != LEAK_PROCESS && is_known(slot, leak))
        return;
    GROW(slot->leaks.list, slot->leaks.count, slot->leaks.cap);
    slot->leaks.list[slot->leaks.count++] = *leak;
}

static void found(struct session *s, struct slot *slot, const struct leak *leak, bool alone)
{
    bool neighbour;

    if (leak_policy_says(&slot->recipe.leaks, leak) == LEAK_IGNORED)
        return;
    neighbour = leak->kind != LEAK_OUTSIDE_FILE && remains_has_neighbour(s->run_path, leak->born);
    if (alone && !neighbour) {
        add(slot, leak);
        return;
    }
    note_ambiguous(s, leak, neighbour);
    if (!neighbour)
        keep_doubtful(s, leak);
}

static void look_at_world(struct session *s, struct slot *slot)
{
    struct leak_list list = {.arena = &slot->arena};
    bool alone = is_alone(s, slot) && !fixtures_are_busy(s);

    if (world_changed(s->world))
        world_look(s->world, NULL, 0, &list);
    for (size_t i = 0; i < list.count; i++)
        found(s, slot, &list.list[i], alone);
    if (alone && s->doubtful.count)
        remove_doubtful(s);
    leak_list_release(&list);
}

/* Files are what fixtures are for; what would be in the way of others is not. */
static bool is_in_the_way(const struct leak *leak)
{
    return leak_policy_says(&leak_policy_default, leak) == LEAK_FAILS;
}

static void look_for_fixture(struct session *s, struct leak_list *out)
{
    struct leak_list list = {.arena = out->arena};

    if (world_changed(s->world))
        world_look(s->world, NULL, 0, &list);
    for (size_t i = 0; i < list.count; i++)
        if (is_in_the_way(&list.list[i])) {
            GROW(out->list, out->count, out->cap);
            out->list[out->count++] = list.list[i];
        }
    leak_list_release(&list);
}

void leftovers_of_making(struct session *s, struct arena *texts, struct leak_list *made)
{
    made->arena = texts;
    look_for_fixture(s, made);
}

static void left_by_fixture(struct session *s, struct str name, const struct leak *leak, bool alone)
{
    bool neighbour = remains_has_neighbour(s->run_path, leak->born);

    if (alone && !neighbour) {
        if (leak_remove(leak))
            session_note(s, "%s %.*s was left behind by fixture '%.*s', and removed", leak_words[leak->kind],
                         STR_ARG(leak->words), STR_ARG(name));
        return;
    }
    session_note(s, "%s %.*s was left behind by fixture '%.*s', or by what ran beside it",
                 leak_words[leak->kind], STR_ARG(leak->words), STR_ARG(name));
    if (!neighbour)
        keep_doubtful(s, leak);
}

void leftovers_of_fixture(struct session *s, struct str name, struct leak_list *made)
{
    struct arena texts = {0};
    struct leak_list found = {.arena = &texts};
    bool alone = is_alone(s, NULL) && !fixtures_are_busy(s);

    for (size_t i = 0; i < made->count; i++)
        left_by_fixture(s, name, &made->list[i], true);
    look_for_fixture(s, &found);
    for (size_t i = 0; i < found.count; i++)
        left_by_fixture(s, name, &found.list[i], alone);
    if (alone && s->doubtful.count)
        remove_doubtful(s);
    leak_list_release(&found);
    leak_list_release(made);
    arena_release(&texts);
}

void leftovers_of_run(struct session *s)
{
    remove_doubtful(s);
}

/* Not what is beside them in the structure. */
static bool same_modes(const struct termios *a, const struct termios *b)
{
    return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
           a->c_lflag == b->c_lflag && memcmp(a->c_cc, b->c_cc, sizeof a->c_cc) == 0;
}

static void look_at_terminal(struct session *s, struct slot *slot)
{
    struct termios now;
    struct leak changed = {
        .kind = LEAK_TERMIOS,
        .what = str_of("terminal"),
        .words = str_of("modes of the terminal, which are put back"),
        .number = -1,
    };

    if (s->interactive && s->has_modes && tcgetattr(STDIN_FILENO, &now) == 0 && !same_modes(&now, &s->modes))
        add(slot, &changed);
}

/* ---- its own folders ---- */

static bool is_of_library(struct str name)
{
    return str_is(name, SAID_NAME) || str_is(name, INSIDE_NAME);
}

static void look_at_folder(struct slot *slot, const struct workdir *dir, enum leak_kind kind,
                           const char *shown)
{
    struct str *names;
    size_t count;

    if (!dir->path[0] || dir_is_empty(dir->fd) != 0 ||
        dir_list(AT_FDCWD, dir->path, &slot->arena, &names, &count) < 0)
        return;
    for (size_t i = 0; i < count; i++) {
        struct str path = str_of(arena_printf(&slot->arena, "%s/%.*s", shown, STR_ARG(names[i])));
        struct leak leak = {.kind = kind, .what = path, .words = path, .number = -1};

        if (kind != LEAK_FILE || !is_of_library(names[i]))
            add(slot, &leak);
    }
}

/* A table of /proc/sysvipc has a line for each object, below one that names the columns. */
static void look_at_ipc(struct session *s, struct slot *slot)
{
    struct buf text = {0};
    char *line, *rest = NULL;

    contain_look_at_ipc(contain_place(s->contain, slot->number), &text);
    for (line = text.ptr ? strtok_r(text.ptr, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest)) {
        struct str words = str_trim(str_of(line));
        struct leak leak = {.kind = LEAK_SHM, .number = -1};

        if (!words.len || words.ptr[0] == 'k') /* "key shmid perms ..." */
            continue;
        leak.what = leak.words =
            str_of(arena_printf(&slot->arena, "a System V object of its own, %.*s", STR_ARG(words)));
        add(slot, &leak);
    }
    buf_release(&text);
}

void leftovers_of_dead(struct session *s, struct slot *slot)
{
    const struct recipe *recipe = &slot->recipe;

    look_at_world(s, slot);
    look_at_terminal(s, slot);
    slot->own_leaks = slot->leaks.count;
    if (recipe->leaks.actions[LEAK_FILE] != LEAK_IGNORED)
        look_at_folder(slot, &slot->tmp, LEAK_FILE, slot->tmp.path);
    if (recipe->isolate & SPAWN_ISOLATE_FILES) {
        look_at_folder(slot, &slot->shm, LEAK_SHM, "/dev/shm");
        look_at_ipc(s, slot);
    }
}

/* ---- the record ---- */

/* What is its own goes with its folders and namespaces; what is not is removed here, where nobody has it any more. */
static bool is_gone(const struct slot *slot, size_t index)
{
    const struct leak *leak = &slot->leaks.list[index];

    if (leak->kind == LEAK_PROCESS || leak->kind == LEAK_LISTENER)
        return !slot->ending.undead;
    return index >= slot->own_leaks || leak->kind == LEAK_TERMIOS || leak_remove(leak) || errno == ENOENT;
}

static void record(struct slot *slot, size_t index, bool fails)
{
    const struct leak *leak = &slot->leaks.list[index];

    if (slot->left_count == JOURNAL_LEAKS_MOST) {
        slot->left_more++;
        return;
    }
    slot->left[slot->left_count++] = (struct journal_leak){
        .kind = str_of(leak_words[leak->kind]),
        .what = leak->what,
        .words = leak->words,
        .pid = leak->pid,
        .fails = fails,
        .ended = is_gone(slot, index),
    };
}

/* The grace was over, and when it was looked who was left, they were others by then: who forks and exits for ever. */
static void add_elusive(struct slot *slot)
{
    const struct leak elusive = {
        .kind = LEAK_PROCESS,
        .what = str_of("?"),
        .words = str_of("of which none stayed long enough to be looked at"),
        .number = -1,
    };

    for (size_t i = 0; i < slot->leaks.count; i++)
        if (slot->leaks.list[i].kind == LEAK_PROCESS)
            return;
    add(slot, &elusive);
}

void leftovers_record(struct slot *slot)
{
    static const enum leak_action actions[] = {LEAK_FAILS, LEAK_WARNS};

    slot->left_count = slot->left_more = 0;
    if (slot->looked)
        add_elusive(slot);
    if (!slot->leaks.count)
        return;
    slot->left = arena_alloc(&slot->arena, JOURNAL_LEAKS_MOST * sizeof *slot->left);
    for (size_t a = 0; a < ARRAY_LEN(actions); a++)
        for (size_t i = 0; i < slot->leaks.count; i++)
            if (leak_policy_says_in(&slot->recipe.leaks, &slot->leaks, i) == actions[a])
                record(slot, i, actions[a] == LEAK_FAILS);
}
