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

build() {
    make -C "$sources" -j"$(nproc)" all
    make -C "$sources" install PREFIX="$PREFIX" >/dev/null
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
