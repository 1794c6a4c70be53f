/* SPDX-License-Identifier: Apache-2.0 */
/* Synthetic timings whose truth is known, in the shapes that real ones take. */
#ifndef STATS_SAMPLES_H
#define STATS_SAMPLES_H

#include <math.h>

#include "../../harness/stats.h"
#include "../../kernels/core/random.h"

typedef enum {
    LOG_NORMAL,       /* 3 % noise, skewed as times are */
    BIMODAL,          /* two layouts 10 % apart, 40 % of epochs in the slow one */
    DRIFT,            /* 30 % slower from the first epoch of a block to the last */
    SPIKES,           /* one epoch in ten takes up to 10 times as long */
    AUTOCORRELATED,   /* each epoch keeps 0.8 of the last one's deviation */
    SLUGGISH,         /* ... 0.99 of it: a block hardly moves from where it started */
    CONSTANT,         /* no noise at all */
    SHAPES
} Shape;

static const char *const shape_name[SHAPES] = {
    "log-normal", "bimodal", "drift", "spikes", "autocorrelated", "sluggish",
    "constant",
};

typedef struct {
    Shape shape;
    int blocks, rounds;
    double ratio;         /* true time(B) / time(A) */
    double block_sd;      /* between processes, of ln ratio: their layouts suit A or B */
    bool interleaved;     /* ABBA / BAAB; false: all of A, then all of B */
} Scenario;

static inline double noise_of(Shape shape, uint64_t seed, uint64_t epoch, double *memory)
{
    const double z = random_normal(seed, 1, epoch), u = random_uniform(seed, 2, epoch);
    switch (shape) {
    case LOG_NORMAL: return exp(0.03 * z);
    case BIMODAL: return exp(0.005 * z) * (u < 0.4 ? 1.1 : 1);
    case DRIFT: return exp(0.01 * z);
    case SPIKES: return exp(0.01 * z) * (u < 0.1 ? 1 + 90 * u : 1);
    case AUTOCORRELATED:                       /* both with a spread of 3.3 % over all blocks */
        *memory = 0.8 * *memory + 0.02 * z;
        return exp(*memory);
    case SLUGGISH:
        *memory = 0.99 * *memory + 0.0047 * z;
        return exp(*memory);
    default: return 1;
    }
}

/* Times of both arms, block after block, in the order in which a block would measure them. */
static inline void make_pairs(const Scenario *s, uint64_t seed, double *a_ns, double *b_ns)
{
    for (int block = 0; block < s->blocks; block++) {
        const uint64_t stream = random_u64(seed, 0, (uint64_t)block);
        const double luck = exp(s->block_sd * random_normal(stream, 3, 0));
        double memory = 0.033 * random_normal(stream, 4, 0);   /* AR(1) from its own law */
        int order[4] = { 0, 1, 1, 0 };
        for (int epoch = 0; epoch < 2 * s->rounds; epoch++) {
            if (epoch % 4 == 0) stats_order(stream, (uint64_t)epoch / 4, 2, order);
            const int arm = s->interleaved ? order[epoch % 4] : epoch >= s->rounds;
            const int round = s->interleaved ? epoch / 2 : epoch % s->rounds;
            double time_ns = 1e5 * noise_of(s->shape, stream, (uint64_t)epoch, &memory);
            if (s->shape == DRIFT) time_ns *= 1 + 0.3 * epoch / (2 * s->rounds);
            if (arm) time_ns *= s->ratio * luck;
            (arm ? b_ns : a_ns)[block * s->rounds + round] = time_ns;
        }
    }
}

/* start[] of equal blocks. */
static inline void equal_blocks(int blocks, int rounds, int *start)
{
    for (int b = 0; b <= blocks; b++) start[b] = b * rounds;
}

#endif
