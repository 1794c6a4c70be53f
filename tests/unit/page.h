/* SPDX-License-Identifier: Apache-2.0 */
/* What is printed, held against what should be. */
#ifndef PAGE_H
#define PAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct { FILE *file; char *text; size_t size; } Page;

static inline FILE *page_open(Page *p)
{
    p->file = open_memstream(&p->text, &p->size);
    assert_non_null(p->file);
    return p->file;
}

static inline void page_is(Page *p, const char *want)
{
    fclose(p->file);
    assert_string_equal(p->text, want);
    free(p->text);
}

#endif
