/*
 * What all of them test: a little of everything, with mistakes in it. The tests say what would be right.
 *
 * Where $SUBJECT_RECORD names a file, a line tells there of each store and index that is made or given back, and of each
 * process that is left behind.
 */
#ifndef SUBJECT_H
#define SUBJECT_H

#include <stddef.h>

#define PACKET_SIZE 48

int words_in(const char *text);
const char *page_of(const char *title);
void packet_pack(unsigned char *packet, const char *payload);
long number_of(const char *text);
double rounded(double price);

/* Lives in a folder, which is to be empty, and is so again when it has been closed. */
struct store;
struct store *store_open(const char *folder);
void store_put(struct store *store, const char *key, const char *value);
int store_count(struct store *store);
void store_close(struct store *store);

/* Takes 300 ms to be built. */
struct index;
struct index *index_build(void);
int index_find(const struct index *index, const char *word);
void index_free(struct index *index);

struct user {
    char name[16];
};
size_t name_length(const struct user *user);
int wait_for_reply(void);
int serve(void); /* prints 10 MB, and leaves a child behind that sleeps for half a minute */

#endif
