#!/usr/bin/env python3
"""A search whose trials run in this program: tune suggests, we train, two trials at a time.

It needs nothing but the standard library and `tune` on the path. With `--store DIR` the search is kept there: kill this
program, start it again, and it goes on with the trials that were not finished.
"""
import json
import math
import pathlib
import subprocess
import sys


class Tuner:
    """`tune ask-tell` as a child process: a line of JSON for each request, one for its answer."""

    def __init__(self, spec, *options):
        self.process = subprocess.Popen(
            ["tune", "ask-tell", "--spec", str(spec), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def request(self, name, body):
        self.process.stdin.write(json.dumps({name: body}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(self.process.wait())  # tune has said on stderr why it ended
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"]["message"])
        return answer

    def close(self):
        self.process.stdin.close()
        return self.process.wait()


def training_losses(parameters):
    """Stands in for a training run: yields the validation loss after each epoch, or fails."""
    best_lr = 3e-3 if parameters["optimizer"] == "adam" else 0.1 * (1 - parameters["momentum"])
    distance = math.log10(parameters["lr"] / best_lr)
    if distance > 2:
        raise ArithmeticError("the loss is not finite")
    for epoch in range(1, 9):
        yield 0.2 + 0.1 * distance ** 2 + math.exp(-epoch / 2)


def train(tuner, trial):
    """Trains one trial, reports each epoch, and stops when tune says that it is not worth going on."""
    number = trial["trial"]
    try:
        for epoch, loss in enumerate(training_losses(trial["parameters"]), start=1):
            answer = tuner.request("report", {"trial": number, "step": epoch, "value": loss})
            if answer["decision"] == "stop":
                tuner.request("tell", {"trial": number, "state": "stopped", "reason": answer["reason"]})
                return f"stopped after epoch {epoch}: {answer['reason']}"
    except ArithmeticError as error:
        tuner.request("tell", {"trial": number, "state": "failed", "reason": str(error)})
        return f"failed: {error}"
    tuner.request("tell", {"trial": number, "value": loss})
    return f"loss {loss:.4f}"


def main():
    tuner = Tuner(pathlib.Path(__file__).parent / "search.json", *sys.argv[1:])
    trials = tuner.request("pending", True)["trials"]  # of an earlier run of this program, with --store
    while True:
        for trial in trials:
            print(f"trial {trial['trial']}: {trial['parameters']} {train(tuner, trial)}")
        answer = tuner.request("ask", 2)
        trials = answer["trials"]
        if answer.get("exhausted"):
            break
    best = tuner.request("best", True)
    print(f"best: trial {best['trial']}, loss {best['value']:.4f}, {best['parameters']}")
    return tuner.close()


if __name__ == "__main__":
    sys.exit(main())
