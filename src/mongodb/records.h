/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log in the database. */
#ifndef NA_MONGODB_RECORDS_H
#define NA_MONGODB_RECORDS_H

#include "mongodb/use.h"

/* na_adapter.add_record and list_records, with an na_mongo as `self`. */
na_error *na_mongo_add_record(void *self, apr_pool_t *pool, na_db_use *use, int if_can,
                              const na_db_record *record, int *found);

na_error *na_mongo_list_records(void *self, apr_pool_t *pool, const char *user_id, int count,
                                apr_array_header_t *records);

#endif
