/*
 * A parent that is killed: run-matrix examples/actors/test_orphans.c
 *
 * SIGKILL gives nobody the time to take its children along. They notice, whatever they are doing, and end as if they had been
 * told to: what they have to give back is given back.
 */
#include <poll.h>
#include <run_matrix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

PARAM(busy, const char *, "sleeps", "computes");

ROLE(child)
{
    bool computes;
    char told[200]; /* a file */
};

static void tell(void *path)
{
    FILE *file = fopen(path, "w");

    if (file) {
        fputs("it was torn down\n", file);
        fclose(file);
    }
}

ACTOR(child)
{
    char text[20];

    mx_at_end(tell, (void *)args->told);
    mx_send(mx_parent(), text, (size_t)snprintf(text, sizeof text, "%d", getpid()));
    while (args->computes) /* what waits nowhere has to ask */
        mx_checkpoint();
    mx_sleep("60s");
}

ROLE(parent)
{
    struct child_role child;
};

ACTOR(parent)
{
    NURSERY(n)
    {
        struct mx_actor *child = mx_spawn_at(MX_HERE, n, &mx_role_child, "child", &args->child, true);
        struct mx_message pid = mx_receive(mx_peer_of(child), "10s");

        mx_send(mx_parent(), pid.bytes, pid.len);
        mx_sleep("60s");
    }
}

/* A descriptor tells a process that has ended from one that has its number by chance. */
static bool has_ended(int pidfd)
{
    struct pollfd end = {.fd = pidfd, .events = POLLIN};

    return poll(&end, 1, 0) == 1;
}

TEST(ends_too, WITH(busy))
{
    struct mx_nursery *n = mx_nursery(.collect = 1);
    struct parent_role told = {.child.computes = busy[0] == 'c'};
    struct mx_actor *parent;
    struct mx_message pid;
    struct mx_outcome outcome;
    int child;

    snprintf(told.child.told, sizeof told.child.told, "%s", mx_path("told"));
    parent = mx_spawn_at(MX_HERE, n, &mx_role_parent, "parent", &told, true);
    pid = mx_receive(mx_peer_of(parent), "10s");
    ASSERT_EQ(pid.heard, MX_HEARD);
    child = ASSERT_OK((int)syscall(SYS_pidfd_open, atoi(pid.bytes), 0));

    ASSERT_OK(kill(mx_wait(parent, "1ms").pid, SIGKILL));
    outcome = mx_wait(parent, "10s");
    EXPECT_EQ(outcome.came, MX_DIED);
    EXPECT_EQ(outcome.signal, SIGKILL);
    WAIT_UNTIL(has_ended(child), "10s");
    EXPECT_STR_EQ(mx_read_file(mx_path("told")), "it was torn down\n");
    close(child);
}
