/* Markdown: what its files share. Whatever others have said is text in it, never a piece of its form. */
#ifndef RM_REPORT_MARKDOWN_H
#define RM_REPORT_MARKDOWN_H

#include "runner/report/internal.h"

struct markdown {
    const struct report_input *input;
    struct buf page;
    size_t most; /* that it may be long */
    size_t room; /* of that, what failures leave for what follows on them */
    bool full;   /* a part has found no room, and what was less important none either */
};

/* A part that is there whole, or not at all. `spare`: bytes that have to be left for others. The part is empty afterwards. */
bool markdown_put(struct markdown *m, struct buf *part, size_t spare);

/* ---- markdown_text.c ---- */

/* In a line, a table or HTML: everything that could mean something as an entity, on one line, at most `most` bytes of it. */
void markdown_inline(struct buf *out, struct str text, size_t most);
void markdown_code(struct buf *out, struct str text, size_t most); /* the same between <code> and </code> */

/* ---- markdown_table.c ---- */

const char *markdown_mark(enum verdict verdict); /* a sign that is seen from afar */
/* Cells beside each other, tests below each other; those that failed first, and what there is no room for in numbers. */
void markdown_table(const struct report_input *input, struct buf *out);

/* ---- markdown_case.c ---- */

void markdown_case(const struct report_input *input, const struct journal_history *history, bool open,
                   struct buf *out);

#endif
