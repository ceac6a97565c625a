#!/bin/bash
# What the artifact is called, and where the run is, from the root. Each name is there once in a run, and not every character
# may stand in it.
set -euo pipefail

name=${INPUT_ARTIFACT_NAME:-${OWN_ARTIFACT_NAME:-}}
[ -n "$name" ] || name=run-matrix-${GITHUB_JOB:-job}-${JOB_INDEX:-0}-${GITHUB_RUN_ATTEMPT:-1}
name=$(printf '%s' "$name" | tr '":<>|*?\r\n\\/' '-----------' | cut -c 1-200)

{
    printf 'artifact-name=%s\n' "$name"
    printf 'run-dir=%s\n' "$(cd "${RUN_DIR:?}" && pwd -P)"
} >>"${GITHUB_OUTPUT:?}"
