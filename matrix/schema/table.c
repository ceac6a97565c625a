/* The table itself. Every type stands below those it is made of, so none can contain itself. */
#include "matrix/schema/internal.h"

#define WORDS(...)                 \
    .words = (const char *const[]) \
    {                              \
        __VA_ARGS__, NULL          \
    }
#define KEYS(array) .keys = (array), .key_count = ARRAY_LEN(array)

/* Types by kind. A SCALAR and an OBJECT have a name by which the schema and the page refer to them. */
#define TYPE(id, ...)   static const struct schema_type type_##id = {__VA_ARGS__}
#define WORD(id, ...)   TYPE(id, .kind = SCHEMA_WORD, WORDS(__VA_ARGS__))
#define SCALAR(id, ...) TYPE(id, .kind = SCHEMA_TEXT, .name = #id, __VA_ARGS__)
#define LIST(id, of, what, ...) \
    TYPE(id, .kind = SCHEMA_LIST, .item = &type_##of, .wants = "a list of " what, __VA_ARGS__)
#define CHOICE(id, one, other, ...) \
    TYPE(id, .kind = SCHEMA_CHOICE, .choices = {&type_##one, &type_##other}, __VA_ARGS__)
#define OBJECT(id, what, ...) \
    TYPE(id, .kind = SCHEMA_OBJECT, .name = #id, .noun = what, KEYS(id##_keys), __VA_ARGS__)

/* ---- scalars ---- */

TYPE(null, .kind = SCHEMA_NULL);
TYPE(boolean, .kind = SCHEMA_BOOLEAN);
TYPE(version, .kind = SCHEMA_INTEGER, .least = 1, .most = 1);
TYPE(count, .kind = SCHEMA_INTEGER, .least = 1, .most = UNBOUNDED);
TYPE(copies, .kind = SCHEMA_INTEGER, .least = 1, .most = 1000); /* SOAK_COPIES_MOST */
TYPE(exit_status, .kind = SCHEMA_INTEGER, .least = 1, .most = 255);
TYPE(retry_count, .kind = SCHEMA_INTEGER, .least = 0, .most = 1000);
TYPE(factor, .kind = SCHEMA_INTEGER, .least = 1, .most = 100);

WORD(shell, "bash", "sh");
WORD(per_test, "per-test");
WORD(pass, "fd");
WORD(stdout, "stdout");
WORD(transport, "tcp", "uds");
WORD(leak_action, "fail", "warn", "ignore");
WORD(flaky_result, "pass", "fail");
WORD(retry_class, "failed", "timeout", "crashed", "leaked", "oom", "output-limit", "error");
WORD(retry_when, "at-once", "end");
WORD(timeout_method, "outside", "thread");
WORD(dump, "timeout", "kill", "slow", "crash");
WORD(runtime, "python", "go", "jvm", "node", "none");
WORD(no_runtimes, "none");
WORD(when_missing, "fail", "skip");
WORD(isolation, "net", "files");
WORD(preset, "pytest", "gtest", "ctest", "meson", "libtest", "go", "criterion", "cmocka", "bats", "automake");
TYPE(scope, .kind = SCHEMA_WORD, .exprs = EXPRS_NO, WORDS("case", "cell", "session"));

SCALAR(text, .syntax = &syntax_text, .wants = "text",
       .doc = "any scalar, taken as it is written: `3.10` is `3.10` here, with or without quotes");
SCALAR(string, .syntax = &syntax_string, .wants = "text that is not empty", .doc = "text that is not empty");
SCALAR(name, .syntax = &syntax_name, .exprs = EXPRS_NO,
       .wants = "a name (not empty, no blanks around it, something on both sides of each '::')",
       .doc = "text without control characters or blanks around it; `::` stands between its components");
SCALAR(axis, .syntax = &syntax_string, .exprs = EXPRS_NO, .wants = "the name of an axis",
       .doc = "the name of an axis of the matrix");
SCALAR(binding, .syntax = &syntax_binding, .exprs = EXPRS_NO, .wants = "the name of an axis, or no",
       .doc = "the name of the axis that carries the built-in meaning, `no` where none does");
SCALAR(mark, .syntax = &syntax_word, .exprs = EXPRS_NO,
       .wants = "a word (letters, digits and _ : + . / -, other than and, or, not)",
       .doc = "a word of letters, digits and `_ : + . / -`; `and`, `or`, `not` mean something to `-m`");
SCALAR(variable, .syntax = &syntax_variable, .wants = "the name of an environment variable, without '='",
       .doc = "the name of an environment variable");
SCALAR(path, .syntax = &syntax_string, .wants = "a path",
       .doc = "a path; a relative one begins at the folder of the file");
SCALAR(regex, .syntax = &syntax_string, .wants = "a regular expression",
       .doc = "a regular expression, as PCRE2 has it");
SCALAR(selector, .syntax = &syntax_string, .exprs = EXPRS_NO,
       .wants = "a selection such as 'proto::*@transport=uds'",
       .doc = "an id, a shortened one, a glob or `re:/PATTERN/`, as on the command line");
SCALAR(cell, .syntax = &syntax_string, .exprs = EXPRS_NO,
       .wants = "values of axes such as 'backend=exec,transport=uds'",
       .doc = "`backend=exec,transport=uds`: values of axes, as `--cell` takes them");
SCALAR(condition, .syntax = &syntax_string, .exprs = EXPRS_YES,
       .wants = "a condition such as matrix.os == 'linux'",
       .doc = "`matrix.os == 'linux'`: an expression, with or without `${{ }}`");
SCALAR(duration, .syntax = &syntax_duration, .wants = "a duration such as 30s, 1m30s or 250ms",
       .doc = "`250ms`, `30s`, `1m30s`, `1.5h`; a bare number is seconds");
SCALAR(size, .syntax = &syntax_size, .wants = "a size such as 64k, 1.5GiB or 500MB",
       .doc = "`64k` and `64KiB` count in 1024s, `64kB` in 1000s; a bare number is bytes");
SCALAR(percent, .syntax = &syntax_percent,
       .wants = "a percentage such as 0.3%, more than 0% and less than 100%",
       .doc = "`0.3%`: more than `0%`, less than `100%`");
SCALAR(date, .syntax = &syntax_date, .wants = "a date such as 2026-12-01",
       .doc = "`2026-12-01`: year, month, day");
SCALAR(
    step, .syntax = &syntax_ladder_step, .wants = "a step such as 'INT group 3s', 'TERM tree' or KILL",
    .doc =
        "`INT group 3s`: a signal, whom it goes to (`group`, `leader` or `tree`; unsaid: `KILL` to the tree, "
        "all else to the group), and how long to wait before the next step");
SCALAR(signal, .syntax = &syntax_signal, .wants = "the name of a signal such as SEGV",
       .doc = "`SEGV`, `SIGSEGV`, `RTMIN+3`: the name of a signal");
SCALAR(constraint, .syntax = &syntax_constraint, .wants = "a constraint such as '>=0.1' or '>=0.1,<2'",
       .doc = "`'>=0.1,<2'`: comparisons that all hold; in quotes, as `>` means something to YAML");

/* ---- one or several ---- */

LIST(texts, text, "words", .least = 1);
LIST(paths, path, "paths or globs", .least = 1);
LIST(selectors, selector, "selections", .least = 1);
LIST(cell_list, cell, "cells", .least = 1);
LIST(flag_list, text, "flags");
LIST(axes, axis, "names of axes", .unique = "");
LIST(names, name, "names of fixtures", .unique = "");
LIST(variables, variable, "names of variables", .unique = "");
LIST(programs, string, "programs", .unique = "");
LIST(isolate, isolation, "net, files", .unique = "");
LIST(dump_list, dump, "timeout, kill, slow, crash", .unique = "");
LIST(retry_classes, retry_class, "failed, timeout, crashed, leaked, oom, output-limit, error", .least = 1,
     .unique = "");
LIST(mark_list, mark, "words", .unique = "");
LIST(lock_list, string, "words", .unique = "");
LIST(ladder, step, "steps such as [INT group 3s, KILL]", .name = "ladder", .least = 1,
     .doc = "steps that end a process, one after another while something of it is left");

CHOICE(command, string, texts, .name = "command", .wants = "a command, which is a string or a list of words",
       .doc = "a list is executed as it stands; a string runs in a shell, as a step of a workflow does");
CHOICE(module, path, paths);
CHOICE(select, selector, selectors);
CHOICE(cells, cell, cell_list);
CHOICE(flags, text, flag_list);
CHOICE(marks, mark, mark_list);
CHOICE(locks, string, lock_list);
CHOICE(env_value, text, null);

TYPE(env, .kind = SCHEMA_MAPPING, .name = "env", .key = &type_variable, .item = &type_env_value,
     .wants = "a mapping of variables to values",
     .doc = "names of variables with their values; `null` removes one");

TYPE(runtime_map, .kind = SCHEMA_MAPPING, .name = "runtimes", .key = &type_string, .item = &type_runtime,
     .exprs = EXPRS_NO, .wants = "a mapping of names of programs to python, go, jvm, node or none",
     .doc = "names of programs, which may be globs, with what they are; what is not named is recognised");
CHOICE(runtimes, no_runtimes, runtime_map);

/* ---- what a test may say ---- */

static const struct schema_key skip_keys[] = {
    {"if", &type_condition, .doc = "when", .builtin = "true"},
    {"reason", &type_text, .doc = "shown in reports"},
};
OBJECT(skip, "an item of 'skip'", .doc = "The case is not run, and the reports say why.");
LIST(skip_list, skip, "mappings with 'if' and 'reason'");
CHOICE(skips, skip_list, skip);

static const struct schema_key xfail_keys[] = {
    {"if", &type_condition, .doc = "when", .builtin = "true"},
    {"reason", &type_text, .doc = "shown in reports"},
    {"strict", &type_boolean, .doc = "a pass is a failure then", .builtin = "false"},
    {"signal", &type_signal, .doc = "it is to die of this one; a failure of another kind is one"},
    {"exit", &type_exit_status, .doc = "it is to end with this status; a failure of another kind is one"},
};
OBJECT(xfail, "an item of 'xfail'", .doc = "The case is run; that it fails is no failure.");
LIST(xfail_list, xfail, "mappings with 'if', 'reason' and 'strict'");
CHOICE(xfails, xfail_list, xfail);

static const struct schema_key limits_keys[] = {
    {"processes", &type_count, .doc = "processes alive at a time"},
    {"memory", &type_size, .doc = "memory of the whole tree"},
    {"cpu", &type_duration, .doc = "processor time"},
    {"files", &type_count, .doc = "open files of one process"},
    {"core", &type_size, .doc = "size of a core file"},
};
OBJECT(limits, "'limits'", .doc = "A case that needs more than this fails.");

static const struct schema_key allowed_keys[] = {
    {"process", &type_string, .doc = "name of a process", .role = ROLE_ONE_OF},
    {"listener", &type_string, .doc = "port or path that is listened on", .role = ROLE_ONE_OF},
    {"socket", &type_string, .doc = "path of a socket file", .role = ROLE_ONE_OF},
    {"shm", &type_string, .doc = "name of a shared memory segment", .role = ROLE_ONE_OF},
    {"file", &type_string, .doc = "path of a file", .role = ROLE_ONE_OF},
};
OBJECT(allowed, "an item of 'allow'", .doc = "Names and paths may be globs.");
LIST(allowed_list, allowed, "mappings such as {process: ssh-agent}");

static const struct schema_key leaks_keys[] = {
    {"processes", &type_leak_action, .doc = "processes that outlive their case", .builtin = "fail"},
    {"listeners", &type_leak_action, .doc = "what they listen on", .builtin = "fail"},
    {"sockets", &type_leak_action, .doc = "socket files", .builtin = "fail"},
    {"shm", &type_leak_action, .doc = "shared memory and other IPC objects", .builtin = "fail"},
    {"files", &type_leak_action, .doc = "files in the private folder of the case", .builtin = "ignore"},
    {"outside-files", &type_leak_action, .doc = "files elsewhere", .builtin = "warn"},
    {"termios", &type_leak_action, .doc = "a terminal in another mode, which is put back", .builtin = "warn"},
    {"allow", &type_allowed_list, .doc = "what may stay behind"},
};
OBJECT(leaks, "'leaks'",
       .doc = "One word in place of the mapping stands for `processes`, `listeners`, `sockets` and `shm`.");
CHOICE(leak_policy, leak_action, leaks);

static const struct schema_key backoff_keys[] = {
    {"first", &type_duration, .doc = "the wait before the first retry", .role = ROLE_REQUIRED},
    {"factor", &type_factor, .doc = "each wait is so many times the one before", .builtin = "2"},
    {"most", &type_duration, .doc = "no wait is longer than this", .builtin = "1m"},
    {"jitter", &type_percent, .doc = "up to so much is left out of a wait, at random"},
};
OBJECT(backoff, "'backoff'", .doc = "A duration in place of the mapping: each wait is that long.");
CHOICE(waits, duration, backoff);

static const struct schema_key retries_keys[] = {
    {"count", &type_retry_count, .doc = "how often", .builtin = "0"},
    {"on", &type_retry_classes, .doc = "after which failures; `error` only where it is named",
     .builtin = "[failed, timeout, crashed, leaked, oom, output-limit]"},
    {"when", &type_retry_when, .doc = "`end`: when all others are over", .builtin = "at-once"},
    {"backoff", &type_waits, .doc = "how long to wait before it; no wait when not said"},
};
OBJECT(retries, "'retries'",
       .doc = "A number in place of the mapping stands for `count` alone: what the layers below say of the "
              "rest holds.");
CHOICE(retry_policy, retry_count, retries);

static const struct schema_key quarantine_keys[] = {
    {"owner", &type_string, .doc = "who looks after it", .role = ROLE_REQUIRED},
    {"reason", &type_string, .doc = "an issue, for example", .role = ROLE_REQUIRED},
    {"until", &type_date, .doc = "the last day of it", .role = ROLE_REQUIRED},
};
OBJECT(quarantine, "'quarantine'", .doc = "After its last day failures count again.");

static const struct schema_key results_keys[] = {
    {"junit", &type_path, .doc = "JUnit XML that the command writes", .role = ROLE_ONE_OF},
    {"tap", &type_stdout, .doc = "TAP in its output", .role = ROLE_ONE_OF},
    {"gtest", &type_path, .doc = "GoogleTest's XML that it writes: `--gtest_output=xml:PATH`",
     .role = ROLE_ONE_OF},
    {"lines", &type_regex, .doc = "lines of its output that match", .role = ROLE_ONE_OF},
};
OBJECT(results, "'results'", .doc = "One process, many results: each gets an id and a record of its own.");

static const struct schema_key listing_keys[] = {
    {"list", &type_texts, .doc = "a command that prints the names of the tests", .role = ROLE_REQUIRED},
    {"lines", &type_regex,
     .doc = "lines of what it prints that match, `(?<name>...)` being the name; every line when not said"},
    {"run", &type_texts,
     .doc = "a command that runs the test in the place of `{test}`, or all those in the place of the word "
            "`{tests}`",
     .role = ROLE_REQUIRED},
};
OBJECT(
    listing, "'discover'",
    .doc =
        "For a suite that no preset knows. With `{test}` each test is a case and a process of its own; with "
        "`{tests}` the suite is one process, and selections and retries reach into it.");
CHOICE(discover, per_test, listing);

static const struct schema_key requires_keys[] = {
    {"env", &type_variables, .doc = "variables that are set"},
    {"programs", &type_programs, .doc = "programs that are on the PATH"},
};
OBJECT(requires, "'requires'",
       .doc = "A case without them is skipped, or is an error where the profile says `requires: fail`.");

static const struct schema_key settings_keys[] = {
#define X(id, key, type, builtin, doc) [id] = {key, &type_##type, doc, builtin, ROLE_OPTIONAL, NULL},
    SETTINGS(X)
#undef X
};
OBJECT(settings, "settings",
       .doc = "What holds for one case. Each layer goes over the one before: built-in, `defaults`, the test, "
              "what a C test "
              "says of itself, `overrides`, the profile, the command line. `env`, `limits`, `leaks` and "
              "`retries` are merged key by key; "
              "`marks`, `skip`, `xfail` and `mask` add up; of all else the last layer counts.");

/* ---- the parts of a file ---- */

TYPE(matrix, .kind = SCHEMA_MATRIX, .exprs = EXPRS_YES);
TYPE(fail_fast, .kind = SCHEMA_BOOLEAN, .exprs = EXPRS_YES);
TYPE(max_parallel, .kind = SCHEMA_INTEGER, .exprs = EXPRS_YES, .least = 1, .most = UNBOUNDED);

static const struct schema_key strategy_keys[] = {
    {"matrix", &type_matrix, .doc = "axes and their values, `include`, `exclude`"},
    {"fail-fast", &type_fail_fast, .doc = "after a failure no other cell starts", .builtin = "false"},
    {"max-parallel", &type_max_parallel, .doc = "cells in flight at a time"},
    {"from", &type_path, .doc = "`.github/workflows/ci.yml#test`: take it from this job", .role = ROLE_ALONE},
};
OBJECT(strategy, "'strategy'", .exprs = EXPRS_NO,
       .doc = "GitHub's own block, key for key, with GitHub's meaning.");

static const struct schema_key bind_keys[] = {
    {"backend", &type_binding, .doc = "how processes are started", .builtin = "backend"},
    {"transport", &type_binding, .doc = "how they reach each other", .builtin = "transport"},
    {"capture", &type_binding, .doc = "where their output goes", .builtin = "capture"},
};
OBJECT(bind, "'bind'", .exprs = EXPRS_NO,
       .doc =
           "Axes of these names carry a built-in meaning; say here when another axis does, or none. A matrix "
           "that comes `from` a workflow binds nothing unless told.");

TYPE(strict, .kind = SCHEMA_BOOLEAN, .exprs = EXPRS_NO);

static const struct schema_key defaults_keys[] = {
    {"strict-markers", &type_strict, .doc = "marks that are not declared are errors", .builtin = "false"},
    {"session-timeout", &type_duration, .doc = "deadline of the whole run, 0 for none"},
};
OBJECT(defaults, "'defaults'", .exprs = EXPRS_YES, .also = &type_settings, .doc = "Settings of every test.");

static const struct schema_key ready_keys[] = {
    {"connect", &type_string, .doc = "an address that takes connections", .role = ROLE_ONE_OF},
    {"line", &type_regex, .doc = "a line of its output that matches", .role = ROLE_ONE_OF},
    {"file", &type_path, .doc = "a file that exists", .role = ROLE_ONE_OF},
    {"notify", &type_boolean, .doc = "it says so itself, as sd_notify does", .role = ROLE_ONE_OF},
    {"command", &type_command, .doc = "a command that succeeds", .role = ROLE_ONE_OF},
    {"within", &type_duration, .doc = "how long that may take", .builtin = "30s"},
};
OBJECT(ready, "'ready'", .doc = "How to know that a daemon is up.");

static const struct schema_key fixture_keys[] = {
    {"run", &type_command, .doc = "a command that makes it", .role = ROLE_ONE_OF},
    {"daemon", &type_command, .doc = "a command that runs while somebody uses it", .role = ROLE_ONE_OF},
    {"address", &type_transport, .doc = "an address to listen on: `.url .host .port .path`",
     .role = ROLE_ONE_OF},
    {"teardown", &type_command, .doc = "a command that undoes it, always run", .beside = "run"},
    {"ready", &type_ready, .doc = "how to know that it is up", .beside = "daemon"},
    {"stop", &type_ladder, .doc = "how it is ended", .beside = "daemon", .builtin = "[TERM 5s, KILL]"},
    {"pass", &type_pass, .doc = "hand over the listener, as LISTEN_FDS", .beside = "daemon"},
    {"needs", &type_names, .doc = "fixtures that come first"},
    {"scope", &type_scope, .doc = "how long one lives", .builtin = "case"},
    {"axes", &type_axes, .doc = "axes that a session fixture depends on: one for each projection"},
    {"env", &type_env, .doc = "environment of its users"},
    {"cwd", &type_path, .doc = "working directory", .builtin = "."},
    {"timeout", &type_duration, .doc = "deadline of each of its commands, 0 for none", .builtin = "60s"},
    {"shell", &type_shell, .doc = "what runs a command that is a string; `bash -e` when not said"},
};
OBJECT(fixture, "a fixture", .exprs = EXPRS_YES,
       .doc = "What tests need to have built or running. It is made only when a selected case uses it.");
TYPE(fixtures, .kind = SCHEMA_MAPPING, .key = &type_name, .item = &type_fixture,
     .wants = "a mapping of names to fixtures");

static const struct schema_key test_keys[] = {
    {"name", &type_name, .doc = "what its ids begin with", .role = ROLE_REQUIRED},
    {"run", &type_command, .doc = "a command", .role = ROLE_ONE_OF},
    {"module", &type_module,
     .doc = "C tests: modules (`.so`) and programs made with librunmatrix; globs work", .role = ROLE_ONE_OF},
    {"preset", &type_preset, .doc = "the command is a suite of this kind", .role = ROLE_AT_MOST_ONE,
     .beside = "run"},
    {"results", &type_results, .doc = "where its results are", .role = ROLE_AT_MOST_ONE, .beside = "run"},
    {"discover", &type_discover,
     .doc = "how its tests are listed; `per-test`: as the preset does it, and each is started by itself",
     .beside = "run"},
    {"shell", &type_shell, .doc = "what runs a command that is a string; `bash -e` when not said",
     .beside = "run"},
    {"cwd", &type_path, .doc = "working directory", .builtin = "."},
    {"fixtures", &type_names, .doc = "what it needs"},
    {"axes", &type_axes, .doc = "axes that it depends on: all when not said, `[]` for one case"},
    {"only", &type_condition, .doc = "no case in cells where this does not hold"},
    {"matrix", &type_matrix, .doc = "axes of its own"},
    {"requires", &type_requires, .doc = "what the machine must have"},
};
OBJECT(test, "a test", .exprs = EXPRS_YES, .also = &type_settings,
       .doc = "One case for each projection of the cells on the axes it depends on.");
LIST(tests, test, "tests", .unique = "name");

static const struct schema_key override_keys[] = {
    {"select", &type_select, .doc = "the cases it is for", .role = ROLE_REQUIRED},
};
OBJECT(override, "an override", .exprs = EXPRS_YES, .also = &type_settings, .doc = "Settings of some cases.");
LIST(overrides, override, "overrides");

static const struct schema_key soak_keys[] = {
    {"select", &type_select, .doc = "what to run over and over"},
    {"below", &type_percent, .doc = "the flake rate to stay below"},
    {"confidence", &type_percent, .doc = "how sure to be of that"},
    {"within", &type_duration, .doc = "when to give up"},
    {"count", &type_count, .doc = "attempts of each case, and no more"},
    {"duration", &type_duration, .doc = "how long to go on"},
    {"until-fail", &type_boolean, .doc = "end with the first attempt that fails"},
    {"copies", &type_copies, .doc = "how many of each case run beside one another", .builtin = "1"},
};
OBJECT(soak, "'soak'", .exprs = EXPRS_NO, .doc = "The plan of `run-matrix soak`.");

static const struct schema_key reports_keys[] = {
    {"junit", &type_path, .doc = "JUnit XML"},
    {"tap", &type_path, .doc = "TAP"},
    {"json", &type_path, .doc = "JSON"},
    {"html", &type_path, .doc = "a page for a browser"},
    {"markdown", &type_path, .doc = "a summary"},
    {"summary", &type_path, .doc = "what is printed at the end"},
};
OBJECT(reports, "'reports'", .exprs = EXPRS_NO, .doc = "Reports to write, and where.");

static const struct schema_key profile_keys[] = {
    {"cells", &type_cells, .doc = "cells to run"},
    {"select", &type_select, .doc = "cases to run"},
    {"requires", &type_when_missing, .doc = "what becomes of cases that lack what they require",
     .builtin = "skip"},
    {"soak", &type_soak, .doc = "how to soak"},
    {"reports", &type_reports, .doc = "reports to write"},
    {"strict-markers", &type_strict, .doc = "marks that are not declared are errors"},
    {"session-timeout", &type_duration, .doc = "deadline of the whole run, 0 for none"},
};
OBJECT(profile, "a profile", .exprs = EXPRS_NO, .also = &type_settings,
       .doc = "Settings for an occasion: `-P NAME`, else `ci` where `CI` is set, else `local`.");
TYPE(profiles, .kind = SCHEMA_MAPPING, .key = &type_name, .item = &type_profile,
     .wants = "a mapping of names to profiles");

TYPE(markers, .kind = SCHEMA_MAPPING, .name = "markers", .key = &type_mark, .item = &type_text,
     .exprs = EXPRS_NO, .wants = "a mapping of marks to what they mean",
     .doc = "marks with what they mean; declared are those that are built in, too: `slow serial flaky skip "
            "xfail`");

static const struct schema_key file_keys[] = {
    {"version", &type_version, .doc = "format of the file", .builtin = "1"},
    {"requires-run-matrix", &type_constraint, .doc = "versions of the program that can read it"},
    {"strategy", &type_strategy, .doc = "the matrix"},
    {"bind", &type_bind, .doc = "which axes carry the built-in meanings"},
    {"host", &type_axes, .doc = "axes that say what machine a cell needs"},
    {"defaults", &type_defaults, .doc = "settings of every test"},
    {"fixtures", &type_fixtures, .doc = "what tests need"},
    {"tests", &type_tests, .doc = "what is run"},
    {"overrides", &type_overrides, .doc = "settings of some cases"},
    {"profiles", &type_profiles, .doc = "settings for an occasion"},
    {"markers", &type_markers, .doc = "which marks there are, for `--strict-markers` and `list --markers`"},
    {"suites", &type_paths, .doc = "files like this one in other folders, as globs: one run of them all"},
};
OBJECT(file, "the file", .exprs = EXPRS_NO, .ignored = "x-", .wants = "a mapping with keys such as 'tests'",
       .doc = "`run-matrix.yaml`. Keys that begin with `x-` are for anchors.");

const struct schema_type *schema_file(void)
{
    return &type_file;
}

const struct schema_type *schema_settings(void)
{
    return &type_settings;
}
