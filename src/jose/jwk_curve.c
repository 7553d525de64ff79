/* SPDX-License-Identifier: Apache-2.0 */
/* The curves of EC keys. */
#include "jose/jwk_curve.h"

#include <string.h>

static const na_curve curves[] = {
    {"P-256", "prime256v1", 32},
    {"P-384", "secp384r1", 48},
    {"P-521", "secp521r1", 66},
};

const na_curve *na_curve_find(const char *name)
{
    for (size_t i = 0; name && i < sizeof curves / sizeof *curves; i++)
        if (strcmp(name, curves[i].crv) == 0 || strcmp(name, curves[i].group) == 0)
            return &curves[i];
    return NULL;
}
