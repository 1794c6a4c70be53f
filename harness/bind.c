/* SPDX-License-Identifier: Apache-2.0 */
/* Memory, guards and contents of a problem's tensors.
 *
 * Random contents take 16 bits an element: one call of the counter-based generator makes
 * eight. An element is a table's entry, the quantile of its distribution at (bits + 1/2) / 2^16
 * rounded to bf16: exact to every digit that bf16 can show, except that no normal lies beyond
 * 4.3, and the same on every machine, dtype and thread. */
#include "bind.h"
#include "machine.h"

#include "../kernels/core/problem.h"
#include "../kernels/core/random.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

enum { GUARD = WORKSPACE_ALIGN, QUANTILES = 1 << 16 };

/* In both halves of a word: f32, bf16 and f64 read quiet NaNs, i32 an impossible index. A
 * kernel that reads beyond its input has NaN in its output. */
static const uint16_t poison_half = 0xffd5;

void poison(void *memory, size_t bytes)
{
    uint64_t word = poison_half * 0x0001000100010001u;
    char *to = memory;
    require(bytes % sizeof poison_half == 0);
    for (; bytes >= sizeof word; bytes -= sizeof word, to += sizeof word)
        memcpy(to, &word, sizeof word);
    memcpy(to, &word, bytes);
}

/* ---- memory ------------------------------------------------------------------------- */

/* Successive tensors of a power of two bytes start 128 bytes apart modulo a page, so their
 * loads and stores do not alias. */
static size_t place(Tensor *t, int present, char *memory, size_t at)
{
    if (!present) return at;
    const size_t bytes = workspace_round(tensor_bytes(t));
    if (memory) {
        t->data = memory + at + GUARD;
        poison(memory + at, GUARD);
        const size_t used = tensor_bytes(t);
        poison((char *)t->data + used, bytes - used + GUARD);
    }
    return at + bytes + 2 * GUARD;
}

int port_has_gradient(const Port *port)
{
    return !port->no_grad && port->kind != KIND_INDEX;
}

/* Once to add up the sizes (memory NULL), once to hand out the addresses. */
static size_t place_all(Bound *b, int with_gradients, char *memory)
{
    const Port *port = b->problem.method->port;
    size_t at = 0;
    for (int i = 0; port[i].name; i++) {
        const int present = port_shape(&b->problem, i, &b->x[i]);
        b->dx[i] = b->x[i];
        at = place(&b->x[i], present, memory, at);
        at = place(&b->dx[i], present && with_gradients && port_has_gradient(&port[i]), memory, at);
    }
    return at;
}

static size_t bytes_of(const Tensor *t) { return t->data ? tensor_bytes(t) : 0; }

Status bound_open(Bound *b, const Problem *p, Dtype dtype, int with_gradients, Device *device,
                  Err *err)
{
    require(dtype != I32 && dtype < DTYPE_END);
    if (p->pass == BWD) with_gradients = 1;
    *b = (Bound){ .problem = *p, .device = device };
    b->problem.dtype = dtype;
    b->memory_bytes = place_all(b, with_gradients, NULL);
    if (machine_has_memory(b->memory_bytes)) b->memory = backend_cpu.take(device, b->memory_bytes);
    if (!b->memory)
        return fail(err, NO_MEMORY, "no memory for the problem's tensors (%.1f MiB)",
                    (double)b->memory_bytes / (1 << 20));
    place_all(b, with_gradients, b->memory);
    for (int i = 0; p->method->port[i].name; i++)
        b->tensor_bytes += bytes_of(&b->x[i]) + bytes_of(&b->dx[i]);
    b->args = (Args){ b->x, with_gradients ? b->dx : NULL };
    return OK;
}

void bound_close(Bound *b)
{
    if (b->memory) backend_cpu.give(b->device, b->memory, b->memory_bytes);
    *b = (Bound){ 0 };
}

/* ---- random contents ------------------------------------------------------------------ */

static uint16_t normals[QUANTILES], uniforms[QUANTILES];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static uint16_t to_bf16(double x) { return bf16_from_float((float)x); }

/* Quantiles upwards from the median. The step to the next one is predicted to second order from
 * the density f (f' = -x f) and corrected by one step of Newton's. */
static void make_normals(void)
{
    const double step = 1.0 / QUANTILES, root_2pi = 2.5066282746310005;
    double x = 0;
    for (int i = 0; i < QUANTILES / 2; i++) {
        const double p = 0.5 + (i + 0.5) * step;
        const double density = exp(-0.5 * x * x) / root_2pi;
        const double ahead = (i ? step : 0.5 * step) / density;
        x += ahead * (1 + 0.5 * x * ahead);
        x += (0.5 * erfc(x * 0.7071067811865476) - (1 - p)) * root_2pi * exp(0.5 * x * x);
        normals[QUANTILES / 2 + i] = to_bf16(x);
        normals[QUANTILES / 2 - 1 - i] = to_bf16(-x);
    }
}

static void make_tables(void)
{
    const uint16_t below_1 = to_bf16(1 - 0x1p-8);
    make_normals();
    for (int i = 0; i < QUANTILES; i++) {
        const uint16_t x = to_bf16((i + 0.5) / QUANTILES);
        uniforms[i] = x < below_1 ? x : below_1;
    }
}

static uint64_t fnv_word(uint64_t hash, uint64_t word) { return (hash ^ word) * 0x100000001b3u; }

static const uint64_t fnv_start = 0xcbf29ce484222325u;

/* The stream of a port, or of its gradient ("q" or "dq"). */
static uint64_t stream_of(const char *prefix, const char *name)
{
    uint64_t hash = fnv_start;
    for (const char *s = prefix; *s; s++) hash = fnv_word(hash, (unsigned char)*s);
    for (const char *s = name; *s; s++) hash = fnv_word(hash, (unsigned char)*s);
    return hash;
}

static float widen(uint16_t half)
{
    const uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void put(Tensor *t, int64_t at, int64_t n, const uint16_t *value)
{
    switch (t->dtype) {
    case F32:  for (int64_t i = 0; i < n; i++) ((float *)t->data)[at + i] = widen(value[i]); break;
    case F64:  for (int64_t i = 0; i < n; i++) ((double *)t->data)[at + i] = widen(value[i]); break;
    case BF16: memcpy((uint16_t *)t->data + at, value, (size_t)n * sizeof *value); break;
    default:   require_failed("an index has a fill of its own", __FILE__, __LINE__);
    }
}

static void fill_random(Tensor *t, const uint16_t *table, uint64_t seed, uint64_t stream)
{
    const uint32_t key[2] = { (uint32_t)seed, (uint32_t)(seed >> 32) };
    const int64_t count = tensor_count(t);
    for (int64_t at = 0; at < count; at += 8) {
        const uint64_t block = (uint64_t)at / 8;
        const uint32_t counter[4] = { (uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream,
                                      (uint32_t)(stream >> 32) };
        uint32_t word[4];
        uint16_t value[8];
        philox4x32(counter, key, word);
        for (int i = 0; i < 4; i++) {
            value[2 * i] = table[word[i] & 0xffff];
            value[2 * i + 1] = table[word[i] >> 16];
        }
        put(t, at, count - at < 8 ? count - at : 8, value);
    }
}

void port_round(const Port *port, Tensor *t, Dtype dtype)
{
    if (dtype == F64 || port->kind == KIND_INDEX) return;
    for (int64_t i = 0, n = tensor_count(t); i < n; i++) {
        uint64_t room;
        Tensor one = { &room, port->kind == KIND_WIDE ? F32 : dtype, 0, { 0 } };
        tensor_set(&one, 0, tensor_get(t, i));
        tensor_set(t, i, tensor_get(&one, 0));
    }
}

static void fill_port(Tensor *t, const Port *port, const char *prefix, Fill fill, uint64_t seed)
{
    switch (fill) {
    case FILL_NORMAL:  fill_random(t, normals, seed, stream_of(prefix, port->name)); return;
    case FILL_UNIFORM: fill_random(t, uniforms, seed, stream_of(prefix, port->name)); return;
    case FILL_ZERO:    memset(t->data, 0, tensor_bytes(t)); return;
    case FILL_METHOD:  return;
    }
}

void bound_fill(Bound *b)
{
    const Problem *p = &b->problem;
    const Port *port = p->method->port;
    pthread_once(&tables_once, make_tables);
    for (int i = 0; port[i].name; i++) {
        Tensor *x = &b->x[i], *dx = &b->dx[i];
        const int is_output = port[i].role == PORT_OUT;
        if (x->data && is_output) poison(x->data, tensor_bytes(x));
        if (x->data && !is_output) fill_port(x, &port[i], "", port[i].fill, p->seed);
        if (dx->data && is_output) fill_port(dx, &port[i], "d", FILL_NORMAL, p->seed);
        if (dx->data && !is_output) poison(dx->data, tensor_bytes(dx));
    }
    if (p->method->fill) p->method->fill(p, &b->args);
    for (int i = 0; port[i].name; i++)     /* equal for all dtypes, too */
        if (b->x[i].data && port[i].role != PORT_OUT && port[i].fill == FILL_METHOD)
            port_round(&port[i], &b->x[i], BF16);
}

void bound_forward(Bound *b, const Bound *reference)
{
    const Port *port = b->problem.method->port;
    require(b->problem.pass == BWD && reference->problem.dtype == F64);
    for (int i = 0; port[i].name; i++)
        if (port[i].role == PORT_OUT && b->x[i].data) tensor_convert(&b->x[i], &reference->x[i]);
}

/* ---- the float64 reference ------------------------------------------------------------- */

void reference_outputs(const Problem *p, const Args *args)
{
    Problem forward = *p;
    if (p->pass == BWD) forward.pass = FWD;
    p->method->reference(&forward, &(Args){ args->x, NULL });
}

static void round_outputs(const Problem *p, const Args *args)
{
    for (int i = 0; p->method->port[i].name; i++) {
        const Port *port = &p->method->port[i];
        if (port->role == PORT_OUT && port->kind == KIND_VALUE && args->x[i].data)
            port_round(port, &args->x[i], BF16);
    }
}

void reference_run(const Problem *p, const Args *args, Dtype saved)
{
    if (p->pass == BWD) reference_outputs(p, args);
    if (p->pass == BWD && saved == BF16) round_outputs(p, args);
    p->method->reference(p, args);
}

/* ---- what the pass writes --------------------------------------------------------------- */

int bound_writes(const Problem *p, int port)
{
    const Port *at = &p->method->port[port];
    Tensor shape;
    if (!port_shape(p, port, &shape)) return 0;
    return p->pass == BWD ? at->role == PORT_IN && port_has_gradient(at) : at->role != PORT_IN;
}

Tensor *bound_written(const Bound *b, int port)
{
    if (!bound_writes(&b->problem, port)) return NULL;
    return (b->problem.pass == BWD ? b->args.dx : b->args.x) + port;
}

const char *bound_written_name(const Problem *p, int port)
{
    static _Thread_local char name[40];
    const char *plain = p->method->port[port].name;
    require(strlen(plain) < sizeof name - 1);
    name[0] = 'd';
    strcpy(name + 1, plain);
    return p->pass == BWD ? name : plain;
}

void bound_poison_outputs(Bound *b)
{
    const Port *port = b->problem.method->port;
    for (int i = 0; port[i].name; i++) {
        Tensor *t = bound_written(b, i);
        if (t && port[i].role != PORT_STATE) poison(t->data, tensor_bytes(t));
    }
}

static int poisoned(const char *at, size_t bytes)
{
    for (; bytes >= sizeof poison_half; bytes -= sizeof poison_half, at += sizeof poison_half)
        if (memcmp(at, &poison_half, sizeof poison_half)) return 0;
    return 1;
}

static int guarded(const Tensor *t)
{
    if (!t->data) return 1;
    const char *data = t->data;
    const size_t used = tensor_bytes(t);
    return poisoned(data - GUARD, GUARD) &&
           poisoned(data + used, workspace_round(used) - used + GUARD);
}

const char *bound_guard_broken(const Bound *b)
{
    const Port *port = b->problem.method->port;
    for (int i = 0; port[i].name; i++) {
        if (!guarded(&b->x[i])) return port[i].name;
        if (!guarded(&b->dx[i])) {
            Problem backward = b->problem;
            backward.pass = BWD;
            return bound_written_name(&backward, i);
        }
    }
    return NULL;
}

uint64_t bound_checksum(const Bound *b)
{
    uint64_t hash = fnv_start;
    for (int i = 0; b->problem.method->port[i].name; i++) {
        const Tensor *t = bound_written(b, i);
        if (!t) continue;
        const char *at = t->data;
        size_t bytes = tensor_bytes(t);
        for (uint64_t word; bytes >= sizeof word; bytes -= sizeof word, at += sizeof word) {
            memcpy(&word, at, sizeof word);
            hash = fnv_word(hash, word);
        }
        for (; bytes; bytes--) hash = fnv_word(hash, (unsigned char)*at++);
    }
    return hash;
}
