/* SPDX-License-Identifier: Apache-2.0 */
/* A queue of emails, with a thread that sends them. */
#ifndef NA_MAIL_QUEUE_H
#define NA_MAIL_QUEUE_H

#include "mail/mail.h"

/*
 * A process's mails on their way: requests put them in without waiting, one background thread
 * sends them. What fails for a time is tried again after 1 s, 5 s, 30 s, 2 min and 10 min, and
 * then given up. A queue lives in memory alone: what a process has not sent when it ends is lost,
 * and said to be.
 */
typedef struct na_mail_queue na_mail_queue;

#define NA_MAIL_QUEUE_CAPACITY 256

/* How long a process that ends goes on starting attempts at what is due, in seconds. */
#define NA_MAIL_QUEUE_STOP 3

typedef struct na_mail_counts {
    apr_uint64_t sent;
    apr_uint64_t failed;  /* given up: refused for good, too many attempts, or too late */
    apr_uint64_t dropped; /* not taken because the queue was full, or lost at the end */
    apr_uint64_t for_nobody;
    apr_uint64_t queued; /* waiting or being sent now */
} na_mail_counts;

typedef enum na_mail_fate {
    NA_MAIL_TAKEN,
    NA_MAIL_SENT,
    NA_MAIL_FAILED,
    NA_MAIL_LOST,      /* taken, but the process ended before it was sent */
    NA_MAIL_NOT_TAKEN, /* too many are waiting */
    NA_MAIL_FOR_NOBODY /* taken, and thrown away */
} na_mail_fate;

/* Who wants to know what becomes of mails; called with the queue's lock held. */
typedef struct na_mail_observer {
    void *data;
    void (*told)(void *data, na_mail_fate fate);
} na_mail_observer;

/*
 * `capacity` messages at most, waiting and under way together. To be called after the fork, by one
 * thread; the queue's own thread starts with the first message, and blocks every signal. `mail`
 * must live as long as `pool`. When the pool goes, the thread is stopped before: this takes at
 * most NA_MAIL_QUEUE_STOP seconds and about one more, so that httpd, which kills a child after nine
 * seconds, has no reason to.
 */
na_error *na_mail_queue_make(apr_pool_t *pool, na_mail *mail, int capacity, na_mail_queue **queue);

/* To be called before any message is put in; NULL: nobody observes. */
void na_mail_queue_observe(na_mail_queue *queue, const na_mail_observer *observer);

/*
 * Takes a copy of the message; never blocks. `client` asked for it: one client has a share of the
 * queue, a quarter of the room that is left and at least one message, so that however many others
 * fill it, a new client finds room; NULL if nobody asked. After `expires` it is not sent any more,
 * as its link would not work; 0: whenever. An error, made in `pool`, where the message is none that
 * could be sent, or the queue is full or ending (NA_ERR_UNAVAILABLE). Safe to call from any thread.
 */
na_error *na_mail_queue_put(na_mail_queue *queue, apr_pool_t *pool, const na_mail_message *message,
                            const char *client, apr_time_t expires);

void na_mail_queue_counts(na_mail_queue *queue, na_mail_counts *counts);

#endif
