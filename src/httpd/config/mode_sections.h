/* SPDX-License-Identifier: Apache-2.0 */
/* <IfNextAuthMode>: directives for one mode, decided while httpd reads its configuration. */
#ifndef NA_HTTPD_CONFIG_MODE_SECTIONS_H
#define NA_HTTPD_CONFIG_MODE_SECTIONS_H

#include <httpd.h>
#include <http_config.h>

#define NA_MODE_SECTION "<IfNextAuthMode"

/*
 * The end of the name of a directive in httpd's tree that was read before: httpd would not run a
 * command of the same name again. No name in a file ends like that, and it does not show.
 */
#define NA_READ " "

/*
 * Commands of httpd that run while lines are read (EXEC_ON_READ). `tree` is an ap_directive_t **
 * that receives what is to be run afterwards.
 */
const char *na_read_mode(cmd_parms *cmd, void *tree, const char *args);
const char *na_read_env_file(cmd_parms *cmd, void *tree, const char *args);
const char *na_read_mode_section(cmd_parms *cmd, void *tree, const char *args);

/* Notes in its server which mode a section was read in. */
const char *na_note_mode_section(cmd_parms *cmd, void *dir_conf, const char *args);

#endif
