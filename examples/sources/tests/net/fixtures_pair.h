#ifndef FIXTURES_PAIR_H
#define FIXTURES_PAIR_H

void pair_open(int ends[2]); /* connected sockets */

#endif
