/* SPDX-License-Identifier: Apache-2.0 */
/* The shell of a page: its style sheet (page.css) stands in it, so a page is one file. */
#include "markdown.h"

extern const char page_css[];

void page_open(FILE *out, const Page *page)
{
    fprintf(out,
            "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
            page->language);
    html_escape(out, page->title);
    fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n", page_css);
    if (page->nav)
        fprintf(out, "<nav>%s</nav>\n", page->nav);
    fputs("<main>\n", out);
}

void page_close(FILE *out, const char *footer)
{
    fputs("</main>\n<footer>", out);
    html_escape(out, footer);
    fputs("</footer>\n</body>\n</html>\n", out);
}
