/* SPDX-License-Identifier: Apache-2.0 */
/* Migrations: collections and indexes. */
#include "mongodb/migrate.h"

#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "mongodb/collection.h"
#include "mongodb/errors.h"
#include "mongodb/lock.h"
#include "mongodb/access.h"
#include "mongodb/value.h"

/* Codes of the server. */
#define NAMESPACE_NOT_FOUND 26
#define INDEX_NOT_FOUND 27
#define NAMESPACE_EXISTS 48

/* A collection that a step makes, or one of its indexes, in this order. */
typedef struct definition {
    int version;
    na_collection where;
    const char *index;   /* NULL for the collection itself */
    const char *keys;    /* JSON */
    const char *options; /* JSON, NULL if none */
    int is_optional;     /* not every server has the options, and existing documents can be in its
                            way: it is then made without the options, or not at all if unique */
} definition;

/*
 * Steps never change once they are released. An application's own indexes are not touched. The
 * email address has two indexes: a lookup uses the first, the second keeps users from sharing one.
 */
#define ANY_CASE "\"collation\": { \"locale\": \"en\", \"strength\": 2 }"
#define UNIQUE "{ \"unique\": true }"

static const definition definitions[] = {
    {1, NA_ACCOUNTS, "nextauth_account", "{ \"provider\": 1, \"providerAccountId\": 1 }", UNIQUE,
     0},
    {1, NA_ACCOUNTS, "nextauth_user", "{ \"userId\": 1 }", NULL, 0},
    {1, NA_SESSIONS, "nextauth_token", "{ \"sessionToken\": 1 }", UNIQUE, 0},
    {1, NA_SESSIONS, "nextauth_user", "{ \"userId\": 1 }", NULL, 0},
    {1, NA_SESSIONS, "nextauth_expires", "{ \"expires\": 1 }", NULL, 0},
    {1, NA_TOKENS, "nextauth_token", "{ \"identifier\": 1, \"token\": 1 }", UNIQUE, 0},
    {1, NA_TOKENS, "nextauth_expires", "{ \"expires\": 1 }", NULL, 0},
    {1, NA_AUTHENTICATORS, "nextauth_credential", "{ \"credentialID\": 1 }", UNIQUE, 0},
    {1, NA_AUTHENTICATORS, "nextauth_user", "{ \"userId\": 1 }", NULL, 0},
    {1, NA_USERS, "nextauth_email", "{ \"email\": 1 }", "{ " ANY_CASE " }", 1},
    {1, NA_USERS, "nextauth_email_unique", "{ \"email\": 1 }",
     "{ \"unique\": true, \"partialFilterExpression\": { \"email\": { \"$type\": \"string\" } "
     "}, " ANY_CASE " }",
     1},
    {2, NA_OWN_USERS, NULL, NULL, NULL, 0},
    {2, NA_STORE, NULL, NULL, NULL, 0},
    {2, NA_STORE, "nextauth_expires", "{ \"expires\": 1 }", NULL, 0},
    {2, NA_AUDIT, NULL, NULL, NULL, 0},
    {2, NA_AUDIT, "nextauth_time", "{ \"occurredAt\": 1 }", NULL, 0},
    {2, NA_AUDIT, "nextauth_user", "{ \"userId\": 1 }", NULL, 0},
    {2, NA_LOCKS, NULL, NULL, NULL, 0},
    {2, NA_LOCKS, "nextauth_until", "{ \"until\": 1 }", NULL, 0},
    {3, NA_GENERATION, NULL, NULL, NULL, 0},
    {4, NA_SECRETS, NULL, NULL, NULL, 0},
    {4, NA_SECRETS, "nextauth_user", "{ \"userId\": 1, \"kind\": 1 }", NULL, 0},
    {4, NA_SECRETS, "nextauth_expires", "{ \"expires\": 1 }", NULL, 0}};

#define DEFINITIONS ((int)(sizeof definitions / sizeof *definitions))

const char *na_mongo_step_name(int version)
{
    static const char *const names[NA_MONGO_STEPS] = {
        "indexes of users, accounts, sessions, tokens, and authenticators",
        "collections of users' roles and passwords, sessions, the audit log, and locks",
        "generation of the database", "second factors, remembered browsers, and access tokens"};
    return version >= 1 && version <= NA_MONGO_STEPS ? names[version - 1] : NULL;
}

/* ── steps as text ────────────────────────────────────────────────────────────────── */

static const char *quoted(apr_pool_t *pool, const na_mongo_settings *settings, na_collection where)
{
    return apr_pstrcat(pool, "db.getCollection(\"", settings->collections[where], "\")", NULL);
}

static const char *text_up(apr_pool_t *pool, const na_mongo_settings *settings, const definition *d)
{
    if (!d->index)
        return apr_pstrcat(pool, "db.createCollection(\"", settings->collections[d->where], "\")",
                           NULL);
    const char *options = d->options ? apr_pstrcat(pool, ", ", d->options + 2, NULL) : " }";
    return apr_pstrcat(pool, quoted(pool, settings, d->where), ".createIndex(", d->keys,
                       ", { \"name\": \"", d->index, "\"", options, ")", NULL);
}

static const char *text_down(apr_pool_t *pool, const na_mongo_settings *settings,
                             const definition *d)
{
    return d->index ? apr_pstrcat(pool, quoted(pool, settings, d->where), ".dropIndex(\"", d->index,
                                  "\")", NULL)
                    : apr_pstrcat(pool, quoted(pool, settings, d->where), ".drop()", NULL);
}

apr_array_header_t *na_mongo_plan(apr_pool_t *pool, const na_db_options *options, int version,
                                  int up)
{
    apr_array_header_t *texts = apr_array_make(pool, DEFINITIONS, sizeof(const char *));
    for (int i = 0; i < DEFINITIONS; i++) {
        const definition *d = &definitions[up ? i : DEFINITIONS - 1 - i];
        if (d->version == version)
            APR_ARRAY_PUSH(texts, const char *) =
                up ? text_up(pool, options->settings, d) : text_down(pool, options->settings, d);
    }
    if (up && version == 3)
        APR_ARRAY_PUSH(texts, const char *) =
            "db.nextauth_generation.insertOne({ \"_id\": 1, \"generation\": a random number })";
    return texts;
}

/* ── doing them ────────────────────────────────────────────────────────────────────────────── */

static na_error *run_command(na_db_use *use, bson_t *command, uint32_t tolerated,
                             bson_error_t *error)
{
    bson_t reply;
    na_error *failed = NULL;
    na_mongo_own(use, command);
    *error = (bson_error_t){0};
    if (!mongoc_database_command_simple(use->database, command, NULL, &reply, error) &&
        (error->domain != MONGOC_ERROR_SERVER || error->code != tolerated))
        failed = na_mongo_failed(use, error, &reply, "could not change the definition");
    bson_destroy(&reply);
    return failed;
}

static const char *name_of(const na_db_use *use, const definition *d)
{
    return use->settings->collections[d->where];
}

/* Appends members of a JSON object of ours. */
static void append_json(bson_t *document, const char *json)
{
    bson_error_t error;
    bson_t *members = json ? bson_new_from_json((const uint8_t *)json, -1, &error) : NULL;
    if (!members)
        return;
    bson_concat(document, members);
    bson_destroy(members);
}

static na_error *create_index(na_db_use *use, const definition *d, const char *options,
                              bson_error_t *error)
{
    bson_t *command = BCON_NEW("createIndexes", BCON_UTF8(name_of(use, d)));
    bson_t list, index, keys;
    BSON_APPEND_ARRAY_BEGIN(command, "indexes", &list);
    BSON_APPEND_DOCUMENT_BEGIN(&list, "0", &index);
    BSON_APPEND_DOCUMENT_BEGIN(&index, "key", &keys);
    append_json(&keys, d->keys);
    bson_append_document_end(&index, &keys);
    BSON_APPEND_UTF8(&index, "name", d->index);
    append_json(&index, options);
    bson_append_document_end(&list, &index);
    bson_append_array_end(command, &list);
    return run_command(use, command, 0, error);
}

static int is_unique(const definition *d)
{
    return d->options && strstr(d->options, "\"unique\"") != NULL;
}

/* A server without the options, or documents that are in the way, do not stop a migration. */
static na_error *create_optional_index(na_db_use *use, const definition *d)
{
    bson_error_t error;
    na_error *failed = create_index(use, d, d->options, &error);
    int is_lacking = na_error_is(failed, NA_ERR_CONFIGURATION);
    if (!failed || (!is_lacking && !na_mongo_is_duplicate(&error)))
        return failed;
    return is_unique(d) ? NULL : create_index(use, d, NULL, &error);
}

/* Most often, documents of an application are in the way of a unique index. */
static na_error *create_needed_index(na_db_use *use, const definition *d)
{
    bson_error_t error;
    na_error *failed = create_index(use, d, d->options, &error);
    return failed && na_mongo_is_duplicate(&error)
               ? na_error_with_hint(na_error_wrap(use->pool, failed, NA_ERR_CONFIGURATION,
                                                  "collection %s has documents that are the same "
                                                  "in the fields of index %s",
                                                  name_of(use, d), d->index),
                                    "delete all but one of them, then migrate again")
               : failed;
}

static na_error *apply(na_db_use *use, const definition *d)
{
    bson_error_t error;
    if (!d->index)
        return run_command(use, BCON_NEW("create", BCON_UTF8(name_of(use, d))), NAMESPACE_EXISTS,
                           &error);
    return d->is_optional ? create_optional_index(use, d) : create_needed_index(use, d);
}

static na_error *take_back(na_db_use *use, const definition *d)
{
    bson_error_t error;
    if (!d->index)
        return run_command(use, BCON_NEW("drop", BCON_UTF8(name_of(use, d))), NAMESPACE_NOT_FOUND,
                           &error);
    bson_t *command =
        BCON_NEW("dropIndexes", BCON_UTF8(name_of(use, d)), "index", BCON_UTF8(d->index));
    na_error *failed = run_command(use, command, INDEX_NOT_FOUND, &error);
    return failed && error.code == NAMESPACE_NOT_FOUND ? NULL : failed;
}

/* Keeps the generation of a database that has one. */
static na_error *make_generation(na_db_use *use)
{
    apr_uint32_t random;
    apr_int64_t generation;
    NA_TRY(na_mongo_get_generation(use, &generation));
    if (generation)
        return NULL;
    na_random(&random, sizeof random);
    return na_mongo_put_generation(use,
                                   (1 + (apr_int64_t)(random & 0x1fffffff)) * NA_GENERATION_STEP);
}

static na_error *run_step(na_db_use *use, int version, int up)
{
    for (int i = 0; i < DEFINITIONS; i++) {
        const definition *d = &definitions[up ? i : DEFINITIONS - 1 - i];
        if (d->version == version)
            NA_TRY(up ? apply(use, d) : take_back(use, d));
    }
    return up && version == 3 ? make_generation(use) : NULL;
}

/* ── the list of steps ─────────────────────────────────────────────────────────────────────── */

static na_error *add_step(void *steps, na_db_use *use, const bson_t *document)
{
    const char *name = na_value_text(use->pool, document, "name");
    APR_ARRAY_PUSH((apr_array_header_t *)steps, na_db_step) =
        (na_db_step){.version = (int)na_value_number(document, "_id"),
                     .name = name ? name : "",
                     .at = na_value_time(document, "appliedAt")};
    return NULL;
}

static na_error *read_steps(na_db_use *use, apr_array_header_t *steps)
{
    const bson_t *all = na_mongo_own(use, bson_new());
    const bson_t *sorted = na_mongo_own(use, BCON_NEW("sort", "{", "_id", BCON_INT32(1), "}"));
    return na_mongo_find(use, NA_MIGRATIONS, all, sorted, add_step, steps);
}

na_error *na_mongo_applied(void *self, apr_pool_t *pool, apr_array_header_t *steps)
{
    na_db_use *use;
    NA_TRY(na_mongo_define(self, pool, &use));
    return na_mongo_end(use, read_steps(use, steps));
}

static na_error *record_step(na_db_use *use, int version, int up)
{
    if (!up)
        return na_mongo_delete(use, NA_MIGRATIONS,
                               na_mongo_own(use, BCON_NEW("_id", BCON_INT32(version))), NULL);
    const bson_t *step =
        na_mongo_own(use, BCON_NEW("_id", BCON_INT32(version), "name",
                                   BCON_UTF8(na_mongo_step_name(version)), "appliedAt",
                                   BCON_DATE_TIME(apr_time_as_msec(apr_time_now()))));
    return na_mongo_insert(use, NA_MIGRATIONS, step, NULL);
}

static na_error *check_target(na_db_use *use, int current, int target)
{
    if (current > NA_MONGO_STEPS)
        return na_error_new(use->pool, NA_ERR_CONFIGURATION,
                            "the database is at step %d, which this version does not support; it "
                            "supports steps up to %d",
                            current, NA_MONGO_STEPS);
    return target >= 0 && target <= NA_MONGO_STEPS
               ? NULL
               : na_error_new(use->pool, NA_ERR_CONFIGURATION,
                              "there is no step %d; the newest is %d", target, NA_MONGO_STEPS);
}

/* Steps can be run again: one that failed was not recorded. */
static na_error *do_next_step(na_db_use *use, int target, int *version, int *up)
{
    apr_array_header_t *steps = apr_array_make(use->pool, 4, sizeof(na_db_step));
    NA_TRY(na_mongo_lock(use, "migrations"));
    NA_TRY(read_steps(use, steps));
    int current = steps->nelts ? APR_ARRAY_IDX(steps, steps->nelts - 1, na_db_step).version : 0;
    NA_TRY(check_target(use, current, target));
    *up = target > current;
    *version = target == current ? 0 : *up ? current + 1 : current;
    if (!*version)
        return NULL;
    if (!*up) /* while it is taken back, no other process relies on it */
        NA_TRY(record_step(use, *version, 0));
    NA_TRY(run_step(use, *version, *up));
    return *up ? record_step(use, *version, 1) : NULL;
}

na_error *na_mongo_migrate(void *self, apr_pool_t *pool, int target, int *version, int *up)
{
    na_db_use *use;
    NA_TRY(na_mongo_define(self, pool, &use));
    return na_mongo_end(use, do_next_step(use, target, version, up));
}

/* ── checking ──────────────────────────────────────────────────────────────────────────────── */

na_error *na_mongo_ping(void *self, apr_pool_t *pool, int *behind)
{
    na_db_use *use;
    const bson_t *first;
    *behind = 0;
    NA_TRY(na_mongo_read(self, pool, &use));
    *behind = use->is_behind;
    const bson_t *filter = na_mongo_own(use, BCON_NEW("_id", BCON_INT32(1)));
    return na_mongo_end(use, na_mongo_find_one(use, NA_MIGRATIONS, filter, NULL, &first));
}

static int has_index(mongoc_cursor_t *indexes, const char *name)
{
    const bson_t *index;
    bson_iter_t at;
    int found = 0;
    while (!found && mongoc_cursor_next(indexes, &index))
        found = bson_iter_init_find(&at, index, "name") && BSON_ITER_HOLDS_UTF8(&at) &&
                strcmp(bson_iter_utf8(&at, NULL), name) == 0;
    return found;
}

static na_error *check_index(na_db_use *use, const definition *d)
{
    bson_error_t error;
    mongoc_collection_t *collection =
        mongoc_database_get_collection(use->database, name_of(use, d));
    mongoc_cursor_t *indexes = mongoc_collection_find_indexes_with_opts(collection, NULL);
    int found = has_index(indexes, d->index);
    na_error *failed = mongoc_cursor_error(indexes, &error)
                           ? na_mongo_failed(use, &error, NULL, "could not list indexes")
                           : NULL;
    mongoc_cursor_destroy(indexes);
    mongoc_collection_destroy(collection);
    if (failed || found)
        return failed;
    return na_error_with_hint(na_error_new(use->pool, NA_ERR_NO_TABLES,
                                           "%s: the unique index %s of collection %s is missing",
                                           use->options->name, d->index, name_of(use, d)),
                              text_up(use->pool, use->settings, d));
}

static na_error *check_indexes(na_db_use *use)
{
    for (int i = 0; i < DEFINITIONS; i++)
        if (is_unique(&definitions[i]) && !definitions[i].is_optional)
            NA_TRY(check_index(use, &definitions[i]));
    return NULL;
}

na_error *na_mongo_check_tables(void *self, apr_pool_t *pool)
{
    na_db_use *use;
    NA_TRY(na_mongo_read(self, pool, &use));
    return na_mongo_end(use, check_indexes(use));
}
