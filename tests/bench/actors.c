/* Actors that are measured: trees of them, those that do not want to end, and those that print much. See actors.sh. */
#include "tests/bench/lines.h"

#include <run_matrix.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define SIBLINGS 25
#define WRITERS  16

TEST(nothing)
{
    puts("ok");
}

/* ---- a tree: whoever is at the bottom fails ---- */

ROLE(node)
{
    int depth;
};

ACTOR(node)
{
    if (args->depth == 0)
        FAIL("this is the bottom");
    NURSERY(below, .go_on = true)
    {
        SPAWN_SOON(below, node, "left", .depth = args->depth - 1);
        SPAWN_SOON(below, node, "right", .depth = args->depth - 1);
    }
}

TEST(tree)
{
    int depth = (int)number_of("BENCH_DEPTH", 5);

    for (long long trees = number_of("BENCH_TREES", 1); trees > 0; trees--) {
        struct mx_nursery *nursery = mx_nursery(.go_on = true, .collect = true);
        struct mx_outcome outcome;

        SPAWN_SOON(nursery, node, "left", .depth = depth - 1);
        SPAWN_SOON(nursery, node, "right", .depth = depth - 1);
        outcome = mx_close(nursery);
        ASSERT_EQ(mx_errors(&outcome), 1 << depth);
    }
}

/* ---- those that do not want to end ---- */

ROLE(stuck)
{
    int deaf;
};

ACTOR(stuck)
{
    sigset_t all;

    sigfillset(&all);
    if (args->deaf)
        sigprocmask(SIG_BLOCK, &all, NULL);
    for (;;)
        pause();
}

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double cancelled(int siblings, int deaf)
{
    struct mx_nursery *nursery = mx_nursery(.budget = "1s", .collect = true);
    double began;

    for (int i = 0; i < siblings; i++)
        SPAWN(nursery, stuck, "stuck", .deaf = deaf);
    mx_sleep("50ms"); /* by now the last one is stuck, too */
    began = now_ms();
    mx_cancel_all(nursery);
    began = now_ms() - began;
    mx_close(nursery);
    return began;
}

TEST(cancel)
{
    for (int deaf = 0; deaf < 2; deaf++)
        for (long long rounds = number_of("BENCH_ROUNDS", 3); rounds > 0; rounds--) {
            double one = cancelled(1, deaf), all = cancelled(SIBLINGS, deaf);

            printf("%d %.1f %.1f\n", deaf, one, all);
        }
}

/* ---- those that print much ---- */

ROLE(writer)
{
    int who;
    long long bytes;
};

ACTOR(writer)
{
    ASSERT(lines_write(stdout, args->who, args->bytes));
}

TEST(flood)
{
    long long bytes = number_of("BENCH_OUTPUT", 1 << 30) / WRITERS;

    NURSERY(nursery)
    for (int i = 0; i < WRITERS; i++) {
        char name[16];

        snprintf(name, sizeof name, "writer-%d", i);
        SPAWN_SOON(nursery, writer, name, .who = i, .bytes = bytes);
    }
}
