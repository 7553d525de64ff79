/* SPDX-License-Identifier: Apache-2.0 */
/* The adapter for a URL: SQL's, or one in a shared object. */
#include "sql/adapters.h"

#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "sql/adapter.h"

/* An adapter that needs a library of its own, which not every server has. */
typedef struct shared_object {
    const char *file;    /* beside this module */
    const char *symbol;  /* its na_adapter */
    const char *package; /* which has the library */
} shared_object;

static const shared_object mongodb = {"mod_nextauth_mongodb.so", "na_mongodb_adapter",
                                      "libmongoc-1.0-0"};

static const struct {
    const char *scheme;
    const shared_object *object; /* NULL for SQL */
} schemes[] = {{"postgresql://", NULL},  {"postgres://", NULL},       {"mysql://", NULL},
               {"mariadb://", NULL},     {"sqlite:", NULL},           {"file:", NULL},
               {"mongodb://", &mongodb}, {"mongodb+srv://", &mongodb}};

/* ── shared objects ────────────────────────────────────────────────────────────────────────── */

/* Returns the directory of the file that this function is in: httpd's module, or nextauthctl. */
static const char *own_directory(apr_pool_t *pool)
{
    Dl_info info;
    const char *slash = dladdr(&schemes, &info) ? strrchr(info.dli_fname, '/') : NULL;
    return slash ? apr_pstrmemdup(pool, info.dli_fname, (apr_size_t)(slash - info.dli_fname))
                 : NULL;
}

/* nextauthctl is not installed beside the modules. */
static const char *find_file(apr_pool_t *pool, const shared_object *object)
{
    const char *own = own_directory(pool);
    const char *path = own ? apr_pstrcat(pool, own, "/", object->file, NULL) : NULL;
    return path && access(path, R_OK) == 0
               ? path
               : apr_pstrcat(pool, NA_MODULES_DIR "/", object->file, NULL);
}

static na_error *cannot_load(apr_pool_t *pool, const shared_object *object, const char *why)
{
    return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION, "could not load %s: %s",
                                           object->file, why),
                              apr_psprintf(pool,
                                           "install %s of this version of mod_nextauth, and %s "
                                           "(Debian)",
                                           object->file, object->package));
}

/*
 * httpd unloads its modules with each configuration, but libraries that have threads cannot be
 * unloaded: the object stays.
 */
static na_error *load(apr_pool_t *pool, const shared_object *object, const na_adapter **adapter)
{
    void *handle = dlopen(find_file(pool, object), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle)
        return cannot_load(pool, object, dlerror());
    *adapter = dlsym(handle, object->symbol);
    if (!*adapter)
        return cannot_load(pool, object, "it has no adapter");
    return (*adapter)->version == NA_ADAPTER_VERSION
               ? NULL
               : cannot_load(pool, object, "it belongs to another version");
}

na_error *na_adapter_of_url(apr_pool_t *pool, const char *url, const na_adapter **adapter)
{
    *adapter = &na_sql_adapter;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strncmp(url, schemes[i].scheme, strlen(schemes[i].scheme)) == 0)
            return schemes[i].object ? load(pool, schemes[i].object, adapter) : NULL;
    return na_error_new(
        pool, NA_ERR_CONFIGURATION,
        "invalid URL: expected postgresql://, mysql://, sqlite:PATH, or mongodb://");
}
