"""The steel study: five rows trained, tuned and tested, in several commands, with its tables as the result.

The comparison of examples/steel-study, on photographs (--data) with more of everything, or on synthetic images.
"""
import json
import shutil
import subprocess
import sys
import tarfile

from gpu_support import ROOT, Phase

EXAMPLE = ROOT / "examples" / "steel-study"
ROWS = {"scratch", "legacy", "legacy tuned", "latest", "latest tuned"}
# What people hope for: legacy and latest tuned in the study that this one repeats, and what is reached without its weights.
TARGETS = "0.226, 0.33, 0.35"
MODEL, TINY_MODEL = "ssd224-resnet18", "ssd128-resnet18-half"
EPOCHS, STEPS_BETWEEN_EVALUATIONS = 40, 230  # of 57 steps each: ten evaluations
# Of the phase's time: for testing the models and the tables, beside the first command's share.
SECONDS_FOR_TESTS, FIRST_COMMAND_SHARE = 60, 0.25


def photographs(phase):
    """NEU-DET as it was given, or out of the packed file that `./dev gpu` makes."""
    packed = ROOT / "build" / "gpu" / "neu-det.tar.gz"
    if phase.options.data:
        return phase.options.data.resolve()
    if phase.options.tiny or not packed.exists():
        return None
    with tarfile.open(packed) as archive:
        archive.extractall(phase.scratch / "photographs", filter="data")
    return phase.scratch / "photographs"


def pretrain(phase, folder):
    """The backbone that two of the three approaches start from."""
    model, size = MODEL, ["--precision", "bf16"]
    if phase.options.tiny:
        model = TINY_MODEL
        size = ["--images", 16, "--batch", 8, "--classes", 4, "--size", 32, "--epochs", 1, "--precision", "fp32"]
    begin = phase.seconds()
    phase.tune_train("pretrain", "--model", model, "--output", folder / "data" / "starter.safetensors", *size)
    phase.say("measured", f"pretraining the backbone took {phase.seconds() - begin:.0f} s")


def comparison(phase, data):
    """examples/steel-study/study.json as it fits here."""
    study = json.loads((EXAMPLE / "study.json").read_text())
    study["controls"] = {"best_of_seeds": False, "random_search": False}
    study["resources"] = {"gpus_per_trial": 0} if phase.options.cpu else {"trials_per_gpu": 4}
    if data:
        study["trainer"] |= {"data": str(data), "split": {"fractions": [0.64, 0.16, 0.2], "seed": 1, "grouping": "content"}}
        del study["trainer"]["test"]
    if phase.options.tiny:
        study["fixed"] = {"epochs": 1, "batch_size": 2}
        study |= {"seeds": 1, "resamples": 100}
        for approach in study["approaches"]:
            if "search" in approach:
                approach["search"]["limits"]["trials"] = 1
        return study
    study["cost"] = json.loads((EXAMPLE / "study-neu-det.json").read_text())["cost"]  # of a GPU
    study["trainer"]["model"] = MODEL
    study["fixed"] = {"epochs": EPOCHS, "batch_size": 16, "eval_steps": STEPS_BETWEEN_EVALUATIONS}
    # A budget ends it in good order: what is not trained by then is left out, and its tables say so.
    hours = (phase.time_left() - SECONDS_FOR_TESTS) / 3600
    study["limits"] = {"gpu_hours": round(hours, 4)}
    return study


def compare(phase, folder, *options, stop_after=None):
    """What the command prints, or None where it was stopped by SIGTERM after so many seconds and says that it goes on."""
    process = phase.start([phase.program("tune"), "compare", "study.json", "--store", "store", *options], cwd=folder,
                          stdout=subprocess.PIPE, stderr=sys.stderr)
    try:
        out, _ = process.communicate(timeout=stop_after)
    except subprocess.TimeoutExpired:
        process.terminate()
        out, _ = process.communicate()
        if process.returncode == 130:
            return None
    if process.returncode != 0:
        raise RuntimeError(f"tune compare ended with exit code {process.returncode}; study.log has what it said")
    return out


def finished(phase, folder):
    states = json.loads(phase.tune("status", "--store", "store", "--json", cwd=folder))
    return sum(study["counts"].get("completed", 0) for study in states["studies"])


def show_tables(phase, folder, out):
    with phase.claim("the study ends with its five rows") as claim:
        result = json.loads(out.strip().splitlines()[-1])
        names = {one["name"] for one in result["rows"]}
        claim.expect(ROWS <= names, f"it has the rows {sorted(names)}")
        untested = sorted(one["name"] for one in result["rows"] if one["name"] in ROWS and one.get("AP") is None)
        claim.expect(not untested, f"without a run: {', '.join(untested)}")
        claim.detail = "; ".join(f"{one['name']}: test mAP {one['AP']:.3f}, AP50 {one['AP50']:.3f}"
                                 for one in result["rows"] if one["name"] in ROWS)
    phase.say("measured", f"beside it, the figures to reach: test mAP {TARGETS}")
    with phase.claim("its tables and its page are there") as claim:
        shutil.copy(folder / "store" / "comparisons" / "steel-study" / "comparison.md", phase.output / "study.md")
        phase.tune("report", "steel-study", "--store", "store", "--output", phase.scratch / "report", cwd=folder)
        page = phase.scratch / "report" / "report.html"
        shutil.copy(page, phase.output / "study.html")
        claim.detail = f"study.md, study.html ({page.stat().st_size >> 10} KiB)"


def main():
    phase = Phase(__doc__)
    folder, data = phase.scratch / "study", photographs(phase)
    (folder / "data").mkdir(parents=True)
    if data is None:
        phase.synthesize(folder / "data" / "train", 24 if phase.options.tiny else 300)
        phase.synthesize(folder / "data" / "test", 18 if phase.options.tiny else 120, seed=2)
    phase.say("measured", f"on {data or 'synthetic images, since no photographs were given'}")
    pretrain(phase, folder)
    (folder / "study.json").write_text(json.dumps(comparison(phase, data), indent=2))
    out = None
    with phase.claim("a first command is stopped on its way") as claim:
        out = compare(phase, folder, "--json", stop_after=6 if phase.options.tiny else FIRST_COMMAND_SHARE * phase.time_left())
        claim.expect(out is None, "it had ended before it was stopped")
        claim.detail = f"{finished(phase, folder)} trials had completed by then"
    with phase.claim("a second command goes on to the end") as claim:
        begin = phase.seconds()
        out = out or compare(phase, folder, "--json")
        claim.detail = f"in {phase.seconds() - begin:.0f} s more"
    if out:
        show_tables(phase, folder, out)
    phase.finish()


if __name__ == "__main__":
    main()
