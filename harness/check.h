/* SPDX-License-Identifier: Apache-2.0 */
/* Every variant against the float64 reference, and the float64 reference against finite differences
 * and algebraic laws. Names no method: a new folder is checked by being there.
 *
 *   check_list.c       what there is to check: cases, random problems, one point; a glob chooses
 *   check_random.c     small random problems from the parameters' ranges
 *   check_run.c        a variant on one problem
 *   check_reference.c  gradients of the reference; laws
 *   golden_list.c      golden files and the methods that claim them
 *   golden_run.c       a golden file against the reference or a variant */
#ifndef CHECK_H
#define CHECK_H

#include "bind.h"
#include "record.h"

typedef enum {
    CHECK_VARIANT,             /* against the reference */
    CHECK_GRADIENT,            /* the reference's own gradients, against central differences */
    CHECK_LAW,                 /* an algebraic law, of the reference or a variant */
    CHECK_GOLDEN               /* against a file of golden values */
} CheckKind;

typedef struct {
    CheckKind      kind;
    Problem        problem;    /* F64 where the reference itself is checked */
    const Variant *variant;    /* NULL: the reference */
    const Law     *law;
    const char    *file, *path;   /* golden: as it is opened; as it is called, below its folder */
    const char    *why;        /* golden: why nothing can be compared; NULL: it can */
    Outcome        outcome;    /* with why */
    int            group;      /* items of a group share one reference */
    double         slack;      /* the tolerance is multiplied by this; 0: by 1 */
} CheckItem;

typedef struct {
    Outcome outcome;
    char    worst_tensor[32];
    double  error_rel, tolerance;   /* error_rel is INFINITY for NaN; both 0 where nothing ran */
    char    reason[256];       /* of any outcome but ok; of ok: a remark, or "" */
} CheckResult;

/* ---- what to check ------------------------------------------------------------------- */

typedef struct {
    const char *glob;          /* of point texts, or how they begin; a whole point; NULL: all */
    Isa         isa;           /* only this one; ISA_END: all that run here */
    int         random;        /* so many random problems a method instead of its cases */
    uint64_t    seed;          /* of inputs and random problems */
} CheckChoice;

typedef struct {
    CheckItem *item;
    int        count, size, groups;
    char     **text;           /* what items point at */
    int        texts;
} CheckList;

/* BAD_INPUT: a whole point that is wrong, or a glob that chooses nothing. */
Status check_list_open(CheckList *list, const CheckChoice *choice, Err *err);
void   check_list_close(CheckList *list);

/* Every golden file below `folder` (*.safetensors): for each method that claims its metadata's
 * `method`, the reference and every variant. The glob chooses by path or by point text.
 * BAD_INPUT: no such folder, or nothing chosen. A file that cannot be read is an item too. */
Status golden_list_open(CheckList *list, const char *folder, const CheckChoice *choice, Err *err);

/* For lists: adds an item for each variant and dtype that fits it and is chosen. 0: no memory. */
int    check_add(CheckList *list, const CheckChoice *choice, const CheckItem *item);
int    check_add_variants(CheckList *list, const CheckChoice *choice, const CheckItem *item);

/* "attention/online@avx2:B=1,...:f32:fwd", for laws and gradients followed by " law NAME" or
 * " gradient"; `case` is the same without variant and ISA, or a golden file's path. */
void   check_point_text(const CheckItem *item, char *out, size_t size);
void   check_case_text(const CheckItem *item, char *out, size_t size);
enum { CHECK_TEXT_MAX = 576 };

/* Draws the index-th random problem; 0: no valid one of a small size was found. */
int    check_random(Problem *p, const Method *method, Pass pass, uint64_t seed, int index);

/* ---- checking, in this process ---------------------------------------------------------- */

typedef struct CheckRoom CheckRoom;    /* device, threads, the last reference */

Status check_room_open(CheckRoom **room, Err *err);
void   check_room_close(CheckRoom *room);

/* Kernels may crash or hang here: see pool.h. */
void   check_run(CheckRoom *room, const CheckItem *item, CheckResult *out);

/* For check_run and its likes. */
Device *check_device(CheckRoom *room);
void   check_gradient(CheckRoom *room, const CheckItem *item, CheckResult *out);
void   check_law(CheckRoom *room, const CheckItem *item, CheckResult *out);
void   check_golden(CheckRoom *room, const CheckItem *item, CheckResult *out);
/* Ends the check: always returns 0, for `return check_says(...)`. */
int    check_says(CheckResult *out, Outcome outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A variant's call with all that is watched about it: for check_run.c, laws and golden files. */
typedef struct {
    CheckRoom     *room;
    const Variant *variant;
    Bound          bound;      /* filled, complete; owned by the trial */
    char          *before;     /* copy of the bound's memory as it was filled */
    char          *arena;      /* the workspace and its guards */
    size_t         arena_bytes;
    int            calls;      /* so far: every other one finds other garbage in its workspace */
    CheckResult   *out;
} Trial;

enum { CHECK_THREADS = 3 };    /* odd, and more than many problems have pieces */

/* Opens a bound of p's dtype, not yet filled. 0: said so in out. */
int    trial_open(Trial *t, CheckRoom *room, const Variant *v, const Problem *p, CheckResult *out);
void   trial_close(Trial *t);
/* Call when inputs are complete: remembers them. 0: no memory. */
int    trial_ready(Trial *t);
/* Runs on the remembered inputs, with poisoned outputs and workspace, and looks whether inputs,
 * guards and the heap were left alone. 0: said so in out. */
int    trial_run(Trial *t, int threads);
/* The same without remembered inputs, on any tensors of the same problem. */
int    trial_call(Trial *t, const Args *args, int threads);

#endif
