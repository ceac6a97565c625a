/*
 * System calls without the C library, for a child that shares its parent's memory: errno and whatever else is per
 * thread belong to the thread that made it.
 */
#ifndef RM_BACKENDS_RAW_H
#define RM_BACKENDS_RAW_H

#include <sys/syscall.h>

/* The result or -errno: RAW(close, fd). Up to five arguments, numbers or pointers. */
#define RAW(name, ...) RAW_PADDED(SYS_##name, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define RAW_PADDED(number, a, b, c, d, e, ...) \
    raw_call((number), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))

#if defined(__x86_64__)

static inline long raw_call(long number, long a, long b, long c, long d, long e)
{
    register long fourth __asm__("r10") = d;
    register long fifth __asm__("r8") = e;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth)
                     : "rcx", "r11", "cc", "memory");
    return result;
}

/*
 * clone or clone3: as a function cannot return on a stack that it was not called on, the child goes to `entry`, which
 * does not return at all. Nothing above it, so that a debugger sees where it ends.
 */
static inline long raw_clone(long number, const long args[5], void (*entry)(void *user), void *user)
{
    register long fourth __asm__("r10") = args[3];
    register long fifth __asm__("r8") = args[4];
    register void (*to)(void *user) __asm__("r9") = entry;
    long result;

    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "mov %%rbx, %%rdi\n\t"
                     "call *%%r9\n\t"
                     "ud2\n"
                     "1:"
                     : "=a"(result)
                     : "a"(number), "D"(args[0]), "S"(args[1]), "d"(args[2]), "r"(fourth), "r"(fifth),
                       "r"(to), "b"(user)
                     : "rcx", "r11", "cc", "memory");
    return result;
}

/* clone's order of arguments is not the same everywhere. */
#define RAW_CLONE_ARGS(flags, stack, pidfd, tid) \
    {                                            \
        (flags), (stack), (pidfd), (tid), 0      \
    }

#elif defined(__aarch64__)

static inline long raw_call(long number, long a, long b, long c, long d, long e)
{
    register long nr __asm__("x8") = number;
    register long first __asm__("x0") = a;
    register long second __asm__("x1") = b;
    register long third __asm__("x2") = c;
    register long fourth __asm__("x3") = d;
    register long fifth __asm__("x4") = e;

    __asm__ volatile("svc #0"
                     : "+r"(first)
                     : "r"(nr), "r"(second), "r"(third), "r"(fourth), "r"(fifth)
                     : "cc", "memory");
    return first;
}

static inline long raw_clone(long number, const long args[5], void (*entry)(void *user), void *user)
{
    register long nr __asm__("x8") = number;
    register long first __asm__("x0") = args[0];
    register long second __asm__("x1") = args[1];
    register long third __asm__("x2") = args[2];
    register long fourth __asm__("x3") = args[3];
    register long fifth __asm__("x4") = args[4];
    register void (*to)(void *user) __asm__("x9") = entry;
    register void *with __asm__("x10") = user;

    __asm__ volatile("svc #0\n\t"
                     "cbnz x0, 1f\n\t"
                     "mov x29, #0\n\t"
                     "mov x30, #0\n\t"
                     "mov x0, x10\n\t"
                     "blr x9\n\t"
                     "brk #1\n"
                     "1:"
                     : "+r"(first)
                     : "r"(nr), "r"(second), "r"(third), "r"(fourth), "r"(fifth), "r"(to), "r"(with)
                     : "cc", "memory");
    return first;
}

#define RAW_CLONE_ARGS(flags, stack, pidfd, tid) \
    {                                            \
        (flags), (stack), (pidfd), 0, (tid)      \
    }

#else
#error \
    "processes are started by raw system calls, which are written for x86_64 and aarch64 only: see backends/raw.h"
#endif

#endif
