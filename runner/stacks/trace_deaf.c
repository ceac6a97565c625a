#include "runner/stacks/tracing.h"

#include "runner/base/io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE_MOST ((size_t)512)
#define FIELDS    9 /* "61 0x1 0x2 0x3 0x4 0x5 0x6 SP PC" */
#define FIRST_ARG 1
#define FIELD_SP  7
#define FIELD_PC  8

static bool read_call(const struct traced *traced, pid_t tid, uint64_t fields[FIELDS])
{
    char path[64], *end;
    struct buf line = {0};
    const char *at;
    int count = 0;

    snprintf(path, sizeof path, "task/%ld/syscall", (long)tid);
    if (file_read_at(traced->folder, path, &line, LINE_MOST) == 0)
        for (at = buf_text(&line); count < FIELDS; at = end, count++) {
            fields[count] = strtoull(at, &end, 0);
            if (end == at)
                break;
        }
    buf_release(&line);
    return count == FIELDS;
}

#if defined(__x86_64__)

static void set_registers(const uint64_t fields[FIELDS], struct user_regs_struct *registers)
{
    const uint64_t *args = fields + FIRST_ARG;

    *registers = (struct user_regs_struct){
        .rax = (unsigned long long)-ENOSYS,
        .orig_rax = fields[0],
        .rdi = args[0],
        .rsi = args[1],
        .rdx = args[2],
        .r10 = args[3],
        .r8 = args[4],
        .r9 = args[5],
        .rsp = fields[FIELD_SP],
        .rip = fields[FIELD_PC],
    };
}

#elif defined(__aarch64__)

static void set_registers(const uint64_t fields[FIELDS], struct user_regs_struct *registers)
{
    *registers = (struct user_regs_struct){.sp = fields[FIELD_SP], .pc = fields[FIELD_PC]};
    for (int i = 0; i < 6; i++)
        registers->regs[i] = fields[FIRST_ARG + i];
}

#endif

bool registers_of_call(const struct traced *traced, pid_t tid, struct user_regs_struct *registers)
{
    uint64_t fields[FIELDS];

    if (!read_call(traced, tid, fields))
        return false;
    set_registers(fields, registers);
    return true;
}
