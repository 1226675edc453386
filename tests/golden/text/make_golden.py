#!/usr/bin/env python3
"""Small tokenizers of every kind, trained by Python's `tokenizers` on words made here, and what it makes of some hundred texts:

    pip install tokenizers==0.23.3 && python3 tests/golden/text/make_golden.py

Writes NAME/tokenizer.json for each, texts.json (as hexadecimal bytes, since some are no UTF-8) and expected.json.
"""
import json
import pathlib
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).resolve().parent
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace("{1,3}", "")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
CL100K_POSSESSIVE = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|"
                     r"\s+(?!\S)|\s+")
DEEPSEEK = ("[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|"
            " ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+")

WORDS = ("the steel strip was rolled and pickled then inspected for inclusions scratches patches crazing pitted surface don't "
         "it's we'll they've I'm you'd Über façade naïve Ελλάδα λόγος мир железо сталь שלום سلام नमस्ते ไทย 鋼板 表面 日本語 かな 한국어 "
         "def return lambda self.x[0] != None {} => 3.14 2024 1234567 ½ ² ③").split()
# What texts are drawn from: letters of many scripts, marks, digits, spaces, symbols, controls, pieces of added tokens.
POOL = (list("aAbBcCzZ éÉßŒœſ") + list("αΩςДяБ") + list("אבגسلم") + list("कि्षกำ") + list("あア漢字㐀豈𠀀𫠝한글") +
        ["\u1100", "\u1161", "\u11a8", "e\u0301", "\u0301", "\u0323", "\u0300", "İ", "ı", "ǆ", "ﬁ", "Å", "\u212b", "ⅷ", "Ⅳ", "①", "²",
         "٣", "१", "𝟘", "𞥐"] +
        list("0123456789") + [" ", "  ", "   ", "\t", "\n", "\r\n", "\n\n", "\r", "\u00a0", "\u2003", "\u3000", "\u2028", "\u0085",
                              "\u200b", "\u200d", "\ufeff", "\x1c", "\x0b", "\x00", "\x7f", "\ufffd"] +
        list(".,;:!?'\"`()[]{}<>/\\|@#$%^&*-_=+~") + ["'s", "'T", "'RE", "'ll", "'ſ", "n't", " do not", "...", "//", "▁", "##", "•",
                                                      "€", "😀", "👩‍👩‍👧", "🇩🇪", "\u2e43", "\u166d", "¿", "«", "。", "、"] +
        ["[MASK]", "[SEP]", "<s>", "</s>", "<|end|>", "<|user|>", "<extra>", "<pad>", "mask", "<0x0A>"])


def make_texts():
    rng = random.Random(20)
    texts = ["", " ", "\n", "a", "Hello, world!", "  two  spaces ", "I don't think they'll we've 'S 'Re", "tabs\tand\nlines\r\n\r\n  x",
             "x = y[0]  # 12345.678\n    return None\n\n\n", "ÀÉÎÕÜ àéîõü", "A\u030aB\u0327\u0301 \u1100\u1161\u11a8", "한국어 텍스트", "中文字符 没有空格",
             "word" * 40, "ab" * 60, " " * 70 + "x", "\n" * 9 + " \n x", "<s>hello</s> [MASK] , <|user|>hi<|end|>\n", "a [MASK]b  [MASK]  c",
             "xmask mask masks", "<extra> Über<extra>", "don\u2019t \u2018quote\u2019", "e.g. i.e. U.S.A. 1,000,000.00", "👩‍👩‍👧 😀😀 🇩🇪",
             "ﬁnance Ⅳ ① ² ½", "naïve façade Übergröße", "सत्यमेव जयते", "السلام عليكم", "ภาษาไทยไม่มีช่องว่าง", "a\u200bb\u200dc\ufeffd",
             "\ufffd\ufffd x", "\x00\x01\x1f\x7f\x80\x9f"]
    texts += [" ".join(rng.choices(WORDS, k=rng.randint(1, 6))) for _ in range(25)]
    texts += ["".join(rng.choices(POOL, k=rng.randint(1, 9))) for _ in range(110)]
    whole = [text.encode() for text in texts]
    broken = []
    for text in rng.sample(whole, 20):
        bytes_ = bytearray(text or b"x")
        for _ in range(rng.randint(1, 3)):
            bytes_[rng.randrange(len(bytes_))] = rng.choice([0x80, 0xBF, 0xC0, 0xC3, 0xE2, 0xED, 0xF0, 0xF5, 0xFF])
        broken.append(bytes(bytes_))
    return whole + broken + [b"\xe2\x82", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\xaf", b"a\xf4\x90\x80\x80b"]


def corpus():
    rng = random.Random(7)
    return [" ".join(rng.choices(WORDS, k=8)) for _ in range(400)]


def byte_level(pattern=None, adds_space=False, before=(), **options):
    steps = list(before)
    if pattern is not None:
        steps.append(pre_tokenizers.Split(Regex(pattern), "isolated"))
    steps.append(pre_tokenizers.ByteLevel(add_prefix_space=adds_space, use_regex=pattern is None))
    tokenizer = Tokenizer(models.BPE(**options))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps) if len(steps) > 1 else steps[0]
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=340, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(corpus(), trainer)
    return tokenizer


def template(tokenizer, begin, end=None):
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A" + (f" {end}" if end else ""), pair=f"{begin} $A" + (f" {end} $B:1 {end}:1" if end else f" {begin}:1 $B:1"),
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in {begin, end} if token])


def bert(lowercase):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=30))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase, strip_accents=None if lowercase else False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=300, show_progress=False, limit_alphabet=120,
                                        special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.train_from_iterator(corpus(), trainer)
    if lowercase:
        template(tokenizer, "[CLS]", "[SEP]")
        tokenizer.enable_truncation(12)
        tokenizer.enable_padding(length=12, pad_token="[PAD]")
    else:
        tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
        tokenizer.add_tokens([AddedToken("mask", single_word=True), AddedToken("<extra>", lstrip=True, rstrip=True)])
    return tokenizer


def roberta():
    tokenizer = byte_level(adds_space=True)
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", AddedToken("[MASK]", lstrip=True)])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", tokenizer.token_to_id("</s>")),
                                                            ("<s>", tokenizer.token_to_id("<s>")))
    return tokenizer


def llama3():
    tokenizer = byte_level(LLAMA3)
    file = json.loads(tokenizer.to_str())
    # A token that no merge makes: found because whole words are looked up.
    file["model"]["vocab"]["Ġdefinitely"] = len(file["model"]["vocab"])
    file["model"]["vocab"]["3141"] = len(file["model"]["vocab"])
    file["model"]["ignore_merges"] = True
    tokenizer = Tokenizer.from_str(json.dumps(file))
    tokenizer.add_special_tokens(["<s>", "<|end|>", "<|user|>"])
    template(tokenizer, "<s>")
    return tokenizer


def qwen2():
    tokenizer = byte_level(QWEN2)
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.add_special_tokens(["<|end|>", "<|user|>"])
    tokenizer.add_tokens([AddedToken("<extra>", special=False, normalized=False)])
    return tokenizer


def with_nfkc():
    tokenizer = byte_level()
    tokenizer.normalizer = normalizers.NFKC()
    return tokenizer


def inverted():
    tokenizer = byte_level(O200K)
    file = json.loads(tokenizer.to_str())
    file["pre_tokenizer"]["pretokenizers"][0] |= {"behavior": "Removed", "invert": True}
    return Tokenizer.from_str(json.dumps(file))


def fallback_vocabulary(extra):
    """Characters and merges of a BPE on characters, with a token for each byte but for a few."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    trainer = trainers.BpeTrainer(vocab_size=260, show_progress=False, limit_alphabet=60)
    tokenizer.train_from_iterator(corpus(), trainer)
    model = json.loads(tokenizer.to_str())["model"]
    vocabulary = {token: i for i, token in enumerate(["<unk>", "<s>", "</s>", *extra])}
    for token in sorted(model["vocab"], key=model["vocab"].get):
        vocabulary.setdefault(token, len(vocabulary))
    return vocabulary, [tuple(merge) for merge in model["merges"]]


def llama2(missing=()):
    vocabulary, merges = fallback_vocabulary([f"<0x{byte:02X}>" for byte in range(256) if byte not in missing])
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=not missing, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
                                           decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    template(tokenizer, "<s>")
    return tokenizer


def gemma():
    vocabulary, merges = fallback_vocabulary([f"<0x{byte:02X}>" for byte in range(256)])
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens(["<s>", "</s>"])
    tokenizer.add_tokens([AddedToken("\n\n", normalized=False), AddedToken("<extra>", normalized=True)])
    template(tokenizer, "<s>", "</s>")
    return tokenizer


def unigram(scheme, byte_fallback):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " "), normalizers.Strip(left=False)])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme)
    tokenizer.decoder = decoders.Metaspace(prepend_scheme=scheme)
    trainer = trainers.UnigramTrainer(vocab_size=150, show_progress=False, unk_token="<unk>", special_tokens=["<unk>", "<s>", "</s>"])
    tokenizer.train_from_iterator(corpus(), trainer)
    if byte_fallback:
        file = json.loads(tokenizer.to_str())
        file["model"]["vocab"] += [[f"<0x{byte:02X}>", -20.0] for byte in range(256)]
        file["model"]["byte_fallback"] = True
        tokenizer = Tokenizer.from_str(json.dumps(file))
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(), processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 2)])])
    return tokenizer


def pieces(normalizer, pre_tokenizer):
    """WordPiece of single characters, which shows how a text is normalised and cut."""
    alphabet = sorted({c for word in WORDS for c in word} | {c for word in POOL if len(word) == 1 for c in word})
    vocabulary = {"[UNK]": 0}
    for c in alphabet:
        vocabulary.setdefault(c, len(vocabulary))
        vocabulary.setdefault("##" + c, len(vocabulary))
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizer
    return tokenizer


def tokenizers():
    yield "bert", bert(True)
    yield "bert_cased", bert(False)
    yield "gpt2", byte_level()
    yield "roberta", roberta()
    yield "llama3", llama3()
    yield "qwen2", qwen2()
    yield "smollm", byte_level(before=[pre_tokenizers.Digits(individual_digits=True)])
    yield "nfkc", with_nfkc()
    yield "o200k", inverted()
    yield "possessive", byte_level(CL100K_POSSESSIVE)
    yield "deepseek", byte_level(DEEPSEEK, before=[
        pre_tokenizers.Split(Regex(r"\p{N}{1,3}"), "isolated"), pre_tokenizers.Split(Regex("[一-龥぀-ゟ゠-ヿ]+"), "isolated")])
    yield "llama2", llama2()
    yield "llama2_gaps", llama2(missing=(0x82, 0xCE, 0xB1, 0xD0))
    yield "gemma", gemma()
    yield "unigram", unigram("always", False)
    yield "unigram_bytes", unigram("first", True)
    n, p = normalizers, pre_tokenizers
    yield "nfd_punctuation", pieces(n.Sequence([n.NFD(), n.Lowercase()]), p.Punctuation("merged_with_previous"))
    yield "nfkd_accents", pieces(n.Sequence([n.NFKD(), n.StripAccents(), n.Strip()]), p.Whitespace())
    yield "split_space", pieces(n.Lowercase(), p.Sequence([p.WhitespaceSplit(), p.Digits(), p.Metaspace(prepend_scheme="first", split=False)]))
    yield "merged_next", pieces(n.NFC(), p.Split(Regex(r"\p{Lu}"), "merged_with_next"))
    yield "contiguous", pieces(None, p.Sequence([p.Punctuation("contiguous"), p.Split("a", "removed")]))


def main():
    texts = make_texts()
    read = [text.decode(errors="replace") for text in texts]
    (HERE / "texts.json").write_text(json.dumps([text.hex() for text in texts]))
    expected = {}
    for name, tokenizer in tokenizers():
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        (folder / "tokenizer.json").write_text(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":")))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        bare = [tokenizer.encode(text, add_special_tokens=False).ids for text in read]
        cases = {"ids": bare,
                 # null where the text comes back
                 "decoded": [None if (back := tokenizer.decode(ids, skip_special_tokens=False)) == text else back
                             for ids, text in zip(bare, read)],
                 "skipped": [None if (back := tokenizer.decode(ids)) == tokenizer.decode(ids, skip_special_tokens=False) else back
                             for ids in bare]}
        tokenizer.enable_truncation(9)
        cases["pairs"] = []
        for first, second in zip(read[:40], read[60:100]):
            one, two = tokenizer.encode(first), tokenizer.encode(first, second)
            cases["pairs"].append([one.ids, one.type_ids, one.special_tokens_mask, two.ids, two.type_ids, two.special_tokens_mask])
        expected[name] = cases
    (HERE / "expected.json").write_text(json.dumps(expected, separators=(",", ":")))


main()
