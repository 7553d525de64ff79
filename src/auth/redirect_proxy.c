/* SPDX-License-Identifier: Apache-2.0 */
/* Auth.js's redirectProxyUrl: one callback URL at a provider for many hosts. */
#include "auth/redirect_proxy.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/report.h"
#include "auth/respond.h"
#include "base/crypto.h"
#include "base/hosts.h"
#include "base/json.h"

/* Auth.js's salt of encoded states. */
#define SALT "encodedState"

na_error *na_redirect_proxy_derive(apr_pool_t *pool, const char *const *secrets, int secret_count,
                                   na_keyring *ring)
{
    return na_keyring_derive(pool, NA_V5, secrets, secret_count, SALT, ring);
}

/* Returns the URL of the proxy's endpoints; NULL if there is none, or this host is the proxy. */
static const char *proxy_elsewhere(const na_request *request)
{
    const char *proxy = request->provider->redirect_proxy;
    na_url url;
    return proxy && na_url_parse(request->pool, proxy, &url) &&
                   strcmp(url.origin, request->config->origin) != 0
               ? proxy
               : NULL;
}

static const char *callback_below(const na_request *request, const char *base)
{
    return apr_pstrcat(request->pool, base, "/callback/", request->provider->id, NULL);
}

const char *na_redirect_uri(const na_request *request)
{
    const char *proxy = proxy_elsewhere(request);
    return callback_below(request, proxy ? proxy : request->config->base_url);
}

int na_redirect_is_elsewhere(const na_request *request)
{
    return proxy_elsewhere(request) != NULL;
}

/* The site tells our own states from those of Auth.js, which its cookies have in full. */
na_error *na_redirect_wrap(const na_request *request, long max_age, const char **state)
{
    char *sealed;
    if (!proxy_elsewhere(request))
        return NULL;
    json_t *claims =
        na_json_own(request->pool,
                    json_pack("{s:s, s:s, s:s}", "origin",
                              callback_below(request, request->config->base_url), "random", *state,
                              NA_CLAIM_SITE, request->config->session.site));
    NA_TRY(na_keyring_seal(request->pool, &request->config->proxy_ring, claims, request->now,
                           max_age, &sealed));
    *state = sealed;
    return NULL;
}

/* Returns NULL if the state is not an encrypted one. */
static const json_t *open_state(const na_request *request, const char *state)
{
    json_t *claims;
    if (!state || !strchr(state, '.'))
        return NULL;
    return na_keyring_open(request->pool, &request->config->proxy_ring, na_bytes_of(state),
                           request->now, &claims)
               ? NULL
               : claims;
}

const char *na_redirect_state(const na_request *request)
{
    const char *state = na_parameter(request, "state");
    const json_t *claims = proxy_elsewhere(request) ? open_state(request, state) : NULL;
    const char *site = claims ? na_json_string(claims, NA_CLAIM_SITE) : NULL;
    const char *wrapped = claims ? na_json_string(claims, "random") : NULL;
    return wrapped && site && strcmp(site, request->config->session.site) == 0 ? wrapped : state;
}

static int is_allowed(const na_request *request, const na_url *url)
{
    const na_config *config = request->config;
    const char *end = callback_below(request, "");
    size_t len = strlen(url->path), end_len = strlen(end);
    return len >= end_len && strcmp(url->path + len - end_len, end) == 0 &&
           !strpbrk(url->path, "?#") &&
           (na_hosts_have(config->hosts, url) ||
            (config->proxied_hosts && na_hosts_have(config->proxied_hosts, url)));
}

na_error *na_redirect_forward(na_request *request, na_response *response, int *is_other)
{
    int is_proxy = request->provider->redirect_proxy && !proxy_elsewhere(request);
    const json_t *claims = is_proxy ? open_state(request, na_parameter(request, "state")) : NULL;
    const char *origin = claims ? na_json_string(claims, "origin") : NULL;
    na_url url;
    *is_other = 0;
    if (!origin)
        return NULL;
    int is_url = na_url_parse(request->pool, origin, &url);
    if (is_url && strcmp(url.origin, request->config->origin) == 0)
        return NULL;
    *is_other = 1;
    if (!is_url || !is_allowed(request, &url))
        return na_error_with_hint(
            na_error_new(request->pool, NA_ERR_OAUTH_CALLBACK,
                         "the sign-in began at '%s', for which this site is not the proxy",
                         na_one_line(request->pool, origin, 200)),
            "if it is one of yours, add its origin to NextAuthRedirectProxy");
    na_log(request, NA_LOG_DEBUG, "OAUTH_CALLBACK", "led on to %s", url.origin);
    response->set_cookies->nelts = 0; /* the proxy has no part in the sign-in */
    response->status = 302;
    response->location =
        na_url_add_all(request->pool, apr_pstrcat(request->pool, url.origin, url.path, NULL),
                       request->query);
    return NULL;
}
