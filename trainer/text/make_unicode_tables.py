#!/usr/bin/env python3
"""Reads out of Python's `tokenizers` what it takes each character for, into unicode_tables.txt beside this file.

Its parts know different versions of Unicode (a regular expression's letters are newer than the punctuation of BERT's
pre-tokenizer), so each is asked about every code point by itself:

    pip install tokenizers==0.23.3 && python3 trainer/text/make_unicode_tables.py
"""
import pathlib
import unicodedata

import tokenizers
from tokenizers import Regex, normalizers, pre_tokenizers

CATEGORIES = ("Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co").split()
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
# Asked about at once.
BLOCK = 2000


def blocks():
    for start in range(0, len(CODE_POINTS), BLOCK):
        yield CODE_POINTS[start:start + BLOCK]


def members_of(pattern):
    """The characters that a regular expression of one character matches."""
    remover = normalizers.Replace(Regex(pattern), "")
    found = set()
    for block in blocks():
        kept = set(map(ord, remover.normalize_str("".join(map(chr, block)))))
        found.update(c for c in block if c not in kept)
    return found


def alone(pre_tokenizer):
    """The characters that come as a piece of their own from between letters."""
    found = set()
    for block in blocks():
        text = "a" + "".join(chr(c) + "a" for c in block)
        found.update(ord(piece) for piece, _ in pre_tokenizer.pre_tokenize_str(text) if len(piece) == 1)
    return found - {ord("a")}


def lost(pre_tokenizer):
    """The characters that come in no piece."""
    found = set()
    for block in blocks():
        text = "a" + "".join(chr(c) + "a" for c in block)
        kept = set()
        for piece, _ in pre_tokenizer.pre_tokenize_str(text):
            kept.update(map(ord, piece))
        found.update(c for c in block if c not in kept)
    return found


def mapping(normalizer, separator="|"):
    """What becomes of each character by itself, where that is something else."""
    changed = {}
    for block in blocks():
        asked = [c for c in block if chr(c) != separator]
        answer = normalizer.normalize_str(separator.join(f"a{chr(c)}b" for c in asked)).split(separator)
        assert len(answer) == len(asked)
        for c, text in zip(asked, answer):
            if text != f"a{chr(c)}b":
                assert text[0] == "a" and text[-1] == "b", hex(c)
                changed[c] = text[1:-1]
    return changed


def combining_classes(decompositions):
    """The canonical combining class of each mark, out of the order in which NFD puts it with marks of a known one."""
    nfd = normalizers.NFD()
    last = "\u0345"  # alone in the last class, 240
    known = {240: last}
    for c in range(0x300, 0x20000):
        value = unicodedata.combining(chr(c))
        if value and value not in known and nfd.normalize_str(last + chr(c)) == chr(c) + last:
            known[value] = chr(c)
    probes = sorted(known.items())
    classes = {ord(last): 240}
    for c in CODE_POINTS:
        # Only starters stay behind a mark of the last class.
        if c not in decompositions and nfd.normalize_str(last + chr(c)) == chr(c) + last:
            # The marks of no later class stay before it.
            classes[c] = [value for value, probe in probes if nfd.normalize_str(probe + chr(c)) == probe + chr(c)][-1]
    return classes


def ranges(members):
    """"41-5A 61-7A" of a set of code points."""
    words, members = [], sorted(members)
    start = previous = None
    for c in members + [None]:
        if previous is not None and c == previous + 1:
            previous = c
            continue
        if start is not None:
            words.append(f"{start:X}" if start == previous else f"{start:X}-{previous:X}")
        start = previous = c
    return " ".join(words)


def wrapped(name, words):
    """Lines of a name and some of the words, below 140 columns."""
    line = name
    for word in words:
        if len(line) + 1 + len(word) > 138:
            yield line
            line = name
        line += " " + word
    yield line


def changes(name, changed):
    return wrapped(name, [f"{c:X}=" + "+".join(f"{ord(x):X}" for x in text) for c, text in sorted(changed.items())])


def is_hangul_syllable(c):
    return 0xAC00 <= c < 0xAC00 + 11172  # its decomposition is arithmetic (Unicode, section 3.12)


def main():
    lines = [f"# Written by make_unicode_tables.py out of tokenizers {tokenizers.__version__}: do not edit."]
    categories = {category: members_of(rf"\p{{{category}}}") for category in CATEGORIES}
    for category, members in categories.items():
        lines += wrapped(f"category.{category}", ranges(members).split())
    bert = normalizers.BertNormalizer
    cleaned = mapping(bert(clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False), "|")
    decomposed = mapping(normalizers.NFD())
    accents_of_bert = mapping(bert(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False))
    assert mapping(normalizers.Lowercase()) == mapping(
        bert(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=True))
    sets = {
        "pattern_space": members_of(r"\s"),
        "space": lost(pre_tokenizers.WhitespaceSplit()),
        "number": alone(pre_tokenizers.Digits(individual_digits=True)),
        "word": set(CODE_POINTS) - alone(pre_tokenizers.Whitespace()) - lost(pre_tokenizers.Whitespace()),
        "punctuation": alone(pre_tokenizers.Punctuation("isolated")),
        "accent": {c for c, text in mapping(normalizers.StripAccents()).items() if text == ""},
        "bert_dropped": {c for c, text in cleaned.items() if text == ""},
        "bert_space": {c for c, text in cleaned.items() if text == " "},
        "bert_ideograph": set(mapping(
            bert(clean_text=False, handle_chinese_chars=True, strip_accents=False, lowercase=False))),
        "bert_accent": {c for c, text in accents_of_bert.items() if text == "" and c not in decomposed},
    }
    assert set(cleaned) == sets["bert_dropped"] | sets["bert_space"] | {c for c in cleaned if cleaned[c] == chr(c)}
    assert sets["space"] == lost(pre_tokenizers.BertPreTokenizer())
    assert sets["punctuation"] == alone(pre_tokenizers.BertPreTokenizer())
    for name, members in sets.items():
        # Most are nearly some categories: those, and the characters in which they differ.
        near = [c for c in CATEGORIES if 2 * len(categories[c] & members) > len(categories[c])]
        rest = ranges(members ^ set().union(*(categories[c] for c in near)))
        if len(rest) > len(ranges(members)):
            near, rest = [], ranges(members)
        lines += wrapped(f"{name}.of", near) if near else []
        lines += wrapped(f"{name}.but", rest.split()) if rest else []
    lines += changes("lower", mapping(normalizers.Lowercase()))
    compatible = mapping(normalizers.NFKD(), "\n")
    nfc = normalizers.NFC()
    syllables = [c for c in decomposed if is_hangul_syllable(c)]
    assert len(syllables) == 11172 and all(compatible[c] == decomposed[c] for c in syllables)
    canonical = {c: text for c, text in decomposed.items() if not is_hangul_syllable(c)}
    lines += changes("decomposed", {c: t for c, t in canonical.items() if nfc.normalize_str(t) == chr(c)})
    lines += changes("decomposed_for_good", {c: t for c, t in canonical.items() if nfc.normalize_str(t) != chr(c)})
    lines += changes("compatible", {c: t for c, t in compatible.items() if decomposed.get(c) != t})
    by_class = {}
    for c, value in combining_classes(decomposed).items():
        by_class.setdefault(value, set()).add(c)
    for value, members in sorted(by_class.items()):
        lines += wrapped(f"combining.{value}", ranges(members).split())
    pathlib.Path(__file__).with_name("unicode_tables.txt").write_text("\n".join(lines) + "\n")


main()
