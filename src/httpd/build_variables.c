/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/build.h"

void na_note_variable(const na_environment *environment, const char *name, apr_table_t *variables)
{
    apr_table_setn(variables, name, na_environment_get(environment, name) ? "1" : "");
}

/* Once the configuration is read nobody knows any more what NextAuthEnvFile had in it. */
const apr_table_t *na_build_variables(const na_environment *environment,
                                      const apr_array_header_t *providers)
{
    static const char *const names[] = {"NEXTAUTH_URL",  "AUTH_URL",      "NEXTAUTH_SECRET",
                                        "AUTH_SECRET",   "AUTH_SECRET_1", "AUTH_SECRET_2",
                                        "AUTH_SECRET_3", "NODE_ENV",      "REDIS_URL",
                                        "EMAIL_SERVER",  "EMAIL_FROM"};
    apr_table_t *variables = apr_table_make(environment->pool, 32);
    for (apr_size_t i = 0; i < sizeof names / sizeof *names; i++)
        na_note_variable(environment, names[i], variables);
    for (int i = 0; i < providers->nelts; i++) {
        const na_provider *provider = APR_ARRAY_IDX(providers, i, const na_provider *);
        if (provider->type == NA_OIDC || provider->type == NA_OAUTH)
            na_note_provider_variables(environment, provider->id, variables);
    }
    return variables;
}
