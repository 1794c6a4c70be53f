/* SPDX-License-Identifier: Apache-2.0 */
/* Text from files: what a terminal would obey, what would leave a folder, and which tags and links
 * may stand in a page. */
#include "../../harness/file.h"
#include "../../harness/markdown.h"
#include "../../kernels/core/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void cleans_to(const char *text, const char *clean)
{
    char copy[100];
    strcpy(copy, text);
    assert_string_equal(text_clean(copy), clean);
}

static void what_a_terminal_would_obey(void **state)
{
    (void)state;
    cleans_to("", "");
    cleans_to("plain\n\ttext, é 中 😀", "plain\n\ttext, é 中 😀");
    cleans_to("\033[2J\a\r\177", "?[2J???");
    cleans_to("\xc2\x9b" "31m", "?31m");          /* U+009B: ESC [ in one */
    cleans_to("a\xe2\x80\xae" "b\xe2\x81\xa6", "a?b?");
    cleans_to("\x9b\xff\xc3", "???");             /* parts of no character */
    cleans_to("\xe4\xb8", "??");                  /* cut off */
}

static void errors_are_clean(void **state)
{
    (void)state;
    Err err;
    (fail)(&err, BAD_INPUT, "there is no '%s'", "\033]0;title\a");
    assert_string_equal(err.text, "there is no '?]0;title?'");
}

static void names(void **state)
{
    (void)state;
    static const char *const plain[] = { "a", "flashattention/runtime", "a-b_c.d", "A/B/9" };
    static const char *const others[] = { "", "/", "a/", "/a", "a//b", ".", "..", "../a", "a/../b",
                                          ".a", "a/.b", "-rf", "a/-b", "a b", "a;b", "a\n", "é",
                                          "$(a)" };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        assert_true(name_is_plain(plain[i]));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(name_is_plain(others[i]));
}

static void becomes(const char *markdown, const char *html)
{
    char *text = NULL;
    size_t size = 0;
    Err err;
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(markdown_to_html(out, markdown, strlen(markdown), "text", &err), OK);
    fclose(out);
    assert_string_equal(text, html);
    free(text);
}

static void tags_and_links(void **state)
{
    (void)state;
    becomes("a <sub class='x' onclick=\"y\">b</sub>\n", "<p>a <sub class=\"x\">b</sub></p>\n");
    becomes("<meter max=\"9\" value=\"3\" style=\"b\">\n",
            "<meter max=\"9\" value=\"3\">\n");
    becomes("a <script>b</script>\n", "<p>a &lt;script>b&lt;/script></p>\n");
    becomes("<details open ontoggle=x>\n", "<details open=\"\">\n");
    becomes("<svg/onload=x>\n", "<p>&lt;svg/onload=x&gt;</p>\n");
    becomes("[a](javascript:b)\n", "<p><a>a</a></p>\n");
    becomes("[a](https://b/c?d=e&f)\n", "<p><a href=\"https://b/c?d=e&amp;f\">a</a></p>\n");
    becomes("[a](#b) ![c](d.svg \"e\")\n",
            "<p><a href=\"#b\">a</a> <img src=\"d.svg\" alt=\"c\" title=\"e\"></p>\n");
    becomes("![c](https://d/e.png)\n", "<p><img alt=\"c\"></p>\n");
    becomes("![c](//d/e.png)\n", "<p><img alt=\"c\"></p>\n");
    becomes("a <a href=\"java&#x73;cript:b\">c</a>\n", "<p>a <a>c</a></p>\n");
}

static void code_stays_code(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    md_block(out, "sql", "SELECT 1");
    md_block(out, "sql", "```\nx\n");
    md_url(out, "https://a/b) c<");
    fclose(out);
    assert_string_equal(text, "```sql\nSELECT 1\n```\n````sql\n```\nx\n````\n"
                              "https://a/b%29%20c%3C");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_terminal_would_obey), cmocka_unit_test(errors_are_clean),
        cmocka_unit_test(names),                      cmocka_unit_test(tags_and_links),
        cmocka_unit_test(code_stays_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
