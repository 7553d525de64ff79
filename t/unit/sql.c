/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <apr_atomic.h>
#include <apr_strings.h>

#include "base/crypto.h"
#include "db/database.h"
#include "sql/adapters.h"
#include "sql/records.h"
#include "tap.h"
#include "threads_kit.h"

/*
 * What SQL's adapter is made of: transactions, statements that fail, locks and connections, against
 * the database that NEXTAUTH_TEST_DATABASE names: an address and a schema.
 */

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))
#define ROUNDS 10
#define NOW APR_INT64_C(1790000000123)

static na_breaker_state health;
static na_breaker breaker = {.name = "the database", .health = &health};
static na_db_options options;
static na_db *db;

/* One operation, which calls its use `use`, in a transaction of its own. */
#define WRITE(operation)                                                                           \
    __extension__({                                                                                \
        na_db_use *use = NULL;                                                                     \
        na_error *begun = na_sql_write(db->self, pool, &use);                                      \
        begun ? begun : na_sql_end(use, operation);                                                \
    })

static na_error *open_database(apr_pool_t *pool, const char *setting)
{
    char *state, *text = apr_pstrdup(pool, setting);
    const char *url = apr_strtok(text, " ", &state), *name = apr_strtok(NULL, " ", &state);
    const na_adapter *adapter;
    NA_TRY(na_adapter_of_url(pool, url, &adapter));
    NA_TRY(na_db_options_parse(pool, adapter, url, ".", &options));
    NA_TRY(na_db_options_set_schema(pool, name, &options));
    return na_db_open(pool, &options, &breaker, &db);
}

/* Nothing is there before, however often this runs. */
static const char *unique(apr_pool_t *pool, const char *before)
{
    return apr_pstrcat(pool, before, na_random_hex(pool, 8), NULL);
}

static na_db_user new_user(apr_pool_t *pool)
{
    na_db_user user = {.name = "Ada",
                       .email = apr_pstrcat(pool, unique(pool, "ada"), "@example.org", NULL),
                       .email_verified = NOW};
    if (!succeeds(WRITE(na_sql_create_user(use, &user)), "a user is made"))
        exit(1);
    return user;
}

static void forget(apr_pool_t *pool, const na_db_user *user)
{
    succeeds(WRITE(na_sql_delete_user(use, user->id)), "the user is deleted");
}

static void user_is(apr_pool_t *pool, const na_db_user *expected, const char *name)
{
    na_db_user user = {0};
    int found = 0;
    succeeds(WRITE(na_sql_get_user(use, expected->id, &user, &found)), "a user is asked for");
    ok(found && strcmp(user.name, expected->name) == 0, "%s", name);
}

/* ── transactions and threads ──────────────────────────────────────────────────────────────── */

static void rolled_back(apr_pool_t *pool)
{
    na_db_use *transaction;
    na_db_user ada = {.name = "Ada", .email = unique(pool, "rolled")}, user;
    na_db_user eve = new_user(pool), changed = eve;
    int found = -1;
    changed.name = "Changed";
    if (!succeeds(na_sql_write(db->self, pool, &transaction), "a transaction begins"))
        return;
    succeeds(na_sql_create_user(transaction, &ada), "in which a user is made");
    succeeds(na_sql_update_user(transaction, &changed), "and another one changed");
    na_error *reason = na_error_new(pool, NA_ERR_CALLBACK, "somebody does not like it");
    ok(na_sql_end(transaction, reason) == reason, "it ends with an error");
    succeeds(WRITE(na_sql_get_user_by_email(use, ada.email, &user, &found)),
             "the user is asked for");
    is_number(found, 0, "and was never made");
    user_is(pool, &eve, "nor was the other one changed");
    forget(pool, &eve);
}

/* ── statements that fail ──────────────────────────────────────────────────────────────────── */

/* What a statement may fail of: a row that is there, and a table that is not. */
static const struct {
    const char *what, *name, *text;
} failing[] = {{"a row twice", "tests_twice", NULL},
               {"no such table", "tests_nowhere", "INSERT INTO nextauth_nowhere VALUES (%s, %s)"}};

static na_error *grant(na_db_use *use, const char *id, const char *role, int how)
{
    static const char add[] = "INSERT INTO nextauth_roles (user_id, role) VALUES (%s, %s)";
    const char *arguments[] = {id, role};
    NA_TRY(na_sql_change_text(use, "tests_add", add, 2, arguments, NULL));
    return na_sql_change_text(use, failing[how].name, failing[how].text ? failing[how].text : add,
                              2, arguments, NULL);
}

static int has_role(apr_pool_t *pool, const char *id, const char *role)
{
    const na_db_who who = {.id = id, .current = 1};
    na_db_person person;
    int found = 0;
    succeeds(na_db_find(db, pool, &who, &person, &found), "roles are asked for");
    for (int i = 0; found && i < person.roles->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(person.roles, i, const char *), role) == 0)
            return 1;
    return 0;
}

typedef struct failing_work {
    const char *id;
    int how;   /* of failing */
    int tries; /* that were made */
} failing_work;

static na_error *ignore_failure(void *data, na_db_use *use)
{
    failing_work *w = data;
    NA_TRY(na_sql_grant_role(use, w->id, apr_psprintf(na_sql_pool(use), "try-%d", ++w->tries)));
    if (w->tries == 1)
        grant(use, w->id, "ignored", w->how);
    return NULL;
}

/* Who ignores that is told at the end, and it can be done again. */
static void ignored_failures(apr_pool_t *pool, int how)
{
    na_db_user ada = new_user(pool);
    failing_work work = {ada.id, how, 0};
    na_error *error = WRITE(ignore_failure(&work, use));
    ok(na_error_is(error, NA_ERR_CONFLICT) && error->cause,
       "%s: what was rolled back is no success", failing[how].what);
    ok(!has_role(pool, ada.id, "try-1") && !has_role(pool, ada.id, "ignored"), "nothing is left");
    work.tries = 0;
    succeeds(na_sql_transact(db->self, pool, ignore_failure, &work), "it is tried again");
    ok(work.tries == 2 && has_role(pool, ada.id, "try-2") && !has_role(pool, ada.id, "try-1"),
       "and the second try is what there is");
    forget(pool, &ada);
}

static na_error *fail(void *data, na_db_use *use)
{
    const failing_work *w = data;
    return grant(use, w->id, "tried", w->how);
}

static na_error *succeed(void *data, na_db_use *use)
{
    const failing_work *w = data;
    return na_sql_grant_role(use, w->id, "granted");
}

static na_error *go_on(na_db_use *use, failing_work *w)
{
    NA_TRY(na_sql_grant_role(use, w->id, "before"));
    for (int i = 0; i < 2; i++)
        ok(na_sql_try(use, fail, w) != NULL, "%s: what may fail does", failing[w->how].what);
    NA_TRY(na_sql_try(use, succeed, w));
    return na_sql_grant_role(use, w->id, "after");
}

static void contained_failures(apr_pool_t *pool, int how)
{
    na_db_user ada = new_user(pool);
    failing_work work = {ada.id, how, 0};
    na_error *reason = na_error_new(pool, NA_ERR_CALLBACK, "somebody does not like it");
    succeeds(WRITE(go_on(use, &work)), "the transaction goes on");
    ok(has_role(pool, ada.id, "before") && has_role(pool, ada.id, "after"), "all else is done");
    ok(has_role(pool, ada.id, "granted"), "so is what might have failed, and did not");
    ok(!has_role(pool, ada.id, "tried"), "what failed is undone, all of it");
    forget(pool, &ada);
    ada = new_user(pool);
    work.id = ada.id;
    ok(WRITE((go_on(use, &work), reason)) == reason, "another error ends it");
    ok(!has_role(pool, ada.id, "before") && !has_role(pool, ada.id, "granted"), "with all of it");
    forget(pool, &ada);
}

static na_error *lose(void *data, na_db_use *use)
{
    NA_TRY(na_sql_execute(use, "ROLLBACK"));
    return na_error_new(na_sql_pool(use), NA_ERR_CALLBACK, "as in a deadlock");
}

static na_error *go_on_without(na_db_use *use, failing_work *w)
{
    NA_TRY(na_sql_grant_role(use, w->id, "before"));
    ok(na_sql_try(use, lose, w) != NULL, "the whole transaction is lost on the way");
    return NULL;
}

static void lost_transaction(apr_pool_t *pool)
{
    na_db_user ada = new_user(pool);
    failing_work work = {ada.id, 0, 0};
    ok(WRITE(go_on_without(use, &work)) != NULL, "which is no success");
    health = (na_breaker_state){0}; /* not every engine can tell that from a server that is gone */
    is_number(has_role(pool, ada.id, "before"), 0, "nothing is left");
    forget(pool, &ada);
}

static void failures(apr_pool_t *pool)
{
    for (int how = 0; how < COUNT(failing); how++) {
        ignored_failures(pool, how);
        contained_failures(pool, how);
    }
    lost_transaction(pool);
}

static na_error *add_one(na_db_use *use, const char *id)
{
    na_db_user user;
    int found;
    NA_TRY(na_sql_lock(use, "a counter of tests"));
    NA_TRY(na_sql_get_user(use, id, &user, &found));
    user.name = apr_itoa(na_sql_pool(use), atoi(user.name) + 1);
    return na_sql_update_user(use, &user);
}

static na_error *count(apr_pool_t *pool, void *data, int *result)
{
    for (int i = 0; i < ROUNDS; i++)
        NA_TRY(WRITE(add_one(use, data)));
    return NULL;
}

static void locks(apr_pool_t *pool)
{
    worker workers[THREADS];
    na_db_user counter = new_user(pool);
    counter.name = "0";
    succeeds(WRITE(na_sql_update_user(use, &counter)), "a counter is made");
    together(pool, workers, count, (void *)counter.id);
    for (int i = 0; i < THREADS; i++)
        succeeds(workers[i].error, "a thread counts under a lock");
    counter.name = apr_itoa(pool, THREADS * ROUNDS);
    user_is(pool, &counter, "none of them loses a count");
    dismiss(workers);
    forget(pool, &counter);
}

#define SCARCE_MS 300
#define HELD_MS 500

static na_error *hold(apr_pool_t *pool, void *data, int *result)
{
    na_db_use *use;
    na_db_user user;
    NA_TRY(na_sql_read(((na_db *)data)->self, pool, &use));
    apr_sleep(HELD_MS * 1000);
    return na_sql_end(use, na_sql_get_user(use, "1", &user, result));
}

static void scarcity(apr_pool_t *pool)
{
    worker workers[THREADS];
    na_db_options scarce = options;
    na_db *narrow;
    int done = 0, busy = 0;
    scarce.max_connections = 2;
    scarce.timeout_ms = SCARCE_MS;
    if (!succeeds(na_db_open(pool, &scarce, &breaker, &narrow), "a database of two connections"))
        return;
    apr_time_t start = apr_time_now();
    together(pool, workers, hold, narrow);
    for (int i = 0; i < THREADS; i++) {
        done += !workers[i].error;
        busy += na_error_is(workers[i].error, NA_ERR_BUSY);
    }
    ok(done >= 2 && done + busy == THREADS,
       "as many as there are work, others are told it is busy");
    ok(busy > 0 && apr_time_now() - start < apr_time_from_sec(5), "and nobody hangs");
    is_number(health.failures, 0, "which does not speak against the database");
    dismiss(workers);
    together(pool, workers, hold, narrow);
    done = 0;
    for (int i = 0; i < THREADS; i++)
        done += !workers[i].error;
    ok(done >= 2, "connections are given back, and used again");
    dismiss(workers);
}

/* ── tables that others redefine ───────────────────────────────────────────────────────────── */

/* Each of several connections has a statement, whose table another process then redefines. */
static na_error *read_on_each(apr_pool_t *pool, const char *id)
{
    na_db_use *uses[3];
    na_db_user user;
    int found;
    for (int i = 0; i < COUNT(uses); i++)
        NA_TRY(na_sql_read(db->self, pool, &uses[i]));
    for (int i = 0; i < COUNT(uses); i++)
        NA_TRY(na_sql_end(uses[i], na_sql_get_user(uses[i], id, &user, &found)));
    return NULL;
}

static na_error *redefine(apr_pool_t *pool)
{
    na_db *other;
    na_db_use *use;
    NA_TRY(na_db_open(pool, &options, &breaker, &other));
    NA_TRY(na_sql_write(other->self, pool, &use));
    na_error *error = na_sql_execute(use, "CREATE TABLE nextauth_redefined (id INTEGER)");
    if (!error)
        error = na_sql_execute(use, "DROP TABLE nextauth_redefined");
    return na_sql_end(use, error);
}

static void redefined(apr_pool_t *pool)
{
    na_db_user ada = new_user(pool), user;
    na_db_use *use;
    int found = 0;
    succeeds(read_on_each(pool, ada.id), "a user is read on several connections");
    succeeds(redefine(pool), "tables are redefined");
    if (succeeds(na_sql_read(db->self, pool, &use), "the next"))
        succeeds(na_sql_end(use, na_sql_get_user(use, ada.id, &user, &found)), "is read again");
    is_number(found, 1, "whatever connection it was");
    forget(pool, &ada);
}

#define DEFINITIONS 50

typedef struct redefinition {
    const char *id; /* of a user who is read meanwhile */
    apr_uint32_t begun, over;
} redefinition;

/* One thread redefines again and again, so that a read can meet a new definition at each step. */
static na_error *redefine_or_read(apr_pool_t *pool, void *data, int *result)
{
    redefinition *r = data;
    na_error *error = NULL;
    if (apr_atomic_inc32(&r->begun) == 0) {
        for (int i = 0; i < DEFINITIONS && !error; i++)
            error = redefine(pool);
        apr_atomic_set32(&r->over, 1);
        return error;
    }
    while (!error && !apr_atomic_read32(&r->over)) {
        na_db_use *use;
        na_db_user user;
        int found = 0;
        NA_TRY(na_sql_read(db->self, pool, &use));
        error = na_sql_end(use, na_sql_get_user(use, r->id, &user, &found));
        *result += !found;
    }
    return error;
}

static void redefined_all_the_time(apr_pool_t *pool)
{
    worker workers[THREADS];
    na_db_user ada = new_user(pool);
    redefinition r = {.id = ada.id};
    int lost = 0;
    together(pool, workers, redefine_or_read, &r);
    for (int i = 0; i < THREADS; i++) {
        succeeds(workers[i].error, "a thread works while tables are redefined");
        lost += workers[i].result;
    }
    is_number(lost, 0, "and finds the user each time");
    dismiss(workers);
    forget(pool, &ada);
}

int main(void)
{
    const char *setting = getenv("NEXTAUTH_TEST_DATABASE");
    if (!setting)
        skip_all("NEXTAUTH_TEST_DATABASE names no database");
    apr_pool_t *pool = tap_start();
    if (!succeeds(open_database(pool, setting), "a database is made"))
        return tap_done();
    rolled_back(pool);
    failures(pool);
    locks(pool);
    scarcity(pool);
    redefined(pool);
    redefined_all_the_time(pool);
    return tap_done();
}
