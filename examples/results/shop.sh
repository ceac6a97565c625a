#!/bin/sh
# TAP, the way a shell says it.
echo 1..3
echo "ok 1 - opens over $RUN_MATRIX_AXIS_TRANSPORT"
echo 'ok 2 - sells bread'
echo 'ok 3 - sells ice # SKIP not in winter'
