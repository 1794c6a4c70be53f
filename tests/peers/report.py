# SPDX-License-Identifier: Apache-2.0
"""Results as Markdown for people and as JSON for programs."""
import dataclasses
import json

import intervals


def rate(case, stored, time_ns):
    return case.work(stored) / time_ns


def ratios(result, ours):
    """Time of the peer over time of ours, one value a round: above 1, ours is faster. Both bursts of
    a round count alike, so that a drift within it cancels. Where the arms were restarted, one value
    for each process instead: rounds in one process share its luck in memory."""
    each = [(a * b / (c * d)) ** 0.5 for (a, b), (c, d) in zip(pairs(result), pairs(ours))]
    together = len(each) // result["restarts"] if result["restarts"] > 1 else 1
    return [intervals.geometric_mean(each[i:i + together]) for i in range(0, len(each), together)]


def pairs(result):
    return zip(result["burst_ns"][0::2], result["burst_ns"][1::2])


def summary(case, result, ours):
    """What the table says of one arm; `ours` None or without bursts: no ratio."""
    out = {"arm": result["arm"], "stored": result["stored"], "version": result.get("version"),
           "error": result.get("error"), "reason": result.get("reason")}
    if not result["burst_ns"]:
        return out
    out["best"] = rate(case, result["stored"], result["best_ns"])
    out["median"] = rate(case, result["stored"], intervals.median(result["burst_ns"]))
    out["unit"] = case.unit()
    if ours and ours["burst_ns"] and ours is not result:
        values = ratios(result, ours)
        out["ratio"], out["interval"] = intervals.median(values), intervals.median_interval(values)
    return out


def _ratio_text(row):
    if "ratio" not in row:
        return ""
    low_high = row["interval"]
    return f"{row['ratio']:.2f}" + (f" [{low_high[0]:.2f}, {low_high[1]:.2f}]" if low_high else "")


COLUMNS = ("case", "arm", "stored", "best", "median", "", "peer's time / ours [95 %]", "error")


def _row(case, row):
    if "best" not in row:
        return (case.title(), row["arm"], row["stored"], "", "", "", row["reason"] or "", "")
    return (case.title(), row["arm"], row["stored"], f"{row['best']:.1f}", f"{row['median']:.1f}",
            row["unit"], _ratio_text(row), f"{row['error']:.1e}")


def markdown(measured, facts, says):
    """`measured`: a list of (case, results), ours first; `says`: arm -> what it computes."""
    out = [f"- {name}: {value}" for name, value in facts.items()]
    out += ["", "Best: the fastest single call; median: of the bursts' means. A ratio above 1 says that "
            "attest is faster.", ""]
    lines = [COLUMNS, ("---",) * len(COLUMNS)]
    for case, results in measured:
        lines += [_row(case, summary(case, r, results[0])) for r in results]
    out += ["| " + " | ".join(line) + " |" for line in lines]
    out += ["", "What each computes:", ""]
    out += [f"- {name}: {text}." for name, text in says.items()]
    return "\n".join([*out, "", *closest(measured), *training(measured)])


def closest(measured):
    """Per case, the fastest peer and how far ours is ahead of it."""
    out = ["| case | fastest peer | its time / ours [95 %] |", "| --- | --- | --- |"]
    for case, results in measured:
        rows = [summary(case, r, results[0]) for r in results[1:]]
        rows = [r for r in rows if "ratio" in r]
        if rows:
            row = min(rows, key=lambda r: r["ratio"])
            out.append(f"| {case.title()} | {row['arm']} | {_ratio_text(row)} |")
    return out


def medians(measured, do):
    """(case but for its pass, arm) -> median time, of the cases of one pass."""
    return {(dataclasses.replace(case, do=""), r["arm"]): intervals.median(r["burst_ns"])
            for case, results in measured if case.do == do for r in results if r["burst_ns"]}


def training(measured):
    """Forward and backward together, which is fair to those that store what others compute again:
    no rows where only one of the two passes was measured."""
    fwd, bwd = medians(measured, "fwd"), medians(measured, "bwd")
    both = {key: fwd[key] + bwd[key] for key in bwd if key in fwd}
    lines = [f"| {case.title().strip()} | {arm} | {ns / both[case, 'attest']:.2f} |"
             for (case, arm), ns in both.items() if arm != "attest" and (case, "attest") in both]
    head = ["", "Forward and backward, by the sum of the medians:", "",
            "| case | peer | its time / ours |", "| --- | --- | --- |"]
    return head + lines if lines else []


def to_json(measured, facts, says):
    cases = [{"case": vars(case), "title": case.title(),
              "arms": [{**summary(case, r, results[0]), "best_ns": r.get("best_ns"),
                        "burst_ns": r["burst_ns"], "calls": r.get("calls")} for r in results]}
             for case, results in measured]
    return json.dumps({"facts": facts, "computes": says, "cases": cases}, indent=1)
