/* Any bytes as JUnit XML, and as GoogleTest's. */
#include "tests/fuzz/fuzz_results.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct str text = {(const char *)bytes, size};

    check_report(size % 2 ? results_gtest : results_junit, text, 1 + size % 7);
    return 0;
}
