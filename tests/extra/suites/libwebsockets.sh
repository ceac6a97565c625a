# shellcheck shell=sh
# CTest with fixtures: servers that one test starts, others use and a last one ends; some of them never come up.
# Tests that ask a server on the Internet are left out, and those that take three seconds each.
needs cmake ninja cc
pkg-config --exists openssl 2>/dev/null || no 'no headers of OpenSSL'
chosen='-E warmcat|stag'

fetch() { source_of libwebsockets 4.1.6; }
build() {
    cmake -G Ninja -B build -DCMAKE_BUILD_TYPE=Debug -DLWS_WITH_MINIMAL_EXAMPLES=1 -DDISABLE_WERROR=ON . && ninja -C build -j1
}
native() { (cd build && ctest "${chosen%% *}" "${chosen#* }") | ctest_lines; }
tidy() { rm -f /tmp/ctklog /tmp/sai-ctest-* /tmp/ctest-background-*; }
yaml() {
    cat <<END
tests:
  - {name: libwebsockets, preset: ctest, run: [ctest, ${chosen%% *}, '${chosen#* }'], cwd: tree/build}
END
}
