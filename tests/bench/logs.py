"""Log lines per second through a trial with ten metric regexes, beside grep and Python's re on the same file."""
import argparse
import json
import pathlib
import re
import subprocess
import tempfile
import time

from bench_support import BIN, write_table

LINES = 1_000_000
PATTERNS = [f"metric_{i}=([0-9.]+)" for i in range(10)]


def write_log(path):
    with open(path, "w") as file:
        for i in range(LINES):
            if i % 100 == 0:
                file.write(f"epoch {i // 100} metric_{(i // 100) % 10}=0.{i:07d} done\n")
            else:
                file.write(f"step {i:07d} images per second 123.4, loading batch {i % 977} of 977, learning rate 0.001\n")


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "big.log"
        write_log(log)
        document = {
            "study": "logs",
            "objective": {"metric": "metric_0", "goal": "maximize"},
            "parameters": {"x": {"type": "int", "min": 0, "max": 1}},
            "command": ["cat", str(log)],
            "metrics": [{"name": p.split("=")[0], "regex": p} for p in PATTERNS],
            "strategy": {"name": "random", "seed": 1},
            "limits": {"trials": 1, "parallel": 1},
            "resources": {"gpus_per_trial": 0},
        }
        spec = pathlib.Path(folder) / "search.json"
        spec.write_text(json.dumps(document))
        start = time.monotonic()
        subprocess.run([BIN / "tune", "--spec", spec, "--store", pathlib.Path(folder) / "store"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        tune = time.monotonic() - start

        start = time.monotonic()
        compiled = [re.compile(p) for p in PATTERNS]
        with open(log) as file:
            found = sum(1 for line in file for p in compiled if p.search(line))
        python = time.monotonic() - start
        assert found == LINES // 100

        start = time.monotonic()
        # Through a pipe: with /dev/null for its output grep stops at the first match.
        counted = subprocess.run(["grep", "-cE", "|".join(PATTERNS), log], check=True, stdout=subprocess.PIPE, text=True)
        grep = time.monotonic() - start
        assert int(counted.stdout) == LINES // 100
    size = f"{LINES:,} lines, one in a hundred with a metric, ten regexes"
    write_table("logs", f"Log reading: {size}", ["reader", "lines/s", "of Python's re"],
                [["tune (a whole trial: process, log, metrics, store)", f"{LINES / tune:,.0f}", f"{python / tune:.1f}"],
                 ["Python's re, ten searches a line", f"{LINES / python:,.0f}", "1.0"],
                 ["grep -cE, the ten joined (counts only)", f"{LINES / grep:,.0f}", f"{python / grep:.1f}"]])


if __name__ == "__main__":
    main()
