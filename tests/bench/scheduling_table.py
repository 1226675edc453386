"""Writes tests/bench/results/scheduling.md, and the same figures as summary.json, from the kept results."""
import collections
import json

import numpy as np
from scipy.stats import wilcoxon

import scheduling_steel
from bench_support import RESULTS, machine
from scheduling_curves import problems
from scheduling_runner import BUDGET, SLOW, SLOW_BUDGET, TRIALS, WORKERS, Kept, unit_of
from scheduling_tuners import OURS, PEERS
from strategies_statistics import holm
from strategies_table import table

NAMES = {"none": "ours, unstopped", "random": "random, unstopped", "optuna-tpe": "Optuna TPE, unstopped",
         "optuna-median": "Optuna TPE, median", "optuna-asha": "Optuna TPE, ASHA", "optuna-hyperband": "Optuna TPE, hyperband",
         "ray-asha": "Ray ASHA", "syne-asha": "Syne Tune ASHA", "syne-asha-pause": "Syne Tune ASHA, pauses",
         "syne-mobster": "MOBSTER", "syne-hypertune": "Hyper-Tune"}
KEPT = RESULTS / "scheduling"
RULES = [rule for rule in OURS if rule != "none"]
SHARES = (0.5, 1.0, 2.0)  # of the unit, where losses after equal device time are compared
LEAST_SEEDS = 6  # fewer can show nothing at 5 %


def name_of(tuner):
    return NAMES.get(tuner, f"ours, {tuner}")


def loss_at(run, kind, seconds):
    """The best loss after so much device time; infinite where there is none yet."""
    return min((value for device, value in run[kind] if device <= seconds), default=np.inf)


class Results:
    """The kept runs of all tuners, those of the problems that still exist."""

    def __init__(self, folder):
        self.kept = {tuner: Kept(folder, tuner) for tuner in (*OURS, *PEERS)}
        # Another program's results, in a folder of their own, are held against the peers' runs that are kept here.
        self.kept |= {peer: Kept(KEPT, peer) for peer in PEERS if not self.kept[peer].runs}
        self.kept = {tuner: kept for tuner, kept in self.kept.items() if kept.runs}
        self.problems = [problem for problem in problems() if (problem.name, 0) in self.kept["none"].runs]
        self.units = {problem.name: unit_of(self.kept["none"].runs, problem.name) for problem in self.problems}
        self.runs = collections.defaultdict(dict)  # [problem, tuner] = {seed: run}
        for tuner, kept in self.kept.items():
            for (problem, seed), run in kept.runs.items():
                if problem in self.units:
                    self.runs[problem, tuner][seed] = run

    def ratio(self, problem, tuner, kind, seed):
        """Device time to the target in units; what was not reached counts as the budget."""
        unit = self.units[problem]
        reached = next((device for device, value in self.runs[problem, tuner][seed][kind] if value <= unit["value"]), np.inf)
        return min(reached / unit["seconds"], SLOW_BUDGET if tuner in SLOW else BUDGET)

    def median_ratio(self, problem, tuner, kind="any", seeds=None):
        found = [self.ratio(problem, tuner, kind, seed) for seed in self.runs[problem, tuner] if seeds is None or seed in seeds]
        return float(np.median(found)) if found else None

    def over_problems(self, tuner, kind="any"):
        found = [self.median_ratio(problem.name, tuner, kind) for problem in self.problems]
        found = [value for value in found if value is not None]
        return float(np.median(found)) if found else None

    def ahead(self, ours, peer, kind="any"):
        """[problems on which ours is ahead, behind, level], by the medians over the seeds that both have."""
        counts = [0, 0, 0]
        for problem in self.problems:
            seeds = set(self.runs[problem.name, ours]) & set(self.runs[problem.name, peer])
            if seeds:
                a, b = (self.median_ratio(problem.name, tuner, kind, seeds) for tuner in (ours, peer))
                counts[0 if a < b else 1 if a > b else 2] += 1
        return counts

    def equal_time(self, tuner, share):
        """[(problem, median of the paired differences, adjusted p, "better" | "worse" | "")]: losses beside the unstopped search."""
        rows = []
        for problem in self.problems:
            ours, unstopped = self.runs[problem.name, tuner], self.runs[problem.name, "none"]
            seeds = sorted(set(ours) & set(unstopped))
            seconds = share * self.units[problem.name]["seconds"]
            a, b = (np.array([loss_at(runs[seed], "any", seconds) for seed in seeds]) for runs in (ours, unstopped))
            # No loss so far is worse than any.
            worst = 1 + np.max([loss for loss in (*a, *b) if np.isfinite(loss)], initial=0.0)
            differences = np.where(np.isfinite(a), a, worst) - np.where(np.isfinite(b), b, worst)
            if len(differences) >= LEAST_SEEDS:
                p = wilcoxon(differences).pvalue if differences.any() else 1.0
                rows.append((problem.name, differences, p))
        adjusted = holm([p for _, _, p in rows]) if rows else []
        return [(name, float(np.median(differences)), float(p), "" if p >= 0.05 else "worse" if signed_sum(differences) > 0 else "better")
                for (name, differences, _), p in zip(rows, adjusted)]

    def thinking(self, tuner):
        """Processor seconds of the tuner a trial begun."""
        runs = self.kept[tuner].runs.values()
        return sum(run["thinking"] for run in runs) / sum(run["trials"] for run in runs)

    def seeds(self, tuner):
        counts = [len(self.runs[problem.name, tuner]) for problem in self.problems]
        return f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)}-{max(counts)}"


def signed_sum(differences):
    """The sign of Wilcoxon's statistic: whose signed ranks weigh more."""
    from scipy.stats import rankdata
    other = differences[differences != 0]
    return float((np.sign(other) * rankdata(np.abs(other))).sum())


def floor(problem, target, unit):
    """The least device time, in units, in which anybody could reach the target: its quickest training first, all workers busy."""
    if problem.only_ends_count:
        return WORKERS * problem.full_seconds / unit
    hits = problem.values <= target * (1 + 1e-5 * np.sign(target))  # kept results are rounded
    first = hits.argmax(1)
    seconds = problem.seconds[np.arange(len(first)), first][hits.any(1)]
    return WORKERS * float(seconds.min()) / unit


def floors(results):
    units = results.units
    return {problem.name: floor(problem, units[problem.name]["value"], units[problem.name]["seconds"]) for problem in results.problems}


def number(value):
    return "-" if value is None else f"{value:.2f}"


def summary(results):
    found = {"workers": WORKERS, "trials": TRIALS, "budget": BUDGET, "tuners": {}, "problems": {}, "ahead": {}, "equal_time": {}}
    least = floors(results)
    for tuner in results.kept:
        found["tuners"][tuner] = {"version": results.kept[tuner].version, "seeds": results.seeds(tuner),
                                  "ratio": results.over_problems(tuner), "ratio_completed_only": results.over_problems(tuner, "ended"),
                                  "thinking_s_per_trial": results.thinking(tuner)}
    for problem in results.problems:
        found["problems"][problem.name] = {"floor": least[problem.name], "steps": problem.steps, "ratio": {
            tuner: results.median_ratio(problem.name, tuner) for tuner in results.kept}}
    peers = [peer for peer in PEERS if peer in results.kept]
    for rule in RULES:
        if rule in results.kept:
            found["ahead"][rule] = {peer: dict(zip(("ahead", "behind", "level"), results.ahead(rule, peer))) for peer in ("none", *peers)}
            found["equal_time"][rule] = {str(share): results.equal_time(rule, share) for share in SHARES}
    return found


def replay_lines(results, found):
    tuners = list(results.kept)
    rows = [[name, about["steps"], number(about["floor"]), *(number(about["ratio"][tuner]) for tuner in tuners)]
            for name, about in found["problems"].items()]
    for title, key in (("**median over problems**", "ratio"), ("the same, completed trials alone", "ratio_completed_only")):
        rows.append([title, "", "", *(number(found["tuners"][tuner][key]) for tuner in tuners)])
    rows.append(["seeds", "", "", *(found["tuners"][tuner]["seeds"] for tuner in tuners)])
    rows.append(["thinking, ms a trial", "", "", *(f"{1000 * found['tuners'][tuner]['thinking_s_per_trial']:.1f}" for tuner in tuners)])
    lines = ["## Device time to what the unstopped search reaches in 20 trials", "",
             "In units of the device time of these 20 trials; the medians over seeds, of the target and of the unit too. `floor` is the "
             f"least that is possible on {WORKERS} workers: the quickest training that reaches the value comes first, and the others are "
             "busy meanwhile.", "",
             *table(["problem", "steps", "floor", *map(name_of, tuners)], rows)]
    opponents = [peer for peer in ("none", *PEERS) if peer in results.kept]
    rows = []
    for rule, against in found["ahead"].items():
        rows.append([name_of(rule), *("{ahead}, {behind}, {level}".format(**against[peer]) for peer in opponents)])
    lines += ["On how many problems ours is ahead, behind, level (the same value) by this median, over the seeds that both have:", "",
              *table(["", *map(name_of, opponents)], rows)]
    rows = []
    for rule, shares in found["equal_time"].items():
        for share, compared in shares.items():
            if not compared:
                continue
            words = {word: [name for name, _, _, verdict in compared if verdict == word] for word in ("better", "worse")}
            rows.append([name_of(rule), share, len(compared), len(words["better"]), len(words["worse"]), ", ".join(words["worse"]) or "-"])
    lines += ["## Loss after equal device time, beside the unstopped search", "",
              "Wilcoxon's signed-rank test over the seeds at 5 %, Holm's correction over the problems.", "",
              *(table(["", "device time, units", "problems", "significantly better", "significantly worse", "where"], rows) if rows else
               [f"No rule has {LEAST_SEEDS} seeds of a problem yet.", ""])]
    return lines


def verdict_lines(folder):
    path = folder / "verdict.json"
    if not path.exists():
        return []
    found = json.loads(path.read_text())
    rows = [[rule, *(f"{found['rules'][rule][key]:.3f}" for key in ("bare_ms", "rung_ms", "rung_worst_ms", "step_ms"))]
            for rule in found["rules"]]
    return [f"## Time of a verdict with {found['trials']} trials", "",
            "Processor time of `tune ask-tell` for a line `report`, less that of a line that judges nothing.", "",
            *table(["rule", "bare line, ms", "verdict at a third or a ninth, median, ms", "slowest, ms", "at other steps, median, ms"], rows)]


def steel_lines(folder):
    path = folder / "steel.json"
    if not path.exists():
        return []
    found = json.loads(path.read_text())
    return ["## Real searches on photographs", "",
            f"`{found['model']}`, {found['images']} photographs, {found['epochs']} epochs. Two trials at once, which share the machine.", "",
            *table(["rule", "searches", "best validation mAP, mean", "its deviation", "device time, s", "of the unstopped search's"],
                   scheduling_steel.rows(path))]


def write(folder):
    results = Results(folder)
    if "none" not in results.kept:
        return
    found = summary(results)
    (folder / "summary.json").write_text(json.dumps(found, indent=1) + "\n")
    origins = collections.Counter(problem.origin for problem in results.problems)
    versions = ", ".join(f"{name_of(tuner)}: {about['version']}" for tuner, about in found["tuners"].items())
    lines = ["# Stop rules beside their peers", "", machine() + ".", "",
             f"{WORKERS} simulated workers replay recorded learning curves with the processor time that each step took. A tuner proposes any "
             "point of the space; the nearest recorded configuration in the unit cube answers, for everybody alike. Everybody is told the "
             "best loss of the training so far after each step, and its end. What a training reports counts from that step on, of "
             "Hartmann's functions with fidelities only the last step. A paused trial goes on where it was. The tuner's thinking takes "
             "no device time. "
             f"A run ends after {BUDGET:g} units of device time, and what was not reached counts as that ({SLOW_BUDGET:g} of MOBSTER and "
             "Hyper-Tune, whose runs end then, or after two minutes of thinking).", "",
             "Ours is the strategy `auto` with each rule, on its defaults, with `max_step`. Peers are on their defaults; Hyperband and "
             "Hyper-Tune are told the length of a training, Hyper-Tune pauses and has up to 4 brackets.", "",
             "Versions: " + versions + ". Curves: " + "; ".join(f"{count} of {origin}" for origin, count in origins.items()) + ".", ""]
    missing = [name_of(tuner) for tuner in (*OURS, *PEERS) if tuner not in results.kept]
    if missing:
        lines += ["Without results yet: " + ", ".join(missing) + ".", ""]
    lines += replay_lines(results, found) + verdict_lines(folder) + steel_lines(folder)
    text = "\n".join(lines).rstrip() + "\n"
    (RESULTS / "scheduling.md" if folder == KEPT else folder / "scheduling.md").write_text(text)
