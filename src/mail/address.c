/* SPDX-License-Identifier: Apache-2.0 */
/* Email addresses: normalized, masked, written into headers. */
#include "mail/address.h"

#include <string.h>

#include <apr_base64.h>
#include <apr_strings.h>

#include "base/text.h"
#include "mail/unicode.h"

/* Most bytes of the input: a domain can be shorter in A-labels. */
#define TYPED_MAX 1024
#define LOCAL_MAX 64
#define LABEL_MAX 63
#define NAME_BYTES 128

/* Bytes of an encoded word's text: with its frame and "Subject: " a line stays below 76. */
#define WORD_BYTES 39

static int is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* atext of RFC 5322 section 3.2.3 */
static int is_atom(char c)
{
    return is_alnum(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static int is_ascii(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text >= 0x80)
            return 0;
    return 1;
}

/* Atoms with single dots between them; RFC 6531 section 3.3 adds what is beyond ASCII. */
static int is_local(const char *text, apr_size_t len)
{
    if (!len || len > LOCAL_MAX)
        return 0;
    for (apr_size_t i = 0; i < len; i++) {
        int inner_dot = text[i] == '.' && i && i + 1 < len && text[i - 1] != '.';
        if (!inner_dot && !is_atom(text[i]) && (unsigned char)text[i] < 0x80)
            return 0;
    }
    return na_unicode_is_local(text, len);
}

static int is_label(const char *text, apr_size_t len)
{
    if (!len || len > LABEL_MAX || text[0] == '-' || text[len - 1] == '-')
        return 0;
    for (apr_size_t i = 0; i < len; i++)
        if (!is_alnum(text[i]) && text[i] != '-')
            return 0;
    return 1;
}

/* Labels with dots between them; the last is not a number, as in an IPv4 address. */
static int is_domain(const char *text)
{
    for (;;) {
        apr_size_t len = strcspn(text, ".");
        if (!is_label(text, len))
            return 0;
        if (!text[len])
            return strspn(text, "0123456789") < len;
        text += len + 1;
    }
}

int na_email_is(const char *text)
{
    const char *at = strchr(text, '@');
    return at && strlen(text) <= NA_EMAIL_MAX && is_local(text, (apr_size_t)(at - text)) &&
           is_domain(at + 1);
}

/* Returns `len` bytes of `text` without surrounding white space. */
static char *trim(apr_pool_t *pool, const char *text, apr_size_t len)
{
    static const char space[] = " \t\r\n\v\f";
    while (len && strchr(space, text[len - 1]))
        len--;
    apr_size_t start = 0;
    while (start < len && strchr(space, text[start]))
        start++;
    return apr_pstrmemdup(pool, text + start, len - start);
}

/* Returns `text` with ASCII letters in lower case, in any locale. */
static const char *lower_ascii(apr_pool_t *pool, const char *text)
{
    char *copy = apr_pstrdup(pool, text);
    for (char *p = copy; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p |= 0x20;
    return copy;
}

/* Returns the address with A-labels in its domain; NULL if it has no @, or no such domain. */
static const char *with_ascii_domain(apr_pool_t *pool, const char *text)
{
    const char *at = strchr(text, '@');
    if (!at || strlen(text) > TYPED_MAX)
        return NULL;
    const char *domain = is_ascii(at) ? at + 1 : na_unicode_domain(pool, at + 1);
    return domain ? apr_psprintf(pool, "%.*s@%s", (int)(at - text), text, domain) : NULL;
}

/* Returns `text` in lower case and with A-labels; NULL if it has no such form. */
static const char *fold_email(apr_pool_t *pool, const char *text)
{
    const char *email = with_ascii_domain(pool, text);
    const char *at = email ? strchr(email, '@') : NULL;
    const char *local = at ? na_unicode_lower(pool, email, (apr_size_t)(at - email)) : NULL;
    return local ? apr_pstrcat(pool, local, lower_ascii(pool, at), NULL) : NULL;
}

na_error *na_email_normalize(apr_pool_t *pool, const char *text, const char **email)
{
    char *copy = trim(pool, text, strlen(text));
    char *at = strchr(copy, '@');
    if (!at || strchr(at + 1, '@'))
        return na_error_new(pool, NA_ERR_EMAIL_SIGNIN,
                            "an email address must contain exactly one @");
    at[1 + strcspn(at + 1, ",")] = '\0';
    const char *folded = fold_email(pool, copy);
    if (!folded || !na_email_is(folded) || !strchr(strchr(folded, '@'), '.'))
        return na_error_new(pool, NA_ERR_EMAIL_SIGNIN, "invalid email address");
    *email = folded;
    return NULL;
}

/* Accepts what providers have long sent: consecutive dots, domains without a dot. */
static int is_vouched_for(const char *email)
{
    const char *at = strchr(email, '@');
    return at && at > email && at[1] && !strchr(at + 1, '@') && strlen(email) <= NA_EMAIL_MAX &&
           !strpbrk(email, " \",:;<>()[]\\") && !na_has_control(email) && is_ascii(at) &&
           na_unicode_is_local(email, (apr_size_t)(at - email));
}

const char *na_email_canonical(apr_pool_t *pool, const char *text)
{
    const char *email = fold_email(pool, text);
    return email && is_vouched_for(email) ? email : NULL;
}

const char *na_email_mask(apr_pool_t *pool, const char *email)
{
    if (!na_email_is(email))
        return "***";
    const char *at = strchr(email, '@');
    int first = na_utf8_sequence(email);
    return apr_psprintf(pool, "%.*s***%s", at - email > first ? first : 0, email, at);
}

static int is_name(const char *name)
{
    return strlen(name) <= NAME_BYTES && !na_has_control(name) && na_is_utf8(name) &&
           !strpbrk(name, "\",<>@\\");
}

static na_error *refuse_mailbox(apr_pool_t *pool)
{
    return na_error_new(
        pool, NA_ERR_CONFIGURATION,
        "invalid sender: expected name@example.org or Name <name@example.org>, ASCII before the @, "
        "and a name without quotes, commas, and control characters");
}

na_error *na_mailbox_parse(apr_pool_t *pool, const char *text, na_mailbox *mailbox)
{
    const char *open = strchr(text, '<');
    apr_size_t len = strlen(text);
    *mailbox = (na_mailbox){"", text};
    if (open && text[len - 1] == '>') {
        mailbox->name = trim(pool, text, (apr_size_t)(open - text));
        mailbox->email = apr_pstrmemdup(pool, open + 1, (apr_size_t)(text + len - open - 2));
    }
    mailbox->email = with_ascii_domain(pool, mailbox->email);
    return is_name(mailbox->name) && mailbox->email && is_ascii(mailbox->email) &&
                   na_email_is(mailbox->email)
               ? NULL
               : refuse_mailbox(pool);
}

/* Words of atoms need no quotes (RFC 5322 section 3.2.5); a look-alike of an encoded word does. */
static int is_phrase(const char *name)
{
    for (const char *p = name; *p; p++)
        if (*p != ' ' && !is_atom(*p))
            return 0;
    return !strstr(name, "=?");
}

static int is_printable(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
            return 0;
    return 1;
}

const char *na_mailbox_text(apr_pool_t *pool, const na_mailbox *mailbox)
{
    const char *quote = is_phrase(mailbox->name) ? "" : "\"";
    if (!*mailbox->name)
        return mailbox->email;
    return apr_pstrcat(pool, quote, mailbox->name, quote, " <", mailbox->email, ">", NULL);
}

const char *na_mailbox_header(apr_pool_t *pool, const na_mailbox *mailbox)
{
    const char *name = na_mail_header_text(pool, mailbox->name);
    if (name == mailbox->name)
        return na_mailbox_text(pool, mailbox);
    return apr_pstrcat(pool, name, " <", mailbox->email, ">", NULL);
}

/* Returns the bytes of the next encoded word; no character is split (RFC 2047 section 5). */
static apr_size_t word_len(const char *text)
{
    apr_size_t len = strnlen(text, WORD_BYTES + 1);
    if (len <= WORD_BYTES)
        return len;
    for (len = WORD_BYTES; ((unsigned char)text[len] & 0xc0) == 0x80; len--)
        ;
    return len;
}

const char *na_mail_header_text(apr_pool_t *pool, const char *text)
{
    char base64[WORD_BYTES * 2];
    apr_array_header_t *words = apr_array_make(pool, 4, sizeof(const char *));
    if (is_printable(text) && !strstr(text, "=?"))
        return text;
    while (*text) {
        apr_size_t len = word_len(text);
        apr_base64_encode(base64, text, (int)len);
        APR_ARRAY_PUSH(words, const char *) = apr_pstrcat(pool, "=?UTF-8?B?", base64, "?=", NULL);
        text += len;
    }
    return na_join(pool, words, "\r\n ");
}
