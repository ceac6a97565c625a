#!/bin/sh
# Writes to both streams in turns. Two files cannot tell in which order; with `capture: merged` there is one, which can.
for number in 1 2 3; do
    echo "request $number"
    echo "warning about request $number" >&2
done
