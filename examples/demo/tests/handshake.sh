#!/bin/sh
# A test that hangs: its server, a child, never answers. Ctrl-C does not end it either, it would rather tidy up first.
trap 'echo "interrupted: waiting for the server before I go"' INT

sleep 600 &
server=$!
echo "connected to the server, process $server"
echo 'waiting for its answer'
while kill -0 "$server" 2>/dev/null; do
    wait "$server"
done
