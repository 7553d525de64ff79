/* SPDX-License-Identifier: Apache-2.0 */
/* The adapter for a URL: SQL's, or one in a shared object. */
#include "sql/adapters.h"

#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "sql/adapter.h"

static const char *const sql_schemes[] = {"postgresql://", "postgres://", "mysql://",
                                          "mariadb://",    "sqlite:",     "file:"};

/* Packages of the libraries that our own shared objects need. */
static const struct {
    const char *name, *package;
} packages[] = {{"mongodb", "libmongoc-1.0-0"}};

#define NAME_MAX_LEN 32

/* ── shared objects ────────────────────────────────────────────────────────────────────────── */

/*
 * Any other scheme NAME:// or NAME+…:// is that of mod_nextauth_NAME.so, whose symbol
 * na_NAME_adapter is an na_adapter. Returns NULL if the URL has no such name.
 */
static const char *name_of(apr_pool_t *pool, const char *url)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    size_t len = strspn(url, letters);
    const char *end = url + len + (url[len] == '+' ? 1 + strspn(url + len + 1, letters) : 0);
    return len && len <= NAME_MAX_LEN && strncmp(end, "://", 3) == 0
               ? apr_pstrmemdup(pool, url, len)
               : NULL;
}

/* Returns the directory of the file that this function is in: httpd's module, or nextauthctl. */
static const char *own_directory(apr_pool_t *pool)
{
    Dl_info info;
    const char *slash = dladdr(&packages, &info) ? strrchr(info.dli_fname, '/') : NULL;
    return slash ? apr_pstrmemdup(pool, info.dli_fname, (apr_size_t)(slash - info.dli_fname))
                 : NULL;
}

/* nextauthctl is not installed beside the modules. */
static const char *find_file(apr_pool_t *pool, const char *file)
{
    const char *own = own_directory(pool);
    const char *path = own ? apr_pstrcat(pool, own, "/", file, NULL) : NULL;
    return path && access(path, R_OK) == 0 ? path
                                           : apr_pstrcat(pool, NA_MODULES_DIR "/", file, NULL);
}

static na_error *cannot_load(apr_pool_t *pool, const char *name, const char *file, const char *why)
{
    const char *package = "";
    for (size_t i = 0; i < sizeof packages / sizeof *packages; i++)
        if (strcmp(packages[i].name, name) == 0)
            package = apr_pstrcat(pool, ", and ", packages[i].package, " (Debian)", NULL);
    return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION, "could not load %s: %s",
                                           file, why),
                              apr_psprintf(pool, "install %s of this version of mod_nextauth%s",
                                           file, package));
}

/*
 * httpd unloads its modules with each configuration, but libraries that have threads cannot be
 * unloaded: the object stays.
 */
static na_error *load(apr_pool_t *pool, const char *name, const na_adapter **adapter)
{
    const char *file = apr_pstrcat(pool, "mod_nextauth_", name, ".so", NULL);
    void *handle = dlopen(find_file(pool, file), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle)
        return cannot_load(pool, name, file, dlerror());
    *adapter = dlsym(handle, apr_pstrcat(pool, "na_", name, "_adapter", NULL));
    if (!*adapter)
        return cannot_load(pool, name, file, "it has no adapter");
    return (*adapter)->version == NA_ADAPTER_VERSION
               ? NULL
               : cannot_load(pool, name, file, "it belongs to another version");
}

/* A scheme for which there is nothing is more likely an error in the URL. */
static int may_be_loaded(apr_pool_t *pool, const char *name)
{
    for (size_t i = 0; i < sizeof packages / sizeof *packages; i++)
        if (strcmp(packages[i].name, name) == 0)
            return 1;
    return access(find_file(pool, apr_pstrcat(pool, "mod_nextauth_", name, ".so", NULL)), R_OK) ==
           0;
}

static na_error *unknown_scheme(apr_pool_t *pool)
{
    return na_error_new(
        pool, NA_ERR_CONFIGURATION,
        "invalid URL: expected postgresql://, mysql://, sqlite:PATH, or mongodb://");
}

na_error *na_adapter_of_url(apr_pool_t *pool, const char *url, const na_adapter **adapter)
{
    *adapter = &na_sql_adapter;
    for (size_t i = 0; i < sizeof sql_schemes / sizeof *sql_schemes; i++)
        if (strncmp(url, sql_schemes[i], strlen(sql_schemes[i])) == 0)
            return NULL;
    const char *name = name_of(pool, url);
    return name && may_be_loaded(pool, name) ? load(pool, name, adapter) : unknown_scheme(pool);
}
