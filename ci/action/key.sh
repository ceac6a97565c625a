#!/bin/bash
# Where run-matrix is to be, and the key of the cache that has it: the same for the same sources on the same kind of machine.
set -euo pipefail

sources=${GITHUB_ACTION_PATH:?}/..
digest=$(cd "$sources" && find Makefile tests/packages tests/packages.txt runner matrix ci backends fixtures \
    -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-32)
system=$(. /etc/os-release && printf '%s-%s' "$ID" "${VERSION_ID:-rolling}")
# A machine that is kept has those of other versions, too.
prefix=${RUNNER_TOOL_CACHE:-${RUNNER_TEMP:?}}/run-matrix/$digest

# Neither has a line break in it.
{
    printf 'prefix=%s\n' "$prefix"
    printf 'key=run-matrix-%s-%s-%s\n' "$system" "$(uname -m)" "$digest"
} >>"${GITHUB_OUTPUT:?}"
