/* SPDX-License-Identifier: Apache-2.0 */
/* The scope of a personal access token: the paths and methods that it is good for. */
#ifndef NA_AUTH_TOKEN_SCOPE_H
#define NA_AUTH_TOKEN_SCOPE_H

#include "base/error.h"

/*
 * A scope is a list of entries, separated by semicolons: "GET,PROPFIND /svn/project; /dav". An
 * entry is a path and, before it, methods; without methods, it is good for all of them. GET
 * includes HEAD. The path is as a browser shows it but decoded, and covers itself and everything
 * below it.
 */

/* Limits of a scope: bytes and entries. */
#define NA_SCOPE_MAX 2048
#define NA_SCOPE_ENTRIES_MAX 32

/*
 * Parses a scope that a user typed, and writes it in its canonical form. The error is for that
 * user to read.
 */
na_error *na_scope_parse(apr_pool_t *pool, const char *text, const char **scope);

/*
 * Returns 1 if a canonical scope covers a request. `path` is decoded and without dot segments, as
 * httpd serves it. Nothing is covered by a scope that is NULL or not canonical.
 */
int na_scope_covers(const char *scope, const char *method, const char *path);

#endif
