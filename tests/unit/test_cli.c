/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines, help and JSON as text. */
#include "../../harness/cli.h"
#include "page.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int never(const Call *call) { (void)call; return EXIT_WRONG; }

static const Option options[] = {
    { "profile", 'p', "NAME", "how much", "smoke|quick|paper" },
    { "against", 'a', "POINT", "another", NULL },
    { "fresh", 'f', NULL, "anew", NULL },
    { "number", 'n', "N", "a number", NULL },
    { 0 }
};

static const Command command = {
    .name = "try", .arguments = "POINT [POINT]", .summary = "a command for tests",
    .details = "One paragraph.\n\n  as it is", .option = options, .least = 1, .most = 2,
    .run = never,
};

typedef struct { Call call; Err err; Status status; char *argv[16]; char text[256]; } Line;

/* Words are separated by single blanks. */
static void read_line(Line *l, const char *text)
{
    int argc = 0;
    char *save = NULL;
    snprintf(l->text, sizeof l->text, "%s", text);
    for (char *w = strtok_r(l->text, " ", &save); w; w = strtok_r(NULL, " ", &save))
        l->argv[argc++] = w;
    l->err.text[0] = 0;
    l->status = call_open(&l->call, &command, argc, l->argv, &l->err);
}

static void options_in_every_form(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "x --profile quick --fresh --number 5 -q", "--profile=quick -f x -n5 --quiet",
        "-p quick -fqn 5 x", "-pquick -f -q -n 5 -- x",
    };
    for (int i = 0; i < 4; i++) {
        Line l;
        long long number;
        read_line(&l, lines[i]);
        assert_int_equal(l.status, OK);
        assert_int_equal(l.call.argc, 1);
        assert_string_equal(l.call.argv[0], "x");
        assert_string_equal(call_option(&l.call, "profile"), "quick");
        assert_string_equal(call_option(&l.call, "fresh"), "");
        assert_null(call_option(&l.call, "against"));
        assert_int_equal(l.call.quiet, 1);
        assert_int_equal(l.call.json, 0);
        assert_int_equal(call_integer(&l.call, "number", 0, 1, 9, &number, NULL), OK);
        assert_int_equal(number, 5);
        call_close(&l.call);
    }
}

static void repeated_options(void **state)
{
    (void)state;
    const char *values[2];
    Line l;
    read_line(&l, "a --against b -a c -ad");
    assert_int_equal(l.status, OK);
    assert_int_equal(call_options(&l.call, "against", values, 2), 3);
    assert_string_equal(values[0], "b");
    assert_string_equal(values[1], "c");
    assert_string_equal(call_option(&l.call, "against"), "d");     /* the last one counts */
    call_close(&l.call);
}

/* Words with blanks in them, which read_line cannot give. */
static void an_argument_may_begin_with_dashes(void **state)
{
    (void)state;
    static const char *const words[] = {
        "-- a comment\nSELECT 1", "--comment\nSELECT 1 = 1", "--\tSELECT", "--fresh\nSELECT",
    };
    for (int i = 0; i < 4; i++) {
        Line l;
        char *argv[] = { (char *)words[i], (char *)"--against=a b", (char *)"-ab c", NULL };
        assert_int_equal(call_open(&l.call, &command, 3, argv, &l.err), OK);
        assert_int_equal(l.call.argc, 1);
        assert_string_equal(l.call.argv[0], words[i]);
        assert_null(call_option(&l.call, "fresh"));
        assert_int_equal(l.call.options, 2);
        assert_string_equal(l.call.option_value[0], "a b");
        assert_string_equal(l.call.option_value[1], "b c");
        call_close(&l.call);
    }
    Line l;
    read_line(&l, "-- --fresh -q");                        /* behind "--" all are arguments */
    assert_int_equal(l.status, OK);
    assert_int_equal(l.call.argc, 2);
    assert_string_equal(l.call.argv[0], "--fresh");
    call_close(&l.call);
}

static void refused(const char *text, const char *sentence)
{
    Line l;
    read_line(&l, text);
    assert_int_equal(l.status, BAD_INPUT);
    if (!strstr(l.err.text, sentence))
        fail_msg("'%s': '%s' lacks '%s'", text, l.err.text, sentence);
    call_close(&l.call);
}

static void wrong_lines_get_a_sentence(void **state)
{
    (void)state;
    refused("x --profil quick", "did you mean --profile");
    refused("x --jsn", "did you mean --json");
    refused("x --nothing-like-it", "'attest try --help' lists them");
    refused("x --profile slow", "--profile is one of smoke|quick|paper, not 'slow'");
    refused("x --profile=", "not ''");
    refused("x --profile", "--profile needs a value: --profile NAME");
    refused("x --fresh=1", "--fresh takes no value");
    refused("x -z", "there is no option -z");
    refused("", "an argument is missing; usage: attest try POINT [POINT]");
    refused("a b c", "'c' is one argument too many");
}

static void numbers_within_a_range(void **state)
{
    (void)state;
    Line l;
    long long n;
    read_line(&l, "x -n 12");
    assert_int_equal(call_integer(&l.call, "number", 0, 1, 9, &n, &l.err), BAD_INPUT);
    assert_non_null(strstr(l.err.text, "--number=12 is outside 1..9"));
    call_close(&l.call);
    read_line(&l, "x -n 1x");
    assert_int_equal(call_integer(&l.call, "number", 0, 1, 9, &n, &l.err), BAD_INPUT);
    call_close(&l.call);
    read_line(&l, "x");
    assert_int_equal(call_integer(&l.call, "number", 7, 1, 9, &n, &l.err), OK);
    assert_int_equal(n, 7);
    call_close(&l.call);
}

static void help_needs_no_arguments(void **state)
{
    (void)state;
    Line l;
    read_line(&l, "--help");
    assert_int_equal(l.status, OK);
    assert_int_equal(l.call.help, 1);
    call_close(&l.call);
}

static void the_database(void **state)
{
    (void)state;
    Line l;
    unsetenv("ATTEST_DB");
    read_line(&l, "x");
    assert_string_equal(l.call.db_path, "results/attest.db");
    call_close(&l.call);
    setenv("ATTEST_DB", "e.db", 1);
    read_line(&l, "x");
    assert_string_equal(l.call.db_path, "e.db");
    call_close(&l.call);
    read_line(&l, "x --db o.db");
    assert_string_equal(l.call.db_path, "o.db");
    call_close(&l.call);
    unsetenv("ATTEST_DB");
}

/* stdout and stderr of `attest ... >file 2>&1`. */
static void remarks_come_behind_what_was_printed(void **state)
{
    (void)state;
    char text[200] = "";
    FILE *both = tmpfile(), *out = both ? fdopen(dup(fileno(both)), "w") : NULL;
    const int stderr_before = dup(STDERR_FILENO);
    assert_non_null(out);
    assert_true(dup2(fileno(both), STDERR_FILENO) >= 0);
    Call call = { .command = &command, .out = out };
    fputs("a table\n", out);
    call_remark(&call, "%d of %d", 1, 2);
    call.quiet = 1;
    call_remark(&call, "not asked for");
    fputs("the end\n", out);
    fclose(out);
    dup2(stderr_before, STDERR_FILENO);
    close(stderr_before);
    rewind(both);
    text[fread(text, 1, sizeof text - 1, both)] = 0;
    fclose(both);
    assert_string_equal(text, "a table\nattest try: 1 of 2\nthe end\n");
}

/* ---- what is printed ----------------------------------------------------------------------- */

static void help_is_laid_out(void **state)
{
    (void)state;
    Page p;
    command_help(page_open(&p), &command);
    page_is(&p, "attest try: a command for tests\n\n"
                "usage: attest try POINT [POINT] [options]\n\n"
                "One paragraph.\n\n  as it is\n\n"
                "options\n"
                "  -p, --profile smoke|quick|paper\n"
                "                       how much\n"
                "  -a, --against POINT  another\n"
                "  -f, --fresh          anew\n"
                "  -n, --number N       a number\n"
                "      --db FILE        the database (default: $ATTEST_DB, or results/attest.db)\n"
                "      --json           print JSON\n"
                "  -q, --quiet          no progress and no remarks\n"
                "  -h, --help           this text\n");
}

static void json_of_every_kind(void **state)
{
    (void)state;
    Page p;
    Json j;
    json_open(&j, page_open(&p));
    json_object(&j, NULL);
    json_text(&j, "text", "a\"\\\n\x01\xff é");
    json_text(&j, "none", NULL);
    json_number(&j, "tenth", 0.1);
    json_number(&j, "nan", NAN);
    json_integer(&j, "most", INT64_MAX);
    json_bool(&j, "yes", 1);
    json_array(&j, "list");
    json_integer(&j, NULL, 1);
    json_object(&j, NULL);
    json_array(&j, "empty");
    json_close(&j);
    json_close(&j);
    json_close(&j);
    json_close(&j);
    page_is(&p, "{\n  \"text\": \"a\\\"\\\\\\n\\u0001\\ufffd é\",\n  \"none\": null,\n"
                "  \"tenth\": 0.1,\n  \"nan\": null,\n  \"most\": 9223372036854775807,\n"
                "  \"yes\": true,\n  \"list\": [\n    1,\n    {\"empty\": []}\n  ]\n}\n");
}

static void numbers_survive_json(void **state)
{
    (void)state;
    static const double values[] = { 1.0 / 3, 1e-300, DBL_MAX, DBL_TRUE_MIN, -0.3, 123456789 };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        Page p;
        Json j;
        json_open(&j, page_open(&p));
        json_array(&j, NULL);
        json_number(&j, NULL, values[i]);
        json_close(&j);
        fclose(p.file);
        assert_true(strtod(p.text + 1, NULL) == values[i]);
        free(p.text);
    }
}

static void widths_on_the_screen(void **state)
{
    (void)state;
    assert_int_equal(text_width("abc"), 3);
    assert_int_equal(text_width("é"), 1);
    assert_int_equal(text_width("中文"), 4);
    assert_int_equal(text_width("e\xcc\x81"), 1);      /* a combining accent */
    assert_int_equal(text_width("\xff\xfe"), 2);       /* no UTF-8: bytes */
    assert_int_equal(text_width(""), 0);
}

static void no_colours_in_files(void **state)
{
    (void)state;
    Page p;
    assert_string_equal(paint(page_open(&p), "1"), "");
    assert_int_equal(terminal_width(p.file), 0);
    page_is(&p, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_in_every_form),
        cmocka_unit_test(repeated_options),
        cmocka_unit_test(an_argument_may_begin_with_dashes),
        cmocka_unit_test(wrong_lines_get_a_sentence),
        cmocka_unit_test(numbers_within_a_range),
        cmocka_unit_test(help_needs_no_arguments),
        cmocka_unit_test(the_database),
        cmocka_unit_test(remarks_come_behind_what_was_printed),
        cmocka_unit_test(help_is_laid_out),
        cmocka_unit_test(json_of_every_kind),
        cmocka_unit_test(numbers_survive_json),
        cmocka_unit_test(widths_on_the_screen),
        cmocka_unit_test(no_colours_in_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
