/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions as JSON. */
#ifndef NA_AUTH_SESSIONS_H
#define NA_AUTH_SESSIONS_H

#include "session/registry.h"

/* A session as programs see it; a new reference. */
json_t *na_session_listing(apr_pool_t *pool, const na_listed *listed);

#endif
