/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <sys/wait.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_strings.h>

#include "mail/queue.h"
#include "mail/template.h"
#include "tap.h"

/* Addresses, the options of transports, templates: all that needs no server. */

static const char *normalized(apr_pool_t *pool, const char *text)
{
    const char *email;
    return na_email_normalize(pool, text, &email) ? NULL : email;
}

static const char *repeat(apr_pool_t *pool, char c, apr_size_t count)
{
    char *text = apr_palloc(pool, count + 1);
    memset(text, c, count);
    text[count] = '\0';
    return text;
}

static void emails(apr_pool_t *pool)
{
    static const char *const good[][2] = {
        {"ada@example.org", "ada@example.org"},
        {" Ada.Lovelace@Example.ORG\r\n", "ada.lovelace@example.org"},
        {"x@b.org,d", "x@b.org"},
        {"a+b!#$%&'*/=?^_`{|}~-@xn--bcher-kva.example",
         "a+b!#$%&'*/=?^_`{|}~-@xn--bcher-kva.example"},
        {"1@2.example", "1@2.example"},
    };
    static const char *const bad[] = {
        "",
        "@",
        "a@",
        "@b.org",
        "a@b",
        "a@@b.org",
        "a@b.org@c.org",
        "a@b.org,c@d.org",
        "\"a\"@b.org",
        "a\"@b.org",
        "a,b@c.org",
        "a;b@c.org",
        "a b@c.org",
        "a@b c.org",
        "a\r\nRCPT TO:<x@y.org>@b.org",
        "a@b.org\r\nBcc: x",
        "a@b\t.org",
        "<a@b.org>",
        "a<b@c.org",
        "a>@b.org",
        "a\\b@c.org",
        "a(b)@c.org",
        ".a@b.org",
        "a.@b.org",
        "a..b@c.org",
        "a@.org",
        "a@b..org",
        "a@b.org.",
        "a@-b.org",
        "a@b-.org",
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "a@b_c.org",
        "a@,b.org",
        "a\x7f@b.org",
        "a\x01@b.org",
        "a\xff@b.org",
    };
    for (apr_size_t i = 0; i < sizeof good / sizeof *good; i++)
        is(normalized(pool, good[i][0]), good[i][1], "an address is normalised");
    for (apr_size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        is(normalized(pool, bad[i]), NULL, "what is none, or not a plain one, is refused");
    const char *label = repeat(pool, 'd', 63);
    const char *domain = apr_pstrcat(pool, label, ".", label, ".", label, NULL);
    ok(na_email_is(apr_pstrcat(pool, repeat(pool, 'a', 62), "@", domain, NULL)), "254 bytes");
    ok(!na_email_is(apr_pstrcat(pool, repeat(pool, 'a', 63), "@", domain, NULL)), "not 255");
    ok(!na_email_is(apr_pstrcat(pool, repeat(pool, 'a', 65), "@b.org", NULL)), "a long local part");
    ok(!na_email_is(apr_pstrcat(pool, "a@", label, "d.org", NULL)), "a long label");
    ok(na_email_is("root@localhost"),
       "a domain without a dot is an address, if nobody's to sign in");
}

/* Typed, and its canonical form; NULL: refused. */
static const char *const international_cases[][2] = {
    /* domains: lower case, composed, UTS 46 without transitional processing, dots of others */
    {"a@B\u00fccher.Example", "a@xn--bcher-kva.example"},
    {"a@B\u00dcCHER.example", "a@xn--bcher-kva.example"},
    {"a@bu\u0308cher.example", "a@xn--bcher-kva.example"},
    {"a@XN--Bcher-KVA.example", "a@xn--bcher-kva.example"},
    {"a@fa\u00df.example", "a@xn--fa-hia.example"},
    {"a@\u65e5\u672c\u3002jp", "a@xn--wgv71a.jp"},
    {"a@b\uff0eorg", "a@b.org"},
    {"a@b\u00fc.org,c", "a@xn--b-eha.org"},
    {"a@b\u00fc", NULL},
    {"a@\u2615.org", NULL},
    {"a@\u05d0a.org", NULL},
    {"a@a\u200d\u00fc.org", NULL},
    {"a@-\u00fc.org", NULL},
    {"a@ab--\u00fc.org", NULL},
    {"a@\u00fc..org", NULL},
    {"a@\u00fc.org.", NULL},
    {"a@\u00fc.127.0.0.1", NULL},
    {"a@xn--\u00fc.org", NULL},
    {"a@xn--a.\u00fc.org", NULL},
    /* what would mean something, beside another letter and in its compatible form */
    {"a@b \u00fc.org", NULL},
    {"a@b_\u00fc.org", NULL},
    {"a@\u00fc\uff0cb.org", NULL},
    {"a@\u00fc\uff20b.org", NULL},
    {"a@\u00fc\uff1eb.org", NULL},
    {"a@\u00fc\uff0fb.org", NULL},
    {"a@\u00fc\r\nBcc: x.org", NULL},
    {"a@b.org\u2028", NULL},
    /* local parts: lower case as JavaScript's, composed */
    {"\u00c4DA@b.org", "\u00e4da@b.org"},
    {"A\u0308da@b.org", "\u00e4da@b.org"},
    {"\u039f\u03a3.\u039f\u03a3@b.org", "\u03bf\u03c3.\u03bf\u03c2@b.org"},
    {"I\u0130@b.org", "ii\u0307@b.org"},
    {"\u212a@b.org", "k@b.org"},
    {"\u65e5\u672c+1@\u65e5\u672c.jp", "\u65e5\u672c+1@xn--wgv71a.jp"},
    {"\u0905\u0930\u094d\u091c\u0941\u0928@b.org", "\u0905\u0930\u094d\u091c\u0941\u0928@b.org"},
    /* variants of other characters, invisible ones, what is no letter, marks alone */
    {"\uff41@b.org", NULL},
    {"a\uff20b.org", NULL},
    {"a\uff20c@b.org", NULL},
    {"a\u037eb@b.org", NULL},
    {"\ufb01@b.org", NULL},
    {"\u00aa@b.org", NULL},
    {"a\u00a0b@b.org", NULL},
    {"a\xc2\x85z@b.org", NULL},
    {"a\u00adb@b.org", NULL},
    {"a\u200bb@b.org", NULL},
    {"a\u200db@b.org", NULL},
    {"a\u202eb@b.org", NULL},
    {"a\ufe0f@b.org", NULL},
    {"a\u034fb@b.org", NULL},
    {"a\u115fb@b.org", NULL},
    {"a\ue000b@b.org", NULL},
    {"a\U000e0001b@b.org", NULL},
    {"\u2615@b.org", NULL},
    {"a\u2019b@b.org", NULL},
    {"\u0301a@b.org", NULL},
    {"a.\u0301@b.org", NULL},
    {"\u00e4..a@b.org", NULL},
    {"\u00e4 a@b.org", NULL},
    /* no UTF-8: half a character, too long a form, a surrogate, beyond the last */
    {"\xc3@b.org", NULL},
    {"a@\xc3.org", NULL},
    {"\xc0\xaf@b.org", NULL},
    {"\xed\xa0\x80@b.org", NULL},
    {"\xf4\x90\x80\x80@b.org", NULL},
    {"\xe4@b.org", NULL},
};

static void international(apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < sizeof international_cases / sizeof *international_cases; i++) {
        const char *typed = international_cases[i][0], *expected = international_cases[i][1];
        is(normalized(pool, typed), expected, na_percent_encode(pool, typed));
        if (!expected)
            continue;
        is(normalized(pool, expected), expected, "  which stays as it is");
        ok(na_email_is(expected), "  and is an address");
        is(na_email_canonical(pool, apr_pstrmemdup(pool, typed, strcspn(typed, ","))), expected,
           "  the same from a provider");
    }
    const char *many = "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
                       "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4";
    const char *local = apr_pstrcat(pool, many, many, NULL);
    ok(normalized(pool, apr_pstrcat(pool, local, "@b.org", NULL)) != NULL, "64 bytes");
    ok(!normalized(pool, apr_pstrcat(pool, local, "a@b.org", NULL)), "not 65");
    const char *much = apr_pstrcat(pool, "a@", repeat(pool, 'b', 1020), "\u00fc.org", NULL);
    ok(!normalized(pool, much), "a long domain");
    ok(!na_email_canonical(pool, "\u2615@b.org") && !na_email_canonical(pool, "a@\u2615.org") &&
           !na_email_canonical(pool, "a@\u00fc\uff0cb.org") &&
           !na_email_canonical(pool, "a@\u00fc\uff20b.org") &&
           !na_email_canonical(pool, "a\xff@b.org"),
       "what has no form is none from a provider either");
    ok(!na_email_is("a@\u00fc.org"), "no mail goes to a domain that is not ASCII");
    ok(!na_email_is("a\u0308@b.org"), "nor to a local part that is not composed");
}

static void masks(apr_pool_t *pool)
{
    is(na_email_mask(pool, "\u00e4da@b.org"), "\u00e4***@b.org", "a letter is whole");
    is(na_email_mask(pool, "\u00e4@b.org"), "***@b.org", "one alone is none");
    is(na_email_mask(pool, "ada@example.org"), "a***@example.org", "an address is masked");
    is(na_email_mask(pool, "a@example.org"), "***@example.org", "one letter altogether");
    is(na_email_mask(pool, "secret\r\n"), "***", "what is no address altogether");
}

static void mailboxes(apr_pool_t *pool)
{
    static const struct {
        const char *from, *text, *header;
    } good[] = {
        {"a@b.org", "a@b.org", "a@b.org"},
        {"<a@b.org>", "a@b.org", "a@b.org"},
        {"Site <A@B\u00fccher.example>", "Site <A@xn--bcher-kva.example>",
         "Site <A@xn--bcher-kva.example>"},
        {"The Site <a@b.org>", "The Site <a@b.org>", "The Site <a@b.org>"},
        {"Site. (beta) <a@b.org>", "\"Site. (beta)\" <a@b.org>", "\"Site. (beta)\" <a@b.org>"},
        {"B\xc3\xbc"
         "cher <a@b.org>",
         "\"B\xc3\xbc"
         "cher\" <a@b.org>",
         "=?UTF-8?B?QsO8Y2hlcg==?= <a@b.org>"},
        {"=?x?= <a@b.org>", "\"=?x?=\" <a@b.org>", "=?UTF-8?B?PT94Pz0=?= <a@b.org>"},
    };
    static const char *const bad[] = {"",
                                      "Site",
                                      "a@b.org, c@d.org",
                                      "\u00e4@b.org",
                                      "a@\u2615.org",
                                      "Site <a@b.org",
                                      "Site a@b.org>",
                                      "\"Site\" <a@b.org>",
                                      "A, B <a@b.org>",
                                      "A <b> <a@b.org>",
                                      "Site\r\nBcc: x <a@b.org>",
                                      "a@b.org <c@d.org>",
                                      "S <a@b.org> x",
                                      "S\xff <a@b.org>",
                                      "S\\ <a@b.org>",
                                      "<>",
                                      "S <>"};
    na_mailbox mailbox;
    for (apr_size_t i = 0; i < sizeof good / sizeof *good; i++) {
        succeeds(na_mailbox_parse(pool, good[i].from, &mailbox), "a sender is read");
        is(na_mailbox_text(pool, &mailbox), good[i].text, "as UTF-8");
        is(na_mailbox_header(pool, &mailbox), good[i].header, "and as a header");
    }
    for (apr_size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        fails(na_mailbox_parse(pool, bad[i], &mailbox), "a sender that is none is refused");
    is(na_mail_header_text(pool, "Sign in"), "Sign in", "ASCII stays in a header");
    is(na_mail_header_text(pool, "abcdefghijklmnopqrstuvwxyzabcdefghijkl\xc3\xa4\xc3\xb6"),
       "=?UTF-8?B?YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWZnaGlqa2w=?=\r\n =?UTF-8?B?w6TDtg==?=",
       "a long subject is folded between characters");
}

/* ── options ───────────────────────────────────────────────────────────────────────────────── */

static void urls(apr_pool_t *pool)
{
    static const struct {
        const char *url, *host;
        int port;
        na_mail_tls tls;
    } good[] = {
        {"smtp://mail.example.org", "mail.example.org", 587, NA_MAIL_STARTTLS},
        {"SMTP://mail.example.org:25/", "mail.example.org", 25, NA_MAIL_STARTTLS},
        {"smtps://mail.example.org", "mail.example.org", 465, NA_MAIL_SMTPS},
        {"smtp://localhost:1025", "localhost", 1025, NA_MAIL_CLEAR},
        {"smtp://127.0.0.1?tls=starttls", "127.0.0.1", 587, NA_MAIL_STARTTLS},
        {"smtp://[::1]:2525", "::1", 2525, NA_MAIL_CLEAR},
        {"smtp://u:p@localhost", "localhost", 587, NA_MAIL_CLEAR},
        {"smtp://10.1.2.3?tls=off", "10.1.2.3", 587, NA_MAIL_CLEAR},
        {"smtp://172.31.0.1?tls=off", "172.31.0.1", 587, NA_MAIL_CLEAR},
        {"smtp://192.168.1.1/?tls=off", "192.168.1.1", 587, NA_MAIL_CLEAR},
        {"smtp://[fd00::1]?tls=off", "fd00::1", 587, NA_MAIL_CLEAR},
        {"smtp://mailpit:1025?tls=off", "mailpit", 1025, NA_MAIL_CLEAR},
    };
    for (apr_size_t i = 0; i < sizeof good / sizeof *good; i++) {
        na_mail_options o;
        if (!succeeds(na_mail_options_start(pool, good[i].url, &o), good[i].url))
            continue;
        is(o.host, good[i].host, "its host");
        is_number(o.port, good[i].port, "its port");
        is_number(o.tls, good[i].tls, "its protection");
        o.from = "a@b.org";
        succeeds(na_mail_options_check(pool, &o), "and it fits");
    }
    na_mail_options o;
    succeeds(na_mail_options_start(pool, "smtps://a%40b.org:p%40s%3As@host.example", &o), "a user");
    is(o.user, "a@b.org", "is decoded");
    is(o.password, "p@s:s", "and so is the password");
}

static void wrong_urls(apr_pool_t *pool)
{
    static const char *const bad[] = {"",
                                      "http://host",
                                      "smtp:host",
                                      "smtp://",
                                      "smtps://",
                                      "smtp://u:p@",
                                      "smtp://host:0",
                                      "smtp://host:65536",
                                      "smtp://host:x",
                                      "smtp://host:",
                                      "smtp://::1",
                                      "smtp://[::1",
                                      "smtp://[host]",
                                      "smtp://[::1]x",
                                      "smtp://host/path",
                                      "smtp://host?x=1",
                                      "smtp://host?tls=on",
                                      "smtps://host?tls=off",
                                      "smtp://u:%zz@host",
                                      "smtp://u%00@host",
                                      "smtp://ho st",
                                      "smtp://host\r\n",
                                      "smtp://-host",
                                      "smtp",
                                      "pigeon"};
    static const char *const unfit[] = {
        "smtp://mail.example.org?tls=off",  "smtp://u:p@10.0.0.1?tls=off",
        "smtp://u:p@mailpit?tls=off",       "smtp://11.0.0.1?tls=off",
        "smtp://172.32.0.1?tls=off",        "smtp://127.evil.example?tls=off",
        "smtp://[2001:db8::1]?tls=off",     "smtp://u@host.example",
        "smtp://:p@host.example",           "smtp://u:@host.example",
        "smtp://u:p%0d%0aRSET@host.example"};
    na_mail_options o;
    for (apr_size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        fails(na_mail_options_start(pool, bad[i], &o), bad[i]);
    for (apr_size_t i = 0; i < sizeof unfit / sizeof *unfit; i++) {
        succeeds(na_mail_url_parse(pool, unfit[i], &o), unfit[i]);
        o.from = "a@b.org";
        fails(na_mail_options_check(pool, &o), "does not fit");
    }
    na_error *error = na_mail_url_parse(pool, "smtp://u:geheim%zz@host", &o);
    ok(error && !strstr(na_error_text(pool, error), "geheim"), "no message shows a password");
}

static na_mail_options api(const char *transport)
{
    na_mail_options o = {.transport = transport,
                         .from = "a@b.org",
                         .timeout_ms = 1000,
                         .connect_timeout_ms = 1000,
                         .api_key = "key"};
    return o;
}

static void says(apr_pool_t *pool, const na_mail_options *options, const char *expected)
{
    na_error *error = na_mail_options_check(pool, options);
    is(error ? na_error_reason(pool, error) : NULL, expected,
       expected ? expected : "options that fit");
}

static void checks(apr_pool_t *pool)
{
    static const char *const simple[] = {"sendgrid", "resend", "postmark"};
    na_mail_options o;
    for (apr_size_t i = 0; i < 3; i++) {
        o = api(simple[i]);
        says(pool, &o, NULL);
        o.api_key = NULL;
        says(pool, &o, apr_psprintf(pool, "mail: %s requires apiKey=", simple[i]));
    }
    o = api("log");
    says(pool, &o, "mail: log does not support the option apiKey");
    o = api("mailgun");
    says(pool, &o, "mail: mailgun requires domain=");
    o.domain = "mg.example.org/../x";
    says(pool, &o, "mail: invalid domain=");
    o.domain = "mg.example.org";
    says(pool, &o, NULL);
    o.base_url = "http://api.example.org";
    says(pool, &o, "mail: baseUrl= must be an https URL, because the key is sent there");
    o.base_url = "https://api.example.org/?x";
    says(pool, &o, "mail: invalid baseUrl=: expected an https URL without a query");
    o.base_url = "http://127.0.0.1:8025";
    says(pool, &o, NULL);
    o.api_key = "a\r\nb";
    says(pool, &o, "mail: apiKey is empty, contains control characters, or is not UTF-8");
    o = api("ses");
    o.api_key = NULL;
    says(pool, &o, "mail: ses requires accessKeyId=");
    o.access_key_id = o.secret_access_key = o.session_token = "x";
    o.region = "eu-central-1/";
    says(pool, &o, "mail: invalid region=");
    o.region = "eu-central-1";
    says(pool, &o, NULL);
    o.from = NULL;
    says(pool, &o, "mail: missing from=, the sender of emails");
    o.from = "a@b.org, c@d.org";
    fails(na_mail_options_check(pool, &o), "two senders are refused");
    o = api("resend");
    o.ca_file = "/ca.pem";
    says(pool, &o, "mail: resend does not support the option caFile");
    succeeds(na_mail_url_parse(pool, "smtps://host.example", &o), "a CA");
    o.from = "a@b.org";
    o.ca_file = "/no/such/ca.pem";
    says(pool, &o, "mail: could not read '/no/such/ca.pem'");
}

/* ── messages ──────────────────────────────────────────────────────────────────────────────── */

typedef struct lines {
    apr_pool_t *pool;
    const char *text;
} lines;

static void keep(void *data, na_level level, const char *line)
{
    lines *kept = data;
    kept->text = apr_pstrcat(kept->pool, kept->text, line, "\n", NULL);
}

static void refuses(const na_mail *mail, apr_pool_t *pool, na_mail_message message,
                    const char *name)
{
    na_error *error = na_mail_send(mail, pool, &message);
    ok(error && !na_mail_is_temporary(error), "%s", name);
}

static void messages(apr_pool_t *pool)
{
    static const na_mail_options options = {.transport = "log", .from = "Site <a@b.org>"};
    const na_mail_message good = {.to = "ada@example.org",
                                  .subject = "Sign in",
                                  .text = "one\ntwo\x1b\n"};
    lines kept = {pool, ""};
    na_mail_log log = {keep, &kept};
    na_mail_message m;
    na_mail *mail;
    succeeds(na_mail_make(pool, &options, NULL, &log, &mail), "mails to the log");
    succeeds(na_mail_send(mail, pool, &good), "a message is sent");
    is(kept.text,
       "mail from Site <a@b.org> to ada@example.org\nmail: Sign in\nmail: one\nmail: two \n",
       "and is what the log has");
    m = good, m.to = "ada@example.org\r\nRCPT TO:<x@example.org>";
    refuses(mail, pool, m, "a recipient with a command behind it");
    m = good, m.to = "ada@example.org,eve@example.org";
    refuses(mail, pool, m, "two recipients");
    m = good, m.to = NULL;
    refuses(mail, pool, m, "no recipient");
    m = good, m.from = "x@y.org\r\nBcc: z@y.org";
    refuses(mail, pool, m, "a sender with a header behind it");
    m = good, m.subject = "Sign in\r\nBcc: x@example.org";
    refuses(mail, pool, m, "a subject with a header behind it");
    m = good, m.subject = repeat(pool, 's', NA_MAIL_SUBJECT_MAX + 1);
    refuses(mail, pool, m, "a subject that is too long");
    m = good, m.text = "\xff";
    refuses(mail, pool, m, "a text that is not UTF-8");
    m = good, m.html = repeat(pool, 'h', NA_MAIL_BODY_MAX + 1);
    refuses(mail, pool, m, "HTML that is too long");
    m = good, m.id = "id>\r\n";
    refuses(mail, pool, m, "an id with more behind it");

    na_mail_queue *queue;
    na_mail_counts counts;
    apr_pool_t *process;
    apr_pool_create(&process, pool);
    succeeds(na_mail_queue_make(process, mail, 2, &queue), "a queue");
    m = good, m.to = "x";
    fails(na_mail_queue_put(queue, pool, &m, NULL, 0), "does not take what nobody would");
    na_mail_queue_counts(queue, &counts);
    is_number((long long)counts.queued, 0, "and has nothing then");
    apr_pool_destroy(process);
}

/* As in a server: the queue is made after the fork, and ends with the process. */
static int send_in_child(apr_pool_t *pool)
{
    static const na_mail_options options = {.transport = "log", .from = "a@b.org"};
    const na_mail_message message = {.to = "c@d.org", .subject = "s", .text = "t"};
    lines kept = {pool, ""};
    na_mail_log log = {keep, &kept};
    na_mail *mail;
    na_mail_queue *queue;
    apr_pool_t *process;
    apr_pool_create(&process, pool);
    if (na_mail_make(process, &options, NULL, &log, &mail) ||
        na_mail_queue_make(process, mail, 1, &queue) ||
        na_mail_queue_put(queue, pool, &message, NULL, 0))
        return 1;
    apr_pool_destroy(process);
    return strcmp(kept.text, "mail from a@b.org to c@d.org\nmail: s\nmail: t\n"
                             "mail to ***@d.org sent\n") != 0;
}

static void forked(apr_pool_t *pool)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(send_in_child(pool));
    waitpid(child, &status, 0);
    is_number(status, 0, "a child sends what is in its queue before it ends");
}

/* ── templates ─────────────────────────────────────────────────────────────────────────────── */

static const na_mail_values values = {.language = &na_english,
                                      .url = "https://example.org/cb?a=1&token=<\"'>",
                                      .host = "example.org",
                                      .email = "ada@example.org",
                                      .valid_for = 86400};

static void built_in(apr_pool_t *pool)
{
    static const char *const names[] = {"signIn", "signUp", "passwordReset", "emailChange"};
    static const char *const headings[] = {"Sign in to example.org",
                                           "Create your account on example.org",
                                           "Reset your password for example.org",
                                           "Confirm your new email address for example.org"};
    na_mail_message m;
    na_mail_kind kind;
    for (int i = 0; i < 4; i++) {
        ok(na_mail_kind_find(names[i], &kind), "%s is a template", names[i]);
        na_mail_template_fill(pool, na_mail_template_default(kind), &values, &m);
        is(m.to, "ada@example.org", "it goes to the recipient");
        is(m.subject, headings[i], "its subject");
        is(m.text, apr_pstrcat(pool, headings[i], "\n", values.url, "\n\n", NULL), "its text");
        ok(strstr(m.html, "href=\"https://example.org/cb?a=1&amp;token=&lt;&quot;&#39;&gt;\"") !=
               NULL,
           "its link, escaped");
        ok(!strstr(m.html, "ada@") && !strstr(m.html, "{{"), "no address, no placeholder is left");
        ok(strstr(m.html, "This link expires in 24 hours and can be used once.") != NULL,
           "how long and how often the link works");
    }
    ok(na_mail_kind_find("accountLocked", &kind), "accountLocked is a template");
    na_mail_template_fill(pool, na_mail_template_default(kind), &values, &m);
    is(m.subject, "Failed sign-ins at example.org", "which says what happened");
    ok(strstr(m.text, "For 24 hours it takes no password") != NULL, "and for how long");
    ok(!strstr(m.html, "ada@") && !strstr(m.html, "{{"), "no address, no placeholder is left");
    ok(!na_mail_kind_find("signOut", &kind), "there is no other");
}

static void durations(apr_pool_t *pool)
{
    static const struct {
        long seconds;
        const char *text;
    } cases[] = {{45, "45 seconds"},   {60, "1 minute"},    {900, "15 minutes"}, {3600, "1 hour"},
                 {5400, "90 minutes"}, {86400, "24 hours"}, {172800, "2 days"}};
    const na_mail_template template = {.subject = "{{expires}}", .text = "{{url}}"};
    for (apr_size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        na_mail_values v = values;
        na_mail_message m;
        v.valid_for = cases[i].seconds;
        na_mail_template_fill(pool, &template, &v, &m);
        is(m.subject, cases[i].text, "a duration in words");
        ok(!m.html, "a template without HTML gives none");
    }
}

static const char *file_of(apr_pool_t *pool, const char *content)
{
    apr_file_t *file;
    const char *folder;
    apr_temp_dir_get(&folder, pool);
    char *path = apr_pstrcat(pool, folder, "/nextauth-mail-XXXXXX", NULL);
    apr_file_mktemp(&file, path, APR_CREATE | APR_WRITE | APR_EXCL, pool);
    apr_file_write_full(file, content, strlen(content), NULL);
    apr_file_close(file);
    return path;
}

static na_error *load(apr_pool_t *pool, const char *content, const char **body)
{
    const char *path = file_of(pool, content);
    na_error *error = na_mail_template_file(pool, path, body);
    apr_file_remove(path, pool);
    return error;
}

static void own(apr_pool_t *pool)
{
    static const char *const bad[] = {
        "",          "no link",     "{{url}} {{name}}", "{{url}} {{ host }}", "{{url}} {{host}",
        "{{{url}}}", "{{url}} \xff"};
    const char *body, *subject;
    na_mail_message m;
    na_mail_values v = values;
    v.brand_color = "teal";
    v.button_text = "black";
    if (succeeds(load(pool, "{{email}}{{url}}{{host}}{{brandColor}}{{buttonText}}{{expires}}}}{",
                      &body),
                 "a file of the operator's")) {
        const na_mail_template template = {.subject = "Hi {{email}} \xe2\x9c\x93",
                                           .text = body,
                                           .html = body};
        na_mail_template_fill(pool, &template, &v, &m);
        is(m.text,
           "ada@example.orghttps://example.org/cb?a=1&token=<\"'>example.orgtealblack24 hours}}{",
           "has all placeholders, plain in text");
        is(m.html,
           "ada@example.orghttps://example.org/cb?a=1&amp;token=&lt;&quot;&#39;&gt;"
           "example.orgtealblack24 hours}}{",
           "escaped in HTML");
        is(m.subject, "Hi ada@example.org \xe2\x9c\x93", "in the subject, too");
    }
    for (apr_size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        fails(load(pool, bad[i], &body), "a file that cannot be used is refused");
    fails(load(pool, apr_pstrcat(pool, "{{url}}", repeat(pool, 'x', NA_MAIL_BODY_MAX), NULL),
               &body),
          "and so is a large one");
    succeeds(load(pool, apr_pstrcat(pool, "{{url}}", repeat(pool, 'x', NA_MAIL_BODY_MAX - 7), NULL),
                  &body),
             "not the largest");
    fails(na_mail_template_file(pool, "/no/such/file", &body), "nor is there one that is missing");
    succeeds(na_mail_template_subject(pool, "Welcome to {{host}}", &subject), "a subject");
    fails(na_mail_template_subject(pool, "", &subject), "not an empty one");
    fails(na_mail_template_subject(pool, "{{who}}", &subject), "not an unknown placeholder");
    fails(na_mail_template_subject(pool, "a\r\nBcc: b", &subject), "not several lines");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    emails(pool);
    international(pool);
    masks(pool);
    mailboxes(pool);
    urls(pool);
    wrong_urls(pool);
    checks(pool);
    messages(pool);
    forked(pool);
    built_in(pool);
    durations(pool);
    own(pool);
    return tap_done();
}
