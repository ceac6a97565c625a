/* Servers and fresh processes that do not understand what they are asked, or cannot do it. */
#include "backends/wire.h"
#include "tests/unit/serve_link.h"

static int run_one(void *user, const struct spawn_spec *spec)
{
    (void)user;
    return (int)strlen(spec->test);
}

static void test_nonsense(void **state)
{
    static const char *const texts[] = {"", "x", "rmx1 and nothing that follows it in the way it should",
                                        "1xmr"};
    struct link *link = *state;
    struct wire_message empty = {.kind = WIRE_START, .place = 1}, far = {.kind = WIRE_START, .place = 99};
    const struct wire_message *const wrong[] = {&empty, &far};
    struct server_told told;

    start_server(link, SERVING_ALONE);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_int_equal(wire_send(link->socket, wrong[i]), 0);
        assert_int_equal(hear(link, &told), SERVER_REFUSED);
        assert_int_equal(told.error.stage, SPAWN_STAGE_READ);
    }
    end_server(link, 0);
    for (size_t i = 1; i < ARRAY_LEN(texts); i++) {
        start_server(link, SERVING_ALONE);
        assert_true(send(link->socket, texts[i], strlen(texts[i]), 0) > 0);
        assert_int_equal(hear(link, &told), SERVER_GONE);
        end_server(link, 64);
    }
}

/* A fresh process gets no other variables than those of who loads it; so this one is named like them. */
#define WITHOUT_TESTS "GCOV_WITHOUT_TESTS=1"

/* It says so itself, or its server does, before anything is begun. */
static void test_who_knows_no_tests(void **state)
{
    struct link *link = *state;
    struct bench *bench = &link->bench;
    struct spawn_spec program = spec_of(bench, ARGV(word("/bin/true"))), test = test_of(link, "other");

    strcpy(link->variable, WITHOUT_TESTS);
    for (size_t i = 0; i < ARRAY_LEN(servings); i++) {
        start_server(link, servings[i]);
        assert_false(ask(link, &test));
        assert_int_equal(bench->error.stage, SPAWN_STAGE_RUN);
        assert_int_equal(bench->error.error, ENOSYS);
        spawn_give_up(bench->spawn);
        assert_true(ask(link, &program));
        assert_true(exits_with(&bench->process, 0));
        end_server(link, 0);
    }
    test.envp = ARGV(word(WITHOUT_TESTS));
    test.host = self;
    assert_true(backends[BACKEND_SPAWN]->start(bench->spawn, &test, &bench->process, &bench->error));
    assert_true(exits_with(&bench->process, SPAWN_FAILED_STATUS));
    assert_int_equal(phase(bench), SPAWN_FAILED);
    assert_int_equal(bench->error.stage, SPAWN_STAGE_RUN);
    assert_int_equal(bench->error.error, ENOSYS);
}

/* A letter that does not hold together. */
static void test_becoming_of_nonsense(void **state)
{
    struct link *link = *state;
    struct bench *bench = &link->bench;
    const struct wire_message letter = {.kind = WIRE_START, .place = 1};
    struct spawn_spec spec = spec_of(bench, ARGV(self, word("--become")));
    struct spawn *own = spawn_new();
    int ends[2];

    assert_non_null(own);
    assert_int_equal(server_socket(ends), 0);
    assert_int_equal(wire_send(ends[0], &letter), 0);
    spec.pass[0] = ends[1];
    spec.pass[1] = board_fd(link->board);
    spec.pass_count = 2;
    spawn_expect(bench->spawn);
    assert_true(backends[BACKEND_EXEC]->start(own, &spec, &bench->process, &bench->error));
    assert_true(exits_with(&bench->process, SPAWN_FAILED_STATUS));
    assert_int_equal(phase(bench), SPAWN_FAILED);
    assert_int_equal(bench->error.stage, SPAWN_STAGE_READ);
    assert_int_equal(bench->error.error, EPROTO);
    spawn_give_up(bench->spawn);
    spawn_free(own);
    fd_close(&ends[0]);
    fd_close(&ends[1]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        LINK_TEST(test_nonsense),
        LINK_TEST(test_who_knows_no_tests),
        LINK_TEST(test_becoming_of_nonsense),
    };
    const struct service service = {
        .argc = argc, .argv = argv, .run = getenv("GCOV_WITHOUT_TESTS") ? NULL : run_one};
    int status;

    if (serve(&service, &status))
        return status;
    if (!realpath("/proc/self/exe", self))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
