/* SPDX-License-Identifier: Apache-2.0 */
/* attest bundle: a paper's proof as one file. */
#include "bundle.h"
#include "cli.h"
#include "file.h"
#include "units.h"

#include <string.h>

static const Option options[] = {
    { "out", 'o', "FILE", "where to write it (default: results/bundle/PAPER.tar)", NULL },
    { "machine", 'm', "ALIAS", "the rows of this machine, not those of the one it runs on", NULL },
    { 0 }
};

static Status make_folder_of(const char *path, Err *err)
{
    char folder[512];
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path) return OK;
    if ((size_t)(slash - path) >= sizeof folder)
        return fail(err, BAD_INPUT, "%.200s...: the path is too long", path);
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    return folder_make(folder, err);
}

static void hash_of(const Bundle *b, char out[SHA256_TEXT])
{
    uint8_t digest[SHA256_BYTES];
    Sha256 h;
    sha256_open(&h);
    sha256_add(&h, b->data, b->size);
    sha256_close(&h, digest);
    sha256_text(digest, out);
}

static void tell(const Call *call, const char *path, const Bundle *b)
{
    char size[UNITS_TEXT], hash[SHA256_TEXT];
    Json json;
    hash_of(b, hash);
    if (!call->json) {
        bytes_print(size, (double)b->size);
        fprintf(call->out, "%s: %s, %d files: %lld blocks with %lld runs of %s, %d claims judged\n"
                           "sha256 %s\n",
                path, size, b->files, (long long)b->blocks, (long long)b->runs, b->machine,
                b->claims, hash);
        if (*b->other)
            fprintf(call->out, "judged otherwise than in the database, which has other rows, or "
                               "was judged before: %s\n", b->other);
        return;
    }
    json_open(&json, call->out);
    json_object(&json, NULL);
    json_text(&json, "file", path);
    json_integer(&json, "bytes", (long long)b->size);
    json_text(&json, "sha256", hash);
    json_text(&json, "machine", b->machine);
    json_integer(&json, "sessions", b->sessions);
    json_integer(&json, "blocks", b->blocks);
    json_integer(&json, "runs", b->runs);
    json_integer(&json, "claims", b->claims);
    json_text(&json, "judged_otherwise", *b->other ? b->other : NULL);
    json_close(&json);
}

static int run(const Call *call)
{
    Err err;
    Bundle bundle = { 0 };
    char standard[160];
    const char *out = call_option(call, "out");
    snprintf(standard, sizeof standard, "results/bundle/%.100s.tar", call->argv[0]);
    if (!out) out = standard;
    Status status = bundle_make(&bundle, call->argv[0], call->db_path,
                                call_option(call, "machine"), &err);
    if (!status) status = make_folder_of(out, &err);
    if (!status) status = file_write(out, bundle.data, bundle.size, &err);
    if (!status) tell(call, out, &bundle);
    bundle_free(&bundle);
    return status ? call_failed(call, status, &err) : EXIT_DONE;
}

extern const Command command_bundle;
const Command command_bundle = {
    .name = "bundle",
    .arguments = "PAPER",
    .summary = "a paper's proof as one file that anybody can verify",
    .details =
        "A plain tar with the paper's claims and published values, the experiments, the raw "
        "samples of one machine in an SQLite file, what was derived from them, the verdicts, and a "
        "manifest of machine, environment, builds, sources and object code by hash. `attest "
        "verify` computes it all again, anywhere, offline.\n"
        "The same rows give the same bytes. Nothing is measured, and the database is only read.",
    .option = options,
    .least = 1,
    .most = 1,
    .run = run,
};
