/* SPDX-License-Identifier: Apache-2.0 */
/* Identity headers and variables: removes those of clients, passes on those of the session. */
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "auth/identity_token.h"
#include "base/header.h"
#include "httpd/request/cookies.h"
#include "httpd/request/local.h"
#include "httpd/request/passed.h"
#include "httpd/request/refuse.h"
#include "httpd/request/resend.h"
#include "httpd/request/tokens.h"

static const char prefix[] = "x-nextauth-";

/*
 * Matches "X_NextAuth.User" as well as "X-NextAuth-User": CGI and similar interfaces map every
 * character other than letters and digits to an underscore.
 */
static int is_identity_header(const char *name)
{
    if ((*name | 0x20) != 'x')
        return 0;
    for (const char *p = prefix; *p; p++, name++) {
        char c = apr_isalnum(*name) ? (char)apr_tolower(*name) : *name ? '-' : '\0';
        if (c != *p)
            return 0;
    }
    return 1;
}

/* `passed` has the names of NextAuthPassHeader (na_passed); NULL if there are none. */
static int is_ours(const char *name, const void *passed)
{
    return is_identity_header(name) || (passed && na_is_passed(passed, name));
}

/*
 * "Connection: X-NextAuth-User" would make mod_proxy remove the header that is added later. Most
 * values are too short for that.
 */
static void strip_connection(request_rec *r, const apr_array_header_t *passed)
{
    const char *connection = apr_table_get(r->headers_in, "Connection");
    if (connection &&
        (passed || (strlen(connection) >= strlen(prefix) && ap_strcasestr(connection, "nextauth"))))
        apr_table_setn(r->headers_in, "Connection",
                       na_header_without(r->pool, connection, is_ours, passed));
}

static int strip_headers(request_rec *r, const apr_array_header_t *passed)
{
    const apr_array_header_t *headers = apr_table_elts(r->headers_in);
    apr_array_header_t *found = NULL;
    for (int i = 0; i < headers->nelts; i++) {
        const char *name = APR_ARRAY_IDX(headers, i, apr_table_entry_t).key;
        if (!(passed || (*name | 0x20) == *prefix) || !is_ours(name, passed)) /* most are not */
            continue;
        if (!found)
            found = apr_array_make(r->pool, 4, sizeof(const char *));
        APR_ARRAY_PUSH(found, const char *) = name;
    }
    for (int i = 0; found && i < found->nelts; i++)
        apr_table_unset(r->headers_in, APR_ARRAY_IDX(found, i, const char *));
    return found != NULL;
}

/* httpd also runs this on internal redirects, where the headers are those that we added before. */
int na_strip_identity(request_rec *r)
{
    na_note_local(r);
    if (!na_site_config_of(r))
        return DECLINED;
    const apr_array_header_t *passed = na_server_conf_of(r->server)->passed;
    if (strip_headers(r, passed) && !r->prev)
        na_log_request(r, NA_LOG_INFO, NULL, "removed identity headers that the client sent");
    strip_connection(r, passed);
    return DECLINED;
}

/*
 * Names of NextAuthPassHeader that only a .htaccess file has are not known before. Here, what the
 * configuration of this request or of one that led to it passes on is removed.
 */
static void strip_of_sections(request_rec *r)
{
    for (const request_rec *by = r; by; by = by->main ? by->main : by->prev) {
        const na_dir_conf *dir = na_dir_conf_of(by);
        if (dir->headers) {
            strip_headers(r, dir->headers);
            strip_connection(r, dir->headers);
        }
        for (int i = 0; dir->variables && i < dir->variables->nelts; i++)
            apr_table_unset(r->subprocess_env, APR_ARRAY_IDX(dir->variables, i, na_passed).name);
    }
}

int na_strip_of_directory(request_rec *r)
{
    const na_dir_conf *dir = na_dir_conf_of(r);
    if (na_site_config_of(r) && (r->prev || dir->headers))
        strip_of_sections(r);
    if (na_site_config_of(r) && (r->prev || na_hides_cookies(dir)))
        na_hide_cookies(r);
    return DECLINED;
}

/*
 * An application gets the user, not what proves that: it would have to be trusted with a password,
 * and could take it for one of its own users. A session token in Authorization is for it to read.
 */
static void hide_credentials(request_rec *r)
{
    na_way way = na_state_of(r)->way;
    if (way == NA_BY_TOKEN || way == NA_BY_OAUTH || way == NA_BY_PASSWORD)
        apr_table_unset(r->headers_in, "Authorization");
    if (way == NA_BY_OAUTH)
        apr_table_unset(r->headers_in, "DPoP");
}

/*
 * The application verifies it, so that it need not trust who can reach it. A location that promises
 * it must not serve a request without.
 */
static int pass_jwt(request_rec *r, const na_session *session)
{
    const na_config *config = na_config_of(r);
    const char *token = NULL;
    if (!config->identity.keys) {
        na_log_request(r, NA_LOG_ERROR, "CONFIGURATION_ERROR",
                       "NextAuthPassIdentity jwt requires NextAuthIdentityKey");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    na_error *error = na_identity_token(r->pool, config, session, na_dir_conf_of(r)->audience,
                                        r->request_time, &token);
    if (!error && strlen(token) > NA_IDENTITY_MAX)
        error =
            na_error_new(r->pool, NA_ERR_SESSION, "it is longer than %d bytes", NA_IDENTITY_MAX);
    if (error) {
        na_log_request(r, NA_LOG_WARNING, "SESSION_ERROR", "cannot pass the identity as a JWT: %s",
                       na_error_text(r->pool, error));
        return na_refuse_forbidden(r);
    }
    apr_table_setn(r->subprocess_env, "NEXTAUTH_JWT", token);
    apr_table_setn(r->headers_in, "X-NextAuth-JWT", token);
    return OK;
}

/*
 * httpd authorizes a subrequest or internal redirect again only if its sections differ, so what a
 * token does not cover is refused here.
 * Also runs on a subrequest, which has a copy of the headers of its main request; what was passed
 * on there is removed first, because the configuration here can differ.
 */
int na_pass_identity(request_rec *r)
{
    const na_session *session;
    const na_dir_conf *dir = na_dir_conf_of(r);
    if (na_site_config_of(r))
        na_state_of(r)->is_authorized = 1;
    if (r->main && na_site_config_of(r)) {
        strip_headers(r, na_server_conf_of(r->server)->passed);
        na_hide_cookies(r);
    }
    if (na_site_config_of(r) && (r->main || dir->headers || dir->variables))
        strip_of_sections(r);
    if (r->main || r->prev)
        na_strip_tokens(r);
    if (!r->user || !r->ap_auth_type || strcmp(r->ap_auth_type, "NextAuth") != 0)
        return DECLINED;
    if (!(session = na_session_of(r)))
        return na_state_of(r)->refusal ? na_refuse_unauthenticated(r) : DECLINED;
    int refused = na_resend_post(r, session);
    if (refused != DECLINED)
        return refused;
    int status = na_bring_tokens(r);
    if (status != OK)
        return status;
    session = na_state_of(r)->session;
    hide_credentials(r);
    int pass = dir->pass_identity;
    int env = !pass || (pass & NA_PASS_ENV), headers = !pass || (pass & NA_PASS_HEADERS);
    for (int i = 0; i < session->identity_count; i++) {
        const na_identity *identity = &session->identities[i];
        if (env)
            apr_table_setn(r->subprocess_env, identity->env, identity->value);
        if (headers)
            apr_table_setn(r->headers_in, identity->header, identity->value);
    }
    if (pass & NA_PASS_JWT)
        status = pass_jwt(r, session);
    if (status != OK)
        return status;
    if (dir->pass_tokens)
        na_pass_tokens(r);
    return dir->headers || dir->variables ? na_pass_values(r) : DECLINED;
}
