/* SPDX-License-Identifier: Apache-2.0 */
/* Environment variables of NextAuth and Auth.js projects. */
#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/crypto.h"
#include "httpd/config/build.h"
#include "httpd/config/environment.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ── the directives that variables stand for ───────────────────────────────────────────────── */

/* Makes the argument that a value stands for. */
typedef na_error *converter(na_builder *b, const char *value, const char **argument);

/* Returns 1 if the variable is used; `written` has the directives, and those of earlier rows. */
typedef int condition(const na_builder *b, const apr_array_header_t *written);

static na_error *as_it_is(na_builder *b, const char *value, const char **argument)
{
    *argument = value;
    return NULL;
}

static na_error *as_on_or_off(na_builder *b, const char *value, const char **argument)
{
    int on = ap_cstr_casecmp(value, "true") == 0 || strcmp(value, "1") == 0;
    *argument = on ? "On" : "Off";
    return on || ap_cstr_casecmp(value, "false") == 0 || strcmp(value, "0") == 0
               ? NULL
               : na_wrong(b, "invalid value '%s': expected true or false", value);
}

/* Nodemailer's port is 587 unless another is given, and 465 is that of TLS from the first byte. */
static na_error *as_mail_url(na_builder *b, const char *host, const char **argument)
{
    const char *port = na_environment_get(&b->environment, "EMAIL_SERVER_PORT");
    const char *scheme = port && strcmp(port, "465") == 0 ? "smtps://" : "smtp://";
    *argument = apr_pstrcat(b->pool, scheme, host, port ? ":" : "", port, NULL);
    return NULL;
}

static int has_redis_store(const na_builder *b, const apr_array_header_t *written)
{
    const na_directive *store = na_last_of(written, NextAuthSessionStore);
    for (int i = 0; store && i < store->argc; i++)
        if (strcmp(store->argv[i], "redis") == 0)
            return 1;
    return 0;
}

/* Keys of AWS have many uses; with a sender, one of them is email. */
static int has_sender(const na_builder *b, const apr_array_header_t *written)
{
    return na_environment_has(&b->environment, "EMAIL_FROM");
}

static int has_magic_links(const na_builder *b, const apr_array_header_t *written)
{
    const na_directive *feature = na_build_feature_at(b, "magicLinks");
    return feature && ap_cstr_casecmp(feature->argv[1], "On") == 0;
}

/* NextAuth's variables of email are those of its email provider. */
static int sends_links(const na_builder *b, const apr_array_header_t *written)
{
    return na_last_of(written, NextAuthMail) && na_last_of(written, NextAuthDatabase);
}

#define ALWAYS 0
#define FROM_ENV 1 /* used with NextAuthFromEnv On only */
#define NEW_SECRETS "env:AUTH_SECRET_3 env:AUTH_SECRET_2 env:AUTH_SECRET_1"
#define SES                                                                                        \
    "ses accessKeyId=env:AWS_ACCESS_KEY_ID secretAccessKey=env:AWS_SECRET_ACCESS_KEY "             \
    "sessionToken=env:AWS_SESSION_TOKEN region=env:AWS_REGION"

/*
 * A variable that is set stands for a directive that is not: `subject`, the converted value, and
 * `arguments`, of which those whose env:NAME has no value are left out. If several variables stand
 * for the same directive, the first row counts. A row without arguments and converter is a value
 * that the setter of its directive looks up.
 */
typedef struct variable {
    const char *name;
    int of_env; /* ALWAYS or FROM_ENV */
    na_directive_id directive;
    const char *subject; /* what distinguishes directives of this name; NULL if there is only one */
    const char *arguments;
    converter *convert;
    condition *applies;
} variable;

/* clang-format off */
static const variable variables[] = {
    {"NODE_ENV", ALWAYS, NextAuthMode, NULL, "", as_it_is, NULL},
    {"NEXTAUTH_URL", ALWAYS, NextAuthURL, NULL, "env:NEXTAUTH_URL", NULL, NULL},
    {"AUTH_URL", ALWAYS, NextAuthURL, NULL, "env:AUTH_URL", NULL, NULL},
    {"AUTH_REDIRECT_PROXY_URL", ALWAYS, NextAuthRedirectProxy, NULL, "env:AUTH_REDIRECT_PROXY_URL", NULL, NULL},
    /* Auth.js: the highest number is the newest; AUTH_SECRET itself is the oldest. */
    {"NEXTAUTH_SECRET", ALWAYS, NextAuthSecret, NULL, NEW_SECRETS " env:NEXTAUTH_SECRET", NULL, NULL},
    {"AUTH_SECRET", ALWAYS, NextAuthSecret, NULL, NEW_SECRETS " env:AUTH_SECRET", NULL, NULL},
    {"AUTH_SECRET_1", ALWAYS, NextAuthSecret, NULL, NEW_SECRETS, NULL, NULL},
    {"AUTH_SECRET_2", ALWAYS, NextAuthSecret, NULL, NEW_SECRETS, NULL, NULL},
    {"AUTH_SECRET_3", ALWAYS, NextAuthSecret, NULL, NEW_SECRETS, NULL, NULL},
    {"ENABLE_OAUTH", ALWAYS, NextAuthFeature, "oauth", "", as_on_or_off, NULL},
    {"ENABLE_MAGIC_LINKS", ALWAYS, NextAuthFeature, "magicLinks", "", as_on_or_off, NULL},
    {"ENABLE_2FA", ALWAYS, NextAuthFeature, "2fa", "", as_on_or_off, NULL},
    {"ENABLE_AUDIT_LOGGING", ALWAYS, NextAuthFeature, "auditLogging", "", as_on_or_off, NULL},
    {"ENABLE_RATE_LIMITING", ALWAYS, NextAuthFeature, "rateLimiting", "", as_on_or_off, NULL},
    {"NEXTAUTH_DATABASE_URL", FROM_ENV, NextAuthDatabase, NULL, "env:NEXTAUTH_DATABASE_URL", NULL, NULL},
    {"DATABASE_URL", FROM_ENV, NextAuthDatabase, NULL, "env:DATABASE_URL", NULL, NULL},
    {"AUTH_DRIZZLE_URL", FROM_ENV, NextAuthDatabase, NULL, "env:AUTH_DRIZZLE_URL", NULL, NULL},
    {"MONGODB_URI", FROM_ENV, NextAuthDatabase, NULL, "env:MONGODB_URI", NULL, NULL},
    {"REDIS_URL", FROM_ENV, NextAuthSessionStore, NULL, "redis", NULL, NULL},
    {"REDIS_URL", ALWAYS, NextAuthRedis, NULL, "env:REDIS_URL", NULL, has_redis_store},
    {"EMAIL_SERVER", ALWAYS, NextAuthMail, NULL, "env:EMAIL_SERVER", NULL, NULL},
    {"EMAIL_SERVER_HOST", FROM_ENV, NextAuthMail, NULL, "username=env:EMAIL_SERVER_USER password=env:EMAIL_SERVER_PASSWORD", as_mail_url, NULL},
    {"SENDGRID_API_KEY", FROM_ENV, NextAuthMail, NULL, "sendgrid apiKey=env:SENDGRID_API_KEY", NULL, NULL},
    {"AUTH_SENDGRID_KEY", FROM_ENV, NextAuthMail, NULL, "sendgrid apiKey=env:AUTH_SENDGRID_KEY", NULL, NULL},
    {"RESEND_API_KEY", FROM_ENV, NextAuthMail, NULL, "resend apiKey=env:RESEND_API_KEY", NULL, NULL},
    {"AUTH_RESEND_KEY", FROM_ENV, NextAuthMail, NULL, "resend apiKey=env:AUTH_RESEND_KEY", NULL, NULL},
    {"POSTMARK_API_TOKEN", FROM_ENV, NextAuthMail, NULL, "postmark apiKey=env:POSTMARK_API_TOKEN", NULL, NULL},
    {"AUTH_POSTMARK_KEY", FROM_ENV, NextAuthMail, NULL, "postmark apiKey=env:AUTH_POSTMARK_KEY", NULL, NULL},
    {"MAILGUN_API_KEY", FROM_ENV, NextAuthMail, NULL, "mailgun apiKey=env:MAILGUN_API_KEY domain=env:MAILGUN_DOMAIN", NULL, NULL},
    {"AUTH_MAILGUN_KEY", FROM_ENV, NextAuthMail, NULL, "mailgun apiKey=env:AUTH_MAILGUN_KEY domain=env:MAILGUN_DOMAIN", NULL, NULL},
    {"AUTH_FORWARDEMAIL_KEY", FROM_ENV, NextAuthMail, NULL, "forwardemail apiKey=env:AUTH_FORWARDEMAIL_KEY", NULL, NULL},
    {"AUTH_LOOPS_KEY", FROM_ENV, NextAuthMail, NULL, "loops apiKey=env:AUTH_LOOPS_KEY transactionalId=env:AUTH_LOOPS_TRANSACTIONAL_ID", NULL, NULL},
    {"AWS_ACCESS_KEY_ID", FROM_ENV, NextAuthMail, NULL, SES, NULL, has_sender},
    {"EMAIL_FROM", ALWAYS, NextAuthMail, NULL, NULL, NULL, NULL},
    {"EMAIL_FROM", FROM_ENV, NextAuthProvider, "email", "", NULL, sends_links},
    {"ENABLE_MAGIC_LINKS", FROM_ENV, NextAuthProvider, "email", "", NULL, has_magic_links},
    {"EMAIL_SERVER_PORT", FROM_ENV, NextAuthMail, NULL, NULL, NULL, NULL},
    {"EMAIL_SERVER_USER", FROM_ENV, NextAuthMail, NULL, NULL, NULL, NULL},
    {"EMAIL_SERVER_PASSWORD", FROM_ENV, NextAuthMail, NULL, NULL, NULL, NULL},
    {"MAILGUN_DOMAIN", FROM_ENV, NextAuthMail, NULL, NULL, NULL, NULL},
    {"AUTH_LOOPS_TRANSACTIONAL_ID", FROM_ENV, NextAuthMail, NULL, NULL, NULL, NULL},
    {"AWS_SECRET_ACCESS_KEY", FROM_ENV, NextAuthMail, NULL, NULL, NULL, NULL},
    {"AWS_SESSION_TOKEN", FROM_ENV, NextAuthMail, NULL, NULL, NULL, NULL},
    {"AWS_REGION", FROM_ENV, NextAuthMail, NULL, NULL, NULL, NULL},
    {"SENTRY_DSN", ALWAYS, NextAuthSentry, NULL, "env:SENTRY_DSN", NULL, NULL},
    {"SENTRY_RELEASE", ALWAYS, NextAuthSentry, NULL, NULL, NULL, NULL},
    {"SENTRY_ENVIRONMENT", ALWAYS, NextAuthSentry, NULL, NULL, NULL, NULL},
};
/* clang-format on */

static const char *row_directive(apr_pool_t *pool, const variable *v)
{
    const char *name = na_directive_name(v->directive);
    return v->subject ? apr_pstrcat(pool, name, " ", v->subject, NULL) : name;
}

static int stands_for_directive(const variable *v)
{
    return v->arguments != NULL;
}

/* Returns the directive that is written, or that another variable stands for; NULL if none. */
static const na_directive *find_written(const apr_array_header_t *written, const variable *v)
{
    for (int i = written->nelts - 1; i >= 0; i--) {
        const na_directive *w = &APR_ARRAY_IDX(written, i, na_directive);
        if (w->id == v->directive && (!v->subject || strcmp(w->argv[0], v->subject) == 0))
            return w;
    }
    return NULL;
}

static void add_arguments(const na_builder *b, const char *text, apr_array_header_t *argv)
{
    char *last, *words = apr_pstrdup(b->pool, text);
    for (char *word = apr_strtok(words, " ", &last); word; word = apr_strtok(NULL, " ", &last)) {
        const char *source = strstr(word, "env:");
        if (!source || na_environment_has(&b->environment, source + 4))
            APR_ARRAY_PUSH(argv, const char *) = word;
    }
}

static na_error *write_directive(na_builder *b, const variable *v, apr_array_header_t *written)
{
    apr_array_header_t *argv = apr_array_make(b->pool, 8, sizeof(const char *));
    na_directive w = *na_environment_place(&b->environment, v->name);
    if (v->subject)
        APR_ARRAY_PUSH(argv, const char *) = v->subject;
    na_build_look_at_variable(b, v->name, na_directive_name(v->directive));
    if (v->convert)
        NA_TRY(v->convert(b, na_environment_get(&b->environment, v->name), apr_array_push(argv)));
    add_arguments(b, v->arguments, argv);
    w.id = v->directive;
    w.is_variable = 1;
    w.server = b->server;
    w.argc = argv->nelts;
    w.argv = (const char *const *)argv->elts;
    APR_ARRAY_PUSH(written, na_directive) = w;
    return NULL;
}

na_error *na_build_variables(na_builder *b, apr_array_header_t *written)
{
    for (const variable *v = variables; v < variables + COUNT(variables); v++) {
        int counts = stands_for_directive(v) && (b->from_env || v->of_env == ALWAYS) &&
                     na_environment_has(&b->environment, v->name) && !find_written(written, v);
        if (counts && (!v->applies || v->applies(b, written)))
            NA_TRY(na_build_noted(b, write_directive(b, v, written)));
    }
    return NULL;
}

/* ── what is known of a variable ───────────────────────────────────────────────────────────── */

static const variable *find_variable(const char *name)
{
    for (apr_size_t i = 0; i < COUNT(variables); i++)
        if (strcmp(variables[i].name, name) == 0)
            return &variables[i];
    return NULL;
}

int na_variable_requires_from_env(const char *name)
{
    const variable *v = find_variable(name);
    return strcmp(name, NA_VARIABLE_LOG_LEVEL) == 0 || (v && v->of_env == FROM_ENV);
}

const na_directive *na_variable_rival(const apr_array_header_t *written, const char *name)
{
    const variable *v = find_variable(name);
    const na_directive *w = v && stands_for_directive(v) ? find_written(written, v) : NULL;
    return w && w->is_variable && strcmp(w->directive, name) != 0 ? w : NULL;
}

const char *na_variable_order(apr_pool_t *pool, const char *name)
{
    const variable *v = find_variable(name);
    const char *names = NULL;
    for (const variable *each = variables; each < variables + COUNT(variables); each++) {
        if (each->directive != v->directive || each->subject || !stands_for_directive(each))
            continue;
        names = names ? apr_pstrcat(pool, names, ", ", each->name, NULL) : each->name;
    }
    return names;
}

/* ── providers' variables ──────────────────────────────────────────────────────────────────── */

/* A provider's ID is in the middle of its variables' names; v5's name of each kind comes first. */
static const struct {
    const char *kind, *before, *after;
} of_provider[] = {
    {NA_VARIABLE_ID, "AUTH_", "_ID"},
    {NA_VARIABLE_ID, "", "_CLIENT_ID"},
    {NA_VARIABLE_ID, "", "_ID"},
    {NA_VARIABLE_SECRET, "AUTH_", "_SECRET"},
    {NA_VARIABLE_SECRET, "", "_CLIENT_SECRET"},
    {NA_VARIABLE_SECRET, "", "_SECRET"},
    {NA_VARIABLE_ISSUER, "AUTH_", "_ISSUER"},
    {NA_VARIABLE_ISSUER, "", "_ISSUER"},
    {NA_VARIABLE_TENANT, "AUTH_", "_TENANT_ID"},
    {NA_VARIABLE_TENANT, "", "_TENANT_ID"},
};

/* Returns the spelling of a provider's ID in variables: GOOGLE, AZURE_AD. */
static const char *stem_of(apr_pool_t *pool, const char *id)
{
    char *stem = apr_pstrdup(pool, id);
    for (char *p = stem; *p; p++)
        *p = *p == '-' ? '_' : (char)apr_toupper(*p);
    return stem;
}

static const char *provider_variable(apr_pool_t *pool, apr_size_t row, const char *stem)
{
    return apr_pstrcat(pool, of_provider[row].before, stem, of_provider[row].after, NULL);
}

const char *na_variable_of_provider(const na_environment *environment, const char *id,
                                    const char *kind)
{
    const char *stem = stem_of(environment->pool, id);
    for (apr_size_t i = 0; i < COUNT(of_provider); i++) {
        const char *name = provider_variable(environment->pool, i, stem);
        if (strcmp(of_provider[i].kind, kind) == 0 && na_environment_has(environment, name))
            return name;
    }
    return NULL;
}

const char *na_variables_for_provider(apr_pool_t *pool, const char *id, const char *kind)
{
    const char *names = NULL, *last = NULL, *stem = stem_of(pool, id);
    for (apr_size_t i = 0; i < COUNT(of_provider); i++) {
        if (strcmp(of_provider[i].kind, kind) != 0)
            continue;
        if (last)
            names = names ? apr_pstrcat(pool, names, ", ", last, NULL) : last;
        last = provider_variable(pool, i, stem);
    }
    return names ? apr_pstrcat(pool, names, " or ", last, NULL) : last;
}

void na_variables_add_provider(apr_pool_t *pool, apr_table_t *known, const char *id)
{
    const char *directive = apr_pstrcat(pool, "NextAuthProvider ", id, NULL);
    for (apr_size_t i = 0; i < COUNT(of_provider); i++)
        apr_table_setn(known, provider_variable(pool, i, stem_of(pool, id)), directive);
}

static void set_first(apr_table_t *known, const char *name, const char *directive)
{
    if (!apr_table_get(known, name))
        apr_table_setn(known, name, directive);
}

apr_table_t *na_variables_known(apr_pool_t *pool, const apr_array_header_t *providers, int from_env)
{
    apr_table_t *known = apr_table_make(pool, 64);
    for (const variable *v = variables; v < variables + COUNT(variables); v++)
        if (from_env || v->of_env == ALWAYS)
            set_first(known, v->name, row_directive(pool, v));
    if (from_env)
        apr_table_setn(known, NA_VARIABLE_LOG_LEVEL, "LogLevel nextauth:LEVEL");
    for (int i = 0; i < providers->nelts; i++) {
        const na_provider *provider = APR_ARRAY_IDX(providers, i, const na_provider *);
        if (provider->type == NA_OIDC || provider->type == NA_OAUTH)
            na_variables_add_provider(pool, known, na_provider_configured_id(provider));
    }
    return known;
}

/* Recorded now, because the values of NextAuthEnvFile are not kept. */
const apr_table_t *na_variables_note(const na_environment *environment,
                                     const apr_array_header_t *providers, int from_env)
{
    const apr_table_t *known = na_variables_known(environment->pool, providers, from_env);
    const apr_array_header_t *all = apr_table_elts(known);
    apr_table_t *noted = apr_table_make(environment->pool, all->nelts);
    for (int i = 0; i < all->nelts; i++) {
        const char *name = APR_ARRAY_IDX(all, i, apr_table_entry_t).key;
        apr_table_setn(noted, name, na_environment_has(environment, name) ? "1" : "");
    }
    return noted;
}

static int forget_variable(void *unused, const char *name, const char *value)
{
    char *own = getenv(name);
    if (own) {
        na_wipe(own, strlen(own));
        unsetenv(name);
    }
    return 1;
}

void na_variables_forget(const server_rec *s)
{
    for (; s; s = s->next) {
        const na_plan *plan = &na_server_conf_of(s)->plan;
        if (!plan->variables)
            continue;
        apr_table_do(forget_variable, NULL, plan->variables, NULL);
        apr_table_do(forget_variable, NULL, plan->used_variables, NULL);
    }
}
