#!/usr/bin/env python3
"""Small models of sentencepiece and what it makes of texts.json (make_golden.py):

    pip install sentencepiece==0.2.1 && python3 tests/golden/text/make_sentencepiece.py

Writes sentencepiece_KIND/tokenizer.model and sentencepiece.json.
"""
import io
import json
import pathlib
import random

import sentencepiece

HERE = pathlib.Path(__file__).resolve().parent
WORDS = "the steel strip was rolled and pickled then inspected for scratches Über λόγος мир 鋼板 don't 3.14 2024".split()


def main():
    texts = [bytes.fromhex(text).decode(errors="replace") for text in json.loads((HERE / "texts.json").read_text())]
    rng = random.Random(7)
    corpus = [" ".join(rng.choices(WORDS, k=8)) for _ in range(300)]
    expected = {}
    for kind in ("bpe", "unigram"):
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(corpus), model_writer=model, model_type=kind, vocab_size=340, byte_fallback=True,
            normalization_rule_name="identity", remove_extra_whitespaces=False, hard_vocab_limit=False, minloglevel=2,
            user_defined_symbols=["<extra>"])
        folder = HERE / f"sentencepiece_{kind}"
        folder.mkdir(exist_ok=True)
        (folder / "tokenizer.model").write_bytes(model.getvalue())
        processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
        ids = [processor.encode(text) for text in texts]
        expected[kind] = {"ids": ids, "decoded": [processor.decode(line) for line in ids]}
    (HERE / "sentencepiece.json").write_text(json.dumps(expected, separators=(",", ":")))


main()
