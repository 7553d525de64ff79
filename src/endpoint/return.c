/* SPDX-License-Identifier: Apache-2.0 */
/* Leads to a URL that was too long to be carried through a sign-in. */
#include "auth/long_url.h"
#include "auth/respond.h"
#include "endpoint/endpoints.h"

/* Only this module writes such URLs, after it checked them: no visitor can choose where it leads.
 */
na_error *na_get_return(na_request *request, na_response *response)
{
    const char *id = apr_table_get(request->query, "to"), *url = NULL;
    if (id)
        NA_TRY(na_long_url_find(request, id, &url));
    if (!url)
        return na_error_new(request->pool, NA_ERR_VERIFICATION,
                            "a long URL is not in the store, or no longer");
    na_respond_redirect(request, response, 200, url);
    return NULL;
}
