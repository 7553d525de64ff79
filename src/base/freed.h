/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is wiped as it is freed. */
#ifndef NA_BASE_FREED_H
#define NA_BASE_FREED_H

/*
 * From here on, what Jansson and libcurl free in this process is wiped first: texts of JSON, what
 * their parsers and buffers grew out of, headers, bodies of calls. The memory stays malloc's, so
 * that others who use the same libraries go on as before. Once, before threads and before
 * libcurl's first use (who used it already keeps libcurl's own); never in a process that may
 * unload this module, as both libraries keep the functions.
 */
void na_wipe_what_is_freed(void);

#endif
