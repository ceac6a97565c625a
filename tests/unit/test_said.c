/* What a C test says: read whole, and while it is written; whatever stands in its place, nobody is kept waiting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runner/base/dir.h"
#include "runner/base/mem.h"
#include "runner/said/said.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- lines ---- */

#define FAILURE "{\"said\":\"failure\",\"file\":\"x.c\",\"line\":3,\"words\":\"w\",\"pid\":12}\n"

static const struct {
    const char *text;
    unsigned failures, errors, kept;
    const char *skip;
} texts[] = {
    {"", 0, 0, 0, ""},
    {FAILURE, 1, 0, 1, ""},
    {FAILURE FAILURE, 2, 0, 2, ""},
    /* half a line is being written */
    {FAILURE "{\"said\":\"failure\"", 1, 0, 1, ""},
    {FAILURE "{\"said\":\"failure\"}", 1, 0, 1, ""},
    {"{\"said\":\"failure\"}\n", 1, 0, 1, ""},
    {"{\"said\":\"error\",\"words\":\"w\"}\n" FAILURE, 1, 1, 2, ""},
    {"{\"said\":\"note\",\"words\":\"w\"}\n", 0, 0, 1, ""},
    {"{\"said\":\"skip\",\"words\":\"one\"}\n{\"said\":\"skip\",\"words\":\"two\"}\n", 0, 0, 0, "two"},
    /* what is none of ours */
    {"\n\n" FAILURE "rubbish\n[]\n{}\n\"failure\"\n", 1, 0, 1, ""},
    {"{\"said\":\"laugh\",\"words\":\"w\"}\n{\"words\":\"w\"}\n{\"said\":1}\n", 0, 0, 0, ""},
    {"{\"said\":\"failure\",\"words\":[1]}\n{\"said\":\"failure\",\"more\":{}}\n", 0, 0, 0, ""},
    {"{\"said\":\"failure\"} x\n{\"said\":\"failure\",}\n", 0, 0, 0, ""},
    {"{\"said\":\"failure\",\"words\":\"\xff\"}\n" FAILURE, 1, 0, 1, ""},
    {"{\"said\":\"failure\",\"line\":1e300,\"pid\":-1,\"more\":\"keys\"}\n", 1, 0, 1, ""},
};

static void lines_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct arena arena = {0};
        struct said said;

        said_parse(str_of(texts[i].text), &arena, &said);
        if (said.failures != texts[i].failures || said.errors != texts[i].errors ||
            said.kept_count != texts[i].kept || !str_is(said.skip, texts[i].skip))
            fail_msg("%zu: %llu failures, %llu errors, %u kept, skip '%.*s'", i,
                     (unsigned long long)said.failures, (unsigned long long)said.errors, said.kept_count,
                     STR_ARG(said.skip));
        arena_release(&arena);
    }
}

#define SKIP        "{\"said\":\"skip\",\"words\":\"one\"}\n"
#define UNSUPPORTED "{\"said\":\"unsupported\",\"words\":\"two\"}\n"

static void the_last_of_both_kinds_of_skip_counts(void **state)
{
    struct arena arena = {0};
    struct said said;

    (void)state;
    said_parse(str_of(SKIP UNSUPPORTED), &arena, &said);
    assert_true(said.unsupported && str_is(said.skip, "two"));
    said_parse(str_of(UNSUPPORTED SKIP), &arena, &said);
    assert_true(!said.unsupported && str_is(said.skip, "one"));
    arena_release(&arena);
}

static void all_of_a_line_is_kept(void **state)
{
    struct arena arena = {0};
    struct said said;

    (void)state;
    said_parse(str_of("{\"said\":\"note\"}\n" FAILURE), &arena, &said);
    assert_true(str_is(said.failure.file, "x.c") && str_is(said.failure.words, "w"));
    assert_true(said.failure.line == 3 && said.failure.pid == 12);
    assert_int_equal(said.kept[0].kind, SAID_NOTE);
    assert_int_equal(said.kept[1].kind, SAID_FAILURE);
    said_parse(str_of(texts[ARRAY_LEN(texts) - 1].text), &arena, &said);
    assert_true(said.failure.line == 0 && said.failure.pid == 0);
    arena_release(&arena);
}

static void past_what_is_kept_it_is_counted(void **state)
{
    struct buf text = {0};
    struct arena arena = {0};
    struct said said;

    (void)state;
    for (int i = 0; i < SAID_KEPT_MOST + 5; i++)
        buf_adds(&text, FAILURE);
    said_parse(buf_str(&text), &arena, &said);
    assert_int_equal(said.failures, SAID_KEPT_MOST + 5);
    assert_int_equal(said.kept_count, SAID_KEPT_MOST);
    assert_int_equal(said.more, 5);
    arena_release(&arena);
    buf_release(&text);
}

static void long_lines_are_none(void **state)
{
    struct buf text = {0};
    struct arena arena = {0};
    struct said said;

    (void)state;
    buf_adds(&text, "{\"said\":\"failure\",\"words\":\"");
    for (size_t i = 0; i < SAID_LINE_MOST; i++)
        buf_addc(&text, 'x');
    buf_adds(&text, "\"}\n" FAILURE);
    said_parse(buf_str(&text), &arena, &said);
    assert_int_equal(said.failures, 1);
    assert_true(str_is(said.failure.words, "w"));
    arena_release(&arena);
    buf_release(&text);
}

static void phases_begin_once(void **state)
{
    struct arena arena = {0};
    struct said said;

    (void)state;
    said_parse(str_of("{\"said\":\"phase\",\"phase\":\"setup\",\"of\":\"a\",\"at\":10}\n"
                      "{\"said\":\"phase\",\"phase\":\"setup\",\"of\":\"b\",\"at\":20}\n"
                      "{\"said\":\"phase\",\"phase\":\"call\",\"of\":\"\",\"at\":30}\n"
                      "{\"said\":\"phase\",\"phase\":\"dance\",\"at\":40}\n"),
               &arena, &said);
    assert_true(said.began[SAID_SETUP] == 10 && said.began[SAID_CALL] == 30 && !said.began[SAID_TEARDOWN]);
    arena_release(&arena);
}

/* ---- the file ---- */

struct place {
    char path[64];
    int fd;
};

static int open_place(void **state)
{
    static struct place place;

    snprintf(place.path, sizeof place.path, "/tmp/rm-said-XXXXXX");
    if (!mkdtemp(place.path))
        return -1;
    place.fd = dir_open(AT_FDCWD, place.path);
    *state = &place;
    return place.fd < 0 ? -1 : 0;
}

static int close_place(void **state)
{
    struct place *place = *state;

    close(place->fd);
    return dir_remove(AT_FDCWD, place->path);
}

static void put(const struct place *place, const char *text, size_t len)
{
    int fd = openat(place->fd, SAID_NAME, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    close(fd);
}

static bool is_read(const struct place *place)
{
    struct arena arena = {0};
    struct said said;
    bool there = said_read(place->fd, &arena, &said);

    arena_release(&arena);
    return there;
}

static void count_part(void *user, const struct said_part *part)
{
    (void)part;
    ++*(unsigned *)user;
}

static unsigned follow(const struct place *place, struct said_cursor *cursor)
{
    unsigned count = 0;

    said_follow(place->fd, cursor, count_part, &count);
    return count;
}

static void nothing_is_there(void **state)
{
    struct said_cursor cursor = {0};

    assert_false(is_read(*state));
    assert_int_equal(follow(*state, &cursor), 0);
}

/* Each of them would keep whoever opened it without care. */
static void what_is_no_file_is_not_opened(void **state)
{
    const struct place *place = *state;
    struct said_cursor cursor = {0};

    alarm(60);
    assert_int_equal(mkfifoat(place->fd, SAID_NAME, 0600), 0);
    assert_false(is_read(place));
    assert_int_equal(follow(place, &cursor), 0);
    said_forget(place->fd);
    assert_int_equal(mkdirat(place->fd, SAID_NAME, 0700), 0);
    assert_false(is_read(place));
    assert_int_equal(dir_remove(place->fd, SAID_NAME), 0);
    assert_int_equal(symlinkat("/dev/zero", place->fd, SAID_NAME), 0);
    assert_false(is_read(place));
    assert_int_equal(follow(place, &cursor), 0);
    alarm(0);
}

/* Who opens a file that somebody has a lease on waits for him, 45 s if he does not let go. */
static void a_lease_keeps_nobody(void **state)
{
    const struct place *place = *state;
    int fd;

    put(place, FAILURE, sizeof FAILURE - 1);
    fd = openat(place->fd, SAID_NAME, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    signal(SIGIO, SIG_IGN);
    if (fcntl(fd, F_SETLEASE, F_WRLCK) < 0) {
        close(fd);
        skip();
    }
    alarm(20);
    assert_false(is_read(place));
    alarm(0);
    close(fd);
    assert_true(is_read(place));
}

static int make_large(const struct place *place)
{
    int fd = openat(place->fd, SAID_NAME, O_WRONLY | O_CLOEXEC), answer = ftruncate(fd, (off_t)8 << 30);

    close(fd);
    return answer;
}

static void what_is_large_is_read_in_part(void **state)
{
    const struct place *place = *state;
    struct said_cursor cursor = {0};
    struct arena arena = {0};
    struct said said;

    put(place, FAILURE, sizeof FAILURE - 1);
    assert_int_equal(make_large(place), 0);
    alarm(60);
    assert_true(said_read(place->fd, &arena, &said));
    assert_int_equal(said.failures, 1);
    assert_int_equal(follow(place, &cursor), 0);
    assert_true(cursor.at > (int64_t)8 << 30 >> 1);
    alarm(0);
    arena_release(&arena);
}

#define PHASE "{\"said\":\"phase\",\"phase\":\"call\",\"of\":\"\",\"at\":30}\n"

static void it_is_followed(void **state)
{
    const struct place *place = *state;
    struct said_cursor cursor = {0};
    struct buf flood = {0};

    put(place, PHASE FAILURE, sizeof PHASE FAILURE - 1);
    assert_int_equal(follow(place, &cursor), 1);
    assert_int_equal(follow(place, &cursor), 0);
    put(place, PHASE PHASE, sizeof PHASE + 10); /* the second is half a line */
    assert_int_equal(follow(place, &cursor), 1);
    put(place, &(PHASE PHASE)[sizeof PHASE + 10], sizeof PHASE - 12);
    assert_int_equal(follow(place, &cursor), 1);
    /* made shorter: from its beginning */
    said_forget(place->fd);
    put(place, PHASE, sizeof PHASE - 1);
    assert_int_equal(follow(place, &cursor), 1);
    /* too much at once: what it is at now is at the end */
    for (int i = 0; i < 2000; i++)
        buf_adds(&flood, FAILURE);
    buf_adds(&flood, PHASE);
    put(place, flood.ptr, flood.len);
    assert_int_equal(follow(place, &cursor), 1);
    buf_release(&flood);
}

static void keep_part(void *user, const struct said_part *part)
{
    *(struct said_part *)user = *part;
}

static struct said_part part_of(const struct place *place, const char *line)
{
    struct said_cursor cursor = {0};
    struct said_part part = {0};

    said_forget(place->fd);
    put(place, line, strlen(line));
    said_follow(place->fd, &cursor, keep_part, &part);
    return part;
}

static void parts_are_told(void **state)
{
    struct said_part part;
    struct buf name = {0};

    part = part_of(
        *state, "{\"said\":\"phase\",\"phase\":\"setup\",\"of\":\"reg\",\"at\":30,\"timeout\":\"1m30s\"}\n");
    assert_true(part.phase == SAID_SETUP && part.at == 30 && part.timeout == 90 * NS_PER_S);
    assert_string_equal(part.of, "reg");
    part = part_of(*state, "{\"said\":\"phase\",\"phase\":\"teardown\",\"timeout\":\"3 parsecs\"}\n");
    assert_true(part.phase == SAID_TEARDOWN && part.at == 0 && part.timeout == -1);
    buf_adds(&name, "{\"said\":\"phase\",\"phase\":\"setup\",\"of\":\"");
    for (int i = 0; i < 1000; i++)
        buf_addc(&name, 'x');
    buf_adds(&name, "\"}\n");
    part = part_of(*state, buf_text(&name));
    assert_int_equal(strlen(part.of), SAID_OF_MOST - 1);
    buf_release(&name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read),
        cmocka_unit_test(the_last_of_both_kinds_of_skip_counts),
        cmocka_unit_test(all_of_a_line_is_kept),
        cmocka_unit_test(past_what_is_kept_it_is_counted),
        cmocka_unit_test(long_lines_are_none),
        cmocka_unit_test(phases_begin_once),
        cmocka_unit_test_setup_teardown(nothing_is_there, open_place, close_place),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_not_opened, open_place, close_place),
        cmocka_unit_test_setup_teardown(a_lease_keeps_nobody, open_place, close_place),
        cmocka_unit_test_setup_teardown(what_is_large_is_read_in_part, open_place, close_place),
        cmocka_unit_test_setup_teardown(it_is_followed, open_place, close_place),
        cmocka_unit_test_setup_teardown(parts_are_told, open_place, close_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
