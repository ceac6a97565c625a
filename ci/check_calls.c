/* Calls of run-matrix in scripts: of a shell's grammar only what tells a command from its arguments, and from other text. */
#include "ci/check.h"

#include "runner/base/mem.h"

#include <ctype.h>
#include <string.h>

#define PROGRAM "run-matrix"
#define DEEP    16 /* substitutions within each other; what is deeper is taken for words */

/* ---- one command ---- */

enum command_of {
    OF_AHEAD,  /* what it starts is still to come */
    OF_OPTION, /* the same, behind an option that may have an argument */
    OF_OTHERS,
    OF_OURS
};

enum awaited { AWAITED_NOTHING, AWAITED_PERHAPS, AWAITED_TEXT, AWAITED_PROFILE };

struct command {
    enum command_of of;
    struct str starter; /* "sudo", "nice": what stands before the program, and has options of its own */
    bool by_name;       /* run-matrix, and not ./run-matrix */
    bool ended;         /* no command word can follow */
    enum awaited awaited;
    struct str word, more; /* "ci" and "matrix" */
    struct str profile;
};

static bool is_one_of(struct str word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(word, words[i]))
            return true;
    return false;
}

#define IS_ONE_OF(word, words) is_one_of(word, words, ARRAY_LEN(words))

/* Behind which another command begins. */
static bool is_keyword(struct str word)
{
    static const char *const keywords[] = {"if", "then", "elif", "else", "while", "until", "do", "!", "{"};

    return IS_ONE_OF(word, keywords);
}

/* Programs that start what their arguments name. */
static bool is_starter(struct str word)
{
    static const char *const starters[] = {"exec",    "time",    "nice",    "timeout", "env",     "sudo",
                                           "command", "nohup",   "setsid",  "stdbuf",  "ionice",  "chrt",
                                           "taskset", "prlimit", "unshare", "setarch", "xvfb-run"};

    return IS_ONE_OF(word, starters);
}

/* Commands that start no case of a cell. */
static bool starts_nothing(struct str word)
{
    static const char *const others[] = {"exec", "report", "list", "show",   "reap",      "dump",   "doctor",
                                         "eval", "init",   "ci",   "schema", "--version", "--help", "-h"};

    return IS_ONE_OF(word, others);
}

static bool is_command_word(struct str word)
{
    return str_is(word, "run") || str_is(word, "soak") || starts_nothing(word);
}

static bool takes_text(struct str option)
{
    static const char *const options[] = {"-k",   "-m",         "--keyword", "--marker",
                                          "--id", "--deselect", "--cell"};

    return IS_ONE_OF(option, options);
}

/* Quotes around the whole, and at its ends: "$HOME"/bin/run-matrix, "$HOME/bin/run-matrix". */
static struct str bare(struct str word)
{
    while (word.len && strchr("'\"", word.ptr[0]))
        word = str_slice(word, 1, word.len);
    while (word.len && strchr("'\"", word.ptr[word.len - 1]))
        word = str_slice(word, 0, word.len - 1);
    return word;
}

static struct str last_part(struct str path)
{
    const char *slash = path.len ? memrchr(path.ptr, '/', path.len) : NULL;

    return slash ? str_slice(path, (size_t)(slash + 1 - path.ptr), path.len) : path;
}

static bool is_assignment(struct str word)
{
    size_t end = 0;

    while (end < word.len && (isalnum((unsigned char)word.ptr[end]) || word.ptr[end] == '_'))
        end++;
    return end > 0 && end < word.len && word.ptr[end] == '=' && !isdigit((unsigned char)word.ptr[0]);
}

static void take_program(struct command *command, struct str raw)
{
    struct str word = bare(raw), name = last_part(word);
    bool after_starter = command->starter.len > 0;

    if (str_is(name, PROGRAM)) {
        command->of = OF_OURS;
        command->by_name = name.len == word.len;
    } else if (is_assignment(raw) || (!after_starter && is_keyword(raw))) {
        command->of = OF_AHEAD;
    } else if (is_starter(name)) {
        command->starter = name;
        command->of = OF_AHEAD;
    } else if (after_starter && str_starts(word, "-")) {
        command->of = word.len == 2 ? OF_OPTION : OF_AHEAD;
        if (str_is(command->starter, "command") && (str_is(word, "-v") || str_is(word, "-V")))
            command->of = OF_OTHERS;
    } else if (command->of == OF_OPTION ||
               (after_starter && word.len && (isdigit((unsigned char)word.ptr[0]) || word.ptr[0] == '$'))) {
        command->of = OF_AHEAD;
    } else {
        command->of = OF_OTHERS;
    }
}

/* What is computed is nobody's name. */
static void take_profile(struct command *command, struct str name)
{
    if (!command->profile.len && !memchr(name.ptr, '$', name.len))
        command->profile = name;
}

static void take_option(struct command *command, struct str word)
{
    static const char profile[] = "--profile=";

    command->awaited = AWAITED_NOTHING;
    if (str_is(word, "--"))
        command->ended = true;
    else if (str_is(word, "-P") || str_is(word, "--profile"))
        command->awaited = AWAITED_PROFILE;
    else if (str_starts(word, "-P"))
        take_profile(command, bare(str_slice(word, 2, word.len)));
    else if (str_starts(word, profile))
        take_profile(command, bare(str_slice(word, sizeof profile - 1, word.len)));
    else if (takes_text(word))
        command->awaited = AWAITED_TEXT;
    else if (starts_nothing(word) && !command->word.len)
        command->word = word;
    else
        command->awaited = AWAITED_PERHAPS;
}

static void take_argument(struct command *command, struct str raw)
{
    struct str word = bare(raw);
    enum awaited awaited = command->awaited;

    command->awaited = AWAITED_NOTHING;
    if (awaited == AWAITED_PROFILE)
        take_profile(command, word);
    else if (awaited == AWAITED_TEXT)
        return;
    else if (str_starts(word, "-") && !command->ended)
        take_option(command, word);
    else if (str_is(command->word, "ci") && !command->more.len)
        command->more = word;
    else if (!command->word.len && !command->ended && is_command_word(word))
        command->word = word;
    else if (awaited != AWAITED_PERHAPS)
        command->ended |= !command->word.len;
}

static void take_word(struct command *command, struct str word)
{
    if (command->of == OF_OURS)
        take_argument(command, word);
    else if (command->of != OF_OTHERS)
        take_program(command, word);
}

static enum step_does command_does(const struct command *command)
{
    if (str_is(command->word, "ci") && str_is(command->more, "matrix"))
        return STEP_PLANS;
    if (str_is(command->word, "soak"))
        return STEP_SOAKS;
    return starts_nothing(command->word) ? STEP_OTHER : STEP_RUNS;
}

/* ---- a script ---- */

struct scan {
    struct str text;
    size_t at;
    bool words;      /* of one command, without a shell */
    bool later;      /* one command has ended */
    struct str here; /* ends a text that begins with the next line */
    struct script_view *view;
};

static void read_commands(struct scan *s, struct command command, char closer, int depth);

static bool is_at(const struct scan *s, const char *what)
{
    return str_starts(str_slice(s->text, s->at, s->text.len), what);
}

/* Behind the next of them, or to the end. */
static void skip_to(struct scan *s, const char *what)
{
    size_t found;

    if (str_find(str_slice(s->text, s->at, s->text.len), what, &found))
        s->at += found + strlen(what);
    else
        s->at = s->text.len;
}

static void skip(struct scan *s, size_t bytes)
{
    s->at = s->text.len - s->at > bytes ? s->at + bytes : s->text.len;
}

/* One character of a word, or what stands there for several. */
static void skip_part(struct scan *s, int depth)
{
    const struct command fresh = {0};
    char c = s->text.ptr[s->at];

    if (c == '\\') {
        skip(s, 2);
    } else if (is_at(s, "${{")) {
        skip_to(s, "}}");
    } else if (is_at(s, "$(") && depth < DEEP && !s->words) {
        skip(s, 2);
        read_commands(s, fresh, ')', depth + 1);
    } else if (c == '`' && depth < DEEP && !s->words) {
        skip(s, 1);
        read_commands(s, fresh, '`', depth + 1);
    } else {
        skip(s, 1);
    }
}

static bool ends_word(const struct scan *s, char closer)
{
    char c = s->text.ptr[s->at];

    return isspace((unsigned char)c) || (closer && c == closer) || (c && !s->words && strchr(";&|()<>", c));
}

static struct str read_word(struct scan *s, char closer, int depth)
{
    size_t from = s->at;

    while (s->at < s->text.len && !ends_word(s, closer)) {
        char c = s->text.ptr[s->at];

        if (c == '\'') {
            skip(s, 1);
            skip_to(s, "'");
        } else if (c == '"') {
            for (skip(s, 1); s->at < s->text.len && s->text.ptr[s->at] != '"';)
                skip_part(s, depth);
            skip(s, 1);
        } else {
            skip_part(s, depth);
        }
    }
    return str_slice(s->text, from, s->at);
}

static void skip_blanks(struct scan *s)
{
    while (s->at < s->text.len && (s->text.ptr[s->at] == ' ' || s->text.ptr[s->at] == '\t'))
        s->at++;
}

/* Where to, which is no word of the command. */
static void read_redirection(struct scan *s, char closer, int depth)
{
    bool here = is_at(s, "<<") && !is_at(s, "<<<");
    struct str word;

    while (s->at < s->text.len && s->text.ptr[s->at] && strchr("<>&|-", s->text.ptr[s->at]))
        s->at++;
    skip_blanks(s);
    word = s->at < s->text.len && !ends_word(s, closer) ? read_word(s, closer, depth) : (struct str){"", 0};
    if (here)
        s->here = bare(str_starts(word, "\\") ? str_slice(word, 1, word.len) : word);
}

/* The end of a line, and the text that begins with the next one, up to the line that ends it. */
static void read_line_end(struct scan *s)
{
    struct str here = s->here;

    s->here = (struct str){"", 0};
    for (skip(s, 1); here.len && s->at < s->text.len;) {
        size_t from = s->at;

        skip_to(s, "\n");
        if (str_eq(str_trim(str_slice(s->text, from, s->at)), here))
            return;
    }
}

static void end_command(struct scan *s, struct command *command)
{
    struct script_view *view = s->view;
    enum step_does does = command->of == OF_OURS ? command_does(command) : STEP_OTHER;

    if (command->of == OF_OURS && !s->later)
        view->by_name = command->by_name;
    if (does != STEP_OTHER && view->does != STEP_PLANS) {
        if (does == STEP_PLANS || does > view->does) {
            view->does = does;
            view->profile = command->profile;
        } else if (does == view->does && !view->profile.len) {
            view->profile = command->profile;
        }
    }
    s->later |= command->of == OF_OURS || command->of == OF_OTHERS;
    *command = (struct command){0};
}

static void read_commands(struct scan *s, struct command command, char closer, int depth)
{
    while (s->at < s->text.len) {
        char c = s->text.ptr[s->at];

        if (closer && c == closer) {
            s->at++;
            break;
        }
        if (c == '\n' && !s->words) {
            end_command(s, &command);
            read_line_end(s);
        } else if (isspace((unsigned char)c)) {
            s->at++;
        } else if (is_at(s, "\\\n")) {
            s->at += 2;
        } else if (c == '#' && !s->words) {
            while (s->at < s->text.len && s->text.ptr[s->at] != '\n')
                s->at++;
        } else if ((c == '<' || c == '>') && !s->words) {
            read_redirection(s, closer, depth);
        } else if (c == '(' && depth < DEEP && !s->words) {
            end_command(s, &command);
            s->at++;
            read_commands(s, command, ')', depth + 1);
        } else if (ends_word(s, closer)) {
            end_command(s, &command);
            s->at++;
        } else {
            take_word(&command, read_word(s, closer, depth));
        }
    }
    end_command(s, &command);
}

void script_view(struct str script, struct script_view *view)
{
    struct scan s = {.text = script, .view = view};

    *view = (struct script_view){.does = STEP_OTHER};
    read_commands(&s, (struct command){0}, '\0', 0);
}

struct str words_profile(struct str words)
{
    struct script_view view = {.does = STEP_OTHER};
    struct scan s = {.text = words, .words = true, .view = &view};

    read_commands(&s, (struct command){.of = OF_OURS, .word = STR("run")}, '\0', 0);
    return view.profile;
}
