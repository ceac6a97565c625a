#include "runner/stacks/unwind.h"

#include "runner/base/io.h"

#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#define DELETED     " (deleted)"
#define VDSO_SIZE   (2 * 4096u) /* at least so much of it is mapped */
#define HEADER_MOST 65536u

#define BUILD_ID_MOST 64 /* bytes */

/* ---- files ---- */

/*
 * What is at a path now need not be what is mapped: it may have been replaced since. Only numbers of inodes are compared,
 * as file systems in layers tell other devices here and there.
 */
static int open_same(const char *path, uint64_t inode)
{
    int fd = open_regular(path);
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == inode)
        return fd;
    fd_close(&fd);
    return -1;
}

/*
 * As the process sees it: by the very mapping, where we may; in its root; for one that has died or hidden itself, in ours.
 * Its program is there by a link too, also when it was removed.
 */
static int open_image(struct arena *arena, const struct image *image, pid_t pid, uint64_t start, uint64_t end)
{
    const char *ways[] = {
        arena_printf(arena, "/proc/%ld/root%s", (long)pid, image->path),
        arena_printf(arena, "/proc/%ld/map_files/%llx-%llx", (long)pid, (unsigned long long)start,
                     (unsigned long long)end),
        arena_printf(arena, "/proc/%ld/exe", (long)pid),
        image->path,
    };
    int fd = -1;

    for (size_t i = 0; fd < 0 && i < sizeof ways / sizeof *ways; i++)
        fd = open_same(ways[i], image->inode);
    return fd;
}

static Elf *read_elf(int fd)
{
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);

    if (elf && elf_kind(elf) == ELF_K_ELF)
        return elf;
    elf_end(elf);
    return NULL;
}

Elf *image_elf(const struct image *image)
{
    return image->elf ? elf_begin(-1, ELF_C_READ_MMAP, image->elf) : NULL;
}

static struct image *add_image(struct unwind *u, const struct image *like)
{
    struct image *image = ARENA_NEW(&u->arena, struct image);

    *image = *like;
    image->next = u->images;
    u->images = image;
    return image;
}

struct image *image_of(struct unwind *u, const struct image *like, const struct copied_process *process,
                       uint64_t start, uint64_t end)
{
    struct image *image = u->images;
    int fd;

    while (image && (image->inode != like->inode || image->device != like->device ||
                     strcmp(image->path, like->path) != 0))
        image = image->next;
    if (image)
        return image;
    image = add_image(u, like);
    fd = open_image(&u->arena, image, process->id.pid, start, end);
    if (fd >= 0)
        image->elf = read_elf(fd);
    if (!image->elf)
        fd_close(&fd);
    return image;
}

const char *build_id_of(struct unwind *u, Dwfl_Module *module)
{
    const unsigned char *bits;
    GElf_Addr at;
    int length = dwfl_module_build_id(module, &bits, &at);
    struct buf hex = {0};
    const char *text;

    if (length <= 0 || length > BUILD_ID_MOST)
        return NULL;
    for (int i = 0; i < length; i++)
        buf_addf(&hex, "%02x", bits[i]);
    text = arena_cstr(&u->arena, buf_str(&hex));
    buf_release(&hex);
    return text;
}

/* ---- what the kernel lends to everybody ---- */

/* Everybody has the same one, and so have we. */
struct image *image_of_vdso(struct unwind *u)
{
    unsigned long address = getauxval(AT_SYSINFO_EHDR);
    struct image *image = u->images, like = {.path = "[vdso]"};
    const ElfW(Ehdr) *header = (const void *)(uintptr_t)address;
    size_t size;

    while (image && strcmp(image->path, "[vdso]") != 0)
        image = image->next;
    if (image)
        return image;
    if (address) {
        size = header->e_shoff + (size_t)header->e_shnum * header->e_shentsize;
        like.elf =
            elf_memory((char *)(uintptr_t)address, size > VDSO_SIZE && size < HEADER_MOST ? size : VDSO_SIZE);
    }
    return add_image(u, &like);
}
