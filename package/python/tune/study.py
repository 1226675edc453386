"""A search that this program drives."""
import json
import logging
import math
import os
import subprocess
import threading
import weakref
from dataclasses import dataclass, field
from typing import Any, Dict, List, Literal, Mapping, Optional, Sequence, SupportsFloat, Tuple, Type, Union, cast

from .errors import Exhausted, MustWait, NoResult, ProgramError, UsageError
from .parameters import Categorical, Float, Int, Parameter, json_text, parameter_of_spec
from .program import find_program
from .run import Objective, Run
from .session import Session
from .trial import EndState, Trial, TrialRecord

logger = logging.getLogger("tune")

# A study from Python ends when its program says so; a spec has to name a limit, and a century is one.
_NO_LIMIT: Mapping[str, Any] = {"time": "36500d"}
_MOST_TRIALS = 1_000_000_000

Space = Mapping[str, Parameter]
Point = Mapping[str, Any]


@dataclass
class _Open:
    """A trial that was given out by `tune` and not told."""

    parameters: Dict[str, Any]
    budget: float
    is_resumed: bool
    replicate_of: Optional[int] = None
    owner: Optional[object] = None  # who runs it; nobody: the next to ask gets it
    curves: Tuple[Dict[int, float], Dict[int, float]] = field(default_factory=lambda: ({}, {}))  # one an objective


class Study:
    """A search that this program drives, through a process of `tune ask-tell`. Any thread may use it.

    It keeps no results of its own: `tune` decides what to try, and with a store has each answer on disk before it gives it.
    The books here (`_open`, `_records`, `_last`) are kept on the session's thread alone.
    """

    def __init__(self, space: Union[Space, Mapping[str, Any], str, "os.PathLike[str]"],
                 store: Union[str, "os.PathLike[str]", None] = None, *, name: Optional[str] = None,
                 goal: Optional[Literal["minimize", "maximize"]] = None, metric: Optional[str] = None,
                 reduce: Optional[Literal["best", "last", "min", "max"]] = None,
                 strategy: Union[str, Mapping[str, Any], None] = None, try_first: Optional[Sequence[Point]] = None,
                 early_stopping: Union[str, Mapping[str, Any], None] = None, seed: Optional[int] = None,
                 unfinished: Literal["again", "failed"] = "again") -> None:
        """`space` maps names to Float, Int and Categorical; or it is a spec, as a dictionary or the path of its file.

        With `store`, a folder, the study is kept there under its name, and the same call goes on with it. What an earlier
        program had not finished is run `again`, or counts as `failed`.
        """
        if unfinished not in ("again", "failed"):
            raise UsageError(f"unfinished is {unfinished!r}", "it is \"again\" or \"failed\"")
        settings = {"goal": goal, "metric": metric, "reduce": reduce, "strategy": strategy, "try_first": try_first,
                    "early_stopping": early_stopping}
        spec_file = os.path.abspath(space) if isinstance(space, (str, os.PathLike)) else None
        spec = None if isinstance(space, (str, os.PathLike)) else _spec_of(space, settings, name, store is not None)
        if spec is None:
            _refuse_settings(settings)
        self._store = None if store is None else os.path.abspath(store)
        self._changed = threading.Condition()
        self._told = 0  # how often a result came in
        self._open: Dict[int, _Open] = {}
        self._records: Dict[int, TrialRecord] = {}  # without a store
        self._last = 0
        self._limit: Optional[int] = None  # of trials in all, in place of the spec's
        arguments: List[str] = []
        if spec_file is not None:
            arguments += ["--spec", spec_file]
        if name is not None:
            arguments += ["--name", name]
        if seed is not None:
            arguments += ["--seed", str(int(seed))]
        if self._store is not None:
            arguments += ["--store", self._store]
        else:
            # The study itself counts, since a process without a store cannot be replaced; but `tune` has to know where
            # the search ends, for the replicates after it.
            self._limit = None if _asks_for_replicates(spec, spec_file) else _MOST_TRIALS
        self._session = Session(find_program(), None if spec is None else json_text(spec), arguments)
        self._closer = weakref.finalize(self, self._session.close)
        try:
            # `tune` says what is wrong with a spec before anything here looks into it.
            self._session.do(self._start)
            if spec_file is not None:
                with open(spec_file, encoding="utf-8") as file:
                    spec = json.load(file)
            assert spec is not None
            self.name: str = name or spec["study"]
            objectives = spec["objectives"] if "objectives" in spec else [spec["objective"]]
            self.metrics: Tuple[str, ...] = tuple(objective["metric"] for objective in objectives)
            self.goals: Tuple[str, ...] = tuple(objective["goal"] for objective in objectives)
            self.goal: str = self.goals[0]
            self._reduces = tuple(cast(str, objective.get("reduce", "best")) for objective in objectives)
            self._spec_trials: Optional[int] = spec.get("limits", {}).get("trials")
            self._may_raise = spec["limits"] == _NO_LIMIT
            self.space: Dict[str, Parameter] = (
                dict(cast(Space, space)) if _is_space(space) else
                {key: parameter_of_spec(entry) for key, entry in spec["parameters"].items()})
            self._session.do(lambda: self._take_over(unfinished))
        except BaseException:
            self._closer()
            raise

    def __enter__(self) -> "Study":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<tune.Study {self.name!r}, {self._last} trials>"

    def close(self) -> None:
        """Ends the process of `tune`, which records where the study stands. It is also done when the program ends."""
        self._closer()

    def optimize(self, objective: Objective, trials: Optional[int] = None, workers: int = 1, *,
                 timeout: Optional[float] = None,
                 catch: Union[Type[Exception], Tuple[Type[Exception], ...]] = ()) -> None:
        """Runs `objective(trial)` until the study has `trials` trials in all, those of earlier programs included.

        With `workers` above 1 it is called in so many threads at once. An exception that it raises is a failed trial; one
        of the classes in `catch` is logged, any other ends the run and is raised here. After `timeout` seconds no trial
        is begun. Ctrl-C ends the run and leaves the trial open, for the next run; with several workers the trials that
        run are let end, and a second Ctrl-C leaves them.
        """
        if trials is not None and trials < 1:
            raise UsageError(f"trials is {trials}", "it is 1 or more, or left out")
        if workers < 1:
            raise UsageError(f"workers is {workers}", "it is 1 or more")
        run = Run(self, objective, trials if trials is not None else self._spec_limit(), timeout,
                  catch if isinstance(catch, tuple) else (catch,))
        if trials is not None:
            self._session.do(lambda: self._allow(trials))
        if workers == 1:
            run.alone()
        else:
            run.in_threads(workers)

    def ask(self) -> Trial:
        """The next trial: one that was left open, else a new one. Raises Exhausted, or MustWait where results are needed."""
        answer = self._ask(object(), self._spec_limit())
        if answer == "exhausted":
            raise Exhausted("no trial is left: the limit is reached, or every point was tried",
                            "optimize() with more trials raises the limit of a study that has one")
        if answer == "wait":
            raise MustWait("the strategy waits for the results of open trials", "tell one of them first")
        return answer

    def tell(self, trial: Union[Trial, int], value: Optional[SupportsFloat] = None, *,
             values: Optional[Sequence[SupportsFloat]] = None, state: Optional[EndState] = None,
             reason: str = "") -> None:
        """How a trial ended. Without a value and a state its reports decide; NaN is a failed trial.

        A study with two objectives takes `values`, one an objective.
        """
        number, owner = (trial.number, trial._owner) if isinstance(trial, Trial) else (int(trial), None)
        self._tell(number, owner, self._given(value, values), state, reason)

    def enqueue(self, parameters: Point) -> int:
        """Has these parameters tried next. They are those of one whole trial; returns its number."""
        return self._session.do(lambda: self._add({"parameters": dict(parameters)}, None))

    def add(self, parameters: Point, value: Optional[SupportsFloat] = None, *,
            values: Optional[Sequence[SupportsFloat]] = None) -> int:
        """Takes in a trial that was run elsewhere, with its result (`values` of two objectives); returns its number."""
        given = self._given(value, values)
        if given is None:
            raise UsageError("add() takes the result of the trial", "enqueue() has parameters tried that have none")
        return self._session.do(lambda: self._add({"parameters": dict(parameters)}, given))

    @property
    def best(self) -> TrialRecord:
        """The completed trial with the best value; of two objectives the one that the spec's promote.prefer takes.

        Raises NoResult when there is none.
        """
        answer = self._session.do(lambda: self._session.exchange("best", True))
        if answer["trial"] is None and answer.get("front"):
            raise NoResult("no one trial is the best by two objectives, or none keeps to promote.prefer",
                           "study.front has those that no other one beats in both")
        if answer["trial"] is None:
            raise NoResult("no trial has completed yet")
        return self._completed(answer)

    @property
    def front(self) -> List[TrialRecord]:
        """Of two objectives: the completed trials that no other one beats in both, the best by the first one first."""
        if len(self.goals) == 1:
            raise UsageError("a study with one objective has no front", "study.best has its best trial")
        answer = self._session.do(lambda: self._session.exchange("best", True))
        return [self._completed(item) for item in answer["front"]]

    @property
    def trials(self) -> List[TrialRecord]:
        """All trials, by number. With a store they are read from there, also after close()."""
        if self._store is None:
            return self._session.do(self._records_in_memory)
        return [TrialRecord(row["trial"], "running" if row["state"] == "queued" else row["state"], row["value"],
                            self._declared_values(row["parameters"]), row["reason"], tuple(row["values"]))
                for row in self._stored_rows()]

    # Run calls these: the requests to `tune`, with the books that belong to them.

    def _ask(self, owner: object, most: Optional[int]) -> Union[Trial, Literal["exhausted", "wait"]]:
        """A trial that belongs to `owner` now; no new one when the study has `most`."""
        return self._session.do(lambda: self._ask_here(owner, most))

    def _report(self, trial: Trial, value: float, step: Optional[int],
                metric: Optional[str]) -> Tuple[str, Optional[str]]:
        return self._session.do(lambda: self._report_here(trial, value, step, metric))

    def _tell(self, number: int, owner: Optional[object], values: Optional[Tuple[float, ...]],
              state: Optional[EndState], reason: str) -> None:
        self._session.do(lambda: self._tell_here(number, owner, values, state, reason))

    def _tell_reported(self, number: int, owner: object) -> None:
        """The trial has completed with what its reports come to; a failure when that is nothing finite."""
        def work() -> None:
            entry = self._open.get(number)
            curves = () if entry is None else entry.curves[:len(self.goals)]
            # Of an objective that was never reported `tune` says so.
            is_none = all(curves) and any(self._reduced(curve, i) is None for i, curve in enumerate(curves))
            self._tell_here(number, owner, (math.nan,) * len(self.goals) if curves and is_none else None, None, "")
        self._session.do(work)

    def _returned(self, result: Any) -> Tuple[float, ...]:
        """What an objective has returned, one number an objective of the study. Raises TypeError or ValueError."""
        if len(self.goals) == 1:
            return (float(result),)
        values = tuple(float(value) for value in result)
        if len(values) != len(self.goals):
            raise ValueError
        return values

    def _release(self, owner: object) -> None:
        """What the owner has not told is run again by the next who asks. Waits for nothing: a run may end for that reason."""
        self._session.hand_in(lambda: self._release_here(owner))

    # From here on: on the session's thread.

    def _given(self, value: Optional[SupportsFloat],
               values: Optional[Sequence[SupportsFloat]]) -> Optional[Tuple[float, ...]]:
        if value is None and values is None:
            return None
        is_pair = len(self.goals) == 2
        if (values is None) == is_pair or (value is not None and values is not None):
            raise UsageError(f"the study is about {' and '.join(self.metrics)}",
                             "give values=[a, b], in this order" if is_pair else "give one value, and no values=")
        try:
            return self._returned(values if is_pair else value)
        except ValueError:
            raise UsageError(f"values is {values!r}", f"it is a list of two, of {' and '.join(self.metrics)}") from None

    def _completed(self, item: Mapping[str, Any]) -> TrialRecord:
        values = tuple(float(value) for value in (item["values"] if "values" in item else [item["value"]]))
        return TrialRecord(item["trial"], "completed", values[0], self._declared_values(item["parameters"]), "completed",
                           values)

    def _start(self) -> None:
        self._session.start(*(() if self._limit is None else ("--trials", str(self._limit))))

    def _take_over(self, unfinished: str) -> None:
        """What an earlier program has left in the store."""
        if self._store is None:
            return
        self._last = max((row["trial"] for row in self._stored_rows()), default=0)
        for item in self._session.exchange("pending", True)["trials"]:
            self._take(item, True)
            if unfinished == "failed":
                # A class of failures that says nothing against the parameters.
                self._tell_here(item["trial"], None, None, "failed", "lost")

    def _spec_limit(self) -> Optional[int]:
        """The limit of the spec, where nothing but the study counts."""
        return self._spec_trials if self._store is None else None

    def _allow(self, trials: int) -> None:
        """Has the store know how many trials there are to be. The process is replaced for it; it goes on from the store."""
        if self._store is not None and trials > self._last and trials != self._limit:
            self._limit = trials
            self._start()

    def _take(self, item: Mapping[str, Any], is_resumed: bool) -> _Open:
        entry = _Open(self._declared_values(item["parameters"]), float(item.get("budget", 1)), is_resumed,
                      item.get("replicate_of"))
        self._open[item["trial"]] = entry
        self._last = max(self._last, item["trial"])
        return entry

    def _declared_values(self, parameters: Mapping[str, Any]) -> Dict[str, Any]:
        return {name: declared.value(parameters[name]) for name, declared in self.space.items() if name in parameters}

    def _ask_here(self, owner: object, most: Optional[int]) -> Union[Trial, Literal["exhausted", "wait"]]:
        self._session.require_program()
        number = min((number for number, entry in self._open.items() if entry.owner is None), default=None)
        if number is None:
            answer = self._session.exchange("ask", 1 if most is None else {"trials": most})
            if answer.get("exhausted") and most is None and self._may_raise and self._limit != _MOST_TRIALS:
                # An earlier optimize() has left its limit in the store.
                self._limit = _MOST_TRIALS
                self._start()
                answer = self._session.exchange("ask", 1)
            if not answer["trials"]:
                return "wait" if answer.get("wait") else "exhausted"
            item = answer["trials"][0]
            self._take(item, "resume_trial" in item)
            number = cast(int, item["trial"])
        entry = self._open[number]
        entry.owner = owner
        return Trial(self, owner, number, entry.parameters, entry.budget, entry.is_resumed, entry.replicate_of)

    def _require_owner(self, number: int, owner: Optional[object]) -> None:
        entry = self._open.get(number)
        if owner is not None and entry is not None and entry.owner is not owner:
            raise UsageError(f"trial {number} was left by the run that asked for it, and is run again",
                             "its results no longer count")

    def _report_here(self, trial: Trial, value: float, step: Optional[int],
                     metric: Optional[str]) -> Tuple[str, Optional[str]]:
        """The decision, and its reason where it is not to continue."""
        self._require_owner(trial.number, trial._owner)
        body: Dict[str, Any] = {"trial": trial.number, "value": _finite(value)}
        if step is not None:
            body["step"] = int(step)
        if metric is not None:
            body["metric"] = metric
        answer = self._session.exchange("report", body)
        curve = self._open[trial.number].curves[0 if metric is None else self.metrics.index(metric)]
        curve[max(curve, default=0) + 1 if step is None else int(step)] = value
        decision = str(answer["decision"])
        return decision, None if decision == "continue" else str(answer.get("reason", decision))

    def _tell_here(self, number: int, owner: Optional[object], values: Optional[Tuple[float, ...]],
                   state: Optional[EndState], reason: str) -> None:
        self._require_owner(number, owner)
        # Half a surrogate pair, which texts of the system may hold, is no character of JSON.
        reason = reason.encode("utf-8", "replace").decode("utf-8")
        body: Dict[str, Any] = {"trial": number, **_values_body(values)}
        if state is not None:
            body["state"] = state
        if reason:
            body["reason"] = reason
        self._session.exchange("tell", body)
        entry = self._open.pop(number)
        logger.info("trial %d %s%s: %s", number, state or "completed",
                    "" if values is None else " with " + ", ".join(f"{value:g}" for value in values), entry.parameters)
        if self._store is None:
            self._record(number, entry, values, state or "completed", reason)
        self._count_result()

    def _count_result(self) -> None:
        with self._changed:
            self._told += 1
            self._changed.notify_all()

    def _record(self, number: int, entry: _Open, given: Optional[Tuple[float, ...]], state: EndState,
                reason: str) -> None:
        """What `tune` makes of a trial that was told, for a study without a store."""
        reached: List[Optional[float]] = list(given or ())
        if given is None and state != "failed":
            reached = [self._reduced(curve, i) for i, curve in enumerate(entry.curves[:len(self.goals)])]
        # Of two objectives both or the first.
        values: List[float] = []
        for value in reached:
            if value is None or not math.isfinite(value):
                break
            values.append(value)
        if state == "completed" and len(values) < len(self.goals):
            state, reason, values = "failed", reason or "its value is not finite", []
        self._records[number] = TrialRecord(number, state, values[0] if values else None, entry.parameters,
                                            reason or state, tuple(values))

    def _reduced(self, curve: Dict[int, float], objective: int) -> Optional[float]:
        if not curve:
            return None
        reduce = self._reduces[objective]
        finite = [value for _, value in sorted(curve.items()) if math.isfinite(value)]
        if reduce == "last":
            last = curve[max(curve)]
            return last if math.isfinite(last) else None
        is_least = reduce == "min" or (reduce == "best" and self.goals[objective] == "minimize")
        return (min if is_least else max)(finite, default=None)

    def _add(self, body: Dict[str, Any], values: Optional[Tuple[float, ...]]) -> int:
        number = cast(int, self._session.exchange("add", {**body, **_values_body(values)})["trial"])
        entry = self._take({"trial": number, "parameters": body["parameters"]}, False)
        if values is not None:
            del self._open[number]
            if self._store is None:
                self._record(number, entry, values, "completed", "")
            self._count_result()
        return number

    def _release_here(self, owner: object) -> None:
        for entry in self._open.values():
            if entry.owner is owner:
                entry.owner, entry.is_resumed = None, True

    def _records_in_memory(self) -> List[TrialRecord]:
        running = {number: TrialRecord(number, "running", None, entry.parameters) for number, entry in self._open.items()}
        return [record for _, record in sorted({**self._records, **running}.items())]

    def _stored_rows(self) -> List[Dict[str, Any]]:
        command = [self._session.program, "trials", self.name, "--store", cast(str, self._store), "--json"]
        read = subprocess.run(command, capture_output=True, text=True, start_new_session=True)
        if read.returncode != 0:
            raise ProgramError(f"the trials of \"{self.name}\" cannot be read:\n{read.stderr.strip()}")
        return cast(List[Dict[str, Any]], json.loads(read.stdout)["trials"])


def _finite(value: float) -> Optional[float]:
    """A number as JSON holds it."""
    return value if math.isfinite(value) else None


def _values_body(values: Optional[Tuple[float, ...]]) -> Dict[str, Any]:
    """The part of a request that tells a result."""
    if values is None:
        return {}
    return {"value": _finite(values[0])} if len(values) == 1 else {"values": [_finite(value) for value in values]}


def _is_space(space: Any) -> bool:
    return isinstance(space, Mapping) and all(isinstance(value, (Float, Int, Categorical)) for value in space.values())


def _spec_of(space: Mapping[str, Any], settings: Mapping[str, Any], name: Optional[str],
             has_store: bool) -> Dict[str, Any]:
    """The document that `tune` reads."""
    if not _is_space(space):
        if "parameters" not in space:
            raise UsageError("the space is neither a mapping of names to tune.Float, tune.Int and tune.Categorical nor a spec",
                             "for example tune.Study({\"lr\": tune.Float(1e-5, 1e-1, log=True)})")
        _refuse_settings(settings)
        return {"limits": _NO_LIMIT, **space}
    if has_store and name is None:
        raise UsageError("a study in a store has a name", "add name=, such as name=\"first\"; the same name goes on with it")
    objective = {"metric": settings["metric"] or "value", "goal": settings["goal"] or "minimize",
                 "reduce": settings["reduce"] or "best"}
    strategy = _named(settings["strategy"] or "auto", "name")
    if settings["try_first"]:
        strategy["try_first"] = [dict(point) for point in settings["try_first"]]
    spec = {"study": name or "study", "objective": objective, "strategy": strategy, "limits": _NO_LIMIT,
            "parameters": {key: declared.spec_entry() for key, declared in space.items()}}
    if settings["early_stopping"] is not None:
        spec["early_stopping"] = _named(settings["early_stopping"], "rule")
    return spec


def _named(setting: Union[str, Mapping[str, Any]], key: str) -> Dict[str, Any]:
    return {key: setting} if isinstance(setting, str) else dict(setting)


def _asks_for_replicates(spec: Optional[Mapping[str, Any]], spec_file: Optional[str]) -> bool:
    if spec is not None:
        return "replicates" in spec
    try:
        with open(str(spec_file), encoding="utf-8") as file:
            return "replicates" in json.load(file)
    except (OSError, ValueError, TypeError):
        return False  # `tune` says what is wrong with it


def _refuse_settings(settings: Mapping[str, Any]) -> None:
    given = [key for key, value in settings.items() if value is not None]
    if given:
        raise UsageError(f"{', '.join(given)}: a spec says that itself", "change the spec, or give the parameters alone")
