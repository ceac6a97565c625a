#include "runner/options.h"

#include "runner/exit.h"
#include "runner/harness/harness.h"
#include "runner/keep.h"
#include "runner/report/report.h"

#define ON(id)     (1u << COMMAND_##id)
#define EVERYWHERE (~0u)
#define RUN        (ON(NONE) | ON(run)) /* without a command word it is run */
#define HARNESS    (RUN | ON(exec))
#define PLAN       (RUN | ON(list) | ON(show))
#define READERS    (HARNESS | ON(report) | ON(show))
#define AT(member) offsetof(struct options, member)
#define ABOUT_CONTEXT \
    "JSON object whose keys are contexts that only GitHub knows: github, needs, vars, inputs"

static const char *const shells[] = {"bash", "zsh", "fish", NULL};
static const char *const hosts[] = {"family", "strict", NULL};
static const char *const flaky_results[] = {"pass", "fail", NULL};
static const char *const keeps[] = {
#define X(id, word) word,
    KEEPS(X) NULL
#undef X
};
static const char *const no_tests[] = {"fail", "warn", "pass", NULL};
static const char *const colors[] = {"auto", "always", "never", NULL};
static const char *const captures[] = {
#define X(id, word, why) word,
    CAPTURE_MODES(X) NULL
#undef X
};
static const char *const contains[] = {"auto",
#define X(id, word, words) word,
                                       CONTAINMENTS(X) NULL
#undef X
};
static const char *const formats[] = {
#define X(id, word, file, sentence) #word,
    REPORTS(X) NULL
#undef X
};

static const struct opt_command commands[] = {
    [COMMAND_NONE] = {.synopsis = "[COMMAND] [ARGUMENT ...]",
                      .help = "a test-matrix runner and harness for programs that start processes"},
#define X(id, rest, use, sentence) \
    [COMMAND_##id] = {.name = #id, .synopsis = (use), .help = (sentence), .takes_rest = (rest)},
    COMMANDS(X)
#undef X
};

static const struct opt opts[] = {
    {.name = "id",
     .kind = OPT_LIST,
     .arg = "ID",
     .offset = AT(ids),
     .commands = PLAN,
     .group = "Selection",
     .help = "take cases by id, shortened id, glob or re:/PATTERN/, even when a file has that name"},
    {.name = "keyword",
     .letter = 'k',
     .kind = OPT_TEXT,
     .arg = "EXPR",
     .offset = AT(keywords),
     .commands = PLAN,
     .help = "take cases whose id or marks hold the words of EXPR: 'proto and not slow'"},
    {.name = "marker",
     .letter = 'm',
     .kind = OPT_TEXT,
     .arg = "EXPR",
     .offset = AT(marks),
     .commands = PLAN,
     .help = "take cases whose marks satisfy EXPR"},
    {.name = "cell",
     .kind = OPT_LIST,
     .arg = "AXIS=VALUE,...",
     .offset = AT(cells),
     .commands = PLAN,
     .help = "take cases of cells with these values"},
    {.name = "deselect",
     .kind = OPT_LIST,
     .arg = "ID",
     .offset = AT(deselect),
     .commands = PLAN,
     .help = "leave out cases by id"},
    {.name = "partition",
     .kind = OPT_TEXT,
     .arg = "KIND:M/N",
     .offset = AT(partition),
     .commands = PLAN,
     .help = "take part M of N of what is selected; KIND is slice or hash"},

    {.name = "profile",
     .letter = 'P',
     .kind = OPT_TEXT,
     .arg = "NAME",
     .offset = AT(profile),
     .commands = PLAN,
     .group = "Configuration",
     .help = "use this profile; else 'ci' when CI is set, else 'local', where the file has them"},
    {.name = "context",
     .kind = OPT_PATH,
     .arg = "FILE",
     .offset = AT(context),
     .commands = PLAN | ON(eval) | ON(doctor),
     .help = ABOUT_CONTEXT},
    {.name = "host",
     .kind = OPT_ENUM,
     .words = hosts,
     .arg = "HOW",
     .offset = AT(host),
     .commands = PLAN,
     .help = "which values of a host axis mean this machine: any Linux (family), or its own labels (strict)"},

    {.name = "jobs",
     .letter = 'n',
     .alias = "numprocesses",
     .kind = OPT_TEXT,
     .arg = "N",
     .offset = AT(jobs),
     .commands = RUN,
     .group = "Running",
     .help = "run N cases side by side; auto, the default, is one per processor"},
    {.name = "test-threads",
     .letter = 'j',
     .kind = OPT_TEXT,
     .arg = "N",
     .offset = AT(jobs),
     .commands = RUN,
     .help = "the same"},
    {.name = "exitfirst",
     .letter = 'x',
     .kind = OPT_FLAG,
     .offset = AT(exit_first),
     .commands = RUN,
     .help = "start no case after the first failure"},
    {.name = "maxfail",
     .kind = OPT_INT,
     .least = 1,
     .arg = "N",
     .offset = AT(maxfail),
     .commands = RUN,
     .help = "start no case after N failures"},
    {.name = "timeout",
     .kind = OPT_TEXT,
     .arg = "TIME",
     .offset = AT(timeout),
     .commands = HARNESS,
     .help = "deadline of a case, whatever the file says; 0 for none"},
    {.name = "session-timeout",
     .kind = OPT_SPAN,
     .arg = "TIME",
     .offset = AT(session_timeout),
     .commands = RUN,
     .help = "deadline of the whole run; 0 for none"},
    {.name = "retries",
     .alias = "reruns",
     .kind = OPT_INT,
     .least = 0,
     .arg = "N",
     .offset = AT(retries),
     .commands = HARNESS,
     .help = "run a failed case again, at most N times"},
    {.name = "flaky-result",
     .kind = OPT_ENUM,
     .words = flaky_results,
     .arg = "WHAT",
     .offset = AT(flaky_result),
     .commands = HARNESS,
     .help = "what a case that passed on retry counts as: pass or fail (exit 7 when that is all)"},
    {.name = "no-tests",
     .kind = OPT_ENUM,
     .words = no_tests,
     .arg = "WHAT",
     .offset = AT(no_tests),
     .commands = RUN,
     .help = "when nothing was executed: fail (exit 5, the default), warn or pass"},
    {.name = "resume",
     .kind = OPT_FLAG,
     .offset = AT(resume),
     .commands = RUN,
     .help = "finish the latest run, or the one that --from names: cases without a result are run"},
    {.name = "from",
     .kind = OPT_PATH,
     .arg = "RUN",
     .offset = AT(from),
     .commands = RUN | ON(show),
     .help = "a run other than the latest: its id, its number, or its folder"},
    {.name = "collect-only",
     .alias = "co",
     .kind = OPT_FLAG,
     .offset = AT(collect_only),
     .commands = RUN,
     .help = "list the cases in place of running them"},
    {.name = "contain",
     .kind = OPT_ENUM,
     .words = contains,
     .arg = "HOW",
     .offset = AT(contain),
     .commands = HARNESS,
     .help = "how the processes of a case are held together: cgroup, pidns, group (best effort), or the "
             "strongest of "
             "these that can be had (auto, the default)"},
    {.name = "name",
     .kind = OPT_TEXT,
     .arg = "NAME",
     .offset = AT(name),
     .commands = ON(exec),
     .help = "what the case is called; the name of the program when not said"},

    {.name = "capture",
     .kind = OPT_ENUM,
     .words = captures,
     .arg = "HOW",
     .offset = AT(capture),
     .commands = HARNESS,
     .group = "Captured output",
     .help =
         "where output goes, whatever the cell says: fd (files), merged (one file), no (shown as it comes), "
         "discard"},
    {.name = "no-capture",
     .letter = 's',
     .kind = OPT_FLAG,
     .offset = AT(no_capture),
     .commands = HARNESS,
     .help = "the same as --capture=no; on a terminal one case after another gets the terminal itself"},
    {.name = "keep",
     .kind = OPT_ENUM,
     .words = keeps,
     .arg = "WHICH",
     .offset = AT(keep),
     .commands = HARNESS,
     .help =
         "output of passed cases: latest (until the next run, the default), all, failed (none of it); none: "
         "nor that of failed ones"},
    {.name = "run-dir",
     .kind = OPT_PATH,
     .arg = "FOLDER",
     .offset = AT(run_dir),
     .commands = READERS | ON(reap) | ON(doctor),
     .help = "where runs are kept, in place of .run-matrix beside the file"},

    {.name = "junit-xml",
     .alias = "junit",
     .kind = OPT_PATH,
     .arg = "FILE",
     .offset = AT(junit),
     .commands = HARNESS,
     .group = "Reports",
     .help = "write JUnit XML there too"},
    {.name = "junit-strict",
     .kind = OPT_FLAG,
     .offset = AT(junit_strict),
     .commands = HARNESS | ON(report),
     .help = "JUnit without file and line, which junit-10.xsd refuses"},
    {.name = "report",
     .kind = OPT_LIST,
     .arg = "FORMAT=FILE",
     .offset = AT(reports),
     .commands = HARNESS,
     .help = "write a report: junit, tap, json or summary; '-' is standard output"},
    {.name = "format",
     .kind = OPT_ENUM,
     .words = formats,
     .arg = "FORMAT",
     .offset = AT(format),
     .commands = ON(report),
     .help = "which report to make: summary, the default, junit, tap or json"},
    {.name = "output",
     .letter = 'o',
     .kind = OPT_PATH,
     .arg = "FILE",
     .offset = AT(output),
     .commands = ON(report),
     .help = "write it there and not to standard output"},
    {.name = "durations",
     .kind = OPT_INT,
     .least = 0,
     .arg = "N",
     .offset = AT(durations),
     .commands = HARNESS | ON(report),
     .help = "show the N slowest cases, and tests within them, at the end; 0: all"},
    {.name = "color",
     .kind = OPT_ENUM,
     .words = colors,
     .arg = "WHEN",
     .offset = AT(color),
     .commands = READERS,
     .help = "auto, always or never; auto heeds NO_COLOR, FORCE_COLOR, CLICOLOR and the terminal"},

    {.name = "json",
     .kind = OPT_FLAG,
     .offset = AT(json),
     .commands = ON(list) | ON(show) | ON(doctor),
     .group = "Output",
     .help = "print JSON"},
    {.name = "quiet",
     .letter = 'q',
     .kind = OPT_COUNT,
     .offset = AT(quiet),
     .commands = READERS | ON(list),
     .help = "say less; 'list' prints ids only"},
    {.name = "verbose",
     .letter = 'v',
     .kind = OPT_COUNT,
     .offset = AT(verbose),
     .commands = READERS | ON(list),
     .help = "say more; twice: still more"},
    {.name = "config",
     .kind = OPT_FLAG,
     .offset = AT(config),
     .commands = ON(show),
     .help = "print each setting of a case with the file and line that set it"},
    {.name = "markdown",
     .kind = OPT_FLAG,
     .offset = AT(markdown),
     .commands = ON(schema),
     .help = "print the reference of all keys as Markdown instead"},

    {.name = "dry-run",
     .letter = 'n',
     .kind = OPT_FLAG,
     .offset = AT(dry_run),
     .commands = ON(reap),
     .group = "What to reap",
     .help = "only say what is left"},
    {.name = "run",
     .kind = OPT_PATH,
     .arg = "RUN",
     .offset = AT(run),
     .commands = ON(reap),
     .help = "what this run has left: its id, its number, or its folder; else all that are dead"},
    {.name = "parent",
     .kind = OPT_INT,
     .least = 2,
     .arg = "PID",
     .offset = AT(parent),
     .commands = ON(reap),
     .help = "the descendants of this process instead"},
    {.name = "grace",
     .kind = OPT_SPAN,
     .arg = "TIME",
     .offset = AT(grace),
     .commands = ON(reap),
     .help = "how long to wait after INT before KILL; 3s by default"},

    {.name = "from",
     .kind = OPT_PATH,
     .arg = "WORKFLOW[#JOB]",
     .offset = AT(from),
     .commands = ON(init),
     .group = "Drafting",
     .help = "take matrix and test step from a GitHub workflow"},
    {.name = "force",
     .kind = OPT_FLAG,
     .offset = AT(force),
     .commands = ON(init),
     .help = "write over a run-matrix.yaml that is there"},

    {.name = "help",
     .letter = 'h',
     .kind = OPT_FLAG,
     .offset = AT(help),
     .commands = EVERYWHERE,
     .group = "Help",
     .help = "print this help"},
    {.name = "version",
     .letter = 'V',
     .kind = OPT_FLAG,
     .offset = AT(version),
     .commands = EVERYWHERE,
     .help = "print the version"},
    {.name = "man",
     .kind = OPT_FLAG,
     .offset = AT(man),
     .commands = ON(NONE),
     .help = "print the man page as roff"},
    {.name = "completion",
     .kind = OPT_ENUM,
     .words = shells,
     .arg = "SHELL",
     .offset = AT(completion),
     .commands = ON(NONE),
     .help = "print completions for a shell"},
};

static const struct opt_section sections[] = {
    {"EXIT STATUS",
#define X(id, code, words) " " #code "  " words "\n"
     EXIT_CODES(X)
#undef X
    },
    {"FILES",
     "The file is run-matrix.yaml, looked for from the current folder upwards to the root of the repository. "
     "'run-matrix schema --markdown' tells every key of it.\n\n"
     "The folder .run-matrix beside it is the program's own: runs, the newest of them under the name "
     "'latest', each with its journal, reports and captured output."},
    {"ENVIRONMENT",
     " CI             when it is set and the file has a profile 'ci', that profile is used; no live line\n"
     " RUN_MATRIX_DIR as --run-dir\n"
     " NO_COLOR, FORCE_COLOR, CLICOLOR, CLICOLOR_FORCE, TERM  whether there is colour"},
    {"SIGNALS", " INT, HUP, QUIT  start nothing more and end what runs; again: at once with TERM; a third "
                "time: with KILL\n"
                " TERM            as the second of them\n"
                " TSTP, CONT      stop and continue the cases too; deadlines stand still\n"
                " USR1            print what is running, as the keys t and Enter do on a terminal"},
};

const struct opt_table options_table = {
    .program = "run-matrix",
    .version = VERSION,
    .tagline = "run tests of processes in every cell of a matrix",
    .about = "run-matrix reads a matrix exactly as GitHub Actions does, runs the tests in its cells, "
             "captures their "
             "output, ends them at their deadlines, and keeps a record from which every report is made.",
    .commands = commands,
    .command_count = COMMAND_COUNT,
    .opts = opts,
    .opt_count = sizeof opts / sizeof opts[0],
    .sections = sections,
    .section_count = sizeof sections / sizeof sections[0],
};

void options_init(struct options *options)
{
    *options = (struct options){
        .retries = -1, .maxfail = -1, .session_timeout = -1, .durations = -1, .parent = -1, .grace = -1};
}
