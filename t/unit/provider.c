/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "provider/provider.h"
#include "tap.h"

static na_provider *made(apr_pool_t *pool, const char *id)
{
    na_provider *p;
    succeeds(na_provider_from_catalogue(pool, id, &p), apr_psprintf(pool, "%s is there", id));
    na_provider_set(pool, p, "clientId", "id");
    na_provider_set(pool, p, "clientSecret", "secret");
    return p;
}

static void catalogue(apr_pool_t *pool)
{
    char *last, *ids = apr_pstrdup(pool, na_provider_catalogue_ids(pool));
    na_provider *p;
    for (char *id = apr_strtok(ids, ", ", &last); id; id = apr_strtok(NULL, ", ", &last)) {
        p = made(pool, id);
        succeeds(na_provider_finish(pool, p, 0), "and complete with an ID and a secret");
        ok(p->name && p->profile.id && strlen(p->color) == 7, "has a name, an id and a colour");
    }
    succeeds(na_provider_from_catalogue(pool, "nobody", &p), "an unknown one is no error");
    ok(!p, "but none");
}

static void tenants(apr_pool_t *pool)
{
    na_provider *p = made(pool, "azure-ad");
    na_provider_finish(pool, p, 0);
    is(p->well_known,
       "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration",
       "without a tenant it is common");
    ok(p->any_tenant, "where anybody's organization may be");
    p = made(pool, "azure-ad");
    na_provider_set(pool, p, "tenant", "example.onmicrosoft.com");
    na_provider_finish(pool, p, 0);
    is(p->well_known,
       "https://login.microsoftonline.com/example.onmicrosoft.com/v2.0/.well-known/"
       "openid-configuration",
       "a tenant goes into the address");
    ok(!p->any_tenant, "and is vouched for");
    p = made(pool, "azure-ad");
    na_provider_set(pool, p, "tenant", "Common");
    na_provider_finish(pool, p, 0);
    ok(p->any_tenant, "common in capitals is no tenant");
    p = made(pool, "azure-ad");
    na_provider_set(pool, p, "wellKnown",
                    "https://login.microsoftonline.com/organizations/v2.0/.well-known/"
                    "openid-configuration");
    na_provider_finish(pool, p, 0);
    ok(p->any_tenant, "nor is one that an address names");
    p = made(pool, "azure-ad");
    na_provider_set(pool, p, "issuer", "https://sts.example.org/x");
    ok(!p->well_known, "an issuer of one's own replaces the address");
}

/* What configtest says of a provider with one option more. */
static const char *fault_of(apr_pool_t *pool, const char *id, const char *option, const char *value)
{
    na_provider *p = made(pool, id);
    na_error *error = na_provider_set(pool, p, option, value);
    error = error ? error : na_provider_finish(pool, p, 0);
    return error ? na_error_text(pool, error) : "";
}

static void authorization(apr_pool_t *pool)
{
    static const char *const reserved[] = {"client_id", "redirect_uri",   "state",
                                           "nonce",     "code_challenge", "code_challenge_method",
                                           "request",   "request_uri",    "STATE"};
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        const char *query = apr_pstrcat(pool, "audience=x&", reserved[i], "=evil", NULL);
        ok(strstr(fault_of(pool, "google", "authorization.params", query),
                  "because the protocol depends on it") != NULL,
           "authorization.params= cannot set %s", reserved[i]);
        ok(strstr(fault_of(pool, "github", "authorization",
                           apr_pstrcat(pool, "https://github.com/authorize?", query, NULL)),
                  "because the protocol depends on it") != NULL,
           "  nor can the query of authorization=");
        ok(*fault_of(pool, "google", "visitorParams", reserved[i]) != '\0',
           "  nor can visitorParams= let a page");
    }
    ok(*fault_of(pool, "google", "authorization.params", "response_type=token") != '\0',
       "no other response_type than code");
    is(fault_of(pool, "google", "authorization.params", "response_type=code"), "",
       "  which may be");
    is(fault_of(pool, "google", "visitorParams", "max_age"),
       "visitorParams= cannot have max_age: set it in authorization.params=",
       "what the ID token is held to is no page's choice");
    is(fault_of(pool, "github", "authorization.params", "max_age=300"),
       "provider 'github': max_age cannot be verified without an ID token: remove max_age, or use "
       "type=oidc",
       "what cannot be verified cannot be demanded");
    ok(strstr(fault_of(pool, "google", "authorization.params", "max_age=soon"),
              "expected seconds") != NULL,
       "max_age is a number");
    ok(strstr(fault_of(pool, "google", "requireEncryptedIdToken", "true"),
              "requires privateKey=") != NULL,
       "only encrypted ID tokens need a key");
    static const char *const tolerances[] = {"601", "-1", "", "soon", "5m"};
    for (size_t i = 0; i < sizeof tolerances / sizeof *tolerances; i++)
        ok(*fault_of(pool, "google", "clockTolerance", tolerances[i]) != '\0',
           "no clockTolerance=%s", tolerances[i]);
    is(fault_of(pool, "google", "visitorParams", "none"), "", "nothing may be for pages to add");
}

static na_error *read_user(apr_pool_t *pool, const na_provider *p, const char *text, na_user *user)
{
    json_t *profile;
    na_json_parse(pool, NA_ERR_CALLBACK, text, strlen(text), &profile);
    return na_provider_user(pool, p, p->any_tenant, profile, user);
}

static void profiles(apr_pool_t *pool)
{
    na_user user;
    const na_provider *github = made(pool, "github");
    succeeds(
        read_user(pool, github,
                  "{\"id\":583231,\"login\":\"octo\",\"name\":null,\"email\":\"o@example.org\","
                  "\"avatar_url\":\"https://x/y\"}",
                  &user),
        "GitHub's profile");
    is(user.id, "583231", "a number is an id");
    is(user.name, "octo", "login stands in for a missing name");
    is(user.image, "https://x/y", "an image");
    fails(read_user(pool, github, "{\"login\":\"octo\"}", &user), "a profile without an id");
    fails(read_user(pool, github, "{\"id\":\"\"}", &user), "or with an empty one");
    fails(read_user(pool, github, "{\"id\":{}}", &user), "or with an object");
    fails(na_provider_user(pool, github, 0, NULL, &user), "or no profile at all");

    na_provider *facebook = made(pool, "facebook");
    read_user(pool, facebook, "{\"id\":\"1\",\"picture\":{\"data\":{\"url\":\"https://p\"}}}",
              &user);
    is(user.image, "https://p", "Facebook's picture lies deep");
    is(user.email, NULL, "no address is none");
}

static const char *email_of(apr_pool_t *pool, const na_provider *p, const char *more)
{
    na_user user;
    read_user(pool, p,
              apr_pstrcat(pool, "{\"sub\":\"1\",\"email\":\"a@example.org\"", more, "}", NULL),
              &user);
    return user.email;
}

static void addresses(apr_pool_t *pool)
{
    na_provider *google = made(pool, "google"), *azure = made(pool, "azure-ad");
    na_provider_finish(pool, azure, 0);
    is(email_of(pool, google, ""), NULL, "an address nothing is said of is nobody's");
    static const char *const not_true[] = {"null",    "\"False\"", "\"no\"", "\"TRUE\"", "\"1\"",
                                           "\"yes\"", "1",         "0",      "{}",       "[true]"};
    for (int i = 0; i < 10; i++)
        is(email_of(pool, google, apr_pstrcat(pool, ",\"email_verified\":", not_true[i], NULL)),
           NULL, apr_pstrcat(pool, "nor is one with ", not_true[i], NULL));
    is(email_of(pool, google, ",\"email_verified\":\"true\""), "a@example.org",
       "true may be a word");
    is(email_of(pool, google, ",\"email_verified\":true"), "a@example.org",
       "so does a verified one");
    is(email_of(pool, google, ",\"email_verified\":false"), NULL, "an unverified one does not");
    is(email_of(pool, google, ",\"email_verified\":\"false\""), NULL, "in words neither");
    is(email_of(pool, azure, ""), NULL, "nor any tenant's");
    is(email_of(pool, azure, ",\"email_verified\":true"), NULL, "whatever it says of itself");
    is(email_of(pool, azure, ",\"xms_edov\":true"), "a@example.org",
       "unless the domain is its own");
    is(email_of(pool, azure, ",\"xms_edov\":1"), "a@example.org", "which comes as a number, too");
    is(email_of(pool, azure, ",\"xms_edov\":false"), NULL, "or is not");
    succeeds(na_provider_set(pool, azure, "allowUnverifiedEmail", "true"), "the operator may");
    is(email_of(pool, azure, ""), "a@example.org", "trust them all");

    na_provider *tenant = made(pool, "microsoft-entra-id"), *own;
    na_provider_set(pool, tenant, "tenant", "example.onmicrosoft.com");
    na_provider_finish(pool, tenant, 0);
    is(email_of(pool, tenant, ""), "a@example.org", "one's own tenant is trusted");
    na_provider_new(pool, "own", "oauth", &own);
    is(email_of(pool, own, ",\"email_verified\":true"), NULL,
       "a provider of one's own without OpenID Connect vouches for nothing");
    succeeds(na_provider_set(pool, own, "emailVerified", "claim"), "unless the operator says");
    is(email_of(pool, own, ""), NULL, "that it tells so");
    is(email_of(pool, own, ",\"email_verified\":true"), "a@example.org", "of each address");
    succeeds(na_provider_set(pool, own, "emailVerified", "always"), "or that it gives no other");
    is(email_of(pool, own, ""), "a@example.org", "than verified ones");
    fails(na_provider_set(pool, own, "emailVerified", "true"), "and nothing else");
    na_provider_new(pool, "op", "oidc", &own);
    na_provider_set(pool, own, "profile.email", "upn");
    is(email_of(pool, own, ",\"upn\":\"b@example.org\",\"email_verified\":true"), NULL,
       "email_verified vouches for no other member");
    na_provider_new(pool, "op", "oidc", &own);
    is(email_of(pool, own, ""), NULL, "an OpenID provider of one's own has to say it");
    is(email_of(pool, own, ",\"email_verified\":true"), "a@example.org", "of each address, too");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    catalogue(pool);
    tenants(pool);
    authorization(pool);
    profiles(pool);
    addresses(pool);
    return tap_done();
}
