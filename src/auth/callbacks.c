/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuth's callbacks, answered by services and programs: NextAuthCallback. */
#include "auth/callbacks.h"

#include <string.h>

#include "auth/report.h"
#include "auth/subject.h"
#include "base/json.h"
#include "session/reserved.h"

static const char *const names[] = {[NA_CALLBACK_SIGN_IN] = "signIn",
                                    [NA_CALLBACK_REDIRECT] = "redirect",
                                    [NA_CALLBACK_JWT] = "jwt",
                                    [NA_CALLBACK_SESSION] = "session"};

int na_callback_find(const char *name, na_callback_kind *callback)
{
    for (int i = 0; i < NA_CALLBACKS; i++) {
        if (strcmp(name, names[i]) != 0)
            continue;
        *callback = (na_callback_kind)i;
        return 1;
    }
    return 0;
}

static const na_adviser *adviser_of(const na_request *request, na_callback_kind callback)
{
    return request->config->callbacks[callback];
}

/* The arguments, as NextAuth names them; a member without a value is null. */
static json_t *question_of(const na_request *request, na_callback_kind callback)
{
    return na_json_own(request->pool, json_pack("{s:s}", "callback", names[callback]));
}

static void set_parts(const na_request *request, const na_subject *subject, json_t *question)
{
    static const struct {
        const char *name;
        na_part part;
    } parts[] = {{"user", NA_PART_USER},
                 {"account", NA_PART_ACCOUNT},
                 {"profile", NA_PART_PROFILE}};
    for (int i = 0; i < 3; i++) {
        json_t *part = na_subject_part(request->pool, subject, parts[i].part);
        json_object_set_new(question, parts[i].name, part ? json_incref(part) : json_null());
    }
}

static na_error *ask(na_request *request, na_callback_kind callback, const json_t *question,
                     const json_t **answer)
{
    na_error *error =
        na_ask(adviser_of(request, callback), request->http, request->pool, question, answer);
    return error ? na_error_wrap(request->pool, error, NULL, "NextAuthCallback %s", names[callback])
                 : NULL;
}

static na_error *wrong_answer(const na_request *request, na_callback_kind callback,
                              const char *expected)
{
    return na_error_new(request->pool, NA_ERR_CONFIGURATION,
                        "NextAuthCallback %s: invalid answer: expected %s", names[callback],
                        expected);
}

/* ── signIn ────────────────────────────────────────────────────────────────────────────────── */

na_error *na_callback_sign_in(na_request *request, const na_subject *subject, int by_mail,
                              const char **redirect)
{
    const json_t *answer;
    *redirect = NULL;
    if (!adviser_of(request, NA_CALLBACK_SIGN_IN))
        return NULL;
    json_t *question = question_of(request, NA_CALLBACK_SIGN_IN);
    set_parts(request, subject, question);
    if (by_mail)
        json_object_set_new(question, "email", json_pack("{s:b}", "verificationRequest", 1));
    NA_TRY(ask(request, NA_CALLBACK_SIGN_IN, question, &answer));
    if (json_is_true(answer))
        return NULL;
    if (!by_mail)
        *redirect = json_string_value(answer);
    return *redirect ? NULL
                     : na_error_new(request->pool, NA_ERR_ACCESS_DENIED,
                                    "NextAuthCallback signIn denies the sign-in");
}

/* ── redirect ──────────────────────────────────────────────────────────────────────────────── */

const char *na_callback_redirect(na_request *request, const char *url)
{
    const json_t *answer;
    if (!url || !adviser_of(request, NA_CALLBACK_REDIRECT))
        return url;
    json_t *question = question_of(request, NA_CALLBACK_REDIRECT);
    json_object_set_new(question, "url", json_string(url));
    json_object_set_new(question, "baseUrl", json_string(request->config->origin));
    na_error *error = ask(request, NA_CALLBACK_REDIRECT, question, &answer);
    if (!error && !json_is_string(answer))
        error = wrong_answer(request, NA_CALLBACK_REDIRECT, "a URL");
    if (!error)
        return json_string_value(answer);
    na_log_error(request, NA_LOG_WARNING, "CALLBACK", error);
    return url;
}

/* ── jwt ───────────────────────────────────────────────────────────────────────────────────── */

/* Everything that decides about the session itself is this module's; roles can be given. */
static int is_own(const char *name)
{
    return na_claim_is_reserved(name) && strcmp(name, NA_CLAIM_ROLES) != 0;
}

static void remove_missing(json_t *claims, const json_t *answer)
{
    const char *name;
    json_t *value;
    void *next;
    json_object_foreach_safe(claims, next, name, value)
    {
        if (!is_own(name) && !json_object_get(answer, name))
            json_object_del(claims, name);
    }
}

static int is_list_of_texts(const json_t *value)
{
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!json_is_string(json_array_get(value, i)))
            return 0;
    return json_is_array(value);
}

static int is_of_type(const char *name, const json_t *value)
{
    if (strcmp(name, NA_CLAIM_ROLES) == 0)
        return is_list_of_texts(value);
    if (strcmp(name, "name") == 0 || strcmp(name, "email") == 0 || strcmp(name, "picture") == 0)
        return json_is_string(value) || json_is_null(value);
    return 1;
}

/* Replaces the claims that are the application's; the others stay as they are. */
static na_error *adopt_claims(const na_request *request, const json_t *answer, json_t *claims)
{
    const char *name;
    json_t *value;
    remove_missing(claims, answer);
    json_object_foreach((json_t *)answer, name, value)
    {
        if (is_own(name))
            continue;
        if (!is_of_type(name, value))
            return wrong_answer(request, NA_CALLBACK_JWT,
                                "roles as a list of texts, and name, email, and picture as texts");
        json_object_set(claims, name, value);
    }
    return NULL;
}

static na_error *ask_for_claims(na_request *request, const json_t *question, json_t *claims)
{
    const json_t *answer;
    NA_TRY(ask(request, NA_CALLBACK_JWT, question, &answer));
    if (json_is_null(answer))
        return na_error_new(request->pool, NA_ERR_ACCESS_DENIED,
                            "NextAuthCallback jwt denies the session");
    if (!json_is_object(answer))
        return wrong_answer(request, NA_CALLBACK_JWT, "the claims, an object, or null");
    return adopt_claims(request, answer, claims);
}

na_error *na_callback_jwt(na_request *request, const na_subject *subject, json_t *claims)
{
    if (!adviser_of(request, NA_CALLBACK_JWT))
        return NULL;
    int is_new = (subject->events >> NA_EVENT_CREATE_USER) & 1;
    json_t *question = question_of(request, NA_CALLBACK_JWT);
    json_object_set(question, "token", claims);
    set_parts(request, subject, question);
    json_object_set_new(question, "isNewUser", json_boolean(is_new));
    json_object_set_new(question, "trigger", json_string(is_new ? "signUp" : "signIn"));
    json_object_set_new(question, "session", json_null());
    return ask_for_claims(request, question, claims);
}

/* The ID of a session grants the same access as its cookie. */
static json_t *without_id(const json_t *claims)
{
    json_t *token = json_copy((json_t *)claims);
    json_object_del(token, NA_CLAIM_SESSION_ID);
    return token;
}

na_error *na_callback_jwt_profile(na_request *request, const na_subject *subject, json_t *claims)
{
    if (!adviser_of(request, NA_CALLBACK_JWT))
        return NULL;
    json_t *question = question_of(request, NA_CALLBACK_JWT);
    json_object_set_new(question, "token", without_id(claims));
    set_parts(request, subject, question);
    json_object_update_new(question, json_pack("{s:b, s:s, s:n}", "isNewUser", 0, "trigger",
                                               "update", "session"));
    return ask_for_claims(request, question, claims);
}

na_error *na_callback_jwt_again(na_request *request, int is_update, json_t *claims)
{
    if (!adviser_of(request, NA_CALLBACK_JWT))
        return NULL;
    json_t *data = is_update ? json_object_get(request->json, "data") : NULL;
    json_t *question = question_of(request, NA_CALLBACK_JWT);
    json_object_update_new(question,
                           json_pack("{s:o, s:n, s:n, s:n, s:n, s:s?, s:O?}", "token",
                                     without_id(claims), "user", "account", "profile", "isNewUser",
                                     "trigger", is_update ? "update" : NULL, "session", data));
    na_error *error = ask_for_claims(request, question, claims);
    if (!error)
        error = na_session_check_claims(request->pool, claims);
    if (!error || na_error_is(error, NA_ERR_ACCESS_DENIED))
        return error;
    return na_error_wrap(request->pool, error, NA_ERR_UNAVAILABLE, "the session stays as it is");
}

/* ── session ───────────────────────────────────────────────────────────────────────────────── */

na_error *na_callback_session(na_request *request, const json_t *claims, json_t **session)
{
    const json_t *answer;
    if (!adviser_of(request, NA_CALLBACK_SESSION))
        return NULL;
    json_t *question = question_of(request, NA_CALLBACK_SESSION);
    json_object_set_new(question, "token", without_id(claims));
    json_object_set(question, "session", *session);
    na_error *error = ask(request, NA_CALLBACK_SESSION, question, &answer);
    if (!error && !json_is_object(answer))
        error = wrong_answer(request, NA_CALLBACK_SESSION, "the session, an object");
    if (error) /* says nothing about the session itself, which must not end for it */
        return na_error_wrap(request->pool, error, NA_ERR_UNAVAILABLE, "the session is unknown");
    *session = (json_t *)answer;
    return NULL;
}
