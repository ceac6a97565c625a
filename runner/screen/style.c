#include "runner/base/mem.h"
#include "runner/screen/progress.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_UNKNOWN 80 /* of a terminal that does not tell, as on a serial line */

static bool is_set(const char *name)
{
    const char *value = getenv(name);

    return value && *value;
}

static bool is_on(const char *name)
{
    return is_set(name) && strcmp(getenv(name), "0") != 0;
}

static bool is_off(const char *name)
{
    return is_set(name) && !is_on(name);
}

static bool can_steer(int fd)
{
    return isatty(fd) && is_set("TERM") && strcmp(getenv("TERM"), "dumb") != 0;
}

static bool wants_colour(int fd, const char *option)
{
    if (option && strcmp(option, "always") == 0)
        return true;
    if ((option && strcmp(option, "never") == 0) || is_set("NO_COLOR"))
        return false;
    if (is_on("FORCE_COLOR") || is_on("CLICOLOR_FORCE"))
        return true;
    return !is_off("CLICOLOR") && can_steer(fd);
}

/* Codes of one capital and what follows it, as iTerm2 has them; P is progress. */
static bool features_have_progress(const char *codes)
{
    for (; codes && *codes; codes++)
        if (codes[0] == 'P' && (codes[1] < 'a' || codes[1] > 'z'))
            return true;
    return false;
}

/* Others take OSC 9 for a notification and would pop one up at each per cent, so it goes to those alone that are
 * known to mean progress by it. */
static bool knows_progress(void)
{
    static const struct {
        const char *variable, *value; /* NULL: any */
    } rows[] = {
        {"WT_SESSION", NULL},        {"ConEmuANSI", "ON"},      {"TERM_PROGRAM", "WezTerm"},
        {"TERM_PROGRAM", "ghostty"}, {"TERM", "xterm-ghostty"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *value = getenv(rows[i].variable);

        if (value && *value && (!rows[i].value || strcmp(value, rows[i].value) == 0))
            return true;
    }
    return features_have_progress(getenv("TERM_FEATURES"));
}

void progress_style(struct progress_style *style, int fd, const char *color_option)
{
    *style = (struct progress_style){.fd = fd, .wake = -1, .colour = wants_colour(fd, color_option)};
    style->live = can_steer(fd) && !is_set("CI");
    style->osc = style->live && knows_progress();
}

uint32_t progress_width(int fd)
{
    struct winsize size;

    if (ioctl(fd, TIOCGWINSZ, &size) < 0)
        return 0;
    return size.ws_col ? size.ws_col : WIDTH_UNKNOWN;
}
