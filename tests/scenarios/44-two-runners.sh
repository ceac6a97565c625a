#!/bin/sh
# Number 44: two runs side by side take each other's addresses, sockets and logs.
. "$(dirname "$0")/lib.sh"
own_world

test_control_addresses_that_are_always_the_same() {
    mkfifo go again
    exec 8<>go 9<>again
    "$naive" 0 one <&8 >first &
    first=$!
    await first 'port taken'
    "$naive" "$(sed -n 2p first)" two <&9 >second &
    second=$!
    await second 'port Address already in use'
    is "$(cat harness.log)" 'the log of two'
    echo >&8
    wait "$first"
    is "$(tail -n 1 first)" 'connection of mine went to somebody else'
    echo >&9
    wait "$second"
}

# Who binds the address of his case, says what he has, waits until all four have done so, and talks to himself.
server() {
    cat >serve.py <<'END'
import os, socket, sys, time
mine = "%s-%s" % (sys.argv[1], os.environ["RUN_MATRIX_AXIS_TRANSPORT"])
url = os.environ["RUN_MATRIX_REG_ADDR"]
kind, _, where = url.partition("://")
if kind == "tcp":
    host, _, port = where.rpartition(":")
    family, address = socket.AF_INET, (host, int(port))
else:
    family, address = socket.AF_UNIX, where
server = socket.socket(family)
server.bind(address)
server.listen()
with open("new." + mine, "w") as file:
    for fact in url, os.environ["TMPDIR"], os.environ["RUN_MATRIX_ARTIFACTS"], os.environ["RUN_MATRIX_RUN_ID"]:
        print(fact, file=file)
os.rename("new." + mine, "up." + mine)
while len([name for name in os.listdir(".") if name.startswith("up.")]) < 4:
    time.sleep(0.01)
client = socket.socket(family)
client.connect(address)
client.send(mine.encode())
assert server.accept()[0].recv(100).decode() == mine
print("the words of", mine)
END
}

# Two runs, in folders that may be the same one.
two_at_once() { # FOLDER FOLDER
    server
    suite "{name: t, timeout: 60s, run: 'cd $PWD && exec python3 serve.py \$NAME $token'}"
    echo 'strategy: {matrix: {transport: [tcp, uds]}}' >>run-matrix.yaml
    for name in one two; do
        mkdir -p "$1"
        cp run-matrix.yaml "$1"
        (cd "$1" && NAME=$name exec "$program" -n 2 --keep=all >"$scratch/$name" 2>&1) &
        shift
    done
    wait
    for name in one two; do
        [ "$(tail -n 1 "$scratch/$name")" = '2 passed, 0 failed' ] || { cat "$scratch/$name" && fail "that was $name"; }
    done
    is "$(sed -n 1p -s up.* | sort -u | wc -l)" 4 # addresses
    is "$(sed -n 2p -s up.* | sort -u | wc -l)" 4 # TMPDIRs
    is "$(sed -n 3p -s up.* | sort -u | wc -l)" 4 # folders for artifacts
    is "$(sed -n 4p -s up.* | sort -u | wc -l)" 2 # runs
    nobody_is_left
}

# Of a run: what its cases printed.
words_of() { # FOLDER NAME
    id=$(sed -n 4p "up.$2-tcp")
    (cd "$1" && for transport in tcp uds; do "$program" show --from "$id" "t@transport=$transport"; done) |
        sed -n 's/^ *| the words of //p' | xargs
}

nothing_is_in_tmp() {
    for _ in $(seq 100); do # the guard of the last run is who tidies up
        left=$(find /tmp -mindepth 1 -maxdepth 2 -name 'rm-*')
        [ -n "$left" ] || return 0
        sleep 0.1
    done
    fail "there is $left"
}

test_ours_in_folders_of_their_own() {
    two_at_once a b
    is "$(words_of a one)" 'one-tcp one-uds'
    is "$(words_of b two)" 'two-tcp two-uds'
    [ -z "${OWN_WORLD-}" ] || nothing_is_in_tmp
}

test_ours_in_one_folder() {
    two_at_once a a
    is "$(words_of a one)" 'one-tcp one-uds'
    is "$(words_of a two)" 'two-tcp two-uds'
    [ -z "${OWN_WORLD-}" ] || nothing_is_in_tmp
}

run_tests
