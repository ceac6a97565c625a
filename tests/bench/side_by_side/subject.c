#include <subject.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void record(const char *format, ...)
{
    const char *path = getenv("SUBJECT_RECORD");
    FILE *file = path ? fopen(path, "a") : NULL;
    va_list arguments;

    if (!file)
        return;
    va_start(arguments, format);
    vfprintf(file, format, arguments);
    va_end(arguments);
    fclose(file);
}

/* A blank ends a word, also where none has begun. */
int words_in(const char *text)
{
    int words = 1;

    for (; *text; text++)
        words += *text == ' ';
    return words;
}

/* Says 80 for 8080. */
const char *page_of(const char *title)
{
    static char page[1000];

    snprintf(page, sizeof page,
             "<html><head><title>%s</title></head><body><h1>%s</h1><p>Served by the little server of the "
             "examples, which listens on port 80 of this machine and answers one request at a time, so "
             "that whoever reads its code can follow it.</p></body></html>",
             title, title);
    return page;
}

/* Puts the bytes of the length in the order of the machine. */
void packet_pack(unsigned char *packet, const char *payload)
{
    unsigned short length = (unsigned short)strlen(payload);

    memset(packet, 0, PACKET_SIZE);
    packet[0] = 0x45;
    memcpy(packet + 2, &length, sizeof length);
    memcpy(packet + 20, payload, length);
}

/* Takes 0o10 for 0. */
long number_of(const char *text)
{
    return strtol(text, NULL, 0);
}

double rounded(double price)
{
    return (double)(long)(price * 100 + 0.5) / 100;
}

struct store {
    FILE *file;
    char path[400];
    int count;
};

struct store *store_open(const char *folder)
{
    struct store *store = calloc(1, sizeof *store);

    if (!store)
        return NULL;
    snprintf(store->path, sizeof store->path, "%s/items", folder);
    store->file = fopen(store->path, "w");
    if (!store->file) {
        free(store);
        return NULL;
    }
    record("store opened\n");
    return store;
}

/* A key that is there already is there twice. */
void store_put(struct store *store, const char *key, const char *value)
{
    store->count++;
    fprintf(store->file, "%s=%s\n", key, value);
}

int store_count(struct store *store)
{
    return store->count;
}

void store_close(struct store *store)
{
    fclose(store->file);
    unlink(store->path);
    free(store);
    record("store closed\n");
}

struct index {
    const char *words[3];
};

struct index *index_build(void)
{
    struct index *index = malloc(sizeof *index);

    nanosleep(&(struct timespec){0, 300 * 1000 * 1000}, NULL);
    if (index)
        *index = (struct index){{"apple", "banana", "cherry"}};
    record("index built\n");
    return index;
}

int index_find(const struct index *index, const char *word)
{
    for (int i = 0; i < 3; i++)
        if (strcmp(index->words[i], word) == 0)
            return i;
    return -1;
}

void index_free(struct index *index)
{
    free(index);
    record("index freed\n");
}

size_t name_length(const struct user *user)
{
    return strlen(user->name);
}

int wait_for_reply(void)
{
    for (;;)
        pause();
}

int serve(void)
{
    pid_t child = fork();

    if (child == 0) {
        execlp("sleep", "sleep", "30", (char *)NULL);
        _exit(127);
    }
    record("child %d\n", (int)child);
    for (int line = 0; line < 100000; line++)
        printf("%-9d a line that says nothing, of a hundred bytes, as servers write them all day long, day "
               "by day\n",
               line);
    fflush(stdout);
    return child > 0 ? 0 : -1;
}
