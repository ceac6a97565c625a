#include "runner/screen/internal.h"

#include "runner/base/mem.h"
#include "runner/base/utf8.h"

#include <stdlib.h>
#include <unistd.h>

#define REDRAW_AFTER  (100 * NS_PER_MS)
#define WIDTH_UNKNOWN 80
#define LAST_MOST     160
#define ERASE         "\r\x1b[K"
#define NO_PERCENT    UINT32_MAX

struct progress *progress_new(const struct progress_style *style, uint32_t cases)
{
    struct progress *progress = mem_zero(1, sizeof *progress);

    progress->style = *style;
    progress->live.mask = style->mask;
    progress->live.cases = cases;
    progress->live.began = progress->said = -1;
    progress->percent = NO_PERCENT;
    screen_open(&progress->screen, style->fd, style->wake);
    progress->screen.inert = style->inert;
    return progress;
}

void progress_free(struct progress *progress)
{
    if (!progress)
        return;
    progress_hide(progress);
    screen_close(&progress->screen);
    live_release(&progress->live);
    buf_release(&progress->line);
    free(progress);
}

bool progress_broken(const struct progress *progress)
{
    return progress->screen.broken;
}

/* ---- lines ---- */

struct buf *progress_begin(struct progress *progress)
{
    struct buf *out = &progress->screen.update;

    if (progress->shown)
        buf_adds(out, ERASE);
    return out;
}

void progress_end(struct progress *progress)
{
    if (progress->shown)
        buf_addstr(&progress->screen.update, buf_str(&progress->line));
    screen_put(&progress->screen, false);
}

void progress_coloured(const struct progress *progress, struct buf *out, const char *colour, const char *text)
{
    if (progress->style.colour && *colour)
        buf_addf(out, "\x1b[%sm%s\x1b[0m", colour, text);
    else
        buf_adds(out, text);
}

void progress_show(const struct progress *progress, struct buf *out, struct str text)
{
    struct buf masked = {0};

    mask_text(progress->style.mask, text, &masked);
    utf8_show(out, buf_str(&masked));
    buf_release(&masked);
}

void progress_line(struct progress *progress, const char *format, ...)
{
    struct buf *out = progress_begin(progress);
    va_list args;

    va_start(args, format);
    buf_vaddf(out, format, args);
    va_end(args);
    buf_addc(out, '\n');
    progress_end(progress);
}

void progress_warn(struct progress *progress, const char *format, ...)
{
    struct buf *out = progress_begin(progress), text = {0};
    va_list args;

    va_start(args, format);
    buf_vaddf(&text, format, args);
    va_end(args);
    progress_coloured(progress, out, YELLOW, "warning: ");
    progress_show(progress, out, buf_str(&text));
    buf_addc(out, '\n');
    progress_end(progress);
    buf_release(&text);
}

void progress_command(struct progress *progress, struct str lines)
{
    screen_command(&progress->screen, lines);
}

void progress_output(struct progress *progress, struct str lines)
{
    if (!lines.len)
        return;
    buf_addstr(progress_begin(progress), lines);
    progress_end(progress);
}

/* ---- the live line ---- */

/* After `bg` the terminal is somebody else's to type in. */
static bool in_background(const struct progress *progress)
{
    pid_t front = tcgetpgrp(progress->screen.fd);

    return front > 0 && front != getpgrp();
}

/* State 1 is progress, 2 the same in red. */
static void add_percent(struct progress *progress, struct buf *out)
{
    const struct live *live = &progress->live;
    uint32_t percent = live->cases ? (uint32_t)(100ull * live->done / live->cases) : 0;
    uint32_t told = percent << 1 | (live->counts[COUNT_FAILED] > 0);

    if (!progress->style.osc || progress->percent == told)
        return;
    progress->percent = told;
    buf_addf(out, "\x1b]9;4;%d;%u\x1b\\", live->counts[COUNT_FAILED] ? 2 : 1, percent);
}

/* The last column stays free: there some terminals wrap already. */
uint32_t progress_columns(const struct progress *progress)
{
    uint32_t width = progress_width(progress->screen.fd);

    return (width ? width : WIDTH_UNKNOWN) - 1;
}

/* The line is ours from here on. */
static void draw(struct progress *progress, struct buf line)
{
    struct buf *out = &progress->screen.update;

    if (!progress->shown || !str_eq(buf_str(&line), buf_str(&progress->line)))
        buf_addf(out, "\r%s\x1b[K", buf_text(&line));
    buf_release(&progress->line);
    progress->line = line;
    progress->shown = true;
    if (out->len)
        screen_put(&progress->screen, true);
}

bool progress_is_due(const struct progress *progress, nanos now)
{
    return progress->style.live && progress->style.verbose >= -1 && !progress->screen.broken &&
           !(progress->shown && now - progress->drawn < REDRAW_AFTER);
}

/* False: it is not to be drawn now. */
static bool begin_drawing(struct progress *progress, nanos now)
{
    if (!progress_is_due(progress, now))
        return false;
    progress->drawn = now;
    if (!in_background(progress))
        return true;
    progress_hide(progress);
    return false;
}

void progress_draw(struct progress *progress, nanos now, nanos left)
{
    struct buf line = {0};

    if (progress->live.began < 0)
        progress->live.began = now;
    if (!begin_drawing(progress, now))
        return;
    live_line(&progress->live, now, left, progress_columns(progress), &line);
    add_percent(progress, &progress->screen.update);
    draw(progress, line);
}

void progress_say(struct progress *progress, nanos now, struct str said)
{
    struct buf line = {0};

    if (!begin_drawing(progress, now))
        return;
    live_fit(&line, said, progress_columns(progress));
    draw(progress, line);
}

void progress_hide(struct progress *progress)
{
    struct buf *out = progress_begin(progress);

    progress->shown = false;
    if (progress->percent != NO_PERCENT)
        buf_adds(out, "\x1b]9;4;0;0\x1b\\");
    progress->percent = NO_PERCENT;
    if (out->len || progress->screen.pending.len)
        screen_put(&progress->screen, false);
}

/* ---- on request ---- */

static void add_running(const struct progress *progress, struct buf *out,
                        const struct progress_running *running)
{
    buf_addf(out, "%10.1fs  ", (double)running->running / NS_PER_S);
    progress_show(progress, out, running->id);
    buf_addf(out, " (%s", running->state);
    if (running->attempt > 1)
        buf_addf(out, ", attempt %u", running->attempt);
    buf_adds(out, ")\n");
    if (running->last_line.len) {
        buf_adds(out, "             ");
        live_masked(out, progress->style.mask, running->last_line, LAST_MOST);
        buf_addc(out, '\n');
    }
    if (running->path) {
        buf_adds(out, "             tail -f ");
        progress_show(progress, out, str_of(running->path));
        buf_addc(out, '\n');
    }
}

void progress_status(struct progress *progress, const struct progress_running *running, uint32_t count,
                     uint32_t waiting)
{
    struct buf *out = progress_begin(progress);

    if (progress->live.cases) /* else who has asked has said it */
        live_counts(&progress->live, out);
    buf_addf(out, "  %u running, %u waiting\n", count, waiting);
    for (uint32_t i = 0; i < count; i++)
        add_running(progress, out, &running[i]);
    progress_end(progress);
}

void progress_hurry(struct progress *progress)
{
    screen_hurry(&progress->screen);
}

bool progress_still(const struct progress *progress)
{
    return progress->screen.still || progress->screen.pending.len > 0;
}
