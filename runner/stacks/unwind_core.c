#include "runner/stacks/unwind.h"

#include "runner/base/io.h"

#include <fcntl.h>
#include <string.h>
#include <sys/procfs.h>
#include <unistd.h>

/*
 * Which files were mapped where libdwfl finds out; registers and memory are taken from the core as they are from a copy, so
 * that both are walked alike.
 */
struct core {
    Elf *elf;
    size_t header_count;
    struct space space;
    struct copied copied;
    struct copied_process process; /* its number, and what is mapped */
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

/* ---- what is in it ---- */

static void add_thread(struct unwind *u, struct core *core, const void *note)
{
    struct elf_prstatus status;
    struct copied_thread *thread;

    if (!core->copied.threads)
        core->copied.threads = ARENA_ARRAY(&u->arena, struct copied_thread, STACK_THREADS_MOST);
    if (core->copied.thread_count == STACK_THREADS_MOST)
        return;
    memcpy(&status, note, sizeof status);
    thread = &core->copied.threads[core->copied.thread_count++];
    *thread = (struct copied_thread){.tid = status.pr_pid, .memory_count = core->copied.memory_count};
    memcpy(&thread->registers, &status.pr_reg, sizeof thread->registers);
}

static void note_pid(struct core *core, const void *note)
{
    struct elf_prpsinfo info;

    memcpy(&info, note, sizeof info);
    core->process.id.pid = info.pr_pid;
}

static void read_notes(struct unwind *u, struct core *core, const GElf_Phdr *header)
{
    Elf_Data *data = elf_getdata_rawchunk(core->elf, (int64_t)header->p_offset, header->p_filesz,
                                          header->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
    size_t at = 0, name, content;
    GElf_Nhdr note;

    while (data && (at = gelf_getnote(data, at, &note, &name, &content)) > 0)
        if (note.n_type == NT_PRSTATUS && note.n_descsz == sizeof(struct elf_prstatus))
            add_thread(u, core, (const char *)data->d_buf + content);
        else if (note.n_type == NT_PRPSINFO && note.n_descsz == sizeof(struct elf_prpsinfo))
            note_pid(core, (const char *)data->d_buf + content);
}

/* What of it the core has; and, as maps have it, whether it was there to be executed. */
static void read_memory(struct core *core, const GElf_Phdr *header, struct buf *maps)
{
    size_t size;
    const char *file = elf_rawfile(core->elf, &size);

    buf_addf(maps, "%llx-%llx r-%cp 0 0:0 0 \n", (unsigned long long)header->p_vaddr,
             (unsigned long long)(header->p_vaddr + header->p_memsz), header->p_flags & PF_X ? 'x' : '-');
    if (!file || header->p_offset > size || header->p_filesz > size - header->p_offset)
        return;
    core->copied.memories[core->copied.memory_count++] =
        (struct copied_memory){header->p_vaddr, {file + header->p_offset, header->p_filesz}};
}

static bool each_header(struct core *core, size_t *i, GElf_Word type, GElf_Phdr *header)
{
    for (; *i < core->header_count; ++*i)
        if (gelf_getphdr(core->elf, (int)*i, header) && header->p_type == type) {
            ++*i;
            return true;
        }
    return false;
}

static bool read_core(struct unwind *u, struct core *core)
{
    struct buf maps = {0};
    GElf_Phdr header;

    if (elf_getphdrnum(core->elf, &core->header_count) != 0)
        return false;
    core->copied.memories = ARENA_ARRAY(&u->arena, struct copied_memory, core->header_count);
    for (size_t i = 0; each_header(core, &i, PT_LOAD, &header);)
        read_memory(core, &header, &maps);
    for (size_t i = 0; each_header(core, &i, PT_NOTE, &header);)
        read_notes(u, core, &header);
    core->process.maps = arena_str(&u->arena, buf_str(&maps));
    buf_release(&maps);
    return core->copied.thread_count > 0;
}

/* ---- telling ---- */

static struct place_of place(struct unwind *u, void *user, uint64_t pc)
{
    const struct core *core = user;
    struct place_of found = {.where = core, .named_at = pc, .offset = pc};
    const char *name, *file = NULL;
    Dwarf_Addr bias;

    found.module = dwfl_addrmodule(core->space.dwfl, pc);
    if (!found.module)
        return found;
    if (dwfl_module_getelf(found.module, &bias))
        found.offset = pc - bias;
    name = dwfl_module_info(found.module, NULL, NULL, NULL, NULL, NULL, &file, NULL);
    found.path = arena_cstr(&u->arena, str_of(file ? file : name));
    found.build_id = build_id_of(u, found.module);
    return found;
}

static void tell_all(struct unwind *u, struct core *core)
{
    tell_begin(u);
    for (uint32_t i = 0; i < core->copied.thread_count; i++) {
        const struct copied_thread *thread = &core->copied.threads[i];
        struct telling telling = {.u = u,
                                  .number = i,
                                  .pid = core->process.id.pid,
                                  .tid = thread->tid,
                                  .place = place,
                                  .user = core};
        struct walk walk;

        walk_thread(u, &core->space, &core->copied, &core->process, thread, &walk);
        tell_thread(&telling, &walk);
    }
    tell_end(u);
}

static bool report(const struct core *core, const char *program)
{
    dwfl_report_begin(core->space.dwfl);
    return dwfl_core_file_report(core->space.dwfl, core->elf, program) >= 0 &&
           dwfl_report_end(core->space.dwfl, NULL, NULL) == 0;
}

int unwind_core(struct unwind *u, const char *path, const char *program)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct core core = {.elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL)};

    core.space.dwfl = core.elf ? dwfl_begin(callbacks()) : NULL;
    if (!core.space.dwfl || !report(&core, program) || !read_core(u, &core))
        return 1;
    tell_all(u, &core);
    return 0;
}
