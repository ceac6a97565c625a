#include "stack.h"

bool stack_push(struct stack *stack, int item)
{
    if (stack->count == STACK_SIZE)
        return false;
    stack->items[stack->count++] = item;
    return true;
}

bool stack_pop(struct stack *stack, int *item)
{
    if (!stack->count)
        return false;
    *item = stack->items[--stack->count];
    return true;
}
