/* SPDX-License-Identifier: Apache-2.0 */
/* The commands `token decode` and `token encode`. */
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "base/secret.h"
#include "ctl/commands.h"
#include "ctl/options.h"
#include "ctl/print.h"
#include "session/keyring.h"

#define DAY (24L * 3600)
#define YEARS_10 (3650 * DAY)

typedef struct call {
    const char *secret_file, *salt;
    const char *input; /* NULL for standard input */
    na_dialect dialect;
    long max_age;
} call;

/* Returns a usage error, or NULL. */
static const char *read_options(apr_pool_t *pool, int argc, char **argv, call *c)
{
    const char *const *operands, *max_age = NULL;
    int is_v5 = 0;
    *c = (call){.max_age = 30 * DAY};
    const na_option options[] = {{"secret-file", 'f', .text = &c->secret_file},
                                 {"salt", 's', .text = &c->salt},
                                 {"v5", '5', .flag = &is_v5},
                                 {"max-age", 'm', .text = &max_age},
                                 {0}};
    int count = na_ctl_options(pool, argc, argv, options, &operands);
    if (count < 0 || count > 1 || !c->secret_file)
        return "expected --secret-file FILE and at most one argument";
    if (max_age && !na_ctl_number(max_age, 1, YEARS_10, &c->max_age))
        return "--max-age requires a number of seconds from 1 to 315360000";
    c->dialect = is_v5 ? NA_V5 : NA_V4;
    if (!c->salt)
        c->salt = is_v5 ? "authjs.session-token" : "";
    c->input = count ? operands[0] : NULL;
    return NULL;
}

static na_error *make_ring(apr_pool_t *pool, const call *c, na_keyring *ring)
{
    char *secret;
    NA_TRY(na_secret_read(pool, c->secret_file, &secret));
    const char *const secrets[] = {secret};
    return na_keyring_derive(pool, c->dialect, secrets, 1, c->salt, ring);
}

/* A token is a secret: it is the session. */
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
    NA_TRY(na_json_parse(pool, NA_ERR_SESSION, text, strlen(text), &claims));
    if (!json_is_object(claims))
        return na_error_new(pool, NA_ERR_SESSION, "invalid claims: expected a JSON object");
    NA_TRY(na_keyring_seal(pool, &ring, claims, apr_time_now(), c->max_age, &token));
    *output = token;
    return NULL;
}

typedef na_error *action(apr_pool_t *pool, const call *c, const char **output);

static int run(apr_pool_t *pool, int argc, char **argv, action *act, const char *command)
{
    call c;
    const char *output = NULL;
    const char *fault = read_options(pool, argc, argv, &c);
    if (fault)
        return na_ctl_wrong_call(command, fault);
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
