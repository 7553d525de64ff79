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

/* Called with a directive of a section. */
typedef void na_section_note(void *data, const ap_directive_t *directive);

/* Calls `note` with each directive in the sections of this and the main server. */
void na_sections_each(const server_rec *s, na_section_note *note, void *data);

/* Returns 1 if a .htaccess file might apply where the directive does: mod_proxy reads none. */
int na_section_might_have_htaccess(const ap_directive_t *directive);

/* Returns 1 if AuthType NextAuth of this or the main server might apply where the directive does.
 */
int na_section_has_auth_type(const server_rec *s, const ap_directive_t *directive);

/*
 * Returns the AuthType of a section of this or the main server that admits every user that is
 * signed in; NULL if none.
 */
const ap_directive_t *na_section_for_any_user(const server_rec *s);

/* Warns of each AuthType NextAuth that protects nothing, or makes every request fail. */
void na_warn_of_sections(server_rec *main);

#endif
