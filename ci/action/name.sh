#!/bin/bash
# What the artifact is called, and where the run is, from the root. Each name is there once in a run, and not every character
# may stand in it.
set -euo pipefail

folder=$(cd "${RUN_DIR:?}" && pwd -P)

legal() { # MOST
    tr '":<>|*?\r\n\\/' '-----------' | cut -c "1-$1"
}

# One that somebody has chosen is his. Ours says the cell, which may be that of several jobs: of a suite without a matrix, of
# values of which nothing may be seen. So the number of the job follows, and the run, of which a job may have several.
if [ -n "${INPUT_ARTIFACT_NAME:-}" ]; then
    name=$(printf '%s' "$INPUT_ARTIFACT_NAME" | legal 200)
else
    name=${OWN_ARTIFACT_NAME:-run-matrix-${GITHUB_JOB:-job}-${GITHUB_RUN_ATTEMPT:-1}}
    name=$(printf '%s' "$name" | legal 140)-${JOB_INDEX:-0}-$(printf '%s' "${folder##*/}" | legal 50)
fi

# One file that a test has called as no artifact may be called, and nothing at all would be kept.
find "$folder" -depth -name $'*[":<>|*?\\\\\r\n]*' -print0 | while IFS= read -r -d '' path; do
    renamed=${path%/*}/$(printf '%s' "${path##*/}" | legal 200)
    while [ -e "$renamed" ] || [ -L "$renamed" ]; do renamed+=-; done
    mv -T -- "$path" "$renamed" || echo "::warning title=run-matrix::a file is called as no artifact may be, and could not be renamed"
done

{
    printf 'artifact-name=%s\n' "$name"
    printf 'run-dir=%s\n' "$folder"
} >>"${GITHUB_OUTPUT:?}"
