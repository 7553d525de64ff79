/* SPDX-License-Identifier: Apache-2.0 */
/* What sites of one server have in common: sessions of one are another's only where that is said.
 */
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
    return a->database && b->database && a->database->schema == b->database->schema &&
           strcmp(a->database->parameters, b->database->parameters) == 0;
}

static int is_other_site(const na_config *a, const na_config *b)
{
    return strcmp(a->session.site, b->session.site) != 0;
}

/* With names the operator has said what is meant. */
static int is_said(const na_config *a, const na_config *b)
{
    return a->site_name && b->site_name;
}

#define APART                                                                                      \
    "%s has the same secret: neither site takes the other's sessions, nor tokens that an "         \
    "application behind them made"
#define APART_HINT                                                                                 \
    "give each site its own NextAuthSecret, or let them share sessions: NextAuthSite NAME in both"

static void warn_of_secret(const server_rec *s, const na_config *other)
{
    na_findings_say(s, NA_GROUP_SITE, "NextAuthSite", NA_WARNING, APART_HINT, APART, other->origin);
    if (!na_findings_are_wanted(s))
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, "mod_nextauth for %s: " APART ": " APART_HINT,
                     na_server_conf_of(s)->config->origin, other->origin);
}

#define TOGETHER "%s has the same NextAuthURL: sessions that begin at either open both"
#define TOGETHER_HINT                                                                              \
    "give each virtual host its own NextAuthURL, or say that they share sessions: NextAuthSite "   \
    "NAME in both"

static void warn_of_url(const server_rec *s, const server_rec *other)
{
    na_findings_say(s, NA_GROUP_SITE, "NextAuthURL", NA_WARNING, TOGETHER_HINT, TOGETHER,
                    other->server_hostname);
    if (!na_findings_are_wanted(s))
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "mod_nextauth for %s: " TOGETHER ": " TOGETHER_HINT, s->server_hostname,
                     other->server_hostname);
}

/* One URL for hosts of several names was perhaps inherited, and makes one site of them. */
static int share_url_unsaid(const server_rec *s, const server_rec *other)
{
    const na_config *config = na_server_conf_of(s)->config;
    return !config->site_name && share_secret(config, na_server_conf_of(other)->config) &&
           s->server_hostname && other->server_hostname &&
           strcasecmp(s->server_hostname, other->server_hostname) != 0;
}

static void say_shared(const server_rec *s, const na_config *config, const na_config *other)
{
    if (config->site_name && strcmp(config->base_url, other->base_url) != 0)
        na_findings_say(s, NA_GROUP_SITE, "NextAuthSite", NA_RIGHT, NULL,
                        "sessions are shared with %s", other->base_url);
}

/* Looks at one site beside all others; one warning is enough for each. */
static void look_at(const server_rec *all, const server_rec *s, na_config *config)
{
    int is_warned = 0, is_told = 0, secret = 0, database = 0;
    for (; all; all = all->next) {
        const na_config *other = na_server_conf_of(all)->config;
        if (!other || other == config)
            continue;
        if (!is_other_site(config, other)) {
            say_shared(s, config, other);
            if (!is_told && share_url_unsaid(s, all)) {
                is_told = 1;
                warn_of_url(s, all);
            }
            continue;
        }
        secret |= share_secret(config, other);
        database |= share_database(config, other);
        if (!is_warned && share_secret(config, other) && !is_said(config, other)) {
            is_warned = 1;
            warn_of_secret(s, other);
        }
    }
    int takes = config->unbound == NA_UNBOUND_ACCEPT;
    int refuses = config->unbound == NA_UNBOUND_REFUSE;
    config->session.refuse_unbound = refuses || (secret && !takes);
    config->session.refuse_unbound_rows = refuses || (database && !takes);
}

/* The last step of building: what a site takes depends on all others. */
void na_sites_separate(const server_rec *s)
{
    for (const server_rec *each = s; each; each = each->next) {
        const na_config *config = na_server_conf_of(each)->config;
        if (config)
            look_at(s, each, (na_config *)config);
    }
}
