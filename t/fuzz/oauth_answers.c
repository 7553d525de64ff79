/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "base/json.h"
#include "oauth/dpop.h"
#include "oauth/post.h"
#include "oauth/pushed.h"

/* Answers of a provider: to a request that is pushed to it, and a nonce for DPoP. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    const na_oauth oauth = {.pool = fuzz_pool};
    const na_http_response response = {.status = 201,
                                       .content_type = "application/json",
                                       .body = {(const unsigned char *)text, strlen(text)}};
    if (na_dpop_is_nonce(text) && (strlen(text) > 512 || strpbrk(text, " \"\\\r\n")))
        abort();
    const char *request_uri;
    json_t *answer;
    na_error *error = na_oauth_read_answer(&oauth, "endpoint", &response, &answer);
    if (error) {
        const char *line = na_error_text(fuzz_pool, error);
        if (strlen(line) > 2048)
            abort();
        return 0;
    }
    if (!na_oauth_read_pushed(fuzz_pool, response.status, answer, &request_uri) &&
        (!*request_uri || strlen(request_uri) > 2048 || na_has_control(request_uri)))
        abort();
    return 0;
}
