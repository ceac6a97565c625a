#include "runner/base/clock.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/base/opt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- a program of its own, with every kind of option ---- */

enum { NONE, RUN, LIST, EVAL, COMMANDS };

#define ON(command) (1u << (command))
#define ALL         (~0u)

struct values {
    bool json, help, force;
    int verbose;
    const char *text, *path, *color;
    struct opt_list cells;
    int64_t jobs;
    nanos timeout;
};
#define AT(member) offsetof(struct values, member)

static const char *const colors[] = {"always", "auto", "never", NULL};

static const struct opt_command commands[COMMANDS] = {
    [NONE] = {.synopsis = "COMMAND", .help = "the program"},
    [RUN] =
        {.name = "run",
         .synopsis = "[PATH ...]",
         .help = "run what is there",
         .about =
             "A first paragraph\nof two lines.\n\n  kept  as it is\n  .so, this too\n\nA last one, "
             "which is long enough to be broken somewhere in front of the eightieth column of a terminal."},
    [LIST] = {.name = "list", .synopsis = "", .help = "list what is there"},
    [EVAL] = {.name = "eval", .synopsis = "[--path FILE] EXPR", .help = "evaluate", .takes_rest = true},
};

static const struct opt opts[] = {
    {"json", 0, OPT_FLAG, NULL, "print JSON", "Output", AT(json), ON(LIST) | ON(RUN), NULL, 0, NULL},
    {"verbose", 'v', OPT_COUNT, NULL, "say more", NULL, AT(verbose), ON(LIST) | ON(RUN), NULL, 0, NULL},
    {"text", 't', OPT_TEXT, "WORDS", "some 'words'", NULL, AT(text), ON(RUN), NULL, 0, "words"},
    {"path", 0, OPT_PATH, "FILE", "a file", "Input: [all]", AT(path), ON(RUN) | ON(EVAL), NULL, 0, NULL},
    {"cell", 'c', OPT_LIST, "AXIS=VALUE,...", "take it", NULL, AT(cells), ON(RUN) | ON(LIST), NULL, 0, NULL},
    {"jobs", 'n', OPT_INT, "N", "side by side", NULL, AT(jobs), ON(RUN), NULL, 1, NULL},
    {"timeout", 0, OPT_SPAN, "TIME", "how long", NULL, AT(timeout), ON(RUN), NULL, 0, NULL},
    {"color", 0, OPT_ENUM, "WHEN", "colors", NULL, AT(color), ON(RUN), colors, 0, NULL},
    {"help", 'h', OPT_FLAG, NULL, "print this help", "Help", AT(help), ALL, NULL, 0, NULL},
    {"force", 'f', OPT_FLAG, NULL, "do it", NULL, AT(force), ON(NONE), NULL, 0, NULL},
};

static const struct opt_part first = {opts, 3}, second = {opts + 3, ARRAY_LEN(opts) - 3};
static const struct opt_part *const parts[] = {&first, &second};

static const struct opt_section sections[] = {{"EXIT STATUS", "  0  passed\n  1  'failed'\n\n.so it goes"}};

static const struct opt_table table = {
    .program = "prog-x",
    .version = "1.2",
    .tagline = "what it is",
    .about = "Words about it.",
    .commands = commands,
    .command_count = COMMANDS,
    .parts = parts,
    .part_count = ARRAY_LEN(parts),
    .sections = sections,
    .section_count = ARRAY_LEN(sections),
};

/* ---- the parser ---- */

/* Words are separated by blanks, '_' stands for an empty one. */
static int split(char *line, char **argv, size_t most)
{
    int argc = 1;

    argv[0] = (char[]){"prog"};
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " ")) {
        assert_true((size_t)argc < most);
        argv[argc++] = strcmp(word, "_") == 0 ? word + 1 : word;
    }
    return argc;
}

static void add_list(struct buf *out, const char *name, const struct opt_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        buf_addf(out, " %s%s", name, list->values[i]);
}

/* All that was read, as text, defaults left out. */
static void describe(struct buf *out, const struct opt_result *result, const struct values *v)
{
    const char *name = commands[result->command].name;

    buf_adds(out, name ? name : "-");
    buf_adds(out, v->json ? " json" : "");
    buf_adds(out, v->help ? " help" : "");
    buf_adds(out, v->force ? " force" : "");
    if (v->verbose)
        buf_addf(out, " verbose=%d", v->verbose);
    if (v->text)
        buf_addf(out, " text=%s", v->text);
    if (v->path)
        buf_addf(out, " path=%s", v->path);
    if (v->color)
        buf_addf(out, " color=%s", v->color);
    add_list(out, "cell=", &v->cells);
    if (v->jobs != -1)
        buf_addf(out, " jobs=%lld", (long long)v->jobs);
    if (v->timeout)
        buf_addf(out, " timeout=%lldms", (long long)(v->timeout / NS_PER_MS));
    add_list(out, "+", &result->args);
}

static const struct {
    const char *line;
    size_t fallback;
    const char *wanted; /* what was read, or the errors */
} rows[] = {
    /* commands */
    {"", NONE, "-"},
    {"list", NONE, "list"},
    {"a b", NONE, "- +a +b"},
    {"", RUN, "run"},
    {"a list", RUN, "run +a +list"},
    {"list list", NONE, "list +list"},
    {"--json list", NONE, "list json"},
    {"-t list run", NONE, "run text=list"},
    {"-- list", RUN, "run +list"},
    {"_", RUN, "run +"},
    {"-", RUN, "run +-"},
    /* every kind */
    {"run --json", NONE, "run json"},
    {"run --json --json", NONE, "run json"},
    {"run --verbose -v -vv", NONE, "run verbose=4"},
    {"run --text a --text=b", NONE, "run text=b"},
    {"run --text= a", NONE, "run text= +a"},
    {"run --text a=b", NONE, "run text=a=b"},
    {"run --text=a=b", NONE, "run text=a=b"},
    {"run --words w", NONE, "run text=w"},
    {"run --path x", NONE, "run path=x"},
    {"run --cell a --cell=b -cd -c e", NONE, "run cell=a cell=b cell=d cell=e"},
    {"run --jobs 4", NONE, "run jobs=4"},
    {"run --jobs=9223372036854775807", NONE, "run jobs=9223372036854775807"},
    {"run --timeout 1m30s", NONE, "run timeout=90000ms"},
    {"run --timeout=250ms", NONE, "run timeout=250ms"},
    {"run --color never", NONE, "run color=never"},
    /* letters */
    {"run -n4", NONE, "run jobs=4"},
    {"run -n 4", NONE, "run jobs=4"},
    {"run -vn4", NONE, "run verbose=1 jobs=4"},
    {"run -vvt x y", NONE, "run verbose=2 text=x +y"},
    {"run -tv", NONE, "run text=v"},
    {"run -t -v", NONE, "run text=-v"},
    {"run -t -- -v", NONE, "run verbose=1 text=--"},
    /* order, and the end of options */
    {"run a --json b -v c", NONE, "run json verbose=1 +a +b +c"},
    {"run a -- --json -- b", NONE, "run +a +--json +-- +b"},
    {"--help list", NONE, "list help"},
    {"-f", NONE, "- force"},
    /* the last argument as it stands */
    {"eval -1", NONE, "eval +-1"},
    {"eval --x", NONE, "eval +--x"},
    {"eval --path=f -1", NONE, "eval path=f +-1"},
    {"eval --path f --path", NONE, "eval path=f +--path"},
    {"--path f eval -n", NONE, "eval path=f +-n"},
    {"eval --", NONE, "eval +--"},
    {"eval -- --help", NONE, "eval +--help"},
    {"eval", NONE, "eval"},
    {"eval --help", NONE, "eval help"},
    {"eval -h", NONE, "eval help"},
    {"eval -f", NONE, "eval +-f"},
    {"eval -hh", NONE, "eval +-hh"},
    {"eval a -b", NONE, "eval +a +-b"},
    /* mistakes */
    {"run --jsno", NONE, "unknown option '--jsno'; did you mean '--json'?"},
    {"run --word=x", NONE, "unknown option '--word'; did you mean '--words'?"},
    {"run --qqqqqqqq", NONE, "unknown option '--qqqqqqqq'"},
    {"run --", NONE, "run"},
    {"run --=x", NONE, "unknown option '--'"},
    {"run -z", NONE, "unknown option '-z'"},
    {"run -vz", NONE, "unknown option '-z' in '-vz'"},
    {"run -json", NONE, "unknown option '-j' in '-json'; did you mean '--json'?"},
    {"run -\xc3\xa9", NONE, "unknown option '-\xc3\xa9'"},
    {"run --jobs", NONE, "'--jobs' needs a value: N"},
    {"run -n", NONE, "'-n' needs a value: N"},
    {"run --color", NONE, "'--color' needs a value: always|auto|never"},
    {"eval --path -1", NONE, "'--path' needs a value: FILE, before the last argument"},
    {"run --json=yes", NONE, "'--json' takes no value, and 'yes' was given"},
    {"run --verbose=2", NONE, "'--verbose' takes no value, and '2' was given"},
    {"run --jobs 0", NONE, "'--jobs' wants a whole number of at least 1, not '0'"},
    {"run -n-4", NONE, "'-n' wants a whole number of at least 1, not '-4'"},
    {"run -n=4", NONE, "'-n' wants a whole number of at least 1, not '=4'"},
    {"run --jobs=", NONE, "'--jobs' wants a whole number of at least 1, not ''"},
    {"run --jobs 4x", NONE, "'--jobs' wants a whole number of at least 1, not '4x'"},
    {"run --jobs +4", NONE, "'--jobs' wants a whole number of at least 1, not '+4'"},
    {"run --jobs -", NONE, "'--jobs' wants a whole number of at least 1, not '-'"},
    {"run --jobs 9223372036854775808", NONE,
     "'--jobs' wants a whole number of at least 1, not '9223372036854775808'"},
    {"run --timeout soon", NONE, "'--timeout' wants a time such as 90s or 1m30s, not 'soon'"},
    {"run --color newer", NONE,
     "'--color' wants one of always, auto, never, not 'newer'; did you mean 'never'?"},
    {"run --color _", NONE, "'--color' wants one of always, auto, never, not ''"},
    {"list --jobs 4", NONE, "'--jobs' is no option of 'list', but of run"},
    {"list --path f", NONE, "'--path' is no option of 'list', but of run and eval"},
    {"list -f", NONE, "'-f' is no option of 'list', but of the program without a command"},
    {"eval -v 1", NONE, "'-v' is no option of 'eval', but of run and list"},
    {"--json", NONE, "'--json' is an option of run and list"},
    {"--json lst", NONE, "- json +lst"}, /* the misspelt command is what must be said */
    {"list --nope -n0", NONE, "unknown option '--nope' / '-n' wants a whole number of at least 1, not '0'"},
};

static void read_line(const char *line, size_t fallback, struct buf *out)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct opt_result result;
    struct values values = {.jobs = -1};
    char *copy = strdup(line), *argv[32];
    int argc = split(copy, argv, ARRAY_LEN(argv));
    bool good = opt_parse(&table, fallback, argc, argv, &values, &result, &diags);

    assert_true(good == (diags.errors == 0));
    if (good)
        describe(out, &result, &values);
    for (size_t i = 0; i < diags.count; i++)
        buf_addf(out, "%s%s", i ? " / " : "", diags.list[i].text);
    arena_release(&arena);
    free(copy);
}

static void test_rows(void **state)
{
    size_t wrong = 0;
    struct buf got = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_clear(&got);
        read_line(rows[i].line, rows[i].fallback, &got);
        if (strcmp(buf_text(&got), rows[i].wanted) == 0)
            continue;
        print_error("'%s': got: %s, wanted: %s\n", rows[i].line, buf_text(&got), rows[i].wanted);
        wrong++;
    }
    buf_release(&got);
    assert_int_equal(wrong, 0);
}

static void test_long_command_line(void **state)
{
    enum { MANY = 5000 };
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct opt_result result;
    struct values values = {0};
    char **argv = calloc(MANY + 1, sizeof *argv), cell[] = "-cx", word[] = "word", run[] = "run";

    (void)state;
    argv[0] = argv[1] = run;
    for (int i = 2; i < MANY; i++)
        argv[i] = i % 2 ? cell : word;
    assert_true(opt_parse(&table, NONE, MANY, argv, &values, &result, &diags));
    assert_int_equal(values.cells.count + result.args.count, MANY - 2);
    assert_string_equal(values.cells.values[values.cells.count - 1], "x");
    assert_string_equal(result.args.values[result.args.count - 1], "word");
    arena_release(&arena);
    free(argv);
}

/* ---- help ---- */

static const char run_help[] = "usage: prog-x run [OPTION ...] [PATH ...]\n"
                               "\n"
                               "run what is there\n"
                               "\n"
                               "A first paragraph of two lines.\n"
                               "\n"
                               "  kept  as it is\n"
                               "  .so, this too\n"
                               "\n"
                               "A last one, which is long enough to be broken somewhere in front of the\n"
                               "eightieth column of a terminal.\n"
                               "\n"
                               "Output:\n"
                               "      --json                 print JSON\n"
                               "  -v, --verbose              say more\n"
                               "  -t, --text WORDS           some 'words' (also --words)\n"
                               "\n"
                               "Input: [all]:\n"
                               "      --path FILE            a file\n"
                               "  -c, --cell AXIS=VALUE,...  take it\n"
                               "  -n, --jobs N               side by side\n"
                               "      --timeout TIME         how long\n"
                               "      --color always|auto|never\n"
                               "                             colors\n"
                               "\n"
                               "Help:\n"
                               "  -h, --help                 print this help\n";

static const char overview[] = "usage: prog-x [OPTION ...] COMMAND\n"
                               "\n"
                               "what it is\n"
                               "\n"
                               "Commands:\n"
                               "  run   run what is there\n"
                               "  list  list what is there\n"
                               "  eval  evaluate\n"
                               "\n"
                               "Help:\n"
                               "  -h, --help   print this help\n"
                               "  -f, --force  do it\n"
                               "\n"
                               "'prog-x COMMAND --help' tells the options of a command.\n";

static void test_help(void **state)
{
    struct buf out = {0};

    (void)state;
    opt_help(&table, RUN, &out);
    assert_string_equal(buf_text(&out), run_help);
    buf_clear(&out);
    opt_overview(&table, &out);
    assert_string_equal(buf_text(&out), overview);
    buf_release(&out);
}

/* ---- what other programs make of it ---- */

/* Writes `text` to a file and runs `script` with its name as $1; what that prints is in `out`. */
static int run_script(const char *script, const struct buf *text, struct buf *out)
{
    char path[] = "/tmp/test_opt.XXXXXX", *command;
    int fd = mkstemp(path), status;
    FILE *pipe;

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, text->ptr, text->len), 0);
    close(fd);
    assert_true(asprintf(&command, "set -- %s; { %s\n} 2>&1", path, script) > 0);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    buf_clear(out);
    for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe))
        buf_addc(out, (char)c);
    status = pclose(pipe);
    unlink(path);
    free(command);
    return status;
}

static bool has_program(const char *name)
{
    struct buf nothing = {0}, out = {0};
    char script[64];
    int status;

    snprintf(script, sizeof script, "command -v %s", name);
    status = run_script(script, &nothing, &out);
    buf_release(&out);
    return status == 0;
}

static void test_man_page(void **state)
{
    struct buf page = {0}, out = {0};

    (void)state;
    if (!has_program("groff"))
        skip();
    opt_man(&table, &page);
    assert_int_equal(run_script("groff -man -Tascii -P-cbou -ww \"$1\"", &page, &out), 0);
    assert_null(strstr(buf_text(&out), "warning"));
    assert_non_null(strstr(buf_text(&out), "PROG-X(1)"));
    assert_non_null(strstr(buf_text(&out), "\nNAME\n       prog-x - what it is\n"));
    assert_non_null(strstr(buf_text(&out), "       prog-x eval [OPTION ...] [--path FILE] EXPR\n"));
    assert_non_null(strstr(buf_text(&out), "             kept  as it is\n             .so, this too\n"));
    assert_non_null(strstr(buf_text(&out), "       -t WORDS, --text WORDS, --words WORDS\n"
                                           "           Some 'words'.  Option of run.\n"));
    assert_non_null(strstr(buf_text(&out), "\nEXIT STATUS\n         0  passed\n         1  'failed'\n"));
    assert_non_null(strstr(buf_text(&out), "       .so it goes\n"));
    buf_release(&page);
    buf_release(&out);
}

static const struct {
    const char *words;  /* as bash takes the line apart; the last is completed */
    const char *wanted; /* one a line */
} completed[] = {
    {"prog-x ''", "run\nlist\neval\n"},
    {"prog-x l", "list\n"},
    {"prog-x x", ""},
    {"prog-x -", "--help\n--force\n"},
    {"prog-x list -", "--json\n--verbose\n--cell\n--help\n"},
    {"prog-x list --j", "--json\n"},
    {"prog-x list ''", ""},
    {"prog-x list l", ""},
    {"prog-x run --color ''", "always\nauto\nnever\n"},
    {"prog-x run --color a", "always\nauto\n"},
    {"prog-x run --color =", "always\nauto\nnever\n"},
    {"prog-x run --color = ne", "never\n"},
    {"prog-x run --text a", ""},
    {"prog-x --text list r", "run\n"},
    {"prog-x --text = list r", "run\n"},
    {"prog-x run na", "name with blanks\nname2\n"},
    {"prog-x run --path na", "name with blanks\nname2\n"},
    {"prog-x run --path = name2", "name2\n"},
    {"prog-x eval --path na", "name with blanks\nname2\n"},
    {"prog-x eval na", ""},
};

static void test_bash_completes(void **state)
{
    struct buf completions = {0}, out = {0};
    char script[512];

    (void)state;
    assert_true(opt_completion(&table, "bash", &completions));
    for (size_t i = 0; i < ARRAY_LEN(completed); i++) {
        snprintf(script, sizeof script,
                 "dir=$(mktemp -d) && cd \"$dir\" && touch name2 'name with blanks' && bash -uc '. \"$1\"\n"
                 "shift; COMP_WORDS=(\"$@\") COMP_CWORD=$(($# - 1)) COMPREPLY=()\n"
                 "_prog_x; [[ ! ${COMPREPLY+x} ]] || printf \"%%s\\n\" \"${COMPREPLY[@]}\"' bash \"$1\" %s\n"
                 "rm -r \"$dir\"",
                 completed[i].words);
        assert_int_equal(run_script(script, &completions, &out), 0);
        if (strcmp(buf_text(&out), completed[i].wanted) != 0)
            fail_msg("%s: got: %s", completed[i].words, buf_text(&out));
    }
    buf_release(&completions);
    buf_release(&out);
}

static const struct {
    const char *shell, *check;
} syntax[] = {
    {"bash", "bash -n \"$1\""},
    {"zsh", "zsh -n \"$1\""},
    {"fish", "fish -n \"$1\" && fish -c \"source $1; complete -C 'prog-x run --color ne'\" | grep -q ^never"},
};

static void test_shells_accept(void **state)
{
    struct buf completions = {0}, out = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(syntax); i++) {
        buf_clear(&completions);
        assert_true(opt_completion(&table, syntax[i].shell, &completions));
        if (has_program(syntax[i].shell) && run_script(syntax[i].check, &completions, &out) != 0)
            fail_msg("%s: %s", syntax[i].shell, buf_text(&out));
    }
    buf_clear(&completions);
    assert_false(opt_completion(&table, "tcsh", &completions));
    assert_int_equal(completions.len, 0);
    buf_release(&completions);
    buf_release(&out);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),           cmocka_unit_test(test_long_command_line),
        cmocka_unit_test(test_help),           cmocka_unit_test(test_man_page),
        cmocka_unit_test(test_bash_completes), cmocka_unit_test(test_shells_accept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
