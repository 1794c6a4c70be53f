#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Who may include whom. Includes point down:
#
#   kernels/core  <-  kernels/METHOD (its own folder and core)
#   kernels/core  <-  harness (never a method)  <-  tests
#
# In the harness the half that measures and the half that tells meet at the database only. A foreign
# library is known to the files named here, and to no other.
find kernels harness tests -name '*.[ch]' -exec grep -H '^ *# *include' {} + |
sed -n 's/^\([^:]*\):.*include *\([<"]\)\([^>"]*\).*/\1 \2 \3/p' |
awk '
BEGIN {
    foreign["sqlite3.h"]          = "harness/db_sqlite.h harness/sql_functions.c"
    foreign["yaml.h"]             = "harness/tree_yaml.c"
    foreign["jansson.h"]          = "harness/tree_json.c"
    foreign["md4c-html.h"]        = "harness/markdown.c"
    foreign["hwloc.h"]            = "harness/topology.c"
    foreign["cblas.h"]            = "kernels/core/blas.c"
    foreign["linux/perf_event.h"] = "harness/machine.c"
    foreign["immintrin.h"]        = "kernels/core/simd_avx2.h kernels/core/simd_avx512.h"
    foreign["arm_neon.h"]         = "kernels/core/simd_neon.h"
    foreign["cmocka.h"]           = "tests/unit/"
    # The C library and the system.
    n = split("assert ctype errno fcntl float inttypes limits math setjmp signal stdarg stdatomic " \
        "stdbool stddef stdint stdio stdlib string strings time dirent dlfcn fnmatch ftw glob libgen malloc poll " \
        "pthread sched semaphore spawn termios unistd sys/auxv sys/file sys/ioctl sys/mman " \
        "sys/prctl sys/random sys/resource sys/select sys/socket sys/stat sys/statvfs sys/syscall " \
        "sys/sysinfo sys/time sys/times sys/types sys/un sys/utsname sys/vfs sys/wait", word, " ")
    for (i = 1; i <= n; i++) system_header[word[i] ".h"] = 1
    tells = "^harness/(judge|told|telling|verdicts|figure|figures|report|page|paper)(_[a-z]+)?[.][ch]$"
    measures = "^harness/(bind|bench|beside|measure|worker|epoch|shared|instrument|check|pool|golden|spec|plan)[.]h$"
}
function folder(path) { sub("/[^/]*$", "", path); return path }
function resolve(path) {
    while (path ~ "/[^/.]+/[.][.]/") sub("/[^/.]+/[.][.]/", "/", path)
    sub("^[^/.]+/[.][.]/", "", path)
    gsub("/[.]/", "/", path)
    return path
}
function layer(path) {
    if (path ~ "^kernels/core/") return 1
    if (path ~ "^kernels/") return 2
    if (path ~ "^harness/") return 3
    return path ~ "^tests/" ? 4 : 9
}
function complain(text) { print text; bad = 1 }
function own(from, to) {
    if (layer(to) > layer(from)) complain(from " must not include " to ": it lies above")
    if (layer(to) == 2 && layer(from) != 4 && folder(to) != folder(from))
        complain(from " reaches into another folder: " to)
    if (from ~ tells && to ~ measures)
        complain(from " tells what was measured, so it must not include " to)
}
function alien(from, header,    may, n, i) {
    if (header in system_header) return
    n = split(foreign[header], may, " ")
    for (i = 1; i <= n; i++) if (index(from, may[i]) == 1) return
    complain(from " includes <" header ">, which " (n ? "only " foreign[header] : "no file") " may")
}
$2 == "\"" { own($1, resolve(folder($1) "/" $3)) }
$2 == "<"  { alien($1, $3) }
END { exit bad }'
