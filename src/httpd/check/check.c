/* SPDX-License-Identifier: Apache-2.0 */
/* What nextauthctl check reports about a site besides mistakes in its directives. */
#include "httpd/config/build.h"
#include "httpd/findings.h"

void na_check(const na_builder *b)
{
    const apr_array_header_t *written = na_server_conf_of(b->server)->written;
    na_check_site(b);
    na_check_server(b);
    na_check_sections(b);
    na_check_directives(b, written);
    na_check_environment(b, written);
    if (na_findings_connect(b->server))
        na_check_connections(b);
}
