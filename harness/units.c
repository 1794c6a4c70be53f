/* SPDX-License-Identifier: Apache-2.0 */
#include "units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { const char *name; double factor; } Unit;

static const Unit times[] = { { "ns", 1 },  { "us", 1e3 }, { "ms", 1e6 },
                              { "s", 1e9 }, { "m", 60e9 }, { "h", 3600e9 } };
static const Unit sizes[] = { { "", 1 },         { "B", 1 },        { "KiB", 0x1p10 },
                              { "MiB", 0x1p20 }, { "GiB", 0x1p30 }, { "TiB", 0x1p40 },
                              { "K", 0x1p10 },   { "M", 0x1p20 },   { "G", 0x1p30 },
                              { "T", 0x1p40 } };

static int parse(const char *text, const Unit *unit, size_t units, double most, int64_t *out)
{
    char *end;
    const double number = strtod(text, &end);
    if (end == text || !(number > 0)) return 0;
    end += strspn(end, " ");
    for (size_t i = 0; i < units; i++) {
        const double value = number * unit[i].factor;
        if (strcmp(end, unit[i].name)) continue;
        if (!(value >= 1 && value <= most)) return 0;
        *out = (int64_t)llround(value);
        return 1;
    }
    return 0;
}

Status duration_parse(const char *text, int64_t *out_ns, Err *err)
{
    if (parse(text, times, sizeof times / sizeof *times, 366.0 * 24 * 3600e9, out_ns)) return OK;
    return fail(err, BAD_INPUT,
                "'%.40s' is no duration; write one like 500us, 100ms, 2s, 10m or 1h", text);
}

Status bytes_parse(const char *text, int64_t *out, Err *err)
{
    if (parse(text, sizes, sizeof sizes / sizeof *sizes, 0x1p62, out)) return OK;
    return fail(err, BAD_INPUT, "'%.40s' is no size; write one like 4096, 32KiB, 512MiB or 8GiB",
                text);
}

/* Three significant digits, but no exponent. */
static void print(char out[UNITS_TEXT], double value, const char *unit)
{
    const int digits = fabs(value) >= 99.95 ? 0 : fabs(value) >= 9.995 ? 1 : 2;
    snprintf(out, UNITS_TEXT, "%.*f %s", digits, value, unit);
}

void duration_print(char out[UNITS_TEXT], double time_ns)
{
    if (!isfinite(time_ns)) snprintf(out, UNITS_TEXT, "-");
    else if (time_ns < 1e3) print(out, time_ns, "ns");
    else if (time_ns < 1e6) print(out, time_ns / 1e3, "us");
    else if (time_ns < 1e9) print(out, time_ns / 1e6, "ms");
    else                    print(out, time_ns / 1e9, "s");
}

void bytes_print(char out[UNITS_TEXT], double bytes)
{
    if (!isfinite(bytes))     snprintf(out, UNITS_TEXT, "-");
    else if (bytes < 0x1p10)  snprintf(out, UNITS_TEXT, "%.0f B", bytes);
    else if (bytes < 0x1p20)  print(out, bytes / 0x1p10, "KiB");
    else if (bytes < 0x1p30)  print(out, bytes / 0x1p20, "MiB");
    else                      print(out, bytes / 0x1p30, "GiB");
}
