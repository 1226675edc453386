"""How far one study scales: up to 10,000 trials at once, simulated. The runner is made up and the clock turned by hand; the loop, the
strategy, the database and the files are the real ones, so what is measured is all that `tune` itself does for a trial."""
import argparse
import json
import pathlib
import shutil
import subprocess
import tempfile

from bench_support import ROOT, write_table


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="release")
    parser.add_argument("--folder", help="where the study is written; by default in the temporary folder")
    parser.add_argument("--parallel", type=int, nargs="+", default=[10, 100, 1000, 10000])
    parser.add_argument("--strategies", nargs="+", default=["random"])
    options = parser.parse_args()
    build = ROOT / "build" / options.preset
    subprocess.run(["cmake", "--build", build, "--target", "bench_scale"], check=True, stdout=subprocess.DEVNULL)
    rows = []
    for strategy in options.strategies:
        for parallel in options.parallel:
            folder = pathlib.Path(tempfile.mkdtemp(prefix="tune-scale-", dir=options.folder))
            trials = max(1000, 2 * parallel)
            try:
                out = subprocess.run([build / "tests" / "bench_scale", str(trials), str(parallel), strategy, folder / "scale"],
                                     check=True, capture_output=True, text=True).stdout
                wal = sum(f.stat().st_size for f in (folder / "scale").glob("study.db*")) / 2**20
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            line = json.loads(out)
            # Each trial is suggested once, and commits its plan, its start, its metrics and its end.
            rows.append([strategy, parallel, trials, f"{trials / line['seconds']:.0f}", f"{line['events'] / line['seconds']:.0f}",
                         f"{1000 * line['processor_seconds'] / trials:.2f}", f"{100 * line['system_seconds'] / line['processor_seconds']:.0f} %",
                         f"{line['memory_mib']:.0f}", f"{wal:.0f}"])
            print(rows[-1], flush=True)
    write_table("scale", "How far one study scales: simulated trials of an hour, five metrics each",
                ["strategy", "at once", "trials", "suggested, started and ended a second", "events a second",
                 "processor time a trial, ms", "of that in the kernel", "peak memory, MiB", "database, MiB"], rows)


if __name__ == "__main__":
    main()
