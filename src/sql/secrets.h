/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of users: second factors, remembered browsers, and access tokens. */
#ifndef NA_SQL_SECRETS_H
#define NA_SQL_SECRETS_H

#include "sql/database.h"

/* As in records.h: everything lives in the pool of the use. */

na_error *na_sql_create_secret(na_db_use *use, const na_db_secret *secret);
na_error *na_sql_get_secret(na_db_use *use, const char *kind, const char *id, na_db_secret *secret,
                            int *found);

/* `kind` is NULL for all. */
na_error *na_sql_list_secrets(na_db_use *use, const char *user_id, const char *kind,
                              apr_array_header_t *secrets);

/* Implements na_decision.spent. */
na_error *na_sql_spend_secret(na_db_use *use, const na_db_secret *spent, int *holds);

na_error *na_sql_use_secret(na_db_use *use, const char *kind, const char *id, apr_int64_t used_at);

/* `id` is NULL for all of a kind, which is NULL for all of a user. */
na_error *na_sql_delete_secrets(na_db_use *use, const char *user_id, const char *kind,
                                const char *id);

na_error *na_sql_delete_expired_secrets(na_db_use *use, apr_int64_t now);

#endif
