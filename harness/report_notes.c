/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in papers/NAME besides the claims: errata, what is left out, and the notes, whose
 * drawings are copied beside the report so that its links hold wherever the folder goes. */
#include "file.h"
#include "home.h"
#include "markdown_parts.h"
#include "page.h"
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 700 };

/* ---- lists of the record -------------------------------------------------------------------- */

static void put_list(FILE *out, const Report *r, const char *key, const char *heading,
                     const char *const *columns, const char *const *names)
{
    const Node *list = node_get(tree_root(r->paper->record), key);
    if (!list || list->kind != NODE_LIST || list->count == 0)
        return;
    fprintf(out, "\n**%s**\n\n|", heading);
    for (int i = 0; names[i]; i++)
        fprintf(out, " %s |", names[i]);
    fputs("\n|", out);
    for (int i = 0; names[i]; i++)
        fputs("---|", out);
    fputs("\n", out);
    for (int row = 0; row < list->count; row++) {
        fputs("|", out);
        for (int i = 0; columns[i]; i++) {
            fputs(" ", out);
            md_text(out, node_text(list->item[row], columns[i], ""));
            fputs(" |", out);
        }
        fputs("\n", out);
    }
}

static void put_link(FILE *out, const char *before, const Node *link)
{
    fprintf(out, "%s[", before);
    md_text(out, node_text(link, "what", ""));
    fputs("](", out);
    md_url(out, node_text(link, "url", ""));
    fputs(")", out);
}

static void put_links(FILE *out, const Report *r)
{
    const Node *links = node_get(tree_root(r->paper->record), "links");
    for (int i = 0; links && links->kind == NODE_LIST && i < links->count; i++)
        put_link(out, i ? " · " : "\n", links->item[i]);
    fputs("\n", out);
}

void report_record(FILE *out, const Report *r)
{
    fputs("\n## Errata, and what is left out\n", out);
    put_list(out, r, "errata", "Printed and right",
             (const char *const[]){ "where", "printed", "right", "by", NULL },
             (const char *const[]){ "where", "printed", "right", "noticed by", NULL });
    put_list(out, r, "untested", "Not tested here", (const char *const[]){ "what", "why", NULL },
             (const char *const[]){ "what", "why", NULL });
    put_list(out, r, "companions", "Read together with",
             (const char *const[]){ "key", "title", "arxiv", "venue", "why", NULL },
             (const char *const[]){ "", "title", "arXiv", "venue", "why", NULL });
    put_list(out, r, "series", "Published series and the arm drawn beside each",
             (const char *const[]){ "paper", "ours", NULL },
             (const char *const[]){ "paper", "ours", NULL });
    put_links(out, r);
}

/* ---- notes ---------------------------------------------------------------------------------- */

/* Copies papers/NAME/FILE to INTO/report/NAME/FILE. 0: it could not be. */
static int copy_file(const Report *r, const char *file)
{
    char from[HOME_PATH + PATH_SIZE], to[PATH_SIZE];
    size_t size = 0;
    snprintf(from, sizeof from, "%s/%.200s", r->paper->folder, file);
    snprintf(to, sizeof to, "%.300s/report/%s/%.200s", r->into, r->paper->id, file);
    /* A link could bring any file of the reader's into the report. */
    char *text = file_is_link(from) ? NULL : file_read(from, &size);
    const int copied = text && file_write(to, text, size, NULL) == OK;
    free(text);
    return copied;
}

/* at: behind "](". A target beside the notes is copied and renamed; any other stays. */
static const char *put_target(FILE *out, const Report *r, const char *at)
{
    char target[256];
    const size_t length = strcspn(at, ")\n");
    snprintf(target, sizeof target, "%.*s", (int)length, at);
    const int beside = length < sizeof target && !strpbrk(target, ":#/") && copy_file(r, target);
    fprintf(out, "%s%s%s", beside ? r->paper->id : "", beside ? "/" : "", target);
    return length < sizeof target ? at + length : at + sizeof target - 1;
}

/* Headings go one level down, and the notes' own title goes: the report has one. Code stays as it
 * is. */
static void put_line(FILE *out, const Report *r, const char *line, size_t length, int in_code)
{
    if (!in_code && length > 2 && line[0] == '#' && line[1] == ' ')
        return;
    if (!in_code && line[0] == '#')
        fputs("#", out);
    for (const char *at = line; at < line + length;) {
        fputc(*at, out);
        at++;
        if (!in_code && at < line + length && at[-1] == ']' && *at == '(') {
            fputc('(', out);
            at = put_target(out, r, at + 1);
        }
    }
    fputc('\n', out);
}

/* The page is made of the whole report; a mistake in the notes is told where it can be mended. */
static Status check_notes(const char *path, const char *text, Err *err)
{
    Draft html;
    Status status = draft_open(&html, err);
    if (!status)
        status = markdown_to_html(html.out, text, strlen(text), path, err);
    draft_close(&html);
    return status;
}

Status report_notes(FILE *out, const Report *r, const char *file, Err *err)
{
    char path[HOME_PATH + PATH_SIZE];
    int in_code = 0;
    size_t size = 0;
    snprintf(path, sizeof path, "%s/%s", r->paper->folder, file);
    char *text = file_read(path, &size);
    if (!text)
        return fail(err, BAD_INPUT, "%s: %s; each paper has notes in both languages", path,
                    strerror(errno));
    const Status status = check_notes(path, text, err);
    for (const char *line = text; *line;) {
        const size_t length = strcspn(line, "\n");
        if (strncmp(line, "```", 3) == 0)
            in_code = !in_code;
        put_line(out, r, line, length, in_code || strncmp(line, "```", 3) == 0);
        line += length + (line[length] == '\n');
    }
    free(text);
    return status;
}
