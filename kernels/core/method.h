/* SPDX-License-Identifier: Apache-2.0 */
/* The contract between a method's folder and everything else.
 *
 * kernels/NAME/method.c defines exactly one object, method_NAME. Each other
 * source file in the folder defines exactly one Variant per ISA it is built for.
 * The command line, the specs, the tests, the database, the figures and the docs
 * read only these two structs; nothing registers anything by hand. */
#ifndef METHOD_H
#define METHOD_H

#include "count.h"
#include "isa.h"
#include "status.h"
#include "tensor.h"
#include "workspace.h"

/* STEP: a few tokens of decoding from a cache or a state. */
typedef enum { FWD = 1, BWD = 2, STEP = 4 } Pass;

typedef struct Method  Method;
typedef struct Variant Variant;
typedef struct Team    Team;      /* parallel.h */
typedef struct Comm    Comm;      /* comm.h */

/* ---- what a problem is made of -------------------------------------------- */

enum { PARAM_MAX = 24, PORT_MAX = 24, THREADS_MAX = 256 };

typedef struct {               /* a size or an option of the method; always an integer */
    const char *name;          /* "T": the key in point texts, specs and the database */
    const char *help;          /* a few words, with the unit */
    int64_t     fallback, low, high;
    const char *same_as;       /* not given: takes that (earlier) parameter's value, no fallback */
    const char *golden;        /* its name in golden files where it differs: "Tq", "window[0]";
                                * several alternatives: "Tk|Tmax" */
    int         shown;         /* printed in every point text, even at its fallback: the sizes */
} Param;

typedef enum {
    PORT_IN,                   /* read */
    PORT_OUT,                  /* written by fwd and step; given, with its gradient, to bwd */
    PORT_STATE                 /* read and written: a cache or a carried state */
} Role;

typedef enum {
    KIND_VALUE,                /* the problem's dtype */
    KIND_WIDE,                 /* f32 for f32 and bf16: statistics, states, accumulators */
    KIND_INDEX                 /* i32: lengths, masks, indices; carries no gradient */
} Kind;

typedef enum {
    FILL_NORMAL,               /* standard normal, rounded to bf16: every dtype sees the same */
    FILL_UNIFORM,              /* uniform in (0, 1), rounded likewise */
    FILL_ZERO,
    FILL_METHOD                /* by the method's own fill() */
} Fill;

typedef struct {               /* one tensor of the signature */
    const char *name;          /* "q"; its gradient is then "dq" */
    const char *shape;         /* "B H T D": parameters; "T/Br" rounds up; "G+1"; a number */
    Role        role;
    Kind        kind;
    Fill        fill;
    unsigned    passes;        /* the passes that have this port */
    const char *when;          /* present only if this parameter is not 0; NULL: always */
    int         no_grad;       /* no gradient is asked of (or given for) it */
    const char *help;
} Port;

typedef struct {               /* METHOD:PARAM=VALUE,...:DTYPE:PASS */
    const Method *method;
    int64_t       value[PARAM_MAX];   /* by the folder's own enum */
    Dtype         dtype;              /* F32, BF16, or F64 for the reference */
    Pass          pass;
    uint64_t      seed;               /* of the inputs; not part of the text */
} Problem;

typedef struct {
    Tensor *x;                 /* by port; data NULL where absent */
    Tensor *dx;                /* gradients by port; NULL when none are asked for */
} Args;

/* ---- one implementation ----------------------------------------------------- */

enum { LAPS_MAX = 16 };

typedef struct {               /* phases of one call, in the order met; for pipelines timed apart */
    int         count;
    const char *name[LAPS_MAX];
    int64_t     time_ns[LAPS_MAX];
    int64_t     last_ns;
} Laps;

typedef struct {
    Workspace  *ws;
    Team       *team;          /* NULL: one thread */
    int         threads;       /* = team_threads(team) */
    const Comm *comm;          /* NULL: alone */
    void       *stream;        /* for devices that have one */
    Laps       *laps;          /* NULL: nobody asks */
} Ctx;

/* Ends the phase under way and names it. Free of cost when nobody asks. */
void ctx_lap(Ctx *ctx, const char *phase);

/* What a tile schedule touches, for the two-level memory model: one call per
 * contiguous range. `tensor` is a small number that the schedule chooses. */
typedef struct TileSink TileSink;
struct TileSink {
    void (*touch)(TileSink *, int tensor, int64_t offset_bytes, int64_t bytes, int writes);
};

/* Of max|x - ref| / max|ref|. */
typedef struct { double f32_fwd, f32_bwd, bf16_fwd, bf16_bwd; } Tolerance;

struct Variant {
    const char  *method, *name;                       /* filled by VARIANT_ID, never typed */
    Isa          isa;
    unsigned     passes;                              /* FWD | BWD | STEP */
    unsigned     dtypes;                              /* 1u << F32 | 1u << BF16 */
    Status     (*run)(const Problem *, const Args *, Ctx *);
    size_t     (*workspace)(const Problem *, int threads);   /* bytes; NULL: none */
    const char *(*refuses)(const Problem *, int threads);    /* the reason, or NULL; may be NULL */
    void       (*counts)(const Problem *, Counts *);  /* formula of its work; may be NULL */
    void       (*tiles)(const Problem *, TileSink *); /* schedule of one head; may be NULL */
    Tolerance    tolerance;                           /* all 0: the method's */
    const char  *note;                     /* what it does that the one before does not */
};

/* ---- the method --------------------------------------------------------------- */

typedef struct {
    double flops;              /* useful matmul FLOPs by the method's stated convention */
    double exps;
    double bytes;              /* the least traffic: each input read, each output written once */
    double state_bytes;        /* what decoding keeps per problem; 0 where meaningless */
} Cost;

/* Files of golden values: their metadata's "method", and the passes that they prove. */
typedef struct { const char *name; unsigned passes; } Golden;

/* An algebraic law. `a` and `b` hold the same problem with the same inputs; the law
 * changes b (and may change a), calls run on each as often as it likes, and returns
 * the largest relative violation; the tester compares it with the tolerance. */
typedef struct {
    const char *name, *says;
    Pass        pass;
    const char *needs;         /* "param=value,..." beside the defaults; may be NULL */
    double    (*violation)(const Problem *, Args *a, Args *b,
                           void (*run)(void *self, const Args *), void *self);
} Law;

struct Method {
    const char   *name, *title, *paper, *summary;    /* paper: the folder under papers/ */
    const char   *usual;                              /* the variant meant where none is named */
    const char   *flop_convention;                    /* one sentence: what cost().flops counts */
    const Param  *param;                              /* ends with a zero entry */
    const Port   *port;                               /* ends with a zero entry */
    const Golden *golden;                             /* ends with a zero entry; may be NULL */
    const Law    *law;                                /* ends with a zero entry; may be NULL */
    void        (*fill)(const Problem *, const Args *);   /* FILL_METHOD ports; may be NULL */
    const char *(*refuses)(const Problem *);          /* why parameters make no sense, or NULL */
    /* The definition, float64 throughout. FWD and STEP write the outputs; BWD, and STEP with
     * args->dx, the gradients of every input from those of the outputs. BWD finds the outputs
     * given, as kernels do, and reads those that kernels read: none of these is to blame for how
     * an input of theirs was rounded. */
    void        (*reference)(const Problem *, const Args *);
    /* One row (all but the last dimension, flattened) of sample[pass], computed from
     * inputs of any dtype: an exact check where the whole reference is not affordable. */
    void        (*reference_row)(const Problem *, const Args *, int64_t row, double *out);
    const char   *sample[5];                          /* by Pass: "o"; "dq" for BWD */
    Cost        (*cost)(const Problem *);
    Tolerance     tolerance;
    const char *const *cases;                         /* problems that all must get right */
};

extern const Method  *const methods[];     /* generated by the build; both end with NULL */
extern const Variant *const variants[];

#endif
