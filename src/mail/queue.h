/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of emails of a process. */
#ifndef NA_MAIL_QUEUE_H
#define NA_MAIL_QUEUE_H

#include "mail/mail.h"

/*
 * A process's emails that are not sent yet: requests add them without waiting, and one background
 * thread sends them. After a temporary failure an email is retried after 1 s, 5 s, 30 s, 2 min, and
 * 10 min, and then given up. A queue is in memory only: emails that a process has not sent when it
 * ends are lost, and logged.
 */
typedef struct na_mail_queue na_mail_queue;

#define NA_MAIL_QUEUE_CAPACITY 256

/* Seconds for which a process that ends still starts attempts that are due. */
#define NA_MAIL_QUEUE_STOP 3

typedef struct na_mail_counts {
    apr_uint64_t sent;
    apr_uint64_t failed;  /* given up: refused for good, too many attempts, or too late */
    apr_uint64_t dropped; /* not accepted because the queue was full, or lost at the end */
    apr_uint64_t for_nobody;
    apr_uint64_t queued; /* waiting or being sent now */
} na_mail_counts;

typedef enum na_mail_fate {
    NA_MAIL_TAKEN,
    NA_MAIL_SENT,
    NA_MAIL_FAILED,
    NA_MAIL_LOST,      /* accepted, but the process ended before it was sent */
    NA_MAIL_NOT_TAKEN, /* not accepted: too many are waiting */
    NA_MAIL_FOR_NOBODY /* accepted and discarded */
} na_mail_fate;

/* Observes what becomes of emails; called with the queue's lock held. */
typedef struct na_mail_observer {
    void *data;
    void (*told)(void *data, na_mail_fate fate);
} na_mail_observer;

/*
 * Creates a queue of at most `capacity` messages, waiting and under way together. Must be called
 * after the fork, by one thread; the queue's own thread starts with the first message, and blocks
 * every signal. `mail` must live as long as `pool`. The thread is stopped before the pool is
 * destroyed. That takes at most NA_MAIL_QUEUE_STOP seconds plus about one: httpd kills a child
 * process after nine.
 */
na_error *na_mail_queue_make(apr_pool_t *pool, na_mail *mail, int capacity, na_mail_queue **queue);

/* Must be called before the first message is added; NULL for no observer. */
void na_mail_queue_observe(na_mail_queue *queue, const na_mail_observer *observer);

/*
 * Adds a copy of the message; never blocks. `client` requested it (NULL if none): one client has a
 * share of the queue, a quarter of the free room and at least one message, so that a new client
 * finds room even if others fill the queue. After `expires` (0 for never) it is not sent, because
 * its link would not work. Returns an error, in `pool`, if the message cannot be sent, or the queue
 * is full or ending (NA_ERR_UNAVAILABLE). Safe to call from any thread.
 */
na_error *na_mail_queue_put(na_mail_queue *queue, apr_pool_t *pool, const na_mail_message *message,
                            const char *client, apr_time_t expires);

void na_mail_queue_counts(na_mail_queue *queue, na_mail_counts *counts);

#endif
