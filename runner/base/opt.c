#include "runner/base/opt.h"

#include "runner/base/clock.h"
#include "runner/base/opt_internal.h"
#include "runner/base/str.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    const struct opt_table *table;
    int argc, at;
    char **argv;
    int end;          /* options are read before this index */
    bool over;        /* "--" was seen */
    bool has_command; /* decided: by a word, or because the first argument was none */
    char *values;
    struct opt_result *result;
    struct diags *diags;
    const char **spelled; /* per option: how it was first written, NULL: not given */
};

static const struct place command_line = {0};

/* ---- values ---- */

typedef bool store_function(struct reading *r, const struct opt *opt, const char *shown, const char *value);

static void *target(struct reading *r, const struct opt *opt)
{
    return r->values + opt->offset;
}

static bool store_flag(struct reading *r, const struct opt *opt, const char *shown, const char *value)
{
    (void)shown, (void)value;
    *(bool *)target(r, opt) = true;
    return true;
}

static bool store_count(struct reading *r, const struct opt *opt, const char *shown, const char *value)
{
    (void)shown, (void)value;
    ++*(int *)target(r, opt);
    return true;
}

static bool store_text(struct reading *r, const struct opt *opt, const char *shown, const char *value)
{
    (void)shown;
    *(const char **)target(r, opt) = value;
    return true;
}

/* No list can get longer than the command line. */
static void append(struct reading *r, struct opt_list *list, const char *value)
{
    if (!list->values)
        list->values = ARENA_ARRAY(r->diags->arena, const char *, (size_t)r->argc);
    list->values[list->count++] = value;
}

static bool store_list(struct reading *r, const struct opt *opt, const char *shown, const char *value)
{
    (void)shown;
    append(r, target(r, opt), value);
    return true;
}

static bool is_number(const char *text)
{
    const char *digits = text + (text[0] == '-');
    size_t count = strspn(digits, "0123456789");

    return count && !digits[count];
}

static bool store_int(struct reading *r, const struct opt *opt, const char *shown, const char *value)
{
    bool good = is_number(value);
    long long number;

    errno = 0;
    number = good ? strtoll(value, NULL, 10) : 0;
    if (good && !errno && number >= opt->least) {
        *(int64_t *)target(r, opt) = number;
        return true;
    }
    diag_error(r->diags, command_line, "'%s' wants a whole number of at least %lld, not '%s'", shown,
               (long long)opt->least, value);
    return false;
}

static bool store_span(struct reading *r, const struct opt *opt, const char *shown, const char *value)
{
    if (span_parse(str_of(value), target(r, opt)))
        return true;
    diag_error(r->diags, command_line, "'%s' wants a time such as 90s or 1m30s, not '%s'", shown, value);
    return false;
}

/* "; did you mean 'x'?", or nothing when no word is near. */
static const char *suggestion(struct diags *diags, const char *text, const char *dashes,
                              const char *const *words, size_t count)
{
    const char *nearest = str_nearest(str_of(text), words, count);

    return nearest ? arena_printf(diags->arena, "; did you mean '%s%s'?", dashes, nearest) : "";
}

static bool store_enum(struct reading *r, const struct opt *opt, const char *shown, const char *value)
{
    struct buf allowed = {0};
    size_t count;

    for (count = 0; opt->words[count]; count++)
        if (strcmp(opt->words[count], value) == 0)
            return store_text(r, opt, shown, opt->words[count]);
    for (size_t i = 0; i < count; i++)
        buf_addf(&allowed, "%s%s", i ? ", " : "", opt->words[i]);
    diag_error(r->diags, command_line, "'%s' wants one of %s, not '%s'%s", shown, buf_text(&allowed), value,
               suggestion(r->diags, value, "", opt->words, count));
    buf_release(&allowed);
    return false;
}

static store_function *const stores[] = {
    [OPT_FLAG] = store_flag, [OPT_COUNT] = store_count, [OPT_TEXT] = store_text, [OPT_PATH] = store_text,
    [OPT_LIST] = store_list, [OPT_INT] = store_int,     [OPT_SPAN] = store_span, [OPT_ENUM] = store_enum,
};

/* ---- options ---- */

size_t opt_count(const struct opt_table *table)
{
    size_t count = 0;

    for (size_t i = 0; i < table->part_count; i++)
        count += table->parts[i]->count;
    return count;
}

const struct opt *opt_at(const struct opt_table *table, size_t number)
{
    const struct opt_part *const *part = table->parts;

    while (number >= (*part)->count)
        number -= (*part++)->count;
    return &(*part)->opts[number];
}

/* Two commands may have an option of the same name: then the one that belongs to ours, as far as that is known. */
static const struct opt *find(const struct reading *r, bool (*is)(const struct opt *opt, struct str name),
                              struct str name)
{
    const struct opt *found = NULL;

    for (size_t i = 0; i < opt_count(r->table); i++) {
        const struct opt *opt = opt_at(r->table, i);

        if (!is(opt, name))
            continue;
        if (opt_belongs(opt, r->result->command))
            return opt;
        if (!found)
            found = opt;
    }
    return found;
}

static bool has_name(const struct opt *opt, struct str name)
{
    return str_is(name, opt->name) || (opt->alias && str_is(name, opt->alias));
}

static bool has_letter(const struct opt *opt, struct str name)
{
    return opt->letter && opt->letter == name.ptr[0];
}

static const struct opt *find_long(const struct reading *r, struct str name)
{
    return find(r, has_name, name);
}

static const struct opt *find_letter(const struct reading *r, char letter)
{
    return find(r, has_letter, (struct str){&letter, 1});
}

static void unknown_long(struct reading *r, const char *name)
{
    const char **words = ARENA_ARRAY(r->diags->arena, const char *, opt_count(r->table) * 2);
    size_t count = 0;

    for (size_t i = 0; i < opt_count(r->table); i++) {
        words[count++] = opt_at(r->table, i)->name;
        if (opt_at(r->table, i)->alias)
            words[count++] = opt_at(r->table, i)->alias;
    }
    diag_error(r->diags, command_line, "unknown option '--%s'%s", name,
               suggestion(r->diags, name, "--", words, count));
}

static const char *next_word(struct reading *r)
{
    return r->at < r->end ? r->argv[r->at++] : NULL;
}

static size_t number_of(const struct opt_table *table, const struct opt *opt)
{
    size_t number = 0;

    while (opt_at(table, number) != opt)
        number++;
    return number;
}

/* `value` is what is attached to the option; without it the next word is the value of one that wants any. */
static void give(struct reading *r, const struct opt *opt, const char *shown, const char *value)
{
    const char **spelled = &r->spelled[number_of(r->table, opt)];
    struct buf scratch = {0};

    if (!opt_has_value(opt) && value) {
        diag_error(r->diags, command_line, "'%s' takes no value, and '%s' was given", shown, value);
        return;
    }
    if (opt_has_value(opt) && !value && !(value = next_word(r)))
        diag_error(r->diags, command_line, "'%s' needs a value: %s%s", shown, opt_value_name(opt, &scratch),
                   r->at < r->argc ? ", before the last argument" : "");
    else if (stores[opt->kind](r, opt, shown, value) && !*spelled)
        *spelled = shown;
    buf_release(&scratch);
}

static void read_long(struct reading *r, const char *word)
{
    const char *equals = strchr(word, '=');
    struct str name = {word, equals ? (size_t)(equals - word) : strlen(word)};
    const struct opt *opt = find_long(r, name);
    const char *text = arena_cstr(r->diags->arena, name);

    if (opt)
        give(r, opt, arena_printf(r->diags->arena, "--%s", text), equals ? equals + 1 : NULL);
    else
        unknown_long(r, text);
}

static void unknown_letter(struct reading *r, const char *shown, const char *letters)
{
    const char *hint = "";

    if (find_long(r, str_of(letters)))
        hint = arena_printf(r->diags->arena, "; did you mean '--%s'?", letters);
    if (strcmp(shown + 1, letters) != 0)
        diag_error(r->diags, command_line, "unknown option '%s' in '-%s'%s", shown, letters, hint);
    else
        diag_error(r->diags, command_line, "unknown option '%s'", shown);
}

/* "-xvs", "-n4", "-n 4", "-xn4": flags up to the first letter that wants a value, which is the rest. */
static void read_letters(struct reading *r, const char *letters)
{
    for (const char *at = letters; *at; at++) {
        const struct opt *opt = find_letter(r, *at);
        bool ascii = (unsigned char)*at < 0x80; /* half a character must not be shown */
        const char *shown = arena_printf(r->diags->arena, "-%.*s", ascii ? 1 : (int)strlen(at), at);

        if (!opt) {
            unknown_letter(r, shown, letters);
            return;
        }
        if (opt_has_value(opt)) {
            give(r, opt, shown, at[1] ? at + 1 : NULL);
            return;
        }
        give(r, opt, shown, NULL);
    }
}

/* ---- arguments ---- */

static bool find_command(const struct opt_table *table, const char *word, size_t *command)
{
    for (size_t i = 0; i < table->command_count; i++)
        if (table->commands[i].name && strcmp(table->commands[i].name, word) == 0) {
            *command = i;
            return true;
        }
    return false;
}

static bool is_flag_of(const struct reading *r, const char *word)
{
    const struct opt *opt = NULL;

    if (str_starts(str_of(word), "--"))
        opt = find_long(r, str_of(word + 2));
    else if (word[0] == '-' && word[1] && !word[2])
        opt = find_letter(r, word[1]);
    return opt && !opt_has_value(opt) && opt_belongs(opt, r->result->command);
}

static void read_argument(struct reading *r, const char *word)
{
    if (r->has_command || r->over || !find_command(r->table, word, &r->result->command)) {
        append(r, &r->result->args, word);
    } else if (r->table->commands[r->result->command].takes_rest && r->at < r->argc &&
               !is_flag_of(r, r->argv[r->argc - 1])) {
        r->end = r->argc - 1;
    }
    r->has_command = true;
}

static void end_options(struct reading *r)
{
    r->over = r->result->dashes = true;
    r->result->before = r->result->args.count;
}

static void read_word(struct reading *r, const char *word, bool as_it_stands)
{
    if (as_it_stands || word[0] != '-' || !word[1])
        read_argument(r, word);
    else if (strcmp(word, "--") == 0)
        end_options(r);
    else if (word[1] == '-')
        read_long(r, word + 2);
    else
        read_letters(r, word + 1);
}

/* Read before the command word was, which has an option of the same name. */
static bool has_namesake(const struct reading *r, const struct opt *opt)
{
    const struct opt *other = find_long(r, str_of(opt->name));

    return other->offset == opt->offset && opt_belongs(other, r->result->command);
}

static void check_belonging(struct reading *r)
{
    const struct opt_table *table = r->table;
    const struct opt_command *command = &table->commands[r->result->command];
    struct buf takers = {0};

    if (!command->name &&
        r->result->args.count) /* a misspelt command, of which we cannot know what it takes */
        return;
    for (size_t i = 0; i < opt_count(table); i++) {
        if (!r->spelled[i] || opt_belongs(opt_at(table, i), r->result->command) ||
            has_namesake(r, opt_at(table, i)))
            continue;
        buf_clear(&takers);
        opt_takers(table, opt_at(table, i), &takers);
        if (!command->name)
            diag_error(r->diags, command_line, "'%s' is an option of %s", r->spelled[i], buf_text(&takers));
        else
            diag_error(r->diags, command_line, "'%s' is no option of '%s', but of %s", r->spelled[i],
                       command->name, takers.len ? buf_text(&takers) : "the program without a command");
    }
    buf_release(&takers);
}

bool opt_parse(const struct opt_table *table, size_t fallback, int argc, char **argv, void *values,
               struct opt_result *result, struct diags *diags)
{
    size_t errors = diags->errors;
    struct reading r = {.table = table,
                        .argc = argc,
                        .argv = argv,
                        .at = 1,
                        .end = argc,
                        .values = values,
                        .result = result,
                        .diags = diags,
                        .spelled = ARENA_ARRAY(diags->arena, const char *, opt_count(table))};

    *result = (struct opt_result){.command = fallback};
    while (r.at < r.argc) {
        bool as_it_stands = r.over || r.at >= r.end;

        read_word(&r, argv[r.at++], as_it_stands);
    }
    if (diags->errors == errors)
        check_belonging(&r);
    return diags->errors == errors;
}
