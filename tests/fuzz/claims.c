/* SPDX-License-Identifier: Apache-2.0 */
/* A paper's claims.yaml, judged on a small database: evidence is anybody's SQL, so neither the file
 * nor the folder may be another one afterwards. */
#include "../../harness/file.h"
#include "../../harness/verdicts.h"
#include "fuzz.h"

static const char record[] = "id: fuzz\ntitle: A paper\nexperiments: [fuzz/spec]\n"
                             "series:\n  - {paper: theirs, ours: flash_attention/online}\n";

static char *database;
static size_t database_size;

static void prepare(void)
{
    Err err;
    char folder[512];
    snprintf(folder, sizeof folder, "%s/papers/fuzz", fuzz_folder());
    require(folder_make(folder, &err) == OK);
    fuzz_file("papers/fuzz/paper.yaml", record, sizeof record - 1);
    database = file_read(fuzz_database("attest.db"), &database_size);
    require(database);
}

static void judge(void)
{
    Paper paper;
    Judgements judgements;
    Err err = { "" };
    Db *db = NULL;
    char alias[80], tally[300];
    int64_t machine = 0;
    if (paper_open(&paper, "fuzz", &err)) { require(err.text[0]); return; }
    require(db_open(&db, "attest.db", DB_READ, &err) == OK);
    require(judge_machine(db, NULL, &machine, alias, sizeof alias, &err) == OK);
    db_close(db);
    if (judge_paper(&judgements, &paper, "attest.db", machine, &err)) require(err.text[0]);
    else {
        verdicts_tally(&judgements, tally, sizeof tally);
        judgements_free(&judgements);
    }
    paper_close(&paper);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t after_size = 0;
    const int home = open(".", O_RDONLY | O_DIRECTORY);
    if (!database) prepare();
    fuzz_file("papers/fuzz/claims.yaml", data, size);
    const int entries = fuzz_entries(fuzz_folder());
    require(chdir(fuzz_folder()) == 0);
    judge();
    char *after = file_read("attest.db", &after_size);
    require(fuzz_entries(".") == entries);
    require(after && after_size == database_size && !memcmp(after, database, after_size));
    free(after);
    require(fchdir(home) == 0);
    close(home);
    return 0;
}
