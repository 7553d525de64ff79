/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/config/sections.h"

#include <string.h>

#include "httpd/config/build.h"
#include "httpd/findings.h"

const ap_directive_t *na_directive_find(const ap_directive_t *from, const char *name,
                                        const char *word)
{
    for (const ap_directive_t *each = from; each; each = each->next) {
        if (ap_cstr_casecmp(each->directive, name) == 0 && ap_strcasestr(each->args, word))
            return each;
        const ap_directive_t *below = na_directive_find(each->first_child, name, word);
        if (below)
            return below;
    }
    return NULL;
}

const ap_directive_t *na_htaccess_find(const ap_directive_t *from)
{
    for (const ap_directive_t *each = from; each; each = each->next) {
        if ((ap_cstr_casecmp(each->directive, "AllowOverride") == 0 ||
             ap_cstr_casecmp(each->directive, "AllowOverrideList") == 0) &&
            ap_cstr_casecmp(each->args, "None") != 0)
            return each;
        const ap_directive_t *below = na_htaccess_find(each->first_child);
        if (below)
            return below;
    }
    return NULL;
}

/* ── whose sections ────────────────────────────────────────────────────────────────────────── */

static int is_host(const ap_directive_t *d)
{
    return ap_cstr_casecmp(d->directive, "<VirtualHost") == 0;
}

/* The first of the directives that are a server's own. */
static const ap_directive_t *own_directives(const server_rec *s)
{
    if (!s->is_virtual)
        return ap_conftree;
    for (const ap_directive_t *each = ap_conftree; each; each = each->next)
        if (is_host(each) && s->defn_name && strcmp(each->filename, s->defn_name) == 0 &&
            each->line_num == (int)s->defn_line_number)
            return each->first_child;
    return NULL;
}

static const ap_directive_t *auth_type_of(const ap_directive_t *section)
{
    return is_host(section) ? NULL
                            : na_directive_find(section->first_child, "AuthType", "NextAuth");
}

/* ── what is required there ────────────────────────────────────────────────────────────────── */

static int is_one_of(const char *requirement, const char *const *names)
{
    size_t len = strcspn(requirement, " ");
    for (; *names; names++)
        if (strlen(*names) == len && ap_cstr_casecmpn(requirement, *names, len) == 0)
            return 1;
    return 0;
}

/* They ask where the request comes from, or what it is, and not who sends it. */
static const char *const of_requests[] = {
    "all", "ip", "host", "local", "env", "method", "not", "forward-dns", "ssl", "ssl-verify-client",
    NULL};
static const char *const of_anybody[] = {"valid-user", NULL};

/* Whether a requirement there asks who it is; `whoever`: or only that it is somebody. */
static int asks_who(const ap_directive_t *from, int whoever)
{
    for (const ap_directive_t *each = from; each; each = each->next)
        if (asks_who(each->first_child, whoever) ||
            (ap_cstr_casecmp(each->directive, "Require") == 0 &&
             !is_one_of(each->args, of_requests) &&
             (whoever || !is_one_of(each->args, of_anybody))))
            return 1;
    return 0;
}

/* One that leaves AuthType to another section, which then needs no Require of its own. */
static int leaves_auth_type(const ap_directive_t *from)
{
    for (const ap_directive_t *each = from; each; each = each->next)
        if (is_host(each) ? leaves_auth_type(each->first_child)
                          : asks_who(each->first_child, 1) &&
                                !na_directive_find(each->first_child, "AuthType", ""))
            return 1;
    return 0;
}

static const ap_directive_t *for_anybody(const ap_directive_t *from)
{
    for (const ap_directive_t *each = from; each; each = each->next) {
        const ap_directive_t *type = auth_type_of(each);
        if (type && na_directive_find(each->first_child, "Require", "valid-user") &&
            !asks_who(each->first_child, 0))
            return type;
    }
    return NULL;
}

const ap_directive_t *na_section_for_anybody(const server_rec *s)
{
    const ap_directive_t *own = for_anybody(own_directives(s));
    return own || !s->is_virtual ? own : for_anybody(ap_conftree);
}

/* ── a path ────────────────────────────────────────────────────────────────────────────────── */

/* Of a pattern, or an expression, only a request can tell; a folder is not what an endpoint is in.
 */
static int is_about(const ap_directive_t *section, const char *path)
{
    if (ap_cstr_casecmp(section->directive, "<Location") != 0)
        return ap_cstr_casecmp(section->directive, "<LocationMatch") == 0 ||
               ap_cstr_casecmp(section->directive, "<If") == 0;
    const char *at = section->args + strspn(section->args, "\"' ");
    size_t len = strcspn(at, "\"'>");
    return *at == '~' || strncmp(path, at, len) == 0;
}

static int has(const ap_directive_t *from, const char *path, const char *directive)
{
    for (const ap_directive_t *each = from; each; each = each->next)
        if (is_about(each, path) && na_directive_find(each->first_child, directive, ""))
            return 1;
    return 0;
}

int na_location_has(const server_rec *s, const char *path, const char *directive)
{
    return has(own_directives(s), path, directive) || has(ap_conftree, path, directive);
}

/* ── warnings ──────────────────────────────────────────────────────────────────────────────── */

static void warn(server_rec *s, const ap_directive_t *at, const char *message, const char *hint)
{
    const na_finding finding = {.group = NA_GROUP_SITE,
                                .subject = "AuthType",
                                .state = NA_WARNING,
                                .message = message,
                                .hint = hint,
                                .file = at->filename,
                                .line = at->line_num};
    if (!na_findings_add(s, &finding))
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, "AuthType on line %d of %s: %s: %s",
                     at->line_num, at->filename, message, hint);
}

/* As it was meant: a directive of a site that is wrong elsewhere is not Off. */
static int is_off(const server_rec *s)
{
    const na_directive *engine = na_last_of(na_server_conf_of(s)->written, NextAuthEngine);
    return !engine || ap_cstr_casecmp(engine->argv[0], "Off") == 0;
}

/* Virtual hosts have the sections of the main server, too. */
static int serves_nobody(const server_rec *s)
{
    if (s->is_virtual)
        return is_off(s);
    for (; s; s = s->next)
        if (!is_off(s))
            return 0;
    return 1;
}

static void warn_of_server(server_rec *s)
{
    int off = serves_nobody(s), is_left = leaves_auth_type(ap_conftree);
    for (const ap_directive_t *each = own_directives(s); each; each = each->next) {
        const ap_directive_t *type = auth_type_of(each);
        if (type && off)
            warn(s, type, "NextAuthEngine is off here: whatever needs a user is answered with 500",
                 "set NextAuthEngine On in this server");
        if (type && !is_left && !na_directive_find(each->first_child, "Require", ""))
            warn(s, type, "there is no Require beside it: nothing is protected",
                 "add Require valid-user, or Require nextauth-role ROLE");
    }
}

void na_warn_of_sections(server_rec *main)
{
    for (server_rec *s = main; s; s = s->next)
        warn_of_server(s);
}
