/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "httpd/config/build.h"
#include "httpd/config/sections.h"
#include "httpd/findings.h"

/* What else a project of NextAuth has, which means nothing to a module of the server. */
static const char *const others[] = {"NEXTAUTH_URL_INTERNAL",   "NEXTAUTH_DEBUG",
                                     "AUTH_TRUST_HOST",         "AUTH_DEBUG",
                                     "AUTH_REDIRECT_PROXY_URL", "NEXTAUTH_DATABASE_URL",
                                     "NEXTAUTHCTL_SERVER"};

/* What nextauthctl check itself sets. */
#define OURS NA_CHECK_REPORT_VARIABLE

typedef struct search {
    const na_builder *b;
    const apr_array_header_t *written;
    const apr_table_t *known; /* a variable, and the directive that goes before it or "" */
} search;

static apr_table_t *know_all(const na_builder *b)
{
    apr_table_t *known = na_variables_known(b->pool, b->config->providers);
    char *last, *ids = apr_pstrdup(b->pool, na_provider_catalogue_ids(b->pool));
    for (char *id = apr_strtok(ids, ", ", &last); id; id = apr_strtok(NULL, ", ", &last))
        na_variables_add_provider(b->pool, known, id);
    for (apr_size_t i = 0; i < sizeof others / sizeof *others; i++)
        apr_table_setn(known, others[i], "");
    return known;
}

/* ── how far two names are apart ───────────────────────────────────────────────────────────── */

#define NAME_MAX_LEN 64

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Letters to add, to leave out, to change, and neighbours to swap. */
static int distance(const char *a, const char *b)
{
    int rows[3][NAME_MAX_LEN + 1], la = (int)strlen(a), lb = (int)strlen(b);
    if (la > NAME_MAX_LEN || lb > NAME_MAX_LEN)
        return NAME_MAX_LEN;
    for (int k = 0; k <= lb; k++)
        rows[0][k] = k;
    for (int i = 1; i <= la; i++) {
        int *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        now[0] = i;
        for (int k = 1; k <= lb; k++) {
            now[k] =
                least(least(before[k], now[k - 1]) + 1, before[k - 1] + (a[i - 1] != b[k - 1]));
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                now[k] = least(now[k], earlier[k - 2] + 1);
        }
    }
    return rows[la % 3][lb];
}

/* What a name was probably meant to be; NULL where nothing is near. */
static const char *nearest(const search *s, const char *name)
{
    const apr_array_header_t *all = apr_table_elts(s->known);
    int limit = strlen(name) < 10 ? 2 : 3;
    const char *found = NULL;
    for (int i = 0; i < all->nelts; i++) {
        const char *known = APR_ARRAY_IDX(all, i, apr_table_entry_t).key;
        int far = distance(name, known);
        if (far >= limit)
            continue;
        limit = far;
        found = known;
    }
    return found;
}

/* ── what is said of one variable ──────────────────────────────────────────────────────────── */

/* The last such directive; "NextAuthProvider google" is one of that provider. */
static const na_directive *find_directive(const search *s, const char *directive)
{
    size_t len = strcspn(directive, " ");
    for (int i = s->written->nelts - 1; i >= 0; i--) {
        const na_directive *w = &APR_ARRAY_IDX(s->written, i, na_directive);
        if (strlen(w->directive) == len && strncmp(w->directive, directive, len) == 0 &&
            (!directive[len] || strcmp(w->argv[0], directive + len + 1) == 0))
            return w;
    }
    return NULL;
}

static void say(const search *s, const char *name, na_finding_state state, const char *hint,
                const char *message)
{
    const na_directive *place = na_environment_place(&s->b->environment, name);
    const na_finding finding = {.group = NA_GROUP_ENVIRONMENT,
                                .subject = name,
                                .state = state,
                                .message = message,
                                .hint = hint,
                                .file = place->file,
                                .line = place->line};
    na_findings_add(s->b->server, &finding);
}

static void say_unused(const search *s, const char *name, const char *where, const char *directive)
{
    apr_pool_t *pool = s->b->pool;
    const na_directive *w = *directive ? find_directive(s, directive) : NULL;
    const char *space = strchr(directive, ' ');
    const char *why = "; it means nothing here";
    if (w)
        why = apr_psprintf(pool, ", not used: %s on line %d of %s goes before it", directive,
                           w->line, w->file);
    else if (space && na_provider_find(s->b->config->providers, space + 1) < 0)
        why = apr_psprintf(pool, ", not used: there is no %s", directive);
    else if (*directive)
        why = ", not used: another variable goes before it, or nothing needs it";
    say(s, name, NA_RIGHT, NULL, apr_pstrcat(pool, "set in ", where, why, NULL));
}

static int is_secret(const na_config *config, const char *value)
{
    for (int i = 0; i < config->secret_count; i++)
        if (strcmp(config->secrets[i], value) == 0)
            return 1;
    for (int i = 0; i < config->providers->nelts; i++) {
        const na_provider *p = APR_ARRAY_IDX(config->providers, i, const na_provider *);
        if (p->client_secret && strcmp(p->client_secret, value) == 0)
            return 1;
    }
    return 0;
}

/* Tenants could ask for it by PassEnv or osenv(), if child processes had it still. */
static void say_used(const search *s, const char *name, const char *where)
{
    apr_pool_t *pool = s->b->pool;
    const char *own = getenv(name);
    const ap_directive_t *htaccess =
        own && is_secret(s->b->config, own) ? na_htaccess_find(ap_conftree) : NULL;
    if (!htaccess) {
        say(s, name, NA_RIGHT, NULL, apr_pstrcat(pool, "set in ", where, ", and used", NULL));
        return;
    }
    say(s, name, NA_RIGHT,
        "write file:PATH in the directive instead, and let only root read the file",
        apr_psprintf(pool,
                     "set in %s, and used; .htaccess files are read (%s on line %d of %s): what "
                     "serves requests wipes it, other modules' processes may not",
                     where, htaccess->directive, htaccess->line_num, htaccess->filename));
}

/* 1 where that is one of ours, or was asked for by name. */
static int say_known(const search *s, const char *name, const char *where)
{
    const char *directive = apr_table_get(s->known, name);
    if (apr_table_get(s->b->environment.used, name)) {
        say_used(s, name, where);
        return 1;
    }
    if (directive)
        say_unused(s, name, where, directive);
    return directive != NULL;
}

/* 1 where it is told to be a slip. */
static int say_slip(const search *s, const char *name, const char *where)
{
    const char *meant = nearest(s, name);
    if (!meant)
        return 0;
    say(s, name, NA_WARNING, apr_psprintf(s->b->pool, "is %s meant?", meant),
        apr_pstrcat(s->b->pool, "set in ", where, ", but not known", NULL));
    return 1;
}

static int is_set_outside(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

static void look_at_file(const search *s)
{
    const apr_array_header_t *all = apr_table_elts(s->b->environment.file->values);
    const char *strangers = NULL;
    for (int i = 0; i < all->nelts; i++) {
        const char *name = APR_ARRAY_IDX(all, i, apr_table_entry_t).key;
        if (is_set_outside(name) || say_known(s, name, "NextAuthEnvFile") ||
            say_slip(s, name, "NextAuthEnvFile"))
            continue;
        strangers = strangers ? apr_pstrcat(s->b->pool, strangers, ", ", name, NULL) : name;
    }
    if (strangers)
        na_findings_say(s->b->server, NA_GROUP_ENVIRONMENT, "NextAuthEnvFile", NA_RIGHT, NULL,
                        "not mod_nextauth's: %s", strangers);
}

/* Of what else is in the process's environment, only names that begin as ours do can be slips. */
static void look_at_process(const search *s)
{
    for (char **each = environ; *each; each++) {
        const char *equals = strchr(*each, '=');
        if (!equals || !equals[1] || strncmp(*each, OURS "=", sizeof OURS) == 0)
            continue;
        const char *name = apr_pstrmemdup(s->b->pool, *each, (apr_size_t)(equals - *each));
        int looks_ours = strncmp(name, "NEXTAUTH_", 9) == 0 || strncmp(name, "AUTH_", 5) == 0;
        if (!say_known(s, name, "the server's environment") && looks_ours)
            say_slip(s, name, "the server's environment");
    }
}

void na_check_environment(const na_builder *b, const apr_array_header_t *written)
{
    search s = {.b = b, .written = written, .known = know_all(b)};
    look_at_process(&s);
    if (b->environment.file)
        look_at_file(&s);
}
