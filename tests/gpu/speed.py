"""Speed: images per second of training beside Python at its best on the same GPU, in turns, and where the time goes.

Python keeps its images on the device, augments and matches whole batches there, and never waits within a step
(tests/bench/train_peer.py). On a GPU both train in bf16 with cuDNN's fastest kernels.
"""
import importlib.util
import json
import re
import subprocess
import sys
import time

from gpu_support import ROOT, Load, Phase, Unmet, gpus

PEER = ROOT / "tests" / "bench" / "train_peer.py"
# What is worth most comes first. The rate is a guess, of which the number of epochs is made.
MODELS = [("ssd300-vgg16", 32, 1500), ("ssd512-vgg16", 16, 500), ("resnet50", 256, 2500), ("ssd300-resnet50", 32, 2500),
          ("ssd128-resnet18-half", 64, 5000)]
TINY = [("ssd128-resnet18-half", 4, 20), ("resnet18", 4, 20)]
CLASSIFIERS = {"resnet18", "resnet50"}  # the others are detectors
IMAGES, SIZE, MEASURED_SECONDS = 640, 300, 4
TINY_IMAGES, TINY_SIZE = 16, 128
# A row takes about so long, of which compiling is most; one that would not end in time is not begun.
ROW_SECONDS = 55
COMPILE_MODE = "reduce-overhead"
# Forward, and twice as much backward, each multiply-add as two operations.
OPERATIONS_OF_MULTIPLY_ADD = 2 * 3
HEADER = ["model", "precision", "batch", "tune-train", "Python", "Python, compiled", "ratio to the better", "of the matrix rate",
          "waits for data: tune-train", "busy: tune-train", "busy: Python", "peak MiB: tune-train", "peak MiB: Python",
          "Python's warm-up"]
OPERATORS = 12  # of a step that the log lists
TWO_GPUS = 1.8


def matrix_rate(phase):
    """Operations per second of large matrix products in the precision that is trained in."""
    import torch

    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision(phase)]
    device, size, repeats = ("cpu", 256, 3) if phase.options.cpu else ("cuda", 8192, 20)
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))

    def seconds():
        begin = time.monotonic()
        for _ in range(repeats):
            a @ b
        if device == "cuda":
            torch.cuda.synchronize()
        return (time.monotonic() - begin) / repeats

    seconds()
    return 2 * size**3 / seconds()


def precision(phase):
    """Many a CPU has no instructions for bf16, and is a hundred times slower with it."""
    return "fp32" if phase.options.cpu else "bf16"


def multiply_adds(phase):
    described = json.loads(phase.tune_train("describe", "--json"))
    models = [model for task in described["tasks"] for model in task["models"]]
    return {model["name"]: model["multiply_adds"] for model in models if "multiply_adds" in model}


class Measured:
    """One run: images per second after the first epoch, and what nvidia-smi saw of it (None on the CPU)."""

    def __init__(self, rate, busy=None, peak_mib=None, warm_up=0, for_data=None):
        self.rate, self.busy, self.peak_mib, self.warm_up, self.for_data = rate, busy, peak_mib, warm_up, for_data


def task_of(model):
    return "image_classification" if model in CLASSIFIERS else "detection"


def ours(phase, data, model, batch, epochs, turn, processes=1):
    """The first epoch holds cuDNN's search and is left out: the rates that the lines give are means since the beginning."""
    # Evaluated and saved once, at the end, which is not counted.
    fixed = {"epochs": epochs, "batch_size": batch, "eval_steps": 1000000}
    file = phase.trial_file(phase.scratch / f"{model}-{turn}", data, model, fixed, precision(phase), task_of(model), processes)
    done = []  # (epoch, images per second, when)
    for_data = 0  # percent; less than one is not said
    with Load(phase.options.cpu) as load:
        process = phase.start([phase.program("tune-train"), "--trial", file], stderr=subprocess.PIPE,
                              env=phase.environment_of_trial(processes))
        for line in process.stderr:
            print(line, end="", file=sys.stderr)
            if said := re.match(r"epoch (\d+)/\d+ done\s+([0-9.]+) images/s", line):
                done.append((int(said[1]), float(said[2]), time.monotonic()))
                waited = re.search(r"(\d+) % of it for data", line)
                for_data = int(waited[1]) if waited else 0
    if process.wait() != 0:
        raise RuntimeError(f"tune-train ended with exit code {process.returncode}; speed.log has its lines")
    (_, first, begin), (epoch, rate, end) = done[0], done[-1]
    steady = (epoch - 1) / (epoch / rate - 1 / first)
    return Measured(steady, load.busy_percent(begin, end), load.peak_mib(), for_data=for_data)


def log_our_operators(phase, data, model, batch):
    file = phase.trial_file(phase.scratch / f"{model}-operators", data, model, {"batch_size": batch}, precision(phase),
                            task_of(model))
    print(f"where the time of {model} goes in tune-train", file=sys.stderr, flush=True)
    phase.run([phase.program("tune-train"), "probe", "--trial", file, "--seconds", 0.5, "--operators", OPERATORS],
              env=phase.environment_of_trial())


def peer_command(phase, data, model, batch, epochs, mode):
    options = ["--device", "cpu-as-device" if phase.options.cpu else "cuda", "--compile-mode", COMPILE_MODE]
    if importlib.util.find_spec("PIL") is None or importlib.util.find_spec("numpy") is None:
        options += ["--pixels", "drawn"]
    return [sys.executable, PEER, data, model, batch, phase.threads(), precision(phase), epochs, mode, *options]


def peer_environment(phase):
    return phase.environment(TORCHINDUCTOR_CACHE_DIR=phase.scratch / "inductor", TRITON_CACHE_DIR=phase.scratch / "triton")


def theirs(phase, data, model, batch, epochs, mode):
    table = phase.scratch / f"{model}-{mode}.profile"
    with Load(phase.options.cpu) as load:
        command = [*peer_command(phase, data, model, batch, epochs, mode), "--profile", table]
        said = phase.run(command, env=peer_environment(phase))
    print(f"where the time of {model} goes in Python, {mode}", table.read_text(), sep="\n", file=sys.stderr, flush=True)
    answer = json.loads(said.splitlines()[-1])
    return Measured(answer["images_per_second"], load.busy_percent(answer["begin"], answer["end"]), load.peak_mib(),
                    answer["warm_up_seconds"])


def compiled_or_none(phase, *what):
    """Python's compiler may fail where the rest of a row is worth having."""
    if phase.options.tiny:
        return None
    try:
        return theirs(phase, *what, "compiled")
    except Unmet as problem:
        phase.say("measured", f"{what[1]}: Python's compiler failed: {problem}")
        return None


def fill_compile_cache(phase, data, models):
    """All networks at once, on as many cores, so that each row's own run finds its kernels compiled."""
    begin = phase.seconds()
    for process in [phase.start(peer_command(phase, data[task_of(model)], model, batch, 0, "compiled"), env=peer_environment(phase))
                    for model, batch, _ in models]:
        process.wait()
    took = phase.seconds() - begin
    phase.say("measured", f"compiling {len(models)} networks at once took Python {took:.0f} s, which no row counts")


def shown(number, form="{:.0f}"):
    return "-" if number is None else form.format(number)


def row(phase, data, model, batch, epochs, operations, rate):
    """ours, theirs, ours, theirs"""
    a = ours(phase, data, model, batch, epochs, 1)
    eager = theirs(phase, data, model, batch, epochs, "eager")
    b = ours(phase, data, model, batch, epochs, 2)
    compiled = compiled_or_none(phase, data, model, batch, epochs)
    log_our_operators(phase, data, model, batch)
    mean = (a.rate + b.rate) / 2
    best = max((one for one in (eager, compiled) if one), key=lambda one: one.rate)
    return [model, precision(phase), batch, f"{a.rate:.1f}, {b.rate:.1f}", f"{eager.rate:.1f}",
            shown(compiled and compiled.rate, "{:.1f}"), f"{mean / best.rate:.2f}", f"{100 * operations * mean / rate:.1f} %",
            f"{b.for_data} %", shown(b.busy, "{:.0f} %"), shown(best.busy, "{:.0f} %"), shown(b.peak_mib), shown(best.peak_mib),
            f"{best.warm_up:.1f} s"]


def show_two_gpus(phase, data, model, batch, epochs):
    """The same batches on one GPU and on two."""
    what = f"{model} on two GPUs trains beside one"
    if not phase.options.cpu and len(gpus()) < 2:
        return phase.skip(what, "needs two GPUs")
    with phase.claim(what) as claim:
        one, two = (ours(phase, data, model, batch, epochs, f"of-{count}", count).rate for count in (1, 2))
        claim.detail = f"batches of {batch}, {one:.1f} and {two:.1f} images a second, {two / one:.2f} times (at least {TWO_GPUS})"
        if not phase.options.cpu and two < TWO_GPUS * one:
            raise Unmet(claim.detail)


def main():
    phase = Phase(__doc__)
    tiny = phase.options.tiny
    models = TINY if tiny else MODELS
    images = TINY_IMAGES if tiny else IMAGES
    data = {task: phase.scratch / task for task in sorted({task_of(model) for model, _, _ in models})}
    for task, folder in data.items():
        phase.synthesize(folder, images, TINY_SIZE if tiny else SIZE, task=task)
    costs = multiply_adds(phase)
    rate = matrix_rate(phase)
    phase.say("measured", f"matrix products in {precision(phase)}: {rate / 1e12:.2f} TFLOP/s")
    if not tiny:
        fill_compile_cache(phase, data, models)
    rows = []
    for model, batch, guess in models:
        what = f"{model} trains beside Python"
        if not tiny and phase.time_left() < ROW_SECONDS:
            phase.skip(what, f"{phase.time_left():.0f} s are left, too few for a row")
            continue
        with phase.claim(what) as claim:
            epochs = max(2, round(MEASURED_SECONDS * guess / images)) + 1 if not tiny else 2
            rows.append(row(phase, data[task_of(model)], model, batch, epochs, costs[model] * OPERATIONS_OF_MULTIPLY_ADD, rate))
            claim.detail = "; ".join(f"{name} {cell}" for name, cell in zip(HEADER[1:], rows[-1][1:]))
            phase.table("speed", "Training, images per second", HEADER, rows, [
                f"Whole epochs with data, of {images} synthetic images; measured matrix rate: {rate / 1e12:.2f} TFLOP/s.",
                "Busy: the share of time in which nvidia-smi saw a kernel under way; the rest is waiting for data and launches.",
                f"Python: images on the device, {COMPILE_MODE}; tune-train's two numbers are its two turns.",
                "Peak memory is the device's, contexts included."])
    model, batch, guess = models[0]
    epochs = 2 if tiny else max(2, round(MEASURED_SECONDS * guess / images)) + 1
    show_two_gpus(phase, data[task_of(model)], model, batch if tiny else 2 * batch, epochs)
    phase.finish()


if __name__ == "__main__":
    main()
