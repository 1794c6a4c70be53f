/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a point: what is accepted prints and parses again to the same, and says sizes that
 * can be added up. */
#include "fuzz.h"

static void round_trip(const Point *point)
{
    char text[POINT_TEXT_MAX], again[POINT_TEXT_MAX];
    Point other;
    Err err;
    point_print(point, text, sizeof text);
    require(point_parse(&other, text, &err) == OK);
    point_print(&other, again, sizeof again);
    require(!strcmp(text, again));
}

static void add_up(const Point *point)
{
    const Problem *p = &point->problem;
    const Variant *v = point->variant;
    double exact = 0;
    for (int i = 0; p->method->port[i].name; i++) {
        Tensor t;
        double bytes = 1;
        if (!port_shape(p, i, &t)) continue;
        for (int k = 0; k < t.rank; k++) bytes *= (double)t.dim[k];
        exact += bytes * (double)dtype_bytes(t.dtype);
        require((double)tensor_bytes(&t) == bytes * (double)dtype_bytes(t.dtype));
    }
    require(exact < 0x1p62);
    p->method->cost(p);
    if (v && v->refuses && v->refuses(p, point->threads)) return;
    if (v && v->workspace) require(v->workspace(p, point->threads) < (size_t)1 << 62);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Point point;
    Problem problem;
    Err err = { "" };
    char *text = fuzz_text(data, size);
    if (point_parse(&point, text, &err)) require(err.text[0]);
    else {
        round_trip(&point);
        add_up(&point);
    }
    if (!problem_parse(&problem, text, &err)) {
        char printed[POINT_TEXT_MAX];
        problem_print(&problem, printed, sizeof printed);
    }
    free(text);
    return 0;
}
