"""A search on a real Slurm cluster of two nodes on this machine (examples/slurm/cluster.sh): what a trial costs beside plain sbatch, how
often the scheduler is asked, and what is lost when its parts are killed in turn."""
import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time

from bench_support import ROOT, write_table

CLUSTER = ROOT / "examples" / "slurm" / "cluster.sh"


def sh(line, **more):
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, **more)


class Bench:
    def __init__(self, preset, folder):
        self.bin = ROOT / "build" / preset / "bin"
        self.folder = pathlib.Path(folder)
        self.cluster = self.folder / "cluster"
        self.queries = self.folder / "queries"
        self.count = 0
        # Wrappers that write down when a program was called.
        wrappers = self.folder / "bin"
        wrappers.mkdir(parents=True)
        for name in ("squeue", "scontrol", "sinfo", "sacct"):
            real = shutil.which(name)
            if real:
                (wrappers / name).write_text(f'#!/bin/sh\necho "$(date +%s) {name}" >>{self.queries}\nexec {real} "$@"\n')
                (wrappers / name).chmod(0o755)
        self.env = {**os.environ, "SLURM_CONF": str(self.cluster / "slurm.conf"), "NO_COLOR": "1"}
        self.logged = {**self.env, "PATH": f"{self.bin}:{wrappers}:{os.environ['PATH']}"}

    def study(self, trials, script, parallel=4):
        self.count += 1
        place = self.folder / f"study{self.count}"
        place.mkdir()
        (place / "train.sh").write_text(script)
        (place / "search.json").write_text(json.dumps({
            "study": "s", "objective": {"metric": "loss", "goal": "minimize"},
            "parameters": {"x": {"type": "int", "min": 100000, "max": 999999}},
            "command": ["sh", "train.sh", "{{x}}"],
            "metrics": [{"name": "loss", "regex": "loss=([0-9.]+)"}],
            "strategy": {"name": "random", "seed": 5},
            "limits": {"trials": trials, "parallel": parallel},
            "resources": {"gpus_per_trial": 1},
            "retry": {"infrastructure": {"tries": 10}},
            "runner": {"kind": "slurm", "work": "work"}}))
        return place

    def start(self, place):
        with open(place / "err", "a") as err:
            return subprocess.Popen(["tune", "--spec", "search.json", "--store", "store"], cwd=place, env=self.logged,
                                    stdout=subprocess.DEVNULL, stderr=err)

    def plain(self, trials):
        place = self.folder / f"plain{time.time_ns()}"
        place.mkdir()
        (place / "job.sh").write_text(f"#!/bin/sh\nsleep 2\necho loss=0.$1 >{place}/done.$1\n")
        begin = time.monotonic()
        for i in range(trials):
            subprocess.run(["sbatch", "--parsable", "--output=/dev/null", "--gres=gpu:1", place / "job.sh", str(i)], env=self.env,
                           check=True, stdout=subprocess.DEVNULL)
        while len(list(place.glob("done.*"))) < trials:
            time.sleep(0.05)
        return time.monotonic() - begin

    def search(self, trials):
        place = self.study(trials, "sleep 2; echo loss=0.$1\n")
        self.queries.write_text("")
        begin, began_at = time.monotonic(), time.time()
        if self.start(place).wait() != 0:
            raise SystemExit((place / "err").read_text())
        took = time.monotonic() - begin
        times = [int(line.split()[0]) - began_at for line in self.queries.read_text().splitlines()]
        steady = [t for t in times if t >= 60]
        minutes = (took - 60) / 60
        return took, len(times), len(steady) / minutes if minutes > 0.5 else float("nan")

    def trials(self, place):
        out = subprocess.run(["tune", "trials", "s", "--store", "store", "--json"], cwd=place, env=self.logged, capture_output=True,
                             text=True).stdout
        return json.loads(out)["trials"]

    def resume_nodes(self):
        if "drain" in sh("sinfo --noheader --partition=gpu --format=%T", env=self.env).stdout:
            sh("scontrol update NodeName=n1,n2 State=RESUME", env=self.env)

    # One round: a search in the middle of which something dies. Trials lost, completed twice, jobs left.
    def round(self, victim, trials=6):
        place = self.study(trials, f"""
attempt=$(basename $(dirname $TUNE_TRIAL_FILE)); trial=$(basename $(dirname $(dirname $(dirname $TUNE_TRIAL_FILE))))
script=$(ps -o ppid= -p $PPID); step=$(ps -o ppid= -p $script)
echo $PPID $script $step $SLURMD_NODENAME > {self.folder}/study{self.count + 1}/here.$trial.$attempt
sleep 2.5; echo $trial >> done; echo loss=0.$1
""")
        self.resume_nodes()
        tune = self.start(place)
        running = []
        while len(running) < 3 and tune.poll() is None:
            self.resume_nodes()
            time.sleep(0.05)
            running = list(place.glob("here.*"))
        time.sleep(random.random())
        # A file of a trial that still runs: its trainer's supervisor is there.
        alive = []
        for file in place.glob("here.*"):
            words = file.read_text().split()
            if len(words) == 4 and pathlib.Path(f"/proc/{words[0]}").exists():
                alive.append(words)
        if not alive:
            tune.kill()
            raise SystemExit(f"{victim}: nothing runs: " + (place / "err").read_text())
        supervisor, script, step, node = alive[-1]
        pid_of = lambda name: int((self.cluster / f"{name}.pid").read_text())
        if victim == "orchestrator":
            tune.kill()
            tune.wait()
            time.sleep(random.random())
            tune = self.start(place)
        elif victim == "controller":
            os.kill(pid_of("slurmctld"), signal.SIGKILL)
            time.sleep(1 + random.random())
            subprocess.run([CLUSTER, "controller", self.cluster], check=True)
        elif victim == "node":
            os.kill(pid_of(f"slurmd-{node}"), signal.SIGKILL)
            time.sleep(1 + random.random())
            subprocess.run([CLUSTER, "node", self.cluster, node], check=True)
        elif victim == "node and step":
            os.kill(pid_of(f"slurmd-{node}"), signal.SIGKILL)
            os.kill(int(step), signal.SIGKILL)
        elif victim == "script":
            os.kill(int(script), signal.SIGKILL)
        elif victim == "supervisor":
            os.kill(int(supervisor), signal.SIGKILL)
        if victim == "node and step":
            # The other node's jobs go on; this one comes back when Slurm has given it up.
            deadline = time.monotonic() + 120
            while time.monotonic() < deadline and tune.poll() is None:
                state = sh(f"sinfo --noheader --nodes={node} --partition=gpu --format=%t", env=self.env).stdout
                if "down" in state:
                    break
                time.sleep(1)
            subprocess.run([CLUSTER, "node", self.cluster, node], check=True)
        # A controller that was killed before it had saved what it had started starts it again, finds it there, and drains
        # the nodes ("Duplicate jobid"): whoever runs the cluster has them resumed.
        while victim == "controller" and tune.poll() is None:
            self.resume_nodes()
            time.sleep(1)
        code = tune.wait(timeout=300)
        rows = self.trials(place)
        done = (place / "done").read_text().split() if (place / "done").exists() else []
        completed = sum(row["state"] == "completed" for row in rows)
        deadline = time.monotonic() + 30
        left = 1
        while left and time.monotonic() < deadline:
            time.sleep(0.2)
            queue = sh("squeue --noheader --me", env=self.env)
            left = len(queue.stdout.splitlines()) if queue.returncode == 0 else 1
        if code != 0 or completed != trials or left:
            print(victim, "exit", code, [row["state"] for row in rows], queue.stdout, (place / "err").read_text()[-1500:], flush=True)
        return trials - completed, sum(done.count(str(n)) > 1 for n in range(1, trials + 1)), left


VICTIMS = ("orchestrator", "controller", "node", "node and step", "script", "supervisor")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="release")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--kills", type=int, default=10, help="of each part")
    parser.add_argument("--victims", nargs="+", default=VICTIMS, choices=VICTIMS)
    parser.add_argument("--only", nargs="+", default=["overhead", "kills"])
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="tune-slurm-")
    bench = Bench(options.preset, folder)
    port = {**os.environ, "CLUSTER_PORT": str(30000 + os.getpid() % 20000)}
    subprocess.run([CLUSTER, "start", bench.cluster], check=True, env=port)
    try:
        if "overhead" in options.only:
            rows = []
            for _ in range(options.repeat):
                plain = bench.plain(options.trials)
                ours, queries, steady = bench.search(options.trials)
                rows.append([options.trials, f"{plain:.1f} s", f"{ours:.1f} s", f"{100 * (ours / plain - 1):+.1f} %", queries, f"{steady:.2f}"])
            write_table("slurm", "A search on a Slurm cluster: trials of 2 s, four at once",
                        ["trials", "submitted by sbatch in a loop, all at the start", "tune", "overhead", "queries in all",
                         "queries a minute after the first"], rows)
        if "kills" in options.only:
            rows = []
            for victim in options.victims:
                sums = [0, 0, 0]
                for _ in range(options.kills):
                    sums = [a + b for a, b in zip(sums, bench.round(victim))]
                rows.append([victim, options.kills, *sums])
                print(rows[-1], flush=True)
            write_table("slurm_kills", "Killed in the middle of a search on a Slurm cluster",
                        ["killed", "times", "trials lost", "trials completed twice", "jobs left"], rows)
    finally:
        subprocess.run([CLUSTER, "stop", bench.cluster])
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
