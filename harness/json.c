/* SPDX-License-Identifier: Apache-2.0 */
/* JSON written as it comes, without a tree. */
#include "cli.h"

#include "../kernels/core/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void text(FILE *out, const char *s);

void json_open(Json *j, FILE *out) { *j = (Json){ .out = out }; }

static void new_line(const Json *j) { fprintf(j->out, "\n%*s", 2 * j->depth, ""); }

/* The comma, the place and the key of the next value. */
static void next_item(Json *j, const char *key)
{
    if (j->depth) {
        const int first = j->level[j->depth].items++ == 0;
        require(j->level[j->depth].is_array == (key == NULL));
        if (!first) fputc(',', j->out);
        if (!j->level[j->depth].in_line) new_line(j);
        else if (!first) fputc(' ', j->out);
    }
    if (!key) return;
    text(j->out, key);
    fputs(": ", j->out);
}

static void nest(Json *j, const char *key, int is_array)
{
    next_item(j, key);
    const int in_line = j->level[j->depth].in_line || (j->level[j->depth].is_array && !is_array);
    require(j->depth + 1 < JSON_DEPTH_MAX);
    j->depth++;
    j->level[j->depth].items = 0;
    j->level[j->depth].is_array = is_array;
    j->level[j->depth].in_line = in_line;
    fputc(is_array ? '[' : '{', j->out);
}

void json_object(Json *j, const char *key) { nest(j, key, 0); }
void json_array(Json *j, const char *key)  { nest(j, key, 1); }

void json_close(Json *j)
{
    require(j->depth > 0);
    const int is_array = j->level[j->depth].is_array, in_line = j->level[j->depth].in_line;
    const int items = j->level[j->depth--].items;
    if (items && !in_line) new_line(j);
    fputc(is_array ? ']' : '}', j->out);
    if (!j->depth) fputc('\n', j->out);
}

/* Of a control character, which has at most 16 bits; of what is no character, U+FFFD. */
static unsigned code_of(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    switch (text_sequence(text)) {
    case 1:  return s[0];
    case 2:  return (s[0] & 0x1fu) << 6 | (s[1] & 0x3fu);
    case 3:  return (s[0] & 0x0fu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
    default: return 0xfffd;
    }
}

static void text(FILE *out, const char *s)
{
    fputc('"', out);
    for (; *s; s += text_step(s)) {
        if (*s == '"' || *s == '\\') fprintf(out, "\\%c", *s);
        else if (*s == '\n') fputs("\\n", out);
        else if (*s == '\t') fputs("\\t", out);
        else if (text_control(s)) fprintf(out, "\\u%04x", code_of(s));
        else fwrite(s, 1, text_step(s), out);
    }
    fputc('"', out);
}

void json_text(Json *j, const char *key, const char *value)
{
    next_item(j, key);
    if (value) text(j->out, value);
    else fputs("null", j->out);
}

/* The fewest digits that give the same number again. */
void json_number(Json *j, const char *key, double value)
{
    char digits[32] = "null";
    next_item(j, key);
    for (int precision = 6; isfinite(value) && precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value) break;
    }
    fputs(digits, j->out);
}

void json_integer(Json *j, const char *key, long long value)
{
    next_item(j, key);
    fprintf(j->out, "%lld", value);
}

void json_bool(Json *j, const char *key, int value) { json_raw(j, key, value ? "true" : "false"); }

void json_raw(Json *j, const char *key, const char *value)
{
    next_item(j, key);
    fputs(value, j->out);
}
