/* SPDX-License-Identifier: Apache-2.0 */
/* Findings for nextauthctl check: one row for each fact, warning and mistake. */
#ifndef NA_HTTPD_FINDINGS_H
#define NA_HTTPD_FINDINGS_H

#include "httpd/module.h"

/*
 * nextauthctl check runs httpd's configuration test with a define and the name of a file in the
 * environment. In any other run nothing is collected, and these functions do nothing.
 */
#define NA_CHECK_DEFINE "NEXTAUTH_CHECK"
#define NA_CHECK_CONNECT_DEFINE "NEXTAUTH_CHECK_CONNECT"
#define NA_CHECK_REPORT_VARIABLE "NEXTAUTH_CHECK_REPORT"

typedef enum na_finding_state { NA_RIGHT, NA_WARNING, NA_WRONG } na_finding_state;

/* In the order of the output. */
typedef enum na_finding_group {
    NA_GROUP_SITE,
    NA_GROUP_DIRECTIVES,
    NA_GROUP_ENVIRONMENT,
    NA_GROUP_PROVIDERS,
    NA_GROUP_COOKIES,
    NA_GROUP_CONNECTIONS
} na_finding_group;

/* One row. Its text must contain no secrets and live as long as the configuration. */
typedef struct na_finding {
    na_finding_group group;
    const char *subject; /* a directive, a variable, a provider's ID, a cookie's name */
    na_finding_state state;
    const char *message;
    const char *hint; /* the remedy; NULL if none */
    const char *file; /* of the directive; NULL if the row is not about one */
    int line;
} na_finding;

/* Starts collecting if nextauthctl check runs httpd. */
void na_findings_begin(server_rec *s);

/* Returns 1 if findings are collected, 0 otherwise. */
int na_findings_are_wanted(const server_rec *s);

/* Returns 1 if connections are checked, too (--connect). */
int na_findings_connect(const server_rec *s);

/*
 * Adds a copy of the row for this server. Returns 0 if nothing is collected. A directive on a line,
 * and a variable, has either one row that it is right or rows with its mistakes.
 */
int na_findings_add(const server_rec *s, const na_finding *finding);

/* Adds a row about something that has no line; the message is printf-like. `hint` can be NULL. */
void na_findings_say(const server_rec *s, na_finding_group group, const char *subject,
                     na_finding_state state, const char *hint, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* Sets the heading of a server's rows, which is otherwise its host name. */
void na_findings_name_site(const server_rec *s, const char *name);

/* Writes the report. */
na_error *na_findings_write(server_rec *s);

/* ── checks, called only if na_findings_are_wanted ─────────────────────────────────────────── */

struct na_builder;

/* Runs all checks below. */
void na_check(const struct na_builder *b);

/* Adds a row for each directive without a mistake. */
void na_check_directives(const struct na_builder *b, const apr_array_header_t *written);

/* Adds rows about variables: used, unused, and probably misspelled. */
void na_check_environment(const struct na_builder *b, const apr_array_header_t *written);

/* Adds rows about the mode, the URL, the callback URLs to register, and cookies. */
void na_check_site(const struct na_builder *b);

/* Adds rows about settings of httpd and file modes that affect the site's security. */
void na_check_server(const struct na_builder *b);

/* Adds rows about directives of httpd's sections that have no effect there. */
void na_check_sections(const struct na_builder *b);

/* Connects to each service that the site depends on, one after the other. */
void na_check_connections(const struct na_builder *b);

#endif
