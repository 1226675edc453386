"""What `tune export` writes, opened by the tools that it is for. They are looked for in the Python that
$TUNE_TOOLS_PYTHON names (optuna, optuna-dashboard, tensorboard); without it nothing is tested."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

TUNE = os.environ.get("TUNE_PROGRAM", "tune")
PYTHON = os.environ.get("TUNE_TOOLS_PYTHON")
SPEC = {
    "study": "s",
    "objective": {"metric": "loss", "goal": "minimize"},
    "parameters": {
        "x": {"type": "float", "min": 0.001, "max": 1, "scale": "log"},
        "k": {"type": "int", "min": 1, "max": 9, "step": 2},
        "optimizer": {"type": "categorical", "values": ["sgd", "adam", {"name": "lamb"}]},
        "momentum": {"type": "float", "min": 0, "max": 0.99, "scale": "reverse_log", "when": {"optimizer": "sgd"}},
    },
    "command": ["sh", "-c", "for i in 1 2 3; do echo epoch $i loss=$1; done; [ $2 -lt 8 ]", "sh", "{{x}}", "{{k}}"],
    "metrics": [{"name": "loss", "regex": "loss=(\\S+)"}],
    "strategy": {"name": "random", "seed": 3},
    "limits": {"trials": 12, "parallel": 2},
    "resources": {"gpus_per_trial": 0},
}
LOAD = """
import json, optuna, sys
optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.load_study(storage="sqlite:///s.db", study_name="s")
before = len(study.trials)
def objective(trial):
    x = trial.suggest_float("x", 0.001, 1, log=True)
    trial.suggest_int("k", 1, 9, step=2)
    if trial.suggest_categorical("optimizer", ["sgd", "adam", '{"name":"lamb"}']) == "sgd":
        trial.suggest_float("momentum", 0, 0.99)
    trial.report(x, 1)
    return x
study.optimize(objective, n_trials=4)
print(json.dumps({"before": before, "after": len(study.trials), "states": [t.state.name for t in study.trials],
                  "names": study.metric_names, "best": study.best_trial.number,
                  "values": [t.value for t in study.trials], "params": [t.params for t in study.trials],
                  "reported": [t.intermediate_values for t in study.trials]}))
"""
DASHBOARD = """
import json
from optuna.storages import RDBStorage
from optuna_dashboard import wsgi
import io
app = wsgi(RDBStorage("sqlite:///s.db"))
def get(path):
    status = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_NAME": "x", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
               "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO(), "wsgi.url_scheme": "http", "QUERY_STRING": ""}
    body = b"".join(app(environ, lambda s, h, e=None: status.append(s)))
    assert status[0].startswith("200"), (path, status, body[:200])
    return json.loads(body)
studies = get("/api/studies")["study_summaries"]
study = get("/api/studies/%d" % studies[0]["study_id"])
print(json.dumps({"name": studies[0]["study_name"], "trials": len(study["trials"])}))
"""
EVENTS = """
import json, sys
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.backend.event_processing import data_provider
from tensorboard.plugins import base_plugin
from tensorboard.plugins.hparams import backend_context
from tensorboard import context
multiplexer = EventMultiplexer().AddRunsFromDirectory(sys.argv[1])
multiplexer.Reload()
provider = data_provider.MultiplexerDataProvider(multiplexer, sys.argv[1])
scalars = provider.read_scalars(context.RequestContext(), experiment_id="", plugin_name="scalars", downsample=1000)
found = {run: {tag: [[p.step, p.value] for p in points] for tag, points in tags.items()} for run, tags in scalars.items()}
hparams = backend_context.Context(base_plugin.TBContext(data_provider=provider))
metadata = hparams.hparams_metadata(context.RequestContext(), "")
print(json.dumps({"scalars": found, "hparams": {run: sorted(tags) for run, tags in metadata.items()}}))
"""


@unittest.skipUnless(PYTHON, "TUNE_TOOLS_PYTHON names no Python with optuna, optuna-dashboard and tensorboard")
class OtherTools(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "search.json").write_text(json.dumps(SPEC))

    def tune(self, *arguments):
        ran = subprocess.run([TUNE, *arguments], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return ran.stdout

    def python(self, program, *arguments):
        ran = subprocess.run([PYTHON, "-W", "ignore", "-c", program, *arguments], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(ran.returncode, 0, ran.stderr[-3000:])
        return json.loads(ran.stdout.splitlines()[-1])

    def test_optuna(self):
        """Optuna loads the file with every trial as it is, and goes on with it; its dashboard serves it; and it comes back."""
        self.tune("--spec", "search.json")
        self.tune("enqueue", "s", "--parameters", '{"x": 0.5, "k": 3, "optimizer": "adam"}')
        trials = json.loads(self.tune("trials", "s", "--json"))["trials"]
        self.tune("export", "s", "--format", "optuna", "--output", "s.db")
        loaded = self.python(LOAD)
        self.assertEqual(loaded["before"], len(trials))
        self.assertEqual(loaded["after"], len(trials) + 3)  # the one that waited is the first of the four
        words = {"completed": "COMPLETE", "failed": "FAIL", "queued": "COMPLETE"}
        self.assertEqual(loaded["states"][:len(trials)], [words[trial["state"]] for trial in trials])
        self.assertIn("FAIL", loaded["states"])
        self.assertEqual(loaded["names"], ["loss"])
        for trial, value, params, reported in zip(trials, loaded["values"], loaded["params"], loaded["reported"]):
            if trial["state"] != "completed":
                continue
            self.assertEqual(value, trial["value"])
            self.assertEqual(params["x"], trial["parameters"]["x"])
            self.assertEqual("momentum" in params, "momentum" in trial["parameters"])
            self.assertEqual(list(reported.values()), [trial["value"]] * 3)
        self.assertEqual(self.python(DASHBOARD), {"name": "s", "trials": loaded["after"]})
        self.tune("import", "optuna", "s.db", "--name", "back")
        back = json.loads(self.tune("trials", "back", "--json"))["trials"]
        self.assertEqual(len(back), sum(bool(params) and state != "WAITING"
                                        for params, state in zip(loaded["params"], loaded["states"])))
        spec = dict(SPEC, study="t", warm_start=[{"study": "back", "kind": "identical"}], limits={"trials": 2})
        spec["parameters"] = {name: SPEC["parameters"][name] for name in ("x", "k")}
        spec["command"] = ["sh", "-c", "echo loss=$1", "sh", "{{x}}", "{{k}}"]
        (self.folder / "search.json").write_text(json.dumps(spec))
        self.tune("--spec", "search.json")

    def test_tensorboard(self):
        """TensorBoard reads the runs that were exported, and those that were written while the study ran, alike."""
        self.tune("--spec", "search.json", "--tensorboard", "live")
        self.tune("export", "s", "--format", "tensorboard", "--output", "runs")
        trials = json.loads(self.tune("trials", "s", "--json"))["trials"]
        exported, live = (self.python(EVENTS, folder) for folder in ("runs", "live"))
        self.assertEqual(exported["scalars"], live["scalars"])
        for trial in trials:
            tags = exported["scalars"][f"trial-{trial['trial']:05}"]
            self.assertEqual([step for step, _ in tags["loss"]], [1, 2, 3])
            if trial["state"] == "completed":
                self.assertAlmostEqual(tags["result/loss"][0][1], trial["value"], places=6)
        self.assertEqual(exported["hparams"]["."], ["_hparams_/experiment"])
        self.assertEqual(exported["hparams"]["trial-00001"], ["_hparams_/session_end_info", "_hparams_/session_start_info"])
        self.assertEqual(exported["hparams"], live["hparams"])


if __name__ == "__main__":
    unittest.main()
