/* SPDX-License-Identifier: Apache-2.0 */
/* The ways in which a user of the database can sign in. */
#include "auth/ways.h"

#include "auth/password_user.h"

const na_provider *na_ways_provider(const na_request *request, const char *id)
{
    const apr_array_header_t *providers = request->config->providers;
    int at = na_provider_find(providers, id);
    return at < 0 ? NULL : APR_ARRAY_IDX(providers, at, const na_provider *);
}

static int has_provider(const na_request *request, na_provider_type type)
{
    const apr_array_header_t *providers = request->config->providers;
    for (int i = 0; i < providers->nelts; i++)
        if (APR_ARRAY_IDX(providers, i, const na_provider *)->type == type)
            return 1;
    return 0;
}

/* An email address that is not vouched for can be another person's. */
static int takes_links(const na_request *request, const na_db_user *user)
{
    return user->email && user->email_verified && request->mails && has_provider(request, NA_EMAIL);
}

na_ways na_ways_of(const na_request *request, const na_db_person *person,
                   const apr_array_header_t *accounts)
{
    na_ways ways = {.password = person->user.email && person->credential.hash &&
                                na_password_user_provider(request),
                    .links = takes_links(request, &person->user)};
    for (int i = 0; i < accounts->nelts; i++)
        ways.accounts +=
            na_ways_provider(request, APR_ARRAY_IDX(accounts, i, na_db_account).provider) != NULL;
    return ways;
}

int na_ways_count(const na_ways *ways)
{
    return ways->password + ways->links + ways->accounts;
}
