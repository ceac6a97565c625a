/* Completions, as the three shells want them. */
#include "runner/base/mem.h"
#include "runner/base/opt_internal.h"

#include <ctype.h>
#include <string.h>

/* A function's name: the program's, of letters that every shell allows. */
static void add_identifier(struct buf *out, const struct opt_table *table)
{
    buf_addc(out, '_');
    for (const char *at = table->program; *at; at++)
        buf_addc(out, isalnum((unsigned char)*at) ? *at : '_');
}

static void add_words(struct buf *out, const char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        buf_addf(out, "%s%s", i ? " " : "", words[i]);
}

static void add_commands(struct buf *out, const struct opt_table *table, const char *between)
{
    bool first = true;

    for (size_t i = 0; i < table->command_count; i++) {
        if (!table->commands[i].name)
            continue;
        buf_addf(out, "%s%s", first ? "" : between, table->commands[i].name);
        first = false;
    }
}

static bool takes_paths(const struct opt_command *command)
{
    return strstr(command->synopsis, "PATH") != NULL;
}

/* ---- bash ---- */

/* "--context|-c|--old", a pattern of case. */
static void bash_pattern(struct buf *out, const struct opt *opt)
{
    buf_addf(out, "--%s", opt->name);
    if (opt->letter)
        buf_addf(out, "|-%c", opt->letter);
    if (opt->alias)
        buf_addf(out, "|--%s", opt->alias);
}

/* The options with a value, so that a value is never taken for the command. */
static void bash_valued(struct buf *out, const struct opt_table *table)
{
    bool first = true;

    for (size_t i = 0; i < opt_count(table); i++) {
        if (!opt_has_value(opt_at(table, i)))
            continue;
        if (!first)
            buf_addc(out, '|');
        bash_pattern(out, opt_at(table, i));
        first = false;
    }
}

static void bash_values(struct buf *out, const struct opt_table *table)
{
    for (size_t i = 0; i < opt_count(table); i++) {
        const struct opt *opt = opt_at(table, i);

        if (!opt_has_value(opt))
            continue;
        buf_adds(out, "    ");
        bash_pattern(out, opt);
        buf_addc(out, ')');
        if (opt->kind == OPT_ENUM) {
            buf_adds(out, " words='");
            add_words(out, opt->words);
            buf_addc(out, '\'');
        } else if (opt->kind == OPT_PATH) {
            buf_adds(out, " files=yes");
        }
        buf_adds(out, " ;;\n");
    }
}

static void bash_command(struct buf *out, const struct opt_table *table, size_t command)
{
    const struct opt_command *c = &table->commands[command];

    buf_addf(out, "        %s)", c->name ? c->name : "''");
    if (!c->name) {
        buf_adds(out, " words='");
        add_commands(out, table, " ");
        buf_addc(out, '\'');
    }
    buf_adds(out, " options='");
    for (size_t i = 0; i < opt_count(table); i++)
        if (opt_belongs(opt_at(table, i), command))
            buf_addf(out, "%s--%s", out->ptr[out->len - 1] == '\'' ? "" : " ", opt_at(table, i)->name);
    buf_addf(out, "'%s ;;\n", takes_paths(c) ? " files=yes" : "");
}

static const char bash_head[] =
    "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "    local command='' options='' words='' files='' i\n"
    "\n"
    "    # bash takes --option=value apart at the equals sign\n"
    "    if [[ $word == '=' ]]; then\n"
    "        word=\n"
    "    elif [[ $before == '=' ]]; then\n"
    "        before=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    fi\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        case ${COMP_WORDS[i]} in\n";

static const char bash_tail[] =
    "    [[ $word != -* ]] || words=$options files=\n"
    "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
    "    if [[ $files ]]; then\n"
    "        compopt -o filenames 2>/dev/null\n"
    "        mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -f -- \"$word\")\n"
    "    fi\n"
    "}\n";

static void bash(const struct opt_table *table, struct buf *out)
{
    buf_addf(out, "# bash completion for %s\n\n", table->program);
    add_identifier(out, table);
    buf_adds(out, "()\n{\n");
    buf_adds(out, bash_head);
    buf_adds(out, "        ");
    bash_valued(out, table);
    buf_adds(out, ") [[ ${COMP_WORDS[i + 1]} != '=' ]] || ((i++)); ((i++)) ;;\n        ");
    add_commands(out, table, "|");
    buf_adds(out, ") command=${COMP_WORDS[i]} && break ;;\n        esac\n    done\n    case $before in\n");
    bash_values(out, table);
    buf_adds(out, "    *)\n        case $command in\n");
    for (size_t i = 0; i < table->command_count; i++)
        bash_command(out, table, i);
    buf_adds(out, "        esac\n        ;;\n    esac\n");
    buf_adds(out, bash_tail);
    buf_adds(out, "complete -F ");
    add_identifier(out, table);
    buf_addf(out, " %s\n", table->program);
}

/* ---- zsh ---- */

/* Inside '...' of zsh, and there inside the brackets of _arguments or behind the colons of _describe. */
static void zsh_quoted(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            buf_adds(out, "'\\''");
        else if (strchr("[]:\\", *text))
            buf_addf(out, "\\%c", *text);
        else
            buf_addc(out, *text);
    }
}

static void zsh_spelling(struct buf *out, const struct opt *opt, const char *dashes, const char *name,
                         const char *sticks)
{
    buf_addf(out, " \\\n            '%s%s%s%s[", opt->kind == OPT_LIST || opt->kind == OPT_COUNT ? "*" : "",
             dashes, name, opt_has_value(opt) ? sticks : "");
    zsh_quoted(out, opt->help);
    buf_addc(out, ']');
    if (opt_has_value(opt)) {
        buf_addc(out, ':');
        zsh_quoted(out, opt->arg);
        buf_addc(out, ':');
    }
    if (opt->kind == OPT_ENUM) {
        buf_addc(out, '(');
        add_words(out, opt->words);
        buf_addc(out, ')');
    } else if (opt->kind == OPT_PATH) {
        buf_adds(out, "_files");
    }
    buf_addc(out, '\'');
}

static void zsh_options(struct buf *out, const struct opt_table *table, size_t command)
{
    for (size_t i = 0; i < opt_count(table); i++) {
        const struct opt *opt = opt_at(table, i);

        if (!opt_belongs(opt, command))
            continue;
        if (opt->letter)
            zsh_spelling(out, opt, "-", (const char[]){opt->letter, 0}, "+");
        zsh_spelling(out, opt, "--", opt->name, "=");
    }
}

static void zsh_commands(struct buf *out, const struct opt_table *table)
{
    buf_adds(out, "    commands=(\n");
    for (size_t i = 0; i < table->command_count; i++) {
        const struct opt_command *command = &table->commands[i];

        if (!command->name)
            continue;
        buf_addf(out, "        '%s:", command->name);
        zsh_quoted(out, command->help);
        buf_adds(out, "'\n");
    }
    buf_adds(out, "    )\n");
}

static size_t nameless(const struct opt_table *table)
{
    size_t i = 0;

    while (i + 1 < table->command_count && table->commands[i].name)
        i++;
    return i;
}

static void zsh(const struct opt_table *table, struct buf *out)
{
    buf_addf(out, "#compdef %s\n\n", table->program);
    add_identifier(out, table);
    buf_adds(out, "()\n{\n    local curcontext=$curcontext state line\n    local -a commands\n");
    zsh_commands(out, table);
    buf_adds(out, "    _arguments -C -s");
    zsh_options(out, table, nameless(table));
    buf_adds(out, " \\\n            '1:command:->command' '*::argument:->argument' && return\n"
                  "    case $state in\n    command) _describe command commands ;;\n    argument)\n"
                  "        case $words[1] in\n");
    for (size_t i = 0; i < table->command_count; i++) {
        if (!table->commands[i].name)
            continue;
        buf_addf(out, "        %s)\n            _arguments -s", table->commands[i].name);
        zsh_options(out, table, i);
        buf_addf(out, "%s\n            ;;\n", takes_paths(&table->commands[i]) ? " '*:path:_files'" : "");
    }
    buf_adds(out, "        esac\n        ;;\n    esac\n}\n\n");
    add_identifier(out, table);
    buf_adds(out, " \"$@\"\n");
}

/* ---- fish ---- */

static void fish_quoted(struct buf *out, const char *text)
{
    buf_addc(out, '\'');
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            buf_addc(out, '\\');
        buf_addc(out, *text);
    }
    buf_addc(out, '\'');
}

static void fish_when(struct buf *out, const struct opt_table *table, const struct opt *opt)
{
    if (opt_is_common(table, opt))
        return;
    buf_adds(out, " -n '__fish_seen_subcommand_from");
    for (size_t i = 0; i < table->command_count; i++)
        if (table->commands[i].name && opt_belongs(opt, i))
            buf_addf(out, " %s", table->commands[i].name);
    buf_addc(out, '\'');
}

static void fish_option(struct buf *out, const struct opt_table *table, const struct opt *opt)
{
    struct buf takers = {0};

    opt_takers(table, opt, &takers);
    buf_addf(out, "complete -c %s", table->program);
    if (takers.len)
        fish_when(out, table, opt);
    else
        buf_adds(out, " -n __fish_use_subcommand");
    if (opt->letter)
        buf_addf(out, " -s %c", opt->letter);
    buf_addf(out, " -l %s", opt->name);
    if (opt->kind == OPT_PATH) {
        buf_adds(out, " -r -F");
    } else if (opt->kind == OPT_ENUM) {
        buf_adds(out, " -x -a '");
        add_words(out, opt->words);
        buf_addc(out, '\'');
    } else if (opt_has_value(opt)) {
        buf_adds(out, " -x");
    }
    buf_adds(out, " -d ");
    fish_quoted(out, opt->help);
    buf_addc(out, '\n');
    buf_release(&takers);
}

static void fish(const struct opt_table *table, struct buf *out)
{
    buf_addf(out, "# fish completion for %s\n\ncomplete -c %s -f\n", table->program, table->program);
    for (size_t i = 0; i < table->command_count; i++) {
        const struct opt_command *command = &table->commands[i];

        if (!command->name)
            continue;
        buf_addf(out, "complete -c %s -n __fish_use_subcommand -a %s -d ", table->program, command->name);
        fish_quoted(out, command->help);
        buf_addc(out, '\n');
        if (takes_paths(command))
            buf_addf(out, "complete -c %s -n '__fish_seen_subcommand_from %s' -F\n", table->program,
                     command->name);
    }
    for (size_t i = 0; i < opt_count(table); i++)
        fish_option(out, table, opt_at(table, i));
}

/* ---- which ---- */

static const struct {
    const char *shell;
    void (*write)(const struct opt_table *table, struct buf *out);
} writers[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

bool opt_completion(const struct opt_table *table, const char *shell, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(writers); i++)
        if (strcmp(shell, writers[i].shell) == 0) {
            writers[i].write(table, out);
            return true;
        }
    return false;
}
