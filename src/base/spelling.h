/* SPDX-License-Identifier: Apache-2.0 */
/* Guesses which of several names was meant by a misspelled one. */
#ifndef NA_BASE_SPELLING_H
#define NA_BASE_SPELLING_H

typedef struct na_spelling {
    const char *name;    /* as it was written */
    const char *nearest; /* the name that was probably meant; NULL if none is similar */
    int limit;           /* a nearer one must have fewer differences */
} na_spelling;

na_spelling na_spelling_of(const char *name);

/* Compares with one of the names that could be meant. */
void na_spelling_try(na_spelling *spelling, const char *known);

#endif
