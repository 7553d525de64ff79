/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_HTTPD_CONFIG_SECTIONS_H
#define NA_HTTPD_CONFIG_SECTIONS_H

#include "httpd/module.h"

/* What stands in httpd's own sections, as far as it can be read before a request comes. */

/* The first directive of that name, there or below, with `word` in its arguments; NULL: none. */
const ap_directive_t *na_directive_find(const ap_directive_t *from, const char *name,
                                        const char *word);

/* AllowOverride or AllowOverrideList that lets .htaccess files be read; NULL if none does. */
const ap_directive_t *na_htaccess_find(const ap_directive_t *from);

/* Where a Location of this server, or of the main one, that `path` is in has that directive. */
int na_location_has(const server_rec *s, const char *path, const char *directive);

/*
 * AuthType of a section of this server, or of the main one, that lets in whoever is signed in: its
 * requirements do not say who. NULL: there is none.
 */
const ap_directive_t *na_section_for_anybody(const server_rec *s);

/* Warns of AuthType NextAuth where it protects nothing, or fails every request. */
void na_warn_of_sections(server_rec *main);

#endif
