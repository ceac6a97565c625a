/* What is tested here: how often each word has been seen. */
#ifndef INDEX_H
#define INDEX_H

struct index *index_new(void);
void index_add(struct index *index, const char *word);
int index_count(const struct index *index, const char *word);
void index_free(struct index *index);

#endif
