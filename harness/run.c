/* SPDX-License-Identifier: Apache-2.0 */
/* From the user's words to a plan, and from the plan to the loop. */
#include "run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    char **path;
    int    paths;
    Spec  *spec;
    int    specs;              /* opened, with or without success */
    Plan   plan;
} Opened;

static void close_all(Opened *o)
{
    plan_close(&o->plan);
    for (int i = 0; i < o->specs; i++) spec_close(&o->spec[i]);
    free(o->spec);
    spec_paths_free(o->path, o->paths);
}

/* Reads every spec before it gives up, so that all complaints come in one go. */
static Status open_specs(Opened *o, const RunRequest *request, Err *err)
{
    Complaints complaints = { 0 };
    Status worst = OK;
    Status status = spec_paths(request->experiment, request->experiments, &o->path, &o->paths, err);
    if (status) return status;
    o->spec = calloc((size_t)o->paths, sizeof *o->spec);
    if (!o->spec) return fail(err, NO_MEMORY, "no memory for %d experiments", o->paths);
    for (; o->specs < o->paths; o->specs++) {
        Err why;
        status =
            spec_open(&o->spec[o->specs], o->path[o->specs], request->profile, &complaints, &why);
        if (status && complaints.count == 0) { o->specs++; *err = why; return status; }
        if (status) worst = status;
    }
    if (complaints.text) fputs(complaints.text, stderr);
    if (worst)
        fail(err, worst, "%d complaint%s; nothing was run", complaints.count,
             complaints.count == 1 ? "" : "s");
    complaints_free(&complaints);
    return worst;
}

/* A dry run reads a database if there is one, and makes none. */
static Status look_up(const Call *call, const RunRequest *request, Plan *plan, Db **db, Err *err)
{
    Facts identity;
    Err none;
    *db = NULL;
    Status status = db_open(db, call->db_path, request->dry_run ? DB_READ : DB_WRITE,
                            request->dry_run ? &none : err);
    if (status && request->dry_run) {
        if (!access(call->db_path, F_OK))
            call_remark(call, "%s; nothing is taken as known", none.text);
        return OK;
    }
    if (status) return status;
    if (db_notice(*db)) call_remark(call, "%s", db_notice(*db));
    if (request->fresh) return OK;
    machine_identity(&identity);
    return plan_look_up(plan, *db, db_machine_id(&identity), err);
}

static void command_text(const RunRequest *request, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "run");
    for (int i = 0; i < request->experiments && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, " %s", request->experiment[i]);
    if (used < size) snprintf(out + used, size - used, " --profile %s", request->profile);
}

static Status measure_all(const Call *call, const RunRequest *request, Plan *plan, Db *db,
                          RunSummary *summary, Err *err)
{
    char command[512];
    command_text(request, command, sizeof command);
    const Status status = run_plan(call, request, plan, db, command, summary, err);
    if (!status) run_print_summary(call, plan, summary);
    return status;
}

int run_experiments(const Call *call, const RunRequest *request)
{
    Err err = { "" };
    Db *db = NULL;
    Opened o = { 0 };
    RunSummary summary = { 0 };
    Status status = open_specs(&o, request, &err);
    if (!status) status = plan_open(&o.plan, o.spec, o.specs, request->only, &err);
    if (!status && o.plan.groups == 0 && request->only)
        status = fail(&err, BAD_INPUT, "no point matches --only '%s'", request->only);
    if (!status) status = look_up(call, request, &o.plan, &db, &err);
    if (!status && request->dry_run) run_print_plan(call, &o.plan);
    else if (!status) status = measure_all(call, request, &o.plan, db, &summary, &err);
    db_close(db);
    close_all(&o);
    if (interrupted) return EXIT_INTERRUPTED;
    if (status) return call_failed(call, status, &err);
    return summary.bad ? EXIT_WRONG : EXIT_DONE;
}
