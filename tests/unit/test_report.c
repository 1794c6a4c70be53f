/* SPDX-License-Identifier: Apache-2.0 */
/* From notes to pages: equations, Markdown, and a whole report whose links all lead somewhere. */
#include "../../harness/db.h"
#include "../../harness/file.h"
#include "../../harness/markdown.h"
#include "../../harness/markdown_parts.h"
#include "../../harness/mathml.h"
#include "../../harness/telling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- equations ------------------------------------------------------------------------------ */

static char *converted(const char *latex, int display, Status *status, Err *err)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    *status = mathml_write(out, latex, strlen(latex), display, err);
    fclose(out);
    return text;
}

static void check_equation(const char *latex, const char *holds)
{
    Status status;
    Err err = { "" };
    char *text = converted(latex, 0, &status, &err);
    if (status)
        fail_msg("%s: %s", latex, err.text);
    if (!strstr(text, holds))
        fail_msg("%s gives %s, which has no %s", latex, text, holds);
    /* Every element that is opened is closed. */
    int depth = 0;
    for (const char *at = text; (at = strchr(at, '<')); at++)
        depth += at[1] == '/' ? -1 : strchr(at, '>')[-1] == '/' ? 0 : 1;
    assert_int_equal(depth, 0);
    free(text);
}

static void equations(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "x", "<math><mrow><mi>x</mi></mrow></math>" },
        { "\\frac{a}{b}", "<mfrac><mrow><mi>a</mi></mrow><mrow><mi>b</mi></mrow></mfrac>" },
        { "\\frac12", "<mfrac>" },
        { "x^2", "<msup><mrow><mi>x</mi></mrow><mrow><mn>2</mn></mrow></msup>" },
        { "x_i^{2n}", "<msubsup>" },
        { "m'", "<mo>′</mo>" },
        { "\\sqrt d", "<msqrt><mi>d</mi></msqrt>" },
        { "\\sqrt[3]{x}", "<mroot>" },
        { "\\sum_{i=1}^N x_i", "∑" },
        { "\\mathbb{R}^{N\\times d}", "<mi>&#x211D;</mi>" },
        { "\\mathcal{O}(N)", "<mi>&#x1D4AA;</mi>" },
        { "\\mathcal{L}", "<mi>&#x2112;</mi>" },
        { "\\mathrm{softmax}(x)", "<mi mathvariant=\"normal\">softmax</mi>" },
        { "\\text{if } x < 0", "<mtext>if </mtext>" },
        { "a < b & c", NULL },
        { "\\left( \\frac{a}{b} \\right)", "<mo stretchy=\"true\">(</mo>" },
        { "\\left\\{ x \\right.", "<mo stretchy=\"true\">{</mo>" },
        { "\\begin{cases} a & b \\\\ c & d \\end{cases}", "<mtr><mtd><mi>c</mi></mtd><mtd><mi>d</"
                                                          "mi></mtd></mtr>" },
        { "\\ln \\ell", "<mi>ln</mi><mspace" },
        { "\\ln(x)", "<mi>ln</mi><mo stretchy=\"false\">(</mo>" },
        { "2^{(\\tau \\log_2 e)\\,x - m}", "<mspace width=\".17em\"/>" },
        { "\\boxed{M > 3d^2}", "class=\"boxed\"" },
        { "\\bar x + \\hat{y}", "<mover accent=\"true\">" },
        { "\\rightarrow \\right", NULL },
        { "312/1.5", "<mn>1.5</mn>" },
        { "α", "<mi>α</mi>" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (cases[i][1])
            check_equation(cases[i][0], cases[i][1]);
}

static void limits_stand_above_only_on_their_own_line(void **state)
{
    (void)state;
    Status status;
    char *in_line = converted("\\max_x f", 0, &status, NULL),
         *alone = converted("\\max_x f", 1, &status, NULL);
    assert_non_null(strstr(in_line, "<msub>"));
    assert_non_null(strstr(alone, "<munder>"));
    assert_non_null(strstr(alone, "display=\"block\""));
    free(in_line);
    free(alone);
}

static void bad_equations_are_named(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "\\unheardof x", "\\unheardof" },
        { "{x", "}" },
        { "x}", "\"}\"" },
        { "x_", "argument" },
        { "x^1^2", "two superscripts" },
        { "\\left( x", "\\right" },
        { "\\begin{cases} x", "\\end" },
        { "\\begin{cases} x \\end{matrix}", "ends as" },
        { "\\begin{wonder} x \\end{wonder}", "wonder" },
        { "\\mathbb{r}", "capital" },
        { "a & b", "stands alone" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Status status;
        Err err = { "" };
        free(converted(cases[i][0], 0, &status, &err));
        assert_int_equal(status, BAD_INPUT);
        if (!strstr(err.text, cases[i][1]))
            fail_msg("%s: \"%s\" does not say %s", cases[i][0], err.text, cases[i][1]);
    }
    char deep[400] = "";
    for (int i = 0; i < 150; i++)
        strcat(deep, "{");
    Status status;
    Err err;
    free(converted(deep, 0, &status, &err));
    assert_int_equal(status, BAD_INPUT);
}

/* ---- Markdown ------------------------------------------------------------------------------- */

static char *page(const char *text, Status *status)
{
    char *html = NULL;
    size_t size = 0;
    Err err;
    FILE *out = open_memstream(&html, &size);
    *status = markdown_to_html(out, text, strlen(text), "notes.md", &err);
    fclose(out);
    return html;
}

static void check_page(const char *text, const char *holds)
{
    Status status;
    char *html = page(text, &status);
    assert_int_equal(status, OK);
    if (!strstr(html, holds))
        fail_msg("%s gives %s, which has no %s", text, html, holds);
    free(html);
}

static void markdown(void **state)
{
    (void)state;
    check_page("## 6. What is counted: costs", "<h2 id=\"6-what-is-counted-costs\">");
    check_page("# A\n\n# A", "<h1 id=\"a-1\">");
    check_page("## 中文 说明", "<h2 id=\"中文-说明\">");
    check_page("| a | b |\n|---|---|\n| 1 | 2 |", "<div class=\"table\"><table>");
    check_page("$x < y$", "<mo stretchy=\"false\">&lt;</mo>");
    check_page("$$\\frac{1}{2}$$", "<math display=\"block\">");
    check_page("`$x$` costs 5", "<code>$x$</code>");
    Status status;
    char *html = page("good $x$, bad $\\nope{x}$", &status);
    assert_int_equal(status, BAD_INPUT);
    assert_non_null(strstr(html, "<code>\\nope{x}</code>"));
    free(html);
    char id[12];
    markdown_anchor("A long heading & more", id, sizeof id);
    assert_string_equal(id, "a-long-head");
}

static void check_complaint(const char *text, const char *says)
{
    char *html = NULL;
    size_t size = 0;
    Err err = { "" };
    FILE *out = open_memstream(&html, &size);
    assert_int_equal(markdown_to_html(out, text, strlen(text), "notes.md", &err), BAD_INPUT);
    fclose(out);
    free(html);
    if (strncmp(err.text, says, strlen(says)) != 0)
        fail_msg("\"%s\" does not begin with %s", err.text, says);
}

static void a_bad_equation_is_found_in_its_file(void **state)
{
    (void)state;
    check_complaint("$\\nope$", "notes.md:1: ");
    check_complaint("# A\n\n$x$\n\nb $\\nope{x < y}$ and $\\worse$\n", "notes.md:5: ");
    check_complaint("a\n\n$$x +\n\\nope y\n$$\n", "notes.md:3: ");
}

/* Whatever a database or a descriptor holds stays one text in one cell. */
static void texts_stay_texts(void **state)
{
    (void)state;
    static const char text[] = "a|b <i>&amp; [x](y) *z* $\\w$ `c` # ~~d~~ \"e\"\nf";
    static const char *const holds[] = {
        "<td>a|b &lt;i&gt;&amp;amp; [x](y) *z* $\\w$ `c` # ~~d~~ &quot;e&quot; f</td>",
        "<td><code>a|b &lt;i&gt;&amp;amp; [x](y) *z* $\\w$ `c` # ~~d~~ &quot;e&quot; f</code></td>",
        "<td><b title=\"a&#124;b &#60;i&#62;&#38;amp; [x](y) *z* $\\w$ `c` # ~~d~~ &#34;e&#34;",
        "<td><code>*a* &lt;i&gt; &amp;amp;</code></td>",
    };
    char *made = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&made, &size);
    fputs("| text | code | attribute |\n|---|---|---|\n| ", out);
    md_text(out, text);
    fputs(" | ", out);
    md_code(out, text);
    fputs(" | <b title=\"", out);
    md_attribute(out, text);
    fputs("\">t</b> |\n| ", out);
    md_code(out, "*a* <i> &amp;");
    fputs(" | | |\n", out);
    fclose(out);
    for (size_t i = 0; i < sizeof holds / sizeof *holds; i++)
        check_page(made, holds[i]);
    free(made);
}

/* The notes of every paper convert without a complaint. */
static void all_notes_convert(void **state)
{
    (void)state;
    char **ids;
    int count, files = 0;
    assert_int_equal(papers_list(&ids, &count, NULL), OK);
    for (int i = 0; i < 2 * count; i++) {
        char path[300];
        size_t size;
        Err err = { "" };
        snprintf(path, sizeof path, "papers/%s/notes%s.md", ids[i / 2], i % 2 ? ".zh" : "");
        char *text = file_read(path, &size), *html = NULL;
        assert_non_null(text);
        FILE *out = open_memstream(&html, &size);
        if (markdown_to_html(out, text, strlen(text), path, &err))
            fail_msg("%s: %s", path, err.text);
        fclose(out);
        assert_null(strstr(html, "x-equation"));
        files++;
        free(html);
        free(text);
    }
    papers_free(ids, count);
    assert_true(files >= 2);
}

/* ---- a whole report ------------------------------------------------------------------------- */

/* Every href and src that is no address leads to a file, or to an id of this page. */
static void check_links(const char *html, const char *base)
{
    int links = 0;
    for (const char *at = html; (at = strstr(at, "=\"")); at += 2) {
        const int href = at - html > 4 && strncmp(at - 4, "href", 4) == 0,
                  src = at - html > 3 && strncmp(at - 3, "src", 3) == 0;
        char target[512], path[1200];
        if (!href && !src)
            continue;
        snprintf(target, sizeof target, "%.*s", (int)strcspn(at + 2, "\""), at + 2);
        if (strncmp(target, "http", 4) == 0 || strncmp(target, "data:", 5) == 0)
            continue;
        links++;
        if (*target == '#') {
            snprintf(path, sizeof path, " id=\"%s\"", target + 1);
            if (!strstr(html, path) && !strchr(target, '%'))
                fail_msg("no heading for %s", target);
        } else {
            struct stat found;
            snprintf(path, sizeof path, "%s/%s", base, target);
            if (stat(path, &found))
                fail_msg("no file for %s", target);
        }
    }
    assert_true(links > 20);
}

static void a_report_without_rows(void **state)
{
    (void)state;
    char folder[] = "/tmp/attest-report-XXXXXX", db[80], command[200], base[100];
    Telling t;
    Err err = { "" };
    size_t size;
    assert_non_null(mkdtemp(folder));
    snprintf(db, sizeof db, "%s/a.db", folder);
    if (telling_open(&t, "flashattention", &(TellingOf){ .db_path = db, .into = folder }, &err))
        fail_msg("%s", err.text);
    char *html = file_read(t.html, &size), *text = file_read(t.markdown, &size);
    assert_non_null(html);
    assert_non_null(text);
    snprintf(base, sizeof base, "%s/report", folder);
    check_links(html, base);
    for (int i = 0; i < t.paper.claims; i++)
        assert_non_null(strstr(html, t.paper.claim[i].id));
    assert_non_null(strstr(html, "lang=\"zh\""));
    assert_null(strstr(html, "<script "));
    assert_null(strstr(html, "rel=\"stylesheet\""));
    assert_non_null(strstr(html, "id=\"verdict=not-testable\""));
    free(html);
    free(text);
    telling_close(&t);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

/* Every figure of every experiment is well-formed, its queries run, and its note is a heading. */
static void all_figures_are_right(void **state)
{
    (void)state;
    char folder[] = "/tmp/attest-report-XXXXXX", db_path[80], command[200], **ids;
    int count;
    Db *db;
    Err err = { "" };
    assert_non_null(mkdtemp(folder));
    snprintf(db_path, sizeof db_path, "%s/a.db", folder);
    assert_int_equal(db_open(&db, db_path, DB_WRITE, &err), OK);
    db_close(db);
    assert_int_equal(papers_list(&ids, &count, NULL), OK);
    for (int i = 0; i < count; i++) {
        Paper paper;
        Figures figures;
        char path[300];
        size_t size;
        assert_int_equal(paper_open(&paper, ids[i], &err), OK);
        if (figures_open(&figures, &paper, db_path, 0, &err))
            fail_msg("%s", err.text);
        assert_int_equal(figures.count, 0);
        snprintf(path, sizeof path, "papers/%s/notes.md", ids[i]);
        char *notes = file_read(path, &size);
        for (int t = 0; t < figures.trees; t++) {
            const Node *list = node_get(tree_root(figures.tree[t]), "figures");
            for (int k = 0; list && k < list->count; k++) {
                char heading[200];
                const char *note = node_text(list->item[k], "note", "");
                snprintf(heading, sizeof heading, "\n## %s\n", note);
                if (*note && !strstr(notes, heading))
                    fail_msg("%s: the notes have no heading \"%s\"", tree_name(figures.tree[t]),
                             note);
            }
        }
        free(notes);
        figures_close(&figures);
        paper_close(&paper);
    }
    papers_free(ids, count);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

static void no_such_paper(void **state)
{
    (void)state;
    Telling t;
    Err err = { "" };
    const TellingOf nowhere = { .db_path = "/nowhere/a.db", .into = "/nowhere" };
    assert_int_equal(telling_open(&t, "flashattentoin", &nowhere, &err), BAD_INPUT);
    assert_non_null(strstr(err.text, "flashattention"));
    assert_int_equal(telling_open(&t, "../papers", &nowhere, &err), BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equations),
        cmocka_unit_test(limits_stand_above_only_on_their_own_line),
        cmocka_unit_test(bad_equations_are_named),
        cmocka_unit_test(markdown),
        cmocka_unit_test(a_bad_equation_is_found_in_its_file),
        cmocka_unit_test(texts_stay_texts),
        cmocka_unit_test(all_notes_convert),
        cmocka_unit_test(all_figures_are_right), cmocka_unit_test(a_report_without_rows),
        cmocka_unit_test(no_such_paper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
