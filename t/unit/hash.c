/* SPDX-License-Identifier: Apache-2.0 */
#include "password/hash.h"

#include <string.h>
#include <sys/resource.h>

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/kdf.h>

#include "password/rules.h"
#include "password/stored_hash.h"
#include "tap.h"

#define WORDS "correct horse battery"

/* Argon2id of "password" as its reference implementation tests it, then of WORDS. */
#define ARGON2_REFERENCE                                                                           \
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
#define ARGON2_SALT "$MDEyMzQ1Njc4OWFiY2RlZg"
#define ARGON2_WORDS                                                                               \
    "$argon2id$v=19$m=19456,t=2,p=1" ARGON2_SALT "$69I7qCjDTsQwhQqFvpQJiqEI0lGQvxC84fXE0Ktxca4"
#define ARGON2_LANES                                                                               \
    "$argon2id$v=19$m=4096,t=3,p=4" ARGON2_SALT "$DPekIEnQJrQLQUSIhJfMJ6iuioyKpq9bhkWTAWSmg4E"
#define ARGON2_SMALL "$argon2id$v=19$m=64,t=1,p=1" ARGON2_SALT "$n/rR4Wt1zuKMrJ0LGebtvA"

/* Of WORDS, by other programs. */
#define BCRYPT_4 "$2a$04$KBCwKxOzLha2MUDgW0PjXeOnqNNq3deK4NrdZyiBfE/Q2Z/7EruyW"
#define BCRYPT_12 "$2y$12$abcdefghijklmnopqrstuuE3j5FFjC71WyDL2KIK7ShSoj8tPD3m6"
#define YESCRYPT_5 "$y$j9T$kFXvFpRTpSJVO1hKdIXMt.$7Eu26tdS2VZhlYav1ENSSxqjeTXGntIgzJjqPNNEtCB"
#define SHA512                                                                                     \
    "$6$saltsalt$G9wFFnnUFCPffgjGaIp8t6onbqx3zGbMIn93ecLfBFGJpBV3/0HPLZ17qYbjb."                   \
    "WJDtXbmuMlQ9NnvzVms5ZXj."

static const na_hash_kind bcrypt = {NA_HASH_BCRYPT, 10}, yescrypt = {NA_HASH_YESCRYPT, 5},
                          argon2id = {NA_HASH_ARGON2ID, 0};

static int has_argon2(void)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "ARGON2ID", NULL);
    ERR_clear_error();
    EVP_KDF_free(kdf);
    return kdf != NULL;
}

/* 1 or 0; -1 where it cannot be told. */
static int matches(apr_pool_t *pool, const char *password, const char *hash)
{
    int matching;
    return na_password_matches(pool, password, hash, &matching) ? -1 : matching;
}

static void known(apr_pool_t *pool)
{
    static const struct {
        const char *hash, *name;
    } hashes[] = {{BCRYPT_4, "bcrypt"},
                  {BCRYPT_12, "bcrypt"},
                  {YESCRYPT_5, "yescrypt"},
                  {SHA512, "other"}};
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
        const char *name = apr_pstrndup(pool, hashes[i].hash, 7);
        is_number(matches(pool, WORDS, hashes[i].hash), 1, name);
        is_number(matches(pool, "correct horse batterY", hashes[i].hash), 0, "a wrong password");
        is_number(matches(pool, "", hashes[i].hash), 0, "none");
        is(na_hash_name(pool, hashes[i].hash), hashes[i].name, "its name");
    }
    is_number(matches(pool, WORDS, NULL), 0, "no hash matches nothing");
    static const char *const locked[] = {"!", "!!", "*", "*0", "!" BCRYPT_4};
    for (size_t i = 0; i < sizeof locked / sizeof *locked; i++)
        is_number(matches(pool, WORDS, locked[i]), 0,
                  apr_pstrcat(pool, "locked: '", locked[i], "'", NULL));
}

/* Nothing but what is whole is given to crypt(), which would compute first. */
static void malformed(apr_pool_t *pool)
{
    static const char *const texts[] = {
        "",
        "x",
        "$",
        WORDS,
        "$unknown$1$2",
        "$2y$",
        "$2y$10$",
        "$2y$12$short",
        "$2y$12$abcdefghijklmnopqrstuuE3j5FFjC71WyDL2KIK7ShSoj8tPD3m",
        "$2y$12$abcdefghijklmnopqrstuuE3j5FFjC71WyDL2KIK7ShSoj8tPD3m66",
        "$2y$12$abcdefghijklmnopqrstuuE3j5FFjC71WyDL2KIK7ShSoj8tPD3m=",
        "$2b$31$abcdefghijklmnopqrstuu",
        "$2b$31$abcdefghijklmnopqrstuuE3j5FFjC71WyDL2KIK7ShSoj8tPD3m66",
        "$2y$03$abcdefghijklmnopqrstuuE3j5FFjC71WyDL2KIK7ShSoj8tPD3m6",
        "$2y$1:$abcdefghijklmnopqrstuuE3j5FFjC71WyDL2KIK7ShSoj8tPD3m6",
        "$2x$12$abcdefghijklmnopqrstuuE3j5FFjC71WyDL2KIK7ShSoj8tPD3m6",
        "$2$12$abcdefghijklmnopqrstuuE3j5FFjC71WyDL2KIK7ShSoj8tPD3m6",
        "$y$",
        "$y$j9T$",
        "$y$j9T$salt",
        "$y$j9T$kFXvFpRTpSJVO1hKdIXMt.$7Eu26tdS2VZhlYav1ENSSxqjeTXGntIgzJjqPNNEtC",
        "$y$jAU$kFXvFpRTpSJVO1hKdIXMt.$7Eu26tdS2VZhlYav1ENSSxqjeTXGntIgzJjqPNNEtCB",
        "$y$k9T$kFXvFpRTpSJVO1hKdIXMt.$7Eu26tdS2VZhlYav1ENSSxqjeTXGntIgzJjqPNNEtCB",
        "$6$",
        "$6$saltsalt$short",
        "$6$rounds=900000000$salt",
        "$6$rounds=999$saltsalt$G9wFFnnUFCPffgjGaIp8t6onbqx3zGbMIn93ecLfBFGJpBV3/0HPLZ17qYbjb."
        "WJDtXbmuMlQ9NnvzVms5ZXj.",
        "$6$rounds=05000$saltsalt$G9wFFnnUFCPffgjGaIp8t6onbqx3zGbMIn93ecLfBFGJpBV3/0HPLZ17qYbjb."
        "WJDtXbmuMlQ9NnvzVms5ZXj.",
        "$5$rounds=5000$saltsalt",
        "$7$CU..../....salt",
        "$7$CU..../...0salt$7Eu26tdS2VZhlYav1ENSSxqjeTXGntIgzJjqPNNEtCB",
        "$apr1$salt$short",
        "$1$saltsaltsalt$0123456789012345678901",
        "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g",
        "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9gx",
        "{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
        "_J9..rasmBYk8r9AiWNc",
        "$sha1$4000000000$salt$0123456789012345678901234567",
        "$md5,rounds=4000000000$salt$0123456789012345678901",
        "$3$$8846f7eaee8fb117ad06bdd830b7586c"};
    na_stored_hash stored;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        na_error *error = na_stored_hash_read(pool, texts[i], &stored);
        ok(error != NULL, "malformed: '%s'", texts[i]);
        ok(!error || strlen(texts[i]) < 3 || !strstr(error->message, texts[i]), "and not repeated");
        is_number(matches(pool, WORDS, texts[i]), -1, "it is told apart from a wrong password");
    }
}

/* What httpd's and the system's own tools write, with the work it is. */
static void whole(apr_pool_t *pool)
{
    static const struct {
        const char *hash;
        apr_uint32_t least, most;
    } rows[] = {{BCRYPT_4, 500, 2000},
                {BCRYPT_12, 200000, 300000},
                {YESCRYPT_5, 10000, 30000},
                {"$gy$j9T$kFXvFpRTpSJVO1hKdIXMt.$7Eu26tdS2VZhlYav1ENSSxqjeTXGntIgzJjqPNNEtCB",
                 10000, 30000},
                {"$y$j75$kFXvFpRTpSJVO1hKdIXMt.$7Eu26tdS2VZhlYav1ENSSxqjeTXGntIgzJjqPNNEtCB", 500,
                 2000},
                {"$7$CU..../....salt$7Eu26tdS2VZhlYav1ENSSxqjeTXGntIgzJjqPNNEtCB", 50000, 200000},
                {SHA512, 1000, 5000},
                {"$6$rounds=1000000$saltsalt$G9wFFnnUFCPffgjGaIp8t6onbqx3zGbMIn93ecLfBFGJpBV3/"
                 "0HPLZ17qYbjb.WJDtXbmuMlQ9NnvzVms5ZXj.",
                 400000, 1000000},
                {"$5$saltsalt$7Eu26tdS2VZhlYav1ENSSxqjeTXGntIgzJjqPNNEtCB", 1000, 5000},
                {"$apr1$saltsalt$0123456789012345678901", 100, 1000},
                {"$1$salt$0123456789012345678901", 100, 1000},
                {"{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", 1, 10},
                {"rqXexS6ZhobKA", 1, 100},
                {ARGON2_WORDS, 20000, 60000}};
    na_stored_hash stored;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        succeeds(na_stored_hash_read(pool, rows[i].hash, &stored), rows[i].hash);
        ok(stored.work >= rows[i].least && stored.work <= rows[i].most, "is %u microseconds",
           stored.work);
    }
}

static void made(apr_pool_t *pool, na_hash_kind kind, const char *start)
{
    const char *one, *two;
    succeeds(na_password_hash(pool, kind, WORDS, &one), start);
    succeeds(na_password_hash(pool, kind, WORDS, &two), "and again");
    ok(strncmp(one, start, strlen(start)) == 0, "starts as it should: %s", one);
    ok(strcmp(one, two) != 0, "with a salt of its own");
    is_number(matches(pool, WORDS, one), 1, "the password matches");
    is_number(matches(pool, "correct horse", one), 0, "the start of it does not");
    is_number(na_password_is_outdated(pool, one, kind), 0, "it is up to date");
}

/* A password of `len` letters. */
static char *letters(apr_pool_t *pool, int len)
{
    char *text = apr_palloc(pool, (apr_size_t)len + 1);
    for (int i = 0; i < len; i++)
        text[i] = (char)('a' + i * 7 % 26);
    text[len] = '\0';
    return text;
}

static void lengths(apr_pool_t *pool)
{
    const char *hash;
    succeeds(na_password_hash(pool, bcrypt, letters(pool, 72), &hash), "72 bytes for bcrypt");
    is_number(matches(pool, letters(pool, 72), hash), 1, "match");
    is_number(matches(pool, letters(pool, 73), hash), 0, "one more does not, which bcrypt ignores");
    na_error *error = na_password_hash(pool, bcrypt, letters(pool, 73), &hash);
    is(error ? error->message : NULL, "bcrypt supports passwords of at most 72 bytes",
       "73: refused");
    succeeds(na_password_hash(pool, yescrypt, letters(pool, 500), &hash), "500 for yescrypt");
    is_number(matches(pool, letters(pool, 500), hash), 1, "match");
    is_number(matches(pool, letters(pool, 499), hash), 0, "all of them");
    fails(na_password_hash(pool, yescrypt, letters(pool, NA_PASSWORD_MAX + 1), &hash),
          "more than anybody is allowed");
    is_number(matches(pool, letters(pool, NA_PASSWORD_MAX + 1), hash), 0, "match nothing");
}

static void bounds(apr_pool_t *pool)
{
    char *expensive = apr_pstrdup(pool, BCRYPT_12);
    memcpy(expensive + 4, "17", 2);
    is_number(matches(pool, WORDS, expensive), -1, "bcrypt of cost 17 is not tried");
    memcpy(expensive + 4, "31", 2);
    is_number(matches(pool, WORDS, expensive), -1, "nor of cost 31");
    is(na_hash_name(pool, expensive), "unusable", "which its name says");
    static const char *const costly[] = {
        "$y$jDT$kFXvFpRTpSJVO1hKdIXMt.$7Eu26tdS2VZhlYav1ENSSxqjeTXGntIgzJjqPNNEtCB",
        "$y$jzT$kFXvFpRTpSJVO1hKdIXMt.$7Eu26tdS2VZhlYav1ENSSxqjeTXGntIgzJjqPNNEtCB",
        "$gy$jDT$kFXvFpRTpSJVO1hKdIXMt.$7Eu26tdS2VZhlYav1ENSSxqjeTXGntIgzJjqPNNEtCB",
        "$7$EU..../....salt$7Eu26tdS2VZhlYav1ENSSxqjeTXGntIgzJjqPNNEtCB",
        "$6$rounds=1000001$saltsalt$G9wFFnnUFCPffgjGaIp8t6onbqx3zGbMIn93ecLfBFGJpBV3/0HPLZ17qYbjb."
        "WJDtXbmuMlQ9NnvzVms5ZXj.",
        "$5$rounds=99999999999999999999$saltsalt$7Eu26tdS2VZhlYav1ENSSxqjeTXGntIgzJjqPNNEtCB"};
    na_stored_hash stored;
    for (size_t i = 0; i < sizeof costly / sizeof *costly; i++) {
        na_error *error = na_stored_hash_read(pool, costly[i], &stored);
        ok(error && strstr(error->message, "costs too much"), "costs too much: %s", costly[i]);
        is_number(matches(pool, WORDS, costly[i]), -1, "and is not tried");
    }
    static const char *const refused[] = {
        "$argon2id$",
        "$argon2id$v=19",
        "$argon2id$v=16$m=64,t=1,p=1" ARGON2_SALT "$n/rR4Wt1zuKMrJ0LGebtvA",
        "$argon2id$v=19$m=131073,t=1,p=1" ARGON2_SALT "$n/rR4Wt1zuKMrJ0LGebtvA",
        "$argon2id$v=19$m=4294967360,t=1,p=1" ARGON2_SALT "$n/rR4Wt1zuKMrJ0LGebtvA",
        "$argon2id$v=19$m=64,t=17,p=1" ARGON2_SALT "$n/rR4Wt1zuKMrJ0LGebtvA",
        "$argon2id$v=19$m=64,t=0,p=1" ARGON2_SALT "$n/rR4Wt1zuKMrJ0LGebtvA",
        "$argon2id$v=19$m=64,t=01,p=1" ARGON2_SALT "$n/rR4Wt1zuKMrJ0LGebtvA",
        "$argon2id$v=19$m=64,t=-1,p=1" ARGON2_SALT "$n/rR4Wt1zuKMrJ0LGebtvA",
        "$argon2id$v=19$m=1024,t=1,p=17" ARGON2_SALT "$n/rR4Wt1zuKMrJ0LGebtvA",
        "$argon2id$v=19$m=64,t=1,p=16" ARGON2_SALT "$n/rR4Wt1zuKMrJ0LGebtvA",
        "$argon2id$v=19$t=1,m=64,p=1" ARGON2_SALT "$n/rR4Wt1zuKMrJ0LGebtvA",
        "$argon2id$v=19$m=64,t=1,p=1$c2hvcnQ$n/rR4Wt1zuKMrJ0LGebtvA",
        "$argon2id$v=19$m=64,t=1,p=1" ARGON2_SALT "$n/rR4Wt1",
        "$argon2id$v=19$m=64,t=1,p=1" ARGON2_SALT,
        "$argon2id$v=19$m=64,t=1,p=1" ARGON2_SALT "$n_rR4Wt1zuKMrJ0LGebtvA",
        "$argon2id$v=19$m=64,t=1,p=1" ARGON2_SALT "$n/rR4Wt1zuKMrJ0LGebtvA==",
        "$argon2id$v=19$m=64,t=1,p=1" ARGON2_SALT "$n/rR4Wt1zuKMrJ0LGebtvA$more",
        "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZ"
        "GVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3$n/rR4Wt1zuKMrJ0LGebtvA"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        is_number(matches(pool, WORDS, refused[i]), -1, refused[i]);
}

static long most_mib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

/* What the costliest hashes take, which a child process verifies several of at once. */
static void memory(apr_pool_t *pool)
{
    static const char *const costliest[] = {
        "$y$jCT$kFXvFpRTpSJVO1hKdIXMt.$7Eu26tdS2VZhlYav1ENSSxqjeTXGntIgzJjqPNNEtCB",
        "$7$DU..../....salt$7Eu26tdS2VZhlYav1ENSSxqjeTXGntIgzJjqPNNEtCB",
        "$argon2id$v=19$m=131072,t=1,p=1" ARGON2_SALT "$n/rR4Wt1zuKMrJ0LGebtvA"};
    long before = most_mib();
    for (size_t i = 0; i < sizeof costliest / sizeof *costliest; i++) {
        ok(matches(pool, WORDS, costliest[i]) <= 0, "no match: %s", costliest[i]);
        ok(most_mib() - before <= 160, "with %ld MiB", most_mib() - before);
    }
}

static void argon2(apr_pool_t *pool)
{
    const char *hash;
    int matching;
    na_hash_kind kind;
    is(na_hash_name(pool, ARGON2_WORDS), "argon2id", "Argon2id has its name");
    if (!has_argon2()) {
        static const char message[] = "Argon2id requires OpenSSL 3.2 or later; this is OpenSSL 3.";
        na_error *error = na_password_hash(pool, argon2id, WORDS, &hash);
        ok(error && strncmp(error->message, message, strlen(message)) == 0, "OpenSSL has none");
        fails(na_password_matches(pool, WORDS, ARGON2_WORDS, &matching), "and checks none");
        is_number(matching, 0, "which is no match");
        fails(na_hash_kind_parse(pool, "argon2id", &kind), "and it cannot be configured");
        return;
    }
    made(pool, argon2id, "$argon2id$v=19$m=19456,t=2,p=1$");
    is_number(matches(pool, "password", ARGON2_REFERENCE), 1, "the reference implementation's");
    is_number(matches(pool, "Password", ARGON2_REFERENCE), 0, "and not another password");
    is_number(matches(pool, WORDS, ARGON2_WORDS), 1, "another implementation's");
    is_number(matches(pool, WORDS, ARGON2_LANES), 1, "with four lanes");
    is_number(matches(pool, WORDS, ARGON2_SMALL), 1, "with a short hash");
    is_number(matches(pool, letters(pool, 500), ARGON2_SMALL), 0, "a long password");
    succeeds(na_hash_kind_parse(pool, "argon2id", &kind), "it can be configured");
}

static void outdated(apr_pool_t *pool)
{
    static const struct {
        const char *hash;
        na_hash_kind kind;
        int outdated;
        const char *name;
    } rows[] = {{BCRYPT_12, {NA_HASH_BCRYPT, 12}, 0, "the same cost"},
                {BCRYPT_12, {NA_HASH_BCRYPT, 10}, 0, "a higher one"},
                {BCRYPT_12, {NA_HASH_BCRYPT, 13}, 1, "a lower one"},
                {BCRYPT_4, {NA_HASH_BCRYPT, 10}, 1, "a much lower one, $2a$"},
                {YESCRYPT_5, {NA_HASH_BCRYPT, 10}, 1, "yescrypt, where bcrypt is wanted"},
                {SHA512, {NA_HASH_BCRYPT, 10}, 1, "SHA-512"},
                {"", {NA_HASH_BCRYPT, 10}, 1, "none"},
                {YESCRYPT_5, {NA_HASH_YESCRYPT, 5}, 0, "yescrypt of the same cost"},
                {YESCRYPT_5, {NA_HASH_YESCRYPT, 6}, 1, "of a lower one"},
                {"$y$jCT$kFXvFpRTpSJVO1hKdIXMt.$7Eu26tdS2VZhlYav1ENSSxqjeTXGntIgzJjqPNNEtCB",
                 {NA_HASH_YESCRYPT, 8},
                 0,
                 "of the highest"},
                {"$y$j75$kFXvFpRTpSJVO1hKdIXMt.$7Eu26tdS2VZhlYav1ENSSxqjeTXGntIgzJjqPNNEtCB",
                 {NA_HASH_YESCRYPT, 5},
                 1,
                 "of small blocks"},
                {"$y$", {NA_HASH_YESCRYPT, 5}, 1, "cut off"},
                {BCRYPT_12, {NA_HASH_YESCRYPT, 5}, 1, "bcrypt, where yescrypt is wanted"},
                {ARGON2_WORDS, {NA_HASH_ARGON2ID, 0}, 0, "Argon2id as it is made"},
                {ARGON2_REFERENCE, {NA_HASH_ARGON2ID, 0}, 0, "of more memory"},
                {ARGON2_LANES, {NA_HASH_ARGON2ID, 0}, 1, "of less memory"},
                {"$argon2id$", {NA_HASH_ARGON2ID, 0}, 1, "cut off"},
                {BCRYPT_12, {NA_HASH_ARGON2ID, 0}, 1, "bcrypt, where Argon2id is wanted"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        is_number(na_password_is_outdated(pool, rows[i].hash, rows[i].kind), rows[i].outdated,
                  rows[i].name);
}

static void kinds(apr_pool_t *pool)
{
    na_hash_kind kind;
    succeeds(na_hash_kind_parse(pool, "bcrypt", &kind), "bcrypt");
    is_number(kind.algorithm * 100 + kind.cost, 12, "of cost 12");
    succeeds(na_hash_kind_parse(pool, "bcrypt:16", &kind), "bcrypt:16");
    is_number(kind.cost, 16, "of cost 16");
    succeeds(na_hash_kind_parse(pool, "yescrypt:7", &kind), "yescrypt:7");
    is_number(kind.algorithm * 100 + kind.cost, 107, "of cost 7");
    static const char *const wrong[] = {"",           "bcrypt:",    "bcrypt:9",  "bcrypt:17",
                                        "bcrypt:012", "bcrypt:12x", "bcrypt 12", "yescrypt:4",
                                        "yescrypt:9", "argon2id:1", "argon2i",   "scrypt",
                                        "bcrypts",    "Bcrypt",     "bcrypt:-12"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        fails(na_hash_kind_parse(pool, wrong[i], &kind),
              apr_pstrcat(pool, "no kind: '", wrong[i], "'", NULL));
}

static void rules(apr_pool_t *pool)
{
    static const na_password_owner ada = {"Ada K. Lovelace", "ada.byron+news@example.org",
                                          "portal.numbers-club.info"};
    static const struct {
        const char *password;
        na_password_fault fault;
    } rows[] = {
        {"correct horse battery", NA_PASSWORD_FINE},
        {"xkqzvwpm", NA_PASSWORD_FINE},
        {"7 spaces", NA_PASSWORD_FINE},
        {"  \t #\"'<>&", NA_PASSWORD_FINE},
        {"päßwörtchen", NA_PASSWORD_FINE},
        {"零一二三四五六柒", NA_PASSWORD_FINE},
        {"", NA_PASSWORD_TOO_SHORT},
        {"xkqzvwp", NA_PASSWORD_TOO_SHORT},
        {"零一二三四五六", NA_PASSWORD_TOO_SHORT},
        {"xkqz\xff\xfevwpm", NA_PASSWORD_NO_TEXT},
        {"xkqzvwpm\xe4", NA_PASSWORD_NO_TEXT},
        {"password", NA_PASSWORD_COMMON},
        {"PassWord123", NA_PASSWORD_COMMON},
        {"password1!", NA_PASSWORD_COMMON},
        {"p@ssw0rd", NA_PASSWORD_COMMON},
        {"1qaz2wsx", NA_PASSWORD_COMMON},
        {"correct horse battery staple", NA_PASSWORD_COMMON},
        {"пароль123", NA_PASSWORD_COMMON},
        {"aaaaaaaa", NA_PASSWORD_SIMPLE},
        {"AaAaAaAaAa", NA_PASSWORD_SIMPLE},
        {"ééééééééé", NA_PASSWORD_SIMPLE},
        {"          ", NA_PASSWORD_SIMPLE},
        {"12345678", NA_PASSWORD_SIMPLE},
        {"456789012345", NA_PASSWORD_SIMPLE},
        {"9876543210987", NA_PASSWORD_SIMPLE},
        {"abcdefghijkl", NA_PASSWORD_SIMPLE},
        {"ZYXWVUTS", NA_PASSWORD_SIMPLE},
        {"абвгдежз", NA_PASSWORD_SIMPLE},
        {"abcdefgz", NA_PASSWORD_FINE},
        {"acegikmo", NA_PASSWORD_FINE},
        {"ada k. lovelace", NA_PASSWORD_PERSONAL},
        {"xx-LOVElace-xx", NA_PASSWORD_PERSONAL},
        {"byron in venice", NA_PASSWORD_PERSONAL},
        {"old news paper", NA_PASSWORD_PERSONAL},
        {"ada.byron+news", NA_PASSWORD_PERSONAL},
        {"my portal wall", NA_PASSWORD_PERSONAL},
        {"golfclub entry", NA_PASSWORD_PERSONAL},
        {"ada and eve at sea", NA_PASSWORD_FINE},
        {"no info for example", NA_PASSWORD_FINE},
        {"lovelac byro new", NA_PASSWORD_FINE},
    };
    na_password_rules all = NA_PASSWORD_RULES_DEFAULT;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        is_number(na_password_judge(&all, &ada, rows[i].password), rows[i].fault,
                  apr_psprintf(pool, "rule %d", (int)i + 1));
    is_number(na_password_judge(&all, &(na_password_owner){0}, "xx-LOVElace-xx"), NA_PASSWORD_FINE,
              "nothing is known of the owner");
    is_number(na_password_judge(&all, &(na_password_owner){"", "", ""}, "xkqzvwpm"),
              NA_PASSWORD_FINE, "or all of it is empty");
    is_number(na_password_judge(&all, &(na_password_owner){.host = "localhost"}, "my localhost"),
              NA_PASSWORD_PERSONAL, "a host without dots");
}

static void limits(apr_pool_t *pool)
{
    static const na_password_owner nobody;
    na_password_rules rule = NA_PASSWORD_RULES_DEFAULT;
    is_number(na_password_judge(&rule, &nobody, letters(pool, 72)), NA_PASSWORD_FINE, "72 bytes");
    is_number(na_password_judge(&rule, &nobody, letters(pool, 73)), NA_PASSWORD_TOO_LONG,
              "73 are too many for bcrypt");
    rule.kind = yescrypt;
    is_number(na_password_judge(&rule, &nobody, letters(pool, 1024)), NA_PASSWORD_FINE,
              "others take 1024");
    is_number(na_password_judge(&rule, &nobody, letters(pool, 1025)), NA_PASSWORD_TOO_LONG,
              "and no more");
    rule.min_characters = 12;
    is_number(na_password_judge(&rule, &nobody, "xkqzvwpmabc"), NA_PASSWORD_TOO_SHORT,
              "a site may want more characters");
    ok(strstr(na_password_fault_text(pool, &na_english, &rule, NA_PASSWORD_TOO_SHORT),
              "at least 12 ") != NULL,
       "and says so");
    ok(strstr(na_password_fault_text(pool, &na_english, &rule, NA_PASSWORD_TOO_LONG),
              "limit is 1024 ") != NULL,
       "as it says how many are too many");
    is(na_password_fault_text(pool, &na_english, &rule, NA_PASSWORD_FINE), "", "nothing is wrong");
    for (int fault = NA_PASSWORD_TOO_SHORT; fault <= NA_PASSWORD_SIMPLE; fault++)
        ok(*na_password_fault_text(pool, &na_english, &rule, (na_password_fault)fault),
           "fault %d has a text", fault);
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    known(pool);
    malformed(pool);
    whole(pool);
    made(pool, bcrypt, "$2y$10$");
    made(pool, NA_HASH_KIND_DEFAULT, "$2y$12$");
    made(pool, yescrypt, "$y$j9T$");
    lengths(pool);
    bounds(pool);
    memory(pool);
    argon2(pool);
    outdated(pool);
    kinds(pool);
    rules(pool);
    limits(pool);
    return tap_done();
}
