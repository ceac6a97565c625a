# shellcheck shell=sh
# For scenarios whose tests are actors. suites/NN-name.c is run once by each backend, with transports and captures in pairs; with
# SCENARIO_CELLS=all in every cell there is.
#
#     . "$(dirname "$0")/cells.sh"
#     test_ours_...() { passes -k ports; }
. "$(dirname "$0")/lib.sh"

processes='exec spawn forkserver main_thread_forkserver'
threads='subint subint_forkserver'

cells() {
    if [ "${SCENARIO_CELLS-}" = all ]; then
        cat <<'END'
strategy:
  matrix:
    backend: [exec, spawn, forkserver, main_thread_forkserver, subint, subint_forkserver]
    transport: [tcp, uds]
    capture: [fd, merged, pipe, pty, sys, tee-sys]
    exclude: # the output of a thread
      - {backend: subint, capture: fd}
      - {backend: subint, capture: merged}
      - {backend: subint, capture: pipe}
      - {backend: subint, capture: pty}
      - {backend: subint_forkserver, capture: fd}
      - {backend: subint_forkserver, capture: merged}
      - {backend: subint_forkserver, capture: pipe}
      - {backend: subint_forkserver, capture: pty}
END
    else
        cat <<'END'
strategy:
  matrix:
    include:
      - {backend: exec, transport: tcp, capture: fd}
      - {backend: spawn, transport: uds, capture: pipe}
      - {backend: forkserver, transport: tcp, capture: sys}
      - {backend: main_thread_forkserver, transport: uds, capture: fd}
      - {backend: subint, transport: tcp, capture: sys}
      - {backend: subint_forkserver, transport: uds, capture: tee-sys}
END
    fi
}

# All that are chosen of the suite pass; and in each of these backends at least one.
passes_in() { # BACKENDS ARG...
    backends=$1
    shift
    export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" # whoever was forked beside a thread finds some that are none
    { cells && echo "tests: [{name: s, module: '$root/tests/scenarios/suites/$(basename "$0" .sh).c'}]"; } >run-matrix.yaml
    run run -n 2 "$@"
    status_is 0
    for backend in $backends; do
        [ "$(passed_in "$backend")" -gt 0 ] || fail "nothing has passed with $backend"
    done
}

passed_in() { # BACKEND
    "$program" report --format json | python3 -c '
import json, sys
print(sum(("@backend=%s," % sys.argv[1]) in case["id"] and case["verdict"] == "passed"
          for case in json.load(sys.stdin)["cases"]))' "$1"
}

passes() { # ARG...
    passes_in "$processes $threads" "$@"
}
