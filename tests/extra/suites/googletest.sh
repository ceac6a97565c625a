# shellcheck shell=sh
# GoogleTest: its own samples, in one program. Typed tests, and those with parameters.
needs c++

fetch() {
    package_of googletest 1.12.1
    cp -r package/usr/src/googletest/googletest tree
}
build() {
    (cd samples && c++ -std=c++17 -I../include -I.. -pthread -o ../samples_test sample[1-8]_unittest.cc sample[124].cc \
        ../src/gtest-all.cc ../src/gtest_main.cc)
}
native() { ./samples_test | gtest_lines; }
yaml() {
    cat <<'END'
tests:
  - {name: samples, preset: gtest, run: [./samples_test], cwd: tree}
END
}
