# shellcheck shell=sh
# Automake: the tests of gzip.
needs make cc

fetch() { source_of gzip 1.12; }
build() { ./configure -q && make -s -j1; }
native() { make check | sed -nE 's/^(PASS|FAIL|SKIP|XFAIL|XPASS|ERROR): (.*)$/\1\t\2/p'; }
yaml() {
    cat <<'END'
tests:
  - {name: gzip, preset: automake, run: [make, check], cwd: tree}
END
}
