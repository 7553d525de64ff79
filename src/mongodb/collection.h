/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on one collection. */
#ifndef NA_MONGODB_COLLECTION_H
#define NA_MONGODB_COLLECTION_H

#include "mongodb/client.h"

/*
 * Each is one operation, part of the transaction of the use if it has one. Filters, updates and
 * options are the server's; values in them are typed, so no text is ever interpreted.
 */

/* Sets *document to the first match, in the pool of the use; NULL if there is none. */
na_error *na_mongo_find_one(na_db_use *use, na_collection where, const bson_t *filter,
                            const bson_t *options, const bson_t **document);

/* Calls `visit` for each match; the document is valid only during the call. An error ends it. */
typedef na_error *na_mongo_visit(void *data, na_db_use *use, const bson_t *document);

na_error *na_mongo_find(na_db_use *use, na_collection where, const bson_t *filter,
                        const bson_t *options, na_mongo_visit *visit, void *data);

/*
 * Goes through a collection, in parts of up to `most` documents; *is_more is 0 after the last one.
 * A use has one such scan at a time.
 */
void na_mongo_open_scan(na_db_use *use, na_collection where);
na_error *na_mongo_scan(na_db_use *use, na_collection where, int most, na_mongo_visit *visit,
                        void *data, int *is_more);
void na_mongo_close_scan(na_db_use *use);

/*
 * Inserts a document. If a unique index has its value, *is_duplicate is 1; without `is_duplicate`,
 * that is an error NA_ERR_CONFLICT. In a transaction, it is an error in any case.
 */
na_error *na_mongo_insert(na_db_use *use, na_collection where, const bson_t *document,
                          int *is_duplicate);

/* Changes the first match. *matched is 0 if there was none; it can be NULL. */
na_error *na_mongo_update(na_db_use *use, na_collection where, const bson_t *filter,
                          const bson_t *update, int *matched);

/* Changes the document of this _id filter, or inserts it. */
na_error *na_mongo_put(na_db_use *use, na_collection where, const bson_t *filter,
                       const bson_t *update);

/* Changes the document of this filter, or inserts it. *held is 0 if one with its _id is there that
 * the filter does not match; in a transaction, that is an error. */
na_error *na_mongo_put_if(na_db_use *use, na_collection where, const bson_t *filter,
                          const bson_t *update, int *held);

/* Deletes the first match, or all. *count can be NULL. */
na_error *na_mongo_delete(na_db_use *use, na_collection where, const bson_t *filter, int *count);
na_error *na_mongo_delete_all(na_db_use *use, na_collection where, const bson_t *filter,
                              int *count);

/* Counts all documents of a collection. */
na_error *na_mongo_count(na_db_use *use, na_collection where, apr_int64_t *count);

#endif
