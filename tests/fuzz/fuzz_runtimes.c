/* Any bytes as what a runtime prints, and as what its inspector sends. */
#include "runner/diagnose/runtime.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(bool good)
{
    if (!good)
        abort();
}

static void check_printed(struct str text, find_printed *find)
{
    struct printed printed;

    if (find(text, &printed))
        check(printed.from <= printed.to && printed.to <= text.len);
}

static void check_inspector(struct str text)
{
    struct printed printed;

    for (size_t at = 0; printed_by_node(text, at, &printed); at = printed.to)
        check(printed.from >= at && printed.to > printed.from && printed.to <= text.len);
}

static void check_frames(struct str in)
{
    struct str text;
    size_t taken;

    for (enum talk_frame frame = TALK_OTHER; frame == TALK_OTHER || frame == TALK_TEXT;) {
        frame = talk_next(in, &text, &taken);
        check(taken <= in.len && text.len <= taken);
        check(taken > 0 || (frame != TALK_TEXT && frame != TALK_OTHER));
        in = str_slice(in, taken, in.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct str text = {(const char *)bytes, size};
    struct buf says = {0};
    unsigned status;
    size_t body;

    check_printed(text, printed_by_jvm);
    check_printed(text, printed_by_go);
    check_inspector(text);
    check(talk_head(text, &status, &body) <= size);
    check_frames(text);
    talk_text(text, "value", 3, &says);
    check(talk_number(text, "id") <= 1000);
    buf_release(&says);
    return 0;
}
