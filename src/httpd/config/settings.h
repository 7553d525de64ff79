/* SPDX-License-Identifier: Apache-2.0 */
/* Values of directives: numbers, times, and key=value arguments. */
#ifndef NA_HTTPD_CONFIG_SETTINGS_H
#define NA_HTTPD_CONFIG_SETTINGS_H

#include "httpd/config/build.h"

/* Parses a whole number from `min` to `max`. */
na_error *na_build_number(na_builder *b, const char *text, long min, long max, long *number);

/* Returns 1 if the name consists of 1 to 64 letters, digits and - _ . : */
int na_build_is_name(const char *name);

/*
 * Reads "10", "10s" or "10000ms" as milliseconds into *(long *)member. Returns 0 if the value is
 * not a time from `min` to `max`.
 */
int na_read_duration(const char *value, apr_interval_time_t min, apr_interval_time_t max,
                     void *member);

/* Checks the value of a key=value argument and writes it to the member. */
typedef na_error *na_value_setter(na_builder *b, const char *value, void *member);

typedef struct na_setting {
    const char *name;
    apr_size_t offset;
    na_value_setter *set;
} na_setting;

/* Returns "key=" of "key=value", for messages: the value of a misplaced key might be a secret. */
const char *na_build_setting_of(const na_builder *b, const char *argument);

/* Sets all key=value arguments from `first` on; `settings` end with a NULL name. */
na_error *na_build_settings(na_builder *b, const na_directive *written, int first,
                            const na_setting *settings, void *target);

/*
 * Setters of values: text unchanged; text after env:, file: and exec: are resolved; the path of a
 * file that child processes must read; on or off, an int; 10ms to 60s in milliseconds, a long; a
 * number of connections, an int.
 */
na_value_setter na_as_text, na_as_resolved, na_as_file, na_as_switch, na_as_duration,
    na_as_connections;

/*
 * Setters that resolve the value, too, and warn in production of one in plain text: a secret of
 * na_build_settings; a URL with a password, anywhere in the directive.
 */
na_value_setter na_as_secret, na_as_url;

/* Adds the keys of a webhook, in plain text or not, to an apr_array_header_t * of na_bytes. */
na_value_setter na_as_keys;

/* Warns in production of a value in plain text; `what` names it in the message. */
void na_build_warn_if_literal(const na_builder *b, const char *what, const char *value);

#endif
