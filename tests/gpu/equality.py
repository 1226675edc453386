"""Equality: each model of each task computes on the GPU what it computes on the CPU, and a training goes on bit for bit."""
import os
import pathlib
import subprocess

from gpu_support import Phase


def program(phase):
    """gpu_equality, of a package or of a build, with the libraries that it runs with."""
    beside = phase.options.programs.parent
    packaged, built = beside / "lib" / "tune" / "gpu_equality", beside / "tests" / "gpu_equality"
    if packaged.exists():
        libraries = pathlib.Path(os.environ["TUNE_LIBTORCH"]) / "lib"
        return packaged, phase.environment(LD_LIBRARY_PATH=f"{libraries}:{os.environ.get('LD_LIBRARY_PATH', '')}".rstrip(":"))
    if built.exists():
        return built, phase.environment()
    raise FileNotFoundError(f"neither {packaged} nor {built} is there: ./dev gpu makes the first, ./dev build the second")


def main():
    phase = Phase(__doc__)
    data, classes = phase.scratch / "data", phase.scratch / "classes"
    phase.synthesize(data, 24)
    phase.synthesize(classes, 24, task="image_classification")
    path, environment = program(phase)
    options = ["--cpu"] if phase.options.cpu else []
    options += ["--smallest"] if phase.options.tiny else []
    process = phase.start([path, "--data", data, "--classes", classes, "--scratch", phase.scratch / "trainings", *options], stdout=subprocess.PIPE,
                          env=environment)
    # One line a claim: "ok WHAT: NUMBERS" or "failed WHAT: NUMBERS".
    for line in process.stdout:
        verdict, _, rest = line.strip().partition(" ")
        what, _, numbers = rest.partition(": ")
        with phase.claim(what) as claim:
            claim.expect(verdict == "ok", numbers)
            claim.detail = numbers
    with phase.claim("gpu_equality ran to its end") as claim:
        code = process.wait()
        claim.expect(code in (0, 1), f"it ended with exit code {code}; its log has more")
    phase.finish()


if __name__ == "__main__":
    main()
