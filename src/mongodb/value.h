/* SPDX-License-Identifier: Apache-2.0 */
/* Values of documents, which anybody who can write to the database may have written. */
#ifndef NA_MONGODB_VALUE_H
#define NA_MONGODB_VALUE_H

#include <apr_tables.h>
#include <mongoc/mongoc.h>

/* Most bytes of a document that is read, and of a text in it. */
#define NA_DOCUMENT_MAX (1024 * 1024)
#define NA_TEXT_MAX (256 * 1024)

/* Most elements of an array that are read. */
#define NA_ARRAY_MAX 1000

/* Length of an ObjectId as text, without the final NUL. */
#define NA_OID_LEN 24

/*
 * Each reads a field by its name. A field that is missing, null, or of another type than the one
 * expected counts as missing: NULL or 0. Text is a copy in the pool.
 */

/* Text is missing as well if it is too long, is not UTF-8, or contains a NUL, after which C would
 * not see the rest. */
const char *na_value_text(apr_pool_t *pool, const bson_t *document, const char *field);

/* Returns an ObjectId in hexadecimal. */
const char *na_value_oid(apr_pool_t *pool, const bson_t *document, const char *field);

/* Returns a date in milliseconds since 1970. */
apr_int64_t na_value_time(const bson_t *document, const char *field);

/* Returns a whole number of any of BSON's types for numbers. */
apr_int64_t na_value_number(const bson_t *document, const char *field);

/* Returns 1 unless the value is missing, null, false, or 0: for what is safer if it is set. */
int na_value_is_set(const bson_t *document, const char *field);

/* Appends the texts (const char *) of an array, or of a single text, without empty ones. */
void na_value_texts(apr_pool_t *pool, const bson_t *document, const char *field,
                    apr_array_header_t *texts);

/* Returns binary data with *len bytes, which lives as long as the document. */
const unsigned char *na_value_binary(const bson_t *document, const char *field, size_t *len);

/* Parses the text of an ObjectId in its only form, lower case; returns 0 if it is invalid. */
int na_oid_parse(const char *text, bson_oid_t *oid);

#endif
