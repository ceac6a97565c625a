/* Words that several processes see: ours, those of servers, and those of the processes they start. */
#include "backends/internal.h"

#include "backends/child.h"
#include "backends/raw.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A place is a line of the processor's cache: two cases that run side by side do not write into one another's. */
#define PLACE_SIZE 64

_Static_assert(sizeof(struct spawn_words) <= PLACE_SIZE, "a place holds the words of one process");

static size_t size_of(const struct board *board)
{
    return (size_t)board->places * PLACE_SIZE;
}

static bool map(struct board *board, int fd, uint32_t places)
{
    *board = (struct board){.fd = fd, .places = places};
    board->at = mmap(NULL, size_of(board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return board->at != MAP_FAILED;
}

struct board *board_new(uint32_t places)
{
    int fd = memfd_create("run-matrix-board", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    struct board *board = mem_zero(1, sizeof *board);

    if (fd >= 0 && ftruncate(fd, (off_t)places * PLACE_SIZE) == 0 &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0 && map(board, fd, places))
        return board;
    fd_close(&fd);
    free(board);
    return NULL;
}

/* It cannot shrink any more, so nobody dies of looking at it. */
bool board_open(struct board *board, int fd)
{
    struct stat st;
    bool is = fstat(fd, &st) == 0 && fcntl(fd, F_GET_SEALS) == (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) &&
              st.st_size >= PLACE_SIZE && map(board, fd, (uint32_t)(st.st_size / PLACE_SIZE));

    if (is)
        fd_close(&board->fd);
    return is;
}

void board_free(struct board *board)
{
    if (!board)
        return;
    munmap(board->at, size_of(board));
    fd_close(&board->fd);
    free(board);
}

void board_leave(const struct board *board)
{
    RAW(munmap, board->at,
        size_of(board)); /* libc's is on a page that the child of a server has not looked at yet */
}

int board_fd(const struct board *board)
{
    return board->fd;
}

struct spawn_words *board_words(const struct board *board, uint32_t place)
{
    return place < board->places ? (struct spawn_words *)(void *)(board->at + (size_t)place * PLACE_SIZE)
                                 : NULL;
}

void spawn_post(struct spawn *spawn, const struct board *board, uint32_t place)
{
    spawn->words = board_words(board, place);
    spawn->board = board;
    spawn->place = place;
}
