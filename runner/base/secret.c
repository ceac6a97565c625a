#include "runner/base/secret.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define PLAIN_DIGITS_MOST 7

/* Does a word of the name end there? It may be one of several, or have a number. */
static bool is_end(struct str name, size_t at)
{
    if (at < name.len && (name.ptr[at] == 'S' || name.ptr[at] == 's'))
        at++;
    while (at < name.len && isdigit((unsigned char)name.ptr[at]))
        at++;
    return at == name.len || name.ptr[at] == '_';
}

static bool ends_word(struct str name, const char *what)
{
    size_t length = strlen(what);

    for (size_t at = 0; at + length <= name.len; at++)
        if (strncasecmp(name.ptr + at, what, length) == 0 && is_end(name, at + length))
            return true;
    return false;
}

bool secret_is_name(struct str name)
{
    static const char *const words[] = {"TOKEN",      "SECRET",  "PASSWORD", "PASSWD",      "PASSPHRASE",
                                        "CREDENTIAL", "API_KEY", "APIKEY",   "PRIVATE_KEY", "ACCESS_KEY"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (ends_word(name, words[i]))
            return true;
    return false;
}

bool secret_is_plain(struct str value)
{
    static const char *const switches[] = {"true", "false", "yes", "no"};
    size_t digits = 0;

    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++)
        if (value.len == strlen(switches[i]) && strncasecmp(value.ptr, switches[i], value.len) == 0)
            return true;
    while (digits < value.len && isdigit((unsigned char)value.ptr[digits]))
        digits++;
    return digits == value.len && digits <= PLAIN_DIGITS_MOST;
}
