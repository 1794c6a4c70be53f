/* SPDX-License-Identifier: Apache-2.0 */
/* papers/: bands as they are written and printed, and what is wrong in a file told in one go. */
#include "../../harness/paper.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], before[1024];

static int fresh(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/attest-paper-XXXXXX");
    return !getcwd(before, sizeof before) || !mkdtemp(folder) || chdir(folder) ||
           mkdir("papers", 0777) || mkdir("papers/demo", 0777);
}

static int cleaned(void **state)
{
    (void)state;
    char command[160];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return chdir(before) || system(command);
}

static void put(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

static Status opened(Paper *paper, const char *record, const char *claims, Err *err)
{
    put("papers/demo/paper.yaml", record);
    put("papers/demo/claims.yaml", claims);
    return paper_open(paper, "demo", err);
}

static const char record[] = "id: demo\ntitle: \"A demonstration\"\nseries: [{paper: Theirs, ours: "
                             "attention/blas}]\n";

static void bands(void **state)
{
    (void)state;
    static const struct { const char *yaml; double low, high; const char *print; } cases[] = {
        { "{at_least: 20.4, tolerance: 2%}", 19.992, INFINITY, "at least 20.4 (−2 %)" },
        { "{at_most: 2}", -INFINITY, 2, "at most 2" },
        { "{at_most: -2, tolerance: 10%}", -INFINITY, -1.8, "at most -2 (+10 %)" },
        { "{between: [1, 2], tolerance: 0.5}", 0.5, 3, "1 to 2 (±50 %)" },
        { "{equals: -1, tolerance: 10%}", -1.1, -0.9, "-1 (±10 %)" },
        { "{equals: 0}", 0, 0, "0" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char claims[400], print[120];
        Paper paper;
        Err err = { "" };
        snprintf(claims, sizeof claims,
                 "- {id: C, where: here, says: so, kind: count, evidence: \"SELECT 1\", expect: "
                 "%s}\n",
                 cases[i].yaml);
        if (opened(&paper, record, claims, &err))
            fail_msg("%s", err.text);
        const Expect *e = &paper.claim[0].expect;
        assert_true(e->low == cases[i].low || fabs(e->low - cases[i].low) < 1e-9);
        assert_true(e->high == cases[i].high || fabs(e->high - cases[i].high) < 1e-9);
        assert_string_equal(expect_print(e, print, sizeof print), cases[i].print);
        assert_int_equal(paper.claim[0].direction.kind, EXPECT_NONE);
        paper_close(&paper);
    }
}

static void refused(const char *claims, const char *says)
{
    Paper paper;
    Err err = { "" };
    assert_int_equal(opened(&paper, record, claims, &err), BAD_INPUT);
    if (!strstr(err.text, says))
        fail_msg("\"%s\" does not say \"%s\"", err.text, says);
}

static void wrong_claims(void **state)
{
    (void)state;
    refused("- {id: C, where: here, says: so, kind: count, expect: {at_leest: 1}}\n", "at_least");
    refused("- {id: C, where: here, says: so, kind: count, expect: {at_least: 1, at_most: 2}}\n",
            "exactly one");
    refused("- {id: C, where: here, says: so, kind: count, expect: {at_least: much}}\n", "a "
                                                                                         "number");
    refused("- {id: C, where: here, says: so, kind: count, expect: {between: [2, 1]}}\n", "lower "
                                                                                          "one "
                                                                                          "first");
    refused("- {id: C, where: here, says: so, kind: speed, expect: {at_least: 1}}\n", "count, "
                                                                                      "cache, time "
                                                                                      "or quality");
    refused("- {id: C, where: here, says: so, kind: count}\n", "nothing to judge by");
    refused("- {id: C, where: here, says: so, kind: time, experiment: a/b, expect: {at_least: "
            "1}}\n",
            "protocol");
    refused("- {id: C, where: here, says: so, kind: count, not_testable: a, under_specified: b}\n",
            "not both");
    refused("- {id: C, where: here, says: so, kind: count, not_testable: a, evidence: b}\n",
            "reason why there is none");
    refused("- {id: C, where: here, says: so, kind: count, expect: {at_least: 1}, direction: "
            "{at_least: 2}}\n",
            "direction must hold");
    refused("- {id: C, where: here, says: so, kind: count, expect: {at_least: 1}, evidense: x}\n",
            "evidence");
    refused("- {where: here, says: so, kind: count, expect: {at_least: 1}}\n", "needs id");
    refused("- {id: C, where: here, says: so, kind: count, expect: {at_least: 1}}\n"
            "- {id: C, where: here, says: so, kind: count, expect: {at_least: 1}}\n",
            "was used in line 1");
    refused("claims: []\n", "a list of claims");
}

/* Both mistakes in one go, each with its place. */
static void all_at_once(void **state)
{
    (void)state;
    Paper paper;
    Err err = { "" };
    assert_int_equal(opened(&paper, record,
                            "- {id: A, where: w, says: s, kind: wild, expect: {at_least: 1}}\n\n"
                            "- {id: B, where: w, says: s, kind: count, expect: {at_least: x}}\n",
                            &err),
                     BAD_INPUT);
    assert_non_null(strstr(err.text, "papers/demo/claims.yaml:1:"));
    assert_non_null(strstr(err.text, "papers/demo/claims.yaml:3:"));
}

/* More than an Err holds: whole lines, and how many are missing. */
static void too_many_to_tell(void **state)
{
    (void)state;
    Paper paper;
    Err err = { "" };
    char claims[4000] = "";
    for (int i = 0; i < 20; i++)
        sprintf(claims + strlen(claims),
                "- {id: A%d, where: w, says: s, kind: wild, expect: {at_least: 1}}\n", i);
    assert_int_equal(opened(&paper, record, claims, &err), BAD_INPUT);
    const char *more = strstr(err.text, "\nand ");
    assert_non_null(more);
    int lines = 0;
    for (const char *c = err.text; c < more; c++)
        lines += *c == '\n';
    assert_int_equal(lines + 1 + atoi(more + 5), 20);
}

static void records(void **state)
{
    (void)state;
    Paper paper;
    Err err = { "" };
    assert_int_equal(opened(&paper, record, "[]\n", &err), OK);
    assert_string_equal(paper_ours(&paper, "Theirs"), "attention/blas");
    assert_null(paper_ours(&paper, "Nobody's"));
    paper_close(&paper);
    assert_int_equal(opened(&paper, "id: other\ntitle: t\n", "[]\n", &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "folder's name"));
    assert_int_equal(opened(&paper, "id: demo\n", "[]\n", &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "needs title"));
    assert_int_equal(paper_open(&paper, "none", &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "demo"));
    assert_int_equal(paper_open(&paper, "../papers/demo", &err), BAD_INPUT);
}

/* What is in the tree is right, and every claim is decided by something or says why not. */
static void our_papers(void **state)
{
    (void)state;
    char **ids;
    int count;
    assert_int_equal(papers_list(&ids, &count, NULL), OK);
    assert_true(count >= 1);
    for (int i = 0; i < count; i++) {
        Paper paper;
        Err err = { "" };
        if (paper_open(&paper, ids[i], &err))
            fail_msg("%s", err.text);
        assert_true(paper.claims > 0);
        for (int k = 0; k < paper.claims; k++) {
            const Claim *c = &paper.claim[k];
            if (!*c->evidence && !*c->not_testable && !*c->under_specified)
                fail_msg("%s: %s has neither evidence nor a reason", ids[i], c->id);
            if (!*c->band && c->expect.kind != EXPECT_NONE)
                fail_msg("%s: %s does not say where its band comes from", ids[i], c->id);
        }
        paper_close(&paper);
    }
    papers_free(ids, count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_papers),
        cmocka_unit_test_setup_teardown(bands, fresh, cleaned),
        cmocka_unit_test_setup_teardown(wrong_claims, fresh, cleaned),
        cmocka_unit_test_setup_teardown(all_at_once, fresh, cleaned),
        cmocka_unit_test_setup_teardown(records, fresh, cleaned),
        cmocka_unit_test_setup_teardown(too_many_to_tell, fresh, cleaned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
