#!/usr/bin/env python3
"""Lays out what a package holds: bin/ with the three programs, lib/tune/ with the trainer itself and the shared
libraries that a bare glibc machine lacks, share/tune/ with their licences and the manual.

The folder runs from wherever it lies: its programs look for libraries beside themselves. LibTorch stays outside;
bin/tune-train finds it (trainer/launcher/).
"""
import argparse
import pathlib
import re
import shutil
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parent.parent
# Of glibc, which is not moved from one machine to another, and of the kernel.
SYSTEM = re.compile(r"^(ld-linux-x86-64|linux-vdso|lib(c|m|dl|rt|pthread|resolv|util|mvec|anl))\.so")
# Debian's packages of what is compiled or linked into the programs.
COMPILED_IN = ("libarchive-dev", "libboost-dev", "libc6-dev", "libeigen3-dev", "libjs-chart.js", "libre2-dev", "libsqlitecpp-dev",
               "libstb-dev", "nlohmann-json3-dev")
DEPENDENCY = re.compile(r"^\s*(\S+) => (/\S+)", re.MULTILINE)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True, metavar="FOLDER", help="a build, such as build/release")
    parser.add_argument("--output", type=pathlib.Path, required=True, metavar="FOLDER", help="is made anew")
    parser.add_argument("--test-program", action="append", default=[], metavar="NAME",
                        help="of the build's tests/, beside the trainer and on its libraries: for tests on another machine")
    return parser.parse_args()


def libraries_of(program, libtorch):
    """The shared libraries that the program loads, by name, but for glibc's and LibTorch's. (What a LibTorch with CUDA
    lacks here is LibTorch's own matter.)"""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    missing = set(re.findall(r"^\s*(\S+) => not found", listed, re.MULTILINE)) & set(needed_by(program))
    if missing:
        raise SystemExit(f"stage.py: {program} needs {', '.join(sorted(missing))}, which cannot be loaded here")
    found = {}
    for name, path in DEPENDENCY.findall(listed):
        place = pathlib.Path(path).resolve()
        if not SYSTEM.match(name) and libtorch not in place.parents:
            found[name] = place
    return found


def needed_by(program):
    return subprocess.run(["patchelf", "--print-needed", program], capture_output=True, text=True, check=True).stdout.split()


def libtorch_folder(trainer):
    listed = subprocess.run(["ldd", trainer], capture_output=True, text=True, check=True).stdout
    for name, path in DEPENDENCY.findall(listed):
        if name == "libtorch_cpu.so":
            return pathlib.Path(path).resolve().parent
    raise SystemExit(f"stage.py: {trainer} loads no libtorch_cpu.so")


def package_of(library):
    """Debian's package that the library's file belongs to."""
    for place in (str(library), str(library).removeprefix("/usr")):  # /lib is a link to /usr/lib
        answer = subprocess.run(["dpkg", "-S", place], capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            return answer.stdout.split(":")[0]
    raise SystemExit(f"stage.py: no package has {library}, so its licence is not known")


def copy_program(source, target, search):
    shutil.copy2(source, target)
    subprocess.run(["strip", target], check=True)
    if "statically linked" in subprocess.run(["ldd", target], capture_output=True, text=True, check=False).stdout:
        return
    if subprocess.run(["ldd", target], capture_output=True, check=False).returncode == 0:
        subprocess.run(["patchelf", "--set-rpath", search, target], check=True)


def main():
    options = arguments()
    built, stage = options.build / "bin", options.output
    shutil.rmtree(stage, ignore_errors=True)
    programs, own = stage / "bin", stage / "lib" / "tune"
    licences = stage / "share" / "tune" / "licences"
    for folder in (programs, own, licences):
        folder.mkdir(parents=True)
    trainer = built / "tune-train"
    libtorch = libtorch_folder(trainer)
    libraries = {}
    for program in (built / "tune", built / "tune-train-launcher", trainer):
        libraries |= libraries_of(program, libtorch)
    for program, name in (("tune", "tune"), ("tune-supervisor", "tune-supervisor"), ("tune-train-launcher", "tune-train")):
        copy_program(built / program, programs / name, "$ORIGIN/../lib/tune")
    copy_program(trainer, own / "tune-train", "$ORIGIN")
    for name in options.test_program:
        copy_program(options.build / "tests" / name, own / name, "$ORIGIN")
        libraries |= libraries_of(options.build / "tests" / name, libtorch)
    for name, place in sorted(libraries.items()):
        shutil.copy2(place, own / name)
        (own / name).chmod(0o644)
        subprocess.run(["patchelf", "--set-rpath", "$ORIGIN", own / name], check=True)
    for package in {package_of(place) for place in libraries.values()} | set(COMPILED_IN):
        shutil.copy2(pathlib.Path("/usr/share/doc") / package / "copyright", licences / package)
    shutil.copy2(SOURCE / "tuner" / "serve" / "assets" / "licences.txt", licences / "pages")  # compiled in, from npm
    shutil.copy2(options.build / "libtorch-version", own)
    shutil.copytree(SOURCE / "docs", stage / "share" / "tune" / "docs")
    shutil.copy2(SOURCE / "package" / "README.md", stage / "README.md")
    print(f"{stage}: {len(libraries)} libraries, licences of {len(list(licences.iterdir()))} packages; LibTorch is that in {libtorch}")


if __name__ == "__main__":
    main()
