/* C tests that are built with sanitizers: what has to be there before they are loaded, and that a report fails its case. */
#include "runner/base/elf.h"
#include "runner/base/mem.h"
#include "runner/recipe/environment.h"
#include "runner/recipe/internal.h"

#include <string.h>

#define PRELOAD  "LD_PRELOAD"
#define UBSAN    "UBSAN_OPTIONS"
#define FAILS_BY "halt_on_error=1:print_summary=1" /* else it tells, and goes on to pass */

/* They replace malloc, or want room that the loader has for none who comes late. */
static const char *const first_of_all[] = {"libasan.so.", "libtsan.so.", "liblsan.so.", "libhwasan.so.",
                                           "libclang_rt."};

static bool comes_first(struct str library)
{
    for (size_t i = 0; i < ARRAY_LEN(first_of_all); i++)
        if (str_starts(library, first_of_all[i]))
            return true;
    return false;
}

struct looked {
    struct arena *arena;
    const char *runtime;
};

static bool look(void *user, struct str name)
{
    struct looked *looked = user;

    if (comes_first(name))
        looked->runtime = arena_cstr(looked->arena, name);
    return !looked->runtime;
}

/* Tests of one file come one after another: it is read once. "": it wants none. */
static const char *runtime_of(struct kitchen *kitchen, const char *module)
{
    struct looked looked = {.arena = kitchen->arena};

    if (kitchen->looked_at && strcmp(kitchen->looked_at, module) == 0)
        return kitchen->runtime;
    elf_needed(module, look, &looked);
    kitchen->looked_at = arena_cstr(kitchen->arena, str_of(module));
    kitchen->runtime = looked.runtime ? looked.runtime : "";
    return kitchen->runtime;
}

/* Of gcc; that of clang is in the program itself, and says so. */
static const char *why_not(const struct recipe *recipe, const char *runtime)
{
    if (*runtime && recipe->spec.apart)
        return "backend 'subint' and 'subint_forkserver' load a module into a namespace of its own, and the "
               "runtime of its sanitizer can be in a process only once";
    if (recipe->backend == backends[BACKEND_MAIN_THREAD_FORKSERVER] &&
        str_starts(str_of(runtime), "libtsan.so."))
        return "ThreadSanitizer lets nobody start threads who was forked out of a process that has some";
    return NULL;
}

static void add_preload(struct cooking *k, const char *runtime, struct variable *variables, uint32_t *count)
{
    const char *entry = environment_find(k->recipe->spec.envp, PRELOAD);

    variables[(*count)++] = (struct variable){
        .name = str_of(PRELOAD),
        .value =
            str_of(entry ? arena_printf(k->arena, "%s:%s", runtime, entry + strlen(PRELOAD "=")) : runtime),
    };
    variables[(*count)++] =
        (struct variable){.name = str_of("RUN_MATRIX_PRELOADED"), .value = str_of(runtime)};
}

void cook_sanitizers(struct cooking *k, const char *module)
{
    const char *runtime = runtime_of(k->kitchen, module), *why = why_not(k->recipe, runtime);
    struct variable variables[3];
    uint32_t count = 0;

    if (why && !(k->where && k->where->listing))
        k->recipe->unsupported = why;
    if (*runtime && module_is_shared(module))
        add_preload(k, runtime, variables, &count);
    if (!environment_find(k->recipe->spec.envp, UBSAN))
        variables[count++] = (struct variable){.name = str_of(UBSAN), .value = str_of(FAILS_BY)};
    if (count)
        k->recipe->spec.envp = environment_with(k->arena, k->recipe->spec.envp, variables, count);
}
