/* SPDX-License-Identifier: Apache-2.0 */
/* The lease of a session's kept tokens: one request of all servers asks the provider. */
#include "auth/token_lease.h"

#include "auth/report.h"
#include "base/json.h"

/* Members of the entry. */
#define LEASE "l" /* random text of the holder */
#define LEASE_END "le"

/* Attempts to write an entry, a pause apart, before what was learned is given up. */
#define TRIES 50

int na_lease_begin(na_request *request, const na_session *session, na_token_lease *lease)
{
    *lease = (na_token_lease){.request = request,
                              .registry = na_kept_tokens_registry(request),
                              .session = na_session_key(request->pool, session)};
    return lease->registry != NULL;
}

na_error *na_lease_look(na_token_lease *lease)
{
    NA_TRY(
        na_token_entry_find(lease->registry, lease->request->pool, lease->session, &lease->entry));
    na_kept_tokens_read(lease->entry.json, &lease->kept);
    return NULL;
}

apr_int64_t na_lease_seconds(const na_token_lease *lease, const char *name)
{
    json_int_t seconds = 0;
    na_json_number(lease->entry.json, name, &seconds);
    return seconds;
}

int na_lease_is_held(const na_token_lease *lease)
{
    return na_lease_seconds(lease, LEASE_END) > apr_time_sec(apr_time_now());
}

const na_provider *na_lease_provider(const na_token_lease *lease)
{
    const apr_array_header_t *providers = lease->request->config->providers;
    int at = lease->kept.provider ? na_provider_find(providers, lease->kept.provider) : -1;
    return at >= 0 ? APR_ARRAY_IDX(providers, at, const na_provider *) : NULL;
}

/* Longer than all calls under one lease, and the wait for a place, can take. */
static apr_int64_t end_of(const na_token_lease *lease)
{
    return apr_time_sec(apr_time_now()) + 5 + 6 * lease->request->config->http.timeout_ms / 1000;
}

static void hold(const na_token_lease *lease)
{
    json_object_set_new(lease->entry.json, LEASE, json_string(lease->holder));
    json_object_set_new(lease->entry.json, LEASE_END, json_integer(end_of(lease)));
}

na_error *na_lease_take(na_token_lease *lease, int *is_taken)
{
    lease->holder = na_random_base64url(lease->request->pool, 16);
    if (na_lease_seconds(lease, LEASE_END))
        na_log(lease->request, NA_LOG_WARNING, "REFRESH_TOKEN_ERROR",
               "a renewal of tokens did not end: trying again");
    hold(lease);
    return na_token_entry_write(lease->registry, lease->request->pool, &lease->entry, is_taken);
}

/* Returns 0 if the session ended, or if the lease did. */
static int is_holder(const na_token_lease *lease)
{
    const char *holder = na_json_string(lease->entry.json, LEASE);
    return holder && na_is_same(holder, lease->holder);
}

static na_error *write_change(na_token_lease *lease, na_lease_then then, na_lease_change *change,
                              const void *data, int *is_written)
{
    json_object_del(lease->entry.json, LEASE);
    json_object_del(lease->entry.json, LEASE_END);
    change(lease->entry.json, data);
    if (then == NA_LEASE_KEEP)
        hold(lease);
    NA_TRY(na_token_entry_write(lease->registry, lease->request->pool, &lease->entry, is_written));
    na_kept_tokens_read(lease->entry.json, &lease->kept);
    return NULL;
}

na_error *na_lease_settle(na_token_lease *lease, na_lease_then then, na_lease_change *change,
                          const void *data, int is_precious, int *is_written)
{
    na_error *error = NULL;
    for (int i = 0; i < TRIES; i++) {
        if (i)
            apr_sleep(apr_time_from_msec(NA_LEASE_PAUSE_MS));
        *is_written = 0;
        if (!error && !is_holder(lease))
            return NULL;
        if (!error)
            error = write_change(lease, then, change, data, is_written);
        if (!error && *is_written)
            return NULL;
        if (error && (!na_is_unavailable(error) || !is_precious))
            return error;
        error = na_lease_look(lease);
    }
    return error ? error
                 : na_error_new(lease->request->pool, NA_ERR_BUSY,
                                "too many changes to one session's tokens at once");
}
