/*
 * What a stranger says on a link: whatever comes, in whatever pieces, the link hears the frames that are in it, then how it
 * ends, and keeps no more than it wants to hear. What is in a frame is taken apart, and put together again.
 */
#include "backends/links/links.h"
#include "runner/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void must(bool is)
{
    if (!is)
        abort();
}

/* ---- bodies ---- */

/* As a list of texts, then as a list of numbers. */
static void take_texts(struct str body)
{
    struct buf again = {0};
    struct str rest = body, text;

    while (field_text(&rest, &text))
        field_add_text(&again, text);
    must(str_eq(buf_str(&again), str_slice(body, 0, body.len - rest.len)));
    buf_release(&again);
}

static void take_numbers(struct str body)
{
    struct buf again = {0};
    struct str rest = body;
    uint64_t number;

    while (field_number(&rest, &number))
        field_add_number(&again, number);
    must(rest.len < sizeof number);
    must(str_eq(buf_str(&again), str_slice(body, 0, body.len - rest.len)));
    buf_release(&again);
}

/* ---- frames ---- */

/* In memory of its own length, so that nobody reads behind it unseen. */
static enum frame_answer take(struct str text, size_t most, struct frame *frame, size_t *used)
{
    char *copy = mem_alloc(text.len);
    enum frame_answer answer;

    memcpy(copy, text.ptr, text.len);
    answer = frame_take((struct str){copy, text.len}, most, frame, used);
    if (answer == FRAME_GOT) {
        must(frame->body.ptr == copy + FRAME_HEAD && *used == FRAME_HEAD + frame->body.len);
        frame->body.ptr = text.ptr + FRAME_HEAD;
    } else
        must(*used == 0);
    free(copy);
    return answer;
}

static void same_again(struct str text, const struct frame *frame, size_t used)
{
    struct buf again = {0};

    frame_add(&again, frame->kind, frame->number, frame->body.ptr, frame->body.len);
    must(str_eq(buf_str(&again), str_slice(text, 0, used)));
    buf_release(&again);
    take_texts(frame->body);
    take_numbers(frame->body);
}

/* ---- a link ---- */

struct hearing {
    struct link link;
    size_t most;
    int peer;
    struct str rest; /* of all that is said: what was not heard yet */
};

/* What is expected, by taking it from the whole. */
static enum link_news expected(struct hearing *hearing, struct frame *frame)
{
    size_t used;

    switch (take(hearing->rest, hearing->most, frame, &used)) {
    case FRAME_GOT:
        same_again(hearing->rest, frame, used);
        hearing->rest = str_slice(hearing->rest, used, hearing->rest.len);
        return LINK_FRAME;
    case FRAME_NONSENSE: return LINK_NONSENSE;
    case FRAME_MORE: break;
    }
    return hearing->rest.len ? LINK_LOST : LINK_ENDED;
}

/* All that can be heard now. False: it is over. */
static bool hear(struct hearing *hearing)
{
    /* As buffers grow. */
    size_t kept_most = (hearing->most + FRAME_HEAD) * 3 / 2 + 128;
    struct frame frame, wanted;
    enum link_news news;

    while ((news = link_hear(&hearing->link, &frame)) != LINK_SILENT) {
        must(news == expected(hearing, &wanted));
        must(hearing->link.in.cap <= kept_most);
        if (news != LINK_FRAME) {
            must(news != LINK_NONSENSE || frame.number == wanted.number);
            must(hearing->link.fd == -1 && link_hear(&hearing->link, &frame) == LINK_ENDED);
            return false;
        }
        must(frame.kind == wanted.kind && frame.number == wanted.number && str_eq(frame.body, wanted.body));
    }
    must(hearing->link.in.cap <= kept_most);
    return true;
}

static void hear_in_pieces(struct str text, size_t most, size_t piece)
{
    struct hearing hearing = {.most = most, .rest = text};
    size_t said = 0;
    int ends[2];

    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    link_open(&hearing.link, ends[0], most);
    hearing.peer = ends[1];
    while (said < text.len && hearing.link.fd >= 0) {
        size_t len = text.len - said < piece ? text.len - said : piece;

        must(send(hearing.peer, text.ptr + said, len, MSG_NOSIGNAL) == (ssize_t)len);
        said += len;
        hear(&hearing);
    }
    close(hearing.peer);
    must(hearing.link.fd < 0 || !hear(&hearing));
    link_close(&hearing.link);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);

/* The first byte is how much is wanted, and in what pieces it comes. */
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    static const size_t mosts[] = {FRAME_BODY_MOST, 0, 16, 256}, pieces[] = {4096, 1, 7, 100};

    if (size)
        hear_in_pieces((struct str){(const char *)bytes + 1, size - 1}, mosts[bytes[0] & 3],
                       pieces[bytes[0] >> 2 & 3]);
    return 0;
}
