/* SPDX-License-Identifier: Apache-2.0 */
/* Log levels. */
#ifndef NA_BASE_LEVEL_H
#define NA_BASE_LEVEL_H

/* The level of a log line. */
typedef enum na_level { NA_LOG_ERROR, NA_LOG_WARNING, NA_LOG_INFO, NA_LOG_DEBUG } na_level;

#endif
