/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a user whose sign-in does not suffice for a more recent or stronger one. */
#include "httpd/request/step_up.h"

#include <string.h>

#include <apr_strings.h>
#include <mod_core.h>

#include "base/json.h"
#include "httpd/module.h"
#include "httpd/request/access.h"
#include "httpd/request/client.h"
#include "httpd/request/direct.h"
#include "httpd/request/preserve.h"
#include "httpd/request/refuse.h"
#include "httpd/request/url.h"

#define ERROR "insufficient_user_authentication"
#define DESCRIPTION "A more recent or stronger sign-in is required."

/* ── clients that are not browsers ─────────────────────────────────────────────────────────── */

/* RFC 9470 section 3. Its scheme is one of tokens; without them, it is that of cookies. */
static void add_challenge(request_rec *r, const na_demand *demand)
{
    int accepts_bearer = na_is_way_open(r, NA_BY_TOKEN) || na_is_way_open(r, NA_BY_BEARER) ||
                         na_is_way_open(r, NA_BY_OAUTH);
    const char *acr = demand->acr_values
                          ? apr_pstrcat(r->pool, ", acr_values=\"", demand->acr_values, "\"", NULL)
                          : "";
    const char *age =
        demand->max_age >= 0
            ? apr_psprintf(r->pool, ", max_age=\"%" APR_INT64_T_FMT "\"", demand->max_age)
            : "";
    na_add_challenge(r, accepts_bearer ? "Bearer" : "NextAuth",
                     apr_pstrcat(r->pool,
                                 ", error=\"" ERROR "\", error_description=\"" DESCRIPTION "\"",
                                 acr, age, NULL));
}

/* An administrator's ErrorDocument takes precedence. */
static int respond_challenge(request_rec *r, const na_demand *demand)
{
    add_challenge(r, demand);
    if (r->main || ap_response_code_string(r, ap_index_of_response(HTTP_UNAUTHORIZED)))
        return HTTP_UNAUTHORIZED;
    json_t *body = na_json_own(r->pool, json_pack("{s:s, s:s, s:s*}", "error", ERROR, "message",
                                                  DESCRIPTION, "acr_values", demand->acr_values));
    if (demand->max_age >= 0)
        json_object_set_new(body, "max_age", json_integer(demand->max_age));
    return na_respond_to_script(r, HTTP_UNAUTHORIZED, body);
}

/* ── browsers ──────────────────────────────────────────────────────────────────────────────── */

static const na_provider *find_provider(request_rec *r, const char *id)
{
    const apr_array_header_t *providers = na_config_of(r)->providers;
    int at = id ? na_provider_find(providers, id) : -1;
    return at < 0 ? NULL : APR_ARRAY_IDX(providers, at, const na_provider *);
}

/*
 * The provider of the session, because another one does not know that it is the same user. Of a
 * user of the database, the accounts do.
 */
static const na_provider *provider_for(request_rec *r)
{
    const na_session *session = na_state_of(r)->session;
    const na_provider *own = find_provider(r, na_session_claim(session, NA_CLAIM_PROVIDER));
    if (own && own->type == NA_OIDC)
        return own;
    const na_provider *of_path =
        na_session_claim(session, NA_CLAIM_DATABASE_USER) ? na_direct_provider(r) : NULL;
    return of_path && of_path->type == NA_OIDC ? of_path : NULL;
}

/* Without OpenID Connect, the user can sign in again, but not more strongly. */
static int lead_to_again(request_rec *r)
{
    return na_lead_to(r, apr_pstrcat(r->pool, na_config_of(r)->base_url, NA_PAGE_AGAIN, NULL));
}

/* The provider has answered several times, and the session still does not suffice. */
static int give_up(request_rec *r)
{
    na_log_request(r, NA_LOG_WARNING, "SIGNIN",
                   "the provider was asked several times within a minute for a more recent or "
                   "stronger sign-in, and the session still does not meet the requirement");
    return na_refuse_forbidden(r);
}

/* A form that could not be kept leads to the page that says so. */
static int lead_to_provider(request_rec *r, const na_provider *provider)
{
    const char *url = na_requested_url(r);
    if (na_preserve_post(r, &url) == NA_POST_LOST)
        return lead_to_again(r);
    return na_step_up_directly(r, provider, url) ? DONE : give_up(r);
}

int na_refuse_weak(request_rec *r)
{
    const na_demand *demand = na_state_of(r)->demand;
    if (r->main || na_state_of(r)->way != NA_BY_COOKIE || !na_wants_redirect(r) ||
        !na_is_shown_in_tab(r))
        return respond_challenge(r, demand);
    const na_provider *provider = provider_for(r);
    if (provider)
        return lead_to_provider(r, provider);
    return demand->acr_values ? na_refuse_forbidden(r) : lead_to_again(r);
}
