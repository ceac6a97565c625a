#!/bin/bash
# What the artifact is called, and where the run is, from the root. Each name is there once in a run, and not every character
# may stand in it. And what could not be kept, or is not of the run, is made such that it can: whoever uploads follows links.
set -euo pipefail
set -C # what is written is new, and never what something else leads to

warn() { # WORDS...
    echo "::warning title=run-matrix::$*"
}

legal() { # MOST
    tr '":<>|*?\r\n\\/' '-----------' | cut -c "1-$1"
}

# One that somebody has chosen is his. Ours says the cell, which may be that of several jobs: of a suite without a matrix, of
# values of which nothing may be seen. So the number of the job follows, and the run, of which a job may have several.
name_of() { # FOLDER
    local name=${OWN_ARTIFACT_NAME:-run-matrix-${GITHUB_JOB:-job}-${GITHUB_RUN_ATTEMPT:-1}}

    if [ -n "${INPUT_ARTIFACT_NAME:-}" ]; then
        printf '%s' "$INPUT_ARTIFACT_NAME" | legal 200
    else
        printf '%s-%s-%s' "$(printf '%s' "$name" | legal 140)" "${JOB_INDEX:-0}" "$(printf '%s' "${1##*/}" | legal 50)"
    fi
}

# The folder itself, and not what a case has put in its place.
enter() { # FOLDER
    [ ! -L "$1" ] || return 1
    chmod u+rwx -- "$1" 2>/dev/null || :
    cd -P -- "$1" 2>/dev/null || return 1
    case $1 in
    /*) [ "$(pwd -P)" = "${1%/}" ] ;;
    esac
}

# Below the folder that we are in, from which no path leads out: what is found is never a link on the way to something else.
others() {
    find -P . ! -type f ! -type d "$@"
}

# A link stands for what is elsewhere: in a home, with what nobody is to see. Who opens a pipe waits for good.
replace_others() {
    local path kind target

    others -printf '%p\0%y\0%l\0' |
        while IFS= read -r -d '' path && IFS= read -r -d '' kind && IFS= read -r -d '' target; do
            case $kind in
            l) kind="a link to $target" ;;
            p) kind='a named pipe' ;;
            s) kind='a socket' ;;
            *) kind='a device' ;;
            esac
            { rm -f -- "$path" && printf 'Here was %s\n' "$kind" >"$path"; } 2>/dev/null || :
        done
}

# One file that a test has called as no artifact may be called, and nothing at all would be kept.
rename_illegal() {
    local path renamed

    find -P . -depth -name $'*[":<>|*?\\\\\r\n]*' -print0 | while IFS= read -r -d '' path; do
        renamed=${path%/*}/$(printf '%s' "${path##*/}" | legal 200)
        while [ -e "$renamed" ] || [ -L "$renamed" ]; do renamed+=-; done
        mv -T -- "$path" "$renamed" 2>/dev/null || warn 'a file is called as no artifact may be, and could not be renamed'
    done
}

say() { # NAME VALUE
    printf '%s=%s\n' "$1" "$2" >>"${GITHUB_OUTPUT:?}"
}

enter "${RUN_DIR:?}" || {
    warn 'the folder of the run is not what it was: it is not kept'
    exit 0
}
folder=$(pwd -P)
say run-dir "$folder"

# What is wrong with what cases have left makes no job red.
chmod -R u+rwX . 2>/dev/null || :
replace_others 2>/dev/null || :
if [ -n "$(others -print -quit 2>/dev/null)" ]; then
    warn 'what is no file of the folder of the run could not be replaced: the folder is not kept'
    exit 0
fi
[ -z "$(find -P . ! -readable -print -quit 2>/dev/null)" ] || warn 'something in the folder of the run is not ours to read'
say artifact-name "$(name_of "$folder")"
rename_illegal 2>/dev/null || :
