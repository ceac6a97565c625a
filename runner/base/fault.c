#include "runner/base/fault.h"

#include "runner/base/mem.h"
#include "runner/base/nearest.h"
#include "runner/base/proc.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

static const struct {
    const char *word;
    enum fault_value value;
} known[] = {
#define X(id, word, value) [id] = {word, value},
    FAULTS(X)
#undef X
};

/* ---- reading ---- */

/* What the calls that faults stand for fail with in real life. */
#define ERRORS(X) \
    X(EACCES)     \
    X(EAGAIN)     \
    X(EBADF)      \
    X(EDQUOT)     \
    X(EFBIG)      \
    X(EINTR)      \
    X(EINVAL)     \
    X(EIO)        \
    X(EMFILE)     \
    X(EOPNOTSUPP) \
    X(ENFILE)     \
    X(ENOENT)     \
    X(ENOMEM)     \
    X(ENOSPC)     \
    X(EPERM)      \
    X(EPIPE)      \
    X(EROFS)

static const struct {
    const char *name;
    int number;
} errors[] = {
#define X(name) {#name, name},
    ERRORS(X)
#undef X
};

static struct str error_name(const void *user, size_t i)
{
    (void)user;
    return str_of(errors[i].name);
}

static struct str fault_name(const void *user, size_t i)
{
    (void)user;
    return str_of(known[i].word);
}

static bool refuse(struct diags *diags, struct str item, const char *why, const char *more)
{
    diag_error(diags, (struct place){.file = FAULTS_VARIABLE}, "fault '%.*s': %s%s", STR_ARG(item), why,
               more);
    return false;
}

/* Everything up to the first `end`, which is taken too. */
static struct str take_until(struct str *rest, char end)
{
    struct str taken = {rest->ptr, 0};

    while (taken.len < rest->len && rest->ptr[taken.len] != end)
        taken.len++;
    *rest = str_slice(*rest, taken.len + (taken.len < rest->len), rest->len);
    return taken;
}

static bool read_count(struct str digits, uint32_t *count)
{
    *count = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
            return false;
        *count = *count * 10 + (uint32_t)(digits.ptr[i] - '0');
    }
    return *count > 0 && digits.len <= 9;
}

/* "3" or "3x2" */
static bool read_when(struct str when, struct fault_plan *plan)
{
    bool limited = str_find(when, "x", &(size_t){0});

    return read_count(take_until(&when, 'x'), &plan->first) && (!limited || read_count(when, &plan->times));
}

static bool read_errno(struct str name, int *error, struct diags *diags, struct str item)
{
    for (size_t i = 0; i < ARRAY_LEN(errors); i++)
        if (str_is(name, errors[i].name)) {
            *error = errors[i].number;
            return true;
        }
    return refuse(diags, item, "its value is an error such as ENOSPC",
                  did_you_mean(diags, name, ARRAY_LEN(errors), error_name, NULL));
}

static bool read_span(struct str text, nanos *span, struct diags *diags, struct str item)
{
    bool negative = str_starts(text, "-");

    if (!span_parse(str_slice(text, negative, text.len), span))
        return refuse(diags, item, "its value is a span of time such as 2s", "");
    if (negative)
        *span = -*span;
    return true;
}

static bool read_value(struct str value, enum fault_value kind, struct fault_plan *plan, struct diags *diags,
                       struct str item)
{
    switch (kind) {
    case FAULT_ERRNO: return read_errno(value, &plan->error, diags, item);
    case FAULT_SPAN: return read_span(value, &plan->span, diags, item);
    default: return value.len == 0 || refuse(diags, item, "it takes no value", "");
    }
}

static bool read_fault(struct faults *faults, struct str item, struct diags *diags)
{
    struct str rest = item, value = take_until(&rest, '@'), name = take_until(&value, '=');
    struct fault_plan plan = {.set = true, .first = 1};
    bool timed = str_find(item, "@", &(size_t){0});
    size_t fault = 0;

    while (fault < FAULT_COUNT && !str_is(name, known[fault].word))
        fault++;
    if (fault == FAULT_COUNT)
        return refuse(diags, item, "there is none of this name",
                      did_you_mean(diags, name, FAULT_COUNT, fault_name, NULL));
    if (faults->plans[fault].set)
        return refuse(diags, item, "it was said before", "");
    if (timed && !read_when(rest, &plan))
        return refuse(diags, item, "what follows @ is FIRST or FIRSTxTIMES, such as @3 or @3x1", "");
    if (!read_value(value, known[fault].value, &plan, diags, item))
        return false;
    faults->plans[fault] = plan;
    faults->any = true;
    return true;
}

bool faults_parse(struct faults *faults, const char *text, struct diags *diags)
{
    struct str rest = str_of(text);
    bool good = true;

    *faults = (struct faults){0};
    while (rest.len)
        good &= read_fault(faults, take_until(&rest, ','), diags);
    return good;
}

/* ---- asking ---- */

struct fault_plan *fault_now(struct faults *faults, enum fault fault)
{
    struct fault_plan *plan = &faults->plans[fault];

    if (!faults->any || !plan->set)
        return NULL;
    if (plan->asked < UINT32_MAX)
        plan->asked++;
    if (plan->asked < plan->first || (plan->times && plan->asked - plan->first >= plan->times))
        return NULL;
    return plan;
}

int fault_errno(struct faults *faults, enum fault fault)
{
    const struct fault_plan *plan = fault_now(faults, fault);

    return plan ? plan->error : 0;
}

static void kill_guard(const struct faults *faults)
{
    if (faults->guard > 0)
        pidfd_signal(faults->guard, SIGKILL);
}

void fault_place(struct faults *faults)
{
    bool both;

    if (!faults->any)
        return;
    both = fault_now(faults, FAULT_KILL_BOTH);
    if (both || fault_now(faults, FAULT_KILL_GUARD))
        kill_guard(faults);
    if (both || fault_now(faults, FAULT_KILL_RUNNER))
        kill(getpid(), SIGKILL);
    if (fault_now(faults, FAULT_EXIT_RUNNER))
        _exit(1); /* of sanitizers; that of a run with failures too */
}

void fault_die(struct faults *faults, enum fault fault)
{
    fault_place(faults);
    if (fault_now(faults, fault))
        kill(getpid(), SIGKILL);
}
