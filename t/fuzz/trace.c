/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "base/json.h"
#include "base/log.h"
#include "base/trace.h"

/* A header that is read can be sent on, and read again; whatever a line is made of, it is one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    json_t *json;
    na_trace trace = na_trace_parse(fuzz_pool, text, text);
    const char *child = na_trace_child(fuzz_pool, &trace);
    if (child && (strlen(child) != 55 || !na_trace_parse(fuzz_pool, child, NULL).trace_id))
        abort();
    const na_log_record record = {.message = text, .cause = text, .user = text};
    const char *line = na_log_json(fuzz_pool, &record, 0);
    if (strchr(line, '\n') ||
        na_json_parse(fuzz_pool, NA_ERR_CONFIGURATION, line, strlen(line), &json) ||
        strchr(na_log_plain(fuzz_pool, &record), '\n'))
        abort();
    return 0;
}
