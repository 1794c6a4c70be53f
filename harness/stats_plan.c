/* SPDX-License-Identifier: Apache-2.0 */
/* What to measure next: calls per epoch, the order of the arms, when to look and when to stop. */
#include "stats.h"

#include <math.h>

#include "../kernels/core/random.h"

/* ---- Calls per epoch ---- */

static const int64_t CALLS_MAX = (int64_t)1 << 30;

Calibration stats_calibration(double target_ns, double clock_ns)
{
    require(target_ns > 0 && clock_ns >= 0);
    return (Calibration){ .calls = 1, .goal_ns = fmax(target_ns, 1000 * clock_ns) };
}

/* 10 % above the proportional answer, at least one call and at most ten times more. */
static int64_t grown(int64_t calls, double elapsed_ns, double goal_ns)
{
    const double n = (double)calls, most = 10 * n;
    const double next = elapsed_ns > 0 ? fmin(most, ceil(1.1 * n * (goal_ns / elapsed_ns))) : most;
    return (int64_t)fmin((double)CALLS_MAX, fmax(n + 1, next));
}

bool stats_calibrate(Calibration *state, double elapsed_ns)
{
    require(state);
    if (state->done) return true;
    state->readings++;
    if (elapsed_ns >= state->goal_ns) {
        state->hits++;
    } else {
        state->hits = 0;
        state->calls = grown(state->calls, elapsed_ns, state->goal_ns);
    }
    state->done = state->hits == 2 || state->readings == CALIBRATION_READINGS_MAX;
    return state->done;
}

int64_t stats_shared_calls(const double *call_ns, int arms, double target_ns, double clock_ns)
{
    require(call_ns && arms >= 1 && target_ns > 0);
    double slowest = call_ns[0], fastest = call_ns[0];
    for (int i = 0; i < arms; i++) {
        require(call_ns[i] > 0);
        slowest = fmax(slowest, call_ns[i]);
        fastest = fmin(fastest, call_ns[i]);
    }
    const double wanted = ceil(target_ns / slowest), least = ceil(1000 * clock_ns / fastest);
    return (int64_t)fmin((double)CALLS_MAX, fmax(1, fmax(wanted, least)));
}

/* ---- Order of the arms ---- */

/* Fisher and Yates, as Durstenfeld (1964) wrote it. */
static void shuffle(uint64_t seed, uint64_t stream, int n, int *out)
{
    for (int i = 0; i < n; i++) out[i] = i;
    for (int i = n - 1; i > 0; i--) {
        const int j = (int)random_below(seed, stream, (uint64_t)i, i + 1), kept = out[i];
        out[i] = out[j];
        out[j] = kept;
    }
}

void stats_order(uint64_t seed, uint64_t square, int arms, int *order)
{
    require(order && arms >= 1 && arms <= STATS_ARMS_MAX);
    int name[STATS_ARMS_MAX], row[STATS_ARMS_MAX];
    shuffle(seed, 2 * square, arms, name);
    shuffle(seed, 2 * square + 1, arms, row);
    for (int round = 0; round < arms; round++)
        for (int place = 0; place < arms; place++)
            order[round * arms + place] = name[(row[round] + place) % arms];
}

/* ---- Looks and stopping ---- */

static int next_look(int blocks)
{
    return blocks < STATS_BLOCKS_MIN ? STATS_BLOCKS_MIN : blocks + (blocks + 1) / 2;
}

/* The error that an order-statistic interval of n blocks really spends when allowed `alpha`. */
static double spent(int n, double alpha)
{
    double error = 0;
    for (int k = 1; k <= n / 2; k++) {
        const double tail = 2 * stats_binomial_tail(n, k - 1);
        if (tail > alpha) break;
        error = tail;
    }
    return error;
}

double stats_look_level(int blocks, bool last, double alpha)
{
    require(blocks >= 1 && blocks <= STATS_BLOCKS_MAX && alpha > 0 && alpha < 1);
    int look = next_look(0);
    for (; look < blocks; look = next_look(look)) alpha -= spent(look, alpha * 5 / 8);
    if (last) return 1 - alpha;
    return look == blocks ? 1 - alpha * 5 / 8 : 1;
}

const char *stats_stop_name(Stop stop)
{
    static const char *const name[] = { "go-on", "decided", "precise-enough", "cap" };
    require((unsigned)stop < sizeof name / sizeof *name);
    return name[stop];
}

Stop stats_stop(const StopRule *rule, const Comparison *c)
{
    require(rule && c && rule->blocks_max >= 1 && rule->blocks_max <= STATS_BLOCKS_MAX);
    if (c->decision) return STOP_DECIDED;
    if (c->d.kind == INTERVAL_ORDER && c->mde_rel <= rule->mde_goal) return STOP_PRECISE;
    return c->blocks >= rule->blocks_max ? STOP_CAP : STOP_GO_ON;
}
