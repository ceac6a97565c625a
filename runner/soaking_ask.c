/* What a soak is asked: by the command line, and by `soak:` of a profile below it. */
#include "runner/soaking.h"

#include "runner/base/decimal.h"
#include "runner/session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BELOW_DEFAULT      0.01
#define CONFIDENCE_DEFAULT 0.95
#define BELOW_LEAST        1e-8 /* nobody can wait for more than 3 * 10^8 runs */
#define CONFIDENCE_MOST    0.999999

/* No time at all is a slip: whoever wants no bound says none. */
#define SOME_TIME "more than 0, such as 45m; without it there is no bound"

static const struct place nowhere = {0};

/* ---- values as they are written ---- */

static bool is_decimal(const char *text)
{
    size_t whole = strspn(text, "0123456789");
    const char *rest = text + whole;

    if (*rest == '.')
        rest++;
    return strlen(text) < 30 && whole + strspn(rest, "0123456789") > 0 && !rest[strspn(rest, "0123456789")];
}

bool soaking_share(const char *text, double *share)
{
    if (is_decimal(text))
        *share = decimal_read(text);
    else if (!schema_percent(str_of(text), share))
        return false;
    return *share > 0 && *share < 1;
}

bool soaking_seed(const char *text, uint64_t *seed)
{
    const char *digits = strncmp(text, "0x", 2) == 0 ? text + 2 : text;
    size_t count = strspn(digits, "0123456789abcdefABCDEF");

    if (!count || count > 16 || digits[count])
        return false;
    *seed = strtoull(digits, NULL, 16);
    return true;
}

/* ---- the profile ---- */

static double share_of(struct session *s, const struct node *soak, const char *key)
{
    const struct node *node = node_get(soak, key);
    double share = 0;

    if (node)
        schema_percent(node_text(node, s->arena), &share);
    return share;
}

/* -1: it is not said. */
static nanos span_of(const struct node *soak, const char *key)
{
    const struct node *node = node_get(soak, key);
    nanos span = -1;

    if (node && node->kind == NODE_NUMBER)
        span = (nanos)(node->number * (double)NS_PER_S);
    else if (node && node->kind == NODE_STRING)
        span_parse(node->string, &span);
    return span;
}

static uint32_t number_of(const struct node *soak, const char *key)
{
    const struct node *node = node_get(soak, key);

    return node && node->kind == NODE_NUMBER ? (uint32_t)node->number : 0;
}

/* What ends it and what makes it give up are one bound for the engine: what comes first. */
static nanos stricter(nanos a, nanos b)
{
    return !a || (b && b < a) ? b : a;
}

/* ---- the command line ---- */

static bool refuse(struct session *s, const char *option, const char *wants, const char *text)
{
    diag_error(s->in->diags, nowhere, "'%s' wants %s, not '%s'", option, wants, text);
    return false;
}

static bool refuse_key(struct session *s, const char *key, const char *wants)
{
    diag_error(s->in->diags, nowhere, "'%s' of the profile's 'soak' wants %s", key, wants);
    return false;
}

/* Whoever has said it, a profile too. */
static bool shares_fit(struct session *s, const struct soak_plan *plan)
{
    if (plan->below > 0 && (plan->below < BELOW_LEAST || plan->below >= 1))
        return refuse_key(s, "below", "a rate between 0.000001% and 100%, such as 0.3%");
    if (plan->confidence > 0 && (plan->confidence < 0.5 || plan->confidence > CONFIDENCE_MOST))
        return refuse_key(s, "confidence", "a share from 50% to 99.9999%, such as 95%");
    return true;
}

static bool spans_fit(struct session *s, nanos *within, struct soak_plan *plan)
{
    if (!plan->duration || !*within)
        return refuse_key(s, plan->duration ? "within" : "duration", SOME_TIME);
    if (plan->duration < 0)
        plan->duration = 0;
    if (*within < 0)
        *within = 0;
    return true;
}

static bool read_spans(struct session *s, const struct options *o, nanos *within, struct soak_plan *plan)
{
    if (!o->duration || !o->within)
        return refuse(s, o->duration ? "--within" : "--duration", SOME_TIME, "0");
    if (o->duration > 0)
        plan->duration = o->duration;
    if (o->within > 0)
        *within = o->within;
    return true;
}

static bool read_shares(struct session *s, const struct options *o, struct soak_plan *plan)
{
    if (o->below && (!soaking_share(o->below, &plan->below) || plan->below < BELOW_LEAST))
        return refuse(s, "--below", "a rate between 0.000001% and 100%, such as 0.3% or 0.003", o->below);
    if (o->confidence && (!soaking_share(o->confidence, &plan->confidence) || plan->confidence < 0.5 ||
                          plan->confidence > CONFIDENCE_MOST))
        return refuse(s, "--confidence", "a share from 50% to 99.9999%, such as 95% or 0.95", o->confidence);
    return true;
}

/* What is said there goes over what `plan` has, key by key. */
static bool read_options(struct session *s, const struct options *o, nanos *within, struct soak_plan *plan)
{
    if (!read_shares(s, o, plan) || !read_spans(s, o, within, plan))
        return false;
    if (o->seed && !soaking_seed(o->seed, &plan->seed))
        return refuse(s, "--seed", "up to 16 hexadecimal digits, as a soak prints them", o->seed);
    if (o->count > UINT32_MAX || o->copies > SOAK_COPIES_MOST) {
        diag_error(s->in->diags, nowhere, "'--%s' is at most %u",
                   o->copies > SOAK_COPIES_MOST ? "copies" : "count",
                   o->copies > SOAK_COPIES_MOST ? SOAK_COPIES_MOST : UINT32_MAX);
        return false;
    }
    if (o->count > 0)
        plan->count = (uint64_t)o->count;
    if (o->copies > 0)
        plan->copies = (uint32_t)o->copies;
    plan->until_fail |= o->until_fail;
    return true;
}

static bool has_goal(const struct soak_plan *plan)
{
    return plan->below > 0 || plan->count || plan->duration || plan->until_fail;
}

static bool check(struct session *s, nanos within, struct soak_plan *plan)
{
    if (within && plan->below <= 0) {
        diag_error(
            s->in->diags, nowhere,
            "'--within' says when '--below' is to be known, and nothing is to be proven: say '--below', or "
            "'--duration' for how long to go on");
        return false;
    }
    if (!has_goal(plan))
        plan->below = BELOW_DEFAULT;
    plan->duration = stricter(plan->duration, within);
    return true;
}

/* Resumed ones say for themselves what they began with. */
static bool ask_more(struct session *s, const struct options *more, struct soak_plan *plan)
{
    nanos within = 0;

    if (more->seed || more->copies >= 0) {
        diag_error(s->in->diags, nowhere, "'--%s' cannot be changed when a soak is resumed",
                   more->seed ? "seed" : "copies");
        return false;
    }
    *plan = (struct soak_plan){.copies = plan->copies};
    if (!read_options(s, more, &within, plan))
        return false;
    plan->within = within > 0;
    plan->duration = stricter(plan->duration, within);
    return true;
}

bool soaking_ask(struct session *s, const struct resumption *resumption, struct soak_plan *plan)
{
    const struct node *soak = front_profile_key(s->front, "soak");
    const struct node *until_fail = node_get(soak, "until-fail");
    nanos within = span_of(soak, "within");

    *plan = (struct soak_plan){
        .below = share_of(s, soak, "below"),
        .confidence = share_of(s, soak, "confidence"),
        .count = number_of(soak, "count"),
        .duration = span_of(soak, "duration"),
        .until_fail = until_fail && until_fail->kind == NODE_BOOL && until_fail->boolean,
        .copies = number_of(soak, "copies"),
    };
    if (getrandom(&plan->seed, sizeof plan->seed, 0) != sizeof plan->seed)
        plan->seed = (uint64_t)s->wall; /* any will do, as long as it is told */
    if (!read_options(s, s->in->options, &within, plan))
        return false;
    if (!plan->copies)
        plan->copies = 1;
    if (resumption)
        return ask_more(s, resumption->more, plan);
    if (!shares_fit(s, plan) || !spans_fit(s, &within, plan))
        return false;
    if (plan->confidence <= 0)
        plan->confidence = CONFIDENCE_DEFAULT;
    return check(s, within, plan);
}
