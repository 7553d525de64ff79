/* SPDX-License-Identifier: Apache-2.0 */
/* Environment variables as nextauthctl check reports them: used, unused, misspelled. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/spelling.h"
#include "httpd/config/build.h"
#include "httpd/config/environment.h"
#include "httpd/config/sections.h"
#include "httpd/findings.h"

/* Other variables of NextAuth projects, and what they come to here. */
static const struct {
    const char *name, *meaning;
} of_others[] = {
    {"AUTH_TRUST_HOST",
     "nothing to set: a request's headers select at most one of the URLs of NextAuthURL"},
    {"NEXTAUTH_URL_INTERNAL", "nothing to set: only an application requests its own URL"},
    {"NEXTAUTH_DEBUG", "it has no meaning here: set LogLevel nextauth:debug"},
    {"AUTH_DEBUG", "it has no meaning here: set LogLevel nextauth:debug"},
    {"NEXTAUTHCTL_SERVER", "it has no meaning here"},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* set by nextauthctl check itself */
#define OURS NA_CHECK_REPORT_VARIABLE

typedef struct search {
    const na_builder *b;
    const apr_array_header_t *written;
    const apr_table_t *known; /* by variable: the directive that takes precedence, or "" */
} search;

static apr_table_t *known_variables(const na_builder *b)
{
    apr_table_t *known = na_variables_known(b->pool, b->config->providers, 1);
    const apr_array_header_t *ids = na_catalogue_client_ids(b->pool, b->catalogue);
    for (int i = 0; i < ids->nelts; i++)
        na_variables_add_provider(b->pool, known, APR_ARRAY_IDX(ids, i, const char *));
    for (apr_size_t i = 0; i < COUNT(of_others); i++)
        apr_table_setn(known, of_others[i].name, "");
    return known;
}

/* ── misspelled names ──────────────────────────────────────────────────────────────────────── */

/* Returns the known variable that was probably meant; NULL if none is similar. */
static const char *nearest_variable(const search *s, const char *name)
{
    const apr_array_header_t *all = apr_table_elts(s->known);
    na_spelling spelling = na_spelling_of(name);
    for (int i = 0; i < all->nelts; i++)
        na_spelling_try(&spelling, APR_ARRAY_IDX(all, i, apr_table_entry_t).key);
    return spelling.nearest;
}

/* ── rows ──────────────────────────────────────────────────────────────────────────────────── */

/* Returns the last such directive, or NULL; "NextAuthProvider google" is the one of that provider.
 */
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

static void add_variable(const search *s, const char *name, na_finding_state state,
                         const char *hint, const char *message)
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

static const char *value_of(const search *s, const char *name)
{
    const char *own = getenv(name);
    const na_envfile *file = s->b->environment.file;
    return own && *own ? own : file ? apr_table_get(file->values, name) : "";
}

/* Two variables of one meaning with different values: one of them is not what was meant. */
static void add_outranked(const search *s, const char *name, const char *where,
                          const na_directive *rival)
{
    apr_pool_t *pool = s->b->pool;
    int differs = strcmp(value_of(s, name), value_of(s, rival->directive)) != 0;
    add_variable(s, name, differs ? NA_WARNING : NA_RIGHT,
                 differs ? apr_pstrcat(pool, "remove one of them, or set ",
                                       na_directive_name(rival->id), NULL)
                         : NULL,
                 apr_psprintf(pool,
                              "set in %s, not used: %s takes precedence; the first of these "
                              "variables that is set is used: %s",
                              where, rival->directive, na_variable_order(pool, name)));
}

static const char *meaning_of(const char *name)
{
    for (apr_size_t i = 0; i < COUNT(of_others); i++)
        if (strcmp(of_others[i].name, name) == 0)
            return of_others[i].meaning;
    return "";
}

/* "NextAuthProvider google" of a site whose feature oauth is off */
static int is_left_out(const search *s, const char *directive)
{
    return strncmp(directive, "NextAuthProvider ", 17) == 0 &&
           na_provider_configured(s->b->left_out, directive + 17);
}

static const char *why_unused(const search *s, const char *name, const char *directive)
{
    apr_pool_t *pool = s->b->pool;
    const na_directive *w = *directive ? find_directive(s, directive) : NULL;
    const char *space = strchr(directive, ' ');
    if (!*directive)
        return apr_pstrcat(pool, "; ", meaning_of(name), NULL);
    if (w)
        return apr_psprintf(pool, ", not used: %s on line %d of %s takes precedence", directive,
                            w->line, w->file);
    if (s->b->from_env && strncmp(directive, "LogLevel", 8) == 0)
        return apr_psprintf(pool, ", not used: %s takes precedence", directive);
    if (!s->b->from_env && na_variable_requires_from_env(name))
        return ", not used: NextAuthFromEnv is Off";
    if (is_left_out(s, directive))
        return ", not used: NextAuthFeature oauth is Off";
    if (space && strncmp(directive, "NextAuthProvider ", 17) == 0 &&
        !na_provider_configured(s->b->config->providers, space + 1))
        return apr_psprintf(pool, ", not used: %s is not configured", directive);
    return ", not used: another variable takes precedence, or nothing requires it";
}

static void add_unused(const search *s, const char *name, const char *where, const char *directive)
{
    const na_directive *rival = na_variable_rival(s->written, name);
    if (rival)
        add_outranked(s, name, where, rival);
    else
        add_variable(s, name, NA_RIGHT, NULL,
                     apr_pstrcat(s->b->pool, "set in ", where, why_unused(s, name, directive),
                                 NULL));
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

/* Tenants could read a secret with PassEnv or osenv() if a process still had it. */
static void add_used(const search *s, const char *name, const char *where)
{
    apr_pool_t *pool = s->b->pool;
    const char *own = getenv(name);
    const ap_directive_t *htaccess =
        own && is_secret(s->b->config, own) ? na_htaccess_find(ap_conftree) : NULL;
    if (!htaccess) {
        add_variable(s, name, NA_RIGHT, NULL,
                     apr_pstrcat(pool, "set in ", where, ", and used", NULL));
        return;
    }
    add_variable(
        s, name, NA_RIGHT, "use file:PATH in the directive, and let only root read the file",
        apr_psprintf(pool,
                     "set in %s, and used; .htaccess files are read (%s on line %d of %s): child "
                     "processes erase it, processes of other modules might not",
                     where, htaccess->directive, htaccess->line_num, htaccess->filename));
}

/* Returns 0 if the variable is neither known nor used by a directive. */
static int add_known(const search *s, const char *name, const char *where)
{
    const char *directive = apr_table_get(s->known, name);
    if (apr_table_get(s->b->environment.used, name) && !(directive && is_left_out(s, directive))) {
        add_used(s, name, where);
        return 1;
    }
    if (directive)
        add_unused(s, name, where, directive);
    return directive != NULL;
}

/* Returns 0 if the name resembles no known one. */
static int add_misspelled(const search *s, const char *name, const char *where)
{
    const char *meant = nearest_variable(s, name);
    if (!meant)
        return 0;
    add_variable(s, name, NA_WARNING, apr_psprintf(s->b->pool, "check whether %s is meant", meant),
                 apr_pstrcat(s->b->pool, "set in ", where, ", but unknown", NULL));
    return 1;
}

static int is_set_outside(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

static void check_file(const search *s)
{
    const apr_array_header_t *all = apr_table_elts(s->b->environment.file->values);
    const char *others = NULL;
    for (int i = 0; i < all->nelts; i++) {
        const char *name = APR_ARRAY_IDX(all, i, apr_table_entry_t).key;
        if (is_set_outside(name) || add_known(s, name, "NextAuthEnvFile") ||
            add_misspelled(s, name, "NextAuthEnvFile"))
            continue;
        others = others ? apr_pstrcat(s->b->pool, others, ", ", name, NULL) : name;
    }
    if (others)
        na_findings_say(s->b->server, NA_GROUP_ENVIRONMENT, "NextAuthEnvFile", NA_RIGHT, NULL,
                        "not variables of mod_nextauth: %s", others);
}

/* Unknown names in the process's environment are reported only if they begin like known ones. */
static void check_process(const search *s)
{
    for (char **each = environ; *each; each++) {
        const char *equals = strchr(*each, '=');
        if (!equals || !equals[1] || strncmp(*each, OURS "=", sizeof OURS) == 0)
            continue;
        const char *name = apr_pstrmemdup(s->b->pool, *each, (apr_size_t)(equals - *each));
        if (!s->b->from_env && na_variable_requires_from_env(name))
            continue; /* another program's */
        int is_similar = strncmp(name, "NEXTAUTH_", 9) == 0 || strncmp(name, "AUTH_", 5) == 0;
        if (!add_known(s, name, "the server's environment") && is_similar)
            add_misspelled(s, name, "the server's environment");
    }
}

void na_check_environment(const na_builder *b, const apr_array_header_t *written)
{
    search s = {.b = b, .written = written, .known = known_variables(b)};
    check_process(&s);
    if (b->environment.file)
        check_file(&s);
}
