#include "index.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096

struct entry {
    struct entry *next;
    int count;
    char word[];
};

struct index {
    struct entry *buckets[BUCKETS];
};

static unsigned bucket_of(const char *word)
{
    unsigned hash = 5381;

    for (; *word; word++)
        hash = hash * 33 + (unsigned char)*word;
    return hash % BUCKETS;
}

static struct entry *find(const struct index *index, const char *word)
{
    struct entry *entry = index->buckets[bucket_of(word)];

    while (entry && strcmp(entry->word, word) != 0)
        entry = entry->next;
    return entry;
}

struct index *index_new(void)
{
    return calloc(1, sizeof(struct index));
}

void index_add(struct index *index, const char *word)
{
    struct entry *entry = find(index, word);

    if (!entry) {
        entry = calloc(1, sizeof *entry + strlen(word) + 1);
        if (!entry)
            abort();
        strcpy(entry->word, word);
        entry->next = index->buckets[bucket_of(word)];
        index->buckets[bucket_of(word)] = entry;
    }
    entry->count++;
}

int index_count(const struct index *index, const char *word)
{
    const struct entry *entry = find(index, word);

    return entry ? entry->count : 0;
}

void index_free(struct index *index)
{
    for (unsigned i = 0; i < BUCKETS; i++)
        for (struct entry *entry = index->buckets[i], *next; entry; entry = next) {
            next = entry->next;
            free(entry);
        }
    free(index);
}
