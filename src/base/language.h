/* SPDX-License-Identifier: Apache-2.0 */
/* Languages of pages and emails: the translations of a file, and the one that a browser prefers. */
#ifndef NA_BASE_LANGUAGE_H
#define NA_BASE_LANGUAGE_H

#include <apr_hash.h>
#include <apr_tables.h>

#include "base/error.h"

/*
 * A language. Its texts have their English as the key, so that a text without a translation is
 * shown in English. Immutable once it is read; all threads share it.
 */
typedef struct na_language {
    const char *tag;   /* BCP 47: "de", "pt-BR" */
    int is_rtl;        /* written from right to left */
    apr_hash_t *texts; /* const char *; NULL for English */
} na_language;

/* The language of all texts in the source, which needs no file. */
extern const na_language na_english;

/*
 * Reads the translations of a file (docs/languages.md). Refused are translations whose placeholders
 * differ from the English ones, that have control characters or "<" or ">", or that are too long.
 * Files that were read with this pool before are not read again.
 */
na_error *na_language_read(apr_pool_t *pool, const char *tag, const char *path,
                           const na_language **language);

/* Returns 1 if `tag` can be the tag of a language. */
int na_language_is_tag(const char *tag);

/*
 * Returns the language (const na_language *) of `languages` that the value of Accept-Language
 * prefers (NULL if there is none), by lookup (RFC 4647 section 3.4); the first if none fits.
 */
const na_language *na_language_choose(const apr_array_header_t *languages, const char *accepted);

/* Returns the translation of an English text. NULL stays NULL. */
const char *na_say(const na_language *language, const char *english);

/*
 * Returns the translation with its placeholders replaced: names and values follow, and then NULL.
 *     na_say_with(pool, language, "Sign in with {name}", "name", provider->name, NULL)
 * The result is plain text, to be escaped as a whole.
 */
const char *na_say_with(apr_pool_t *pool, const na_language *language, const char *english, ...)
    __attribute__((sentinel));

/* Likewise, but the values are HTML, and so is the result: the translation itself is escaped. */
const char *na_say_html(apr_pool_t *pool, const na_language *language, const char *english, ...)
    __attribute__((sentinel));

/* Marks a text that is translated where it is used; t/88-languages.t looks for it. */
#define NA_TEXT(english) english

#endif
