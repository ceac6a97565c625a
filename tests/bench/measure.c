/*
 * Runs commands in turns (A B C A B C ...), so that a machine that is slow for a while is so for all of them,
 * with their output thrown away. Prints a line for each: medians of wall and CPU milliseconds, the largest memory in
 * KiB, and medians of its wall time divided by and less that of the first command of the same round:
 *
 *     12.31 11.02 4567 1.000 0.00
 *
 * The memory is that of the command or of the largest process that it waited for, whichever is larger.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MOST   1000
#define COMMANDS_MOST 32
#define IN            "--in="

struct command {
    char **argv;
    const char *folder; /* NULL: ours */
    double wall[ROUNDS_MOST], cpu[ROUNDS_MOST];
    long rss;
};

static double ms_of(struct timeval t)
{
    return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, by_value);
    return values[count / 2];
}

_Noreturn static void become(const struct command *command)
{
    int null = open("/dev/null", O_RDWR);

    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
        _exit(126);
    if (command->folder && chdir(command->folder) < 0)
        _exit(126);
    execvp(command->argv[0], command->argv);
    _exit(127);
}

static bool run_once(struct command *command, int round)
{
    double start = now_ms();
    struct rusage usage;
    int status;
    pid_t pid = fork();

    if (pid == 0)
        become(command);
    if (pid < 0 || wait4(pid, &status, 0, &usage) < 0)
        return false;
    command->wall[round] = now_ms() - start;
    command->cpu[round] = ms_of(usage.ru_utime) + ms_of(usage.ru_stime);
    if (usage.ru_maxrss > command->rss)
        command->rss = usage.ru_maxrss;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    fprintf(stderr, "measure: '%s' ended with status %#x\n", command->argv[0], (unsigned)status);
    return false;
}

static void print(struct command *command, const struct command *first, const double *first_wall, int rounds)
{
    double ratios[ROUNDS_MOST], more[ROUNDS_MOST];

    for (int i = 0; i < rounds; i++) {
        ratios[i] = command->wall[i] / first_wall[i];
        more[i] = command->wall[i] - first_wall[i];
    }
    printf("%.2f %.2f %ld %.3f %.2f\n", median(command->wall, rounds), median(command->cpu, rounds),
           command->rss, command == first ? 1.0 : median(ratios, rounds),
           command == first ? 0.0 : median(more, rounds));
}

/* Each --in=FOLDER begins a command; without one there is a single command. */
static int split(int argc, char **argv, struct command *commands)
{
    int count = 0;

    for (int i = 0; i < argc; i++) {
        bool in = strncmp(argv[i], IN, strlen(IN)) == 0;

        if (!in && i > 0)
            continue;
        if (count == COMMANDS_MOST || argc - i <= in)
            return 0;
        commands[count].argv = argv + i + in;
        commands[count++].folder = in ? argv[i] + strlen(IN) : NULL;
        if (in)
            argv[i] = NULL; /* ends the command before */
    }
    return count;
}

int main(int argc, char **argv)
{
    static struct command commands[COMMANDS_MOST];
    static double first[ROUNDS_MOST];
    long rounds = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
    int count = argc > 2 ? split(argc - 2, argv + 2, commands) : 0;

    if (rounds < 1 || rounds > ROUNDS_MOST || count == 0) {
        fprintf(stderr,
                "usage: measure ROUNDS [--in=FOLDER] COMMAND [ARGUMENT ...] [--in=FOLDER COMMAND ...] ...\n");
        return 4;
    }
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < count; i++)
            if (!run_once(&commands[i], round))
                return 1;
    memcpy(first, commands[0].wall, sizeof first);
    for (int i = 0; i < count; i++)
        print(&commands[i], &commands[0], first, (int)rounds);
    return 0;
}
