/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a collection. */
#ifndef NA_MONGODB_STORE_H
#define NA_MONGODB_STORE_H

#include "mongodb/client.h"

/* na_adapter.store: its functions get an na_mongo as `self`. */
extern const na_store_driver na_mongo_store;

#endif
