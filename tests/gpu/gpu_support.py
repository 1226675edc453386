"""What the phases share: their options, their claims and the lines that tell of them, programs of tune, the GPU as nvidia-smi
shows it."""
import argparse
import atexit
import contextlib
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


class Unmet(Exception):
    """A claim that does not hold, in words for the line of result."""


class Claim:
    """One thing that a phase shows. `detail` is what its line says if it holds."""

    def __init__(self):
        self.detail = ""

    @staticmethod
    def expect(holds, otherwise):
        if not holds:
            raise Unmet(otherwise)


class Phase:
    """One phase, from its options to its exit code. Its lines are in results.log at once, whatever ends it."""

    def __init__(self, description):
        self.name = pathlib.Path(sys.argv[0]).stem
        self.begun = time.monotonic()
        self.options = self._options(description)
        self.output = self.options.output
        # Named here and made below: the signal may come as soon as it is there.
        self.scratch = pathlib.Path(tempfile.gettempdir()) / f"tune-gpu-{self.name}.{os.getpid()}-{secrets.token_hex(4)}"
        self.counts = {"ok": 0, "FAILED": 0, "skipped": 0}
        self.children = []
        self.is_starting = self.is_over = False
        atexit.register(self._clean_up)
        # What `timeout` sends, in run.sh: the trials of a tune that is under way get the time to end.
        signal.signal(signal.SIGTERM, self._time_is_over)
        self.scratch.mkdir(mode=0o700)

    def _options(self, description):
        parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--cpu", action="store_true", help="a rehearsal: what needs a GPU is skipped, and says so")
        parser.add_argument("--tiny", action="store_true", help="the smallest sizes that still run everything")
        parser.add_argument("--programs", type=pathlib.Path, required=True, metavar="BIN", help="with tune and tune-train")
        parser.add_argument("--data", type=pathlib.Path, metavar="FOLDER", help="NEU-DET: images/ and annotations/")
        parser.add_argument("--output", type=pathlib.Path, required=True, metavar="FOLDER", help="results.log and logs go there")
        parser.add_argument("--limit", type=float, required=True, metavar="SECONDS", help="after which the phase is ended")
        options = parser.parse_args()
        options.programs = options.programs.resolve()
        options.output = options.output.resolve()
        return options

    # Lines of result

    def say(self, kind, text):
        line = f"{self.name:<9} {self.seconds():6.1f} s  {kind:<8} {text}"
        with open(self.output / "results.log", "a") as log:
            log.write(line + "\n")
        print(line, flush=True)

    @contextlib.contextmanager
    def claim(self, what):
        """The block shows it. Where it cannot, the phase goes on with the next claim. What the block began ends with it."""
        claim, before = Claim(), len(self.children)
        try:
            yield claim
        except Exception as problem:  # pylint: disable=broad-except
            traceback.print_exc()
            said = str(problem) if isinstance(problem, Unmet) else f"{type(problem).__name__}: {problem}"
            self._count("FAILED", f"{what}: {said}")
        else:
            self._count("ok", what + (f": {claim.detail}" if claim.detail else ""))
        finally:
            self.end(self.children[before:])

    def skip(self, what, why="needs a GPU"):
        self._count("skipped", f"{what}: {why}")

    def _count(self, kind, text):
        self.counts[kind] += 1
        self.say(kind, text)

    def finish(self):
        self.say("end", f"{self.counts['ok']} shown, {self.counts['FAILED']} failed, {self.counts['skipped']} skipped")
        sys.exit(1 if self.counts["FAILED"] or not self.counts["ok"] else 0)

    def table(self, name, title, header, rows, notes=()):
        """Keeps a Markdown table in NAME.md beside results.log."""
        lines = [f"# {title}", "", "| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
        lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
        (self.output / f"{name}.md").write_text("\n".join(lines + ["", *notes]) + "\n")

    # Time

    def seconds(self):
        return time.monotonic() - self.begun

    def time_left(self):
        return self.options.limit - self.seconds()

    @staticmethod
    def wait_until(condition, seconds, what):
        """How long it took. Raises Unmet with `what` was waited for."""
        begin = time.monotonic()
        while not condition():
            if time.monotonic() - begin > seconds:
                raise Unmet(f"{what} not seen within {seconds:g} s")
            time.sleep(0.05)
        return time.monotonic() - begin

    # Programs

    def environment(self, **more):
        """Leases and caches of this run's own. An inherited store would be another's."""
        inherited = {key: value for key, value in os.environ.items() if key != "TUNE_STORE"}
        return inherited | {"TUNE_LEASE_DIR": str(self.scratch / "leases"), "XDG_CACHE_HOME": str(self.scratch / "cache"),
                            "NO_COLOR": "1", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1",
                            **{key: str(value) for key, value in more.items()}}

    def program(self, name):
        return str(self.options.programs / name)

    def start(self, command, **how):
        """A process that ends with the phase. Its output goes to the phase's log unless `how` says otherwise."""
        how = {"stdout": sys.stderr, "stdin": subprocess.DEVNULL, "env": self.environment(), **how}
        print("$", *command, file=sys.stderr, flush=True)
        self.is_starting = True
        try:
            process = subprocess.Popen([str(word) for word in command], text=True, **how)
            self.children.append(process)
        finally:
            self.is_starting = False
        if self.is_over:
            sys.exit(124)
        return process

    def run(self, command, expected=0, **how):
        """What the program prints. Raises Unmet for another exit code than `expected` (None: any)."""
        process = self.start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)
        out, err = process.communicate()
        print(out, err, sep="\n", file=sys.stderr, flush=True)
        if expected is not None and process.returncode != expected:
            last = (err.strip() or out.strip()).splitlines()[-1:] or ["no output"]
            name = pathlib.Path(str(command[0])).name
            raise Unmet(f"{name} ended with exit code {process.returncode}, not {expected}: {last[0]}")
        return out

    def tune(self, *arguments, **how):
        return self.run([self.program("tune"), *arguments], **how)

    def tune_train(self, *arguments, **how):
        return self.run([self.program("tune-train"), *arguments], **how)

    def synthesize(self, folder, images, size=128, seed=1, task="detection"):
        self.tune_train("synthesize", "--task", task, "--output", folder, "--images", images, "--size", size, "--seed", seed)

    def trial_file(self, folder, data, model, fixed, precision, task="detection", processes=1):
        """A trial of a built-in task, as tune would write it, on the first GPUs."""
        places = {f"{name}_dir": str(folder / name) for name in ("output", "checkpoint")}
        for place in places.values():
            pathlib.Path(place).mkdir(parents=True)
        recipe, metric = {"detection": ("legacy", "validation:mAP"),
                          "image_classification": ("fine-tune", "validation:accuracy")}[task]
        trial = {"schema": 1, "study": "s", "trial": 1, "attempt": 1, "token": "t", "seed": 1, "parameters": {}, "fixed": fixed,
                 "objective": {"metric": metric, "goal": "maximize", "reduce": "best"}, "budget": 1,
                 "trainer": {"task": task, "model": model, "recipe": recipe, "data": str(data),
                             "split": {"fractions": [0.9, 0.1], "grouping": "image"}},
                 "threads": self.threads(), "precision": precision, **places,
                 "processes": processes, "devices": [] if self.options.cpu else [gpu[0] for gpu in gpus()[:processes]]}
        file = folder / "trial.json"
        file.write_text(json.dumps(trial))
        return file

    def threads(self):
        return 1 if self.options.tiny else len(os.sched_getaffinity(0))

    def environment_of_trial(self, processes=1):
        if self.options.cpu:
            return self.environment()
        return self.environment(CUDA_VISIBLE_DEVICES=",".join(gpu[0] for gpu in gpus()[:processes]))

    @staticmethod
    def end(processes):
        alive = [process for process in processes if process.poll() is None]
        for process in alive:
            process.terminate()
        for process in alive:
            try:
                process.wait(12)  # tune gives its trials ten seconds
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _time_is_over(self, *_):
        # `timeout` tells its child, and then the whole group: the second must not interrupt the cleaning up.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.is_over = True
        if not self.is_starting:  # a process that is not yet among the children would be left behind
            sys.exit(124)

    def _clean_up(self):
        self.end(self.children)
        shutil.rmtree(self.scratch, ignore_errors=True)


# The GPU, as the driver's own program shows it

def nvidia_smi(*question):
    command = ["nvidia-smi", *question, "--format=csv,noheader,nounits"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [[cell.strip() for cell in line.split(",")] for line in answer.splitlines() if line.strip()]


def gpus():
    """[(UUID, name, MiB in all, MiB in use)]"""
    return [(uuid, name, int(total), int(used))
            for uuid, name, total, used in nvidia_smi("--query-gpu=uuid,name,memory.total,memory.used")]


def memory_used():
    return gpus()[0][3]


def computing():
    """The process ids that nvidia-smi shows on the GPUs; none where a container hides them."""
    return {int(pid) for pid, in nvidia_smi("--query-compute-apps=pid") if pid.isdigit()}


class Load:
    """Samples how busy the first GPU is, and its memory, within a `with`. On the CPU there are no samples."""

    def __init__(self, on_cpu):
        self.samples = []  # (time, percent of time with a kernel under way, MiB in use)
        self.process, self.before = None, 0
        self.on_cpu = on_cpu

    def __enter__(self):
        if self.on_cpu:
            return self
        self.before = memory_used()
        self.process = subprocess.Popen(["nvidia-smi", "--id=0", "--query-gpu=utilization.gpu,memory.used", "-lms", "200",
                                         "--format=csv,noheader,nounits"], stdout=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.reader.join(2)

    def _read(self):
        for line in self.process.stdout:
            numbers = [cell.strip() for cell in line.split(",")]
            if len(numbers) == 2 and all(number.isdigit() for number in numbers):
                self.samples.append((time.monotonic(), int(numbers[0]), int(numbers[1])))

    def busy_percent(self, begin, end):
        """The mean between two moments of time.monotonic(); None without a sample."""
        inside = [busy for when, busy, _ in self.samples if begin <= when <= end]
        return sum(inside) / len(inside) if inside else None

    def peak_mib(self):
        """Above what was in use before; None without a sample."""
        return max((used - self.before for _, _, used in self.samples), default=None)


# Processes

def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def parent_of(pid):
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
