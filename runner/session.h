/*
 * A run while it goes on. The session owns what all cases share; a slot owns what one running case needs. Opened in
 * the order of the members, closed the other way round.
 */
#ifndef RM_RUNNER_SESSION_H
#define RM_RUNNER_SESSION_H

#include "ci/job.h"
#include "runner/case_inside.h"
#include "runner/case_results.h"
#include "runner/fixture.h"
#include "runner/front.h"
#include "runner/guard.h"
#include "runner/harness/harness.h"
#include "runner/journal/journal.h"
#include "runner/keep.h"
#include "runner/leaks/leaks.h"
#include "runner/life.h"
#include "runner/queue/queue.h"
#include "runner/recipe/recipe.h"
#include "runner/resume.h"
#include "runner/retries.h"
#include "runner/screen/progress.h"
#include "runner/screen/tty.h"
#include "runner/signals.h"
#include "runner/soak/soak.h"
#include "runner/store/store.h"
#include "runner/workdir.h"

#include <sys/resource.h>
#include <termios.h>

#define SESSION_SETUP (10 * NS_PER_S) /* a case has to get as far as its program in */

#define SESSION_RECORDS 3 /* of an attempt that ends: what its test said, its files, and its end */

/* A daemon that a case uses, as the watch knows it. */
struct dump_daemon {
    uint32_t place, generation;
    pid_t pid;
    const char *name; /* of the fixture */
};

/*
 * What a dump of an attempt, or of a process of a fixture, needs to know; written before that is watched, and left alone as
 * long as it is.
 */
struct dump_subject {
    struct str id;
    const char *folder; /* of its output, in the run's */
    uint32_t attempt;
    pid_t pid;
    const char *role; /* of that one */
    nanos timeout;
    const struct capture *capture;
    const struct recipe *recipe; /* NULL: a fixture's */
    int inside; /* the private folder of a case that tells of its stacks itself, not owned; -1: it does not */
    const struct dump_daemon *daemons;
    uint32_t daemon_count;
};

struct dump_job;

/* A place where a case can run; one of -n. */
struct slot {
    uint32_t number;
    bool busy;
    bool unwatched; /* the loop is not told of its end, and has to look */
    bool listed;    /* its generation is the watch's: there is a process */
    uint32_t generation;
    pid_t pid;
    int pidfd;          /* the watch's: only to be waited for */
    uint32_t on;        /* number of the case */
    uint32_t recorded;  /* ... in the journal */
    struct arena arena; /* of the attempt; cleared when the next one begins */
    struct recipe recipe;
    struct spawn *spawn;
    uint32_t posted;       /* its place on the board */
    struct server *server; /* that was asked for its process, and has not answered; NULL: none */
    struct capture capture;
    struct relay relays[2]; /* of descriptors 1 and 2; of the streams of a C test */
    uint32_t relay_count;
    int cut; /* errno with which what it wrote could not be kept any more; 0: all is */
    struct workdir tmp, shm, artifacts;
    struct address reg_addr;
    struct instance *fixtures; /* the attempt's own; in the arena */
    uint32_t fixture_count;
    bool preparing;           /* they are on their way, and it waits for them */
    bool cleaning, awaited;   /* they are to go; it waits for that */
    bool put_back;            /* when they are gone its start is tried again */
    bool given_up;            /* while it was preparing, as the run is to end */
    const char *fixture_died; /* a daemon that it used, in words; NULL: none has */
    const char *teardown;     /* what went wrong with theirs; NULL: nothing */
    struct case_results results;
    struct leak_list leaks;    /* what it left behind; in the arena */
    size_t own_leaks;          /* those from here on are in folders and namespaces of its own */
    bool looked;               /* at who was left when its own process had ended */
    struct journal_leak *left; /* the same for the record */
    uint32_t left_count, left_more;
    nanos taken;                /* by this attempt, on the watch's clock */
    nanos started;              /* on the watch's clock */
    const char *prefix;         /* of lines that are shown as they come */
    bool tailed;                /* its output has a name already, so that somebody can follow it */
    const char *reports;        /* RUN_MATRIX_RESULTS; NULL: it has none */
    const char *setup;          /* what could not be set up, NULL: all could */
    enum case_event outcome;    /* of the start */
    struct watch_ending ending; /* when `listed` and the process is gone */
    struct said *said;          /* what its test said; in the arena; NULL: nothing */
    struct crash *crash;        /* its stack is being read; NULL: it is not */
    const char
        *folder; /* relative to the run's: for what a C test keeps beside its streams; NULL: it is none */
    const struct dump_subject *subject; /* when it is `listed` */
    struct dump_job *dump;              /* that was made before its end; until the record */
    const char *dump_path;              /* in the run's folder; NULL: none was written */
    bool dump_partial;
    bool dumped_meanwhile; /* as it went on: files of ours lie beside its output before it is over */
    uint32_t dumps_asked;  /* by SIGUSR2 */
    struct journal_output outputs[CAPTURE_FILES_MOST]; /* what the record points to */
    enum soak_worth worth;      /* of an attempt of a soak, when it was judged: how much of it is kept */
    struct soak_outcome soaked; /* ... what the soak was told; in the arena */
    struct journal_rung rungs[WATCH_RUNGS_MOST];
    struct str notes[JOURNAL_NOTES_MOST];
};

/* What is said of retries before the first case starts. */
struct retry_plan {
    uint32_t cases, most; /* cases that may be run again; how often at most */
    uint32_t at_end;      /* of these cases */
    bool flaky_fails;     /* for some of them */
};

struct session {
    struct invocation *in;
    struct front *front;
    struct arena *arena;

    /* What was asked for. */
    uint32_t jobs;
    enum keep keep;
    int64_t failures_most; /* -x, --maxfail; 0: no limit */
    bool
        interactive; /* -s on a terminal, or --debugger: cases get it as it is, and stay in our session and group */
    struct termios modes; /* of that terminal, put back after each case ... */
    bool has_modes;       /* ... when standard input is one: a debugger gets whatever there is */
    const char *no_tests;
    nanos session_timeout;

    struct faults faults;
    struct rlimit files_before; /* RLIMIT_NOFILE as our caller set it: what cases get */
    struct signals signals;
    struct tty tty;
    struct store store;
    struct run_folder run;
    char *run_path;  /* absolute; malloced */
    uint64_t digest; /* of the ids: a run is resumed with the same cases */
    struct journal *journal;
    const struct journal_record *resumed; /* NULL: a new run */
    struct contain *contain;
    const char *containment,
        *containment_why; /* what reports call it; why none that is stronger, empty: there is none */
    bool unlimited_noted
        [CGROUP_LIMIT_COUNT]; /* a case wanted such a limit, and it was said that it does not hold */
    struct guard guard;
    struct leak_list belongings; /* in guard and keeper: of those that they have killed, */
    size_t survivors;            /* ... and how many these were */
    struct leak_list doubtful; /* of one of several cases that ran side by side: removed when they are over */
    struct arena doubtful_texts;
    struct world *world; /* what cases leave on the machine is seen against it */
    struct capture_room *room;
    struct mask *mask; /* what nobody may read, in whatever is shown or written */
    struct kitchen kitchen;
    struct workdirs workdirs, shmdirs, sign;
    int wake; /* readable when the loop has to hear of something before output is waited for on */
    struct progress_style style;
    struct job_voice voice; /* in a job of GitHub's */
    struct progress *progress;
    struct watch *watch;
    struct dumps *dumps;
    struct queue *queue;
    int epoll;
    int crashes; /* an eventfd: stacks of some that have crashed are read */
    struct slot *slots;
    uint32_t free_slots;
    struct retries retries;
    struct fixtures *fixtures; /* NULL: no case has any */
    struct servers *servers;   /* NULL: no case asks for anything */
    struct soaking *soak;      /* NULL: each case is run, and that is it */

    /*
     * Cases by number: those that are here, in the order of the plan. In a soak all of them again for each copy that may run beside
     * the others; the record knows them by the numbers of the first, session_recorded().
     */
    struct case_life *cases;
    uint32_t *by_queue;              /* numbers of cases by their numbers in the queue */
    uint32_t case_count, life_count; /* planned; with their copies */
    struct retry_plan retry_plan;
    struct queue_case *placing; /* how each may be placed, and how long it is expected to take */
    nanos longest_ending;       /* of all ladders */
    nanos longest_undoing;      /* of all fixtures of a case, one after another */

    bool forgetful; /* there is no history to be had, and that was said */
    bool begun;     /* the plan goes on record */
    nanos ended;    /* time of the run when its watch was closed */
    nanos began;    /* on the watch's clock */
    int64_t wall;   /* ms since 1970 then; the wall clock is read once, it may jump */
    uint32_t failures;
    bool dropping;           /* the queue is being closed, and must not be touched */
    const char *drop_reason; /* of those that will not be run */
    int urgency;             /* of the cancel: 0 none, 1 INT, 2 TERM, 3 KILL */
    const char *cancelled;   /* by what; NULL: not */
    bool unclean;            /* what tests shared could not be torn down */
    bool timed_out;          /* the session deadline */
    bool broken;             /* the journal cannot be written any more: nothing more is started */
    bool unwatched;          /* some slot is: the loop wakes up to look */
    nanos stuck_until;       /* a start failed for want of something: the next try; 0: none */
    uint32_t stuck_times;
};

/* The exit code is EXIT_PASSED when everything is there. Either way session_close is to be called. */
enum exit_code session_open(struct session *s, struct invocation *in, struct front *front,
                            struct resumption *resumption);
void session_close(struct session *s);

/* Of the waits of a ladder when a run is cancelled, where whoever cancels is in a hurry; 0: none. */
nanos session_cap(void);

/* Of containment and watch: of slots, fixtures and servers, in this order. */
uint32_t session_places(const struct session *s);
nanos session_now(const struct session *s); /* since the run began, stops not counted */
void session_case_id(const struct session *s, uint32_t number, struct buf *out);
const struct plan_case *session_planned(const struct session *s, uint32_t number);
uint32_t session_recorded(const struct session *s, uint32_t number); /* its number in the journal */
/* Gives up all that wait, or those of a suite whose cells are not in flight. */
void session_drop(struct session *s, const char *why);
void session_drop_cells(struct session *s, uint32_t suite, const char *why);
/* Something has failed for good, which may be the end of what waits (-x, fail-fast); of a soak it is not. */
void session_failed(struct session *s, uint32_t suite);
/* A warning of the run as a whole: shown, and in the journal. */
void session_note(struct session *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A write to the journal: when it fails the run is broken, says so once, and ends. */
void session_wrote(struct session *s, int answer);

#endif
