/* Starts that fail at each stage, and what is said about them. */
#include "tests/unit/spawn_bench.h"

#include <elf.h>
#include <sys/stat.h>
#include <sys/utsname.h>

/* The folder that everything here stands in. */
struct folder {
    char path[PATH_MAX];
    struct bench *bench;
    void *bench_state;
};

static char *path_in(const struct folder *folder, const char *name)
{
    static char path[2 * PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    return path;
}

static void put(const struct folder *folder, const char *name, struct str content, mode_t mode)
{
    const char *path = path_in(folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, content.ptr, content.len), 0);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static int folder_open(void **state)
{
    struct folder *folder = mem_zero(1, sizeof *folder);

    snprintf(folder->path, sizeof folder->path, "%s/spawn-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    *state = folder;
    if (!mkdtemp(folder->path) || chmod(folder->path, 0755) < 0)
        return -1;
    return bench_open(&folder->bench_state) < 0 ? -1 : (folder->bench = folder->bench_state, 0);
}

static int folder_close(void **state)
{
    struct folder *folder = *state;
    const char *rm[] = {"rm", "-rf", folder->path, NULL};
    pid_t pid = fork();

    if (pid == 0) {
        execvp(rm[0], (char *const *)(uintptr_t)rm);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
    bench_close(&folder->bench_state);
    free(folder);
    return 0;
}

/* Fails, at this stage, with these words; nothing of it is left. */
static void assert_fails(struct bench *bench, const struct spawn_spec *spec, enum spawn_stage stage,
                         const char *says)
{
    struct buf words = {0};

    if (start(bench, spec)) {
        assert_true(exits_with(&bench->process, 127));
        assert_int_equal(phase(bench), SPAWN_FAILED);
        assert_int_equal(bench->exec_at, 0);
    }
    spawn_error_words(&words, bench->error, spec);
    if (!str_is(buf_str(&words), says) || bench->error.stage != stage)
        fail_msg("stage %d: %s\n  instead of: %s", (int)bench->error.stage, buf_text(&words), says);
    buf_release(&words);
}

/* ---- programs ---- */

static void test_scripts(void **state)
{
    static const struct {
        struct str content;
        mode_t mode;
        const char *says; /* after "cannot execute 'x': " */
    } rows[] = {
        {STR("#!/bin/sh\n"), 0644, "Permission denied (not executable: chmod +x)"},
        {STR("#!/no/such -x\n"), 0755, "No such file or directory (its interpreter '/no/such' is not there)"},
        {STR("#! \t /no/such"), 0755, "No such file or directory (its interpreter '/no/such' is not there)"},
        {STR("#!/bin/sh\r\nexit\r\n"), 0755,
         "No such file or directory (its interpreter '/bin/sh\\r' is not there: the lines of the script end "
         "in "
         "CR LF, save it with LF alone)"},
        {STR("#!/\x1b[2J\n"), 0755, "No such file or directory (its interpreter '/\\x1b[2J' is not there)"},
        {STR("#!/usr\n"), 0755, "Permission denied (its interpreter '/usr' may not be executed)"},
        {STR("#!x\n"), 0755,
         "Too many levels of symbolic links (its interpreter 'x' is a script too, and so on "
         "without end)"},
        {STR("echo\n"), 0755,
         "Exec format error (its first line does not name an interpreter, as '#!/bin/sh' does)"},
        {STR("#!\n"), 0755,
         "Exec format error (its first line does not name an interpreter, as '#!/bin/sh' does)"},
        {STR("#!empty\n"), 0755, "Exec format error (its interpreter 'empty' is no program)"},
        {STR(""), 0755, "Exec format error (the file is empty)"},
        {STR("\0\1\2"), 0755, "Exec format error (it is no program)"},
        {STR("MZ\x90\0"), 0755, "Exec format error (a program for Windows)"},
    };
    struct folder *folder = *state;
    struct spawn_spec spec = spec_of(folder->bench, ARGV(word("x")));

    spec.cwd = folder->path;
    put(folder, "empty", (struct str)STR(""), 0755);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char says[512];

        put(folder, "x", rows[i].content, rows[i].mode);
        snprintf(says, sizeof says, "cannot execute 'x': %s", rows[i].says);
        assert_fails(folder->bench, &spec, SPAWN_STAGE_EXEC, says);
    }
}

static void test_not_files(void **state)
{
    struct folder *folder = *state;
    struct spawn_spec spec = spec_of(folder->bench, ARGV(word("x")));
    struct buf says = {0};

    spec.cwd = folder->path;
    buf_addf(&says, "cannot execute 'x': No such file or directory (looked for from '%s')", folder->path);
    assert_fails(folder->bench, &spec, SPAWN_STAGE_EXEC, buf_text(&says));
    buf_release(&says);

    assert_int_equal(mkdir(path_in(folder, "x"), 0755), 0);
    assert_fails(folder->bench, &spec, SPAWN_STAGE_EXEC,
                 "cannot execute 'x': Permission denied (it is a folder)");
    assert_int_equal(rmdir(path_in(folder, "x")), 0);

    assert_int_equal(mkfifo(path_in(folder, "x"), 0755), 0);
    assert_fails(folder->bench, &spec, SPAWN_STAGE_EXEC,
                 "cannot execute 'x': Permission denied (it is no regular file)");
    assert_int_equal(unlink(path_in(folder, "x")), 0);

    assert_int_equal(symlink("gone", path_in(folder, "x")), 0);
    assert_fails(folder->bench, &spec, SPAWN_STAGE_EXEC,
                 "cannot execute 'x': No such file or directory (a link to 'gone', which is not there)");
    assert_int_equal(unlink(path_in(folder, "x")), 0);

    assert_int_equal(symlink("x", path_in(folder, "x")), 0);
    assert_fails(folder->bench, &spec, SPAWN_STAGE_EXEC,
                 "cannot execute 'x': Too many levels of symbolic links");

    spec.path = "y/z";
    assert_fails(folder->bench, &spec, SPAWN_STAGE_EXEC,
                 "cannot execute 'y/z': No such file or directory (there is no 'y')");
    spec.path = "/dev/null/x";
    spec.cwd = NULL;
    assert_fails(folder->bench, &spec, SPAWN_STAGE_EXEC, "cannot execute '/dev/null/x': Not a directory");
    spec.path = "/proc/version";
    assert_fails(folder->bench, &spec, SPAWN_STAGE_EXEC,
                 "cannot execute '/proc/version': Permission denied (not executable: chmod +x)");
}

static void test_busy(void **state)
{
    struct folder *folder = *state;
    struct spawn_spec spec = spec_of(folder->bench, ARGV(word("x")));
    int fd;

    spec.cwd = folder->path;
    put(folder, "x", (struct str)STR("#!/bin/sh\n"), 0755);
    fd = open(path_in(folder, "x"), O_WRONLY | O_CLOEXEC);
    assert_fails(folder->bench, &spec, SPAWN_STAGE_EXEC,
                 "cannot execute 'x': Text file busy (somebody has it open for writing)");
    close(fd);
    assert_true(start(folder->bench, &spec));
    assert_true(exits_with(&folder->bench->process, 0));
}

/* The beginning of a program, less what each row changes. */
struct program {
    Elf64_Ehdr elf;
    Elf64_Phdr parts[2];
    char loader[16];
};

static void test_elf(void **state)
{
    static const unsigned others[] = {EM_S390, EM_RISCV};
    struct folder *folder = *state;
    struct spawn_spec spec = spec_of(folder->bench, ARGV(word("x")));
    struct program program = {.loader = "/no/loader"};
    struct str whole = {(const char *)&program, sizeof program};
    struct utsname here;
    int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    char says[256];

    spec.cwd = folder->path;
    uname(&here);
    assert_true(self >= 0);
    assert_int_equal(read(self, &program.elf, sizeof program.elf), sizeof program.elf);
    close(self);
    program.elf.e_phoff = offsetof(struct program, parts);
    program.elf.e_phnum = 2;
    program.parts[1] = (Elf64_Phdr){.p_type = PT_INTERP,
                                    .p_offset = offsetof(struct program, loader),
                                    .p_filesz = sizeof "/no/loader",
                                    .p_align = 1};
    put(folder, "x", whole, 0755);
    assert_fails(folder->bench, &spec, SPAWN_STAGE_EXEC,
                 "cannot execute 'x': No such file or directory (its loader '/no/loader' is not there)");

    put(folder, "x", str_slice(whole, 0, sizeof program.elf), 0755);
    assert_fails(folder->bench, &spec, SPAWN_STAGE_EXEC,
                 "cannot execute 'x': Exec format error (the file is damaged, or not written to its end)");

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        program.elf.e_machine = (Elf64_Half)others[i];
        put(folder, "x", whole, 0755);
        snprintf(says, sizeof says, "cannot execute 'x': Exec format error (made for %s, this is %s)",
                 others[i] == EM_S390 ? "s390x" : "riscv64", here.machine);
        assert_fails(folder->bench, &spec, SPAWN_STAGE_EXEC, says);
    }
    program.elf.e_type = ET_REL;
    put(folder, "x", whole, 0755);
    assert_fails(folder->bench, &spec, SPAWN_STAGE_EXEC,
                 "cannot execute 'x': Exec format error (an object file, not linked yet)");
}

/* Whatever a file holds, looking at it comes to an end inside of it: every prefix and every broken number. */
static void test_hostile_elf(void **state)
{
    struct folder *folder = *state;
    struct spawn_spec spec = spec_of(folder->bench, ARGV(word("x")));
    struct buf words = {0};

    spec.cwd = folder->path;
    for (unsigned seed = 0; seed < 2000; seed++) {
        unsigned char bytes[256] = ELFMAG;
        uint64_t random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;

        bytes[EI_CLASS] = ELFCLASS64;
        for (size_t i = EI_CLASS + 1; i < sizeof bytes; i++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            bytes[i] = (random >> 60) < 8 ? (unsigned char)(random >> 33) : (random >> 60) < 12 ? 3 : 0;
        }
        put(folder, "x", (struct str){(const char *)bytes, seed % sizeof bytes}, 0755);
        buf_clear(&words);
        for (int error = 0; error < 134; error++)
            spawn_error_words(&words, (struct spawn_error){SPAWN_STAGE_EXEC, error}, &spec);
        assert_true(words.len > 0);
    }
    buf_release(&words);
}

/* ---- arguments ---- */

static void test_large(void **state)
{
    struct folder *folder = *state;
    struct spawn_spec spec = spec_of(folder->bench, ARGV(word("/bin/true")));
    char *text = mem_alloc(131072 + 1), **many = mem_zero(102, sizeof *many), says[256];
    long most = sysconf(_SC_ARG_MAX);

    memset(text, 'x', 131072);
    text[131072] = '\0';
    spec.argv = ARGV(word("true"), word("x"), text);
    assert_fails(
        folder->bench, &spec, SPAWN_STAGE_EXEC,
        "cannot execute '/bin/true': Argument list too long (argument 2 has 131072 bytes, one may have "
        "131071)");
    text[131071] = '\0';
    assert_true(start(folder->bench, &spec));
    assert_true(exits_with(&folder->bench->process, 0));
    text[131071] = 'x';
    memcpy(text, "LONG=", 5);
    spec.argv = ARGV(word("true"));
    spec.envp = ARGV(word("A=b"), text);
    assert_fails(
        folder->bench, &spec, SPAWN_STAGE_EXEC,
        "cannot execute '/bin/true': Argument list too long (the variable 'LONG' has 131072 bytes with its "
        "name, one may have 131071)");

    text[131071] = '\0';
    for (int i = 0; i < 100; i++)
        many[i] = text;
    spec.argv = many;
    spec.envp = ARGV(word("A=b"));
    snprintf(says, sizeof says,
             "cannot execute '/bin/true': Argument list too long (arguments and environment have 13108012 "
             "bytes, a "
             "quarter of the stack limit (ulimit -s) is %ld)",
             most);
    assert_fails(folder->bench, &spec, SPAWN_STAGE_EXEC, says);
    free(text);
    free(many);
}

/* ---- steps before exec ---- */

static void test_steps(void **state)
{
    struct folder *folder = *state;
    struct bench *bench = folder->bench;
    const struct spawn_spec good = spec_of(bench, ARGV(word("/bin/true")));
    struct spawn_spec spec = good;

    spec.cwd = "/no/such\n";
    assert_fails(bench, &spec, SPAWN_STAGE_CWD,
                 "cannot enter the working directory '/no/such\\n': No such file or directory");
    spec.cwd = "/dev/null";
    assert_fails(bench, &spec, SPAWN_STAGE_CWD,
                 "cannot enter the working directory '/dev/null': Not a directory");

    for (int i = 0; i < 3; i++) {
        spec = good;
        spec.stdio[i] = i == 1 ? -1 : 999;
        assert_fails(bench, &spec, SPAWN_STAGE_STDIO,
                     "cannot redirect standard streams: Bad file descriptor");
    }

    spec = good;
    spec.terminal = bench->null;
    assert_fails(bench, &spec, SPAWN_STAGE_TERMINAL,
                 "cannot take the terminal: Inappropriate ioctl for device");

    spec = good;
    spec.limit_count = 1;
    spec.limits[0] = (struct spawn_limit){RLIMIT_CORE, {2, 1}};
    assert_fails(bench, &spec, SPAWN_STAGE_LIMIT,
                 "cannot set a limit: Invalid argument (a soft limit above its hard one)");
    assert_true(start(bench, &good)); /* nothing sticks to the place */
    assert_true(exits_with(&bench->process, 0));
    assert_int_equal(phase(bench), SPAWN_EXECUTED);
}

/* ---- without rights ---- */

static void check_says(struct bench *bench, const struct spawn_spec *spec, const char *says)
{
    struct buf words = {0};

    if (start(bench, spec))
        CHECK(exits_with(&bench->process, 127) && phase(bench) == SPAWN_FAILED);
    spawn_error_words(&words, bench->error, spec);
    if (!str_is(buf_str(&words), says))
        fprintf(stderr, "%s\n", buf_text(&words));
    CHECK(str_is(buf_str(&words), says));
    buf_release(&words);
}

static void check_shut_folder(struct bench *bench)
{
    char folder[64], path[80], says[256];
    struct spawn_spec spec = spec_of(bench, ARGV(path));

    snprintf(folder, sizeof folder, "/tmp/spawn-%d", getpid());
    snprintf(path, sizeof path, "%s/x", folder);
    snprintf(says, sizeof says,
             "cannot execute '%s': Permission denied (a folder on the way to it may not be entered)", path);
    CHECK(mkdir(folder, 0) == 0);
    check_says(bench, &spec, says);
    CHECK(rmdir(folder) == 0);
}

static void as_nobody(struct bench *bench)
{
    struct spawn_spec spec = spec_of(bench, ARGV(word("/bin/true")));

    CHECK(getuid() != 0 || (setgid(65534) == 0 && setuid(65534) == 0));
    check_shut_folder(bench);

    CHECK(setrlimit(RLIMIT_NOFILE, &(struct rlimit){100, 100}) == 0);
    spec.limits[0] = (struct spawn_limit){RLIMIT_NOFILE, {200, 200}};
    spec.limit_count = 1;
    check_says(bench, &spec,
               "cannot set a limit: Operation not permitted (open files: above our own hard limit, 100)");

    CHECK(setrlimit(RLIMIT_NPROC, &(struct rlimit){0, 0}) == 0);
    spec.limit_count = 0;
    check_says(
        bench, &spec,
        "cannot start a process: Resource temporarily unavailable (too many processes: the limit may be "
        "that of the user, 0 (ulimit -u), or pids.max of a control group, or kernel.pid_max)");
}

static void test_without_rights(void **state)
{
    struct folder *folder = *state;

    in_fork(folder->bench, as_nobody);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_open, folder_close)
    const struct CMUnitTest tests[] = {
        TEST(test_scripts),     TEST(test_not_files), TEST(test_busy),  TEST(test_elf),
        TEST(test_hostile_elf), TEST(test_large),     TEST(test_steps), TEST(test_without_rights),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
