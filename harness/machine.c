/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the machine and about its present state. Everything is read from stable interfaces of
 * Linux; what is not there becomes a reason, never a guess. */
#define _GNU_SOURCE
#include "machine.h"

#include "../kernels/core/backend.h"

#include <ctype.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

/* ---- lists of facts ------------------------------------------------------------------ */

static Fact *add(Facts *f, const char *name)
{
    require(f->count < FACTS_MAX);
    Fact *fact = &f->fact[f->count++];
    *fact = (Fact){ .name = name };
    return fact;
}

static void known(Facts *f, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void known(Facts *f, const char *name, const char *format, ...)
{
    Fact *fact = add(f, name);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fact->value, sizeof fact->value, format, arguments);
    va_end(arguments);
    require(*fact->value);
}

static void unavailable(Facts *f, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void unavailable(Facts *f, const char *name, const char *format, ...)
{
    Fact *fact = add(f, name);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fact->reason, sizeof fact->reason, format, arguments);
    va_end(arguments);
}

const Fact *fact_find(const Facts *facts, const char *name)
{
    for (int i = 0; i < facts->count; i++)
        if (!strcmp(facts->fact[i].name, name)) return &facts->fact[i];
    return NULL;
}

/* ---- small files --------------------------------------------------------------------- */

/* The first `size` - 1 bytes of a file, without the last newline; 0 if it cannot be read. */
static int slurp(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    const size_t n = fread(out, 1, size - 1, f);
    fclose(f);
    out[n] = 0;
    if (n && out[n - 1] == '\n') out[n - 1] = 0;
    return n > 0;
}

/* The value of "key : value" in text, up to the end of the line; 0 if there is no such line. */
static int line_value(const char *text, const char *key, char *out, size_t size)
{
    const size_t length = strlen(key);
    for (const char *at = text; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
        if (strncmp(at, key, length)) continue;
        const char *colon = at + length + strspn(at + length, " \t");
        if (*colon != ':') continue;
        colon += 1 + strspn(colon + 1, " \t");
        snprintf(out, size, "%.*s", (int)strcspn(colon, "\n"), colon);
        return *out != 0;
    }
    return 0;
}

/* ---- identity ------------------------------------------------------------------------ */

static void add_line(Facts *f, const char *name, const char *text, const char *x86_key,
                     const char *arm_key)
{
    char value[160];
    const int found = line_value(text, x86_key, value, sizeof value) ||
                      line_value(text, arm_key, value, sizeof value);
    known(f, name, "%s", found ? value : "unknown");
}

/* Flags that decide which code can run; the rest of the kernel's list changes with its version. */
static int decides(const char *flag, size_t length)
{
    static const char *const prefix[] = { "avx",   "fma", "f16c", "bmi",  "amx",  "sse4",
                                          "asimd", "sve", "sme",  "bf16", "i8mm", "fphp" };
    for (size_t i = 0; i < sizeof prefix / sizeof *prefix; i++)
        if (length >= strlen(prefix[i]) && !strncmp(flag, prefix[i], strlen(prefix[i]))) return 1;
    return 0;
}

static void add_flags(Facts *f, const char *cpuinfo)
{
    const char *line = strstr(cpuinfo, "\nflags");
    if (!line) line = strstr(cpuinfo, "\nFeatures");
    line = line ? strchr(line, ':') : NULL;
    char kept[256] = "";
    size_t used = 0;
    for (const char *at = line ? line + 1 : ""; *at && *at != '\n';) {
        at += strspn(at, " \t");
        const size_t length = strcspn(at, " \n");
        if (decides(at, length) && used + length + 2 < sizeof kept)
            used += (size_t)snprintf(kept + used, sizeof kept - used, "%s%.*s", used ? " " : "",
                                     (int)length, at);
        at += length;
    }
    known(f, "cpu.flags", "%s", *kept ? kept : "none");
}

static void add_isas(Facts *f)
{
    char text[128] = "";
    for (Isa isa = ISA_PORTABLE; isa < ISA_END; isa++) {
        if (isa == ISA_COUNT || !isa_runs_here(isa)) continue;
        const size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s", used ? " " : "", isa_name(isa));
    }
    known(f, "isa", "%s", text);
}

/* Memory rounded up to a power of two GiB: firmware and kernels keep varying small parts of it. */
static int memory_class_gib(void)
{
    const double gib = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / (1 << 30);
    int size = 1;
    while (size < gib) size *= 2;
    return size;
}

void machine_identity(Facts *out)
{
    char cpuinfo[8192] = "";
    struct utsname name;
    *out = (Facts){ .count = 0 };
    (void)slurp("/proc/cpuinfo", cpuinfo, sizeof cpuinfo);
    known(out, "architecture", "%s", uname(&name) ? "unknown" : name.machine);
    add_line(out, "cpu.vendor", cpuinfo, "vendor_id", "CPU implementer");
    add_line(out, "cpu.family", cpuinfo, "cpu family", "CPU architecture");
    add_line(out, "cpu.model", cpuinfo, "model", "CPU part");
    add_line(out, "cpu.stepping", cpuinfo, "stepping", "CPU revision");
    add_line(out, "cpu.name", cpuinfo, "model name", "Hardware");
    known(out, "cores", "%d", topology()->cores);
    known(out, "cache.l1d_bytes", "%lld", (long long)topology()->cache_bytes[1]);
    known(out, "cache.l2_bytes", "%lld", (long long)topology()->cache_bytes[2]);
    known(out, "cache.l3_bytes", "%lld", (long long)topology()->cache_bytes[3]);
    add_isas(out);
    add_flags(out, cpuinfo);
    known(out, "memory.class", "%d GiB", memory_class_gib());
}

static const char *value_of(const Facts *facts, const char *name)
{
    const Fact *fact = fact_find(facts, name);
    require(fact);
    return fact->value;
}

void machine_alias(char *out, size_t size)
{
    Facts facts;
    machine_identity(&facts);
    const char *name = value_of(&facts, "cpu.name");
    if (!strcmp(name, "unknown")) name = value_of(&facts, "architecture");
    size_t used = 0;
    for (int words = 0; *name && words < 3 && used + 1 < size; name++) {
        if (isalnum((unsigned char)*name)) out[used++] = (char)tolower((unsigned char)*name);
        else if (used && out[used - 1] != '-' && ++words < 3) out[used++] = '-';
    }
    while (used && out[used - 1] == '-') used--;
    snprintf(out + used, size - used, "-%dc", topology()->cores);
}

/* ---- state: the clock ---------------------------------------------------------------- */

Clock clock_measured(void)
{
    static Clock clock;
    if (clock.cost_ns > 0) return clock;
    enum { READS = 2000 };
    const int64_t start_ns = backend_cpu.now_ns(NULL);
    int64_t last_ns = start_ns, step_ns = INT64_MAX;
    for (int i = 0; i < READS; i++) {
        const int64_t now_ns = backend_cpu.now_ns(NULL);
        if (now_ns > last_ns && now_ns - last_ns < step_ns) step_ns = now_ns - last_ns;
        last_ns = now_ns;
    }
    clock.cost_ns = (double)(last_ns - start_ns) / READS;
    clock.resolution_ns = step_ns == INT64_MAX ? clock.cost_ns : (double)step_ns;
    return clock;
}

/* ---- state: what can be had, and why not --------------------------------------------- */

static void add_file(Facts *f, const char *name, const char *path, const char *otherwise)
{
    char text[256];
    if (slurp(path, text, sizeof text)) {
        text[strcspn(text, "\n")] = 0;
        known(f, name, "%s", text);
    } else {
        unavailable(f, name, "%s", otherwise);
    }
}

static void add_perf_event(Facts *f)
{
    struct perf_event_attr what = { .type = PERF_TYPE_HARDWARE, .size = sizeof what,
                                    .config = PERF_COUNT_HW_INSTRUCTIONS, .exclude_kernel = 1 };
    const int fd = (int)syscall(SYS_perf_event_open, &what, 0, -1, -1, 0);
    const int why = errno;
    if (fd >= 0) {
        close(fd);
        known(f, "perf_event", "hardware counters");
    } else {
        unavailable(f, "perf_event", "perf_event_open: %s%s", strerror(why),
                    why == EACCES || why == EPERM ? " (see /proc/sys/kernel/perf_event_paranoid)"
                    : why == ENOENT || why == EOPNOTSUPP ? " (a guest without hardware counters)"
                                                         : "");
    }
}

/* Steal since boot as a share of all CPU time: a neighbour's share of our cores. */
static void add_steal(Facts *f)
{
    char text[512];
    double field[8] = { 0 }, total = 0;
    int n = 0;
    if (slurp("/proc/stat", text, sizeof text))
        n = sscanf(text, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &field[0], &field[1], &field[2],
                   &field[3], &field[4], &field[5], &field[6], &field[7]);
    for (int i = 0; i < n; i++) total += field[i];
    if (n == 8 && total > 0) known(f, "steal.share", "%.4f", field[7] / total);
    else unavailable(f, "steal.share", "/proc/stat has no steal column");
}

static void add_cpu_max(Facts *f)
{
    char text[128];
    if (slurp("/sys/fs/cgroup/cpu.max", text, sizeof text)) {
        known(f, "cgroup.cpu_max", "%s", text);
        return;
    }
    if (slurp("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", text, sizeof text))
        known(f, "cgroup.cpu_max", "%s", strcmp(text, "-1") ? text : "max");
    else
        unavailable(f, "cgroup.cpu_max", "no cgroup CPU controller here");
}

static void add_pressure(Facts *f)
{
    char text[256];
    double share;
    if (slurp("/proc/pressure/cpu", text, sizeof text) &&
        sscanf(text, "some avg10=%lf", &share) == 1)
        known(f, "pressure.cpu", "%.4f", share / 100);
    else
        unavailable(f, "pressure.cpu", "this kernel has no pressure stall information");
}

static int find_program(const char *program, char *file, size_t size)
{
    const char *path = getenv("PATH");
    for (const char *at = path ? path : "/usr/bin:/bin"; *at;) {
        const int length = (int)strcspn(at, ":");
        snprintf(file, size, "%.*s/%s", length, at, program);
        if (!access(file, X_OK)) return 1;
        at += length + (at[length] == ':');
    }
    return 0;
}

int program_exists(const char *program)
{
    char file[512];
    return find_program(program, file, sizeof file);
}

static void add_tool(Facts *f, const char *name, const char *program, const char *package)
{
    char file[512];
    if (find_program(program, file, sizeof file)) known(f, name, "%.200s", file);
    else unavailable(f, name, "not installed; apt-get install %s", package);
}

static void add_hypervisor(Facts *f)
{
    char cpuinfo[8192];
    const int guest = slurp("/proc/cpuinfo", cpuinfo, sizeof cpuinfo) &&
                      strstr(cpuinfo, " hypervisor");
    char vendor[128] = "";
    if (!slurp("/sys/class/dmi/id/sys_vendor", vendor, sizeof vendor)) vendor[0] = 0;
    known(f, "hypervisor", "%s%s%s", guest ? "guest" : "none", guest && *vendor ? " of " : "",
          guest ? vendor : "");
}

int64_t machine_memory_available(void)
{
    char text[4096], value[64];
    long long kib;
    if (!slurp("/proc/meminfo", text, sizeof text) ||
        !line_value(text, "MemAvailable", value, sizeof value) || sscanf(value, "%lld", &kib) != 1)
        return 0;
    return kib * 1024;
}

/* The system promises more than it has. Small pieces are not asked about. */
int machine_has_memory(size_t bytes)
{
    const size_t large = (size_t)256 << 20;
    const int64_t available = bytes < large ? 0 : machine_memory_available();
    return !available || bytes < (size_t)available;
}

static void add_available_memory(Facts *f)
{
    const int64_t bytes = machine_memory_available();
    if (bytes) known(f, "memory.available_bytes", "%lld", (long long)bytes);
    else
        unavailable(f, "memory.available_bytes", "/proc/meminfo does not say");
}

void machine_state(Facts *out)
{
    struct utsname name;
    double load = 0;
    int cpu[THREADS_MAX];
    *out = (Facts){ .count = 0 };
    known(out, "kernel", "%s", uname(&name) ? "unknown" : name.release);
    add_hypervisor(out);
    add_file(out, "clock.source",
             "/sys/devices/system/clocksource/clocksource0/current_clocksource",
             "no /sys/devices/system/clocksource");
    known(out, "clock.resolution_ns", "%.0f", clock_measured().resolution_ns);
    known(out, "clock.cost_ns", "%.1f", clock_measured().cost_ns);
    add_file(out, "cpu.governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
             "no cpufreq: the clock rate is not ours to see (usual in a guest)");
    add_file(out, "huge_pages", "/sys/kernel/mm/transparent_hugepage/enabled",
             "this kernel has no transparent huge pages");
    if (getloadavg(&load, 1) == 1) known(out, "load", "%.2f", load);
    else unavailable(out, "load", "no load average here");
    add_pressure(out);
    add_steal(out);
    add_file(out, "schedstat", "/proc/self/schedstat",
             "this kernel was built without CONFIG_SCHED_INFO");
    add_perf_event(out);
    add_cpu_max(out);
    add_available_memory(out);
    known(out, "cores.usable", "%d", machine_cpus(cpu, THREADS_MAX));
    add_tool(out, "tool.valgrind", "valgrind", "valgrind");
    add_tool(out, "tool.gnuplot", "gnuplot", "gnuplot-nox");
}

/* ---- which core ---------------------------------------------------------------------- */

typedef struct { int cpu, second; long long busy; } Core;   /* second thread of a core */

/* Two threads of one core share its arithmetic: all first threads come before any second one. */
static int is_second_thread(int cpu)
{
    char path[96], text[64];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
    return slurp(path, text, sizeof text) && atoi(text) != cpu;
}

/* Ticks that each core was not idle since boot. */
static void read_busy(long long busy[CPU_SETSIZE])
{
    FILE *f = fopen("/proc/stat", "r");
    char line[512];
    while (f && fgets(line, sizeof line, f)) {
        int cpu;
        long long user, nice, system, idle, wait, irq, softirq, steal;
        if (sscanf(line, "cpu%d %lld %lld %lld %lld %lld %lld %lld %lld", &cpu, &user, &nice,
                   &system, &idle, &wait, &irq, &softirq, &steal) == 9 &&
            cpu < CPU_SETSIZE)
            busy[cpu] = user + nice + system + irq + softirq + steal;
    }
    if (f) fclose(f);
}

static int idler(const void *a, const void *b)
{
    const Core *x = a, *y = b;
    if (x->second != y->second) return x->second - y->second;
    if (x->busy != y->busy) return x->busy < y->busy ? -1 : 1;
    return y->cpu - x->cpu;
}

int machine_cpus(int *cpu, int most)
{
    static long long before[CPU_SETSIZE];
    long long busy[CPU_SETSIZE] = { 0 };
    cpu_set_t allowed;
    Core core[CPU_SETSIZE];
    int n = 0;
    if (sched_getaffinity(0, sizeof allowed, &allowed)) return 0;
    read_busy(busy);
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (CPU_ISSET(i, &allowed))
            core[n++] = (Core){ i, is_second_thread(i), busy[i] - before[i] };
        before[i] = busy[i];
    }
    qsort(core, (size_t)n, sizeof *core, idler);
    for (int i = 0; i < n && i < most; i++) cpu[i] = core[i].cpu;
    return n < most ? n : most;
}

Affinity affinity_now(void)
{
    Affinity a;
    cpu_set_t set;
    _Static_assert(sizeof a.bits == sizeof set, "a cpu_set_t is 1024 bits");
    a.known = !sched_getaffinity(0, sizeof set, &set);
    memcpy(a.bits, &set, sizeof set);
    return a;
}

void affinity_set(const Affinity *a)
{
    cpu_set_t set;
    memcpy(&set, a->bits, sizeof set);
    if (a->known) (void)sched_setaffinity(0, sizeof set, &set);
}
