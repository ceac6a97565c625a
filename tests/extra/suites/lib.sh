# shellcheck shell=sh
# How a suite of somebody else's is got, run and compared. A file beside this one is a suite, and defines
#
#     fetch    gets what it is made of into the folder `tree`, by source_of, crate_of and the like
#     build    makes it ready to be run; in `tree`
#     native   runs it by its own runner, and says WORD<TAB>NAME of each test, out of what that runner prints; in `tree`
#     yaml     the run-matrix.yaml for the same; it stands beside `tree`
#     tidy     removes what that leaves elsewhere
#
# and begins with `needs PROGRAM...`. A name is what we call the result, less the name of the test and `::`.
# shellcheck disable=SC2154 # root, store, place and program are the script's

build() { :; }
tidy() { :; }

no() { # REASON...: it cannot be had here
    echo "$*"
    exit 77
}

needs() { # PROGRAM...
    for needed; do
        have "$needed" || no "no $needed"
    done
}

# ---- getting ----

# Debian's and Ubuntu's archive as this machine has it set up, but its sources: with lists of our own, so that nothing of
# the machine changes and nobody has to be root.
archive() { # ARG... of apt-get
    apt-get -q -o Dir::Etc::SourceList="$store/apt/sources.list" -o Dir::Etc::SourceParts=- \
        -o Dir::State::Lists="$store/apt/lists" -o APT::Sandbox::User=root "$@" >"$store/apt/log" 2>&1
}

archive_ready() {
    [ ! -e "$store/apt/ready" ] || return 0
    mkdir -p "$store/apt/lists/partial"
    # shellcheck disable=SC2016 # apt's own variables
    apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        sed -nE 's/^(Debian|Ubuntu) ([^ ]+ [^ -]+ (main|universe))$/deb-src \2/p' | sort -u >"$store/apt/sources.list"
    [ -s "$store/apt/sources.list" ] || no 'no archive of Debian is set up here'
    archive update || no "the archive cannot be read: $(tail -n 1 "$store/apt/log")"
    touch "$store/apt/ready"
}

# What upstream gave out, as Debian keeps it.
source_of() { # PACKAGE VERSION
    needs apt-get
    archive_ready
    archive source --download-only --tar-only "$1" || no "the source of $1 cannot be had"
    set -- "$1" "$2" "$1_$2".orig.tar.*
    [ -e "$3" ] || no "the archive has another version of $1 than $2"
    mkdir tree
    tar -xf "$3" -C tree --strip-components=1
}

# A package of binaries, taken apart rather than installed.
package_of() { # PACKAGE VERSION
    needs apt-get dpkg-deb
    apt-get -q -o APT::Sandbox::User=root download "$1" >apt.log 2>&1 || no "$1 cannot be had"
    set -- "$1" "$2" "$1_$2"-*.deb
    [ -e "$3" ] || no "the archive has another version of $1 than $2"
    dpkg-deb -x "$3" package
}

crate_of() { # CRATE VERSION
    package_of "librust-$1-dev" "$2"
    cp -r "package/usr/share/cargo/registry/$1-$2" tree
}

npm_package_of() { # NAME, of package.json
    [ -d "$root/build/npm/node_modules/$1" ] || no "$1 cannot be had"
    cp -r "$root/build/npm/node_modules/$1" tree
}

# Once; anew when what it is got by has changed. One at a time, for what several share.
get_ready() { # FILE
    [ -z "$(find "$place/ready" -newer "$1" 2>/dev/null)" ] || return 0
    mkdir -p "$store"
    exec 9>"$store/lock"
    flock 9
    rm -rf "$place"
    mkdir "$place"
    cd "$place"
    fetch
    (cd tree && build) >build.log 2>&1 || { tail -n 20 build.log && exit 1; }
    touch ready
    exec 9>&-
}

# ---- running ----

run_native() {
    (cd tree && native 2>../native.log) >names || :
    in_our_words <names >native
}

run_ours() { "$program" -n 1 -q --report json=ours.json >ours.log 2>&1 || :; }

in_our_words() { # of WORD<TAB>NAME lines
    awk '
        function ours(word) {
            if (word ~ /^(pass|passed|ok)$/) return "passed"
            if (word ~ /^(fail|failed|exception|timeout)$/) return "failed"
            if (word ~ /^(skip|skipped|ignored)$/) return "skipped"
            if (word ~ /^(xfail|expectedfail|todo)$/) return "xfailed"
            if (word ~ /^(xpass|unexpectedpass)$/) return "xpassed"
            return word
        }
        { at = index($0, "\t"); print ours(tolower(substr($0, 1, at - 1))) substr($0, at) }'
}

# The shortest time of a command so far, in milliseconds.
timed() { # VARIABLE COMMAND
    began=$(date +%s%3N)
    "$2"
    took=$(($(date +%s%3N) - began))
    tidy
    eval "fastest=\$$1"
    # shellcheck disable=SC2154 # by eval
    [ "${fastest:-$took}" -lt "$took" ] || eval "$1=$took"
}

ratio() { # OURS THEIRS
    awk -v ours="$1" -v theirs="$2" 'BEGIN { printf "%.2f", ours / (theirs ? theirs : 1) }'
}

# ---- what several runners print ----

# -vv of pytest: one line each; of a test that passes and whose tear-down fails, a second.
pytest_lines() {
    sed -nE 's/^(.*::.*) (PASSED|FAILED|SKIPPED|XFAIL|XPASS|ERROR)( \(.*\)?)?( +\[ *[0-9]+%\])?$/\2\t\1/p' |
        awk -F '\t' '{ word[$2] = $1 } END { for (test in word) print word[test] "\t" test }'
}

ctest_lines() {
    sed -nE 's/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: ([^ ]+) \.*(\*\*\*)? *(Passed|Failed|Skipped|Timeout|Not Run|Exception).*$/\3\t\1/p'
}

gtest_lines() {
    sed -nE 's/^\[ *(OK|FAILED|SKIPPED) *\] ([^ ,]+\.[^ ,]+)(, where .*)? \([0-9]+ ms\)$/\1\t\2/p'
}

# ---- comparing ----

counts() { # FILE
    cut -f 1 "$1" | sort | uniq -c | awk '{ n = $1; sub(/^ *[0-9]+ /, ""); all = all ", " n " " $0; sum += n }
        END { print sum + 0 all }'
}

compare() {
    python3 "$root/tests/extra/suites/ours.py" ours.json >ours 2>cases || { tail -n 20 ours.log && exit 1; }
    [ -s native ] || { echo 'its own runner says nothing:' && tail -n 20 native.log && exit 1; }
    sort -o native native
    sort -o ours ours
    diff -U 0 --label 'its own runner' --label run-matrix native ours >differences || :
    echo "its own runner: $(counts native)"
    echo "run-matrix:     $(counts ours)"
    head -n 20 cases
    head -n 60 differences
}
