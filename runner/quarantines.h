/* Quarantines of a plan, before anything is run: which cases are in one, and which of them nobody should forget. */
#ifndef RM_RUNNER_QUARANTINES_H
#define RM_RUNNER_QUARANTINES_H

#include "runner/front.h"
#include "runner/history/history.h"
#include "runner/journal/journal.h"

int64_t quarantines_today(void); /* days since 1970, by UTC */

/* That of a case, whether it still holds or not; false: it is in none. Texts may be in the arena. */
bool quarantines_find(const struct front *front, const struct plan_case *c, struct arena *arena,
                      struct journal_quarantine *quarantine);
/* Warns of those that are over, and of those that will be soon. */
void quarantines_warn(const struct front *front, int64_t today, struct diags *diags);
/* Says which have held for long without need: their cases have passed so often that history does not count further. */
void quarantines_advise(const struct front *front, struct history *history, struct diags *diags);

#endif
