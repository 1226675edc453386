#!/usr/bin/env python3
"""Packs a wheel of a staged folder (stage.py) and the Python module `tune`.
 `wheel pack` (pip install wheel) writes the archive and its record.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile
import tomllib

SOURCE = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = ("tune", "tune-supervisor", "tune-train")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", type=pathlib.Path, required=True, metavar="FOLDER", help="made by stage.py")
    parser.add_argument("--platform", default="manylinux_2_36_x86_64", help="the platform tag (%(default)s)")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("dist"), metavar="FOLDER",
                        help="where the wheel is written (%(default)s)")
    return parser.parse_args()


def check_programs(folder, version):
    for program in PROGRAMS:
        if not (folder / program).is_file():
            sys.exit(f"wheel.py: {folder / program} is not there")
    said = subprocess.run([folder.resolve() / "tune", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if said != f"tune {version}":
        sys.exit(f"wheel.py: the program says \"{said}\", and package/python/pyproject.toml has the version {version}")


def write_metadata(folder, project, torch, platform):
    folder.mkdir()
    (folder / "METADATA").write_text(
        "Metadata-Version: 2.1\n"
        f"Name: {project['name']}\nVersion: {project['version']}\nSummary: {project['description']}\n"
        f"Requires-Python: {project['requires-python']}\nRequires-Dist: torch=={torch}.*\n"
        "Description-Content-Type: text/markdown\n\n" + (SOURCE / "docs" / "python.md").read_text())
    (folder / "WHEEL").write_text(
        f"Wheel-Version: 1.0\nGenerator: tune {project['version']}\nRoot-Is-Purelib: false\nTag: py3-none-{platform}\n")


def main():
    options = arguments()
    project = tomllib.loads((SOURCE / "package" / "python" / "pyproject.toml").read_text())["project"]
    check_programs(options.stage / "bin", project["version"])
    full_name = f"{project['name']}-{project['version']}"
    with tempfile.TemporaryDirectory() as name:
        tree = pathlib.Path(name) / full_name
        shutil.copytree(SOURCE / "package" / "python" / "tune", tree / "tune", ignore=shutil.ignore_patterns("__pycache__"))
        scripts = tree / f"{full_name}.data" / "scripts"
        scripts.mkdir(parents=True)
        for program in PROGRAMS:
            shutil.copy2(options.stage / "bin" / program, scripts)
            (scripts / program).chmod(0o755)
        # Beside the environment's bin/, where the programs look for them.
        for folder in ("lib", "share"):
            shutil.copytree(options.stage / folder, tree / f"{full_name}.data" / "data" / folder)
        libtorch = (options.stage / "lib" / "tune" / "libtorch-version").read_text().strip()
        write_metadata(tree / f"{full_name}.dist-info", project, libtorch, options.platform)
        options.output.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "wheel", "pack", tree, "--dest-dir", options.output], check=True)


if __name__ == "__main__":
    main()
