/* SPDX-License-Identifier: Apache-2.0 */
/* Where the lines of users are in password files. */
#include "password/htpasswd_index.h"

#include <stdlib.h>
#include <string.h>

#include <apr_thread_mutex.h>

/*
 * Seconds that a file must be unchanged before it is indexed. File systems count time in steps, of
 * up to two seconds: a change within the step of the previous one does not show in the file's
 * times.
 */
#define SETTLED 2

typedef struct indexed_file {
    char *path; /* NULL if unused */
    struct stat state;
    apr_uint64_t used; /* the index's clock at the last use */
    apr_off_t costliest;
    na_htpasswd_entry *entries; /* sorted by name, those of a name by line */
    int count;
} indexed_file;

struct na_htpasswd_index {
    apr_thread_mutex_t *lock;
    apr_uint64_t clock;
    indexed_file files[NA_HTPASSWD_FILES_MAX];
};

/* FNV-1a. Users with one hash are distinguished by their lines. */
apr_uint64_t na_htpasswd_name_hash(const char *name)
{
    apr_uint64_t hash = APR_UINT64_C(14695981039346656037);
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * APR_UINT64_C(1099511628211);
    return hash;
}

static void clear_file(indexed_file *file)
{
    free(file->path);
    free(file->entries);
    *file = (indexed_file){0};
}

static apr_status_t clear_index(void *data)
{
    na_htpasswd_index *index = data;
    for (int i = 0; i < NA_HTPASSWD_FILES_MAX; i++)
        clear_file(&index->files[i]);
    return APR_SUCCESS;
}

na_error *na_htpasswd_index_make(apr_pool_t *pool, na_htpasswd_index **made)
{
    na_htpasswd_index *index = apr_pcalloc(pool, sizeof *index);
    if (apr_thread_mutex_create(&index->lock, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "could not create the mutex of password files");
    apr_pool_cleanup_register(pool, index, clear_index, apr_pool_cleanup_null);
    *made = index;
    return NULL;
}

static int is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

int na_htpasswd_is_same_state(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           is_same_time(a->st_mtim, b->st_mtim) && is_same_time(a->st_ctim, b->st_ctim);
}

static indexed_file *find_file(na_htpasswd_index *index, const char *path)
{
    for (int i = 0; i < NA_HTPASSWD_FILES_MAX; i++)
        if (index->files[i].path && strcmp(index->files[i].path, path) == 0)
            return &index->files[i];
    return NULL;
}

/* Returns the first entry of a name, or the place where it would be. */
static int first_of(const indexed_file *file, apr_uint64_t name)
{
    int low = 0, high = file->count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (file->entries[middle].name < name)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Returns 0 if there are more lines than fit. */
static int copy_lines(const indexed_file *file, const char *user, na_htpasswd_lines *lines)
{
    const int most = sizeof lines->users / sizeof *lines->users;
    apr_uint64_t name = na_htpasswd_name_hash(user);
    *lines = (na_htpasswd_lines){.costliest = file->costliest};
    for (int i = first_of(file, name); i < file->count && file->entries[i].name == name; i++) {
        if (lines->count == most)
            return 0;
        lines->users[lines->count++] = file->entries[i].line;
    }
    return 1;
}

int na_htpasswd_index_find(na_htpasswd_index *index, const char *path, const struct stat *state,
                           const char *user, na_htpasswd_lines *lines)
{
    apr_thread_mutex_lock(index->lock);
    indexed_file *file = find_file(index, path);
    int found =
        file && na_htpasswd_is_same_state(&file->state, state) && copy_lines(file, user, lines);
    if (found)
        file->used = ++index->clock;
    apr_thread_mutex_unlock(index->lock);
    return found;
}

static int compare_entries(const void *a, const void *b)
{
    const na_htpasswd_entry *one = a, *other = b;
    if (one->name != other->name)
        return one->name < other->name ? -1 : 1;
    return one->line < other->line ? -1 : one->line > other->line;
}

static indexed_file *least_used(na_htpasswd_index *index)
{
    indexed_file *least = &index->files[0];
    for (int i = 1; i < NA_HTPASSWD_FILES_MAX; i++)
        if (index->files[i].used < least->used)
            least = &index->files[i];
    return least;
}

void na_htpasswd_index_put(na_htpasswd_index *index, const char *path, const struct stat *state,
                           apr_time_t now, apr_array_header_t *entries, apr_off_t costliest)
{
    apr_size_t size = (apr_size_t)entries->nelts * sizeof(na_htpasswd_entry);
    if (entries->nelts > NA_HTPASSWD_USERS_MAX ||
        state->st_ctim.tv_sec > apr_time_sec(now) - SETTLED)
        return;
    indexed_file made = {.path = strdup(path),
                         .state = *state,
                         .costliest = costliest,
                         .entries = malloc(size ? size : 1),
                         .count = entries->nelts};
    if (!made.path || !made.entries) {
        clear_file(&made);
        return;
    }
    memcpy(made.entries, entries->elts, size);
    qsort(made.entries, (size_t)made.count, sizeof *made.entries, compare_entries);
    apr_thread_mutex_lock(index->lock);
    indexed_file *file = find_file(index, path);
    if (!file)
        file = least_used(index);
    clear_file(file);
    made.used = ++index->clock;
    *file = made;
    apr_thread_mutex_unlock(index->lock);
}
