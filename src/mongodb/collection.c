/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on one collection. */
#include "mongodb/collection.h"

#include <limits.h>

#include <apr_strings.h>

#include "mongodb/errors.h"
#include "mongodb/value.h"

/* An upsert can lose against another of the same document; then it finds that one. */
#define PUTS_MAX 2

static mongoc_collection_t *open_collection(na_db_use *use, na_collection where)
{
    return mongoc_database_get_collection(use->database, use->settings->collections[where]);
}

/* Returns a copy of the options (NULL for none) with the session of the transaction. */
static bson_t *with_session(na_db_use *use, const bson_t *options)
{
    bson_error_t error;
    bson_t *all = na_mongo_own(use, options ? bson_copy(options) : bson_new());
    if (use->session)
        mongoc_client_session_append(use->session, all, &error);
    return all;
}

/* A use that began with the primary reads the primary. */
static const mongoc_read_prefs_t *current_reads_of(const na_db_use *use)
{
    return use->is_behind ? use->reads : NULL;
}

static const char *doing(na_db_use *use, const char *what, na_collection where)
{
    return apr_pstrcat(use->pool, what, " ", use->settings->collections[where], NULL);
}

/* ── reading ───────────────────────────────────────────────────────────────────────────────── */

static na_error *check_size(na_db_use *use, na_collection where, const bson_t *document)
{
    return document->len <= NA_DOCUMENT_MAX
               ? NULL
               : na_error_new(use->pool, NA_ERR_CONFLICT,
                              "%s: a document of %s has %u bytes; at most %d are read",
                              use->options->name, use->settings->collections[where], document->len,
                              NA_DOCUMENT_MAX);
}

/* *is_more is 0 if there were less than `most` documents. */
static na_error *visit_some(na_db_use *use, na_collection where, mongoc_cursor_t *cursor, int most,
                            na_mongo_visit *visit, void *data, int *is_more)
{
    const bson_t *document, *reply;
    bson_error_t error;
    *is_more = 1;
    for (int i = 0; i < most && *is_more; i++) {
        *is_more = mongoc_cursor_next(cursor, &document);
        if (!*is_more)
            break;
        NA_TRY(check_size(use, where, document));
        NA_TRY(visit(data, use, document));
    }
    return mongoc_cursor_error_document(cursor, &error, &reply)
               ? na_mongo_failed(use, &error, reply, doing(use, "could not read", where))
               : NULL;
}

na_error *na_mongo_find(na_db_use *use, na_collection where, const bson_t *filter,
                        const bson_t *options, na_mongo_visit *visit, void *data)
{
    mongoc_collection_t *collection = open_collection(use, where);
    mongoc_cursor_t *cursor =
        mongoc_collection_find_with_opts(collection, filter, with_session(use, options),
                                         current_reads_of(use));
    int is_more;
    na_error *error = visit_some(use, where, cursor, INT_MAX, visit, data, &is_more);
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(collection);
    return error;
}

void na_mongo_open_scan(na_db_use *use, na_collection where)
{
    const bson_t *all = na_mongo_own(use, bson_new());
    mongoc_collection_t *collection = open_collection(use, where);
    na_mongo_close_scan(use);
    use->scan = mongoc_collection_find_with_opts(collection, all, with_session(use, NULL),
                                                 current_reads_of(use));
    mongoc_collection_destroy(collection);
}

na_error *na_mongo_scan(na_db_use *use, na_collection where, int most, na_mongo_visit *visit,
                        void *data, int *is_more)
{
    return visit_some(use, where, use->scan, most, visit, data, is_more);
}

void na_mongo_close_scan(na_db_use *use)
{
    if (use->scan)
        mongoc_cursor_destroy(use->scan);
    use->scan = NULL;
}

static na_error *keep_document(void *kept, na_db_use *use, const bson_t *document)
{
    bson_t *copy = apr_palloc(use->pool, sizeof *copy);
    void *bytes = apr_pmemdup(use->pool, bson_get_data(document), document->len);
    if (!*(const bson_t **)kept && bson_init_static(copy, bytes, document->len))
        *(const bson_t **)kept = copy;
    return NULL;
}

na_error *na_mongo_find_one(na_db_use *use, na_collection where, const bson_t *filter,
                            const bson_t *options, const bson_t **document)
{
    bson_t *one = na_mongo_own(use, options ? bson_copy(options) : bson_new());
    BSON_APPEND_INT64(one, "limit", 1);
    BSON_APPEND_BOOL(one, "singleBatch", true);
    *document = NULL;
    return na_mongo_find(use, where, filter, one, keep_document, (void *)document);
}

na_error *na_mongo_count(na_db_use *use, na_collection where, apr_int64_t *count)
{
    bson_error_t error;
    bson_t reply;
    const bson_t *all = na_mongo_own(use, bson_new());
    mongoc_collection_t *collection = open_collection(use, where);
    *count = mongoc_collection_count_documents(collection, all, with_session(use, NULL),
                                               current_reads_of(use), &reply, &error);
    na_error *failed =
        *count < 0 ? na_mongo_failed(use, &error, &reply, doing(use, "could not count", where))
                   : NULL;
    bson_destroy(&reply);
    mongoc_collection_destroy(collection);
    return failed;
}

/* ── writing ───────────────────────────────────────────────────────────────────────────────── */

na_error *na_mongo_insert(na_db_use *use, na_collection where, const bson_t *document,
                          int *is_duplicate)
{
    bson_error_t error;
    bson_t reply;
    mongoc_collection_t *collection = open_collection(use, where);
    int done =
        mongoc_collection_insert_one(collection, document, with_session(use, NULL), &reply, &error);
    int is_known = !done && is_duplicate && !use->session && na_mongo_is_duplicate(&error);
    na_error *failed =
        done || is_known
            ? NULL
            : na_mongo_failed(use, &error, &reply, doing(use, "could not insert into", where));
    bson_destroy(&reply);
    mongoc_collection_destroy(collection);
    if (is_duplicate)
        *is_duplicate = is_known;
    return failed;
}

static int update_first(na_db_use *use, na_collection where, const bson_t *filter,
                        const bson_t *update, int upserts, bson_t *reply, bson_error_t *error)
{
    mongoc_collection_t *collection = open_collection(use, where);
    bson_t *options = with_session(use, NULL);
    if (upserts)
        BSON_APPEND_BOOL(options, "upsert", true);
    int done = mongoc_collection_update_one(collection, filter, update, options, reply, error);
    mongoc_collection_destroy(collection);
    return done;
}

na_error *na_mongo_update(na_db_use *use, na_collection where, const bson_t *filter,
                          const bson_t *update, int *matched)
{
    bson_error_t error;
    bson_t reply;
    na_error *failed = NULL;
    if (!update_first(use, where, filter, update, 0, &reply, &error))
        failed = na_mongo_failed(use, &error, &reply, doing(use, "could not change", where));
    if (matched)
        *matched = !failed && na_value_number(&reply, "matchedCount") > 0;
    bson_destroy(&reply);
    return failed;
}

na_error *na_mongo_put_if(na_db_use *use, na_collection where, const bson_t *filter,
                          const bson_t *update, int *held)
{
    bson_error_t error;
    bson_t reply;
    na_error *failed = NULL;
    int done = update_first(use, where, filter, update, 1, &reply, &error);
    *held = done || use->session || !na_mongo_is_duplicate(&error);
    if (!done && *held)
        failed = na_mongo_failed(use, &error, &reply, doing(use, "could not put into", where));
    bson_destroy(&reply);
    return failed;
}

na_error *na_mongo_put(na_db_use *use, na_collection where, const bson_t *filter,
                       const bson_t *update)
{
    int held = 0;
    for (int tries = 0; !held && tries < PUTS_MAX; tries++)
        NA_TRY(na_mongo_put_if(use, where, filter, update, &held));
    return held ? NULL
                : na_error_new(use->pool, NA_ERR_CONFLICT, "%s: others put the same into %s",
                               use->options->name, use->settings->collections[where]);
}

typedef bool remover(mongoc_collection_t *, const bson_t *, const bson_t *, bson_t *,
                     bson_error_t *);

static na_error *remove_with(na_db_use *use, na_collection where, const bson_t *filter,
                             remover *removing, int *count)
{
    bson_error_t error;
    bson_t reply;
    mongoc_collection_t *collection = open_collection(use, where);
    na_error *failed = NULL;
    if (!removing(collection, filter, with_session(use, NULL), &reply, &error))
        failed = na_mongo_failed(use, &error, &reply, doing(use, "could not delete from", where));
    if (count)
        *count = failed ? 0 : (int)na_value_number(&reply, "deletedCount");
    bson_destroy(&reply);
    mongoc_collection_destroy(collection);
    return failed;
}

na_error *na_mongo_delete(na_db_use *use, na_collection where, const bson_t *filter, int *count)
{
    return remove_with(use, where, filter, mongoc_collection_delete_one, count);
}

na_error *na_mongo_delete_all(na_db_use *use, na_collection where, const bson_t *filter, int *count)
{
    return remove_with(use, where, filter, mongoc_collection_delete_many, count);
}
