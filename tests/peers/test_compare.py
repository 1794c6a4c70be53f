# SPDX-License-Identifier: Apache-2.0
"""Tests of the comparison itself. Those of float64 attention need the environment's numpy."""
import os
import pathlib
import random
import sys
import tempfile
import unittest

import arms
import case as cases
import environment
import intervals
import process
import report

try:
    import numpy as np
    import reference
except ImportError:
    np = None


class Counting(unittest.TestCase):
    def test_pairs(self):
        for length in (1, 2, 7):
            visible = sum(1 for i in range(length) for j in range(length) if j <= i)
            self.assertEqual(cases.prefill("fwd", "f32", length, 64, True, 1).pairs(), visible)
            self.assertEqual(cases.prefill("fwd", "f32", length, 64, False, 1).pairs(), length ** 2)

    def test_work(self):
        full = cases.prefill("fwd", "f32", 512, 64, False, 1)
        self.assertEqual(full.work("f32"), 4 * 8 * 64 * 512 ** 2)
        self.assertEqual(cases.prefill("bwd", "f32", 512, 64, False, 1).work("f32"),
                         2.5 * full.work("f32"))
        step = cases.decode("bf16", 4096, 128, (32, 8), 2)
        self.assertEqual(step.work("f16"), 2 * 8 * 4096 * 128 * 2)

    def test_point(self):
        self.assertEqual(cases.decode("bf16", 4096, 128, (32, 8), 2).point("m/v"),
                         "m/v:B=1,H=32,Hkv=8,T=1,Tk=4096,D=128:bf16:step:threads=2")

    def test_every_case_has_a_peer(self):
        for case in cases.grid(("fwd", "bwd", "step"), ("f32", "bf16"), (512, 16384), (65536,), (64,),
                               ("full", "causal"), (1,)):
            self.assertTrue([a for a in arms.ALL if not a().refuses(case)], case.title())

    def test_every_arm_is_pinned(self):
        for arm in arms.ALL:
            self.assertIn(arm.package, environment.pins())
            self.assertIs(arms.find(arm.name), arm)
        self.assertEqual(set(environment.pins()), {n for group in environment.GROUPS for n in group})


class Intervals(unittest.TestCase):
    def test_median(self):
        self.assertEqual(intervals.median([3, 1, 2]), 2)
        self.assertEqual(intervals.median([4, 1, 2, 3]), 2.5)

    def test_coverage_known(self):
        self.assertAlmostEqual(intervals.coverage(6, 1), 1 - 2 / 64)
        self.assertAlmostEqual(intervals.coverage(8, 2), 1 - 2 * 9 / 256)

    def test_few_values(self):
        self.assertIsNone(intervals.median_interval([1] * 5))
        self.assertEqual(intervals.median_interval([5, 1, 2, 3, 4, 6]), (1, 6))

    def test_covers_as_often_as_it_says(self):
        source, hits, tries = random.Random(7), 0, 4000
        for _ in range(tries):
            low, high = intervals.median_interval([source.lognormvariate(0, 1) for _ in range(12)])
            hits += low <= 1 <= high
        self.assertGreaterEqual(hits / tries, 0.95)


class Reports(unittest.TestCase):
    def test_drift_cancels_in_a_mirrored_round(self):
        ours = {"restarts": 1, "burst_ns": [100 * 1.1 ** 0, 100 * 1.1 ** 3]}
        peer = {"restarts": 1, "burst_ns": [200 * 1.1 ** 1, 200 * 1.1 ** 2]}
        self.assertAlmostEqual(report.ratios(peer, ours)[0], 2)

    def test_processes_are_the_unit_where_there_are_several(self):
        ours = {"restarts": 2, "burst_ns": [1.0] * 8}
        peer = {"restarts": 2, "burst_ns": [2.0] * 4 + [8.0, 8.0, 2.0, 2.0]}
        self.assertEqual([round(x, 9) for x in report.ratios(peer, ours)], [2, 4])

    def test_forward_and_backward_are_added(self):
        def arm(name, time_ns):
            return {"arm": name, "stored": "f32", "burst_ns": [time_ns] * 2}
        both = [(cases.prefill(do, "f32", 64, 64, True, 1), [arm("attest", ours), arm("x", theirs)])
                for do, ours, theirs in (("fwd", 1.0, 4.0), ("bwd", 3.0, 2.0))]
        self.assertIn("| f32 causal H=8 T=64 D=64 1t | x | 1.50 |", report.training(both))
        self.assertEqual(report.training(both[:1]), [])

    def test_reason_instead_of_numbers(self):
        case = cases.prefill("fwd", "f32", 512, 64, True, 1)
        ours = {"arm": "attest", "stored": "f32", "burst_ns": [1e6, 1e6], "best_ns": 1e6, "error": 1e-7}
        dead = {"arm": "x", "stored": "f32", "burst_ns": [], "reason": "it crashed"}
        text = report.markdown([(case, [ours, dead])], {"machine": "m"}, {"x": "nothing"})
        self.assertIn("it crashed", text)
        self.assertIn('"reason": "it crashed"', report.to_json([(case, [ours, dead])], {}, {}))


class Processes(unittest.TestCase):
    def start(self, code):
        p = process.Process([sys.executable, "-u", "-c", code], [0], 1, timeout_s=5)
        self.addCleanup(p.end)
        return p

    def test_answers_and_stops(self):
        p = self.start("for line in open(0): print('ok', line.strip(), flush=True)")
        self.assertEqual(p.ask("a b"), "a b")
        os.waitpid(p.child.pid, os.WUNTRACED)          # returns once it is stopped
        self.assertIn("State:\tT", pathlib.Path(f"/proc/{p.child.pid}/status").read_text())
        self.assertEqual(p.ask("c"), "c")

    def test_refusal_and_crash(self):
        p = self.start("import sys; input(); print('no such thing', flush=True); input(); sys.exit('boom')")
        with self.assertRaisesRegex(process.Failed, "such thing"):
            p.ask("open")
        with self.assertRaisesRegex(process.Failed, "exit code 1, boom"):
            p.ask("burst")

    def test_silence(self):
        p = self.start("import time; time.sleep(60)")
        p.timeout_s = 0.2
        with self.assertRaisesRegex(process.Failed, "no answer"):
            p.ask("open")
        self.assertFalse(p.is_alive())


@unittest.skipIf(np is None, "numpy and ml_dtypes are in the environment that --set-up makes")
class Reference(unittest.TestCase):
    def test_gradients_are_difference_quotients(self):
        case = cases.Case("bwd", "f32", 2, 2, 5, 5, 3, True, 1)
        data = reference.inputs(case)
        grads = dict(zip(reference.NAMES["bwd"], reference._head(case, data, 0)))
        for name, x in (("dq", data.q), ("dk", data.k), ("dv", data.v)):
            wide = [a[0].astype(np.float64) for a in (data.q, data.k, data.v)]
            at = {"dq": 0, "dk": 1, "dv": 2}[name]
            sums = []
            for step in (1e-6, -1e-6):
                moved = [a.copy() for a in wide]
                moved[at][3, 1] += step
                [o] = reference._forward(*moved, True)
                sums.append((o * data.grad_o[0]).sum())
            self.assertAlmostEqual(grads[name][3, 1], (sums[0] - sums[1]) / 2e-6, places=6)

    def test_stretches_are_whole(self):
        case = cases.prefill("fwd", "f32", 50, 8, True, 1)
        data = reference.inputs(case)
        [whole] = reference._head(case, data, 7)
        reference.ROWS, kept = 7, reference.ROWS
        self.addCleanup(setattr, reference, "ROWS", kept)
        np.testing.assert_allclose(reference._head(case, data, 7)[0], whole, atol=1e-14)

    def test_wrong_outputs_are_seen(self):
        case = cases.decode("bf16", 64, 16, (8, 2), 1)
        data = reference.inputs(case)
        right = np.stack([reference._head(case, data, h)[0] for h in range(8)])
        self.assertLess(reference.error(case, data, {"o": right}), 1e-12)
        self.assertGreater(reference.error(case, data, {"o": right[::-1]}), 0.1)
        with tempfile.TemporaryDirectory() as kept:
            same = reference.inputs(case, kept)
            for _ in range(2):                  # made, then found
                self.assertLess(reference.error(case, same, {"o": right}, kept), 1e-12)
        right[7, 0, 3] = np.nan
        self.assertEqual(reference.error(case, data, {"o": right}), float("inf"))


if __name__ == "__main__":
    unittest.main()
