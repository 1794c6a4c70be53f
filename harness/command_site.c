/* SPDX-License-Identifier: Apache-2.0 */
/* attest site: every report, method and machine as pages, and a front page above them. */
#include "cli.h"
#include "site.h"

static const Option options[] = {
    { "into", 'o', "DIR", "the folder that becomes the site (default: results)", NULL },
    { "machine", 'm', "ALIAS", "tell of this machine's rows, not the present one's", NULL },
    { 0 }
};

static Status add_paper(const Call *call, Site *site, const char *id, Err *err)
{
    Telling t;
    const TellingOf of = { .db_path = call->db_path, .machine = call_option(call, "machine"),
                           .into = site->into, .in_site = 1 };
    const Status status = telling_open(&t, id, &of, err);
    if (status)
        return status;
    site_add(site, &t);
    fprintf(call->out, "%s\n", t.html);
    telling_close(&t);
    return OK;
}

/* The file is made where there is none: a site without rows says so. */
static Status make_database(const Call *call, Err *err)
{
    Db *db = NULL;
    const Status status = db_open(&db, call->db_path, DB_WRITE, err);
    db_close(db);
    return status;
}

static Status write_site(const Call *call, Site *site, Err *err)
{
    char **ids = NULL;
    int count = 0;
    Status status = papers_list(&ids, &count, err);
    for (int i = 0; i < count && !status && !call_stopped(call); i++)
        status = add_paper(call, site, ids[i], err);
    papers_free(ids, count);
    if (call_stopped(call))
        return status;
    if (!status)
        status = site_methods(site, call->out, err);
    if (!status)
        status = site_machines(site, call->out, err);
    return status ? status : site_index(site, call->out, err);
}

static int run(const Call *call)
{
    const char *into = call_option(call, "into") ? call_option(call, "into") : "results";
    Site site;
    Err err;
    Status status = make_database(call, &err);
    if (!status)
        status = site_open(&site, into, call->db_path, &err);
    if (!status) {
        status = write_site(call, &site, &err);
        site_close(&site);
    }
    return status ? call_failed(call, status, &err) : EXIT_DONE;
}

const Command command_site = {
    .name = "site",
    .arguments = "",
    .summary = "write all reports, methods and machines as one static folder",
    .details =
        "Does what `attest report` does for every paper; writes a page for every method (what its "
        "descriptors say, how close to its limit it was measured) and for every machine; and "
        "above them DIR/index.html: the papers with their tallies, every claim by verdict and "
        "kind, and the guide's entries with the right record and what was wrong.\n"
        "DIR is then a static folder that can be served or opened as it is: it loads nothing from "
        "elsewhere, and is complete where scripts are off. Prints the paths of the pages.",
    .option = options,
    .least = 0,
    .most = 0,
    .run = run,
};
