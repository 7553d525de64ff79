/* SPDX-License-Identifier: Apache-2.0 */
/* The endpoint that lists the providers. */
#ifndef NA_ENDPOINT_PROVIDERS_H
#define NA_ENDPOINT_PROVIDERS_H

#include "auth/config.h"

/* Returns the type of a provider and of its accounts; v4 has no "oidc". */
const char *na_account_type(const na_config *config, const na_provider *provider);

#endif
