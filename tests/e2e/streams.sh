#!/bin/sh
# What C tests print by the streams of C, and past them: captures inside a process, by every backend.
. "$(dirname "$0")/lib.sh"
own_world # compilers leave files in /tmp for a moment, and others look for what is left there

backends='exec spawn forkserver main_thread_forkserver subint subint_forkserver'
library=$root/build/librunmatrix.a

heading() {
    cat <<'END'
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <run_matrix.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#define raw(fd, text) \
    do { \
        if (write(fd, text, strlen(text)) < 0) \
            abort(); \
    } while (0)
#line 1 "t.c"
END
}

module() { # source on stdin
    { heading && cat; } >t.c
    gcc -shared -fPIC -Wall -Wextra -Werror "-I$root/fixtures" -o t.so t.c "$library"
}

in_cells() { # CAPTURES [BACKENDS [MORE KEYS]]
    echo "strategy: {matrix: {capture: [$1]${2:+, backend: [$(echo "$2" | sed 's/ /, /g')]}}}" >run-matrix.yaml
    echo "tests: [{name: t, module: t.so${3-}}]" >>run-matrix.yaml
}

of() { # TEST CAPTURE [BACKEND]: its id
    echo "t::$1@capture=$2${3:+,backend=$3}"
}

folder() { # ID
    echo ".run-matrix/latest/cases/$(echo "$1" | sed 's/::/-/')"~*/1
}

kept() { # ID NAME
    cat "$(folder "$1")/$2"
}

verdict_is() { is "$1: $(told "$1" 'case["verdict"]')" "$1: $2"; }
sizes_are() { is "$1: $(told "$1" '{output["name"]: output["size"] for output in last["outputs"]}')" "$1: $2"; }

says_everything() {
    module <<'END'
TEST(a)
{
    FILE *captured = stdout;

    printf("printed\n");
    fprintf(captured, "by its address\n");
    raw(1, "raw\n");
    fprintf(stderr, "complained\n");
    raw(2, "raw too\n");
    if (fork() == 0) {
        printf("of a child\n");
        exit(0);
    }
    wait(NULL);
    if (system("echo of a program") != 0)
        abort();
    FAIL("it has failed");
}
END
}

# ---- what goes where ----

test_streams_apart_from_descriptors() {
    says_everything
    in_cells 'sys, tee-sys' "$backends"
    run
    status_is 1
    for mode in sys tee-sys; do
        for backend in $backends; do
            id=$(of a "$mode" "$backend")
            is "$id: $(kept "$id" stdout)" "$id: $(printf 'printed\nby its address\nof a child')"
            is "$id: $(kept "$id" stderr)" "$id: $(printf 'complained\nt.c:17: a: it has failed')"
            is "$id: $(kept "$id" descriptors)" "$id: $(printf 'raw\nraw too\nof a program')"
            is "$id: $(told "$id" 'last["reason"]')" "$id: t.c:17: it has failed"
        done
    done
}

# As it comes what is past the streams, and with `tee-sys` they too; at the end all of it, of a failure.
test_what_is_shown() {
    says_everything
    for mode in sys tee-sys; do
        in_cells "$mode"
        run
        is "$mode: $(grep -c 'of a program$' "$scratch/out")" "$mode: 2"
        is "$mode: $(grep -c 'of a child$' "$scratch/out")" "$mode: $([ "$mode" = sys ] && echo 1 || echo 2)"
        out_has 'stdout (34 B): '
        out_has 'descriptors (25 B): '
        "$program" show >shown
        grep -q '| of a program' shown || fail 'show has no descriptors'
        is "$(sed -n '/<system-out>/,/<.system-out>/p' .run-matrix/latest/junit.xml | grep -cx 'raw')" 1
    done
}

test_nothing_past_the_streams_is_no_file() {
    echo 'TEST(a) { puts("x"); FAIL("no"); }' | module
    in_cells 'sys, tee-sys, fd'
    run
    for mode in sys tee-sys fd; do
        is "$mode: $(cd "$(folder "$(of a "$mode")")" && echo *)" "$mode: stderr stdout"
    done
}

test_streams_of_cpp() {
    {
        printf '#include <iostream>\n'
        heading
        echo 'TEST(a) { std::cout << "of c++" << " streams" << std::endl; std::cerr << "of others" << std::endl; std::cout << "no newline"; FAIL("no"); }'
    } >t.cpp
    g++ -shared -fPIC -Wall -Wextra -Werror "-I$root/fixtures" -o t.so t.cpp "$library"
    in_cells 'sys, tee-sys' 'exec forkserver subint'
    run
    status_is 1
    for mode in sys tee-sys; do
        for backend in exec forkserver subint; do
            id=$(of a "$mode" "$backend")
            is "$id: $(kept "$id" stdout)" "$id: $(printf 'of c++ streams\nno newline')"
            is "$id: $(kept "$id" stderr)" "$id: $(printf 'of others\nt.c:1: a: no')"
        done
    done
}

test_who_is_killed_has_said_what_he_had_said() {
    module <<'END'
TEST(a)
{
    printf("a line\n");
    raw(1, "raw\n");
    kill(getpid(), SIGKILL);
}
END
    in_cells 'sys, tee-sys' "$backends"
    run
    for mode in sys tee-sys; do
        for backend in $backends; do
            id=$(of a "$mode" "$backend")
            verdict_is "$id" crashed
            is "$id: $(kept "$id" stdout)" "$id: a line"
            is "$id: $(kept "$id" descriptors)" "$id: raw"
        done
    done
}

# What stands in a buffer at a fork is written once.
test_a_fork_doubles_nothing() {
    module <<'END'
TEST(a)
{
    printf("once, ");
    for (int i = 0; i < 4; i++)
        if (fork() == 0) {
            printf("%d, ", i);
            exit(0);
        }
    while (wait(NULL) > 0)
        ;
    FAIL("no");
}
END
    in_cells 'sys, tee-sys' "$backends"
    run
    for mode in sys tee-sys; do
        for backend in $backends; do
            id=$(of a "$mode" "$backend")
            is "$id: $(kept "$id" stdout | sed 's/, $//;s/, /\n/g' | sort | tr '\n' ' ')" "$id: 0 1 2 3 once "
        done
    done
}

test_what_is_caught_is_not_printed() {
    module <<'END'
TEST(a)
{
    CAPTURE(said) {
        printf("printed\n");
        fflush(stdout);
        raw(1, "raw\n");
        fprintf(stderr, "complained\n");
        CAPTURE(inner)
            puts("inner");
        ASSERT_STR_EQ(inner.out, "inner\n");
        if (system("echo of a program") != 0)
            abort();
    }
    ASSERT_STR_EQ(said.out, "printed\nraw\nof a program\n");
    ASSERT_STR_EQ(said.err, "complained\n");
    puts("after it");
}
TEST(b)
{
    CAPTURE(said) {
        puts("caught, and shown");
        FAIL("no");
    }
}
END
    in_cells 'fd, sys, tee-sys' "$backends"
    run
    for mode in fd sys tee-sys; do
        for backend in $backends; do
            verdict_is "$(of a "$mode" "$backend")" passed
            is "$(kept "$(of b "$mode" "$backend")" stdout)" 'caught, and shown'
            is "$(kept "$(of b "$mode" "$backend")" stderr)" "t.c:22: b: no"
        done
    done
}

# ---- misuse ----

test_what_tests_do_to_their_streams() {
    module <<'END'
TEST(closes) { puts("before"); close(1); close(2); puts("after"); FAIL("no"); }
TEST(leads_elsewhere)
{
    int null = open("/dev/null", O_WRONLY);

    puts("before");
    dup2(null, 1);
    dup2(null, 2);
    puts("after");
    raw(1, "lost\n");
    FAIL("no");
}
TEST(reopens) { puts("before"); if (!freopen("elsewhere", "a", stdout)) abort(); puts("after"); FAIL("no"); }
TEST(closes_streams) { puts("before"); fclose(stdout); fclose(stderr); FAIL("no"); }
TEST(captures_without) { puts("before"); fclose(stdout); CAPTURE(said) raw(1, "x"); ASSERT_STR_EQ(said.out, "x"); FAIL("no"); }
TEST(closes_all) { puts("before"); closefrom(0); puts("after"); FAIL("no"); }
TEST(unbuffered) { puts("before"); setvbuf(stdout, NULL, _IONBF, 0); printf("after\n"); FAIL("no"); }
TEST(closes_and_opens)
{
    puts("before");
    closefrom(3);
    for (int i = 0; i < 20; i++)
        if (open("mine", O_RDWR | O_CREAT | O_APPEND, 0600) < 0)
            abort();
    FAIL("no");
}
END
    in_cells 'fd, sys, tee-sys' "$backends"
    run
    status_is 1
    for mode in sys tee-sys; do
        for backend in $backends; do
            for test in closes leads_elsewhere unbuffered; do
                is "$mode $backend $test: $(kept "$(of "$test" "$mode" "$backend")" stdout | tr '\n' ' ')" "$mode $backend $test: before after "
                kept "$(of "$test" "$mode" "$backend")" stderr | grep -q ': no$' || fail "$mode $backend $test has not said why"
            done
            for test in reopens closes_streams captures_without closes_all closes_and_opens; do
                is "$mode $backend $test: $(kept "$(of "$test" "$mode" "$backend")" stdout)" "$mode $backend $test: before"
                told "$(of "$test" "$mode" "$backend")" 'last["reason"]' | grep -q ': no$' || fail "$mode $backend $test: what it fails by"
            done
        done
    done
}

# Nothing more than three descriptors, where a test looks and where it executes something.
test_descriptors_of_a_test() {
    module <<'END'
TEST(a, .leaks = "fds")
{
    int fd = open("/dev/null", O_RDONLY);

    EXPECT(fd == 3);
    EXPECT(getenv("RUN_MATRIX_STREAMS") == NULL);
    close(fd);
    EXPECT(system("test \"$(ls /proc/self/fd | wc -l)\" = 4") == 0);
}
END
    in_cells 'sys, tee-sys' 'exec spawn forkserver main_thread_forkserver'
    run
    status_is 0
}

# Where it may have no more than a few descriptors they stay where they are.
test_few_descriptors() {
    module <<'END'
TEST(a) { puts("printed"); raw(1, "raw\n"); FAIL("no"); }
END
    in_cells 'sys, tee-sys' 'exec forkserver' ', limits: {files: 9}'
    run
    for mode in sys tee-sys; do
        for backend in exec forkserver; do
            is "$mode $backend: $(kept "$(of a "$mode" "$backend")" stdout)" "$mode $backend: printed"
        done
    done
}

# With -s on a terminal, too: its cell says so.
test_on_a_terminal() {
    module <<'END'
TEST(a) { puts("printed"); raw(1, "raw\n"); FAIL("no"); }
END
    in_cells 'sys, tee-sys' 'exec'
    TERM=xterm run_command python3 "$root/tests/e2e/on_terminal.py" '' '' "$program" -s
    for mode in sys tee-sys; do
        is "$mode: $(kept "$(of a "$mode" exec)" stdout)" "$mode: printed"
        is "$mode: $(kept "$(of a "$mode" exec)" descriptors)" "$mode: raw"
    done
}

# ---- limits, masks, keeping ----

test_floods_and_masks() {
    module <<'END'
TEST(floods) { for (;;) puts("more and more"); }
TEST(floods_past) { for (;;) raw(1, "more and more\n"); }
TEST(tells) { printf("s3cret-"); fflush(stdout); printf("word\n"); raw(1, "s3cret-word\n"); FAIL("s3cret-word"); }
END
    in_cells 'sys, tee-sys' 'exec forkserver subint' ', output-limit: 1MiB, mask: [SECRET], timeout: 50s'
    SECRET=s3cret-word run
    status_is 1
    for mode in sys tee-sys; do
        for backend in exec forkserver subint; do
            verdict_is "$(of floods "$mode" "$backend")" 'output limit'
            verdict_is "$(of floods_past "$mode" "$backend")" 'output limit'
            is "$(kept "$(of tells "$mode" "$backend")" stdout)" '***'
            is "$(kept "$(of tells "$mode" "$backend")" descriptors)" '***'
        done
    done
    out_lacks s3cret-word
    ! grep -raF s3cret-word .run-matrix || fail 'it is on disk'
}

test_what_is_kept() {
    module <<'END'
TEST(a) { puts("printed"); raw(1, "raw\n"); }
END
    in_cells 'sys, tee-sys' 'exec forkserver'
    for keep in latest all failed none; do
        run --keep "$keep"
        status_is 0
        for mode in sys tee-sys; do
            sizes_are "$(of a "$mode" exec)" "{'stdout': 8, 'stderr': 0, 'descriptors': 4}"
        done
        "$program" show t >shown
        case $keep in
        latest | all) is "$keep: $(grep -c '| raw' shown)" "$keep: 4" ;;
        *) is "$keep: $(grep -c '| raw' shown)" "$keep: 0" ;;
        esac
        [ ! -e .run-matrix/latest/cases ] || fail 'something was kept as of a failure'
    done
}

test_programs_have_no_such_streams() {
    suite '{name: p, run: ["true"]}'
    for mode in sys tee-sys; do
        run --capture "$mode"
        status_is 5
        told p 'last["reason"]' | grep -q 'reach into a program' || fail "$mode: $(told p 'last["reason"]')"
    done
}

# ---- what a test is told ----

test_variables() {
    module <<'END'
TEST(a)
{
    const char *output = getenv("RUN_MATRIX_OUTPUT"), *transport = getenv("RUN_MATRIX_TRANSPORT");

    printf("%s %s %s\n", getenv("RUN_MATRIX_BACKEND"), getenv("RUN_MATRIX_CAPTURE"), transport ? transport : "none");
    if (!output || *output != '/' || access(output, F_OK) == 0)
        FAIL("%s", output ? output : "none");
    fprintf(stderr, "%s", output);
    FAIL("as is to be");
}
END
    in_cells 'fd, sys' "$backends"
    run
    for mode in fd sys; do
        for backend in $backends; do
            is "$(kept "$(of a "$mode" "$backend")" stdout)" "$backend $mode none"
            is "$(kept "$(of a "$mode" "$backend")" stderr | sed 's/t.c:.*//')" "$(cd "$(folder "$(of a "$mode" "$backend")")" && pwd -P)"
        done
    done
    echo 'strategy: {matrix: {transport: [uds, tcp]}}' >run-matrix.yaml
    echo 'tests: [{name: t, module: t.so}]' >>run-matrix.yaml
    run
    is "$(kept t::a@transport=uds stdout)" 'forkserver fd uds'
    is "$(kept t::a@transport=tcp stdout)" 'forkserver fd tcp'
    suite '{name: p, run: "env | grep -E \"RUN_MATRIX_(BACKEND|CAPTURE|TRANSPORT|OUTPUT|STREAMS)\" && exit 1; exit 0"}'
    run
    status_is 0
    for name in BACKEND CAPTURE TRANSPORT OUTPUT STREAMS ACTOR; do
        suite "{name: p, run: ['true'], env: {RUN_MATRIX_$name: x}}"
        run
        status_is 4
        err_has "'RUN_MATRIX_$name' is set by run-matrix itself"
    done
}

# ---- actors ----

starting='exec spawn forkserver main_thread_forkserver' # backends that make processes

talks() { # HOW IT ENDS
    module <<END
ROLE(talker) { int n; };
ACTOR(talker)
{
    printf("printed by %s\n", mx_self()->name);
    dprintf(1, "raw of %s\n", mx_self()->name);
    fprintf(stderr, "complaint of %d\n", args->n);
    fflush(stdout);
    if (fork() == 0) {
        printf("of a child\n");
        exit(0);
    }
    wait(NULL);
}
TEST(a)
{
    NURSERY(n)
    {
        SPAWN(n, talker, "first", .n = 1);
        SPAWN(n, talker, "second", .n = 2);
    }
    $1;
}
END
}

# Of an actor, with the words of a stream in the order of the alphabet: who buffers writes later than who does not.
said_by() { # ID NAME ENDING
    sort "$(folder "$1")/$2@"*."$3" | tr '\n' ','
}

test_actors_have_files_of_their_own() {
    talks 'FAIL("no")'
    in_cells 'fd, sys, tee-sys, merged, pipe, pty' "$starting"
    run
    status_is 1
    for backend in $starting; do
        for name in first second; do
            n=$([ "$name" = first ] && echo 1 || echo 2)
            for mode in fd pipe; do
                id=$(of a "$mode" "$backend")
                is "$id: $(said_by "$id" "$name" out)" "$id: of a child,printed by $name,raw of $name,"
                is "$id: $(said_by "$id" "$name" err)" "$id: complaint of $n,"
            done
            for mode in merged pty; do
                id=$(of a "$mode" "$backend")
                is "$id: $(said_by "$id" "$name" out)" "$id: complaint of $n,of a child,printed by $name,raw of $name,"
            done
            for mode in sys tee-sys; do
                id=$(of a "$mode" "$backend")
                is "$id: $(said_by "$id" "$name" out)" "$id: of a child,printed by $name,"
                is "$id: $(said_by "$id" "$name" err)" "$id: complaint of $n,"
                is "$id: $(sort "$(folder "$id")/descriptors" | tr '\n' ',')" "$id: raw of first,raw of second,"
            done
        done
        is "$backend: $(told "$(of a fd "$backend")" '[file["name"].split("@")[0] for file in last["files"]["list"]]')" \
            "$backend: ['first', 'first', 'second', 'second']"
    done
    out_has '4 files ('
    [ -z "$(find .run-matrix/latest/cases -empty)" ] || fail 'something empty is kept'
}

# Threads have streams apart only where these are not descriptors 1 and 2.
test_actors_in_namespaces() {
    talks 'FAIL("no")'
    in_cells 'sys, tee-sys, fd' 'subint subint_forkserver'
    run
    status_is 1
    for backend in subint subint_forkserver; do
        for mode in sys tee-sys; do
            id=$(of a "$mode" "$backend")
            for name in first second; do
                is "$id: $(said_by "$id" "$name" out)" "$id: of a child,printed by $name,"
                is "$id: $(said_by "$id" "$name" err)" "$id: complaint of $([ "$name" = first ] && echo 1 || echo 2),"
            done
            is "$id: $(sort "$(folder "$id")/descriptors" | tr '\n' ',')" "$id: raw of first,raw of second,"
        done
        verdict_is "$(of a fd "$backend")" unsupported
    done
}

# With `no` all of it is in the streams of the test, with `discard` nowhere.
test_actors_without_files() {
    talks 'FAIL("no")'
    in_cells "'no', discard" "$starting"
    run
    for backend in $starting; do
        is "$(sort "$(folder "$(of a no "$backend")")/stdout" | tr '\n' ',')" \
            'of a child,of a child,printed by first,printed by second,raw of first,raw of second,'
        [ ! -e "$(folder "$(of a discard "$backend")")" ] || fail 'something is kept'
    done
    ! find .run-matrix/latest/cases -name '*@*.out' | grep -q . || fail 'files of their own'
}

test_files_of_actors_are_kept_as_other_output() {
    talks '(void)0'
    in_cells 'fd, sys, pipe'
    for keep in latest all failed none; do
        run --keep "$keep"
        status_is 0
        kept=$(find .run-matrix/latest/ -name '*@*.out' | wc -l)
        [ ! -e .run-matrix/latest/cases ] || fail 'something is kept as of a failure'
        case $keep in
        latest | all) is "$keep: $kept" "$keep: 6" ;;
        *) is "$keep: $kept" "$keep: 0" ;;
        esac
        is "$keep: $(told "$(of a fd)" 'len(last["files"]["list"])')" "$keep: 4"
        "$program" show "$(of a fd)" >shown
        grep -q '4 files (' shown || fail "show does not name them: $(cat shown)"
    done
    talks 'FAIL("no")'
    for keep in latest all failed none; do
        run --keep "$keep"
        kept=$(find .run-matrix/latest/ -name '*@*.out' | wc -l)
        is "$keep: $kept" "$keep: $([ "$keep" = none ] && echo 0 || echo 6)"
    done
}

test_files_of_actors_hide_what_is_masked() {
    module <<'END'
ROLE(teller) { int n; };
ACTOR(teller) { printf("s3cret-"); fflush(stdout); printf("word and more\n"); }
TEST(a)
{
    NURSERY(n)
        SPAWN(n, teller, "one");
    FAIL("no");
}
END
    in_cells 'fd, sys, merged, pipe, pty' '' ', mask: [SECRET]'
    SECRET=s3cret-word run
    status_is 1
    for mode in fd sys merged pipe pty; do
        is "$mode: $(said_by "$(of a "$mode")" one out)" "$mode: *** and more,"
        is "$mode: $(told "$(of a "$mode")" 'last["files"]["size"]')" "$mode: 13"
    done
    ! grep -raF s3cret-word .run-matrix || fail 'it is on disk'
    SECRET=s3cret-word run --keep=all
    ! grep -raF s3cret-word .run-matrix || fail 'it is on disk'
}

# Whatever a test puts there hangs nothing, is not followed, and is gone, but for files.
test_what_else_stands_in_the_folder() {
    module <<'END'
TEST(a)
{
    const char *folder = getenv("RUN_MATRIX_OUTPUT");
    char command[8000];

    snprintf(command, sizeof command,
             "set -e; mkdir -p '%s'; cd '%s'; mkfifo fifo; ln -s /etc/passwd link; ln -s . stdout; mkdir -p a/b/c d; "
             "echo x >a/b/c/file; chmod 0 a/b; truncate -s 1T giant; : >empty; echo content >file; "
             "echo hidden >.hidden; echo no >forbidden; chmod 0 forbidden; mkdir stderr; echo x >stderr/x; mkfifo output; "
              "for i in $(seq 300); do echo $i >many-$i; done",
             folder, folder);
    if (system(command) != 0)
        abort();
    puts("printed");
    if (getenv("FAILS"))
        FAIL("no");
}
END
    in_cells 'fd, merged, sys'
    FAILS=1 run
    status_is 1
    for mode in fd merged sys; do
        id=$(of a "$mode")
        is "$mode: $(cd "$(folder "$id")" && find . ! -type f ! -name . | tr '\n' ' ')" "$mode: "
        is "$mode: $(kept "$id" "$([ "$mode" = merged ] && echo output || echo stdout)" | head -n 1)" "$mode: printed"
        is "$mode: $(kept "$id" file)" "$mode: content"
        is "$mode: $(told "$id" 'len(last["files"]["list"]), last["files"]["more"]')" "$mode: (200, 104)"
        is "$mode: $(told "$id" 'last["verdict"]')" "$mode: failed"
    done
    in_cells 'fd, merged, sys' '' ', mask: [SECRET]'
    FAILS=1 SECRET=s3cret-word run
    [ -e "$(folder "$(of a fd)")/file" ] || fail 'a file is not kept'
    [ ! -e "$(folder "$(of a fd)")/giant" ] || fail 'the giant is kept, and nobody has looked into it'
    out_has 'not all files in the folder of'
    in_cells 'fd, merged, sys'
    for keep in latest none; do
        run --keep "$keep"
        status_is 0
        [ ! -e .run-matrix/latest/cases ] || fail "$keep: something is left: $(find .run-matrix/latest/cases | head)"
    done
}

test_something_else_than_a_folder() {
    module <<'END'
TEST(a)
{
    char command[8000];

    snprintf(command, sizeof command, "mkdir -p \"$(dirname '%s')\" && ln -s '%s' '%s'", getenv("RUN_MATRIX_OUTPUT"), getenv("ELSEWHERE"), getenv("RUN_MATRIX_OUTPUT"));
    if (system(command) != 0)
        abort();
    FAIL("no");
}
END
    in_cells fd
    mkdir elsewhere
    echo mine >elsewhere/file
    ELSEWHERE=$PWD/elsewhere run
    status_is 1
    is "$(ls elsewhere)" file
    is "$(kept "$(of a fd)" stderr | grep -c 'no$')" 1
}

test_a_run_that_died() {
    module <<'END'
ROLE(talker) { int n; };
ACTOR(talker) { puts("words"); fflush(stdout); close(open("ready", O_WRONLY | O_CREAT, 0600)); while (access("go", F_OK) != 0) mx_sleep("10ms"); }
TEST(a)
{
    NURSERY(n)
        SPAWN(n, talker, "one");
    FAIL("no");
}
END
    in_cells fd
    start
    await_file ready
    kill -KILL "$(sed -n '1s/.*"pid":\([0-9]*\).*/\1/p' .run-matrix/latest/journal.ndjson)"
    finish
    is "$(find .run-matrix/latest/ -name '*.out' | wc -l)" 1
    touch go
    run --resume
    status_is 1
    is "$(find .run-matrix/latest/ -name '*.out' | sed 's,.*/\([0-9]\)/.*,\1,')" 2
}

test_floods_of_actors() {
    module <<'END'
ROLE(flooder) { int n; };
ACTOR(flooder) { for (;;) puts("more and more"); }
TEST(a)
{
    NURSERY(n)
        SPAWN(n, flooder, "one");
}
END
    in_cells 'fd, sys, merged, pipe, pty' '' ', output-limit: 1MiB, timeout: 50s'
    run -n 2
    status_is 1
    for mode in fd sys merged pipe pty; do
        verdict_is "$(of a "$mode")" 'output limit'
    done
}

# Who is killed takes whoever reads for his actors along, and nobody calls that one a leak.
test_the_reader_of_pipes_is_no_leak() {
    module <<'END'
ROLE(sleeper) { int n; };
static const char *said(void) { static char path[4096]; snprintf(path, sizeof path, "%s/said", getenv("TMPDIR")); return path; }
ACTOR(sleeper) { puts("words"); fflush(stdout); close(open(said(), O_WRONLY | O_CREAT, 0600)); mx_sleep("100s"); }
TEST(killed)
{
    NURSERY(n)
    {
        SPAWN(n, sleeper, "one");
        while (access(said(), F_OK) != 0)
            usleep(1000);
        kill(getpid(), SIGKILL);
    }
}
TEST(fails)
{
    NURSERY(n)
    {
        SPAWN(n, sleeper, "one");
        FAIL("no");
    }
}
TEST(waits_for_all)
{
    NURSERY(n)
    {
        struct mx_actor *one = SPAWN(n, sleeper, "one");

        mx_cancel(one);
        unlink(said());
        ASSERT(waitpid(-1, NULL, WNOHANG) == -1);
    }
}
END
    in_cells 'pipe, pty' 'exec forkserver'
    run -n 2
    for mode in pipe pty; do
        for backend in exec forkserver; do
            verdict_is "$(of killed "$mode" "$backend")" crashed
            verdict_is "$(of fails "$mode" "$backend")" failed
            for test in killed fails waits_for_all; do
                told "$(of "$test" "$mode" "$backend")" 'last["leaks"]' >leaks
                ! grep -q process leaks || fail "$test: there is: $(cat leaks)"
            done
            is "$(said_by "$(of killed "$mode" "$backend")" one out)" 'words,'
        done
    done
}

test_reports_of_sanitizers() {
    {
        heading
        echo 'TEST(a) { int *volatile p = malloc(4); free(p); puts("before"); *p = 1; }'
    } >t.c
    gcc -fsanitize=address -shared -fPIC "-I$root/fixtures" -o t.so t.c "$library" || skip 'no sanitizer'
    in_cells 'sys, tee-sys'
    run
    for mode in sys tee-sys; do
        kept "$(of a "$mode")" stderr | grep -q 'SUMMARY: AddressSanitizer: heap-use-after-free' || fail "$mode: it is not where errors are"
        is "$(kept "$(of a "$mode")" stdout)" before
        told "$(of a "$mode")" '[last["reason"], last["notes"]]' | grep -q AddressSanitizer || fail "$mode: the reason is another"
    done
}

# A pipe of any size, and who stays with it; byte for byte.
test_many_actors_flood_their_pipes() {
    module <<'END'
ROLE(flooder) { int n, size; };
ACTOR(flooder)
{
    static char line[1000];

    if (args->size)
        fcntl(1, F_SETPIPE_SZ, args->size);
    memset(line, 'a' + args->n, sizeof line);
    line[sizeof line - 1] = '\n';
    for (int i = 0; i < 2000; i++)
        fwrite(line, sizeof line, 1, stdout);
    fflush(stdout);
    if (fork() == 0) {
        sleep(1000);
        _exit(0);
    }
}
TEST(a)
{
    NURSERY(n)
        for (int i = 0; i < 16; i++) {
            char name[20];

            snprintf(name, sizeof name, "actor%d", i);
            SPAWN_SOON(n, flooder, name, .n = i, .size = i % 3 == 0 ? 0 : i % 3 == 1 ? 4096 : 4 << 20);
        }
    FAIL("no");
}
END
    in_cells 'fd, sys, pipe, pty' "$starting"
    run -n 2
    for mode in fd sys pipe pty; do
        for backend in $starting; do
            id=$(of a "$mode" "$backend")
            verdict_is "$id" failed # and no timeout: nobody has waited for who stays
            for i in $(seq 0 15); do
                is "$id $i: $(uniq -c "$(folder "$id")/actor$i@"*.out | sed 's/\(.\)\1\{998\}$/\1/;s/^ *//')" "$id $i: 2000 $(echo abcdefghijklmnop | cut -c $((i + 1)))"
            done
        done
    done
}

run_tests
