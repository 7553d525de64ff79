/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of mailed links. */
#include "mongodb/tokens.h"

#include "mongodb/collection.h"
#include "mongodb/users.h"
#include "mongodb/value.h"

static const bson_t *token_filter(na_db_use *use, const char *identifier, const char *hash)
{
    return na_mongo_own(use,
                        BCON_NEW("identifier", BCON_UTF8(identifier), "token", BCON_UTF8(hash)));
}

static const bson_t *identifier_filter(na_db_use *use, const char *identifier)
{
    return na_mongo_own(use, BCON_NEW("identifier", BCON_UTF8(identifier)));
}

/* A token without a valid date has expired long ago. */
na_error *na_mongo_get_token(na_db_use *use, const char *identifier, const char *hash,
                             na_db_token *token, int *found)
{
    const bson_t *document;
    NA_TRY(na_mongo_find_one(use, NA_TOKENS, token_filter(use, identifier, hash), NULL, &document));
    *found = document != NULL;
    if (*found)
        *token = (na_db_token){identifier, hash, na_value_time(document, "expires")};
    return NULL;
}

na_error *na_mongo_take_token(na_db_use *use, const char *identifier, const char *hash,
                              int *deleted)
{
    return na_mongo_delete(use, NA_TOKENS, token_filter(use, identifier, hash), deleted);
}

na_error *na_mongo_delete_tokens(na_db_use *use, const char *identifier)
{
    return na_mongo_delete_all(use, NA_TOKENS, identifier_filter(use, identifier), NULL);
}

/* ── operations ────────────────────────────────────────────────────────────────────────────── */

static na_error *insert_token(na_db_use *use, const na_db_token *token)
{
    bson_oid_t id;
    na_mongo_new_id(&id);
    const bson_t *document =
        na_mongo_own(use, BCON_NEW("_id", BCON_OID(&id), "identifier", BCON_UTF8(token->identifier),
                                   "token", BCON_UTF8(token->token), "expires",
                                   BCON_DATE_TIME(token->expires)));
    return na_mongo_insert(use, NA_TOKENS, document, NULL);
}

typedef struct surplus {
    int seen, most;
    apr_array_header_t *hashes; /* const char *: of those that there is no more room for */
} surplus;

static na_error *see_token(void *data, na_db_use *use, const bson_t *document)
{
    surplus *s = data;
    const char *hash = na_value_text(use->pool, document, "token");
    if (++s->seen > s->most && hash)
        APR_ARRAY_PUSH(s->hashes, const char *) = hash;
    return NULL;
}

/* Those that several callers add at once are all there for a moment, then the newest remain. */
static na_error *delete_surplus(na_db_use *use, const char *identifier, int most)
{
    surplus s = {0, most, apr_array_make(use->pool, 4, sizeof(const char *))};
    const bson_t *newest_first =
        na_mongo_own(use, BCON_NEW("sort", "{", "expires", BCON_INT32(-1), "_id", BCON_INT32(-1),
                                   "}", "limit", BCON_INT64(NA_ARRAY_MAX)));
    NA_TRY(na_mongo_find(use, NA_TOKENS, identifier_filter(use, identifier), newest_first,
                         see_token, &s));
    for (int i = 0; i < s.hashes->nelts; i++)
        NA_TRY(
            na_mongo_take_token(use, identifier, APR_ARRAY_IDX(s.hashes, i, const char *), NULL));
    return NULL;
}

static na_error *add_and_make_room(na_db_use *use, const na_db_token *token, int most)
{
    NA_TRY(insert_token(use, token));
    return delete_surplus(use, token->identifier, most);
}

na_error *na_mongo_add_token(void *self, apr_pool_t *pool, const na_db_token *token, int most)
{
    na_db_use *use;
    NA_TRY(na_mongo_write(self, pool, &use));
    return na_mongo_end(use, add_and_make_room(use, token, most));
}

na_error *na_mongo_find_token(void *self, apr_pool_t *pool, const char *identifier,
                              const char *hash, na_db_token *token, int *found)
{
    na_db_use *use;
    NA_TRY(na_mongo_read_current(self, pool, &use));
    return na_mongo_end(use, na_mongo_get_token(use, identifier, hash, token, found));
}

static na_error *get_and_take(na_db_use *use, const char *identifier, const char *hash,
                              na_db_token *token, int *found)
{
    NA_TRY(na_mongo_get_token(use, identifier, hash, token, found));
    return *found ? na_mongo_take_token(use, identifier, hash, found) : NULL;
}

na_error *na_mongo_use_token(void *self, apr_pool_t *pool, const char *identifier, const char *hash,
                             na_db_token *token, int *found)
{
    na_db_use *use;
    NA_TRY(na_mongo_write(self, pool, &use));
    return na_mongo_end(use, get_and_take(use, identifier, hash, token, found));
}
