"""Serves a model for as long as it takes to ask it, as any program can that speaks HTTP.

    python3 ask.py --model FOLDER [--image FILE ...] [--text TEXT ...] [--prompt TEXT ...]

A detector or a classifier of images takes --image, a classifier of texts --text, a language model --prompt; answers are printed a
line each. Nothing but Python's own library is used.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile
import urllib.request


def ask(address, token, path, body, media_type, accept="application/vnd.tune+json"):
    headers = {"Authorization": "Bearer " + token, "Content-Type": media_type, "Accept": accept}
    with urllib.request.urlopen(urllib.request.Request(address + path, body, headers)) as response:
        return json.load(response)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--image", type=pathlib.Path, action="append", default=[])
    parser.add_argument("--text", action="append", default=[])
    parser.add_argument("--prompt", action="append", default=[])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        token_file = pathlib.Path(folder) / "token"
        # With --control the server tells its port in a line of JSON, and ends when its input does.
        server = subprocess.Popen(["tune-train", "serve", "--model", asked.model, "--name", "model", "--token-file", token_file, "--control"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = server.stdout.readline()
        if not line:
            raise SystemExit(server.wait())
        address, token = f"http://127.0.0.1:{json.loads(line)['ready']['port']}", token_file.read_text().strip()
        for image in asked.image:
            print(image, json.dumps(ask(address, token, "/invocations", image.read_bytes(), "application/x-image")))
        for text in asked.text:
            print(json.dumps(ask(address, token, "/invocations", json.dumps({"text": text}).encode(), "application/json")))
        for prompt in asked.prompt:
            body = {"model": "model", "messages": [{"role": "user", "content": prompt}], "max_tokens": 20, "temperature": 0}
            answer = ask(address, token, "/v1/chat/completions", json.dumps(body).encode(), "application/json")
            print(json.dumps(answer["choices"][0]["message"]["content"]))
        server.stdin.close()
        raise SystemExit(server.wait())


if __name__ == "__main__":
    main()
