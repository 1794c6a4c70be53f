#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""attest beside the best attention of other projects, on this machine, in one interleaved run.

Each arm is a process that stays; a round takes one short burst of each in turn and then one of
each in the opposite order (A B C C B A), so that whatever drifts within a round hits all alike."""
import argparse
import dataclasses
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys
import tempfile
import time

import arms
import case as cases
import environment
import report
from process import Failed, Process

ROOT = pathlib.Path(__file__).resolve().parents[2]
OURS = {"fwd": "flash_attention/online", "bwd": "flash_attention/online",
        "step": "flash_attention/split_kv"}
CALLS_MAX = 2000


@dataclasses.dataclass
class Runner:
    """One arm at one number of threads, with its process while that lives."""
    name: str
    command: list
    process: Process = None

    def open(self, request, options, threads):
        if not self.process or not self.process.is_alive():
            self.end()
            self.process = Process(self.command, options.cores, threads, options.realtime,
                                   options.timeout, options.kept)
        error, call_ns, version = self.process.ask(request).split(" ", 2)
        return float(error), int(call_ns), version

    def close(self):
        if self.process and self.process.is_alive():
            try:
                self.process.ask("close")
            except Failed:
                self.process.end()

    def end(self):
        if self.process:
            self.process.end()


# ---- one case -----------------------------------------------------------------------------------

@dataclasses.dataclass
class Entry:
    """An arm in a case: whom to ask for what, and what came of it."""
    runner: Runner
    request: str
    result: dict


def entries(case, runners, options):
    """Ours, then every peer that takes the case."""
    def entry(runner, request, stored):
        return Entry(runner, "open " + request, {"arm": runner.name, "stored": stored, "burst_ns": [],
                                                 "best_ns": float("inf")})
    ours, peers = runners
    text = json.dumps(dataclasses.asdict(case))
    return [entry(ours, case.point(options.ours.get(case.do, OURS[case.do])), case.dtype)] + \
           [entry(runner, text, arm.stored(case)) for arm, runner in peers if not arm.refuses(case)]


def open_entry(entry, options, case):
    result = entry.result
    try:
        result["error"], call_ns, result["version"] = entry.runner.open(entry.request, options,
                                                                        case.threads)
        calls = round(options.burst_ms * 1e6 / max(call_ns, 1))
        result["calls"] = min(max(calls, 1), CALLS_MAX)
    except Failed as trouble:
        result["reason"], result["burst_ns"] = str(trouble), []


def burst(entry, options):
    result = entry.result
    try:
        answer = entry.runner.process.ask(f"burst {result['calls']}")
    except Failed as trouble:
        result["reason"], result["burst_ns"] = str(trouble), []
        return
    times = [int(ns) for ns in answer.split()]
    result["best_ns"] = min(result["best_ns"], *times)
    result["burst_ns"].append(sum(times) / len(times))
    time.sleep(options.gap_ms / 1e3)


def measure(case, runners, options):
    """Results of all arms, ours first."""
    arms_here = entries(case, runners, options)
    for restart in range(options.restarts):
        alive = [e for e in arms_here if "reason" not in e.result]
        for entry in alive:
            if restart:
                entry.runner.end()
            open_entry(entry, options, case)
        for _ in range(options.rounds):
            for entry in (*alive, *reversed(alive)):
                if "reason" not in entry.result:
                    burst(entry, options)
        for entry in alive:
            entry.runner.close()
    return [{**e.result, "restarts": options.restarts} for e in arms_here]


def forget(options):
    """The inputs and references of the last case."""
    for path in pathlib.Path(options.kept).iterdir():
        path.unlink()


# ---- what is there --------------------------------------------------------------------------------

def build_ours(options):
    """The program that runs attest's side, made by the Makefile's own rules."""
    make = ["make", "-f", "tests/peers/ours.mk", f"BUILD={options.build}", "ours"]
    if subprocess.run(make, cwd=ROOT, stdout=sys.stderr).returncode:
        sys.exit("compare: attest's side could not be built")
    return ROOT / options.build / "tests" / "peers" / "ours"


def runners_of(options, have, program):
    """Of one number of threads: ours, and a list of (arm, runner)."""
    python = environment.python(options.venv)
    server = pathlib.Path(__file__).resolve().parent / "server.py"
    peers = [(arm(), Runner(arm.name, [python, server, arm.name])) for arm in arms.ALL
             if arm.package in have and (not options.peers or any(p in arm.name for p in options.peers))]
    return Runner("attest", [program, ",".join(map(str, options.cores))]), peers


def read(path):
    try:
        return pathlib.Path(path).read_text().strip()
    except OSError:
        return "unknown"


def facts_of(options, have):
    cpu = next((line.partition(":")[2].strip() for line in read("/proc/cpuinfo").splitlines()
                if line.startswith("model name")), platform.processor())
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True,
                            text=True).stdout.strip()
    return {"machine": f"{cpu}, {os.cpu_count()} cores, kernel {platform.release()}",
            "attest": commit or "unknown",
            "versions": ", ".join(f"{n} {v}" for n, v in have.items()),
            "cores used": ",".join(map(str, options.cores)) + " (as many as threads, from the left)",
            "scheduling": f"SCHED_FIFO {options.realtime}" if options.realtime else "normal",
            "large pages": read("/sys/kernel/mm/transparent_hugepage/enabled"),
            "load before": " ".join(read("/proc/loadavg").split()[:3]),
            "bursts": f"{options.burst_ms} ms or one call, {options.rounds} mirrored rounds in each of "
                      f"{options.restarts} processes an arm, {options.gap_ms} ms apart"}


# ---- options ----------------------------------------------------------------------------------------

def listed(kind, allowed=None):
    def parse(text):
        values = [kind(x) for x in text.split(",") if x]
        wrong = [v for v in values if allowed and v not in allowed]
        if wrong or not values:
            raise argparse.ArgumentTypeError(f"{text!r} is not a list of {allowed or kind.__name__}")
        return values
    return parse


def chosen(text):
    """PASS=METHOD/VARIANT,..."""
    return dict(part.split("=", 1) for part in text.split(","))


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog="See README.md beside it.")
    p.add_argument("--pass", dest="passes", type=listed(str, ("fwd", "bwd", "step")),
                   default=["fwd", "bwd", "step"], help="fwd,bwd,step")
    p.add_argument("--dtype", type=listed(str, ("f32", "bf16")), default=["f32", "bf16"])
    p.add_argument("--mask", type=listed(str, ("full", "causal")), default=["full", "causal"])
    p.add_argument("--width", type=listed(int), default=[64, 128], help="of a head: 64,128")
    p.add_argument("--length", type=listed(int), help="512,1024,2048,4096")
    p.add_argument("--keys", type=listed(int), default=[4096, 16384, 65536], help="of a decoding step")
    p.add_argument("--threads", type=listed(int), default=[1, 2])
    p.add_argument("--long", action="store_true", help="lengths 8192 and 16384 as well")
    p.add_argument("--peers", type=listed(str), help="only arms whose names contain one of these")
    p.add_argument("--ours", type=chosen, default={}, metavar="PASS=METHOD/VARIANT,...",
                   help="other variants of attest than the usual ones")
    p.add_argument("--rounds", type=int, default=8, help="of two bursts an arm; 6 or more for intervals")
    p.add_argument("--restarts", type=int, default=1,
                   help="that many processes an arm, each for all rounds; 6 or more for intervals")
    p.add_argument("--burst-ms", type=float, default=60)
    p.add_argument("--gap-ms", type=float, default=5)
    p.add_argument("--timeout", type=float, default=300, metavar="SECONDS", help="for one answer")
    p.add_argument("--cores", type=listed(int), help="which, best first; default: all allowed ones")
    p.add_argument("--realtime", type=int, default=0, metavar="PRIORITY",
                   help="run all arms alike under SCHED_FIFO (needs the right to)")
    p.add_argument("--venv", type=pathlib.Path, default=environment.default_path())
    p.add_argument("--without", type=listed(str), default=[], help="distributions not to install")
    p.add_argument("--pip", action="append", default=[], metavar="ARGUMENT", help="passed on to pip")
    p.add_argument("--build", default="build", help="directory of attest's build, from the root")
    p.add_argument("--json", type=pathlib.Path, metavar="FILE", help="everything, every burst")
    p.add_argument("--set-up", action="store_true", help="install, then stop")
    p.add_argument("--list", action="store_true", help="print cases and arms, then stop")
    options = p.parse_args()
    lengths = options.length or [512, 1024, 2048, 4096]
    options.length = lengths + ([8192, 16384] if options.long else [])
    options.cores = options.cores or sorted(os.sched_getaffinity(0))
    options.threads = [t for t in options.threads if t <= len(options.cores)]
    return options


def measure_all(grid, options):
    """What main() reports: (measured, facts, says)."""
    have = environment.installed(options.venv)
    program = build_ours(options)
    facts, measured = facts_of(options, have), []
    runners = {t: runners_of(options, have, program) for t in options.threads}
    says = {arm.name: arm.computes for arm, _ in next(iter(runners.values()))[1]}
    try:
        for i, case in enumerate(grid):
            if i and dataclasses.replace(grid[i - 1], threads=case.threads) != case:
                forget(options)
            print(f"[{i + 1}/{len(grid)}] {case.title()}", file=sys.stderr)
            measured.append((case, measure(case, runners[case.threads], options)))
            if options.json:
                options.json.write_text(report.to_json(measured, facts, says))
    except KeyboardInterrupt:
        print("interrupted: what was measured so far follows", file=sys.stderr)
    finally:
        for ours, peers in runners.values():
            for runner in (ours, *(r for _, r in peers)):
                runner.end()
    return measured, facts, says


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)      # as Ctrl-C: report, end the arms
    grid = cases.grid(options.passes, options.dtype, options.length, options.keys, options.width,
                      options.mask, options.threads)
    if options.list:
        for case in grid:
            print(case.title() + ": " + ", ".join(a.name for a in arms.ALL if not a().refuses(case)))
        return 0
    for what, why in environment.set_up(options.venv, options.without, options.pip).items():
        print(f"left out: {what}: {why}", file=sys.stderr)
    if options.set_up:
        return 0
    with tempfile.TemporaryDirectory(prefix="attest-peers-") as options.kept:
        print(report.markdown(*measure_all(grid, options)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
