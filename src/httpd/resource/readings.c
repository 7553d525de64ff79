/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics that are read, not counted: versions, and which stores and databases are up. */
#include <apr_strings.h>
#include <openssl/crypto.h>

#include "httpd/resource/resource.h"

apr_array_header_t *na_metrics_readings(apr_pool_t *pool)
{
    apr_array_header_t *readings = apr_array_make(pool, 8, sizeof(na_reading));
    ap_version_t httpd;
    ap_get_server_revision(&httpd);
    const na_reading info = {NA_METRIC_BUILD_INFO,
                             {NA_VERSION,
                              apr_psprintf(pool, "%d.%d.%d", httpd.major, httpd.minor, httpd.patch),
                              OpenSSL_version(OPENSSL_VERSION_STRING)},
                             1};
    na_reading_add(readings, &info);
    na_stores_read(readings);
    na_databases_read(readings);
    na_sinks_read(readings);
    return readings;
}
