#include "runner/results/internal.h"

#include "runner/base/mem.h"

struct word {
    const char *word;
    enum result_verdict verdict;
};

static const struct word words[] = {
    {"ok", RESULT_PASSED},
    {"pass", RESULT_PASSED},
    {"passed", RESULT_PASSED},
    {"success", RESULT_PASSED},
    {"succeeded", RESULT_PASSED},
    {"\xE2\x9C\x93", RESULT_PASSED}, /* check marks */
    {"\xE2\x9C\x94", RESULT_PASSED},
    {"not ok", RESULT_FAILED},
    {"fail", RESULT_FAILED},
    {"failed", RESULT_FAILED},
    {"failure", RESULT_FAILED},
    {"ko", RESULT_FAILED},
    {"timeout", RESULT_FAILED},
    {"\xE2\x9C\x95", RESULT_FAILED}, /* crosses */
    {"\xE2\x9C\x96", RESULT_FAILED},
    {"\xE2\x9C\x97", RESULT_FAILED},
    {"\xE2\x9C\x98", RESULT_FAILED},
    {"error", RESULT_ERROR},
    {"errored", RESULT_ERROR},
    {"crash", RESULT_ERROR},
    {"crashed", RESULT_ERROR},
    {"broken", RESULT_ERROR},
    {"skip", RESULT_SKIPPED},
    {"skipped", RESULT_SKIPPED},
    {"ignored", RESULT_SKIPPED},
    {"disabled", RESULT_SKIPPED},
    {"pending", RESULT_SKIPPED},
    {"unsupported", RESULT_SKIPPED},
    {"todo", RESULT_XFAILED},
    {"xfail", RESULT_XFAILED},
    {"xfailed", RESULT_XFAILED},
    {"expectedfail", RESULT_XFAILED},
    {"expected failure", RESULT_XFAILED},
    {"expected_failure", RESULT_XFAILED},
    {"xpass", RESULT_XPASSED},
    {"xpassed", RESULT_XPASSED},
    {"unexpectedpass", RESULT_XPASSED},
    {"unexpected success", RESULT_XPASSED},
    {"not run", RESULT_NOT_RUN},
    {"notrun", RESULT_NOT_RUN},
};

static const char *const started[] = {"run", "running", "start", "started", "begin"};

enum word_means verdict_of_word(struct str word, enum result_verdict *verdict)
{
    word = str_trim(word);
    for (size_t i = 0; i < ARRAY_LEN(started); i++)
        if (str_eq_nocase(word, str_of(started[i])))
            return WORD_STARTED;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq_nocase(word, str_of(words[i].word))) {
            *verdict = words[i].verdict;
            return WORD_VERDICT;
        }
    return WORD_UNKNOWN;
}
