/* SPDX-License-Identifier: Apache-2.0 */
/* The directives of a server, one row each; those of a directory are in config/directives.c. */
#ifndef NA_HTTPD_DIRECTIVES_H
#define NA_HTTPD_DIRECTIVES_H

/*
 * ROW(name, arguments, stage, setter, shown, help, form):
 * - arguments: ONE, TWO, …: their number, and which is an expression (config/directives.c).
 * - stage: when the setter runs (na_stage).
 * - setter: a function of src/httpd/config, of type na_setter, declared by this row.
 * - shown: the part of the arguments that nextauthctl check prints (na_shown).
 * - help, form: a noun phrase, and the arguments as in docs/directives.md; httpd -L prints both.
 */
/* clang-format off */
#define NA_DIRECTIVES(ROW) \
    ROW(NextAuthEngine, ONE, FIRST, na_build_engine, OPEN, \
        "sign-in endpoints", "On|Off") \
    ROW(NextAuthURL, ONE_OR_MORE, SITE, na_build_url, OPEN, \
        "canonical URL, as browsers see it, or those of several hosts", "https://HOST[:PORT][/PATH] …") \
    ROW(NextAuthBasePath, ONE, SITE, na_build_base_path, OPEN, \
        "path of the endpoints", "/PATH") \
    ROW(NextAuthSite, ONE_OR_MORE, SITE, na_build_site, OPEN, \
        "name of the site that sessions belong to", "NAME [unbound=accept|refuse]") \
    ROW(NextAuthSecret, ONE_OR_MORE, SITE, na_build_secret, SECRET, \
        "secret, then previous secrets", "SECRET [PREVIOUS-SECRET …]") \
    ROW(NextAuthEnvFile, ONE, FILE, na_build_env_file, OPEN, \
        "file of environment variables", "PATH") \
    ROW(NextAuthFromEnv, ONE, FIRST, na_build_from_env, OPEN, \
        "configuration by a NextAuth project's environment variables", "On|Off") \
    ROW(NextAuthMode, ONE, MODE, na_build_mode, OPEN, \
        "purpose of the site", "production|development|test") \
    ROW(NextAuthCompat, ONE_OR_MORE, SITE, na_build_compat, OPEN, \
        "format of cookies and tokens", "v4|v5 [accept=v4,v5]") \
    ROW(NextAuthCookie, TWO_OR_MORE, COOKIES, na_build_cookie, OPEN, \
        "name or attributes of a cookie", "COOKIE key=value …") \
    ROW(NextAuthSessionMaxAge, ONE, SITE, na_build_max_age, OPEN, \
        "lifetime of an unused session", "SECONDS") \
    ROW(NextAuthSessionUpdateAge, ONE, SITE, na_build_update_age, OPEN, \
        "age at which a session cookie is renewed", "SECONDS") \
    ROW(NextAuthSessionIdleTimeout, ONE, SITE, na_build_idle_timeout, OPEN, \
        "time without use after which a session ends", "SECONDS|Off") \
    ROW(NextAuthSessionAbsoluteTimeout, ONE, SITE, na_build_absolute_timeout, OPEN, \
        "time since the sign-in after which a session ends", "SECONDS|Off") \
    ROW(NextAuthSessionStrategy, ONE, SITE, na_build_strategy, OPEN, \
        "place of a session's claims", "jwt|database") \
    ROW(NextAuthSessionBind, TEXT, SITE, na_build_bind, OPEN, \
        "property of the client that sessions are bound to", "certificate|fingerprint|off|EXPRESSION") \
    ROW(NextAuthSessionStore, ONE_OR_MORE, SITE, na_build_session_store, OPEN, \
        "store of session records, then previous stores", "redis|database|socache|none [PREVIOUS-STORE …] [key=value …]") \
    ROW(NextAuthKeepTokens, ONE_OR_MORE, SITE, na_build_keep_tokens, OPEN, \
        "tokens of providers in the session store", "On|Off [key=value …]") \
    ROW(NextAuthIdentityKey, ONE_OR_MORE, SITE, na_build_identity_key, HIDDEN, \
        "key that signs the identity for applications", "KEY [lifetime=SECONDS]") \
    ROW(NextAuthSOCache, ONE, SITE, na_build_socache, OPEN, \
        "shared object cache of the session store", "PROVIDER[:ARGUMENT]") \
    ROW(NextAuthRedis, ONE_OR_MORE, SITE, na_build_redis, HIDDEN, \
        "Redis server of the session store", "URL [key=value …]") \
    ROW(NextAuthDatabase, ONE_OR_MORE, SITE, na_build_database, HIDDEN, \
        "database of users", "URL [key=value …]") \
    ROW(NextAuthFeature, TWO, SITE, na_build_feature, OPEN, \
        "feature of users, or rate limits", "NAME On|Off") \
    ROW(NextAuthTwoFactor, ONE_OR_MORE, SITE, na_build_two_factor, OPEN, \
        "second factor of users", "Off|Optional|Required [rememberDays=DAYS]") \
    ROW(NextAuthRememberMe, ONE_OR_MORE, SITE, na_build_remember_me, OPEN, \
        "users who stay signed in when they end their browser", "Always|Never|Ask [default=on|off] [maxAge=SECONDS]") \
    ROW(NextAuthRateLimit, TWO_OR_MORE, SITE, na_build_rate_limit, OPEN, \
        "limit of attempts", "WHAT Off|[address=|account=|both=|site=]N/SECONDS … [delay=SECONDS]") \
    ROW(NextAuthPasswords, ONE_OR_MORE, SITE, na_build_passwords, OPEN, \
        "rules and hashes of new passwords", "key=value …") \
    ROW(NextAuthMail, ONE_OR_MORE, SITE, na_build_mail, HIDDEN, \
        "mail server, or service that sends emails", "URL|SERVICE [key=value …]") \
    ROW(NextAuthMailTemplate, TWO_OR_MORE, SITE, na_build_mail_template, OPEN, \
        "text of an email", "KIND key=value …") \
    ROW(NextAuthRoleColumn, ONE, SITE, na_build_role_column, OPEN, \
        "roles of the users' table", "On|Off") \
    ROW(NextAuthProvider, ONE_OR_MORE, PROVIDERS, na_build_provider, NAMED, \
        "way to sign in", "ID [key=value …]") \
    ROW(NextAuthProviderFile, ONE, SITE, na_build_provider_file, OPEN, \
        "file of further providers", "PATH") \
    ROW(NextAuthProvidersFromEnv, ONE, SITE, na_build_providers_from_env, OPEN, \
        "built-in providers whose ID and secret are in the environment", "On|Off") \
    ROW(NextAuthTokenIssuer, TWO_OR_MORE, ISSUERS, na_build_issuer, NAMED, \
        "authorization server whose access tokens are accepted", "ID audience=AUDIENCE [key=value …]") \
    ROW(NextAuthPages, ONE_OR_MORE, SITE, na_build_pages, OPEN, \
        "pages instead of the built-in ones", "key=value …") \
    ROW(NextAuthTheme, ONE_OR_MORE, SITE, na_build_theme, OPEN, \
        "name, logo, and colors of the built-in pages", "key=value …") \
    ROW(NextAuthPageTemplate, TWO, SITE, na_build_page_template, OPEN, \
        "template of a page, or of all", "PAGE|all FILE") \
    ROW(NextAuthLanguage, ONE_OR_MORE, SITE, na_build_language, OPEN, \
        "languages of pages and emails, the default first", "TAG[=FILE] …") \
    ROW(NextAuthSignInRule, RULE, SITE, na_build_sign_in_rule, OPEN, \
        "rule for sign-ins", "allow|deny EXPRESSION") \
    ROW(NextAuthRedirectAllow, ONE_OR_MORE, SITE, na_build_redirect_allow, OPEN, \
        "origins that callbackUrl can lead to", "https://HOST[:PORT] …") \
    ROW(NextAuthRedirectProxy, ONE_OR_MORE, SITE, na_build_redirect_proxy, OPEN, \
        "URL of the endpoints to which providers send all users back, then hosts that it leads to", "https://HOST[:PORT]/PATH [https://HOST[:PORT] …]") \
    ROW(NextAuthFrameAllow, ONE_OR_MORE, SITE, na_build_frame_allow, OPEN, \
        "origins whose pages can have this site in a frame", "https://HOST[:PORT] …") \
    ROW(NextAuthClearSiteData, ONE_OR_MORE, SITE, na_build_clear_site_data, OPEN, \
        "data that browsers delete at sign-out", "TYPE …|Off") \
    ROW(NextAuthRole, RULE, SITE, na_build_role, OPEN, \
        "role, and the users that have it", "ROLE|%{PROFILE:PATH} EXPRESSION") \
    ROW(NextAuthClaim, NAMED_TEXT, SITE, na_build_claim, OPEN, \
        "claim of the session, and its value", "NAME EXPRESSION") \
    ROW(NextAuthSessionClaim, ONE_OR_MORE, SITE, na_build_session_claim, OPEN, \
        "claims that the browser can read", "NAME …") \
    ROW(NextAuthCallback, TWO_OR_MORE, SITE, na_build_callback, PROGRAM, \
        "service or program that answers one of NextAuth's callbacks", "CALLBACK URL|\"|PROGRAM ARGUMENTS\" [secret=VALUE] [timeout=SECONDS]") \
    ROW(NextAuthEvent, TWO_OR_MORE, SITE, na_build_event, PROGRAM, \
        "destination of events", "EVENT|all URL|\"|PROGRAM ARGUMENTS\" [secret=VALUE]") \
    ROW(NextAuthEventQueue, ONE_OR_MORE, SITE, na_build_event_queue, OPEN, \
        "directory of events that are not delivered yet", "PATH [max=NUMBER]") \
    ROW(NextAuthSentry, ONE_OR_MORE, SITE, na_build_sentry, HIDDEN, \
        "Sentry project that errors are reported to", "DSN|Off [key=value …]") \
    ROW(NextAuthAuditLog, ONE_OR_MORE, SITE, na_build_audit_log, PROGRAM, \
        "destinations of audit records", "DESTINATION … [key=value …]") \
    ROW(NextAuthHTTP, ONE_OR_MORE, SITE, na_build_http, HIDDEN, \
        "limits of outgoing calls", "key=value …") \
    ROW(NextAuthLog, TWO, SITE, na_build_log, OPEN_PROGRAM, \
        "form and destination of log lines", "json|plain errorlog|PATH|\"|PROGRAM ARGUMENTS\"") \
    ROW(NextAuthStatsD, ONE_OR_MORE, SITE, na_build_statsd, OPEN, \
        "StatsD server that metrics are sent to", "HOST:PORT [key=value …]")
/* clang-format on */

/* The identifiers are the directives' names, so that a misspelling does not compile. */
typedef enum na_directive_id {
#define NA_ID(name, arguments, stage, setter, shown, help, form) name,
    NA_DIRECTIVES(NA_ID)
#undef NA_ID
} na_directive_id;

#endif
