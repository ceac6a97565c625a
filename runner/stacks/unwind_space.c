#include "runner/stacks/unwind.h"

#include "runner/base/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- maps ---- */

struct mapping {
    uint64_t start, end, offset, device, inode;
    bool executable;
    struct str path;
};

static uint64_t number(const char **at, const char *end, int base)
{
    uint64_t value = 0;

    while (*at < end && **at == ' ')
        (*at)++;
    for (; *at < end; (*at)++) {
        int digit = **at >= '0' && **at <= '9'   ? **at - '0'
                    : **at >= 'a' && **at <= 'f' ? **at - 'a' + 10
                                                 : base;

        if (digit >= base)
            break;
        value = value * (uint64_t)base + (uint64_t)digit;
    }
    return value;
}

/* "7f12-7f13 r-xp 00001000 fe:00 4711   /usr/lib/libc.so.6": false for what is none. */
static bool parse(struct str line, struct mapping *mapping)
{
    const char *at = line.ptr, *end = line.ptr + line.len;

    mapping->start = number(&at, end, 16);
    if (at++ >= end)
        return false;
    mapping->end = number(&at, end, 16);
    if (end - at < 6 || mapping->end <= mapping->start)
        return false;
    mapping->executable = at[3] == 'x';
    at += 5;
    mapping->offset = number(&at, end, 16);
    mapping->device = number(&at, end, 16) << 32;
    if (at++ >= end)
        return false;
    mapping->device |= number(&at, end, 16);
    mapping->inode = number(&at, end, 10);
    while (at < end && *at == ' ')
        at++;
    mapping->path = (struct str){at, (size_t)(end - at)};
    return true;
}

static bool next_mapping(struct str *maps, struct mapping *mapping)
{
    while (maps->len) {
        const char *end = memchr(maps->ptr, '\n', maps->len);
        struct str line = str_slice(*maps, 0, end ? (size_t)(end - maps->ptr) : maps->len);

        *maps = str_slice(*maps, line.len + (end != NULL), maps->len);
        if (parse(line, mapping))
            return true;
    }
    return false;
}

#define GAPS_MOST (UINT64_C(64) << 20)

/* ---- modules: the mappings of one file that the loader has made of it ---- */

struct found {
    struct mapping first;
    uint64_t end;
    bool executable;
};

struct founds {
    struct found *list;
    size_t count, cap;
};

static bool is_vdso(const struct mapping *mapping)
{
    return str_is(mapping->path, "[vdso]");
}

/*
 * What the loader maps of a file lies as it does in there, but for gaps. A file that is mapped a second time elsewhere, as some
 * programs do with code of their own, begins anew.
 */
static bool goes_on_with(const struct found *found, const struct mapping *mapping)
{
    uint64_t further = mapping->start - found->first.start, within = mapping->offset - found->first.offset;

    return found->first.inode == mapping->inode && found->first.device == mapping->device &&
           str_eq(found->first.path, mapping->path) && mapping->offset > found->first.offset &&
           further >= within && further - within <= GAPS_MOST;
}

/* What a file has in common with a program is that some of it may be executed. */
static void find_modules(struct str maps, struct founds *founds)
{
    struct mapping mapping;

    while (next_mapping(&maps, &mapping)) {
        struct found *last = founds->count ? &founds->list[founds->count - 1] : NULL;

        if (!is_vdso(&mapping) && (!mapping.inode || !mapping.path.len || mapping.path.ptr[0] != '/'))
            continue;
        if (last && goes_on_with(last, &mapping)) {
            last->end = mapping.end;
            last->executable |= mapping.executable;
            continue;
        }
        if (last && !last->executable)
            founds->count--;
        GROW(founds->list, founds->count, founds->cap);
        founds->list[founds->count++] =
            (struct found){.first = mapping, .end = mapping.end, .executable = mapping.executable};
    }
    if (founds->count && !founds->list[founds->count - 1].executable)
        founds->count--;
}

static void write_key(struct buf *key, const struct founds *founds)
{
    for (size_t i = 0; i < founds->count; i++) {
        const struct found *found = &founds->list[i];

        buf_addf(key, "%llx-%llx %llx %llx %llx ", (unsigned long long)found->first.start,
                 (unsigned long long)found->end, (unsigned long long)found->first.offset,
                 (unsigned long long)found->first.device, (unsigned long long)found->first.inode);
        buf_addstr(key, found->first.path);
        buf_addc(key, '\n');
    }
}

/* ---- what libdwfl asks ---- */

static int find_elf(Dwfl_Module *dwfl, void **userdata, const char *name, Dwarf_Addr base, char **file_name,
                    Elf **elf)
{
    const struct image *image = *userdata;

    (void)dwfl;
    (void)name;
    (void)base;
    *elf = image ? image_elf(image) : NULL;
    if (*elf)
        *file_name = strdup(image->path);
    return -1;
}

static const Dwfl_Callbacks *callbacks(void)
{
    static const Dwfl_Callbacks table = {
        .find_elf = find_elf,
        .find_debuginfo = dwfl_standard_find_debuginfo,
        .section_address = dwfl_offline_section_address,
    };

    return &table;
}

/* ---- spaces ---- */

static void report(struct unwind *u, struct space *space, const struct found *found,
                   const struct copied_process *process)
{
    struct module *module = &space->modules[space->module_count];
    const char *path = arena_cstr(&u->arena, found->first.path);
    struct image like = {.device = found->first.device, .inode = found->first.inode, .path = path};
    void **userdata;

    *module = (struct module){.start = found->first.start, .end = found->end, .offset = found->first.offset};
    module->image = is_vdso(&found->first)
                        ? image_of_vdso(u)
                        : image_of(u, &like, process, found->first.start, found->first.end);
    space->module_count++;
    if (module->offset)
        return; /* a piece of it: where the rest would be is not known, and nobody was loaded there */
    module->dwfl = dwfl_report_module(space->dwfl, path, module->start, module->end);
    if (!module->dwfl)
        return;
    dwfl_module_info(module->dwfl, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
    *userdata = module->image;
    if (!module->image->module) {
        module->image->module = module->dwfl;
        module->image->start = module->start;
    }
}

static struct space *new_space(struct unwind *u, struct str key, const struct founds *founds,
                               const struct copied_process *process)
{
    struct space *space = ARENA_NEW(&u->arena, struct space);

    space->key = arena_str(&u->arena, key);
    space->next = u->spaces;
    u->spaces = space;
    space->modules = ARENA_ARRAY(&u->arena, struct module, founds->count);
    space->dwfl = dwfl_begin(callbacks());
    if (!space->dwfl)
        return space;
    dwfl_report_begin(space->dwfl);
    for (size_t i = 0; i < founds->count; i++)
        report(u, space, &founds->list[i], process);
    dwfl_report_end(space->dwfl, NULL, NULL);
    return space;
}

struct space *space_of(struct unwind *u, const struct copied_process *process)
{
    struct founds founds = {0};
    struct buf key = {0};
    struct space *space;

    find_modules(process->maps, &founds);
    write_key(&key, &founds);
    for (space = u->spaces; space && !str_eq(space->key, buf_str(&key));)
        space = space->next;
    if (!space)
        space = new_space(u, buf_str(&key), &founds, process);
    free(founds.list);
    buf_release(&key);
    return space;
}

const struct module *space_module(const struct space *space, uint64_t pc)
{
    for (size_t i = 0; i < space->module_count; i++)
        if (pc >= space->modules[i].start && pc < space->modules[i].end)
            return &space->modules[i];
    return NULL;
}

bool maps_find(struct str maps, uint64_t pc, struct str *path, bool *executable)
{
    struct mapping mapping;

    while (next_mapping(&maps, &mapping))
        if (pc >= mapping.start && pc < mapping.end) {
            *path = mapping.path;
            *executable = mapping.executable;
            return true;
        }
    return false;
}
