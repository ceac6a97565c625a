#!/bin/sh
# Number 9: where a server is to listen somebody does already, or there is the socket file of one that lives.
. "$(dirname "$0")/lib.sh"

# An address of the loopback that is this test's alone.
own_address() { address=127.$(($$ / 250 % 250 + 1)).$(($$ % 250 + 1)).${token##*.}:4711; }

squat() { # ADDRESS
    : >squatting
    "$naive" squat "$1" "$token" >squatting 2>&1 &
    squatter=$!
    await squatting ready
}

# All clients fail, and each for a reason that has nothing to do with it.
test_control_fifty_failures() {
    own_address
    squat "$address"
    run_command "$naive" run "$address" 50 "$token"
    status_is 0
    out_is '50 of 50'
}

# The server that lives cannot be reached any more.
test_control_a_file_that_is_removed() {
    squat "$PWD/s"
    run_command "$naive" clean "$PWD/s"
    status_is 0
    [ ! -e s ] || fail 'the file is there'
    is "$(state_of "$squatter")" S
}

fixed() { # ADDRESS
    suite "{name: t, matrix: {n: [$(seq -s, 50)]}, run: ['true'], fixtures: [server]}"
    cat >>run-matrix.yaml <<END
fixtures:
  server: {scope: session, daemon: [$naive, serve, '$1', $token], ready: {connect: '$1'}}
END
}

# One error, which says who is there; it lives, and so does its file.
test_ours_it_is_said_who_is_there() {
    own_address
    for at in "$address" "$PWD/s"; do
        rm -rf .run-matrix
        squat "$at"
        fixed "$at"
        run
        status_is 1
        last_line_is '0 passed, 1 failed'
        out_has "its address $at is taken already: 09-squatter (pid $squatter) listens there"
        out_has 'not run: 50'
        is "$(state_of "$squatter")" S
    done
    [ -S s ] || fail 'its socket file is gone'
}

test_ours_as_soon_as_it_is_free() {
    own_address
    fixed "$address"
    run
    status_is 0
    last_line_is '50 passed, 0 failed'
}

# Whoever asks for an address gets one that nobody has; and is told of somebody who takes it all the same.
test_ours_an_address_of_ones_own() {
    suite "{name: t, matrix: {n: [1, 2, 3]}, run: ['true'], fixtures: [server]}" "{name: u, run: ['true'], fixtures: [late]}"
    cat >>run-matrix.yaml <<END
fixtures:
  addr: {scope: case, address: tcp}
  server: {scope: case, needs: [addr], daemon: [$naive, serve, '\${{ fixtures.addr.host }}:\${{ fixtures.addr.port }}', $token], ready: {connect: '\${{ fixtures.addr }}'}}
  other: {scope: case, needs: [addr], daemon: [$naive, squat, '\${{ fixtures.addr.host }}:\${{ fixtures.addr.port }}', $token], ready: {line: ready}}
  late: {scope: case, needs: [other, addr], daemon: [$naive, serve, '\${{ fixtures.addr.host }}:\${{ fixtures.addr.port }}', $token], ready: {line: ready}}
END
    run
    status_is 1
    last_line_is '3 passed, 1 failed'
    out_has 'is taken by somebody else'
    nobody_is_left
}

# The same in a C test.
test_ours_a_daemon_of_a_test() {
    own_address
    squat "$address"
    module t.so <<END
TEST(t)
{
    mx_daemon(&(struct mx_daemon_command){.argv = MX_ARGV("$naive", "serve", "$address", "$token"), .ready = {.connect = "$address"}});
}
END
    suite '{name: t, module: t.so}'
    run
    status_is 1
    out_has "$address is taken: somebody listens there before the daemon is started"
}

run_tests
