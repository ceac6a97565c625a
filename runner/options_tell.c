/* What is told of it. */
#include "runner/options_words.h"

#include "runner/report/report.h"

static const char *const colors[] = {"auto", "always", "never", NULL};
static const char *const formats[] = {
#define X(id, word, file, sentence) #word,
    REPORTS(X) NULL
#undef X
};

static const struct opt opts[] = {
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
     .commands = EXECUTORS,
     .help =
         "write a report: junit, tap, json, markdown or summary, of a soak json or summary; '-' is standard "
         "output"},
    {.name = "format",
     .kind = OPT_ENUM,
     .words = formats,
     .arg = "FORMAT",
     .offset = AT(format),
     .commands = ON(report),
     .help = "which report to make: summary, the default, junit, tap, json or markdown"},
    {.name = "output",
     .letter = 'o',
     .kind = OPT_PATH,
     .arg = "FILE",
     .offset = AT(output),
     .commands = ON(report) | ON(dump),
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
     .commands = ON(list) | ON(show) | ON(doctor) | ON(dump),
     .group = "Output",
     .help = "print JSON"},
    {.name = "quiet",
     .letter = 'q',
     .kind = OPT_COUNT,
     .offset = AT(quiet),
     .commands = READERS | ON(list) | ON(dump),
     .help = "say less; 'list' prints ids only, 'dump' the summary"},
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
};

const struct opt_part options_tell = {opts, ARRAY_LEN(opts)};
