/*
 * Those who talk, without actors around them: who waits attends to nothing else, but for the link of one peer. After
 * <cmocka.h>.
 */
#ifndef TESTS_TALK_STAGE_H
#define TESTS_TALK_STAGE_H

#include "fixtures/actors/internal.h"
#include "tests/unit/tools_stage.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

/* One over the link of an actor; NULL: there is none. */
static struct mx_peer *waits_for;
static struct mx_self self = {.name = "test", .id = ""};

const struct mx_self *mx_self(void)
{
    return &self;
}

static inline void take_of_actor(struct mx_peer *peer)
{
    struct frame frame;
    enum link_news news;

    while (!peer_is_full(peer) && (news = link_hear(peer->link, &frame)) != LINK_SILENT)
        if (news == LINK_FRAME && frame.kind == SAID_MESSAGE)
            peer_take(peer, frame.body);
        else {
            peer_over(peer, news != LINK_FRAME);
            return;
        }
}

int attend(struct pollfd *fds, size_t count, nanos until)
{
    nanos left = until - clock_now();
    int ready = poll(fds, count, !until ? -1 : left <= 0 ? 0 : (int)(left / NS_PER_MS) + 1);

    if (waits_for && !waits_for->over)
        take_of_actor(waits_for);
    return ready;
}

bool attend_until(bool (*done)(const void *user), const void *user, nanos until)
{
    bool late = false;

    while (!done(user) && !late) {
        struct pollfd fd = {.fd = waits_for ? waits_for->link->fd : -1, .events = POLLIN};

        late = until && clock_now() >= until;
        attend(&fd, 1, until);
    }
    return done(user);
}

void actors_must_be_ours(struct spot spot)
{
    (void)spot;
}

struct spot actors_spot(void)
{
    return (struct spot){__FILE__, __LINE__};
}

void actors_refuse(struct spot spot, const char *format, ...)
{
    char text[1000];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    failure(spot.file, spot.line, true, text);
    abort();
}

static inline void ended_well(pid_t child)
{
    int status = -1;

    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

#endif
