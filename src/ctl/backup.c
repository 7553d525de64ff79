/* SPDX-License-Identifier: Apache-2.0 */
/* The commands `backup` and `restore`. */
#include "db/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/text.h"
#include "ctl/audit_trail.h"
#include "ctl/commands.h"
#include "ctl/connect.h"
#include "ctl/options.h"
#include "ctl/print.h"
#include "password/stored_hash.h"

#define BAR_WIDTH 40

/* Most bytes of a file's name in a record. */
#define NAME_MAX_RECORDED 100

typedef struct call {
    apr_pool_t *pool;
    const char *url, *schema, *file;
    int with_store, replace, keep_sessions;
    int is_restore;
    int percent; /* that the bar shows; -1 if none yet */
    na_audit_trail trail;
    na_db *db;
    na_backup_result result;
} call;

/* ── the command line ──────────────────────────────────────────────────────────────────────── */

/* Removes "-", which apr_getopt takes for an option without a name. Returns how many are left. */
static int take_dash(call *c, int argc, char **argv)
{
    int left = 0;
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "-") == 0)
            c->file = argv[i];
        else
            argv[left++] = argv[i];
    return left;
}

static int read_options(call *c, int argc, char **argv)
{
    const na_option options[] = {{"database", 'd', .text = &c->url},
                                 {"schema", 's', .text = &c->schema},
                                 {"with-store", 'w', .flag = &c->with_store},
                                 {"replace", 'r', .flag = &c->replace},
                                 {"keep-sessions", 'e', .flag = &c->keep_sessions},
                                 {"audit-log", 'a', .text = &c->trail.log},
                                 {"audit-key-file", 'k', .text = &c->trail.key_file},
                                 {0}};
    const char *const *operands;
    c->trail.pool = c->pool;
    int count = na_ctl_options(c->pool, take_dash(c, argc, argv), argv, options, &operands);
    if (c->file)
        return count == 0;
    c->file = operands[0];
    return count == 1;
}

static na_error *could_not(const call *c, const char *what, const char *file)
{
    char text[120];
    return na_error_new(c->pool, NA_ERR_CONFIGURATION, "could not %s '%s': %s", what, file,
                        apr_strerror(errno, text, sizeof text));
}

/* ── for people ────────────────────────────────────────────────────────────────────────────── */

static void show_progress(void *data, apr_int64_t done, apr_int64_t total)
{
    call *c = data;
    char bar[BAR_WIDTH + 1];
    int percent = total ? (int)(done * 100 / total) : 100;
    percent = percent > 100 ? 100 : percent;
    if (percent == c->percent)
        return;
    c->percent = percent;
    memset(bar, ' ', BAR_WIDTH);
    memset(bar, '#', (size_t)(percent * BAR_WIDTH / 100));
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r[%s] %3d %%", bar, percent);
}

static na_backup_progress *progress(void)
{
    return isatty(2) ? show_progress : NULL;
}

static void clear_progress(const call *c)
{
    if (c->percent >= 0)
        fprintf(stderr, "\r\033[K");
}

/* "3 users, 4 accounts, …". */
static const char *counts_of(const call *c)
{
    const char *text = "";
    for (int i = 0; i < NA_TABLES; i++)
        text = apr_psprintf(c->pool, "%s%s%" APR_INT64_T_FMT " %s", text, i ? ", " : "",
                            c->result.rows[i], na_backup_table_name(i));
    return text;
}

/* Returns how a restore changed sessions, and which IDs are free; "" for a backup. */
static const char *notice_of(const call *c)
{
    const char *ids = c->result.last_id
                          ? apr_psprintf(c->pool, "new users get IDs from %" APR_INT64_T_FMT "\n",
                                         c->result.last_id + 1)
                          : "";
    return !c->is_restore     ? ""
           : c->keep_sessions ? ids
                              : apr_pstrcat(c->pool,
                                            "all users are signed out, because sessions that began "
                                            "after the backup cannot be told apart\n",
                                            ids, NULL);
}

static int end(const call *c, const na_error *error, const char *done)
{
    if (error)
        return na_ctl_failed(c->pool, error);
    fprintf(stderr, "%s: %s", done, counts_of(c));
    if (c->result.left_out)
        fprintf(stderr, "; %" APR_INT64_T_FMT " rows of users that do not exist were left out",
                c->result.left_out);
    if (c->result.ended)
        fprintf(stderr, "; %" APR_INT64_T_FMT " sessions, links and entries of the store are over",
                c->result.ended);
    if (c->result.refused_hashes)
        fprintf(stderr, "; %" APR_INT64_T_FMT " password hashes were refused",
                c->result.refused_hashes);
    fprintf(stderr, "\n%s", notice_of(c));
    return 0;
}

static const char *recorded_name(const call *c)
{
    return na_one_line(c->pool, c->file, NAME_MAX_RECORDED);
}

/* ── backup ────────────────────────────────────────────────────────────────────────────────── */

static na_error *write_to(call *c, FILE *out)
{
    na_error *error = na_db_backup(c->db, c->pool, out, c->with_store, progress(), c, &c->result);
    clear_progress(c);
    return error;
}

/* A name is on the disk once its directory is. */
static na_error *sync_directory(const call *c)
{
    const char *slash = strrchr(c->file, '/');
    const char *directory =
        slash ? apr_pstrmemdup(c->pool, c->file, (apr_size_t)(slash + 1 - c->file)) : ".";
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return could_not(c, "open", directory);
    int failed = fsync(fd) != 0;
    close(fd);
    return failed ? could_not(c, "write", directory) : NULL;
}

static na_error *write_temporary(call *c, int fd, const char *name)
{
    FILE *out = fdopen(fd, "w");
    if (!out) {
        close(fd);
        return could_not(c, "open", name);
    }
    na_error *error = write_to(c, out);
    if (!error && fsync(fd) != 0)
        error = could_not(c, "write", name);
    if (fclose(out) != 0 && !error)
        error = could_not(c, "write", name);
    return error;
}

/* The file gets its name once it is complete. mkstemp's mode is 0600. */
static na_error *write_file(call *c)
{
    char *name = apr_pstrcat(c->pool, c->file, ".XXXXXX", NULL);
    int fd = mkstemp(name);
    if (fd < 0)
        return could_not(c, "write", c->file);
    na_error *error = write_temporary(c, fd, name);
    if (!error && rename(name, c->file) != 0)
        error = could_not(c, "write", c->file);
    if (!error)
        return sync_directory(c);
    unlink(name);
    return error;
}

/* Recorded before a row is read, so that nothing leaves unrecorded. */
static na_error *record_backup(call *c)
{
    int is_file = strcmp(c->file, "-") != 0;
    NA_TRY(na_audit_trail_open(&c->trail));
    na_audit_trail_add(&c->trail, NA_EVENT_BACKUP, NULL, NULL,
                       apr_pstrcat(c->pool, "to ", is_file ? recorded_name(c) : "standard output",
                                   c->with_store ? ", with the store" : "", NULL));
    na_error *error = na_audit_trail_note(&c->trail, c->db);
    return error ? na_error_wrap(c->pool, error, NULL, "could not record the backup") : NULL;
}

static na_error *back_up(call *c)
{
    const na_db_options *options;
    NA_TRY(na_ctl_connect(c->pool, c->url, c->schema, &options, &c->db));
    NA_TRY(record_backup(c));
    return strcmp(c->file, "-") == 0 ? write_to(c, stdout) : write_file(c);
}

int na_command_backup(apr_pool_t *pool, int argc, char **argv)
{
    call c = {.pool = pool, .percent = -1};
    if (!read_options(&c, argc, argv) || c.replace || c.keep_sessions)
        return na_ctl_wrong_call("backup", "missing FILE, or - for standard output");
    if (strcmp(c.file, "-") == 0 && isatty(1))
        return na_ctl_wrong_call("backup", "the output has secrets in it, not for a terminal");
    return end(&c, back_up(&c), "backed up");
}

/* ── restore ───────────────────────────────────────────────────────────────────────────────── */

static na_error *record_restore(void *data, na_db_use *use)
{
    call *c = data;
    na_audit_trail_add(&c->trail, NA_EVENT_RESTORE, NULL, NULL,
                       apr_pstrcat(c->pool, c->replace ? "replaced all, " : "", counts_of(c),
                                   ", from ", recorded_name(c), NULL));
    return na_audit_trail_record(&c->trail, c->db, use);
}

/* Refuses hashes that cannot be verified, or not within a request. */
static int takes_hash(void *data, const char *user_id, const char *hash)
{
    const call *c = data;
    na_stored_hash stored;
    na_error *error = na_is_locked_hash(hash) ? NULL : na_stored_hash_read(c->pool, hash, &stored);
    if (!error)
        return 1;
    clear_progress(c);
    fprintf(stderr, "user %s is restored without a password: %s\n",
            na_one_line(c->pool, user_id, NAME_MAX_RECORDED), na_error_text(c->pool, error));
    return 0;
}

static na_error *bring_back(call *c)
{
    const na_db_options *options;
    const na_restore_options how = {.replace = c->replace,
                                    .keep_sessions = c->keep_sessions,
                                    .progress = progress(),
                                    .finish = record_restore,
                                    .takes_hash = takes_hash,
                                    .data = c};
    NA_TRY(na_ctl_connect(c->pool, c->url, c->schema, &options, &c->db));
    NA_TRY(na_audit_trail_open(&c->trail));
    FILE *in = fopen(c->file, "re");
    if (!in)
        return could_not(c, "read", c->file);
    na_error *error = na_db_restore(c->db, c->pool, in, &how, &c->result);
    clear_progress(c);
    fclose(in);
    return na_audit_trail_end(&c->trail, error);
}

int na_command_restore(apr_pool_t *pool, int argc, char **argv)
{
    call c = {.pool = pool, .is_restore = 1, .percent = -1};
    if (!read_options(&c, argc, argv) || c.with_store || strcmp(c.file, "-") == 0)
        return na_ctl_wrong_call("restore", "missing FILE, which is read twice");
    return end(&c, bring_back(&c), "restored");
}
