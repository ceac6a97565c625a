/* What is said of fixtures, and what is on record of them. */
#include "runner/fixture_internal.h"

#include "runner/base/sig.h"
#include "runner/base/utf8.h"
#include "runner/plan_record.h"

#define LAST_WORDS_MOST 300

/* ---- pieces ---- */

static void add_end(struct buf *out, int status, int signal)
{
    if (signal)
        buf_addf(out, "died (%s)", signal_name(signal));
    else
        buf_addf(out, "ended with exit status %d", status);
}

/* What it wrote last, to stderr if it wrote there. */
static void add_last_words(struct buf *out, const struct fixture_process *process)
{
    struct buf line = {0};

    for (int i = 1; i >= 0 && process->captured && !line.len; i--)
        if (process->capture.files[i].fd >= 0)
            capture_last_line(&process->capture.files[i], LAST_WORDS_MOST, &line);
    if (line.len) {
        buf_adds(out, "; its last words: ");
        utf8_show(out, buf_str(&line));
    }
    buf_release(&line);
}

static void add_span(struct buf *out, nanos span)
{
    span_format(out, span);
}

static const char *taken(struct instance *instance, struct buf *text)
{
    const char *words = arena_cstr(&instance->arena, buf_str(text));

    buf_release(text);
    return words;
}

/* Somebody else is there: that is why it could not bind. */
static void add_taken_address(struct buf *out, const struct instance *instance)
{
    for (uint32_t i = 0; i < instance->need_count; i++) {
        const struct instance *need = instance->needs[i];
        struct buf url = {0};

        if (need->recipe.kind != FIXTURE_ADDRESS || !address_is_taken(&need->address))
            continue;
        address_url(&need->address, &url);
        buf_addf(out, "; its address %s is taken by somebody else", buf_text(&url));
        buf_release(&url);
    }
}

static void add_place(struct buf *out, struct instance *instance, const char *key, struct place at)
{
    const char *place = place_text(&instance->arena, at);

    buf_addf(out, *place ? "; raise '%s' at %s" : "; raise it with '%s'", key, place);
}

/* ---- failures ---- */

static void say_run(struct buf *out, const struct session *s, struct instance *instance, int status,
                    int signal, bool late)
{
    buf_addf(out, "fixture '%.*s' ", STR_ARG(instance->fixture->name));
    if (late) {
        buf_adds(out, "was not made within ");
        add_span(out, instance->recipe.timeout);
        add_place(out, instance, "timeout", instance->recipe.timeout_at);
        add_dump(out, s, &instance->main);
    } else {
        buf_adds(out, "could not be made: its command ");
        add_end(out, status, signal);
    }
    add_last_words(out, &instance->main);
}

static void say_never_ready(struct buf *out, const struct session *s, struct instance *instance)
{
    buf_addf(out, "fixture '%.*s' was not ready within ", STR_ARG(instance->fixture->name));
    add_span(out, instance->recipe.within);
    buf_adds(out, ": ");
    if (instance->recipe.ready == READY_COMMAND) {
        buf_addf(out, "its command was tried %u time%s, and ", instance->ready.tries,
                 instance->ready.tries == 1 ? "" : "s");
        if (instance->side.seat || instance->side.ending.cause)
            buf_adds(out, "had not ended then");
        else
            add_end(out, instance->side.ending.status, instance->side.ending.signal);
    } else if (instance->recipe.ready == READY_AT_ONCE) {
        buf_adds(out, "it did not get as far as its program");
    } else {
        ready_words(&instance->ready, out);
    }
    add_place(out, instance, "within", instance->recipe.ready_at);
    add_dump(out, s, &instance->main);
    add_last_words(out, &instance->main);
}

static void say_dead_in_boot(struct buf *out, struct instance *instance, int status, int signal)
{
    buf_addf(out, "fixture '%.*s' ", STR_ARG(instance->fixture->name));
    add_end(out, status, signal);
    buf_adds(out, " before it was ready");
    if (!signal && !status)
        buf_adds(out, "; does it go into the background? A daemon is to stay in front");
    add_last_words(out, &instance->main);
    if (!instance->main.seat)
        add_taken_address(out, instance);
}

const char *words_of_failure(struct session *s, struct instance *instance)
{
    const struct watch_ending *ending = &instance->main.ending;
    bool late = false;
    int status, signal;
    struct buf text = {0};

    if (instance->main.seat) {
        if (!watch_peek(s->watch, instance->main.seat->number, &status, &signal))
            return NULL;
    } else {
        status = ending->status;
        signal = ending->signal;
        late = ending->cause == WATCH_DEADLINE;
        if (ending->spawned == SPAWN_FAILED) {
            spawn_error_words(&text, ending->error, &instance->main.spec);
            return taken(instance, &text);
        }
    }
    if (instance->recipe.kind == FIXTURE_RUN && !late && !status && !signal)
        return NULL;
    if (instance->recipe.kind == FIXTURE_RUN)
        say_run(&text, s, instance, status, signal, late);
    else if (late)
        say_never_ready(&text, s, instance);
    else
        say_dead_in_boot(&text, instance, status, signal);
    return taken(instance, &text);
}

void words_of_death(struct instance *instance, int status, int signal)
{
    struct buf text = {0}, last = {0};

    add_end(&text, status, signal);
    add_last_words(&last, &instance->main);
    instance->reason = taken(instance, &text);
    instance->last_words = taken(instance, &last);
}

const char *words_of_teardown(struct session *s, struct instance *instance)
{
    const struct watch_ending *ending = &instance->side.ending;
    struct buf text = {0};

    if (!ending->cause && !ending->status && !ending->signal && ending->spawned != SPAWN_FAILED)
        return NULL;
    buf_addf(&text, "the tear-down of fixture '%.*s' ", STR_ARG(instance->fixture->name));
    if (ending->spawned == SPAWN_FAILED) {
        buf_adds(&text, "could not be started: ");
        spawn_error_words(&text, ending->error, &instance->side.spec);
    } else if (ending->cause == WATCH_DEADLINE) {
        buf_adds(&text, "took more than ");
        add_span(&text, instance->recipe.timeout);
        add_place(&text, instance, "timeout", instance->recipe.timeout_at);
        add_dump(&text, s, &instance->side);
    } else {
        add_end(&text, ending->status, ending->signal);
    }
    add_last_words(&text, &instance->side);
    return taken(instance, &text);
}

/* ---- on record ---- */

/* What is on record of it from before the run was resumed; NULL: nothing. */
static const struct journal_history *before(const struct session *s, struct str id, uint32_t *number)
{
    const struct journal_record *record = s->resumed;

    for (uint32_t i = s->case_count; record && i < record->case_count; i++)
        if (record->cases[i].what && str_eq(record->cases[i].what->id, id)) {
            *number = i;
            return &record->cases[i];
        }
    return NULL;
}

/* A second failure after a resumption is the same case once more. */
static uint32_t record_number(struct session *s, struct instance *instance, uint32_t *attempt)
{
    uint32_t number, first = s->case_count;
    const struct journal_history *history = before(s, instance->id, &number);

    *attempt = history ? history->count + 1 : 1;
    if (history)
        return number;
    if (s->resumed && s->resumed->case_count > first)
        first = s->resumed->case_count;
    return first + s->fixtures->failures++;
}

uint32_t instance_times_before(const struct session *s, struct str id)
{
    uint32_t number;
    const struct journal_history *history = before(s, id, &number);

    return history ? history->count : 0;
}

void instance_mended(struct session *s, struct instance *instance)
{
    struct journal_attempt a = {.verdict = VERDICT_PASSED,
                                .outcome = VERDICT_PASSED,
                                .last = true,
                                .status = -1,
                                .at = session_now(s)};
    const struct journal_history *history = before(s, instance->id, &a.number);

    if (!history)
        return;
    a.attempt = history->count + 1;
    a.duration = watch_now(s->watch) - instance->began;
    session_wrote(s, journal_ended(s->journal, &a));
}

static uint32_t outputs_of(struct instance *instance, struct journal_output *outputs)
{
    bool teardown = instance->side.captured && instance->side.command == COMMAND_TEARDOWN;
    struct fixture_process *process = teardown ? &instance->side : &instance->main;
    uint32_t count = 0;

    for (int i = 0; i < 2 && process->captured; i++) {
        const struct capture_file *file = &process->capture.files[i];

        if (file->fd >= 0)
            outputs[count++] = (struct journal_output){.name = str_of(file->word),
                                                       .size = capture_size(file),
                                                       .path = str_of(process_output(instance, process, i)),
                                                       .offset = -1};
    }
    return count;
}

/* A case of the run that nobody wrote as one: so every report has it. */
void instance_record(struct session *s, struct instance *instance, const char *reason)
{
    struct buf cell = {0};
    struct journal_attempt a = {
        .verdict = VERDICT_ERROR,
        .outcome = VERDICT_ERROR,
        .last = true,
        .status = -1,
        .at = session_now(s),
        .duration = watch_now(s->watch) - instance->began,
        .reason = str_of(reason),
    };
    struct journal_case what = {.id = instance->id,
                                .test = plan_fixture_number(s, instance->suite_number, instance->fixture)};
    struct journal_output outputs[2];

    node_json(&cell,
              cell_context(instance->suite, instance->cell,
                           instance->fixture->scope == SCOPE_SESSION ? instance->fixture->axes : NULL,
                           &instance->arena),
              0);
    what.cell = buf_str(&cell);
    a.number = record_number(s, instance, &a.attempt);
    a.output_count = outputs_of(instance, outputs);
    a.outputs = outputs;
    instance->told = true;
    session_wrote(s, journal_case_more(s->journal, a.number, &what));
    session_wrote(s, journal_ended(s->journal, &a));
    progress_fixture(s->progress, instance->shown, instance->id, &a);
    buf_release(&cell);
    if (!s->cancelled && !s->timed_out && !s->broken)
        session_failed(s, instance->suite_number);
}
