/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthCORS: the other origins whose scripts may read responses. */
#ifndef NA_HTTPD_CONFIG_CORS_H
#define NA_HTTPD_CONFIG_CORS_H

#include "httpd/module.h"

#define NA_CORS_FORM "ORIGIN …|Off [headers=NAME,…] [maxAge=SECONDS]"

const char *na_set_cors(cmd_parms *cmd, void *conf, int argc, char *const argv[]);

#endif
