/* How a server is started. */
#include "runner/recipe/environment.h"
#include "runner/recipe/internal.h"

#include <string.h>

/*
 * Where `ps` looks for the words that a process was started with those of its case are to stand once it runs one; and
 * where /proc shows its environment what tells whose it is. So both are made long enough.
 */
#define TITLE_ROOM  160
#define COOKIE_ROOM 2048

static char *spaces(struct arena *arena, const char *text, size_t size)
{
    struct buf out = {0};
    char *padded;

    buf_adds(&out, text);
    while (out.len < size)
        buf_addc(&out, ' ');
    padded = (char *)(uintptr_t)arena_cstr(arena, buf_str(&out));
    buf_release(&out);
    return padded;
}

static uint32_t count_loading(const struct recipe *recipe)
{
    uint32_t count = 0;

    for (char *const *entry = recipe->spec.envp; entry && *entry; entry++)
        count += spawn_is_for_loading(*entry);
    return count;
}

static void put_entry(struct environment *env, struct str entry)
{
    size_t name = strcspn(entry.ptr, "=");

    environment_put(env, str_slice(entry, 0, name), str_slice(entry, name + 1, entry.len));
}

/* Those of the case, and none of ours that the case has not. */
static void put_loading(struct environment *env, const struct kitchen *kitchen, const struct recipe *recipe)
{
    for (uint32_t i = 0; i < kitchen->base_count; i++)
        if (spawn_is_for_loading(kitchen->base[i]))
            environment_remove(env, str_slice(str_of(kitchen->base[i]), 0, strcspn(kitchen->base[i], "=")));
    for (char *const *entry = recipe->spec.envp; entry && *entry; entry++)
        if (spawn_is_for_loading(*entry))
            put_entry(env, str_of(*entry));
}

void recipe_server(const struct kitchen *kitchen, const struct recipe *recipe, const char *name,
                   const char *tmpdir, const char *lost, struct arena *arena, struct spawn_spec *spec)
{
    char **argv = ARENA_ARRAY(arena, char *, 4);
    struct environment env;

    environment_init(&env, kitchen, arena, 6 + count_loading(recipe));
    environment_add(&env, str_of("RUN_MATRIX_RUN_ID"), str_of(kitchen->run_id));
    environment_add(&env, str_of("RUN_MATRIX_CASE_ID"), str_of(arena_printf(arena, "server:%s", name)));
    environment_add(&env, str_of("RUN_MATRIX_ATTEMPT"), str_of("0"));
    environment_add(&env, str_of("TMPDIR"), str_of(tmpdir));
    if (*lost)
        environment_add(&env, str_of("RUN_MATRIX_LOST"), str_of(lost));
    put_loading(&env, kitchen, recipe);
    environment_add(&env, str_of("RUN_MATRIX_ROOM"), str_of(spaces(arena, "", COOKIE_ROOM)));
    argv[0] = spaces(arena, arena_printf(arena, "run-matrix: %s", name), TITLE_ROOM);
    argv[1] = (char *)(uintptr_t)server_word(recipe->backend->serving);
    argv[2] = (char *)(uintptr_t)(recipe->backend->apart ? NULL : recipe->spec.module);
    *spec = (struct spawn_spec){
        .path = recipe->spec.host,
        .argv = argv,
        .envp = environment_finish(&env),
        .session = true,
        .terminal = -1,
    };
}
