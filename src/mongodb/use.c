/* SPDX-License-Identifier: Apache-2.0 */
/* Uses of MongoDB: reading, changes, and transactions where the servers have them. */
#include "mongodb/use.h"

#include <string.h>

#include <apr_atomic.h>
#include <apr_strings.h>

#include "base/crypto.h"
#include "mongodb/collection.h"
#include "mongodb/errors.h"
#include "mongodb/lock.h"

/* Attempts of a transaction that conflicts with others, and the pause after the first of them. */
#define TRIES_MAX 5
#define CONFLICT_PAUSE apr_time_from_msec(10)

/* Attempts to commit, if it is unknown whether the previous one succeeded. */
#define COMMITS_MAX 3

/* ── beginning ─────────────────────────────────────────────────────────────────────────────── */

/* The preference of the URL, with its tags, unless it insists on the primary. */
static mongoc_read_prefs_t *reads_of(mongoc_client_t *client)
{
    const mongoc_uri_t *uri = mongoc_client_get_uri(client);
    return mongoc_uri_has_option(uri, MONGOC_URI_READPREFERENCE)
               ? mongoc_read_prefs_copy(mongoc_uri_get_read_prefs_t(uri))
               : mongoc_read_prefs_new(MONGOC_READ_PRIMARY_PREFERRED);
}

static na_error *unavailable(const na_mongo *mongo, apr_pool_t *pool, const char *why)
{
    return na_error_new(pool, NA_ERR_UNAVAILABLE, "%s: %s", mongo->options->name, why);
}

/* The URL's preference is for some reads only (reads_of): decisions never rely on a secondary. */
static mongoc_database_t *open_database(mongoc_client_t *client, const char *name)
{
    mongoc_database_t *database = mongoc_client_get_database(client, name);
    mongoc_read_prefs_t *primary = mongoc_read_prefs_new(MONGOC_READ_PRIMARY);
    mongoc_database_set_read_prefs(database, primary);
    mongoc_read_prefs_destroy(primary);
    return database;
}

static na_error *take_client(na_mongo *mongo, apr_pool_t *pool, na_db_use **use)
{
    mongoc_client_pool_t *clients = na_mongo_clients(mongo);
    if (!clients)
        return unavailable(mongo, pool, "could not start the client");
    mongoc_client_t *client = mongoc_client_pool_pop(clients);
    if (!client)
        return na_error_new(pool, NA_ERR_BUSY, "%s: all %d connections are in use",
                            mongo->options->name, mongo->options->max_connections);
    na_db_use *made = apr_pcalloc(pool, sizeof *made);
    made->mongo = mongo;
    made->options = mongo->options;
    made->settings = mongo->settings;
    made->home = made->pool = pool;
    made->client = client;
    made->database = open_database(client, mongo->settings->database);
    made->locks = apr_array_make(pool, 2, sizeof(const char *));
    apr_cpystrn(made->owner, na_random_hex(pool, 16), sizeof made->owner);
    *use = made;
    return NULL;
}

static void give_client_back(na_db_use *use)
{
    if (use->session)
        mongoc_client_session_destroy(use->session);
    mongoc_read_prefs_destroy(use->reads); /* NULL is allowed */
    mongoc_database_destroy(use->database);
    mongoc_client_pool_push(use->mongo->clients, use->client);
    use->client = NULL;
}

/*
 * Idle connections can be dead, and a write on one would fail without anybody knowing whether it
 * was done. Two attempts: the first failure closes the others.
 */
static na_error *check_primary(na_db_use *use)
{
    bson_error_t error;
    const bson_t *ping = na_mongo_own(use, BCON_NEW("ping", BCON_INT32(1)));
    for (int tries = 0; tries < 2; tries++)
        if (mongoc_client_command_simple(use->client, "admin", ping, NULL, NULL, &error))
            return NULL;
    return na_mongo_failed(use, &error, NULL, "the primary does not respond");
}

static int is_type(const mongoc_server_description_t *server, const char *type)
{
    return strcmp(mongoc_server_description_type((mongoc_server_description_t *)server), type) == 0;
}

static na_error *select_primary(na_db_use *use)
{
    bson_error_t error;
    mongoc_server_description_t *server = mongoc_client_select_server(use->client, 1, NULL, &error);
    if (!server)
        return na_mongo_failed(use, &error, NULL, "no server responds");
    use->has_transactions = is_type(server, "RSPrimary") || is_type(server, "Mongos");
    mongoc_server_description_destroy(server);
    return NULL;
}

static int knows_secondary(na_db_use *use)
{
    size_t count;
    int found = 0;
    mongoc_server_description_t **all = mongoc_client_get_server_descriptions(use->client, &count);
    for (size_t i = 0; i < count && !found; i++)
        found = is_type(all[i], "RSSecondary");
    mongoc_server_descriptions_destroy_all(all, count);
    return found;
}

static int can_read_secondary(na_db_use *use)
{
    use->reads = reads_of(use->client);
    return mongoc_read_prefs_get_mode(use->reads) != MONGOC_READ_PRIMARY && knows_secondary(use);
}

/* Without the indexes of the steps, two documents could be one user's, or one account's. */
static na_error *check_migrated(na_db_use *use)
{
    const bson_t *first, *filter = na_mongo_own(use, BCON_NEW("_id", BCON_INT32(1)));
    if (apr_atomic_read32(&use->mongo->is_migrated))
        return NULL;
    NA_TRY(na_mongo_find_one(use, NA_MIGRATIONS, filter, NULL, &first));
    if (!first)
        return na_error_with_hint(na_error_new(use->pool, NA_ERR_NO_TABLES,
                                               "%s: tables are missing", use->options->name),
                                  "run nextauthctl migrate");
    apr_atomic_set32(&use->mongo->is_migrated, 1);
    return NULL;
}

typedef enum purpose { TO_READ, TO_READ_CURRENT, TO_WRITE, TO_DEFINE } purpose;

/*
 * A secondary only after the time to find a primary: a process that has just begun can know
 * secondaries before it knows the primary.
 */
static na_error *prepare_use(na_db_use *use, purpose what)
{
    use->is_writing = what == TO_WRITE || what == TO_DEFINE;
    if (use->is_writing)
        NA_TRY(check_primary(use));
    na_error *error = select_primary(use);
    use->is_behind = error && what == TO_READ && can_read_secondary(use);
    if (error && !use->is_behind)
        return error;
    return what == TO_DEFINE ? NULL : check_migrated(use);
}

/*
 * The breaker is the primary's. While it refuses, or while there is no primary, those who only read
 * go on with a secondary, if one is known.
 */
static void read_beside_breaker(na_db_use *use)
{
    use->is_beside_breaker = 1;
    use->is_behind = 1;
}

static na_error *begin_behind(na_mongo *mongo, apr_pool_t *pool, na_error *refused, na_db_use **use)
{
    NA_TRY(take_client(mongo, pool, use));
    if (can_read_secondary(*use)) {
        read_beside_breaker(*use);
        return NULL;
    }
    give_client_back(*use);
    return refused;
}

static na_error *begin_use(na_mongo *mongo, apr_pool_t *pool, purpose what, na_db_use **use)
{
    na_error *error = na_breaker_admit(mongo->breaker, pool);
    if (error)
        return what == TO_READ ? begin_behind(mongo, pool, error, use) : error;
    error = take_client(mongo, pool, use);
    if (error)
        return na_breaker_settle(mongo->breaker, pool, error);
    error = prepare_use(*use, what);
    if (error) {
        give_client_back(*use);
        return na_breaker_settle(mongo->breaker, pool, error);
    }
    if ((*use)->is_behind) {
        na_breaker_settle(mongo->breaker, pool, unavailable(mongo, pool, "there is no primary"));
        read_beside_breaker(*use);
    }
    return NULL;
}

na_error *na_mongo_read(na_mongo *mongo, apr_pool_t *pool, na_db_use **use)
{
    return begin_use(mongo, pool, TO_READ, use);
}

na_error *na_mongo_read_current(na_mongo *mongo, apr_pool_t *pool, na_db_use **use)
{
    return begin_use(mongo, pool, TO_READ_CURRENT, use);
}

na_error *na_mongo_write(na_mongo *mongo, apr_pool_t *pool, na_db_use **use)
{
    return begin_use(mongo, pool, TO_WRITE, use);
}

na_error *na_mongo_define(na_mongo *mongo, apr_pool_t *pool, na_db_use **use)
{
    return begin_use(mongo, pool, TO_DEFINE, use);
}

/* ── transactions ──────────────────────────────────────────────────────────────────────────── */

/* A transaction with another preference than the primary would fail, whatever the URL says. */
static int begin_on_primary(mongoc_client_session_t *session, bson_error_t *error)
{
    mongoc_transaction_opt_t *options = mongoc_transaction_opts_new();
    mongoc_read_prefs_t *primary = mongoc_read_prefs_new(MONGOC_READ_PRIMARY);
    mongoc_transaction_opts_set_read_prefs(options, primary);
    int begun = mongoc_client_session_start_transaction(session, options, error);
    mongoc_read_prefs_destroy(primary);
    mongoc_transaction_opts_destroy(options);
    return begun;
}

/*
 * What a transaction reads is of one moment, that of its first operation: after the locks, or it
 * would miss what those who had them before have changed.
 */
na_error *na_mongo_start_transaction(na_db_use *use)
{
    bson_error_t error;
    if (!use->has_transactions)
        return NULL;
    use->session = mongoc_client_start_session(use->client, NULL, &error);
    if (!use->session)
        return na_mongo_failed(use, &error, NULL, "could not start a session");
    return begin_on_primary(use->session, &error)
               ? NULL
               : na_mongo_failed(use, &error, NULL, "could not begin a transaction");
}

/* ── ending ────────────────────────────────────────────────────────────────────────────────── */

/* The server remembers what became of a commit, so it can be asked to commit again. */
static na_error *commit(na_db_use *use)
{
    na_error *failed = NULL;
    for (int tries = 0; tries < COMMITS_MAX; tries++) {
        bson_t reply;
        bson_error_t error;
        int is_unknown = 0;
        if (mongoc_client_session_commit_transaction(use->session, &reply, &error)) {
            bson_destroy(&reply);
            return NULL;
        }
        is_unknown = mongoc_error_has_label(&reply, "UnknownTransactionCommitResult");
        failed = na_mongo_failed(use, &error, &reply, "could not commit the transaction");
        bson_destroy(&reply);
        if (!is_unknown)
            break;
    }
    return failed;
}

/* A failed operation has ended the transaction, whatever became of its error. */
static na_error *end_transaction(na_db_use *use, na_error *error)
{
    bson_error_t ignored;
    if (!error)
        error = use->failure;
    if (!error)
        return commit(use);
    mongoc_client_session_abort_transaction(use->session, &ignored);
    return error;
}

na_error *na_mongo_end(na_db_use *use, na_error *error)
{
    na_mongo_close_scan(use);
    if (use->session && mongoc_client_session_in_transaction(use->session))
        error = end_transaction(use, error);
    na_mongo_unlock_all(use);
    give_client_back(use);
    return use->is_beside_breaker ? error
                                  : na_breaker_settle(use->mongo->breaker, use->home, error);
}

na_error *na_mongo_transact(na_mongo *mongo, apr_pool_t *pool, na_mongo_work *work, void *data)
{
    na_db_use *use;
    for (int tries = 1;; tries++) {
        na_error *error = na_mongo_write(mongo, pool, &use);
        if (!error)
            error = na_mongo_end(use, work(data, use));
        if (!na_error_is(error, NA_ERR_CONFLICT) || tries == TRIES_MAX)
            return error;
        apr_sleep(tries * CONFLICT_PAUSE);
    }
}
