# SPDX-License-Identifier: Apache-2.0
"""What is measured: one attention problem, how it is counted, and the grid of all of them."""
import dataclasses
import itertools

ITEM_BYTES = {"f32": 4, "bf16": 2, "f16": 2}


@dataclasses.dataclass(frozen=True)
class Case:
    do: str          # "fwd", "bwd" (gradients of q, k, v, given the forward pass), "step" (one query)
    dtype: str       # "f32", or "bf16" where f16 may stand in for a library that has no bf16
    H: int           # query heads
    Hkv: int         # heads of keys and values
    T: int           # queries
    Tk: int          # keys
    D: int           # width of a head
    causal: bool
    threads: int

    def pairs(self):
        """(query, key) pairs that are visible, one head."""
        return self.T * (self.T + 1) // 2 if self.causal else self.T * self.Tk

    def flops(self):
        """Of the visible pairs: two products of D each forward, five backward. What an
        implementation computes beyond them (masked tiles, say) is not counted in its favour."""
        return (10 if self.do == "bwd" else 4) * self.D * self.H * self.pairs()

    def kv_bytes(self, stored):
        """Keys and values, each read once, as stored."""
        return 2 * self.Hkv * self.Tk * self.D * ITEM_BYTES[stored]

    def work(self, stored):
        """What a rate is made of: bytes for decoding, FLOPs otherwise."""
        return self.kv_bytes(stored) if self.do == "step" else self.flops()

    def unit(self):
        return "GB/s" if self.do == "step" else "GFLOP/s"

    def title(self):
        heads = f"H={self.H}" if self.H == self.Hkv else f"H={self.H}/{self.Hkv}"
        length = f"Tk={self.Tk}" if self.do == "step" else f"T={self.T}"
        shape = "" if self.do == "step" else " causal" if self.causal else " full"
        return f"{self.do} {self.dtype}{shape} {heads} {length} D={self.D} {self.threads}t"

    def point(self, variant):
        """The same problem as attest writes it."""
        causal = ",causal=1" if self.causal else ""
        return (f"{variant}:B=1,H={self.H},Hkv={self.Hkv},T={self.T},Tk={self.Tk},D={self.D}"
                f"{causal}:{self.dtype}:{self.do}:threads={self.threads}")


def prefill(do, dtype, length, width, causal, threads, heads=8):
    return Case(do, dtype, heads, heads, length, length, width, causal, threads)


def decode(dtype, keys, width, heads, threads):
    return Case("step", dtype, heads[0], heads[1], 1, keys, width, False, threads)


def grid(passes, dtypes, lengths, keys, widths, masks, threads):
    """Every combination, in the order of a table: pass, dtype, mask, width, length, threads."""
    out = []
    for do in passes:
        if do == "step":
            heads = ((8, 8), (32, 8))
            out += [decode(*c) for c in itertools.product(dtypes, keys, widths, heads, threads)]
            continue
        for dtype, mask, width, length, t in itertools.product(dtypes, masks, widths, lengths, threads):
            out.append(prefill(do, dtype, length, width, mask == "causal", t))
    return out
