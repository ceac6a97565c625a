#include "runner/leaks/internal.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_MOST ((size_t)16 << 20)

/* Column "st" of tcp, udp: TCP_LISTEN, and TCP_CLOSE for what is bound but not connected. */
#define STATE_LISTENS 0x0A
#define STATE_BOUND   0x07

/* Columns of unix. */
#define UNIX_DGRAM       2
#define UNIX_UNCONNECTED 1

static void add_socket(struct socket_tables *tables, struct socket_table *table, struct bound_socket found)
{
    found.address = arena_str(&tables->texts, found.address);
    GROW(table->list, table->count, table->cap);
    table->list[table->count++] = found;
}

/* ---- internet ---- */

/* "0100007F": words as they lie in memory, each printed as a number. */
static bool take_address(const char *hex, size_t words, void *address)
{
    uint32_t *out = address;

    for (size_t i = 0; i < words; i++)
        if (sscanf(hex + 8 * i, "%8" SCNx32, &out[i]) != 1)
            return false;
    return true;
}

/* "127.0.0.1:80", "[::1]:80", "*:80" */
static bool format_address(char *out, size_t size, const char *hex, unsigned port)
{
    static const struct in6_addr any;
    bool is_v6 = strlen(hex) == 32;
    struct in6_addr address = any;
    char text[INET6_ADDRSTRLEN];

    if ((!is_v6 && strlen(hex) != 8) || !take_address(hex, is_v6 ? 4 : 1, &address))
        return false;
    inet_ntop(is_v6 ? AF_INET6 : AF_INET, &address, text, sizeof text);
    if (memcmp(&address, &any, sizeof any) == 0)
        strcpy(text, "*");
    snprintf(out, size, strchr(text, ':') ? "[%s]:%u" : "%s:%u", text, port);
    return true;
}

struct protocol {
    const char *file, *note;
    unsigned state; /* of those that others can reach */
};

static void add_inet(struct socket_tables *tables, struct socket_table *table, const char *line,
                     const struct protocol *protocol)
{
    char hex[33], address[64];
    unsigned port, state;
    struct bound_socket found = {.family = SOCKET_INET, .note = protocol->note};

    if (sscanf(line, "%*u: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x %*x:%*x %*x:%*x %*x %*u %*d %" SCNu64, hex, &port,
               &state, &found.inode) != 4 ||
        state != protocol->state || !format_address(address, sizeof address, hex, port))
        return;
    found.address = str_of(address);
    add_socket(tables, table, found);
}

/* ---- unix ---- */

/*
 * "0000000000000000: 00000002 00000000 00010000 0001 01 4711 /tmp/x": who accepts has the address of who
 * listens, but is connected. An address that spans lines is cut: nothing then is found at it.
 */
static void add_unix(struct socket_tables *tables, struct socket_table *table, const char *line,
                     const struct protocol *protocol)
{
    unsigned type, state;
    int name = 0;
    struct bound_socket found = {.family = SOCKET_UNIX, .note = protocol->note};

    if (sscanf(line, "%*x: %*x %*x %*x %x %x %" SCNu64 "%n", &type, &state, &found.inode, &name) != 3 ||
        !name || line[name] != ' ' || !line[name + 1])
        return;
    if (type != UNIX_DGRAM && state != UNIX_UNCONNECTED)
        return;
    found.address = str_of(line + name + 1);
    add_socket(tables, table, found);
}

/* ---- tables ---- */

static const struct source {
    struct protocol protocol;
    void (*add)(struct socket_tables *tables, struct socket_table *table, const char *line,
                const struct protocol *protocol);
} sources[] = {
    {{"net/tcp", "", STATE_LISTENS}, add_inet},
    {{"net/tcp6", "", STATE_LISTENS}, add_inet},
    {{"net/udp", " (UDP)", STATE_BOUND}, add_inet},
    {{"net/udp6", " (UDP)", STATE_BOUND}, add_inet},
    {{"net/unix", "", 0}, add_unix},
};

static void read_source(struct socket_tables *tables, struct socket_table *table, int process,
                        const struct source *source)
{
    int fd = openat(process, source->protocol.file, O_RDONLY | O_CLOEXEC);
    struct buf text = {0};
    char *line, *end;

    if (fd < 0)
        return;
    fd_read_all(fd, &text, TABLE_MOST);
    fd_close(&fd);
    for (line = text.ptr; line && (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        source->add(tables, table, line, &source->protocol);
    }
    buf_release(&text);
}

static int compare_inodes(const void *a, const void *b)
{
    const struct bound_socket *left = a, *right = b;

    return (left->inode > right->inode) - (left->inode < right->inode);
}

static struct socket_table *add_table(struct socket_tables *tables, int process, uint64_t space)
{
    struct socket_table *table;

    GROW(tables->list, tables->count, tables->cap);
    table = &tables->list[tables->count++];
    *table = (struct socket_table){.space = space};
    for (size_t i = 0; i < ARRAY_LEN(sources); i++)
        read_source(tables, table, process, &sources[i]);
    if (table->count)
        qsort(table->list, table->count, sizeof *table->list, compare_inodes);
    return table;
}

static struct socket_table *table_of(struct socket_tables *tables, int process)
{
    struct stat st;

    if (fstatat(process, "ns/net", &st, 0) < 0)
        return NULL;
    for (size_t i = 0; i < tables->count; i++)
        if (tables->list[i].space == st.st_ino)
            return &tables->list[i];
    return add_table(tables, process, st.st_ino);
}

struct bound_socket *socket_find(struct socket_tables *tables, int process, uint64_t inode)
{
    struct socket_table *table = table_of(tables, process);
    struct bound_socket wanted = {.inode = inode};

    if (!table || !table->count)
        return NULL;
    return bsearch(&wanted, table->list, table->count, sizeof *table->list, compare_inodes);
}

void socket_tables_release(struct socket_tables *tables)
{
    for (size_t i = 0; i < tables->count; i++)
        free(tables->list[i].list);
    free(tables->list);
    arena_release(&tables->texts);
    *tables = (struct socket_tables){.list = NULL};
}
