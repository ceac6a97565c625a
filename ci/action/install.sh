#!/bin/bash
# run-matrix under $PREFIX and on the path of the steps that follow: out of the cache, where that is whole, or built.
set -euo pipefail

sources=$(cd "${GITHUB_ACTION_PATH:?}/.." && pwd)
: "${PREFIX:?}"

works() {
    local stacks=$PREFIX/libexec/run-matrix/run-matrix-stacks
    "$PREFIX/bin/run-matrix" --version >/dev/null 2>&1 && [ -x "$stacks" ] &&
        ! ldd "$stacks" 2>/dev/null | grep -q 'not found'
}

# What the job has set for its own program is nothing to ours, which others get out of the cache.
clean=(env)
for variable in CC CXX CPP LD AR CLANG CFLAGS CXXFLAGS CPPFLAGS LDFLAGS LTO CPATH C_INCLUDE_PATH LIBRARY_PATH \
    PKG_CONFIG PKG_CONFIG_PATH PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR DESTDIR MAKEFLAGS MFLAGS GNUMAKEFLAGS MAKEFILES; do
    clean+=(-u "$variable")
done

# A compiler that we have not met may warn of more.
build() {
    "${clean[@]}" make -C "$sources" -j"$(nproc)" WERROR= all
    "${clean[@]}" make -C "$sources" WERROR= install PREFIX="$PREFIX" >/dev/null
}

# What comes from the cache may want libraries that this machine has not.
works || "$sources/tests/packages" build
works || build
works || {
    echo "::error title=run-matrix::what was installed in $PREFIX does not start" >&2
    exit 3
}

"$PREFIX/bin/run-matrix" --version
printf '%s\n' "$PREFIX/bin" >>"${GITHUB_PATH:?}"
