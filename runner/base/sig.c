#include "runner/base/sig.h"

#include "runner/base/mem.h"

#include <signal.h>
#include <stddef.h>

/* SIGRTMIN is no constant to the compiler: the C library keeps the kernel's first two, 32 and 33, for itself. */
#define REAL_TIME 34

#define NAMED(name) [SIG##name] = "SIG" #name
#define TIMED(n)    [REAL_TIME + (n)] = "SIGRTMIN+" #n

static const char *const names[] = {NAMED(HUP),         NAMED(INT),
                                    NAMED(QUIT),        NAMED(ILL),
                                    NAMED(TRAP),        NAMED(ABRT),
                                    NAMED(BUS),         NAMED(FPE),
                                    NAMED(KILL),        NAMED(USR1),
                                    NAMED(SEGV),        NAMED(USR2),
                                    NAMED(PIPE),        NAMED(ALRM),
                                    NAMED(TERM),        NAMED(STKFLT),
                                    NAMED(CHLD),        NAMED(CONT),
                                    NAMED(STOP),        NAMED(TSTP),
                                    NAMED(TTIN),        NAMED(TTOU),
                                    NAMED(URG),         NAMED(XCPU),
                                    NAMED(XFSZ),        NAMED(VTALRM),
                                    NAMED(PROF),        NAMED(WINCH),
                                    NAMED(IO),          NAMED(PWR),
                                    NAMED(SYS),         [32] = "signal 32",
                                    [33] = "signal 33", [REAL_TIME] = "SIGRTMIN",
                                    TIMED(1),           TIMED(2),
                                    TIMED(3),           TIMED(4),
                                    TIMED(5),           TIMED(6),
                                    TIMED(7),           TIMED(8),
                                    TIMED(9),           TIMED(10),
                                    TIMED(11),          TIMED(12),
                                    TIMED(13),          TIMED(14),
                                    TIMED(15),          TIMED(16),
                                    TIMED(17),          TIMED(18),
                                    TIMED(19),          TIMED(20),
                                    TIMED(21),          TIMED(22),
                                    TIMED(23),          TIMED(24),
                                    TIMED(25),          TIMED(26),
                                    TIMED(27),          TIMED(28),
                                    TIMED(29),          TIMED(30)};

const char *signal_name(int number)
{
    return number > 0 && number < (int)ARRAY_LEN(names) ? names[number] : "no signal";
}

int signal_find(struct str name)
{
    for (int i = 1; i < (int)ARRAY_LEN(names); i++) {
        struct str full = str_of(names[i]);

        if (!str_starts(full, "SIG"))
            continue;
        if (str_eq_nocase(name, full) || str_eq_nocase(name, str_slice(full, 3, full.len)))
            return i;
    }
    return 0;
}
