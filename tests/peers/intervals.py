# SPDX-License-Identifier: Apache-2.0
"""Statistics that assume nothing of the distribution: medians and order-statistic intervals."""
import math


def median(values):
    ordered = sorted(values)
    n = len(ordered)
    return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2


def coverage(n, k):
    """Probability that the true median lies between the k-th smallest and the k-th largest of n
    independent values, k = 1..n/2: the binomial distribution without its two tails."""
    return 1 - 2 * sum(math.comb(n, i) for i in range(k)) / 2 ** n


def median_interval(values, level=0.95):
    """The shortest order-statistic interval of the median with at least this coverage, or None
    where so few values cannot reach it (below 6 for 0.95)."""
    ordered = sorted(values)
    n = len(ordered)
    ks = [k for k in range(1, n // 2 + 1) if coverage(n, k) >= level]
    return (ordered[ks[-1] - 1], ordered[n - ks[-1]]) if ks else None


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))
