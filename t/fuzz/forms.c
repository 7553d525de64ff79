/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "base/envfile.h"
#include "base/text.h"
#include "base/url.h"

/* Forms, .env files, percent-encoding: what is encoded decodes to itself. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    const na_envfile *envfile;
    na_form_parse(fuzz_pool, text, 100);
    na_envfile_parse(fuzz_pool, "file", text, &envfile);
    na_html(fuzz_pool, text);
    char *back = na_percent_decode(fuzz_pool, na_percent_encode(fuzz_pool, text), 0);
    if (!back || strcmp(back, text) != 0)
        abort();
    return 0;
}
