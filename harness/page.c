/* SPDX-License-Identifier: Apache-2.0 */
#include "page.h"
#include "file.h"
#include "markdown.h"

#include <stdlib.h>

enum { PATH_SIZE = 800 };

/* page.css, page.js, embedded by the build */
extern const char page_css[], page_js[];

/* ---- the shell ------------------------------------------------------------------------------ */

static void put_nav(FILE *out, const char *root)
{
    static const char *const places[][2] = {
        { "papers", "Papers" }, { "methods", "Methods" }, { "machines", "Machines" },
        { "the-guides-entries", "The guide" },
    };
    fprintf(out, "<nav><a href=\"%sindex.html\"><b>attest</b></a>", root);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        fprintf(out, " <a href=\"%sindex.html#%s\">%s</a>", root, places[i][0], places[i][1]);
    fputs("</nav>\n", out);
}

static void put_head(FILE *out, const Page *page)
{
    fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          /* Browsers ask for an icon where none is named. */
          "<link rel=\"icon\" href=\"data:,\">\n<title>",
          out);
    html_escape(out, page->title);
    fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n", page_css);
    if (page->root)
        put_nav(out, page->root);
    fputs("<main>\n", out);
}

static void put_foot(FILE *out, const Page *page)
{
    fputs("</main>\n<footer>", out);
    html_escape(out, page->footer);
    fputs("</footer>\n", out);
    if (page->filters)
        fprintf(out, "<script>\n%s</script>\n", page_js);
    fputs("</body>\n</html>\n", out);
}

/* ---- the draft ------------------------------------------------------------------------------ */

Status draft_open(Draft *draft, Err *err)
{
    *draft = (Draft){ 0 };
    draft->out = open_memstream(&draft->text, &draft->size);
    return draft->out ? OK : fail(err, NO_MEMORY, "no memory for a page");
}

static Status finish(const Draft *draft, Err *err)
{
    if (!fflush(draft->out) && !ferror(draft->out))
        return OK;
    return fail(err, NO_MEMORY, "no memory for a page");
}

static Status write_html(const Draft *draft, const Page *page, const char *stem, Err *err)
{
    Draft html;
    char path[PATH_SIZE];
    Status status = draft_open(&html, err);
    if (status)
        return status;
    put_head(html.out, page);
    snprintf(path, sizeof path, "%s.md", stem);
    status = markdown_to_html(html.out, draft->text, draft->size, path, err);
    put_foot(html.out, page);
    snprintf(path, sizeof path, "%s.html", stem);
    Status written = finish(&html, status ? NULL : err);
    if (!written)
        written = file_write(path, html.text, html.size, status ? NULL : err);
    draft_close(&html);
    return status ? status : written;
}

Status draft_write(Draft *draft, const Page *page, const char *stem, Err *err)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s.md", stem);
    Status status = finish(draft, err);
    if (!status)
        status = file_write(path, draft->text, draft->size, err);
    return status ? status : write_html(draft, page, stem, err);
}

void draft_close(Draft *draft)
{
    if (draft->out)
        fclose(draft->out);
    free(draft->text);
    *draft = (Draft){ 0 };
}
