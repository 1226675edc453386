#!/usr/bin/env python3
"""Packs a .deb of the core, `tune` and `tune-supervisor`, which take their libraries from Debian's packages."""
import argparse
import pathlib
import re
import shutil
import subprocess
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = ("tune", "tune-supervisor")
CONTROL = """Package: tune
Version: {version}
Architecture: amd64
Maintainer: tune <tune@localhost>
Section: science
Priority: optional
Depends: {depends}
Description: hyperparameter tuner for programs that train on one's own GPUs
 Searches hyperparameters of any training program in parallel trials, stops losers early, keeps everything in
 SQLite, and promotes the best model. The built-in trainer, tune-train, is not in this package: it needs LibTorch.
"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True, metavar="FOLDER", help="a build, such as build/release")
    parser.add_argument("--output", type=pathlib.Path, required=True, metavar="FOLDER", help="gets the package")
    return parser.parse_args()


def dependencies(tree, scratch):
    """Debian's packages, with their least versions, of the libraries that the programs load."""
    (scratch / "debian").mkdir()
    (scratch / "debian" / "control").write_text("Source: tune\n\nPackage: tune\nArchitecture: amd64\n")
    answer = subprocess.run(["dpkg-shlibdeps", "-O", *(tree / "usr" / "bin" / name for name in PROGRAMS)], cwd=scratch,
                            capture_output=True, text=True, check=True).stdout
    return re.search(r"shlibs:Depends=(.*)", answer).group(1)


def main():
    options = arguments()
    version = re.search(r"project\(tune VERSION (\S+)", (SOURCE / "CMakeLists.txt").read_text()).group(1)
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        tree = scratch / "tree"
        programs, documents = tree / "usr" / "bin", tree / "usr" / "share" / "doc" / "tune"
        for folder in (programs, documents, tree / "DEBIAN"):
            folder.mkdir(parents=True)
        for program in PROGRAMS:
            shutil.copy2(options.build / "bin" / program, programs)
            subprocess.run(["strip", programs / program], check=True)
        shutil.copytree(SOURCE / "docs", documents / "manual")
        shutil.copy2(SOURCE / "tuner" / "serve" / "assets" / "licences.txt", documents / "licences-of-pages.txt")
        (tree / "DEBIAN" / "control").write_text(CONTROL.format(version=version, depends=dependencies(tree, scratch)))
        for place in (tree, *tree.rglob("*")):  # whatever the umask of the person who packs it
            place.chmod(0o755 if place.is_dir() or place.parent == programs else 0o644)
        options.output.mkdir(parents=True, exist_ok=True)
        subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree, options.output / f"tune_{version}_amd64.deb"],
                       check=True, stdout=subprocess.DEVNULL)
    print(options.output / f"tune_{version}_amd64.deb")


if __name__ == "__main__":
    main()
