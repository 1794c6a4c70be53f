# SPDX-License-Identifier: Apache-2.0
"""The persistent process of one arm. Reads requests, one a line, and answers each with one line:

    open CASE      ->  ok ERROR CALL_NS VERSION   or   no REASON       (CASE: a JSON object)
    burst CALLS    ->  ns NS NS ...                                    (one number a call)
    close          ->  ok

Start-up, conversion of the inputs and checking are over before the first burst is asked for."""
import gc
import importlib.metadata
import json
import os
import sys
import time

import arms
import case as cases

FIRST_CALLS = 3


def make(arm, text):
    import reference
    case = cases.Case(**json.loads(text))
    directory = os.environ.get("ATTEST_PEERS_KEPT")
    data = reference.inputs(case, directory)
    arm.open(case, data)
    arm.before_burst(FIRST_CALLS)
    arm.call()
    times = timed(arm, FIRST_CALLS)
    arm.before_check()
    error = reference.error(case, data, arm.outputs(), directory)
    allowed = reference.TOLERANCE[case.do, case.dtype]
    if not error <= allowed:
        return f"no wrong: off by {error:.3g} of the largest value, {allowed:.3g} is allowed"
    return f"ok {error:.3g} {min(times)} {importlib.metadata.version(arm.package)}"


def timed(arm, calls):
    call, now = arm.call, time.perf_counter_ns
    stamps = [0] * (calls + 1)
    stamps[0] = now()
    for i in range(1, calls + 1):
        call()
        stamps[i] = now()
    return [after - before for before, after in zip(stamps, stamps[1:])]


def burst(arm, calls):
    """One untimed call fetches the arm's data back into the caches, where a call is short enough
    for that to matter."""
    arm.before_burst(calls)
    if calls > 1:
        arm.call()
    return "ns " + " ".join(map(str, timed(arm, calls)))


def answer(arm, line):
    verb, _, rest = line.partition(" ")
    try:
        if verb == "open":
            return make(arm, rest)
        if verb == "burst":
            return burst(arm, int(rest))
        arm.close()
        gc.collect()
        return "ok"
    except Exception as trouble:      # whatever a library raises is that arm's outcome
        return f"no {type(trouble).__name__}: {' '.join(str(trouble).split())[:300]}"


def main():
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)                     # libraries may print: not into the replies
    arm = arms.find(sys.argv[1])()
    gc.disable()
    for line in sys.stdin:
        print(answer(arm, line.rstrip("\n")), file=replies, flush=True)


if __name__ == "__main__":
    main()
