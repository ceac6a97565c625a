#!/bin/sh
# Number 35: what a process knows of itself is copied by a fork, and not true of the copy.
. "$(dirname "$0")/lib.sh"

test_control_a_child_that_is_root() {
    touch held
    run_command "$naive" held
    status_is 0
    out_is "$(printf 'root\nit is gone')"
}

backends='exec spawn forkserver main_thread_forkserver subint subint_forkserver'

# Each changes what the others look at; none of them sees it, in whatever order they come and whatever server they share.
test_ours_no_case_sees_what_another_has_set() {
    module t.so <<'END'
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
static const char *role = "nobody";
static void be(const char *name)
{
    char here[4096];

    ASSERT_STR_EQ(role, "nobody");
    ASSERT(!getenv("ROLE"));
    ASSERT(getcwd(here, sizeof here) && strcmp(here, "/") != 0);
    ASSERT(umask(0) != 0123);
    role = name;
    setenv("ROLE", name, 1);
    umask(0123);
    ASSERT(chdir("/") == 0);
}
TEST(a) { be("a"); }
TEST(b) { be("b"); }
TEST(c) { be("c"); }
END
    in_backends "$backends" '{name: t, module: t.so}'
    run -n 1
    status_is 0
    last_line_is '18 passed, 0 failed'
}

# Who is forked for a case is told that it is that case: by its environment, its title, its folder; and is not the server any more.
test_ours_a_forked_case_is_itself() {
    module t.so <<'END'
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static pid_t began_as;
static const char *role = "server";
__attribute__((constructor)) static void begin(void) { began_as = getpid(); }
FIXTURE(self) { const char *id; };
SETUP(self)
{
    self->id = getenv("RUN_MATRIX_CASE_ID");
    role = "case";
}
static void look(const char *id, const char *name)
{
    ASSERT_STR_EQ(role, "case");
    ASSERT(strncmp(id, "server:", 7) != 0);
    ASSERT(strstr(id, name));
    ASSERT_STR_EQ(getenv("RUN_MATRIX_ATTEMPT"), "1");
    ASSERT(began_as != 0);
}
TEST(first, USES(self)) { look(self->id, "::first@"); }
TEST(second, USES(self)) { look(self->id, "::second@"); }
END
    in_backends "$backends" '{name: t, module: t.so}'
    run
    status_is 0
    last_line_is '12 passed, 0 failed'
}

# What a test has set by the library is what it was before, for what is torn down after it.
test_ours_what_is_set_is_put_back() {
    module t.so <<'END'
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static const char *role = "root";
static char began_in[4096];
FIXTURE(outer) { int unused; };
SETUP(outer)
{
    self->unused = getcwd(began_in, sizeof began_in) ? 0 : 1;
}
FIXTURE(inner) { int unused; };
SETUP(inner, USES(outer))
{
    self->unused = outer->unused;
    MX_SET(role, "child");
    mx_setenv("ROLE", "child");
    mx_chdir("/");
}
TEST(t, USES(inner))
{
    ASSERT_STR_EQ(role, "child");
    ASSERT_STR_EQ(getenv("ROLE"), "child");
    ASSERT(inner->unused == 0);
}
TEARDOWN(outer)
{
    char here[4096];
    ASSERT(self->unused == 0);
    ASSERT_STR_EQ(role, "root");
    ASSERT(!getenv("ROLE"));
    ASSERT(getcwd(here, sizeof here) && strcmp(here, began_in) == 0);
}
END
    in_backends "$backends" '{name: t, module: t.so}'
    run
    status_is 0
    last_line_is '6 passed, 0 failed'
}

run_tests
