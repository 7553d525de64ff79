/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of httpd and file modes that affect the site's security. */
#include <string.h>
#include <sys/stat.h>

#include <apr_strings.h>

#include "db/database.h"
#include "httpd/config/build.h"
#include "httpd/findings.h"
#include "httpd/config/sections.h"

static void add_advice(const na_builder *b, const char *subject, const char *hint, const char *text)
{
    na_findings_say(b->server, NA_GROUP_SITE, subject, NA_RIGHT, hint, "%s", text);
}

static void check_trace(const na_builder *b)
{
    const core_server_config *core = ap_get_core_module_config(b->server->module_config);
    if (core->trace_enable != AP_TRACE_DISABLE)
        add_advice(b, "TraceEnable", "set TraceEnable Off",
                   "on: TRACE returns a request's headers, cookies included");
}

static void check_quick_handler(const na_builder *b)
{
    if (na_directive_find(ap_conftree, "CacheEnable", "") &&
        !na_directive_find(ap_conftree, "CacheQuickHandler", "off"))
        na_findings_say(b->server, NA_GROUP_SITE, "CacheQuickHandler", NA_WARNING,
                        "set CacheQuickHandler Off",
                        "on, with CacheEnable: cached responses are sent without authentication");
}

/* RFC 6797 */
static void check_transport(const na_builder *b)
{
    if (b->config->origin && strncmp(b->config->origin, "https:", 6) == 0 &&
        !na_directive_find(ap_conftree, "Header", "Strict-Transport-Security"))
        add_advice(
            b, "Strict-Transport-Security",
            "add Header always set Strict-Transport-Security \"max-age=31536000\" when the whole "
            "site supports HTTPS",
            "not sent: browsers follow links to the site over HTTP");
}

static void check_absolute_timeout(const na_builder *b)
{
    if (!b->config->session.lifetime.absolute)
        add_advice(b, "NextAuthSessionAbsoluteTimeout", "set NextAuthSessionAbsoluteTimeout 604800",
                   "off: a session that is in use never expires, even if it is stolen");
}

/* Advises to protect tables that contain usable session IDs or tokens. */
static void check_at_rest(const na_builder *b)
{
    const na_config *config = b->config;
    if (config->database && !config->database->protects &&
        (config->session.strategy == NA_STRATEGY_DATABASE || na_build_has_redirects(b)))
        add_advice(b, "NextAuthDatabase",
                   "set atRest=protected, unless an application shares the tables",
                   "atRest=plain: anyone who can read the database, or a backup of it, can use its "
                   "session IDs and provider tokens");
}

static void check_file_mode(const na_builder *b, const char *path)
{
    struct stat info;
    if (stat(path, &info) == 0 && (info.st_mode & 07))
        na_findings_say(b->server, NA_GROUP_SITE, path, NA_WARNING,
                        apr_pstrcat(b->pool, "run chmod o= ", path, NULL),
                        "readable or writable by all users");
}

static void check_sqlite_files(const na_builder *b)
{
    const na_db_options *database = b->config->database;
    if (!database || !database->file)
        return;
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (int i = 0; i < 3; i++)
        check_file_mode(b, apr_pstrcat(b->pool, database->file, ends[i], NULL));
}

void na_check_server(const na_builder *b)
{
    check_quick_handler(b);
    check_sqlite_files(b);
    if (b->config->mode != NA_PRODUCTION)
        return;
    check_trace(b);
    check_transport(b);
    check_absolute_timeout(b);
    check_at_rest(b);
}
