/* SPDX-License-Identifier: Apache-2.0 */
/* The one text that names a point:
 *
 *   METHOD[/VARIANT][@ISA]:PARAM=VALUE,...:DTYPE:PASS[:threads=N]
 *   flash_attention/online@avx512:B=1,H=8,T=4096,D=64,causal=1:f32:fwd:threads=2
 *
 * It is the command line's argument, a spec's expansion, a test's name, a log line
 * and the database's key. parse(print(p)) == p for every valid p. */
#ifndef PROBLEM_H
#define PROBLEM_H

#include "method.h"

enum { POINT_TEXT_MAX = 512 };

typedef struct {
    Problem        problem;
    const Variant *variant;    /* NULL: the reference */
    int            threads;    /* 1..THREADS_MAX */
} Point;

/* Left out: the method's usual variant, the best ISA of that variant that runs here,
 * parameters' defaults, f32, fwd, one thread. Unknown words get a "did you mean". */
Status point_parse(Point *point, const char *text, Err *err);
/* Sizes always, other parameters where they differ from their default. Returns the
 * length; never cuts: POINT_TEXT_MAX is enough for every valid point. */
int    point_print(const Point *point, char *out, size_t size);

/* The part without variant, ISA and threads: METHOD:PARAM=VALUE,...:DTYPE:PASS. */
Status problem_parse(Problem *p, const char *text, Err *err);
int    problem_print(const Problem *p, char *out, size_t size);

/* All parameters at their defaults. */
void    problem_default(Problem *p, const Method *method);
/* Gives defaults to parameters that follow another one (same_as) and were not set:
 * bit i of `given` says that parameter i was set. */
void    problem_follow(Problem *p, uint32_t given);
/* Ranges of single parameters and the method's own refusal. */
Status  problem_valid(const Problem *p, Err *err);

int     param_index(const Method *method, const char *name);    /* -1: none */
int     port_index(const Method *method, const char *name);     /* -1: none */
int64_t problem_get(const Problem *p, const char *name);        /* no such parameter is a bug */

/* Shape, dtype of port i of this problem; 0 if the port is absent (other pass, or
 * its `when` is 0). `data` is left alone. */
int     port_shape(const Problem *p, int port, Tensor *t);

/* The other direction: takes the sizes from tensors' shapes (files of golden values,
 * the user's own tensors). dims of fewer dimensions than the port get leading 1s.
 * Sets bits of `given` for every parameter that it found. */
Status  port_unify(Problem *p, int port, int rank, const int64_t *dim, uint32_t *given, Err *err);

const Method  *method_find(const char *name);
/* isa == ISA_END: the best that runs here. NULL: none. */
const Variant *variant_find(const char *method, const char *name, Isa isa);

const char *pass_name(Pass pass);
int         pass_parse(const char *name, Pass *out);

/* As isa_parse, with a sentence that suggests the nearest. */
Status isa_read(const char *text, Isa *isa, Err *err);

/* The closest of `count` names within 2 edits (1 for names under 4 letters), else the first whose
 * beginning the word is, or whose last part behind a '/'; or NULL. */
const char *did_you_mean(const char *word, const char *const *names, int count);

#endif
