/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "base/secret.h"
#include "ctl/commands.h"
#include "ctl/options.h"
#include "ctl/print.h"
#include "session/keyring.h"

typedef struct call {
    const char *secret_file, *salt;
    const char *input; /* NULL: on standard input */
    na_dialect dialect;
    long max_age;
} call;

static int read_options(apr_pool_t *pool, int argc, char **argv, call *c)
{
    const char *const *operands, *max_age = NULL;
    int is_v5 = 0;
    *c = (call){.max_age = 30L * 24 * 3600};
    const na_option options[] = {{"secret-file", 'f', .text = &c->secret_file},
                                 {"salt", 's', .text = &c->salt},
                                 {"v5", '5', .flag = &is_v5},
                                 {"max-age", 'm', .text = &max_age},
                                 {0}};
    int count = na_ctl_options(pool, argc, argv, options, &operands);
    if (count < 0 || count > 1 || !c->secret_file)
        return 0;
    c->dialect = is_v5 ? NA_V5 : NA_V4;
    if (!c->salt)
        c->salt = is_v5 ? "authjs.session-token" : "";
    if (max_age)
        c->max_age = strtol(max_age, NULL, 10);
    c->input = count ? operands[0] : NULL;
    return 1;
}

static na_error *make_ring(apr_pool_t *pool, const call *c, na_keyring *ring)
{
    char *secret;
    NA_TRY(na_secret_read(pool, c->secret_file, &secret));
    const char *const secrets[] = {secret};
    return na_keyring_derive(pool, c->dialect, secrets, 1, c->salt, ring);
}

/* A token is as good as the session that it is of. */
static na_error *read_input(apr_pool_t *pool, const call *c, const char **input)
{
    char *text;
    *input = c->input;
    if (c->input)
        return NULL;
    NA_TRY(na_secret_read_stream(pool, stdin, "standard input", &text));
    *input = text;
    return NULL;
}

static na_error *decode(apr_pool_t *pool, const call *c, const char **output)
{
    const char *token;
    na_keyring ring;
    json_t *claims;
    NA_TRY(make_ring(pool, c, &ring));
    NA_TRY(read_input(pool, c, &token));
    NA_TRY(na_keyring_open(pool, &ring, na_bytes_of(token), apr_time_now(), &claims));
    *output = na_json_dump(pool, claims);
    return NULL;
}

static na_error *encode(apr_pool_t *pool, const call *c, const char **output)
{
    const char *text;
    char *token;
    na_keyring ring;
    json_t *claims;
    NA_TRY(make_ring(pool, c, &ring));
    NA_TRY(read_input(pool, c, &text));
    NA_TRY(na_json_parse(pool, NA_SESSION, text, strlen(text), &claims));
    if (!json_is_object(claims))
        return na_error_new(pool, NA_SESSION, "claims are a JSON object");
    NA_TRY(na_keyring_seal(pool, &ring, claims, apr_time_now(), c->max_age, &token));
    *output = token;
    return NULL;
}

typedef na_error *action(apr_pool_t *pool, const call *c, const char **output);

static int run(apr_pool_t *pool, int argc, char **argv, action *act, const char *command)
{
    call c;
    const char *output = NULL;
    if (!read_options(pool, argc, argv, &c))
        return na_ctl_wrong_call(command, "--secret-file FILE is wanted, and one argument at most");
    na_error *error = act(pool, &c, &output);
    if (error)
        return na_ctl_failed(pool, error);
    printf("%s\n", output);
    return 0;
}

int na_command_token_decode(apr_pool_t *pool, int argc, char **argv)
{
    return run(pool, argc, argv, decode, "token decode");
}

int na_command_token_encode(apr_pool_t *pool, int argc, char **argv)
{
    return run(pool, argc, argv, encode, "token encode");
}
