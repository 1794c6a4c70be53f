/* SPDX-License-Identifier: Apache-2.0 */
/* attest site: every report, and a front page above them. */
#include "cli.h"
#include "site.h"

static const Option options[] = {
    { "into", 'o', "DIR", "the folder that becomes the site (default: results)", NULL },
    { "machine", 'm', "ALIAS", "tell of this machine's rows, not the present one's", NULL },
    { 0 }
};

static Status add_paper(const Call *call, Site *site, const char *id, const char *into, Err *err)
{
    Telling t;
    const Status status =
        telling_open(&t, id, call->db_path, call_option(call, "machine"), into, err);
    if (status)
        return status;
    site_add(site, &t);
    fprintf(call->out, "%s\n", t.html);
    telling_close(&t);
    return OK;
}

static int run(const Call *call)
{
    const char *into = call_option(call, "into") ? call_option(call, "into") : "results";
    char **ids = NULL, path[700];
    int count = 0;
    Site site;
    Err err;
    Status status = site_open(&site, &err);
    if (!status)
        status = papers_list(&ids, &count, &err);
    for (int i = 0; i < count && !status && !call_stopped(call); i++)
        status = add_paper(call, &site, ids[i], into, &err);
    if (!status)
        status = site_write(&site, into, path, sizeof path, &err);
    if (!status)
        fprintf(call->out, "%s\n", path);
    papers_free(ids, count);
    site_close(&site);
    return status ? call_failed(call, status, &err) : EXIT_DONE;
}

const Command command_site = {
    .name = "site",
    .arguments = "",
    .summary = "write every report and a front page above them",
    .details =
        "Does what `attest report` does for every paper, and writes DIR/index.html: the papers "
        "with their tallies, and the guide's entries with the right record and what was wrong.\n"
        "DIR is then a static folder that can be served or opened as it is: it loads nothing from "
        "elsewhere and runs nothing. Prints the paths of the pages.",
    .option = options,
    .least = 0,
    .most = 0,
    .run = run,
};
