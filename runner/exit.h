/* Exit codes, as the documentation promises them. */
#ifndef RM_RUNNER_EXIT_H
#define RM_RUNNER_EXIT_H

#define EXIT_CODES(X)                                                                  \
    X(EXIT_PASSED, 0, "all passed")                                                    \
    X(EXIT_FAILED, 1, "some case did not pass")                                        \
    X(EXIT_INTERRUPTED, 2, "interrupted")                                              \
    X(EXIT_BROKEN, 3, "the harness itself broke")                                      \
    X(EXIT_USAGE, 4, "usage or configuration")                                         \
    X(EXIT_NOTHING, 5, "nothing was executed")                                         \
    X(EXIT_UNDECIDED, 6, "a soak was undecided when its time or its attempts were up") \
    X(EXIT_FLAKY, 7, "some case passed only when it was run again, and that is to fail")

enum exit_code {
#define X(id, code, words) id = (code),
    EXIT_CODES(X)
#undef X
};

#endif
