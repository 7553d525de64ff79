/* SPDX-License-Identifier: Apache-2.0 */
/* A process's clients of MongoDB. */
#include "mongodb/client.h"

#include <signal.h>

static apr_status_t destroy_clients(void *data)
{
    na_mongo *mongo = data;
    if (mongo->clients)
        mongoc_client_pool_destroy(mongo->clients);
    mongo->clients = NULL;
    return APR_SUCCESS;
}

na_error *na_mongo_make(apr_pool_t *pool, const na_db_options *options, const na_breaker *breaker,
                        na_mongo **made)
{
    na_mongo *mongo = apr_palloc(pool, sizeof *mongo);
    *mongo = (na_mongo){.options = options, .settings = options->settings, .breaker = breaker};
    if (apr_thread_mutex_create(&mongo->mutex, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "could not create a mutex");
    apr_pool_pre_cleanup_register(pool, mongo, destroy_clients);
    *made = mongo;
    return NULL;
}

/*
 * The first client starts libmongoc's threads that watch the servers. They must not receive the
 * signals that httpd handles in a thread of its own.
 */
static mongoc_client_pool_t *start_clients(const na_db_options *options)
{
    bson_error_t error;
    sigset_t all, before;
    mongoc_uri_t *uri = na_mongo_uri(options);
    if (!uri)
        return NULL;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    mongoc_client_pool_t *clients = mongoc_client_pool_new_with_error(uri, &error);
    if (clients) {
        mongoc_client_pool_set_error_api(clients, MONGOC_ERROR_API_VERSION_2);
        mongoc_client_pool_push(clients, mongoc_client_pool_pop(clients));
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    mongoc_uri_destroy(uri);
    return clients;
}

mongoc_client_pool_t *na_mongo_clients(na_mongo *mongo)
{
    apr_thread_mutex_lock(mongo->mutex);
    if (!mongo->clients)
        mongo->clients = start_clients(mongo->options);
    mongoc_client_pool_t *clients = mongo->clients;
    apr_thread_mutex_unlock(mongo->mutex);
    return clients;
}

static apr_status_t free_document(void *document)
{
    bson_destroy(document);
    return APR_SUCCESS;
}

bson_t *na_mongo_own(const na_db_use *use, bson_t *document)
{
    apr_pool_cleanup_register(use->pool, document, free_document, apr_pool_cleanup_null);
    return document;
}
