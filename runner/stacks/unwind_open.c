#include "runner/stacks/unwind.h"

#include "runner/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_at_once(const char *path, int flags)
{
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0);
}

/*
 * Which file debugging information is in is told by strangers (.gnu_debuglink, .gnu_debugaltlink, DW_AT_dwo_name), and so are
 * paths in a copy. To open a device may be to do something, and of a FIFO it may last for ever: so what it is is looked at
 * before, by a descriptor that does nothing else, and then that very file is opened.
 */
int open_regular(const char *path)
{
    int found = open_at_once(path, O_PATH | O_CLOEXEC), fd = -1;
    char again[32];
    struct stat st;

    if (found < 0)
        return -1;
    if (fstat(found, &st) == 0 && S_ISREG(st.st_mode)) {
        snprintf(again, sizeof again, "/proc/self/fd/%d", found);
        fd = open_at_once(again, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    } else
        errno = EACCES;
    close(found);
    return fd;
}

/*
 * libdw has no other way to be told. Whatever it opens in this process it opens with these two, which come before libc's. By
 * other names in C, for libc's headers have their own ideas of what they are.
 */
__attribute__((visibility("default"))) int open_of_libdw(const char *path, int flags, ...) __asm__("open");
__attribute__((visibility("default"))) int open64_of_libdw(const char *path, int flags,
                                                           ...) __asm__("open64");

int open_of_libdw(const char *path, int flags, ...)
{
    if ((flags & O_ACCMODE) == O_RDONLY && !(flags & (O_DIRECTORY | O_PATH)))
        return open_regular(path);
    errno = EACCES; /* it has nothing to write, and looks for none in folders */
    return -1;
}

int open64_of_libdw(const char *path, int flags, ...)
{
    return open_of_libdw(path, flags);
}
