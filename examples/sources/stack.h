#ifndef STACK_H
#define STACK_H

#include <stdbool.h>

struct stack {
    int items[STACK_SIZE];
    int count;
};

bool stack_push(struct stack *stack, int item); /* false: it is full */
bool stack_pop(struct stack *stack, int *item);

#endif
