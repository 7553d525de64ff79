/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that the endpoints of device authorization share. */
#ifndef NA_ENDPOINT_DEVICE_H
#define NA_ENDPOINT_DEVICE_H

#include "auth/action.h"

/* Returns 1 if NextAuthFeature deviceLogin is on. */
static inline int na_allows_devices(const na_request *request)
{
    return (request->config->features & NA_FEATURE_DEVICE_LOGIN) && request->db;
}

/* Responds with an error of RFC 6749 section 5.2. */
void na_respond_oauth_error(na_request *request, na_response *response, const char *code,
                            const char *description);

#endif
