#!/bin/sh
# A bug that is known and not yet repaired.
echo 'rename.sh: wanted a name of two lines, got one' >&2
exit 1
