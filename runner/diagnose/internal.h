/* The inside of a dump, in the order in which it is taken. */
#ifndef RM_DIAGNOSE_INTERNAL_H
#define RM_DIAGNOSE_INTERNAL_H

#include "runner/diagnose/diagnose.h"

struct taking {
    struct dump *dump;
    struct arena *arena;
    const struct dump_wants *wants;
    nanos began, until;         /* clock_now() */
    bool over;                  /* nobody wants more of it */
    struct look_before *before; /* what the first look leaves to the second; NULL: there was none */
};

void taking_note(struct taking *taking, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- look.c: everything that /proc and the kernel's tables tell, before anybody is stopped ---- */

/* Fills dump->processes with all but stacks and what runtimes say. Who is gone meanwhile is left out. */
void look_at_all(struct taking *taking);
/* A second look at how much each has computed; at least `apart` after the first. */
void look_at_shares(struct taking *taking, nanos apart);

/* ---- answers.c ---- */

/* False: it is still asking, on a thread that goes on with it; what `user` points to must last. */
bool answers_in_time(void (*how)(void *user), void *user);

/* ---- runtimes.c ---- */

/* Which they are, by their images; asks nobody. */
void runtimes_recognise(struct taking *taking);
/* All at a time, until taking->until. */
void runtimes_ask(struct taking *taking, struct dump_answers *answers);

#endif
