/* Which failures are of a kind: what runners of tests, runtimes and sanitizers print, with other noise, and with other causes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/expect.h"
#include "tests/unit/soak_stage.h"

/* Those of one name are of a kind, and of no other. */
struct sample {
    const char *name, *output;
};

static const struct sample samples[] = {
    {"pytest: assert in test_a",
     "============================= test session starts ==============================\n"
     "platform linux -- Python 3.11.2, pytest-7.2.1, pluggy-1.0.0\nrootdir: /tmp/pytest-x1\ncollected 2 "
     "items\n\n"
     "test_a.py .F                                                             [100%]\n\n"
     "=================================== FAILURES ===================================\n"
     "____________________________________ test_a ____________________________________\n\n"
     "    def test_a():\n        n = f()\n>       assert n == 4\nE       assert 3 == 4\nE        +  where 3 "
     "= f()\n\n"
     "test_a.py:12: AssertionError\n"
     "=========================== short test summary info ============================\n"
     "FAILED test_a.py::test_a - assert 3 == 4\n========================= 1 failed, 1 passed in 0.12s "
     "===================\n"},
    {"pytest: assert in test_a",
     "\x1b[1m============================= test session starts ==============================\x1b[0m\n"
     "platform linux -- Python 3.11.2, pytest-7.2.1, pluggy-1.0.0\nrootdir: /tmp/pytest-x2\ncollected 2 "
     "items\n\n"
     "test_a.py .\x1b[31mF\x1b[0m\n\n"
     "____________________________________ test_a ____________________________________\n\n"
     "    def test_a():\n        n = f()\n>       assert n == 4\n\x1b[1m\x1b[31mE       assert 17 == "
     "4\x1b[0m\n"
     "\x1b[1m\x1b[31mE        +  where 17 = f()\x1b[0m\n\n\x1b[1m\x1b[31mtest_a.py\x1b[0m:12: "
     "AssertionError\n"
     "FAILED test_a.py::test_a - assert 17 == 4\n========================= 1 failed, 1 passed in 11.07s "
     "===================\n"},
    {"pytest: another line",
     "____________________________________ test_a ____________________________________\n\n"
     "    def test_a():\n>       assert m == 4\nE       assert 3 == 4\n\ntest_a.py:19: AssertionError\n"
     "FAILED test_a.py::test_a - assert 3 == 4\n========================= 1 failed in 0.12s "
     "===================\n"},
    {"python: bare assert, line 12",
     "Traceback (most recent call last):\n  File \"/srv/t.py\", line 30, in <module>\n    main()\n"
     "  File \"/srv/t.py\", line 12, in main\n    assert ready\n           ^^^^^\nAssertionError\n"},
    {"python: bare assert, line 12",
     "2026-11-22 08:40:35,123 INFO started pid 4711\nTraceback (most recent call last):\n"
     "  File \"/srv/t.py\", line 30, in <module>\n    main()\n  File \"/srv/t.py\", line 12, in main\n    "
     "assert ready\nAssertionError\n"},
    {"python: bare assert, line 14",
     "Traceback (most recent call last):\n  File \"/srv/t.py\", line 30, in <module>\n    main()\n"
     "  File \"/srv/t.py\", line 14, in main\n    assert ready\nAssertionError\n"},
    {"python: refused", "Traceback (most recent call last):\n  File \"/usr/lib/python3.11/socket.py\", line "
                        "851, in create_connection\n    raise\n"
                        "ConnectionRefusedError: [Errno 111] Connection refused ('127.0.0.1', 40123)\n"},
    {"python: refused", "Traceback (most recent call last):\n  File \"/usr/lib/python3.11/socket.py\", line "
                        "851, in create_connection\n    raise\n"
                        "ConnectionRefusedError: [Errno 111] Connection refused ('127.0.0.1', 51)\n"},
    {"gtest: Queue.Grows",
     "[==========] Running 1 test from 1 test suite.\n[ RUN      ] Queue.Grows\nqueue_test.cc:41: Failure\n"
     "Expected equality of these values:\n  queue.size()\n    Which is: 3\n  4\n[  FAILED  ] Queue.Grows (12 "
     "ms)\n"
     "[----------] 1 test from Queue (12 ms total)\n\n[  PASSED  ] 0 tests.\n[  FAILED  ] 1 test, listed "
     "below:\n"
     "[  FAILED  ] Queue.Grows\n\n 1 FAILED TEST\n"},
    {"gtest: Queue.Grows",
     "[==========] Running 1 test from 1 test suite.\n[ RUN      ] Queue.Grows\nqueue_test.cc:41: Failure\n"
     "Expected equality of these values:\n  queue.size()\n    Which is: 1\n  4\n[  FAILED  ] Queue.Grows (0 "
     "ms)\n"
     "[----------] 1 test from Queue (0 ms total)\n\n[  PASSED  ] 0 tests.\n[  FAILED  ] 1 test, listed "
     "below:\n"
     "[  FAILED  ] Queue.Grows\n\n 1 FAILED TEST\n"},
    {"gtest: another line", "[ RUN      ] Queue.Grows\nqueue_test.cc:44: Failure\nExpected equality of these "
                            "values:\n  queue.size()\n"
                            "    Which is: 3\n  4\n[  FAILED  ] Queue.Grows (12 ms)\n"},
    {"go: TestDial",
     "--- FAIL: TestDial (0.01s)\n    dial_test.go:33: got 3 replies, want 4\nFAIL\nexit status 1\n"},
    {"go: TestDial", "--- FAIL: TestDial (1.70s)\n    dial_test.go:33: got 1 replies, want 4\nFAIL\nexit "
                     "status 1\nFAIL\tkv/dial\t1.705s\n"},
    {"go -v: TestDial",
     "=== RUN   TestDial\n    dial_test.go:33: got 3 replies, want 4\n--- FAIL: TestDial (0.01s)\n"},
    {"go -v: TestDial",
     "=== RUN   TestDial\n    dial_test.go:33: got 2 replies, want 4\n--- FAIL: TestDial (0.09s)\n"},
    {"go -v: another line",
     "=== RUN   TestDial\n    dial_test.go:37: got 2 replies, want 4\n--- FAIL: TestDial (0.09s)\n"},
    {"go: another line", "--- FAIL: TestDial (1.70s)\n    dial_test.go:37: got 1 replies, want 4\nFAIL\nexit "
                         "status 1\nFAIL\tkv/dial\t1.705s\n"},
    {"go: panic in shard",
     "panic: runtime error: index out of range [5] with length 3\n\ngoroutine 7 "
     "[running]:\nkv.(*Shard).get(0xc000012345, 0x5)\n"
     "\t/src/kv/shard.go:88 +0x1d\nmain.main()\n\t/src/kv/main.go:12 +0x85\nexit status 2\n"},
    {"go: panic in shard",
     "panic: runtime error: index out of range [9] with length 4\n\ngoroutine 1204 "
     "[running]:\nkv.(*Shard).get(0xc0000fff00, 0x9)\n"
     "\t/src/kv/shard.go:88 +0x1d\nmain.worker(0x7)\n\t/src/kv/main.go:44 +0x91\nexit status 2\n"},
    {"go: panic in ring",
     "panic: runtime error: index out of range [9] with length 4\n\ngoroutine 1204 "
     "[running]:\nkv.(*Ring).at(0xc0000fff00, 0x9)\n"
     "\t/src/kv/ring.go:17 +0x1d\nmain.worker(0x7)\n\t/src/kv/main.go:44 +0x91\nexit status 2\n"},
    {"rust: panic",
     "running 1 test\ntest tests::grows ... FAILED\n\nfailures:\n\n---- tests::grows stdout ----\n"
     "thread 'tests::grows' (4711) panicked at src/lib.rs:10:9:\nassertion `left == right` failed\n  left: "
     "3\n right: 4\n"
     "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n\n"
     "test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n"},
    {"rust: panic",
     "running 1 test\ntest tests::grows ... FAILED\n\nfailures:\n\n---- tests::grows stdout ----\n"
     "thread 'tests::grows' (99) panicked at src/lib.rs:10:9:\nassertion `left == right` failed\n  left: "
     "17\n right: 4\n"
     "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n\n"
     "test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 2.10s\n"},
    {"rust: another line",
     "test tests::grows ... FAILED\n\nthread 'tests::grows' (99) panicked at src/lib.rs:14:9:\n"
     "assertion `left == right` failed\n  left: 17\n right: 4\n"},
    {"asan: use after free in get",
     "=================================================================\n"
     "==4711==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010 at pc 0x55d0c1 bp "
     "0x7ffd10 sp 0x7ffd08\n"
     "READ of size 4 at 0x602000000010 thread T0\n    #0 0x55d0c0 in get /src/kv/shard.c:88:12\n    #1 "
     "0x55d100 in main /src/kv/main.c:12\n"
     "SUMMARY: AddressSanitizer: heap-use-after-free /src/kv/shard.c:88:12 in get\n==4711==ABORTING\n"},
    {"asan: use after free in get",
     "==93==ERROR: AddressSanitizer: heap-use-after-free on address 0x60200000f0f0 at pc 0x5560aa bp "
     "0x7ffcc0 sp 0x7ffcb8\n"
     "READ of size 4 at 0x60200000f0f0 thread T3\n    #0 0x5560a9 in get /src/kv/shard.c:88:12\n    #1 "
     "0x556100 in work /src/kv/main.c:40\n"
     "SUMMARY: AddressSanitizer: heap-use-after-free /src/kv/shard.c:88:12 in get\n==93==ABORTING\n"},
    {"asan: use after free in put",
     "==93==ERROR: AddressSanitizer: heap-use-after-free on address 0x60200000f0f0 at pc 0x5560aa bp "
     "0x7ffcc0 sp 0x7ffcb8\n"
     "WRITE of size 4 at 0x60200000f0f0 thread T3\n    #0 0x5560a9 in put /src/kv/shard.c:101:5\n"
     "SUMMARY: AddressSanitizer: heap-use-after-free /src/kv/shard.c:101:5 in put\n"},
    {"ubsan", "shard.c:12:5: runtime error: signed integer overflow: 2147483647 + 1 cannot be represented in "
              "type 'int'\n"},
    {"ubsan", "shard.c:12:5: runtime error: signed integer overflow: 2147483600 + 99 cannot be represented "
              "in type 'int'\n"},
    {"tsan", "WARNING: ThreadSanitizer: data race (pid=4711)\n  Write of size 4 at 0x7b04 by thread T2:\n    "
             "#0 bump x.c:9\n"
             "SUMMARY: ThreadSanitizer: data race /src/x.c:9 in bump\n"},
    {"tsan", "WARNING: ThreadSanitizer: data race (pid=12)\n  Write of size 4 at 0x7b99 by thread T1:\n    "
             "#0 bump x.c:9\n"
             "SUMMARY: ThreadSanitizer: data race /src/x.c:9 in bump\n"},
    {"glibc: assert a == b", "kvd: shard.c:41: get: Assertion `a == b' failed.\nAborted (core dumped)\n"},
    {"glibc: assert a == b", "[12:00:03.117] listening on 127.0.0.1:40999\nkvd: shard.c:41: get: Assertion "
                             "`a == b' failed.\nAborted\n"},
    {"glibc: assert a < b", "kvd: shard.c:44: get: Assertion `a < b' failed.\nAborted (core dumped)\n"},
    {"glibc: heap", "double free or corruption (out)\nAborted (core dumped)\n"},
    {"glibc: heap, otherwise", "malloc(): corrupted top size\nAborted (core dumped)\n"},
    {"ours: grows", "test_tree.c:20: grows: expected depth == 4: after 2 turns\n  depth: 3\n"},
    {"ours: grows", "connected to /tmp/rm-Ab3/sock\ntest_tree.c:20: grows: expected depth == 4: after 17 "
                    "turns\n  depth: 9\n"},
    {"ours: flags", "test_tree.c:21: grows: expected flags == 0x1f\n  flags: 0x1d\n"},
    {"cmocka", "[ RUN      ] test_order\n[  ERROR   ] --- 0x1 != 0x2\n[   LINE   ] --- test_queue.c:44: "
               "error: Failure!\n[  FAILED  ] test_order\n"},
    {"cmocka", "[ RUN      ] test_order\n[  ERROR   ] --- 0x7f31 != 0x2\n[   LINE   ] --- test_queue.c:44: "
               "error: Failure!\n[  FAILED  ] test_order\n"},
    {"cmocka: another line", "[ RUN      ] test_order\n[  ERROR   ] --- 0x1 != 0x2\n[   LINE   ] --- "
                             "test_queue.c:46: error: Failure!\n[  FAILED  ] test_order\n"},
    {"java", "Exception in thread \"main\" java.lang.IllegalStateException: port 40123 is taken\n\tat "
             "kv.Main.main(Main.java:12)\n"},
    {"java", "Exception in thread \"main\" java.lang.IllegalStateException: port 9 is taken\n\tat "
             "kv.Main.main(Main.java:12)\n"},
    {"node", "Error: connect ECONNREFUSED 127.0.0.1:40123\n    at TCPConnectWrap.afterConnect [as "
             "oncomplete] (node:net:1595:16)\n"},
    {"node", "Error: connect ECONNREFUSED 127.0.0.1:8080\n    at TCPConnectWrap.afterConnect [as oncomplete] "
             "(node:net:1595:16)\n"},
    {"shell: lost", "2026-11-22T08:40:35Z start 550e8400-e29b-41d4-a716-446655440000\n2026-11-22T08:40:36Z "
                    "error: message 17 of 100 is lost after 1.5s in /tmp/tmp.Xa81bQ/log\n"},
    {"shell: lost", "2026-11-23T11:00:01Z start 7d444840-9dc0-11d1-b245-5ffdce74fad2\n2026-11-23T11:00:02Z "
                    "error: message 3 of 100 is lost after 980ms in /tmp/tmp.9hUzzK/log\n"},
    {"shell: twice", "2026-11-23T11:00:01Z start 7d444840-9dc0-11d1-b245-5ffdce74fad2\n2026-11-23T11:00:02Z "
                     "error: message 3 of 100 came twice\n"},
    {"no sign at all", "reply 17: checksum 9f86d081884c7d65 differs from that of the request\n"},
    {"no sign at all", "hello\nreply 4: checksum 60303ae22b998861 differs from that of the request\n"},
    {"silence", ""},
    {"bash", "t.sh: line 12: kvctl: command not found\n"},
    {"bash, further down", "t.sh: line 15: kvctl: command not found\n"},
};

static void sign(const struct soak_outcome *outcome, struct buf *out)
{
    buf_clear(out);
    soak_signature(outcome, out);
}

static void test_samples(void **state)
{
    struct buf signatures[ARRAY_LEN(samples)] = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        struct soak_outcome outcome = {.verdict = VERDICT_FAILED, .reason = S("exit status 1")};

        outcome.output = str_of(samples[i].output);
        sign(&outcome, &signatures[i]);
        assert_in_range(signatures[i].len, 1, SIGNATURE_SIZE);
        for (size_t k = 0; k < i; k++)
            if (str_eq(buf_str(&signatures[i]), buf_str(&signatures[k])) !=
                !strcmp(samples[i].name, samples[k].name))
                fail_msg("'%s', number %zu:\n%s'%s', number %zu:\n%s", samples[i].name, i,
                         buf_text(&signatures[i]), samples[k].name, k, buf_text(&signatures[k]));
    }
    for (size_t i = 0; i < ARRAY_LEN(samples); i++)
        buf_release(&signatures[i]);
}

struct words {
    const char *line, *normal;
};

static void test_lines(void **state)
{
    static const struct words table[] = {
        {"", ""},
        {"  two   words\t\x1b[31mred\x1b[0m \x1b]0;title\a", "two words red"},
        {"took 12.5ms, 3 s, 1m30s and 250 milliseconds", "took #, #, # and #"},
        {"got -5, wanted +7 (x=-1)", "got #, wanted # (x=#)"},
        {"1,234.5 of 1e-9 and 2.5E+07", "# of # and #"},
        {"at 0x7ffe1234 and deadbeef01, not facade or decade", "at # and #, not facade or decade"},
        {"pid 4711 port 127.0.0.1:8080 [::1]:80", "pid # port # [::#]:#"},
        {"2026-11-22T08:40:35.123Z 2026/11/22 Sun Nov 22 08:40:35 UTC 2026", "# UTC #"},
        {"550e8400-e29b-41d4-a716-446655440000!", "#!"},
        {"test_2 int32 sha256 worker4711", "test_2 int32 sha# worker#"},
        {"src/a.c:41: and b.py:7:3: but host:8080", "src/a.c:41: and b.py:7:3: but host:#"},
        {"File \"/x/y.py\", line 12, in f", "File \"/x/y.py\", line 12, in f"},
        {"open '/tmp/tmp.aB3/x 1': /dev/shm/q, /tmp/build/a.c:12", "open '<tmp> #': <tmp>, a.c:12"},
        {"/usr/lib/x.so /home/me/tmp/x", "/usr/lib/x.so /home/me/tmp/x"},
        {"id aB3dE5gH7jK9mN1pQ3 is no word", "id # is no word"},
        {"12x34", "#x34"},
        {"\x1b", ""},
        {"\x1b[", ""},
    };
    struct buf out = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        buf_clear(&out);
        normalise(str_of(table[i].line), &out);
        assert_string_equal(buf_text(&out), table[i].normal);
    }
    buf_release(&out);
}

/* Verdict, reason and place tell apart as well; where a place is known the last words of a hang do not. */
static void test_places_and_reasons(void **state)
{
    const struct soak_outcome hangs = {
        .verdict = VERDICT_TIMEOUT,
        .reason = S("timed out after 10s (timeout, run-matrix.yaml:9:14)"),
        .place = S("proto.c:41 in recv_exact"),
        .output = S("waiting for 17\n"),
    };
    struct soak_outcome other = hangs;
    struct buf a = {0}, b = {0};

    (void)state;
    sign(&hangs, &a);
    other.output = S("error: nothing came\n");
    other.reason = S("timed out after 12.5s (timeout, run-matrix.yaml:9:14)");
    sign(&other, &b);
    assert_string_equal(buf_text(&a), buf_text(&b));
    other.place = S("proto.c:52 in recv_exact");
    sign(&other, &b);
    assert_string_not_equal(buf_text(&a), buf_text(&b));
    other = hangs;
    other.verdict = VERDICT_CRASHED;
    sign(&other, &b);
    assert_string_not_equal(buf_text(&a), buf_text(&b));
    other = hangs;
    other.reason = S("SIGSEGV");
    sign(&other, &b);
    assert_string_not_equal(buf_text(&a), buf_text(&b));
    /* What a silent test ends with is all that it says. */
    other = (struct soak_outcome){.verdict = VERDICT_FAILED, .reason = S("exit status 3, not 17")};
    sign(&other, &a);
    other.reason = S("exit status 7, not 17");
    sign(&other, &b);
    assert_string_not_equal(buf_text(&a), buf_text(&b));
    other.reason = S("exit status 3, not 5");
    sign(&other, &b);
    assert_string_equal(buf_text(&a), buf_text(&b));
    buf_release(&a);
    buf_release(&b);
}

/* The last 64 KiB alone are looked at, and what is made of them is short. */
static void test_long_outputs(void **state)
{
    struct soak_outcome outcome = {.verdict = VERDICT_FAILED};
    struct buf text = {0}, a = {0}, b = {0};

    (void)state;
    for (int i = 0; i < 20000; i++)
        buf_addf(&text, "x.c:%d: Assertion `%d' failed, %0200d\n", i, i, i);
    outcome.output = buf_str(&text);
    sign(&outcome, &a);
    assert_in_range(a.len, 1, SIGNATURE_SIZE);
    outcome.output = str_slice(buf_str(&text), text.len - ((size_t)64 << 10), text.len);
    sign(&outcome, &b);
    assert_string_equal(buf_text(&a), buf_text(&b));
    buf_clear(&text);
    for (int i = 0; i < 100000; i++)
        buf_adds(&text, "E   ");
    outcome.output = buf_str(&text);
    outcome.reason = buf_str(&text);
    sign(&outcome, &a);
    assert_in_range(a.len, 1, SIGNATURE_SIZE);
    buf_release(&text);
    buf_release(&a);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_places_and_reasons),
        cmocka_unit_test(test_long_outputs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
