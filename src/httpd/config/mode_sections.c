/* SPDX-License-Identifier: Apache-2.0 */
/* <IfNextAuthMode>: directives for one mode, decided while httpd reads its configuration. */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/envfile.h"
#include "httpd/config/build.h"
#include "httpd/config/mode_sections.h"

/*
 * httpd first reads all lines into a tree, then runs the directives. A section that could have
 * LoadModule, Define or <VirtualHost> in it must be decided while lines are read, so the directives
 * that decide it are noted then, too, and put into the tree to be run as any other.
 *
 * Lines that are read do not say which virtual host they are in. So each section leaves a node in
 * the tree, which is run in its server, and notes there the mode that was assumed. Another mode of
 * that server, in the end, is a mistake.
 */

#define KEY "mod_nextauth reading"
#define SECTION NA_MODE_SECTION

/* The last of each directive that was read. */
typedef struct reading {
    const char *mode; /* NextAuthMode; NULL if none */
    const char *file; /* NextAuthEnvFile; NULL if none */
} reading;

/* Lives as long as the configuration: httpd reads it twice when it starts. */
static reading *reading_of(apr_pool_t *pool)
{
    void *found = NULL;
    apr_pool_userdata_get(&found, KEY, pool);
    if (!found) {
        found = apr_pcalloc(pool, sizeof(reading));
        apr_pool_userdata_setn(found, KEY, NULL, pool);
    }
    return found;
}

static ap_directive_t *make_node(const cmd_parms *cmd, const char *args)
{
    ap_directive_t *node = apr_pcalloc(cmd->pool, sizeof *node);
    node->directive = apr_pstrcat(cmd->pool, cmd->cmd->name, NA_READ, NULL);
    node->args = apr_pstrdup(cmd->pool, args);
    node->filename = cmd->config_file->name;
    node->line_num = (int)cmd->config_file->line_number;
    return node;
}

const char *na_read_mode(cmd_parms *cmd, void *tree, const char *args)
{
    *(ap_directive_t **)tree = make_node(cmd, args);
    reading_of(cmd->pool)->mode = ap_getword_conf(cmd->pool, &args);
    return NULL;
}

const char *na_read_env_file(cmd_parms *cmd, void *tree, const char *args)
{
    *(ap_directive_t **)tree = make_node(cmd, args);
    reading_of(cmd->pool)->file =
        ap_server_root_relative(cmd->pool, ap_getword_conf(cmd->pool, &args));
    return NULL;
}

/* ── the mode while lines are read ─────────────────────────────────────────────────────────── */

static na_error *node_env_of_file(const cmd_parms *cmd, const char *path, const char **name)
{
    const na_envfile *file;
    if (!path)
        return NULL;
    NA_TRY(na_envfile_read(cmd->pool, path, &file));
    *name = apr_table_get(file->values, "NODE_ENV");
    return NULL;
}

/* As na_config_build decides: the directive, then httpd's environment, then the file. */
static na_error *mode_so_far(const cmd_parms *cmd, const char **name)
{
    const reading *so_far = reading_of(cmd->pool);
    *name = so_far->mode ? so_far->mode : getenv("NODE_ENV");
    if (!*name || !**name)
        NA_TRY(node_env_of_file(cmd, so_far->file, name));
    if (!*name || !**name)
        *name = na_mode_name(NA_PRODUCTION);
    return NULL;
}

static int is_htaccess(const cmd_parms *cmd)
{
    return cmd->pool == cmd->temp_pool;
}

/* Returns NULL, or what is wrong. A request's .htaccess files have the mode of its server. */
static const char *find_mode(const cmd_parms *cmd, na_mode *mode)
{
    const na_config *config = is_htaccess(cmd) ? na_server_conf_of(cmd->server)->config : NULL;
    const char *name;
    if (config)
        *mode = config->mode;
    if (is_htaccess(cmd))
        return config ? NULL : SECTION "> requires NextAuthEngine On in this virtual host";
    na_error *error = mode_so_far(cmd, &name);
    if (error)
        return apr_pstrcat(cmd->pool,
                           SECTION ">: NextAuthEnvFile: ", na_error_text(cmd->pool, error), NULL);
    return na_mode_find(name, mode)
               ? NULL
               : apr_psprintf(cmd->pool,
                              SECTION ">: invalid mode '%s' of NextAuthMode or NODE_ENV: expected "
                                      "production, development, or test",
                              name);
}

/* ── the section ───────────────────────────────────────────────────────────────────────────── */

#define FORM SECTION " [!]MODE …>"

/* *holds is 1 if the mode is one of those that are named, or with '!' none of them. */
static const char *read_modes(const cmd_parms *cmd, const char *args, na_mode mode, int *holds)
{
    const char *end = strrchr(args, '>');
    int negated = *args == '!', found = 0, count = 0;
    if (!end)
        return SECTION "> directive missing closing '>'";
    const char *list =
        apr_pstrmemdup(cmd->pool, args + negated, (apr_size_t)(end - args - negated));
    while (*list) {
        const char *name = ap_getword_conf(cmd->pool, &list);
        na_mode named;
        if (!na_mode_find(name, &named))
            return apr_psprintf(cmd->pool,
                                SECTION ">: invalid mode '%s': expected production, development, "
                                        "or test",
                                name);
        found |= named == mode;
        count++;
    }
    *holds = found != negated;
    return count ? NULL : SECTION ">: missing mode: expected " FORM;
}

const char *na_read_mode_section(cmd_parms *cmd, void *tree, const char *args)
{
    char section[] = SECTION;
    ap_directive_t *node = NULL, *inside = NULL, *parent = NULL;
    na_mode mode;
    int holds = 0;
    const char *wrong = find_mode(cmd, &mode);
    if (!wrong)
        wrong = read_modes(cmd, args, mode, &holds);
    if (wrong)
        return wrong;
    if (!is_htaccess(cmd)) {
        node = make_node(cmd, args);
        node->data = apr_pmemdup(cmd->pool, &mode, sizeof mode);
    }
    wrong = holds ? ap_build_cont_config(cmd->pool, cmd->temp_pool, cmd, &inside, &parent, section)
                  : ap_soak_end_container(cmd, section);
    if (node)
        node->next = inside;
    *(ap_directive_t **)tree = node ? node : inside;
    return wrong;
}

const char *na_note_mode_section(cmd_parms *cmd, void *dir_conf, const char *args)
{
    na_mode_section *section = apr_array_push(na_server_conf_of(cmd->server)->mode_sections);
    *section = (na_mode_section){.mode = *(const na_mode *)cmd->directive->data,
                                 .file = cmd->directive->filename,
                                 .line = cmd->directive->line_num};
    return NULL;
}

na_error *na_build_check_mode_sections(na_builder *b)
{
    const apr_array_header_t *sections = na_server_conf_of(b->server)->mode_sections;
    for (int i = 0; i < sections->nelts; i++) {
        const na_mode_section *section = &APR_ARRAY_IDX(sections, i, na_mode_section);
        if (section->mode == b->config->mode)
            continue;
        na_directive *at = apr_pcalloc(b->pool, sizeof *at);
        *at =
            (na_directive){.directive = SECTION ">", .file = section->file, .line = section->line};
        na_build_look_at(b, at, at->directive);
        NA_TRY(na_build_noted(
            b, na_error_with_hint(
                   na_wrong(b, "was read in %s mode, but the mode of this server is %s",
                            na_mode_name(section->mode), na_mode_name(b->config->mode)),
                   b->server->is_virtual
                       ? "set the same mode in all servers, or set NextAuthMode above the section "
                         "and have none in the main server"
                       : "set NextAuthMode, or the NextAuthEnvFile with NODE_ENV, above it")));
    }
    return NULL;
}
