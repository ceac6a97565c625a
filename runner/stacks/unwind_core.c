#include "runner/stacks/unwind.h"

#include "runner/base/io.h"

#include <fcntl.h>
#include <unistd.h>

struct walking {
    struct unwind *u;
    Dwfl *dwfl;
    uint32_t number;
};

static const Dwfl_Callbacks *callbacks(void)
{
    static const Dwfl_Callbacks table = {
        .find_elf = dwfl_build_id_find_elf,
        .find_debuginfo = dwfl_standard_find_debuginfo,
        .section_address = dwfl_offline_section_address,
    };

    return &table;
}

static struct place_of place(struct unwind *u, void *user, uint64_t pc)
{
    const struct walking *w = user;
    struct place_of found = {.where = w->dwfl, .named_at = pc, .offset = pc};
    const char *name, *file = NULL;
    Dwarf_Addr bias;

    found.module = dwfl_addrmodule(w->dwfl, pc);
    if (!found.module)
        return found;
    if (dwfl_module_getelf(found.module, &bias))
        found.offset = pc - bias;
    name = dwfl_module_info(found.module, NULL, NULL, NULL, NULL, NULL, &file, NULL);
    found.path = arena_cstr(&u->arena, str_of(file ? file : name));
    found.build_id = build_id_of(u, found.module);
    return found;
}

static int tell_one(Dwfl_Thread *thread, void *user)
{
    struct walking *w = user;
    struct telling telling = {.u = w->u,
                              .number = w->number++,
                              .pid = dwfl_pid(w->dwfl),
                              .tid = dwfl_thread_tid(thread),
                              .place = place,
                              .user = w};
    struct walk walk = {0};

    if (w->number > STACK_THREADS_MOST)
        return DWARF_CB_ABORT;
    if (dwfl_thread_getframes(thread, walk_note, &walk) < 0 && !walk.cut)
        walk.cut = dwfl_errmsg(-1);
    tell_thread(&telling, &walk);
    return DWARF_CB_OK;
}

static int tell_all(struct unwind *u, Dwfl *dwfl, Elf *elf, const char *program)
{
    struct walking walking = {.u = u, .dwfl = dwfl};

    dwfl_report_begin(dwfl);
    if (dwfl_core_file_report(dwfl, elf, program) < 0 || dwfl_report_end(dwfl, NULL, NULL) != 0 ||
        dwfl_core_file_attach(dwfl, elf) < 0)
        return 1;
    tell_begin(u);
    dwfl_getthreads(dwfl, tell_one, &walking);
    tell_end(u);
    return 0;
}

int unwind_core(struct unwind *u, const char *core, const char *program)
{
    int fd = open(core, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), status = 1;
    Elf *elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);
    Dwfl *dwfl = dwfl_begin(callbacks());

    if (elf && dwfl)
        status = tell_all(u, dwfl, elf, program);
    dwfl_end(dwfl);
    elf_end(elf);
    fd_close(&fd);
    return status;
}
