/* SPDX-License-Identifier: Apache-2.0 */
/* The CA certificates that libcurl trusts. */
#ifndef NA_BASE_TRUST_H
#define NA_BASE_TRUST_H

#include <curl/curl.h>

/*
 * Trusts the certificates of `ca_file` alone, or the system's if it is NULL. A handle parses them
 * once an hour, if libcurl can cache them (7.87, with OpenSSL).
 */
void na_trust(CURL *curl, const char *ca_file);

#endif
