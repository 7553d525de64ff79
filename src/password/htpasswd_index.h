/* SPDX-License-Identifier: Apache-2.0 */
/* Where the lines of users are in password files. */
#ifndef NA_PASSWORD_HTPASSWD_INDEX_H
#define NA_PASSWORD_HTPASSWD_INDEX_H

#include <sys/stat.h>

#include <apr_tables.h>
#include <apr_time.h>

#include "base/error.h"

/*
 * A process's index of the password files that it read, so that a sign-in reads the lines that it
 * needs and not the whole file. It has offsets and hashes of usernames, and no password hash. Safe
 * for threads.
 *
 * Bounded: a file with more users is not indexed, and the least recently used file gives way to a
 * new one. An entry takes 16 bytes, so that the index takes at most 32 MB.
 */
typedef struct na_htpasswd_index na_htpasswd_index;

#define NA_HTPASSWD_USERS_MAX 131072
#define NA_HTPASSWD_FILES_MAX 16

/* The lines that a sign-in needs. */
typedef struct na_htpasswd_lines {
    apr_off_t costliest; /* with the costliest hash of the file */
    apr_off_t users[4];  /* that can have the user's name, in their order */
    int count;           /* of `users` */
} na_htpasswd_lines;

/* The line of one user. */
typedef struct na_htpasswd_entry {
    apr_uint64_t name; /* na_htpasswd_name_hash */
    apr_off_t line;
} na_htpasswd_entry;

apr_uint64_t na_htpasswd_name_hash(const char *name);

na_error *na_htpasswd_index_make(apr_pool_t *pool, na_htpasswd_index **made);

/*
 * Returns 1 if a file is the same, and unchanged: every change sets st_ctim, and no call sets it
 * back.
 */
int na_htpasswd_is_same_state(const struct stat *a, const struct stat *b);

/* Returns 1 and sets *lines if the file was indexed in this state. */
int na_htpasswd_index_find(na_htpasswd_index *index, const char *path, const struct stat *state,
                           const char *user, na_htpasswd_lines *lines);

/*
 * Indexes a file (entries: na_htpasswd_entry), which was read at `now` in this state. Returns
 * without effect if a later change might not be noticed, or if there is too much.
 */
void na_htpasswd_index_put(na_htpasswd_index *index, const char *path, const struct stat *state,
                           apr_time_t now, apr_array_header_t *entries, apr_off_t costliest);

#endif
