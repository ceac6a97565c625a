/*
 * What holds for one case, and where each value comes from: built-in < defaults < test < the C test itself <
 * overrides < profile < command line. Mappings are merged key by key, and a number for `retries` is its
 * key `count`; marks, skip, xfail and mask add up; of all else the last layer counts.
 */
#ifndef RM_MATRIX_PLAN_SETTINGS_H
#define RM_MATRIX_PLAN_SETTINGS_H

#include "matrix/suite/suite.h"

struct plan;
struct plan_case;

struct setting_origin {
    const char *layer; /* "built-in", "defaults", "test", "C test", "override", "profile", "command line" */
    struct place at;
};

/* One key of a merged mapping, or one item of a list that was added up. */
struct setting_part {
    struct str key; /* empty for an item */
    const struct node *node;
    struct setting_origin origin;
};

struct setting_value {
    const struct node *node; /* evaluated; NULL: not set. What speaks of fixtures is left as written */
    struct setting_origin origin;
    const struct setting_part *parts; /* in the order of the node's pairs or items; as written */
    uint32_t part_count;
};

/* The layers above the file. */
struct settings_over {
    const char *profile;             /* NULL: none */
    const struct node *command_line; /* a mapping of settings, or NULL */
};

struct settings;

/*
 * For the cases of a plan, from plan_init on. NULL when diags got an error: a profile that is not there.
 * Lives in the arena; what `over` names must outlive it.
 */
struct settings *settings_new(struct arena *arena, const struct plan *plan, const struct settings_over *over,
                              struct diags *diags);
void settings_release(struct settings *settings);

/*
 * One setting of one case. What is the same for every case of a test is made once; the rest is made in
 * `scratch`. False when an expression failed or gave what the setting cannot be.
 */
bool settings_get(struct settings *settings, const struct plan_case *c, enum setting setting,
                  struct arena *scratch, struct setting_value *value, struct diags *diags);

#endif
