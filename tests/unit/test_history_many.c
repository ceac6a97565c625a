/* A hundred thousand cases go into history, and are looked up, in so many times what reading their journal takes. */
#include "tests/unit/history_scene.h"

#define CASES     100000
#define A_RECORD  250
#define IN_MOST   10 /* times; less than 1 as this is written */
#define LOOK_MOST 10

static void write_journal(struct scene *s, struct journal *journal)
{
    struct journal_run run = {
        .id = STR("0001-x"), .file = STR("run-matrix.yaml"), .cases = CASES, .wall = WALL};
    struct journal_case cases[A_RECORD];

    assert_int_equal(journal_run(journal, &run), 0);
    for (uint32_t i = 0; i < CASES; i++) {
        cases[i % A_RECORD] = (struct journal_case){
            .id = str_of(arena_printf(&s->arena, "proto::case%u@backend=exec,transport=uds", i)),
            .cell = STR("{\"backend\":\"exec\",\"transport\":\"uds\"}")};
        if (i % A_RECORD == A_RECORD - 1)
            assert_int_equal(journal_cases(journal, cases, A_RECORD), 0);
    }
    for (uint32_t i = 0; i < CASES; i++) {
        enum verdict verdict = i % 10 ? VERDICT_PASSED : VERDICT_FAILED;
        struct journal_attempt end = {.number = i,
                                      .attempt = 1,
                                      .verdict = verdict,
                                      .outcome = verdict,
                                      .last = true,
                                      .duration = 5 * NS_PER_MS};

        assert_int_equal(journal_started(journal, i, 1, 0, 1000 + i, i), 0);
        assert_int_equal(journal_ended(journal, &end), 0);
    }
    assert_int_equal(journal_finished(journal, 1, 0), 0);
}

static nanos read_run(struct scene *s, struct arena *arena, struct journal_record *record)
{
    struct journal *journal;
    nanos began;

    unlinkat(s->fd, JOURNAL_NAME, 0);
    journal = journal_open(s->fd, &s->faults);
    assert_non_null(journal);
    write_journal(s, journal);
    journal_close(journal);
    began = clock_now();
    assert_true(journal_read(arena, s->fd, s->path, record, &s->diags));
    return clock_now() - began;
}

static nanos import(struct scene *s, const struct journal_record *record)
{
    nanos began = clock_now();
    struct history *h = opened(s);

    assert_true(history_import(h, record, s->fd, 1, &history_bounds));
    history_close(h);
    return clock_now() - began;
}

static nanos look_at_all(struct scene *s, const struct journal_record *record)
{
    nanos began = clock_now();
    struct history *h = opened(s);
    uint32_t failed = 0;

    for (uint32_t i = 0; i < CASES; i++)
        failed += look(s, h, record->cases[i].what->id.ptr).failed;
    assert_int_equal(failed, CASES / 10);
    history_close(h);
    return clock_now() - began;
}

static void test_cost(void **state)
{
    struct scene *s = *state;
    struct arena arena = {0};
    struct journal_record record;
    nanos reading = read_run(s, &arena, &record), first = import(s, &record), again, looking;

    record.run.id = str_of("0002-x");
    record.run.wall++;
    again = import(s, &record);
    looking = look_at_all(s, &record);
    arena_release(&arena);
    print_message("reading 1, taking in %.1f and %.1f, looking %.1f\n", (double)first / (double)reading,
                  (double)again / (double)reading, (double)looking / (double)reading);
    if (first > reading * IN_MOST || again > reading * IN_MOST || looking > reading * LOOK_MOST)
        fail_msg("history takes too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_cost, set_up, tear_down)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
