#include "runner/base/date.h"

static bool number_at(struct str text, size_t from, size_t to, int *number)
{
    *number = 0;
    for (size_t i = from; i < to; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        *number = *number * 10 + (text.ptr[i] - '0');
    }
    return true;
}

static int length_of(int year, int month)
{
    static const char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

/* March begins the year, so that the odd day ends it. */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = (month > 2 ? year : year - 1) + 400; /* no year below 0: divisions round one way */
    int64_t era = y / 400, of_era = y % 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return (era - 1) * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

bool date_days(struct str text, int64_t *days)
{
    int year, month, day;

    if (text.len != sizeof "2026-12-01" - 1 || text.ptr[4] != '-' || text.ptr[7] != '-')
        return false;
    if (!number_at(text, 0, 4, &year) || !number_at(text, 5, 7, &month) || !number_at(text, 8, 10, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > length_of(year, month))
        return false;
    *days = days_of(year, month, day);
    return true;
}
