/* SPDX-License-Identifier: Apache-2.0 */
/* Wipes memory when it is freed. */
#ifndef NA_BASE_FREED_H
#define NA_BASE_FREED_H

/*
 * Makes Jansson and libcurl wipe all memory that they free in this process: texts of JSON, outgrown
 * buffers, headers, bodies of calls. The memory remains malloc's, so that other users of these
 * libraries are not affected. Must be called once, before threads start and before libcurl is first
 * used (otherwise libcurl keeps its own functions); never in a process that might unload this
 * module, because both libraries keep the functions.
 */
void na_wipe_what_is_freed(void);

#endif
