/* What is wrong with a file that cannot be executed. */
#include "backends/internal.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#define HEAD_SIZE 4096
#define LINE_MOST 256 /* of a "#!" line the kernel reads as much */

struct program {
    const char *path;
    int base;  /* the folder a relative path begins at: AT_FDCWD or ours to close */
    int error; /* that stat met, 0: `stat` is valid */
    struct stat stat;
    char head[HEAD_SIZE];
    struct str text; /* the beginning of the file, as much of it as could be read */
};

/* ---- looking ---- */

/* Only of regular files: others could keep us waiting. */
static void read_head(struct program *program)
{
    int fd = openat(program->base, program->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : pread(fd, program->head, sizeof program->head, 0);

    program->text = (struct str){program->head, got > 0 ? (size_t)got : 0};
    fd_close(&fd);
}

static void program_open(struct program *program, const struct spawn_spec *spec)
{
    bool elsewhere = spec->cwd && spec->path[0] != '/';

    program->path = spec->path;
    program->base = elsewhere ? open(spec->cwd, O_PATH | O_DIRECTORY | O_CLOEXEC) : AT_FDCWD;
    program->error = fstatat(program->base, program->path, &program->stat, 0) < 0 ? errno : 0;
    program->text = (struct str){program->head, 0};
    if (!program->error && S_ISREG(program->stat.st_mode))
        read_head(program);
}

static void program_close(struct program *program)
{
    if (program->base >= 0)
        fd_close(&program->base);
}

/* ---- scripts ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* What a first line of "#!/bin/sh -e" names, as the kernel reads it: a '\r' belongs to the name. */
static bool find_interpreter(const struct program *program, struct str *name)
{
    struct str line = program->text;
    size_t end;

    if (!str_starts(line, "#!"))
        return false;
    line = str_slice(line, 2, line.len < LINE_MOST ? line.len : LINE_MOST);
    if (str_find(line, "\n", &end))
        line.len = end;
    while (line.len && is_blank(line.ptr[0]))
        line = str_slice(line, 1, line.len);
    *name = (struct str){line.ptr, 0};
    while (name->len < line.len && !is_blank(line.ptr[name->len]) && line.ptr[name->len])
        name->len++;
    return true;
}

/* A relative interpreter begins where the program does. */
static bool may_execute(const struct program *program, struct str name)
{
    char path[LINE_MOST + 1];
    struct stat stat;

    memcpy(path, name.ptr, name.len);
    path[name.len] = '\0';
    return fstatat(program->base, path, &stat, 0) == 0 && S_ISREG(stat.st_mode) &&
           faccessat(program->base, path, X_OK, AT_EACCESS) == 0;
}

static void add_interpreter(struct buf *out, struct str name, const char *what)
{
    buf_adds(out, "its interpreter ");
    add_quoted(out, name);
    buf_addf(out, " %s", what);
    if (str_ends(name, "\r"))
        buf_adds(out, ": the lines of the script end in CR LF, save it with LF alone");
}

/* ---- ELF ---- */

/* Names as uname has them. */
static const struct {
    unsigned number;
    const char *name;
} machines[] = {
    {EM_X86_64, "x86_64"}, {EM_AARCH64, "aarch64"}, {EM_386, "i686"},
    {EM_ARM, "armv7l"},    {EM_RISCV, "riscv64"},   {EM_PPC64, "ppc64le"},
    {EM_S390, "s390x"},    {EM_MIPS, "mips64"},     {EM_LOONGARCH, "loongarch64"},
};

static const char *machine_name(unsigned number)
{
    for (size_t i = 0; i < ARRAY_LEN(machines); i++)
        if (machines[i].number == number)
            return machines[i].name;
    return "another machine";
}

/* The first fields are alike in files of 32 and of 64 bits. */
static bool read_elf(const struct program *program, Elf64_Ehdr *elf)
{
    if (program->text.len < sizeof *elf || memcmp(program->head, ELFMAG, SELFMAG) != 0)
        return false;
    memcpy(elf, program->head, sizeof *elf);
    return true;
}

/* The dynamic loader it asks for, when that can be seen from the beginning of the file. */
static struct str find_loader(const struct program *program)
{
    Elf64_Ehdr elf;
    struct str all = program->text;

    if (!read_elf(program, &elf) || elf.e_ident[EI_CLASS] != ELFCLASS64)
        return (struct str){0};
    for (size_t i = 0; i < elf.e_phnum && elf.e_phoff < all.len; i++) {
        Elf64_Phdr part;
        size_t at = elf.e_phoff + i * sizeof part;

        if (at + sizeof part > all.len)
            break;
        memcpy(&part, all.ptr + at, sizeof part);
        if (part.p_type == PT_INTERP && part.p_offset < all.len && part.p_filesz <= all.len - part.p_offset)
            return (struct str){all.ptr + part.p_offset, strnlen(all.ptr + part.p_offset, part.p_filesz)};
    }
    return (struct str){0};
}

static void add_elf(struct buf *out, const Elf64_Ehdr *elf)
{
    struct utsname here;
    const char *there = machine_name(elf->e_machine);

    uname(&here);
    if (elf->e_type == ET_REL)
        buf_adds(out, "an object file, not linked yet");
    else if (strcmp(there, here.machine) != 0)
        buf_addf(out, "made for %s, this is %s", there, here.machine);
    else
        buf_adds(out, "the file is damaged, or not written to its end");
}

/* ---- answers ---- */

static void add_folder(struct buf *out, const struct program *program)
{
    const char *slash = strrchr(program->path, '/');
    struct str folder = {program->path, slash ? (size_t)(slash - program->path) : 0};
    char path[PATH_MAX];

    if (folder.len == 0 || folder.len >= sizeof path)
        return;
    memcpy(path, folder.ptr, folder.len);
    path[folder.len] = '\0';
    if (faccessat(program->base, path, F_OK, 0) == 0)
        return;
    buf_adds(out, "there is no ");
    add_quoted(out, folder);
}

static void add_absent(struct buf *out, const struct program *program, const struct spawn_spec *spec)
{
    char target[PATH_MAX];
    ssize_t len = readlinkat(program->base, program->path, target, sizeof target);

    if (len >= 0) {
        buf_adds(out, "a link to ");
        add_quoted(out, (struct str){target, (size_t)len});
        buf_adds(out, ", which is not there");
        return;
    }
    add_folder(out, program);
    if (!out->len && spec->cwd && spec->path[0] != '/') {
        buf_adds(out, "looked for from ");
        add_quoted(out, str_of(spec->cwd));
    }
}

void program_missing(struct buf *out, const struct spawn_spec *spec)
{
    struct program program;
    struct str name;

    program_open(&program, spec);
    if (program.error) {
        add_absent(out, &program, spec);
    } else if (find_interpreter(&program, &name)) {
        add_interpreter(out, name, "is not there");
    } else if ((name = find_loader(&program)).len) {
        buf_adds(out, "its loader ");
        add_quoted(out, name);
        buf_adds(out, " is not there");
    }
    program_close(&program);
}

static bool on_noexec(const struct program *program)
{
    int fd = openat(program->base, program->path, O_PATH | O_CLOEXEC);
    struct statvfs fs;
    bool noexec = fd >= 0 && fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_NOEXEC);

    fd_close(&fd);
    return noexec;
}

void program_forbidden(struct buf *out, const struct spawn_spec *spec)
{
    struct program program;
    struct str name;

    program_open(&program, spec);
    if (program.error)
        buf_adds(out, "a folder on the way to it may not be entered");
    else if (S_ISDIR(program.stat.st_mode))
        buf_adds(out, "it is a folder");
    else if (!S_ISREG(program.stat.st_mode))
        buf_adds(out, "it is no regular file");
    else if (!(program.stat.st_mode & 0111))
        buf_adds(out, "not executable: chmod +x");
    else if (on_noexec(&program))
        buf_adds(out, "its file system is mounted noexec");
    else if (faccessat(program.base, program.path, X_OK, AT_EACCESS) < 0)
        buf_adds(out, "not executable for this user");
    else if (find_interpreter(&program, &name) && !may_execute(&program, name))
        add_interpreter(out, name, "may not be executed");
    program_close(&program);
}

static void add_foreign(struct buf *out, const struct program *program)
{
    static const struct {
        const char *magic, *what;
    } others[] = {
        {"MZ", "a program for Windows"},
        {"\xcf\xfa\xed\xfe", "a program for macOS"},
        {"\xca\xfe\xba\xbe", "a class of Java, or a program for macOS"},
        {"PK", "an archive: is it one for java -jar, or python?"},
    };

    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (str_starts(program->text, others[i].magic)) {
            buf_adds(out, others[i].what);
            return;
        }
    if (memchr(program->head, '\0', program->text.len))
        buf_adds(out, "it is no program");
    else
        buf_adds(out, "its first line does not name an interpreter, as '#!/bin/sh' does");
}

void program_foreign(struct buf *out, const struct spawn_spec *spec)
{
    struct program program;
    struct str name;
    Elf64_Ehdr elf;

    program_open(&program, spec);
    if (!program.error && program.stat.st_size == 0)
        buf_adds(out, "the file is empty");
    else if (read_elf(&program, &elf))
        add_elf(out, &elf);
    else if (find_interpreter(&program, &name) && name.len)
        add_interpreter(out, name, "is no program");
    else if (program.text.len)
        add_foreign(out, &program);
    program_close(&program);
}

void program_circular(struct buf *out, const struct spawn_spec *spec)
{
    struct program program;
    struct str name;

    program_open(&program, spec);
    if (!program.error && find_interpreter(&program, &name))
        add_interpreter(out, name, "is a script too, and so on without end");
    program_close(&program);
}
