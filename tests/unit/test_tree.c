/* SPDX-License-Identifier: Apache-2.0 */
/* Reading YAML: what is in the tree, where it stands, and what is refused with which sentence. */
#include "../../harness/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static Tree *parsed(const char *text)
{
    Tree *tree;
    Err err = { "" };
    const Status status = tree_parse_yaml(&tree, "f.yaml", text, strlen(text), &err);
    if (status) fail_msg("%s", err.text);
    return tree;
}

static void nodes_know_their_place(void **state)
{
    (void)state;
    Tree *tree = parsed("a: 1\nlist:\n  - x\n  - {b: two, c: [3]}\n\"quoted\": 'no'\n");
    const Node *root = tree_root(tree), *list = node_get(root, "list");
    assert_int_equal(root->kind, NODE_MAP);
    assert_int_equal(root->count, 3);
    assert_int_equal(list->kind, NODE_LIST);
    assert_int_equal(list->count, 2);
    assert_string_equal(list->item[0]->text, "x");
    assert_int_equal(list->item[1]->line, 4);
    assert_int_equal(list->item[1]->column, 5);
    assert_string_equal(node_text(list->item[1], "b", "?"), "two");
    assert_string_equal(node_text(list->item[1], "c", "a list is no text"), "a list is no text");
    assert_int_equal(node_get(list->item[1], "c")->item[0]->column, 18);
    assert_int_equal(node_get(root, "quoted")->quoted, 1);
    assert_int_equal(root->key[2]->line, 5);
    assert_null(node_get(root, "absent"));
    assert_null(node_get(list, "a"));
    assert_null(node_get(NULL, "a"));
    assert_string_equal(tree_name(tree), "f.yaml");
    tree_close(tree);
}

/* Long lists and maps, since both grow in steps. */
static void many_items(void **state)
{
    (void)state;
    for (int n = 0; n < 40; n++) {
        char text[1024] = "m: {", name[16];
        for (int i = 0; i < n; i++) sprintf(text + strlen(text), "k%d: %d,", i, i);
        strcat(text, "}\nl: [");
        for (int i = 0; i < n; i++) sprintf(text + strlen(text), "%d,", i);
        strcat(text, "]\n");
        Tree *tree = parsed(text);
        const Node *map = node_get(tree_root(tree), "m"), *list = node_get(tree_root(tree), "l");
        assert_int_equal(map->count, n);
        assert_int_equal(list->count, n);
        for (int i = 0; i < n; i++) {
            int64_t value = -1;
            sprintf(name, "k%d", i);
            assert_true(node_integer(node_get(map, name), &value) && value == i);
            assert_true(node_integer(list->item[i], &value) && value == i);
        }
        tree_close(tree);
    }
}

static void words_stay_words(void **state)
{
    (void)state;
    Tree *tree = parsed(
        "[no, yes, null, ~, 1e3, 0x10, ' 1', \"2\", 012, -7, +8, .5, 2%, 1e999, inf, nan, 1_000, "
        "9223372036854775807, 9223372036854775808, 1.5.2, '', 3 4]");
    static const struct {
        int is_integer;
        int64_t integer;
        int is_number;
        double number;
    } right[] = {
        { 0 },
        { 0 },
        { 0 },
        { 0 },
        { 0, 0, 1, 1000 },
        { 0 },
        { 0 },
        { 0 },
        { 1, 12, 1, 12 },
        { 1, -7, 1, -7 },
        { 1, 8, 1, 8 },
        { 0, 0, 1, .5 },
        { 0, 0, 1, .02 },
        { 0 },
        { 0 },
        { 0 },
        { 0 },
        { 1, INT64_MAX, 1, 9223372036854775807.0 },
        { 0, 0, 1, 9223372036854775808.0 },
        { 0 },
        { 0 },
        { 0 },
    };
    const Node *list = tree_root(tree);
    assert_int_equal(list->count, sizeof right / sizeof *right);
    for (int i = 0; i < list->count; i++) {
        int64_t integer = 0;
        double number = 0;
        assert_int_equal(node_integer(list->item[i], &integer), right[i].is_integer);
        assert_true(integer == right[i].integer);
        assert_int_equal(node_number(list->item[i], &number), right[i].is_number);
        assert_true(number == right[i].number);
    }
    assert_int_equal(node_integer(list, &(int64_t){ 0 }), 0);
    assert_int_equal(node_number(NULL, &(double){ 0 }), 0);
    tree_close(tree);
}

static void refused(const char *text, Status why, const char *sentence)
{
    Tree *tree = (Tree *)(uintptr_t)1;
    Err err = { "" };
    assert_int_equal(tree_parse_yaml(&tree, "f.yaml", text, strlen(text), &err), why);
    assert_null(tree);
    if (strncmp(err.text, sentence, strlen(sentence)))
        fail_msg("'%s' does not start with '%s'", err.text, sentence);
}

static void what_is_refused(void **state)
{
    (void)state;
    refused("", BAD_INPUT, "f.yaml:1:1: there is nothing in it");
    refused("# only a comment\n", BAD_INPUT, "f.yaml:2:1: there is nothing in it");
    refused("a: 1\nb: 2\na: 3\n", BAD_INPUT, "f.yaml:3:1: key 'a' is here already, in line 1");
    refused("a: [1, 2\n", BAD_INPUT, "f.yaml:2:1: not YAML:");
    refused("a: b: c\n", BAD_INPUT, "f.yaml:1:5: not YAML:");
    refused("a: &x 1\n", UNSUPPORTED, "f.yaml:1:4: anchors");
    refused("a: [1, 2]\nb: *a\n", UNSUPPORTED, "f.yaml:2:4: anchors");
    refused("a: !!str 1\n", UNSUPPORTED, "f.yaml:1:4: anchors");
    refused("? [a, b]\n: 1\n", UNSUPPORTED, "f.yaml:1:3: a key has to be a plain word");
    refused("a: 1\n---\nb: 2\n", UNSUPPORTED, "f.yaml:2:1: a second document");
    refused("a: \"\\0\"\n", BAD_INPUT, "f.yaml:1:4: text with a NUL byte");
    refused("a: \"\\e[2J\"\n", BAD_INPUT, "f.yaml:1:4: text with a control character");
    refused("a: \"\\u202e\"\n", BAD_INPUT, "f.yaml:1:4: text with a control character");
    refused("a: 1\nb: 2\nb: 3\na: 4\n", BAD_INPUT,
            "f.yaml:3:1: key 'b' is here already, in line 2");
    refused("a: \xff\xfe\n", BAD_INPUT, "f.yaml: byte 3: not YAML:");
}

/* Linear in its size, whatever it holds: 19998 keys are read, 20000 are too many. */
static void long_maps(void **state)
{
    (void)state;
    enum { MOST = 9999 };
    char *text = malloc(16 * MOST + 64), *to = text;
    to += sprintf(to, "{");
    for (int i = 0; i < MOST; i++) to += sprintf(to, "k%05d: x, ", i);
    sprintf(to, "}");
    tree_close(parsed(text));
    sprintf(to, "l: x}");
    refused(text, BAD_INPUT, "f.yaml:1:109994: more than 20000 values in one file");
    free(text);
}

static void complaints_are_counted(void **state)
{
    (void)state;
    Complaints c = { 0 };
    Tree *tree = parsed("a: 1\n");
    for (int i = 0; i < 1000; i++) complain(&c, tree, tree_root(tree), "%d", i);
    assert_int_equal(c.count, 1000);
    assert_non_null(strstr(c.text, ": 99\n"));
    assert_null(strstr(c.text, ": 100\n"));
    complaints_free(&c);
    tree_close(tree);
}

static void depth(void **state)
{
    (void)state;
    char text[100] = "";
    memset(text, '[', 31);
    memset(text + 31, ']', 31);
    tree_close(parsed(text));
    memset(text, '[', 33);
    memset(text + 33, ']', 33);
    refused(text, BAD_INPUT, "f.yaml:1:33: more than 32 levels deep");
}

/* Whatever the bytes are, there is a tree or a sentence. */
static void any_prefix_and_any_byte(void **state)
{
    (void)state;
    const char *text =
        "a: {b: [1, 'x', \"y\\n\"], c: |\n  text\n  more\n}\nd:\n- e\n- - f\n  - {g: h}\n";
    char copy[128];
    for (size_t n = 0; n <= strlen(text); n++) {
        Tree *tree;
        Err err = { "" };
        const Status status = tree_parse_yaml(&tree, "f", text, n, &err);
        assert_int_equal(status == OK, tree != NULL);
        assert_int_equal(status == OK, err.text[0] == 0);
        tree_close(tree);
        for (int byte = 1; n < strlen(text) && byte < 256; byte += 6) {
            strcpy(copy, text);
            copy[n] = (char)byte;
            Err why = { "" };
            if (tree_parse_yaml(&tree, "f", copy, strlen(copy), &why)) assert_true(why.text[0]);
            tree_close(tree);
        }
    }
}

static void files(void **state)
{
    (void)state;
    Tree *tree;
    Err err;
    assert_int_equal(tree_open_yaml(&tree, "no/such/file.yaml", &err), BAD_INPUT);
    assert_string_equal(err.text, "no/such/file.yaml: No such file or directory");
    assert_null(tree);
}

static void all_complaints_in_one_go(void **state)
{
    (void)state;
    static const char *const known[] = { "sweep", "fixed", NULL };
    Complaints c = { 0 };
    Tree *tree = parsed("swep: 1\nfixed: 2\nnothing_like_it: 3\n");
    complain_unknown_keys(&c, tree, tree_root(tree), known);
    complain(&c, tree, node_get(tree_root(tree), "fixed"), "%d is %s", 2, "too much");
    assert_int_equal(c.count, 3);
    assert_string_equal(c.text,
                        "f.yaml:1:1: unknown key 'swep'; did you mean 'sweep'?\n"
                        "f.yaml:3:1: unknown key 'nothing_like_it'; known here: sweep, fixed\n"
                        "f.yaml:2:8: 2 is too much\n");
    complaints_free(&c);
    assert_null(c.text);
    tree_close(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_know_their_place), cmocka_unit_test(many_items),
        cmocka_unit_test(words_stay_words),       cmocka_unit_test(what_is_refused),
        cmocka_unit_test(long_maps),              cmocka_unit_test(complaints_are_counted),
        cmocka_unit_test(depth),                  cmocka_unit_test(any_prefix_and_any_byte),
        cmocka_unit_test(files),                  cmocka_unit_test(all_complaints_in_one_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
