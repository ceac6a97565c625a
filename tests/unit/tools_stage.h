/*
 * Built-ins of C tests without a test around them: failures are kept to be looked at, and what is given back at the end of
 * a case is, when the stage is left. After <cmocka.h>.
 */
#ifndef TESTS_TOOLS_STAGE_H
#define TESTS_TOOLS_STAGE_H

#include "fixtures/actors/actors.h"
#include "fixtures/internal.h"
#include "fixtures/tools/tools.h"
#include "runner/base/dir.h"
#include "runner/base/mem.h"
#include "runner/base/proc.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_ENDS 100000

static struct stage {
    char folder[64];
    int fds_before;
    pid_t pid;
    pthread_t thread;
    pthread_mutex_t lock;
    struct end_of {
        void (*run)(void *user);
        void *user;
    } * ends;
    size_t count, cap;
    sigjmp_buf out;
    bool expects;
    int fatal, others, line;
    char words[8192]; /* of the last failure */
} stage = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Nobody loads this. */
const struct mx_module mx_module = {0};

/* There are no actors to be attended to. */
bool actors_sleep_until(int64_t moment)
{
    (void)moment;
    return false;
}

void failure(const char *file, int line, bool fatal, const char *text)
{
    (void)file;
    snprintf(stage.words, sizeof stage.words, "%s", text);
    stage.line = line;
    stage.fatal += fatal;
    stage.others += !fatal;
    if (!fatal)
        return;
    if (stage.pid != getpid()) {
        dprintf(STDERR_FILENO, "# in a child: %s\n", text);
        _exit(1);
    }
    if (!pthread_equal(stage.thread, pthread_self()))
        pthread_exit(NULL);
    if (!stage.expects)
        fail_msg("line %d: %s", line, text);
    siglongjmp(stage.out, 1);
}

void at_end(void (*run)(void *user), void *user)
{
    pthread_mutex_lock(&stage.lock);
    GROW(stage.ends, stage.count, stage.cap);
    stage.ends[stage.count++] = (struct end_of){run, user};
    pthread_mutex_unlock(&stage.lock);
}

const char *private_folder(void)
{
    return stage.folder;
}

static inline void end_case(void)
{
    while (stage.count) {
        struct end_of end = stage.ends[--stage.count];

        end.run(end.user);
    }
    free(stage.ends);
    stage.ends = NULL;
    stage.cap = 0;
}

static inline int enter_stage(void **state)
{
    (void)state;
    stage.fds_before = proc_count_fds(getpid());
    stage.pid = getpid();
    stage.thread = pthread_self();
    stage.fatal = stage.others = 0;
    stage.words[0] = '\0';
    snprintf(stage.folder, sizeof stage.folder, "/tmp/test_tools-XXXXXX");
    if (!mkdtemp(stage.folder))
        return -1;
    tools_begin();
    return 0;
}

/* Nothing may be left: no descriptor, and no file. */
static inline int leave_stage(void **state)
{
    int fd, is_empty, fds;

    (void)state;
    end_case();
    fd = dir_open(AT_FDCWD, stage.folder);
    is_empty = dir_is_empty(fd);
    close(fd);
    dir_remove(AT_FDCWD, stage.folder);
    fds = proc_count_fds(getpid()) - stage.fds_before;
    if (is_empty == 1 && fds == 0)
        return 0;
    print_error("%d descriptors are left, the folder is%s empty\n", fds, is_empty == 1 ? "" : " not");
    return -1;
}

/* The statement ends the test, and with these words. */
#define REFUSED(statement, fragment)                \
    do {                                            \
        int before_ = stage.fatal;                  \
        stage.expects = true;                       \
        if (sigsetjmp(stage.out, 1) == 0)           \
            statement;                              \
        stage.expects = false;                      \
        assert_int_equal(stage.fatal, before_ + 1); \
        said(fragment);                             \
    } while (0)

static inline void said(const char *fragment)
{
    if (!strstr(stage.words, fragment))
        fail_msg("no '%s' in: %s", fragment, stage.words);
}

#define STAGED(test) cmocka_unit_test_setup_teardown(test, enter_stage, leave_stage)

#endif
