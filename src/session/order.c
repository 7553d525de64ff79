/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted orders to end sessions. */
#include "session/order.h"

#include <string.h>

#include "base/json.h"
#include "session/keyring.h"

/* Differs from every cookie's name, so that no token of a cookie is an order. */
static const char purpose[] = "nextauth-sessions: orders";

na_error *na_order_seal(apr_pool_t *pool, const char *secret, const na_order *order, apr_time_t now,
                        char **token)
{
    const char *const secrets[] = {secret};
    na_keyring ring;
    json_t *claims = na_json_own(pool, json_pack("{s:s}", "site", order->site));
    if (order->session)
        json_object_set_new(claims, "session", json_string(order->session));
    if (order->user)
        json_object_set_new(claims, "user", json_string(order->user));
    if (order->unlock)
        json_object_set_new(claims, "unlock", json_string(order->unlock));
    NA_TRY(na_keyring_derive(pool, NA_V4, secrets, 1, purpose, &ring));
    return na_keyring_seal(pool, &ring, claims, now, NA_ORDER_AGE, token);
}

na_error *na_order_open(apr_pool_t *pool, const char *const *secrets, int secret_count,
                        const char *site, const char *token, apr_time_t now, na_order *order)
{
    na_keyring ring;
    json_t *claims;
    NA_TRY(na_keyring_derive(pool, NA_V4, secrets, secret_count, purpose, &ring));
    NA_TRY(na_keyring_open(pool, &ring, na_bytes_of(token), now, &claims));
    *order = (na_order){.site = na_json_string(claims, "site"),
                        .id = na_json_string(claims, "jti"),
                        .session = na_json_string(claims, "session"),
                        .user = na_json_string(claims, "user"),
                        .unlock = na_json_string(claims, "unlock")};
    if (!order->site || strcmp(order->site, site) != 0)
        return na_error_new(pool, NA_ERR_SESSION, "an order for another site");
    if (!order->id)
        return na_error_new(pool, NA_ERR_SESSION, "an order without an ID");
    if (!order->session && !order->user && !order->unlock)
        return na_error_new(pool, NA_ERR_SESSION, "an order without a session or a user");
    return NULL;
}
