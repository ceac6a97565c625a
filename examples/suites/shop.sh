#!/bin/sh
# A suite of three tests; it runs those that are named, or all.
if [ "$1" = --names ]; then
    printf '%s\n' 'opens' 'sells a "book"' 'closes'
    exit
fi
[ $# -gt 0 ] || set -- 'opens' 'sells a "book"' 'closes'
for name; do
    echo "ok - $name"
done
