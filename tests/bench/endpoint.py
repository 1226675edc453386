"""Endpoints beside Python: requests a second and the slowest of a hundred of a small classifier at eight clients, and tokens a
second of SmolLM2-135M.

`tune-train serve` and a server of FastAPI with the same network and weights take turns, asked by the same program with the same
JPEG files; before that their answers are compared. Tokens are written beside transformers and, where --node names a folder with
the package node-llama-cpp in its node_modules, beside llama.cpp, all with the same weights in fp32.
"""
import argparse
import http.client
import json
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import language_model
from bench_support import BIN, ROOT, peer_python, write_table

MODEL, CLASSES, IMAGES, CLIENTS, THREADS = "mobilenet_v3_small", 4, 32, 8, 2
TOKENS, TOGETHER = 64, 4
LARGEST = 2e-2  # difference of two probabilities: JPEG decoders and resizing differ in last grey levels


def options():
    parser = argparse.ArgumentParser(prog="./dev bench endpoint", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", choices=("requests", "tokens"), help="only this part (may be repeated)")
    parser.add_argument("--seconds", type=float, default=10, help="of each load (10)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--python", type=pathlib.Path, help="one with the peers, in place of one of its own")
    parser.add_argument("--node", type=pathlib.Path, help="a folder whose node_modules hold node-llama-cpp")
    parser.add_argument("--tiny", action="store_true", help="a rehearsal on a drawn language model, which writes no table")
    return parser.parse_args()


class Served:
    """`tune-train serve`, steered by its lines."""

    def __init__(self, folder, *arguments):
        self.run = subprocess.Popen([BIN / "tune-train", "serve", "--control", "--token-file", folder / "token", "--threads", str(THREADS),
                                     *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.run.stdout.readline()
        if not line:
            sys.exit("tune-train serve ended")
        self.port = json.loads(line)["ready"]["port"]
        self.headers = {"Authorization": "Bearer " + (folder / "token").read_text().strip()}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.run.stdin.close()
        self.run.wait()


class Peer:
    """The server of FastAPI."""
    headers = {}

    def __init__(self, python, *arguments):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.run = subprocess.Popen([python, "-I", ROOT / "tests" / "bench" / "endpoint_peer.py", "serve", *map(str, arguments), str(self.port)])
        for _ in range(600):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port)
                connection.request("GET", "/ping")
                connection.getresponse().read()
                return
            except OSError:
                time.sleep(0.1)
        sys.exit("the peer does not answer")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.run.terminate()
        self.run.wait()


def ask(connection, server, path, body, media_type):
    connection.request("POST", path, body, {"Content-Type": media_type, **server.headers})
    response = connection.getresponse()
    text = response.read()
    if response.status != 200:
        sys.exit(f"{response.status} {text[:300]}")
    return json.loads(text)


def load(server, images, clients, seconds):
    """Requests a second, and the 50th and 99th percentile of their milliseconds."""
    took, lock, end = [], threading.Lock(), time.monotonic() + seconds

    def client(number):
        connection, mine = http.client.HTTPConnection("127.0.0.1", server.port), []
        turn = number
        while (begin := time.monotonic()) < end:
            ask(connection, server, "/invocations", images[turn % len(images)], "image/jpeg")
            mine.append(time.monotonic() - begin)
            turn += clients
        with lock:
            took.extend(mine)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = time.monotonic() - begin
    took.sort()
    return len(took) / spent, 1000 * took[len(took) // 2], 1000 * took[min(len(took) - 1, int(0.99 * len(took)))]


def median_of(rounds):
    return [statistics.median(column) for column in zip(*rounds)]


def measure_requests(chosen, python, folder):
    data = folder / "photographs"
    subprocess.run([python, ROOT / "tests" / "bench" / "classification_peer.py", "draw", data, str(CLASSES), str(IMAGES)], check=True)
    images = [file.read_bytes() for file in sorted(data.rglob("*.jpg"))]
    trial = {"schema": 1, "study": "bench", "trial": 1, "attempt": 1, "token": "bench", "seed": 1, "parameters": {},
             "fixed": {"epochs": 2, "batch_size": 8, "learning_rate": 1e-3},
             "objective": {"metric": "validation:accuracy", "goal": "maximize"},
             "trainer": {"task": "image_classification", "model": MODEL, "data": str(data)}, "budget": 1, "threads": THREADS, "devices": [],
             "precision": "fp32", "checkpoint_dir": str(folder / "checkpoints"), "output_dir": str(folder / "output"), "resume_from": None}
    (folder / "trial.json").write_text(json.dumps(trial))
    subprocess.run([BIN / "tune-train", "--trial", folder / "trial.json"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    model, ours, theirs = folder / "output", [], {1: [], THREADS: []}
    weights = model / "weights.safetensors"
    for round_of in range(chosen.rounds):
        answers = []
        with Served(folder, "--model", model) as server:
            connection = http.client.HTTPConnection("127.0.0.1", server.port)
            answers.append([ask(connection, server, "/invocations", image, "image/jpeg") for image in images])
            load(server, images, chosen.clients, 1)
            ours.append(load(server, images, chosen.clients, chosen.seconds) + load(server, images, 1, chosen.seconds / 2))
        for threads, results in theirs.items():
            with Peer(python, MODEL, weights, CLASSES, threads) as server:
                connection = http.client.HTTPConnection("127.0.0.1", server.port)
                answers.append([ask(connection, server, "/invocations", image, "image/jpeg") for image in images])
                load(server, images, chosen.clients, 1)
                results.append(load(server, images, chosen.clients, chosen.seconds) + load(server, images, 1, chosen.seconds / 2))
        worst = max(abs(a - b) for one in answers[1:] for mine, other in zip(answers[0], one) for a, b in zip(mine, other))
        print(f"round {round_of + 1}: ours {ours[-1]}, theirs {[rows[-1] for rows in theirs.values()]}, answers differ by {worst:.1e}",
              file=sys.stderr, flush=True)
        if worst > LARGEST:
            sys.exit(f"the answers differ by {worst}")
    header = ["server", f"requests a second, {chosen.clients} clients", "median, ms", "99th percentile, ms", "requests a second, 1 client",
              "median, ms", "99th percentile, ms"]
    named = [("tune-train serve", ours)] + [(f"FastAPI and uvicorn, {threads} thread{'s' if threads > 1 else ''} an operation", rows)
                                            for threads, rows in theirs.items()]
    return header, [[name, *(f"{value:.1f}" for value in median_of(rows))] for name, rows in named]


def measure_tokens(chosen, python, folder):
    whole, _ = language_model.base(chosen, folder)
    prompts = [f"Once upon a time a {word} lived in a steel mill. One day" for word in language_model.WORDS[:TOGETHER]]
    file = folder / "prompts.json"
    file.write_text(json.dumps(prompts))
    tokens = tokens_of(chosen)

    def ours():
        with Served(folder, "--model", whole, "--name", "smol") as server:
            def one(prompt, texts=None):
                connection = http.client.HTTPConnection("127.0.0.1", server.port)
                body = json.dumps({"model": "smol", "prompt": prompt, "max_tokens": tokens, "temperature": 0})
                answer = ask(connection, server, "/v1/completions", body, "application/json")
                if texts is not None:
                    texts.append((answer["choices"][0]["text"], answer["usage"]["completion_tokens"]))

            one(prompts[0])
            alone, together, begin = [], [], time.monotonic()
            one(prompts[0], alone)
            took = time.monotonic() - begin
            threads = [threading.Thread(target=one, args=(prompt, together)) for prompt in prompts]
            begin = time.monotonic()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            both = time.monotonic() - begin
            return {"alone": alone[0][1] / took, "together": sum(made for _, made in together) / both, "text": alone[0][0]}

    def transformers():
        return json.loads(subprocess.run([python, "-I", ROOT / "tests" / "bench" / "endpoint_peer.py", "write", whole, file,
                                          str(THREADS), str(tokens)], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])

    def llama(gguf):
        return json.loads(subprocess.run(["node", ROOT / "tests" / "bench" / "endpoint_peer.mjs", gguf, file, str(THREADS), str(tokens)],
                                         check=True, stdout=subprocess.PIPE, text=True, cwd=chosen.node).stdout.splitlines()[-1])

    sides = {"tune-train serve, over HTTP": ours, "transformers, in its process": transformers}
    if chosen.node:
        gguf = folder / "smol.gguf"
        language_model.tune_train("export", "--model", whole, "--output", gguf, "--type", "f32")
        sides["llama.cpp, in its process"] = lambda: llama(gguf)
    found = {name: [] for name in sides}
    for round_of in range(chosen.rounds):
        for name, side in sides.items():
            found[name].append(side())
            print(f"round {round_of + 1}: {name} {found[name][-1]}", file=sys.stderr, flush=True)
    header = ["", "tokens a second, one prompt", f"{TOGETHER} prompts at once", "the same text"]
    first, rows = next(iter(found.values()))[0]["text"], []
    for name, results in found.items():
        together = [result["together"] for result in results if "together" in result]
        rows.append([name, f"{statistics.median(result['alone'] for result in results):.1f}",
                     f"{statistics.median(together):.1f}" if together else "",
                     "yes" if results[0]["text"] == first else "no"])
    return header, rows


def main():
    chosen = options()
    python = chosen.python
    if python is None:
        python = peer_python("torch==2.13.0", "transformers==5.24.0", "numpy", "pillow", "fastapi", "uvicorn", "safetensors",
                             environment="endpoint-venv")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "torchvision==0.28.0"],
                       check=True)
    for part, measure, name, title, notes in (
            ("requests", measure_requests, "endpoint_requests", f"An endpoint of {MODEL}, JPEG files in, probabilities out",
             [f"JPEG files of 500 x 375 pixels, {THREADS} threads each, fp32, clients with connections that stay, in the same machine; medians of",
              f"{chosen.rounds} rounds, in which the servers take turns. The peer: FastAPI and uvicorn, torchvision 0.28, the work on their pool of",
              "threads. Both answer alike, with the same weights."]),
            ("tokens", measure_tokens, "endpoint_tokens", "Tokens a second of SmolLM2-135M, greedy",
             [f"{tokens_of(chosen)} tokens of each answer, fp32, {THREADS} threads, prompts of some words, the time of the prompt included. transformers 5.24 on",
              "LibTorch 2.13; llama.cpp as node-llama-cpp brings it, with the same weights as an F32 GGUF file."])):
        if chosen.part and part not in chosen.part:
            continue
        with tempfile.TemporaryDirectory() as folder:
            header, rows = measure(chosen, python, pathlib.Path(folder))
        if not chosen.tiny:
            write_table(name, title, header, rows, notes)
        else:
            print(header, *rows, sep="\n")


def tokens_of(chosen):
    return 16 if chosen.tiny else TOKENS


if __name__ == "__main__":
    main()
