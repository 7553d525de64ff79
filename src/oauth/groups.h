/* SPDX-License-Identifier: Apache-2.0 */
/* The groups of a user, from an API of the provider. */
#ifndef NA_OAUTH_GROUPS_H
#define NA_OAUTH_GROUPS_H

#include "oauth/oauth.h"

/*
 * With groups=true, sets the member `groups` of the profile to a list of names, unless the profile
 * has one. Fails if the list is not complete: roles that depend on it can also be denials.
 */
na_error *na_oauth_add_groups(const na_oauth *oauth, const na_tokens *tokens, json_t *profile);

#endif
