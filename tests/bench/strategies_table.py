"""Writes tests/bench/results/strategies.md from the kept results."""
import json

import numpy as np

from bench_support import RESULTS, machine
from strategies_plan import PARTS
from strategies_runner import read
from strategies_statistics import cells, challenge_scores, compare, mean_ranks

OURS = ("auto", "bayesian", "tpe")
NAMES = {"auto": "tune auto", "bayesian": "tune bayesian", "tpe": "tune tpe", "optuna-tpe": "Optuna TPESampler",
         "optuna-gp": "Optuna GPSampler", "optuna-cma": "Optuna CmaEsSampler", "random": "random search", "smac": "SMAC",
         "botorch": "BoTorch qLogNEI", "skopt": "scikit-optimize"}
MAIN = ("optuna-tpe", "optuna-gp", "random")
MORE = ("optuna-cma", "smac", "botorch", "skopt")


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows] + [""]


def number(value):
    return "-" if value is None or not np.isfinite(value) else f"{value:.2g}" if value < 100 else f"{value:.0f}"


def time_section(kept):
    path = kept / "time.json"
    if not path.exists():
        return []
    results = json.loads(path.read_text())
    def ms(name, size):
        return results.get(name, {}).get(size, {}).get("processor_ms")

    def ratio(peer, ours, size):
        return f"{ms(peer, size) / ms(ours, size):.1f}" if ms(peer, size) and ms(ours, size) else "-"

    rows = []
    for size in results["bayesian"]:
        longest = max(sizes[size]["worst_wall_ms"] for name, sizes in results.items() if name in OURS)
        rows.append([size, ms("bayesian", size), ms("optuna-gp", size), ratio("optuna-gp", "bayesian", size),
                     ms("tpe", size) or "-", ms("optuna-tpe", size), ratio("optuna-tpe", "tpe", size), ms("auto", size), longest])
    return ["## Time of one suggestion, ms of one core", "",
            "6 floats, seven trials pending, refits counted in; the mean of ten suggestions made in a row (GPSampler stops at a minute)"
            " after one that is not counted. It is time on a processor, so that other programs on the machine do not count; ours is"
            " that of the process behind `tune ask-tell`. The last column is wall time, with whatever else was running.", "",
            *table(["observations", "tune bayesian", "Optuna GPSampler", "ratio", "tune tpe", "Optuna TPESampler", "ratio", "tune auto",
                    "longest of ours, wall"], rows)]


def seeds_of(kept, part, tuners):
    counts = []
    for tuner in tuners:
        runs = read(kept / f"{part}-{tuner}.jsonl")[1]
        if runs:
            by_cell = {}
            for problem, workers, seed in runs:
                by_cell.setdefault((problem, workers), set()).add(seed)
            least, most = min(map(len, by_cell.values())), max(map(len, by_cell.values()))
            counts.append(f"{NAMES[tuner]} {least if least == most else f'{least} to {most}'}")
    return "Seeds: " + ", ".join(counts) + "."


def rank_rows(found, peers):
    """One row for each of ours among the peers, then the peers' own beside `auto`; over cells that all of them have."""
    rows = []
    ours = [tuner for tuner in OURS if any(tuner in cell for cell in found.values())]
    for tuner in ours:
        ranks, count = mean_ranks(found, (tuner, *peers))
        if ranks:
            rows.append([NAMES[tuner], f"{ranks[tuner]:.2f}", count])
    ranks, count = mean_ranks(found, (*ours[:1], *peers))
    return rows + [[NAMES[peer], f"{ranks[peer]:.2f}", count] for peer in peers if peer in ranks]


def verdict_rows(found, peers):
    rows = []
    for tuner in OURS:
        for peer in peers:
            compared = compare(found, tuner, peer)
            if compared:
                won, lost = (sum(row[-1] == word for row in compared) for word in ("win", "loss"))
                better = sum(row[1] < row[2] for row in compared)
                rows.append([NAMES[tuner], NAMES[peer], len(compared), won, lost, len(compared) - won - lost, better])
    return rows


def regret_section(kept, part, title, text, peers, slow=()):
    trials = PARTS[part].trials
    tuners = [t for t in (*OURS, *peers, *slow) if read(kept / f"{part}-{t}.jsonl")[1]]
    found = cells(kept, part, tuners, trials)
    if not found:
        return []
    present = [peer for peer in peers if peer in tuners]
    lines = [f"## {title}", "", text + " " + seeds_of(kept, part, tuners), ""]
    lines += table(["mean rank of the median (each of ours among the peers)", "rank", "cells"], rank_rows(found, present))
    few = [peer for peer in slow if peer in tuners]
    if few and mean_ranks(found, (*present, *few))[1]:
        lines += table(["the same with the peers of few seeds", "rank", "cells"], rank_rows(found, (*present, *few)))
    lines += table(["", "against", "cells", "significant wins", "significant losses", "neither", "lower median"],
                   verdict_rows(found, (*present, *few)))
    rows = [[problem, workers, count, *(number(np.median(cell[t])) if t in cell else "-" for t in tuners)]
            for (problem, workers, count), cell in sorted(found.items(), key=lambda item: (item[0][0], item[0][1], item[0][2]))]
    return lines + ["Median regret:", "", *table(["problem", "workers", "trials", *(NAMES[t] for t in tuners)], rows)]


def failure_section(kept):
    problems = sorted(problem.name for problem in PARTS["finetune"].problems())
    rows = []
    for tuner in (*OURS, *MAIN, *MORE):
        runs = read(kept / f"finetune-{tuner}.jsonl")[1]
        if {problem for problem, _, _ in runs} != set(problems):
            continue
        failed = {problem: [run["failed"] for (p, _, _), run in runs.items() if p == problem] for problem in problems}
        rows.append([NAMES[tuner], *(f"{np.mean(failed[problem]):.0f}" for problem in problems),
                     f"{np.mean([np.mean(counts) for counts in failed.values()]):.1f}"])
    return ["Failed trials of 100, mean over the seeds:", "", *table(["", *problems, "all"], rows)] if rows else []


def models_section(kept):
    tuners = [t for t in (*OURS, *MAIN) if (kept / f"models-{t}.jsonl").exists()]
    scores = challenge_scores(kept, tuners)
    if "random" not in scores:
        return []
    order = [tuner for tuner in tuners if tuner in scores]
    problems = sorted(set.intersection(*(set(scores[tuner]) for tuner in order)))
    rows = [[problem, *(f"{scores[t][problem][-1]:.1f}" for t in order)] for problem in problems]
    for place, rounds in ((1, 4), (2, 8), (3, 16)):
        means = [np.mean([scores[t][problem][place] for problem in problems]) for t in order]
        rows.append([f"**mean after {rounds} rounds**", *(f"**{mean:.2f}**" for mean in means)])
    return ["## Real models, 16 rounds of 8", "",
            "Score as in the NeurIPS 2020 black-box challenge: 0 is the median of one random evaluation, 100 the best that any run here"
            " has seen. " + seeds_of(kept, "models", order), "", *table(["problem", *(NAMES[t] for t in order)], rows)]


def programs(kept):
    """The versions of `tune` that made the kept results: more than one means that the table mixes them."""
    found = {read(kept / f"{part}-{tuner}.jsonl")[0].get("version") for part in PARTS for tuner in OURS} - {None}
    return ", ".join(sorted(found)) or "none"


def write(kept, versions):
    lines = ["# Strategies beside their peers", "", machine() + ". The program tune that was measured: " + programs(kept) + ".", "",
             "Peers on their defaults, one thread each: " + ", ".join(f"{name} {version}" for name, version in versions.items()) + ". "
             "NumPy and SciPy with the OpenBLAS of their wheels, torch for the CPU.", "",
             "Regret is the best true value so far less the optimum. Workers are simulated, with the same log-normal run times for all"
             " tuners. A win or loss is significant at 5 % by Wilcoxon's rank-sum test after Holm's correction over all cells of its"
             " row.", ""]
    lines += time_section(kept)
    lines += regret_section(kept, "regret", "Known functions, with and without noise",
                            "The peers of few seeds ran on eight workers without noise.", MAIN, ("botorch", "smac", "skopt"))
    lines += regret_section(kept, "heldout", "Held-out functions, 8 workers", "Shifted, so that no optimum is in the centre.",
                            ("optuna-tpe", "optuna-gp", "optuna-cma", "random"), ("botorch", "smac", "skopt"))
    lines += regret_section(kept, "finetune", "Fine-tuning spaces: mixed, conditional, with failures, 8 workers",
                            "Running out of memory and divergence fail.", ("optuna-tpe", "optuna-gp", "optuna-cma", "random"), ("smac",))
    lines += failure_section(kept)
    lines += models_section(kept)
    RESULTS.joinpath("strategies.md").write_text("\n".join(lines).rstrip() + "\n")
