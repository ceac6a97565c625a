# shellcheck shell=sh
# cargo test: the tests of a crate, in its source, beside it and in its documentation.
needs cargo

fetch() { crate_of strsim 0.10.0; }
build() { cargo test --offline --no-run; }
native() { cargo test --offline | sed -nE 's/^test (.*) \.\.\. (ok|FAILED|ignored)(, .*)?$/\2\t\1/p'; }
yaml() {
    cat <<'END'
tests:
  - {name: strsim, preset: libtest, run: [cargo, test, --offline], cwd: tree}
END
}
