/* SPDX-License-Identifier: Apache-2.0 */
/* The directives of a server, a row each; those of a directory are in config/directives.c. */
#ifndef NA_HTTPD_DIRECTIVES_H
#define NA_HTTPD_DIRECTIVES_H

/*
 * ROW(name, arguments, stage, setter, shown, help):
 * - arguments: ONE, TWO, …: how many there are, and which is an expression (config/directives.c).
 * - stage: when the setter runs (na_stage).
 * - setter: src/httpd/config's, of type na_setter, declared by this row.
 * - shown: what nextauthctl check may print of it (na_shown).
 * - help: what follows the name; httpd -L and messages print it.
 */
/* clang-format off */
#define NA_DIRECTIVES(ROW) \
    ROW(NextAuthEngine, ONE, FIRST, na_build_engine, OPEN, \
        "On or Off: serve the sign-in endpoints here") \
    ROW(NextAuthURL, ONE, SITE, na_build_url, OPEN, \
        "the canonical address, https://host[/base/path]") \
    ROW(NextAuthBasePath, ONE, SITE, na_build_base_path, OPEN, \
        "where the endpoints live, /api/auth by default") \
    ROW(NextAuthSite, ONE_OR_MORE, SITE, na_build_site, OPEN, \
        "a name that virtual hosts share to share sessions, then unbound=") \
    ROW(NextAuthSecret, ONE_OR_MORE, SITE, na_build_secret, SECRET, \
        "the secret, then older ones that still open") \
    ROW(NextAuthEnvFile, ONE, FILE, na_build_env_file, OPEN, \
        "a .env file to read variables from") \
    ROW(NextAuthMode, ONE, FIRST, na_build_mode, OPEN, "production, development or test") \
    ROW(NextAuthCompat, ONE_OR_MORE, SITE, na_build_compat, OPEN, "v4 or v5, then accept=v4,v5") \
    ROW(NextAuthCookie, TWO_OR_MORE, COOKIES, na_build_cookie, OPEN, \
        "a cookie's name in NextAuth, then key=value") \
    ROW(NextAuthSessionMaxAge, ONE, SITE, na_build_max_age, OPEN, \
        "seconds until an unused session ends") \
    ROW(NextAuthSessionUpdateAge, ONE, SITE, na_build_update_age, OPEN, \
        "seconds between re-issues of the session cookie") \
    ROW(NextAuthSessionIdleTimeout, ONE, SITE, na_build_idle_timeout, OPEN, \
        "seconds without use until a session ends, or Off") \
    ROW(NextAuthSessionAbsoluteTimeout, ONE, SITE, na_build_absolute_timeout, OPEN, \
        "seconds from sign-in to the end, or Off") \
    ROW(NextAuthSessionStrategy, ONE, SITE, na_build_strategy, OPEN, \
        "jwt: claims in the cookie; database: on the server") \
    ROW(NextAuthSessionBind, TEXT, SITE, na_build_bind, OPEN, \
        "certificate, fingerprint, off or an expression") \
    ROW(NextAuthSessionStore, ONE_OR_MORE, SITE, na_build_session_store, OPEN, \
        "redis, database, socache or none, those of before, then checkInterval= and whenDown=") \
    ROW(NextAuthSOCache, ONE, SITE, na_build_socache, OPEN, \
        "the shared object cache, such as shmcb:PATH(SIZE)") \
    ROW(NextAuthRedis, ONE_OR_MORE, SITE, na_build_redis, HIDDEN, \
        "redis://, rediss:// or unix: address, then key=value") \
    ROW(NextAuthDatabase, ONE_OR_MORE, SITE, na_build_database, HIDDEN, \
        "postgresql://, mysql:// or sqlite: address, then key=value") \
    ROW(NextAuthFeature, TWO, SITE, na_build_feature, OPEN, \
        "signUp, passwordReset, account, deleteAccount or rateLimiting, then On or Off") \
    ROW(NextAuthRateLimit, TWO_OR_MORE, SITE, na_build_rate_limit, OPEN, \
        "signIn, callback, magicLink, signUp, passwordReset or mail, then Off or [address=|account=|both=]N/SECONDS") \
    ROW(NextAuthPasswords, ONE_OR_MORE, SITE, na_build_passwords, OPEN, \
        "minLength=, hash= and breached= of new passwords") \
    ROW(NextAuthMail, ONE_OR_MORE, SITE, na_build_mail, HIDDEN, \
        "smtp:// or smtps:// address, or a service's name, then key=value") \
    ROW(NextAuthMailTemplate, TWO_OR_MORE, SITE, na_build_mail_template, OPEN, \
        "signIn, signUp, passwordReset, emailChange, accountLocked, passwordChanged or emailChanged, then text=, html= and subject=") \
    ROW(NextAuthRoleColumn, ONE, SITE, na_build_role_column, OPEN, \
        "On or Off: users have a column named role") \
    ROW(NextAuthProvider, ONE_OR_MORE, PROVIDERS, na_build_provider, NAMED, \
        "a provider's id, then key=value") \
    ROW(NextAuthProvidersFromEnv, ONE, SITE, na_build_providers_from_env, OPEN, \
        "On or Off: providers whose ID and secret are in the environment need no directive") \
    ROW(NextAuthPages, ONE_OR_MORE, SITE, na_build_pages, OPEN, "key=/path of pages of your own") \
    ROW(NextAuthTheme, ONE_OR_MORE, SITE, na_build_theme, OPEN, \
        "key=value, the look of the built-in pages") \
    ROW(NextAuthSignInRule, RULE, SITE, na_build_sign_in_rule, OPEN, \
        "allow or deny, then an expression") \
    ROW(NextAuthRedirectAllow, ONE_OR_MORE, SITE, na_build_redirect_allow, OPEN, \
        "origins that callbackUrl may lead to") \
    ROW(NextAuthClearSiteData, ONE_OR_MORE, SITE, na_build_clear_site_data, OPEN, \
        "cache, cookies, storage, executionContexts or *, or Off: what browsers forget at sign-out") \
    ROW(NextAuthRole, RULE, SITE, na_build_role, OPEN, \
        "a role, then the expression of who has it") \
    ROW(NextAuthClaim, NAMED_TEXT, SITE, na_build_claim, OPEN, \
        "a claim's name, then the expression of its value") \
    ROW(NextAuthSessionClaim, ONE_OR_MORE, SITE, na_build_session_claim, OPEN, \
        "claims that the browser may see") \
    ROW(NextAuthEvent, TWO_OR_MORE, SITE, na_build_event, PROGRAM, \
        "an event or all, then a webhook's address or \"|program\", then secret=") \
    ROW(NextAuthEventQueue, ONE_OR_MORE, SITE, na_build_event_queue, OPEN, \
        "the folder of what is not delivered yet, then max=") \
    ROW(NextAuthSentry, ONE_OR_MORE, SITE, na_build_sentry, HIDDEN, \
        "a DSN or Off, then key=value") \
    ROW(NextAuthAuditLog, ONE_OR_MORE, SITE, na_build_audit_log, PROGRAM, \
        "files, \"|program\" or database, then onFailure= and key=") \
    ROW(NextAuthHTTP, ONE_OR_MORE, SITE, na_build_http, HIDDEN, \
        "key=value, limits of outgoing calls") \
    ROW(NextAuthLog, TWO, SITE, na_build_log, OPEN_PROGRAM, \
        "json or plain, then errorlog, a file or \"|program\"") \
    ROW(NextAuthStatsD, ONE_OR_MORE, SITE, na_build_statsd, OPEN, \
        "HOST:PORT, then prefix=, format= and interval=")
/* clang-format on */

/* Named like the directives, so that a slip does not compile: NextAuthURL. */
typedef enum na_directive_id {
#define NA_ID(name, arguments, stage, setter, shown, help) name,
    NA_DIRECTIVES(NA_ID)
#undef NA_ID
} na_directive_id;

#endif
