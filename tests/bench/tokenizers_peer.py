"""What Python's `tokenizers` makes of a file of texts: run by tokenizers.py.

    python tokenizers_peer.py TOKENIZER_JSON FILE OUTPUT
"""
import json
import sys
import time

from tokenizers import Tokenizer


def read_texts(file):
    if file.endswith(".jsonl"):
        return [json.loads(line) for line in open(file)]
    return [line.decode(errors="replace") for line in open(file, "rb").read().split(b"\n")[:-1]]


def main():
    tokenizer = Tokenizer.from_file(sys.argv[1])
    tokenizer.no_truncation()
    tokenizer.no_padding()
    texts = read_texts(sys.argv[2])
    begin, ids = time.perf_counter(), []
    for start in range(0, len(texts), 1000):
        ids += [found.ids for found in tokenizer.encode_batch_fast(texts[start:start + 1000], add_special_tokens=False)]
    middle = time.perf_counter()
    decoded = [tokenizer.decode(line, skip_special_tokens=False) for line in ids]
    end = time.perf_counter()
    with open(sys.argv[3], "w") as file:
        json.dump({"ids": [" ".join(map(str, line)) for line in ids], "decoded": decoded, "encoding": middle - begin,
                   "decoding": end - middle}, file)


if __name__ == "__main__":
    main()
