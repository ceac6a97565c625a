#include "runner/diagnose/look.h"

#include "runner/base/io.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FILE_MOST ((size_t)64 << 10)

/* ---- how many of each ---- */

static uint64_t told_of(const struct look *look, uint32_t most)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < look->dump->process_count; i++) {
        long threads = look->beside[i].stat.threads;

        sum += threads < (long)most ? (uint64_t)threads : most;
    }
    return sum;
}

void look_share_threads(struct look *look)
{
    uint32_t low = 1, high = DUMP_THREADS_MOST;

    /* The largest number that, had each as many at most, finds room; everybody has one. */
    while (low < high) {
        uint32_t middle = high - (high - low) / 2;

        if (told_of(look, middle) <= DUMP_THREADS_MOST)
            low = middle;
        else
            high = middle - 1;
    }
    for (uint32_t i = 0; i < look->dump->process_count; i++)
        look->beside[i].threads_most = low;
}

/* ---- one thread ---- */

static void take_call(struct look *look, uint32_t index, struct dump_thread *thread, int task, int *refused)
{
    thread->call.number = -1;
    if (look->dump->processes[index].memory_held)
        return;
    if (look_read(look, task, "syscall", FILE_MOST))
        look_decode(look, index, thread, task, str_trim(buf_str(&look->text)));
    else if (errno != ESRCH && errno != ENOENT)
        *refused = errno;
}

/* False: it has gone. */
static bool take_thread(struct look *look, uint32_t index, struct dump_thread *thread, int task, int *refused)
{
    struct proc_stat stat;
    struct str status;

    if (!look_read(look, task, "stat", FILE_MOST) || !proc_stat_parse(buf_str(&look->text), &stat))
        return false;
    *thread = (struct dump_thread){
        .tid = stat.pid, .state = stat.state, .name = arena_cstr(look->arena, str_of(stat.comm))};
    if (look_read(look, task, "status", FILE_MOST)) {
        status = buf_str(&look->text);
        thread->blocked = look_number(status, "SigBlk:", 16);
        thread->pending = look_number(status, "SigPnd:", 16);
    }
    if (look_read(look, task, "wchan", FILE_MOST) && look->text.len && !str_is(buf_str(&look->text), "0"))
        thread->wchan = arena_cstr(look->arena, buf_str(&look->text));
    take_call(look, index, thread, task, refused);
    return true;
}

/* ---- all of a process ---- */

static void take_threads(struct look *look, uint32_t index, DIR *tasks, struct dump_thread *threads,
                         uint32_t most)
{
    struct dump_process *process = &look->dump->processes[index];
    const struct dirent *entry;
    int refused = 0;

    while (process->thread_count < most && !look_is_late(look) && (entry = readdir(tasks))) {
        int task = isdigit((unsigned char)entry->d_name[0])
                       ? openat(dirfd(tasks), entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC)
                       : -1;

        if (task >= 0 && take_thread(look, index, &threads[process->thread_count], task, &refused))
            process->thread_count++;
        fd_close(&task);
    }
    if (refused)
        look_unread(look, process, "its system calls", refused);
}

static DIR *open_tasks(const struct dump_process *process)
{
    int at = look_open(process), fd = at < 0 ? -1 : openat(at, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *tasks = fd < 0 ? NULL : fdopendir(fd);

    if (!tasks)
        fd_close(&fd);
    fd_close(&at);
    return tasks;
}

/* The kernel calls all of it a zombie when the first thread has ended, though others go on. */
static char state_of(const struct dump_process *process)
{
    for (uint32_t i = 0; i < process->thread_count; i++)
        if (!proc_state_is_end(process->threads[i].state))
            return process->threads[i].state;
    return process->state;
}

void look_threads(struct look *look, uint32_t index)
{
    struct dump_process *process = &look->dump->processes[index];
    const struct look_beside *beside = &look->beside[index];
    uint32_t there = (uint32_t)beside->stat.threads, most = beside->threads_most;
    struct dump_thread *threads;
    DIR *tasks;

    if (!proc_stat_is_alive(&beside->stat))
        return;
    tasks = open_tasks(process);
    if (!tasks) {
        look_unread(look, process, "its threads", errno);
        return;
    }
    /* One that is making threads has more by now than it had a moment ago. */
    most = there + 16 < most ? there + 16 : most;
    threads = ARENA_ARRAY(look->arena, struct dump_thread, most);
    process->threads = threads;
    take_threads(look, index, tasks, threads, most);
    process->threads_more = there > process->thread_count ? there - process->thread_count : 0;
    if (beside->stat.state == 'Z')
        process->state = state_of(process);
    closedir(tasks);
}
