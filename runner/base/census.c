/* Who is on the machine, and who of them belongs together. */
#include "runner/base/census.h"

#include "runner/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void census_add(struct census *census, const struct proc_stat *stat)
{
    GROW(census->list, census->count, census->cap);
    census->list[census->count++] = *stat;
}

struct walk {
    struct census *census;
    int error;
};

static bool note_process(void *user, pid_t pid)
{
    struct walk *walk = user;
    struct proc_stat stat;

    if (proc_stat_read(pid, &stat) == 0)
        census_add(walk->census, &stat);
    else if (errno != ESRCH)
        walk->error = errno;
    return true;
}

static int by_pid(const void *a, const void *b)
{
    const struct proc_stat *left = a, *right = b;

    return (left->pid > right->pid) - (left->pid < right->pid);
}

bool census_take(struct census *census)
{
    struct walk walk = {.census = census};

    census->count = 0;
    if (proc_each(note_process, &walk) < 0)
        walk.error = errno;
    if (census->count)
        qsort(census->list, census->count, sizeof *census->list, by_pid);
    errno = walk.error;
    return !walk.error;
}

void census_release(struct census *census)
{
    free(census->list);
    *census = (struct census){0};
}

const struct proc_stat *census_find(const struct census *census, pid_t pid)
{
    struct proc_stat key = {.pid = pid};

    return census->count ? bsearch(&key, census->list, census->count, sizeof key, by_pid) : NULL;
}

static void add_children(const struct census *machine, pid_t parent, struct census *out)
{
    for (size_t i = 0; i < machine->count; i++)
        if (machine->list[i].ppid == parent)
            census_add(out, &machine->list[i]);
}

/* Generation by generation: by number a child may come before its parent, once numbers have wrapped around. */
void census_add_tree(const struct census *machine, pid_t root, struct census *out)
{
    size_t next = out->count;

    add_children(machine, root, out);
    for (; next < out->count && out->count <= machine->count; next++)
        add_children(machine, out->list[next].pid, out);
}

/* ---- as words ---- */

/* A list that is cut with ", ..." where there is no room. */
struct words {
    char *out;
    size_t size, len;
    bool cut;
};

static const char cut_words[] = ", ...";

static void add_word(struct words *words, const char *word)
{
    const char *between = words->len ? ", " : "";
    size_t len = strlen(between) + strlen(word);

    if (words->cut)
        return;
    words->cut = words->len + len + sizeof cut_words > words->size;
    if (words->cut)
        memcpy(words->out + words->len, cut_words, sizeof cut_words);
    else
        words->len +=
            (size_t)snprintf(words->out + words->len, words->size - words->len, "%s%s", between, word);
}

void census_words(const struct census *members, char *out, size_t size)
{
    struct words words = {.out = out, .size = size};
    char item[PROC_COMM_SIZE + 32];

    out[0] = '\0';
    for (size_t i = 0; i < members->count && !words.cut; i++) {
        snprintf(item, sizeof item, "%s (%ld)", members->list[i].comm, (long)members->list[i].pid);
        add_word(&words, item);
    }
}

/* False: it is gone. */
static bool read_name(int folder, const char *thread, char name[PROC_COMM_SIZE])
{
    char path[32 + sizeof "/comm"];
    ssize_t got;
    int fd;

    snprintf(path, sizeof path, "%.31s/comm", thread);
    fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
    got = fd < 0 ? -1 : read(fd, name, PROC_COMM_SIZE - 1);
    if (fd >= 0)
        close(fd);
    if (got <= 0)
        return false;
    name[got] = '\0';
    name[strcspn(name, "\n")] = '\0';
    return true;
}

/* Several of one name that follow each other are one word. */
struct naming {
    struct words words;
    char name[PROC_COMM_SIZE];
    unsigned count;
};

static void say_name(struct naming *naming)
{
    char item[PROC_COMM_SIZE + 32];

    if (!naming->count)
        return;
    snprintf(item, sizeof item, naming->count > 1 ? "%s x%u" : "%s", naming->name, naming->count);
    add_word(&naming->words, item);
    naming->count = 0;
}

static void take_name(struct naming *naming, const char *name)
{
    if (naming->count && strcmp(naming->name, name) != 0)
        say_name(naming);
    snprintf(naming->name, sizeof naming->name, "%s", name);
    naming->count++;
}

static bool is_ours(const char *name)
{
    return strcmp(name, CENSUS_ASKED) == 0 || strcmp(name, CENSUS_WATCH) == 0;
}

#define THREADS_MOST 1000 /* that are looked at: somebody waits for us, and others for him */

void census_threads(pid_t pid, char *out, size_t size)
{
    struct naming naming = {.words = {.out = out, .size = size}};
    char path[64], name[PROC_COMM_SIZE];
    struct dirent *entry;
    DIR *folder;

    out[0] = '\0';
    snprintf(path, sizeof path, "/proc/%ld/task", (long)pid);
    folder = opendir(path);
    for (unsigned seen = 0; folder && seen < THREADS_MOST && !naming.words.cut && (entry = readdir(folder));
         seen++)
        if (*entry->d_name != '.' && strtol(entry->d_name, NULL, 10) != pid &&
            read_name(dirfd(folder), entry->d_name, name) && !is_ours(name))
            take_name(&naming, name);
    say_name(&naming);
    if (folder)
        closedir(folder);
}
