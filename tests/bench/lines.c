/*
 * What an actor of actors.c prints, by itself:
 *
 *     lines WHO BYTES
 */
#include "tests/bench/lines.h"

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: lines WHO BYTES\n");
        return 4;
    }
    return !lines_write(stdout, atoi(argv[1]), atoll(argv[2]));
}
