/* SPDX-License-Identifier: Apache-2.0 */
/* Experiments given as text, for tests of what reads them. */
#ifndef SPEC_FILE_H
#define SPEC_FILE_H

#include "../../harness/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char spec_file[64];             /* the last one written */

static inline void write_spec(const char *text)
{
    strcpy(spec_file, "/tmp/attest-spec-XXXXXX");
    const int fd = mkstemp(spec_file);
    assert_true(fd >= 0);
    assert_true(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static inline void loaded(Spec *spec, const char *text, const char *profile)
{
    Complaints c = { 0 };
    Err err = { "" };
    write_spec(text);
    const Status status = spec_open(spec, spec_file, profile, &c, &err);
    if (status) fail_msg("%s\n%s", err.text, c.text ? c.text : "");
    assert_int_equal(c.count, 0);
    unlink(spec_file);
}

#endif
