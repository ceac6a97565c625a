/*
 * The file of a soak, by whomever: it is refused, or told of and taken up within bounds. Its heads and digests are right, and what
 * is asked for in its input is made of rules, so that more is looked at than whether it is one.
 */
#include "runner/base/dir.h"
#include "runner/base/hash.h"
#include "runner/soak/result.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK       4096
#define PROVES_FROM 240 /* few: a plan to prove a rate takes longer than all else */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum made {
    MADE_TEXT = 1,    /* names and values of cases */
    MADE_NUMBERS = 2, /* what they have come to */
    MADE_KINDS = 4,   /* and of what kinds their failures are */
};

/* What follows is the fuzzer's, as far as it goes. */
struct input {
    uint8_t count, copies, text_size, below, at_high, at_low, made;
};

/* What is left of it. */
struct rest {
    const uint8_t *bytes;
    size_t size;
};

static uint8_t take(struct rest *rest)
{
    if (!rest->size)
        return 0;
    rest->size--;
    return *rest->bytes++;
}

/* ---- made of rules ---- */

static void make_text(uint32_t count, struct buf *text)
{
    static const char *const tests[] = {"t", "u\n\x1b[1m", "v"};
    static const struct soak_value all[] = {{STR("a"), STR("1")},
                                            {STR("a"), STR("2")},
                                            {STR("b"), STR("x")},
                                            {STR("b"), STR("y")},
                                            {STR("b"), STR("z")}};
    struct soak_case one;

    for (uint32_t i = 0; i < count; i++) {
        struct soak_value values[2] = {all[i % 2], all[2 + i % 3]};

        one = (struct soak_case){.id = str_of("a case"), .test = str_of(tests[i % 3]), .values = values};
        one.value_count = i % 4 == 3 ? 0 : 2;
        cases_write(&one, 1, text);
    }
}

static void make_numbers(const struct state *state, struct rest *rest)
{
    struct state_totals *totals = &state->head->totals;

    for (uint32_t i = 0; i < state->head->fixed.count; i++) {
        struct state_case *record = &state->cases[i];

        for (int v = 0; v < VERDICT_COUNT; v++) {
            record->verdicts[v] = take(rest);
            record->counts[verdict_counts((enum verdict)v)] += record->verdicts[v];
            record->begun += (uint32_t)record->verdicts[v];
        }
        record->sum = take(rest) * NS_PER_S;
        totals->attempts += record_attempts(record);
        totals->failures += record_failures(record);
        totals->passed_over += record_passed_over(record);
    }
    totals->taken = take(rest) * NS_PER_S;
    totals->end = take(rest) % (SOAK_UNDECIDED + 1);
}

static void make_kinds(const struct state *state, struct rest *rest)
{
    struct state_totals *totals = &state->head->totals;

    totals->kinds = take(rest) % 16U;
    for (uint32_t i = 0; i < totals->kinds; i++) {
        struct state_kind *kind = &state->kinds[i];

        kind->hash = i;
        kind->count = take(rest);
        kind->number = take(rest) % state->head->fixed.count;
        kind->verdict = VERDICT_FAILED;
        kind->reason_len = kind->place_len = kind->signature_len = 4;
        for (int c = 0; c < 4; c++)
            kind->reason[c] = kind->place[c] = kind->signature[c] = (char)take(rest);
        state->pairs[totals->pairs++] = (struct state_pair){i, kind->number, kind->count};
    }
}

/* ---- the file ---- */

static void put_text(struct state_head *head, const struct input *input, struct rest *rest,
                     const struct buf *made)
{
    char *text = (char *)head + state_size(&head->fixed) - head->fixed.text_size;
    size_t room = rest->size / 2 < input->text_size ? rest->size / 2 : input->text_size;

    if (made->len) {
        memcpy(text, made->ptr, made->len);
    } else {
        memcpy(text, rest->bytes, room);
        rest->bytes += room;
        rest->size -= room;
    }
    head->fixed.text_digest = hash_add(HASH_START, (struct str){text, (size_t)head->fixed.text_size});
    head->fixed_digest = state_digest(&head->fixed);
}

/* What nothing else has taken stands anywhere behind the fixed head. */
static void put_anywhere(char *file, size_t all, const struct input *input, const struct rest *rest)
{
    size_t from = offsetof(struct state_head, plan);
    size_t at = from + (size_t)(input->at_high << 8 | input->at_low) % (all - from);

    memcpy(file + at, rest->bytes, rest->size < all - at ? rest->size : all - at);
}

static char *make_file(struct rest rest, size_t *all)
{
    struct state_fixed fixed = {.magic = STATE_MAGIC, .version = STATE_VERSION, .verdicts = VERDICT_COUNT};
    struct input input;
    struct state state;
    struct buf text = {0};
    const char *why;

    memcpy(&input, rest.bytes, sizeof input);
    rest.bytes += sizeof input;
    rest.size -= sizeof input;
    fixed.count = input.count % 8U + 1;
    fixed.copies = input.copies % 3U + 1;
    if (input.made & MADE_TEXT)
        make_text(fixed.count, &text);
    fixed.text_size = text.len ? text.len : input.text_size;
    fixed.below = input.below < PROVES_FROM ? 0 : input.below / 2000.0;
    fixed.confidence = 0.95;
    *all = state_size(&fixed);
    state.head = mem_zero(1, *all);
    state.head->fixed = fixed;
    put_text(state.head, &input, &rest, &text);
    buf_release(&text);
    if (!state_lay_out(&state, state.head, *all, &why))
        abort();
    if (input.made & MADE_NUMBERS)
        make_numbers(&state, &rest);
    if (input.made & MADE_KINDS)
        make_kinds(&state, &rest);
    put_anywhere((char *)state.head, *all, &input, &rest);
    return (char *)state.head;
}

/* Most of it is nothing, and need not be written. */
static void write_file(int folder, const char *file, size_t all)
{
    static const char nothing[BLOCK];
    int fd = openat(folder, SOAK_STATE_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || ftruncate(fd, (off_t)all) < 0)
        abort();
    for (size_t at = 0; at < all; at += BLOCK) {
        size_t size = all - at < BLOCK ? all - at : BLOCK;

        if (memcmp(file + at, nothing, size) != 0 && pwrite(fd, file + at, size, (off_t)at) != (ssize_t)size)
            abort();
    }
    close(fd);
}

/* ---- what is made of it ---- */

static void is_text(const struct buf *text)
{
    for (size_t i = 0; i < text->len; i++)
        if ((unsigned char)text->ptr[i] < ' ' && text->ptr[i] != '\n')
            abort();
}

static void check_result(const struct soak_result *result)
{
    struct buf text = {0};

    soak_result_text(result, false, 1, &text);
    is_text(&text);
    buf_clear(&text);
    soak_result_json(result, &text);
    if (memchr(text.ptr, '\n', text.len))
        abort();
    buf_release(&text);
}

static void run_one(struct soak *soak, enum verdict verdict, nanos now)
{
    struct soak_outcome outcome = {
        .verdict = verdict, .duration = NS_PER_S, .reason = str_of("it failed"), .place = str_of("x.c:1")};
    uint32_t number, copy;

    if (!soak_next(soak, &number, &copy))
        return;
    outcome.attempt = soak_begin(soak, number);
    soak_ended(soak, number, copy, &outcome, now);
}

static void take_up(int folder, const struct soak_result *result, struct arena *arena)
{
    struct diags diags = {.arena = arena};
    struct soak_plan more = {.count = 300, .jobs = 2};
    struct soak *soak = soak_open(folder, &more, result->cases, result->count, true, &diags);
    struct buf text = {0};
    nanos now;

    if (!soak != (diags.errors == 1))
        abort();
    if (!soak)
        return;
    now = soak_taken(soak);
    soak_tell_plan(soak, &text);
    run_one(soak, VERDICT_PASSED, now);
    run_one(soak, VERDICT_SKIPPED, now);
    run_one(soak, VERDICT_FAILED, now);
    soak_where(soak, now);
    soak_tell_line(soak, now, 0, &text);
    is_text(&text);
    buf_release(&text);
    soak_close(soak);
}

/* One for all: it is gone when all is over. */
static char folder_path[] = "/tmp/fuzz_soak-XXXXXX";

static void remove_folder(void)
{
    dir_remove(AT_FDCWD, folder_path);
}

static int the_folder(void)
{
    static int folder = -1;

    if (folder >= 0)
        return folder;
    if (!mkdtemp(folder_path) || atexit(remove_folder) != 0)
        abort();
    folder = dir_open(AT_FDCWD, folder_path);
    return folder;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    const struct soak_result *result;
    int folder = the_folder();
    char *file;
    size_t all;

    if (size < sizeof(struct input))
        return 0;
    file = make_file((struct rest){bytes, size}, &all);
    write_file(folder, file, all);
    free(file);
    result = soak_read(folder, "here", &arena, &diags);
    if (!result != (diags.errors == 1))
        abort();
    if (result) {
        check_result(result);
        take_up(folder, result, &arena);
    }
    arena_release(&arena);
    return 0;
}
