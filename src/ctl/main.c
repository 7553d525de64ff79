/* SPDX-License-Identifier: Apache-2.0 */
/* nextauthctl: finds the command, and prints help. */
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
     "check the configuration, with hints; --connect also tries everything that the sites "
     "depend on; PROGRAM is apachectl by default"},
    {"providers", na_command_providers, "[--json]", "list the built-in providers"},
    {"register", na_command_register,
     "ISSUER | ACCOUNT | --webfinger URL --url https://HOST --id ID\n"
     "      --secret-file FILE [--token-file FILE] [--auth METHOD] [--name NAME]\n"
     "      [--scope SCOPE] [--initiated-sign-in] [--ca-file FILE | --insecure-loopback]",
     "register the site with an OpenID Provider (RFC 7591), and print its NextAuthProvider"},
    {"session list", na_command_session_list,
     "[--server URL] [--user USER | [--limit N] [--cursor NEXT]] [--ca-file FILE | "
     "--insecure-loopback] [--json]",
     "list sessions; URL (or NEXTAUTHCTL_SERVER) is the URL of SetHandler nextauth-sessions; "
     "USER is PROVIDER/ID as listed, or an ID or email address of the database; a table ends at N "
     "(1000), --limit 0 lists all, --cursor continues where a list ended"},
    {"session revoke", na_command_session_revoke,
     "[--server URL] --secret-file FILE [--ca-file FILE | --insecure-loopback] ID… | --user USER",
     "revoke sessions by ID, or all of a user; the secret's FILE (or NEXTAUTHCTL_SECRET_FILE) "
     "contains the site's NextAuthSecret; --insecure-loopback connects to 127.0.0.1 whatever the "
     "URL's host is, and accepts any certificate there"},
    {"migrate", na_command_migrate,
     "[--database URL] [--schema authjs|authjs-uuid|prisma|prisma-without-times|snake|drizzle|"
     "names:PATH] [--status | "
     "--dry-run] [--to STEP] [--json]",
     "create or change the tables of the database, step by step; URL (or NEXTAUTH_DATABASE_URL, "
     "DATABASE_URL, MONGODB_URI) can be file:PATH, a file that contains the URL"},
    {"backup", na_command_backup, "FILE|- [--database URL] [--schema SCHEMA] [--with-store]",
     "write users, accounts, sessions, tokens, roles and password hashes as JSON lines"},
    {"restore", na_command_restore,
     "FILE [--database URL] [--schema SCHEMA] [--replace] [--keep-sessions]",
     "read a backup into an empty database, of any engine and schema; --replace empties it first, "
     "--keep-sessions keeps all users signed in if no user was added since"},
    {"user list", na_command_user_list, "[--database URL] [--schema SCHEMA] [--json]",
     "list the users of the database"},
    {"user add", na_command_user_add,
     "--email EMAIL [--name NAME] [--password-file FILE|-] [--hash KIND] [--role ROLE]… [--json]",
     "add a user, without a password by default; KIND is bcrypt:COST, yescrypt:COST or argon2id"},
    {"user show", na_command_user_show, "ID|EMAIL [--json]", "show a user"},
    {"user disable", na_command_user_disable, "ID|EMAIL [--json]",
     "prevent a user from signing in, and end the user's sessions"},
    {"user enable", na_command_user_enable, "ID|EMAIL [--json]", "allow the user to sign in again"},
    {"user unlock", na_command_user_unlock, "NAME|EMAIL [--server URL] --secret-file FILE [--json]",
     "forget the failed sign-ins of an account; URL and FILE as for session revoke"},
    {"user delete", na_command_user_delete, "ID|EMAIL [--yes] [--json]",
     "delete a user and all data of that user; --yes does not ask"},
    {"user set-password", na_command_user_set_password,
     "ID|EMAIL [--password-file FILE|-] [--hash KIND] [--json]",
     "set a user's password; without --password-file, the terminal asks for it"},
    {"user reset-2fa", na_command_user_reset_2fa, "ID|EMAIL [--passkeys] [--json]",
     "remove the second factor of a user who lost it, and end the sessions; --passkeys removes the "
     "passkeys as well"},
    {"user unlink", na_command_user_unlink, "ID|EMAIL PROVIDER [--yes] [--json]",
     "unlink a user's account with a provider; --yes unlinks the last way to sign in as well"},
    {"role grant", na_command_role_grant, "ID|EMAIL ROLE [--json]", "grant a user a role"},
    {"role revoke", na_command_role_revoke, "ID|EMAIL ROLE [--json]", "revoke a user's role"},
    {"audit verify", na_command_audit_verify,
     "FILE… [--key-file FILE] [--head FILE|none] [--after HASH] [--json]",
     "verify the chain of an audit log's files, the oldest first, and name the first wrong line"},
    {"audit show", na_command_audit_show,
     "FILE [--user ID|EMAIL] [--event NAME] [--since TIME] [--json]",
     "show the records of an audit log as a table"},
    {"login", na_command_login,
     "URL [--scope SCOPE] [--name NAME] [--print] [--ca-file FILE | --insecure-loopback]",
     "sign in to a site with a code, and keep an access token for it in "
     "~/.config/nextauth/tokens.json; URL is the site's, or NextAuthURL if that has a path; "
     "--print "
     "prints the token instead"},
    {"logout", na_command_logout, "URL [--ca-file FILE | --insecure-loopback]",
     "revoke and forget the access token of a site"},
    {"token add", na_command_token_add, "ID|EMAIL --name NAME --scope SCOPE [--days DAYS] [--json]",
     "make a personal access token, and print it: nothing shows it again; SCOPE is \"[METHODS] "
     "PATH; …\", such as \"GET,PROPFIND /svn; /dav\"; DAYS is 90 by default, and 365 at most"},
    {"token list", na_command_token_list, "ID|EMAIL [--json]", "list a user's tokens"},
    {"token revoke", na_command_token_revoke, "ID|EMAIL TOKEN-ID [--json]",
     "revoke a token, by its ID as listed"},
    {"token decode", na_command_token_decode, "--secret-file FILE [--salt SALT] [--v5] [TOKEN]",
     "decrypt a token (from standard input by default) and print its claims"},
    {"token encode", na_command_token_encode,
     "--secret-file FILE [--salt SALT] [--v5] [--max-age SECONDS] [CLAIMS]",
     "encrypt claims (a JSON object, from standard input by default) into a token"},
};

#define OF_USERS                                                                                   \
    "All commands of users, roles and their tokens take --database URL and --schema SCHEMA; "      \
    "those that change\n"                                                                          \
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
    fprintf(to, "\n" OF_USERS "Exit status: 0 on success, 1 on failure, 2 on a usage error.\n"
                "Set NO_COLOR in the environment to print without colors.\n");
    return to == stdout ? 0 : 2;
}

/* Returns how many words of the command line are the command's name, 0 if it is another. */
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

/* Arguments after -- are no options. */
static int asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0)
            return 1;
    return 0;
}

/* "user --help" is about all commands that begin with that word. */
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

/* A reader of half the output must not take it for all of it. */
static int finish(int status)
{
    int failed = ferror(stdout);
    errno = 0;
    failed |= fflush(stdout) != 0;
    if (failed)
        fprintf(stderr, "nextauthctl: could not write to standard output%s%s\n", errno ? ": " : "",
                errno ? strerror(errno) : "");
    return failed && !status ? 1 : status;
}

int main(int argc, char **argv)
{
    apr_initialize();
    atexit(apr_terminate);
    return finish(run(argc - 1, argv + 1));
}
