/* SPDX-License-Identifier: Apache-2.0 */
/* httpd's own sections, as far as they can be evaluated before a request. */
#ifndef NA_HTTPD_CONFIG_SECTIONS_H
#define NA_HTTPD_CONFIG_SECTIONS_H

#include "httpd/module.h"

/* Returns the first directive of that name, there or below, with `word` in its arguments; NULL if
 * none. */
const ap_directive_t *na_directive_find(const ap_directive_t *from, const char *name,
                                        const char *word);

/* Returns an AllowOverride or AllowOverrideList that enables .htaccess files; NULL if none. */
const ap_directive_t *na_htaccess_find(const ap_directive_t *from);

/* Returns the first directive of that name in a section of this or the main server, with `word` in
 * its arguments; NULL if none. */
const ap_directive_t *na_section_find(const server_rec *s, const char *name, const char *word);

/* Returns 1 if a <Location> of this or the main server that contains `path` has the directive. */
int na_location_has(const server_rec *s, const char *path, const char *directive);

/*
 * Returns the AuthType of a section of this or the main server that admits every user that is
 * signed in; NULL if none.
 */
const ap_directive_t *na_section_for_any_user(const server_rec *s);

/* Warns of each AuthType NextAuth that protects nothing, or makes every request fail. */
void na_warn_of_sections(server_rec *main);

#endif
