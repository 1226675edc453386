#!/usr/bin/env python3
"""Small models of sentencepiece of every kind and what it makes of texts.json (make_golden.py):

    pip install sentencepiece==0.2.1 && python3 tests/golden/text/make_sentencepiece.py

Writes sentencepiece_KIND/tokenizer.model and sentencepiece.json, where a text that is decoded to itself is null. Of a normalizer's
rules (a quarter of a megabyte) a model keeps those that the texts need.
"""
import contextlib
import io
import json
import pathlib
import random
import tempfile

import sentencepiece

HERE = pathlib.Path(__file__).resolve().parent
WORDS = "the steel strip was rolled and pickled then inspected for scratches Über λόγος мир 鋼板 don't 3.14 2024".split()
SMALL = {"vocab_size": 90, "user_defined_symbols": ["<extra>", "ing", "ﬁ", "a "]}
BYTES = {"byte_fallback": True, "vocab_size": 340, "user_defined_symbols": ["<extra>"]}
AS_IT_IS = {"normalization_rule_name": "identity", "remove_extra_whitespaces": False}
KINDS = {
    "bpe": {**BYTES, **AS_IT_IS},
    "unigram": {**BYTES, **AS_IT_IS, "model_type": "unigram"},
    "bpe_nmt_nfkc": SMALL,
    "unigram_nmt_nfkc_cf": {**SMALL, "model_type": "unigram", "normalization_rule_name": "nmt_nfkc_cf"},
    "unigram_nfkc_suffix": {**SMALL, "model_type": "unigram", "normalization_rule_name": "nfkc", "treat_whitespace_as_suffix": True},
    "bpe_nfkc_cf_suffix": {**SMALL, "normalization_rule_name": "nfkc_cf", "treat_whitespace_as_suffix": True, "remove_extra_whitespaces": False},
    "bpe_across_spaces": {**BYTES, **AS_IT_IS, "add_dummy_prefix": False, "split_by_whitespace": False, "max_sentencepiece_length": 40,
                          "vocab_size": 400},
    "char": {**SMALL, "model_type": "char", "bos_piece": "<begin>", "eos_piece": "<end>", "unk_surface": "?", "pad_id": 3},
    "bpe_unused": {**SMALL, **AS_IT_IS, "vocab_size": 140},
    "unigram_unused": {**SMALL, **AS_IT_IS, "model_type": "unigram", "vocab_size": 140},
    "unigram_denormalized": {**SMALL, "model_type": "unigram"},
    "bpe_unescaped": {**SMALL, "add_dummy_prefix": False},
}


def write_rules(file, rules):
    code = lambda text: " ".join(f"{ord(c):X}" for c in text)
    pathlib.Path(file).write_text("".join(f"{code(a)}\t{code(b)}\n" for a, b in rules.items()))


def rules_for(name, texts):
    """Those rules of a normalizer that replace what stands in the texts."""
    normalizer = sentencepiece.SentencePieceNormalizer(rule_name=name, add_dummy_prefix=False, escape_whitespaces=False,
                                                       remove_extra_whitespaces=False)
    rules = {}

    def replaced(text):
        result, at = "", 0
        while at < len(text):
            length = next((n for n in range(4, 0, -1) if text[at:at + n] in rules), 0)
            result += rules[text[at:at + length]] if length else text[at]
            at += length or 1
        return result

    for length in range(1, 5):
        for text in texts:
            for at in range(len(text) - length + 1):
                part = text[at:at + length]
                if "\0" not in part and replaced(part) != (whole := normalizer.normalize(part)):
                    rules[part] = whole
    assert all(replaced(text) == normalizer.normalize(text) for text in texts)
    return rules


def train(corpus, texts, model_type="bpe", normalization_rule_name="nmt_nfkc", **options):
    if normalization_rule_name != "identity":
        write_rules("rules.tsv", rules_for(normalization_rule_name, texts))
        options["normalization_rule_tsv"] = "rules.tsv"
    else:
        options["normalization_rule_name"] = "identity"
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(corpus), model_writer=model, model_type=model_type,
                                             hard_vocab_limit=False, minloglevel=2, **options)
    return model.getvalue()


def main():
    texts = [bytes.fromhex(text).decode(errors="replace") for text in json.loads((HERE / "texts.json").read_text())]
    rng = random.Random(7)
    corpus = [" ".join(rng.choices(WORDS, k=8)) for _ in range(300)]
    expected = {}
    for kind, options in KINDS.items():
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # a model keeps the names of its files
            if kind.endswith("denormalized"):
                write_rules("back.tsv", {"st": "ﬆ", "the": "THE", "é": "e\u0301"})
                options = {**options, "denormalization_rule_tsv": "back.tsv"}
            model = train(corpus, texts, **options)
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        if kind.endswith("unused"):
            pieces = [processor.id_to_piece(i) for i in range(processor.get_piece_size())]
            processor.set_vocabulary([piece for i, piece in enumerate(pieces) if i % 3 != 0])
        if kind.endswith("unescaped"):
            processor.override_normalizer_spec(escape_whitespaces=False)
        model = processor.serialized_model_proto()
        folder = HERE / f"sentencepiece_{kind}"
        folder.mkdir(exist_ok=True)
        (folder / "tokenizer.model").write_bytes(model)
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        ids = [processor.encode(text) for text in texts]
        decoded = [processor.decode(line) for line in ids]
        expected[kind] = {"ids": ids, "decoded": [None if a == b else b for a, b in zip(texts, decoded)]}
    (HERE / "sentencepiece.json").write_text(json.dumps(expected, separators=(",", ":")))


main()
