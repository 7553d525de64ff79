/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>

#include "ctl/commands.h"

static const struct {
    const char *name;
    na_command *run;
    const char *usage, *what;
} commands[] = {
    {"secret", na_command_secret, "", "print a new secret for NextAuthSecret"},
    {"check", na_command_check, "[--httpd PROGRAM] [--config FILE] [--connect] [--json]",
     "say what is right and wrong in the configuration, with hints; --connect tries what "
     "the sites depend on; PROGRAM is apachectl where it is not said"},
    {"providers", na_command_providers, "[--json]", "list the catalogue of providers"},
    {"session list", na_command_session_list,
     "[--server URL] [--user USER] [--ca-file FILE | --insecure-loopback] [--json]",
     "list who is signed in; URL (or NEXTAUTHCTL_SERVER) is where SetHandler nextauth-sessions is; "
     "USER is PROVIDER/ID as listed, or an ID or email address of the database"},
    {"session revoke", na_command_session_revoke,
     "[--server URL] --secret-file FILE [--ca-file FILE | --insecure-loopback] ID… | --user USER",
     "end sessions by their ID, or all of a user's; the secret's FILE (or NEXTAUTHCTL_SECRET_FILE) "
     "has the site's NextAuthSecret; --insecure-loopback connects to 127.0.0.1 whatever the URL's "
     "host, and takes any certificate there"},
    {"migrate", na_command_migrate,
     "[--database URL] [--schema authjs|authjs-uuid|prisma|prisma-without-times|snake] [--status | "
     "--dry-run] [--to STEP] [--json]",
     "make the database's tables, step by step; URL (or NEXTAUTH_DATABASE_URL, DATABASE_URL) may "
     "be "
     "file:PATH, a file with the address in it"},
    {"backup", na_command_backup, "FILE|- [--database URL] [--schema SCHEMA] [--with-store]",
     "write users, accounts, sessions, tokens, roles and password hashes as JSON lines"},
    {"restore", na_command_restore,
     "FILE [--database URL] [--schema SCHEMA] [--replace] [--keep-sessions]",
     "read a backup into an empty database, of any engine and schema; --replace empties it first, "
     "--keep-sessions signs nobody out if nobody came since"},
    {"user list", na_command_user_list, "[--database URL] [--schema SCHEMA] [--json]",
     "list the users of the database"},
    {"user add", na_command_user_add,
     "--email EMAIL [--name NAME] [--password-file FILE|-] [--hash KIND] [--role ROLE]… [--json]",
     "add a user, by default without a password; KIND is bcrypt:COST, yescrypt:COST or argon2id"},
    {"user show", na_command_user_show, "ID|EMAIL [--json]", "show what is known of a user"},
    {"user disable", na_command_user_disable, "ID|EMAIL [--json]",
     "let a user sign in no more, and end the sessions in the database"},
    {"user enable", na_command_user_enable, "ID|EMAIL [--json]", "let the user sign in again"},
    {"user unlock", na_command_user_unlock, "NAME|EMAIL [--server URL] --secret-file FILE [--json]",
     "forget the failed sign-ins of an account; URL and FILE as for session revoke"},
    {"user delete", na_command_user_delete, "ID|EMAIL [--yes] [--json]",
     "delete a user with everything that is the user's, without asking where --yes is there"},
    {"user set-password", na_command_user_set_password,
     "ID|EMAIL [--password-file FILE|-] [--hash KIND] [--json]",
     "give a user a new password, asked for on the terminal without --password-file"},
    {"user unlink", na_command_user_unlink, "ID|EMAIL PROVIDER [--yes] [--json]",
     "take a user's account with a provider away; with --yes also the last way to sign in"},
    {"role grant", na_command_role_grant, "ID|EMAIL ROLE [--json]", "give a user a role"},
    {"role revoke", na_command_role_revoke, "ID|EMAIL ROLE [--json]", "take it back"},
    {"audit verify", na_command_audit_verify,
     "FILE… [--key-file FILE] [--head FILE|none] [--after HASH] [--json]",
     "check the chain of an audit log's files, the oldest first, and name the first wrong line"},
    {"audit show", na_command_audit_show,
     "FILE [--user ID|EMAIL] [--event NAME] [--since TIME] [--json]",
     "show the records of an audit log as a table"},
    {"token decode", na_command_token_decode, "--secret-file FILE [--salt SALT] [--v5] [TOKEN]",
     "open a token (standard input without TOKEN) and print its claims"},
    {"token encode", na_command_token_encode,
     "--secret-file FILE [--salt SALT] [--v5] [--max-age SECONDS] [CLAIMS]",
     "seal claims (a JSON object; standard input without CLAIMS) into a token"},
};

#define OF_USERS                                                                                   \
    "All commands of users and roles take --database URL and --schema SCHEMA; those that change\n" \
    "something, backup and restore take --audit-log FILE (or NEXTAUTHCTL_AUDIT_LOG) and\n"         \
    "--audit-key-file FILE.\n"

static void print_command(FILE *to, size_t i)
{
    fprintf(to, "  nextauthctl %s %s\n      %s\n", commands[i].name, commands[i].usage,
            commands[i].what);
}

static int usage(FILE *to)
{
    fprintf(to, "nextauthctl " NA_VERSION ": administers mod_nextauth\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        print_command(to, i);
    fprintf(to, "\n" OF_USERS "Exit status: 0, 1 where it failed, 2 where the call was wrong.\n"
                "NO_COLOR in the environment: no colours on a terminal, either.\n");
    return to == stdout ? 0 : 2;
}

/* How many words of the command line a command's name takes; 0 where it is another. */
static int words_of(const char *name, int argc, char **argv)
{
    int words = 0;
    while (words < argc && *name) {
        size_t len = strcspn(name, " ");
        if (strlen(argv[words]) != len || strncmp(argv[words], name, len) != 0)
            return 0;
        words++;
        name += len + (name[len] == ' ');
    }
    return *name ? 0 : words;
}

/* What is behind -- is none. */
static int asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0)
            return 1;
    return 0;
}

/* "user --help": of all commands that begin with that word. */
static int is_of_group(const char *name, int argc, char **argv)
{
    size_t len = strlen(argv[0]);
    return argc > 1 && *argv[1] == '-' && strncmp(name, argv[0], len) == 0 && name[len] == ' ';
}

static int help(int argc, char **argv)
{
    const char *found = NULL;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const char *name = commands[i].name;
        if (!words_of(name, argc, argv) && !is_of_group(name, argc, argv))
            continue;
        print_command(stdout, i);
        found = name;
    }
    if (!found)
        return usage(*argv[0] == '-' ? stdout : stderr);
    if (strncmp(found, "user ", 5) == 0 || strncmp(found, "role ", 5) == 0)
        printf("\n" OF_USERS);
    return 0;
}

static int run(int argc, char **argv)
{
    apr_pool_t *pool;
    if (asks_for_help(argc, argv))
        return help(argc, argv);
    apr_pool_create(&pool, NULL);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        int words = words_of(commands[i].name, argc, argv);
        if (words)
            return commands[i].run(pool, argc + 1 - words, argv - 1 + words);
    }
    return usage(argc == 1 && strcmp(argv[0], "help") == 0 ? stdout : stderr);
}

/* Who reads half of what was meant must not take it for all. */
static int finish(int status)
{
    int failed = ferror(stdout);
    errno = 0;
    failed |= fflush(stdout) != 0;
    if (failed)
        fprintf(stderr, "nextauthctl: cannot write to standard output%s%s\n", errno ? ": " : "",
                errno ? strerror(errno) : "");
    return failed && !status ? 1 : status;
}

int main(int argc, char **argv)
{
    apr_initialize();
    atexit(apr_terminate);
    return finish(run(argc - 1, argv + 1));
}
