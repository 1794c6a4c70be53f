/* SPDX-License-Identifier: Apache-2.0 */
/* Notes in Markdown with equations: what comes out is a page that runs nothing. */
#include "../../harness/markdown.h"
#include "fuzz.h"

#include <ctype.h>
#include <strings.h>

/* No element that runs or loads something else, no handler, no address that is a program. */
static void check_tag(const char *at)
{
    static const char *const never[] = { "script", "iframe", "object", "embed", "style", "link",
                                         "meta", "base", "form", "svg", NULL };
    const char *name = at + 1 + (at[1] == '/');
    for (int i = 0; never[i]; i++) {
        const size_t length = strlen(never[i]);
        require(strncasecmp(name, never[i], length) || isalnum((unsigned char)name[length]));
    }
    int quoted = 0;
    for (const char *c = at + 1; *c && (quoted || *c != '>'); c++) {
        if (*c == '"') quoted = !quoted;
        require(quoted || !isspace((unsigned char)*c) || strncasecmp(c + 1, "on", 2));
        require(!quoted || strncasecmp(c, "\"javascript:", 12));
        require(!quoted || strncasecmp(c, "\"data:", 6));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *html = NULL, anchor[160], *text = fuzz_text(data, size);
    size_t html_size = 0;
    Err err = { "" };
    FILE *out = open_memstream(&html, &html_size);
    require(out);
    if (markdown_to_html(out, text, strlen(text), "notes", &err)) require(err.text[0]);
    fclose(out);
    for (const char *at = html; (at = strchr(at, '<')); at++) check_tag(at);
    markdown_anchor(text, anchor, sizeof anchor);
    free(html);
    free(text);
    return 0;
}
