"""Devices: real NVML, trials that each see their own GPU, strangers on it, deaths of every process, memory that runs out."""
import fcntl
import json
import os
import signal
import subprocess
import sys
import time

from gpu_support import HERE, Phase, Unmet, computing, gpus, is_alive, memory_used, parent_of

# Memory that is no trial's: contexts that come and go. What a trial holds is far more.
SLACK_MIB = 512
# After a death, for the processes that are left to be killed and the driver to take the memory back.
RELEASE_SECONDS = 15
HELD_GIB = 4


class Search:
    """A search with trainer.py, in a folder of its own."""

    def __init__(self, phase, name, trials, *options, parallel=1, trials_per_gpu=1, **spec):
        self.phase, self.name = phase, name
        self.folder = phase.scratch / name
        self.reports = self.folder / "reports"
        self.reports.mkdir(parents=True)
        on_cpu = phase.options.cpu
        command = [sys.executable, str(HERE / "trainer.py"), f"--reports={self.reports}", *options]
        if on_cpu:
            command.append("--cpu")
        self.spec = {
            "study": name, "objective": {"metric": "loss", "goal": "minimize"},
            "parameters": {"x": {"type": "float", "min": 0, "max": 1}},
            "command": command, "metrics": [{"name": "loss", "regex": "loss=(.+)"}],
            "strategy": {"name": "random", "seed": 1}, "limits": {"trials": trials, "parallel": parallel},
            "resources": {"gpus_per_trial": 0} if on_cpu else {"trials_per_gpu": trials_per_gpu}, **spec}

    def start(self):
        (self.folder / "search.json").write_text(json.dumps(self.spec))
        with open(self.folder / "said", "a") as said:
            return self.phase.start([self.phase.program("tune"), "--spec", "search.json", "--store", "store"], cwd=self.folder,
                                    stderr=said)

    def end_of(self, process, seconds=60):
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired as still:
            raise Unmet(f"tune still runs after {seconds} s; it said: {self.said()[-300:]}") from still
        finally:
            print(self.said(), file=sys.stderr)
        if code != 0:
            raise Unmet(f"tune ended with exit code {code}: {self.said().strip().splitlines()[-1:]}")

    def said(self):
        return (self.folder / "said").read_text()

    def trials(self):
        listed = self.phase.tune("trials", self.name, "--store", "store", "--json", cwd=self.folder)
        return json.loads(listed)["trials"]

    def end_with(self, process, expected, seconds=60):
        self.end_of(process, seconds)
        states = [trial["state"] for trial in self.trials()]
        if states != expected:
            raise Unmet(f"the states of the trials are {states}, not {expected}")

    def seen(self):
        return [json.loads(file.read_text()) for file in sorted(self.reports.glob("*.json"))]

    def first_report(self, process, seconds=60):
        self.phase.wait_until(lambda: self.seen() or process.poll() is not None, seconds, "a trial that holds its memory")
        if not self.seen():
            raise Unmet(f"no trial came so far; tune said: {self.said()[-300:]}")
        return self.seen()[0]


def most_at_once(seen):
    return max(sum(one["begin"] <= other["begin"] < one["end"] for one in seen) for other in seen)


def held_leases(folder):
    count = 0
    for file in folder.iterdir() if folder.exists() else ():
        with open(file) as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                count += 1
    return count


def doctor(phase):
    what = "tune doctor lists the devices, their UUIDs and memory as the driver does"
    if phase.options.cpu:
        return phase.skip(what)
    with phase.claim(what) as claim:
        answer = json.loads(phase.tune("doctor", "--json", "--store", phase.scratch / "store", expected=None))
        theirs = {uuid: (name, total) for uuid, name, total, _ in gpus()}
        ours = {gpu["uuid"]: (gpu["name"], gpu["memory_total"] >> 20) for gpu in answer["gpus"]}
        claim.expect(set(ours) == set(theirs), f"tune shows {sorted(ours)}, the driver {sorted(theirs)}")
        for uuid, (name, total) in theirs.items():
            claim.expect(ours[uuid][0] == name and abs(ours[uuid][1] - total) <= 1,
                         f"tune shows {ours[uuid]}, the driver {(name, total)}")
        bad = [finding["text"] for finding in answer["findings"] if finding["verdict"] == "problem"]
        claim.expect(not bad, f"problems: {bad}")
        claim.detail = "; ".join(f"{uuid} {name}, {total} MiB" for uuid, (name, total) in theirs.items())


def libtorch(phase):
    with phase.claim("tune-train says which LibTorch it runs with, and how many GPUs that can use") as claim:
        facts = json.loads(phase.tune_train("describe", "--libtorch", "--json"))
        if not phase.options.cpu:
            claim.expect(facts["cuda"] and facts["gpus"] == len(gpus()), f"it sees {facts['gpus']} GPUs: {facts['problem']}")
        claim.detail = f"{facts['libtorch']}, CUDA {facts['cuda']}, {facts['gpus']} GPUs"


def eight_trials(phase):
    """One search, of which several things are shown."""
    on_cpu = phase.options.cpu
    search = Search(phase, "eight", 8, *(["--seconds=1.5"] if on_cpu else ["--seconds=3"]), parallel=4, trials_per_gpu=4)
    pids, leases = set(), 0
    with phase.claim("eight short trials, four at once, all complete") as claim:
        process = search.start()
        while process.poll() is None and phase.time_left() > 0:
            if not on_cpu:
                pids |= computing()
                leases = max(leases, held_leases(phase.scratch / "leases"))
            time.sleep(0.2)
        search.end_with(process, ["completed"] * 8)
        together = most_at_once(search.seen())
        claim.expect(together == 4 or on_cpu and together >= 2, f"{together} at once")
        claim.detail = f"{together} at once in {phase.seconds():.0f} s"
    if on_cpu:
        for what in ("each trial sees its own device by its UUID", "the GPU is leased while trials run, and free afterwards",
                     "NVML shows the processes of the trials"):
            phase.skip(what)
        return
    seen = search.seen()
    with phase.claim("each trial sees its own device by its UUID") as claim:
        known = {uuid for uuid, *_ in gpus()}
        claim.expect(len(seen) == 8, f"{len(seen)} reports")
        for one in seen:
            claim.expect(one["visible"] in known and one["uuid"] == one["visible"] and one["devices"] == 1, f"a trial saw {one}")
        claim.detail = f"CUDA_VISIBLE_DEVICES={seen[0]['visible']}"
    with phase.claim("the GPU is leased while trials run, and free afterwards") as claim:
        claim.expect(leases > 0, "no lease was held")
        left = held_leases(phase.scratch / "leases")
        claim.expect(left == 0, f"{left} leases are still held")
        claim.detail = f"{leases} locks at once"
    with phase.claim("NVML shows the processes of the trials") as claim:
        own = {one["pid"] for one in seen}
        claim.expect(pids & own, f"the driver shows {sorted(pids)}, the trials were {sorted(own)}: are process ids hidden here?")
        claim.detail = f"{len(pids & own)} of {len(own)}"


def stranger_with(phase, name, gib):
    """A process that holds so much memory of the GPU, and that no tune knows of."""
    folder = phase.scratch / name
    folder.mkdir()
    command = [sys.executable, HERE / "trainer.py", f"--reports={folder}", f"--gib={gib:.1f}", "--seconds=300"]
    process = phase.start(command, stderr=sys.stderr)
    phase.wait_until(lambda: list(folder.glob("*.json")), 60, "the stranger's memory")
    return process


def stranger(phase):
    what = "a GPU that a stranger holds is skipped with a notice, and used once it is free"
    if phase.options.cpu:
        return phase.skip(what)
    with phase.claim(what) as claim:
        held = stranger_with(phase, "stranger", 2)
        search = Search(phase, "beside-a-stranger", 1, "--seconds=0")
        process = search.start()
        phase.wait_until(lambda: "is skipped" in search.said(), 20, "the notice")
        claim.detail = next(line for line in search.said().splitlines() if "is skipped" in line)
        claim.expect(not search.seen(), "a trial ran beside the stranger")
        held.kill()
        held.wait()
        search.end_with(process, ["completed"])


def killed_with_memory(phase):
    what = "after a trial that was killed the next one begins only when its memory is free"
    if phase.options.cpu:
        return phase.skip(what)
    with phase.claim(what) as claim:
        before = memory_used()
        search = Search(phase, "dies", 2, "--gib=32", "--seconds=1", "--die", "--once")
        # The second trial looks at the memory before it does anything else.
        look = f"nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits >> '{search.reports}/used'"
        search.spec["command"] = ["sh", "-c", look + '; exec "$@"', "sh", *search.spec["command"]]
        search.end_with(search.start(), ["failed", "completed"])
        used = [int(line) for line in (search.reports / "used").read_text().split()]
        claim.expect(used[1] <= before + SLACK_MIB, f"{used[1]} MiB in use when the second trial began, {before} before all")
        how = "the GPU was held back until then" if "held back" in search.said() else "it was free at once"
        claim.detail = f"{used[1]} MiB in use at its begin; {how}"


def kill(phase, victim):
    """The death of one process of three: loop, supervisor, trainer."""
    on_cpu = phase.options.cpu
    with phase.claim(f"kill -9 of the {victim} leaves no memory held, and the study ends all the same") as claim:
        before = 0 if on_cpu else memory_used()
        search = Search(phase, f"kill-{victim}", 2, f"--gib={0.1 if on_cpu else HELD_GIB}", "--seconds=300", "--once")
        process = search.start()
        trainer = search.first_report(process)["pid"]
        pid = {"loop": process.pid, "supervisor": parent_of(trainer), "trainer": trainer}[victim]
        os.kill(pid, signal.SIGKILL)

        def is_gone():
            return not is_alive(trainer) and (on_cpu or memory_used() <= before + SLACK_MIB)

        took = phase.wait_until(is_gone, RELEASE_SECONDS, "the end of the trainer and of its memory")
        if victim == "loop":
            process.wait()
            process = search.start()
        # Who kills a trainer has its trial fail; who kills what watches over it has it run again.
        first = "failed" if victim == "trainer" else "completed"
        search.end_with(process, [first, "completed"])
        claim.detail = f"free after {took:.1f} s; the trial has {first}"


def out_of_memory(phase):
    with phase.claim("a trial that wants more memory than there is fails as out of memory, and the study goes on") as claim:
        small, huge = 0.25, 2.0**20  # GiB
        search = Search(phase, "too-large", 3, "--gib={{gib}}", "--seconds=0", strategy={"name": "grid"},
                        parameters={"gib": {"type": "categorical", "values": [small, huge, 2 * small]}})
        search.end_of(search.start())
        ends = {trial["parameters"]["gib"]: trial["failure"] or trial["state"] for trial in search.trials()}
        claim.expect(ends == {small: "completed", huge: "oom", 2 * small: "completed"}, f"they ended as {ends}")
        claim.detail = f"{huge:.0f} GiB: oom"


def ladder(phase):
    with phase.claim("a trial that runs out of memory runs again with what the spec says, and says so") as claim:
        search = Search(phase, "ladder", 1, "--gib={{gib}}", "--seconds=0", strategy={"name": "grid"},
                        parameters={"gib": {"type": "categorical", "values": [2.0**20]}},
                        retry={"out_of_memory": [{"set": {"gib": 2.0**19}}, {"set": {"gib": 0.25}}]})
        search.end_with(search.start(), ["completed"])
        trial, = search.trials()
        claim.expect(trial["attempts"] == 3 and trial["overrides"] == {"gib": 0.25},
                     f"{trial['attempts']} attempts, the last with {trial['overrides']}")
        claim.detail = trial["reason"]


def packing(phase):
    """Measured, and shared by that."""
    measured = "the memory that a trial held is kept with its attempt"
    packed = "with trials_per_gpu auto the first trials run alone, and the others share the GPU where they fit"
    if phase.options.cpu:
        phase.skip(measured)
        return phase.skip(packed)
    gib = max(1, int(gpus()[0][2] / 1024 / 4.5))  # three of them fit with their margins, not four
    search = Search(phase, "packing", 7, f"--gib={gib}", "--seconds=2", parallel=8, trials_per_gpu="auto")
    with phase.claim(packed) as claim:
        search.end_with(search.start(), ["completed"] * 7, seconds=100)
        seen = sorted(search.seen(), key=lambda one: one["begin"])
        alone, together = most_at_once(seen[:4]), most_at_once(seen)
        claim.expect(alone == 1, f"{alone} of the first four at once")
        claim.expect(2 <= together <= 4, f"{together} at once")
        claim.detail = f"{together} at once of {gib} GiB each"
    with phase.claim(measured) as claim:
        shown = json.loads(phase.tune("show", "packing/1", "--store", "store", "--json", cwd=search.folder))
        peak = shown["attempts"][0]["peak_device_memory_bytes"]
        claim.expect(peak and gib * 2**30 <= peak <= (gib + 2) * 2**30, f"{peak} bytes of {gib} GiB and a context")
        claim.detail = f"{peak / 2**30:.2f} GiB of {gib} GiB and a context"


def trainer_out_of_memory(phase, data):
    what = "tune-train ends with 75 where the GPU has too little memory"
    if phase.options.cpu:
        return phase.skip(what)
    with phase.claim(what) as claim:
        (_, _, total, used), *_ = gpus()
        rest = 3  # GiB: for contexts, and too little for the network
        held = stranger_with(phase, "full", (total - used) / 1024 - rest)
        fixed = {"epochs": 1, "batch_size": 32}
        file = phase.trial_file(phase.scratch / "full" / "trial", data, "ssd512-vgg16", fixed, "fp32")
        phase.tune_train("--trial", file, expected=75, env=phase.environment_of_trial())
        held.kill()
        held.wait()
        claim.detail = f"with {rest} GiB for ssd512-vgg16 in batches of 32"


def built_in(phase, data):
    what = "a search with tune-train, two trials at once on one GPU"
    if phase.options.cpu:  # the study's phase has searches with it
        return phase.skip(what)
    with phase.claim(what) as claim:
        search = Search(phase, "built-in", 2, parallel=2, trials_per_gpu=2)
        for key in ("command", "metrics"):
            del search.spec[key]
        search.spec |= {"objective": {"metric": "validation:mAP", "goal": "maximize"}, "fixed": {"epochs": 1},
                        "parameters": {"learning_rate": {"type": "float", "min": 0.001, "max": 0.01}},
                        "trainer": {"task": "detection", "model": "ssd128-resnet18-half", "data": str(data)}}
        search.end_with(search.start(), ["completed"] * 2, seconds=90)
        devices = [json.loads(file.read_text())["devices"]
                   for file in (search.folder / "store/built-in/trials").glob("*/attempts/*/trial.json")]
        claim.expect(all(own == [gpus()[0][0]] for own in devices), f"their devices are {devices}")


def main():
    phase = Phase(__doc__)
    data = phase.scratch / "data"
    if not phase.options.cpu:
        phase.synthesize(data, 48)
    doctor(phase)
    libtorch(phase)
    eight_trials(phase)
    built_in(phase, data)
    stranger(phase)
    for victim in ("trainer", "supervisor", "loop"):
        kill(phase, victim)
    out_of_memory(phase)
    ladder(phase)
    packing(phase)
    trainer_out_of_memory(phase, data)
    killed_with_memory(phase)
    phase.finish()


if __name__ == "__main__":
    main()
