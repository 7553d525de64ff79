/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "base/text.h"
#include "audit/line.h"

#define KEY "0123456789abcdef0123456789abcdef"

/* Whatever an event says, its record is one line that is right, and of this key alone. */
static void write_and_read(const char *text)
{
    na_event event = {.kind = NA_EVENT_SIGN_IN,
                      .failure = text,
                      .user = text,
                      .email = text,
                      .name = text,
                      .origin = {text, text, text, text, text}};
    na_audit_fields fields;
    na_audit_link last, next;
    na_audit_line line;
    na_audit_link_start(&last);
    na_audit_fields_of(fuzz_pool, &event, &fields);
    char *made = na_audit_line_make(fuzz_pool, &fields, KEY, &last, &next);
    if (!made || strlen(made) >= NA_AUDIT_LINE_MAX || strchr(made, '\n')[1])
        abort();
    made[strlen(made) - 1] = '\0';
    if (na_audit_line_read(fuzz_pool, na_bytes_of(made), KEY, &line) != NA_AUDIT_RIGHT ||
        line.link.seq != 1 || strcmp(line.link.hash, next.hash) != 0 ||
        na_audit_line_read(fuzz_pool, na_bytes_of(made), NULL, &line) != NA_AUDIT_EDITED)
        abort();
}

/* A line that is right has all of its members; nobody guesses one of a key. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    na_bytes bytes = {(const unsigned char *)text, size};
    na_audit_line line;
    if (na_audit_line_read(fuzz_pool, bytes, NULL, &line) == NA_AUDIT_RIGHT &&
        (line.link.seq < 1 || line.link.seq > NA_AUDIT_SEQ_MAX || !na_audit_is_hash(line.prev) ||
         !na_audit_is_hash(line.link.hash) || strlen(line.time) != NA_AUDIT_TIME_LEN))
        abort();
    if (na_audit_line_read(fuzz_pool, bytes, KEY, &line) == NA_AUDIT_RIGHT)
        abort();
    write_and_read(text);
    return 0;
}
