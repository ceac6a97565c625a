/* run-matrix: cflags: -I.. -DSTACK_SIZE=2; sources: ../stack.c */
#include <run_matrix.h>

#include "stack.h"

TEST(gives_back_what_was_last)
{
    struct stack stack = {0};
    int item = 0;

    stack_push(&stack, 1);
    stack_push(&stack, 2);
    if (!stack_pop(&stack, &item) || item != 2)
        FAIL("it gave %d", item);
}

TEST(holds_no_more_than_it_can)
{
    struct stack stack = {0};

    if (!stack_push(&stack, 1) || !stack_push(&stack, 2))
        FAIL("there was no room");
    if (stack_push(&stack, 3))
        FAIL("there was room for three");
}
