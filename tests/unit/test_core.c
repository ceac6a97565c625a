#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/base/core.h"
#include "runner/base/mem.h"

static struct core_pattern pattern_of(const char *text, bool uses_pid)
{
    struct core_pattern pattern = {.uses_pid = uses_pid};

    snprintf(pattern.text, sizeof pattern.text, "%s", text);
    return pattern;
}

static void test_patterns(void **state)
{
    static const struct {
        const char *text;
        bool uses_pid;
        pid_t pid;
        const char *wanted;
    } rows[] = {
        {"core", false, 12, "/w/core"},
        {"core", true, 12, "/w/core.12"},
        {"core", true, 0, "/w/core.*"},
        {"core.%p", true, 12, "/w/core.12"},
        {"core.%p", false, 0, "/w/core.*"},
        {"/var/%e/core-%e-%s-%u-%g-%p-%t", false, 12, "/var/*/core-*-11-*-*-12-*"},
        {"%h.%E.%f.%i.%I.%P.%c.%C.%d.%F", false, 12, "/w/*.*.*.*.*.*.*.*.*.*"},
        {"a%%p", false, 12, "/w/a%p"},
        {"a%%", true, 12, "/w/a%.12"},
        {"core%", false, 12, "/w/core"},
        {"core%qx", false, 12, "/w/corex"}, /* the kernel leaves out what it does not know */
        {"c*r?[e]\\", false, 12, "/w/c\\*r\\?\\[e]\\\\"},
        {"", true, 12, "/w/.12"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct core_pattern pattern = pattern_of(rows[i].text, rows[i].uses_pid);
        struct core_of of = {.pid = rows[i].pid, .signal = 11, .cwd = "/w"};
        struct buf out = {0};

        core_glob(&out, &pattern, &of);
        if (strcmp(buf_text(&out), rows[i].wanted) != 0)
            fail_msg("'%s': '%s', not '%s'", rows[i].text, buf_text(&out), rows[i].wanted);
        buf_release(&out);
    }
}

static void test_ways(void **state)
{
    const struct core_pattern program = pattern_of("|/usr/lib/systemd/systemd-coredump %P", false),
                              socket = pattern_of("@/run/core", false), file = pattern_of("core", false),
                              none = pattern_of("", false);

    (void)state;
    assert_int_equal(core_way(&program), CORE_TO_PROGRAM);
    assert_int_equal(core_way(&socket), CORE_TO_SOCKET);
    assert_int_equal(core_way(&file), CORE_IN_FILE);
    assert_int_equal(core_way(&none), CORE_IN_FILE);
}

/* Seconds since 1970. */
static void make(const char *folder, const char *name, const char *content, time_t written)
{
    const struct timespec times[2] = {{.tv_sec = written}, {.tv_sec = written}};
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void found_is(const char *folder, const char *pattern_text, pid_t pid, nanos since, const char *wanted)
{
    struct core_pattern pattern = pattern_of(pattern_text, false);
    struct core_of of = {.pid = pid, .signal = 11, .cwd = folder, .since = since};
    struct buf path = {0};

    if (core_find(&path, &pattern, &of) != (wanted != NULL))
        fail_msg("'%s': '%s'", pattern_text, buf_text(&path));
    if (wanted)
        assert_string_equal(buf_text(&path) + strlen(folder) + 1, wanted);
    buf_release(&path);
}

static void test_files(void **state)
{
    char folder[] = "/tmp/test_core[XXXXXX", *made = mkdtemp(folder), command[128];

    (void)state;
    assert_non_null(made);
    make(folder, "core.a.5", "x", 1000);
    make(folder, "core.b.5", "x", 3000);
    make(folder, "core.c.5", "x", 2000);
    make(folder, "core.d.5", "", 4000);
    make(folder, "core.e.6", "x", 5000);
    snprintf(command, sizeof command, "%s/core.f.5", folder);
    assert_int_equal(mkdir(command, 0700), 0);
    snprintf(command, sizeof command, "%s/core.g.5", folder);
    assert_int_equal(symlink("core.e.6", command), 0);
    found_is(folder, "core.%e.%p", 5, 0, "core.b.5");
    found_is(folder, "core.%e.%p", 5, 2500 * NS_PER_S, "core.b.5");
    found_is(folder, "core.%e.%p", 5, 3000 * NS_PER_S, "core.b.5");
    found_is(folder, "core.%e.%p", 5, 3001 * NS_PER_S, NULL);
    found_is(folder, "core.%e.%p", 6, 0, "core.e.6");
    found_is(folder, "core.%e.%p", 0, 0, "core.e.6");
    found_is(folder, "core.%e.%p", 7, 0, NULL);
    found_is(folder, "core.a.5", 5, 0, "core.a.5");
    found_is(folder, "core", 5, 0, NULL);
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_ways),
        cmocka_unit_test(test_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
