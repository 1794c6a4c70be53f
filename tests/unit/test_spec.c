/* SPDX-License-Identifier: Apache-2.0 */
/* Specs: what they expand to, what profiles make of them, and every complaint with its place. */
#include "spec_file.h"

#include <stdio.h>

/* All complaints, with the file's name cut off, must be these lines. */
static void complains(const char *text, const char *profile, const char *right)
{
    Complaints c = { 0 };
    Spec spec;
    Err err = { "" };
    char got[4096] = "";
    write_spec(text);
    assert_int_equal(spec_open(&spec, spec_file, profile, &c, &err), BAD_INPUT);
    for (char *line = strtok(c.text, "\n"); line; line = strtok(NULL, "\n")) {
        const size_t prefix = strlen(spec_file) + 1;
        assert_memory_equal(line, spec_file, strlen(spec_file));
        sprintf(got + strlen(got), "%s\n", line + prefix);
    }
    assert_string_equal(got, right);
    complaints_free(&c);
    spec_close(&spec);
    unlink(spec_file);
}

#define HEAD "experiment: x/y\ntitle: t\n"

static void a_whole_spec(void **state)
{
    (void)state;
    Spec spec;
    loaded(&spec,
           "experiment: flashattention/runtime\n"
           "title: Exact attention, runtime against sequence length\n"
           "paper: flashattention\n"
           "compare: [attention/blas, attention/unfused@portable:causal=1]   # interleaved\n"
           "sweep:\n"
           "  T: {from: 128, to: 16384, factor: 2}\n"
           "  D: [64, 128]\n"
           "  dropout_percent: {from: 0, to: 25, step: 10}\n"
           "fixed: {B: 1, H: 8}\n"
           "dtype: [f32, bf16]\n"
           "pass: [fwd, bwd]\n"
           "hardware: {isa: best, threads: [1, all]}\n"
           "instruments: [time, accuracy, memory]\n"
           "limits: {wall: 60s, memory: 8GiB}\n"
           "seeds: [3, 4]\n"
           "epsilon: 5%\n"
           "blocks: {least: 7, most: 9}\n"
           "budget: 30ms\n"
           "fast_memory: [32KiB, 100KiB]\n"
           "profiles:\n"
           "  smoke: {T: [128, 256], D: [64]}\n"
           "  quick: {T: {to: 4096}, blocks: 6, pass: fwd}\n",
           "paper");
    const Part *p = spec.part;
    assert_string_equal(spec.name, "flashattention/runtime");
    assert_int_equal(spec.parts, 1);
    assert_int_equal(p->arms, 2);
    assert_string_equal(p->arm[1].variant, "unfused");
    assert_int_equal(p->arm[1].isa, ISA_PORTABLE);
    assert_int_equal(p->arm[0].isa, ISA_END);
    assert_int_equal(p->axes, 5);
    assert_int_equal(p->axis[0].rows, 8);
    assert_int_equal(p->axis[0].value[7], 16384);
    assert_int_equal(p->axis[2].rows, 3);
    assert_int_equal(p->dtypes, 2);
    assert_int_equal(p->passes, 2);
    assert_int_equal(p->thread_counts, 2);
    assert_int_equal(p->threads[1], 0);
    assert_string_equal(p->instrument[0], "accuracy");       /* sorted: order does not matter */
    assert_string_equal(p->instrument[2], "time");
    assert_null(p->instrument[3]);
    assert_int_equal(p->exact, 0);
    assert_int_equal(p->fast_memory[1], 102400);
    assert_int_equal(p->blocks_least, 7);
    assert_int_equal(p->blocks_most, 9);
    assert_true(p->budget_ns == 30000000);
    assert_true(spec.limit_wall_ns == 60000000000 && spec.limit_memory_bytes == (int64_t)8 << 30);
    assert_true(spec.epsilon == 0.05);
    assert_int_equal(spec.seeds, 2);
    assert_true(spec.seed[1] == 4);
    int row[AXES_MAX] = { 0 }, count = 1;
    while (spec_next(p, row)) count++;
    assert_int_equal(count, 8 * 2 * 3);
    Problem problem;
    Err err;
    row[0] = 1;
    assert_int_equal(spec_problem(p, &p->arm[1], row, BF16, BWD, &problem, &err), OK);
    assert_int_equal(problem_get(&problem, "T"), 256);
    assert_int_equal(problem_get(&problem, "Tk"), 256);      /* follows T */
    assert_int_equal(problem_get(&problem, "H"), 8);
    assert_int_equal(problem_get(&problem, "Hkv"), 8);
    assert_int_equal(problem_get(&problem, "causal"), 1);    /* the arm's own */
    spec_close(&spec);
}

static void profiles_change_the_sweep(void **state)
{
    (void)state;
    static const char text[] = HEAD
        "compare: attention/blas\n"
        "sweep:\n  T: {from: 128, to: 16384, factor: 2}\n"
        "  together: [{B: 8, Tk: 64}, {B: 4, Tk: 128}, {B: 2, Tk: 256}]\n"
        "fixed: {H: 8}\n"
        "profiles:\n"
        "  smoke: {T: [96, 192], Tk: [64, 256], H: 2}\n"
        "  quick: {T: {from: 256, to: 4096}, B: {to: 4}, blocks: 3, pass: [bwd], threads: all}\n";
    Spec spec;
    loaded(&spec, text, "smoke");
    assert_int_equal(spec.part->axis[0].rows, 2);
    assert_int_equal(spec.part->axis[0].value[0], 96);
    assert_int_equal(spec.part->axis[1].rows, 2);
    assert_int_equal(spec.part->axis[1].value[2], 2);
    assert_int_equal(spec.part->axis[2].value[0], 2);
    assert_int_equal(spec.part->blocks_least, 2);
    spec_close(&spec);
    loaded(&spec, text, "quick");
    assert_int_equal(spec.part->axis[0].rows, 5);
    assert_int_equal(spec.part->axis[0].value[0], 256);
    assert_int_equal(spec.part->axis[1].rows, 2);
    assert_int_equal(spec.part->axis[1].value[0], 4);
    assert_int_equal(spec.part->blocks_most, 3);
    assert_int_equal(spec.part->pass[0], BWD);
    assert_int_equal(spec.part->threads[0], 0);
    spec_close(&spec);
    loaded(&spec, text, "paper");
    assert_int_equal(spec.part->axis[0].rows, 8);
    assert_int_equal(spec.part->blocks_least, 6);
    assert_int_equal(spec.part->blocks_most, 21);
    spec_close(&spec);
}

static void parts_take_what_they_do_not_say_from_above(void **state)
{
    (void)state;
    static const char text[] = HEAD "compare: [attention/blas, attention/unfused]\n"
                                    "fixed: {B: 1, H: 2}\n"
                                    "instruments: memory\n"
                                    "parts:\n"
                                    "  - {sweep: {T: [64, 128]}}\n"
                                    "  - {sweep: {T: [256]}, compare: attention/blas, pass: bwd, "
                                    "fixed: {D: 32}, instruments: [time]}\n"
                                    "  - {sweep: {T: [512]}, profiles: {smoke: {skip: 1}}}\n"
                                    "profiles: {smoke: {T: {to: 256}}}\n";
    Spec spec;
    loaded(&spec, text, "quick");
    assert_int_equal(spec.parts, 3);
    assert_int_equal(spec.part[0].arms, 2);
    assert_int_equal(spec.part[1].arms, 1);
    assert_int_equal(spec.part[1].pass[0], BWD);
    assert_string_equal(spec.part[1].axis[1].name[0], "D");
    assert_string_equal(spec.part[0].instrument[0], "memory");
    assert_string_equal(spec.part[1].instrument[0], "time");
    spec_close(&spec);
    loaded(&spec, text, "smoke");
    assert_int_equal(spec.parts, 2);
    spec_close(&spec);
}

static void slips_get_a_hint(void **state)
{
    (void)state;
    complains("experimant: x\ntitle: t\ncompare: attention/blas\n", "quick",
              "1:1: unknown key 'experimant'; did you mean 'experiment'?\n"
              "1:1: experiment: a text is wanted, and it is missing\n");
    complains(HEAD "compare: [atention/blas, attention/blsa, attention/zzz]\n", "quick",
              "3:11: unknown method 'atention'; did you mean 'attention'?\n"
              "3:26: unknown variant 'blsa'; did you mean 'blas'?\n"
              "3:42: unknown variant 'zzz'; there are: blas, unfused\n");
    complains(HEAD "compare: attention/blas@avx3\nsweep: {TT: [1], causl: [0], T: 64}\n", "quick",
              "3:10: unknown instruction set 'avx3'; did you mean 'avx2'?\n"
              "4:9: no arm has a parameter 'TT'; did you mean 'T'?\n"
              "4:18: no arm has a parameter 'causl'; did you mean 'causal'?\n");
    complains(HEAD
              "compare: attention/blas\nsweep: {causl: [0], T: 64}\ndtype: f16\npass: [forward]\n"
              "instruments: [tme]\nhardware: {isas: best, threads: [0, some]}\n",
              "quick",
              "4:9: no arm has a parameter 'causl'; did you mean 'causal'?\n"
              "8:12: unknown key 'isas'; did you mean 'isa'?\n"
              "5:8: unknown dtype 'f16'; did you mean 'bf16'?\n"
              "6:8: unknown pass 'forward'; there are: fwd, bwd, step\n"
              "7:15: unknown instrument 'tme'; did you mean 'time'?\n"
              "8:34: '0': a number of threads from 1 to 256 is wanted, or 'all'\n"
              "8:37: 'some': a number of threads from 1 to 256 is wanted, or 'all'\n");
}

static void impossible_values(void **state)
{
    (void)state;
    complains(HEAD "compare: attention/blas\nsweep: {T: [], B: [0], D: [4096, 64, 64], H: x, "
                   "causal: {from: 2}}\n",
              "quick",
              "4:12: T: the list is empty\n"
              "4:20: B = 0 is outside 1..4096 of attention\n"
              "4:28: D = 4096 is outside 1..512 of attention\n"
              "4:38: D = 64 is there already\n"
              "4:46: H: 'x' is no whole number\n"
              "4:57: causal: a range is {from: A, to: B, factor: F} with A of at least 1, or "
              "{from: A, to: B, step: S}\n");
    complains(HEAD "compare: attention/blas\nsweep: {T: {from: 9, to: 3, step: 1}, D: {from: 1, "
                   "to: 64, factor: 1}}\n",
              "quick",
              "4:12: T: from 9 to 3 is empty\n"
              "4:68: factor: a whole number of at least 2 is wanted\n");
    complains(HEAD "compare: attention/blas\nfixed: {T: [1, 2], H: 3, Hkv: 2}\nsweep: {H: 4}\n",
              "quick",
              "4:12: fixed: T has 2 values; put it into sweep\n"
              "4:20: 'H' is swept or fixed twice\n");
    complains(HEAD "compare: [attention/blas, attention/blas, \"attention/unfused:T=-1,Q=2,D\"]\n",
              "quick",
              "3:27: 'attention/blas' is compared with itself\n"
              "3:43: T=-1: a whole number from 1 to 16777216 is wanted\n"
              "3:43: unknown parameter 'Q'; there are: B, H, Hkv, T, Tk, D, causal, window_left, "
              "window_right, key_padding, "
              "query_padding, dropout_percent, keep_p\n"
              "3:43: 'D' is no PARAM=VALUE\n");
    complains(HEAD "compare: attention/blas\nsweep: {H: [2, 4, 6]}\nfixed: {Hkv: 4}\n", "quick",
              "3:10: attention/blas makes no sense for some values of the sweep: attention: H has "
              "to be a multiple of Hkv\n");
    complains(HEAD "compare: attention/blas\nepsilon: 200%\nseeds: [-1]\nlimits: {wall: soon, "
                   "memory: 1XB, cpu: 3}\n"
                   "blocks: 0\nbudget: [1]\ncold: maybe\nfast_memory: big\n",
              "quick",
              "6:35: unknown key 'cpu'; known here: wall, memory\n"
              "6:16: 'soon' is no duration; write one like 500us, 100ms, 2s, 10m or 1h\n"
              "6:30: '1XB' is no size; write one like 4096, 32KiB, 512MiB or 8GiB\n"
              "4:10: epsilon: a share from 0 to 1 is wanted, as 2% or 0.02\n"
              "5:9: seeds: '-1' is no whole number from 0 on\n"
              "7:9: blocks: a number from 1 to 1000 is wanted\n"
              "8:9: a duration is wanted, as 100ms\n"
              "10:14: 'big' is no size; write one like 4096, 32KiB, 512MiB or 8GiB\n"
              "9:7: cold: 0 or 1 is wanted\n");
}

static void wrong_shapes(void **state)
{
    (void)state;
    complains("[1, 2]\n", "quick",
              "1:1: an experiment is a map: experiment, compare, sweep, ...\n");
    complains(HEAD "compare: {a: b}\nsweep: [1]\nprofiles: [1]\nfigures: 3\n", "quick",
              "5:11: profiles: a map is wanted\n"
              "3:10: a word or a list of words is wanted here, not a map\n"
              "4:8: sweep: a map of parameters is wanted, as {T: [128, 256]}\n"
              "6:10: figures: a list of maps is wanted\n");
    complains(HEAD "compare: []\nparts: {}\n", "quick",
              "4:8: parts: a list of 1 to 16 maps is wanted\n");
    complains(HEAD "sweep: {T: 1}\n", "quick",
              "1:1: compare: the arms are missing, as [attention/blas, flash_attention]\n");
    complains(HEAD "compare: attention/blas\nsweep: {together: [{T: 1, B: 1}, {T: 2}]}\n", "quick",
              "4:34: together: each row needs the same parameters as the first\n");
    complains(
        HEAD
        "compare: attention/blsa\nparts: [{sweep: {T: 1}}, {sweep: {T: 2}}, {sweep: {T: 0}}]\n",
        "quick",
        "3:10: unknown variant 'blsa'; did you mean 'blas'?\n"
        "4:55: T = 0 is outside 1..16777216 of attention\n");
    complains(HEAD "compare: attention/blas\nsweep: {T: [128]}\nprofiles: {fast: {}, quick: {D: 3, "
                   "T: {to: 64}, skipp: 1}, smoke: 3}\n",
              "quick",
              "5:12: unknown key 'fast'; known here: smoke, quick, paper\n"
              "5:30: a profile changes parameters of the sweep, or blocks, budget, dtype, pass, "
              "isa, threads, skip; 'D' is none of them\n"
              "5:49: a profile changes parameters of the sweep, or blocks, budget, dtype, pass, "
              "isa, threads, skip; 'skipp' is none of "
              "them; did you mean 'skip'?\n"
              "5:67: a profile is a map, as {T: {to: 4096}}\n"
              "5:39: T: nothing of the sweep is left in this profile\n");
}

static void files_and_names(void **state)
{
    (void)state;
    Spec spec;
    Complaints c = { 0 };
    Err err;
    char **paths;
    int count;
    assert_int_equal(spec_open(&spec, "no/such.yaml", "quick", &c, &err), BAD_INPUT);
    spec_close(&spec);
    const char *word[] = { "nothing/like_this" };
    assert_int_equal(spec_paths(word, 1, &paths, &count, &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "there is no experiment 'nothing/like_this'"));
    write_spec("a: 1\n");
    const char *twice[] = { spec_file, spec_file };
    assert_int_equal(spec_paths(twice, 2, &paths, &count, &err), OK);
    assert_int_equal(count, 1);
    assert_string_equal(paths[0], spec_file);
    spec_paths_free(paths, count);
    unlink(spec_file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_spec),     cmocka_unit_test(profiles_change_the_sweep),
        cmocka_unit_test(parts_take_what_they_do_not_say_from_above),
        cmocka_unit_test(slips_get_a_hint), cmocka_unit_test(impossible_values),
        cmocka_unit_test(wrong_shapes),     cmocka_unit_test(files_and_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
