/* SPDX-License-Identifier: Apache-2.0 */
/* Errors of operations. */
#include "mongodb/errors.h"

#include "base/text.h"

/* Longest text of the server in a message. */
#define MESSAGE_MAX 300

int na_mongo_is_duplicate(const bson_error_t *error)
{
    return error->code == MONGOC_ERROR_DUPLICATE_KEY || error->code == 11001 ||
           error->code == 12582;
}

/*
 * Codes of servers that cannot serve at the moment: not primary, shutting down, recovering,
 * unreachable, too slow; or that do not let this client in.
 */
static int is_down_code(uint32_t code)
{
    static const uint32_t down[] = {6,    7,     13,    18,    50,    63,    64,    89,
                                    91,   100,   133,   150,   189,   202,   234,   262,
                                    9001, 10058, 10107, 11600, 11602, 13388, 13435, 13436};
    for (size_t i = 0; i < sizeof down / sizeof *down; i++)
        if (down[i] == code)
            return 1;
    return 0;
}

static int is_servers(const bson_error_t *error)
{
    return error->domain == MONGOC_ERROR_SERVER || error->domain == MONGOC_ERROR_WRITE_CONCERN;
}

static int is_own_mistake(const bson_error_t *error)
{
    return error->domain == MONGOC_ERROR_BSON || error->domain == MONGOC_ERROR_COMMAND ||
           error->domain == MONGOC_ERROR_TRANSACTION;
}

/* Commands, options, and transactions that the server does not implement. */
static int lacks_feature(const bson_error_t *error)
{
    return error->domain == MONGOC_ERROR_SERVER && (error->code == 59 || error->code == 238);
}

static const char *code_of(const bson_error_t *error)
{
    if (is_own_mistake(error))
        return NA_ERR_CONFLICT;
    if (!is_servers(error))
        return NA_ERR_UNAVAILABLE;
    if (lacks_feature(error))
        return NA_ERR_CONFIGURATION;
    return is_down_code(error->code) ? NA_ERR_UNAVAILABLE : NA_ERR_CONFLICT;
}

static int is_transient(const bson_t *reply)
{
    return reply && mongoc_error_has_label(reply, "TransientTransactionError");
}

na_error *na_mongo_failed(na_db_use *use, const bson_error_t *error, const bson_t *reply,
                          const char *what)
{
    const char *code = is_servers(error) && is_transient(reply) ? NA_ERR_CONFLICT : code_of(error);
    na_error *failed = na_error_new(use->home, code, "%s: %s: %s", use->options->name, what,
                                    na_one_line(use->home, error->message, MESSAGE_MAX));
    if (!use->failure)
        use->failure = failed;
    return failed;
}
