/* What compiling needs: a compiler, our header and library, a place for what is made. */
#include "runner/compile_internal.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_UNSET "/bin:/usr/bin" /* what execvp takes then */

/* ---- the compiler ---- */

static bool is_program(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

const char *compiler_find(struct compiler *c, const char *name)
{
    const char *path = getenv("PATH");

    if (strchr(name, '/'))
        return is_program(name) ? name : NULL;
    for (path = path ? path : PATH_UNSET;; path++) {
        size_t len = strcspn(path, ":");
        const char *whole = arena_printf(c->arena, "%.*s/%s", (int)len, len ? path : ".", name);

        whole = len ? whole : arena_printf(c->arena, "./%s", name);
        if (is_program(whole))
            return whole;
        path += len;
        if (!*path)
            return NULL;
    }
}

/* A relative one would be looked for in the folder that the compiler runs in. */
static const char *seen_from_anywhere(struct compiler *c, const char *path)
{
    char *whole = *path == '/' ? NULL : realpath(path, NULL);
    const char *copy = whole ? arena_cstr(c->arena, str_of(whole)) : path;

    free(whole);
    return copy;
}

static bool find_compiler(struct compiler *c)
{
    static const char *const names[] = {"cc", "gcc", "clang"};
    const char *said = getenv("CC"), *path = NULL;

    if (said && *said && (!flags_split(c->arena, str_of(said), &c->cc) || !c->cc.count)) {
        c->trouble = arena_printf(c->arena, "'CC' is no command: %s", said);
        return false;
    }
    if (c->cc.count)
        path = compiler_find(c, c->cc.list[0]);
    else
        flags_add(c->arena, &c->cc, names[0]);
    for (size_t i = 0; i < ARRAY_LEN(names) && !path && !(said && *said); i++)
        path = compiler_find(c, names[i]);
    if (!path && said && *said)
        c->trouble = arena_printf(c->arena, "there is no program '%s', which 'CC' names", c->cc.list[0]);
    else if (!path)
        c->trouble =
            "there is no C compiler: no program 'cc', 'gcc' or 'clang' on the PATH, and 'CC' names none";
    else
        c->cc.list[0] = seen_from_anywhere(c, path);
    return path != NULL;
}

/* What compilers, linkers and pkg-config read of it, and what would so be another result. */
static const char *const read_by_tools[] = {"CPATH",
                                            "C_INCLUDE_PATH",
                                            "LIBRARY_PATH",
                                            "COMPILER_PATH",
                                            "GCC_EXEC_PREFIX",
                                            "LD_RUN_PATH",
                                            "SOURCE_DATE_EPOCH",
                                            "PKG_CONFIG_PATH",
                                            "PKG_CONFIG_LIBDIR",
                                            "PKG_CONFIG_SYSROOT_DIR",
                                            "PKG_CONFIG_TOP_BUILD_DIR"};

/* Another compiler is another file, by where it is, or by when it was made. */
static void identify(struct compiler *c)
{
    struct stat st = {0};

    c->identity = digest_start();
    for (uint32_t i = 0; i < c->cc.count; i++)
        c->identity = digest_text(c->identity, c->cc.list[i]);
    if (stat(c->cc.list[0], &st) == 0) {
        c->identity = digest_bytes(c->identity, &st.st_size, sizeof st.st_size);
        c->identity = digest_bytes(c->identity, &st.st_mtim, sizeof st.st_mtim);
    }
    for (size_t i = 0; i < ARRAY_LEN(read_by_tools); i++) {
        const char *value = getenv(read_by_tools[i]);

        c->identity = digest_text(c->identity, value ? value : "");
    }
}

/* ---- header and library ---- */

/* From our own folder: in a build, in one of its variants, in an installation. */
static const char *const include_folders[] = {"../include", "../fixtures", "../../fixtures"};
static const char *const libraries[] = {"librunmatrix.a", "../lib/librunmatrix.a", "../librunmatrix.a"};

static const char *plain(struct compiler *c, const char *path)
{
    char *whole = realpath(path, NULL);
    const char *copy = whole ? arena_cstr(c->arena, str_of(whole)) : NULL;

    free(whole);
    return copy;
}

static bool find_library(struct compiler *c)
{
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self);
    const char *slash = len > 0 ? memrchr(self, '/', (size_t)len) : NULL;
    int folder = slash ? (int)(slash + 1 - self) : 0;

    for (size_t i = 0; folder && !c->include && i < ARRAY_LEN(include_folders); i++) {
        const char *path = arena_printf(c->arena, "%.*s%s", folder, self, include_folders[i]);

        if (access(arena_printf(c->arena, "%s/run_matrix.h", path), R_OK) == 0)
            c->include = plain(c, path);
    }
    for (size_t i = 0; folder && !c->library && i < ARRAY_LEN(libraries); i++)
        c->library = plain(c, arena_printf(c->arena, "%.*s%s", folder, self, libraries[i]));
    if (!c->include)
        c->trouble = "there is no run_matrix.h beside run-matrix, nor in ../include";
    else if (!c->library)
        c->trouble = "there is no librunmatrix.a beside run-matrix, nor in ../lib";
    return !c->trouble;
}

/* ---- the cache ---- */

/* Beside the runs; where nothing can be written there, with what other programs keep of this user. */
static bool open_cache(struct compiler *c)
{
    struct diags unsaid = {.arena = c->arena};
    const char *home = getenv("HOME"), *caches = getenv("XDG_CACHE_HOME");
    struct store store;
    int error;

    if (store_open(&store, c->store, c->arena, &unsaid) == 0) {
        store_close(&store);
        if (cache_open(&c->cache, arena_printf(c->arena, "%s/cache", c->store), c->arena) == 0)
            return true;
    }
    error = errno;
    if (!caches || *caches != '/')
        caches = home && *home == '/' ? arena_printf(c->arena, "%s/.cache", home) : NULL;
    if (caches && cache_open(&c->cache, arena_printf(c->arena, "%s/run-matrix", caches), c->arena) == 0)
        return true;
    c->trouble = arena_printf(c->arena, "there is no place for what is compiled: '%s/cache': %s%s%s",
                              c->store, strerror(error), caches ? "; nor below " : "", caches ? caches : "");
    return false;
}

/* What a compiler leaves when it is killed is in the cache, where it is tidied away. */
static void make_environment(struct compiler *c)
{
    uint32_t count = 0, filled = 0;
    const char **list;

    while (environ && environ[count])
        count++;
    list = ARENA_ARRAY(c->arena, const char *, count + 2);
    for (uint32_t i = 0; i < count; i++)
        if (strncmp(environ[i], "TMPDIR=", strlen("TMPDIR=")) != 0)
            list[filled++] = environ[i];
    list[filled++] = arena_printf(c->arena, "TMPDIR=%s/tmp", c->cache.path);
    c->envp = (char *const *)(uintptr_t)list;
}

void compiler_open(struct compiler *c)
{
    if (c->opened)
        return;
    c->opened = true;
    if (!find_compiler(c) || !find_library(c) || !open_cache(c))
        return;
    c->stamps = stamps_new();
    identify(c);
    make_environment(c);
}

struct compiler *compiler_new(struct arena *arena, const char *store, const char *contain, uint32_t jobs)
{
    struct compiler *c = ARENA_NEW(arena, struct compiler);

    *c = (struct compiler){
        .arena = arena, .store = store, .contain = contain, .jobs = jobs, .cache = {NULL, -1}};
    return c;
}

void compiler_free(struct compiler *c)
{
    if (c->made)
        cache_tidy(&c->cache, CACHE_MOST);
    stamps_free(c->stamps);
    cache_close(&c->cache);
    free(c->units);
    free(c->wished);
    free(c->linked);
}
