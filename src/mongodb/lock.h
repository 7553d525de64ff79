/* SPDX-License-Identifier: Apache-2.0 */
/* Locks of names, for changes that no unique index protects. */
#ifndef NA_MONGODB_LOCK_H
#define NA_MONGODB_LOCK_H

#include "mongodb/client.h"

/*
 * Locks a name until the writing use ends. It is a document that only one client can insert, and
 * that counts for NA_LOCK_SECONDS, so that one whose process died ends by itself. A use must be
 * shorter than that. Fails with NA_ERR_BUSY if the name stays locked for the timeout of the
 * options.
 */
na_error *na_mongo_lock(na_db_use *use, const char *name);

#define NA_LOCK_SECONDS 60

/* Gives all locks of the use back. */
void na_mongo_unlock_all(na_db_use *use);

#endif
