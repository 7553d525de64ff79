/* SPDX-License-Identifier: Apache-2.0 */
/* The standing of a session's user in the database. */
#include "session/standing.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "session/table.h"

int na_standing_matters(const na_session *session)
{
    return na_session_claim(session, NA_CLAIM_DATABASE_USER) != NULL;
}

/* Sessions that are older than revisions have none, which counts as the first. */
int na_standing_has_revision(const na_session *session, apr_int64_t revision)
{
    const char *text = na_session_claim(session, NA_CLAIM_REVISION);
    return revision == (text ? strtoll(text, NULL, 10) : 0);
}

static int has_roles(const na_session *session, const apr_array_header_t *roles)
{
    int count = 0;
    for (int i = 0; i < session->claim_count; i++)
        count += strcmp(session->claims[i].name, NA_CLAIM_DATABASE_ROLES) == 0;
    for (int i = 0; i < roles->nelts; i++)
        if (!na_session_has(session, NA_CLAIM_DATABASE_ROLES,
                            APR_ARRAY_IDX(roles, i, const char *)))
            return 0;
    return count == roles->nelts;
}

static int has_email(const na_session *session, const char *email)
{
    return !email || (session->email && strcmp(session->email, email) == 0);
}

static na_error *change(apr_pool_t *pool, const na_db_person *person,
                        const apr_array_header_t *identity_claims, const na_session **session)
{
    json_t *kept;
    NA_TRY(na_json_parse_sealed(pool, NA_ERR_SESSION, na_bytes_of((*session)->claims_json), &kept));
    json_t *claims = na_json_own(pool, json_copy(kept));
    na_table_set_roles(claims, kept, person->roles);
    if (person->user.email)
        json_object_set_new(claims, "email", json_string(person->user.email));
    return na_session_change(pool, *session, claims, identity_claims, session);
}

na_error *na_standing_check(const na_db *db, apr_pool_t *pool, int role_column,
                            const apr_array_header_t *identity_claims, const na_session **session)
{
    const na_db_who who = {.id = (*session)->user, .role_column = role_column};
    na_db_person person;
    int found;
    NA_TRY(na_db_find(db, pool, &who, &person, &found));
    if (!found)
        return na_error_new(pool, NA_ERR_SESSION, "the session's user no longer exists");
    if (person.credential.disabled)
        return na_error_new(pool, NA_ERR_SESSION, "the session's user is disabled");
    if (!na_standing_has_revision(*session, person.revision))
        return na_error_new(pool, NA_ERR_SESSION,
                            "the user's sessions were ended, for example by a new password");
    return has_roles(*session, person.roles) && has_email(*session, person.user.email)
               ? NULL
               : change(pool, &person, identity_claims, session);
}

na_error *na_standing_check_factor(const na_db *db, apr_pool_t *pool, const na_session *session)
{
    apr_array_header_t *keys = apr_array_make(pool, 1, sizeof(na_db_secret));
    NA_TRY(na_db_list_secrets(db, pool, session->user, NA_SECRET_TOTP, keys));
    return keys->nelts ? na_error_new(pool, NA_ERR_SESSION,
                                      "the session began without the second factor of its user")
                       : NULL;
}
