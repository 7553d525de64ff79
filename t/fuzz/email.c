/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "base/text.h"
#include "mail/mail.h"

static int is_harmless(const char *email)
{
    for (const char *p = email; *p; p++)
        if (*p <= ' ' || *p == 0x7f || strchr("\"(),:;<>[\\]", *p) || (*p >= 'A' && *p <= 'Z'))
            return 0;
    const char *at = strchr(email, '@');
    return at && at > email && at == strrchr(email, '@') && strchr(at, '.') &&
           strlen(email) <= NA_EMAIL_MAX;
}

/* An address that is accepted is one, and its own normal form; a sender is one line of a header. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    const char *email, *again;
    na_mailbox mailbox;
    na_mail_options options;
    if (!na_email_normalize(fuzz_pool, text, &email) &&
        (!is_harmless(email) || na_email_normalize(fuzz_pool, email, &again) ||
         strcmp(email, again) != 0))
        abort();
    if (!na_mailbox_parse(fuzz_pool, text, &mailbox) &&
        (na_has_control(na_mailbox_text(fuzz_pool, &mailbox)) ||
         strstr(na_mailbox_header(fuzz_pool, &mailbox), "\n\n")))
        abort();
    if (!na_mail_url_parse(fuzz_pool, text, &options) && (!*options.host || options.port < 1))
        abort();
    return 0;
}
