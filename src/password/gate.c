/* SPDX-License-Identifier: Apache-2.0 */
/* Limits how many passwords a child process verifies at the same time. */
#include "password/gate.h"

#include <string.h>

#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_time.h>

/* longer names are cut, and share what is left */
#define CLIENT_SIZE 64

/* A client can have this many times the seats that are left. */
#define SHARE 3

#define WAIT apr_time_from_sec(5)

/* A check that waits or runs. */
typedef struct guest {
    char client[CLIENT_SIZE]; /* "" if free */
    apr_uint64_t ticket;
    int inside;
} guest;

struct na_password_gate {
    apr_thread_mutex_t *lock;
    apr_thread_cond_t *changed;
    int places, inside;
    int count, room; /* guests, including those that wait */
    apr_uint64_t next_ticket;
    guest *guests; /* `room` of them */
};

na_error *na_password_gate_make(apr_pool_t *pool, int places, na_password_gate **made)
{
    na_password_gate *gate = apr_pcalloc(pool, sizeof *gate);
    gate->places = places;
    gate->room = places * (1 + NA_PASSWORD_WAITING_PER_PLACE);
    gate->guests = apr_pcalloc(pool, (apr_size_t)gate->room * sizeof *gate->guests);
    if (apr_thread_mutex_create(&gate->lock, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS ||
        apr_thread_cond_create(&gate->changed, pool) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "could not create the mutex of the password checks");
    *made = gate;
    return NULL;
}

/* Counts a client's guests, or only those inside. Requires the lock. */
static int count_of(const na_password_gate *gate, const char *client, int inside)
{
    int count = 0;
    for (int i = 0; i < gate->room; i++)
        count += (!inside || gate->guests[i].inside) &&
                 strncmp(gate->guests[i].client, client, CLIENT_SIZE - 1) == 0;
    return count;
}

/* Takes a free seat; NULL if there is none or the client has its share. Requires the lock. */
static guest *admit_guest(na_password_gate *gate, const char *client)
{
    int own = count_of(gate, client, 0);
    if (gate->count == gate->room || (own && own >= SHARE * (gate->room - gate->count)))
        return NULL;
    guest *g = gate->guests;
    while (*g->client)
        g++;
    *g = (guest){.ticket = gate->next_ticket++};
    apr_cpystrn(g->client, client, sizeof g->client);
    gate->count++;
    return g;
}

static int comes_before(const na_password_gate *gate, const guest *a, const guest *b)
{
    int a_inside = count_of(gate, a->client, 1), b_inside = count_of(gate, b->client, 1);
    return a_inside != b_inside ? a_inside < b_inside : a->ticket < b->ticket;
}

/* Returns 1 if a place is free and this guest is next. Requires the lock. */
static int is_turn(const na_password_gate *gate, const guest *me)
{
    for (int i = 0; i < gate->room; i++) {
        const guest *g = &gate->guests[i];
        if (*g->client && !g->inside && g != me && comes_before(gate, g, me))
            return 0;
    }
    return gate->inside < gate->places;
}

static void dismiss_guest(na_password_gate *gate, guest *g)
{
    gate->inside -= g->inside;
    g->inside = 0;
    gate->count--;
    *g->client = '\0';
    apr_thread_cond_broadcast(gate->changed);
}

/* Waits WAIT in total, however often the thread is woken. Requires the lock. */
static void wait_for_turn(na_password_gate *gate, const guest *me)
{
    apr_time_t end = apr_time_now() + WAIT, left = WAIT;
    while (!is_turn(gate, me) && left > 0 && left <= WAIT) {
        apr_thread_cond_timedwait(gate->changed, gate->lock, left);
        left = end - apr_time_now();
    }
}

int na_password_gate_enter(na_password_gate *gate, const char *client)
{
    apr_thread_mutex_lock(gate->lock);
    guest *me = admit_guest(gate, client);
    if (me)
        wait_for_turn(gate, me);
    int entered = me && is_turn(gate, me);
    if (entered) {
        me->inside = 1;
        gate->inside++;
        apr_thread_cond_broadcast(gate->changed); /* another place might be free */
    } else if (me) {
        dismiss_guest(gate, me);
    }
    apr_thread_mutex_unlock(gate->lock);
    return entered;
}

void na_password_gate_leave(na_password_gate *gate, const char *client)
{
    apr_thread_mutex_lock(gate->lock);
    for (int i = 0; i < gate->room; i++) {
        guest *g = &gate->guests[i];
        if (!g->inside || strncmp(g->client, client, CLIENT_SIZE - 1) != 0)
            continue;
        dismiss_guest(gate, g);
        break;
    }
    apr_thread_mutex_unlock(gate->lock);
}
