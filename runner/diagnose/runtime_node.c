/*
 * Node: SIGUSR1 makes it open its inspector, also while JavaScript runs and never waits. We join as a debugger does, have it
 * say where it is, and make it close again. The port is the same for all, so one is asked at a time; what it prints of all
 * that is taken out of the output.
 */
#include "runner/diagnose/runtime.h"

#include "runner/base/io.h"
#include "runner/base/json.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define AGAIN_AFTER (40 * NS_PER_MS)
#define TRIES_MOST  20u
#define FRAMES_MOST 100u /* of its answer, and of what it says besides */
#define TURN        "run-matrix asks a Node"
#define TURN_MOST   (500 * NS_PER_MS) /* for who does not give it back */

enum { ID_TELL = 1, ID_CLOSE };

/* Evaluated on top of whatever runs; so its own frames, which are in no file, come first and are left out. */
static const char tell[] =
    "(() => {"
    " const limit = Error.stackTraceLimit, out = [];"
    " Error.stackTraceLimit = 100;"
    " let stack = String(new Error().stack);"
    " Error.stackTraceLimit = limit;"
    " stack = stack.split('\\n').slice(1).filter(line => !/^ *at ([\\w.]+ "
    "\\()?<anonymous>:1:\\d+\\)?$/.test(line));"
    " if (stack.length) out.push('JavaScript, innermost first:', ...stack);"
    " else out.push('no JavaScript runs: it is in its event loop');"
    " try {"
    "  const counts = {};"
    "  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] || 0) + 1;"
    "  out.push('waits for: ' + (Object.keys(counts).map(name => counts[name] > 1 ?"
    "   name + ' x ' + counts[name] : name).join(', ') || 'nothing'));"
    "  for (const handle of process._getActiveHandles().slice(0, 100)) {"
    "   const name = '    ' + (handle.constructor ? handle.constructor.name : 'handle') + ': ';"
    "   const address = handle.listening && handle.address();"
    "   if (handle.spawnargs) out.push(name + 'process ' + handle.pid + ', ' + handle.spawnargs.join(' '));"
    "   else if (handle.remoteAddress) out.push(name + handle.localAddress + ':' + handle.localPort + ' to ' "
    "+"
    "    handle.remoteAddress + ':' + handle.remotePort);"
    "   else if (address) out.push(name + 'listens at ' + (address.port ? address.address + ':' + "
    "address.port :"
    "    address));"
    "   else if (handle._handle && handle._handle.fd >= 0) out.push(name + 'descriptor ' + "
    "handle._handle.fd);"
    "  }"
    " } catch (error) { out.push(String(error)); }"
    " return out.join('\\n').slice(0, 200000);"
    "})()";

/* Of itself it ends with the program only. */
static const char close_again[] = "process._debugEnd()";

static void queue_evaluation(struct talk *talk, int id, const char *expression)
{
    struct buf text = {0};
    struct json_writer w = {.out = &text};

    json_object(&w);
    json_key_c(&w, "id");
    json_int(&w, id);
    json_key_c(&w, "method");
    json_cstr(&w, "Runtime.evaluate");
    json_key_c(&w, "params");
    json_object(&w);
    json_key_c(&w, "expression");
    json_cstr(&w, expression);
    json_key_c(&w, "returnByValue");
    json_bool(&w, true);
    json_key_c(&w, "silent");
    json_bool(&w, true);
    json_object_end(&w);
    json_object_end(&w);
    talk_frame(&talk->out, buf_str(&text));
    buf_release(&text);
}

/* ---- what comes ---- */

static void take_bytes(struct talk *talk, size_t count)
{
    if (count)
        memmove(talk->in.ptr, talk->in.ptr + count, talk->in.len - count);
    talk->in.len -= count;
}

/* ---- step by step; each answers false when it will not go on ---- */

static bool node_opens(struct asked *asked)
{
    struct node_asked *node = &asked->node;
    pid_t pid = asked->process->id.pid;

    if (!listener_find(pid, node->sockets, node->socket_count, &node->port))
        return true;
    asked_lives(asked);
    if (!talk_open(&node->talk, pid, node->port))
        return false;
    buf_addf(&node->talk.out, "GET /json/list HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", node->port);
    node->phase = NODE_LISTS;
    return true;
}

/* What stands in a request must not end it: only what a path of theirs has. */
static bool is_path(struct str path)
{
    for (size_t i = 0; i < path.len; i++)
        if (!strchr("0123456789abcdefABCDEF-/", path.ptr[i]) || !path.ptr[i])
            return false;
    return path.len > 1 && path.len < 100;
}

/* "ws://127.0.0.1:9229/779111dd-..." */
static bool find_path(struct str body, struct buf *path)
{
    struct buf url = {0};
    bool found = talk_text(body, "webSocketDebuggerUrl", 2, &url) && str_starts(buf_str(&url), "ws://");
    const char *slash = found ? strchr(url.ptr + strlen("ws://"), '/') : NULL;

    if (slash)
        buf_adds(path, slash);
    buf_release(&url);
    return is_path(buf_str(path));
}

static bool join(struct node_asked *node, pid_t pid, struct str body)
{
    struct buf path = {0};
    bool found = find_path(body, &path);

    talk_close(&node->talk);
    if (found && talk_open(&node->talk, pid, node->port))
        buf_addf(&node->talk.out,
                 "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Key: cnVuLW1hdHJpeCBkdW1wIQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                 buf_text(&path), node->port);
    node->phase = NODE_LETS_IN;
    buf_release(&path);
    return node->talk.fd >= 0;
}

static bool node_lists(struct asked *asked)
{
    struct node_asked *node = &asked->node;
    struct str in = buf_str(&node->talk.in);
    unsigned status;
    size_t body, head = talk_head(in, &status, &body);

    if (!head || (body == SIZE_MAX ? !node->talk.ended : in.len - head < body))
        return !node->talk.ended;
    asked_lives(asked);
    return status == 200 && join(node, asked->process->id.pid, str_slice(in, head, in.len));
}

static bool node_lets_in(struct asked *asked)
{
    struct node_asked *node = &asked->node;
    unsigned status;
    size_t body, head = talk_head(buf_str(&node->talk.in), &status, &body);

    if (!head)
        return !node->talk.ended;
    if (status != 101)
        return false;
    asked_lives(asked);
    take_bytes(&node->talk, head);
    queue_evaluation(&node->talk, ID_TELL, tell);
    node->phase = NODE_TELLS;
    return true;
}

static void take_answer(struct asked *asked, struct str message)
{
    struct buf says = {0};

    if (talk_text(message, "value", 3, &says))
        asked->process->runtime_says = asked_text(asked, buf_str(&says));
    else
        asked->process->runtime_why_not = "its inspector gave no answer that can be read";
    buf_release(&says);
}

static void take_message(struct asked *asked, struct str message)
{
    struct node_asked *node = &asked->node;

    if (node->phase != NODE_TELLS || talk_number(message, "id") != ID_TELL)
        return;
    asked_lives(asked);
    take_answer(asked, message);
    queue_evaluation(&node->talk, ID_CLOSE, close_again);
    node->phase = NODE_CLOSES;
}

/* Whoever listens there may say what it likes, as long as that is little. */
static bool node_tells(struct asked *asked)
{
    struct node_asked *node = &asked->node;
    struct str in = buf_str(&node->talk.in), message;
    size_t at = 0, taken;
    enum talk_frame frame;

    while ((frame = talk_next(str_slice(in, at, in.len), &message, &taken)) == TALK_TEXT ||
           frame == TALK_OTHER) {
        if (++node->frames > FRAMES_MOST)
            return false;
        if (frame == TALK_TEXT)
            take_message(asked, message);
        at += taken;
    }
    take_bytes(&node->talk, at);
    return frame == TALK_PART && !node->talk.ended;
}

static bool go_on(struct asked *asked)
{
    struct node_asked *node = &asked->node;

    if (node->phase == NODE_OPENS)
        return node_opens(asked);
    if (!talk_turn(&node->talk))
        return false;
    switch (node->phase) {
    case NODE_LISTS: return node_lists(asked);
    case NODE_LETS_IN: return node_lets_in(asked) && (node->phase == NODE_LETS_IN || talk_turn(&node->talk));
    default: return node_tells(asked) && talk_turn(&node->talk);
    }
}

/* ---- its way ---- */

static const char *node_prepare(struct asked *asked)
{
    asked->lane = LANE_OUTPUTS;
    if (!talk_can_reach(asked->process->id.pid))
        return "it would answer in a network of its own, which we may not enter";
    marks_watch(asked, 2);
    return NULL;
}

/* Of all on this network: the kernel gives the name back when whoever has it ends. */
static bool node_may_go(struct asked *asked)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0" TURN};
    struct node_asked *node = &asked->node;
    int turn = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (turn < 0)
        return true;
    if (bind(turn, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + sizeof TURN) == 0) {
        node->turn = turn;
        return true;
    }
    fd_close(&turn);
    if (!node->waits)
        node->waits = clock_now();
    return clock_now() - node->waits > TURN_MOST;
}

static void node_mark(struct asked *asked)
{
    asked->node.again = clock_now() + AGAIN_AFTER;
    asked->node.sockets = sockets_of(asked->process->id.pid, &asked->node.socket_count);
    marks_take(asked);
    marks_late(asked); /* what it says of its inspector: some of that when it is closed */
}

static bool has_failed(const struct asked *asked)
{
    struct buf text = {0};
    struct printed printed;
    bool failed = false;

    for (uint32_t i = 0; i < RUNTIME_OUTPUTS; i++)
        failed |= marks_read(asked, i, &text) && printed_by_node(buf_str(&text), 0, &printed) &&
                  str_starts(str_slice(buf_str(&text), printed.from, printed.to), "Starting inspector on ");
    buf_release(&text);
    return failed;
}

/*
 * Somebody else may have its port for a moment. Nobody is sent the signal again who has not said so: a handler of the program's
 * own, which may be there for one time only, would be told of it as well. False: it is asked no more.
 */
static bool ask_again(struct asked *asked)
{
    struct node_asked *node = &asked->node;

    if (clock_now() < node->again)
        return true;
    node->again = clock_now() + AGAIN_AFTER;
    if (!has_failed(asked))
        return true;
    node->refused = true;
    if (++node->tries == TRIES_MOST || !asked_catches(asked, asked->signal))
        return false;
    marks_take(asked);
    return pidfd_signal(asked->pidfd, asked->signal) == 0;
}

static bool still_listens(const struct asked *asked)
{
    uint16_t port;

    return listener_find(asked->process->id.pid, asked->node.sockets, asked->node.socket_count, &port) &&
           port == asked->node.port;
}

static void node_end(struct asked *asked)
{
    if (asked->process->runtime_says && asked->node.port && still_listens(asked))
        taking_note(asked->asking->taking,
                    "the inspector of node (pid %ld) did not close, and listens at 127.0.0.1:%u",
                    (long)asked->process->id.pid, asked->node.port);
    if (!asked->node.port && (asked->node.refused || has_failed(asked)))
        asked->process->runtime_why_not = "its inspector could not be opened: its port is taken";
    else if (asked->node.port && asked->node.phase < NODE_CLOSES)
        asked->process->runtime_why_not =
            arena_printf(asked->asking->taking->arena,
                         "its inspector did not answer, and listens at 127.0.0.1:%u", asked->node.port);
}

static bool node_look(struct asked *asked)
{
    if ((asked->node.phase != NODE_OPENS || ask_again(asked)) && go_on(asked))
        return false;
    node_end(asked);
    return true;
}

/* Who was let in leaves word that it is to close, whenever that is read. */
static void node_give_up(struct asked *asked)
{
    if (asked->node.phase == NODE_TELLS) {
        queue_evaluation(&asked->node.talk, ID_CLOSE, close_again);
        talk_turn(&asked->node.talk);
    }
    node_end(asked);
}

static void node_release(struct asked *asked)
{
    talk_close(&asked->node.talk);
    fd_close(&asked->node.turn);
    free(asked->node.sockets);
    asked->node.sockets = NULL;
}

const struct runtime_way runtime_node = {
    .signal = SIGUSR1,
    .prepare = node_prepare,
    .may_go = node_may_go,
    .mark = node_mark,
    .look = node_look,
    .give_up = node_give_up,
    .release = node_release,
};
