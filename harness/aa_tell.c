/* SPDX-License-Identifier: Apache-2.0 */
#include "aa_tell.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- for programs -------------------------------------------------------------------- */

static void write_steps(Json *j, const AaReport *r)
{
    json_array(j, "steps");
    for (int i = 0; i < r->steps; i++) {
        const AaStep *step = &r->step[i];
        json_object(j, NULL);
        json_number(j, "injected", step->injected);
        json_number(j, "found_share", step->found.value);
        json_number(j, "found_low", step->found.low);
        json_number(j, "found_high", step->found.high);
        json_integer(j, "trials", step->found.n);
        json_integer(j, "wrong_way", step->wrong);
        json_number(j, "estimate_p50_rel", step->estimate_p50_rel);
        json_close(j);
    }
    json_close(j);
}

void aa_json(Json *j, const AaPlan *plan, const AaReport report[NOISE_KERNELS])
{
    char name[AA_NAME];
    const char *unit;
    double value;
    json_object(j, "aa");
    json_number(j, "comparison_ns", (double)plan->each_ns);
    for (NoiseKernel k = 0; k < NOISE_KERNELS; k++) {
        json_object(j, noise_kernel_name(k));
        for (int i = 0; aa_entry(&report[k], i, name, &unit, &value); i++)
            if (!strchr(name, '@')) json_number(j, name, value);
        write_steps(j, &report[k]);
        json_close(j);
    }
    json_close(j);
}

/* ---- for people ---------------------------------------------------------------------- */

/* One row a kind of difference, from none to the first that is found. */
static void print_kernel(FILE *out, NoiseKernel kernel, const AaReport *r)
{
    enum { WIDTH = 48, COLUMNS = 5 };
    char text[AA_STEPS + 2][COLUMNS][WIDTH];
    const char *cell[(AA_STEPS + 2) * COLUMNS];
    static const char *const head[COLUMNS] = { "", "called different", "95 % interval",
                                               "comparisons", "estimated as" };
    for (int c = 0; c < COLUMNS; c++) snprintf(text[0][c], WIDTH, "%s", head[c]);
    snprintf(text[0][0], WIDTH, "%s", noise_kernel_name(kernel));
    for (int i = 0; i <= r->steps; i++) {
        const AaStep *step = i ? &r->step[i - 1] : NULL;
        const Interval *share = step ? &step->found : &r->false_alarms;
        char(*row)[WIDTH] = text[i + 1];
        if (step) snprintf(row[0], WIDTH, "%.3g %% more work in B", 100 * step->injected);
        else snprintf(row[0], WIDTH, "equal work: false alarms");
        snprintf(row[1], WIDTH, "%.1f %%", 100 * share->value);
        snprintf(row[2], WIDTH, "[%.1f, %.1f]", 100 * share->low, 100 * share->high);
        snprintf(row[3], WIDTH, "%d", share->n);
        if (step) snprintf(row[4], WIDTH, "%+.2f %%", 100 * step->estimate_p50_rel);
        else snprintf(row[4], WIDTH, "within %.2f %%", 100 * r->off_p95_rel);
    }
    for (int i = 0; i < (r->steps + 2) * COLUMNS; i++) cell[i] = text[i / COLUMNS][i % COLUMNS];
    table_print(out, "table", COLUMNS, r->steps + 2, cell);
    if (isnan(r->smallest))
        fprintf(out, "  not even %.3g %% is found in %.0f %% of the comparisons",
                100 * r->step[r->steps - 1].injected, 100 * AA_FOUND_SHARE);
    else
        fprintf(out, "  smallest difference found in %.0f %% of the comparisons: %.3g %%",
                100 * AA_FOUND_SHARE, 100 * r->smallest);
    fprintf(out, "; about %.0f rounds each; %.0f %% of the epochs were disturbed\n\n",
            r->rounds_p50, 100 * r->flagged_share);
}

void aa_print(FILE *out, const AaReport report[NOISE_KERNELS])
{
    for (NoiseKernel k = 0; k < NOISE_KERNELS; k++) print_kernel(out, k, &report[k]);
    fputs("  B's additional work is real: more rounds of arithmetic, more bytes to stream. Blocks "
          "are cut from one\n  process, so differences between the memory layouts of processes "
          "are not in these numbers.\n", out);
}
