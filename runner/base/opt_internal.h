/* What the parser of options and the writers of their documentation share. */
#ifndef RM_BASE_OPT_INTERNAL_H
#define RM_BASE_OPT_INTERNAL_H

#include "runner/base/opt.h"

static inline bool opt_has_value(const struct opt *opt)
{
    return opt->kind != OPT_FLAG && opt->kind != OPT_COUNT;
}

static inline bool opt_belongs(const struct opt *opt, size_t command)
{
    return opt->commands >> command & 1;
}

/* All of them, as if they stood in one array. */
size_t opt_count(const struct opt_table *table);
const struct opt *opt_at(const struct opt_table *table, size_t number);

/* Every command with a name takes it: then it need not be said of each. */
bool opt_is_common(const struct opt_table *table, const struct opt *opt);

/* "list, show and eval": the commands with a name that take the option. */
void opt_takers(const struct opt_table *table, const struct opt *opt, struct buf *out);

/* What stands for the value in the documentation: "FILE", or "always|never" where the words are short. */
const char *opt_value_name(const struct opt *opt, struct buf *scratch);

/* A text taken apart: paragraphs, and single lines that are kept as they are. */
struct opt_piece {
    struct str text;
    bool verbatim;
};
bool opt_next_piece(struct str *rest, struct opt_piece *piece);

#endif
