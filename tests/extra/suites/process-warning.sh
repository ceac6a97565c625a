# shellcheck shell=sh
# Node's own runner, through TAP.
needs node

fetch() { npm_package_of process-warning; }
native() { node --test --test-reporter=../../../../tests/extra/suites/names.mjs test/*.test.js; }
yaml() {
    cat <<END
tests:
  - {name: node, run: node --test --test-reporter=tap test/*.test.js, results: {tap: stdout}, cwd: tree}
END
}
