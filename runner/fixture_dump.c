/* Where everybody stood when a fixture took too long. */
#include "runner/fixture_internal.h"

#include "runner/base/utf8.h"
#include "runner/dumps.h"

void process_watch_dumps(struct instance *instance, struct fixture_process *process, struct seat *seat,
                         nanos limit)
{
    struct dump_subject *subject = ARENA_NEW(&instance->arena, struct dump_subject);

    *subject = (struct dump_subject){
        .id = instance->id,
        .folder = instance->folder,
        .attempt = instance->time,
        .pid = seat->pid,
        .role = arena_printf(&instance->arena, "fixture %.*s", STR_ARG(instance->fixture->name)),
        .timeout = limit,
        .capture = &process->capture,
        .inside = -1,
    };
    seat->subject = subject;
    process->dump = NULL;
}

const struct dump_subject *fixtures_subject(const struct session *s, uint32_t place)
{
    uint32_t number = place - s->jobs;

    return s->fixtures && number < s->fixtures->seat_count ? s->fixtures->seats[number].subject : NULL;
}

void process_keep_dump(struct session *s, struct instance *instance, const struct seat *seat,
                       struct fixture_process *process)
{
    static const char *const names[FIXTURE_COMMAND_COUNT] = {
        [COMMAND_MAIN] = "dump", [COMMAND_READY] = "ready-dump", [COMMAND_TEARDOWN] = "teardown-dump"};

    if (process->ending.dump)
        process->dump =
            dumps_keep_of(s, seat->number, seat->generation, names[process->command], &instance->arena);
}

void add_dump(struct buf *out, const struct session *s, const struct fixture_process *process)
{
    if (!process->dump)
        return;
    buf_adds(out, "; where everybody stood: ");
    utf8_show(out, str_of(s->run.path));
    buf_addf(out, "/%s", process->dump);
}
