/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_HTTPD_FINDINGS_H
#define NA_HTTPD_FINDINGS_H

#include "httpd/module.h"

/*
 * What `nextauthctl check` is told. It runs the server's configuration test with a define and the
 * name of a file in the environment; in any other run nothing is collected, and everything here
 * does nothing.
 */
#define NA_CHECK_DEFINE "NEXTAUTH_CHECK"
#define NA_CHECK_CONNECT_DEFINE "NEXTAUTH_CHECK_CONNECT"
#define NA_CHECK_REPORT_VARIABLE "NEXTAUTH_CHECK_REPORT"

typedef enum na_finding_state { NA_RIGHT, NA_WARNING, NA_WRONG } na_finding_state;

/* In the order that they are shown in. */
typedef enum na_finding_group {
    NA_GROUP_SITE,
    NA_GROUP_DIRECTIVES,
    NA_GROUP_ENVIRONMENT,
    NA_GROUP_PROVIDERS,
    NA_GROUP_COOKIES,
    NA_GROUP_CONNECTIONS
} na_finding_group;

/* One row. Text must carry no secrets, and live as long as the configuration. */
typedef struct na_finding {
    na_finding_group group;
    const char *subject; /* a directive, a variable, a provider's id, a cookie's name */
    na_finding_state state;
    const char *message;
    const char *hint; /* what to do about it; NULL where there is nothing to say */
    const char *file; /* where the directive is; NULL where none is meant */
    int line;
} na_finding;

/* Starts to collect, where that is wanted. */
void na_findings_begin(server_rec *s);

int na_findings_are_wanted(const server_rec *s);

/* Whether connections are to be tried, too. */
int na_findings_connect(const server_rec *s);

/*
 * Adds a row of this server, copied; returns 0 where nothing is collected. A directive of a line,
 * and a variable, has either a row that it is right or rows that say what is not.
 */
int na_findings_add(const server_rec *s, const na_finding *finding);

/* The same of what has no line. `hint` may be NULL. */
void na_findings_say(const server_rec *s, na_finding_group group, const char *subject,
                     na_finding_state state, const char *hint, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* The name that a server's rows stand under; without, its host name. */
void na_findings_name_site(const server_rec *s, const char *name);

/* Writes what was collected. */
na_error *na_findings_write(server_rec *s);

/* ── what is looked at; each where na_findings_are_wanted ──────────────────────────────────── */

struct na_builder;

/* All of what follows. */
void na_check(const struct na_builder *b);

/* check_directives.c: a row for each directive that nothing is wrong with. */
void na_check_directives(const struct na_builder *b, const apr_array_header_t *written);

/* check_environment.c: which variables are used, and which are not known. */
void na_check_environment(const struct na_builder *b, const apr_array_header_t *written);

/* check_site.c: mode and address, what to register with providers, cookies. */
void na_check_site(const struct na_builder *b);

/* check_server.c: what of httpd and the file system adds to its safety, or takes from it. */
void na_check_server(const struct na_builder *b);

/* check_connections.c: asks everything that the site depends on, one after the other. */
void na_check_connections(const struct na_builder *b);

#endif
