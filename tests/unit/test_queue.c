#include "runner/base/mem.h"
#include "runner/queue/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S(literal) ((struct str)STR(literal))
#define NONE       UINT32_MAX

static void add(struct queue *queue, struct queue_case c)
{
    queue_add(queue, &c);
}

/* The next, or NONE. */
static uint32_t take(struct queue *queue)
{
    uint32_t number = NONE;

    return queue_take(queue, &number) ? number : NONE;
}

/* ---- order ---- */

static void test_order(void **state)
{
    static const nanos expected[] = {5, -1, 70, -1, 70, 0, 100, INT64_MAX};
    static const uint32_t order[] = {1, 3, 7, 6, 2, 4, 0, 5};
    struct queue *queue = queue_new(1);

    (void)state;
    for (uint32_t i = 0; i < ARRAY_LEN(expected); i++)
        add(queue, (struct queue_case){.cell = i % 3, .expected = expected[i]});
    for (uint32_t i = 0; i < ARRAY_LEN(order); i++) {
        assert_int_equal(queue_waiting(queue), ARRAY_LEN(order) - i);
        assert_int_equal(take(queue), order[i]);
        assert_int_equal(queue_running(queue), 1);
        assert_int_equal(take(queue), NONE);
        queue_done(queue, order[i]);
    }
    assert_int_equal(take(queue), NONE);
    assert_int_equal(queue_running(queue) + queue_waiting(queue), 0);
    queue_free(queue);
}

/* Who comes before the rest does so whatever is known of it; among equals all is as ever. */
static void test_before_the_rest(void **state)
{
    static const struct {
        uint32_t before;
        nanos expected;
    } cases[] = {{1, 90}, {0, 5}, {2, -1}, {0, 70}, {1, -1}, {0, -1}};
    static const uint32_t order[] = {5, 3, 1, 4, 0, 2};
    struct queue *queue = queue_new(1);

    (void)state;
    for (uint32_t i = 0; i < ARRAY_LEN(cases); i++)
        add(queue, (struct queue_case){.expected = cases[i].expected, .before = cases[i].before});
    assert_int_equal(take(queue), 5);
    queue_again(queue, 5); /* what is run again comes before all */
    for (uint32_t i = 0; i < ARRAY_LEN(order); i++) {
        assert_int_equal(take(queue), order[i]);
        queue_done(queue, order[i]);
    }
    queue_free(queue);
}

static void test_order_of_file_when_nothing_is_known(void **state)
{
    struct queue *queue = queue_new(1);

    (void)state;
    for (uint32_t i = 0; i < 1000; i++)
        add(queue, (struct queue_case){.suite = i % 2, .cell = i % 7, .weight = i % 3, .expected = -1});
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(take(queue), i);
        queue_done(queue, i);
    }
    queue_free(queue);
}

static void test_again_comes_first(void **state)
{
    struct queue *queue = queue_new(2);

    (void)state;
    for (uint32_t i = 0; i < 5; i++)
        add(queue, (struct queue_case){.expected = -1});
    assert_int_equal(take(queue), 0);
    assert_int_equal(take(queue), 1);
    queue_again(queue, 1);
    queue_again(queue, 0);
    assert_int_equal(take(queue), 1);
    assert_int_equal(take(queue), 0);
    queue_done(queue, 0);
    assert_int_equal(take(queue), 2);
    queue_free(queue);
}

/* What waits for something else holds no place and no lock; its cell stays in flight. */
static void test_held_ones_are_passed_by(void **state)
{
    const struct str lock[] = {STR("db")};
    struct queue *queue = queue_new(1);

    (void)state;
    queue_suite(queue, 0, 1);
    add(queue, (struct queue_case){.cell = 0, .locks = lock, .lock_count = 1, .expected = -1});
    add(queue, (struct queue_case){.cell = 0, .locks = lock, .lock_count = 1, .expected = -1});
    add(queue, (struct queue_case){.cell = 1, .expected = -1});
    assert_int_equal(take(queue), 0);
    queue_hold(queue, 0);
    assert_int_equal(queue_waiting(queue), 3);
    assert_int_equal(queue_running(queue), 0);
    assert_int_equal(take(queue), 1);
    queue_done(queue, 1);
    assert_int_equal(take(queue), NONE); /* the other cell has no room beside it */
    queue_release(queue, 0);
    assert_int_equal(take(queue), 0);
    queue_done(queue, 0);
    assert_int_equal(take(queue), 2);
    queue_done(queue, 2);
    assert_int_equal(queue_waiting(queue) + queue_running(queue), 0);
    queue_free(queue);
}

static void count_one(void *user, uint32_t number)
{
    uint32_t *count = user;

    (void)number;
    ++*count;
}

static void release(void *user, uint32_t number)
{
    queue_release(user, number);
}

/* A fresh pass: all that are on the shelf wait for all that are not, and for those of a pass that is going on. */
static void test_shelved_ones_wait_for_all_others(void **state)
{
    struct queue *queue = queue_new(2);

    (void)state;
    for (uint32_t i = 0; i < 4; i++)
        add(queue, (struct queue_case){.cell = i, .serial = i == 3, .expected = -1});
    assert_int_equal(take(queue), 0);
    assert_int_equal(take(queue), 1);
    queue_shelve(queue, 0);
    queue_shelve(queue, 1);
    assert_false(queue_unshelve(queue, release, queue));
    assert_int_equal(take(queue), 2);
    queue_hold(queue, 2); /* for a while: it is one of the others */
    assert_int_equal(take(queue), 3);
    queue_done(queue, 3);
    assert_false(queue_unshelve(queue, release, queue));
    queue_release(queue, 2);
    assert_int_equal(take(queue), 2);
    queue_done(queue, 2);
    assert_int_equal(take(queue), NONE);
    assert_int_equal(queue_waiting(queue), 2);
    assert_true(queue_unshelve(queue, release, queue));
    assert_int_equal(take(queue), 0);
    queue_shelve(queue, 0);
    assert_false(queue_unshelve(queue, release, queue));
    assert_int_equal(take(queue), 1);
    queue_done(queue, 1);
    assert_true(queue_unshelve(queue, release, queue));
    assert_int_equal(take(queue), 0);
    queue_done(queue, 0);
    assert_false(queue_unshelve(queue, release, queue));
    assert_int_equal(queue_waiting(queue) + queue_running(queue), 0);
    queue_free(queue);
}

/* Else its cell would wait for those that cannot begin before it lands. */
static void test_where_cells_are_limited_the_end_is_that_of_the_cell(void **state)
{
    struct queue *queue = queue_new(4);

    (void)state;
    queue_suite(queue, 0, 1);
    for (uint32_t i = 0; i < 4; i++)
        add(queue, (struct queue_case){.cell = i / 2, .expected = -1});
    assert_int_equal(take(queue), 0);
    assert_int_equal(take(queue), 1);
    queue_shelve(queue, 0);
    assert_false(queue_unshelve(queue, release, queue));
    queue_done(queue, 1);
    assert_int_equal(take(queue), NONE); /* the other cell has no room beside it */
    assert_true(queue_unshelve(queue, release, queue));
    assert_int_equal(take(queue), 0);
    assert_int_equal(take(queue), NONE);
    queue_done(queue, 0);
    assert_int_equal(take(queue), 2);
    queue_free(queue);
}

static void test_shelved_ones_are_given_up_too(void **state)
{
    struct queue *queue = queue_new(2);
    uint32_t given = 0;

    (void)state;
    add(queue, (struct queue_case){.expected = -1});
    assert_int_equal(take(queue), 0);
    queue_shelve(queue, 0);
    queue_close(queue, count_one, &given);
    assert_int_equal(given, 1);
    assert_false(queue_unshelve(queue, release, queue));
    assert_int_equal(queue_waiting(queue), 0);
    queue_free(queue);
}

/* ---- rules ---- */

static void test_a_heavy_case_is_not_overtaken(void **state)
{
    struct queue *queue = queue_new(4);

    (void)state;
    for (uint32_t i = 0; i < 10; i++)
        add(queue, (struct queue_case){.weight = i == 2 ? 3 : 1, .expected = -1});
    assert_int_equal(take(queue), 0);
    assert_int_equal(take(queue), 1);
    assert_int_equal(take(queue), NONE);
    queue_done(queue, 0);
    assert_int_equal(take(queue), 2);
    assert_int_equal(take(queue), NONE);
    queue_free(queue);
}

static void test_too_heavy_a_case_takes_all(void **state)
{
    struct queue *queue = queue_new(4);

    (void)state;
    add(queue, (struct queue_case){.weight = 99, .expected = -1});
    add(queue, (struct queue_case){.expected = -1});
    assert_int_equal(take(queue), 0);
    assert_int_equal(take(queue), NONE);
    queue_done(queue, 0);
    assert_int_equal(take(queue), 1);
    queue_free(queue);
}

static void test_serial_cases_come_last_and_alone(void **state)
{
    struct queue *queue = queue_new(3);

    (void)state;
    for (uint32_t i = 0; i < 6; i++)
        add(queue, (struct queue_case){.serial = i % 3 == 0, .expected = -1});
    assert_int_equal(take(queue), 1);
    assert_int_equal(take(queue), 2);
    assert_int_equal(take(queue), 4);
    queue_done(queue, 1);
    assert_int_equal(take(queue), 5);
    queue_done(queue, 2);
    queue_done(queue, 4);
    assert_int_equal(take(queue), NONE);
    queue_done(queue, 5);
    assert_int_equal(take(queue), 0);
    assert_int_equal(take(queue), NONE);
    queue_done(queue, 0);
    assert_int_equal(take(queue), 3);
    queue_free(queue);
}

static void test_a_lock_is_held_once(void **state)
{
    static const struct str db[] = {STR("db")}, twice[] = {STR("db"), STR("db")},
                            both[] = {STR("port"), STR("db")};
    struct queue *queue = queue_new(4);

    (void)state;
    add(queue, (struct queue_case){.locks = db, .lock_count = 1, .expected = -1});
    add(queue, (struct queue_case){.locks = twice, .lock_count = 2, .expected = -1});
    add(queue, (struct queue_case){.suite = 1, .locks = both, .lock_count = 2, .expected = -1});
    add(queue, (struct queue_case){.expected = -1});
    assert_int_equal(take(queue), 0);
    assert_int_equal(take(queue), 3);
    assert_int_equal(take(queue), NONE);
    queue_done(queue, 0);
    assert_int_equal(take(queue), 1);
    assert_int_equal(take(queue), NONE);
    queue_done(queue, 1);
    assert_int_equal(take(queue), 2);
    queue_free(queue);
}

/* Who waits for two locks is called for one of them, and must pass the call on. */
static void test_a_call_is_passed_on(void **state)
{
    static const struct str a[] = {STR("a")}, b[] = {STR("b")}, both[] = {STR("a"), STR("b")};
    struct queue *queue = queue_new(8);

    (void)state;
    add(queue, (struct queue_case){.locks = a, .lock_count = 1, .expected = -1});
    add(queue, (struct queue_case){.locks = b, .lock_count = 1, .expected = -1});
    add(queue, (struct queue_case){.locks = both, .lock_count = 2, .expected = -1});
    add(queue, (struct queue_case){.weight = 2, .locks = a, .lock_count = 1, .expected = -1});
    add(queue, (struct queue_case){.weight = 2, .locks = b, .lock_count = 1, .expected = -1});
    assert_int_equal(take(queue), 0);
    assert_int_equal(take(queue), 1);
    assert_int_equal(take(queue), NONE);
    queue_done(queue, 0);
    assert_int_equal(take(queue), 3);
    assert_int_equal(take(queue), NONE);
    queue_done(queue, 1);
    assert_int_equal(take(queue), 4);
    queue_done(queue, 3);
    assert_int_equal(take(queue), NONE);
    queue_done(queue, 4);
    assert_int_equal(take(queue), 2);
    queue_free(queue);
}

/* One cell after another, whatever the durations and however many places there are. */
static void test_max_parallel(void **state)
{
    struct queue *queue = queue_new(8);
    uint32_t first, second;

    (void)state;
    queue_suite(queue, 0, 1);
    for (uint32_t i = 0; i < 6; i++)
        add(queue, (struct queue_case){.cell = i % 3, .expected = (nanos)i + 1});
    for (uint32_t cell = 3; cell-- > 0;) {
        first = take(queue);
        second = take(queue);
        assert_int_equal(first, cell + 3);
        assert_int_equal(second, cell);
        assert_int_equal(take(queue), NONE);
        queue_done(queue, first);
        assert_int_equal(take(queue), NONE);
        queue_again(queue, second);
        assert_int_equal(take(queue), second);
        queue_done(queue, second);
    }
    assert_int_equal(queue_waiting(queue), 0);
    queue_free(queue);
}

static void test_put_back(void **state)
{
    struct queue *queue = queue_new(4);

    (void)state;
    for (uint32_t i = 0; i < 3; i++)
        add(queue, (struct queue_case){.cell = i, .expected = -1});
    assert_int_equal(take(queue), 0);
    assert_int_equal(take(queue), 1);
    assert_true(queue_put_back(queue, 1));
    assert_int_equal(take(queue), NONE);
    queue_done(queue, 0);
    assert_int_equal(take(queue), 1);
    assert_false(queue_put_back(queue, 1));
    assert_int_equal(take(queue), 1);
    assert_int_equal(take(queue), 2);
    assert_true(queue_put_back(queue, 2));
    assert_int_equal(take(queue), NONE);
    queue_try_again(queue);
    assert_int_equal(take(queue), 2);
    queue_free(queue);
}

/* ---- giving up ---- */

struct given_up {
    uint32_t count, sum, last;
};

static void note_given_up(void *user, uint32_t number)
{
    struct given_up *given = user;

    given->count++;
    given->sum += number;
    given->last = number;
}

static void test_close_cells(void **state)
{
    struct queue *queue = queue_new(2);
    struct given_up given = {0};

    (void)state;
    for (uint32_t suite = 0; suite < 2; suite++)
        for (uint32_t i = 0; i < 6; i++)
            add(queue, (struct queue_case){.suite = suite, .cell = i / 2, .expected = -1});
    assert_int_equal(take(queue), 0);
    queue_close_cells(queue, 0, note_given_up, &given);
    assert_int_equal(given.count, 4);
    assert_int_equal(given.sum, 2 + 3 + 4 + 5);
    queue_close_cells(queue, 7, note_given_up, &given);
    assert_int_equal(given.count, 4);
    assert_int_equal(take(queue), 1);
    queue_done(queue, 0);
    assert_int_equal(take(queue), 6);
    queue_again(queue, 1);
    assert_int_equal(take(queue), 1);
    queue_close(queue, note_given_up, &given);
    assert_int_equal(given.count, 4 + 5);
    assert_int_equal(given.last, 11);
    assert_int_equal(queue_waiting(queue), 0);
    assert_int_equal(take(queue), NONE);
    assert_int_equal(queue_running(queue), 2);
    queue_free(queue);
}

static void test_held_ones_are_given_up_too(void **state)
{
    struct queue *queue = queue_new(2);
    struct given_up given = {0};

    (void)state;
    for (uint32_t i = 0; i < 3; i++)
        add(queue, (struct queue_case){.cell = i, .expected = 5});
    assert_int_equal(take(queue), 0);
    queue_hold(queue, 0);
    assert_int_equal(take(queue), 1);
    queue_close(queue, note_given_up, &given);
    assert_int_equal(given.count, 2);
    assert_int_equal(given.sum, 2);
    assert_int_equal(given.last, 2);
    assert_int_equal(queue_waiting(queue), 0);
    queue_done(queue, 1);
    assert_int_equal(take(queue), NONE);
    queue_free(queue);
}

/* ---- how long it takes ---- */

static void test_estimate(void **state)
{
    struct queue *queue = queue_new(4);

    (void)state;
    assert_int_equal(queue_estimate(queue, 0), 0);
    add(queue, (struct queue_case){.expected = -1});
    assert_int_equal(queue_estimate(queue, 0), -1);
    add(queue, (struct queue_case){.expected = 100});
    assert_int_equal(queue_estimate(queue, 0), (100 + 100) / 2);
    add(queue, (struct queue_case){.expected = 400, .weight = 2});
    assert_int_equal(take(queue), 0);
    assert_int_equal(queue_estimate(queue, 600), (100 + 800 + 600) / 3);
    assert_int_equal(take(queue), 2);
    assert_int_equal(take(queue), 1);
    assert_int_equal(queue_estimate(queue, 300), 100);
    queue_done(queue, 0);
    queue_done(queue, 1);
    assert_int_equal(queue_estimate(queue, 300), 300); /* the last one has one place, not four */
    queue_free(queue);
}

/* ---- against a model that looks at everything each time ---- */

#define CASES_MOST 60
#define SUITES     3
#define CELLS      5
#define LOCKS      4

enum life { WAITS, SHELVED, RUNS, OVER };

struct model_case {
    struct queue_case c;
    struct str locks[3];
    uint32_t lock_bits;
    enum life life;
    int64_t late;
    uint64_t turn;
};

struct model {
    struct model_case cases[CASES_MOST];
    uint32_t count, places;
    uint32_t limits[SUITES];
    bool flies[SUITES][CELLS]; /* the cell is in flight */
    uint64_t turns;
    bool held;
    bool calls;          /* cases come when they are called, and as often as that is ... */
    uint32_t calls_left; /* ... in all */
};

struct random {
    uint64_t state;
};

static uint32_t below(struct random *random, uint32_t limit)
{
    random->state = random->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random->state >> 33) % limit;
}

static uint32_t model_weight(const struct model *m, const struct model_case *c)
{
    if (c->c.serial || c->c.weight > m->places)
        return m->places;
    return c->c.weight ? c->c.weight : 1;
}

static uint32_t model_count(const struct model *m, enum life life)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < m->count; i++)
        count += m->cases[i].life == life;
    return count;
}

static bool model_first(const struct model_case *a, const struct model_case *b)
{
    return a->late != b->late ? a->late < b->late : a->turn < b->turn;
}

/* Neither lock nor cell is in the way. */
static bool model_lacks_nothing(const struct model *m, const struct model_case *c)
{
    const uint32_t suite = c->c.suite;
    uint32_t in_flight = 0;

    for (uint32_t i = 0; i < m->count; i++)
        if (m->cases[i].life == RUNS && (m->cases[i].lock_bits & c->lock_bits))
            return false;
    for (uint32_t cell = 0; cell < CELLS; cell++)
        in_flight += m->flies[suite][cell];
    return m->flies[suite][c->c.cell] || !m->limits[suite] || in_flight < m->limits[suite];
}

static uint32_t model_find(const struct model *m, bool serial)
{
    uint32_t found = NONE;

    for (uint32_t i = 0; i < m->count; i++) {
        const struct model_case *c = &m->cases[i];

        if (c->life == WAITS && c->c.serial == serial && model_lacks_nothing(m, c) &&
            (found == NONE || model_first(c, &m->cases[found])))
            found = i;
    }
    return found;
}

static uint32_t model_next(const struct model *m)
{
    uint32_t used = 0, found;

    for (uint32_t i = 0; i < m->count; i++)
        if (m->cases[i].life == RUNS)
            used += model_weight(m, &m->cases[i]);
    assert_true(used <= m->places);
    if (m->held || used == m->places)
        return NONE;
    found = model_find(m, false);
    if (found == NONE && used == 0)
        found = model_find(m, true);
    return found != NONE && used + model_weight(m, &m->cases[found]) <= m->places ? found : NONE;
}

static void model_end(struct model *m, uint32_t number, enum life life)
{
    struct model_case *c = &m->cases[number];
    bool alive = false;

    m->held = false;
    c->life = life;
    if (life == WAITS) {
        c->late = INT64_MIN;
        c->turn = m->turns++;
    }
    for (uint32_t i = 0; i < m->count; i++)
        alive = alive || (m->cases[i].life != OVER && m->cases[i].c.suite == c->c.suite &&
                          m->cases[i].c.cell == c->c.cell);
    if (!alive)
        m->flies[c->c.suite][c->c.cell] = false;
}

static void model_give_up(void *user, uint32_t number)
{
    struct model *m = user;

    assert_true(m->cases[number].life == WAITS || m->cases[number].life == SHELVED);
    m->cases[number].life = OVER;
}

static void make_case(struct random *random, struct model_case *c)
{
    static const struct str words[LOCKS] = {STR("db"), STR("port"), STR("gpu"), STR("")};

    *c = (struct model_case){.c = {.suite = below(random, SUITES), .cell = below(random, CELLS)}};
    c->c.weight = below(random, 4) ? 1 : below(random, 6);
    c->c.serial = below(random, 8) == 0;
    c->c.expected = below(random, 2) ? -1 : (nanos)below(random, 5);
    c->c.lock_count = below(random, 3) ? 0 : below(random, 4);
    for (uint32_t i = 0; i < c->c.lock_count; i++) {
        uint32_t lock = below(random, LOCKS);

        c->locks[i] = words[lock];
        c->lock_bits |= 1u << lock;
    }
}

static void make_cases(struct random *random, struct model *m, struct queue *queue)
{
    uint32_t more = below(random, CASES_MOST - m->count + 1);

    while (more-- > 0) {
        struct model_case *c = &m->cases[m->count];

        make_case(random, c);
        c->c.locks = c->locks;
        c->late = c->c.expected < 0 ? INT64_MIN + 1 : -c->c.expected;
        c->turn = m->count++;
        if (m->calls)
            c->life = OVER;
        (m->calls ? queue_enter : queue_add)(queue, &c->c);
    }
}

static void call_one(struct random *random, struct model *m, struct queue *queue)
{
    uint32_t start = below(random, m->count + 1);

    for (uint32_t i = 0; m->calls_left && i < m->count; i++) {
        struct model_case *c = &m->cases[(start + i) % m->count];

        if (c->life != OVER)
            continue;
        c->life = WAITS;
        c->late = INT64_MIN + 1;
        c->turn = m->turns++;
        m->calls_left--;
        queue_call(queue, (start + i) % m->count, &c->c);
        return;
    }
}

static uint32_t some_running(struct random *random, const struct model *m)
{
    uint32_t start = below(random, m->count + 1);

    for (uint32_t i = 0; i < m->count; i++)
        if (m->cases[(start + i) % m->count].life == RUNS)
            return (start + i) % m->count;
    return NONE;
}

static void end_one(struct random *random, struct model *m, struct queue *queue)
{
    uint32_t number = some_running(random, m), how = below(random, 10);
    bool others;

    if (number == NONE)
        return;
    if (how > 2) {
        queue_done(queue, number);
        model_end(m, number, OVER);
    } else if (how > 0) {
        queue_again(queue, number);
        model_end(m, number, WAITS);
    } else if (below(random, 2)) {
        queue_shelve(queue, number);
        model_end(m, number, SHELVED);
    } else {
        others = queue_put_back(queue, number);
        model_end(m, number, WAITS);
        assert_int_equal(others, model_count(m, RUNS) > 0);
        m->held = others;
    }
}

/* Whoever is looked at waits for all others: of its cell where cells are limited, else of the run. */
static bool model_is_quiet(const struct model *m, const struct queue_case *c)
{
    for (uint32_t i = 0; i < m->count; i++) {
        const struct model_case *other = &m->cases[i];
        bool concerns = !m->limits[c->suite] || (other->c.suite == c->suite && other->c.cell == c->cell);

        if (concerns && (other->life == WAITS || other->life == RUNS))
            return false;
    }
    return true;
}

struct taking_off {
    struct model *m;
    struct queue *queue;
    bool quiet[CASES_MOST];
    uint32_t count;
};

static void take_off(void *user, uint32_t number)
{
    struct taking_off *t = user;

    assert_true(t->quiet[number]);
    queue_release(t->queue, number);
    t->m->cases[number].life = WAITS;
    t->m->cases[number].late = INT64_MIN;
    t->m->cases[number].turn = t->m->turns++;
    t->count++;
}

static void unshelve(struct model *m, struct queue *queue)
{
    struct taking_off t = {.m = m, .queue = queue};
    uint32_t expected = 0;

    for (uint32_t i = 0; i < m->count; i++) {
        t.quiet[i] = m->cases[i].life == SHELVED && model_is_quiet(m, &m->cases[i].c);
        expected += t.quiet[i];
    }
    assert_int_equal(queue_unshelve(queue, take_off, &t), expected > 0);
    assert_int_equal(t.count, expected);
}

static void close_some(struct random *random, struct model *m, struct queue *queue)
{
    uint32_t suite = below(random, SUITES);
    uint32_t left = 0;

    queue_close_cells(queue, suite, model_give_up, m);
    for (uint32_t i = 0; i < m->count; i++)
        left +=
            m->cases[i].life == WAITS && m->cases[i].c.suite == suite && !m->flies[suite][m->cases[i].c.cell];
    assert_int_equal(left, 0);
}

static void step(struct random *random, struct model *m, struct queue *queue, bool may_close)
{
    uint32_t number, expected;

    if (below(random, 3) == 0)
        unshelve(m, queue);
    assert_int_equal(queue_waiting(queue), model_count(m, WAITS) + model_count(m, SHELVED));
    assert_int_equal(queue_running(queue), model_count(m, RUNS));
    if (m->calls && below(random, 3) == 0) {
        call_one(random, m, queue);
    } else if (below(random, 2)) {
        expected = model_next(m);
        number = take(queue);
        if (number != expected)
            fail_msg("took %d, not %d", (int)number, (int)expected);
        if (number == NONE)
            return;
        m->cases[number].life = RUNS;
        m->flies[m->cases[number].c.suite][m->cases[number].c.cell] = true;
    } else if (may_close && below(random, 60) == 0)
        close_some(random, m, queue);
    else
        end_one(random, m, queue);
}

static void play(uint64_t seed, bool calls)
{
    struct random random = {seed};
    struct model m = {.places = 1 + below(&random, 6), .calls = calls, .calls_left = calls ? 200 : 0};
    struct queue *queue = queue_new(m.places);
    bool may_close = !calls && below(&random, 3) == 0;
    uint32_t steps = 0;

    for (uint32_t suite = 0; suite < SUITES; suite++) {
        m.limits[suite] = below(&random, 4);
        queue_suite(queue, suite, m.limits[suite]);
    }
    make_cases(&random, &m, queue);
    for (uint32_t i = 0; i < 20; i++)
        step(&random, &m, queue, false);
    make_cases(&random, &m, queue); /* some are known only later */
    while (model_count(&m, OVER) < m.count || (m.count && m.calls_left)) {
        step(&random, &m, queue, may_close);
        if (++steps > 100000)
            fail_msg("seed %llu: %u of %u cases are never run", (unsigned long long)seed,
                     model_count(&m, WAITS) + model_count(&m, SHELVED), m.count);
    }
    queue_free(queue);
}

static void test_model(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 2000; seed++)
        play(seed, false);
}

/* As a soak has them: over and over, whatever they hold, and cells land and take off between. */
static void test_model_of_those_that_are_called(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 1000; seed++)
        play(seed, true);
}

static void test_called_ones_come_in_their_order(void **state)
{
    static const uint32_t order[] = {2, 0, 1, 1, 2, 0};
    static const struct queue_case c = {.expected = -1};
    struct queue *queue = queue_new(1);

    (void)state;
    for (uint32_t i = 0; i < 3; i++)
        queue_enter(queue, &c);
    assert_int_equal(queue_waiting(queue), 0);
    assert_int_equal(take(queue), NONE);
    for (uint32_t i = 0; i < 3; i++)
        queue_call(queue, order[i], &c);
    for (uint32_t i = 0; i < ARRAY_LEN(order); i++) {
        assert_int_equal(take(queue), order[i]);
        queue_done(queue, order[i]);
        if (i == 2)
            for (uint32_t k = 3; k < 6; k++)
                queue_call(queue, order[k], &c);
    }
    assert_int_equal(take(queue), NONE);
    queue_free(queue);
}

/* ---- size ---- */

static nanos play_through(struct queue *queue, uint32_t places)
{
    uint32_t *running = mem_alloc(places * sizeof *running), count = 0, oldest = 0, number;
    nanos began = clock_now();

    while (queue_waiting(queue) || queue_running(queue)) {
        while (queue_take(queue, &number))
            running[(oldest + count++) % places] = number;
        assert_true(count > 0);
        queue_done(queue, running[oldest]);
        oldest = (oldest + 1) % places;
        count--;
    }
    free(running);
    return clock_now() - began;
}

static nanos cost_of_a_case(uint32_t cases, uint32_t cells, uint32_t max_parallel)
{
    struct queue *queue = queue_new(8);
    nanos spent;

    queue_suite(queue, 0, max_parallel);
    for (uint32_t i = 0; i < cases; i++)
        add(queue, (struct queue_case){.cell = i % cells, .weight = 1 + i % 2, .expected = i % 1000});
    spent = play_through(queue, 8);
    queue_free(queue);
    return spent / cases;
}

/* Whatever looks at all that wait costs a hundred times as much with a hundred times the cases. */
static void test_cost_is_flat(void **state)
{
    static const struct {
        const char *name;
        uint32_t cells, max_parallel;
    } rows[] = {{"one cell", 1, 0}, {"a cell for each ten", 10, 0}, {"max-parallel", 10, 3}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t few = rows[i].cells == 1 ? 1 : 100, many = rows[i].cells == 1 ? 1 : 10000;
        nanos small = cost_of_a_case(1000, few, rows[i].max_parallel) + 100;
        nanos large = cost_of_a_case(100000, many, rows[i].max_parallel);

        if (large > 25 * small)
            fail_msg("%s: %lld ns a case of 10^5, %lld of 10^3", rows[i].name, (long long)large,
                     (long long)small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_before_the_rest),
        cmocka_unit_test(test_order_of_file_when_nothing_is_known),
        cmocka_unit_test(test_again_comes_first),
        cmocka_unit_test(test_held_ones_are_passed_by),
        cmocka_unit_test(test_held_ones_are_given_up_too),
        cmocka_unit_test(test_shelved_ones_wait_for_all_others),
        cmocka_unit_test(test_where_cells_are_limited_the_end_is_that_of_the_cell),
        cmocka_unit_test(test_shelved_ones_are_given_up_too),
        cmocka_unit_test(test_a_heavy_case_is_not_overtaken),
        cmocka_unit_test(test_too_heavy_a_case_takes_all),
        cmocka_unit_test(test_serial_cases_come_last_and_alone),
        cmocka_unit_test(test_a_lock_is_held_once),
        cmocka_unit_test(test_a_call_is_passed_on),
        cmocka_unit_test(test_max_parallel),
        cmocka_unit_test(test_put_back),
        cmocka_unit_test(test_close_cells),
        cmocka_unit_test(test_estimate),
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_called_ones_come_in_their_order),
        cmocka_unit_test(test_model_of_those_that_are_called),
        cmocka_unit_test(test_cost_is_flat),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
