#!/bin/sh
# ASSERT and EXPECT as whoever writes tests has them: what is compiled without a word, what is not, what a failure shows.
. "$(dirname "$0")/lib.sh"
own_world # compilers leave files in /tmp for a moment, and others look for what is left there

library=$root/build/librunmatrix.a

compile() { # COMPILER ARG...: everything is a warning, and every warning an error
    compiler=$1
    shift
    "$compiler" -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -D_GNU_SOURCE "-I$root/fixtures" "$@" "$library"
}

# Each compiler with each of its standards; files are C, or are told to be C++.
each_compiler() { # FUNCTION
    for cc in gcc clang g++ clang++; do
        command -v "$cc" >/dev/null || continue
        language=c standards='c11 c17 c2x gnu17'
        case $cc in
        *++) language=c++ standards='c++11 c++17 c++20' ;;
        esac
        for std in $standards; do
            "$1" "$cc" "-std=$std" -x "$language"
        done
    done
}

# What it says is compared without its name.
run_test() {
    run_command ./t --case t
    sed 's/\(t\.cc*:[0-9]*:\) t: /\1 /' "$scratch/err" >"$scratch/unnamed"
    mv "$scratch/unnamed" "$scratch/err"
}

# t.c, whose test is `t`, says just what stands on stdin. The main compilers; the rest is for every_standard.
says() { # STATUS
    cat >"$scratch/said"
    for cc in gcc clang; do
        command -v "$cc" >/dev/null || continue
        compile "$cc" -O1 -o t t.c
        run_test
        status_is "$1"
        diff -u "$scratch/said" "$scratch/err" >"$scratch/diff" || {
            sed 's/^/# /' "$scratch/diff" | head -n 60
            fail "$cc: stderr differs"
        }
    done
}

write_t() { # includes and a body on stdin, each failing statement on a line of its own; the body begins on line 10
    cat >body
    {
        printf '#include <run_matrix.h>\n'
        for header in errno fcntl math signal stdio stdlib unistd string; do
            printf '#include <%s.h>\n' "$header"
        done
        cat body
    } >t.c
}

# ---- what can be compiled ----

everything() {
    cat <<'END'
#include <run_matrix.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
enum colour { RED, GREEN };
static int called;
static int once(int value) { called++; return value; }
static void helper(int value) { EXPECT_EQ(value, 2); }
static void crash(void) { abort(); }
TEST(passes)
{
    struct { unsigned bits : 3; } s = {5};
    enum colour colour = GREEN;
    volatile int number = 2;
    const int array[] = {1, 2};
    char buffer[] = "text";
    const char *text = "text", *nothing = 0;
    void (*function)(void) = crash;
    ASSERT(number == 2); ASSERT(number == 2, "%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15); if (!EXPECT(text, "words")) return;
    ASSERT_TRUE(number); ASSERT_FALSE(number - 2, "%s", text); ASSERT_TRUE(text);
    ASSERT_EQ(s.bits, 5); ASSERT_EQ(colour, GREEN); ASSERT_EQ(number, 2u); ASSERT_EQ(2.0f, 2); ASSERT_EQ('a', buffer[3] - 't' + 'a');
    ASSERT_EQ(text, buffer); ASSERT_EQ(array, &array[0]); ASSERT_EQ(function, crash); ASSERT_EQ(sizeof array, 2 * sizeof(int));
    ASSERT_NE(-1, 4294967295u); ASSERT_NE(text, nothing); ASSERT_LT(-1, 1u); ASSERT_LE(-1L, 0ull, "words"); ASSERT_GT(1u, -1); ASSERT_GE(1.5, 1);
    ASSERT_NEAR(1.0, 1.05, 0.1); ASSERT_NEAR(1, 2u, 1); ASSERT_SAME(text, text); ASSERT_NULL(nothing); ASSERT_NOT_NULL(text);
    ASSERT_STR_EQ(buffer, "text"); ASSERT_STR_NE(text, "t"); ASSERT_STR_HAS(text, "ex"); ASSERT_STR_STARTS(text, "te"); ASSERT_STR_ENDS(text, "xt");
    ASSERT_MATCH(text, "^t.+t$"); ASSERT_NO_MATCH(text, "a"); ASSERT_MEM_EQ(text, buffer, sizeof buffer); ASSERT_MEM_NE("ab", "ac", 2);
    int fd = ASSERT_OK(dup(1)); ASSERT_OK(close(fd)); void *memory = ASSERT_OK(malloc(1)); free(memory);
    ASSERT_ERRNO(close(-1), EBADF); ASSERT_ERRNO(close(-1), EBADF, "%d", 1);
    ASSERT_DIES(crash(), SIGABRT); ASSERT_DIES_WITH({ write(2, "why\n", 4) == 4 ? crash() : crash(); }, SIGABRT, "^why"); ASSERT_EXITS(exit(3), 3, "words");
    ASSERT_EXITS_WITH(exit(0), 0, "^$"); EXPECT_EXITS(_exit(0), 0);
    CALL(helper(2)); ASSERT_EQ(CALL(once(4)), 4); ASSERT_EQ(called, 1); ASSERT_EQ(CALL(once(CALL(once(4)))), 4); called = 1;
    ASSERT_DIES(ASSERT_EXITS(exit(once(3)), 3); crash(), SIGABRT);
    EXPECT_EQ(once(1), once(1)); EXPECT_OK(once(1)); EXPECT_NEAR(once(1), once(1), once(0)); EXPECT_TRUE(once(1)); EXPECT(once(1));
    EXPECT_MEM_EQ("", "", (size_t)once(0)); EXPECT_ERRNO((errno = 5, once(-1)), once(5)); EXPECT_DIES((void)(once(1), crash(), 0), once(SIGABRT));
    ASSERT_EQ(called, 13);
}
END
}

passes() { # COMPILER ARG...
    compile "$@" t.c -x none -o t
    run_command ./t --case passes
    status_is 0
    err_is_empty
}

test_every_standard_of_every_compiler() {
    everything >t.c
    each_compiler passes
}

refuses() { # COMPILER ARG...
    for body in 'ASSERT_EQ(s, s);:number_text_or_pointer|numbers, texts and pointers' 'ASSERT_STR_EQ(1, "1");:mx_t' \
        'ASSERT_EQ(1);:argument' 'ASSERT_EQ(1, 1, "%s", 1);:format' 'ASSERT_TRUE(s);:number_text_or_pointer|numbers, texts and pointers'; do
        printf '#include <run_matrix.h>\nstruct point { int x; };\nTEST(t) { struct point s = {1}; (void)s; %s }\n' "${body%%:*}" >bad.c
        ! compile "$@" bad.c -x none -o bad 2>"$scratch/err" || fail "$*: ${body%%:*} compiles"
        ran="$*: ${body%%:*}"
        grep -qE "${body#*:}" "$scratch/err" || {
            show err
            fail "no such word: ${body#*:}"
        }
        grep -q 'bad.c:3:' "$scratch/err" || fail 'the line is not named'
    done
}

test_nonsense_is_refused_in_words() {
    each_compiler refuses
}

test_from_cplusplus() {
    command -v g++ >/dev/null || skip 'no compiler of C++'
    cat >t.cc <<'END'
#include <run_matrix.h>
#include <string>
struct limits { static const int most = 3; };
enum class tone : char { low, high };
TEST(t)
{
    std::string s = "abc";
    EXPECT_EQ(s, "abd");
    EXPECT_EQ(s + "x", s);
    EXPECT_EQ(limits::most, 4);
    EXPECT_EQ(tone::low, tone::high);
    EXPECT_STR_HAS(s, "z");
    EXPECT_NULL(s.c_str());
    EXPECT_EQ(std::string("a\0b", 3), std::string("a\0c", 3));
    EXPECT_NE(s.c_str(), nullptr);
    EXPECT_EQ(s.data(), nullptr);
}
END
    for cc in g++ clang++; do
        for std in c++11 c++17 c++20; do
            ! command -v "$cc" >/dev/null || {
                compile "$cc" "-std=$std" -o t t.cc
                run_test
                status_is 1
                mv "$scratch/err" "$scratch/out"
                out_is <<'END'
t.cc:8: expected s == "abd"
  s:     "abc"
  right: "abd"
            ^ byte 2
t.cc:9: expected s + "x" == s
  s + "x": "abcx"
  s:       "abc"
               ^ byte 3
t.cc:10: expected limits::most == 4
  limits::most: 3
t.cc:11: expected tone::low == tone::high
  tone::low: '\0' (0)
  tone::high: '\x01' (1)
t.cc:12: expected s to have "z" in it
  s: "abc"
t.cc:13: expected s.c_str() to be NULL
  s.c_str(): "abc"
t.cc:14: expected std::string("a\0b", 3) == std::string("a\0c", 3)
  std::string("a\0b", 3): "a\x00b"
  std::string("a\0c", 3): "a\x00c"
                                ^ byte 2
t.cc:16: expected s.data() == nullptr
  s.data(): "abc"
END
            }
        done
    done
}

# ---- what a failure shows ----

test_expressions() {
    write_t <<'END'
TEST(t) { int n = 7; bool yes = true;
    EXPECT(n == 8);
    EXPECT(n == 8 || n == 9, "after %d turns", 3);
    EXPECT_TRUE(n - 7);
    EXPECT_FALSE(n);
    EXPECT_FALSE(yes);
    if (!EXPECT(!yes, "100%%")) printf("it went on\n");
    ASSERT(n != 7, "no");
    printf("not reached\n");
}
END
    says 1 <<'END'
t.c:11: expected n == 8
t.c:12: expected n == 8 || n == 9: after 3 turns
t.c:13: expected n - 7 to be true
  n - 7: 0
t.c:14: expected n to be false
  n: 7
t.c:15: expected yes to be false
t.c:16: expected !yes: 100%
t.c:17: expected n != 7: no
END
    out_is 'it went on'
}

test_numbers() {
    write_t <<'END'
TEST(t) { int n = 7; unsigned flags = 0x1d; char c = 'x'; float f = 0.1f; double d = 0.1; long long low = -9223372036854775807 - 1; unsigned long long high = ~0ull;
    EXPECT_EQ(n, 8);
    EXPECT_EQ(flags, 0x1f);
    EXPECT_EQ(c, 'y');
    EXPECT_EQ(n, EINVAL);
    EXPECT_EQ(-1, 4294967295u);
    EXPECT_GT(low, high, "%d words", 2);
    EXPECT_LT(n, n);
    EXPECT_LE(9007199254740993, 9007199254740992.0);
    EXPECT_EQ(f, d);
    EXPECT_EQ(d, NAN);
    EXPECT_NEAR(d, 0.2, 0.05);
    EXPECT_NEAR(NAN, d, f);
    ASSERT_GE(n, 7.5);
}
END
    says 1 <<'END'
t.c:11: expected n == 8
  n: 7
t.c:12: expected flags == 0x1f
  flags: 0x1d
t.c:13: expected c == 'y'
  c: 'x' (120)
t.c:14: expected n == EINVAL
  n: 7
  EINVAL: 22
t.c:15: expected -1 == 4294967295u
t.c:16: expected low > high: 2 words
  low: -9223372036854775808
  high: 18446744073709551615
t.c:17: expected n < n
  n: 7
t.c:18: expected 9007199254740993 <= 9007199254740992.0
t.c:19: expected f == d
  f: 0.100000001490116119385
  d: 0.100000000000000005551
t.c:20: expected d == NAN
  d: 0.1
  NAN: nan
  nan is equal to nothing, not to itself either
t.c:21: expected d to be within 0.05 of 0.2
  d: 0.1
  they differ by 0.1
t.c:22: expected NAN to be within f of d
  NAN: nan
  d: 0.1
  f: 0.1
  they differ by nan
t.c:23: expected n >= 7.5
  n: 7
END
}

test_texts() {
    write_t <<'END'
TEST(t) { const char *name = "hello world", *none = NULL, *lines = "one\ntwo\nthree\nfour\n";
    EXPECT_EQ(name, "hello wurld");
    EXPECT_STR_EQ(none, "x");
    EXPECT_EQ(name, NULL);
    EXPECT_LT(none, "x");
    EXPECT_STR_NE(name, "hello world");
    EXPECT_STR_HAS(name, "word");
    EXPECT_STR_STARTS(name, "ello", "%s", "two\nlines");
    EXPECT_STR_ENDS(none, "");
    EXPECT_MATCH(name, "^[a-z]+$");
    EXPECT_NO_MATCH(name, "wor");
    EXPECT_NO_MATCH(name, "(");
    EXPECT_EQ(lines, "one\ntwo\ntree\nfour\nfive");
    EXPECT_NULL(name);
    EXPECT_NOT_NULL(none);
    ASSERT_SAME(none, NULL); ASSERT_SAME(none, (void *)16);
}
END
    says 1 <<'END'
t.c:11: expected name == "hello wurld"
  name:  "hello world"
  right: "hello wurld"
                 ^ byte 7
t.c:12: expected none == "x"
  none: NULL
t.c:13: expected name == NULL
  name: "hello world"
t.c:14: expected none < "x"
  none: NULL
t.c:15: expected name != "hello world"
  name: "hello world"
t.c:16: expected name to have "word" in it
  name: "hello world"
t.c:17: expected name to start with "ello": two
  lines
  name: "hello world"
t.c:18: expected none to end with ""
  none: NULL
t.c:19: expected name to match "^[a-z]+$"
  name: "hello world"
t.c:20: expected name not to match "wor"
  name: "hello world"
t.c:21: expected name not to match "("
  name: "hello world"
  that is no regular expression: Unmatched ( or \(
t.c:22: expected lines == "one\ntwo\ntree\nfour\nfive"
  --- lines
  +++ right
  @@ line 3 @@
   one
   two
  -three
  +tree
   four
  +five
  \ no newline at the end
t.c:23: expected name to be NULL
  name: "hello world"
t.c:24: expected none not to be NULL
t.c:25: expected none to be the same pointer as (void *)16
  none: NULL
  (void *)16: 0x10
END
}

test_memory_and_errno() {
    write_t <<'END'
TEST(t) { static const char *const nobody = "/nonexistent"; unsigned char got[] = {1, 2, 3, 'a'};
    EXPECT_MEM_EQ(got, "\1\2\4a", 4, "read %d", 4);
    EXPECT_MEM_NE(got, got, 2);
    EXPECT_MEM_EQ(NULL, NULL, 1);
    EXPECT_OK(open(nobody, O_RDONLY));
    EXPECT_EQ(EXPECT_OK(fopen(nobody, "r"), "the %s", "file"), NULL);
    EXPECT_ERRNO(close(-1), EINVAL);
    EXPECT_ERRNO(dup(0) < 0, EBADF);
    errno = 12345; if (!EXPECT(false)) EXPECT_EQ(errno, 12345);
    ASSERT_OK(close(-1));
}
END
    says 1 <<'END'
t.c:11: expected 4 bytes: got == "\1\2\4a": read 4
  1 of 4 bytes differ, from byte 2 (0x2) on
  --- got
  +++ "\1\2\4a"
  -0000  01 02 03 61                                       |...a|
  +0000  01 02 04 61                                       |...a|
               ^^
t.c:12: expected 2 bytes: got != got
t.c:13: expected 1 byte: NULL == NULL
t.c:14: expected open(nobody, O_RDONLY) to succeed
  open(nobody, O_RDONLY): -1, errno 2 (ENOENT: No such file or directory)
t.c:15: expected fopen(nobody, "r") to succeed: the file
  fopen(nobody, "r"): NULL, errno 2 (ENOENT: No such file or directory)
t.c:16: expected close(-1) to fail with EINVAL
  close(-1): -1, errno 9 (EBADF: Bad file descriptor)
t.c:17: expected dup(0) < 0 to fail with EBADF
  dup(0) < 0: 0
t.c:18: expected false
t.c:19: expected close(-1) to succeed
  close(-1): -1, errno 9 (EBADF: Bad file descriptor)
END
}

# ---- statements that end their process ----

test_deaths_and_exits() {
    write_t <<'END'
static void nothing(void) {} static void usage(void) { puts("what"); fputs("usage: t\n\x1b", stderr); exit(2); }
TEST(t) { printf("once\n");
    EXPECT_DIES(abort(), SIGSEGV);
    EXPECT_DIES(exit(0), SIGKILL, "%d", 1);
    EXPECT_EXITS(exit(3), 4);
    EXPECT_EXITS(kill(getpid(), SIGTERM), 143);
    EXPECT_EXITS(nothing(), 0);
    EXPECT_EXITS(return, 0);
    EXPECT_EXITS_WITH(usage(), 2, "usage: u");
    EXPECT_DIES_WITH(usage(), SIGABRT, "usage: t");
    EXPECT_EXITS_WITH(exit(0), 0, "(");
    EXPECT_EXITS(ASSERT_EQ(1, 2), 1);
    EXPECT_EXITS({ EXPECT(false); exit(0); }, 0);
    ASSERT_DIES(raise(SIGUSR1), SIGUSR1); ASSERT_DIES(raise(SIGKILL), SIGTERM);
}
END
    says 1 <<'END'
t.c:12: expected abort() to die of SIGSEGV
  it died of SIGABRT
t.c:13: expected exit(0) to die of SIGKILL: 1
  it exited with 0
t.c:14: expected exit(3) to exit with 4
  it exited with 3
t.c:15: expected kill(getpid(), SIGTERM) to exit with 143
  it died of SIGTERM
t.c:16: expected nothing() to exit with 0
  it came to its end
t.c:17: expected return to exit with 0
  it was left by return, break or goto
t.c:18: expected usage() to exit with 2
  its stderr does not match "usage: u"
  its stdout:
    what
  its stderr:
    usage: t
    \x1b
t.c:19: expected usage() to die of SIGABRT
  it exited with 2
  its stderr should match "usage: t"
  its stdout:
    what
  its stderr:
    usage: t
    \x1b
t.c:20: expected exit(0) to exit with 0
  its stderr does not match "("
  that is no regular expression: Unmatched ( or \(
t.c:21: expected ASSERT_EQ(1, 2) to exit with 1
  it exited with 1
  a check in it has failed
  its stderr:
    t.c:21: expected 1 == 2
t.c:22: expected { EXPECT(false); exit(0); } to exit with 0
  it exited with 0
  a check in it has failed
  its stderr:
    t.c:22: expected false
t.c:23: expected raise(SIGKILL) to die of SIGTERM
  it died of SIGKILL
END
    out_is once
}

# It is killed, and nobody is left; 30 seconds are for whom nobody kills.
test_a_statement_has_a_deadline() {
    write_t <<'END'
#include <sys/wait.h>
TEST(t) { for (;;) {
    EXPECT_EXITS_WITH({ fputs("here\n", stderr); for (;;) pause(); }, 0, "x");
    break; }
    ASSERT_ERRNO(waitpid(-1, NULL, 0), ECHILD);
}
END
    sed -i '1i #define MX_CHILD_SECONDS 0.2' t.c
    says 1 <<'END'
t.c:13: expected { fputs("here\n", stderr); for (;;) pause(); } to exit with 0
  it was still running after 0.2 s, and was killed
  its stderr should match "x"
  its stderr:
    here
END
}

# A grandchild holds its output; a flood comes; descriptors are as many as there were.
test_children_of_all_kinds() {
    write_t <<'END'
#include <dirent.h>
#include <sys/wait.h>
static int count(void) { DIR *d = opendir("/proc/self/fd"); int n = 0; while (readdir(d)) n++; closedir(d); return n; }
static void flood(void) { for (int i = 0; i < 200000; i++) fprintf(stderr, "line %d\n", i); exit(5); }
static void hold(const int *end) { char c; if (fork() == 0) { if (read(end[0], &c, 1) < 0) _exit(1); _exit(0); } exit(6); }
TEST(t) { int before = count(), end[2];
    ASSERT_OK(pipe2(end, O_CLOEXEC));
    ASSERT_EXITS_WITH(flood(), 5, "line 199999");
    EXPECT_EXITS(flood(), 6);
    ASSERT_EXITS(hold(end), 6);
    ASSERT_OK(write(end[1], "", 1)); ASSERT_OK(close(end[0])); ASSERT_OK(close(end[1])); ASSERT_EQ(count(), before);
    ASSERT_ERRNO(waitpid(-1, NULL, 0), ECHILD);
    ASSERT_DIES(ASSERT_DIES(abort(), SIGABRT); abort(), SIGABRT);
    ASSERT_OK(fclose(stdin)); ASSERT_OK(close(1));
    ASSERT_EXITS_WITH(fputs("closed", stderr); exit(1), 1, "^closed$");
    signal(SIGCHLD, SIG_IGN);
    ASSERT_EXITS(exit(0), 0);
}
END
    compile gcc -O1 -o t t.c
    run_test
    status_is 1
    err_has 't.c:18: expected flood() to exit with 6'
    err_has '  it exited with 5'
    err_has '    line 0'
    err_has '    line 199999'
    [ "$(grep -cF 'bytes more ...' "$scratch/err")" = 1 ] || fail 'the middle is not said to be missing'
    [ "$(wc -c <"$scratch/err")" -lt 4000 ] || fail 'a failure is a flood'
    err_has 't.c:26: expected exit(0) to exit with 0'
    err_has '  somebody else has waited for it: SIGCHLD is ignored, or handled by a wait for all'
}

# What is not looked at need not be a text.
test_memory_that_is_no_text() {
    write_t <<'END'
TEST(t) { char *memory = (char *)malloc(3);
    ASSERT_NOT_NULL(memory); ASSERT_TRUE(memory); ASSERT_NE(memory, NULL); ASSERT(memory); ASSERT_SAME(memory, memory);
    memset(memory, 'x', 3); ASSERT_OK(memory); ASSERT_MEM_EQ(memory, "xxx", 3);
    ASSERT_ERRNO((errno = EINTR, (char *)-1), EINTR);
    EXPECT_ERRNO((errno = EINTR, (char *)-1), EBADF);
    free(memory);
}
END
    compile gcc -O1 -fsanitize=address -o t t.c
    run_test
    status_is 1
    err_has '(errno = EINTR, (char *)-1): 0xffffffffffffffff, errno 4 (EINTR: Interrupted system call)'
    err_lacks AddressSanitizer
}

test_deaths_under_sanitizers() {
    write_t <<'END'
static void crash(volatile int *p) { *p = 1; }
TEST(t) { int *volatile p = NULL;
    ASSERT_DIES(crash(p), SIGSEGV); ASSERT_DIES(abort(), SIGABRT); ASSERT_EXITS(exit(3), 3);
    ASSERT_EXITS_WITH({ char *volatile m = (char *)malloc(1); free(m); *(volatile char *)m = 1; }, 1, "heap-use-after-free");
}
END
    compile gcc -O1 -fsanitize=address -o t t.c
    run_test
    status_is 0
    err_is_empty
}

test_no_process_for_a_statement() {
    write_t <<'END'
#include <sys/resource.h>
TEST(t) { struct rlimit few = {3, 100};
    ASSERT_OK(setrlimit(RLIMIT_NOFILE, &few));
    EXPECT_EXITS(exit(3), 3);
    few.rlim_cur = 7;
    ASSERT_OK(setrlimit(RLIMIT_NOFILE, &few));
    ASSERT_EXITS(exit(3), 3);
}
END
    says 1 <<'END'
t.c:13: expected exit(3) to exit with 3
  no process for it: Too many open files
t.c:16: expected exit(3) to exit with 3
  no process for it: Too many open files
END
}

# ---- helpers ----

test_a_helper_names_both_places() {
    write_t <<'END'
#include <setjmp.h>
static void check(int n) { EXPECT_EQ(n, 3); }
static int twice(int n) { CALL(check(n));
    CALL(check(n + 1));
    return n; }
static void deep(int n) { if (n) CALL(deep(n - 1)); else EXPECT(false); }
static jmp_buf back;
static void unwind(int n) { if (n) CALL(unwind(n - 1)); if (!n) longjmp(back, 1); }
static int stop(int n) { ASSERT_EQ(n, 0); return n; }
TEST(t) { EXPECT_EQ(CALL(twice(3)), 2);
    check(1);
    if (!setjmp(back)) unwind(3);
    EXPECT_EQ(1, 3);
    if (!setjmp(back)) unwind(3);
    CALL(check(2));
    CALL(deep(19));
    EXPECT(false);
    CALL(stop(1));
}
END
    compile gcc -O0 -o t t.c
    run_test
    status_is 1
    mv "$scratch/err" "$scratch/out"
    out_is <<'END'
t.c:11: expected n == 3
  n: 4
  called from t.c:13: check(n + 1)
  called from t.c:19: twice(3)
t.c:19: expected CALL(twice(3)) == 2
  CALL(twice(3)): 3
t.c:11: expected n == 3
  n: 1
t.c:22: expected 1 == 3
t.c:11: expected n == 3
  n: 2
  called from t.c:24: check(2)
t.c:15: expected false
  called through 4 more CALLs
  called from t.c:15: deep(n - 1)
  called from t.c:15: deep(n - 1)
  called from t.c:15: deep(n - 1)
  called from t.c:15: deep(n - 1)
  called from t.c:15: deep(n - 1)
  called from t.c:15: deep(n - 1)
  called from t.c:15: deep(n - 1)
  called from t.c:15: deep(n - 1)
  called from t.c:15: deep(n - 1)
  called from t.c:15: deep(n - 1)
  called from t.c:15: deep(n - 1)
  called from t.c:15: deep(n - 1)
  called from t.c:15: deep(n - 1)
  called from t.c:15: deep(n - 1)
  called from t.c:15: deep(n - 1)
  called from t.c:25: deep(19)
t.c:26: expected false
t.c:18: expected n == 0
  n: 1
  called from t.c:27: stop(1)
END
}

# Whatever ends it, nothing is left of the CALLs that the test was in.
test_calls_end_with_the_test() {
    for way in 'FAIL("no")' 'SKIP("no")' 'ASSERT(0, "no")'; do
        cat >t.c <<END
#include <run_matrix.h>
FIXTURE(end) { int unused; };
SETUP(end) { self->unused = 0; }
TEARDOWN(end) { EXPECT_EQ(self->unused, 1); }
static void stop(void) { $way; }
TEST(t, USES(end)) { EXPECT_EQ(end->unused, 0); CALL(stop()); }
END
        compile gcc -O0 -o t t.c
        run_test
        case $way in
        SKIP*) ;;
        *) err_has '  called from t.c:6: stop()' ;;
        esac
        tail -n 2 "$scratch/err" >"$scratch/out"
        out_is <<'END'
t.c:4: expected self->unused == 1
  self->unused: 0
END
    done
}

test_fail_is_a_check_with_but_words() {
    write_t <<'END'
static void stop(void) { FAIL("%s", "no"); }
TEST(t) {
    EXPECT_EXITS(FAIL("not %d", 3), 1);
    CALL(stop());
}
END
    says 1 <<'END'
t.c:12: expected FAIL("not %d", 3) to exit with 1
  it exited with 1
  a check in it has failed
  its stderr:
    t.c:12: not 3
t.c:10: no
  called from t.c:13: stop()
END
}

test_a_forked_child_fails_its_test() {
    write_t <<'END'
#include <sys/wait.h>
static void check(int n) { EXPECT_EQ(n, 3); }
TEST(t) { int status;
    if (fork() == 0) { CALL(check(2)); ASSERT_EQ(1, 2); }
    ASSERT_OK(wait(&status));
    ASSERT_EQ(WEXITSTATUS(status), 1);
}
END
    says 1 <<'END'
t.c:11: expected n == 3
  n: 2
  called from t.c:13: check(2)
t.c:13: expected 1 == 2
END
}

# Threads fail side by side, and each failure is whole.
test_many_threads_fail_at_once() {
    cat >t.c <<'END'
#include <run_matrix.h>
#include <pthread.h>
static pthread_barrier_t all;
static void check(int n) { EXPECT_EQ(n, -1); }
static void *run(void *number)
{
    pthread_barrier_wait(&all);
    for (int i = 0; i < 200; i++)
        CALL(check(*(int *)number));
    return NULL;
}
TEST(t)
{
    pthread_t threads[4];
    int numbers[4] = {0, 1, 2, 3};
    ASSERT_EQ(pthread_barrier_init(&all, NULL, 4), 0);
    for (int i = 0; i < 4; i++) ASSERT_EQ(pthread_create(&threads[i], NULL, run, &numbers[i]), 0);
    for (int i = 0; i < 4; i++) ASSERT_EQ(pthread_join(threads[i], NULL), 0);
}
END
    compile gcc -O1 -pthread -o t t.c
    run_test
    status_is 1
    for number in 0 1 2 3; do
        tr '\n' '~' <"$scratch/err" | sed 's/~t\.c:4/\nt.c:4/g' |
            grep -c "^t.c:4: expected n == -1~  n: $number~  called from t.c:9: check(\*(int \*)number)~*\$" >count
        is "$(cat count)" 200
    done
}

# Loaded by somebody else, with the library in it.
test_in_a_module() {
    cat >t.c <<'END'
#include <run_matrix.h>
#include <signal.h>
static void check(int n) { ASSERT_EQ(n, 3); }
TEST(t) { ASSERT_DIES(raise(SIGSEGV), SIGSEGV); CALL(check(2)); }
END
    compile gcc -O1 -shared -fPIC -o t.so t.c
    run_command "${program%/*}/run-matrix-host" ./t.so --case t
    status_is 1
    err_has 'expected n == 3'
    err_has '  n: 2'
    err_has '  called from t.c:4: check(2)'
}

# ---- the page ----

# Each block of statements of docs/checks.md that is followed by what is shown, in a test of its own.
test_the_page_shows_what_happens() {
    awk '
        /^```c$/ { in_c = 1; code = ""; next }
        /^```text$/ { in_text = 1; count++; printf "%s", code >("code" count); next }
        /^```$/ { in_c = in_text = 0; next }
        in_c { code = code $0 "\n" }
        in_text { print >("text" count) }' "$root/docs/checks.md"
    for number in 1 2 3 4 5 6; do
        {
            printf '#include <run_matrix.h>\n'
            for header in errno fcntl signal stdio stdlib unistd; do
                printf '#include <%s.h>\n' "$header"
            done
            echo 'static int count(const char *text) { int words = 2; EXPECT_EQ(words, 3); return *text ? 1 : 2; }'
            echo 'int count_twice(const char *text); int count_twice(const char *text) { return CALL(count(text)) + 3; }'
            echo 'TEST(t) {'
            cat "code$number"
            echo '}'
        } >t.c
        compile gcc -O1 -o t t.c
        run_test
        sed 's/t\.c:[0-9]*/t.c:N/' "$scratch/err" >"$scratch/out"
        sed 's/test_[a-z]*\.c:[0-9]*/t.c:N/; s/^t\.c:N: [a-z]*: /t.c:N: /' "text$number" | out_is
    done
    [ ! -f text7 ] || fail 'there are more of them'
}

run_tests
