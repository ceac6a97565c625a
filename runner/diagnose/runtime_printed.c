/* Answers that are printed, and Go, which prints its own on standard error and exits. */
#include "runner/diagnose/runtime.h"

#include <signal.h>

/* In the first output that has some of it. False: none has. */
static bool find_answer(struct asked *asked, find_printed *find, struct buf *text, uint32_t *output,
                        struct printed *printed)
{
    for (*output = 0; *output < RUNTIME_OUTPUTS; ++*output)
        if (marks_read(asked, *output, text) && find(buf_str(text), printed))
            return true;
    return false;
}

bool answer_take(struct asked *asked, find_printed *find, bool whole)
{
    struct buf text = {0};
    struct printed printed;
    uint32_t output;
    bool found = find_answer(asked, find, &text, &output, &printed) && (printed.whole || !whole);

    if (found) {
        asked->process->runtime_says = asked_text(asked, str_slice(buf_str(&text), printed.from, printed.to));
        marks_answer(asked, output, printed.from, printed.to);
    }
    buf_release(&text);
    return found;
}

void answer_take_late(struct asked *asked, find_printed *find)
{
    if (answer_take(asked, find, true))
        return;
    answer_take(asked, find, false);
    marks_late(asked);
}

/* ---- Go: what it prints is all there when it is dead ---- */

static const char *go_prepare(struct asked *asked)
{
    asked->lane = LANE_OUTPUTS;
    return marks_watch(asked, 2) ? NULL : "it would answer on its standard error, which goes elsewhere";
}

static bool go_look(struct asked *asked)
{
    marks_moved(asked);
    return false;
}

static void go_give_up(struct asked *asked)
{
    answer_take_late(asked, printed_by_go);
}

const struct runtime_way runtime_go = {
    .signal = SIGQUIT,
    .ends = true,
    .prepare = go_prepare,
    .mark = marks_take,
    .look = go_look,
    .give_up = go_give_up,
};
