#include "runner/base/chance.h"

#include <errno.h>
#include <sys/random.h>

bool chance_hex(char *out, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[CHANCE_MOST];
    ssize_t got;

    do
        got = getrandom(bytes, count, 0);
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)count)
        return false;
    for (size_t i = 0; i < count; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * count] = '\0';
    return true;
}
