/* Every row of the table: what its runner prints becomes names, and names become commands. */
#include "runner/presets/presets.h"

#include "runner/base/buf.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/results/results.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FOLDER "tests/data/presets/"

static const struct preset *preset_of(const char *name)
{
    const struct preset *preset = preset_find(str_of(name));

    if (!preset)
        fail_msg("there is no preset '%s'", name);
    return preset;
}

/* ---- listings ---- */

static void show_listing(struct buf *out, const struct preset_listing *listing)
{
    if (listing->problem)
        buf_addf(out, "! %s\n", listing->problem);
    for (uint32_t i = 0; i < listing->count; i++) {
        buf_addstr(out, listing->list[i].id);
        if (!str_eq(listing->list[i].id, listing->list[i].name)) {
            buf_adds(out, " <- ");
            buf_addstr(out, listing->list[i].name);
        }
        buf_addc(out, '\n');
    }
}

#define IN_PYTEST(file)                                                                                     \
    file "::TestX::test_y[plain]\n" file "::TestX::test_y[with space]\n" file                               \
         "::TestX::test_y[br[ack]et]\n" file "::TestX::test_y[quo'te\"]\n" file                             \
         "::TestX::test_y[a::b]\n" file "::TestX::test_y[uni-\\xe9]\n" file                                 \
         "::TestX::test_y[new\\nline]\n" file "::TestX::test_y[-k]\n" file "::TestX::TestIn::test_z\n" file \
         "::test_ok\n" file "::test_skip\n"

static const struct {
    const char *preset, *file, *listed;
} samples[] = {
    {"pytest", "pytest.txt", IN_PYTEST("clients/test_a.py") IN_PYTEST("clients/sub/test_b.py")},
    {"pytest", "pytest-tree.txt",
     "! pytest printed a tree and no names: its options want a '-q' less or more\n"},
    {"gtest", "gtest.txt",
     "Shop.Price\nShop.Discount\nShop.Till\nShop.Throws\nTyped/0.Zero\nTyped/1.Zero\nCrash.Never\n"
     "All/Names.Stay/0\nAll/Names.Stay/1\n"},
    {"ctest", "ctest.json", "passes\nfails\nskipped\nmissing\ncrashes\nslow\nneeds_db\nwanted\n"},
    {"meson", "meson.txt",
     "shop / passes <- shop:passes\nshop:till / fails <- shop:fails\nshop / skipped <- shop:skipped\n"
     "shop / hard error <- shop:hard error\nshop / wanted <- shop:wanted\nshop / unexpected <- "
     "shop:unexpected\n"
     "shop / slow <- shop:slow\nshop / tap <- shop:tap\nshop / tap cut <- shop:tap cut\n"},
    {"libtest", "libtest.txt", "tests::discount\ntests::panics\ntests::price\ntests::till\nopens\n"},
    {"go", "go.txt",
     "example.org/shop::TestPrice\nexample.org/shop::TestDiscount\nexample.org/shop::TestTill\n"
     "example.org/shop::TestStock\nexample.org/shop/till::TestPrice\n"},
    {"criterion", "criterion.txt",
     "shop::crashes <- shop/crashes\nshop::discount <- shop/discount\nshop::price <- shop/price\n"
     "shop::till <- shop/till\nstock::empty <- stock/empty\nstock::slow <- stock/slow\n"},
    /* two files of one name: their ids are told apart as those of results are */
    {"bats", "bats.txt",
     "odd.bats::with \"quotes\" and $HOME and 'x' <- ./odd.bats::with \\\"quotes\\\" and $HOME and 'x'\n"
     "odd.bats::single <- ./odd.bats::single\n"
     "odd.bats::br[a]ck (et) * ^ {x} \\ | <- ./odd.bats::br[a]ck (et) * ^ {x} \\\\ |\n"
     "odd.bats::bare <- ./odd.bats::bare\n"
     "shop.bats::price <- ./shop.bats::price\nshop.bats::discount # of 10 <- ./shop.bats::discount # of 10\n"
     "shop.bats::till <- ./shop.bats::till\n"
     "shop.bats::ends with a backslash \\ <- ./shop.bats::ends with a backslash \\\\\n"
     "shop.bats::price#2 <- ./sub/shop.bats::price\n"
     "shop.bats::discount # of 10#2 <- ./sub/shop.bats::discount # of 10\n"
     "shop.bats::till#2 <- ./sub/shop.bats::till\n"
     "shop.bats::ends with a backslash \\#2 <- ./sub/shop.bats::ends with a backslash \\\\\n"},
    {"automake", "automake.txt", "passes.sh\nfails.sh\nskipped.test\nwanted.sh\nsub/hard.sh\nprog\n"},
};

static void listings_are_read(void **state)
{
    struct buf text = {0}, shown = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        struct arena arena = {0};
        struct preset_listing listing;
        char path[128];

        snprintf(path, sizeof path, FOLDER "%s", samples[i].file);
        buf_clear(&text);
        if (file_read(path, &text, 1 << 20) < 0)
            fail_msg("%s is not there", path);
        preset_read(preset_of(samples[i].preset), &arena, buf_str(&text), &listing);
        buf_clear(&shown);
        show_listing(&shown, &listing);
        if (strcmp(buf_text(&shown), samples[i].listed) != 0)
            fail_msg("%s:\n%s\nwanted:\n%s", samples[i].file, buf_text(&shown), samples[i].listed);
        arena_release(&arena);
    }
    buf_release(&text);
    buf_release(&shown);
}

static const struct {
    const char *preset, *output, *listed;
} oddities[] = {
    {"pytest", "", ""},
    {"pytest", "a.py::x\r\na.py::x\n\na.py::not listed any more\n", "a.py::x\n"},
    {"gtest",
     "  Alone\nDISABLED_Suite.\n  Off\nA/DISABLED_B/0.  # TypeParam = int\n  Off\nOn.\n  DISABLED_X\n  Y\n",
     "On.Y\n"},
    {"ctest", "{\"tests\": [", "! ctest printed no JSON of its kind: it has to be 3.14 or newer\n"},
    {"ctest",
     "{\"kind\": {\"name\": \"no\"}, \"tests\": [{\"name\": \"a \\u00e9\\n*\", \"properties\": []}]}",
     "a \xC3\xA9\\n* <- a \xC3\xA9\n*\n"},
    {"meson", "[1/2] Compiling a / b\nninja: done\np:s+t / a:b [c]*?\n",
     "p:s+t / a:b [c]*? <- p:a:b [[]c][*][?]\n"},
    {"go", "TestNoPackage\nok  \tp\nTestLost\n", "p::TestNoPackage\n"},
    {"go", "go: downloading x\nTest A\nBenchmarkX\nFuzzY\nok  \tp\t(cached)\n", "p::FuzzY\n"},
    {"criterion", "a: 1 test\n`-- x\n|-- y (skipped)\n", "a::x <- a/x\n"},
    {"bats", "a.bats:@test {\na.bats:@testing x {\nb.bats:@test x{ }\n", ""},
};

static void oddities_are_borne(void **state)
{
    struct buf shown = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(oddities); i++) {
        struct arena arena = {0};
        struct preset_listing listing;

        preset_read(preset_of(oddities[i].preset), &arena, str_of(oddities[i].output), &listing);
        buf_clear(&shown);
        show_listing(&shown, &listing);
        if (strcmp(buf_text(&shown), oddities[i].listed) != 0)
            fail_msg("%s: '%s':\n%s", oddities[i].preset, oddities[i].output, buf_text(&shown));
        arena_release(&arena);
    }
    buf_release(&shown);
}

/* Twice as many take twice as long, and none is lost or there twice. */
static void many_are_cheap(void **state)
{
    struct arena arena = {0};
    struct buf text = {0};
    struct preset_listing listing;

    (void)state;
    for (unsigned i = 0; i < 200000; i++)
        buf_addf(&text, "tests/test_many.py::test_%u\n", i % 100000);
    preset_read(preset_of("pytest"), &arena, buf_str(&text), &listing);
    assert_int_equal(listing.count, 100000);
    assert_true(str_is(listing.list[99999].id, "tests/test_many.py::test_99999"));
    buf_release(&text);
    arena_release(&arena);
}

/* ---- commands ---- */

/* Folders and files that there are, and the caller's environment. */
static bool exists(const void *user, struct str path)
{
    static const char *const there[] = {"tests",  "tests/",   "tests/a.py", "a.py",       "x.bats",
                                        "t.bats", "./bats",   "sub/x.bats", "./w.sh",     "low",
                                        "low/",   "low/b.py", "low/in",     "up/low/c.py"};

    (void)user;
    for (size_t i = 0; i < ARRAY_LEN(there); i++)
        if (str_is(path, there[i]))
            return true;
    return false;
}

static struct str variable(const void *user, const char *name)
{
    (void)user;
    return str_of(strcmp(name, "PYTEST_ADDOPTS") == 0 ? "-x" : NULL);
}

/* Words of a row are separated by '|'; one alone that begins with "sh:" is a script. */
static uint32_t split(const char *text, struct str *words, uint32_t most)
{
    struct str rest = str_of(text);
    uint32_t count = 0;
    size_t at;

    while (rest.len && count < most) {
        if (!str_find(rest, "|", &at))
            at = rest.len;
        words[count++] = str_slice(rest, 0, at);
        rest = str_slice(rest, at + (at < rest.len), rest.len);
    }
    return count;
}

static void show_command(struct buf *out, const struct preset_command *command)
{
    for (uint32_t i = 0; i < command->variable_count; i++)
        buf_addf(out, "%s=%.*s; ", command->variables[i].name, STR_ARG(command->variables[i].value));
    for (uint32_t i = 0; i < command->count; i++) {
        assert_int_equal(command->words[i].ptr[command->words[i].len], 0);
        buf_addf(out, "%s%.*s", i ? "|" : "", STR_ARG(command->words[i]));
    }
}

#define REPORT "/r e/report.xml"

static const struct {
    const char *preset;
    enum preset_action action;
    const char *words, *tests, *becomes; /* "! ..." when it cannot be done */
} commands[] = {
    {"pytest", PRESET_RUN, "pytest|tests", "",
     "PYTEST_ADDOPTS=-x '--junit-xml=" REPORT "' -o junit_family=xunit1; pytest|tests"},
    {"pytest", PRESET_LIST, "uv|run|pytest|-v|tests", "",
     "uv|run|pytest|-v|tests|--collect-only|--verbosity=-1"},
    {"pytest", PRESET_LIST, "make|test", "", "PYTEST_ADDOPTS=-x --collect-only --verbosity=-1; make|test"},
    {"pytest", PRESET_LIST, "sh:make && pytest tests", "",
     "PYTEST_ADDOPTS=-x --collect-only --verbosity=-1; "},
    /* paths go, their look-alikes behind options stay, and a name is seen from where the command runs */
    {"pytest", PRESET_CHOOSE, "pytest|-k|tests|tests|a.py::x|--no|-v",
     "tests/a.py::T::t[a b]|up/a.py::t[\"'$",
     "PYTEST_ADDOPTS=-x '--junit-xml=" REPORT "' -o junit_family=xunit1; "
     "pytest|-k|tests|--no|-v|tests/a.py::T::t[a b]|a.py::t[\"'$"},
    /* settings below: in a folder that is asked for, in one above it, where --rootdir says */
    {"pytest", PRESET_CHOOSE, "pytest|low/", "b.py::t",
     "PYTEST_ADDOPTS=-x '--junit-xml=" REPORT "' -o junit_family=xunit1; pytest|low/b.py::t"},
    {"pytest", PRESET_CHOOSE, "pytest|low/in::t", "b.py::t",
     "PYTEST_ADDOPTS=-x '--junit-xml=" REPORT "' -o junit_family=xunit1; pytest|low/b.py::t"},
    {"pytest", PRESET_CHOOSE, "pytest|--rootdir=up/low", "c.py::t",
     "PYTEST_ADDOPTS=-x '--junit-xml=" REPORT
     "' -o junit_family=xunit1; pytest|--rootdir=up/low|up/low/c.py::t"},
    {"pytest", PRESET_CHOOSE, "env|-C|low|pytest", "b.py::t",
     "PYTEST_ADDOPTS=-x '--junit-xml=" REPORT "' -o junit_family=xunit1; env|-C|low|pytest|b.py::t"},
    {"pytest", PRESET_CHOOSE, "pytest|tests", "b.py::t",
     "! no file of 'b.py::t' is there, seen from where the command runs"},
    {"pytest", PRESET_CHOOSE, "sh:cd low && pytest \"$@\"", "b.py::t",
     "PYTEST_ADDOPTS=-x '--junit-xml=" REPORT "' -o junit_family=xunit1; b.py::t"},
    /* what starts the runner keeps its words */
    {"pytest", PRESET_CHOOSE, "python3|./w.sh|pytest|tests", "a.py::t",
     "PYTEST_ADDOPTS=-x '--junit-xml=" REPORT "' -o junit_family=xunit1; python3|./w.sh|pytest|a.py::t"},
    {"pytest", PRESET_CHOOSE, "make|test", "tests/a.py::t",
     "! the command does not name pytest, which would take the words for it"},
    {"pytest", PRESET_CHOOSE, "sh:pytest -v", "tests/a.py::t",
     "! the command is a string that hands nothing on: it would have to end in \"$@\""},
    {"pytest", PRESET_CHOOSE, "sh:pytest -v \"$@\"", "tests/a.py::t",
     "PYTEST_ADDOPTS=-x '--junit-xml=" REPORT "' -o junit_family=xunit1; tests/a.py::t"},
    {"pytest", PRESET_CHOOSE, "pytest", "", "! no test is named"},

    {"gtest", PRESET_RUN, "./t", "", "GTEST_OUTPUT=xml:" REPORT "; GTEST_COLOR=no; ./t"},
    {"gtest", PRESET_LIST, "./t|--x", "", "./t|--x|--gtest_list_tests"},
    {"gtest", PRESET_CHOOSE, "./t", "A.b|P/C.d/0",
     "GTEST_OUTPUT=xml:" REPORT "; GTEST_COLOR=no; ./t|--gtest_filter=A.b:P/C.d/0"},
    {"gtest", PRESET_CHOOSE, "sh:./t", "A.b",
     "GTEST_OUTPUT=xml:" REPORT "; GTEST_COLOR=no; GTEST_FILTER=A.b; "},
    {"gtest", PRESET_CHOOSE, "./t", "A.*", "! 'A.*' cannot be written where gtest takes names"},
    {"gtest", PRESET_CHOOSE, "./t", "-A.b", "! '-A.b' cannot be written where gtest takes names"},

    {"ctest", PRESET_RUN, "ctest|-j4", "", "ctest|-j4|--output-junit|" REPORT},
    {"ctest", PRESET_RUN, "make|test", "",
     "! the command does not name ctest, which would take the words for it"},
    {"ctest", PRESET_LIST, "/usr/bin/ctest3", "", "/usr/bin/ctest3|--show-only=json-v1"},
    {"ctest", PRESET_CHOOSE, "ctest", "a.b+c|d (e)[f]*?^$\\|\n g",
     "ctest|--output-junit|" REPORT "|-R|^(a\\.b\\+c|d \\(e\\)\\[f\\]\\*\\?\\^\\$\\\\|\n g)$"},

    {"meson", PRESET_RUN, "meson|test|-C|build", "", "meson|test|-C|build"},
    {"meson", PRESET_LIST, "meson|test|-C|build", "", "meson|test|-C|build|--list"},
    {"meson", PRESET_CHOOSE, "meson|test", "p:hard error|p:[*]", "meson|test|p:hard error|p:[*]"},

    {"libtest", PRESET_LIST, "cargo|test", "", "cargo|test|--|--list|--format|terse"},
    {"libtest", PRESET_CHOOSE, "cargo|test|--|--nocapture", "a::b|src/lib.rs - p (line 1)",
     "cargo|test|--|--nocapture|--exact|a::b|src/lib.rs - p (line 1)"},
    {"libtest", PRESET_CHOOSE, "target/debug/deps/shop-1", "a::b", "target/debug/deps/shop-1|--exact|a::b"},

    {"go", PRESET_RUN, "go|test|./...|-args|-x", "", "go|test|./...|-json|-args|-x"},
    {"go", PRESET_LIST, "go|test|./...", "", "go|test|./...|-list=."},
    {"go", PRESET_CHOOSE, "go|test|./...|-v", "p/q::TestA|p/q::TestB/sub test|r::ExampleX.y",
     "go|test|-v|-json|-run=^(TestA|TestB|ExampleX\\.y)$|p/q|r"},
    {"go", PRESET_CHOOSE, "sh|./w.sh|go|test|./...", "p/q::TestA",
     "sh|./w.sh|go|test|-json|-run=^(TestA)$|p/q"},

    {"criterion", PRESET_RUN, "./t", "", "CRITERION_OUTPUTS=xml:" REPORT "; ./t"},
    {"criterion", PRESET_CHOOSE, "./t", "a/b|c/d",
     "CRITERION_OUTPUTS=xml:" REPORT "; ./t|--filter=@(a/b|c/d)"},
    {"criterion", PRESET_CHOOSE, "./t", "a/*", "! 'a/*' cannot be written where criterion takes names"},

    {"cmocka", PRESET_RUN, "./t", "", "CMOCKA_MESSAGE_OUTPUT=XML; CMOCKA_XML_FILE=" REPORT "; ./t"},
    {"cmocka", PRESET_LIST, "./t", "", "! a cmocka program cannot be asked for the names of its tests"},
    {"cmocka", PRESET_CHOOSE, "./t", "a", "! a cmocka program takes no names of tests"},

    {"bats", PRESET_RUN, "bats|tests", "", "bats|tests|--report-formatter|junit|--output|/r e"},
    {"bats", PRESET_LIST, "bats|-r|-f|tests|tests|x.bats", "",
     "find|tests|x.bats|-type|f|-name|*.bats|-exec|grep|-HE|"
     "^[[:blank:]]*@test[[:blank:]]+.*[^[:blank:]][[:blank:]]+\\{|{}|+"},
    {"bats", PRESET_LIST, "env|./w.sh|bats|tests", "",
     "find|tests|-maxdepth|1|-type|f|-name|*.bats|-exec|grep|-HE|"
     "^[[:blank:]]*@test[[:blank:]]+.*[^[:blank:]][[:blank:]]+\\{|{}|+"},
    {"bats", PRESET_CHOOSE, "env|./w.sh|bats|tests", "x.bats::a",
     "env|./w.sh|bats|--report-formatter|junit|--output|/r e|--filter|^(a)$|x.bats"},
    {"bats", PRESET_LIST, "bats", "", "! the command does not show which files bats would read"},
    {"bats", PRESET_LIST, "sh:bats tests", "", "! the command does not show which files bats would read"},
    {"bats", PRESET_CHOOSE, "./bats|tests|-p", "x.bats::a (b)|x.bats::c \\\"d|t.bats::e{}",
     "./bats|-p|--report-formatter|junit|--output|/r e|--filter|^(a \\(b\\)|c "
     "\\\\\"d|e\\{\\})$|x.bats|t.bats"},

    {"automake", PRESET_RUN, "make|check", "", "make|check"},
    {"automake", PRESET_LIST, "make|-C|build|check|-j2", "",
     "make|-C|build|-j2|-s|--no-print-directory|--eval=run-matrix-list: ; @printf '%s\\n' $(TESTS)|"
     "run-matrix-list"},
    {"automake", PRESET_CHOOSE, "make|check", "a.sh|sub/b.test", "make|check|TESTS=a.sh sub/b.test"},
    {"automake", PRESET_CHOOSE, "make|check", "$(x)",
     "! '$(x)' cannot be written where automake takes names"},
};

static void ask_row(size_t i, struct arena *arena, struct buf *out)
{
    struct str words[16], tests[16];
    bool script = strncmp(commands[i].words, "sh:", 3) == 0;
    struct preset_ask ask = {
        .action = commands[i].action,
        .words = words,
        .count = split(commands[i].words + (script ? 3 : 0), words, ARRAY_LEN(words)),
        .script = script,
        .tests = tests,
        .results = STR("/r e"),
        .variable = variable,
        .exists = exists,
    };
    struct preset_command command;
    const char *why;

    ask.test_count = split(commands[i].tests, tests, ARRAY_LEN(tests));
    why = preset_command(preset_of(commands[i].preset), arena, &ask, &command);
    if (why)
        buf_addf(out, "! %s", why);
    else
        show_command(out, &command);
}

static void commands_are_made(void **state)
{
    struct buf shown = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        struct arena arena = {0};

        buf_clear(&shown);
        ask_row(i, &arena, &shown);
        if (strcmp(buf_text(&shown), commands[i].becomes) != 0)
            fail_msg("%s: %s:\n%s\nwanted:\n%s", commands[i].preset, commands[i].words, buf_text(&shown),
                     commands[i].becomes);
        arena_release(&arena);
    }
    buf_release(&shown);
}

static void what_is_too_long_is_refused(void **state)
{
    static const char *const rows[] = {"gtest", "libtest"};
    struct str words[] = {STR("./t")}, *tests = mem_alloc(20000 * sizeof *tests);
    struct preset_ask ask = {
        .action = PRESET_CHOOSE, .words = words, .count = 1, .tests = tests, .test_count = 20000};
    struct arena arena = {0};
    struct preset_command command;

    (void)state;
    for (size_t i = 0; i < 20000; i++)
        tests[i] = str_of("Suite.Name_of_a_test_that_is_as_long_as_many_of_them_are_today");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(preset_command(preset_of(rows[i]), &arena, &ask, &command),
                            "so many names are too long for a command");
    tests[0] = (struct str){"a\0b", 3};
    ask.test_count = 1;
    assert_string_equal(preset_command(preset_of("libtest"), &arena, &ask, &command),
                        "a name holds a NUL byte, which no program can be given");
    arena_release(&arena);
    free(tests);
}

/* ---- by words of the user's ---- */

static const struct {
    const char *words, *tests, *becomes;
} fills[] = {
    {"./t|--only={test}|-v", "a b", "./t|--only=a b|-v"},
    {"./t|{test}{test}", "x", "./t|xx"},
    {"./t|{tests}|--", "a|{test}|c", "./t|a|{test}|c|--"},
    {"./t|{test}", "a|b", "! its command takes one name at a time"},
    {"./t|{tests}", "", "! no test is named"},
};

static void own_words_are_filled(void **state)
{
    struct buf shown = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fills); i++) {
        struct arena arena = {0};
        struct str words[8], tests[8];
        uint32_t count = split(fills[i].words, words, 8), test_count = split(fills[i].tests, tests, 8);
        struct preset_command command;
        const char *why = preset_fill(&arena, words, count, tests, test_count, &command);

        buf_clear(&shown);
        if (why)
            buf_addf(&shown, "! %s", why);
        else
            show_command(&shown, &command);
        assert_string_equal(buf_text(&shown), fills[i].becomes);
        arena_release(&arena);
    }
    buf_release(&shown);
}

/* ---- results ---- */

static const struct {
    const char *preset, *id, *file, *becomes;
} ids[] = {
    {"pytest", "tests.test_a.TestX.TestIn::test_y[a::b.c]", "tests/test_a.py",
     "tests/test_a.py::TestX::TestIn::test_y[a::b.c]"},
    {"pytest", "tests.test_a::test_y", "tests/test_a.py", "tests/test_a.py::test_y"},
    {"pytest", "tests.test_a::test_y", "", "tests.test_a::test_y"},
    {"pytest", "tests.test_a.TestX::test_y", "tests/base.py", "tests.test_a.TestX::test_y"},
    {"pytest", "tests.test_ab::test_y", "tests/test_a.py", "tests.test_ab::test_y"},
    {"pytest", "collection", "tests/test_a.py", "collection"},
    {"go", "p/q\",\"Test\":\"TestX/a\\u003cb\\\"c", "", "p/q::TestX/a<b\"c"},
    {"go", "p/q\",\"Test\":\"TestX\\", "", "p/q\",\"Test\":\"TestX\\"},
    {"bats", "sub/x.bats::a/b", "", "x.bats::a/b"},
    {"gtest", "A.b", "x.cc", "A.b"},
};

static void results_are_called_as_listed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        struct arena arena = {0};
        struct str id =
            preset_result_id(preset_of(ids[i].preset), &arena, str_of(ids[i].id), str_of(ids[i].file));

        if (!str_is(id, ids[i].becomes))
            fail_msg("%s: %s: %.*s", ids[i].preset, ids[i].id, STR_ARG(id));
        arena_release(&arena);
    }
}

static const struct {
    const char *preset, *result, *listed;
    bool same;
} alike[] = {
    {"pytest", "t.test_a.TestX.TestIn::test_y[1]", "t/test_a.py::TestX::TestIn::test_y[1]", true},
    {"pytest", "t.test_a.TestX::test_y", "t/test_a.py::TestY::test_y", false},
    {"pytest", "t.test_a.TestX::test_y", "t/test_a.py::TestX::test_yy", false},
    {"pytest", "t.test_ab.TestX::test_y", "t/test_a.py::TestX::test_y", false},
    {"pytest", "t.test_a::test_y", "t/test_a.py::test_y", false}, /* has its file */
    {"bats", "x.bats::at /root now", "x.bats::at $HOME now", true},
    {"bats", "x.bats::in /root", "x.bats::at $HOME", false},
    {"bats", "x.bats::price", "x.bats::price#2", true},
    {"bats", "x.bats::price 1", "x.bats::price#2", false},
    {"go", "p::TestA", "p::TestA", true},
    {"go", "p::TestA/b", "p::TestA", false},
};

static void results_are_of_what_was_listed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(alike); i++)
        if (preset_is_of(preset_of(alike[i].preset), str_of(alike[i].result), str_of(alike[i].listed)) !=
            alike[i].same)
            fail_msg("%s and %s", alike[i].result, alike[i].listed);
}

static const struct {
    const char *preset, *id, *name; /* NULL: not known */
} told[] = {
    {"pytest", "t/a.py::T::x[1]", "t/a.py::T::x[1]"},
    {"pytest", "t.a.T::x", NULL},
    {"pytest", "t.a", NULL},
    {"meson", "p:suite / a [b]", "p:a [[]b]"},
    {"meson", "p", NULL},
    {"libtest", "a::b", "a::b"},
    {"libtest", "src/lib.rs - a (line 1)", NULL},
    {"criterion", "a::b", "a/b"},
    {"cmocka", "a::b", NULL},
    {"bats", "x.bats::a", NULL},
    {"gtest", "A.b", "A.b"},
};

static void ids_become_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(told); i++) {
        struct arena arena = {0};
        struct str name;
        bool known = preset_name_of(preset_of(told[i].preset), &arena, str_of(told[i].id), &name);

        if (known != (told[i].name != NULL) || (known && !str_is(name, told[i].name)))
            fail_msg("%s: %s", told[i].preset, told[i].id);
        arena_release(&arena);
    }
}

/* What the rows expect of consoles is read by the reader of lines, in the words that their runners wrote. */
static const struct {
    const char *preset, *console;
    uint32_t verdicts[RESULT_VERDICT_COUNT];
} consoles[] = {
    {"gtest", "tests/data/results/gtest/crashed.txt", {1, 0, 0, 0, 0, 0, 1}},
    {"gtest", "tests/data/results/gtest/console.txt", {6, 2, 0, 1}},
    {"meson", "tests/data/results/meson/console.txt", {1, 3, 2, 1, 1, 1}},
    {"libtest", "tests/data/presets/libtest-run.txt", {4, 1, 0, 1}},
    {"go", "tests/data/presets/go-run.txt", {2, 3, 0, 1}},
    {"automake", "tests/data/presets/automake-run.txt", {2, 1, 1, 1, 1}},
};

static const char *lines_of(const struct preset *preset)
{
    const struct preset_report *reports = preset_reports(preset);

    for (size_t i = 0; i < PRESET_REPORTS_MOST; i++)
        if (reports[i].format == PRESET_LINES)
            return reports[i].lines;
    return NULL;
}

static void consoles_are_read(void **state)
{
    struct buf text = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(consoles); i++) {
        struct results results;
        struct lines_error error;
        struct results_reader *reader;

        buf_clear(&text);
        if (file_read(consoles[i].console, &text, 1 << 20) < 0)
            fail_msg("%s is not there", consoles[i].console);
        results_init(&results, consoles[i].console);
        reader = results_lines(&results, str_of(lines_of(preset_of(consoles[i].preset))), &error);
        if (!reader)
            fail_msg("%s: %zu: %s", consoles[i].preset, error.at, error.text);
        results_feed(reader, buf_str(&text));
        results_end(reader);
        if (memcmp(results.verdicts, consoles[i].verdicts, sizeof results.verdicts) != 0)
            fail_msg("%s: %u passed, %u failed, %u error, %u skipped, %u not run", consoles[i].console,
                     results.verdicts[RESULT_PASSED], results.verdicts[RESULT_FAILED],
                     results.verdicts[RESULT_ERROR], results.verdicts[RESULT_SKIPPED],
                     results.verdicts[RESULT_NOT_RUN]);
        results_release(&results);
    }
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listings_are_read),
        cmocka_unit_test(oddities_are_borne),
        cmocka_unit_test(many_are_cheap),
        cmocka_unit_test(commands_are_made),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(own_words_are_filled),
        cmocka_unit_test(results_are_called_as_listed),
        cmocka_unit_test(results_are_of_what_was_listed),
        cmocka_unit_test(ids_become_names),
        cmocka_unit_test(consoles_are_read),
    };

    return cmocka_run_group_tests_name("presets", tests, NULL, NULL);
}
