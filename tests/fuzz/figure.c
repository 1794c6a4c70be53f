/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of `figures:`, drawn from a small database: whatever their texts are, gnuplot gets
 * nothing but the statements that we write. */
#include "../../harness/figure.h"
#include "fuzz.h"

#include <ctype.h>

/* Every word that may stand at the start of a statement. */
static int is_ours(const char *word, size_t length)
{
    static const char *const ours[] = { "set", "unset", "plot", "reset", "do", "if", "face", "grey",
                                        "faint", "reference", "}", NULL };
    for (int i = 0; ours[i]; i++)
        if (strlen(ours[i]) == length && !memcmp(ours[i], word, length)) return 1;
    return 0;
}

/* Behind a text in single quotes. */
static const char *behind_text(const char *at, const char *end)
{
    for (at++; at < end && *at != '\''; at++) { }
    require(at < end);
    return at + 1;
}

/* One line, without its end. What runs a program is a backquote, system, a pipe or "!". */
static void check_line(const char *line, const char *end)
{
    const char *word = line + strspn(line, " ");
    size_t length = *word == '}';
    if (*word == '#') { require(end[-1] != '\\'); return; }
    while (word + length < end && isalpha((unsigned char)word[length])) length++;
    const int goes_on = strchr("$-.0123456789", *word) != NULL;     /* a plot's data or line */
    require(word >= end || goes_on || is_ours(word, length));
    for (const char *at = word; at < end;) {
        if (*at == '\'') { at = behind_text(at, end); continue; }
        require(*at != '`' && *at != '!' && *at != ';' && *at != '\n');
        require(strncmp(at, "system", 6) && strncmp(at, "shell", 5) && strncmp(at, "load", 4));
        at++;
    }
}

static void check_plot(const char *text)
{
    int in_data = 0;
    for (const char *line = text, *end; *line; line = end + (*end == '\n')) {
        end = line + strcspn(line, "\n");
        if (!in_data) check_line(line, end);
        if (in_data)
            require(strspn(line, "-+.e0123456789 ") == (size_t)(end - line) ||
                    !strncmp(line, "END\n", 4));
        if (end - line > 6 && !strncmp(end - 6, "<< END", 6)) in_data = 1;
        else if (!strncmp(line, "END\n", 4)) in_data = 0;
    }
}

static void draw(const Node *entry, Db *db)
{
    Figure figure;
    char *text = NULL;
    size_t size = 0;
    Err err = { "" };
    if (figure_open(&figure, entry, "fuzz/spec", NULL, db, &err)) { require(err.text[0]); return; }
    FILE *out = open_memstream(&text, &size);
    require(out);
    figure_plot(out, &figure, figure.name);
    fflush(out);
    require(strlen(text) == size);
    check_plot(text);
    figure_table(out, &figure);
    fclose(out);
    free(text);
    figure_close(&figure);
}

static void check_and_draw(const Tree *tree, const Node *entry, Db *db)
{
    Complaints complaints = { 0 };
    figure_check(tree, entry, &complaints);
    if (!complaints.count) draw(entry, db);
    complaints_free(&complaints);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[512];
    Tree *tree = NULL;
    Db *db = NULL;
    Err err = { "" };
    if (!*path) strcpy(path, fuzz_database("attest.db"));
    if (tree_parse_yaml(&tree, "figures.yaml", (const char *)data, size, &err)) {
        require(err.text[0]);
        return 0;
    }
    require(db_open(&db, path, DB_READ, &err) == OK);
    const Node *root = tree_root(tree);
    if (root->kind == NODE_LIST)
        for (int i = 0; i < root->count && i < 8; i++) check_and_draw(tree, root->item[i], db);
    else check_and_draw(tree, root, db);
    db_close(db);
    tree_close(tree);
    return 0;
}
