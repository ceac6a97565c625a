/*
 * A connection that breaks in the middle of a conversation: run-matrix examples/actors/test_breaks.c
 *
 * A child sends numbers, its parent sends each of them back. One of them breaks the connection after so many, without a
 * goodbye; the other hears that its peer is lost, at once, and is none the worse for it.
 */
#include <run_matrix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES 1000

PARAM(how, enum mx_breaking, MX_BREAK_CLOSE, MX_BREAK_EOF, MX_BREAK_RESET);

/* After how many messages who breaks it; 0: he does not. */
ROWS(
    breaks, struct { int parent, child; });
ROW(breaks, the_child) = {0, 500};
ROW(breaks, the_parent) = {500, 0};
ROW(breaks, the_child_first) = {800, 500};
ROW(breaks, the_parent_first) = {500, 800};

ROLE(child)
{
    char url[120];
    int breaks;
    enum mx_breaking how;
};

/* Sends numbers until the connection is no more; how many came back. */
ACTOR(child)
{
    struct mx_peer *parent = mx_dial(args->url, "10s");
    struct mx_message answer;
    char text[20];

    ASSERT_NOT_NULL(parent);
    for (int i = 1; i <= MESSAGES; i++) {
        if (!mx_send(parent, text, (size_t)snprintf(text, sizeof text, "%d", i)))
            return;
        answer = mx_receive(parent, "10s");
        if (answer.heard != MX_HEARD) {
            EXPECT_EQ(answer.heard, MX_LOST);
            return;
        }
        ASSERT_STR_EQ(answer.bytes, text);
        if (i == args->breaks) {
            mx_break(parent, args->how);
            return;
        }
    }
    FAIL("nobody has broken anything");
}

/* Sends them back; how many there were. */
static int answer(struct mx_peer *child, int breaks, enum mx_breaking how)
{
    for (int i = 1;; i++) {
        struct mx_message message = mx_receive(child, "10s");

        if (message.heard != MX_HEARD) {
            EXPECT_EQ(message.heard, MX_LOST);
            return i - 1;
        }
        ASSERT_EQ(atoi(message.bytes), i);
        if (i == breaks) {
            mx_break(child, how);
            return i;
        }
        mx_send(child, message.bytes, message.len);
    }
}

TEST(breaks, WITH(breaks, how))
{
    struct mx_listener *listener = mx_listen(NULL);
    struct child_role told = {.breaks = breaks.child, .how = how};

    snprintf(told.url, sizeof told.url, "%s", mx_listener_url(listener));
    NURSERY(n)
    {
        struct mx_actor *actor = mx_spawn_at(MX_HERE, n, &mx_role_child, "child", &told,
                                             true); /* SPAWN with a struct that is filled */
        struct mx_peer *child = mx_accept(listener, "10s");

        ASSERT_NOT_NULL(child);
        EXPECT_EQ(answer(child, breaks.parent, how), 500);
        EXPECT_EQ(mx_wait(actor, "10s").came, MX_CAME_TO_END);
    }
}
