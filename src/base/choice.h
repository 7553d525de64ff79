/* SPDX-License-Identifier: Apache-2.0 */
/* A choice of a user, who might not have made it. */
#ifndef NA_BASE_CHOICE_H
#define NA_BASE_CHOICE_H

typedef enum na_choice { NA_UNSAID, NA_NO, NA_YES } na_choice;

#endif
