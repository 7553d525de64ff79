/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuth's sessions. */
#include "mongodb/sessions.h"

#include "mongodb/collection.h"
#include "mongodb/users.h"
#include "mongodb/value.h"

static const bson_t *session_filter(na_db_use *use, const char *token)
{
    return na_mongo_own(use, BCON_NEW("sessionToken", BCON_UTF8(token)));
}

na_error *na_mongo_create_session(na_db_use *use, const bson_oid_t *user, const char *token,
                                  apr_int64_t expires)
{
    bson_oid_t id;
    na_mongo_new_id(&id);
    const bson_t *document =
        na_mongo_own(use, BCON_NEW("_id", BCON_OID(&id), "sessionToken", BCON_UTF8(token), "userId",
                                   BCON_OID(user), "expires", BCON_DATE_TIME(expires)));
    return na_mongo_insert(use, NA_SESSIONS, document, NULL);
}

/* A session without a valid date has expired long ago. */
static na_db_session read_session(apr_pool_t *pool, const bson_t *document)
{
    return (na_db_session){.token = na_value_text(pool, document, "sessionToken"),
                           .user_id = na_value_oid(pool, document, "userId"),
                           .expires = na_value_time(document, "expires")};
}

na_error *na_mongo_get_session(na_db_use *use, const char *token, na_db_session *session,
                               int *found)
{
    const bson_t *document;
    NA_TRY(na_mongo_find_one(use, NA_SESSIONS, session_filter(use, token), NULL, &document));
    if (document)
        *session = read_session(use->pool, document);
    *found = document && session->token && session->user_id;
    return NULL;
}

static na_error *add_session(void *sessions, na_db_use *use, const bson_t *document)
{
    na_db_session session = read_session(use->pool, document);
    if (session.token)
        APR_ARRAY_PUSH((apr_array_header_t *)sessions, na_db_session) = session;
    return NULL;
}

na_error *na_mongo_get_sessions(na_db_use *use, const bson_oid_t *user,
                                apr_array_header_t *sessions)
{
    return na_mongo_find(use, NA_SESSIONS, na_mongo_own(use, BCON_NEW("userId", BCON_OID(user))),
                         NULL, add_session, sessions);
}

/* ── operations ────────────────────────────────────────────────────────────────────────────── */

na_error *na_mongo_list_sessions(void *self, apr_pool_t *pool, const char *user_id,
                                 apr_array_header_t *sessions)
{
    na_db_use *use;
    bson_oid_t user;
    if (!na_oid_parse(user_id, &user))
        return NULL;
    NA_TRY(na_mongo_read_current(self, pool, &use));
    return na_mongo_end(use, na_mongo_get_sessions(use, &user, sessions));
}

na_error *na_mongo_update_session(void *self, apr_pool_t *pool, const char *token,
                                  const char *new_token, apr_int64_t expires, int *found)
{
    na_db_use *use;
    NA_TRY(na_mongo_write(self, pool, &use));
    const bson_t *update =
        na_mongo_own(use, BCON_NEW("$set", "{", "sessionToken", BCON_UTF8(new_token), "expires",
                                   BCON_DATE_TIME(expires), "}"));
    return na_mongo_end(use, na_mongo_update(use, NA_SESSIONS, session_filter(use, token), update,
                                             found));
}

na_error *na_mongo_delete_session(void *self, apr_pool_t *pool, const char *token)
{
    na_db_use *use;
    NA_TRY(na_mongo_write(self, pool, &use));
    return na_mongo_end(use,
                        na_mongo_delete_all(use, NA_SESSIONS, session_filter(use, token), NULL));
}
