/* The steps of a dump, and how much of its time each gets. */
#include "runner/base/io.h"
#include "runner/diagnose/internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define WINDOW (100 * NS_PER_MS) /* between two looks at how much each computes */
#define YAMA   "/proc/sys/kernel/yama/ptrace_scope"

/* ---- around it ---- */

static const char *machine_words(struct arena *arena)
{
    struct utsname name = {.sysname = "Linux"};
    double load = 0;

    uname(&name);
    if (getloadavg(&load, 1) < 1)
        load = 0;
    return arena_printf(arena, "%s %s %s, %ld processors, load %.2f", name.sysname, name.release,
                        name.machine, sysconf(_SC_NPROCESSORS_ONLN), load);
}

static const char *kept(struct arena *arena, const char *text)
{
    return text ? arena_cstr(arena, str_of(text)) : NULL;
}

/* A part of what is left, in tenths. */
static nanos part(const struct taking *taking, int tenths)
{
    nanos now = clock_now(), left = taking->until - now;

    return left > 0 ? now + left / 10 * tenths : now;
}

/* ---- native stacks ---- */

static bool has_stack(const struct dump_process *p)
{
    return !proc_state_is_end(p->state);
}

/* Which of them, in their order; `whose` says which process of the dump each is. */
static size_t list_processes(struct taking *taking, struct proc_id **list, uint32_t **whose)
{
    const struct dump *dump = taking->dump;
    size_t count = 0;

    *list = ARENA_ARRAY(taking->arena, struct proc_id, dump->process_count);
    *whose = ARENA_ARRAY(taking->arena, uint32_t, dump->process_count);
    for (uint32_t i = 0; i < dump->process_count; i++) {
        if (!has_stack(&dump->processes[i]))
            continue;
        (*list)[count] = dump->processes[i].id;
        (*whose)[count++] = i;
    }
    return count;
}

/* Both lists are nearly in one order: `at` is where the last one was found. */
static const struct stack_thread *stack_of(const struct stack_process *from, pid_t tid, uint32_t *at)
{
    for (uint32_t i = 0; i < from->thread_count; i++) {
        uint32_t here = (*at + i) % from->thread_count;

        if (from->threads[here].tid == tid) {
            *at = here + 1;
            return &from->threads[here];
        }
    }
    return NULL;
}

/* Threads that have ended since have none, and those that began since are known by their stacks alone: they are left out. */
static void give_stacks(struct taking *taking, struct dump_process *p, const struct stack_process *from)
{
    struct dump_thread *threads;
    uint32_t at = 0;

    p->why_no_stacks = from->why_not;
    if (!p->thread_count)
        return;
    threads = ARENA_ARRAY(taking->arena, struct dump_thread, p->thread_count);
    memcpy(threads, p->threads, p->thread_count * sizeof *threads);
    for (uint32_t i = 0; i < p->thread_count; i++)
        threads[i].stack = stack_of(from, threads[i].tid, &at);
    p->threads = threads;
}

static const struct stack_process *find_told(const struct stacks *stacks, struct proc_id id)
{
    for (uint32_t i = 0; i < stacks->process_count; i++)
        if (proc_id_equals(stacks->processes[i].id, id))
            return &stacks->processes[i];
    return NULL;
}

/* Those of the list, which becomes shorter by them: they need not be asked for again. */
static size_t give_all(struct taking *taking, const struct stacks *stacks, struct proc_id *list,
                       uint32_t *whose, size_t count)
{
    size_t left = 0;

    for (size_t i = 0; i < count; i++) {
        const struct stack_process *told = find_told(stacks, list[i]);

        if (told)
            give_stacks(taking, &taking->dump->processes[whose[i]], told);
        else {
            list[left] = list[i];
            whose[left++] = whose[i];
        }
    }
    return left;
}

/* Who cannot say where he is, is looked at from outside. */
static size_t ask_inside(struct taking *taking, struct proc_id *list, uint32_t *whose, size_t count)
{
    const struct dump_wants *wants = taking->wants;
    const struct stacks_wants how = {
        .program = wants->stacks, .copy_by = part(taking, 2), .unwind_by = part(taking, 5)};
    struct stacks stacks;

    if (!wants->inside)
        return count;
    wants->inside(wants->user, &stacks, taking->arena, list, count, &how);
    if (stacks.why_not)
        taking_note(taking, "%s", stacks.why_not);
    return give_all(taking, &stacks, list, whose, count);
}

static void take_stacks(struct taking *taking)
{
    const struct dump_wants *wants = taking->wants;
    struct stacks stacks;
    struct stacks_wants how;
    struct proc_id *list;
    uint32_t *whose;
    size_t count;

    taking->dump->why_no_stacks = kept(taking->arena, wants->why_no_stacks);
    if (wants->why_no_stacks)
        return;
    count = list_processes(taking, &list, &whose);
    count = ask_inside(taking, list, whose, count);
    if (!count)
        return;
    how = (struct stacks_wants){
        .program = wants->stacks,
        .copy_by = part(taking, 4),
        .unwind_by = part(taking, 8),
        .freeze = wants->freeze,
        .user = wants->user,
    };
    stacks_take(&stacks, taking->arena, list, count, &how);
    taking->dump->why_no_stacks = stacks.why_not;
    taking->dump->stood_still += stacks.stood_still;
    give_all(taking, &stacks, list, whose, count);
}

/* ---- what could be done about it ---- */

/* Not who is gone, or traced by somebody else: that is nobody's to allow. */
static bool was_refused(const struct dump *dump)
{
    for (uint32_t i = 0; i < dump->process_count; i++) {
        struct str why = str_of(dump->processes[i].why_no_stacks);

        if (str_starts(why, "it is of another user") || str_starts(why, "it may not be "))
            return true;
    }
    return false;
}

/* Who may trace whom is the kernel's decision, and where Yama has a say in it, of whoever administers the machine. */
static void say_what_to_do(struct taking *taking)
{
    struct buf scope = {0};

    if (geteuid() == 0 || !was_refused(taking->dump))
        return;
    if (file_read(YAMA, &scope, 16) == 0 && atoi(buf_text(&scope)) > 0)
        taking_note(taking,
                    "stacks are to be had of processes below ours only, as " YAMA
                    " is %d: do the same as root, or have it be 0",
                    atoi(buf_text(&scope)));
    else
        taking_note(
            taking,
            "stacks are to be had of processes of our own user that may be dumped: do the same as root "
            "for the others");
    buf_release(&scope);
}

/* ---- all of it ---- */

static bool is_over(struct taking *taking)
{
    const struct dump_wants *wants = taking->wants;

    if (!taking->over && wants->is_over && wants->is_over(wants->user)) {
        taking->over = true;
        taking_note(taking, "whoever wanted this did not wait for all of it");
    }
    return taking->over;
}

/*
 * Looking comes before anybody is stopped, for it sees them as they are; what asks runtimes comes last, since it is the only thing
 * that they notice.
 */
void dump_take(struct dump *dump, struct arena *arena, const struct dump_wants *wants,
               struct dump_answers *answers)
{
    struct taking taking = {.dump = dump, .arena = arena, .wants = wants, .began = clock_now()};

    taking.until = taking.began + wants->budget;
    *dump = (struct dump){
        .title = kept(arena, wants->title),
        .reason = kept(arena, wants->reason),
        .machine = machine_words(arena),
        .at = clock_wall(),
    };
    if (answers)
        answers->count = 0;
    look_at_all(&taking);
    runtimes_recognise(&taking);
    if (!is_over(&taking))
        take_stacks(&taking);
    if (!is_over(&taking))
        look_at_shares(&taking, WINDOW);
    if (!is_over(&taking))
        runtimes_ask(&taking, answers);
    say_what_to_do(&taking);
    dump->took = clock_now() - taking.began;
}
