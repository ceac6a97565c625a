#include "runner/recipe/internal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_UNSET "/bin:/usr/bin" /* what execvp takes then */

struct search {
    struct cooking *k;
    struct str name;
    struct buf path, seen; /* as the child sees it, and as we do from where we stand */
    bool absolute;         /* every folder looked into was */
    const char *blocked;   /* a file that may not be executed */
    uint32_t folders;
};

static bool is_program(struct search *s)
{
    const char *path = buf_text(&s->seen);
    struct stat st;

    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0)
        return true;
    if (!s->blocked)
        s->blocked = arena_cstr(s->k->arena, buf_str(&s->path));
    return false;
}

static void set_seen(struct search *s)
{
    const char *cwd = s->k->recipe->spec.cwd;

    buf_clear(&s->seen);
    if (cwd && *buf_text(&s->path) != '/')
        buf_addf(&s->seen, "%s/", cwd);
    buf_addstr(&s->seen, buf_str(&s->path));
}

/* An empty folder is the current one. */
static bool is_in(struct search *s, struct str folder)
{
    buf_clear(&s->path);
    buf_addstr(&s->path, folder.len ? folder : str_of("."));
    buf_addc(&s->path, '/');
    buf_addstr(&s->path, s->name);
    set_seen(s);
    s->absolute &= folder.len && folder.ptr[0] == '/';
    s->folders++;
    return is_program(s);
}

static bool is_on_path(struct search *s, const char *path)
{
    for (;;) {
        size_t length = strcspn(path, ":");

        if (is_in(s, (struct str){path, length}))
            return true;
        if (!path[length])
            return false;
        path += length + 1;
    }
}

static const char *words_of(const struct search *s, bool set)
{
    struct arena *arena = s->k->arena;

    if (s->blocked)
        return arena_printf(arena, "'%s' may not be executed", s->blocked);
    if (!s->folders)
        return arena_printf(arena, "there is no program '%.*s'", STR_ARG(s->name));
    return arena_printf(arena, "no program '%.*s' on the PATH (%s%u folder%s)", STR_ARG(s->name),
                        set ? "" : "which is not set; ", s->folders, s->folders == 1 ? "" : "s");
}

static const char *look(struct search *s, const char *entry)
{
    struct kitchen *kitchen = s->k->kitchen;
    struct found_program *found = &kitchen->found[kitchen->found_count];

    if (!is_on_path(s, entry ? entry + strlen("PATH=") : PATH_UNSET))
        return NULL;
    if (entry != kitchen->path || !s->absolute || kitchen->found_count == FOUND_PROGRAMS_MOST)
        return arena_cstr(s->k->arena, buf_str(&s->path));
    kitchen->found_count++;
    found->name = arena_str(kitchen->arena, s->name);
    found->path = arena_cstr(kitchen->arena, buf_str(&s->path));
    return found->path;
}

static const char *known(const struct kitchen *kitchen, struct str name)
{
    for (uint32_t i = 0; i < kitchen->found_count; i++)
        if (str_eq(kitchen->found[i].name, name))
            return kitchen->found[i].path;
    return NULL;
}

/* With a slash it is no name, but a path. */
static const char *check_path(struct search *s)
{
    buf_addstr(&s->path, s->name);
    set_seen(s);
    return is_program(s) ? arena_cstr(s->k->arena, s->name) : NULL;
}

const char *program_find(struct cooking *k, struct str name, const char **why)
{
    struct search s = {.k = k, .name = name, .absolute = true};
    const char *entry = environment_find(k->recipe->spec.envp, "PATH");
    const char *path = entry == k->kitchen->path ? known(k->kitchen, name) : NULL;

    if (path)
        return path;
    path = memchr(name.ptr, '/', name.len) ? check_path(&s) : look(&s, entry);
    if (!path)
        *why = words_of(&s, entry != NULL);
    buf_release(&s.path);
    buf_release(&s.seen);
    return path;
}
