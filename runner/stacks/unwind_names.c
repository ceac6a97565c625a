#include "runner/stacks/unwind.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MOST  64u
#define VISITS_MOST 2000000u /* entries of one unit: a list of them may be a circle */
#define UNITS_MOST  200000u

/* What holds a place, outermost first. */
struct chain {
    Dwarf_Die dies[DEPTH_MOST];
    uint32_t count;
    uint32_t visits;
    Dwarf_Addr pc;
};

/* ---- the unit ---- */

/* Of a unit that has its entries in another file. */
static Dwarf_Die *whole_unit(Dwarf_Die *unit, Dwarf_Die *split)
{
    uint8_t type = 0;

    if (dwarf_cu_info(unit->cu, NULL, &type, NULL, split, NULL, NULL, NULL) == 0 && type == DW_UT_skeleton &&
        dwarf_tag(split) != DW_TAG_invalid)
        return split;
    return unit;
}

/*
 * The index of addresses is optional, and some compilers make none, or units may be missing in it. Then the units are
 * asked one by one.
 */
static Dwarf_Die *unit_at(Dwfl_Module *module, uint64_t pc, Dwarf_Addr *bias)
{
    Dwarf_Die *unit = dwfl_module_addrdie(module, pc, bias);

    if (unit && dwarf_haspc(unit, pc - *bias) > 0)
        return unit;
    unit = NULL;
    for (uint32_t i = 0; i < UNITS_MOST && (unit = dwfl_module_nextcu(module, unit, bias)); i++)
        if (dwarf_haspc(unit, pc - *bias) > 0)
            return unit;
    return NULL;
}

/* ---- what is inlined into what ---- */

static bool has_a_place(int tag)
{
    return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block ||
           tag == DW_TAG_entry_point || tag == DW_TAG_try_block || tag == DW_TAG_catch_block ||
           tag == DW_TAG_with_stmt;
}

static bool may_hold_some(int tag)
{
    return tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_class_type ||
           tag == DW_TAG_structure_type;
}

static bool find_below(struct chain *chain, Dwarf_Die *parent, unsigned depth)
{
    Dwarf_Die die;
    bool found = false;

    if (depth == DEPTH_MOST || dwarf_child(parent, &die) != 0)
        return false;
    do {
        int tag = dwarf_tag(&die);

        if (++chain->visits > VISITS_MOST)
            return false;
        if (may_hold_some(tag))
            found = find_below(chain, &die, depth + 1);
        else if (has_a_place(tag) && dwarf_haspc(&die, chain->pc) > 0 && chain->count < DEPTH_MOST) {
            chain->dies[chain->count++] = die;
            find_below(chain, &chain->dies[chain->count - 1], depth + 1);
            found = true;
        }
    } while (!found && dwarf_siblingof(&die, &die) == 0);
    return found;
}

/* ---- names ---- */

static const char *linkage_name(Dwarf_Die *die)
{
    Dwarf_Attribute attribute;

    if (!dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute) &&
        !dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute))
        return NULL;
    return dwarf_formstring(&attribute);
}

static const char *demangled(struct unwind *u, const char *name)
{
    int status = -1;
    char *readable =
        name && strncmp(name, "_Z", 2) == 0 && u->demangle ? u->demangle(name, NULL, NULL, &status) : NULL;
    const char *kept = status == 0 && readable ? arena_cstr(&u->arena, str_of(readable)) : name;

    free(readable);
    return kept;
}

static const char *name_of(struct unwind *u, Dwarf_Die *die)
{
    const char *linked = linkage_name(die);

    /* Of C it is the name itself, and of other languages one that only they can read. */
    return linked && strncmp(linked, "_Z", 2) == 0 && u->demangle ? demangled(u, linked) : dwarf_diename(die);
}

/* ---- lines ---- */

static const char *whole_path(struct unwind *u, Dwarf_Die *unit, const char *file)
{
    Dwarf_Attribute attribute;
    const char *folder;

    if (!file || *file == '/')
        return file;
    folder = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
    /* What is built to be the same everywhere has folders that are nowhere. */
    return folder && *folder == '/' ? arena_printf(&u->arena, "%s/%s", folder, file) : file;
}

static void line_at(struct unwind *u, Dwarf_Die *unit, Dwarf_Addr pc, struct named *out)
{
    Dwarf_Line *line = dwarf_getsrc_die(unit, pc);
    int number = 0;

    if (!line || dwarf_lineno(line, &number) != 0 || number <= 0)
        return;
    out->line = (uint32_t)number;
    out->file = whole_path(u, unit, dwarf_linesrc(line, NULL, NULL));
}

/* Where it was inlined, in the function that it was inlined into. */
static void line_of_call(struct unwind *u, Dwarf_Die *unit, Dwarf_Die *inlined, struct named *out)
{
    Dwarf_Attribute attribute;
    Dwarf_Word file = 0, line = 0;
    Dwarf_Files *files;
    size_t count;

    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &line) != 0 ||
        dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &file) != 0 ||
        dwarf_getsrcfiles(unit, &files, &count) != 0 || file >= count)
        return;
    out->line = (uint32_t)line;
    out->file = whole_path(u, unit, dwarf_filesrc(files, file, NULL, NULL));
}

/* ---- both ---- */

static bool is_function(Dwarf_Die *die)
{
    int tag = dwarf_tag(die);

    return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine || tag == DW_TAG_entry_point;
}

/* From the innermost outwards, up to the one that was inlined into nobody. */
static uint32_t name_chain(struct unwind *u, Dwarf_Die *unit, struct chain *chain,
                           struct named out[NAMED_MOST])
{
    uint32_t count = 0;

    for (uint32_t i = chain->count; i-- > 0 && count < NAMED_MOST;) {
        Dwarf_Die *die = &chain->dies[i];

        if (!is_function(die))
            continue;
        out[count].function = name_of(u, die);
        if (!count)
            line_at(u, unit, chain->pc, &out[count]);
        count++;
        if (dwarf_tag(die) != DW_TAG_inlined_subroutine)
            break;
        if (count < NAMED_MOST) {
            out[count] = (struct named){0};
            line_of_call(u, unit, die, &out[count]);
        }
    }
    return count;
}

uint32_t name_place(struct unwind *u, Dwfl_Module *module, uint64_t pc, struct named out[NAMED_MOST])
{
    struct chain chain = {0};
    Dwarf_Addr bias = 0;
    Dwarf_Die split, *unit = u->plain ? NULL : unit_at(module, pc, &bias);
    uint32_t count = 0;
    GElf_Off into;
    GElf_Sym symbol;

    out[0] = (struct named){0};
    if (unit) {
        unit = whole_unit(unit, &split);
        chain.pc = pc - bias;
        find_below(&chain, unit, 0);
        count = name_chain(u, unit, &chain, out);
        if (!count)
            line_at(u, unit, chain.pc, &out[0]);
    }
    if (!count || !out[count - 1].function)
        out[count ? count - 1 : 0].function =
            demangled(u, dwfl_module_addrinfo(module, pc, &into, &symbol, NULL, NULL, NULL));
    return count ? count : 1;
}
