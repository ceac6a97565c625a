/* Who is there, and how it is known that they hang. */
#include "tests/hangs/hang.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define COMERS_MOST 32
#define LOOK_TEXT   4096

/* In memory that forked ones share. By path, since a number is another one in another namespace: "4711/task/4712". */
static struct board {
    atomic_uint taken, count;
    char who[COMERS_MOST][64];
    pthread_barrier_t two;
} * board;

static void make_board(void)
{
    pthread_barrierattr_t shared;

    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED)
        exit(broken("mmap"));
    pthread_barrierattr_init(&shared);
    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&board->two, &shared, 2);
}

void hang_meets(void)
{
    pthread_barrier_wait(&board->two);
}

void hang_comes(void)
{
    unsigned place = atomic_fetch_add(&board->taken, 1);

    if (place >= COMERS_MOST || readlink("/proc/thread-self", board->who[place], sizeof *board->who - 1) < 0)
        exit(broken("/proc/thread-self"));
    atomic_fetch_add(&board->count, 1);
}

/* ---- who looks ---- */

static size_t look_at(const char *who, const char *file, char *text, size_t room)
{
    char path[128];
    ssize_t got = -1;
    int fd;

    snprintf(path, sizeof path, "/proc/%s/%s", who, file);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        got = read(fd, text, room - 1);
        close(fd);
    }
    text[got > 0 ? got : 0] = '\0';
    return strlen(text);
}

/* What does not change while somebody sleeps: its state, how often it was given a processor, its call if that may be read. */
static bool sleeps(const char *who, char *text)
{
    size_t length = look_at(who, "status", text, LOOK_TEXT / 2);
    const char *state = strstr(text, "\nState:\t");

    look_at(who, "syscall", text + length, LOOK_TEXT - length);
    return state && strchr("STtZ", state[8]);
}

static void *look_until_all_sleep(void *arg)
{
    static char before[COMERS_MOST][LOOK_TEXT], now[LOOK_TEXT];
    unsigned count = *(unsigned *)arg, asleep = 0;

    while (asleep < count) {
        sleep_ms(5);
        asleep = 0;
        for (unsigned i = 0; i < count && atomic_load(&board->count) >= count; i++) {
            asleep += sleeps(board->who[i], now) && strcmp(now, before[i]) == 0;
            strcpy(before[i], now);
        }
    }
    say("ready");
    return NULL;
}

/* It ends before anybody looks at those who hang, or is about to: a thread more, that does nothing. */
void hang_ready_when(unsigned count)
{
    static unsigned expected;

    expected = count;
    pthread_detach(hang_thread("looks", look_until_all_sleep, &expected));
}

/* ---- the rest ---- */

pthread_t hang_thread(const char *name, void *(*body)(void *), void *arg)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, body, arg) != 0)
        exit(broken("thread"));
    pthread_setname_np(thread, name);
    return thread;
}

static const struct kid *const tables[] = {
    hangs_threads, hangs_pipes, hangs_sockets, hangs_processes, hangs_names, hangs_refuse,
};

int main(int argc, char **argv)
{
    limit_life(KID_LIFE);
    make_board();
    for (size_t i = 0; i < LENGTH(tables); i++)
        for (const struct kid *hang = tables[i]; hang->name; hang++)
            if (argc > 1 + hang->least && strcmp(argv[1], hang->name) == 0)
                return hang->act(argv + 2);
    for (size_t i = 0; i < LENGTH(tables); i++)
        for (const struct kid *hang = tables[i]; hang->name; hang++)
            fprintf(stderr, "hang %s\n    %s\n", hang->name, hang->what);
    return 99;
}
