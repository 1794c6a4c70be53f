/* SPDX-License-Identifier: Apache-2.0 */
/* Somebody's bundle, changed: records of four bytes of place, one of length and as many of contents
 * overwrite a good one, and '<' and four bytes of place cut it off there. Whatever is verified has
 * not been changed. */
#include "../../harness/bundle.h"
#include "../../harness/file.h"
#include "fuzz.h"

static const char claims[] = "- id: count\n"
                             "  where: Table 1\n"
                             "  says: counted\n"
                             "  kind: count\n"
                             "  experiment: fuzz/spec\n"
                             "  evidence: SELECT counted AS value FROM v_count\n"
                             "  expect: {equals: 131072}\n";

static Bundle bundle;

static void make(void)
{
    Err err;
    char folder[512];
    snprintf(folder, sizeof folder, "%s/papers/fuzz", fuzz_folder());
    require(folder_make(folder, &err) == OK);
    fuzz_file("papers/fuzz/paper.yaml", "id: fuzz\ntitle: A paper\n", 24);
    fuzz_file("papers/fuzz/claims.yaml", claims, sizeof claims - 1);
    fuzz_database("attest.db");
    require(chdir(fuzz_folder()) == 0);
    require(bundle_make(&bundle, "fuzz", "attest.db", NULL, &err) == OK);
}

static size_t place_of(const uint8_t *data, size_t size)
{
    return (data[0] | (size_t)data[1] << 8 | (size_t)data[2] << 16) % size;
}

/* The size of what is left. */
static size_t change(char *copy, const uint8_t *data, size_t size)
{
    size_t left = bundle.size;
    while (size > 5) {
        const size_t at = place_of(data + (*data == '<'), bundle.size);
        size_t length = data[4] < size - 5 ? data[4] : size - 5;
        if (*data == '<') { left = at; length = 0; }
        if (length > bundle.size - at) length = bundle.size - at;
        memcpy(copy + at, data + 5, length);
        data += 5 + length;
        size -= 5 + length;
    }
    return left;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Verification verification;
    Err err = { "" };
    const int home = open(".", O_RDONLY | O_DIRECTORY);
    if (!bundle.data) make();
    require(chdir(fuzz_folder()) == 0);
    const int entries = fuzz_entries(".");
    char *copy = malloc(bundle.size);
    require(copy);
    memcpy(copy, bundle.data, bundle.size);
    const size_t left = change(copy, data, size);
    const int same = left == bundle.size && !memcmp(copy, bundle.data, left);
    require(bundle_verify(&verification, copy, left, &err) == OK);
    require(same == !verification.differ);
    require(fuzz_entries(".") == entries);
    free(copy);
    require(fchdir(home) == 0);
    close(home);
    return 0;
}
