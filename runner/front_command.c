/* `exec`, `soak --`: one command in place of a file. */
#include "runner/front.h"

#include "runner/base/json.h"
#include "runner/world.h"

#include <string.h>

static const struct place nowhere = {0};

/* What is a template to us was none to whoever typed it. */
static void add_literal(struct json_writer *w, struct buf *text, const char *argument)
{
    struct str rest = str_of(argument);
    size_t at;

    buf_clear(text);
    while (str_find(rest, "${{", &at)) {
        buf_addstr(text, str_slice(rest, 0, at));
        buf_adds(text, "${{ '${{' }}");
        rest = str_slice(rest, at + 3, rest.len);
    }
    buf_addstr(text, rest);
    json_str(w, buf_str(text));
}

static const char *command_name(struct invocation *in)
{
    const char *slash = strrchr(in->args.values[0], '/');

    if (in->options->name)
        return in->options->name;
    return slash && slash[1] ? slash + 1 : in->args.values[0];
}

/* A file of one test; JSON is YAML. */
static int command_as_file(void *user, const char *path, struct buf *out)
{
    struct invocation *in = user;
    struct json_writer w = {.out = out};
    struct buf text = {0};

    (void)path;
    json_object(&w);
    json_key_c(&w, "tests");
    json_array(&w);
    json_object(&w);
    json_key_c(&w, "name");
    json_cstr(&w, command_name(in));
    json_key_c(&w, "run");
    json_array(&w);
    for (size_t i = 0; i < in->args.count; i++)
        add_literal(&w, &text, in->args.values[i]);
    json_array_end(&w);
    if (!in->options->timeout &&
        in->command != COMMAND_soak) { /* what hangs once in a while is what a soak looks for */
        json_key_c(&w, "timeout");
        json_int(&w, 0);
    }
    json_object_end(&w);
    json_array_end(&w);
    json_object_end(&w);
    buf_release(&text);
    return 0;
}

enum exit_code front_open_command(struct front *front, struct invocation *in)
{
    bool soak = in->command == COMMAND_soak;

    *front = (struct front){.file = "", .capture = soak ? NULL : "no"};
    if (!in->args.count) {
        diag_error(in->diags, nowhere, "say which command to run: run-matrix %s -- CMD ARG ...",
                   soak ? "soak" : "exec");
        return EXIT_USAGE;
    }
    world_init(&front->world, in->arena);
    front->world.read = command_as_file;
    front->world.user = in;
    if (!suites_load(in->arena, front->file, &front->world, &front->suites, in->diags))
        return EXIT_USAGE;
    return front_plan(front, in) ? EXIT_PASSED : EXIT_USAGE;
}
