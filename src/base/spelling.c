/* SPDX-License-Identifier: Apache-2.0 */
/* Guesses which of several names was meant by a misspelled one. */
#include "base/spelling.h"

#include <string.h>

#define NAME_MAX_LEN 64

static int min_of(int a, int b)
{
    return a < b ? a : b;
}

/* Returns how many letters must be added, removed, replaced or swapped with the next. */
static int edit_distance(const char *a, const char *b)
{
    int rows[3][NAME_MAX_LEN + 1], la = (int)strlen(a), lb = (int)strlen(b);
    if (la > NAME_MAX_LEN || lb > NAME_MAX_LEN)
        return NAME_MAX_LEN;
    for (int k = 0; k <= lb; k++)
        rows[0][k] = k;
    for (int i = 1; i <= la; i++) {
        int *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        now[0] = i;
        for (int k = 1; k <= lb; k++) {
            now[k] =
                min_of(min_of(before[k], now[k - 1]) + 1, before[k - 1] + (a[i - 1] != b[k - 1]));
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                now[k] = min_of(now[k], earlier[k - 2] + 1);
        }
    }
    return rows[la % 3][lb];
}

na_spelling na_spelling_of(const char *name)
{
    return (na_spelling){.name = name, .limit = strlen(name) < 10 ? 2 : 3};
}

void na_spelling_try(na_spelling *spelling, const char *known)
{
    int distance = edit_distance(spelling->name, known);
    if (distance >= spelling->limit)
        return;
    spelling->limit = distance;
    spelling->nearest = known;
}
