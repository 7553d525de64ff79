/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a user's passkeys: lists, renames, and removes them, and has the form to add one. */
#include <string.h>

#include <apr_strings.h>

#include "auth/fresh.h"
#include "auth/notice.h"
#include "auth/passkey.h"
#include "auth/report.h"
#include "auth/respond.h"
#include "auth/ways.h"
#include "endpoint/account_visit.h"
#include "endpoint/endpoints.h"

#define PATH "/passkeys"

/* ── the page ──────────────────────────────────────────────────────────────────────────────── */

static na_error *respond_passkeys(na_account_visit *v)
{
    na_request *request = v->request;
    apr_array_header_t *passkeys = apr_array_make(request->pool, 4, sizeof(na_passkey));
    apr_array_header_t *rows = apr_array_make(request->pool, 4, sizeof(na_page_passkey));
    NA_TRY(na_passkeys_of(request, v->person.user.id, passkeys));
    for (int i = 0; i < passkeys->nelts; i++) {
        const na_passkey *passkey = &APR_ARRAY_IDX(passkeys, i, na_passkey);
        APR_ARRAY_PUSH(rows, na_page_passkey) =
            (na_page_passkey){.handle =
                                  na_passkey_secret_id(request->pool, passkey->row.credential_id),
                              .name = passkey->name,
                              .added = passkey->created_at,
                              .used = passkey->used_at,
                              .is_synced = passkey->row.backed_up};
    }
    na_page_form form = na_form_of_request(request);
    form.callback_url = apr_pstrcat(request->pool, form.base_url, PATH, NULL);
    const na_page_passkey_list page = {.provider = na_passkey_provider(request->config),
                                       .passkeys = rows,
                                       .now = apr_time_as_msec(request->now),
                                       .said = v->said,
                                       .fault = v->fault};
    v->response->runs_script = 1;
    na_respond_page(request, v->response, 200, na_say(request->language, "Your passkeys"),
                    na_page_passkeys(request->pool, &form, &page));
    return NULL;
}

static na_error *load(na_account_visit *v)
{
    if (!na_passkey_provider(v->request->config))
        return na_error_new(v->request->pool, NA_ERR_CONFIGURATION,
                            "the site has no passkeys: NextAuthProvider passkey is not set");
    return na_account_load_user(v, PATH);
}

na_error *na_get_passkeys(na_request *request, na_response *response)
{
    na_account_visit v = {.request = request, .response = response};
    NA_TRY(load(&v));
    return v.session ? respond_passkeys(&v) : NULL;
}

/* ── changes ───────────────────────────────────────────────────────────────────────────────── */

static na_error *find_passkey(const na_account_visit *v, na_passkey *found, int *is_found)
{
    const na_request *request = v->request;
    const char *handle = apr_table_get(request->form, "passkey");
    apr_array_header_t *passkeys = apr_array_make(request->pool, 4, sizeof(na_passkey));
    *is_found = 0;
    NA_TRY(na_passkeys_of(request, v->person.user.id, passkeys));
    for (int i = 0; handle && i < passkeys->nelts && !*is_found; i++) {
        *found = APR_ARRAY_IDX(passkeys, i, na_passkey);
        *is_found =
            strcmp(handle, na_passkey_secret_id(request->pool, found->row.credential_id)) == 0;
    }
    return NULL;
}

static na_event event_of(const na_account_visit *v, na_event_kind kind, const na_passkey *passkey)
{
    na_event event = na_event_of_db_user(v->request, kind, &v->person.user);
    event.provider = na_passkey_provider(v->request->config)->id;
    event.account_id = passkey->row.provider_account_id;
    event.detail = apr_pstrcat(v->request->pool, "passkey ", passkey->name, NULL);
    return event;
}

static na_error *decide(na_account_visit *v, na_decision *decision, const na_event *event,
                        int *held)
{
    NA_TRY(na_account_decide(v, decision, event, held));
    if (*held)
        na_report(v->request, event);
    else
        v->fault = na_say(v->request->language,
                          "Your account was changed elsewhere in the meantime. Please try again.");
    return NULL;
}

/* Returns a list of one secret. */
static apr_array_header_t *only(apr_pool_t *pool, na_db_secret secret)
{
    apr_array_header_t *list = apr_array_make(pool, 1, sizeof(na_db_secret));
    APR_ARRAY_PUSH(list, na_db_secret) = secret;
    return list;
}

/* A passkey that an application registered has no row with a name yet. */
static na_error *rename_passkey(na_account_visit *v, const na_passkey *passkey)
{
    na_request *request = v->request;
    int held;
    const na_db_secret secret = {.id = na_passkey_secret_id(request->pool,
                                                            passkey->row.credential_id),
                                 .kind = NA_SECRET_PASSKEY,
                                 .name =
                                     na_passkey_name(request, apr_table_get(request->form, "name")),
                                 .scope = passkey->user_handle,
                                 .created_at = passkey->created_at,
                                 .used_at = passkey->used_at};
    na_passkey renamed = *passkey;
    renamed.name = secret.name;
    na_decision decision = na_db_decision_about(&v->person);
    decision.removed = decision.secrets = only(request->pool, secret);
    const na_event event = event_of(v, NA_EVENT_UPDATE_USER, &renamed);
    NA_TRY(decide(v, &decision, &event, &held));
    if (held)
        v->said = na_say(request->language, "The passkey was renamed.");
    return NULL;
}

/*
 * Sessions end, because the device can be lost, and which passkey began them is not known. This
 * raises the revision, so that of two requests that would leave one passkey each, one is refused.
 */
static na_error *remove_passkey(na_account_visit *v, const na_passkey *passkey)
{
    na_request *request = v->request;
    const char *provider = na_passkey_provider(request->config)->id;
    const na_db_secret secret = {.kind = NA_SECRET_PASSKEY,
                                 .id = na_passkey_secret_id(request->pool,
                                                            passkey->row.credential_id)};
    na_decision decision = na_db_decision_about(&v->person);
    apr_array_header_t *unlink = apr_array_make(request->pool, 1, sizeof(na_db_account));
    na_db_account account;
    int held, is_linked;
    NA_TRY(na_db_find_account(request->db, request->pool, provider,
                              passkey->row.provider_account_id, &account, &is_linked));
    if (is_linked)
        APR_ARRAY_PUSH(unlink, na_db_account) = account;
    decision.unlink = unlink;
    decision.dropped = passkey->row.credential_id;
    decision.removed = only(request->pool, secret);
    decision.does = NA_DB_ENDS_SESSIONS;
    const na_event event = event_of(v, NA_EVENT_UNLINK_ACCOUNT, passkey);
    NA_TRY(decide(v, &decision, &event, &held));
    if (!held)
        return NULL;
    na_notice_change(request, NA_CHANGE_PASSKEY_REMOVED, v->person.user.email);
    v->said = na_say(request->language, "The passkey was removed, and you have been signed out on "
                                        "all other devices. Remove it from your device, too.");
    return na_account_stay(v, decision.revision_now);
}

/* A passkey's account is one of the ways to sign in. */
static int is_last(const na_account_visit *v)
{
    const na_ways ways = na_ways_of(v->request, &v->person, v->accounts);
    return na_ways_count(&ways) <= 1;
}

static na_error *change_passkey(na_account_visit *v, const na_passkey *passkey)
{
    const char *change = apr_table_get(v->request->form, "change");
    int is_fresh;
    if (change && strcmp(change, "rename") == 0)
        return rename_passkey(v, passkey);
    if (!change || strcmp(change, "remove") != 0)
        return NULL;
    if (is_last(v)) {
        v->fault = na_say(v->request->language,
                          "This is the only way for you to sign in. Add another one first.");
        return NULL;
    }
    na_fresh(v->request, v->response, v->session, PATH, &is_fresh);
    v->is_answered = !is_fresh;
    return is_fresh ? remove_passkey(v, passkey) : NULL;
}

na_error *na_post_passkeys(na_request *request, na_response *response)
{
    na_account_visit v = {.request = request, .response = response};
    na_passkey passkey;
    int found;
    NA_TRY(load(&v));
    if (!v.session)
        return NULL;
    NA_TRY(find_passkey(&v, &passkey, &found));
    if (found)
        NA_TRY(change_passkey(&v, &passkey));
    return v.is_answered ? NULL : respond_passkeys(&v);
}
