"""The examples of docs/python.md."""
import contextlib
import io
import os
import re
import unittest

from study_fixture import SOURCE, StudyTest, tune


class Manual(StudyTest):
    def test_examples(self):
        """The examples of the page run one after the other, as they stand."""
        examples = re.findall(r"^```python\n(.*?)^```", (SOURCE / "docs" / "python.md").read_text(), re.M | re.S)
        self.assertGreaterEqual(len(examples), 4)
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.folder)
        names = {}
        with contextlib.redirect_stdout(io.StringIO()) as out:
            for example in examples:
                exec(example, names)
        self.assertRegex(out.getvalue(), r"\n20 (completed|stopped) ")

    def test_names(self):
        """Every public name is on the page."""
        page = (SOURCE / "docs" / "python.md").read_text()
        self.assertEqual([name for name in tune.__all__ if not re.search(rf"`(tune\.)?{name}\b", page)], ["Stopped"])
        self.assertIn("raise tune.Stopped()", page)


if __name__ == "__main__":
    unittest.main()
