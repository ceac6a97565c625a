/* Runtimes are asked alive: programs that play one, then real ones where there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/diagnose/runtime.h"
#include "tests/unit/forks.h"
#include "tests/unit/runtime_words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- asked alive ---- */

#define ACTORS_MOST 8

struct stage {
    struct arena arena;
    struct dump_process processes[ACTORS_MOST];
    struct dump dump;
    struct dump_output outputs[2];
    struct dump_runtime_choice choice;
    struct dump_wants wants;
    struct dump_answers answers;
    struct taking taking;
};

static int open_output(void)
{
    int fd = memfd_create("output", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_APPEND), 0);
    return fd;
}

static struct stage *set_stage(enum dump_runtime played)
{
    struct stage *s = mem_zero(1, sizeof *s);

    s->outputs[0] = (struct dump_output){.name = "stdout", .fd = open_output()};
    s->outputs[1] = (struct dump_output){.name = "stderr", .fd = open_output()};
    s->choice = (struct dump_runtime_choice){"test_run*", played};
    s->wants = (struct dump_wants){.outputs = s->outputs,
                                   .output_count = 2,
                                   .ask_runtimes = true,
                                   .may_guess = true,
                                   .choices = &s->choice,
                                   .choice_count = 1};
    s->dump.processes = s->processes;
    s->taking = (struct taking){.dump = &s->dump, .arena = &s->arena, .wants = &s->wants};
    return s;
}

static void end_stage(struct stage *s)
{
    for (uint32_t i = 0; i < s->dump.process_count; i++) {
        kill(s->processes[i].id.pid, SIGKILL);
        waitpid(s->processes[i].id.pid, NULL, 0);
    }
    close(s->outputs[0].fd);
    close(s->outputs[1].fd);
    arena_release(&s->arena);
    free(s);
}

static void read_output(const struct stage *s, int which, struct buf *text)
{
    char path[64];

    buf_clear(text);
    snprintf(path, sizeof path, "/proc/self/fd/%d", s->outputs[which].fd);
    assert_int_equal(file_read(path, text, 1 << 20), 0);
}

/* It says so on its standard output, as the n-th to do so; a minute at most. */
static void await_ready(const struct stage *s, unsigned count)
{
    struct buf text = {0};
    unsigned ready = 0;

    for (unsigned i = 0; ready < count; i++) {
        if (i == 6000)
            fail_msg("only %u are ready", ready);
        usleep(10000);
        read_output(s, 0, &text);
        ready = 0;
        for (const char *at = buf_text(&text); (at = strstr(at, "ready\n")); at++)
            ready++;
    }
    buf_release(&text);
}

static struct dump_process *add_process(struct stage *s, pid_t pid)
{
    struct dump_process *process = &s->processes[s->dump.process_count++];

    *process = (struct dump_process){.id = proc_identify(pid), .state = 'S'};
    assert_true(process->id.start_ticks != 0);
    await_ready(s, s->dump.process_count);
    return process;
}

static pid_t fork_actor(const struct stage *s)
{
    pid_t pid = must_fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(s->outputs[0].fd, 1);
        dup2(s->outputs[1].fd, 2);
    }
    return pid;
}

/* Plays a runtime: on SIGQUIT it prints `answer` to `fd`, and exits where it `ends`. NULL: it does not catch it. */
struct part {
    const char *answer;
    int fd;
    bool ends;
};

static struct part part; /* of a child */

static void answers(int signal)
{
    (void)signal;
    if (write(part.fd, "noise\n", 6) < 0 || write(part.fd, part.answer, strlen(part.answer)) < 0 ||
        write(part.fd, "more\n", 5) < 0)
        _exit(1);
    if (part.ends)
        _exit(2);
}

_Noreturn static void hang(void)
{
    if (write(1, "ready\n", 6) < 0)
        _exit(1);
    for (;;)
        pause();
}

static struct dump_process *play(struct stage *s, const char *answer, int fd, bool ends)
{
    pid_t pid = fork_actor(s);

    if (pid == 0) {
        part = (struct part){answer, fd, ends};
        signal(SIGQUIT, answer ? answers : SIG_DFL);
        hang();
    }
    return add_process(s, pid);
}

static void ask(struct stage *s)
{
    s->taking.until = clock_now() + 30 * NS_PER_S;
    runtimes_recognise(&s->taking);
    runtimes_ask(&s->taking, &s->answers);
}

static void cut_answers(struct stage *s, int which, const char *left)
{
    struct buf text = {0};

    assert_int_equal(dump_answers_cut(s->outputs[which].fd, &s->answers, (size_t)which), 0);
    read_output(s, which, &text);
    assert_string_equal(buf_text(&text), left);
    buf_release(&text);
}

static bool lives(const struct dump_process *process)
{
    struct proc_stat stat;

    return proc_stat_read(process->id.pid, &stat) == 0 && stat.state != 'Z';
}

static void test_jvms(void **state)
{
    struct stage *s = set_stage(RUNTIME_JVM);
    struct dump_process *one = play(s, JVM_DUMP, 1, false), *other = play(s, JVM_DUMP, 1, false);

    (void)state;
    ask(s);
    assert_int_equal(one->runtime, RUNTIME_JVM);
    assert_string_equal(one->runtime_says, JVM_DUMP);
    assert_string_equal(other->runtime_says, JVM_DUMP);
    assert_true(lives(one) && lives(other));
    cut_answers(s, 0, "ready\nready\nnoise\nmore\nnoise\nmore\n");
    end_stage(s);
}

static char wish[64]; /* of a child */

static void looks_for_wish(int signal)
{
    (void)signal;
    if (access(wish, F_OK) == 0 && write(1, "seen\n", 5) < 0)
        _exit(1);
}

/* In a root of its own, in which the way to /tmp leads elsewhere. */
_Noreturn static void live_in(const char *folder)
{
    snprintf(wish, sizeof wish, "/elsewhere/.attach_pid%ld", (long)getpid());
    if (chdir(folder) < 0 || mkdir("elsewhere", 0700) < 0 || symlink("/elsewhere", "tmp") < 0 ||
        chroot(".") < 0)
        _exit(1);
    signal(SIGQUIT, looks_for_wish);
    hang();
}

/* It is wished for where the JVM looks, and the wish is taken back there. */
static void test_jvm_in_a_root_of_its_own(void **state)
{
    char folder[] = "/tmp/test-runtimes-XXXXXX", path[64];
    struct stage *s;
    pid_t pid;

    (void)state;
    if (geteuid() != 0)
        skip();
    s = set_stage(RUNTIME_JVM);
    assert_non_null(mkdtemp(folder));
    pid = fork_actor(s);
    if (pid == 0)
        live_in(folder);
    add_process(s, pid);
    ask(s);
    cut_answers(s, 0, "ready\nseen\n");
    snprintf(path, sizeof path, "%s/tmp", folder);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/elsewhere", folder);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(folder), 0);
    end_stage(s);
}

static void test_go(void **state)
{
    struct stage *s = set_stage(RUNTIME_GO);
    struct dump_process *process = play(s, GO_DUMP, 2, true);

    (void)state;
    ask(s);
    assert_true(lives(process));
    assert_null(process->runtime_says);
    assert_string_equal(process->runtime_why_not, "it would end by being asked");
    process->runtime_why_not = NULL;
    s->wants.may_end = true;
    ask(s);
    assert_false(lives(process));
    assert_string_equal(process->runtime_says, GO_DUMP);
    assert_null(process->runtime_why_not);
    cut_answers(s, 1, "noise\nmore\n");
    end_stage(s);
}

/* Who does not catch the signal would die of it; who says nothing is not waited for as long as there is time. */
static void test_not_asked(void **state)
{
    static const struct {
        enum dump_runtime runtime;
        bool catches, stopped;
        const char *why;
    } rows[] = {
        {RUNTIME_JVM, false, false, "it does not catch SIGQUIT, by which it would be asked"},
        {RUNTIME_JVM, true, false, "it did not answer to SIGQUIT"},
        {RUNTIME_JVM, true, true, "it is stopped, and could not answer"},
        {RUNTIME_NODE, true, false, "it does not catch SIGUSR1, by which it would be asked"},
        {RUNTIME_NONE, true, false, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct stage *s = set_stage(rows[i].runtime);
        struct dump_process *process = play(s, rows[i].catches ? "" : NULL, 1, false);

        if (rows[i].stopped) {
            kill(process->id.pid, SIGSTOP);
            waitpid(process->id.pid, NULL, WUNTRACED);
        }
        ask(s);
        assert_true(lives(process));
        assert_null(process->runtime_says);
        assert_string_equal(process->runtime_why_not ? process->runtime_why_not : "", rows[i].why);
        assert_true(s->answers.count == 0 || s->answers.list[0].late == RUNTIME_JVM);
        end_stage(s);
    }
}

/* A descriptor that calls itself Python's, and names a signal, or a number, that it is not asked by. */
static void test_lying_memory(void **state)
{
    static const char *const lies[] = {"run-matrix-python:1000:9:60",  "run-matrix-python:1000:60:9",
                                       "run-matrix-python:999:60:61",  "run-matrix-python:1000:60:61x",
                                       "run-matrix-python:1000:60:61", "run-matrix-python:1000:60"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        struct stage *s = set_stage(RUNTIME_PYTHON);
        pid_t pid = fork_actor(s);

        if (pid == 0) {
            if (dup2(memfd_create(lies[i], 0), 1000) < 0)
                _exit(1);
            hang();
        }
        add_process(s, pid);
        ask(s);
        assert_true(lives(&s->processes[0]));
        assert_non_null(s->processes[0].runtime_why_not);
        end_stage(s);
    }
}

/* ---- who is one ---- */

static pid_t fork_with(const struct stage *s, const char *folder, const char *name, int protection)
{
    char path[128];
    int fd;
    pid_t pid;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0700);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 4096), 0);
    pid = fork_actor(s);
    if (pid == 0) {
        if (mmap(NULL, 4096, protection, MAP_PRIVATE, fd, 0) == MAP_FAILED)
            _exit(1);
        hang();
    }
    close(fd);
    unlink(path);
    return pid;
}

/* All are of one program, and differ in what they have mapped. */
static void test_recognised(void **state)
{
    static const struct {
        const char *name;
        int protection;
        enum dump_runtime runtime;
    } rows[] = {
        {"libjvm.so", PROT_READ | PROT_EXEC, RUNTIME_JVM},
        {"libjvm.so", PROT_READ, RUNTIME_NONE}, /* somebody reads it */
        {"libjvm.so.txt", PROT_READ | PROT_EXEC, RUNTIME_NONE},
        {"libpython3.11.so.1.0", PROT_READ | PROT_EXEC, RUNTIME_PYTHON},
        {"libpythonic.so", PROT_READ | PROT_EXEC, RUNTIME_NONE},
        {"libnode.so.108", PROT_READ | PROT_EXEC, RUNTIME_NODE},
    };
    struct stage *s = set_stage(RUNTIME_NONE);
    char folder[] = "/tmp/test-runtimes-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(folder));
    s->wants.choice_count = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        add_process(s, fork_with(s, folder, rows[i].name, rows[i].protection));
    rmdir(folder);
    runtimes_recognise(&s->taking);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(s->processes[i].runtime, rows[i].runtime);
    end_stage(s);
}

/* ---- real ones ---- */

static bool has_program(const char *name)
{
    char command[64];

    snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", name);
    return system(command) == 0;
}

static struct dump_process *run_program(struct stage *s, const char *const *words)
{
    pid_t pid = fork_actor(s);

    if (pid == 0) {
        setenv("PYTHONPATH", "fixtures/python", 1);
        setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
        execvp(words[0], (char *const *)(uintptr_t)words);
        _exit(127);
    }
    return add_process(s, pid);
}

static void says(const struct dump_process *process, const char *text)
{
    if (!process->runtime_says || !strstr(process->runtime_says, text))
        fail_msg("no '%s' in: %s (%s)", text, process->runtime_says ? process->runtime_says : "nothing",
                 process->runtime_why_not ? process->runtime_why_not : "");
}

static const char *const python[] = {"python3", "-c",
                                     "import os, threading, time\n"
                                     "def stuck_in_thread(): threading.Event().wait()\n"
                                     "def stuck_here(): print('ready', flush=True); time.sleep(1000)\n"
                                     "threading.Thread(target=stuck_in_thread).start()\n"
                                     "stuck_here()\n",
                                     NULL};
static const char *const alone[] = {"python3", "-I", "-c",
                                    "print('ready', flush=True); import time; time.sleep(1000)", NULL};

static void test_python(void **state)
{
    struct stage *s;
    struct dump_process *one, *other;

    (void)state;
    if (!has_program("python3"))
        skip();
    s = set_stage(RUNTIME_NONE);
    one = run_program(s, python);
    other = run_program(s, alone);
    for (int i = 0; i < 2; i++) { /* it can be asked again */
        one->runtime_says = other->runtime_why_not = NULL;
        ask(s);
        says(one, "in stuck_in_thread");
        says(one, "in stuck_here");
        assert_string_equal(strrchr(one->runtime_says, '\n'), "\n");
        assert_null(other->runtime_says);
        assert_memory_equal(other->runtime_why_not, "it was not started to be asked", 30);
    }
    assert_true(lives(one) && lives(other));
    end_stage(s);
}

/* Nobody's stack has what awaits; a child that was made past Python shares its parent's memory. */
static const char *const awaits[] = {"python3", "-c",
                                     "import asyncio, ctypes\n"
                                     "async def never(): await asyncio.Event().wait()\n"
                                     "async def stuck_task(): await never()\n"
                                     "async def main():\n"
                                     "    task = asyncio.create_task(stuck_task(), name='one')\n"
                                     "    await asyncio.sleep(0)\n"
                                     "    ctypes.CDLL(None).fork() or ctypes.CDLL(None).prctl(1, 9)\n"
                                     "    print('ready', flush=True)\n"
                                     "    await task\n"
                                     "asyncio.run(main())\n",
                                     NULL};

static void test_python_awaits(void **state)
{
    struct proc_ids children = {0};
    struct stage *s;
    struct dump_process *process;

    (void)state;
    if (!has_program("python3"))
        skip();
    s = set_stage(RUNTIME_NONE);
    process = run_program(s, awaits);
    assert_true(proc_children(process->id.pid, &children) == 0 && children.count == 1);
    add_process(s, children.list[0].pid);
    proc_ids_release(&children);
    ask(s);
    says(process, "in run_forever");
    says(process, "Task one (most recent call first):");
    says(process, "in never\n");
    says(process, "in stuck_task\n");
    says(process, "in main\n");
    says(&s->processes[1], "in run_forever"); /* whose loop it is asyncio knows by its pid */
    assert_null(strstr(s->processes[1].runtime_says, "Task "));
    assert_true(lives(process));
    end_stage(s);
}

static const char *const busy[] = {
    "node", "--inspect-port=0", "-e",
    "function spins() { console.log('ready'); for (;;); }\nfunction calls() { spins(); }\ncalls()", NULL};
static const char *const idle[] = {
    "node", "--inspect-port=0", "-e",
    "require('net').createServer().listen(0, '127.0.0.1', () => console.log('ready'))", NULL};

/* Its inspector does not listen afterwards, and nothing of it is left in the output. */
static void test_node(void **state)
{
    struct stage *s;
    struct dump_process *list[3];
    uint16_t port;

    (void)state;
    if (!has_program("node"))
        skip();
    s = set_stage(RUNTIME_NONE);
    list[0] = run_program(s, busy);
    list[1] = run_program(s, idle);
    list[2] = run_program(s, busy);
    ask(s);
    says(list[0], "at spins (");
    says(list[0], "at calls (");
    says(list[1], "no JavaScript runs");
    says(list[1], "Server: listens at 127.0.0.1:");
    says(list[2], "at spins (");
    assert_false(listener_find(list[0]->id.pid, NULL, 0, &port));
    assert_true(listener_find(list[1]->id.pid, NULL, 0, &port) && port != 9229);
    assert_true(lives(list[0]) && lives(list[1]) && lives(list[2]));
    cut_answers(s, 0, "ready\nready\nready\n");
    cut_answers(s, 1, "");
    end_stage(s);
}

/* A port that is taken for a moment is asked for again; who cannot have it goes on, and its words are cut out as well. */
static void test_node_has_no_port(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    char option[40];
    const char *const words[] = {"node", option, "-e", "console.log('ready'); for (;;);", NULL};
    int holder = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct stage *s;
    struct dump_process *process;

    (void)state;
    if (!has_program("node"))
        skip();
    assert_int_equal(bind(holder, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(holder, 1), 0);
    assert_int_equal(getsockname(holder, (struct sockaddr *)&address, &length), 0);
    snprintf(option, sizeof option, "--inspect-port=%u", ntohs(address.sin_port));
    s = set_stage(RUNTIME_NONE);
    process = run_program(s, words);
    ask(s);
    assert_null(process->runtime_says);
    assert_string_equal(process->runtime_why_not, "its inspector could not be opened: its port is taken");
    close(holder);
    process->runtime_why_not = NULL;
    ask(s);
    says(process, "JavaScript, innermost first");
    cut_answers(s, 1, "");
    end_stage(s);
}

static const char *const heeds_once[] = {
    "node", "-e",
    "process.once('SIGUSR1', () => console.log('told')); setInterval(() => {}, 1000); console.log('ready')",
    NULL};
static const char *const heeds_all[] = {
    "node", "-e",
    "process.on('SIGUSR1', () => console.log('told')); setInterval(() => {}, 1000); console.log('ready')",
    NULL};

/* A program whose own the signal is has it once: it may not live through a second one. */
static void test_node_is_told_once(void **state)
{
    struct stage *s;
    struct dump_process *once, *all;

    (void)state;
    if (!has_program("node"))
        skip();
    s = set_stage(RUNTIME_NONE);
    once = run_program(s, heeds_once);
    all = run_program(s, heeds_all);
    ask(s);
    assert_string_equal(once->runtime_why_not, "it did not answer to SIGUSR1");
    assert_string_equal(all->runtime_why_not, "it did not answer to SIGUSR1");
    assert_true(lives(once) && lives(all));
    cut_answers(s, 0, "ready\nready\ntold\ntold\n");
    end_stage(s);
}

/* One that goes on may have heard of the signal from somebody else. */
static void test_node_that_goes_on(void **state)
{
    struct stage *s;
    struct dump_process *process;

    (void)state;
    if (!has_program("node"))
        skip();
    s = set_stage(RUNTIME_NONE);
    s->wants.may_guess = false;
    process = run_program(s, heeds_once);
    ask(s);
    assert_non_null(strstr(process->runtime_why_not, "its signal may be for something else"));
    cut_answers(s, 0, "ready\n");
    s->choice = (struct dump_runtime_choice){"node*", RUNTIME_NODE};
    process->runtime_why_not = NULL;
    ask(s);
    cut_answers(s, 0, "ready\ntold\n");
    end_stage(s);
}

/* Plays an inspector that says so many things of no meaning before it answers. */
static const char inspector[] =
    "import signal, socket, sys\n"
    "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n"
    "signal.signal(signal.SIGUSR1, lambda *_: None)\n"
    "print('ready', flush=True)\n"
    "signal.sigwait([signal.SIGUSR1])\n"
    "door = socket.create_server(('127.0.0.1', 0))\n"
    "def heard(until):\n"
    "    one, text = door.accept()[0], b''\n"
    "    while not text.endswith(until): text += one.recv(4096)\n"
    "    return one\n"
    "list = b'[{\"webSocketDebuggerUrl\":\"ws://127.0.0.1:1/abc-1\"}]'\n"
    "heard(b'\\r\\n\\r\\n').sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n' % len(list) + "
    "list)\n"
    "one = heard(b'\\r\\n\\r\\n')\n"
    "says = b'{\"id\":1,\"result\":{\"result\":{\"value\":\"here\"}}}'\n"
    "one.sendall(b'HTTP/1.1 101 X\\r\\n\\r\\n' + b'\\x89\\x00' * int(sys.argv[1]) + b'\\x81%c' % len(says) + "
    "says)\n"
    "while one.recv(4096): pass\n"
    "one.close()\n"
    "door.close()\n"
    "signal.pause()\n";

static void test_inspector_that_talks(void **state)
{
    static const struct {
        const char *count;
        bool heard;
    } rows[] = {{"50", true}, {"5000", false}};

    (void)state;
    if (!has_program("python3"))
        skip();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *const words[] = {"python3", "-c", inspector, rows[i].count, NULL};
        struct stage *s = set_stage(RUNTIME_NONE);
        struct dump_process *process;

        s->choice = (struct dump_runtime_choice){"python*", RUNTIME_NODE};
        process = run_program(s, words);
        ask(s);
        if (rows[i].heard)
            says(process, "here");
        else
            assert_non_null(strstr(process->runtime_why_not, "its inspector did not answer"));
        assert_true(lives(process));
        end_stage(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jvms),
        cmocka_unit_test(test_jvm_in_a_root_of_its_own),
        cmocka_unit_test(test_go),
        cmocka_unit_test(test_not_asked),
        cmocka_unit_test(test_lying_memory),
        cmocka_unit_test(test_python),
        cmocka_unit_test(test_python_awaits),
        cmocka_unit_test(test_node),
        cmocka_unit_test(test_node_has_no_port),
        cmocka_unit_test(test_node_is_told_once),
        cmocka_unit_test(test_recognised),
        cmocka_unit_test(test_node_that_goes_on),
        cmocka_unit_test(test_inspector_that_talks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
