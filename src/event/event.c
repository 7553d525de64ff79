/* SPDX-License-Identifier: Apache-2.0 */
/* Names of events. */
#include "event/event.h"

#include <string.h>

static const struct {
    const char *audit, *next_auth;
} names[NA_EVENT_KINDS] = {
    [NA_EVENT_SIGN_IN] = {"SIGNIN", "signIn"},
    [NA_EVENT_SIGN_OUT] = {"SIGNOUT", "signOut"},
    [NA_EVENT_CREATE_USER] = {"SIGNUP", "createUser"},
    [NA_EVENT_UPDATE_USER] = {"PROFILE_UPDATE", "updateUser"},
    [NA_EVENT_LINK_ACCOUNT] = {"ACCOUNT_LINK", "linkAccount"},
    [NA_EVENT_UNLINK_ACCOUNT] = {"ACCOUNT_UNLINK", NULL},
    [NA_EVENT_SESSION] = {NULL, "session"},
    [NA_EVENT_LINK_SENT] = {"LINK_SENT", NULL},
    [NA_EVENT_PASSWORD_RESET] = {"PASSWORD_RESET", NULL},
    [NA_EVENT_PASSWORD_CHANGE] = {"PASSWORD_CHANGE", NULL},
    [NA_EVENT_EMAIL_CHANGE] = {"EMAIL_CHANGE", NULL},
    [NA_EVENT_RECLAIM_USER] = {"ACCOUNT_RECLAIM", NULL},
    [NA_EVENT_SECOND_FACTOR] = {"SECOND_FACTOR", NULL},
    [NA_EVENT_TWO_FACTOR_ON] = {"TWO_FACTOR_ENABLE", NULL},
    [NA_EVENT_TWO_FACTOR_OFF] = {"TWO_FACTOR_DISABLE", NULL},
    [NA_EVENT_RECOVERY_CODES] = {"RECOVERY_CODES", NULL},
    [NA_EVENT_FORGET_BROWSER] = {"BROWSER_FORGET", NULL},
    [NA_EVENT_DELETE_USER] = {"ACCOUNT_DELETE", NULL},
    [NA_EVENT_REVOKE_SESSION] = {"SESSION_REVOKE", NULL},
    [NA_EVENT_DEVICE_LOGIN] = {"DEVICE_LOGIN", NULL},
    [NA_EVENT_GRANT_ROLE] = {"ROLE_GRANT", NULL},
    [NA_EVENT_REVOKE_ROLE] = {"ROLE_REVOKE", NULL},
    [NA_EVENT_DISABLE_USER] = {"USER_DISABLE", NULL},
    [NA_EVENT_ENABLE_USER] = {"USER_ENABLE", NULL},
    [NA_EVENT_LOCK_USER] = {"USER_LOCK", NULL},
    [NA_EVENT_UNLOCK_USER] = {"USER_UNLOCK", NULL},
    [NA_EVENT_MAKE_TOKEN] = {"TOKEN_CREATE", NULL},
    [NA_EVENT_REVOKE_TOKEN] = {"TOKEN_REVOKE", NULL},
    [NA_EVENT_BACKUP] = {"BACKUP", NULL},
    [NA_EVENT_RESTORE] = {"RESTORE", NULL},
};

const char *na_event_audit_name(na_event_kind kind)
{
    return names[kind].audit;
}

const char *na_event_name(na_event_kind kind)
{
    return names[kind].next_auth;
}

int na_event_find(const char *name, na_event_kind *kind)
{
    for (int i = 0; i < NA_EVENT_KINDS; i++) {
        if (!names[i].next_auth || strcmp(names[i].next_auth, name) != 0)
            continue;
        *kind = (na_event_kind)i;
        return 1;
    }
    return 0;
}
