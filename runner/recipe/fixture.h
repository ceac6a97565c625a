/* What a fixture asks for, out of its keys; and what those who use it get of it. */
#ifndef RM_RUNNER_RECIPE_FIXTURE_H
#define RM_RUNNER_RECIPE_FIXTURE_H

#include "backends/backends.h"
#include "matrix/matrix.h"
#include "runner/base/ladder.h"
#include "runner/harness/harness.h"

struct kitchen;

/* ---- for its users ---- */

struct variable {
    struct str name, value;
    bool removed;
};

/* What a case, or a fixture, has of all the fixtures it needs. All zero: it needs none. */
struct from_fixtures {
    const struct node *context; /* `fixtures` in its expressions */
    const struct variable *variables;
    uint32_t variable_count;
    bool reg_socket;                 /* `reg_addr` is a socket in its TMPDIR */
    const char *port_of, *socket_of; /* a fixture with such an address; NULL: none has one */
};

/* Why a fixture may not set a variable of this name; NULL: it may. */
const char *variable_refused(struct str name);

/* ---- for the one who makes it ---- */

enum fixture_kind { FIXTURE_RUN, FIXTURE_DAEMON, FIXTURE_ADDRESS };

#define READY_KINDS(X)                                           \
    X(READY_AT_ONCE, NULL)      /* when it has executed */       \
    X(READY_CONNECT, "connect") /* somebody takes connections */ \
    X(READY_LINE, "line")                                        \
    X(READY_FILE, "file")                                        \
    X(READY_NOTIFY, "notify")                                    \
    X(READY_COMMAND, "command")

enum ready_kind {
#define X(id, key) id,
    READY_KINDS(X)
#undef X
        READY_KIND_COUNT
};

/* One of its commands. */
enum fixture_command { COMMAND_MAIN, COMMAND_READY, COMMAND_TEARDOWN, FIXTURE_COMMAND_COUNT };

/* Where one of it lives. Texts end in NUL. */
struct fixture_place {
    struct str id;              /* "kvd@transport=tcp" */
    uint32_t time;              /* that it is made, from 1 */
    uint32_t cell;              /* for `strategy` */
    const struct node *matrix;  /* the values it keeps */
    struct from_fixtures given; /* of those it needs */
    const char *tmpdir;         /* absolute, at most 40 bytes */
    const char *env_file;       /* $RUN_MATRIX_ENV of `run` */
    const char *notify;         /* $NOTIFY_SOCKET; NULL: none */
    uint32_t listeners;         /* that are handed to it */
};

struct fixture_recipe {
    enum fixture_kind kind;
    bool has[FIXTURE_COMMAND_COUNT];
    struct spawn_spec commands[FIXTURE_COMMAND_COUNT]; /* all but stdio and what is passed on */
    enum transport transport;
    bool pass;
    nanos timeout; /* of `run`, and of `teardown`; 0: none */
    struct place timeout_at;
    struct ladder stop;
    enum ready_kind ready;
    struct str ready_text; /* address, expression or path */
    nanos within;
    struct place ready_at;
    const struct variable *variables; /* `env`, for its users and its own commands */
    uint32_t variable_count;
    const char *error; /* it cannot be made: a program that is on no PATH ... */
};

enum fixture_kind fixture_kind_of(const struct fixture *fixture);
enum ready_kind fixture_ready_of(const struct fixture *fixture);
bool fixture_passes(const struct fixture *fixture);
/*
 * False when an expression fails or gives what cannot be used: diags say why. `rehearsal`: there are none yet of those
 * it needs; what speaks of them is passed over.
 */
bool fixture_cook(struct kitchen *kitchen, const struct suite *suite, const struct fixture *fixture,
                  const struct fixture_place *place, bool rehearsal, struct arena *arena,
                  struct fixture_recipe *recipe, struct diags *diags);
/* `run` has set these: `teardown` has them, too. */
void fixture_tell_teardown(struct fixture_recipe *recipe, struct arena *arena,
                           const struct variable *variables, uint32_t count);

#endif
