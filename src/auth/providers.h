/* SPDX-License-Identifier: Apache-2.0 */
/* The list of providers that clients ask for. */
#ifndef NA_AUTH_PROVIDERS_H
#define NA_AUTH_PROVIDERS_H

#include "auth/config.h"

/* What a provider's type is called, and that of its accounts: v4 knows no "oidc". */
const char *na_account_type(const na_config *config, const na_provider *provider);

#endif
