#include "runner/base/ladder.h"
#include "runner/base/sig.h"

#include "fixtures/run_matrix.h"
#include <signal.h>
#include <string.h>

struct named {
    int number;
    const char *name;
};

PARAM(named, struct named, {SIGHUP, "SIGHUP"}, {SIGINT, "SIGINT"}, {SIGKILL, "SIGKILL"}, {SIGSEGV, "SIGSEGV"},
      {SIGTERM, "SIGTERM"}, {SIGSTOP, "SIGSTOP"}, {SIGCHLD, "SIGCHLD"}, {SIGPOLL, "SIGIO"},
      {SIGSYS, "SIGSYS"}, {32, "signal 32"}, {33, "signal 33"}, {0, "no signal"}, {-1, "no signal"},
      {65, "no signal"}, {34, "SIGRTMIN"}, {37, "SIGRTMIN+3"}, {64, "SIGRTMIN+30"});

TEST(name, WITH(named))
{
    ASSERT_EQ(signal_name(named.number), named.name);
}

/* What has a name is found by it, with and without SIG, in any case of letters; nothing else is. */
TEST(each_is_found)
{
    for (int number = 1; number <= 64; number++) {
        const char *name = signal_name(number);
        char small[32] = {0};

        if (number == 32 || number == 33) {
            EXPECT_EQ(signal_find(str_of(name)), 0);
            continue;
        }
        for (size_t i = 0; name[i]; i++)
            small[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] | 0x20 : name[i]);
        EXPECT_EQ(signal_find(str_of(name)), number, "%s", name);
        EXPECT_EQ(signal_find(str_of(name + 3)), number, "%s", name);
        EXPECT_EQ(signal_find(str_of(small)), number, "%s", small);
        EXPECT_EQ(signal_find(str_of(small + 3)), number, "%s", small);
    }
}

PARAM(refused, struct str, STR(""), STR("SIG"), STR("SIGSIGINT"), STR("INTT"), STR("IN"), STR(" INT"),
      STR("2"), STR("INT\0"), STR("signal 32"), STR("no signal"), STR("RTMIN+0"), STR("RTMIN+31"),
      STR("SIGRTMIN-1"), STR("SIGRTMIN+03"));

TEST(nothing_else_is_found, WITH(refused))
{
    ASSERT_EQ(signal_find(refused), 0);
}

TEST(targets_have_words)
{
    ASSERT_EQ(ladder_target_words[LADDER_GROUP], "group");
    ASSERT_EQ(ladder_target_words[LADDER_LEADER], "leader");
    ASSERT_EQ(ladder_target_words[LADDER_TREE], "tree");
}
