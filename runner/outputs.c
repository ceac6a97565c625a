#include "runner/outputs.h"

#include "runner/base/layout.h"
#include "runner/base/mem.h"
#include "runner/files.h"
#include "runner/session.h"

#include <errno.h>
#include <string.h>

enum keep outputs_wanted(const char *word)
{
    static const char *const words[] = {
#define X(id, text) [id] = text,
        KEEPS(X)
#undef X
    };

    for (size_t i = 0; word && i < ARRAY_LEN(words); i++)
        if (strcmp(words[i], word) == 0)
            return (enum keep)i;
    return KEEP_LATEST;
}

/* ---- live ---- */

/* "id | " where the output of several cases may be shown side by side. */
static const char *prefix_of(const struct session *s, const struct slot *slot)
{
    return s->style.prefix ? slot->prefix : "";
}

const char *outputs_prefix(struct slot *slot)
{
    struct recipe *recipe = &slot->recipe;

    return arena_printf(&slot->arena, "%.*s | ", STR_ARG(mask_in(recipe->mask, &slot->arena, recipe->id)));
}

static void show(struct session *s, struct buf *lines)
{
    progress_output(s->progress, buf_str(lines));
    buf_release(lines);
}

static enum relay_kind kind_of(const struct session *s, const struct capture_way *way)
{
    if (way->terminal)
        return RELAY_TERMINAL;
    if (way->shown && s->style.live)
        return RELAY_LIKE_TERMINAL;
    return way->inside ? RELAY_ONE_PIPE : RELAY_PIPES;
}

static int open_relay(struct session *s, struct slot *slot, enum relay_kind kind, const int files[2])
{
    struct relay *relay = &slot->relays[slot->relay_count];

    if (relay_open(relay, kind, files) < 0)
        return -1;
    slot->relay_count++;
    relay->shown = capture_way(slot->recipe.capture)->shown;
    relay->colour = s->style.colour;
    relay->mask = s->mask;
    return 0;
}

int outputs_open_relays(struct session *s, struct slot *slot)
{
    const struct capture_way *way = capture_way(slot->recipe.capture);
    const struct capture_file *files = slot->capture.files;
    const int own[] = {files[0].fd, files[1].fd}, past[] = {files[2].fd, files[2].fd};
    struct spawn_spec *spec = &slot->recipe.spec;
    struct relay *relay = &slot->relays[0];

    if (open_relay(s, slot, kind_of(s, way), way->inside ? past : own) < 0 ||
        (way->teed && open_relay(s, slot, RELAY_PIPES, own) < 0))
        return -1;
    slot->prefix = outputs_prefix(slot);
    spec->stdio[1] = relay->given[0];
    spec->stdio[2] = relay->given[1];
    if (way->terminal)
        spec->terminal = relay->given[0];
    return 0;
}

bool outputs_carry(struct session *s, struct slot *slot, uint32_t end)
{
    struct buf lines = {0};
    bool more;

    if (fault_now(&s->faults, FAULT_RELAY_PARK))
        return false;
    more = relay_carry(&slot->relays[end / 2], (int)(end % 2), prefix_of(s, slot), &lines);
    show(s, &lines);
    return more;
}

void outputs_finish_relays(struct session *s, struct slot *slot)
{
    struct buf lines = {0};

    for (uint32_t i = 0; i < slot->relay_count; i++) {
        relay_finish(&slot->relays[i], prefix_of(s, slot), &lines);
        if (slot->relays[i].error)
            slot->cut = slot->relays[i].error;
    }
    slot->relay_count = 0;
    show(s, &lines);
}

/* ---- names ---- */

/* What is hidden of two ids may be all that tells them apart. */
void outputs_slug(struct mask *mask, struct str id, uint32_t number, struct buf *slug)
{
    struct arena scratch = {0};
    struct str shown = mask_in(mask, &scratch, id);

    if (shown.ptr != id.ptr)
        shown = str_of(arena_printf(&scratch, "%.*s (%u)", STR_ARG(shown), number));
    store_slug(slug, shown);
    arena_release(&scratch);
}

/* "cases/proto@backend=exec/1", with what stands below it. Output of passed cases that is kept until the next run
 * only has a folder of its own. */
const char *outputs_path(struct slot *slot, const char *folder, uint32_t attempt, const char *name)
{
    struct buf slug = {0};
    const char *path;

    outputs_slug(slot->recipe.mask, slot->recipe.id, slot->recorded, &slug);
    path = arena_printf(&slot->arena, "%s/%s/%u/%s", folder, buf_text(&slug), attempt, name);
    buf_release(&slug);
    return path;
}

static const char *path_of(struct session *s, struct slot *slot, const char *folder, const char *name)
{
    return outputs_path(slot, folder, s->cases[slot->on].attempts + 1u, name);
}

const char *outputs_folder(struct session *s, struct slot *slot)
{
    const struct plan_case *c = session_planned(s, slot->on);
    struct buf id = {0}, slug = {0};
    const char *path;

    if (!case_test(s->kitchen.plan->suites, c)->is_module)
        return NULL;
    case_id(&id, s->kitchen.plan, c);
    outputs_slug(s->mask, buf_str(&id), slot->recorded, &slug);
    path = arena_printf(&slot->arena, "%s/%s/%u", LAYOUT_CASES, buf_text(&slug),
                        s->cases[slot->on].attempts + 1u);
    buf_release(&slug);
    buf_release(&id);
    return path;
}

const char *outputs_follow(struct session *s, struct slot *slot)
{
    const char *first = NULL;

    if (!mask_is_empty(s->mask))
        return NULL; /* it is as the case writes it, until it is over */
    for (int i = 0; i < CAPTURE_FILES_MOST; i++) {
        struct capture_file *file = &slot->capture.files[i];
        const char *path = file->fd < 0 ? NULL : path_of(s, slot, LAYOUT_CASES, file->word);

        if (path && (slot->tailed || capture_keep(s->room, file, path) == 0) && !first)
            first = arena_printf(&slot->arena, "%s/%s", s->run.path, path);
    }
    slot->tailed = first != NULL;
    return first;
}

static void forget_names(struct session *s, struct slot *slot)
{
    for (int i = 0; slot->tailed && i < CAPTURE_FILES_MOST; i++)
        if (slot->capture.files[i].fd >= 0)
            capture_unkeep(s->room, path_of(s, slot, LAYOUT_CASES, slot->capture.files[i].word));
}

/* ---- keeping ---- */

bool outputs_hide(struct session *s, struct capture_file *file, struct str whose)
{
    if (capture_hide(s->room, file) == 0)
        return true;
    session_note(s, "the %s of '%.*s' is not kept, since what it must not show could not be taken out: %s",
                 file->word, STR_ARG(whose), strerror(errno));
    return false;
}

enum disposal {
    OUTPUT_DROP,
    OUTPUT_PACK, /* until the next run, or as long with --keep=all */
    OUTPUT_KEEP, /* as long as the run is kept */
};

static enum disposal disposal_of(const struct session *s, const struct slot *slot,
                                 const struct journal_attempt *a)
{
    bool good = verdict_counts(a->verdict) != COUNT_FAILED;

    if (s->keep == KEEP_NONE || slot->worth != SOAK_ALL)
        return OUTPUT_DROP;
    if (!good)
        return OUTPUT_KEEP;
    return s->keep == KEEP_FAILED ? OUTPUT_DROP : OUTPUT_PACK;
}

static bool keep_named(struct session *s, struct slot *slot, struct capture_file *file, const char *folder,
                       struct journal_output *out)
{
    const char *path = path_of(s, slot, folder, file->word);

    if (capture_keep(s->room, file, path) < 0) {
        session_note(s, "cannot keep '%s': %s", path, strerror(errno));
        return false;
    }
    out->path = str_of(path);
    return true;
}

static void keep_one(struct session *s, struct slot *slot, struct capture_file *file, enum disposal disposal,
                     struct journal_output *out)
{
    uint64_t offset;

    if (disposal != OUTPUT_DROP && !outputs_hide(s, file, slot->recipe.id))
        disposal = OUTPUT_DROP;
    *out = (struct journal_output){.name = str_of(file->word), .size = capture_size(file), .offset = -1};
    if (!out->size || disposal == OUTPUT_DROP)
        return;
    if (disposal == OUTPUT_KEEP)
        keep_named(s, slot, file, LAYOUT_CASES, out);
    else if (capture_pack(s->room, file, &offset))
        out->offset = (int64_t)offset;
    else
        keep_named(s, slot, file, LAYOUT_PASSED, out);
}

static void keep_artifacts(struct session *s, struct slot *slot)
{
    const char *path;

    if (slot->worth != SOAK_ALL || !workdir_has_artifacts(&slot->artifacts))
        return;
    path = path_of(s, slot, LAYOUT_CASES, "artifacts");
    if (workdir_move_artifacts(s->run.fd, &slot->artifacts, path) < 0)
        session_note(s, "cannot keep '%s': %s", path, strerror(errno));
}

void outputs_keep(struct session *s, struct slot *slot, struct journal_attempt *a)
{
    enum disposal disposal = disposal_of(s, slot, a);

    if (disposal != OUTPUT_KEEP)
        forget_names(s, slot);
    if (slot->folder)
        a->files = files_keep(s, slot,
                              disposal == OUTPUT_KEEP   ? slot->folder
                              : disposal == OUTPUT_PACK ? arena_printf(&slot->arena, LAYOUT_PASSED "%s",
                                                                       slot->folder + strlen(LAYOUT_CASES))
                                                        : NULL);
    for (int i = 0; i < CAPTURE_FILES_MOST; i++)
        if (slot->capture.files[i].fd >= 0 && (i < 2 || capture_size(&slot->capture.files[i])))
            keep_one(s, slot, &slot->capture.files[i], disposal, &slot->outputs[a->output_count++]);
    a->outputs = slot->outputs;
    keep_artifacts(s, slot);
}
