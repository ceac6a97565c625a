#!/bin/sh
# A test that fails in one cell: somebody forgot that the buffer of a Unix socket is smaller.
for size in 1 1000 64000; do
    echo "sent $size bytes over $1"
done
[ "$1" = uds ] || exit 0

cat >&2 <<'END'
frames.sh: frame 3 came back different
  wanted: 64000 bytes
  got:    32768 bytes, then the end of the stream
END
exit 1
