/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "session/claims.h"

/* Returns the value that has as many of its name before it as the one at `index` of `of`. */
static const na_claim *counterpart(const na_claims *of, int index, const na_claims *in)
{
    const char *name = APR_ARRAY_IDX(of->list, index, na_claim).name;
    int before = 0;
    for (int i = 0; i < index; i++)
        before += strcmp(APR_ARRAY_IDX(of->list, i, na_claim).name, name) == 0;
    for (int i = 0; i < in->list->nelts; i++) {
        const na_claim *claim = &APR_ARRAY_IDX(in->list, i, na_claim);
        if (strcmp(claim->name, name) == 0 && before-- == 0)
            return claim;
    }
    return NULL;
}

/* The order of names can differ: of two equal names, the library keeps the first one's place. */
static int same(const na_claims *a, const na_claims *b)
{
    if (a->exp != b->exp || a->nbf != b->nbf || a->iat != b->iat || a->auth_time != b->auth_time ||
        a->list->nelts != b->list->nelts)
        return 0;
    for (int i = 0; i < a->list->nelts; i++) {
        const na_claim *x = &APR_ARRAY_IDX(a->list, i, na_claim), *y = counterpart(a, i, b);
        if (!y || strcmp(x->value, y->value) != 0 || x->is_element != y->is_element)
            return 0;
    }
    return 1;
}

/* Whatever the fast reader takes, the JSON library takes, and reads the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    na_claims plain, json;
    const na_bytes bytes = {(const unsigned char *)text, size};
    if (na_claims_read_plain(fuzz_pool, bytes, &plain) &&
        (na_claims_read_json(fuzz_pool, bytes, &json) || !same(&plain, &json)))
        abort();
    return 0;
}
