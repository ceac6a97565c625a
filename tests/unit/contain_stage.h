/* A containment with places to put cases in. */
#ifndef TESTS_CONTAIN_STAGE_H
#define TESTS_CONTAIN_STAGE_H

#include "runner/base/mem.h"
#include "runner/harness/contain_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PLACES 3

struct stage {
    struct contain *contain; /* NULL: it cannot be had here, and why was said */
    struct contain_place *places[PLACES];
    struct census machine;
};

static inline struct stage *stage_open(const char *word)
{
    struct stage *stage = mem_zero(1, sizeof *stage);
    struct buf why = {0};
    char id[32];

    snprintf(id, sizeof id, "test-%ld", (long)getpid());
    stage->contain = contain_open(word, id, PLACES, &why);
    if (stage->contain)
        assert_int_equal(contain_start(stage->contain), 0);
    else
        print_message("%s\n", buf_text(&why));
    for (uint32_t i = 0; stage->contain && i < PLACES; i++)
        stage->places[i] = contain_place(stage->contain, i);
    buf_release(&why);
    return stage;
}

static inline int close_stage(void **state)
{
    struct stage *stage = *state;

    contain_close(stage->contain);
    census_release(&stage->machine);
    free(stage);
    return 0;
}

#endif
