#!/usr/bin/env python3
"""Packs a staged folder (stage.py) into an archive, the same bytes for the same files."""
import argparse
import pathlib
import re
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parent.parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", type=pathlib.Path, required=True, metavar="FOLDER", help="made by stage.py")
    parser.add_argument("--output", type=pathlib.Path, required=True, metavar="FOLDER", help="gets the archive")
    return parser.parse_args()


def main():
    options = arguments()
    version = re.search(r"project\(tune VERSION (\S+)", (SOURCE / "CMakeLists.txt").read_text()).group(1)
    libtorch = (options.stage / "lib" / "tune" / "libtorch-version").read_text().strip()
    name = f"tune-{version}-libtorch-{libtorch}-linux-x86_64"
    options.output.mkdir(parents=True, exist_ok=True)
    archive = options.output / f"{name}.tar.gz"
    subprocess.run(["tar", "--create", "--file", archive, "--use-compress-program", "gzip --no-name", "--sort=name",
                    "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", f"--transform=s,^\\.,{name},",
                    "--directory", options.stage, "."], check=True)
    print(archive)


if __name__ == "__main__":
    main()
