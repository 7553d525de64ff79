/* SPDX-License-Identifier: Apache-2.0 */
/* The account page: the user who is signed in, and what its changes have in common. */
#include "endpoint/account_visit.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/fresh.h"
#include "auth/limit.h"
#include "auth/passkey.h"
#include "auth/password_user.h"
#include "auth/report.h"
#include "auth/respond.h"
#include "auth/session.h"
#include "auth/ways.h"
#include "base/url.h"

/* Sends the browser to the sign-in page, and from there to `path`. */
static void ask_to_sign_in(na_account_visit *v, const char *path)
{
    na_request *request = v->request;
    const char *base = request->config->base_url;
    v->session = NULL;
    v->is_answered = 1;
    na_respond_redirect(request, v->response, 401,
                        na_url_add(request->pool, apr_pstrcat(request->pool, base, "/signin", NULL),
                                   "callbackUrl", apr_pstrcat(request->pool, base, path, NULL)));
}

na_error *na_account_load(na_account_visit *v, const char *path)
{
    const na_request *request = v->request;
    if (!(request->config->features & NA_FEATURE_ACCOUNT) || !request->db)
        return na_error_new(request->pool, NA_ERR_CONFIGURATION,
                            "NextAuthFeature account is not set");
    return na_account_load_user(v, path);
}

na_error *na_account_load_user(na_account_visit *v, const char *path)
{
    na_request *request = v->request;
    int found = 0, decides = strcmp(request->method, "POST") == 0;
    na_error *error = na_request_session_now(request, &v->session);
    if (na_is_unavailable(error))
        return error;
    if (v->session && na_session_claim(v->session, NA_CLAIM_DATABASE_USER)) {
        const na_db_who who = {.id = v->session->user, .current = decides};
        NA_TRY(na_db_find(request->db, request->pool, &who, &v->person, &found));
    }
    if (!found || v->person.credential.disabled ||
        (decides && !na_session_is_of_revision(request, v->session, v->person.revision))) {
        ask_to_sign_in(v, path);
        return NULL;
    }
    v->accounts = apr_array_make(request->pool, 4, sizeof(na_db_account));
    return na_db_list_accounts(request->db, request->pool, v->person.user.id, v->accounts);
}

int na_account_has_password(const na_account_visit *v)
{
    return v->person.credential.hash && v->person.user.email &&
           na_password_user_provider(v->request);
}

int na_account_is_passkey(const na_db_account *account)
{
    return account->type && strcmp(account->type, "webauthn") == 0;
}

/* ── the page ──────────────────────────────────────────────────────────────────────────────── */

static int is_linked(const na_account_visit *v, const char *provider)
{
    for (int i = 0; i < v->accounts->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(v->accounts, i, na_db_account).provider, provider) == 0)
            return 1;
    return 0;
}

/*
 * Accounts of a provider that the site no longer has are shown, too: users can remove them. Those
 * of passkeys are on a page of their own, which also removes the passkey.
 */
static const apr_array_header_t *linked(const na_account_visit *v)
{
    const na_ways ways = na_ways_of(v->request, &v->person, v->accounts);
    apr_array_header_t *rows =
        apr_array_make(v->request->pool, v->accounts->nelts + 1, sizeof(na_page_linked));
    for (int i = 0; i < v->accounts->nelts; i++) {
        const na_db_account *account = &APR_ARRAY_IDX(v->accounts, i, na_db_account);
        const na_provider *provider = na_ways_provider(v->request, account->provider);
        if (na_account_is_passkey(account))
            continue;
        APR_ARRAY_PUSH(rows, na_page_linked) =
            (na_page_linked){.provider = account->provider,
                             .name = provider ? provider->name : account->provider,
                             .account = account->provider_account_id,
                             .can_unlink = na_ways_count(&ways) > (provider ? 1 : 0)};
    }
    return rows;
}

static const apr_array_header_t *linkable(const na_account_visit *v)
{
    const apr_array_header_t *providers = v->request->config->providers;
    apr_array_header_t *rows = apr_array_make(v->request->pool, 4, sizeof(const na_provider *));
    for (int i = 0; i < providers->nelts; i++) {
        const na_provider *provider = APR_ARRAY_IDX(providers, i, const na_provider *);
        if ((provider->type == NA_OAUTH || provider->type == NA_OIDC) &&
            !is_linked(v, provider->id))
            APR_ARRAY_PUSH(rows, const na_provider *) = provider;
    }
    return rows;
}

void na_account_respond(na_account_visit *v)
{
    na_request *request = v->request;
    const na_db_user *user = &v->person.user;
    na_page_form form = na_form_of_request(request);
    int has_password = na_account_has_password(v);
    const na_page_account_of page = {
        .name = user->name,
        .email = user->email,
        .has_password = has_password,
        .can_set_password =
            !has_password && user->email_verified && na_password_user_provider(request),
        .can_change_email = request->mails != NULL,
        .can_delete = (request->config->features & NA_FEATURE_DELETE) != 0,
        .has_sessions = request->sessions->registry != NULL,
        .has_tokens = request->config->accepts_personal_tokens,
        .has_second_factor = request->config->session.two_factor != NA_TWO_FACTOR_OFF,
        .has_passkeys = na_passkey_provider(request->config) != NULL,
        .linked = linked(v),
        .linkable = linkable(v),
        .said = v->fault ? v->fault : v->said,
        .is_error = v->fault != NULL,
    };
    na_respond_page(request, v->response, 200, na_say(request->language, "Your account"),
                    na_page_account(request->pool, &form, &page));
}

/* ── what changes have in common ───────────────────────────────────────────────────────────── */

static na_error *check_password(na_account_visit *v, na_event_kind kind)
{
    na_request *request = v->request;
    const na_db_user *user = &v->person.user;
    const char *password = apr_table_get(request->form, "currentPassword");
    na_db_user checked;
    apr_int64_t revision;
    int found = 0;
    NA_TRY(na_limit_take_signed_in(request, NA_LIMIT_SIGN_IN, user->id));
    if (password && *password && strlen(password) <= NA_PASSWORD_MAX)
        NA_TRY(na_password_user_check(request, user->email, password, &checked, &revision, &found));
    if (found && strcmp(checked.id, user->id) == 0 && revision == v->person.revision) {
        na_limit_give_back(request);
        return NULL;
    }
    v->fault = na_say(request->language, "The current password is incorrect.");
    na_event event = na_event_of_db_user(request, kind, user);
    event.failure = NA_ERR_CREDENTIALS_SIGNIN;
    event.reason = "the current password is incorrect";
    return na_record_event(request, NULL, &event);
}

/* The password alone does not sign such a user in. */
static int has_second_factor(const na_session *session)
{
    return session->second_factor || session->is_remembered;
}

na_error *na_account_confirm(na_account_visit *v, na_event_kind kind)
{
    int is_fresh, has_password = na_account_has_password(v);
    v->request->attempted = kind;
    if (has_password)
        NA_TRY(check_password(v, kind));
    if (v->fault || (has_password && !has_second_factor(v->session)))
        return NULL;
    na_fresh(v->request, v->response, v->session, "/account", &is_fresh);
    v->is_answered = !is_fresh;
    return NULL;
}

typedef struct recording {
    na_request *request;
    const na_event *event;
} recording;

static na_error *record_change(void *data, na_db_use *use, const na_decision *decision)
{
    const recording *r = data;
    return na_record_event(r->request, use, r->event);
}

na_error *na_account_decide(na_account_visit *v, na_decision *decision, const na_event *event,
                            int *held)
{
    recording r = {v->request, event};
    decision->record = record_change;
    decision->data = &r;
    NA_TRY(na_db_decide(v->request->db, v->request->pool, decision));
    *held = decision->held;
    return NULL;
}

na_error *na_account_stay(na_account_visit *v, apr_int64_t revision)
{
    na_request *request = v->request;
    v->person.revision = revision;
    NA_TRY(na_password_user_sign_out(request, v->person.user.id));
    return na_session_restart(request->sessions, &request->visit, v->session, revision,
                              v->response->set_cookies);
}
