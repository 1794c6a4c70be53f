# SPDX-License-Identifier: Apache-2.0
"""Inputs, and softmax attention in float64, one head at a time. Both are computed by the first
process that needs them and kept in a directory for the other arms of the same case."""
import dataclasses
import os
import pathlib

import ml_dtypes
import numpy as np

NAMES = {"fwd": ("o",), "step": ("o",), "bwd": ("dq", "dk", "dv")}
ROWS = 1024       # queries at a time, so that scores of long sequences fit into memory
# What max|x - ref| / max|ref| a correct implementation stays below: rounding of the inputs'
# products and of P, with room (for one query also that of an accumulator in f16); a wrong mask or
# head is off by more than 0.1.
TOLERANCE = {("fwd", "f32"): 2e-5, ("step", "f32"): 2e-5, ("bwd", "f32"): 1e-4,
             ("fwd", "bf16"): 2e-2, ("step", "bf16"): 8e-2, ("bwd", "bf16"): 5e-2}


@dataclasses.dataclass
class Data:
    """float32 arrays [heads, rows, D]; in a 16-bit case every value is one that bf16 holds (and
    f16 but for the smallest), so that all arms see the same numbers."""
    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    grad_o: np.ndarray


def _kept(directory, name, make):
    """make(), or what an earlier process made of the same name. None: no directory, nothing kept."""
    if not directory:
        return make()
    path = pathlib.Path(directory) / f"{name}.npy"
    if not path.exists():
        fresh = path.with_suffix(f".{os.getpid()}")
        with fresh.open("wb") as f:
            np.save(f, make())
        fresh.rename(path)
    return np.load(path, mmap_mode="r")


def inputs(case, directory=None, seed=1):
    def normal(name, heads, rows):
        def make():
            random = np.random.default_rng([seed, ord(name)])
            x = random.standard_normal((heads, rows, case.D), dtype=np.float32)
            return x if case.dtype == "f32" else x.astype(ml_dtypes.bfloat16).astype(np.float32)
        return _kept(directory, name, make)
    return Data(normal("q", case.H, case.T), normal("k", case.Hkv, case.Tk),
                normal("v", case.Hkv, case.Tk), normal("g", case.H, case.T))


def _weights(q, k, first, causal):
    """softmax(q k' / sqrt D) of a stretch of queries, of which the first is number `first`."""
    scores = q @ k.T / np.sqrt(q.shape[1])
    if causal:
        query = first + np.arange(len(q))[:, None]
        scores[np.arange(len(k))[None, :] > query] = -np.inf
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def _forward(q, k, v, causal):
    return [np.concatenate([_weights(q[i:i + ROWS], k, i, causal) @ v
                            for i in range(0, len(q), ROWS)])]


def _backward(q, k, v, grad_o, causal):
    """dV = P'dO, dS = P (dO V' - rowsum(P dO V')), dQ = dS K / sqrt D, dK = dS'Q / sqrt D."""
    grad_q, grad_k, grad_v = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v)
    scale = 1 / np.sqrt(q.shape[1])
    for i in range(0, len(q), ROWS):
        rows = slice(i, i + ROWS)
        p = _weights(q[rows], k, i, causal)
        grad_v += p.T @ grad_o[rows]
        grad_s = grad_o[rows] @ v.T
        grad_s = p * (grad_s - (p * grad_s).sum(axis=1, keepdims=True))
        grad_q[rows] = scale * grad_s @ k
        grad_k += scale * grad_s.T @ q[rows]
    return [grad_q, grad_k, grad_v]


def _head(case, data, head):
    """The outputs in the order of NAMES."""
    q, k, v, grad_o = (x[head * len(x) // case.H].astype(np.float64)
                       for x in (data.q, data.k, data.v, data.grad_o))
    return _backward(q, k, v, grad_o, case.causal) if case.do == "bwd" \
        else _forward(q, k, v, case.causal)


def error(case, data, got, directory=None):
    """The largest max|x - ref| / max|ref| over the outputs of the first and the last head, all
    rows; infinite for NaN. `got` maps "o", or "dq", "dk", "dv", to arrays [heads, rows, D]."""
    worst = 0.0
    for head in {0, case.H - 1}:
        whole = _kept(directory, f"{case.do}{head}", lambda: np.stack(_head(case, data, head)))
        for name, want in zip(NAMES[case.do], whole):
            x = np.asarray(got[name][head * len(got[name]) // case.H], dtype=np.float64)
            if x.shape != want.shape or not np.isfinite(x).all():
                return float("inf")
            worst = max(worst, np.abs(x - want).max() / np.abs(want).max())
    return float(worst)
