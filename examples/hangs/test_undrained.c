/*
 * Fourteen actors and a test that hang on a pipe which nobody drains: run-matrix examples/hangs, and see what the dump says.
 *
 * The test has put a pipe where its standard output was, as whoever wants to look at output does, and would read it when all is
 * over. Its actors write more than a pipe holds. Those that have started them wait for their end; so does the test.
 */
#include <run_matrix.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BREADTH 2

ROLE(talker){};

static void tells_a_long_story(void)
{
    static const char *const line = "and then, after a while, something else happened\n";

    for (;;)
        write(STDOUT_FILENO, line, strlen(line));
}

ACTOR(talker)
{
    tells_a_long_story();
}

/* What it is told is a copy of this struct, whatever the process that it becomes. */
ROLE(spawner)
{
    int depth;
};

static void spawn(struct mx_nursery *nursery, int depth)
{
    char name[32];

    for (int i = 0; i < BREADTH; i++) {
        snprintf(name, sizeof name, "%s-%d", depth >= 0 ? "spawner" : "talker", i);
        if (depth >= 0)
            SPAWN(nursery, spawner, name, .depth = depth);
        else
            SPAWN(nursery, talker, name);
    }
}

ACTOR(spawner)
{
    NURSERY(n)
    {
        spawn(n, args->depth - 1);
    }
}

TEST(nobody_drains)
{
    char text[4096];
    int ends[2];

    ASSERT_EQ(pipe(ends), 0);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[1]);
    NURSERY(n)
    {
        spawn(n, 1);
    }
    EXPECT_GT(read(ends[0], text, sizeof text), 0);
}
