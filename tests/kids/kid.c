/*
 * A program that misbehaves: kid NAME [ARGS]. One that waits prints the line "ready" first, when whatever it does to
 * signals, sessions and children is done: who reads it need not sleep.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))
#define MIB           (1 << 20)

/* ---- help ---- */

static int broken(const char *what)
{
    fprintf(stderr, "kid: %s: %s\n", what, strerror(errno));
    return 99;
}

static void say(const char *line)
{
    puts(line);
    fflush(stdout);
}

static int wait_for_ever(void)
{
    say("ready");
    while (pause() < 0)
        ;
    return 99;
}

/* Digits alone; atol would take anything. */
static long number(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);

    if (end == text || *end || value < 0) {
        fprintf(stderr, "kid: '%s' is no number\n", text);
        exit(99);
    }
    return value;
}

static const struct {
    const char *name;
    int number;
} signals[] = {
    {"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"ABRT", SIGABRT},
    {"KILL", SIGKILL}, {"USR1", SIGUSR1}, {"SEGV", SIGSEGV}, {"USR2", SIGUSR2},
    {"PIPE", SIGPIPE}, {"ALRM", SIGALRM}, {"TERM", SIGTERM}, {"STOP", SIGSTOP},
};

static int signal_of(const char *name)
{
    for (size_t i = 0; i < LENGTH(signals); i++)
        if (strcmp(name, signals[i].name) == 0)
            return signals[i].number;
    return (int)number(name);
}

static void ignore(int signal)
{
    sigaction(signal, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
}

static void wait_for_signal(int wanted)
{
    sigset_t set;
    int got;

    sigemptyset(&set);
    sigaddset(&set, wanted);
    sigprocmask(SIG_BLOCK, &set, NULL);
    say("ready");
    sigwait(&set, &got);
}

static void sleep_ms(long ms)
{
    struct timespec rest = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    while (nanosleep(&rest, &rest) < 0 && errno == EINTR)
        ;
}

static _Noreturn void be_child(bool own_session, bool twice, const int ready[2])
{
    if (own_session)
        setsid();
    if (twice && fork() > 0)
        _exit(0);
    printf("%ld\n", (long)getpid());
    fflush(stdout);
    close(ready[0]);
    close(ready[1]);
    for (;;)
        pause();
}

/* Returns when the child has said its pid, which it does once it is where it should be. It waits to be killed. */
static int leave_child(bool own_session, bool twice)
{
    int ready[2];
    char byte;
    pid_t pid;

    if (pipe2(ready, O_CLOEXEC) < 0)
        return broken("pipe");
    fflush(stdout);
    pid = fork();
    if (pid < 0)
        return broken("fork");
    if (pid == 0)
        be_child(own_session, twice, ready);
    close(ready[1]);
    if (twice)
        waitpid(pid, NULL, 0);
    return read(ready[0], &byte, 1) < 0 ? broken("read") : 0;
}

/* ---- ends ---- */

static int exit_with(char **args)
{
    return (int)number(args[0]);
}

static int kill_self(char **args)
{
    kill(getpid(), signal_of(args[0]));
    return wait_for_ever();
}

static int segv(char **args)
{
    (void)args;
    raise(SIGSEGV); /* a null pointer would be a finding of every sanitizer */
    return 99;
}

static int abort_self(char **args)
{
    (void)args;
    abort();
}

/* ---- stays ---- */

static int hang(char **args)
{
    (void)args;
    return wait_for_ever();
}

static int stubborn(char **args)
{
    (void)args;
    ignore(SIGINT);
    ignore(SIGTERM);
    return wait_for_ever();
}

static int stubborn_int(char **args)
{
    (void)args;
    ignore(SIGINT);
    return wait_for_ever();
}

static int slow_int(char **args)
{
    wait_for_signal(SIGINT);
    sleep_ms(number(args[0]));
    return 0;
}

static int exit_on_int(char **args)
{
    (void)args;
    wait_for_signal(SIGINT);
    return 0;
}

static int stopped(char **args)
{
    (void)args;
    say("ready");
    raise(SIGSTOP);
    say("continued");
    return 0;
}

static int sleep_for(char **args)
{
    say("ready");
    sleep_ms(number(args[0]));
    return 0;
}

static int spin(char **args)
{
    (void)args;
    say("ready");
    for (volatile bool on = true; on;)
        ;
    return 99;
}

/* ---- writes ---- */

static int flood(char **args)
{
    static char block[64 << 10];
    long left = number(args[0]);
    int fd = args[1] && strcmp(args[1], "stderr") == 0 ? 2 : 1;

    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (i + 1) % 64 ? (char)('a' + i % 26) : '\n';
    while (left > 0) {
        ssize_t wrote = write(fd, block, left < (long)sizeof block ? (size_t)left : sizeof block);

        if (wrote < 0)
            return broken("write");
        left -= wrote;
    }
    return 0;
}

static int lines(char **args)
{
    long count = number(args[0]);

    for (long i = 1; i <= count; i++)
        printf("line %ld\n", i);
    return 0;
}

static int garbage(char **args)
{
    static const char bytes[] =
        "before \x1b[31mred\x1b]0;title\a \0 nul \xff\xc0\x80 bytes ]]> <tag> &amp; \r\b\x7f "
        "\xe2\x80\xae turned \xef\xbf\xbf\n\x1b[2Jno newline";

    (void)args;
    fwrite(bytes, 1, sizeof bytes - 1, stdout);
    fwrite(bytes, 1, sizeof bytes - 1, stderr);
    return 1;
}

static int megaline(char **args)
{
    (void)args;
    for (int i = 0; i < MIB; i++)
        putchar('x');
    return 1;
}

static int print(char **args)
{
    say(args[0]);
    return 0;
}

static int complain(char **args)
{
    fprintf(stderr, "%s\n", args[0]);
    return 1;
}

/* ---- leaves something behind ---- */

/* Its stdout is the case's own. */
static int grandchild_holds(char **args)
{
    (void)args;
    return leave_child(false, false);
}

static int daemonize(char **args)
{
    (void)args;
    return leave_child(true, true);
}

static int group_escape(char **args)
{
    int result = leave_child(true, false);

    (void)args;
    return result ? result : wait_for_ever();
}

/* N children that each hold on to the group. */
static int forkstorm(char **args)
{
    long count = number(args[0]);

    for (long i = 0; i < count; i++) {
        pid_t pid = fork();

        if (pid < 0)
            return broken("fork");
        if (pid == 0)
            for (;;)
                pause();
    }
    return wait_for_ever();
}

/* ---- tells what it sees ---- */

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* "0 1 2", less the one it looks through. */
static int fds(char **args)
{
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *entry;
    int found[1024];
    size_t count = 0;

    (void)args;
    if (!dir)
        return broken("/proc/self/fd");
    while ((entry = readdir(dir)) && count < LENGTH(found))
        if (isdigit((unsigned char)entry->d_name[0]) && (int)number(entry->d_name) != dirfd(dir))
            found[count++] = (int)number(entry->d_name);
    closedir(dir);
    qsort(found, count, sizeof *found, by_number);
    for (size_t i = 0; i < count; i++)
        printf("%s%d", i ? " " : "", found[i]);
    puts("");
    return 0;
}

/* "SigBlk 0000000000000000", "SigIgn ..." and "SigCgt ...". */
static int signals_seen(char **args)
{
    FILE *status = fopen("/proc/self/status", "re");
    char line[256], word[16], mask[32];

    (void)args;
    if (!status)
        return broken("/proc/self/status");
    while (fgets(line, sizeof line, status))
        if (sscanf(line, "%15[^:]: %31s", word, mask) == 2 &&
            (!strcmp(word, "SigBlk") || !strcmp(word, "SigIgn") || !strcmp(word, "SigCgt")))
            printf("%s %s\n", word, mask);
    fclose(status);
    return 0;
}

static int variable(char **args)
{
    const char *value = getenv(args[0]);

    if (!value)
        return 1;
    say(value);
    return 0;
}

static int ids(char **args)
{
    (void)args;
    printf("%ld %ld %ld\n", (long)getpid(), (long)getpgrp(), (long)getsid(0));
    return 0;
}

static int folder(char **args)
{
    char *path = getcwd(NULL, 0);

    (void)args;
    if (!path)
        return broken("getcwd");
    say(path);
    free(path);
    return 0;
}

/* What somebody types, from the terminal and not from stdin. */
static int tty(char **args)
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    char line[256];
    ssize_t got;

    (void)args;
    if (fd < 0)
        return broken("/dev/tty");
    say("ready");
    got = read(fd, line, sizeof line);
    if (got < 0)
        return broken("read");
    printf("read %.*s", (int)got, line);
    return 0;
}

/* Leaves the terminal without echo. */
static int termios_spoilt(char **args)
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    struct termios modes;

    (void)args;
    ignore(SIGTTOU);
    if (fd < 0 || tcgetattr(fd, &modes) < 0)
        return broken("/dev/tty");
    modes.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
    return tcsetattr(fd, TCSANOW, &modes) < 0 ? broken("tcsetattr") : 0;
}

/* ---- with others ---- */

static int touch(char **args)
{
    int fd = open(args[0], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

    return fd < 0 || close(fd) < 0 ? broken(args[0]) : 0;
}

/* Fails as long as FILE has less than N bytes, and adds one. */
static int flaky(char **args)
{
    int fd = open(args[0], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    off_t before = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

    if (before < 0 || write(fd, "x", 1) != 1)
        return broken(args[0]);
    printf("attempt %ld\n", (long)before + 1);
    return before < number(args[1]);
}

/* Opens FIFOs for writing, one after another: each waits until somebody reads it. */
static int barrier(char **args)
{
    say("ready");
    for (; *args; args++) {
        int fd = open(*args, O_WRONLY | O_CLOEXEC);

        if (fd < 0)
            return broken(*args);
        close(fd);
    }
    return 0;
}

/* ---- which ---- */

static const struct kid {
    const char *name, *args, *what;
    int least; /* arguments */
    int (*act)(char **args);
} kids[] = {
    {"exit", "N", "exits with N", 1, exit_with},
    {"kill", "SIG", "sends itself a signal, by name or number", 1, kill_self},
    {"segv", "", "dies of SIGSEGV", 0, segv},
    {"abort", "", "dies of SIGABRT", 0, abort_self},
    {"hang", "", "waits for ever", 0, hang},
    {"sleep", "MS", "exits 0 after a while", 1, sleep_for},
    {"spin", "", "burns a processor for ever", 0, spin},
    {"stubborn", "", "ignores INT and TERM", 0, stubborn},
    {"stubborn-int", "", "ignores INT", 0, stubborn_int},
    {"slow-int", "MS", "exits 0 that long after INT", 1, slow_int},
    {"ignore-then-exit0", "", "exits 0 upon INT", 0, exit_on_int},
    {"stopped", "", "stops itself; exits 0 when it is continued", 0, stopped},
    {"flood", "BYTES [stdout|stderr]", "writes so much in lines of 64", 1, flood},
    {"lines", "N", "writes lines with numbers", 1, lines},
    {"garbage", "", "writes what spoils reports and terminals, to both streams; exits 1", 0, garbage},
    {"megaline", "", "writes a MiB without newline; exits 1", 0, megaline},
    {"print", "TEXT", "prints a line", 1, print},
    {"complain", "TEXT", "prints a line to stderr; exits 1", 1, complain},
    {"grandchild-holds", "", "leaves a child that keeps stdout; prints its pid, exits 0", 0,
     grandchild_holds},
    {"daemon", "", "leaves a daemon in a session of its own; prints its pid, exits 0", 0, daemonize},
    {"group-escape", "", "has a child in another session, prints its pid, and waits", 0, group_escape},
    {"forkstorm", "N", "has N children, and waits with them", 1, forkstorm},
    {"fds", "", "prints its open descriptors", 0, fds},
    {"signals", "", "prints the masks of signals that are blocked, ignored and handled", 0, signals_seen},
    {"env", "NAME", "prints a variable; exits 1 when it is not set", 1, variable},
    {"ids", "", "prints pid, process group and session", 0, ids},
    {"cwd", "", "prints its folder", 0, folder},
    {"tty", "", "reads a line from its terminal and prints it", 0, tty},
    {"termios", "", "leaves its terminal without echo", 0, termios_spoilt},
    {"touch", "FILE", "makes a file", 1, touch},
    {"flaky", "FILE N", "fails the first N times, which it counts by the size of FILE", 2, flaky},
    {"barrier", "FIFO...", "opens FIFOs for writing, which waits for readers", 1, barrier},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < LENGTH(kids); i++)
        if (strcmp(argv[1], kids[i].name) == 0 && argc - 2 >= kids[i].least)
            return kids[i].act(argv + 2);
    for (size_t i = 0; i < LENGTH(kids); i++)
        fprintf(stderr, "kid %s %s\n    %s\n", kids[i].name, kids[i].args, kids[i].what);
    return 99;
}
