/* A JVM and Go, which answer to SIGQUIT on their standard output and standard error. */
#include "runner/diagnose/runtime.h"

#include <signal.h>

typedef bool find_printed(struct str text, struct printed *printed);

/* In the first output that has some of it. False: none has. */
static bool find_answer(struct asked *asked, find_printed *find, struct buf *text, uint32_t *output,
                        struct printed *printed)
{
    for (*output = 0; *output < RUNTIME_OUTPUTS; ++*output)
        if (marks_read(asked, *output, text) && find(buf_str(text), printed))
            return true;
    return false;
}

/* `whole`: nothing but all of it. */
static bool take_answer(struct asked *asked, find_printed *find, bool whole)
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

/* ---- JVM ---- */

static const char *jvm_prepare(struct asked *asked)
{
    asked->lane = LANE_OUTPUTS;
    return marks_watch(asked, 1) ? NULL : "it would answer on its standard output, which goes elsewhere";
}

static bool jvm_look(struct asked *asked)
{
    return marks_moved(asked) && take_answer(asked, printed_by_jvm, true);
}

static void jvm_give_up(struct asked *asked)
{
    take_answer(asked, printed_by_jvm, false);
}

const struct runtime_way runtime_jvm = {
    .signal = SIGQUIT,
    .prepare = jvm_prepare,
    .mark = marks_take,
    .look = jvm_look,
    .give_up = jvm_give_up,
};

/* ---- Go: it prints, and exits; what it prints is all there when it is dead ---- */

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
    take_answer(asked, printed_by_go, false);
}

const struct runtime_way runtime_go = {
    .signal = SIGQUIT,
    .ends = true,
    .prepare = go_prepare,
    .mark = marks_take,
    .look = go_look,
    .give_up = go_give_up,
};
