/* SPDX-License-Identifier: Apache-2.0 */
/* Describes a session in JSON. */
#ifndef NA_ENDPOINT_SESSIONS_H
#define NA_ENDPOINT_SESSIONS_H

#include "session/listing.h"

/* Returns the JSON object of a session, a new reference. */
json_t *na_session_listing(apr_pool_t *pool, const na_listed *listed);

#endif
