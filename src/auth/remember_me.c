/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthRememberMe: whether the user of a sign-in stays signed in when the browser ends. */
#include "auth/remember_me.h"

#include <strings.h>

#include "auth/fresh.h"
#include "auth/session.h"

static na_choice read_choice(const char *text)
{
    if (!text)
        return NA_UNSAID;
    return strcasecmp(text, "on") == 0 || strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0
               ? NA_YES
               : NA_NO;
}

/* A box that is not checked is not sent, so a hidden field of the same name comes before it. */
static na_choice choice_in_form(const na_request *request)
{
    na_choice choice = NA_UNSAID;
    const apr_array_header_t *fields = apr_table_elts(request->form);
    for (int i = 0; i < fields->nelts; i++) {
        const apr_table_entry_t *field = &APR_ARRAY_IDX(fields, i, apr_table_entry_t);
        if (strcmp(field->key, NA_REMEMBER_ME) == 0)
            choice = read_choice(field->val);
    }
    return choice;
}

static na_choice choice_of(const na_request *request)
{
    return request->remember_me == NA_UNSAID ? choice_in_form(request) : request->remember_me;
}

const char *na_remember_me_said(const na_request *request)
{
    static const char *const texts[] = {[NA_UNSAID] = NULL, [NA_YES] = "on", [NA_NO] = "off"};
    return texts[choice_of(request)];
}

void na_remember_me_take(na_request *request, const char *text)
{
    request->remember_me = read_choice(text);
}

/* A user who signs in again, before a sensitive change, keeps the choice of the session. */
static na_error *is_brief_now(na_request *request, int *is_brief)
{
    const na_session *session;
    na_error *error = na_request_session(request, &session);
    if (na_is_unavailable(error))
        return error;
    *is_brief = session ? session->is_brief : !request->config->remembers_by_default;
    return NULL;
}

static na_error *decide(na_request *request, int *is_brief)
{
    const na_config *config = request->config;
    na_choice choice = choice_of(request);
    *is_brief = config->remembering == NA_REMEMBER_NEVER;
    if (config->remembering != NA_REMEMBER_ASK)
        return NULL;
    *is_brief = choice == NA_UNSAID ? !config->remembers_by_default : choice == NA_NO;
    return choice == NA_UNSAID && na_fresh_is_asked(request) ? is_brief_now(request, is_brief)
                                                             : NULL;
}

na_error *na_remember_me_claim(na_request *request, json_t *claims)
{
    int is_brief;
    NA_TRY(decide(request, &is_brief));
    if (is_brief)
        json_object_set_new(claims, NA_CLAIM_BRIEF, json_true());
    return NULL;
}
