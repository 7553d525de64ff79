/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures of users that are in a session's claims themselves, and not at a URL. */
#include "session/picture.h"

#include <string.h>

#include "base/json.h"

/* Bytes of the claims that are added for each session, and of a record's other members. */
#define OTHER_CLAIMS 400
#define OTHER_MEMBERS 1024

/* Bytes of a token besides its claims, and of the names of its cookies. */
#define TOKEN_OVERHEAD 300

int na_picture_is_data(const json_t *claims)
{
    const char *picture = na_json_string(claims, "picture");
    return picture && strncmp(picture, "data:", 5) == 0;
}

/*
 * Returns the bytes of claims that a token can have with a picture. A quarter of the Cookie header
 * remains for other cookies: those of a sign-in are sent together with the session's.
 */
static apr_int64_t room_in_cookies(const na_session_config *config)
{
    apr_int64_t token = (apr_int64_t)config->cookie_max / 4 * 3 - TOKEN_OVERHEAD;
    return token / 4 * 3 - OTHER_CLAIMS; /* it is base64url */
}

static apr_int64_t room_in_store(const na_registry *registry)
{
    apr_int64_t most = (apr_int64_t)registry->stores[0]->driver->value_max;
    return (most < NA_CLAIMS_BYTES_MAX ? most : NA_CLAIMS_BYTES_MAX) - OTHER_MEMBERS;
}

void na_picture_fit(const na_sessions *sessions, apr_pool_t *pool, json_t *claims)
{
    if (!na_picture_is_data(claims))
        return;
    apr_int64_t room = sessions->config->strategy == NA_STRATEGY_DATABASE
                           ? room_in_store(sessions->registry)
                           : room_in_cookies(sessions->config);
    if ((apr_int64_t)strlen(na_json_dump(pool, claims)) > room)
        json_object_del(claims, "picture");
}
