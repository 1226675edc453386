"""`tune serve` over a study of 50,000 trials: first answers, sorting, filtering, memory; and what 50 open pages cost a search."""
import argparse
import asyncio
import contextlib
import json
import os
import pathlib
import re
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

from bench_support import BIN, ROOT, write_table

PAGES = ROOT / "tuner" / "serve" / "pages"
EPOCH_MS = 1_790_000_000_000


def write_spec(folder, study, trials, command, parallel=2, extra=None):
    document = {
        "study": study,
        "objective": {"metric": "loss", "goal": "minimize"},
        "parameters": {
            **{f"x{i}": {"type": "float", "min": 1e-5, "max": 1, "scale": "log"} for i in range(5)},
            "layers": {"type": "int", "min": 1, "max": 64},
            "optimizer": {"type": "categorical", "values": ["sgd", "adam", "lion"]},
        },
        "command": command,
        "metrics": [{"name": "loss", "regex": "loss=([0-9.]+)"}, {"name": "accuracy", "regex": "accuracy=([0-9.]+)"}],
        "strategy": {"name": "random", "seed": 1},
        "limits": {"trials": trials, "parallel": parallel},
        "resources": {"gpus_per_trial": 0},
    }
    document.update(extra or {})
    path = pathlib.Path(folder) / f"{study}.json"
    path.write_text(json.dumps(document))
    return path


def make_large_study(folder, trials, steps):
    """One trial by tune itself, and as many more rows of its kind: trials, attempts, points and events."""
    store = pathlib.Path(folder) / "store"
    spec = write_spec(folder, "large", 1, ["sh", "-c", "echo loss=0.5 accuracy=0.5"])
    subprocess.run([BIN / "tune", "--spec", spec, "--store", store], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    database = sqlite3.connect(store / "large" / "study.db")
    columns = [row[1] for row in database.execute("PRAGMA table_info(trials)")]
    first = dict(zip(columns, database.execute("SELECT * FROM trials").fetchone()))
    attempt_columns = [row[1] for row in database.execute("PRAGMA table_info(attempts)")]
    attempt = dict(zip(attempt_columns, database.execute("SELECT * FROM attempts").fetchone()))
    names = dict(database.execute("SELECT name, id FROM metric_names"))
    explanation = json.dumps({"explanation": {"strategy": "random", "why": "x" * 400}})
    rows, attempts, events, metrics = [], [], [], []
    for number in range(2, trials + 1):
        value = ((number * 7919) % 100_003) / 100_003
        started = EPOCH_MS + number * 1000
        parameters = {f"x{i}": ((number * (31 + i)) % 9973 + 1) / 9974 for i in range(5)}
        parameters |= {"layers": number % 64 + 1, "optimizer": ["sgd", "adam", "lion"][number % 3]}
        failed = number % 50 == 0
        row = first | {"number": number, "parameters": json.dumps(parameters), "created_ms": started, "started_ms": started,
                       "ended_ms": started + 1900, "facts": explanation}
        if failed:
            row |= {"state": "failed", "failure": "crash", "reason": "exit code 1", "objective_values": "[]"}
        else:
            row |= {"objective_values": json.dumps([value])}
        rows.append([row[column] for column in columns])
        made = attempt | {"trial": number, "token": f"{number:016x}", "created_ms": started, "started_ms": started,
                          "ended_ms": started + 1900, "lease_seconds": 1.9}
        attempts.append([made[column] for column in attempt_columns])
        for kind in ("trial_queued", "attempt_started", "trial_finished"):
            events.append((started, kind, number, 1, json.dumps({"message": kind})))
        for step in range(1, steps + 1):
            metrics.append((names["loss"], number, step, value + 1 / step, 1, started + step))
        metrics.append((names["accuracy"], number, 1, 1 - value, 1, started))
    with database:
        database.executemany(f"INSERT INTO trials VALUES ({','.join('?' * len(columns))})", rows)
        database.executemany(f"INSERT INTO attempts VALUES ({','.join('?' * len(attempt_columns))})", attempts)
        database.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", sorted(metrics))
        database.executemany("INSERT INTO events (time_ms, kind, trial, attempt, data) VALUES (?, ?, ?, ?, ?)", events)
    database.close()
    return store


@contextlib.contextmanager
def served(store):
    """A server over the store: its address, its token and its process."""
    process = subprocess.Popen([BIN / "tune", "serve", "--json", "--addr", "127.0.0.1:0", "--store", store],
                               stdout=subprocess.PIPE, text=True)
    try:
        said = json.loads(process.stdout.readline())
        yield said["address"], pathlib.Path(said["token_file"]).read_text().strip(), process, said["url"]
    finally:
        process.terminate()
        process.wait()


def memory_mib(process, key):
    return int(re.search(rf"{key}:\s+(\d+)", pathlib.Path(f"/proc/{process.pid}/status").read_text()).group(1)) / 1024


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ask(address, token, path):
    """Milliseconds and size of an answer."""
    start = time.monotonic()
    request = urllib.request.Request(address + path, headers={"Authorization": "Bearer " + token})
    with urllib.request.urlopen(request) as answer:
        size = len(answer.read())
    return (time.monotonic() - start) * 1000, size


def painted(login):
    """When a browser shows what of the study's page, where the pages' packages (`./dev pages --test`) and Chromium are there."""
    if shutil.which("node") is None or not (PAGES / "node_modules").exists():
        return []
    run = subprocess.run(["node", PAGES / "test" / "paint.mjs", login, "/studies/large"], stdout=subprocess.PIPE, text=True)
    if run.returncode == 77:
        return []
    run.check_returncode()
    told = json.loads(run.stdout)
    return [(f"in Chromium: {what}", f"{told[key]:.0f} ms", "", "") for what, key in (
        ("the first paint", "first_paint_ms"), ("the study's head", "head_ms"), ("its trials", "table_ms"), ("its history", "history_ms"))]


def measure_large(store, trials):
    rows = []
    with served(store) as (address, token, process, login):
        study = "/api/studies/large"
        for what, path in [("the overview, nothing read yet", "/api/overview"), ("the study", study), ("the first page of trials", study + "/trials"),
                           ("all trials in columns", study + "/points"), ("20 curves", study + "/curves?trials=best:20"),
                           ("timeline", study + "/timeline"), ("importance", study + "/importance"), ("one trial", study + "/trials/777")]:
            taken, size = ask(address, token, path)
            again, _ = ask(address, token, path)
            rows.append((what, f"{taken:.0f} ms", f"{again:.1f} ms", f"{size / 1024:.0f} kB"))
        sorts, filters = [], []
        for i, column in enumerate(["value", "x0", "x1", "layers", "optimizer", "seconds", "device_hours", "accuracy", "state", "started"]):
            sorts.append(ask(address, token, f"{study}/trials?sort={column}&descending={i % 2}&limit=50")[0])
        for condition in ["x0<1e-2", "optimizer=adam,layers>32", "value<0.1", "failure~crash", "accuracy>=0.9,x1>0.5", "trial>40000,state=completed"]:
            filters.append(ask(address, token, f"{study}/trials?filter={urllib.parse.quote(condition)}&sort=value&limit=50")[0])
        rows.append(("sorted by each of 10 columns", f"{statistics.median(sorts):.0f} ms, at most {max(sorts):.0f} ms", "", ""))
        rows.append(("six filters, sorted", f"{statistics.median(filters):.0f} ms, at most {max(filters):.0f} ms", "", ""))
        rows += painted(login)
        rows.append(("memory of the server", f"{memory_mib(process, 'VmRSS'):.0f} MiB, at most {memory_mib(process, 'VmHWM'):.0f} MiB", "", ""))
    write_table("serve", f"tune serve over {trials} trials", ["answer", "at first", "again", "size"], rows)
    return rows


async def page(address, token, study, until):
    """Listens as a page does, and asks for what it shows at most once a second after a change."""
    host = urllib.parse.urlsplit(address)
    head = f"Host: {host.netloc}\r\nAuthorization: Bearer {token}\r\n"
    reader, writer = await asyncio.open_connection(host.hostname, host.port)
    writer.write(f"GET /api/events?study={study} HTTP/1.1\r\n{head}\r\n".encode())
    asked, changed = 0.0, asyncio.Event()

    async def listen():
        while line := await reader.readline():
            if line.startswith(b"data:"):
                changed.set()

    listening = asyncio.create_task(listen())
    other_reader, other = await asyncio.open_connection(host.hostname, host.port)
    while not until.is_set():
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(changed.wait(), 0.2)
        if not changed.is_set() or time.monotonic() - asked < 1:
            await asyncio.sleep(0.05)
            continue
        changed.clear()
        asked = time.monotonic()
        for path in ["", "/trials?sort=value&limit=50", "/curves?trials=best:20&points=200"]:
            other.write(f"GET /api/studies/{study}{path} HTTP/1.1\r\n{head}\r\n".encode())
            size = int(re.search(rb"Content-Length: (\d+)", await other_reader.readuntil(b"\r\n\r\n")).group(1))
            await other_reader.readexactly(size)
    listening.cancel()
    writer.close()
    other.close()


async def open_pages(address, token, study, count, until):
    await asyncio.gather(*(page(address, token, study, until) for _ in range(count)))


def search(folder, turn, trials, pages):
    """Seconds of a search, its failed trials, and the processor seconds of the server."""
    store = pathlib.Path(folder) / f"store-{turn}-{pages}"
    trial = "i=0; while [ $i -lt 20 ]; do i=$((i+1)); echo loss=0.$i accuracy=0.5; sleep 0.02; done"
    spec = write_spec(folder, "s", trials, ["sh", "-c", trial])
    command = [BIN / "tune", "--spec", spec, "--store", store]
    store.mkdir()
    with contextlib.ExitStack() as stack:
        viewers = server = None
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if pages:
            while not (store / "s" / "study.db").exists():
                time.sleep(0.01)
            address, token, server, _ = stack.enter_context(served(store))
            viewers = subprocess.Popen(["nice", "-n", "19", "python3", __file__, "--view", address, "--token-file",
                                        store / ".serve-token", "--pages", str(pages)])
        code = process.wait()
        seconds = time.monotonic() - start
        used = cpu_seconds(server) if server else 0
        if viewers:
            viewers.terminate()
            viewers.wait()
    shown = subprocess.run([BIN / "tune", "status", "s", "--store", store, "--json"], check=True, capture_output=True)
    counts = json.loads(shown.stdout)["counts"]
    if code != 0 or counts["completed"] != trials:
        raise SystemExit(f"the search ended with {code}: {counts}")
    return seconds, used


def view(options):
    async def run():
        until = asyncio.Event()
        await open_pages(options.view, pathlib.Path(options.token_file).read_text().strip(), "s", options.pages, until)

    asyncio.run(run())


def measure_pages(folder, turns, trials, pages):
    without, beside, used = [], [], []
    for turn in range(turns):
        for count in ([0, pages] if turn % 2 == 0 else [pages, 0]):
            seconds, cpu = search(folder, turn, trials, count)
            (beside if count else without).append(seconds)
            if count:
                used.append(cpu)
    ratio = statistics.median(beside) / statistics.median(without) - 1
    write_table("serve_pages", f"A search of {trials} trials, alone and with {pages} open pages",
                ["", "seconds, median", "least", "most"],
                [("alone", f"{statistics.median(without):.2f}", f"{min(without):.2f}", f"{max(without):.2f}"),
                 (f"with {pages} pages", f"{statistics.median(beside):.2f}", f"{min(beside):.2f}", f"{max(beside):.2f}")],
                [f"{100 * ratio:+.2f} %; the server used {statistics.median(used):.2f} processor seconds. {turns} turns of both, in turn. "
                 "The pages are one process at the lowest priority; no trial failed."])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=50_000)
    parser.add_argument("--steps", type=int, default=10, help="points of a trial's curve")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--search-trials", type=int, default=80)
    parser.add_argument("--pages", type=int, default=50)
    parser.add_argument("--only", choices=["large", "pages"])
    parser.add_argument("--view", help=argparse.SUPPRESS)
    parser.add_argument("--token-file", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.view:
        view(options)
    else:
        with tempfile.TemporaryDirectory() as folder:
            if options.only != "pages":
                measure_large(make_large_study(folder, options.trials, options.steps), options.trials)
            if options.only != "large":
                measure_pages(folder, options.turns, options.search_trials, options.pages)
