/* Copies that a process makes of itself: of all threads while they stand still, and of one that crashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fixtures/tools/copies.h"
#include "runner/base/clock.h"
#include "runner/base/io.h"
#include "tests/unit/tools_stage.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#if defined(__x86_64__)
#define POINTER rsp
#else
#define POINTER sp
#endif

#if defined(__SANITIZE_THREAD__)
#define HANDLERS_WAIT true /* it lets no handler run in the midst of a call */
#else
#define HANDLERS_WAIT false
#endif

/* ---- copies taken apart ---- */

struct copied {
    struct buf all;
    size_t at;
    uint32_t kind;
    struct str bytes; /* of the record */
};

static void begin(struct copied *copied, int fd)
{
    *copied = (struct copied){.at = sizeof COPY_MAGIC};
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(fd_read_all(fd, &copied->all, (size_t)64 << 20), 0);
    assert_true(copied->all.len > sizeof COPY_MAGIC);
    assert_memory_equal(copied->all.ptr, COPY_MAGIC, sizeof COPY_MAGIC);
}

static bool next_record(struct copied *copied)
{
    struct copy_record head;

    if (copied->at == copied->all.len)
        return false;
    assert_true(copied->all.len - copied->at >= sizeof head);
    memcpy(&head, copied->all.ptr + copied->at, sizeof head);
    copied->at += sizeof head;
    assert_true(copied->all.len - copied->at >= head.length);
    copied->kind = head.kind;
    copied->bytes = (struct str){copied->all.ptr + copied->at, head.length};
    copied->at += head.length;
    return true;
}

static void next_is(struct copied *copied, uint32_t kind)
{
    assert_true(next_record(copied));
    assert_int_equal(copied->kind, kind);
}

static pid_t next_thread(struct copied *copied)
{
    struct copy_thread thread;

    next_is(copied, COPY_THREAD);
    assert_int_equal(copied->bytes.len, sizeof thread);
    memcpy(&thread, copied->bytes.ptr, sizeof thread);
    return thread.tid;
}

static uint64_t next_memory(struct copied *copied)
{
    uint64_t address;

    next_is(copied, COPY_MEMORY);
    assert_true(copied->bytes.len > sizeof address);
    memcpy(&address, copied->bytes.ptr, sizeof address);
    copied->bytes = str_slice(copied->bytes, sizeof address, copied->bytes.len);
    return address;
}

static int new_file(void)
{
    int fd = memfd_create("copy", MFD_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static struct proc_id process_of(struct copied *copied)
{
    struct copy_process process;

    next_is(copied, COPY_PROCESS);
    assert_int_equal(copied->bytes.len, sizeof process);
    memcpy(&process, copied->bytes.ptr, sizeof process);
    next_is(copied, COPY_MAPS);
    assert_int_equal(copied->bytes.ptr[copied->bytes.len - 1], '\n');
    return (struct proc_id){process.pid, process.start_ticks};
}

/* ---- threads that wait ---- */

struct waiting {
    pthread_t thread;
    pthread_barrier_t *all;
    bool deaf;
    pid_t tid;
    volatile uint64_t *mark; /* on its stack */
};

static void *wait_at(void *user)
{
    struct waiting *waiting = user;
    volatile uint64_t mark = 0x1234567800000000u + (uint32_t)gettid();
    sigset_t all, none;

    sigfillset(&all);
    sigemptyset(&none);
    if (waiting->deaf)
        pthread_sigmask(SIG_SETMASK, &all, NULL);
    waiting->tid = gettid();
    waiting->mark = &mark;
    pthread_barrier_wait(waiting->all);
    pthread_barrier_wait(waiting->all);
    pthread_sigmask(SIG_SETMASK, &none, NULL); /* what is still pending would end us */
    return NULL;
}

#define WAITING 3

static void start_all(struct waiting list[WAITING], pthread_barrier_t *all)
{
    pthread_barrier_init(all, NULL, WAITING + 1);
    for (int i = 0; i < WAITING; i++) {
        list[i] = (struct waiting){.all = all, .deaf = i == WAITING - 1};
        assert_int_equal(pthread_create(&list[i].thread, NULL, wait_at, &list[i]), 0);
    }
    pthread_barrier_wait(all);
}

static void end_all(struct waiting list[WAITING], pthread_barrier_t *all)
{
    pthread_barrier_wait(all);
    for (int i = 0; i < WAITING; i++)
        pthread_join(list[i].thread, NULL);
    pthread_barrier_destroy(all);
}

static const struct halted *find(const struct halted *list, uint32_t count, pid_t tid)
{
    for (uint32_t i = 0; i < count; i++)
        if (list[i].tid == tid)
            return &list[i];
    fail_msg("thread %d was not asked", tid);
    return NULL;
}

static bool all_signals_are_free(void)
{
    struct sigaction action;
    bool are = true;

    for (int signal = SIGRTMIN; signal <= SIGRTMAX; signal++)
        are &= sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_DFL;
    return are;
}

static void test_threads_stand_still(void **state)
{
    struct waiting list[WAITING];
    const struct halted *halted;
    pthread_barrier_t all;
    uint32_t count;

    (void)state;
    start_all(list, &all);
    for (int time = 0; time < 2; time++) {
        assert_true(threads_halt(&halted, &count));
        assert_true(count >= WAITING);
        for (int i = 0; i < WAITING; i++) {
            const struct halted *one = find(halted, count, list[i].tid);
            uint64_t mark = (uint64_t)(uintptr_t)list[i].mark;

            if (list[i].deaf)
                assert_false(atomic_load(&one->answered));
            else if (!HANDLERS_WAIT) {
                assert_true(atomic_load(&one->answered));
                assert_true(one->registers.POINTER < mark && mark - one->registers.POINTER < 1 << 16);
            }
        }
        threads_go_on();
        assert_true(all_signals_are_free());
    }
    end_all(list, &all);
}

struct counting {
    atomic_ulong count;
    atomic_bool over;
};

static void *count_on(void *user)
{
    struct counting *counting = user;

    while (!atomic_load(&counting->over))
        atomic_fetch_add(&counting->count, 1);
    return NULL;
}

static void test_who_computes_stands_still(void **state)
{
    struct counting counting = {0};
    const struct halted *halted;
    pthread_t thread;
    uint32_t count;
    unsigned long before;

    (void)state;
    if (HANDLERS_WAIT)
        skip();
    assert_int_equal(pthread_create(&thread, NULL, count_on, &counting), 0);
    assert_true(threads_halt(&halted, &count));
    assert_int_equal(count, 1);
    if (atomic_load(&halted[0].answered)) {
        before = atomic_load(&counting.count);
        for (int i = 0; i < 1000; i++)
            sched_yield();
        assert_int_equal(atomic_load(&counting.count), before);
    }
    threads_go_on();
    before = atomic_load(&counting.count);
    while (atomic_load(&counting.count) == before)
        sched_yield();
    atomic_store(&counting.over, true);
    pthread_join(thread, NULL);
}

/* ---- what is written ---- */

static void test_a_copy_of_a_thread(void **state)
{
    struct waiting list[WAITING];
    const struct halted *halted, *one;
    struct copied copied;
    pthread_barrier_t all;
    uint64_t from, mark, there;
    uint32_t count;
    int fd = new_file();

    (void)state;
    start_all(list, &all);
    assert_true(threads_halt(&halted, &count));
    one = find(halted, count, list[0].tid);
    if (!HANDLERS_WAIT) {
        assert_true(copy_begin(fd));
        assert_true(copy_thread(fd, one->tid, &one->registers, NULL));
        assert_true(copy_why_not(fd, list[2].tid, "it is deaf"));
    }
    threads_go_on();
    if (!HANDLERS_WAIT) {
        begin(&copied, fd);
        assert_true(proc_id_equals(process_of(&copied), proc_identify(getpid())));
        assert_int_equal(next_thread(&copied), list[0].tid);
        from = next_memory(&copied);
        mark = (uint64_t)(uintptr_t)list[0].mark;
        assert_true(from <= one->registers.POINTER && mark - from + sizeof mark <= copied.bytes.len);
        memcpy(&there, copied.bytes.ptr + (mark - from), sizeof there);
        assert_int_equal(there, 0x1234567800000000u + (uint32_t)list[0].tid);
        assert_int_equal(next_thread(&copied), list[2].tid);
        next_is(&copied, COPY_WHY_NOT);
        assert_true(str_is(copied.bytes, "it is deaf"));
        assert_false(next_record(&copied));
        buf_release(&copied.all);
    }
    end_all(list, &all);
    close(fd);
}

#define ROOM ((size_t)2 << 20)

/* Who has overflowed its stack points to where there is none; and what is very deep has no end that is worth it. */
static void test_a_stack_that_was_overflowed(void **state)
{
    char *room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct user_regs_struct registers = {0};
    struct copied copied;
    int fd = new_file();

    (void)state;
    assert_ptr_not_equal(room, MAP_FAILED);
    assert_int_equal(mprotect(room, page, PROT_NONE), 0);
    registers.POINTER = (uint64_t)(uintptr_t)room + page - 16;
    assert_true(copy_begin(fd));
    assert_true(copy_thread(fd, gettid(), &registers, room));
    assert_true(copy_thread(fd, gettid(), &registers, room + 3 * page));
    begin(&copied, fd);
    process_of(&copied);
    assert_int_equal(next_thread(&copied), gettid());
    assert_int_equal(next_memory(&copied), (uint64_t)(uintptr_t)room + page);
    assert_int_equal(copied.bytes.len, 512 << 10);
    next_thread(&copied);
    assert_int_equal(next_memory(&copied), (uint64_t)(uintptr_t)room + page);
    assert_int_equal(copied.bytes.len, 2 * page);
    assert_false(next_record(&copied));
    buf_release(&copied.all);
    munmap(room, ROOM);
    close(fd);
}

static void test_a_pointer_to_nowhere(void **state)
{
    struct user_regs_struct registers = {0};
    struct copied copied;
    int fd = new_file();

    (void)state;
    registers.POINTER = UINT64_MAX - 4096;
    assert_true(copy_begin(fd));
    assert_true(copy_thread(fd, gettid(), &registers, NULL));
    begin(&copied, fd);
    process_of(&copied);
    next_thread(&copied);
    assert_false(next_record(&copied));
    buf_release(&copied.all);
    close(fd);
}

static void test_where_nothing_can_be_written(void **state)
{
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

    (void)state;
    assert_false(copy_begin(fd));
    assert_int_equal(errno, ENOSPC);
    assert_false(copy_why_not(fd, 1, "words"));
    close(fd);
    assert_false(copy_begin(-1));
}

/* ---- who crashes ---- */

static void handle(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    _exit(stack_of_crash(stage.folder, context, NULL) ? 0 : 1);
}

static int status_of_crash(void)
{
    const struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
    int status;
    pid_t child = fork();

    if (child == 0) {
        sigaction(SIGSEGV, &action, NULL);
        raise(SIGSEGV);
        _exit(2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status) == 0 ? child : -WEXITSTATUS(status);
}

static int open_in_copies(const char *word, pid_t pid, int flags)
{
    char path[200];

    snprintf(path, sizeof path, "%s/" COPIES_FOLDER "/%s-%d", stage.folder, word, pid);
    return open(path, flags | O_CLOEXEC);
}

static void remove_copies(void)
{
    char path[200];

    snprintf(path, sizeof path, "%s/" COPIES_FOLDER, stage.folder);
    assert_int_equal(dir_remove(AT_FDCWD, path), 0);
}

static void test_a_crash(void **state)
{
    pid_t child = status_of_crash();
    struct copied copied;
    int fd;

    (void)state;
    assert_true(child > 0);
    fd = open_in_copies(COPIES_CRASH, child, O_RDONLY);
    assert_true(fd >= 0);
    begin(&copied, fd);
    assert_int_equal(process_of(&copied).pid, child);
    assert_int_equal(next_thread(&copied), child);
    next_memory(&copied);
    assert_false(next_record(&copied));
    buf_release(&copied.all);
    close(fd);
    remove_copies();
}

/* What stands in its place is somebody else's, and is not written to. */
static void test_a_crash_without_a_place(void **state)
{
    char path[200];
    int fd;

    (void)state;
    snprintf(path, sizeof path, "%s/" COPIES_FOLDER, stage.folder);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(status_of_crash(), -1);
    close(fd);
    remove_copies();
}

/* ---- who is asked ---- */

/* Waits for ever, with no descriptor but those that it was not told of. */
static _Noreturn void hang(int ready)
{
    stacks_when_asked(stage.folder);
    if (write(ready, "", 1) != 1)
        _exit(1);
    syscall(SYS_close_range, 0U, ~0U, 0);
    for (;;)
        pause();
}

static int await_answer(pid_t child)
{
    const struct timespec pause = {.tv_nsec = NS_PER_MS};
    int fd;

    while ((fd = open_in_copies(COPIES_THREADS, child, O_RDONLY)) < 0) {
        assert_int_equal(errno, ENOENT);
        assert_int_equal(kill(child, 0), 0);
        nanosleep(&pause, NULL);
    }
    return fd;
}

static void ask(pid_t child)
{
    struct copied copied;
    int fd = open_in_copies(COPIES_ASK, child, O_WRONLY | O_NONBLOCK);
    char path[200];

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "?", 1), 1);
    close(fd);
    fd = await_answer(child);
    begin(&copied, fd);
    assert_true(proc_id_equals(process_of(&copied), proc_identify(child)));
    assert_int_equal(next_thread(&copied), child);
    next_memory(&copied);
    assert_false(next_record(&copied));
    buf_release(&copied.all);
    close(fd);
    snprintf(path, sizeof path, "%s/" COPIES_FOLDER "/" COPIES_THREADS "-%d", stage.folder, child);
    assert_int_equal(unlink(path), 0);
}

static void test_who_is_asked_answers(void **state)
{
    int ready[2];
    char byte;
    pid_t child;

    (void)state;
    if (HANDLERS_WAIT)
        skip();
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    child = fork();
    if (child == 0)
        hang(ready[1]);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    while (read(ready[0], &byte, 1) > 0)
        ; /* it has closed all that it knows */
    close(ready[0]);
    ask(child);
    ask(child);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    remove_copies();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(test_threads_stand_still),
        STAGED(test_who_computes_stands_still),
        STAGED(test_a_copy_of_a_thread),
        STAGED(test_a_stack_that_was_overflowed),
        STAGED(test_a_pointer_to_nowhere),
        STAGED(test_where_nothing_can_be_written),
        STAGED(test_a_crash),
        STAGED(test_a_crash_without_a_place),
        STAGED(test_who_is_asked_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
