/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

Status fail(Err *err, Status why, const char *format, ...)
{
    if (err) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(err->text, sizeof err->text, format, arguments);
        va_end(arguments);
        text_clean(err->text);       /* it may quote a file */
    }
    return why;
}

void require_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "attest: bug at %s:%d: this must hold: %s\n", file, line, what);
    abort();
}
