/* What a process has open, a line each. */
#include "runner/diagnose/telling.h"

#define ENDS_MOST 8

static const char *end_words(struct telling *t, const struct dump_end *end)
{
    const char *how = end->reads && end->writes ? " reads and writes"
                      : end->reads              ? " reads"
                      : end->writes             ? " writes"
                                                : "";

    return arena_printf(t->arena, "%d %s fd %d%s", (int)end->pid, end->name ? say_name(t, end->name) : "?",
                        end->fd, how);
}

/* All of one pipe have one list, and who is told of knows himself. */
static bool is_itself(const struct dump_process *p, const struct dump_fd *fd, const struct dump_end *end)
{
    return end->pid == p->id.pid && end->fd == fd->number;
}

struct end_list {
    const char *words;
    uint32_t told, more;
};

/* Those that can do what it cannot itself are at its other end: they matter more than those who have the same one. */
static bool is_opposite(const struct dump_fd *fd, const struct dump_end *end)
{
    return (end->reads && !fd->reads) || (end->writes && !fd->writes);
}

static void add_ends(struct telling *t, const struct dump_process *p, const struct dump_fd *fd, bool opposite,
                     struct end_list *list)
{
    for (uint32_t i = 0; i < fd->end_count; i++) {
        const struct dump_end *end = &fd->ends[i];

        if (is_itself(p, fd, end) || is_opposite(fd, end) != opposite)
            continue;
        if (list->told == ENDS_MOST) {
            list->more++;
            continue;
        }
        list->words = arena_printf(t->arena, "%s%s%s", list->words, list->told ? ", " : "; also of ",
                                   end_words(t, end));
        list->told++;
    }
}

static const char *ends_words(struct telling *t, const struct dump_process *p, const struct dump_fd *fd)
{
    struct end_list list = {.words = ""};

    add_ends(t, p, fd, true, &list);
    add_ends(t, p, fd, false, &list);
    if (list.more)
        return arena_printf(t->arena, "%s and %u more", list.words, list.more);
    return !list.told && fd->ends_known ? "; nobody else has it" : list.words;
}

static const char *fill_words(struct telling *t, const struct dump_fd *fd)
{
    if (fd->state)
        return arena_printf(t->arena, ", %s%s", say_safe(t, fd->state, TELL_NAME_MOST),
                            fd->receive_queue < 0
                                ? ""
                                : arena_printf(t->arena, ", queues %lld and %lld",
                                               (long long)fd->receive_queue, (long long)fd->send_queue));
    if (fd->filled >= 0)
        return arena_printf(t->arena, ", %lld of %lld bytes", (long long)fd->filled, (long long)fd->room);
    return "";
}

static const char *address_words(struct telling *t, const struct dump_fd *fd)
{
    const char *local = fd->local && *fd->local ? say_safe(t, fd->local, TELL_TEXT_MOST) : NULL;
    const char *peer = fd->peer && *fd->peer ? say_safe(t, fd->peer, TELL_TEXT_MOST) : NULL;

    if (!local && !peer)
        return "";
    return arena_printf(t->arena, ", %s%s%s%s", local ? local : "", local && peer ? " " : "",
                        peer ? "to " : "", peer ? peer : "");
}

static void write_fd(struct telling *t, const struct dump_process *p, const struct dump_fd *fd)
{
    say_line(t, "    %4d %c%c %s, %s%s%s%s%s%s%s%s%s", fd->number, fd->reads ? 'r' : '-',
             fd->writes ? 'w' : '-', dump_fd_words[fd->kind], say_safe(t, fd->target, TELL_TEXT_MOST),
             address_words(t, fd), fill_words(t, fd),
             fd->position >= 0 && fd->kind == DUMP_FD_FILE
                 ? arena_printf(t->arena, ", at byte %lld", (long long)fd->position)
                 : "",
             fd->waits ? "" : ", does not wait", fd->is_output ? ", is captured" : "", fd->detail ? ", " : "",
             fd->detail ? say_safe(t, fd->detail, TELL_TEXT_MOST) : "", ends_words(t, p, fd));
}

void text_fds(struct telling *t, const struct dump_process *p)
{
    if (p->fd_count)
        say_line(t, "  descriptors:");
    for (uint32_t i = 0; i < p->fd_count && !t->cut; i++)
        write_fd(t, p, &p->fds[i]);
    if (p->fds_more)
        say_line(t, "    and %u more, which did not find room", p->fds_more);
}
