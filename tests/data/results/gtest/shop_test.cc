#include <gtest/gtest.h>
TEST(Shop, Price) { EXPECT_EQ(4, 2 + 2); }
TEST(Shop, Discount) { EXPECT_EQ(10, 9) << "no <discount>"; EXPECT_TRUE(false); RecordProperty("till", 3); }
TEST(Shop, Till) { GTEST_SKIP() << "the till is closed"; }
TEST(Shop, DISABLED_Change) {}
TEST(Shop, Throws) { throw std::runtime_error("no stock"); }
class Names : public testing::TestWithParam<const char *> {};
TEST_P(Names, Stay) { EXPECT_TRUE(GetParam()); }
INSTANTIATE_TEST_SUITE_P(All, Names, testing::Values("<&>\"'", "two words"));
template <class T> class Typed : public testing::Test {};
using Types = testing::Types<int, double>;
TYPED_TEST_SUITE(Typed, Types);
TYPED_TEST(Typed, Zero) { EXPECT_EQ(TypeParam(), 0); }
TEST(Crash, DISABLED_Here) { abort(); }
TEST(Crash, Never) {}
