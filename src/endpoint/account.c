/* SPDX-License-Identifier: Apache-2.0 */
/* The account page. */
#include "endpoint/account.h"

#include <string.h>

#include "endpoint/endpoints.h"

/* A failure of a sign-in that was to link an account leads here. */
static const char *problem_of(const na_request *request)
{
    const char *code = apr_table_get(request->query, "error");
    if (!code)
        return NULL;
    return strcmp(code, NA_ERR_ACCOUNT_NOT_LINKED) == 0
               ? na_say(request->language, "That account could not be linked: it belongs to "
                                           "another user, or your sign-in was too long ago.")
               : na_say(request->language, "The account could not be linked. Please try again.");
}

na_error *na_get_account(na_request *request, na_response *response)
{
    na_account_visit v = {.request = request, .response = response};
    NA_TRY(na_account_load(&v, "/account"));
    v.fault = problem_of(request);
    if (!v.is_answered)
        na_account_respond(&v);
    return NULL;
}

static na_account_changer *find_changer(const char *name)
{
    static const struct {
        const char *name;
        na_account_changer *change;
    } changers[] = {{"name", na_account_name},     {"password", na_account_password},
                    {"email", na_account_email},   {"link", na_account_link},
                    {"unlink", na_account_unlink}, {"delete", na_account_delete}};
    for (size_t i = 0; name && i < sizeof changers / sizeof *changers; i++)
        if (strcmp(changers[i].name, name) == 0)
            return changers[i].change;
    return NULL;
}

na_error *na_post_account(na_request *request, na_response *response)
{
    na_account_visit v = {.request = request, .response = response};
    na_account_changer *change = find_changer(apr_table_get(request->form, "change"));
    NA_TRY(na_account_load(&v, "/account"));
    if (v.is_answered)
        return NULL;
    if (change)
        NA_TRY(change(&v));
    else
        v.fault = na_say(request->language, "This form is not supported. Please try again.");
    if (!v.is_answered)
        na_account_respond(&v);
    return NULL;
}
