/* An instance in the making: what it is called, where it lives, what its users get. */
#include "runner/fixture_internal.h"

#include "runner/base/io.h"
#include "runner/base/layout.h"
#include "runner/leftovers.h"
#include "runner/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENV_FILE_MOST ((size_t)1 << 20)

/* ---- names ---- */

static const bool *axes_of(const struct instance *instance)
{
    return instance->fixture->scope == SCOPE_SESSION ? instance->fixture->axes : NULL;
}

static struct node *values_of(const struct session *s, struct instance *instance)
{
    if (instance->slot)
        return case_context(&s->front->suites, session_planned(s, instance->slot->on), &instance->arena);
    return cell_context(instance->suite, instance->cell, axes_of(instance), &instance->arena);
}

/* Of one of a case's own: the words "kvd of proto@backend=exec" tell its processes from the case's. */
static void name(struct session *s, struct instance *instance)
{
    struct buf id = {0}, slug = {0}, own_slug = {0};
    struct str own = instance->fixture->name;
    uint32_t time;
    size_t case_at;

    buf_addf(&id, "fixture:%.*s%.*s", STR_ARG(instance->suite->prefix), STR_ARG(own));
    if (instance->slot) {
        buf_adds(&id, " of ");
        case_at = id.len;
        session_case_id(s, instance->slot->on, &id);
        outputs_slug(s->mask, str_slice(buf_str(&id), case_at, id.len), instance->slot->recorded, &slug);
        outputs_slug(s->mask, own, 0, &own_slug);
        instance->folder =
            arena_printf(&instance->arena, LAYOUT_CASES "/%s/%u/" LAYOUT_FIXTURES "/%s", buf_text(&slug),
                         s->cases[instance->slot->on].attempts + 1u, buf_text(&own_slug));
    } else {
        cell_id(&id, instance->suite, instance->cell, axes_of(instance));
        outputs_slug(s->mask, str_of(buf_text(&id) + strlen("fixture:")), instance->ordinal, &slug);
        time = instance->time + instance_times_before(s, buf_str(&id));
        instance->folder = arena_printf(&instance->arena, LAYOUT_FIXTURES "/%s", buf_text(&slug));
        if (time > 1)
            instance->folder = arena_printf(&instance->arena, "%s/%u", instance->folder, time);
    }
    instance->id = arena_str(&instance->arena, buf_str(&id));
    buf_release(&id);
    buf_release(&slug);
    buf_release(&own_slug);
}

/* ---- what its users get ---- */

static void add_pair(struct node *map, struct arena *arena, const char *key, const struct node *value)
{
    map->map.pairs[map->map.count++] =
        (struct pair){node_string(arena, (struct place){0}, str_of(key)), value};
}

static const struct node *text_node(struct arena *arena, struct str text)
{
    return node_string(arena, (struct place){0}, arena_str(arena, text));
}

static struct node *address_context(const struct address *address, struct arena *arena)
{
    struct node *map = node_map(arena, (struct place){0}, 7);
    bool tcp = address->transport == TRANSPORT_TCP;
    struct buf url = {0};

    address_url(address, &url);
    map->map.count = 0;
    add_pair(map, arena, "url", text_node(arena, buf_str(&url)));
    add_pair(map, arena, "transport", text_node(arena, str_of(transport_word(address->transport))));
    add_pair(map, arena, "host",
             tcp ? text_node(arena, str_of("127.0.0.1")) : node_null(arena, (struct place){0}));
    add_pair(map, arena, "port",
             tcp ? node_number(arena, (struct place){0}, address->port)
                 : node_null(arena, (struct place){0}));
    add_pair(map, arena, "path",
             tcp ? node_null(arena, (struct place){0}) : text_node(arena, str_of(address->path)));
    buf_release(&url);
    return map;
}

static const struct node *env_context(struct instance *instance)
{
    struct node *map = node_map(&instance->arena, (struct place){0}, instance->variable_count);

    map->map.count = 0;
    for (uint32_t i = 0; i < instance->variable_count; i++)
        if (!instance->variables[i].removed)
            map->map.pairs[map->map.count++] =
                (struct pair){text_node(&instance->arena, instance->variables[i].name),
                              text_node(&instance->arena, instance->variables[i].value)};
    return map;
}

static void describe(struct instance *instance)
{
    struct node *map = instance->recipe.kind == FIXTURE_ADDRESS
                           ? address_context(&instance->address, &instance->arena)
                           : node_map(&instance->arena, (struct place){0}, 2);

    if (instance->recipe.kind != FIXTURE_ADDRESS)
        map->map.count = 0;
    add_pair(map, &instance->arena, "dir", text_node(&instance->arena, str_of(instance->tmp.path)));
    add_pair(map, &instance->arena, "env", env_context(instance));
    instance->context = map;
}

static uint32_t count_variables(struct instance *const *list, uint32_t count)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < count; i++)
        sum += list[i]->variable_count;
    return sum;
}

/* The address that every case has of its own. */
static void add_reg_addr(const struct address *address, struct node *map, struct variable *variables,
                         struct from_fixtures *given, struct arena *arena)
{
    struct buf url = {0};

    address_url(address, &url);
    add_pair(map, arena, "reg_addr", address_context(address, arena));
    variables[given->variable_count++] =
        (struct variable){str_of("RUN_MATRIX_REG_ADDR"), arena_str(arena, buf_str(&url)), false};
    given->reg_socket = address->transport == TRANSPORT_UDS;
    buf_release(&url);
}

struct from_fixtures given_by(struct instance *const *list, uint32_t count, const struct address *reg_addr,
                              struct arena *arena)
{
    struct node *map = node_map(arena, (struct place){0}, count + 1);
    struct variable *variables = ARENA_ARRAY(arena, struct variable, count_variables(list, count) + 1);
    struct from_fixtures given = {.context = map, .variables = variables};

    map->map.count = 0;
    if (reg_addr)
        add_reg_addr(reg_addr, map, variables, &given, arena);
    for (uint32_t i = 0; i < count; i++) {
        const struct instance *one = list[i];
        const char **hidden = one->address.transport == TRANSPORT_TCP ? &given.port_of : &given.socket_of;

        map->map.pairs[map->map.count++] = (struct pair){text_node(arena, one->fixture->name), one->context};
        memcpy(variables + given.variable_count, one->variables, one->variable_count * sizeof *variables);
        given.variable_count += one->variable_count;
        if (one->recipe.kind == FIXTURE_ADDRESS)
            *hidden = arena_cstr(arena, one->fixture->name);
    }
    return given;
}

/* ---- $RUN_MATRIX_ENV: lines of NAME=value, or NAME<<END, lines, END ---- */

struct reading {
    struct instance *instance;
    struct str rest;
    uint32_t line, cap;
};

static bool next_line(struct reading *r, struct str *line)
{
    const char *end = r->rest.len ? memchr(r->rest.ptr, '\n', r->rest.len) : NULL;
    size_t length = end ? (size_t)(end - r->rest.ptr) : r->rest.len;

    if (!r->rest.len)
        return false;
    r->line++;
    *line = str_slice(r->rest, 0, length);
    if (line->len && line->ptr[line->len - 1] == '\r')
        line->len--;
    r->rest = str_slice(r->rest, length + (end != NULL), r->rest.len);
    return true;
}

static bool refuse(struct reading *r, const char *why)
{
    r->instance->reason =
        arena_printf(&r->instance->arena, "line %u of its $RUN_MATRIX_ENV %s", r->line, why);
    return false;
}

static bool add_variable(struct reading *r, struct str name, struct str value)
{
    struct instance *instance = r->instance;

    if (variable_refused(name))
        return refuse(r, arena_printf(&instance->arena, "sets '%.*s', which %s", STR_ARG(name),
                                      variable_refused(name)));
    if (value.len && memchr(value.ptr, 0, value.len))
        return refuse(r, "holds a NUL byte, which no program can be given");
    if (instance->variable_count == r->cap) {
        struct variable *list = ARENA_ARRAY(&instance->arena, struct variable, r->cap = r->cap * 2 + 8);

        memcpy(list, instance->variables, instance->variable_count * sizeof *list);
        instance->variables = list;
    }
    instance->variables[instance->variable_count++] =
        (struct variable){arena_str(&instance->arena, name), arena_str(&instance->arena, value), false};
    return true;
}

static bool read_block(struct reading *r, struct str name, struct str end)
{
    struct buf value = {0};
    struct str line;
    bool ended = false, good;

    while (!ended && next_line(r, &line)) {
        ended = str_eq(line, end);
        if (!ended) {
            buf_adds(&value, value.len ? "\n" : "");
            buf_addstr(&value, line);
        }
    }
    good = ended ? add_variable(r, name, buf_str(&value))
                 : refuse(r, "is the last, and the end of a value is missing");
    buf_release(&value);
    return good;
}

static bool read_assignment(struct reading *r, struct str line)
{
    size_t equals, block;
    bool has_equals = str_find(line, "=", &equals), has_block = str_find(line, "<<", &block);

    if (!str_trim(line).len)
        return true;
    if (has_block && (!has_equals || block < equals))
        return read_block(r, str_slice(line, 0, block), str_slice(line, block + 2, line.len));
    if (!has_equals)
        return refuse(r, "is neither NAME=value nor NAME<<END");
    return add_variable(r, str_slice(line, 0, equals), str_slice(line, equals + 1, line.len));
}

static bool read_env_file(struct instance *instance)
{
    struct buf text = {0};
    struct reading r = {.instance = instance, .cap = instance->variable_count};
    struct str line;
    bool good = true;

    if (file_read_regular(instance->env_file, &text, ENV_FILE_MOST) < 0) {
        buf_release(&text);
        return errno == ENOENT || instance_could_not(instance, "read its $RUN_MATRIX_ENV");
    }
    r.rest = buf_str(&text);
    while (good && next_line(&r, &line))
        good = read_assignment(&r, line);
    buf_release(&text);
    return good;
}

static bool take_variables(struct session *s, struct instance *instance)
{
    instance->variable_count = instance->recipe.variable_count;
    instance->variables = ARENA_ARRAY(&instance->arena, struct variable, instance->variable_count);
    memcpy(instance->variables, instance->recipe.variables,
           instance->variable_count * sizeof *instance->variables);
    if (instance->env_file && !read_env_file(instance))
        return false;
    for (uint32_t i = 0; i < instance->variable_count; i++)
        kitchen_mask(&s->kitchen, instance->variables[i].name, instance->variables[i].value);
    return true;
}

/* What it has said of itself may be among what it has printed. */
static void mask_printed(struct session *s, struct instance *instance)
{
    if (!instance->slot && !mask_is_empty(s->mask) && instance->main.captured && !instance->main.seat)
        process_keep(s, instance, &instance->main);
}

/* It may have failed after it had made something, and said what. */
void instance_tell_teardown(struct session *s, struct instance *instance)
{
    const char *reason = instance->reason;

    if (!instance->variables)
        take_variables(s, instance);
    instance->reason = reason;
    fixture_tell_teardown(&instance->recipe, &instance->arena, instance->variables, instance->variable_count);
}

bool instance_complete(struct session *s, struct instance *instance)
{
    if (!take_variables(s, instance))
        return false;
    mask_printed(s, instance);
    describe(instance);
    if (!instance->slot)
        leftovers_of_making(s, &instance->arena, &instance->left);
    return true;
}

/* ---- beginning ---- */

static bool reserve(struct instance *instance)
{
    int answer = instance->recipe.transport == TRANSPORT_TCP
                     ? address_reserve_tcp(&instance->address)
                     : address_reserve_uds(&instance->address, instance->tmp.path);

    return answer == 0 || instance_could_not(instance, "find a free address");
}

static bool is_in(struct instance *const *list, uint32_t count, const struct instance *instance)
{
    for (uint32_t i = 0; i < count; i++)
        if (list[i] == instance)
            return true;
    return false;
}

static void add_needs(const struct instance *instance, struct instance **list, uint32_t *count)
{
    for (uint32_t i = 0; i < instance->need_count; i++) {
        add_needs(instance->needs[i], list, count);
        if (!is_in(list, *count, instance->needs[i]))
            list[(*count)++] = instance->needs[i];
    }
}

/* All that it stands on, not only what it names itself. */
static struct from_fixtures given_to(struct instance *instance)
{
    struct instance **list = ARENA_ARRAY(&instance->arena, struct instance *, instance->suite->fixture_count);
    uint32_t count = 0;

    add_needs(instance, list, &count);
    return given_by(list, count, instance->slot ? &instance->slot->reg_addr : NULL, &instance->arena);
}

static uint32_t count_listeners(const struct instance *instance)
{
    uint32_t count = 0;

    for (uint32_t i = 0; fixture_passes(instance->fixture) && i < instance->need_count; i++)
        count += instance->needs[i]->recipe.kind == FIXTURE_ADDRESS;
    return count;
}

static bool cook(struct session *s, struct instance *instance)
{
    struct diags diags = {.arena = &instance->arena};
    struct fixture_place place = {
        .id = instance->id,
        .time = instance->time,
        .cell = instance->cell,
        .matrix = values_of(s, instance),
        .given = given_to(instance),
        .tmpdir = instance->tmp.path,
        .env_file = instance->env_file,
        .notify = instance->notify,
        .listeners = count_listeners(instance),
    };

    instance->reason = NULL;
    if (!fixture_cook(&s->kitchen, instance->suite, instance->fixture, &place, false, &instance->arena,
                      &instance->recipe, &diags))
        instance->reason = diags.count ? diags.list[0].text : "its keys cannot be read";
    else
        instance->reason = instance->recipe.error;
    return !instance->reason;
}

bool instance_prepare(struct session *s, struct instance *instance)
{
    arena_clear(&instance->arena);
    instance->time++;
    instance->began = watch_now(s->watch);
    instance->variables = NULL;
    instance->variable_count = 0;
    instance->recipe = (struct fixture_recipe){.kind = fixture_kind_of(instance->fixture)};
    name(s, instance);
    if (workdir_lend(&s->workdirs, &instance->tmp) < 0)
        return instance_could_not(instance, "make a folder for it");
    instance->env_file = instance->notify = NULL;
    if (instance->recipe.kind == FIXTURE_RUN)
        instance->env_file = arena_printf(&instance->arena, "%s/.run-matrix-env", instance->tmp.path);
    if (fixture_ready_of(instance->fixture) == READY_NOTIFY)
        instance->notify = arena_printf(&instance->arena, "%s/.notify", instance->tmp.path);
    if (!cook(s, instance))
        return false;
    return instance->recipe.kind != FIXTURE_ADDRESS || reserve(instance);
}

void instance_release(struct session *s, struct instance *instance)
{
    ready_end(&instance->ready);
    address_release(&instance->address);
    workdir_return(&instance->tmp, false);
    if (instance->slot)
        return; /* what it wrote may be worth keeping, when it is known what came of its case */
    process_forget_output(s, &instance->main);
    process_forget_output(s, &instance->side);
    if (instance->recipe.kind != FIXTURE_ADDRESS)
        leftovers_of_fixture(s, instance->fixture->name, &instance->left);
}
