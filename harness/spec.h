/* SPDX-License-Identifier: Apache-2.0 */
/* An experiment: which points are to be compared, over which sweep, with which instruments.
 * Keys are described in experiments/README.md. Reading finds everything that is wrong at once,
 * and gives nothing back unless nothing is.
 *
 *   spec.c         the file: top keys, parts, profiles
 *   spec_sweep.c   parameters and their values
 *   spec_arm.c     arms of the comparison, words (dtypes, passes, ISAs, instruments)
 *   spec_paths.c   what a user calls experiments */
#ifndef SPEC_H
#define SPEC_H

#include "instrument.h"
#include "measure.h"
#include "tree.h"

enum {
    AXES_MAX = 20,
    AXIS_VALUES_MAX = 256,
    PARTS_MAX = 16,
    COMBINATIONS_MAX = 100000, /* rows of all axes of a part, multiplied */
    THREAD_COUNTS_MAX = 8,
    SEEDS_MAX = 16
};

/* One arm, METHOD[/VARIANT][@ISA][:PARAM=VALUE,...]; what it says about a parameter stands. */
typedef struct {
    const Method *method;
    const char   *variant;             /* a variant's name of this method */
    Isa           isa;                 /* ISA_END: as `hardware` says */
    int64_t       value[PARAM_MAX];
    uint32_t      given;               /* bit i: the arm says parameter i itself */
    const Node   *at;
} SpecArm;

/* Parameters that change together: rows of values, a column for each name. A plain list of one
 * parameter's values is an axis of one column, a fixed parameter one of one row. */
typedef struct {
    const char *name[AXES_MAX];
    int         columns, rows;
    int64_t    *value;                 /* [rows][columns] */
    const Node *at;
} Axis;

typedef enum { ISA_CHOICE_BEST, ISA_CHOICE_ALL, ISA_CHOICE_LIST } IsaChoice;

/* One sweep; a spec without `parts` has one part. */
typedef struct {
    SpecArm arm[ARMS_MAX];
    int     arms;
    Axis    axis[AXES_MAX];            /* the sweep, then the fixed ones, in the file's order */
    int     axes;
    Dtype   dtype[DTYPE_END];
    int     dtypes;
    Pass    pass[3];
    int     passes;
    IsaChoice isa_choice;
    Isa     isa[ISA_END];
    int     isas;
    int     threads[THREAD_COUNTS_MAX];    /* 0: all cores */
    int     thread_counts;
    const char *instrument[INSTRUMENTS_MAX];   /* sorted; ends with NULL */
    int     exact;                     /* every instrument is: one block says all */
    int64_t fast_memory[FAST_MEMORIES_MAX];
    int     blocks_least, blocks_most; /* after the least, only while pairs are undecided */
    int64_t budget_ns;                 /* of a block's timed rounds; 0: measure.h's */
    int     cold;
} Part;

typedef struct {
    Tree       *tree;                  /* owns all text */
    char       *path, *text;
    const char *name, *title, *paper;
    int64_t     limit_wall_ns, limit_memory_bytes;   /* 0: none */
    double      epsilon;
    uint64_t    seed[SEEDS_MAX];       /* block b uses seed b mod seeds */
    int         seeds;
    Part       *part;
    int         parts;
    const Node *figures;               /* a list, or NULL; see figure.h */
} Spec;

/* With the profile's changes applied ("smoke", "quick", "paper"; a spec need not have it).
 * BAD_INPUT: complaints say what; everything else is in err. spec_close() either way. */
Status spec_open(Spec *spec, const char *path, const char *profile, Complaints *complaints,
                 Err *err);
void   spec_close(Spec *spec);

/* What the user calls an experiment: a path, "flashattention/runtime", or "flashattention" for all
 * of a folder. Paths come back in the order named,
 * those of a folder sorted, without repeats; free with spec_paths_free. */
Status spec_paths(const char *const *words, int count, char ***paths, int *found, Err *err);
void   spec_paths_free(char **paths, int count);

/* ---- between the spec_*.c files ------------------------------------------------------- */

typedef struct {
    Complaints *complaints;
    const Tree *tree;
    const char *profile;
    Status      status;                /* NO_MEMORY, or OK */
} SpecReader;

/* A scalar or a list of scalars as words: item(i) for i below count_items; complains of others. */
int         spec_words(SpecReader *r, const Node *node, const Node **word, int most);
/* The name under this key, if there is one, has to be plain (file.h). */
void        spec_check_name(SpecReader *r, const Node *root, const char *key);
const char *spec_guess(const char *word, const char *const *known,
                       int count); /* "; did you mean 'x'?" or "" */
void        spec_arms(SpecReader *r, const Node *compare, Part *part);
void        spec_dtypes(SpecReader *r, const Node *node, Part *part);
void        spec_passes(SpecReader *r, const Node *node, Part *part);
void        spec_isas(SpecReader *r, const Node *node, Part *part);
void        spec_threads(SpecReader *r, const Node *node, Part *part);
void        spec_instruments(SpecReader *r, const Node *node, Part *part);
/* `sweep` and `fixed` with the profile's changes, which are looked up in `profile` (may be NULL).
 */
void spec_sweep(SpecReader *r, const Node *sweep, const Node *fixed, const Node *profile,
                Part *part);
/* Every combination has to make sense to every arm. */
void        spec_combinations(SpecReader *r, const Part *part);
int         spec_has_param(const Part *part, const char *name);

/* The problem of arm `arm` at row[i] of each axis; err says why it makes no sense. */
Status spec_problem(const Part *part, const SpecArm *arm, const int *row, Dtype dtype, Pass pass,
                    Problem *out, Err *err);
/* Counts row[] on, the last axis first; 0: that was the last combination. */
int         spec_next(const Part *part, int *row);

#endif
