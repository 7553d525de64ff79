/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Queries of our endpoints carry secrets: tokens of mailed links, codes and states of providers.
 * What a request line is kept in, logged from, and shown by (access logs, mod_log_forensic,
 * mod_status, ErrorDocuments) has their names alone.
 */
#include <string.h>

#include <apr_strings.h>
#include <http_main.h>

#include "httpd/module.h"

#define HIDDEN "***"

/* What may be read by whoever reads logs. All else is hidden: there it is nobody's loss. */
static int is_plain(const char *name, size_t len)
{
    static const char *const names[] = {"error",     "error_description",
                                        "error_uri", "csrf",
                                        "provider",  "type",
                                        "iss",       "json",
                                        "signin",    "update"};
    for (apr_size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == len && strncmp(names[i], name, len) == 0)
            return 1;
    return 0;
}

/* How much of a value is shown: an address without its query, which is an application's. */
static size_t shown_of(const char *name, size_t name_len, const char *value, size_t len)
{
    if (is_plain(name, name_len))
        return len;
    if (name_len != 11 || strncmp(name, "callbackUrl", 11) != 0)
        return 0;
    for (size_t i = 0; i < len; i++)
        if (value[i] == '?' || value[i] == '#' ||
            (i + 2 < len && (strncmp(value + i, "%3", 2) == 0) && (value[i + 2] | 0x20) == 'f') ||
            (i + 2 < len && strncmp(value + i, "%23", 3) == 0))
            return i;
    return len;
}

static char *append(char *end, const char *text, size_t len)
{
    memcpy(end, text, len);
    return end + len;
}

/* One "name=value", or a word alone. */
static char *append_field(char *end, const char *field, size_t len)
{
    const char *equals = memchr(field, '=', len);
    size_t name_len = equals ? (size_t)(equals - field) : 0;
    const char *value = equals ? equals + 1 : field;
    size_t value_len = len - (size_t)(value - field);
    size_t shown = shown_of(field, name_len, value, value_len);
    end = append(end, field, (size_t)(value - field) + shown);
    return shown < value_len ? append(end, HIDDEN, strlen(HIDDEN)) : end;
}

/* The query as it is shown: at most three bytes for each of it. */
static const char *shown_query(apr_pool_t *pool, const char *query)
{
    char *text = apr_palloc(pool, 3 * strlen(query) + 1), *end = text;
    for (;;) {
        size_t len = strcspn(query, "&");
        end = append_field(end, query, len);
        query += len;
        if (!*query)
            break;
        *end++ = *query++;
    }
    *end = '\0';
    return text;
}

/* What follows the '?' of a request line or target, up to the protocol. */
static char *with_query(apr_pool_t *pool, const char *line, const char *query)
{
    const char *mark = line ? strchr(line, '?') : NULL;
    if (!mark)
        return (char *)line;
    const char *protocol = strrchr(mark, ' ');
    return apr_pstrcat(pool, apr_pstrmemdup(pool, line, (apr_size_t)(mark + 1 - line)), query,
                       protocol, NULL);
}

void na_hide_query(request_rec *r)
{
    na_state *state = na_state_of(r);
    if (!r->args || state->query)
        return;
    const char *shown = shown_query(r->pool, r->args);
    if (strcmp(shown, r->args) == 0)
        return;
    state->query = r->args;
    r->args = r->parsed_uri.query = (char *)shown;
    r->the_request = with_query(r->pool, r->the_request, shown);
    r->unparsed_uri = with_query(r->pool, r->unparsed_uri, shown);
}

int na_hide_early(request_rec *r)
{
    if (r->prev)
        na_hide_late(r->prev); /* an ErrorDocument is told of it */
    else
        r->log = NULL; /* from here on as LogLevel says */
    if (r->args && na_endpoint_path(na_config_of(r), r->parsed_uri.path))
        na_hide_query(r);
    return DECLINED;
}

/* Whether it names an endpoint of any site: which one, httpd did not get to find out. */
static int may_be_endpoint(const char *line, const char *mark)
{
    for (const server_rec *s = ap_server_conf; s; s = s->next) {
        const na_config *config = na_server_conf_of(s)->config;
        const char *at = config ? strstr(line, config->base_path) : NULL;
        if (at && at < mark)
            return 1;
    }
    return 0;
}

/* What httpd refuses while it reads it, such as cookies that are too large, is logged as well. */
int na_hide_late(request_rec *r)
{
    const char *mark = r->the_request ? strchr(r->the_request, '?') : NULL;
    if (!mark || r->status < 400 || na_state_of(r)->query || !may_be_endpoint(r->the_request, mark))
        return DECLINED;
    if (r->args)
        na_hide_query(r);
    else
        r->the_request = with_query(r->pool, r->the_request, HIDDEN);
    return DECLINED;
}

/* Before mod_status sees it, which is told before it is logged. */
void na_hide_of_error(request_rec *r)
{
    na_hide_late(r);
}

/*
 * httpd itself writes each request line to the error log at LogLevel trace5, before anybody else
 * sees it, and headers at trace4, which cookies are among.
 */
void na_pre_read_request(request_rec *r, conn_rec *c)
{
    int core = core_module.module_index;
    const struct ap_logconf *log = c->log ? c->log : &c->base_server->log;
    if (ap_get_conn_server_module_loglevel(c, c->base_server, core) < APLOG_TRACE5)
        return;
    struct ap_logconf *quieter = ap_new_log_config(r->pool, log);
    ap_set_module_loglevel(r->pool, quieter, core, APLOG_TRACE4);
    r->log = quieter;
}
