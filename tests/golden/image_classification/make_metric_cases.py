"""Makes metric_cases.json: labels, probabilities and scikit-learn's numbers for them, for random and hostile cases.

Run by hand with scikit-learn 1.9.1 and numpy installed: python make_metric_cases.py > metric_cases.json

Calls are made with their default arguments where nothing else is said, so absent classes are treated as scikit-learn treats
them. The calibration error, which scikit-learn does not have, comes from the plain code below.
"""
import json
import warnings

import numpy as np
from sklearn import metrics

warnings.simplefilter("ignore")  # of undefined ratios, which are the point of some cases
random = np.random.default_rng(20261130)


def calibration_error(truth, scores, bins=15):
    confidence, right = scores.max(1), scores.argmax(1) == truth
    total = 0.0
    for n in range(bins):
        inside = (confidence > n / bins) & (confidence <= (n + 1) / bins)
        if n == 0:
            inside |= confidence == 0
        if inside.any():
            total += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return total


def single(name, truth, scores):
    truth, scores = np.asarray(truth), np.asarray(scores, float)
    classes, said = scores.shape[1], scores.argmax(1)
    each = metrics.precision_recall_fscore_support(truth, said, labels=range(classes))
    numbers = {
        "accuracy": metrics.accuracy_score(truth, said),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, said),
        "matthews": metrics.matthews_corrcoef(truth, said),
        "macro": metrics.precision_recall_fscore_support(truth, said, average="macro")[:3],
        "weighted": metrics.precision_recall_fscore_support(truth, said, average="weighted")[:3],
        "classes": [list(map(float, column)) for column in each],
        "confusion": metrics.confusion_matrix(truth, said, labels=range(classes)).tolist(),
        "calibration_error": calibration_error(truth, scores),
    }
    if classes > 1:
        numbers["log_loss"] = metrics.log_loss(truth, scores, labels=range(classes))
    if classes > 2:
        numbers["top"] = [metrics.top_k_accuracy_score(truth, scores, k=k, labels=range(classes)) for k in range(1, classes)]
    if classes == 2:
        both = len(set(truth.tolist())) == 2
        numbers["auc"] = metrics.roc_auc_score(truth, scores[:, 1]) if both else None
    return {"name": name, "truth": truth.tolist(), "scores": scores.tolist(), "numbers": numbers}


def multi(name, truth, scores):
    truth, scores = np.asarray(truth), np.asarray(scores, float)
    said = (scores >= 0.5).astype(int)

    def average(how):
        return metrics.precision_recall_fscore_support(truth, said, average=how)[:3]

    each = metrics.precision_recall_fscore_support(truth, said)
    numbers = {
        "accuracy": metrics.accuracy_score(truth, said),
        "macro": average("macro"), "micro": average("micro"), "weighted": average("weighted"),
        "sample_f1": average("samples")[2],
        "classes": [list(map(float, column)) for column in each],
        "class_average_precision": list(metrics.average_precision_score(truth, scores, average=None)),
        "average_precision": metrics.average_precision_score(truth, scores, average="macro"),
        "log_loss": float(np.mean([metrics.log_loss(truth[:, c], scores[:, c], labels=[0, 1])
                                   for c in range(truth.shape[1])])),
    }
    return {"name": name, "labels": [np.flatnonzero(row).tolist() for row in truth], "scores": scores.tolist(),
            "numbers": numbers}


def probabilities(examples, classes, steps):
    """Rows of multiples of 1/steps that add up to 1 exactly; few steps make ties."""
    return random.multinomial(steps, random.dirichlet(np.full(classes, 0.7), examples)) / steps


def leaning(truth, scores, share):
    """The same, with the true class likeliest in about `share` of the rows."""
    for row, label in zip(scores, truth):
        if random.random() < share:
            best = row.argmax()
            row[[label, best]] = row[[best, label]]
    return scores


def cases():
    for classes, examples, steps in [(2, 40, 1024), (2, 60, 8), (3, 50, 4096), (3, 80, 8), (6, 90, 1024), (7, 40, 16),
                                     (12, 150, 8), (20, 100, 1 << 20)]:
        truth = random.integers(0, classes, examples)
        yield single(f"{classes} classes, {examples} examples in steps of 1/{steps}", truth,
                     leaning(truth, probabilities(examples, classes, steps), 0.6))
    truth = random.integers(0, 2, 30) * 2
    yield single("a class without examples that is predicted", truth, probabilities(30, 3, 64))
    scores = leaning(truth, probabilities(30, 4, 64), 0.5)
    scores[:, 0] += scores[:, 3]
    scores[:, 3] = 0
    yield single("a class without examples that is never predicted", truth, scores)
    truth = random.integers(0, 3, 30)
    scores = probabilities(30, 3, 64)
    scores[:, 1] += scores[:, 2]
    scores[:, 2] = 0
    yield single("a class that is never predicted", truth, scores)
    yield single("one class true and another predicted, all wrong", [1] * 5, [[0.75, 0.25, 0]] * 5)
    yield single("every example wrong", [0, 1, 2, 0], [[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 0.5, 0.5]])
    yield single("every example right and certain", [0, 1, 2], np.eye(3))
    yield single("all probabilities equal", random.integers(0, 4, 20), np.full((20, 4), 0.25))
    yield single("one class alone", [0, 0, 0], [[1.0]] * 3)
    yield single("two classes, one of them without examples", [1, 1, 1], [[0.25, 0.75], [0.5, 0.5], [0.875, 0.125]])
    yield single("one example", [1], [[0.125, 0.25, 0.625]])
    yield single("probabilities on the edges of bins", [0] * 8 + [1] * 7,
                 [[max(n, 15 - n) / 15, min(n, 15 - n) / 15] for n in range(15)])
    yield single("two examples of one bin, one of them on its upper edge", [0, 1], [[8 / 15, 7 / 15], [0.5, 0.5]])

    for classes, examples, steps in [(2, 30, 1024), (5, 60, 8), (8, 100, 4), (3, 50, 4096)]:
        truth = (random.random((examples, classes)) < 0.35).astype(int)
        scores = random.integers(0, steps + 1, (examples, classes)) / steps
        scores = np.where(random.random(truth.shape) < 0.5, (truth + scores) / 2, scores)
        yield multi(f"multi-label, {classes} classes, {examples} examples in steps of 1/{steps}", truth, scores)
    truth = (random.random((20, 4)) < 0.4).astype(int)
    truth[:, 2] = 0
    yield multi("multi-label, a class without examples", truth, random.integers(0, 65, truth.shape) / 64)
    truth[:, 2] = 1
    yield multi("multi-label, a class that every example has", truth, random.integers(0, 65, truth.shape) / 64)
    scores = random.integers(0, 65, truth.shape) / 64
    scores[:, 1] /= 4
    yield multi("multi-label, a class that is never said", truth, scores)
    yield multi("multi-label, no label at all", np.zeros((4, 3), int), np.full((4, 3), 0.25))
    yield multi("multi-label, everything wrong", [[1, 0], [0, 1], [1, 0]], [[0, 1], [1, 0], [0.25, 0.75]])
    yield multi("multi-label, everything right", [[1, 0], [1, 1], [0, 0]], [[1, 0], [1, 1], [0, 0]])


print("[" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases()) + "]")
