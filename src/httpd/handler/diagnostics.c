/* SPDX-License-Identifier: Apache-2.0 */
/* Diagnostics: the configuration of a virtual host, and the versions of libraries. */
#include <string.h>

#include <apr_strings.h>
#include <apr_version.h>
#include <apu_version.h>
#include <curl/curl.h>
#include <hiredis/hiredis.h>
#include <openssl/crypto.h>

#include "base/url.h"
#include "db/migrate.h"
#include "httpd/handler/answer.h"

static json_t *json_strings(const apr_array_header_t *list)
{
    json_t *array = json_array();
    for (int i = 0; list && i < list->nelts; i++)
        json_array_append_new(array, json_string(APR_ARRAY_IDX(list, i, const char *)));
    return array;
}

static const char *dialect_name(na_dialect dialect)
{
    return dialect == NA_V5 ? "v5" : "v4";
}

/* ── the site ──────────────────────────────────────────────────────────────────────────────── */

/* Reports ranges of lengths: enough to see how strong a secret can be. */
static json_t *secrets_of(const na_config *config)
{
    json_t *array = json_array();
    for (int i = 0; i < config->secret_count; i++) {
        size_t len = strlen(config->secrets[i]);
        json_array_append_new(array, json_string(len >= 64   ? "64 bytes or more"
                                                 : len >= 48 ? "48 to 63 bytes"
                                                             : "32 to 47 bytes"));
    }
    return array;
}

static int add_variable(void *object, const char *name, const char *value)
{
    json_object_set_new(object, name, json_boolean(*value));
    return 1;
}

static json_t *variables_of(const na_server_conf *conf)
{
    json_t *object = json_object();
    apr_table_do(add_variable, object, conf->plan.variables, NULL);
    return object;
}

static json_t *accepted_of(const na_session_config *session)
{
    json_t *array = json_array();
    for (int i = 0; i < session->source_count; i++)
        json_array_append_new(array, json_string(dialect_name(session->sources[i].dialect)));
    return array;
}

static json_t *site_of(const na_server_conf *conf, const na_config *config)
{
    return json_pack("{s:s,s:s,s:o,s:s,s:s,s:o,s:o}", "mode", na_mode_name(config->mode), "dialect",
                     dialect_name(config->dialect), "accepts", accepted_of(&config->session),
                     "origin", config->origin, "basePath", config->base_path, "secrets",
                     secrets_of(config), "variables", variables_of(conf));
}

/* ── sessions, database, mail ──────────────────────────────────────────────────────────────── */

static json_t *session_of(const na_server_conf *conf)
{
    const na_session_config *session = &conf->config->session;
    const na_lifetime *lifetime = &session->lifetime;
    return json_pack("{s:s,s:I,s:I,s:I,s:I,s:b,s:o,s:I,s:I}", "strategy",
                     session->strategy == NA_STRATEGY_DATABASE ? "database" : "jwt", "maxAge",
                     (json_int_t)lifetime->max_age, "updateAge", (json_int_t)session->update_age,
                     "idleTimeout", (json_int_t)lifetime->idle, "absoluteTimeout",
                     (json_int_t)lifetime->absolute, "bound", conf->config->bind != NA_BIND_NOTHING,
                     "stores", json_strings(conf->plan.stores.names), "checkInterval",
                     (json_int_t)session->check_interval, "serveWhenDown",
                     (json_int_t)session->serve_for);
}

static const char *migrations_of(int version, int known)
{
    if (version == known)
        return "complete";
    return version > known ? "newer than this module" : "incomplete: nextauthctl migrate";
}

/* Sets what only the database itself knows. */
static void set_version(json_t *json, apr_pool_t *pool, na_db *db)
{
    int version, known = db->adapter->steps;
    if (na_db_version(db, pool, &version)) {
        json_object_set_new(json, "schemaVersion", json_null());
        json_object_set_new(json, "migrations",
                            json_pack("{s:s}", "status", "could not be read from the database"));
        return;
    }
    json_object_set_new(json, "schemaVersion", json_integer(version));
    json_object_set_new(json, "migrations",
                        json_pack("{s:s,s:i,s:i}", "status", migrations_of(version, known),
                                  "applied", version, "known", known));
}

static json_t *database_of(apr_pool_t *pool, const na_server_conf *conf)
{
    const na_db_options *options = conf->config->database;
    if (!options)
        return json_null();
    json_t *json = json_pack("{s:s,s:s,s:i}", "engine", options->engine, "schema", options->schema,
                             "replicas", options->replicas ? options->replicas->nelts : 0);
    set_version(json, pool, conf->db);
    return json;
}

static json_t *mail_of(const na_config *config)
{
    return config->mail ? json_pack("{s:s}", "transport", config->mail->transport) : json_null();
}

/* ── providers, features, pages ────────────────────────────────────────────────────────────── */

static json_t *host_of(apr_pool_t *pool, const na_provider *provider)
{
    na_url url;
    const char *address = provider->issuer       ? provider->issuer
                          : provider->well_known ? provider->well_known
                                                 : provider->authorization_url;
    return address && na_url_parse(pool, address, &url) ? json_string(url.host) : json_null();
}

static json_t *providers_of(apr_pool_t *pool, const na_config *config)
{
    json_t *array = json_array();
    for (int i = 0; i < config->providers->nelts; i++) {
        const na_provider *provider = APR_ARRAY_IDX(config->providers, i, const na_provider *);
        const char *callback =
            apr_pstrcat(pool, config->base_url, "/callback/", provider->id, NULL);
        json_array_append_new(array, json_pack("{s:s,s:s,s:o,s:s,s:b,s:b}", "id", provider->id,
                                               "type", na_provider_type_name(provider), "issuer",
                                               host_of(pool, provider), "callback", callback,
                                               "clientId", provider->client_id != NULL,
                                               "clientSecret", provider->client_secret != NULL));
    }
    return array;
}

static json_t *features_of(const na_config *config)
{
    json_t *object = json_object();
    for (const na_feature *f = na_features; f->name; f++)
        json_object_set_new(object, f->name, json_boolean(config->features & f->bit));
    return object;
}

/* A member is true if the site has its own page. */
static json_t *pages_of(const na_pages *pages)
{
    return json_pack("{s:b,s:b,s:b,s:b}", "signIn", pages->sign_in != NULL, "signOut",
                     pages->sign_out != NULL, "error", pages->error != NULL, "verifyRequest",
                     pages->verify_request != NULL);
}

json_t *na_diagnostics_of_site(const request_rec *r)
{
    apr_pool_t *pool = r->pool;
    const na_server_conf *conf = na_server_conf_of(r->server);
    const na_config *config = na_config_of(r);
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "site", site_of(conf, config), "session",
                     session_of(conf), "database", database_of(pool, conf), "mail", mail_of(config),
                     "providers", providers_of(pool, config), "features", features_of(config),
                     "pages", pages_of(&config->pages));
}

/* ── versions ──────────────────────────────────────────────────────────────────────────────── */

/* If a library does not report its version, this is the version of the build. */
json_t *na_diagnostics_of_versions(apr_pool_t *pool)
{
    ap_version_t httpd;
    ap_get_server_revision(&httpd);
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "mod_nextauth", NA_VERSION, "httpd",
                     apr_psprintf(pool, "%d.%d.%d", httpd.major, httpd.minor, httpd.patch), "apr",
                     apr_version_string(), "apr-util", apu_version_string(), "openssl",
                     OpenSSL_version(OPENSSL_VERSION_STRING), "libcurl",
                     curl_version_info(CURLVERSION_NOW)->version, "jansson", JANSSON_VERSION,
                     "hiredis",
                     apr_psprintf(pool, "%d.%d.%d", HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH));
}
