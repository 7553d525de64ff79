/* SPDX-License-Identifier: Apache-2.0 */
/* The callback endpoint of sign-ins with a password. */
#include "auth/complete.h"
#include "auth/credentials.h"
#include "endpoint/endpoints.h"

na_error *na_callback_credentials(na_request *request, na_response *response)
{
    const char *user = apr_table_get(request->form, "username");
    const char *password = apr_table_get(request->form, "password");
    na_subject subject;
    if (!user)
        user = apr_table_get(request->form, "email");
    NA_TRY(na_credentials_verify(request, user, password, &subject));
    return na_complete_sign_in(request, response, &subject);
}
