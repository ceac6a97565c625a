/* --help: at most 80 columns, in groups. */
#include "runner/base/opt_internal.h"

#include <string.h>

#define WIDTH     80
#define INDENT    2
#define LEFT_MOST 26 /* a wider left side has its help on the next line */
#define BETWEEN   2

bool opt_is_common(const struct opt_table *table, const struct opt *opt)
{
    for (size_t i = 0; i < table->command_count; i++)
        if (table->commands[i].name && !opt_belongs(opt, i))
            return false;
    return true;
}

void opt_takers(const struct opt_table *table, const struct opt *opt, struct buf *out)
{
    size_t total = 0, seen = 0;

    for (size_t i = 0; i < table->command_count; i++)
        total += table->commands[i].name && opt_belongs(opt, i);
    for (size_t i = 0; i < table->command_count; i++) {
        if (!table->commands[i].name || !opt_belongs(opt, i))
            continue;
        seen++;
        buf_addf(out, "%s%s", seen == 1 ? "" : seen == total ? " and " : ", ", table->commands[i].name);
    }
}

const char *opt_value_name(const struct opt *opt, struct buf *scratch)
{
    if (opt->kind != OPT_ENUM)
        return opt->arg;
    buf_clear(scratch);
    for (size_t i = 0; opt->words[i]; i++)
        buf_addf(scratch, "%s%s", i ? "|" : "", opt->words[i]);
    return buf_text(scratch);
}

/* A paragraph ends before an empty line or one that is kept as it is. */
static size_t piece_end(struct str text, bool verbatim)
{
    for (size_t i = 0; i < text.len; i++) {
        char next = i + 1 < text.len ? text.ptr[i + 1] : '\n';

        if (text.ptr[i] == '\n' && (verbatim || next == '\n' || next == ' '))
            return i;
    }
    return text.len;
}

bool opt_next_piece(struct str *rest, struct opt_piece *piece)
{
    size_t end;

    while (str_starts(*rest, "\n"))
        *rest = str_slice(*rest, 1, rest->len);
    piece->verbatim = str_starts(*rest, " ");
    end = piece_end(*rest, piece->verbatim);
    piece->text = str_slice(*rest, 0, end);
    *rest = str_slice(*rest, end, rest->len);
    return end > 0;
}

/* ---- lines of at most WIDTH columns ---- */

static void spaces(struct buf *out, size_t count)
{
    while (count--)
        buf_addc(out, ' ');
}

static struct str take_word(struct str *rest)
{
    struct str word = str_trim(*rest);
    size_t len = 0;

    while (len < word.len && word.ptr[len] != ' ' && word.ptr[len] != '\n')
        len++;
    *rest = str_slice(word, len, word.len);
    return str_slice(word, 0, len);
}

/* The cursor stands at `column`; later lines begin at `indent`. */
static void wrap(struct buf *out, struct str text, size_t column, size_t indent)
{
    bool begins = true;

    for (struct str word = take_word(&text); word.len; word = take_word(&text)) {
        if (!begins && column + 1 + word.len > WIDTH) {
            buf_addc(out, '\n');
            spaces(out, indent);
            column = indent;
        } else if (!begins) {
            buf_addc(out, ' ');
            column++;
        }
        buf_addstr(out, word);
        column += word.len;
        begins = false;
    }
    buf_addc(out, '\n');
}

static void add_text(struct buf *out, const char *text)
{
    struct str rest = str_of(text);
    struct opt_piece piece;
    bool verbatim = false;

    while (opt_next_piece(&rest, &piece)) {
        if (!verbatim || !piece.verbatim)
            buf_addc(out, '\n');
        verbatim = piece.verbatim;
        if (verbatim)
            buf_addf(out, "%.*s\n", STR_ARG(piece.text));
        else
            wrap(out, piece.text, 0, 0);
    }
}

/* Two columns. */
static void add_entry(struct buf *out, const char *left, const char *right, size_t left_width)
{
    size_t len = strlen(left), column = INDENT + left_width + BETWEEN;

    spaces(out, INDENT);
    buf_adds(out, left);
    if (len > left_width) {
        buf_addc(out, '\n');
        spaces(out, column);
    } else {
        spaces(out, column - INDENT - len);
    }
    wrap(out, str_of(right), column, column);
}

/* ---- options ---- */

static void add_left(struct buf *left, const struct opt *opt)
{
    struct buf scratch = {0};

    buf_clear(left);
    if (opt->letter)
        buf_addf(left, "-%c, --%s", opt->letter, opt->name);
    else
        buf_addf(left, "    --%s", opt->name);
    if (opt_has_value(opt))
        buf_addf(left, " %s", opt_value_name(opt, &scratch));
    buf_release(&scratch);
}

static size_t options_width(const struct opt_table *table, size_t command)
{
    struct buf left = {0};
    size_t width = 0;

    for (size_t i = 0; i < opt_count(table); i++) {
        if (!opt_belongs(opt_at(table, i), command))
            continue;
        add_left(&left, opt_at(table, i));
        if (left.len > width && left.len <= LEFT_MOST)
            width = left.len;
    }
    buf_release(&left);
    return width;
}

static void add_options(const struct opt_table *table, size_t command, struct buf *out)
{
    size_t width = options_width(table, command);
    const char *group = NULL, *shown = NULL;
    struct buf left = {0}, right = {0};

    for (size_t i = 0; i < opt_count(table); i++) {
        const struct opt *opt = opt_at(table, i);

        group = opt->group ? opt->group : group;
        if (!opt_belongs(opt, command))
            continue;
        if (group != shown)
            buf_addf(out, "\n%s:\n", group);
        shown = group;
        add_left(&left, opt);
        buf_clear(&right);
        buf_adds(&right, opt->help);
        if (opt->alias)
            buf_addf(&right, " (also --%s)", opt->alias);
        add_entry(out, buf_text(&left), buf_text(&right), width);
    }
    buf_release(&left);
    buf_release(&right);
}

static void add_usage(const struct opt_table *table, const struct opt_command *command, struct buf *out)
{
    struct buf usage = {0};
    size_t indent;

    buf_addf(&usage, "%s%s%s", table->program, command->name ? " " : "", command->name ? command->name : "");
    indent = strlen("usage: ") + usage.len + 1;
    buf_addf(&usage, " [OPTION ...] %s", command->synopsis);
    buf_adds(out, "usage: ");
    wrap(out, buf_str(&usage), strlen("usage: "), indent);
    buf_release(&usage);
}

void opt_help(const struct opt_table *table, size_t command, struct buf *out)
{
    const struct opt_command *c = &table->commands[command];

    add_usage(table, c, out);
    buf_addc(out, '\n');
    wrap(out, str_of(c->help), 0, 0);
    if (c->about)
        add_text(out, c->about);
    add_options(table, command, out);
}

static void add_commands(const struct opt_table *table, struct buf *out)
{
    size_t width = 0;

    for (size_t i = 0; i < table->command_count; i++) {
        const char *name = table->commands[i].name;

        if (name && strlen(name) > width)
            width = strlen(name);
    }
    buf_adds(out, "\nCommands:\n");
    for (size_t i = 0; i < table->command_count; i++)
        if (table->commands[i].name)
            add_entry(out, table->commands[i].name, table->commands[i].help, width);
}

void opt_overview(const struct opt_table *table, struct buf *out)
{
    size_t nameless = 0;

    while (nameless + 1 < table->command_count && table->commands[nameless].name)
        nameless++;
    add_usage(table, &table->commands[nameless], out);
    buf_addc(out, '\n');
    wrap(out, str_of(table->tagline), 0, 0);
    add_commands(table, out);
    add_options(table, nameless, out);
    buf_addf(out, "\n'%s COMMAND --help' tells the options of a command.\n", table->program);
}
