/* SPDX-License-Identifier: Apache-2.0 */
/* Audit records: what is recorded of an event. */
#include "audit/record.h"

#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "base/json.h"

/*
 * limits in bytes, as JSON encodes the texts; together with names, hashes, and numbers, a line
 * stays below 4,096 bytes
 */
#define USER_MAX 255
#define EMAIL_MAX 320
#define USER_NAME_MAX 200
#define ID_MAX 64
#define DETAIL_MAX 400
#define REASON_MAX 600
#define USER_AGENT_MAX 256
#define REQUEST_ID_MAX 128
#define SITE_MAX 300

/* Returns the length of a sequence of `len` bytes in JSON. */
static apr_size_t json_length(const char *p, int len)
{
    if (*p == '"' || *p == '\\' || (*p && strchr("\b\f\n\r\t", *p)))
        return 2;
    return (unsigned char)*p < 0x20 ? 6 : (apr_size_t)len;
}

static const char *clean_text(apr_pool_t *pool, const char *text, apr_size_t max)
{
    if (!text || !*text)
        return NULL;
    char *out = apr_palloc(pool, max + 1), *end = out;
    for (apr_size_t used = 0; *text;) {
        const char *from = text;
        int len = na_utf8_sequence(text);
        text += len ? len : 1;
        if (!len || na_is_unescaped_control(from)) {
            from = NA_REPLACEMENT;
            len = sizeof NA_REPLACEMENT - 1;
        }
        used += json_length(from, len);
        if (used > max)
            break;
        memcpy(end, from, (size_t)len);
        end += len;
    }
    *end = '\0';
    return out;
}

static const char *event_reason(apr_pool_t *pool, const na_event *event)
{
    if (!event->failure || !event->reason)
        return event->failure;
    return apr_pstrcat(pool, event->failure, ": ", event->reason, NULL);
}

void na_audit_fields_of(apr_pool_t *pool, const na_event *event, na_audit_fields *fields)
{
    const na_event_origin *origin = &event->origin;
    *fields = (na_audit_fields){
        .when = event->time,
        .time = na_iso8601(pool, event->time),
        .event = na_event_audit_name(event->kind),
        .outcome = event->failure ? "failure" : "success",
        .reason = clean_text(pool, event_reason(pool, event), REASON_MAX),
        .user = clean_text(pool, event->user, USER_MAX),
        .email = clean_text(pool, event->email, EMAIL_MAX),
        .name = clean_text(pool, event->name, USER_NAME_MAX),
        .provider = clean_text(pool, event->provider, ID_MAX),
        .actor = clean_text(pool, event->actor, ID_MAX),
        .detail = clean_text(pool, event->detail, DETAIL_MAX),
        .address = clean_text(pool, origin->address, ID_MAX),
        .user_agent = clean_text(pool, origin->user_agent, USER_AGENT_MAX),
        .request_id = clean_text(pool, origin->request_id, REQUEST_ID_MAX),
        .trace_id = clean_text(pool, origin->trace_id, ID_MAX),
        .site = clean_text(pool, origin->site, SITE_MAX),
    };
}

char *na_audit_record(apr_pool_t *pool, const na_audit_fields *f, apr_int64_t seq, const char *prev)
{
    json_t *json = json_pack(
        "{s:I, s:s, s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, "
        "s:s*, s:s}",
        "seq", (json_int_t)seq, "time", f->time, "event", f->event, "outcome", f->outcome, "reason",
        f->reason, "user", f->user, "email", f->email, "name", f->name, "provider", f->provider,
        "actor", f->actor, "detail", f->detail, "address", f->address, "userAgent", f->user_agent,
        "requestId", f->request_id, "traceId", f->trace_id, "site", f->site, "prev", prev);
    return json ? na_json_dump(pool, na_json_own(pool, json)) : NULL;
}
