/* The ground floor: slices, buffers, arenas, UTF-8, errors with a place, files, spans of time. */
#include "runner/base/arena.h"
#include "runner/base/buf.h"
#include "runner/base/clock.h"
#include "runner/base/decimal.h"
#include "runner/base/diag.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/base/str.h"
#include "runner/base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- str ---- */

static void test_str_compare(void **state)
{
    (void)state;
    assert_true(str_eq(str_of(NULL), str_of("")));
    assert_true(str_eq((struct str){NULL, 0}, str_of("")));
    assert_false(str_eq(str_of("a"), str_of("ab")));
    assert_true(str_eq((struct str)STR("a\0b"), (struct str)STR("a\0b")));
    assert_false(str_eq((struct str)STR("a\0b"), (struct str)STR("a\0c")));
    assert_true(str_is(str_of("abc"), "abc"));
    assert_true(str_eq_nocase(str_of("aZ-1"), str_of("Az-1")));
    assert_false(str_eq_nocase(str_of("\xC3\xA9"), str_of("\xC3\x89"))); /* letters of ASCII only */
    assert_true(str_cmp(str_of("a"), str_of("b")) < 0);
    assert_true(str_cmp(str_of("ab"), str_of("a")) > 0);
    assert_true(str_cmp(str_of("\xFF"), str_of("a")) > 0);
    assert_int_equal(str_cmp(str_of(""), (struct str){NULL, 0}), 0);
}

static void test_str_parts(void **state)
{
    size_t at = 9;

    (void)state;
    assert_true(str_is(str_slice(str_of("abcd"), 1, 3), "bc"));
    assert_true(str_is(str_trim(str_of(" \t\r\n a b \v\f")), "a b"));
    assert_true(str_is(str_trim(str_of("  ")), ""));
    assert_true(str_starts(str_of("abc"), "ab"));
    assert_false(str_starts(str_of("a"), "ab"));
    assert_true(str_starts(str_of(""), ""));
    assert_true(str_ends(str_of("abc"), "bc"));
    assert_false(str_ends(str_of("c"), "bc"));
    assert_true(str_find(str_of("abcabc"), "ca", &at));
    assert_int_equal(at, 2);
    assert_false(str_find(str_of("abc"), "x", &at));
    assert_false(str_find(str_of(""), "x", &at));
}

static void test_str_nearest(void **state)
{
    static const char *const words[] = {"timeout", "retries", "isolate", "env"};
    static const struct {
        const char *text, *nearest;
    } rows[] = {
        {"timeuot", "timeout"},
        {"Timeout", "timeout"},
        {"retrys", "retries"},
        {"isolat", "isolate"},
        {"evn", "env"},
        {"zzz", NULL},
        {"", NULL},
        {"completely else", NULL},
    };
    char longest[200];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *nearest = str_nearest(str_of(rows[i].text), words, ARRAY_LEN(words));

        if (rows[i].nearest)
            assert_string_equal(nearest, rows[i].nearest);
        else
            assert_null(nearest);
    }
    memset(longest, 't', sizeof longest);
    assert_null(str_nearest((struct str){longest, sizeof longest}, words, ARRAY_LEN(words)));
}

/* ---- buf ---- */

static void test_buf(void **state)
{
    struct buf buf = {0};

    (void)state;
    assert_string_equal(buf_text(&buf), "");
    buf_clear(&buf);
    buf_add(&buf, NULL, 0);
    assert_string_equal(buf_text(&buf), "");
    buf_adds(&buf, "a");
    buf_addc(&buf, '\0');
    buf_addstr(&buf, (struct str){"bcd", 2});
    buf_addf(&buf, "%d-%s", 12, "x");
    assert_int_equal(buf.len, 8);
    assert_memory_equal(buf_text(&buf), "a\0bc12-x", 9);
    assert_int_equal(buf_str(&buf).len, 8);
    buf_clear(&buf);
    assert_string_equal(buf_text(&buf), "");
    for (int i = 0; i < 100000; i++)
        buf_addf(&buf, "%d,", i % 10);
    assert_int_equal(buf.len, 200000);
    assert_memory_equal(buf.ptr + 199998, "9,", 3);
    buf_release(&buf);
    assert_null(buf.ptr);
    assert_int_equal(buf.cap, 0);
}

/* ---- arena ---- */

static void test_arena(void **state)
{
    struct arena arena = {0};
    unsigned char *first, *large;
    size_t used;

    (void)state;
    first = arena_alloc(&arena, 3);
    large = arena_alloc(&arena, 3000000);
    assert_int_equal((uintptr_t)first % _Alignof(max_align_t), 0);
    assert_int_equal((uintptr_t)large % _Alignof(max_align_t), 0);
    assert_int_equal(first[2] | large[0] | large[2999999], 0);
    memset(large, 0xFF, 3000000);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(*ARENA_NEW(&arena, uint64_t), 0);
    used = arena.used;
    assert_true(used >= 3000000 + 80000);
    arena_clear(&arena);
    assert_int_equal(arena.used, 0);
    assert_int_equal(ARENA_ARRAY(&arena, int, 100)[99], 0); /* zeroed again though the block is an old one */
    arena_release(&arena);
    arena_release(&arena);
    arena_clear(&arena);
}

static void test_arena_text(void **state)
{
    struct arena arena = {0};
    struct str copy = arena_str(&arena, (struct str)STR("a\0b"));

    (void)state;
    assert_int_equal(copy.len, 3);
    assert_memory_equal(copy.ptr, "a\0b", 4);
    assert_string_equal(arena_cstr(&arena, (struct str){NULL, 0}), "");
    assert_string_equal(arena_cstr(&arena, (struct str){"abc", 2}), "ab");
    assert_string_equal(arena_printf(&arena, "%s %05d", "x", 42), "x 00042");
    arena_release(&arena);
}

/* ---- UTF-8 and numbers ---- */

static void test_utf8(void **state)
{
    static const uint32_t edges[] = {0,      0x7F,   0x80,   0x7FF,   0x800,   0xD7FF,
                                     0xE000, 0xFFFD, 0xFFFF, 0x10000, 0x10FFFF};
    static const char *const bad[] = {"",
                                      "\x80",
                                      "\xC3",
                                      "\xC1\xBF",
                                      "\xE0\x9F\xBF",
                                      "\xE2\x82",
                                      "\xED\xBF\xBF",
                                      "\xF0\x8F\x80\x80",
                                      "\xF4\x90\x80\x80",
                                      "\xF8"};
    char bytes[4];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(edges); i++) {
        struct str text = {bytes, utf8_encode(edges[i], bytes)};

        assert_int_equal(utf8_length(text), text.len);
        assert_int_equal(utf8_decode(text), edges[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(utf8_length(str_of(bad[i])), 0);
    assert_int_equal(utf8_encode(0xD800, bytes), 3);
    assert_memory_equal(bytes, UTF8_REPLACEMENT, 3);
    assert_int_equal(utf8_count(str_of("a\xC3\xA9\xFF\xE2\x82\xAC")), 4);
    assert_int_equal(utf8_valid_until(str_of("\xC3\xA9\xFF\xC3\xA9")), 2);
    assert_true(str_is(utf8_cut(str_of("a\xC3\xA9"), 2), "a"));
    assert_true(str_is(utf8_cut(str_of("a\xC3\xA9"), 3), "a\xC3\xA9"));
    assert_true(str_is(utf8_cut(str_of("\xC3\xA9"), 0), ""));
}

static void test_utf8_show(void **state)
{
    struct buf out = {0};

    (void)state;
    utf8_show(&out, (struct str)STR("a\xC3\xA9\n\t\r\x1b[1m\0\x7F\xC2\x85\xE2\x80\xAE\xFF."));
    assert_string_equal(buf_text(&out), "a\xC3\xA9\\n\\t\\r\\x1b[1m\\x00\\x7f\\u0085\\u202e\\xff.");
    buf_release(&out);
}

static void test_decimal(void **state)
{
    char out[DECIMAL_SIZE];

    (void)state;
    assert_string_equal(decimal_write(out, 0, 'f', 1.7976931348623157e308) + 300, "124858368");
    assert_string_equal(decimal_write(out, 14, 'e', 0.1), "1.00000000000000e-01");
    assert_string_equal(decimal_shortest(out, 0.1), "0.1");
    assert_true(decimal_read("1.25e2") == 125);
}

/* ---- errors ---- */

static void assert_printed(struct diags *diags, const char *expected)
{
    char *text;
    size_t len;
    FILE *stream = open_memstream(&text, &len);

    diags_print(diags, stream);
    fclose(stream);
    assert_string_equal(text, expected);
    free(text);
}

static void test_diags_print(void **state)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};

    (void)state;
    diag_error(&diags, (struct place){"b", 2, 3}, "second %d", 2);
    diag_warning(&diags, (struct place){"b", 2, 1}, "first");
    diag_error(&diags, (struct place){"b", 0, 0}, "whole");
    diag_error(&diags, (struct place){"b", 4, 0}, "line");
    diag_error(&diags, (struct place){"a", 9, 9}, "other");
    diag_error(&diags, (struct place){0}, "nowhere");
    diag_error(&diags, (struct place){NULL, 1, 1}, "in no file");
    diag_error(&diags, (struct place){NULL, 1, 1}, "in no file"); /* said once */
    assert_int_equal(diags.errors, 7);
    assert_int_equal(diags.warnings, 1);
    assert_printed(&diags, "run-matrix: error: nowhere\n"
                           "run-matrix: error: in no file\n"
                           "a:9:9: error: other\n"
                           "b: error: whole\n"
                           "b:2:1: warning: first\n"
                           "b:2:3: error: second 2\n"
                           "b:4: error: line\n");
    arena_release(&arena);
}

static void test_diags_are_harmless(void **state)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};

    (void)state;
    diag_error(&diags, (struct place){"a\nb", 1, 1}, "'%s'", "\x1b[2J\n\xFF");
    assert_printed(&diags, "a\\nb:1:1: error: '\\x1b[2J\\n\\xff'\n");
    arena_release(&arena);
}

static void test_diags_most(void **state)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};

    (void)state;
    for (int i = 0; i < DIAG_MOST + 5; i++)
        diag_error(&diags, (struct place){"f", 1, 1}, "x");
    assert_int_equal(diags.count, DIAG_MOST);
    assert_int_equal(diags.errors, DIAG_MOST + 5);
    arena_release(&arena);
}

/* ---- descriptors and files ---- */

static char *temp_dir(void)
{
    char *dir = strdup("/tmp/test_base.XXXXXX");

    assert_non_null(mkdtemp(dir));
    return dir;
}

static void test_fd_close(void **state)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), number = fd;

    (void)state;
    errno = ENOSPC;
    fd_close(&fd);
    assert_int_equal(fd, -1);
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(fcntl(number, F_GETFD), -1);
    errno = ENOSPC;
    fd_close(&fd);
    assert_int_equal(errno, ENOSPC);
}

static void test_guard_stdio(void **state)
{
    int saved[2] = {fcntl(0, F_DUPFD_CLOEXEC, 10), fcntl(1, F_DUPFD_CLOEXEC, 10)}, result, next;

    (void)state;
    close(0);
    close(1);
    result = fd_guard_stdio();
    next = dup(2);
    dup2(saved[0], 0);
    dup2(saved[1], 1);
    assert_int_equal(result, 0);
    assert_true(next > 2);
    close(next);
    close(saved[0]);
    close(saved[1]);
}

struct writer {
    int fd;
    struct str text;
    int result;
};

static void *write_slowly(void *arg)
{
    struct writer *w = arg;

    w->result = fd_write_all(w->fd, w->text.ptr, w->text.len);
    close(w->fd);
    return NULL;
}

/* A megabyte through a pipe whose two ends somebody has made non-blocking. */
static void test_read_and_write_all(void **state)
{
    size_t len = 1 << 20;
    char *text = mem_zero(len, 1);
    struct writer w = {.text = {text, len}};
    struct buf out = {0};
    pthread_t thread;
    int ends[2];

    (void)state;
    memset(text, 'x', len);
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    w.fd = ends[1];
    assert_int_equal(pthread_create(&thread, NULL, write_slowly, &w), 0);
    assert_int_equal(fd_read_all(ends[0], &out, len), 0);
    pthread_join(thread, NULL);
    assert_int_equal(w.result, 0);
    assert_int_equal(out.len, len);
    assert_memory_equal(out.ptr, text, len);
    close(ends[0]);
    buf_release(&out);
    free(text);
}

static void test_write_error(void **state)
{
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    (void)state;
    assert_int_equal(fd_write_all(full, "x", 1), -1);
    assert_int_equal(errno, ENOSPC);
    close(full);
}

static void test_file_read(void **state)
{
    struct buf out = {0};

    (void)state;
    assert_int_equal(file_read("/nowhere/at/all", &out, 10), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(file_read("/", &out, 10), -1);
    assert_int_equal(errno, EISDIR);
    assert_int_equal(file_read("/dev/zero", &out, 1000), -1);
    assert_int_equal(errno, EFBIG);
    buf_clear(&out);
    assert_int_equal(file_read("/dev/null", &out, 0), 0);
    assert_string_equal(buf_text(&out), "");
    buf_release(&out);
}

static void assert_file(const char *path, const char *content)
{
    struct buf out = {0};

    assert_int_equal(file_read(path, &out, 1000), 0);
    assert_string_equal(buf_text(&out), content);
    buf_release(&out);
}

static void test_file_write(void **state)
{
    char *dir = temp_dir();
    struct buf path = {0}, link = {0};
    struct stat st;
    mode_t mask = umask(027);

    (void)state;
    buf_addf(&path, "%s/file", dir);
    buf_addf(&link, "%s/link", dir);
    assert_int_equal(file_write(buf_text(&path), str_of("one")), 0);
    assert_int_equal(file_write(buf_text(&path), str_of("second")), 0);
    assert_file(buf_text(&path), "second");
    assert_int_equal(stat(buf_text(&path), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);

    assert_int_equal(symlink("file", buf_text(&link)), 0);
    assert_int_equal(file_write(buf_text(&link), str_of("")), 0);
    assert_file(buf_text(&path), "");
    assert_int_equal(lstat(buf_text(&link), &st), 0);
    assert_true(S_ISLNK(st.st_mode));

    assert_int_equal(file_write(dir, str_of("x")), -1);
    assert_int_equal(unlink(buf_text(&link)), 0);
    assert_int_equal(unlink(buf_text(&path)), 0);
    assert_int_equal(rmdir(dir), 0); /* no temporary is left */
    assert_int_equal(file_write(buf_text(&path), str_of("x")), -1);
    assert_int_equal(errno, ENOENT);
    umask(mask);
    buf_release(&path);
    buf_release(&link);
    free(dir);
}

static void test_file_write_to_shared_memory(void **state)
{
    char folder[] = "/dev/shm/test-XXXXXX";
    struct buf path = {0}, out = {0};

    (void)state;
    if (!mkdtemp(folder))
        skip();
    buf_addf(&path, "%s/new", folder);
    assert_int_equal(file_write(buf_text(&path), str_of("x")), 0);
    assert_int_equal(file_read(buf_text(&path), &out, 10), 0);
    assert_string_equal(buf_text(&out), "x");
    assert_int_equal(unlink(buf_text(&path)) | rmdir(folder), 0);
    buf_release(&path);
    buf_release(&out);
}

static void test_file_write_to_stream(void **state)
{
    char *dir = temp_dir();
    struct buf path = {0};
    struct stat st;

    (void)state;
    assert_int_equal(file_write("/dev/full", str_of("x")), -1);
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(stat("/dev/full", &st), 0);
    assert_true(S_ISCHR(st.st_mode));

    buf_addf(&path, "%s/fifo", dir);
    assert_int_equal(mkfifo(buf_text(&path), 0600), 0);
    int reader = open(buf_text(&path), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    char got[8] = {0};

    assert_int_equal(file_write(buf_text(&path), str_of("hello")), 0);
    assert_int_equal(read(reader, got, sizeof got - 1), 5);
    assert_string_equal(got, "hello");
    close(reader);
    assert_int_equal(unlink(buf_text(&path)), 0);
    assert_int_equal(rmdir(dir), 0);
    buf_release(&path);
    free(dir);
}

static void test_stream_finish(void **state)
{
    FILE *full = fopen("/dev/full", "w"), *null = fopen("/dev/null", "w");

    (void)state;
    fputs("x", null);
    assert_int_equal(stream_finish(null), 0);
    fputs("x", full);
    assert_int_equal(stream_finish(full), -1);
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(stream_finish(full), -1); /* once lost, lost for good */
    fclose(full);
    fclose(null);
}

/* ---- spans of time ---- */

#define MS(n) ((n)*NS_PER_MS)
#define S(n)  ((n)*NS_PER_S)

static void test_span_parse(void **state)
{
    static const struct {
        const char *text;
        nanos span; /* -1: refused */
    } rows[] = {
        {"0", 0},
        {"90", S(90)},
        {"90s", S(90)},
        {"1m30s", S(90)},
        {"1.5h", S(5400)},
        {"250ms", MS(250)},
        {"2d", S(172800)},
        {"0.5", MS(500)},
        {"1.5", MS(1500)},
        {"1h1ms", S(3600) + MS(1)},
        {"1d2h3m4s5ms", S(93784) + MS(5)},
        {"1m1.5s", MS(61500)},
        {"007s", S(7)},
        {"0.000000001", 1},
        {"0.0000000001", 0},
        {"0.001ms", 1000},
        {"3653d", S(315619200)},
        {"315619200", S(315619200)},
        {"0d0h0m0s0ms", 0},
        {"90m", S(5400)},
        {"", -1},
        {" 1s", -1},
        {"1s ", -1},
        {"1 s", -1},
        {"-1s", -1},
        {"+1s", -1},
        {"s", -1},
        {".5s", -1},
        {"5.s", -1},
        {"1.5.5s", -1},
        {"1m30", -1},
        {"30s1m", -1},
        {"1m1m", -1},
        {"1.5h30m", -1},
        {"1S", -1},
        {"1sec", -1},
        {"1ns", -1},
        {"1w", -1},
        {"1e3", -1},
        {"0x10", -1},
        {"1,5s", -1},
        {"inf", -1},
        {"3654d", -1},
        {"3653d1ms", -1},
        {"315619201", -1},
        {"99999999999999999999999d", -1},
        {"99999999999999999999999ms", -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        nanos span = -2;
        bool good = span_parse(str_of(rows[i].text), &span);

        if (good != (rows[i].span >= 0) || (good && span != rows[i].span))
            fail_msg("'%s' is %s, %lld", rows[i].text, good ? "read" : "refused", (long long)span);
        assert_true(good || span == -2);
    }
    assert_false(span_parse((struct str)STR("1s\0"), &(nanos){0}));
}

static void test_span_format(void **state)
{
    static const struct {
        nanos span;
        const char *text;
    } rows[] = {
        {0, "0s"},         {MS(1), "1ms"},           {MS(250), "250ms"},     {MS(999), "999ms"},
        {S(1), "1s"},      {MS(1500), "1.5s"},       {MS(1050), "1.05s"},    {MS(1001), "1.001s"},
        {S(90), "1m30s"},  {MS(90250), "1m30.25s"},  {S(60), "1m"},          {S(3600), "1h"},
        {S(3601), "1h1s"}, {S(86400), "1d"},         {S(93784), "1d2h3m4s"}, {499999, "0s"},
        {500000, "1ms"},   {MS(999) + 600000, "1s"}, {S(60) - 1, "1m"},      {-MS(1500), "-1.5s"},
        {-1, "0s"},
    };
    struct buf out = {0};
    nanos back;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_clear(&out);
        span_format(&out, rows[i].span);
        assert_string_equal(buf_text(&out), rows[i].text);
    }
    for (nanos ms = 0; ms < S(400000) / NS_PER_MS; ms = ms * 3 / 2 + 1) {
        buf_clear(&out);
        span_format(&out, MS(ms));
        assert_true(span_parse(buf_str(&out), &back));
        assert_int_equal(back, MS(ms));
    }
    buf_release(&out);
}

static void test_clock(void **state)
{
    nanos before = clock_now();

    (void)state;
    assert_true(before > 0);
    assert_true(clock_now() >= before);
    assert_true(clock_wall() > S(1700000000LL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_str_compare),
        cmocka_unit_test(test_str_parts),
        cmocka_unit_test(test_str_nearest),
        cmocka_unit_test(test_buf),
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_arena_text),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_utf8_show),
        cmocka_unit_test(test_decimal),
        cmocka_unit_test(test_diags_print),
        cmocka_unit_test(test_diags_are_harmless),
        cmocka_unit_test(test_diags_most),
        cmocka_unit_test(test_fd_close),
        cmocka_unit_test(test_guard_stdio),
        cmocka_unit_test(test_read_and_write_all),
        cmocka_unit_test(test_write_error),
        cmocka_unit_test(test_file_read),
        cmocka_unit_test(test_file_write),
        cmocka_unit_test(test_file_write_to_shared_memory),
        cmocka_unit_test(test_file_write_to_stream),
        cmocka_unit_test(test_stream_finish),
        cmocka_unit_test(test_span_parse),
        cmocka_unit_test(test_span_format),
        cmocka_unit_test(test_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
