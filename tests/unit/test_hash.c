/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes against the published examples: FIPS 180-4's and the CRC catalogue's check value. */
#include "../../harness/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *sha(const char *text, size_t size, size_t step)
{
    static char hex[SHA256_TEXT];
    uint8_t digest[SHA256_BYTES];
    Sha256 h;
    sha256_open(&h);
    for (size_t i = 0; i < size; i += step)
        sha256_add(&h, text + i, size - i < step ? size - i : step);
    sha256_close(&h, digest);
    sha256_text(digest, hex);
    return hex;
}

static void published_digests(void **state)
{
    (void)state;
    const char *two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    assert_string_equal(sha("", 0, 1),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_string_equal(sha("abc", 3, 3),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(sha(two, 56, 56),
                        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void a_million_letters_in_odd_pieces(void **state)
{
    (void)state;
    char *a = malloc(1000000);
    assert_non_null(a);
    memset(a, 'a', 1000000);
    const char *right = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    assert_string_equal(sha(a, 1000000, 1000000), right);
    assert_string_equal(sha(a, 1000000, 63), right);
    assert_string_equal(sha(a, 1000000, 129), right);
    free(a);
}

/* Every length around the padding's edge gives the same digest whole and in single bytes. */
static void lengths_around_a_block(void **state)
{
    (void)state;
    char text[140], whole[SHA256_TEXT];
    for (size_t i = 0; i < sizeof text; i++) text[i] = (char)i;
    for (size_t size = 50; size < sizeof text; size++) {
        strcpy(whole, sha(text, size, size));
        assert_string_equal(sha(text, size, 1), whole);
    }
}

static int64_t identity_of(const char *a, const char *b, int64_t n)
{
    Sha256 h;
    sha256_open(&h);
    identity_text(&h, a);
    identity_text(&h, b);
    identity_integer(&h, n);
    return identity_close(&h);
}

static void identities_keep_fields_apart(void **state)
{
    (void)state;
    const int64_t id = identity_of("ab", "c", 7);
    assert_true(id >= 0);
    assert_true(id == identity_of("ab", "c", 7));
    assert_true(id != identity_of("a", "bc", 7));
    assert_true(id != identity_of("ab", "c", 8));
    assert_true(identity_of("", NULL, 0) != identity_of(NULL, "", 0));
}

static void crc(void **state)
{
    (void)state;
    assert_int_equal(crc32_add(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(crc32_add(crc32_add(0, "1234", 4), "56789", 5), 0xcbf43926);
    assert_int_equal(crc32_add(0, "", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_digests),
        cmocka_unit_test(a_million_letters_in_odd_pieces),
        cmocka_unit_test(lengths_around_a_block),
        cmocka_unit_test(identities_keep_fields_apart),
        cmocka_unit_test(crc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
