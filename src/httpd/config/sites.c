/* SPDX-License-Identifier: Apache-2.0 */
/* Sites of one httpd: whether they share sessions, which needs the same NextAuthSite. */
#include <string.h>
#include <strings.h>

#include "httpd/config/build.h"
#include "httpd/findings.h"

static int share_secret(const na_config *a, const na_config *b)
{
    for (int i = 0; i < a->secret_count; i++)
        for (int k = 0; k < b->secret_count; k++)
            if (strcmp(a->secrets[i], b->secrets[k]) == 0)
                return 1;
    return 0;
}

static int share_database(const na_config *a, const na_config *b)
{
    return a->database && b->database && na_db_is_same(a->database, b->database);
}

static int is_other_site(const na_config *a, const na_config *b)
{
    return strcmp(a->session.site, b->session.site) != 0;
}

/* Names show that the administrator has decided what the sites share. */
static int have_names(const na_config *a, const na_config *b)
{
    return a->site_name && b->site_name;
}

#define APART                                                                                      \
    "%s has the same secret: neither site accepts the other's sessions, or tokens that an "        \
    "application has issued"
#define APART_HINT                                                                                 \
    "set another NextAuthSecret in each site, or the same NextAuthSite NAME to share sessions"

static void warn_of_secret(const server_rec *s, const na_config *other)
{
    na_findings_say(s, NA_GROUP_SITE, "NextAuthSite", NA_WARNING, APART_HINT, APART, other->origin);
    if (!na_findings_are_wanted(s))
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, "mod_nextauth for %s: " APART ": " APART_HINT,
                     na_server_conf_of(s)->config->origin, other->origin);
}

#define TOGETHER "%s has the same NextAuthURL: sessions of one are valid for both"
#define TOGETHER_HINT                                                                              \
    "set another NextAuthURL in each virtual host, or the same NextAuthSite NAME to share "        \
    "sessions"

static void warn_of_url(const server_rec *s, const server_rec *other)
{
    na_findings_say(s, NA_GROUP_SITE, "NextAuthURL", NA_WARNING, TOGETHER_HINT, TOGETHER,
                    other->server_hostname);
    if (!na_findings_are_wanted(s))
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "mod_nextauth for %s: " TOGETHER ": " TOGETHER_HINT, s->server_hostname,
                     other->server_hostname);
}

/* Hosts of several names with one URL are one site; the URL was perhaps inherited by mistake. */
static int share_url_unnamed(const server_rec *s, const server_rec *other)
{
    const na_config *config = na_server_conf_of(s)->config;
    return !config->site_name && share_secret(config, na_server_conf_of(other)->config) &&
           s->server_hostname && other->server_hostname &&
           strcasecmp(s->server_hostname, other->server_hostname) != 0;
}

static void add_shared(const server_rec *s, const na_config *config, const na_config *other)
{
    if (config->site_name && strcmp(config->base_url, other->base_url) != 0)
        na_findings_say(s, NA_GROUP_SITE, "NextAuthSite", NA_RIGHT, NULL,
                        "sessions are shared with %s", other->base_url);
}

/* Compares a site with all others; warns of each kind once. */
static void compare_site(const server_rec *all, const server_rec *s, na_config *config)
{
    int secret_warned = 0, url_warned = 0;
    int secret = config->is_by_host && !config->site_name, database = secret; /* of its hosts */
    for (; all; all = all->next) {
        const na_config *other = na_server_conf_of(all)->config;
        if (!other || other == config)
            continue;
        if (!is_other_site(config, other)) {
            add_shared(s, config, other);
            if (!url_warned && share_url_unnamed(s, all)) {
                url_warned = 1;
                warn_of_url(s, all);
            }
            continue;
        }
        secret |= share_secret(config, other);
        database |= share_database(config, other);
        if (!secret_warned && share_secret(config, other) && !have_names(config, other)) {
            secret_warned = 1;
            warn_of_secret(s, other);
        }
    }
    int accepts = config->unbound == NA_UNBOUND_ACCEPT;
    int refuses = config->unbound == NA_UNBOUND_REFUSE;
    config->session.refuse_unbound = refuses || (secret && !accepts);
    config->session.refuse_unbound_rows = refuses || (database && !accepts);
}

/* The last step of building, because the tokens that a site accepts depend on all other sites. */
void na_sites_separate(const server_rec *s)
{
    for (const server_rec *each = s; each; each = each->next) {
        const na_config *config = na_server_conf_of(each)->config;
        if (config)
            compare_site(s, each, (na_config *)config);
    }
}
