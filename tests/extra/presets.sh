#!/bin/sh
# Real suites under their presets: counts agree with what their own runners say, and each test comes to the same whether
# the suite runs it among all others, by itself, or because somebody asked for it by the id of its result.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
program=${PROGRAM:-$root/build/run-matrix}
samples=$root/tests/data/results
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset CI GITHUB_ACTIONS PYTEST_ADDOPTS CMOCKA_MESSAGE_OUTPUT

# ---- suites: make_X makes one here, own_X has its own runner say "passed failed" ----

make_pytest() { mkdir -p tests/sub && cp "$samples/pytest/test_shop.py" tests/ && cat >tests/sub/test_odd.py <<'PY'
import pytest
class Base:
    def test_of_base(self): pass
class TestX(Base):
    @pytest.mark.parametrize("p", ["plain", "with space", "br[ack]et", "quo'te\"", "a::b", "k=v/@", "*", "-k", "\n"])
    def test_y(self, p): assert p != "plain"
    class TestIn:
        def test_z(self): pass
PY
}
own_pytest() {
    pytest -q -p no:cacheprovider tests 2>&1 | tail -n 1 | python3 -c 'import re, sys
n = {w.rstrip("s"): int(c) for c, w in re.findall(r"(\d+) (\w+)", sys.stdin.read().split(" in ")[0])}
print(n.get("passed", 0) + n.get("xpassed", 0), n.get("failed", 0) + n.get("error", 0))'
}
run_pytest() { echo '[pytest, -v, -p, "no:cacheprovider", tests]'; }

make_gtest() { cp "$samples/gtest/shop_test.cc" . && g++ -o shop_test shop_test.cc -lgtest -lgtest_main -pthread; }
own_gtest() {
    ./shop_test | python3 -c 'import re, sys
text = sys.stdin.read()
print(*[(re.findall(r"\[  %s  \] (\d+) test" % w, text) + [0])[0] for w in ("PASSED", "FAILED")])'
}
run_gtest() { echo '[./shop_test]'; }

make_ctest() { cp "$samples/ctest/CMakeLists.txt" . && cat >>CMakeLists.txt <<'CMAKE' && cmake -S . -B build >/dev/null; }
add_test(NAME "a name (of) [its] own.*+?^$|" COMMAND true)
CMAKE
own_ctest() { # it counts those that did not run as failed
    (cd build && ctest 2>/dev/null) | python3 -c 'import re, sys
text = sys.stdin.read()
print(len(re.findall(r" Passed +[\d.]+ sec", text)), re.search(r"(\d+) tests failed out of", text)[1])'
}
run_ctest() { echo '[ctest]'; }

make_meson() { cp "$samples/meson/meson.build" . && meson setup build >/dev/null; }
own_meson() {
    meson test -C build 2>/dev/null | python3 -c 'import re, sys
n = {k: int(v) for k, v in re.findall(r"^([A-Z][A-Za-z ]+): +(\d+)", sys.stdin.read(), re.M)}
print(n["Ok"] + n["Unexpected Pass"], n["Fail"] + n["Timeout"])'
}
run_meson() { echo '[meson, test, -C, build]'; }

make_libtest() { mkdir src tests && cat >Cargo.toml <<'TOML' && cat >src/lib.rs <<'RUST' && echo '#[test] fn opens() {}' >tests/shop.rs; }
[package]
name = "shop"
version = "0.1.0"
edition = "2021"
TOML
/// ```
/// assert_eq!(shop::price(), 10);
/// ```
pub fn price() -> u32 { 10 }
#[cfg(test)]
mod tests {
    #[test] fn price() { assert_eq!(super::price(), 10); }
    #[test] fn discount() { assert_eq!(super::price(), 9); }
    #[test] #[should_panic] fn panics() { panic!("x") }
    #[test] #[ignore] fn till() {}
}
RUST
own_libtest() {
    cargo test --offline --no-fail-fast 2>/dev/null | python3 -c 'import re, sys
text = sys.stdin.read()
print(*[sum(map(int, re.findall(r"(\d+) %s;" % w, text))) for w in ("passed", "failed")])'
}
run_libtest() { echo '[cargo, test, --offline, --no-fail-fast]'; }

make_go() { cp "$samples/go/go.mod" "$samples/go/shop_test.go" . && mkdir till && cat >till/till_test.go <<'GO'; }
package till

import "testing"

func TestPrice(t *testing.T) {}
GO
own_go() {
    go test -v ./... 2>&1 | python3 -c 'import re, sys
text = sys.stdin.read()
print(*[len(re.findall(r"--- %s: " % w, text)) for w in ("PASS", "FAIL")])'
}
run_go() { echo '[go, test, ./...]'; }

make_criterion() { cp "$samples/criterion/shop.c" . && gcc -o shop shop.c -lcriterion; }
own_criterion() {
    ./shop 2>&1 | python3 -c 'import re, sys
print(*re.search(r"Passing: (\d+) \| Failing: (\d+)", sys.stdin.read()).groups())'
}
run_criterion() { echo '[./shop]'; }

make_bats() { mkdir tests && cp "$samples/bats/shop.bats" tests/ && cat >tests/odd.bats <<'BATS'; }
@test "with \"quotes\" and 'x'" { true; }
  @test "br[a]ck (et) * ^ {x} \\ |" { true; }
@test bare { false; }
BATS
own_bats() {
    bats --tap tests | python3 -c 'import re, sys
text = sys.stdin.read()
print(len(re.findall(r"^ok (?!.*# skip)", text, re.M)), len(re.findall(r"^not ok", text, re.M)))'
}
run_bats() { echo '[bats, tests]'; }

make_automake() {
    cp "$root/tests/data/presets/automake/"* . && mkdir sub build && echo 'int main(void) { return 0; }' >prog.c
    script() { printf '#!/bin/sh\nexit %s\n' "$2" >"$1" && chmod +x "$1"; }
    script passes.sh 0 && script fails.sh 1 && script skipped.test 77 && script wanted.sh 1 && script sub/hard.sh 99
    (autoreconf -i && cd build && ../configure) >make.log 2>&1
}
own_automake() {
    make -C build check 2>&1 | python3 -c 'import re, sys
n = {k: int(v) for k, v in re.findall(r"^# (\w+): +(\d+)", sys.stdin.read(), re.M)}
print(n["PASS"], n["FAIL"] + n["ERROR"])'
}
run_automake() { echo '[make, -C, build, check]'; }

make_cmocka() { cp "$samples/cmocka/shop.c" . && gcc -include setjmp.h -include stdarg.h -include stddef.h -include stdint.h -o shop shop.c -lcmocka; }
own_cmocka() {
    ./shop 2>&1 | python3 -c 'import re, sys
text = sys.stdin.read()
print(len(re.findall(r"\[       OK \]", text)), int((re.findall(r"(\d+) FAILED TEST", text) + ["0"])[0]))'
}
run_cmocka() { echo '[./shop]'; }

# ---- comparing ----

# "id verdict" of all that is in the latest run, of one case's tests inside, with its name taken off.
told() { # CASE
    "$program" report --format json >"$work/json" # of the folder that we are in
    python3 -c 'import json, sys
name = sys.argv[2] + "::"
for case in json.load(open(sys.argv[1]))["cases"]:
    for one in case.get("results", [case]):
        if one["id"].startswith(name): print(one["id"][len(name):], one["verdict"])' "$work/json" "$1" | sort
}

tally() { # FILE of "id verdict"
    passed=$(grep -cE ' x?passed$' "$1" || :)
    wrong=$(grep -cE " (failed|error${not_run:+|not run})\$" "$1" || :)
    echo "$passed $wrong"
}

# A process that failed is a failure, whichever way its test did; meson fails for what passed against expectation.
judged() { # FILE
    sed -E "s/ (error|not run${unexpected:+|xpassed})\$/ failed/" "$1" | sort
}

fail() {
    echo "$producer: $*"
    failed=1
}

compare() { # PRODUCER
    producer=$1
    mkdir "$work/$1"
    cd "$work/$1"
    "make_$1" || { fail 'the suite cannot be made' && return; }
    cwd=. not_run='' unexpected=''
    case $1 in
    ctest) cwd=build not_run=failed ;;
    meson) unexpected=failed ;;
    esac
    {
        echo 'tests:'
        echo "  - {name: whole, preset: $1, run: $("run_$1"), cwd: $cwd}"
        [ "$1" = cmocka ] ||
            echo "  - {name: apart, preset: $1, run: $("run_$1"), cwd: $cwd, discover: per-test, timeout: 2m}"
    } >run-matrix.yaml
    own=$("own_$1")
    "$program" run >out 2>err || [ $? = 1 ] || { fail 'it cannot be run' && sed 's/^/# /' err && return; }
    told whole >all
    ours=$(tally all)
    [ "$ours" = "$own" ] || fail "its own runner says $own (passed, failed), and we $ours: $(cat all)"
    echo "# $1: $own passed and failed, $(wc -l <all) tests"
    [ "$1" = cmocka ] || compare_apart
}

# What is run by itself comes to the same; and what has failed can be asked for by the id of its result. Those that
# cannot be run by themselves are with the others alone (docs/presets.md).
compare_apart() {
    told apart >each
    [ -s each ] || fail "no test of its own: $(cat err)"
    judged all >wanted
    judged each | comm -23 - wanted >differ
    [ ! -s differ ] || fail "by themselves these come to something else: $(cat differ)"
    one=$(awk '/ (failed|error)$/ { sub(/ [a-z]+$/, ""); print; exit }' each)
    ! "$program" run --id "whole::$one" >out 2>err || fail "'$one' failed, and passes when it is asked for"
    told whole >again
    grep -q "^$one \(failed\|error\)$" again || fail "asked for '$one', it told: $(cat again err)"
    ! grep -q ' passed$' again || fail "asked for '$one' alone, others ran: $(cat again)"
}

# A thousand tests, and a crash in the middle: what had passed is known, and by themselves all others pass.
crash_in_the_middle() {
    producer='gtest, a crash'
    mkdir "$work/crash"
    cd "$work/crash"
    {
        echo '#include <gtest/gtest.h>'
        for i in $(seq 1000); do
            body=''
            [ "$i" != 500 ] || body='abort();'
            echo "TEST(Many, T$i) { $body }"
        done
    } >many.cc
    g++ -o many many.cc -lgtest -lgtest_main -pthread || { fail 'cannot be built' && return; }
    cat >run-matrix.yaml <<'YAML'
tests:
  - {name: whole, preset: gtest, run: [./many]}
  - {name: apart, preset: gtest, run: [./many], discover: per-test}
YAML
    "$program" run >out 2>err || :
    told whole >all
    [ "$(tally all)" = '499 0' ] || fail "$(tally all) passed and failed in one process"
    grep -qx 'Many.T500 not run' all || fail 'the test that it crashed in is not said'
    told apart >each
    [ "$(grep -c ' passed$' each)" = 999 ] || fail "$(grep -c ' passed$' each) passed by themselves"
    grep -qx 'Many.T500 crashed' each || fail 'the test that crashes does not by itself'
    echo '# gtest, a crash in the middle: 499 passed before it, 999 by themselves'
}

failed=0
for row in pytest:pytest gtest:g++ ctest:ctest meson:meson libtest:cargo go:go criterion:gcc bats:bats \
    automake:automake cmocka:gcc; do
    name=${row%%:*}
    [ "${ONLY:-$name}" = "$name" ] || continue
    if command -v "${row#*:}" >/dev/null; then
        compare "$name"
        [ "$name" != gtest ] || crash_in_the_middle
    else
        echo "# $name: not here"
    fi
done
exit "$failed"
