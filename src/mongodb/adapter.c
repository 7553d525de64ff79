/* SPDX-License-Identifier: Apache-2.0 */
/* The adapter for MongoDB, which this shared object exports. */
#include "mongodb/authenticators.h"
#include "mongodb/collection.h"
#include "mongodb/decide.h"
#include "mongodb/find.h"
#include "mongodb/migrate.h"
#include "mongodb/records.h"
#include "mongodb/restore.h"
#include "mongodb/secrets.h"
#include "mongodb/sessions.h"
#include "mongodb/store.h"
#include "mongodb/tables.h"
#include "mongodb/tokens.h"
#include "mongodb/users.h"
#include "mongodb/value.h"

static na_error *open_database(apr_pool_t *pool, const na_db_options *options,
                               const na_breaker *breaker, void **self)
{
    na_mongo *mongo;
    NA_TRY(na_mongo_make(pool, options, breaker, &mongo));
    *self = mongo;
    return NULL;
}

static na_error *delete_expired(na_db_use *use, apr_int64_t now)
{
    static const na_collection with_expires[] = {NA_SESSIONS, NA_TOKENS, NA_SECRETS, NA_STORE};
    const bson_t *expired =
        na_mongo_own(use, BCON_NEW("expires", "{", "$lt", BCON_DATE_TIME(now), "}"));
    const bson_t *old = na_mongo_own(use, BCON_NEW("until", "{", "$lt", BCON_DATE_TIME(now), "}"));
    for (int i = 0; i < 4; i++)
        NA_TRY(na_mongo_delete_all(use, with_expires[i], expired, NULL));
    return na_mongo_delete_all(use, NA_LOCKS, old, NULL);
}

static na_error *purge(void *self, apr_pool_t *pool, apr_int64_t now)
{
    na_db_use *use;
    NA_TRY(na_mongo_write(self, pool, &use));
    return na_mongo_end(use, delete_expired(use, now));
}

static int accepts_id(const na_db_options *options, const char *id)
{
    bson_oid_t oid;
    return na_oid_parse(id, &oid);
}

static const char *new_id(const na_db_options *options, apr_pool_t *pool, apr_int64_t *last_id)
{
    bson_oid_t oid;
    na_mongo_new_id(&oid);
    return na_mongo_id_text(pool, &oid);
}

__attribute__((visibility("default"))) const na_adapter na_mongodb_adapter = {
    .version = NA_ADAPTER_VERSION,
    .parse = na_mongo_parse,
    .set_schema = na_mongo_set_schema,
    .check = na_mongo_check,
    .open = open_database,
    .ping = na_mongo_ping,
    .check_tables = na_mongo_check_tables,
    .find = na_mongo_find_person,
    .list = na_mongo_list_people,
    .list_accounts = na_mongo_accounts_of,
    .find_account = na_mongo_find_account,
    .replace_tokens = na_mongo_replace_tokens,
    .replace_hash = na_mongo_replace_hash,
    .decide = na_mongo_decide,
    .add_record = na_mongo_add_record,
    .list_records = na_mongo_list_records,
    .add_token = na_mongo_add_token,
    .find_token = na_mongo_find_token,
    .use_token = na_mongo_use_token,
    .find_session = na_mongo_find_session,
    .list_sessions = na_mongo_list_sessions,
    .update_session = na_mongo_update_session,
    .delete_session = na_mongo_delete_session,
    .find_authenticator = na_mongo_find_authenticator,
    .list_authenticators = na_mongo_list_authenticators,
    .update_counter = na_mongo_update_counter,
    .find_secret = na_mongo_find_secret,
    .list_secrets = na_mongo_list_secrets,
    .use_secret = na_mongo_use_secret,
    .store = &na_mongo_store,
    .purge = purge,
    .steps = NA_MONGO_STEPS,
    .step_name = na_mongo_step_name,
    .plan = na_mongo_plan,
    .applied = na_mongo_applied,
    .migrate = na_mongo_migrate,
    .begin_backup = na_mongo_begin_backup,
    .begin_restore = na_mongo_begin_restore,
    .has_table = na_mongo_has_table,
    .count_rows = na_mongo_count_rows,
    .read_rows = na_mongo_read_rows,
    .empty_table = na_mongo_empty_table,
    .insert_rows = na_mongo_insert_rows,
    .accepts_id = accepts_id,
    .new_id = new_id,
    .find_shared_email = na_mongo_find_shared_email,
    .read_ids = na_mongo_read_ids,
    .write_ids = na_mongo_write_ids,
    .end = na_mongo_end_restore,
};
