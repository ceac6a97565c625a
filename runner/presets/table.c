/* The table: a row says all that is known of one runner. docs/presets.md tells the same to users. */
#include "runner/presets/internal.h"

#include "runner/base/mem.h"

const struct preset presets[] = {
    {
        /* xunit1 says in which file a test is; what stands there is counted from the folder of the suite's settings. */
        .name = "pytest",
        .reads_sources = true,
        .reports = {{PRESET_JUNIT, "report.xml", NULL}},
        .run = {.variables = {{"PYTEST_ADDOPTS", "--junit-xml={results}/report.xml -o junit_family=xunit1",
                               true}}},
        .choose = {.words = {"{tests}"}},
        /* The last word counts: a -v or -q of the suite's own would change what is printed. */
        .list = {.words = {"--collect-only", "--verbosity=-1"},
                 .instead = {"PYTEST_ADDOPTS", "--collect-only --verbosity=-1", true}},
        .program = "pytest",
        .program_too = "py.test",
        .is_choice = is_pytest_choice,
        .from_here = pytest_from_here,
        .read = read_pytest,
        .result_id = pytest_result_id,
        .name_of = pytest_name,
        .is_of = is_of_pytest,
    },
    {
        /* The XML is written at the end. After a crash it is the console that says what had passed, and what was on. */
        .name = "gtest",
        .reports = {{PRESET_GTEST, "report.xml", NULL},
                    {PRESET_LINES, NULL,
                     "^\\[=+\\] Running (?<announced>\\d+) tests? from |"
                     "^\\[ (?<verdict>RUN) +\\] (?<name>[^\\s,]+)$|"
                     "\\[ +(?<verdict>OK|FAILED|SKIPPED) +\\] (?<name>[^\\s,]+)(?:, where .*)? "
                     "\\((?<duration>\\d+ ms)\\)$"}},
        .run = {.variables = {{"GTEST_OUTPUT", "xml:{results}/report.xml", false},
                              {"GTEST_COLOR", "no", false}}},
        .choose = {.words = {"--gtest_filter={filter}"}, .instead = {"GTEST_FILTER", "{filter}", false}},
        .list = {.words = {"--gtest_list_tests"}},
        .quote = quote_gtest,
        .filter_between = ":",
        .read = read_gtest,
    },
    {
        .name = "ctest",
        .reports = {{PRESET_JUNIT, "report.xml", NULL}},
        .run = {.words = {"--output-junit", "{results}/report.xml"}},
        .choose = {.words = {"-R", "{filter}"}},
        .list = {.words = {"--show-only=json-v1"}},
        .program = "ctest",
        .quote = quote_cmake,
        .filter_begin = "^(",
        .filter_between = "|",
        .filter_end = ")$",
        .read = read_ctest,
    },
    {
        /* Its JUnit says of a test that timed out no more than of one that passed; its console does. */
        .name = "meson",
        .reports =
            {{PRESET_LINES, NULL,
              "^ *\\d+/\\d+ (?<name>.+?) +(?<verdict>OK|FAIL|ERROR|TIMEOUT|SKIP|EXPECTEDFAIL|UNEXPECTEDPASS) "
              "+(?<duration>[\\d.]+s)(?: +(?<message>\\S.*))?"}},
        .choose = {.words = {"{tests}"}},
        .list = {.words = {"--list"}},
        .program = "meson",
        .read = read_meson,
        .name_of = meson_name,
    },
    {
        .name = "libtest",
        .reports = {{PRESET_LINES, NULL,
                     "^running (?<announced>\\d+) tests?$|"
                     "^test (?<name>.+?)(?: - should panic)? \\.\\.\\. (?<verdict>ok|FAILED|ignored)"
                     "(?:, (?<message>.+?))?(?: <(?<duration>[\\d.]+s)>)?$"}},
        .choose = {.words = {"--exact", "{tests}"}},
        .list = {.words = {"--list", "--format", "terse"}},
        .program = "cargo",
        .separator = "--",
        .read = read_libtest,
        .name_of = libtest_name,
    },
    {
        /* What go prints for people does not say in which package a test is. */
        .name = "go",
        .reads_sources = true,
        .reports =
            {{PRESET_LINES, NULL,
              "^\\{(?:\"Time\":\"[^\"]*\",)?\"Action\":\"(?<verdict>run|pass|fail|skip)\",\"Package\":\""
              "(?<name>[^\"\\\\]+\",\"Test\":\"(?:[^\"\\\\]|\\\\.)+)\"(?:,\"Elapsed\":(?<duration>[\\d.]+))?"
              "\\}$"}},
        .run = {.words = {"-json"}},
        .choose = {.words = {"-run={filter}"}},
        .list = {.words = {"-list=."}},
        .program = "go",
        .before = "-args",
        .is_choice = is_go_choice,
        .quote = quote_go,
        .filter_begin = "^(",
        .filter_between = "|",
        .filter_end = ")$",
        .more = add_go_packages,
        .read = read_go,
        .result_id = go_result_id,
    },
    {
        .name = "criterion",
        .reports = {{PRESET_JUNIT, "report.xml", NULL}},
        .reports_others = true,
        .run = {.variables = {{"CRITERION_OUTPUTS", "xml:{results}/report.xml", false}}},
        .choose = {.words = {"--filter={filter}"}},
        .list = {.words = {"--list"}},
        .quote = quote_criterion,
        .filter_begin = "@(",
        .filter_between = "|",
        .filter_end = ")",
        .read = read_criterion,
        .name_of = criterion_name_of,
    },
    {
        .name = "cmocka",
        .cannot_list = "a cmocka program cannot be asked for the names of its tests",
        .cannot_choose = "a cmocka program takes no names of tests",
        .name_of = no_name,
        .reports = {{PRESET_JUNIT, "report.xml", NULL}},
        .run = {.variables = {{"CMOCKA_MESSAGE_OUTPUT", "XML", false},
                              {"CMOCKA_XML_FILE", "{results}/report.xml", false}}},
    },
    {
        /* bats itself can count its tests and not name them: the lines that begin them are looked for. */
        .name = "bats",
        .reads_sources = true,
        .reports = {{PRESET_JUNIT, "report.xml", NULL}},
        .run = {.words = {"--report-formatter", "junit", "--output", "{results}"}},
        .choose = {.words = {"--filter", "{filter}"}},
        .program = "bats",
        .list_instead = list_bats,
        .is_choice = is_bats_choice,
        .quote = quote_bats,
        .filter_begin = "^(",
        .filter_between = "|",
        .filter_end = ")$",
        .more = add_bats_files,
        .read = read_bats,
        .result_id = bats_result_id,
        .name_of = no_name, /* in which folder its file is, an id does not say */
        .is_of = is_of_bats,
    },
    {
        .name = "automake",
        .fills_folder = true, /* test-suite.log, and a log for each test */
        .reports = {{PRESET_LINES, NULL, "^(?<verdict>PASS|FAIL|XFAIL|XPASS|SKIP|ERROR): (?<name>.+)$"}},
        .choose = {.words = {"TESTS={filter}"}},
        .list = {.words = {"-s", "--no-print-directory", "--eval=run-matrix-list: ; @printf '%s\\n' $(TESTS)",
                           "run-matrix-list"}},
        .program = "make",
        .program_too = "gmake",
        .goal = "check",
        .quote = quote_make,
        .filter_between = " ",
        .read = read_words,
    },
};

const uint32_t preset_count = ARRAY_LEN(presets);

const struct preset *preset_find(struct str name)
{
    for (uint32_t i = 0; i < preset_count; i++)
        if (str_is(name, presets[i].name))
            return &presets[i];
    return NULL;
}

const char *preset_name(const struct preset *preset)
{
    return preset->name;
}

const char *preset_cannot_list(const struct preset *preset)
{
    return preset->cannot_list;
}

const char *preset_cannot_choose(const struct preset *preset)
{
    return preset->cannot_choose;
}

const struct preset_report *preset_reports(const struct preset *preset)
{
    return preset->reports;
}

bool preset_reports_others(const struct preset *preset)
{
    return preset->reports_others;
}

bool preset_reads_sources(const struct preset *preset)
{
    return preset->reads_sources;
}

bool preset_fills_folder(const struct preset *preset)
{
    return preset->fills_folder;
}
