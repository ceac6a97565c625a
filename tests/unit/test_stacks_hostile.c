/*
 * Programs whose debugging information is nonsense, and copies that are: the one that unwinds may die of it, and nobody else. What
 * is changed where follows from a number, so that a failure comes again. STACKS_HOSTILE says how many of each, STACKS_SEED from
 * which number on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/stacks/copied.h"
#include "runner/stacks/tracing.h"
#include "tests/unit/stacks_stage.h"

#define COUNT   40
#define PATCHES 24

struct stage {
    struct arena arena;
    char folder[32], program[64];
    struct buf image; /* the program as it was built */
    struct buf copy;  /* of it as a process */
    uint64_t random;
};

static uint64_t random_below(struct stage *stage, uint64_t most)
{
    stage->random ^= stage->random << 13;
    stage->random ^= stage->random >> 7;
    stage->random ^= stage->random << 17;
    return most ? stage->random % most : 0;
}

static unsigned long number_of(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name);

    return text ? strtoul(text, NULL, 10) : otherwise;
}

/* ---- a program, and a copy of it ---- */

static pid_t start(const struct stage *stage)
{
    struct pollfd ready = {.events = POLLIN};
    int ends[2];
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = must_fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execl(stage->program, "hangs", (char *)NULL);
        _exit(1);
    }
    close(ends[1]);
    ready.fd = ends[0];
    assert_int_equal(poll(&ready, 1, (int)(PATIENCE / NS_PER_MS)), 1);
    close(ends[0]);
    await_sleep(pid);
    return pid;
}

static void copy_process_of(struct stage *stage)
{
    pid_t pid = start(stage);
    struct proc_id id = proc_identify(pid);
    const char *problem = NULL;
    struct tracing *tracing = trace_all(&id, 1, clock_now() + PATIENCE, &problem);

    assert_non_null(tracing);
    lseek(tracing->copy, 0, SEEK_SET);
    assert_int_equal(fd_read_all(tracing->copy, &stage->copy, COPY_FILE_MOST), 0);
    release_tracing(tracing);
    end_child(pid);
}

static int setup(void **state)
{
    struct stage *stage = test_calloc(1, sizeof *stage);

    *state = stage;
    strcpy(stage->folder, "/tmp/stacks-XXXXXX");
    assert_non_null(mkdtemp(stage->folder));
    snprintf(stage->program, sizeof stage->program, "%s/hangs", stage->folder);
    assert_int_equal(system(arena_printf(&stage->arena, "gcc -g -O2 -static -o %s tests/data/stacks/hangs.c",
                                         stage->program)),
                     0);
    assert_int_equal(file_read(stage->program, &stage->image, (size_t)64 << 20), 0);
    copy_process_of(stage);
    return 0;
}

static int teardown(void **state)
{
    struct stage *stage = *state;
    int status = system(arena_printf(&stage->arena, "rm -rf %s", stage->folder));

    buf_release(&stage->image);
    buf_release(&stage->copy);
    arena_release(&stage->arena);
    test_free(stage);
    return status;
}

/* ---- what comes of it ---- */

/* Something is said of every thread: frames, or why there are none. How many had frames. */
static uint32_t look(struct stage *stage, struct str copy)
{
    struct arena arena = {0};
    struct stacks_wants wants = wants_of(&arena);
    struct stacks stacks;
    int fd = memfd_create("copy", MFD_CLOEXEC);
    uint32_t unwound = 0;

    (void)stage;
    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, copy.ptr, copy.len), 0);
    stacks_of_copy(&stacks, &arena, fd, &wants);
    for (uint32_t i = 0; i < stacks.process_count; i++)
        for (uint32_t j = 0; j < stacks.processes[i].thread_count; j++) {
            const struct stack_thread *thread = &stacks.processes[i].threads[j];

            assert_true(thread->why_not ? thread->frame_count == 0 : thread->frame_count > 0);
            unwound += thread->frame_count > 0;
        }
    close(fd);
    arena_release(&arena);
    return unwound;
}

static void patch(struct stage *stage, char *bytes, uint64_t from, uint64_t size)
{
    uint64_t count = 1 + random_below(stage, PATCHES);

    for (uint64_t i = 0; i < count && size; i++)
        bytes[from + random_below(stage, size)] =
            (char)(random_below(stage, 3) ? random_below(stage, 256) : random_below(stage, 2) * 255);
}

/* In place: the kernel's number of the file is what it is known by. */
static void write_program(const struct stage *stage, const char *bytes)
{
    int fd = open(stage->program, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, bytes, stage->image.len), 0);
    close(fd);
}

/* One that is of some interest: headers, or a section that is read. */
static void choose_part(struct stage *stage, uint64_t *from, uint64_t *size)
{
    const Elf64_Ehdr *head = (const void *)stage->image.ptr;
    const Elf64_Shdr *sections = (const void *)(stage->image.ptr + head->e_shoff);
    const char *names = stage->image.ptr + sections[head->e_shstrndx].sh_offset;

    *from = 0;
    *size = sizeof *head + head->e_phnum * sizeof(Elf64_Phdr);
    for (int i = 0; i < 100 && random_below(stage, 8); i++) {
        const Elf64_Shdr *section = &sections[random_below(stage, head->e_shnum)];
        const char *name = names + section->sh_name;

        if (strncmp(name, ".debug", 6) != 0 && strncmp(name, ".eh_frame", 9) != 0 &&
            strcmp(name, ".symtab") != 0)
            continue;
        *from = section->sh_offset;
        *size = section->sh_size;
        return;
    }
    if (random_below(stage, 2)) {
        *from = head->e_shoff;
        *size = head->e_shnum * sizeof(Elf64_Shdr);
    }
}

static void test_programs(void **state)
{
    struct stage *stage = *state;
    unsigned long count = number_of("STACKS_HOSTILE", COUNT), seed = number_of("STACKS_SEED", 1);
    char *bytes = mem_alloc(stage->image.len);

    assert_int_equal(look(stage, buf_str(&stage->copy)), 1);
    for (unsigned long i = 0; i < count; i++) {
        uint64_t from, size;

        stage->random = (seed + i) * UINT64_C(0x9E3779B97F4A7C15);
        memcpy(bytes, stage->image.ptr, stage->image.len);
        choose_part(stage, &from, &size);
        patch(stage, bytes, from, size);
        write_program(stage, bytes);
        look(stage, buf_str(&stage->copy));
    }
    write_program(stage, stage->image.ptr);
    assert_int_equal(look(stage, buf_str(&stage->copy)), 1);
    free(bytes);
}

static void test_copies(void **state)
{
    struct stage *stage = *state;
    unsigned long count = number_of("STACKS_HOSTILE", COUNT), seed = number_of("STACKS_SEED", 1);
    char *bytes = mem_alloc(stage->copy.len);

    for (unsigned long i = 0; i < count; i++) {
        size_t len = stage->copy.len;

        stage->random = (seed + i) * UINT64_C(0x9E3779B97F4A7C15);
        memcpy(bytes, stage->copy.ptr, len);
        patch(stage, bytes, sizeof COPY_MAGIC, len - sizeof COPY_MAGIC);
        if (!random_below(stage, 4))
            len = random_below(stage, len);
        look(stage, (struct str){bytes, len});
    }
    free(bytes);
}

/* ---- what is too much ---- */

static void test_long_copy(void **state)
{
    struct stage *stage = *state;
    const struct copy_record strange = {99, UINT32_MAX};
    struct arena arena = {0};
    struct stacks_wants wants = wants_of(&arena);
    struct stacks stacks;
    int fd = memfd_create("copy", MFD_CLOEXEC);

    assert_int_equal(fd_write_all(fd, stage->copy.ptr, stage->copy.len), 0);
    assert_int_equal(fd_write_all(fd, &strange, sizeof strange), 0);
    assert_int_equal(ftruncate(fd, (off_t)COPY_FILE_MOST + (1 << 20)), 0);
    stacks_of_copy(&stacks, &arena, fd, &wants);
    assert_null(stacks.why_not);
    assert_int_equal(stacks.process_count, 1);
    assert_true(stacks.processes[0].threads[0].frame_count > 0);
    close(fd);
    arena_release(&arena);
}

/* Nobody who has gone is worked for: it ends at the first thread, and does not say that all was said. */
static void test_nobody_listens(void **state)
{
    struct stage *stage = *state;
    int copy = memfd_create("copy", MFD_CLOEXEC), ends[2], status;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fd_write_all(copy, stage->copy.ptr, stage->copy.len), 0);
    pid = must_fork();
    if (pid == 0) {
        limit_life(60);
        signal(SIGPIPE, SIG_IGN);
        dup2(copy, STDIN_FILENO);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl(unwinder_path(&stage->arena), "run-matrix-stacks", "copy", (char *)NULL);
        _exit(9);
    }
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    close(copy);
}

#define MAPPINGS 4000

/* No two neighbours are alike, so the kernel does not make one of them. */
static _Noreturn void have_many_mappings(int ready)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *memory = mmap(NULL, MAPPINGS * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    limit_life(60);
    for (size_t i = 0; i < MAPPINGS; i += 2)
        mprotect(memory + i * page, page, PROT_NONE);
    if (write(ready, "", 1) == 1)
        poll(NULL, 0, -1);
    _exit(1);
}

static pid_t start_with_many_mappings(void)
{
    int ready[2];
    pid_t pid;
    char byte;

    assert_int_equal(pipe(ready), 0);
    pid = must_fork();
    if (pid == 0)
        have_many_mappings(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void read_copy(struct tracing *tracing, struct arena *arena, struct buf *bytes, struct copied *copied)
{
    lseek(tracing->copy, 0, SEEK_SET);
    assert_int_equal(fd_read_all(tracing->copy, bytes, COPY_FILE_MOST), 0);
    assert_true(copied_read(copied, arena, buf_str(bytes)));
    assert_int_equal(copied->process_count, 1);
    assert_int_equal(copied->thread_count, 1);
}

/* Only what frames may be in is kept of maps. */
static void test_many_mappings(void **state)
{
    pid_t pid = start_with_many_mappings();
    struct proc_id id = proc_identify(pid);
    struct arena arena = {0};
    struct buf bytes = {0};
    const char *problem = NULL;
    struct tracing *tracing = trace_all(&id, 1, clock_now() + PATIENCE, &problem);
    struct copied copied;
    size_t at;

    (void)state;
    assert_non_null(tracing);
    read_copy(tracing, &arena, &bytes, &copied);
    assert_null(copied.threads[0].why_not);
    assert_true(str_find(copied.processes[0].maps, "/libc", &at));
    assert_true(str_find(copied.processes[0].maps, "[stack]", &at));
    assert_true(copied.processes[0].maps.len < MAPPINGS * 10);
    release_tracing(tracing);
    end_child(pid);
    buf_release(&bytes);
    arena_release(&arena);
}

/* When it has taken too long whoever stands goes on, and it is said of him why there is nothing. */
static void test_no_time(void **state)
{
    pid_t pid = start_with_many_mappings();
    struct tracing *tracing = mem_zero(1, sizeof *tracing);
    struct arena arena = {0};
    struct buf bytes = {0};
    struct copied copied;
    pthread_t thread;

    (void)state;
    await_sleep(pid);
    atomic_init(&tracing->users, 2);
    tracing->list = mem_zero(1, sizeof *tracing->list);
    tracing->list[0] = (struct traced){.id = proc_identify(pid), .folder = -1};
    tracing->count = 1;
    tracing->stop_by = clock_now() + PATIENCE;
    tracing->copy_by = clock_now();
    tracing->copy = memfd_create("copy", MFD_CLOEXEC);
    tracing->over = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_int_equal(fd_write_all(tracing->copy, COPY_MAGIC, sizeof COPY_MAGIC), 0);
    assert_int_equal(pthread_create(&thread, NULL, trace, tracing), 0);
    pthread_join(thread, NULL);
    read_copy(tracing, &arena, &bytes, &copied);
    assert_int_equal(copied.processes[0].maps.len, 0);
    assert_int_equal(copied.memory_count, 0);
    assert_non_null(copied.threads[0].why_not);
    assert_non_null(strstr(copied.threads[0].why_not, "there was no time"));
    await_sleep(pid);
    assert_true(sleeps(pid));
    release_tracing(tracing);
    end_child(pid);
    buf_release(&bytes);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_programs),      cmocka_unit_test(test_copies),
        cmocka_unit_test(test_long_copy),     cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_many_mappings), cmocka_unit_test(test_no_time),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
