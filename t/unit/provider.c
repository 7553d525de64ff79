/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "provider/catalogue.h"
#include "tap.h"

static na_provider *made(apr_pool_t *pool, const char *id)
{
    na_catalogue *catalogue;
    na_provider *p;
    na_catalogue_load(pool, &catalogue);
    succeeds(na_provider_from_catalogue(pool, catalogue, id, &p),
             apr_psprintf(pool, "%s is there", id));
    na_provider_set(pool, p, "clientId", "id");
    na_provider_set(pool, p, "clientSecret", "secret");
    return p;
}

static void catalogue(apr_pool_t *pool)
{
    static const char *const values[][2] = {{"issuer", "https://id.example.org/"},
                                            {"tenant", "acme"},
                                            {"userinfo", "https://api.example.org/me"}};
    na_catalogue *all;
    na_catalogue_entry entry;
    na_provider *p;
    succeeds(na_catalogue_load(pool, &all), "the catalogue loads");
    is_number(na_catalogue_ids(pool, all)->nelts, 102,
              "with the providers of next-auth and Auth.js");
    const apr_array_header_t *ids = na_catalogue_client_ids(pool, all);
    is_number(ids->nelts, 94, "of which 8 send links");
    for (int i = 0; i < ids->nelts; i++) {
        const char *id = APR_ARRAY_IDX(ids, i, const char *);
        succeeds(na_catalogue_describe(pool, all, id, &entry), apr_psprintf(pool, "%s", id));
        p = made(pool, id);
        for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
            if (!strstr(entry.requires, values[k][0]))
                continue;
            na_provider *lacking = made(pool, id);
            for (size_t n = 0; n < sizeof values / sizeof *values; n++)
                if (n != k && strstr(entry.requires, values[n][0]))
                    na_provider_set(pool, lacking, values[n][0], values[n][1]);
            na_error *error = na_provider_finish(pool, lacking, 0);
            ok(error && strstr(na_error_text(pool, error), values[k][0]), "requires %s",
               values[k][0]);
            na_provider_set(pool, p, values[k][0], values[k][1]);
        }
        succeeds(na_provider_finish(pool, p, 0), "and is complete with what it requires");
        ok(p->name && p->profile.id && strlen(p->color) == 7, "has a name, an id and a colour");
        ok(!na_provider_mentions(p, "{issuer}") && !na_provider_mentions(p, "{tenant}") &&
               !na_provider_mentions(p, "{clientId}"),
           "and no placeholder is left");
    }
    succeeds(na_provider_from_catalogue(pool, all, "nobody", &p), "an unknown one is no error");
    ok(!p, "but none");
}

static const char *refusal_of_file(apr_pool_t *pool, const char *text)
{
    na_catalogue *all;
    na_catalogue_load(pool, &all);
    na_error *error = na_catalogue_add(pool, all, text);
    return error ? na_error_text(pool, error) : "";
}

static void own_entries(apr_pool_t *pool)
{
    static const char own[] =
        "{\"forge\":{\"type\":\"oauth\",\"name\":\"Forge\",\"authorization\":\"{issuer}/a\","
        "\"token\":\"{issuer}/t\",\"userinfo\":\"{issuer}/u?of={tenant}\"},"
        "\"google\":{\"type\":\"oidc\",\"name\":\"Ours\",\"issuer\":\"https://g.example.org\"}}";
    na_catalogue *all;
    na_provider *p;
    na_catalogue_load(pool, &all);
    succeeds(na_catalogue_add(pool, all, own), "a file adds entries");
    na_provider_from_catalogue(pool, all, "google", &p);
    is(p->name, "Ours", "and replaces one");
    na_provider_from_catalogue(pool, all, "forge", &p);
    na_provider_set(pool, p, "clientId", "a&b");
    na_provider_set(pool, p, "clientSecret", "s");
    na_provider_set(pool, p, "issuer", "https://forge.example.org/x//");
    na_provider_set(pool, p, "tenant", "acme");
    na_provider_set(pool, p, "authorization.params", "key={clientId}");
    succeeds(na_provider_finish(pool, p, 0), "which is complete");
    is(p->authorization_url, "https://forge.example.org/x/a", "with the issuer in its URLs");
    is(p->userinfo_url, "https://forge.example.org/x/u?of=acme", "and a tenant");
    is(apr_table_get(p->authorization_fields, "key"), "a&b", "and the client ID in parameters");
    ok(strstr(refusal_of_file(pool, "[]"), "expected a JSON object") != NULL, "a list is refused");
    ok(strstr(refusal_of_file(pool, "{\"x\":{\"type\":\"oidc\",\"colour\":\"#000000\"}}"),
              "invalid provider 'x': unknown option 'colour'") != NULL,
       "an unknown option is named, with its provider");
    ok(strstr(refusal_of_file(pool, "{\"x\":{\"type\":\"oidc\",\"maxAge\":60}}"),
              "maxAge is not a string") != NULL,
       "so is a value that is no text");
    ok(strstr(refusal_of_file(pool, "{\"x\":{\"type\":\"oidc\",\"color\":\"red}p{\"}}"),
              "invalid color=red}p{: expected #rrggbb") != NULL,
       "a color cannot be anything else of a style");
    ok(strstr(refusal_of_file(pool, "{\"x\":7}"), "it is not a JSON object") != NULL,
       "an entry is an object");
    ok(strstr(refusal_of_file(pool, "{\n\n\"x\":{,}}"), "(line 3, byte ") != NULL,
       "a mistake in the JSON is on a line");
    ok(strstr(refusal_of_file(pool, "{\"x\":{\"name\":\"X\"}}"), "it has no type") != NULL,
       "and a missing type");
    ok(strstr(refusal_of_file(pool, "{\"x\":{\"type\":\"oidc\",\"clientSecret\":\"s\"}}"),
              "clientSecret belongs in NextAuthProvider") != NULL,
       "secrets are refused");
}

static const char *name_of(apr_pool_t *pool, const char *map, const char *profile)
{
    na_provider *p;
    na_user user;
    json_t *json;
    na_provider_new(pool, "own", "oauth", &p);
    na_provider_set(pool, p, "profile.name", map);
    na_json_parse(pool, NA_ERR_CALLBACK, profile, strlen(profile), &json);
    return na_provider_user(pool, p, 0, json, &user) ? NULL : user.name;
}

static void composed(apr_pool_t *pool)
{
    static const char ada[] = "{\"id\":1,\"f\":\"Ada\",\"l\":\"Byron\",\"n\":{\"x\":7},"
                              "\"list\":[{\"v\":\"a\"},{\"v\":\"b\",\"main\":true}]}";
    is(name_of(pool, "{f} {l}", ada), "Ada Byron", "a text is composed of members");
    is(name_of(pool, "{f} {m} {l}", "{\"id\":1,\"l\":\"Byron\"}"), "Byron",
       "of a name one is enough");
    is(name_of(pool, "{m}|{f}", ada), "Ada", "a text without any is none");
    is(name_of(pool, "https://x/{n.x}/{f}.png", ada), "https://x/7/Ada.png", "paths go deeper");
    is(name_of(pool, "https://x/{n.x}/{m}.png", ada), NULL, "a URL needs every part");
    is(name_of(pool, "{f", ada), "Ada", "an open brace at the end closes itself");
    is(name_of(pool, "{}|f", ada), "Ada", "an empty one is no member");
    is(name_of(pool, "list.[main].v", ada), "b", "of a list, the element whose member is true");
    is(name_of(pool, "list.[other].v", ada), NULL, "or none");
    is(name_of(pool, "list.[].v", ada), NULL, "nor one without a name");
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

static const char *discovery_of(apr_pool_t *pool, const char *url, const char *tenant)
{
    na_provider *p = made(pool, "fusionauth");
    na_provider_set(pool, p, "issuer", "https://id.example.org");
    if (url)
        na_provider_set(pool, p, "wellKnown", url);
    if (tenant)
        na_provider_set(pool, p, "tenant", tenant);
    na_error *error = na_provider_finish(pool, p, 0);
    if (!error && !tenant)
        ok(!apr_table_get(p->authorization_fields, "tenantId"), "no parameter without its value");
    return error ? na_error_text(pool, error) : p->well_known;
}

static void optional_parameters(apr_pool_t *pool)
{
    static const char document[] = "https://id.example.org/.well-known/openid-configuration";
    is(discovery_of(pool, NULL, "acme"), apr_pstrcat(pool, document, "?tenantId=acme", NULL),
       "FusionAuth's tenant is a parameter");
    is(discovery_of(pool, NULL, NULL), document, "which is left out if there is none");
    is(discovery_of(pool, "{issuer}/d?t={tenant?}&a=b", NULL), "https://id.example.org/d?a=b",
       "the next one stays");
    is(discovery_of(pool, "{issuer}/d?a=b&t={tenant?}", NULL), "https://id.example.org/d?a=b",
       "and the one before");
    is(discovery_of(pool, "{issuer}/d?a=b&t={tenant?}&c=d", NULL),
       "https://id.example.org/d?a=b&c=d", "and both");
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
    static const char *const ages[] = {"9", "86401", "-10", "", "soon", "1h"};
    for (size_t i = 0; i < sizeof ages / sizeof *ages; i++)
        ok(*fault_of(pool, "google", "documentMaxAge", ages[i]) != '\0', "no documentMaxAge=%s",
           ages[i]);
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

/* Most names, and one more, of a list. */
static const char *names_of(apr_pool_t *pool, int count)
{
    char *list = apr_palloc(pool, (apr_size_t)count * 6 + 1), *end = list;
    for (int i = 0; i < count; i++)
        end += snprintf(end, 7, "t%d ", 1000 + i);
    return list;
}

static void templates(apr_pool_t *pool)
{
    static const char *const wrong[] = {"Acme", "a b..c",   "-a",        "a-",  "a_b", "a/../b",
                                        "a.b",  "{tenant}", "b\xc3\xbc", "a a", " \n"};
    static const char longest[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    na_provider *p = made(pool, "okta");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        fails(na_provider_set(pool, p, "tenants", wrong[i]),
              apr_psprintf(pool, "tenants= of name %d is refused", (int)i));
    fails(na_provider_set(pool, p, "tenants", apr_pstrcat(pool, longest, "a", NULL)),
          "so is a name longer than a label");
    fails(na_provider_set(pool, p, "tenants", names_of(pool, NA_TENANTS_MAX + 1)),
          "and more than the most");
    succeeds(na_provider_set(pool, p, "tenants", names_of(pool, NA_TENANTS_MAX)), "the most");
    succeeds(na_provider_set(pool, p, "tenants", longest), "the longest");
    succeeds(na_provider_set(pool, p, "tenants", "acme\r\n7\tglo-bex\n"), "lines of a file");
    is_number(p->tenants->nelts, 3, "are names");
    is(APR_ARRAY_IDX(p->tenants, 2, const char *), "glo-bex", "  in their order");
    p->client_id = "c";
    fails(na_provider_finish(pool, p, 0), "a template itself is no provider");
    is(na_provider_text_for(pool, "{tenant}.x/{tenant}{tenan", "a"), "a.x/a{tenan",
       "each {tenant} is replaced");
    is(na_provider_text_for(pool, "none", "a"), "none", "  and nothing else");
    fails(na_provider_give_to(pool, p, longest), "a provider's ID can be too long");
    p = made(pool, "okta");
    succeeds(na_provider_give_to(pool, p, "acme"), "a provider of a tenant");
    is(p->id, "okta-acme", "  has an ID of its own");
    is(na_provider_configured_id(p), "okta", "  and that of the directive");
    ok(na_provider_is_named(p, "okta") && na_provider_is_named(p, "okta-acme") &&
           !na_provider_is_named(p, "okta-"),
       "  by which it can be named");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    catalogue(pool);
    own_entries(pool);
    composed(pool);
    tenants(pool);
    optional_parameters(pool);
    authorization(pool);
    profiles(pool);
    addresses(pool);
    templates(pool);
    return tap_done();
}
