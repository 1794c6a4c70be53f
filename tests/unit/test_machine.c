/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
/* Facts about this machine: what identifies it stays the same and holds nothing that varies. */
#include "../../harness/lock.h"
#include "../../harness/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void identity_is_whole_and_stable(void **state)
{
    (void)state;
    static const char *const names[] = {
        "architecture", "cpu.vendor", "cpu.family",      "cpu.model",      "cpu.stepping",
        "cpu.name",     "cores",      "cache.l1d_bytes", "cache.l2_bytes", "cache.l3_bytes",
        "isa",          "cpu.flags",  "memory.class"
    };
    Facts a, b;
    machine_identity(&a);
    machine_identity(&b);
    assert_int_equal(a.count, sizeof names / sizeof *names);
    for (int i = 0; i < a.count; i++) {
        assert_string_equal(a.fact[i].name, names[i]);
        assert_true(*a.fact[i].value && !*a.fact[i].reason);
        assert_string_equal(a.fact[i].value, b.fact[i].value);
        assert_null(strcasestr(a.fact[i].name, "mhz"));
        assert_null(strcasestr(a.fact[i].name, "bogomips"));
    }
    assert_non_null(strstr(fact_find(&a, "isa")->value, "portable"));
    assert_null(fact_find(&a, "no such fact"));
}

static void state_has_a_value_or_a_reason(void **state)
{
    (void)state;
    Facts f;
    machine_state(&f);
    assert_true(f.count >= 15);
    for (int i = 0; i < f.count; i++) assert_true(!*f.fact[i].value != !*f.fact[i].reason);
    assert_non_null(fact_find(&f, "perf_event"));
    assert_non_null(fact_find(&f, "clock.resolution_ns"));
}

static void alias_is_a_plain_word(void **state)
{
    (void)state;
    char alias[64];
    machine_alias(alias, sizeof alias);
    assert_true(strlen(alias) >= 3);
    assert_int_equal(strspn(alias, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(alias));
    machine_alias(alias, 8);
    assert_true(strlen(alias) < 8);
}

static void clock_is_measured(void **state)
{
    (void)state;
    const Clock clock = clock_measured();
    assert_true(clock.resolution_ns > 0 && clock.cost_ns > 0);
}

static void cores_are_distinct(void **state)
{
    (void)state;
    int cpu[THREADS_MAX];
    const int n = machine_cpus(cpu, THREADS_MAX);
    assert_true(n >= 1);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < i; k++) assert_int_not_equal(cpu[i], cpu[k]);
    assert_int_equal(machine_cpus(cpu, 1), 1);
}

static void programs_are_found(void **state)
{
    (void)state;
    assert_true(program_exists("sh"));
    assert_false(program_exists("no-such-program-here"));
}

/* What one process holds, another cannot get: with all cores taken, a second one waits. */
static void cores_are_exclusive(void **state)
{
    (void)state;
    int cpu[THREADS_MAX], status = 0;
    CoreLock lock;
    const int n = lock_cores(&lock, THREADS_MAX, cpu);
    assert_true(n >= 1);
    const pid_t child = fork();
    if (child == 0) {
        /* Our copies of the files hold the lock too, as long as they are open. */
        for (int i = 0; i < lock.count; i++) close(lock.fd[i]);
        alarm(1);                       /* waiting ends the child by SIGALRM */
        CoreLock second;
        lock_cores(&second, 1, cpu);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    unlock_cores(&lock);
    assert_int_equal(lock_cores(&lock, 1, cpu), 1);
    unlock_cores(&lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity_is_whole_and_stable),
        cmocka_unit_test(state_has_a_value_or_a_reason),
        cmocka_unit_test(alias_is_a_plain_word),
        cmocka_unit_test(clock_is_measured),
        cmocka_unit_test(cores_are_distinct),
        cmocka_unit_test(programs_are_found),
        cmocka_unit_test(cores_are_exclusive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
