/* Stacks that processes tell of themselves: how they are asked, what a stranger may have put there, and the words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/inside/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- words ---- */

static const char *words_of(const struct stack_thread *thread, const char *below, struct arena *arena)
{
    struct buf out = {0};
    const char *words;

    inside_words(&out, thread, below);
    words = arena_cstr(arena, buf_str(&out));
    buf_release(&out);
    return words;
}

static void test_words(void **state)
{
    static const struct stack_frame frames[] = {
        {.pc = 16},
        {.function = "raise", .module = "/lib/libc.so.6", .offset = 0x30},
        {.module = "/opt/stripped", .offset = 0xab},
        {.function = "reach", .file = "/home/me/suite/t.c", .line = 7, .inlined = true},
        {.function = "reached", .file = "/home/me/suites/t.c", .line = 8, .interrupted = true},
        {.function = "mx_body_test_it", .file = "/home/me/suite/t.c", .line = 9},
        {.function = "mx_call_test_it", .file = "/home/me/suite/t.c", .line = 9},
        {.function = "run_body", .file = "fixtures/run.c", .line = 25},
    };
    const struct stack_thread thread = {.frames = frames, .frame_count = 8};
    struct arena arena = {0};

    (void)state;
    assert_string_equal(words_of(&thread, "/home/me/suite", &arena),
                        "\n  0x10"
                        "\n  raise in /lib/libc.so.6+0x30"
                        "\n  /opt/stripped+0xab"
                        "\n  reach at t.c:7 (inlined)"
                        "\n  reached at /home/me/suites/t.c:8 (a signal came here)"
                        "\n  test_it at t.c:9");
    assert_non_null(strstr(words_of(&thread, NULL, &arena), "\n  reach at /home/me/suite/t.c:7"));
    assert_non_null(strstr(words_of(&thread, "/home/me/suite//", &arena), "\n  reach at t.c:7"));
    assert_non_null(strstr(words_of(&thread, "/", &arena), "\n  reach at /home/me/suite/t.c:7"));
    arena_release(&arena);
}

static void test_words_of_little(void **state)
{
    static const struct stack_frame frames[] = {
        {.function = "mx_call_test_it", .file = "t.c", .line = 9},
        {.function = "run_body", .file = "fixtures/run.c", .line = 25},
    };
    const struct stack_thread alone = {.frames = frames, .frame_count = 2}, none = {0};
    const struct stack_thread cut = {.frames = frames + 1, .frame_count = 1, .cut = "no information"};
    struct arena arena = {0};

    (void)state;
    assert_string_equal(words_of(&alone, NULL, &arena), "\n  test_it at t.c:9");
    assert_string_equal(words_of(&none, NULL, &arena), "");
    assert_string_equal(words_of(&cut, NULL, &arena),
                        "\n  run_body at fixtures/run.c:25\n  and no further: no information");
    arena_release(&arena);
}

static void test_words_of_much(void **state)
{
    struct stack_frame frames[100];
    struct stack_thread thread = {.frames = frames, .frame_count = 100};
    struct arena arena = {0};
    const char *words;

    (void)state;
    for (size_t i = 0; i < 100; i++)
        frames[i] = (struct stack_frame){.function = "deep", .file = "t.c", .line = 3};
    words = words_of(&thread, NULL, &arena);
    assert_non_null(strstr(words, "\n  ... and at least 88 more"));
    frames[99].function = "mx_call_test_it";
    words = words_of(&thread, NULL, &arena);
    assert_non_null(strstr(words, "\n  ... and 87 more"));
    assert_null(strstr(words, "test_it"));
    arena_release(&arena);
}

/* ---- asking ---- */

struct place {
    char path[64];
    int fd, copies;
    struct arena arena;
};

static void open_place(struct place *place)
{
    *place = (struct place){.path = "/tmp/test_stacks_inside-XXXXXX"};
    assert_non_null(mkdtemp(place->path));
    place->fd = dir_open(AT_FDCWD, place->path);
    assert_int_equal(mkdirat(place->fd, INSIDE_NAME, 0700), 0);
    place->copies = dir_open(place->fd, INSIDE_NAME);
}

static void close_place(struct place *place)
{
    inside_forget(place->fd);
    assert_int_equal(dir_is_empty(place->fd), 1);
    close(place->copies);
    close(place->fd);
    rmdir(place->path);
    arena_release(&place->arena);
}

/* Nothing here is ever so fast that it would not be in time, nor so slow that anybody waited for it. */
static void ask(struct place *place, nanos within, struct stacks *stacks)
{
    const struct proc_id self = proc_identify(getpid());
    const struct stacks_wants wants = {.copy_by = clock_now() + within, .unwind_by = clock_now() + within};

    inside_ask(stacks, &place->arena, place->fd, &self, 1, &wants);
}

static void nobody_is_there(struct place *place)
{
    struct stacks stacks;

    ask(place, 60 * NS_PER_S, &stacks);
    assert_int_equal(stacks.process_count, 0);
    assert_non_null(strstr(stacks.why_not, "nobody of it is there who could be asked"));
}

static void put_file(struct place *place, const char *name, const char *text)
{
    int fd = openat(place->copies, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
    close(fd);
}

/* What nobody reads cannot be waited for. */
static void test_nobody_is_there(void **state)
{
    struct place place;

    (void)state;
    open_place(&place);
    nobody_is_there(&place);
    assert_int_equal(mkfifoat(place.copies, COPIES_ASK "-1", 0600), 0);
    put_file(&place, COPIES_ASK "-2", "");
    assert_int_equal(symlinkat("/dev/zero", place.copies, COPIES_ASK "-3"), 0);
    assert_int_equal(mkdirat(place.copies, COPIES_ASK "-4", 0700), 0);
    nobody_is_there(&place);
    inside_forget(place.fd);
    nobody_is_there(&place);
    close_place(&place);
}

static void test_the_folder_is_none(void **state)
{
    struct place place;
    int fd;

    (void)state;
    open_place(&place);
    inside_forget(place.fd);
    assert_int_equal(symlinkat("/", place.fd, INSIDE_NAME), 0);
    nobody_is_there(&place);
    assert_false(inside_has_crash(place.fd, 1));
    assert_int_equal(unlinkat(place.fd, INSIDE_NAME, 0), 0);
    fd = openat(place.fd, INSIDE_NAME, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    close(fd);
    nobody_is_there(&place);
    close_place(&place);
}

static void test_who_is_asked_and_says_nothing(void **state)
{
    struct place place;
    struct stacks stacks;
    int fd;
    char byte;

    (void)state;
    open_place(&place);
    assert_int_equal(mkfifoat(place.copies, COPIES_ASK "-7", 0600), 0);
    fd = openat(place.copies, COPIES_ASK "-7", O_RDWR | O_CLOEXEC);
    put_file(&place, COPIES_THREADS "-7", "of an earlier time");
    ask(&place, 20 * NS_PER_MS, &stacks);
    assert_int_equal(stacks.process_count, 0);
    assert_non_null(strstr(stacks.why_not, "it did not answer in time"));
    assert_int_equal(read(fd, &byte, 1), 1);
    assert_int_equal(faccessat(place.copies, COPIES_THREADS "-7", F_OK, 0), -1);
    close(fd);
    close_place(&place);
}

struct answering {
    struct place *place;
    int fd;
    const char *text;
};

static void *answer(void *user)
{
    struct answering *answering = user;
    char byte;

    if (read(answering->fd, &byte, 1) == 1) {
        put_file(answering->place, "part", answering->text);
        renameat(answering->place->copies, "part", answering->place->copies, COPIES_THREADS "-7");
    }
    return NULL;
}

/* It is not waited for longer than it takes, and nothing comes of it. */
static void test_an_answer_that_is_none(void **state)
{
    static const char *const texts[] = {"no copy at all", "RMSTK\n\1"};
    struct place place;
    struct stacks stacks;

    (void)state;
    open_place(&place);
    assert_int_equal(mkfifoat(place.copies, COPIES_ASK "-7", 0600), 0);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct answering answering = {&place, openat(place.copies, COPIES_ASK "-7", O_RDWR | O_CLOEXEC),
                                      texts[i]};
        pthread_t thread;

        assert_int_equal(pthread_create(&thread, NULL, answer, &answering), 0);
        ask(&place, 60 * NS_PER_S, &stacks);
        pthread_join(thread, NULL);
        assert_int_equal(stacks.process_count, 0);
        close(answering.fd);
    }
    close_place(&place);
}

/* ---- crashes ---- */

static void test_a_copy_that_is_none(void **state)
{
    const struct stacks_wants wants = {.copy_by = clock_now() + NS_PER_S,
                                       .unwind_by = clock_now() + NS_PER_S};
    struct place place;
    struct stacks stacks;

    (void)state;
    open_place(&place);
    assert_false(inside_has_crash(place.fd, 1));
    assert_false(inside_crash(&stacks, &place.arena, place.fd, 1, &wants));
    assert_null(stacks.why_not);
    put_file(&place, COPIES_CRASH "-1", "");
    assert_false(inside_has_crash(place.fd, 1));
    put_file(&place, COPIES_CRASH "-1", "no copy at all");
    assert_true(inside_has_crash(place.fd, 1));
    assert_false(inside_crash(&stacks, &place.arena, place.fd, 1, &wants));
    assert_non_null(stacks.why_not);
    assert_int_equal(mkfifoat(place.copies, COPIES_CRASH "-2", 0600), 0);
    assert_int_equal(symlinkat(COPIES_CRASH "-1", place.copies, COPIES_CRASH "-3"), 0);
    assert_false(inside_has_crash(place.fd, 2));
    assert_false(inside_has_crash(place.fd, 3));
    close_place(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_words_of_little),
        cmocka_unit_test(test_words_of_much),
        cmocka_unit_test(test_nobody_is_there),
        cmocka_unit_test(test_the_folder_is_none),
        cmocka_unit_test(test_who_is_asked_and_says_nothing),
        cmocka_unit_test(test_an_answer_that_is_none),
        cmocka_unit_test(test_a_copy_that_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
