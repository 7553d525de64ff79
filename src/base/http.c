/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client. */
#include "base/http.h"

#include <string.h>
#include <strings.h>

#include <apr_date.h>
#include <apr_reslist.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/pools.h"
#include "base/single_body.h"
#include "base/trust.h"
#include "base/url.h"

/* A handle that is idle longer is closed: it holds connections, and parsed CA certificates (1 MB).
 */
#define IDLE_MAX apr_time_from_sec(600)

/* Bytes that are received at once. The buffer is wiped after each call; most bodies are smaller. */
#define BUFFER_SIZE 4096L

struct na_http {
    const na_http_options *options;
    const na_http_observer *observers[NA_HTTP_OBSERVERS];
    int observer_count;
    apr_reslist_t *handles;
    na_call_limits *limits; /* NULL if none */
    CURLSH *share;
    apr_thread_mutex_t *share_locks[CURL_LOCK_DATA_LAST];
};

void na_http_global_init(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void lock_shared(CURL *handle, curl_lock_data data, curl_lock_access access, void *client)
{
    apr_thread_mutex_lock(((na_http *)client)->share_locks[data]);
}

static void unlock_shared(CURL *handle, curl_lock_data data, void *client)
{
    apr_thread_mutex_unlock(((na_http *)client)->share_locks[data]);
}

static apr_status_t close_share(void *share)
{
    curl_share_cleanup(share);
    return APR_SUCCESS;
}

static apr_status_t open_handle(void **handle, void *params, apr_pool_t *pool)
{
    *handle = curl_easy_init();
    return *handle ? APR_SUCCESS : APR_ENOMEM;
}

static apr_status_t close_handle(void *handle, void *params, apr_pool_t *pool)
{
    curl_easy_cleanup(handle);
    return APR_SUCCESS;
}

/* ── checks of options ─────────────────────────────────────────────────────────────────────── */

/*
 * Expects [scheme://][user:password@]host[:port]. Messages do not contain it, because it can have a
 * password.
 */
static na_error *check_proxy(apr_pool_t *pool, const char *proxy)
{
    static const char schemes[] = " http https socks4 socks4a socks5 socks5h ";
    char *scheme = NULL;
    CURLU *url = curl_url();
    const char *whole = strstr(proxy, "://") ? proxy : apr_pstrcat(pool, "http://", proxy, NULL);
    int known = url && curl_url_set(url, CURLUPART_URL, whole, CURLU_NON_SUPPORT_SCHEME) == 0 &&
                curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == 0 &&
                strstr(schemes, apr_pstrcat(pool, " ", scheme, " ", NULL));
    curl_free(scheme);
    curl_url_cleanup(url);
    return known ? NULL
                 : na_error_new(
                       pool, NA_ERR_CONFIGURATION,
                       "invalid proxy URL: expected http://HOST:PORT, https://, or socks5h://");
}

static na_error *check_ca_file(apr_pool_t *pool, const char *path)
{
    X509_STORE *store = X509_STORE_new();
    ERR_clear_error();
    int loaded = store && X509_STORE_load_locations(store, path, NULL) == 1;
    X509_STORE_free(store);
    return loaded ? NULL
                  : na_error_new(pool, NA_ERR_CONFIGURATION, "could not load the CA file '%s': %s",
                                 path, na_openssl_error(pool));
}

na_error *na_http_options_check(apr_pool_t *pool, const na_http_options *options)
{
    if (options->proxy && *options->proxy)
        NA_TRY(check_proxy(pool, options->proxy));
    return options->ca_file ? check_ca_file(pool, options->ca_file) : NULL;
}

/* ── creating a client ─────────────────────────────────────────────────────────────────────── */

/* Shares DNS and TLS sessions only: libcurl's shared connections are not safe between threads. */
static na_error *make_share(apr_pool_t *pool, na_http *client)
{
    for (int i = 0; i < CURL_LOCK_DATA_LAST; i++)
        if (apr_thread_mutex_create(&client->share_locks[i], APR_THREAD_MUTEX_DEFAULT, pool) !=
            APR_SUCCESS)
            return na_error_new(pool, NA_ERR_CONFIGURATION,
                                "could not create the HTTP client mutex");
    client->share = curl_share_init();
    if (!client->share)
        return na_error_new(pool, NA_ERR_CONFIGURATION, "could not create a libcurl share object");
    apr_pool_cleanup_register(pool, client->share, close_share, apr_pool_cleanup_null);
    curl_share_setopt(client->share, CURLSHOPT_LOCKFUNC, lock_shared);
    curl_share_setopt(client->share, CURLSHOPT_UNLOCKFUNC, unlock_shared);
    curl_share_setopt(client->share, CURLSHOPT_USERDATA, client);
    curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    return NULL;
}

static na_error *make_handles(apr_pool_t *pool, na_http *client)
{
    apr_pool_t *own;
    int most = client->options->max_concurrent;
    NA_TRY(na_pool_create_apart(pool, &own));
    return apr_reslist_create(&client->handles, 0, 0, most, IDLE_MAX, open_handle, close_handle,
                              NULL, own) == APR_SUCCESS
               ? NULL
               : na_error_new(pool, NA_ERR_CONFIGURATION,
                              "could not create the list of HTTP handles");
}

na_error *na_http_make(apr_pool_t *pool, const na_http_options *options, na_http **made)
{
    na_http *client = apr_pcalloc(pool, sizeof *client);
    client->options = options;
    NA_TRY(make_share(pool, client));
    NA_TRY(make_handles(pool, client));
    apr_reslist_timeout_set(client->handles, options->timeout_ms * 1000);
    *made = client;
    return NULL;
}

void na_http_observe(na_http *client, const na_http_observer *observer)
{
    if (observer && client->observer_count < NA_HTTP_OBSERVERS)
        client->observers[client->observer_count++] = observer;
}

void na_http_limit(na_http *client, na_call_limits *limits)
{
    client->limits = limits;
}

na_error *na_http_enter(const na_http *client, apr_pool_t *pool, na_call_place **place)
{
    *place = NULL;
    return client->limits ? na_call_enter(client->limits, pool, place) : NULL;
}

void na_http_leave(na_call_place *place)
{
    if (place)
        na_call_leave(place);
}

/* The body as it arrives; libcurl's own limit of the size does not cover chunked bodies. */
typedef struct received {
    apr_pool_t *pool;
    char *data;
    apr_size_t len, room, max;
} received;

static size_t receive(char *data, size_t size, size_t count, void *context)
{
    received *body = context;
    size_t len = size * count;
    if (len > body->max - body->len)
        return 0;
    if (body->len + len >= body->room) {
        body->room = 2 * (body->len + len) + 1024;
        char *grown = apr_palloc(body->pool, body->room);
        na_wipe_with_pool(body->pool, grown, body->room); /* it might contain tokens */
        if (body->len)
            memcpy(grown, body->data, body->len);
        body->data = grown;
    }
    memcpy(body->data + body->len, data, len);
    body->len += len;
    return len;
}

/* The header of a response that is looked for. */
typedef struct seen_headers {
    apr_pool_t *pool;
    const char *wanted; /* a name; NULL if none */
    const char *value;
    char date[64];
    int has_age;
} seen_headers;

static int is_named(const char *line, size_t len, const char *name)
{
    size_t name_len = strlen(name);
    return len > name_len && line[name_len] == ':' && strncasecmp(line, name, name_len) == 0;
}

/* libcurl passes one whole line at a time, including its end. */
static size_t look_at_header(char *line, size_t size, size_t count, void *context)
{
    seen_headers *seen = context;
    size_t len = size * count;
    if (is_named(line, len, "Date"))
        apr_cpystrn(seen->date, line + strlen("Date:"),
                    len - 4 < sizeof seen->date ? len - 4 : sizeof seen->date);
    seen->has_age |= is_named(line, len, "Age");
    if (seen->wanted && is_named(line, len, seen->wanted)) {
        size_t name_len = strlen(seen->wanted);
        char *value = apr_pstrmemdup(seen->pool, line + name_len + 1, len - name_len - 1);
        apr_collapse_spaces(value, value);
        seen->value = value;
    }
    return len;
}

/* The Date of a cached response is that of its creation (RFC 9111 section 5.1). */
static apr_time_t date_of(const seen_headers *seen)
{
    const char *date = seen->date + strspn(seen->date, " \t");
    return seen->has_age || !*date ? 0 : apr_date_parse_http(date);
}

/* Any host and port: this address, the same port. */
static struct curl_slist this_machine = {(char *)"::127.0.0.1:", NULL};

static void set_limits(CURL *curl, const na_http *client)
{
    const na_http_options *options = client->options;
    const char *protocols = options->allow_http ? "http,https" : "https";
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, protocols);
#else
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS,
                     options->allow_http ? CURLPROTO_HTTP | CURLPROTO_HTTPS : CURLPROTO_HTTPS);
#endif
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, BUFFER_SIZE);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, options->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, options->connect_timeout_ms);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, options->loopback ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, options->loopback ? 0L : 2L);
    if (options->loopback)
        curl_easy_setopt(curl, CURLOPT_CONNECT_TO, &this_machine);
    curl_easy_setopt(curl, CURLOPT_PROXY, options->proxy ? options->proxy : "");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, ""); /* not that of the environment */
    na_trust(curl, options->ca_file);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "mod_nextauth/" NA_VERSION);
    curl_easy_setopt(curl, CURLOPT_SHARE, client->share);
}

/* libcurl signs all headers that it is given, and the body. */
static void set_user(CURL *curl, const na_http_request *request)
{
    if (request->sigv4)
        curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, request->sigv4);
    else
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(curl, CURLOPT_USERNAME, request->user);
    curl_easy_setopt(curl, CURLOPT_PASSWORD, request->password);
}

static int ask_whether_cancelled(void *context, curl_off_t in_all, curl_off_t in,
                                 curl_off_t out_all, curl_off_t out)
{
    const na_http_request *request = context;
    return request->is_cancelled(request->data);
}

static void set_body(CURL *curl, const na_http_request *request, const char *text,
                     na_single_body *single)
{
    *single = (na_single_body){text, strlen(text), 0};
    if (!request->repeatable && !request->sigv4) {
        na_single_body_set(curl, single);
        return;
    }
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text);
    if (!request->repeatable) /* libcurl signs no other body, and repeats nothing then */
        curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
}

/* The connection is used again only for calls with the same certificate. */
static void set_certificate(CURL *curl, const na_certificate *certificate)
{
    struct curl_blob chain = {(void *)certificate->chain, strlen(certificate->chain), 0};
    struct curl_blob key = {(void *)certificate->key, strlen(certificate->key), 0};
    curl_easy_setopt(curl, CURLOPT_SSLCERT_BLOB, &chain);
    curl_easy_setopt(curl, CURLOPT_SSLKEY_BLOB, &key);
}

static struct curl_slist *set_request(CURL *curl, apr_pool_t *pool, const na_http_request *request,
                                      na_single_body *single)
{
    const char *body = request->form   ? request->form
                       : request->json ? request->json
                                       : request->body;
    const char *type = request->form   ? NULL
                       : request->json ? "application/json"
                                       : request->body_type;
    const char *accept = request->accept ? request->accept : "application/json";
    struct curl_slist *headers =
        curl_slist_append(NULL, apr_pstrcat(pool, "Accept: ", accept, NULL));
    if (request->bearer) {
        char *bearer = apr_pstrcat(pool, "Authorization: Bearer ", request->bearer, NULL);
        na_wipe_with_pool(pool, bearer, strlen(bearer));
        headers = curl_slist_append(headers, bearer);
    }
    for (const char *const *more = request->headers; more && *more; more++)
        headers = curl_slist_append(headers, *more);
    if (type)
        headers = curl_slist_append(headers, apr_pstrcat(pool, "Content-Type: ", type, NULL));
    if (request->user)
        set_user(curl, request);
    if (request->certificate)
        set_certificate(curl, request->certificate);
    if (request->is_cancelled) {
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, ask_whether_cancelled);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, request);
    }
    if (body)
        set_body(curl, request, body, single);
    else
        curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, ""); /* receive() limits what comes out */
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    return headers;
}

/* Returns NULL if no fix is known. */
static const char *hint_of(const na_http *client, apr_pool_t *pool, CURLcode code)
{
    const char *file = client->options->ca_file;
    if (code == CURLE_SSL_CACERT_BADFILE)
        return file ? apr_psprintf(pool,
                                   "check that NextAuthHTTP caFile=%s contains certificates in PEM "
                                   "and that the httpd user can read it",
                                   file)
                    : "install the system's CA certificates (ca-certificates)";
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return "set NextAuthHTTP caFile= if its certificate is from your own CA";
    return NULL;
}

static const char *words_of(CURLcode code, const na_single_body *single)
{
    return single->is_asked_again ? "the connection ended without a response"
                                  : curl_easy_strerror(code);
}

static na_error *perform(na_http *client, CURL *curl, apr_pool_t *pool, const char *host,
                         const na_http_request *request, na_http_response *response, int *timed_out)
{
    received body = {.pool = pool, .max = client->options->max_bytes};
    seen_headers seen = {.pool = pool, .wanted = request->wanted};
    na_single_body single = {0};
    curl_off_t retry_after = 0;
    set_limits(curl, client);
    struct curl_slist *headers = set_request(curl, pool, request, &single);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, look_at_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &seen);
    CURLcode code = curl_easy_perform(curl);
    *timed_out = code == CURLE_OPERATION_TIMEDOUT;
    const char *type = NULL;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &response->status);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
    response->content_type = apr_pstrdup(pool, type ? type : "");
    response->wanted = seen.value;
    response->date = date_of(&seen);
    response->retry_after = (long)retry_after;
    curl_slist_free_all(headers);
    if (code == CURLE_WRITE_ERROR)
        return na_error_new(pool, NA_ERR_CALLBACK,
                            "%s returned more than %" APR_SIZE_T_FMT " bytes", host,
                            client->options->max_bytes);
    if (code != CURLE_OK) {
        response->status = 0; /* an incomplete response does not count */
        return na_error_with_hint(na_error_new(pool, NA_ERR_CALLBACK, "calling %s failed: %s", host,
                                               words_of(code, &single)),
                                  hint_of(client, pool, code));
    }
    if (!body.data)
        body.data = apr_palloc(pool, 1);
    body.data[body.len] = '\0';
    response->body = (na_bytes){(unsigned char *)body.data, body.len};
    return NULL;
}

static na_error *call(na_http *client, apr_pool_t *pool, const char *host,
                      const na_http_request *request, na_http_response *response, int *had_room,
                      int *timed_out)
{
    void *curl;
    if (apr_reslist_acquire(client->handles, &curl) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_BUSY, "calling %s: all %d outgoing calls are busy", host,
                            client->options->max_concurrent);
    *had_room = 1;
    na_error *error = perform(client, curl, pool, host, request, response, timed_out);
    curl_easy_reset(curl);
    apr_reslist_release(client->handles, curl);
    return error;
}

long na_http_longest_ms(const na_http *client)
{
    return 2 * client->options->timeout_ms;
}

na_error *na_http_await(const na_http *client, apr_pool_t *pool, na_call_place *place,
                        const char *url)
{
    na_url parts;
    if (!place || !na_url_parse(pool, url, &parts))
        return NULL;
    return na_call_aim(place, pool, parts.origin, na_http_longest_ms(client));
}

static na_error *call_from(na_call_place *place, na_http *client, apr_pool_t *pool,
                           const char *host, const na_http_request *request,
                           na_http_response *response, int *had_room)
{
    int timed_out = 0;
    NA_TRY(na_call_aim(place, pool, host, na_http_longest_ms(client)));
    na_error *error = call(client, pool, host, request, response, had_room, &timed_out);
    if (*had_room)
        na_call_settle(place, timed_out);
    return error;
}

/* A dead provider must not use up all workers of the server: without a place, a caller gives up. */
static na_error *call_within_limits(na_http *client, apr_pool_t *pool, const char *host,
                                    const na_http_request *request, na_http_response *response,
                                    int *had_room)
{
    na_call_place *place;
    int timed_out;
    if (!client->limits)
        return call(client, pool, host, request, response, had_room, &timed_out);
    if (request->place)
        return call_from(request->place, client, pool, host, request, response, had_room);
    na_error *error = na_call_enter(client->limits, pool, &place);
    if (error)
        return na_error_wrap(pool, error, NULL, "calling %s", host);
    error = call_from(place, client, pool, host, request, response, had_room);
    na_call_leave(place);
    return error;
}

static void tell(const na_http *client, const na_http_call *call_made)
{
    for (int i = 0; i < client->observer_count; i++)
        client->observers[i]->called(client->observers[i]->data, call_made);
}

na_error *na_http_fetch(na_http *client, apr_pool_t *pool, const na_http_request *request,
                        na_http_response *response)
{
    na_url url;
    int had_room = 0;
    *response = (na_http_response){.content_type = ""};
    if (!na_url_parse(pool, request->url, &url))
        return na_error_new(pool, NA_ERR_CALLBACK, "invalid URL '%s': expected HTTP or HTTPS",
                            request->url);
    if (request->bearer && na_has_control(request->bearer))
        return na_error_new(pool, NA_ERR_CALLBACK, "the access token contains control characters");
    apr_int64_t began = na_monotonic_ns();
    na_error *error = call_within_limits(client, pool, url.origin, request, response, &had_room);
    /* over plain HTTP, the time could be anyone's */
    const na_http_call made = {.host = url.host,
                               .peer = request->peer,
                               .had_room = had_room,
                               .status = response->status,
                               .seconds = (double)(na_monotonic_ns() - began) / 1e9,
                               .date = strcmp(url.scheme, "https") == 0 ? response->date : 0};
    tell(client, &made);
    return error;
}
