#!/bin/sh
# A few of the moments at which a run can be killed; tests/chaos/chaos.sh knows all.
here=$(dirname "$0")
CHAOS_STEP=${CHAOS_STEP:-7} CHAOS_TIMES=${CHAOS_TIMES:-2} exec "$here/../chaos/chaos.sh" "${PROGRAM:-build/run-matrix}"
