/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What test-module tells fake-helper, and what that writes down. Both know the directory TEST_DIR from the
 * build.
 */
#ifndef FAKE_H
#define FAKE_H

#include <sys/types.h>

#include "handoff.h"

#define FAKE_HELPER  TEST_DIR "/helper" /* what the module under test runs: a link to the fake, or nothing */
#define FAKE_CONTROL TEST_DIR "/fake-control"
#define FAKE_RECORD  TEST_DIR "/fake-record"

enum fake_answer {
    FAKE_PLAN,      /* hello, then a plan with all three descriptors */
    FAKE_PLAN_BARE, /* a plan without cgroup and filter */
    FAKE_SECCOMP_ONLY,
    FAKE_NOTICE,     /* a plan, and two lines for the user */
    FAKE_BAD_NOTICE, /* a plan, and a control character for the user */
    FAKE_EXEMPT,
    FAKE_REFUSE,
    FAKE_DONE,
    FAKE_DIE,       /* before any answer */
    FAKE_DIE_HELLO, /* after hello */
    FAKE_HANG,      /* never answers */
    FAKE_HANG_HELLO,
    FAKE_LINGER, /* answers and stays */
    FAKE_SHORT,  /* a message that is too small */
    FAKE_LONG,
    FAKE_NOISE,    /* the right size, nonsense */
    FAKE_VERSION,  /* of another build */
    FAKE_HELLO_FD, /* a hello that carries a descriptor */
    FAKE_FEW_FDS,  /* fewer descriptors than the plan says */
    FAKE_MANY_FDS,
    FAKE_FLOOD_FDS,    /* more than the receiver has room for */
    FAKE_ROOT_PLAN,    /* a plan that leaves root root */
    FAKE_UNTERMINATED, /* a plan whose strings do not end */
    FAKE_ANSWER_COUNT
};

/* The newest call; calls counts all since the control was written. */
struct fake_record {
    unsigned calls;
    unsigned environment;      /* number of variables */
    unsigned descriptors;      /* bit n: descriptor n is open */
    unsigned blocked, ignored; /* number of signals that are */
    pid_t pid;
    struct cl_request request;
    char verbs[16]; /* 'o', 'x' or 'c' for each call */
};

#endif
