/* SPDX-License-Identifier: Apache-2.0 */
/* The changes that the account page makes. */
#ifndef NA_ENDPOINT_ACCOUNT_H
#define NA_ENDPOINT_ACCOUNT_H

#include "endpoint/account_visit.h"

/* A change: sets `said`, `fault`, or `is_answered`. */
typedef na_error *na_account_changer(na_account_visit *v);

na_account_changer na_account_name, na_account_password, na_account_email, na_account_link,
    na_account_unlink, na_account_delete;

#endif
