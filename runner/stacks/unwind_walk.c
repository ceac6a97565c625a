#include "runner/stacks/unwind.h"

#include <string.h>

#define PROCESS 1 /* libdwfl wants numbers, and we have one thread at a time */
#define THREAD  2

#if defined(__x86_64__)
#define REGISTER_COUNT 17
#define PC(registers)  ((registers).rip)
#define SP(registers)  ((registers).rsp)

static void number_registers(const struct user_regs_struct *r, Dwarf_Word out[REGISTER_COUNT])
{
    const Dwarf_Word all[REGISTER_COUNT] = {r->rax, r->rdx, r->rcx, r->rbx, r->rsi, r->rdi,
                                            r->rbp, r->rsp, r->r8,  r->r9,  r->r10, r->r11,
                                            r->r12, r->r13, r->r14, r->r15, r->rip};

    memcpy(out, all, sizeof all);
}
#elif defined(__aarch64__)
#define REGISTER_COUNT 32
#define PC(registers)  ((registers).pc)
#define SP(registers)  ((registers).sp)

static void number_registers(const struct user_regs_struct *r, Dwarf_Word out[REGISTER_COUNT])
{
    memcpy(out, r->regs, sizeof r->regs);
    out[31] = r->sp;
}
#endif

/* ---- what libdwfl asks ---- */

static pid_t next_thread(Dwfl *dwfl, void *space, void **thread)
{
    (void)dwfl;
    if (*thread)
        return 0;
    *thread = space;
    return THREAD;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *space, void **thread)
{
    (void)dwfl;
    *thread = space;
    return tid == THREAD;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *result, void *user)
{
    const struct space *space = user;

    (void)dwfl;
    for (uint32_t i = 0; i < space->memory_count; i++) {
        const struct copied_memory *memory = &space->memories[i];

        if (address < memory->address || memory->bytes.len < sizeof *result ||
            address - memory->address > memory->bytes.len - sizeof *result)
            continue;
        memcpy(result, memory->bytes.ptr + (address - memory->address), sizeof *result);
        return true;
    }
    return false;
}

static bool set_registers(Dwfl_Thread *thread, void *user)
{
    const struct space *space = user;
    Dwarf_Word registers[REGISTER_COUNT];

    number_registers(&space->registers, registers);
#if defined(__aarch64__)
    dwfl_thread_state_register_pc(thread, PC(space->registers));
#endif
    return dwfl_thread_state_registers(thread, 0, REGISTER_COUNT, registers);
}

static bool attach(const struct unwind *u, struct space *space)
{
    static const Dwfl_Thread_Callbacks table = {.next_thread = next_thread,
                                                .get_thread = get_thread,
                                                .memory_read = read_memory,
                                                .set_initial_registers = set_registers};

    if (!space->attached)
        space->attached = space->dwfl && dwfl_attach_state(space->dwfl, u->self, PROCESS, &table, space);
    return space->attached;
}

/* ---- walking ---- */

int walk_note(Dwfl_Frame *frame, void *user)
{
    struct walk *walk = user;
    Dwarf_Addr pc;
    bool exact = false;

    if (!dwfl_frame_pc(frame, &pc, &exact))
        return DWARF_CB_ABORT;
    if (walk->count == STACK_FRAMES_MOST) {
        walk->cut = "there are more than are shown";
        return DWARF_CB_ABORT;
    }
    walk->steps[walk->count++] = (struct step){pc, exact};
    return DWARF_CB_OK;
}

static bool is_code(const struct copied_process *process, uint64_t pc)
{
    struct str path;
    bool executable = false;

    return maps_find(process->maps, pc, &path, &executable) && executable;
}

/* As if the innermost function returned that has put nothing onto the stack yet: to what is on top of it. */
static bool return_from_top(struct space *space, const struct copied_process *process)
{
#if defined(__x86_64__)
    Dwarf_Word to;

    if (!read_memory(space->dwfl, SP(space->registers), &to, space) || !is_code(process, to))
        return false;
    PC(space->registers) = to;
    SP(space->registers) += sizeof to;
    return true;
#else
    (void)space;
    (void)process;
    return false;
#endif
}

/* From where the registers are; `exact`: that is not where a call returns to. */
static void walk_on(struct space *space, struct walk *walk, bool exact)
{
    uint32_t first = walk->count;

    walk->cut = NULL;
    if (dwfl_getthread_frames(space->dwfl, THREAD, walk_note, walk) < 0 && !walk->cut)
        walk->cut = dwfl_errmsg(-1);
    if (walk->count == first)
        walk->steps[walk->count++] = (struct step){PC(space->registers), exact};
    walk->steps[first].exact = exact;
}

/*
 * Who has jumped to nowhere, or called a function that is NULL, has where he came from on top of his stack still. So has who
 * is in a piece of code without any tables, as clone() is: a guess, for when there is no other way.
 */
static void walk_from(struct space *space, const struct copied_process *process, struct walk *walk)
{
    if (is_code(process, PC(space->registers)) || !process->maps.len)
        walk_on(space, walk, true);
    else {
        walk->steps[walk->count++] = (struct step){PC(space->registers), true};
        walk->cut = "there is no code, and nobody knows where it came from";
    }
    if (walk->count == 1 && walk->cut && return_from_top(space, process))
        walk_on(space, walk, false);
}

/*
 * Between a handler and whom it has interrupted there is what the handler returns to, a few bytes that nobody has called;
 * both are told as standing exactly where they are.
 */
static void drop_trampolines(struct walk *walk)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < walk->count; i++)
        if (i == 0 || i + 1 == walk->count || !walk->steps[i].exact || !walk->steps[i + 1].exact)
            walk->steps[kept++] = walk->steps[i];
    walk->count = kept;
}

void walk_thread(struct unwind *u, struct space *space, const struct copied *copied,
                 const struct copied_process *process, const struct copied_thread *thread, struct walk *walk)
{
    walk->count = 0;
    walk->cut = NULL;
    space->registers = thread->registers;
    space->memories = copied->memories + thread->memory_first;
    space->memory_count = thread->memory_count;
    if (attach(u, space))
        walk_from(space, process, walk);
    else {
        walk->cut = dwfl_errmsg(-1);
        walk->steps[walk->count++] = (struct step){PC(space->registers), true};
    }
    drop_trampolines(walk);
}
