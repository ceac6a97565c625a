/* Days of the Gregorian calendar, as people write them: "2026-12-01". */
#ifndef RM_BASE_DATE_H
#define RM_BASE_DATE_H

#include "runner/base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Days since 1970. False for what is no date: four digits, two and two, and a day that there is. */
bool date_days(struct str text, int64_t *days);

#endif
