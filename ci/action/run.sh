#!/bin/bash
# run-matrix with the inputs of the action, which are words and never code.
set -euo pipefail

command=${INPUT_COMMAND:-run}
case $command in
run | soak) ;;
*)
    echo "run-matrix: error: 'command' is run, soak or none, not '$command'" >&2
    exit 4
    ;;
esac

words=("$command")
[ -z "${INPUT_PROFILE:-}" ] || words+=(-P "$INPUT_PROFILE")
[ -z "${INPUT_JUNIT:-}" ] || words+=(--junit-xml "$INPUT_JUNIT")

# xargs knows quotes and backslashes, and nothing else. What it cannot split is no failure of a test.
if [ -n "${INPUT_ARGS:-}" ]; then
    split=$(mktemp)
    trap 'rm -f "$split"' EXIT
    printf '%s' "$INPUT_ARGS" | xargs -r printf '%s\0' >"$split" 2>/dev/null || {
        echo "::error title=run-matrix::'args' has a quote that is not closed"
        exit 4
    }
    while IFS= read -r -d '' word; do
        words+=("$word")
    done <"$split"
    rm -f "$split"
    trap - EXIT
fi

while IFS= read -r id; do
    id=${id%$'\r'}
    [ -z "$id" ] || words+=(--id "$id")
done <<<"${INPUT_SELECTION:-}"

# Cases get the environment as it is.
unset INPUT_COMMAND INPUT_ARGS INPUT_SELECTION INPUT_PROFILE INPUT_JUNIT

# In place of this shell, so that a step that is cancelled is told of it without a detour.
exec run-matrix "${words[@]}"
