/* SPDX-License-Identifier: Apache-2.0 */
/* The account page: linking and unlinking accounts with providers, and deleting the user. */
#include <string.h>

#include <apr_cstr.h>
#include <apr_strings.h>

#include "auth/fresh.h"
#include "auth/mail_link.h"
#include "auth/notice.h"
#include "auth/password_user.h"
#include "auth/report.h"
#include "auth/respond.h"
#include "auth/ways.h"
#include "endpoint/account.h"
#include "endpoint/endpoints.h"

static const char changed_elsewhere[] =
    NA_TEXT("Your account was changed elsewhere in the meantime. Please try again.");

/* ── linking ───────────────────────────────────────────────────────────────────────────────── */

/* The account is linked when the provider sends the browser back (resolve_user.c). */
na_error *na_account_link(na_account_visit *v)
{
    na_request *request = v->request;
    const char *id = apr_table_get(request->form, "provider");
    const na_provider *provider = na_ways_provider(request, id ? id : "");
    int is_fresh;
    if (!provider || (provider->type != NA_OAUTH && provider->type != NA_OIDC)) {
        v->fault = na_say(v->request->language, "This way to sign in is not available.");
        return NULL;
    }
    na_fresh(request, v->response, v->session, "/account", &is_fresh);
    v->is_answered = 1;
    if (!is_fresh)
        return NULL;
    request->provider_id = provider->id;
    request->provider = provider;
    request->page = NA_PAGE_ACCOUNT;
    request->callback_url =
        apr_pstrcat(request->pool, request->config->base_url, NA_PAGE_ACCOUNT, NULL);
    return na_post_signin(request, v->response);
}

/* ── unlinking ─────────────────────────────────────────────────────────────────────────────── */

static const na_db_account *find_account(const na_account_visit *v)
{
    const char *provider = apr_table_get(v->request->form, "provider");
    const char *id = apr_table_get(v->request->form, "account");
    for (int i = 0; provider && id && i < v->accounts->nelts; i++) {
        const na_db_account *account = &APR_ARRAY_IDX(v->accounts, i, na_db_account);
        if (strcmp(account->provider, provider) == 0 &&
            strcmp(account->provider_account_id, id) == 0 && !na_account_is_passkey(account))
            return account;
    }
    return NULL;
}

/* Returns 1 if the user could not sign in without the account. */
static int is_last(const na_account_visit *v, const na_db_account *account)
{
    na_ways ways = na_ways_of(v->request, &v->person, v->accounts);
    ways.accounts -= na_ways_provider(v->request, account->provider) != NULL;
    return !na_ways_count(&ways);
}

static void remove_account(na_account_visit *v, const na_db_account *gone)
{
    apr_array_header_t *left = apr_array_make(v->request->pool, 4, sizeof(na_db_account));
    for (int i = 0; i < v->accounts->nelts; i++)
        if (&APR_ARRAY_IDX(v->accounts, i, na_db_account) != gone)
            APR_ARRAY_PUSH(left, na_db_account) = APR_ARRAY_IDX(v->accounts, i, na_db_account);
    v->accounts = left;
}

/*
 * All sessions end, because which account began which is not known. This raises the revision, so
 * that of two requests that would leave one account each, one is refused.
 */
static na_error *unlink_account(na_account_visit *v, const na_db_account *account)
{
    na_request *request = v->request;
    apr_array_header_t *gone = apr_array_make(request->pool, 1, sizeof(na_db_account));
    APR_ARRAY_PUSH(gone, na_db_account) = *account;
    na_decision decision = na_db_decision_about(&v->person);
    decision.unlink = gone;
    decision.does = NA_DB_ENDS_SESSIONS;
    na_event event = na_event_of_db_user(request, NA_EVENT_UNLINK_ACCOUNT, &v->person.user);
    event.provider = account->provider;
    event.detail = apr_pstrcat(request->pool, "account ", account->provider_account_id, NULL);
    int held;
    NA_TRY(na_account_decide(v, &decision, &event, &held));
    if (!held) {
        v->fault = na_say(request->language, changed_elsewhere);
        return NULL;
    }
    na_report(request, &event);
    na_notice_change(request, NA_CHANGE_ACCOUNT_UNLINKED, v->person.user.email);
    remove_account(v, account);
    v->said =
        na_say(v->request->language,
               "The account was unlinked, and you have been signed out on all other devices.");
    return na_account_stay(v, decision.revision_now);
}

na_error *na_account_unlink(na_account_visit *v)
{
    const na_db_account *account = find_account(v);
    int last = account && is_last(v, account), is_fresh;
    if (!account || last) {
        v->fault = last ? na_say(v->request->language,
                                 "This is the only way for you to sign in. Add another one first.")
                        : na_say(v->request->language, "This account is not linked any more.");
        return NULL;
    }
    na_fresh(v->request, v->response, v->session, "/account", &is_fresh);
    v->is_answered = !is_fresh;
    return is_fresh ? unlink_account(v, account) : NULL;
}

/* ── deletion ──────────────────────────────────────────────────────────────────────────────── */

static int is_typed(const na_account_visit *v)
{
    const char *typed = apr_table_get(v->request->form, "confirm");
    const char *expected = na_page_deletion_word(v->person.user.email);
    return typed && apr_cstr_casecmp(typed, expected) == 0;
}

static na_error *delete_user(na_account_visit *v)
{
    na_request *request = v->request;
    const na_db_user *user = &v->person.user;
    const na_event event = na_event_of_db_user(request, NA_EVENT_DELETE_USER, user);
    na_decision decision = {.user_id = user->id,
                            .revision = &v->person.revision,
                            .ended = na_link_identifiers(request->pool, user->email),
                            .does = NA_DB_DELETES};
    int held;
    NA_TRY(na_password_user_sign_out(request, user->id));
    NA_TRY(na_account_decide(v, &decision, &event, &held));
    if (!held) {
        v->fault = na_say(request->language, changed_elsewhere);
        return NULL;
    }
    na_report(request, &event);
    na_notice_change(request, NA_CHANGE_DELETED, user->email);
    v->is_answered = 1;
    v->response->signed_out = 1;
    na_session_clear(&request->config->session, &request->visit, v->response->set_cookies);
    na_respond_redirect(request, v->response, 200, request->config->home);
    return NULL;
}

na_error *na_account_delete(na_account_visit *v)
{
    if (!(v->request->config->features & NA_FEATURE_DELETE))
        v->fault =
            na_say(v->request->language, "Only the site's administrator can delete accounts.");
    else if (!is_typed(v))
        v->fault =
            na_say(v->request->language, "To delete your account, type what the form asks for.");
    if (v->fault)
        return NULL;
    NA_TRY(na_account_confirm(v, NA_EVENT_DELETE_USER));
    return v->fault || v->is_answered ? NULL : delete_user(v);
}
