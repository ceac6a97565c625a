/* The first line of any bytes as an expression, the others as what it is to find. */
#include "tests/fuzz/fuzz_results.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct str text = {(const char *)bytes, size}, expression;
    const char *newline = size ? memchr(bytes, '\n', size) : NULL;
    size_t len = newline ? (size_t)(newline - text.ptr) : size;
    struct lines_error error = {.at = SIZE_MAX};
    struct results results;
    struct results_reader *reader;

    expression = str_slice(text, 0, len);
    results_init(&results, "report");
    reader = results_lines(&results, expression, &error);
    if (reader) {
        results_feed(reader, str_slice(text, newline ? len + 1 : len, size));
        results_end(reader);
    } else if (error.at > expression.len || !*error.text)
        abort();
    if (!results_sound(&results))
        abort();
    results_release(&results);
    return 0;
}
