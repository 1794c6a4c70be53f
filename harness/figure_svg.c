/* SPDX-License-Identifier: Apache-2.0 */
/* The only file that calls gnuplot, and what its SVG lacks: a title and a description for readers
 * who listen, the query and the hash of the rows, colours for dark pages, and the way to the
 * note. */
#include "figure_draw.h"
#include "file.h"
#include "markdown.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* ---- gnuplot -------------------------------------------------------------------------------- */

static Status spawn_gnuplot(const char *const *argv, int errors, pid_t *child, Err *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, errors, 1);
    posix_spawn_file_actions_adddup2(&actions, errors, 2);
    const int rc = posix_spawnp(child, "gnuplot", &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (rc == ENOENT)
        return fail(err, UNSUPPORTED,
                    "figures are drawn by gnuplot, which is not installed: apt-get install "
                    "gnuplot-nox");
    return rc ? fail(err, IO_FAILED, "gnuplot does not start: %s", strerror(rc)) : OK;
}

/* The last line that gnuplot wrote says what was wrong. */
static void last_words(FILE *errors, char *out, size_t size)
{
    char line[300];
    *out = '\0';
    rewind(errors);
    while (fgets(line, sizeof line, errors))
        if (strspn(line, " \t\n^") != strlen(line))
            snprintf(out, size, "%.*s", (int)strcspn(line, "\n"), line);
}

static Status wait_for(pid_t child, FILE *errors, Err *err)
{
    int how = 0;
    char words[300];
    while (waitpid(child, &how, 0) < 0)
        if (errno != EINTR)
            return fail(err, IO_FAILED, "gnuplot was lost: %s", strerror(errno));
    if (WIFEXITED(how) && WEXITSTATUS(how) == 0)
        return OK;
    last_words(errors, words, sizeof words);
    return fail(err, IO_FAILED, "gnuplot gave up: %s", *words ? words : "no reason given");
}

Status figure_gnuplot(const char *folder, const char *const *gp, int count, Err *err)
{
    pid_t child = -1;
    const int here = open(".", O_RDONLY | O_DIRECTORY);
    FILE *errors = tmpfile();
    const char **argv = calloc((size_t)count + 2, sizeof *argv);
    Status status = OK;
    if (here < 0 || !errors || !argv) {
        status = fail(err, IO_FAILED, "no room to start gnuplot: %s", strerror(errno));
        goto done;
    }
    argv[0] = "gnuplot";
    for (int i = 0; i < count; i++)
        argv[1 + i] = gp[i];
    /* posix_spawn of this POSIX cannot change the child's folder, so we go there and come back. */
    if (chdir(folder)) {
        status = fail(err, IO_FAILED, "%s: %s", folder, strerror(errno));
        goto done;
    }
    status = spawn_gnuplot(argv, fileno(errors), &child, err);
    if (fchdir(here) && !status)
        status = fail(err, IO_FAILED, "cannot return from %s: %s", folder, strerror(errno));
    if (child > 0) {
        const Status ended = wait_for(child, errors, status ? NULL : err);
        status = status ? status : ended;
    }
done:
    free(argv);
    if (errors)
        fclose(errors);
    if (here >= 0)
        close(here);
    return status;
}

/* ---- the finished SVG ----------------------------------------------------------------------- */

/* gnuplot writes one colour in three ways. */
static void put_dark_rule(FILE *out, const char *light, const char *dark)
{
    unsigned r = 0, g = 0, b = 0;
    sscanf(light, "#%2x%2x%2x", &r, &g, &b);
    fprintf(out,
            "  [stroke='rgb(%3u, %3u, %3u)'] { stroke: %s } [fill='rgb(%3u, %3u, %3u)'], "
            "[fill='rgb(%u,%u,%u)'] { fill: %s } [color='rgb(%3u, %3u, %3u)'] { color: %s }\n",
            r, g, b, dark, r, g, b, r, g, b, dark, r, g, b, dark);
}

static void put_style(FILE *out)
{
    fputs("<style>\n  .paper { fill: #ffffff } a:hover text { text-decoration: underline }\n  "
          "@media (prefers-color-scheme: dark) {\n"
          "  .paper { fill: #0d1117 }\n"
          "  [color='black'] { color: #e6edf3 } [stroke='black'] { stroke: #e6edf3 } "
          "[fill='black'] { fill: #e6edf3 }\n",
          out);
    for (int i = 0; i < COLOURS; i++)
        put_dark_rule(out, palette_light[i], palette_dark[i]);
    put_dark_rule(out, GREY_LIGHT, GREY_DARK);
    put_dark_rule(out, FAINT_LIGHT, FAINT_DARK);
    fputs("  }\n</style>\n", out);
}

static void put_head(FILE *out, const Figure *f)
{
    fputs("<title>", out);
    html_escape(out, f->title);
    fputs("</title>\n<desc>", out);
    html_escape(out, f->y_label);
    fputs(f->kind == FIGURE_BARS ? "" : " against ", out);
    html_escape(out, f->kind == FIGURE_BARS ? "" : f->x_label);
    fprintf(out, "; %d rows of experiment ", f->rows);
    html_escape(out, f->experiment);
    fputs("</desc>\n<metadata>\n<attest:figure xmlns:attest=\"urn:attest\">\n<attest:name>", out);
    html_escape(out, f->name);
    fputs("</attest:name>\n<attest:query>", out);
    html_escape(out, f->query);
    fputs("</attest:query>\n<attest:paper-query>", out);
    html_escape(out, f->paper_query);
    fprintf(out,
            "</attest:paper-query>\n<attest:rows sha256=\"%s\" "
            "count=\"%d\"/>\n</attest:figure>\n</metadata>\n",
            f->rows_hash, f->rows);
    put_style(out);
    fputs("<rect class='paper' width='100%' height='100%'/>\n", out);
}

/* At the lower right: where it is explained. */
static void put_link(FILE *out, const char *svg, const char *url)
{
    double width = 0, height = 0;
    const char *box = strstr(svg, "viewBox=\"0 0 ");
    if (box)
        sscanf(box, "viewBox=\"0 0 %lf %lf", &width, &height);
    fputs("<a href=\"", out);
    html_escape(out, url);
    fprintf(out,
            "\" target=\"_top\"><text x=\"%.0f\" y=\"%.0f\" text-anchor=\"end\" "
            "font-family=\"sans-serif\" "
            "font-size=\"11\" fill='rgb(0,114,178)'>explained in the notes</text></a>\n",
            width - 12, height - 8);
}

/* gnuplot takes the weight for a part of the family's name. */
static void put_body(FILE *out, const char *at, const char *end)
{
    static const char wrong[] = "font-family=\"sans-serif:Bold\"",
                      right[] = "font-family=\"sans-serif\" font-weight=\"bold\"";
    for (const char *found; (found = strstr(at, wrong)) && found < end;
         at = found + sizeof wrong - 1) {
        fwrite(at, 1, (size_t)(found - at), out);
        fputs(right, out);
    }
    fwrite(at, 1, (size_t)(end - at), out);
}

static void put_finished(FILE *out, const char *svg, const Figure *f, const char *note_url)
{
    const char *head = strstr(svg, "<title>"), *body = strstr(svg, "</desc>"),
               *end = strstr(svg, "</svg>");
    if (!head || !body || !end) {
        fputs(svg, out);
        return;
    }
    fwrite(svg, 1, (size_t)(head - svg), out);
    put_head(out, f);
    put_body(out, body + strlen("</desc>"), end);
    if (note_url)
        put_link(out, svg, note_url);
    fputs(end, out);
}

Status figure_finish_svg(const char *path, const Figure *f, const char *note_url, Err *err)
{
    size_t size = 0, finished_size = 0;
    char *svg = file_read(path, &size), *finished = NULL;
    if (!svg)
        return fail(err, IO_FAILED, "%s: gnuplot left no picture there", path);
    FILE *out = open_memstream(&finished, &finished_size);
    if (out)
        put_finished(out, svg, f, note_url);
    const int whole = out && file_close(out);
    free(svg);
    if (!whole) {
        free(finished);
        return fail(err, NO_MEMORY, "%s: no memory to finish it", path);
    }
    const Status status = file_write(path, finished, finished_size, err);
    free(finished);
    return status;
}
