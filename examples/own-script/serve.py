#!/usr/bin/env python3
"""Answers requests with a model that train.py has saved: a stand-in for any server of models.

`tune deploy own-script --worker examples/own-script/serve.py` starts it with the version's folder and a socket that
listens already, and talks with it in lines of JSON. It needs nothing but the standard library.
"""
import argparse
import hmac
import http.server
import json
import math
import pathlib
import signal
import socket
import sys
import threading


class Model:
    def __init__(self, folder, version):
        self.weights = json.loads((pathlib.Path(folder) / "model.json").read_text())["weights"]
        self.version = version

    def probability(self, x):
        z = sum(w * v for w, v in zip(self.weights, [1.0, *x, x[2] * x[3]]))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))


class State:
    """What the requests' threads and the control lines share."""

    def __init__(self, name, token, model):
        self.name, self.token, self.model, self.requests = name, token, model, 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def answer(self, status, value, model):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Tune-Model", f"{self.server.state.name}@{model.version}")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200 if self.path == "/ping" else 404, {}, self.server.state.model)

    def do_POST(self):
        state, model = self.server.state, self.server.state.model  # one version for the whole answer
        state.requests += 1
        length = int(self.headers.get("Content-Length", "-1"))
        if not 0 <= length <= 1_000_000:
            self.close_connection = True
            return self.answer(413, {"error": "a body of at most 1 MB, with its Content-Length"}, model)
        body = self.rfile.read(length)
        shown = self.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(shown, b"Bearer " + state.token):
            return self.answer(401, {"error": "show the endpoint's token: Authorization: Bearer TOKEN"}, model)
        try:
            rows = [[float(value) for value in row] for row in json.loads(body)]
            if any(len(row) != 6 or not all(map(math.isfinite, row)) for row in rows):
                raise ValueError("a row has six finite numbers")
        except (TypeError, ValueError) as problem:
            return self.answer(400, {"error": f"send rows as [[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]]: {problem}"}, model)
        return self.answer(200, [model.probability(row) for row in rows], model)

    def log_message(self, *_):
        pass


def say(message):
    print(json.dumps(message), flush=True)


def obey(state, order):
    if "stats" in order:
        say({"stats": {"requests": state.requests, "last_request": None, "failed": 0}})
    elif "load" in order:
        wanted = order["load"]
        try:
            state.model = Model(wanted["model"], wanted["version"])
            say({"loaded": {"version": wanted["version"], "seconds": 0.0}})
        except Exception as problem:  # whatever it is, the model before goes on
            say({"failed": {"version": wanted["version"], "message": str(problem)}})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("serve", choices=["serve"])
    for option in ("--model", "--name", "--model-version", "--token-file"):
        parser.add_argument(option, required=True)
    parser.add_argument("--listen-fd", type=int, required=True)
    parser.add_argument("--adapter", action="append", default=[])
    parser.add_argument("--control", action="store_true")
    arguments = parser.parse_args()
    if arguments.adapter:
        sys.exit("error: this model takes no adapters")

    token = pathlib.Path(arguments.token_file).read_bytes().strip()
    state = State(arguments.name, token, Model(arguments.model, arguments.model_version))
    server = http.server.ThreadingHTTPServer(("", 0), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = socket.socket(fileno=arguments.listen_fd)
    server.state = state
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    say({"ready": {"port": server.socket.getsockname()[1], "version": arguments.model_version}})
    for line in sys.stdin:  # until the supervisor closes it
        obey(state, json.loads(line))


if __name__ == "__main__":
    main()
