# shellcheck shell=sh
# pytest, many of whose tests are skipped: MarkupSafe without its part in C.
pytest=$(pytest_program) || no 'no pytest'

fetch() { source_of markupsafe 2.1.2; }
native() { PYTHONPATH=src $pytest -vv tests | pytest_lines; }
yaml() {
    cat <<END
tests:
  - {name: markupsafe, preset: pytest, run: $pytest tests, cwd: tree, env: {PYTHONPATH: src}}
END
}
