#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/base/buf.h"
#include "runner/base/elf.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

/* An object as small as can be: headers, two entries that load and tell, their table, its strings. */
struct image {
    ElfW(Ehdr) head;
    ElfW(Phdr) headers[2];
    ElfW(Dyn) dynamic[5];
    char strings[32];
};

#define LOADED_AT 0x10000

static struct image image_of(void)
{
    struct image image = {
        .headers =
            {
                {.p_type = PT_LOAD, .p_vaddr = LOADED_AT, .p_filesz = sizeof image},
                {.p_type = PT_DYNAMIC,
                 .p_offset = offsetof(struct image, dynamic),
                 .p_filesz = sizeof image.dynamic},
            },
        .dynamic =
            {
                {.d_tag = DT_NEEDED, .d_un.d_val = 1},
                {.d_tag = DT_STRTAB, .d_un.d_ptr = LOADED_AT + offsetof(struct image, strings)},
                {.d_tag = DT_NEEDED, .d_un.d_val = 6},
                {.d_tag = DT_NULL},
                {.d_tag = DT_NEEDED, .d_un.d_val = 1},
            },
        .strings = "\0one\0\0two",
    };

    memcpy(image.head.e_ident, ELFMAG, SELFMAG);
    image.head.e_ident[EI_CLASS] = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
    image.head.e_phoff = offsetof(struct image, headers);
    image.head.e_phentsize = sizeof(ElfW(Phdr));
    image.head.e_phnum = 2;
    return image;
}

static bool take(void *user, struct str name)
{
    struct buf *names = user;

    buf_addstr(names, name);
    buf_addc(names, ' ');
    return !str_is(name, "stop");
}

/* `wanted` NULL: it is refused. */
static void is_read(const char *what, const void *bytes, size_t size, const char *wanted)
{
    char path[] = "/tmp/test_elfXXXXXX";
    int fd = mkstemp(path);
    struct buf names = {0};
    bool good;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    fd_close(&fd);
    good = elf_needed(path, take, &names);
    unlink(path);
    if (good != (wanted != NULL) || (wanted && strcmp(buf_text(&names), wanted) != 0))
        fail_msg("%s: %s '%s'", what, good ? "read" : "refused", buf_text(&names));
    buf_release(&names);
}

static void test_names(void **state)
{
    struct image image = image_of();

    (void)state;
    is_read("whole", &image, sizeof image, "one two ");
    memcpy(image.strings + 1, "stop", 5);
    is_read("stopped", &image, sizeof image, "stop ");
}

static void test_what_is_no_object(void **state)
{
    struct image image = image_of();

    (void)state;
    is_read("empty", "", 0, NULL);
    is_read("a script", "#!/bin/sh\n", 10, NULL);
    image.head.e_ident[EI_CLASS] ^= ELFCLASS32 ^ ELFCLASS64;
    is_read("another machine", &image, sizeof image, NULL);
    assert_false(elf_needed("/nowhere", take, NULL));
    assert_false(elf_needed("/tmp", take, NULL));
}

/* Cut anywhere: nothing is read that is not there. */
static void test_cut(void **state)
{
    const struct image image = image_of();

    (void)state;
    for (size_t size = 0; size < offsetof(struct image, strings); size++)
        is_read("cut", &image, size, NULL);
    is_read("without strings", &image, offsetof(struct image, strings), "");
    is_read("with one", &image, offsetof(struct image, strings) + 5, "one ");
}

/* Every byte of headers and table, turned to what is far off: it may be refused, and ends in any case. */
static void test_nonsense(void **state)
{
    static const unsigned char values[] = {0, 1, 0x7f, 0x80, 0xff};

    (void)state;
    for (size_t at = 0; at < offsetof(struct image, strings); at++)
        for (size_t i = 0; i < ARRAY_LEN(values); i++) {
            struct image image = image_of();
            char path[] = "/tmp/test_elfXXXXXX";
            int fd = mkstemp(path);
            struct buf names = {0};

            ((unsigned char *)&image)[at] = values[i];
            assert_true(fd >= 0);
            assert_int_equal(write(fd, &image, sizeof image), sizeof image);
            fd_close(&fd);
            elf_needed(path, take, &names);
            unlink(path);
            assert_true(names.len <= sizeof image.strings * ARRAY_LEN(image.dynamic));
            buf_release(&names);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_what_is_no_object),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_nonsense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
