/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>

#include <apr_strings.h>

#include "db/database.h"
#include "httpd/config/build.h"
#include "httpd/findings.h"
#include "httpd/config/sections.h"

/* What the server itself, and the file system, add to or take from the site's safety. */

static void advise(const na_builder *b, const char *subject, const char *hint, const char *text)
{
    na_findings_say(b->server, NA_GROUP_SITE, subject, NA_RIGHT, hint, "%s", text);
}

static void check_trace(const na_builder *b)
{
    const core_server_config *core = ap_get_core_module_config(b->server->module_config);
    if (core->trace_enable != AP_TRACE_DISABLE)
        advise(b, "TraceEnable", "TraceEnable Off",
               "on: TRACE sends a request's headers back, cookies included");
}

static void check_quick_handler(const na_builder *b)
{
    if (na_directive_find(ap_conftree, "CacheEnable", "") &&
        !na_directive_find(ap_conftree, "CacheQuickHandler", "off"))
        na_findings_say(b->server, NA_GROUP_SITE, "CacheQuickHandler", NA_WARNING,
                        "CacheQuickHandler Off",
                        "on, with CacheEnable: what is in the cache is sent before anybody is "
                        "asked who they are");
}

/* RFC 6797. */
static void check_transport(const na_builder *b)
{
    if (b->config->origin && strncmp(b->config->origin, "https:", 6) == 0 &&
        !na_directive_find(ap_conftree, "Header", "Strict-Transport-Security"))
        advise(b, "Strict-Transport-Security",
               "Header always set Strict-Transport-Security \"max-age=31536000\", once the whole "
               "site answers HTTPS",
               "not sent: a browser that is led to http: goes there");
}

static void check_absolute_timeout(const na_builder *b)
{
    if (!b->config->session.lifetime.absolute)
        advise(b, "NextAuthSessionAbsoluteTimeout", "NextAuthSessionAbsoluteTimeout 604800",
               "off: a session that is used goes on for ever, a stolen one as well");
}

/* What a copy of the database would be good for. */
static void check_at_rest(const na_builder *b)
{
    const na_config *config = b->config;
    if (config->database && !config->database->protects &&
        (config->session.strategy == NA_STRATEGY_DATABASE || na_build_has_redirects(b)))
        advise(b, "NextAuthDatabase", "atRest=protected, unless an application shares the tables",
               "atRest=plain: session IDs and providers' tokens in the database, and in its "
               "backups, can be used by whoever reads them");
}

static void check_mode_of(const na_builder *b, const char *path)
{
    struct stat info;
    if (stat(path, &info) == 0 && (info.st_mode & 07))
        na_findings_say(b->server, NA_GROUP_SITE, path, NA_WARNING,
                        apr_pstrcat(b->pool, "chmod o= ", path, NULL),
                        "all users of this machine may read or write the file");
}

static void check_files(const na_builder *b)
{
    const na_db_options *database = b->config->database;
    if (!database || database->engine != NA_DB_SQLITE)
        return;
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (int i = 0; i < 3; i++)
        check_mode_of(b, apr_pstrcat(b->pool, database->parameters, ends[i], NULL));
}

void na_check_server(const na_builder *b)
{
    check_quick_handler(b);
    check_files(b);
    if (b->config->mode != NA_PRODUCTION)
        return;
    check_trace(b);
    check_transport(b);
    check_absolute_timeout(b);
    check_at_rest(b);
}
