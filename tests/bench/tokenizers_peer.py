"""What Python's `tokenizers`, or of a tokenizer.model its `sentencepiece`, makes of a file of texts: run by tokenizers.py.

    python tokenizers_peer.py TOKENIZER FILE OUTPUT
"""
import json
import re
import sys
import time

import sentencepiece
from tokenizers import Tokenizer


def read_texts(file):
    if file.endswith(".jsonl"):
        return [json.loads(line) for line in open(file)]
    return [line.decode(errors="replace") for line in open(file, "rb").read().split(b"\n")[:-1]]


class Tokenizers:
    def __init__(self, file):
        self.tokenizer = Tokenizer.from_file(file)
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()

    def encode(self, texts):
        return [found.ids for found in self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    def decode(self, ids):
        return self.tokenizer.decode(ids, skip_special_tokens=False)


class SentencePiece:
    """Control pieces in a text are these pieces, as the Python-only tokenizer of Llama has them."""

    def __init__(self, file):
        self.model = sentencepiece.SentencePieceProcessor(model_file=file)
        ids = [i for i in range(self.model.get_piece_size()) if self.model.is_control(i) or self.model.is_unknown(i)]
        self.special = {self.model.id_to_piece(i): i for i in ids}
        self.names = {i: name for name, i in self.special.items()}
        self.pattern = re.compile("(" + "|".join(map(re.escape, sorted(self.special, key=len, reverse=True))) + ")")

    def encode_one(self, text):
        parts = self.pattern.split(text)
        if len(parts) == 1:
            return self.model.encode(text)
        return [i for part in parts for i in ([self.special[part]] if part in self.special else self.model.encode(part))]

    def encode(self, texts):
        return [self.encode_one(text) for text in texts]

    def decode(self, ids):
        if not any(i in self.names for i in ids):
            return self.model.decode(ids)
        text, rest = "", []
        for i in ids:
            if i in self.names:
                text, rest = text + self.model.decode(rest) + self.names[i], []
            else:
                rest.append(i)
        return text + self.model.decode(rest)


def main():
    tokenizer = (SentencePiece if sys.argv[1].endswith(".model") else Tokenizers)(sys.argv[1])
    texts = read_texts(sys.argv[2])
    begin, ids = time.perf_counter(), []
    for start in range(0, len(texts), 1000):
        ids += tokenizer.encode(texts[start:start + 1000])
    middle = time.perf_counter()
    decoded = [tokenizer.decode(line) for line in ids]
    end = time.perf_counter()
    with open(sys.argv[3], "w") as file:
        json.dump({"ids": [" ".join(map(str, line)) for line in ids], "decoded": decoded, "encoding": middle - begin,
                   "decoding": end - middle}, file)


if __name__ == "__main__":
    main()
