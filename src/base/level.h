/* SPDX-License-Identifier: Apache-2.0 */
/* Levels of the log. */
#ifndef NA_BASE_LEVEL_H
#define NA_BASE_LEVEL_H

/* How much a line of the log matters. */
typedef enum na_level { NA_LOG_ERROR, NA_LOG_WARNING, NA_LOG_INFO, NA_LOG_DEBUG } na_level;

#endif
