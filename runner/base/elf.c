#include "runner/base/elf.h"

#include "runner/base/io.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define HEADERS_MOST 64
#define DYNAMIC_MOST 512
#define NAME_MOST    256
#define NOTES_MOST   4096 /* bytes of one header's */

struct object {
    int fd;
    ElfW(Phdr) headers[HEADERS_MOST];
    size_t header_count;
    ElfW(Dyn) dynamic[DYNAMIC_MOST];
    size_t dynamic_count;
    uint64_t strings; /* where they are in the file */
};

static bool read_at(const struct object *object, void *to, size_t size, uint64_t at)
{
    return at <= INT64_MAX && pread(object->fd, to, size, (off_t)at) == (ssize_t)size;
}

static bool read_headers(struct object *object)
{
    static const unsigned char native = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
    ElfW(Ehdr) head;

    if (!read_at(object, &head, sizeof head, 0) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
        head.e_ident[EI_CLASS] != native || head.e_phentsize != sizeof *object->headers ||
        head.e_phnum > HEADERS_MOST)
        return false;
    object->header_count = head.e_phnum;
    return read_at(object, object->headers, head.e_phnum * sizeof *object->headers, head.e_phoff);
}

static bool read_dynamic(struct object *object)
{
    for (size_t i = 0; i < object->header_count; i++) {
        const ElfW(Phdr) *header = &object->headers[i];

        if (header->p_type != PT_DYNAMIC)
            continue;
        object->dynamic_count = header->p_filesz / sizeof *object->dynamic;
        if (object->dynamic_count > DYNAMIC_MOST)
            object->dynamic_count = DYNAMIC_MOST;
        return read_at(object, object->dynamic, object->dynamic_count * sizeof *object->dynamic,
                       header->p_offset);
    }
    return false;
}

/* The loader's address as a place in the file. */
static bool find_strings(struct object *object, uint64_t address)
{
    for (size_t i = 0; i < object->header_count; i++) {
        const ElfW(Phdr) *header = &object->headers[i];

        if (header->p_type == PT_LOAD && address >= header->p_vaddr &&
            address - header->p_vaddr < header->p_filesz) {
            object->strings = header->p_offset + (address - header->p_vaddr);
            return true;
        }
    }
    return false;
}

static const ElfW(Dyn) * find_entry(const struct object *object, int64_t tag)
{
    for (size_t i = 0; i < object->dynamic_count && object->dynamic[i].d_tag != DT_NULL; i++)
        if (object->dynamic[i].d_tag == tag)
            return &object->dynamic[i];
    return NULL;
}

/* A name is read up to its end, or not at all. */
static bool take_name(const struct object *object, uint64_t at, bool (*take)(void *user, struct str name),
                      void *user)
{
    char name[NAME_MOST];
    ssize_t got = at > INT64_MAX - object->strings
                      ? -1
                      : pread(object->fd, name, sizeof name, (off_t)(object->strings + at));
    const char *end = got > 0 ? memchr(name, '\0', (size_t)got) : NULL;

    return !end || take(user, (struct str){name, (size_t)(end - name)});
}

static bool tell(struct object *object, bool (*take)(void *user, struct str name), void *user)
{
    const ElfW(Dyn) * strings;
    unsigned told = 0;

    if (!read_headers(object) || !read_dynamic(object))
        return false;
    strings = find_entry(object, DT_STRTAB);
    if (!strings || !find_strings(object, strings->d_un.d_ptr))
        return false;
    for (size_t i = 0; i < object->dynamic_count && object->dynamic[i].d_tag != DT_NULL; i++)
        if (object->dynamic[i].d_tag == DT_NEEDED &&
            (++told > ELF_NEEDED_MOST || !take_name(object, object->dynamic[i].d_un.d_val, take, user)))
            break;
    return true;
}

static struct object open_object(const char *path)
{
    return (struct object){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
}

bool elf_needed(const char *path, bool (*take)(void *user, struct str name), void *user)
{
    struct object object = open_object(path);
    bool good = object.fd >= 0 && tell(&object, take, user);

    fd_close(&object.fd);
    return good;
}

/* ---- notes ---- */

static size_t padded(uint32_t size)
{
    return ((size_t)size + 3) & ~(size_t)3;
}

static bool is_among(const char *notes, size_t size, const char *owner, uint32_t type)
{
    ElfW(Nhdr) note;

    for (size_t at = 0; size - at >= sizeof note;) {
        memcpy(&note, notes + at, sizeof note);
        at += sizeof note;
        if (padded(note.n_namesz) > size - at)
            return false;
        if (note.n_type == type && note.n_namesz > strlen(owner) &&
            memcmp(notes + at, owner, strlen(owner) + 1) == 0)
            return true;
        at += padded(note.n_namesz);
        if (padded(note.n_descsz) > size - at)
            return false;
        at += padded(note.n_descsz);
    }
    return false;
}

static bool find_note(struct object *object, const char *owner, uint32_t type)
{
    char notes[NOTES_MOST];

    if (!read_headers(object))
        return false;
    for (size_t i = 0; i < object->header_count; i++) {
        const ElfW(Phdr) *header = &object->headers[i];
        size_t size = header->p_filesz < sizeof notes ? header->p_filesz : sizeof notes;

        if (header->p_type == PT_NOTE && read_at(object, notes, size, header->p_offset) &&
            is_among(notes, size, owner, type))
            return true;
    }
    return false;
}

bool elf_has_note(const char *path, const char *owner, uint32_t type)
{
    struct object object = open_object(path);
    bool found = object.fd >= 0 && find_note(&object, owner, type);

    fd_close(&object.fd);
    return found;
}
