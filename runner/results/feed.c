/* Lines out of pieces. */
#include "runner/results/internal.h"

#include <string.h>

static void keep(struct line_feed *feed, struct str piece)
{
    size_t room = LINE_MOST - feed->line.len;

    buf_add(&feed->line, piece.ptr, piece.len < room ? piece.len : room);
}

static void hand_out(struct line_feed *feed, line_each *each, void *user)
{
    struct str line = buf_str(&feed->line);

    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    feed->number++;
    each(user, line);
    buf_clear(&feed->line);
}

void line_feed(struct line_feed *feed, struct str bytes, line_each *each, void *user)
{
    while (bytes.len) {
        const char *newline = memchr(bytes.ptr, '\n', bytes.len);
        size_t len = newline ? (size_t)(newline - bytes.ptr) : bytes.len;

        keep(feed, str_slice(bytes, 0, len));
        if (newline)
            hand_out(feed, each, user);
        bytes = str_slice(bytes, newline ? len + 1 : len, bytes.len);
    }
}

void line_feed_end(struct line_feed *feed, line_each *each, void *user)
{
    if (feed->line.len)
        hand_out(feed, each, user);
    buf_release(&feed->line);
}
