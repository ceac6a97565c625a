# shellcheck shell=sh
# pytest, with errors of set-up: the tests of Jinja 3.1, where pytest is newer than they are.
pytest=$(pytest_program) || no 'no pytest'

fetch() {
    source_of markupsafe 2.1.2
    mv tree markupsafe
    source_of jinja2 3.1.2
}
native() { PYTHONPATH=src:../markupsafe/src $pytest -vv tests | pytest_lines; }
yaml() {
    cat <<END
tests:
  - {name: jinja, preset: pytest, run: $pytest tests, cwd: tree, env: {PYTHONPATH: 'src:../markupsafe/src'}}
END
}
