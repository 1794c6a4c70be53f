/* SPDX-License-Identifier: Apache-2.0 */
/* attest verify: computes a bundle again and says what agrees. */
#include "bundle.h"
#include "cli.h"

#include <stdlib.h>

static void print_checks(FILE *out, const char *path, const Verification *v)
{
    static const char *const signs[] = { "\342\234\223 ", "\342\234\227 ", "\302\267 " };
    static const char *const words[] = { "agrees", "differs", "note" };
    static const char *const colours[] = { "32", "1;31", "2" };
    for (int i = 0; i < v->checks; i++) {
        const Check *c = &v->check[i];
        fprintf(out, "%s%s%-7s%s  %-11s  %s\n", paint(out, colours[c->kind]),
                terminal_utf8() ? signs[c->kind] : "", words[c->kind], paint(out, "0"), c->what,
                c->text);
    }
    if (v->differ)
        fprintf(out, "%s: NOT verified: %d of its checks differ\n", path, v->differ);
    else
        fprintf(out, "%s: verified: all that it says of %s follows from its raw samples\n", path,
                v->paper);
}

static void json_checks(FILE *out, const char *path, const Verification *v)
{
    static const char *const kinds[] = { "agrees", "differs", "note" };
    Json json;
    json_open(&json, out);
    json_object(&json, NULL);
    json_text(&json, "file", path);
    json_text(&json, "paper", *v->paper ? v->paper : NULL);
    json_bool(&json, "verified", !v->differ);
    json_array(&json, "checks");
    for (int i = 0; i < v->checks; i++) {
        json_object(&json, NULL);
        json_text(&json, "what", v->check[i].what);
        json_text(&json, "result", kinds[v->check[i].kind]);
        json_text(&json, "says", v->check[i].text);
        json_close(&json);
    }
    json_close(&json);
    json_close(&json);
}

static int run(const Call *call)
{
    Err err;
    Verification v;
    char *data = NULL;
    size_t size;
    const char *path = call->argv[0];
    Status status = bundle_read(path, &data, &size, &err);
    if (!status) status = bundle_verify(&v, data, size, &err);
    free(data);
    if (status) return call_failed(call, status, &err);
    if (call->json) json_checks(call->out, path, &v);
    else print_checks(call->out, path, &v);
    return v.differ ? EXIT_WRONG : EXIT_DONE;
}

extern const Command command_verify;
const Command command_verify = {
    .name = "verify",
    .arguments = "BUNDLE",
    .summary = "compute a bundle again and say what agrees",
    .details =
        "All hashes, the ids of all rows, every statistic from the raw samples, every verdict from "
        "the bundled claims, bit for bit, with no network and on any machine. Nothing is unpacked "
        "or written, and nothing of the bundle is run but its claims' SELECTs, which can only "
        "read. Object code and builds that are not this program's are notes: they matter to who "
        "wants to measure again, not here.\n"
        "Exit code 0: all agrees; 1: something differs.",
    .least = 1,
    .most = 1,
    .run = run,
};
