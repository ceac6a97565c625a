#!/bin/sh
# Killed, interrupted, or with cases that make daemons: we leave nothing behind. What another runner leaves shows that
# something would have been seen; the table with all of them is made by tests/chaos/peers.sh itself.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
rows=$(CHAOS_PEERS='ours prove' "$root/tests/chaos/peers.sh" "$root/build/run-matrix")
echo "$rows"
echo "$rows" | grep -qF '| run-matrix | 0 | 0 | 0 | ends; 0 |'
echo "$rows" | grep -q '^| prove | [1-9].*process'
