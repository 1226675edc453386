"""What `./dev package` writes, installed into an empty Debian and used there.

Needs root, debootstrap and a network for Debian's packages. PACKAGES is the folder with the packages, TORCH the `torch`
of a Python with the version of LibTorch that they were built for.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

PACKAGES = pathlib.Path(os.environ["PACKAGES"])
TORCH = pathlib.Path(os.environ["TORCH"])
SEARCH = """{"study": "s", "objective": {"metric": "loss", "goal": "minimize"},
 "parameters": {"x": {"type": "float", "min": 0, "max": 1}},
 "command": ["sh", "-c", "echo loss=$1; echo model > $TUNE_OUTPUT_DIR/model", "sh", "{{x}}"],
 "metrics": [{"name": "loss", "regex": "loss=(.+)"}], "limits": {"trials": 5}, "resources": {"gpus_per_trial": 0},
 "promote": {"model": "m"}}"""
DETECTOR = """{"study": "d", "objective": {"metric": "validation:mAP", "goal": "maximize"},
 "parameters": {"learning_rate": {"type": "float", "min": 0.001, "max": 0.01}}, "fixed": {"epochs": 1},
 "trainer": {"task": "detection", "model": "ssd128-resnet18-half", "data": "data"}, "limits": {"trials": 1},
 "resources": {"gpus_per_trial": 0}}"""
OPTIMIZE = """import tune
study = tune.Study({"x": tune.Float(0, 1)}, store="of-python", name="p")
study.optimize(lambda trial: trial["x"] ** 2, trials=5)
print("best", study.best.value)
"""


def packed(pattern):
    (found,) = PACKAGES.glob(pattern)
    return found


class EmptyDebian(unittest.TestCase):
    """A root folder for each test, a copy of one that debootstrap has made."""

    @classmethod
    def setUpClass(cls):
        cls.scratch = pathlib.Path(tempfile.mkdtemp(prefix="tune-package-"))
        cls.addClassCleanup(shutil.rmtree, cls.scratch, ignore_errors=True)
        subprocess.run(["debootstrap", "--variant=minbase", "bookworm", cls.scratch / "base"], check=True,
                       stdout=subprocess.DEVNULL)

    def setUp(self):
        self.root = self.scratch / "root"
        subprocess.run(["cp", "-a", self.scratch / "base", self.root], check=True)
        self.addCleanup(shutil.rmtree, self.root)
        shutil.copy("/etc/resolv.conf", self.root / "etc" / "resolv.conf")
        self.mount("/proc", "--bind")
        self.mount("/dev", "--bind")
        self.mount(TORCH, "--bind", "opt/torch")
        for name, text in (("search.json", SEARCH), ("detector.json", DETECTOR), ("optimize.py", OPTIMIZE)):
            (self.root / "root" / name).write_text(text)

    def mount(self, source, how, place=None):
        target = self.root / (place or str(source).lstrip("/"))
        target.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", how, source, target], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", target], check=True)

    def inside(self, command, **variables):
        ran = subprocess.run(["chroot", self.root, "/usr/bin/env", "-i", "HOME=/root", "DEBIAN_FRONTEND=noninteractive",
                              "PATH=/opt/tune/bin:/opt/python/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                              *(f"{name}={value}" for name, value in variables.items()), "sh", "-ec", f"cd /root\n{command}"],
                             capture_output=True, text=True)
        return ran.returncode, ran.stdout + ran.stderr

    def check_runs(self, command, said, **variables):
        code, printed = self.inside(command, **variables)
        self.assertEqual(code, 0, printed)
        self.assertIn(said, printed)

    def test_archive(self):
        """The archive needs nothing of the machine, but for the trainer's LibTorch, which it asks for."""
        (self.root / "opt" / "tune").mkdir()
        subprocess.run(["tar", "-xf", packed("tune-*.tar.gz"), "-C", self.root / "opt" / "tune", "--strip-components=1"],
                       check=True)
        self.check_runs("tune --spec search.json", "Promoted: m version 1")
        code, printed = self.inside("tune-train describe")
        self.assertEqual(code, 7, printed)
        self.assertIn("TUNE_LIBTORCH", printed)
        self.check_runs("tune doctor || true", "which was not found")
        self.check_runs("tune-train synthesize --output data --images 20 --size 128 && tune --spec detector.json",
                        "1 of 1 trial: 1 completed", TUNE_LIBTORCH="/opt/torch")
        self.check_runs("tune doctor", "LibTorch", TUNE_LIBTORCH="/opt/torch")

    def test_deb(self):
        """Debian's package brings what the core needs."""
        shutil.copy(packed("tune_*.deb"), self.root / "root" / "tune.deb")
        self.check_runs("apt-get update -qq; apt-get install -y -qq ./tune.deb", "")
        self.check_runs("tune --spec search.json", "Promoted: m version 1")

    def test_wheel(self):
        """The wheel puts the programs on the path, and the module finds them."""
        shutil.copy(packed("tune-*.whl"), self.root / "root")
        self.check_runs("apt-get update -qq; apt-get install -y -qq python3-venv; python3 -m venv /opt/python", "")
        # Without its torch, which is there already.
        self.check_runs("pip install --no-deps ./tune-*.whl; ln -s /opt/torch /opt/python/lib/python3.11/site-packages/torch",
                        "Successfully installed tune")
        self.check_runs("tune --spec search.json", "Promoted: m version 1")
        self.check_runs("python optimize.py", "best ")
        self.check_runs("tune-train synthesize --output data --images 20 --size 128 && tune --spec detector.json",
                        "1 of 1 trial: 1 completed")


if __name__ == "__main__":
    unittest.main()
