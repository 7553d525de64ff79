/* SPDX-License-Identifier: Apache-2.0 */
/* Completes a sign-in: rules, roles, claims, and the session. */
#include "auth/complete.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/callback_url.h"
#include "auth/callbacks.h"
#include "auth/fresh.h"
#include "auth/initiator.h"
#include "auth/notice.h"
#include "auth/reclaim.h"
#include "auth/remember_me.h"
#include "auth/report.h"
#include "auth/resolve_user.h"
#include "auth/respond.h"
#include "auth/second_factor.h"
#include "auth/subject.h"
#include "base/json.h"
#include "base/text.h"
#include "base/url.h"
#include "oauth/photo.h"

/* The first rule that is true decides. *allows is 1 if no rule is true but some rule could allow.
 */
static na_error *decide_by_rules(na_request *request, const na_subject *subject, int *allows)
{
    const apr_array_header_t *rules = request->config->sign_in_rules;
    *allows = 0;
    for (int i = 0; i < rules->nelts; i++) {
        const na_sign_in_rule *rule = &APR_ARRAY_IDX(rules, i, na_sign_in_rule);
        int is_true = 0;
        NA_TRY(
            request->server->is_true(request->server->data, rule->expression, subject, &is_true));
        *allows |= rule->allow;
        if (is_true && rule->allow)
            *allows = 0;
        if (is_true)
            return rule->allow ? NULL
                               : na_error_new(request->pool, NA_ERR_ACCESS_DENIED,
                                              "NextAuthSignInRule %d denies the sign-in", i + 1);
    }
    return NULL;
}

/* If no rule is true, a rule that allows some users means that all others are denied. */
na_error *na_apply_rules(na_request *request, const na_subject *subject)
{
    int allows;
    NA_TRY(decide_by_rules(request, subject, &allows));
    return allows ? na_error_new(request->pool, NA_ERR_ACCESS_DENIED,
                                 "no NextAuthSignInRule allows the sign-in")
                  : NULL;
}

/*
 * With a database, the email address of the account's user can differ from the provider's. A user
 * who is denied by email address must not get in with a second account.
 */
static na_error *apply_to_address(na_request *request, const na_subject *subject,
                                  const na_user *said)
{
    const char *redirect, *email = subject->user.email;
    na_subject known = *subject;
    int allows;
    if (!email || (said->email && strcmp(said->email, email) == 0))
        return NULL;
    known.user = *said;
    known.user.email = email;
    NA_TRY(decide_by_rules(request, &known, &allows));
    NA_TRY(na_callback_sign_in(request, &known, 0, &redirect));
    return redirect ? na_error_new(request->pool, NA_ERR_ACCESS_DENIED,
                                   "NextAuthCallback signIn leads the user of this email address "
                                   "elsewhere")
                    : NULL;
}

#define VALUE_LEN_MAX 2048

static int is_text(const char *value, apr_size_t len_max)
{
    return strlen(value) <= len_max && na_is_utf8(value);
}

/* The value ends up in JSON tokens and in header values. */
static int is_usable(const char *value)
{
    return is_text(value, VALUE_LEN_MAX);
}

/* Returns 1 if a list of strings has this one. */
static int has_text(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(json_string_value(json_array_get(list, i)), text) == 0)
            return 1;
    return 0;
}

static void add_role(json_t *held, const char *role)
{
    if (!has_text(held, role))
        json_array_append_new(held, json_string(role));
}

static void add_database_roles(const na_subject *subject, json_t *claims, json_t *held)
{
    if (!subject->db_roles || !subject->db_roles->nelts)
        return;
    json_t *given = json_array();
    json_object_set_new(claims, NA_CLAIM_DATABASE_ROLES, given);
    for (int i = 0; i < subject->db_roles->nelts; i++) {
        const char *role = APR_ARRAY_IDX(subject->db_roles, i, const char *);
        json_array_append_new(held, json_string(role));
        json_array_append_new(given, json_string(role));
    }
}

/* Skips elements that cannot be a claim. */
static na_error *add_listed_roles(na_request *request, const na_subject *subject,
                                  const na_lookup *list, json_t *held)
{
    const apr_array_header_t *names =
        na_subject_list(request->pool, subject, list->part, list->path);
    if (names->nelts > NA_CLAIMS_MAX)
        return na_error_new(request->pool, NA_ERR_CONFIGURATION,
                            "the list has %d roles; at most %d values of claims are supported",
                            names->nelts, NA_CLAIMS_MAX);
    for (int i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        if (*name && is_usable(name))
            add_role(held, name);
    }
    return NULL;
}

static na_error *add_roles(na_request *request, const na_subject *subject, json_t *claims)
{
    const apr_array_header_t *roles = request->config->roles;
    json_t *held = json_array();
    json_object_set_new(claims, NA_CLAIM_ROLES, held);
    for (int i = 0; i < roles->nelts; i++) {
        const na_role_rule *role = &APR_ARRAY_IDX(roles, i, na_role_rule);
        int is_true = 0;
        NA_TRY(
            request->server->is_true(request->server->data, role->expression, subject, &is_true));
        if (is_true && role->name)
            add_role(held, role->name);
        else if (is_true)
            NA_TRY(add_listed_roles(request, subject, role->list, held));
    }
    add_database_roles(subject, claims, held);
    return NULL;
}

/* Returns the value, a list as a list; NULL if there is none. */
static json_t *claim_of_lookup(apr_pool_t *pool, const na_subject *subject, const na_lookup *lookup)
{
    const json_t *value = na_subject_value(pool, subject, lookup->part, lookup->path);
    const char *text = na_json_scalar(pool, value);
    if (!json_is_array(value))
        return text && *text ? json_string(text) : NULL;
    json_t *list = json_array();
    const apr_array_header_t *texts = na_subject_list(pool, subject, lookup->part, lookup->path);
    for (int i = 0; i < texts->nelts; i++)
        json_array_append_new(list, json_string(APR_ARRAY_IDX(texts, i, const char *)));
    return list;
}

static na_error *add_claims(na_request *request, const na_subject *subject, json_t *claims)
{
    const apr_array_header_t *rules = request->config->claims;
    for (int i = 0; i < rules->nelts; i++) {
        const na_claim_rule *claim = &APR_ARRAY_IDX(rules, i, na_claim_rule);
        const char *text = NULL;
        json_t *value = NULL;
        if (claim->value)
            value = claim_of_lookup(request->pool, subject, claim->value);
        else
            NA_TRY(request->server->value_of(request->server->data, claim->expression, subject,
                                             &text));
        if (text && *text)
            value = json_string(text);
        if (value)
            json_object_set_new(claims, claim->name, value);
    }
    return NULL;
}

/* Returns NextAuth's default claims and the provider's ID. The session adds its own. */
static json_t *base_claims(na_request *request, const na_subject *subject)
{
    const na_user *user = &subject->user;
    return na_json_own(request->pool,
                       json_pack("{s:s*, s:s*, s:s*, s:s, s:s}", "name", user->name, "email",
                                 user->email, "picture", user->image, "sub", user->id,
                                 NA_CLAIM_PROVIDER, subject->provider->id));
}

/* An `acr` that cannot be passed on is left out. */
static void add_proof(const na_request *request, const na_subject *subject, json_t *claims)
{
    const char *acr = subject->tokens ? subject->tokens->acr : NULL;
    if (acr && *acr && is_usable(acr) && !na_has_control(acr))
        json_object_set_new(claims, NA_CLAIM_ACR, json_string(acr));
    if (subject->proved_at >= 0)
        json_object_set_new(claims, NA_CLAIM_PROVED,
                            json_integer(subject->proved_at ? subject->proved_at
                                                            : apr_time_sec(request->now)));
}

/* A large picture or an overlong name is not a reason to refuse the user. */
static void leave_out_unusable(na_request *request, const na_provider *provider, na_user *user)
{
    const struct {
        const char *name, **value;
        apr_size_t len_max;
    } optional[] = {{"name", &user->name, VALUE_LEN_MAX},
                    {"email", &user->email, VALUE_LEN_MAX},
                    {"image", &user->image,
                     provider->photo_url ? NA_PHOTO_URL_MAX : VALUE_LEN_MAX}};
    for (int i = 0; i < 3; i++) {
        const char *value = *optional[i].value;
        if (!value || is_text(value, optional[i].len_max))
            continue;
        na_log(request, NA_LOG_INFO, "PROFILE_DATA",
               "the profile's %s is ignored: it has %d bytes; at most %d of UTF-8 are supported",
               optional[i].name, (int)strlen(value), (int)optional[i].len_max);
        *optional[i].value = NULL;
    }
}

static na_error *check_user(na_request *request, na_subject *subject)
{
    na_user *user = &subject->user;
    if (!is_usable(user->id))
        return na_error_new(request->pool, NA_ERR_CALLBACK,
                            "the user ID has more than %d bytes or is not UTF-8", VALUE_LEN_MAX);
    if (na_has_control(user->id) || na_has_blank_ends(user->id))
        return na_error_new(
            request->pool, NA_ERR_CALLBACK,
            "the user ID begins or ends with a blank or contains control characters");
    leave_out_unusable(request, subject->provider, user);
    return NULL;
}

static na_error *resolve_user(na_request *request, na_subject *subject)
{
    if (!request->db)
        return na_initiator_check(request, &subject->initiator,
                                  na_user_name(request->pool, subject->provider->id,
                                               subject->user.id));
    if (subject->provider->type == NA_EMAIL)
        return na_account_resolve_email(request, subject);
    return subject->provider->in_database || subject->provider->type == NA_WEBAUTHN
               ? na_account_resolve_known(request, subject)
               : na_account_resolve(request, subject);
}

void na_report_changes(na_request *request, na_subject *subject)
{
    unsigned untold = subject->events & ~subject->told;
    for (int kind = 0; kind < NA_EVENT_KINDS; kind++) {
        if (!((untold >> kind) & 1))
            continue;
        const na_event event = na_event_of_subject(request, (na_event_kind)kind, subject);
        na_report(request, &event);
    }
    subject->told = subject->events;
}

/* An answer that leads to another origin denies the sign-in. */
static na_error *lead_elsewhere(na_request *request, na_response *response, const char *answer)
{
    const char *url = na_safe_redirect(request->pool, request->config, answer);
    if (!url)
        return na_error_new(request->pool, NA_ERR_ACCESS_DENIED,
                            "NextAuthCallback signIn leads to an origin that is not allowed");
    na_respond_redirect(request, response, 200, url);
    return NULL;
}

/* An account that is linked to an existing user is a new way in. */
static void notify_of_link(na_request *request, const na_subject *subject)
{
    unsigned links = 1u << NA_EVENT_LINK_ACCOUNT, creates = 1u << NA_EVENT_CREATE_USER;
    if ((subject->events & (links | creates)) == links)
        na_notice_change(request, NA_CHANGE_ACCOUNT_LINKED, subject->user.email);
}

na_error *na_admit(na_request *request, na_subject *subject, json_t **claims,
                   const char **elsewhere)
{
    request->claimant = subject->user;
    NA_TRY(check_user(request, subject));
    NA_TRY(na_apply_rules(request, subject));
    NA_TRY(na_callback_sign_in(request, subject, 0, elsewhere));
    if (*elsewhere)
        return NULL;
    const na_user said = subject->user;
    if (request->visit.binding && !*request->visit.binding)
        return na_error_new(request->pool, NA_ERR_ACCESS_DENIED,
                            "the client lacks the value that NextAuthSessionBind requires");
    NA_TRY(resolve_user(request, subject));
    if (na_fresh_is_asked(request))
        NA_TRY(na_fresh_same_user(request, na_user_name(request->pool,
                                                        request->db ? NULL : subject->provider->id,
                                                        subject->user.id)));
    request->claimant = subject->user;
    na_report_changes(request, subject);
    notify_of_link(request, subject);
    NA_TRY(na_account_end_unvouched(request, subject));
    NA_TRY(apply_to_address(request, subject, &said));
    if (!(*claims = base_claims(request, subject)))
        return na_error_new(request->pool, NA_ERR_CALLBACK, "could not create the claims");
    if (request->db)
        json_object_update_new(*claims,
                               json_pack("{s:b, s:I}", NA_CLAIM_DATABASE_USER, 1, NA_CLAIM_REVISION,
                                         (json_int_t)subject->revision));
    add_proof(request, subject, *claims);
    NA_TRY(add_roles(request, subject, *claims));
    NA_TRY(add_claims(request, subject, *claims));
    return na_callback_jwt(request, subject, *claims);
}

/* The name and email address of a user of the database are the database's. */
static na_error *find_in_database(na_request *request, const na_session *session,
                                  na_subject *subject)
{
    const na_db_who who = {.id = session->user,
                           .role_column = request->config->session.role_column};
    na_db_person person;
    int found;
    NA_TRY(na_db_find(request->db, request->pool, &who, &person, &found));
    if (!found || person.credential.disabled)
        return na_error_new(request->pool, NA_ERR_ACCESS_DENIED,
                            "the user was removed or disabled");
    subject->user =
        (na_user){session->user, person.user.name, person.user.email, person.user.image};
    subject->db_roles = person.roles;
    return NULL;
}

static void remove_derived(const na_request *request, json_t *claims)
{
    static const char *const derived[] = {"name", "email", "picture", NA_CLAIM_DATABASE_ROLES};
    const apr_array_header_t *rules = request->config->claims;
    for (size_t i = 0; i < sizeof derived / sizeof *derived; i++)
        json_object_del(claims, derived[i]);
    for (int i = 0; i < rules->nelts; i++)
        json_object_del(claims, APR_ARRAY_IDX(rules, i, na_claim_rule).name);
}

na_error *na_admit_again(na_request *request, na_subject *subject, const na_session *session,
                         json_t *claims)
{
    const char *elsewhere;
    NA_TRY(check_user(request, subject));
    NA_TRY(na_apply_rules(request, subject));
    NA_TRY(na_callback_sign_in(request, subject, 0, &elsewhere));
    if (elsewhere)
        return na_error_new(request->pool, NA_ERR_ACCESS_DENIED,
                            "NextAuthCallback signIn leads the user elsewhere");
    const na_user said = subject->user;
    if (na_session_claim(session, NA_CLAIM_DATABASE_USER))
        NA_TRY(find_in_database(request, session, subject));
    NA_TRY(apply_to_address(request, subject, &said));
    json_t *base = base_claims(request, subject);
    if (!base)
        return na_error_new(request->pool, NA_ERR_CALLBACK, "could not create the claims");
    remove_derived(request, claims);
    json_object_update(claims, base);
    NA_TRY(add_roles(request, subject, claims));
    NA_TRY(add_claims(request, subject, claims));
    return na_callback_jwt_profile(request, subject, claims);
}

na_error *na_admit_token(na_request *request, na_subject *subject, json_t **claims)
{
    NA_TRY(check_user(request, subject));
    NA_TRY(na_apply_rules(request, subject));
    if (!(*claims = base_claims(request, subject)))
        return na_error_new(request->pool, NA_ERR_SESSION, "could not create the claims");
    NA_TRY(add_roles(request, subject, *claims));
    return add_claims(request, subject, *claims);
}

/* Nothing is kept of it unless the provider is to end sessions (logout=). */
static na_provider_session at_provider(const na_subject *subject)
{
    const na_tokens *tokens = subject->tokens;
    if (!subject->provider->logout || !tokens || !tokens->issuer)
        return (na_provider_session){0};
    return (na_provider_session){subject->provider->id, tokens->issuer, tokens->subject,
                                 tokens->session_id, tokens->issued_at};
}

na_error *na_complete_sign_in(na_request *request, na_response *response, na_subject *subject)
{
    const char *elsewhere;
    json_t *claims;
    NA_TRY(na_admit(request, subject, &claims, &elsewhere));
    if (elsewhere)
        return lead_elsewhere(request, response, elsewhere);
    NA_TRY(na_remember_me_claim(request, claims));
    na_sign_in sign_in = {.claims = claims,
                          .event = na_event_of_subject(request, NA_EVENT_SIGN_IN, subject),
                          .revision = subject->revision,
                          .account = request->account,
                          .callback_url = request->callback_url,
                          .tokens = subject->tokens,
                          .at_provider = at_provider(subject),
                          .is_complete = subject->has_both_factors};
    return na_second_factor_ask(request, response, &sign_in);
}
