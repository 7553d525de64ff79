/* SPDX-License-Identifier: Apache-2.0 */
/* All commands. */
#ifndef NA_CTL_COMMANDS_H
#define NA_CTL_COMMANDS_H

#include <apr_pools.h>

/* Runs a command; argv[0] is its name. Returns the exit status. */
typedef int na_command(apr_pool_t *pool, int argc, char **argv);

na_command na_command_secret, na_command_providers, na_command_token_decode,
    na_command_token_encode, na_command_token_add, na_command_token_list, na_command_token_revoke,
    na_command_session_list, na_command_session_revoke, na_command_migrate, na_command_backup,
    na_command_restore, na_command_user_list, na_command_user_add, na_command_user_show,
    na_command_user_disable, na_command_user_enable, na_command_user_reset_2fa,
    na_command_user_delete, na_command_user_set_password, na_command_user_unlock,
    na_command_user_unlink, na_command_role_grant, na_command_role_revoke, na_command_audit_verify,
    na_command_audit_show, na_command_register, na_command_check, na_command_login,
    na_command_logout;

#endif
