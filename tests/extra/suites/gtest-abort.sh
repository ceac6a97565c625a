# shellcheck shell=sh
# GoogleTest with a thousand tests: some fail, some are skipped, and one in the middle aborts the program.
needs c++

fetch() {
    package_of googletest 1.12.1
    cp -r package/usr/src/googletest/googletest tree
}
build() {
    awk 'BEGIN {
        print "#include <gtest/gtest.h>\n#include <cstdlib>"
        for (i = 1; i <= 1000; i++) {
            body = i == 500 ? "std::abort();" : i % 17 == 0 ? "EXPECT_EQ(" i ", 0);" : \
                i % 29 == 0 ? "GTEST_SKIP() << \"not today\";" : "EXPECT_GT(" i ", 0);"
            printf "TEST(Suite%d, Test%d) { %s }\n", (i - 1) / 50, i, body
        }
    }' >thousand_test.cc
    c++ -std=c++17 -Iinclude -I. -pthread -o thousand_test thousand_test.cc src/gtest-all.cc src/gtest_main.cc
}
# What it lists and never ended was not run. Of those that it never began it had said how many they are, not their names.
native() {
    ./thousand_test >../console
    ./thousand_test --gtest_list_tests | awk '
        FNR == NR && match($0, /\] [^ ,]+/) { name = substr($0, RSTART + 2, RLENGTH - 2) }
        FNR == NR && /^\[ RUN/ { begun[name] = 1 }
        FNR == NR && /^\[ +(OK|FAILED|SKIPPED)/ && / ms\)$/ { gsub(/[][]/, ""); word[name] = $1 }
        FNR == NR { next }
        /^[^ ]/ { suite = $1; next }
        { name = suite $1; print (name in word ? word[name] : "not run") "\t" (name in begun ? name : "?") }' ../console -
}
yaml() {
    cat <<'END'
tests:
  - {name: thousand, preset: gtest, run: [./thousand_test], cwd: tree}
END
}
