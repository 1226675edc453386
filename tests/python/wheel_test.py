"""The wheel that package/wheel.py packs."""
import importlib.util
import re
import subprocess
import sys
import unittest
import zipfile

from study_fixture import SOURCE, StudyTest

CAN_PACK = sys.version_info >= (3, 11) and importlib.util.find_spec("wheel") is not None


class Wheel(StudyTest):
    def setUp(self):
        super().setUp()
        self.stage = self.folder / "stage"
        self.programs = self.stage / "bin"
        own = self.stage / "lib" / "tune"
        for folder in (self.programs, own, self.stage / "share" / "tune"):
            folder.mkdir(parents=True)
        own.joinpath("libtorch-version").write_text("2.13\n")
        own.joinpath("tune-train").write_text("")
        own.joinpath("tune-train").chmod(0o755)
        for name in ("tune", "tune-supervisor", "tune-train"):
            self.programs.joinpath(name).write_text("#!/bin/sh\necho tune 0.1.0\n")
            self.programs.joinpath(name).chmod(0o755)

    def pack(self, *options):
        return subprocess.run([sys.executable, SOURCE / "package" / "wheel.py", "--stage", self.stage,
                               "--output", self.folder / "dist", *options], capture_output=True, text=True)

    @unittest.skipUnless(CAN_PACK, "packing needs Python 3.11 and the package wheel")
    def test_content(self):
        """A wheel holds the module and the three programs, which may be executed, and names its torch."""
        packed = self.pack()
        self.assertEqual(packed.returncode, 0, packed.stderr)
        (file,) = self.folder.joinpath("dist").iterdir()
        self.assertEqual(file.name, "tune-0.1.0-py3-none-manylinux_2_36_x86_64.whl")
        with zipfile.ZipFile(file) as wheel:
            for name in ("tune", "tune-supervisor", "tune-train"):
                self.assertTrue(wheel.getinfo(f"tune-0.1.0.data/scripts/{name}").external_attr >> 16 & 0o111)
            self.assertTrue(wheel.getinfo("tune-0.1.0.data/data/lib/tune/tune-train").external_attr >> 16 & 0o111)
            self.assertLessEqual({"tune/__init__.py", "tune/py.typed"}, set(wheel.namelist()))
            self.assertIn("Requires-Dist: torch==2.13.*\n", wheel.read("tune-0.1.0.dist-info/METADATA").decode())
            self.assertIn("tune/py.typed,sha256=", wheel.read("tune-0.1.0.dist-info/RECORD").decode())

    @unittest.skipUnless(CAN_PACK, "packing needs Python 3.11 and the package wheel")
    def test_platform(self):
        """The platform may be named."""
        self.assertEqual(self.pack("--platform", "linux_x86_64").returncode, 0)
        self.assertTrue(self.folder.joinpath("dist", "tune-0.1.0-py3-none-linux_x86_64.whl").exists())

    @unittest.skipUnless(sys.version_info >= (3, 11), "packing needs Python 3.11")
    def test_refused(self):
        """Programs of another version, or one that is missing, are not packed."""
        self.programs.joinpath("tune").write_text("#!/bin/sh\necho tune 0.2.0\n")
        self.assertIn("0.2.0", self.pack().stderr)
        self.programs.joinpath("tune-train").unlink()
        self.assertIn("tune-train is not there", self.pack().stderr)

    def test_version(self):
        """The module and the programs have one version."""
        of_module = re.search(r'^version = "(.*)"', (SOURCE / "package" / "python" / "pyproject.toml").read_text(), re.M)[1]
        of_programs = re.search(r"project\(tune VERSION (\S+)", (SOURCE / "CMakeLists.txt").read_text())[1]
        self.assertEqual(of_module, of_programs)


if __name__ == "__main__":
    unittest.main()
