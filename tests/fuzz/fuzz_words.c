/*
 * What actors tell of themselves: whatever comes is refused, or holds together, and then it is the same again when it is
 * passed on.
 */
#include "fixtures/actors/internal.h"
#include "runner/base/mem.h"

#include <stdlib.h>
#include <string.h>

const struct mx_module mx_module = {
    0}; /* what includes the library's headers asks for it: there are no tests here */

static void must(bool is)
{
    if (!is)
        abort();
}

/* All of it is there, and ends. */
static size_t look_at(const struct mx_outcome *outcome)
{
    size_t size =
        strlen(outcome->name) + strlen(outcome->id) + strlen(outcome->words) + strlen(outcome->last_words);

    must(outcome->came <= MX_VANISHED);
    for (size_t i = 0; i < outcome->count; i++)
        size += look_at(&outcome->children[i]);
    return size;
}

/* What has a NUL in it is cut there, and what is long is cut: that is done once. */
static void outcome_again(struct str body)
{
    struct mx_outcome outcome, again;
    struct buf once = {0}, twice = {0};

    if (!outcome_unpack(body, &outcome)) {
        must(!outcome.name && !outcome.children && !outcome.count);
        return;
    }
    outcome_pack(&once, &outcome);
    must(once.len <= FRAME_BODY_MOST && outcome_unpack(buf_str(&once), &again));
    must(look_at(&again) <= look_at(&outcome));
    outcome_pack(&twice, &again);
    must(str_eq(buf_str(&once), buf_str(&twice)));
    outcome_free(&outcome);
    outcome_free(&again);
    buf_release(&once);
    buf_release(&twice);
}

static void spec_again(struct str body)
{
    struct spec spec;
    struct buf again = {0};

    if (!spec_unpack(body, &spec))
        return;
    spec_pack(&again, &spec);
    must(str_eq(buf_str(&again), body));
    buf_release(&again);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    outcome_again((struct str){(const char *)bytes, size});
    spec_again((struct str){(const char *)bytes, size});
    return 0;
}
