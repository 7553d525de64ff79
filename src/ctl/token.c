/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/envfile.h"
#include "base/json.h"
#include "ctl/commands.h"
#include "ctl/options.h"
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
    const char *const *operands, *max_age = NULL;
    int is_v5 = 0;
    *c = (call){.max_age = 30L * 24 * 3600};
    const na_option options[] = {{"secret-file", 'f', .text = &c->secret_file},
                                 {"salt", 's', .text = &c->salt},
                                 {"v5", '5', .flag = &is_v5},
                                 {"max-age", 'm', .text = &max_age},
                                 {0}};
    int count = na_ctl_options(pool, argc, argv, options, &operands);
    if (count < 0 || count > 1 || !c->secret_file) {
        fprintf(stderr,
                "nextauthctl token: --secret-file FILE is wanted; see nextauthctl --help\n");
        return 0;
    }
    c->dialect = is_v5 ? NA_V5 : NA_V4;
    if (!c->salt)
        c->salt = is_v5 ? "authjs.session-token" : "";
    if (max_age)
        c->max_age = strtol(max_age, NULL, 10);
    c->input = count ? operands[0] : read_input(pool);
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
