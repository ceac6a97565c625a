/* Commands made of the user's command and of a row of the table. */
#include "runner/presets/internal.h"

#include <string.h>

/* Linux takes no word that is longer, its NUL counted, and not many more than this of all of them. */
#define WORD_MOST  ((size_t)128 << 10)
#define WORDS_MOST ((size_t)1 << 20)

struct making {
    const struct preset *preset;
    const struct preset_ask *ask;
    struct arena *arena;
    struct preset_command *command;
    struct str filter;
    size_t size;     /* of all words and variables */
    const char *why; /* it cannot be done */
};

/* ---- words ---- */

void command_add(struct arena *arena, struct preset_command *command, struct str word)
{
    /* Grows as powers of two do: the number says whether there is room. */
    if ((command->count & (command->count - 1)) == 0) {
        struct str *more = ARENA_ARRAY(arena, struct str, command->count ? (size_t)command->count * 2 : 1);

        if (command->count)
            memcpy(more, command->words, command->count * sizeof *more);
        command->words = more;
    }
    command->words[command->count++] = arena_str(arena, word);
}

static bool fits(struct making *m, struct str text)
{
    m->size += text.len + 1;
    if (text.len >= WORD_MOST || m->size > WORDS_MOST)
        m->why = "so many names are too long for a command";
    else if (text.len && memchr(text.ptr, 0, text.len))
        m->why = "a name holds a NUL byte, which no program can be given";
    return !m->why;
}

static void add(struct making *m, struct str word)
{
    if (fits(m, word))
        command_add(m->arena, m->command, word);
}

/* ---- its program ---- */

static bool is_program(struct str word, const char *program)
{
    struct str name = base_name(word);

    return program && (str_is(name, program) ||
                       /* pytest-3, ctest3, make-4.3 */
                       (str_starts(name, program) && name.len > strlen(program) &&
                        strchr("-.0123456789", name.ptr[strlen(program)])));
}

/* Its own program, also behind another one, as in `uv run pytest` or `python -m pytest`. */
static uint32_t program_word(const struct preset *preset, const struct preset_ask *ask)
{
    uint32_t i = 0;

    while (i < ask->count && !is_program(ask->words[i], preset->program) &&
           !is_program(ask->words[i], preset->program_too))
        i++;
    return i;
}

/* ---- what stands in braces ---- */

static void fill(struct making *m, struct buf *out, const char *pattern)
{
    struct str rest = str_of(pattern);
    size_t at;

    while (str_find(rest, "{", &at)) {
        struct str tail = str_slice(rest, at, rest.len);

        buf_addstr(out, str_slice(rest, 0, at));
        if (str_starts(tail, "{results}")) {
            buf_addstr(out, m->ask->results);
            at += strlen("{results}");
        } else if (str_starts(tail, "{filter}")) {
            buf_addstr(out, m->filter);
            at += strlen("{filter}");
        } else {
            buf_addc(out, '{');
            at++;
        }
        rest = str_slice(rest, at, rest.len);
    }
    buf_addstr(out, rest);
}

static void add_tests(struct making *m)
{
    const struct preset_ask *ask = m->ask;
    uint32_t program = program_word(m->preset, ask);

    for (uint32_t i = 0; i < ask->test_count && !m->why; i++) {
        struct str name = ask->tests[i];

        if (m->preset->from_here && !m->preset->from_here(ask, m->arena, program, &name) && !ask->script)
            m->why = arena_printf(m->arena, "no file of '%.*s' is there, seen from where the command runs",
                                  STR_ARG(str_slice(name, 0, 200)));
        else
            add(m, name);
    }
}

static void add_words(struct making *m, const struct edit *edit)
{
    struct buf text = {0};

    for (size_t i = 0; i < EDIT_WORDS_MOST && edit->words[i]; i++) {
        if (strcmp(edit->words[i], "{tests}") == 0) {
            add_tests(m);
            continue;
        }
        buf_clear(&text);
        fill(m, &text, edit->words[i]);
        add(m, buf_str(&text));
    }
    buf_release(&text);
}

/* ---- variables ---- */

/* A folder with a blank in its name stays one word. */
static void fill_quoted(struct making *m, struct buf *out, const char *pattern)
{
    struct str rest = str_of(pattern), word;
    struct buf text = {0};
    size_t at;

    while (rest.len) {
        if (!str_find(rest, " ", &at))
            at = rest.len;
        word = arena_str(m->arena, str_slice(rest, 0, at));
        buf_clear(&text);
        fill(m, &text, word.ptr);
        quote_shell(out, buf_str(&text));
        rest = str_slice(rest, at + (at < rest.len), rest.len);
        if (rest.len)
            buf_addc(out, ' ');
    }
    buf_release(&text);
}

static struct str value_now(const struct making *m, const char *name)
{
    for (uint32_t i = 0; i < m->command->variable_count; i++)
        if (strcmp(m->command->variables[i].name, name) == 0)
            return m->command->variables[i].value;
    return m->ask->variable ? m->ask->variable(m->ask->user, name) : (struct str){0};
}

static void set_variable(struct making *m, const struct edit_variable *variable)
{
    struct preset_command *command = m->command;
    struct buf text = {0};
    uint32_t at = 0;

    if (variable->is_words) {
        struct str now = value_now(m, variable->name);

        buf_addstr(&text, now);
        if (now.len)
            buf_addc(&text, ' ');
        fill_quoted(m, &text, variable->value);
    } else {
        fill(m, &text, variable->value);
    }
    while (at < command->variable_count && strcmp(command->variables[at].name, variable->name) != 0)
        at++;
    if (fits(m, buf_str(&text)) && at < PRESET_VARIABLES_MOST) {
        command->variables[at] =
            (struct preset_variable){variable->name, arena_str(m->arena, buf_str(&text))};
        command->variable_count += at == command->variable_count;
    }
    buf_release(&text);
}

static void set_variables(struct making *m, const struct edit *edit)
{
    for (size_t i = 0; i < PRESET_VARIABLES_MOST && edit->variables[i].name; i++)
        set_variable(m, &edit->variables[i]);
}

/* ---- does the command take words? ---- */

static bool names_program(const struct preset *preset, const struct preset_ask *ask)
{
    return program_word(preset, ask) < ask->count;
}

static bool takes_words(const struct preset *preset, const struct preset_ask *ask)
{
    size_t at;

    if (ask->script)
        return str_find(ask->words[0], "\"$@\"", &at);
    /* What is started by cargo takes its words behind "--", and by itself at once. */
    return !preset->program || preset->separator || names_program(preset, ask);
}

static void apply(struct making *m, const struct edit *edit, bool takes)
{
    set_variables(m, edit);
    if (!edit->words[0])
        return;
    if (takes)
        add_words(m, edit);
    else if (edit->instead.name)
        set_variable(m, &edit->instead);
    else if (m->ask->script)
        m->why = "the command is a string that hands nothing on: it would have to end in \"$@\"";
    else
        m->why = arena_printf(m->arena, "the command does not name %s, which would take the words for it",
                              m->preset->program);
}

/* ---- the user's own words ---- */

static bool is_before(const struct preset *preset, struct str word)
{
    return preset->before && (str_is(word, preset->before) ||
                              (word.len && str_is(str_slice(word, 1, word.len), preset->before)));
}

/* Words before the program are of what starts it: a script's path says of no test. */
static bool is_left_out(const struct making *m, uint32_t word)
{
    const struct preset *preset = m->preset;

    if (m->ask->action == PRESET_CHOOSE && preset->is_choice)
        return word > program_word(preset, m->ask) && preset->is_choice(m->ask, word);
    return m->ask->action == PRESET_LIST && preset->goal && word && str_is(m->ask->words[word], preset->goal);
}

/* Returns how many of the user's words stand before ours. */
static uint32_t copy_words(struct making *m)
{
    uint32_t i = 0;

    for (; i < m->ask->count && !is_before(m->preset, m->ask->words[i]); i++)
        if (!is_left_out(m, i))
            add(m, m->ask->words[i]);
    return i;
}

static void separate(struct making *m)
{
    if (!m->preset->separator || !names_program(m->preset, m->ask))
        return;
    for (uint32_t i = 0; i < m->ask->count; i++)
        if (str_is(m->ask->words[i], m->preset->separator))
            return;
    add(m, str_of(m->preset->separator));
}

/* ---- names in a filter ---- */

static void make_filter(struct making *m)
{
    const struct preset *preset = m->preset;
    struct buf text = {0};

    buf_adds(&text, preset->filter_begin ? preset->filter_begin : "");
    for (uint32_t i = 0; i < m->ask->test_count && !m->why; i++) {
        buf_adds(&text, i ? preset->filter_between : "");
        if (!preset->quote(&text, m->ask->tests[i]))
            m->why = arena_printf(m->arena, "'%.*s' cannot be written where %s takes names",
                                  STR_ARG(str_slice(m->ask->tests[i], 0, 200)), preset->name);
    }
    buf_adds(&text, preset->filter_end ? preset->filter_end : "");
    m->filter = arena_str(m->arena, buf_str(&text));
    buf_release(&text);
}

/* ---- the whole ---- */

static const char *refusal(const struct preset *preset, const struct preset_ask *ask)
{
    if (ask->action == PRESET_LIST)
        return preset->cannot_list;
    if (ask->action == PRESET_CHOOSE && !ask->test_count)
        return "no test is named";
    return ask->action == PRESET_CHOOSE ? preset->cannot_choose : NULL;
}

static const char *list_instead(struct making *m)
{
    if (!m->ask->script && names_program(m->preset, m->ask) &&
        m->preset->list_instead(m->arena, m->ask, program_word(m->preset, m->ask), m->command))
        return NULL;
    return arena_printf(m->arena, "the command does not show which files %s would read", m->preset->name);
}

const char *preset_command(const struct preset *preset, struct arena *arena, const struct preset_ask *ask,
                           struct preset_command *command)
{
    struct making m = {.preset = preset, .ask = ask, .arena = arena, .command = command};
    bool takes = takes_words(preset, ask);
    uint32_t at = 0;

    *command = (struct preset_command){0};
    m.why = refusal(preset, ask);
    if (m.why)
        return m.why;
    if (ask->action == PRESET_LIST && preset->list_instead)
        return list_instead(&m);
    if (!ask->script)
        at = copy_words(&m);
    if (ask->action != PRESET_RUN && takes)
        separate(&m);
    if (ask->action != PRESET_LIST)
        apply(&m, &preset->run, takes);
    if (ask->action == PRESET_CHOOSE && preset->quote)
        make_filter(&m);
    if (!m.why && ask->action != PRESET_RUN)
        apply(&m, ask->action == PRESET_LIST ? &preset->list : &preset->choose, takes);
    if (ask->action == PRESET_CHOOSE && preset->more && takes && !m.why)
        preset->more(arena, ask, command);
    for (; !ask->script && at < ask->count && !m.why; at++)
        add(&m, ask->words[at]);
    return m.why;
}

/* ---- by words of the user's ---- */

#define ONE     "{test}"
#define SEVERAL "{tests}"

bool preset_takes_one(const struct str *words, uint32_t count)
{
    size_t at;

    for (uint32_t i = 0; i < count; i++)
        if (str_find(words[i], ONE, &at))
            return true;
    return false;
}

bool preset_takes_several(const struct str *words, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (str_is(words[i], SEVERAL))
            return true;
    return false;
}

static void add_one(struct making *m, struct str word)
{
    struct buf text = {0};
    size_t at;

    while (str_find(word, ONE, &at)) {
        buf_addstr(&text, str_slice(word, 0, at));
        buf_addstr(&text, m->ask->tests[0]);
        word = str_slice(word, at + strlen(ONE), word.len);
    }
    buf_addstr(&text, word);
    add(m, buf_str(&text));
    buf_release(&text);
}

const char *preset_fill(struct arena *arena, const struct str *words, uint32_t count, const struct str *tests,
                        uint32_t test_count, struct preset_command *command)
{
    const struct preset_ask ask = {.tests = tests, .test_count = test_count};
    struct making m = {.ask = &ask, .arena = arena, .command = command};

    *command = (struct preset_command){0};
    if (!test_count)
        return "no test is named";
    if (test_count > 1 && !preset_takes_several(words, count))
        return "its command takes one name at a time";
    for (uint32_t i = 0; i < count && !m.why; i++) {
        if (!str_is(words[i], SEVERAL))
            add_one(&m, words[i]);
        for (uint32_t t = 0; str_is(words[i], SEVERAL) && t < test_count && !m.why; t++)
            add(&m, tests[t]);
    }
    return m.why;
}
