/* SPDX-License-Identifier: Apache-2.0 */
/* Arms of a comparison, and the lists of words: dtypes, passes, ISAs, thread counts, instruments.
 */
#include "spec.h"

#include "file.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 64 };

const char *spec_guess(const char *word, const char *const *known, int count)
{
    static char text[160];
    const char *near =
        strlen(word) > 1 ? did_you_mean(word, known, count) : NULL; /* "Q" is near to all letters */
    text[0] = 0;
    if (near) snprintf(text, sizeof text, "; did you mean '%s'?", near);
    return text;
}

/* "; there are: a, b, c" */
static const char *there_are(const char *const *known, int count)
{
    static char text[320];
    size_t used = (size_t)snprintf(text, sizeof text, "; there are: ");
    for (int i = 0; i < count && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? ", " : "", known[i]);
    return text;
}

static void unknown(SpecReader *r, const Node *at, const char *what, const char *word,
                    const char *const *known, int count)
{
    const char *hint = spec_guess(word, known, count);
    complain(r->complaints, r->tree, at, "unknown %s '%s'%s", what, word,
             *hint ? hint : there_are(known, count));
}

int spec_words(SpecReader *r, const Node *node, const Node **word, int most)
{
    const Node *const *item = node->kind == NODE_LIST ? (const Node *const *)node->item : &node;
    const int count = node->kind == NODE_LIST ? node->count : 1;
    int n = 0;
    if (node->kind == NODE_MAP || count == 0) {
        complain(r->complaints, r->tree, node,
                 node->kind == NODE_MAP ? "a word or a list of words is wanted here, not a map"
                                        : "the list is empty");
        return 0;
    }
    for (int i = 0; i < count; i++) {
        if (item[i]->kind != NODE_SCALAR || !item[i]->text[0])
            complain(r->complaints, r->tree, item[i], "a word is wanted here");
        else if (n == most) {
            complain(r->complaints, r->tree, item[i], "more than %d of them", most);
            break;
        } else word[n++] = item[i];
    }
    return n;
}

/* Names become those of files, and words of commands that others are told to type. */
void spec_check_name(SpecReader *r, const Node *root, const char *key)
{
    const char *name = node_text(root, key, "");
    if (*name && !name_is_plain(name))
        complain(r->complaints, r->tree, node_get(root, key),
                 "%s: letters, digits, _, - and . are wanted, with / between words", key);
}

/* ---- arms ----------------------------------------------------------------------------- */

static void unknown_method(SpecReader *r, const Node *at, const char *word)
{
    const char *known[WORDS_MAX];
    int n = 0;
    for (; methods[n] && n < WORDS_MAX; n++) known[n] = methods[n]->name;
    unknown(r, at, "method", word, known, n);
}

/* Each name once, whatever it is built for. */
static int variant_names(const Method *m, const char **known)
{
    int n = 0;
    for (int i = 0; variants[i] && n < WORDS_MAX; i++) {
        int seen = strcmp(variants[i]->method, m->name) != 0;
        for (int k = 0; k < n && !seen; k++) seen = !strcmp(known[k], variants[i]->name);
        if (!seen) known[n++] = variants[i]->name;
    }
    return n;
}

static void set_variant(SpecReader *r, const Node *at, const char *word, SpecArm *arm)
{
    const char *known[WORDS_MAX];
    const int n = variant_names(arm->method, known);
    for (int i = 0; i < n; i++) {
        if (strcmp(known[i], word)) continue;
        arm->variant = known[i];
        return;
    }
    unknown(r, at, "variant", word, known, n);
}

static int set_isa(SpecReader *r, const Node *at, const char *word, Isa *out)
{
    const char *known[ISA_END];
    int n = 0;
    for (Isa isa = ISA_PORTABLE; isa < ISA_COUNT; isa++) known[n++] = isa_name(isa);
    if (isa_parse(word, out) && *out < ISA_COUNT) return 1;
    unknown(r, at, "instruction set", word, known, n);
    return 0;
}

static void set_param(SpecReader *r, const Node *at, char *text, SpecArm *arm)
{
    char *equals = strchr(text, '='), *end;
    if (!equals) {
        complain(r->complaints, r->tree, at, "'%s' is no PARAM=VALUE", text);
        return;
    }
    *equals = 0;
    const int i = param_index(arm->method, text);
    if (i < 0) {
        const char *known[PARAM_MAX];
        int n = 0;
        for (; arm->method->param[n].name; n++) known[n] = arm->method->param[n].name;
        unknown(r, at, "parameter", text, known, n);
        return;
    }
    const Param *p = &arm->method->param[i];
    errno = 0;
    const long long value = strtoll(equals + 1, &end, 10);
    if (errno || !equals[1] || *end || value < p->low || value > p->high) {
        complain(r->complaints, r->tree, at, "%s=%s: a whole number from %lld to %lld is wanted",
                 text, equals + 1, (long long)p->low, (long long)p->high);
        return;
    }
    arm->value[i] = value;
    arm->given |= 1u << i;
}

/* METHOD[/VARIANT][@ISA][:PARAM=VALUE,...]; 0: not even the method is known. */
static int read_arm(SpecReader *r, const Node *node, SpecArm *arm)
{
    char text[POINT_TEXT_MAX], *save = NULL;
    *arm = (SpecArm){ .isa = ISA_END, .at = node };
    snprintf(text, sizeof text, "%s", node->text);
    char *params = strchr(text, ':');
    if (params) *params++ = 0;
    char *isa = strchr(text, '@');
    if (isa) *isa++ = 0;
    char *variant = strchr(text, '/');
    if (variant) *variant++ = 0;
    arm->method = method_find(text);
    if (!arm->method) { unknown_method(r, node, text); return 0; }
    set_variant(r, node, variant ? variant : arm->method->usual, arm);
    if (isa) set_isa(r, node, isa, &arm->isa);
    for (char *p = params ? strtok_r(params, ",", &save) : NULL; p; p = strtok_r(NULL, ",", &save))
        set_param(r, node, p, arm);
    return 1;
}

void spec_arms(SpecReader *r, const Node *compare, Part *part)
{
    const Node *word[ARMS_MAX];
    part->arms = 0;
    const int count = spec_words(r, compare, word, ARMS_MAX);
    for (int i = 0; i < count; i++) {
        int twice = 0;
        for (int k = 0; k < i; k++) twice |= !strcmp(word[k]->text, word[i]->text);
        if (twice)
            complain(r->complaints, r->tree, word[i], "'%s' is compared with itself",
                     word[i]->text);
        else if (read_arm(r, word[i], &part->arm[part->arms])) part->arms++;
    }
}

/* ---- lists of words ----------------------------------------------------------------------------
 */

void spec_dtypes(SpecReader *r, const Node *node, Part *part)
{
    static const char *const known[] = { "f32", "bf16" };
    const Node *word[DTYPE_END];
    const int count = spec_words(r, node, word, DTYPE_END);
    part->dtypes = 0;
    for (int i = 0; i < count; i++) {
        Dtype dtype;
        if (!dtype_parse(word[i]->text, &dtype) || (dtype != F32 && dtype != BF16))
            unknown(r, word[i], "dtype", word[i]->text, known, 2);
        else part->dtype[part->dtypes++] = dtype;
    }
}

void spec_passes(SpecReader *r, const Node *node, Part *part)
{
    static const char *const known[] = { "fwd", "bwd", "step" };
    const Node *word[3];
    const int count = spec_words(r, node, word, 3);
    part->passes = 0;
    for (int i = 0; i < count; i++) {
        Pass pass;
        if (!pass_parse(word[i]->text, &pass)) unknown(r, word[i], "pass", word[i]->text, known, 3);
        else part->pass[part->passes++] = pass;
    }
}

void spec_isas(SpecReader *r, const Node *node, Part *part)
{
    const Node *word[ISA_END];
    part->isas = 0;
    part->isa_choice = ISA_CHOICE_LIST;
    const int count = spec_words(r, node, word, ISA_END);
    for (int i = 0; i < count; i++) {
        Isa isa;
        const int best = !strcmp(word[i]->text, "best"), all = !strcmp(word[i]->text, "all");
        if ((best || all) && count == 1) part->isa_choice = best ? ISA_CHOICE_BEST : ISA_CHOICE_ALL;
        else if (best || all)
            complain(r->complaints, r->tree, word[i],
                     "'%s' stands alone, without other instruction sets", word[i]->text);
        else if (set_isa(r, word[i], word[i]->text, &isa)) part->isa[part->isas++] = isa;
    }
}

void spec_threads(SpecReader *r, const Node *node, Part *part)
{
    const Node *word[THREAD_COUNTS_MAX];
    const int count = spec_words(r, node, word, THREAD_COUNTS_MAX);
    part->thread_counts = 0;
    for (int i = 0; i < count; i++) {
        int64_t n = 0;
        if (strcmp(word[i]->text, "all") &&
            (!node_integer(word[i], &n) || n < 1 || n > THREADS_MAX))
            complain(r->complaints, r->tree, word[i],
                     "'%s': a number of threads from 1 to %d is wanted, or 'all'", word[i]->text,
                     THREADS_MAX);
        else part->threads[part->thread_counts++] = (int)n;
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void spec_instruments(SpecReader *r, const Node *node, Part *part)
{
    const Node *word[INSTRUMENTS_MAX - 1];
    const char *known[WORDS_MAX];
    int kinds = 0, n = 0;
    for (; instruments[kinds] && kinds < WORDS_MAX; kinds++)
        known[kinds] = instruments[kinds]->name;
    const int count = spec_words(r, node, word, INSTRUMENTS_MAX - 1);
    part->exact = 1;
    for (int i = 0; i < count; i++) {
        const Instrument *instrument = instrument_find(word[i]->text);
        if (!instrument) {
            unknown(r, word[i], "instrument", word[i]->text, known, kinds);
            continue;
        }
        part->exact = part->exact && instrument->exact;
        part->instrument[n++] = instrument->name;
    }
    part->instrument[n] = NULL;
    qsort(part->instrument, (size_t)n, sizeof *part->instrument, by_name);
}
