/* The man page, for groff's man macros. */
#include "runner/base/opt_internal.h"

#include <ctype.h>

/* Characters that groff would print as others. */
static const char *escaped(char c)
{
    switch (c) {
    case '-': return "\\-";
    case '\\': return "\\e";
    case '\'': return "\\(aq";
    case '`': return "\\(ga";
    case '^': return "\\(ha";
    case '~': return "\\(ti";
    case '"': return "\\(dq";
    default: return NULL;
    }
}

/* The page so far is never empty: it begins with its title. */
static void add_escaped(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char *instead = escaped(text.ptr[i]);

        if (text.ptr[i] == '.' && out->ptr[out->len - 1] == '\n')
            buf_adds(out, "\\&");
        if (instead)
            buf_adds(out, instead);
        else
            buf_addc(out, text.ptr[i]);
    }
}

static void add_font(struct buf *out, char font, struct str text)
{
    buf_addf(out, "\\f%c", font);
    add_escaped(out, text);
    buf_adds(out, "\\fR");
}

static bool is_wordy(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* Options are bold and names of values, which are in capitals, are in italics, wherever they stand. */
static char font_of(struct str word)
{
    size_t capitals = 0;

    for (size_t i = 0; i < word.len; i++)
        capitals += isupper((unsigned char)word.ptr[i]) || word.ptr[i] == '_';
    if (word.len > 1 && word.ptr[0] == '-' && (isalpha((unsigned char)word.ptr[1]) || word.ptr[1] == '-'))
        return 'B';
    return capitals == word.len ? 'I' : 'R';
}

static void add_marked(struct buf *out, struct str text)
{
    while (text.len) {
        size_t len = 0;
        char font;

        while (len < text.len && is_wordy(text.ptr[len]))
            len++;
        font = len ? font_of(str_slice(text, 0, len)) : 'R';
        if (!len)
            len = 1;
        if (font == 'R')
            add_escaped(out, str_slice(text, 0, len));
        else
            add_font(out, font, str_slice(text, 0, len));
        text = str_slice(text, len, text.len);
    }
}

/* Sentences stand in the table as they do in --help; prose has capitals and full stops. */
static void add_sentence(struct buf *out, const char *text)
{
    struct buf sentence = {0};
    size_t last;

    buf_adds(&sentence, text);
    last = sentence.len - 1;
    sentence.ptr[0] = (char)toupper((unsigned char)sentence.ptr[0]);
    if (sentence.ptr[last] != '.')
        buf_addc(&sentence, '.');
    add_escaped(out, buf_str(&sentence));
    buf_addc(out, '\n');
    buf_release(&sentence);
}

static void add_text(struct buf *out, const char *text, const char *between)
{
    struct str rest = str_of(text);
    struct opt_piece piece;
    bool verbatim = false, first = true;

    while (opt_next_piece(&rest, &piece)) {
        if (verbatim && !piece.verbatim)
            buf_adds(out, ".fi\n");
        if (!first && !(verbatim && piece.verbatim))
            buf_addf(out, "%s\n", between);
        if (!verbatim && piece.verbatim)
            buf_adds(out, ".nf\n");
        verbatim = piece.verbatim;
        first = false;
        add_escaped(out, piece.text);
        buf_addc(out, '\n');
    }
    if (verbatim)
        buf_adds(out, ".fi\n");
}

/* ---- parts of the page ---- */

static void add_command(const struct opt_command *command, struct buf *out)
{
    buf_adds(out, ".PP\n");
    add_font(out, 'B', str_of(command->name));
    if (*command->synopsis)
        buf_addc(out, ' ');
    add_marked(out, str_of(command->synopsis));
    buf_adds(out, "\n.RS 4\n");
    add_sentence(out, command->help);
    if (command->about) {
        buf_adds(out, ".sp\n");
        add_text(out, command->about, ".sp");
    }
    buf_adds(out, ".RE\n");
}

/* "-k EXPR, --keyword EXPR" */
static void add_spelling(struct buf *out, const struct opt *opt)
{
    struct buf text = {0}, scratch = {0}, value = {0};

    if (opt_has_value(opt))
        buf_addf(&value, " %s", opt_value_name(opt, &scratch));
    if (opt->letter)
        buf_addf(&text, "-%c%s, ", opt->letter, buf_text(&value));
    buf_addf(&text, "--%s%s", opt->name, buf_text(&value));
    if (opt->alias)
        buf_addf(&text, ", --%s%s", opt->alias, buf_text(&value));
    add_marked(out, buf_str(&text));
    buf_release(&text);
    buf_release(&scratch);
    buf_release(&value);
}

static void add_option(const struct opt_table *table, const struct opt *opt, struct buf *out)
{
    struct buf takers = {0};

    buf_adds(out, ".PP\n");
    add_spelling(out, opt);
    buf_adds(out, "\n.RS 4\n");
    add_sentence(out, opt->help);
    opt_takers(table, opt, &takers);
    if (takers.len && !opt_is_common(table, opt)) {
        buf_adds(out, "Option of ");
        add_escaped(out, buf_str(&takers));
        buf_adds(out, ".\n");
    }
    buf_adds(out, ".RE\n");
    buf_release(&takers);
}

static void add_options(const struct opt_table *table, struct buf *out)
{
    buf_adds(out, ".SH OPTIONS\n");
    for (size_t i = 0; i < opt_count(table); i++) {
        if (opt_at(table, i)->group)
            buf_addf(out, ".SS %s\n", opt_at(table, i)->group);
        add_option(table, opt_at(table, i), out);
    }
}

static void add_synopsis(const struct opt_table *table, struct buf *out)
{
    buf_adds(out, ".SH SYNOPSIS\n.nf\n");
    for (size_t i = 0; i < table->command_count; i++) {
        const struct opt_command *command = &table->commands[i];

        add_font(out, 'B', str_of(table->program));
        if (command->name) {
            buf_addc(out, ' ');
            add_font(out, 'B', str_of(command->name));
        }
        buf_adds(out, *command->synopsis ? " [\\fIOPTION\\fR ...] " : " [\\fIOPTION\\fR ...]");
        add_marked(out, str_of(command->synopsis));
        buf_addc(out, '\n');
    }
    buf_adds(out, ".fi\n");
}

static void add_title(const struct opt_table *table, struct buf *out)
{
    buf_adds(out, ".TH \"");
    for (const char *at = table->program; *at; at++)
        buf_addc(out, (char)toupper((unsigned char)*at));
    buf_addf(out, "\" \"1\" \"\" \"%s %s\" \"%s manual\"\n", table->program, table->version, table->program);
    buf_adds(out, ".nh\n.ad l\n.SH NAME\n");
    add_escaped(out, str_of(table->program));
    buf_adds(out, " \\- ");
    add_escaped(out, str_of(table->tagline));
    buf_addc(out, '\n');
}

void opt_man(const struct opt_table *table, struct buf *out)
{
    add_title(table, out);
    add_synopsis(table, out);
    if (table->about) {
        buf_adds(out, ".SH DESCRIPTION\n");
        add_text(out, table->about, ".PP");
    }
    buf_adds(out, ".SH COMMANDS\n");
    for (size_t i = 0; i < table->command_count; i++)
        if (table->commands[i].name)
            add_command(&table->commands[i], out);
    add_options(table, out);
    for (size_t i = 0; i < table->section_count; i++) {
        buf_addf(out, ".SH %s\n", table->sections[i].heading);
        add_text(out, table->sections[i].text, ".PP");
    }
}
