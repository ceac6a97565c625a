#!/bin/sh
# How soon a process sees that the one it talks to is dead, by backend.
# usage: partners.sh PROGRAM TOOLS
# For a quick look: BENCH_PAIRS=20
. "$(dirname "$0")/peers.sh"
root=$(realpath "$(dirname "$0")/../..")
built=$(dirname "$(realpath "$1")")
workshop "$1" "$2"
pairs=${BENCH_PAIRS:-200}

# Two of them run at a time. Who comes second sends the time and dies; the first takes the time when there is no more to be read.
cat >partner.c <<'END'
#include <run_matrix.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const struct sockaddr_un address = {AF_UNIX, NAME};
#define SIZE ((socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof NAME - 1))

static long long now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000000LL + at.tv_nsec;
}

/* It is greeted, or was too late. */
static void be_second(int fd)
{
    long long at;
    if (read(fd, &(char){0}, 1) != 1)
        return;
    at = now();
    if (write(fd, &at, sizeof at) == sizeof at)
        raise(SIGKILL);
}

static void be_first(int listening)
{
    long long died = 0;
    int fd = accept(listening, NULL, NULL);
    close(listening);
    if (write(fd, "", 1) == 1 && read(fd, &died, sizeof died) == sizeof died &&
        read(fd, &(char){0}, 1) == 0)
        dprintf(open(getenv("TIMES"), O_WRONLY | O_APPEND | O_CREAT, 0600), "%lld\n", now() - died);
}

TEST(partner)
{
    for (;;) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0), listening = socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect(fd, (const void *)&address, SIZE) == 0)
            be_second(fd);
        else if (bind(listening, (const void *)&address, SIZE) == 0 && listen(listening, 1) == 0)
            return be_first(listening);
        close(fd);
        close(listening);
    }
}
END
${CC:-gcc} -O1 -D_GNU_SOURCE "-DNAME=\"\\0${work##*/}\"" "-I$root/fixtures" -shared -fPIC -o partner.so partner.c "$built/librunmatrix.a"

run_with() { # BACKEND
    mkdir "$1"
    cat >"$1/run-matrix.yaml" <<END
strategy: {matrix: {backend: [$1], number: [$(seq -s, $((2 * pairs)))]}}
defaults: {env: {TIMES: $work/$1/times}}
tests: [{name: t, module: $work/partner.so}]
END
    (cd "$1" && ../run-matrix run -n 2 -q >log 2>&1) || [ $? = 1 ]
    [ "$(wc -l <"$1/times")" = "$pairs" ] || { cat "$1/log" >&2 && exit 1; }
}

echo "$pairs pairs of C tests that talk to each other by a socket, two at a time. One says what time it is and is killed; how long until the"
echo 'other has read to the end.'
echo
echo '| backend | median, ms | 99 of 100 within, ms | longest, ms |'
echo '|---|--:|--:|--:|'
for backend in exec spawn forkserver main_thread_forkserver subint subint_forkserver; do
    run_with "$backend"
    sort -n "$backend/times" | awk -v backend="$backend" '
        { at[NR] = $1 / 1e6 }
        END { printf "| `%s` | %.3f | %.3f | %.3f |\n", backend, at[int((NR + 1) / 2)], at[int((NR * 99 + 99) / 100)], at[NR] }'
done
