/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_getopt.h>
#include <apr_strings.h>

#include "base/envfile.h"
#include "base/json.h"
#include "ctl/commands.h"
#include "session/keyring.h"

#define INPUT_MAX (64 * 1024)

typedef struct call {
    const char *secret_file, *salt, *input;
    na_dialect dialect;
    long max_age;
} call;

static int fail(apr_pool_t *pool, const na_error *error)
{
    fprintf(stderr, "nextauthctl: %s\n", na_error_text(pool, error));
    return 1;
}

static const char *read_input(apr_pool_t *pool)
{
    char *text = apr_palloc(pool, INPUT_MAX + 1);
    size_t len = fread(text, 1, INPUT_MAX, stdin);
    while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    text[len] = '\0';
    return text;
}

static int read_options(apr_pool_t *pool, int argc, char **argv, call *c)
{
    static const apr_getopt_option_t options[] = {{"secret-file", 'f', 1, "file with the secret"},
                                                  {"salt", 's', 1, "salt"},
                                                  {"v5", '5', 0, "Auth.js v5"},
                                                  {"max-age", 'm', 1, "seconds"},
                                                  {NULL, 0, 0, NULL}};
    apr_getopt_t *parser;
    const char *value;
    int option;
    apr_status_t status;
    *c = (call){.max_age = 30L * 24 * 3600};
    apr_getopt_init(&parser, pool, argc, (const char *const *)argv);
    while ((status = apr_getopt_long(parser, options, &option, &value)) == APR_SUCCESS) {
        if (option == 'f')
            c->secret_file = value;
        if (option == 's')
            c->salt = value;
        if (option == '5')
            c->dialect = NA_V5;
        if (option == 'm')
            c->max_age = strtol(value, NULL, 10);
    }
    if (status != APR_EOF || !c->secret_file || parser->ind + 1 < argc) {
        fprintf(stderr,
                "nextauthctl token: --secret-file FILE is wanted; see nextauthctl --help\n");
        return 0;
    }
    if (!c->salt)
        c->salt = c->dialect == NA_V5 ? "authjs.session-token" : "";
    c->input = parser->ind < argc ? argv[parser->ind] : read_input(pool);
    return 1;
}

static na_error *make_ring(apr_pool_t *pool, const call *c, na_keyring *ring)
{
    char *secret;
    NA_TRY(na_secret_file_read(pool, c->secret_file, &secret));
    secret[strcspn(secret, "\r\n")] = '\0';
    const char *const secrets[] = {secret};
    return na_keyring_derive(pool, c->dialect, secrets, 1, c->salt, ring);
}

int na_command_token_decode(apr_pool_t *pool, int argc, char **argv)
{
    call c;
    na_keyring ring;
    json_t *claims;
    if (!read_options(pool, argc, argv, &c))
        return 2;
    na_error *error = make_ring(pool, &c, &ring);
    if (!error)
        error = na_keyring_open(pool, &ring, na_bytes_of(c.input), apr_time_now(), &claims);
    if (error)
        return fail(pool, error);
    printf("%s\n", na_json_dump(pool, claims));
    return 0;
}

int na_command_token_encode(apr_pool_t *pool, int argc, char **argv)
{
    call c;
    na_keyring ring;
    json_t *claims;
    char *token;
    if (!read_options(pool, argc, argv, &c))
        return 2;
    na_error *error = make_ring(pool, &c, &ring);
    if (!error)
        error = na_json_parse(pool, NA_SESSION, c.input, strlen(c.input), &claims);
    if (!error && !json_is_object(claims))
        error = na_error_new(pool, NA_SESSION, "claims are a JSON object");
    if (!error)
        error = na_keyring_seal(pool, &ring, claims, apr_time_now(), c.max_age, &token);
    if (error)
        return fail(pool, error);
    printf("%s\n", token);
    return 0;
}
