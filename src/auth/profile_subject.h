/* SPDX-License-Identifier: Apache-2.0 */
/* The subject that a provider's profile describes. */
#ifndef NA_AUTH_PROFILE_SUBJECT_H
#define NA_AUTH_PROFILE_SUBJECT_H

#include "auth/action.h"

/* Returns the type of a provider and of its accounts; v4 has no "oidc". */
const char *na_account_type(const na_config *config, const na_provider *provider);

/*
 * Sets the user, the profile, the account, and the tokens of a subject of request->provider.
 * `any_tenant` is 1 if any organization can be the issuer.
 */
na_error *na_profile_subject(na_request *request, int any_tenant, json_t *profile,
                             const na_tokens *tokens, na_subject *subject);

#endif
