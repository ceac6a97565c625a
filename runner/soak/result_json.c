/* The result of a soak as JSON: docs/soak.schema.json. Times are seconds, rates between 0 and 1. */
#include "runner/soak/result.h"

#include "runner/base/json.h"

static const char *const ends[] = {
    [SOAK_GOES_ON] = "goes on", [SOAK_BELOW] = "below",   [SOAK_NOT_BELOW] = "not below",
    [SOAK_COUNTED] = "counted", [SOAK_FAILED] = "failed", [SOAK_UNDECIDED] = "undecided",
};

static const char *const gatherings[] = {
    [GATHER_UNKNOWN] = "unknown",
    [GATHER_SAME] = "same",
    [GATHER_ROTATING] = "rotating",
};

static void add_count(struct json_writer *w, const char *key, uint64_t number)
{
    json_key_c(w, key);
    json_int(w, number > INT64_MAX ? INT64_MAX : (long long)number);
}

static void add_number(struct json_writer *w, const char *key, double number)
{
    json_key_c(w, key);
    json_double(w, number);
}

static void add_seconds(struct json_writer *w, const char *key, nanos span)
{
    add_number(w, key, (double)span / NS_PER_S);
}

static void add_text(struct json_writer *w, const char *key, struct str text)
{
    json_key_c(w, key);
    json_str(w, text);
}

/* "rate" is null where nothing has been run. */
static void add_tally(struct json_writer *w, const struct soak_result *result, struct tally tally)
{
    struct stats_interval interval = soak_interval(&result->state, tally);

    add_count(w, "runs", tally.attempts);
    add_count(w, "failed", tally.failures);
    json_key_c(w, "rate");
    if (tally.attempts)
        json_double(w, (double)tally.failures / (double)tally.attempts);
    else
        json_null(w);
    add_number(w, "low", interval.low);
    add_number(w, "high", interval.high);
}

static void add_value(struct json_writer *w, const struct soak_result *result, uint32_t value)
{
    add_text(w, "axis", result->axis_values[value].axis);
    add_text(w, "value", result->axis_values[value].value);
}

static void add_cell(struct json_writer *w, const struct soak_case *c)
{
    json_key_c(w, "cell");
    json_object(w);
    for (uint32_t v = 0; v < c->value_count; v++) {
        json_key(w, c->values[v].axis);
        json_str(w, c->values[v].value);
    }
    json_object_end(w);
}

/* ---- parts ---- */

static void add_plan(struct json_writer *w, const struct state_head *head)
{
    json_key_c(w, "plan");
    json_object(w);
    json_key_c(w, "below");
    if (head->fixed.below > 0)
        json_double(w, head->fixed.below);
    else
        json_null(w);
    add_number(w, "confidence", head->fixed.confidence);
    add_count(w, "count", head->plan.count);
    add_seconds(w, "duration", head->plan.duration);
    json_key_c(w, "until_fail");
    json_bool(w, head->plan.until > 0);
    add_count(w, "copies", head->fixed.copies);
    json_object_end(w);
}

static void add_verdicts(struct json_writer *w, const struct state_case *record)
{
    json_key_c(w, "verdicts");
    json_object(w);
    for (int v = 0; v < VERDICT_COUNT; v++)
        if (record->verdicts[v])
            add_count(w, verdict_word((enum verdict)v), record->verdicts[v]);
    json_object_end(w);
}

static void add_durations(struct json_writer *w, const struct state_case *record, uint64_t attempts)
{
    json_key_c(w, "duration");
    if (!attempts) {
        json_null(w);
        return;
    }
    json_object(w);
    add_seconds(w, "shortest", record->shortest);
    add_seconds(w, "mean", record->sum / (nanos)attempts);
    add_seconds(w, "longest", record->longest);
    json_object_end(w);
}

static void add_cases(struct json_writer *w, const struct soak_result *result)
{
    json_key_c(w, "cases");
    json_array(w);
    for (uint32_t i = 0; i < result->count; i++) {
        const struct state_case *record = &result->state.cases[i];

        json_object(w);
        add_text(w, "id", result->cases[i].id);
        add_text(w, "test", result->cases[i].test);
        add_cell(w, &result->cases[i]);
        add_tally(w, result, result->tallies[i]);
        add_count(w, "skipped", record_passed_over(record));
        add_count(w, "unended", result->tallies[i].unended);
        add_verdicts(w, record);
        add_durations(w, record, result->tallies[i].attempts);
        json_object_end(w);
    }
    json_array_end(w);
}

static void add_cells(struct json_writer *w, const struct soak_result *result)
{
    json_key_c(w, "cells");
    json_array(w);
    for (uint32_t i = 0; i < result->cell_count; i++) {
        json_object(w);
        add_cell(w, result->cells[i].like);
        add_tally(w, result, result->cells[i].tally);
        json_object_end(w);
    }
    json_array_end(w);
}

static void add_axes(struct json_writer *w, const struct soak_result *result)
{
    json_key_c(w, "axes");
    json_array(w);
    for (uint32_t i = 0; i < result->value_count; i++) {
        json_object(w);
        add_value(w, result, result->shown[i]);
        add_tally(w, result, result->axis_values[result->shown[i]].tally);
        json_object_end(w);
    }
    json_array_end(w);
}

static void add_values(struct json_writer *w, const char *key, const struct soak_result *result,
                       const uint32_t *values, uint32_t count)
{
    json_key_c(w, key);
    json_array(w);
    for (uint32_t i = 0; i < count; i++) {
        json_object(w);
        add_value(w, result, values[i]);
        json_object_end(w);
    }
    json_array_end(w);
}

static void add_carrier(struct json_writer *w, const struct soak_result *result,
                        const struct carrier *carrier, uint32_t within)
{
    uint32_t given[CARRIERS_MOST];

    for (uint32_t i = 0; i < within; i++)
        given[i] = result->chain[i].value;
    json_object(w);
    add_value(w, result, carrier->value);
    add_values(w, "within", result, given, within);
    add_values(w, "with", result, carrier->with, carrier->with_count);
    add_number(w, "p", carrier->p);
    json_key_c(w, "alone");
    json_bool(w, carrier->layered);
    add_tally(w, result, carrier->inside);
    json_key_c(w, "others");
    json_object(w);
    add_tally(w, result, carrier->outside);
    json_object_end(w);
    json_object_end(w);
}

static void add_carriers(struct json_writer *w, const struct soak_result *result)
{
    add_count(w, "asked", result->asked);
    json_key_c(w, "carried_by");
    json_array(w);
    for (uint32_t i = 0; i < result->chain_count; i++)
        add_carrier(w, result, &result->chain[i], i);
    for (uint32_t i = 0; i < result->also_count; i++)
        add_carrier(w, result, &result->also[i], 0);
    json_array_end(w);
}

static void add_gathered(struct json_writer *w, const struct soak_result *result,
                         const struct gathered *gathered)
{
    json_key_c(w, "gathering");
    json_object(w);
    json_key_c(w, "how");
    json_cstr(w, gatherings[gathered->how]);
    add_number(w, "p", gathered->p);
    json_key_c(w, "tests");
    json_array(w);
    for (uint32_t i = 0; i < gathered->count; i++)
        json_str(w, result->tests[gathered->tests[i]]);
    json_array_end(w);
    add_count(w, "theirs", gathered->theirs);
    json_object_end(w);
}

static void add_kind(struct json_writer *w, const struct soak_result *result, const struct kind_result *k)
{
    const struct state_kind *kind = k->kind;

    json_object(w);
    add_count(w, "failed", kind->count);
    json_key_c(w, "verdict");
    json_cstr(w, verdict_word((enum verdict)kind->verdict));
    add_text(w, "reason", (struct str){kind->reason, kind->reason_len});
    add_text(w, "place", (struct str){kind->place, kind->place_len});
    add_text(w, "words", (struct str){kind->words, kind->words_len});
    add_text(w, "signature", (struct str){kind->signature, kind->signature_len});
    json_key_c(w, "first");
    json_object(w);
    add_text(w, "id", result->cases[kind->number].id);
    add_count(w, "attempt", kind->attempt);
    add_text(w, "evidence", (struct str){kind->evidence, kind->evidence_len});
    json_object_end(w);
    add_gathered(w, result, &k->gathered);
    json_object_end(w);
}

static void add_kinds(struct json_writer *w, const struct soak_result *result)
{
    json_key_c(w, "kinds");
    json_array(w);
    for (uint32_t i = 0; i < result->kind_count; i++)
        add_kind(w, result, &result->kinds[i]);
    json_array_end(w);
    add_count(w, "other_kinds", result->state.head->totals.others);
}

static void add_fixtures(struct json_writer *w, const struct soak_result *result)
{
    add_count(w, "failed_fixtures", result->fixture_failures);
    json_key_c(w, "fixtures");
    json_array(w);
    for (uint32_t i = 0; i < result->fixture_failures && i < FIXTURES_MOST; i++) {
        json_object(w);
        add_text(w, "id", result->fixtures[i].id);
        add_text(w, "reason", result->fixtures[i].reason);
        json_object_end(w);
    }
    json_array_end(w);
}

void soak_result_json(const struct soak_result *result, struct buf *out)
{
    const struct state_head *head = result->state.head;
    struct json_writer w = {.out = out};
    char seed[2 + 16 + 1];

    snprintf(seed, sizeof seed, "0x%llx", (unsigned long long)head->fixed.seed);
    json_object(&w);
    add_count(&w, "schema", 1);
    json_key_c(&w, "end");
    json_cstr(&w, ends[soak_result_end(result)]);
    json_key_c(&w, "seed");
    json_cstr(&w, seed);
    add_plan(&w, head);
    add_seconds(&w, "taken", head->totals.taken);
    add_count(&w, "rounds", head->totals.round);
    add_tally(&w, result, result->all);
    add_count(&w, "skipped", result->passed_over);
    add_count(&w, "unended", result->all.unended);
    add_cases(&w, result);
    add_cells(&w, result);
    add_axes(&w, result);
    add_carriers(&w, result);
    add_kinds(&w, result);
    add_gathered(&w, result, &result->gathered);
    add_fixtures(&w, result);
    json_object_end(&w);
}
