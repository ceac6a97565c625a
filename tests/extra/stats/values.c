/*
 * Answers questions to runner/stats, a line each: a name and its numbers in, the same line with a tab and the value out.
 * For tests/extra/stats.py.
 */
#include "runner/stats/stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERS_MOST 64

static uint64_t whole(const double *numbers, int i)
{
    return (uint64_t)numbers[i];
}

static double layers(const double *numbers, int count)
{
    struct stats_layer layers[NUMBERS_MOST / 4];

    for (int i = 0; i < count / 4; i++)
        layers[i] = (struct stats_layer){whole(numbers, 4 * i), whole(numbers, 4 * i + 1),
                                         whole(numbers, 4 * i + 2), whole(numbers, 4 * i + 3)};
    return stats_layers_greater(layers, (uint32_t)count / 4);
}

static double planned(const double *n, bool needed)
{
    struct stats_plan plan = stats_plan(n[0], n[1]);

    return (double)(needed ? stats_needed(&plan, whole(n, 2)) : stats_too_many(&plan, whole(n, 2)));
}

static double answer(const char *name, const double *n, int count)
{
    if (strcmp(name, "at_most") == 0)
        return stats_at_most(whole(n, 0), whole(n, 1), n[2]);
    if (strcmp(name, "at_least") == 0)
        return stats_at_least(whole(n, 0), whole(n, 1), n[2]);
    if (strcmp(name, "upper") == 0)
        return stats_upper(whole(n, 0), whole(n, 1), n[2]);
    if (strcmp(name, "lower") == 0)
        return stats_lower(whole(n, 0), whole(n, 1), n[2]);
    if (strcmp(name, "any_low") == 0)
        return stats_interval_at_any_time(whole(n, 0), whole(n, 1), n[2]).low;
    if (strcmp(name, "any_high") == 0)
        return stats_interval_at_any_time(whole(n, 0), whole(n, 1), n[2]).high;
    if (strcmp(name, "fisher") == 0)
        return stats_fisher_greater(whole(n, 0), whole(n, 1), whole(n, 2), whole(n, 3));
    if (strcmp(name, "layers") == 0)
        return layers(n, count);
    if (strcmp(name, "needed") == 0)
        return planned(n, true);
    if (strcmp(name, "too_many") == 0)
        return planned(n, false);
    fprintf(stderr, "values: there is no '%s'\n", name);
    exit(1);
}

int main(void)
{
    char line[2048];

    while (fgets(line, sizeof line, stdin)) {
        double numbers[NUMBERS_MOST];
        int count = 0;
        char *rest, *name;

        line[strcspn(line, "\n")] = '\0';
        printf("%s\t", line);
        name = strtok_r(line, " ", &rest);
        for (char *word; count < NUMBERS_MOST && (word = strtok_r(NULL, " ", &rest));)
            numbers[count++] = strtod(word, NULL);
        printf("%.17g\n", answer(name ? name : "", numbers, count));
    }
    return 0;
}
