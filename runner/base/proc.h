/* /proc as values. A process can vanish between any two reads: every call says so (-1, ESRCH). */
#ifndef RM_BASE_PROC_H
#define RM_BASE_PROC_H

#include "runner/base/buf.h"
#include "runner/base/clock.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_COMM_SIZE    64 /* 16 for processes, more for kernel workers */
#define PROC_CMDLINE_MOST 4096

struct proc_stat {
    pid_t pid, ppid, pgrp, session;
    int tty;
    char state;   /* R S D T t Z X I */
    bool exiting; /* it will not run its program again: what it has open is being closed */
    char comm[PROC_COMM_SIZE];
    uint64_t start_ticks; /* with the pid: an identity that a recycled pid does not share */
    uint64_t user_ticks, system_ticks;
    long threads;
    uint64_t rss_pages;
    uint64_t code_end; /* 0: it is dead, or in the moment of an exec */
    uint64_t env_start,
        env_end; /* 0: the same, or not ours to read; both are there while the kernel still fills it */
};

int proc_stat_read(pid_t pid, struct proc_stat *stat);
/* A process whose first thread has ended shows as a zombie while its others go on. */
bool proc_stat_is_alive(const struct proc_stat *stat);
/*
 * Arguments as one would type them in a shell, cut at PROC_CMDLINE_MOST. Nothing for zombies, for the
 * kernel's own, and in the moment of an exec.
 */
int proc_cmdline(pid_t pid, struct buf *out);

/* Of a state: it is none of the living. */
bool proc_state_is_end(char state);
/* As whom it, or a thread, knows itself, in the innermost namespace that it lives in, by this "status" of it; 0: not known. */
pid_t proc_number_within(const char *status);

/* Call `each` for every pid that is there now; stops when it answers false. 0, or -1 and errno. */
int proc_each(bool (*each)(void *user, pid_t pid), void *user);

int proc_count_fds(pid_t pid); /* -1 and errno */

/* A process that is told apart from a later one with its number. */
struct proc_id {
    pid_t pid;
    uint64_t start_ticks;
};

struct proc_ids {
    struct proc_id *list; /* malloced */
    size_t count, cap;
};
void proc_ids_add(struct proc_ids *ids, struct proc_id id);
void proc_ids_release(struct proc_ids *ids);

struct proc_id proc_id_of(const struct proc_stat *stat);
struct proc_id proc_identify(pid_t pid); /* start_ticks are 0: it is not there */
bool proc_id_equals(struct proc_id a, struct proc_id b);
bool proc_is(struct proc_id id); /* it is there, zombie or not, and the same */
/*
 * A pidfd of it, or -1 and errno (ESRCH: gone, or another one by now). start_ticks tell apart what is 10 ms
 * apart; who needs more looks again at what made it his, now that the number cannot change its meaning.
 */
int proc_open(struct proc_id id);
/*
 * Closed by exec. For our own children, and for what is looked at again afterwards; all others: proc_open. -1
 * and errno.
 */
int pidfd_of(pid_t pid);
int pidfd_signal(int pidfd, int signal); /* 0, or -1 and errno; ESRCH: it is reaped */

/*
 * Adds its children, of all its threads; -1 and errno (ESRCH: gone; ENOENT: a kernel without
 * CONFIG_PROC_CHILDREN). One that forks or dies meanwhile may hide others: who must find all looks until
 * nothing is new.
 */
int proc_children(pid_t pid, struct proc_ids *out);
/*
 * A descriptor of where the kernel tells what it has (fd, maps, environ): of its first thread, or when that
 * has ended and has nothing any more, of one that goes on. It answers ESRCH rather than become another's. -1
 * and errno.
 */
int proc_folder(pid_t pid);
/*
 * The environment that it was executed with, each entry with a NUL behind it; a child that did not execute shows
 * its parent's. 0, or -1 and errno: ESRCH when it is dead, EAGAIN in the moment of an exec, when it has none yet.
 */
int proc_environ(pid_t pid, struct buf *out);
/* Is "NAME=VALUE" in it? */
bool proc_has_variable(pid_t pid, const char *entry);
/* Is its working directory, root or program this folder (no slash at its end), or below it? */
bool proc_stands_in(pid_t pid, const char *folder);
/* Has it a descriptor for writing to something below it? */
bool proc_writes_in(pid_t pid, const char *folder);
bool proc_is_ancestor(pid_t pid);             /* of ours, or ourselves */
nanos proc_age(const struct proc_stat *stat); /* since it was started */
bool proc_boot_id(char out[40]);

/* Pure: one line of /proc/PID/stat; the name in it may hold spaces and brackets. */
bool proc_stat_parse(struct str line, struct proc_stat *stat);

#endif
