/* SPDX-License-Identifier: Apache-2.0 */
/* Names of NextAuthFeature's features. */
#include "httpd/module.h"

const na_feature na_features[] = {{"oauth", NA_FEATURE_OAUTH},
                                  {"magicLinks", NA_FEATURE_MAGIC_LINKS},
                                  {"2fa", NA_FEATURE_2FA},
                                  {"rateLimiting", NA_FEATURE_RATE_LIMITING},
                                  {"auditLogging", NA_FEATURE_AUDIT},
                                  {"signUp", NA_FEATURE_SIGN_UP},
                                  {"passwordReset", NA_FEATURE_RESET},
                                  {"account", NA_FEATURE_ACCOUNT},
                                  {"deleteAccount", NA_FEATURE_DELETE},
                                  {"deviceLogin", NA_FEATURE_DEVICE_LOGIN},
                                  {NULL, 0}};
