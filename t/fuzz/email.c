/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "base/text.h"
#include "mail/mail.h"

/* Beyond ASCII there is nothing but letters of the local part, in UTF-8. */
static int is_harmless(const char *email)
{
    const char *at = strchr(email, '@');
    for (const char *p = email; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c <= ' ' || c == 0x7f || strchr("\"(),:;<>[\\]", c) || (c >= 'A' && c <= 'Z') ||
            (c >= 0x80 && p > at))
            return 0;
    }
    return at && at > email && at == strrchr(email, '@') && strchr(at, '.') &&
           strlen(email) <= NA_EMAIL_MAX && na_is_utf8(email) && na_email_is(email);
}

/* A provider's address has the form of the same address typed. */
static void check_canonical(const char *text)
{
    const char *typed, *email = na_email_canonical(fuzz_pool, text);
    if (!email)
        return;
    const char *again = na_email_canonical(fuzz_pool, email);
    if (!again || strcmp(email, again) != 0 || na_has_control(email) || !na_is_utf8(email))
        abort();
    if (!na_email_normalize(fuzz_pool, text, &typed) && strcmp(email, typed) != 0)
        abort();
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
    check_canonical(text);
    if (!na_mailbox_parse(fuzz_pool, text, &mailbox) &&
        (na_has_control(na_mailbox_text(fuzz_pool, &mailbox)) ||
         strstr(na_mailbox_header(fuzz_pool, &mailbox), "\n\n")))
        abort();
    if (!na_mail_url_parse(fuzz_pool, text, &options) && (!*options.host || options.port < 1))
        abort();
    return 0;
}
