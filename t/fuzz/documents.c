/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

/* The file is checked where libmongoc is not, too. */
#if __has_include(<mongoc/mongoc.h>)

#include "mongodb/access.h"
#include "mongodb/tables.h"
#include "mongodb/value.h"

#include "base/text.h"

static void check_text(const char *text)
{
    if (text && (strlen(text) > NA_TEXT_MAX || !na_is_utf8(text)))
        abort();
}

static void check_id(const char *id)
{
    bson_oid_t oid;
    if (id && !na_oid_parse(id, &oid))
        abort();
}

static void read_fields(const bson_t *document)
{
    static const char *const fields[] = {"_id", "email", "userId", "expires", "value", "roles"};
    size_t len;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        check_text(na_value_text(fuzz_pool, document, fields[i]));
        check_id(na_value_oid(fuzz_pool, document, fields[i]));
        na_value_time(document, fields[i]);
        na_value_number(document, fields[i]);
        na_value_is_set(document, fields[i]);
        const unsigned char *data = na_value_binary(document, fields[i], &len);
        if (data && len)
            na_hex(fuzz_pool, data, len);
    }
}

static void read_person(const bson_t *document)
{
    na_db_person person;
    na_mongo_take_access(fuzz_pool, document, 1, &person);
    check_text(person.credential.hash);
    if (person.roles->nelts > NA_ARRAY_MAX)
        abort();
    for (int i = 0; i < person.roles->nelts; i++)
        check_text(APR_ARRAY_IDX(person.roles, i, const char *));
}

/* Whatever a database holds, what is read of it is text that C sees whole, IDs, and numbers. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bson_t document;
    fuzz_text(data, size);
    if (!bson_init_static(&document, data, size))
        return 0;
    read_fields(&document);
    read_person(&document);
    for (na_db_table table = 0; table < NA_TABLES; table++)
        na_mongo_rows_of(fuzz_pool, table, &document,
                         apr_array_make(fuzz_pool, 4, sizeof(na_db_row)));
    return 0;
}

#else

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_text(data, size);
    return 0;
}

#endif
