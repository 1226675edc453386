"""run.sh on the CPU with tiny sizes, and the programs of the build (TUNE_GPU_PROGRAMS): so that it works where there is a GPU."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
PHASES = ("devices", "equality", "speed", "study")


class Rehearsal(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tune-gpu-test.")
        self.addCleanup(folder.cleanup)
        self.output, self.scratch = pathlib.Path(folder.name) / "results", pathlib.Path(folder.name) / "scratch"
        self.scratch.mkdir()

    def run_script(self, *options, programs=os.environ.get("TUNE_GPU_PROGRAMS", "build/release/bin")):
        ran = subprocess.run([HERE / "run.sh", "--cpu", "--tiny", "--programs", programs, "--output", self.output, *options],
                             capture_output=True, text=True, env=os.environ | {"TMPDIR": str(self.scratch)})
        self.said = ran.stdout + ran.stderr
        return ran.returncode

    def results(self):
        return (self.output / "results.log").read_text()

    def logs(self):
        return self.said + "".join(f"\n== {file.name}\n{file.read_text()[-4000:]}" for file in self.output.glob("*.log"))

    def check_verdict(self, phase, verdict):
        self.assertRegex(self.results(), re.compile(rf"^summary\n(.*\n)*{phase} +\d+ s  {verdict}$", re.MULTILINE), self.logs())

    def test_all_phases(self):
        """Every phase passes, says what it skips for want of a GPU, and leaves its tables and nothing else."""
        # A busy machine is slower than one with a GPU.
        code = self.run_script(*(word for phase in PHASES for word in ("--limit", f"{phase}=600")))
        self.assertEqual(code, 0, self.logs())
        for phase in PHASES:
            self.check_verdict(phase, "passed")
        results = self.results()
        self.assertIn("needs a GPU", results)
        self.assertNotIn("FAILED", results)
        for claim in ("kill -9 of the loop leaves no memory held",
                      "detection ssd128-resnet18-half in bf16 on cpu: loss differs by 0 ",
                      "pretraining ssd128-resnet18-half interrupted after 3 batches", "bit for bit",
                      "ssd128-resnet18-half trains beside Python", "resnet18 trains beside Python", "on two GPUs trains beside one",
                      "the study ends with its five rows: scratch: test mAP"):
            self.assertIn(claim, results)
        self.assertEqual({file.name for file in self.output.iterdir()},
                         {"results.log", *(f"{phase}.log" for phase in PHASES), "speed.md", "study.md", "study.html"})
        self.assertEqual(list(self.scratch.iterdir()), [])

    def test_limit(self):
        """A phase that runs into its limit keeps what it has shown, ends all that it began, and the next one begins."""
        code = self.run_script("--phase", "study", "--phase", "equality", "--limit", "study=8", "--limit", "equality=1")
        self.assertEqual(code, 1, self.logs())
        self.check_verdict("study", "ended by its limit of 8 s")
        self.check_verdict("equality", "ended by its limit of 1 s")
        self.assertIn("on synthetic images", self.results())
        self.assertNotIn("devices begins", self.results())
        self.assertEqual(list(self.scratch.iterdir()), [])
        running = subprocess.run(["ps", "-e", "-o", "args"], capture_output=True, text=True, check=True).stdout
        self.assertNotIn(str(self.scratch), running)

    def test_usage(self):
        """What cannot be run is refused before anything begins, with a cure."""
        self.assertEqual(self.run_script("--phase", "nonsense"), 2)
        self.assertIn("unknown phase: nonsense; there are devices equality speed study", self.said)
        self.assertEqual(self.run_script("--limit", "study"), 2)
        self.assertEqual(self.run_script("--tinny"), 2)
        self.assertEqual(self.run_script(programs="/nowhere"), 7)
        self.assertIn("./dev gpu", self.said)
        self.assertEqual(self.run_script("--data", str(self.scratch)), 5)
        self.assertFalse(self.output.exists())


if __name__ == "__main__":
    unittest.main()
