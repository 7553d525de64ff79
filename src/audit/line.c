/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the audit log: records with their hashes. */
#include "audit/line.h"

#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "base/crypto.h"
#include "base/json.h"

/* the beginning of a record, and the text before and after its hash */
#define SEQ_MEMBER "{\"seq\":"
#define BEFORE_HASH ",\"hash\":\""
#define BEHIND_HASH "\"}"
#define MEMBER_LEN (sizeof BEFORE_HASH - 1 + NA_AUDIT_HASH_LEN + sizeof BEHIND_HASH - 1)

void na_audit_link_start(na_audit_link *link)
{
    link->seq = 0;
    memset(link->hash, '0', NA_AUDIT_HASH_LEN);
    link->hash[NA_AUDIT_HASH_LEN] = '\0';
}

int na_audit_is_hash(const char *text)
{
    return strspn(text, "0123456789abcdef") == NA_AUDIT_HASH_LEN && !text[NA_AUDIT_HASH_LEN];
}

static const char *record_hash(apr_pool_t *pool, const char *key, const char *record)
{
    unsigned char hash[NA_SHA256_LEN];
    if (key)
        na_hmac_sha256(hash, na_bytes_of(key), na_bytes_of(record));
    else
        na_sha256(hash, na_bytes_of(record), na_bytes_of(""));
    return na_hex(pool, hash, sizeof hash);
}

char *na_audit_line_make(apr_pool_t *pool, const na_audit_fields *fields, const char *key,
                         const na_audit_link *last, na_audit_link *next)
{
    char *record = na_audit_record(pool, fields, last->seq + 1, last->hash);
    if (!record)
        return NULL;
    next->seq = last->seq + 1;
    apr_cpystrn(next->hash, record_hash(pool, key, record), sizeof next->hash);
    record[strlen(record) - 1] = '\0'; /* the closing brace */
    return apr_pstrcat(pool, record, BEFORE_HASH, next->hash, BEHIND_HASH "\n", NULL);
}

/* ── reading ───────────────────────────────────────────────────────────────────────────────── */

/* Distinguishes a partial record from foreign text, so that a full disk does not look like an
 * attack.
 */
static na_audit_fault fragment_fault(na_bytes text)
{
    static const char start[] = SEQ_MEMBER;
    apr_size_t len = text.len < sizeof start - 1 ? text.len : sizeof start - 1;
    int begins = len && memcmp(text.data, start, len) == 0;
    return begins && text.data[text.len - 1] != '}' ? NA_AUDIT_CUT_SHORT : NA_AUDIT_NOT_JSON;
}

static int copy_member(const json_t *json, const char *name, char *out, apr_size_t len)
{
    const char *text = na_json_string(json, name);
    if (!text || strlen(text) != len)
        return 0;
    memcpy(out, text, len + 1);
    return 1;
}

static int read_members(const json_t *json, na_audit_line *line)
{
    const json_t *seq = json_object_get(json, "seq");
    line->link.seq = json_integer_value(seq);
    return json_is_integer(seq) && line->link.seq >= 1 && line->link.seq <= NA_AUDIT_SEQ_MAX &&
           copy_member(json, "time", line->time, NA_AUDIT_TIME_LEN) &&
           copy_member(json, "prev", line->prev, NA_AUDIT_HASH_LEN) &&
           copy_member(json, "hash", line->link.hash, NA_AUDIT_HASH_LEN) &&
           na_audit_is_hash(line->prev) && na_audit_is_hash(line->link.hash);
}

/* Returns the line without its last member; NULL if that is not the hash. */
static const char *record_without_hash(apr_pool_t *pool, na_bytes text, const na_audit_line *line)
{
    const char *member = apr_pstrcat(pool, BEFORE_HASH, line->link.hash, BEHIND_HASH, NULL);
    apr_size_t len = text.len > MEMBER_LEN ? text.len - MEMBER_LEN : 0;
    if (!len || memcmp(text.data + len, member, MEMBER_LEN) != 0)
        return NULL;
    return apr_pstrcat(pool, apr_pstrmemdup(pool, (const char *)text.data, len), "}", NULL);
}

na_audit_fault na_audit_line_read(apr_pool_t *pool, na_bytes text, const char *key,
                                  na_audit_line *line)
{
    json_t *json;
    if (text.len >= NA_AUDIT_LINE_MAX || memchr(text.data, '\0', text.len) ||
        na_json_parse(pool, NA_ERR_CONFIGURATION, (const char *)text.data, text.len, &json))
        return fragment_fault(text);
    if (!json_is_object(json) || !read_members(json, line))
        return NA_AUDIT_NO_RECORD;
    const char *record = record_without_hash(pool, text, line);
    return record && na_equal_secret(record_hash(pool, key, record), line->link.hash)
               ? NA_AUDIT_RIGHT
               : NA_AUDIT_EDITED;
}

int na_audit_line_has_link(na_bytes text, const na_audit_link *link)
{
    char start[40], end[MEMBER_LEN + 1];
    int start_len = snprintf(start, sizeof start, SEQ_MEMBER "%" APR_INT64_T_FMT ",", link->seq);
    snprintf(end, sizeof end, BEFORE_HASH "%s" BEHIND_HASH, link->hash);
    return text.len > sizeof start + MEMBER_LEN &&
           memcmp(text.data, start, (apr_size_t)start_len) == 0 &&
           memcmp(text.data + text.len - MEMBER_LEN, end, MEMBER_LEN) == 0;
}
