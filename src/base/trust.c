/* SPDX-License-Identifier: Apache-2.0 */
/* The CA certificates that libcurl trusts. */
#include "base/trust.h"

#include <unistd.h>

#define CACHED_FOR                                                                                 \
    3600L /* seconds: certificates that were removed are trusted no longer than that */

/* Returns 1 if libcurl's default file of certificates exists; some systems have only a directory.
 */
static int has_default_file(void)
{
    const curl_version_info_data *built = curl_version_info(CURLVERSION_NOW);
    return built->age >= CURLVERSION_SEVENTH && built->cainfo && access(built->cainfo, R_OK) == 0;
}

void na_trust(CURL *curl, const char *ca_file)
{
    if (ca_file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
    /* beside a file, a directory would add the system's CAs, and switches libcurl's cache off */
    if (ca_file || has_default_file())
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(curl, CURLOPT_CA_CACHE_TIMEOUT, CACHED_FOR);
#endif
}
