/* SPDX-License-Identifier: Apache-2.0 */
/* httpd's own sections, as far as they can be evaluated before a request. */
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

/* ── sections of a server ──────────────────────────────────────────────────────────────────── */

static int is_host(const ap_directive_t *d)
{
    return ap_cstr_casecmp(d->directive, "<VirtualHost") == 0;
}

/* Returns the first of the server's own directives. */
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

static const ap_directive_t *find_outside_hosts(const ap_directive_t *from, const char *name,
                                                const char *word)
{
    for (const ap_directive_t *each = from; each; each = each->next) {
        const ap_directive_t *below =
            is_host(each) ? NULL : na_directive_find(each->first_child, name, word);
        if (below)
            return below;
    }
    return NULL;
}

const ap_directive_t *na_section_find(const server_rec *s, const char *name, const char *word)
{
    const ap_directive_t *own = find_outside_hosts(own_directives(s), name, word);
    return own || !s->is_virtual ? own : find_outside_hosts(ap_conftree, name, word);
}

static const ap_directive_t *auth_type_of(const ap_directive_t *section)
{
    return is_host(section) ? NULL
                            : na_directive_find(section->first_child, "AuthType", "NextAuth");
}

/* ── requirements ──────────────────────────────────────────────────────────────────────────── */

static int is_one_of(const char *requirement, const char *const *names)
{
    size_t len = strcspn(requirement, " ");
    for (; *names; names++)
        if (strlen(*names) == len && ap_cstr_casecmpn(requirement, *names, len) == 0)
            return 1;
    return 0;
}

/* Requirements about the request or its client IP address, not about the user. */
static const char *const request_requirements[] = {
    "all", "ip", "host", "local", "env", "method", "not", "forward-dns", "ssl", "ssl-verify-client",
    NULL};
static const char *const any_user[] = {"valid-user", NULL};

/* Returns 1 if a requirement there depends on the user; valid-user counts only if `with_any`. */
static int requires_user(const ap_directive_t *from, int with_any)
{
    for (const ap_directive_t *each = from; each; each = each->next)
        if (requires_user(each->first_child, with_any) ||
            (ap_cstr_casecmp(each->directive, "Require") == 0 &&
             !is_one_of(each->args, request_requirements) &&
             (with_any || !is_one_of(each->args, any_user))))
            return 1;
    return 0;
}

/* Returns 1 if a section has a Require but no AuthType: a section with AuthType then need not have
 * a Require of its own. */
static int lacks_auth_type(const ap_directive_t *from)
{
    for (const ap_directive_t *each = from; each; each = each->next)
        if (is_host(each) ? lacks_auth_type(each->first_child)
                          : requires_user(each->first_child, 1) &&
                                !na_directive_find(each->first_child, "AuthType", ""))
            return 1;
    return 0;
}

static const ap_directive_t *find_for_any_user(const ap_directive_t *from)
{
    for (const ap_directive_t *each = from; each; each = each->next) {
        const ap_directive_t *type = auth_type_of(each);
        if (type && na_directive_find(each->first_child, "Require", "valid-user") &&
            !requires_user(each->first_child, 0))
            return type;
    }
    return NULL;
}

const ap_directive_t *na_section_for_any_user(const server_rec *s)
{
    const ap_directive_t *own = find_for_any_user(own_directives(s));
    return own || !s->is_virtual ? own : find_for_any_user(ap_conftree);
}

/* ── sections of a path ────────────────────────────────────────────────────────────────────── */

/* Patterns and expressions might match, because only a request decides; <Directory> sections do not
 * apply to endpoints. */
static int might_match(const ap_directive_t *section, const char *path)
{
    if (ap_cstr_casecmp(section->directive, "<Location") != 0)
        return ap_cstr_casecmp(section->directive, "<LocationMatch") == 0 ||
               ap_cstr_casecmp(section->directive, "<If") == 0;
    const char *at = section->args + strspn(section->args, "\"' ");
    size_t len = strcspn(at, "\"'>");
    return *at == '~' || strncmp(path, at, len) == 0;
}

static int has_in_location(const ap_directive_t *from, const char *path, const char *directive)
{
    for (const ap_directive_t *each = from; each; each = each->next)
        if (might_match(each, path) && na_directive_find(each->first_child, directive, ""))
            return 1;
    return 0;
}

int na_location_has(const server_rec *s, const char *path, const char *directive)
{
    return has_in_location(own_directives(s), path, directive) ||
           has_in_location(ap_conftree, path, directive);
}

/* ── sections that overlap ─────────────────────────────────────────────────────────────────── */

static void note_each(const ap_directive_t *from, na_section_note *note, void *data)
{
    for (const ap_directive_t *each = from; each; each = each->next) {
        note(data, each);
        note_each(each->first_child, note, data);
    }
}

static void note_outside_hosts(const ap_directive_t *from, na_section_note *note, void *data)
{
    for (const ap_directive_t *each = from; each; each = each->next)
        if (!is_host(each))
            note_each(each->first_child, note, data);
}

void na_sections_each(const server_rec *s, na_section_note *note, void *data)
{
    note_outside_hosts(own_directives(s), note, data);
    if (s->is_virtual)
        note_outside_hosts(ap_conftree, note, data);
}

static const ap_directive_t *outermost(const ap_directive_t *d)
{
    while (d->parent && !is_host(d->parent))
        d = d->parent;
    return d;
}

int na_section_might_have_htaccess(const ap_directive_t *directive)
{
    return na_htaccess_find(ap_conftree) &&
           !na_directive_find(outermost(directive)->first_child, "ProxyPass", "://");
}

/* Returns the path of the outermost <Location>; NULL if it is a pattern, or another section. */
static const char *location_of(const ap_directive_t *d)
{
    d = outermost(d);
    const char *at = d->args + strspn(d->args, "\"' ");
    return ap_cstr_casecmp(d->directive, "<Location") != 0 || *at == '~' || strpbrk(at, "*?[")
               ? NULL
               : at;
}

/* Only paths of which neither contains the other are certain to be different. */
static int might_overlap(const ap_directive_t *a, const ap_directive_t *b)
{
    const char *one = location_of(a), *other = location_of(b);
    if (!one || !other)
        return 1;
    size_t len = strcspn(one, "\"'>"), other_len = strcspn(other, "\"'>");
    return strncmp(one, other, len < other_len ? len : other_len) == 0;
}

typedef struct overlap {
    const ap_directive_t *directive;
    int is_found;
} overlap;

static void note_auth_type(void *data, const ap_directive_t *d)
{
    overlap *o = data;
    if (ap_cstr_casecmp(d->directive, "AuthType") == 0 && ap_strcasestr(d->args, "NextAuth"))
        o->is_found |= might_overlap(d, o->directive);
}

int na_section_has_auth_type(const server_rec *s, const ap_directive_t *directive)
{
    overlap o = {directive, 0};
    na_sections_each(s, note_auth_type, &o);
    return o.is_found;
}

/* ── warnings ──────────────────────────────────────────────────────────────────────────────── */

static void add_warning(server_rec *s, const ap_directive_t *at, const char *message,
                        const char *hint)
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

/* The configuration of a site with mistakes is incomplete; the directive has the intention. */
static int is_off(const server_rec *s)
{
    const na_directive *engine = na_last_of(na_server_conf_of(s)->written, NextAuthEngine);
    return !engine || ap_cstr_casecmp(engine->argv[0], "Off") == 0;
}

/* Virtual hosts inherit the sections of the main server. */
static int is_unused(const server_rec *s)
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
    int off = is_unused(s), is_elsewhere = lacks_auth_type(ap_conftree);
    for (const ap_directive_t *each = own_directives(s); each; each = each->next) {
        const ap_directive_t *type = auth_type_of(each);
        if (type && off)
            add_warning(s, type,
                        "NextAuthEngine is off in this server: requests that require a user fail "
                        "with status 500",
                        "set NextAuthEngine On in this server");
        if (type && !is_elsewhere && !na_directive_find(each->first_child, "Require", ""))
            add_warning(s, type, "the section has no Require: it protects nothing",
                        "add Require valid-user, or Require nextauth-role ROLE");
    }
}

void na_warn_of_sections(server_rec *main)
{
    for (server_rec *s = main; s; s = s->next)
        warn_of_server(s);
}
