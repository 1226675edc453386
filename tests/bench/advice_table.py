"""Writes tests/bench/results/advice.md from the kept trainings."""
import numpy as np
from scipy.stats import t

from bench_support import RESULTS, machine

NAMES = {"neu": "NEU-DET's six defects", "mnist": "MNIST, 5,000 digits", "elpv": "ELPV's solar cells, defective or not"}
LEVEL = 0.95
PROBE = 0.79  # of a linear probe on frozen features at 224 pixels, 400 images to learn from, 200 to test on


def half_interval(values):
    """Of the mean, by Student's t; infinite for a single value."""
    if len(values) < 2:
        return float("inf")
    return float(t.ppf((1 + LEVEL) / 2, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))


def with_interval(values):
    half = half_interval(values)
    return f"{np.mean(values):.3f}" + (f" ± {half:.3f}" if np.isfinite(half) else "")


class Cell:
    """The results of one data set with one number of images."""

    def __init__(self, name, per_class, rows):
        self.name, self.per_class = name, per_class
        self.accuracy, self.advice, self.images, self.test_images, self.seconds = {}, {}, 0, 0, []
        for row in rows:
            if row["strategy"] == "advice":
                self.advice[row["seed"]] = row
                continue
            self.accuracy.setdefault(row["strategy"], {})[row["seed"]] = row["accuracy"]
            self.images, self.test_images, self.epochs, self.size = (row[key] for key in ("images", "test_images", "epochs", "size"))
            if row["strategy"] == "full":
                self.seconds.append(row["seconds"])

    def is_whole(self, strategies):
        return all(strategy in self.accuracy for strategy in strategies) and bool(self.advice)

    def mean(self, strategy):
        return float(np.mean(list(self.accuracy[strategy].values())))

    def winner(self):
        return max(self.accuracy, key=self.mean)

    def behind(self, strategy):
        """How far a strategy is behind the winner: (mean of the differences by seed, half of its interval)."""
        mine, best = self.accuracy[strategy], self.accuracy[self.winner()]
        seeds = sorted(set(mine) & set(best))
        differences = [best[seed] - mine[seed] for seed in seeds]
        # Chance in the test images, which three seeds may hide: of a difference of two shares of so many images.
        share = np.mean([best[seed] for seed in seeds])
        of_images = 1.96 * np.sqrt(2 * share * (1 - share) / (self.test_images * len(seeds)))
        half = half_interval(differences)
        return float(np.mean(differences)), max(half if np.isfinite(half) else 0.0, float(of_images))

    def is_right(self, strategy):
        """It wins, or is not distinguishable from what wins."""
        gap, half = self.behind(strategy)
        return gap <= half

    def verdicts(self):
        return [self.is_right(row["advised"]) for row in self.advice.values()]


def cells_of(rows):
    found = {}
    for row in rows:
        found.setdefault((row["set"], row["per_class"]), []).append(row)
    order = sorted(found, key=lambda key: (list(NAMES).index(key[0]), key[1] or 10**9))
    return [Cell(*key, found[key]) for key in order]


def most_common(names):
    return max(sorted(set(names)), key=list(names).count)


def row_of(cell, strategies):
    advised = [row["advised"] for row in cell.advice.values()]
    verdicts = cell.verdicts()
    winner = cell.winner()
    marked = [f"**{with_interval(list(cell.accuracy[s].values()))}**" if s == winner else
              with_interval(list(cell.accuracy[s].values())) for s in strategies]
    gap, half = cell.behind(most_common(advised))
    return [cell.per_class or "all", cell.images, f"{cell.epochs} at {cell.size}", *marked,
            ", ".join(f"{name} {advised.count(name)}" for name in sorted(set(advised))),
            f"{gap:.3f} ± {half:.3f}" if gap > 0 else "wins", f"{sum(verdicts)} of {len(verdicts)}"]


def probe_lines(cells):
    """Fine-tuning beside the frozen features, on as many solar cells as the probes had."""
    lines = []
    for cell in cells:
        if cell.name != "elpv" or cell.per_class != 200:
            continue
        tuned = max(("partial", "full"), key=cell.mean)
        lines += [f"On 400 solar cells a linear probe was right on {PROBE:.2f}; `{tuned}` is on "
                  f"{with_interval(list(cell.accuracy[tuned].values()))}, {cell.mean(tuned) - PROBE:+.3f}; the head on frozen "
                  f"features of {cell.size} pixels on {with_interval(list(cell.accuracy['features'].values()))}.", ""]
    return lines


def write(rows):
    from advice import BATCH, EPOCHS, MODEL, SEEN, STRATEGIES
    from strategies_table import table
    strategies = list(STRATEGIES)
    cells = [cell for cell in cells_of(rows) if cell.is_whole(strategies)]
    verdicts = [verdict for cell in cells for verdict in cell.verdicts()]
    lines = ["# What advice is worth", "", machine(), "",
             f"Accuracy on test images that no training has seen, means over seeds with {100 * LEVEL:.0f} % intervals (Student's t); "
             f"{MODEL} from weights of ImageNet, from scratch without them. Each seed has another cut and other training images; images "
             "of one surface are in one part. Each class has as many images; `all` is as many as the smallest class has.", "",
             f"All strategies have the same epochs, so many that about {SEEN} images are seen ({EPOCHS[0]} to {EPOCHS[1]} epochs, "
             f"batches of {BATCH}), at smaller sizes than the weights' 224 pixels, so that a training takes about a minute. Rates: "
             + "; ".join(f"`{name}` " + ", ".join(f"{key} {value}" for key, value in given.items() if key != "freeze")
                         for name, given in STRATEGIES.items())
             + ". The advice looks at 224 pixels, and knows nothing of epochs.", ""]
    if verdicts:
        lines += [f"**The advice is right in {sum(verdicts)} of {len(verdicts)} cases ({100 * np.mean(verdicts):.0f} %)**: what it "
                  "recommends wins its cell, or is behind by no more than the interval of the difference to what wins (the wider one of "
                  "that over seeds and that of the number of test images).", ""]
    for name, title in NAMES.items():
        own = [cell for cell in cells if cell.name == name]
        if own:
            lines += [f"## {title}", "", f"{own[0].test_images} test images, {len(own[0].advice)} seeds.", ""]
            lines += table(["of each class", "images", "epochs at pixels", *strategies, "advised", "behind what wins", "right"],
                           [row_of(cell, strategies) for cell in own])
    text = "\n".join(lines + probe_lines(cells)) + "\n"
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "advice.md").write_text(text)
