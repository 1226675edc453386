"""From kept runs to ranks and tests: cells of regrets, mean ranks, Wilcoxon's rank-sum test with Holm's correction."""
import collections

import numpy as np
from scipy.stats import mannwhitneyu, rankdata

from strategies_runner import CHECKPOINTS, read

# Below this a regret is rounding, and two such are alike.
SOLVED = 1e-9


def cells(kept, part, tuners, trials):
    """{(problem, workers, trials so far): {tuner: its regrets, one a seed}}"""
    found = collections.defaultdict(dict)
    for tuner in tuners:
        _, runs = read(kept / f"{part}-{tuner}.jsonl")
        for (problem, workers, _), run in sorted(runs.items()):
            for count, regret in zip(CHECKPOINTS[trials], run["regret"]):
                value = np.inf if regret is None else max(regret, SOLVED)
                found[problem, workers, count].setdefault(tuner, []).append(value)
    return found


def mean_ranks(found, tuners):
    """Mean rank of the median regret over the cells that all these tuners have (1 is best, equal ones share): (ranks, cells)."""
    ranks = [rankdata([np.median(cell[tuner]) for tuner in tuners]) for cell in found.values() if all(t in cell for t in tuners)]
    return (dict(zip(tuners, np.mean(ranks, 0))) if ranks else {}), len(ranks)


def holm(p_values):
    """Holm's step-down correction: the adjusted p-value of each."""
    p = np.asarray(p_values, float)
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p)))))
    return adjusted


def compare(found, ours, peer, level=0.05):
    """One row for each cell that both have: (cell, median of ours, of the peer, adjusted p, "win" | "loss" | "").

    The seeds are unpaired, hence the rank-sum test; the correction is over all these cells.
    """
    shared = [(cell, values[ours], values[peer]) for cell, values in found.items() if ours in values and peer in values]
    if not shared:
        return []
    tests = [mannwhitneyu(a, b, alternative="two-sided").pvalue for _, a, b in shared]
    rows = []
    for (cell, a, b), p in zip(shared, holm(np.nan_to_num(tests, nan=1.0))):
        better = np.mean(rankdata(a + b)[:len(a)]) < np.mean(rankdata(a + b)[len(a):])
        rows.append((cell, float(np.median(a)), float(np.median(b)), float(p), ("win" if better else "loss") if p < level else ""))
    return rows


def challenge_scores(kept, tuners):
    """{tuner: (mean score, {problem: score})} as in the NeurIPS 2020 challenge: 100 (1 - (best - optimum) / (clip - optimum)).

    The clip is the median of random search after one evaluation; the optimum is the best value that any run here has seen.
    """
    runs = {tuner: read(kept / f"models-{tuner}.jsonl")[1] for tuner in tuners}
    optimum, single = {}, collections.defaultdict(list)
    for tuner, found in runs.items():
        for (problem, _, _), run in found.items():
            optimum[problem] = min(optimum.get(problem, np.inf), run["regret"][-1])
            single[problem] += [value for value in run.get("values", ()) if value is not None]
    scores = {}
    for tuner, found in runs.items():
        by_problem = collections.defaultdict(list)
        for (problem, _, _), run in found.items():
            clip = np.median(single[problem])
            reached = [min(clip if value is None else value, clip) for value in run["regret"]]
            by_problem[problem].append([100 * (1 - (value - optimum[problem]) / (clip - optimum[problem])) for value in reached])
        if by_problem:
            scores[tuner] = {problem: np.mean(values, 0) for problem, values in by_problem.items()}
    return scores
