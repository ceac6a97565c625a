#include "runner/plan_record.h"

#include "runner/base/hash.h"
#include "runner/base/mem.h"
#include "runner/base/proc.h"
#include "runner/session.h"

#include <stdlib.h>
#include <unistd.h>

#define CASES_A_RECORD 256

/* ---- numbering and checking ---- */

static void place(struct session *s, uint32_t number, const struct terms *terms)
{
    const struct plan_case *c = session_planned(s, number);
    uint32_t count = node_list_count(terms->locks);
    struct str *locks = ARENA_ARRAY(s->arena, struct str, count);

    for (uint32_t i = 0; i < count; i++)
        locks[i] = arena_str(s->arena, node_text(node_list_item(terms->locks, i), s->arena));
    s->placing[number] = (struct queue_case){
        .suite = c->suite,
        .cell = c->cell,
        .weight = terms->weight,
        .serial = terms->serial,
        .locks = locks,
        .lock_count = count,
        .expected = -1,
        .before = s->front->before ? s->front->before[s->cases[number].planned] : 0,
    };
    if (terms->retry.most) {
        s->retry_plan.cases++;
        s->retry_plan.at_end += terms->retry.at_end;
        s->retry_plan.flaky_fails |= terms->flaky_fails;
        if (terms->retry.most > s->retry_plan.most)
            s->retry_plan.most = terms->retry.most;
    }
    if (terms->ending > s->longest_ending)
        s->longest_ending = terms->ending;
}

static uint64_t digest_of(const struct session *s)
{
    uint64_t digest = HASH_START;
    struct buf id = {0};

    for (uint32_t i = 0; i < s->case_count; i++) {
        buf_clear(&id);
        session_case_id(s, i, &id);
        digest = hash_byte(hash_add(digest, buf_str(&id)), 0);
    }
    buf_release(&id);
    return digest;
}

bool plan_cases(struct session *s)
{
    const struct plan *plan = &s->front->plan;
    struct arena scratch = {0};
    struct terms terms;
    bool good = true;

    s->cases = ARENA_ARRAY(s->arena, struct case_life, plan->count);
    s->placing = ARENA_ARRAY(s->arena, struct queue_case, plan->count);
    for (uint32_t i = 0; i < plan->count; i++)
        if (!plan->cases[i].elsewhere) {
            arena_clear(&scratch);
            s->cases[s->case_count].planned = i;
            if (recipe_check(&s->kitchen, &plan->cases[i], &terms, &scratch, s->in->diags))
                place(s, s->case_count, &terms);
            else
                good = false;
            s->case_count++;
        }
    arena_release(&scratch);
    s->life_count = s->case_count;
    s->digest = digest_of(s);
    return good;
}

/* ---- the queue ---- */

/* Of a resumed run: it has its verdict. */
static bool is_over(struct session *s, uint32_t number)
{
    const struct journal_history *history;

    if (!s->resumed)
        return false;
    history = &s->resumed->cases[number];
    if (journal_is_over(history)) {
        s->cases[number].state = CASE_OVER;
        return true;
    }
    /* Attempts that a kill cut short count as made: their numbers are not used again. */
    s->cases[number].attempts = history->started;
    for (uint32_t i = 0; i < history->count; i++)
        s->cases[number].failed += verdict_counts(history->attempts[i].verdict) == COUNT_FAILED;
    return false;
}

/* Of a soak: it comes when it is called. */
static void enter_all(struct session *s)
{
    for (uint32_t i = 0; i < s->life_count; i++) {
        s->placing[i].expected = s->placing[session_recorded(s, i)].expected;
        s->cases[i].state = CASE_RESTING;
        s->cases[i].queued = s->by_queue[i] = i;
        queue_enter(s->queue, &s->placing[i]);
    }
}

/* Those that are to be run are added. */
static void add_all(struct session *s)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < s->case_count; i++) {
        if (is_over(s, i))
            continue;
        s->cases[i].queued = count;
        s->by_queue[count++] = i;
        queue_add(s->queue, &s->placing[i]);
    }
}

void plan_queue(struct session *s)
{
    const struct suites *suites = &s->front->suites;

    s->by_queue = ARENA_ARRAY(s->arena, uint32_t, s->life_count);
    s->queue = queue_new(s->jobs);
    for (uint32_t i = 0; i < suites->count; i++)
        queue_suite(s->queue, i, suites->list[i]->max_parallel);
    (s->soak ? enter_all : add_all)(s);
}

/* ---- the journal ---- */

static struct str *arguments(const struct session *s)
{
    struct str *argv = ARENA_ARRAY(s->arena, struct str, (size_t)s->in->argc);

    for (int i = 0; i < s->in->argc; i++)
        argv[i] = str_of(s->in->argv[i]);
    return argv;
}

static void record_run(struct session *s)
{
    char *folder = getcwd(NULL, 0);
    struct proc_stat self = {0};
    struct journal_run run = {
        .id = s->run.id,
        .version = str_of(VERSION),
        .file = str_of(s->front->called ? s->front->called : s->front->file),
        .folder = str_of(folder),
        .argv = arguments(s),
        .argc = (uint32_t)s->in->argc,
        .profile = str_of(s->front->profile),
        .containment = str_of(s->containment),
        .containment_why = str_of(s->containment_why),
        .jobs = s->jobs,
        .cases = s->case_count,
        .wall = s->wall,
        .pid = getpid(),
        .digest = s->digest,
        .soak = s->soak != NULL,
    };

    if (proc_stat_read(getpid(), &self) == 0)
        run.pid_start = (int64_t)self.start_ticks;
    session_wrote(s, journal_run(s->journal, &run));
    free(folder);
}

/* Tests of all suites have one row of numbers. */
static uint32_t first_test(const struct suites *suites, uint32_t suite)
{
    uint32_t first = 0;

    for (uint32_t i = 0; i < suite; i++)
        first += suites->list[i]->test_count;
    return first;
}

static uint32_t count_fixtures(const struct suites *suites, uint32_t suite)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < suite; i++)
        count += suites->list[i]->fixture_count;
    return count;
}

uint32_t plan_fixture_number(const struct session *s, uint32_t suite, const struct fixture *fixture)
{
    const struct suites *suites = &s->front->suites;

    return first_test(suites, suites->count) + count_fixtures(suites, suite) +
           (uint32_t)(fixture - suites->list[suite]->fixtures);
}

static struct journal_test test_of_fixture(struct session *s, const struct suite *suite,
                                           const struct fixture *fixture)
{
    struct place at = fixture->node ? fixture->node->at : (struct place){0};
    const char *name =
        arena_printf(s->arena, "fixture:%.*s%.*s", STR_ARG(suite->prefix), STR_ARG(fixture->name));

    return (struct journal_test){.name = str_of(name), .file = str_of(at.file), .line = at.line};
}

static void record_tests(struct session *s)
{
    const struct suites *suites = &s->front->suites;
    uint32_t fixtures = s->fixtures ? count_fixtures(suites, suites->count) : 0;
    uint32_t count = first_test(suites, suites->count) + fixtures, filled = 0;
    struct journal_test *tests = mem_zero(count + 1, sizeof *tests);

    for (uint32_t i = 0; i < suites->count; i++)
        for (uint32_t t = 0; t < suites->list[i]->test_count; t++) {
            const struct test *test = &suites->list[i]->tests[t];

            tests[filled++] = (struct journal_test){
                .name = test->id, .file = str_of(test->node->at.file), .line = test->node->at.line};
        }
    for (uint32_t i = 0; fixtures && i < suites->count; i++)
        for (uint32_t f = 0; f < suites->list[i]->fixture_count; f++)
            tests[filled++] = test_of_fixture(s, suites->list[i], &suites->list[i]->fixtures[f]);
    session_wrote(s, journal_tests(s->journal, tests, count));
    free(tests);
}

static void record_cases(struct session *s)
{
    const struct suites *suites = &s->front->suites;
    uint32_t *first = ARENA_ARRAY(s->arena, uint32_t, suites->count);
    struct journal_case batch[CASES_A_RECORD];
    struct arena scratch = {0};
    struct buf text = {0};
    uint32_t count = 0;

    for (uint32_t i = 0; i < suites->count; i++)
        first[i] = first_test(suites, i);
    for (uint32_t i = 0; i < s->case_count && !s->broken; i++) {
        const struct plan_case *c = session_planned(s, i);

        buf_clear(&text);
        session_case_id(s, i, &text);
        batch[count].id = arena_str(&scratch, buf_str(&text));
        buf_clear(&text);
        case_cell_json(&text, suites, c);
        batch[count].cell = arena_str(&scratch, buf_str(&text));
        batch[count++].test = first[c->suite] + c->test;
        if (count == CASES_A_RECORD || i + 1 == s->case_count) {
            session_wrote(s, journal_cases(s->journal, batch, count));
            arena_clear(&scratch);
            count = 0;
        }
    }
    buf_release(&text);
    arena_release(&scratch);
}

void plan_record(struct session *s)
{
    record_run(s);
    if (s->resumed || s->broken)
        return;
    record_tests(s);
    record_cases(s);
}
