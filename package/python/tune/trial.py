"""One trial in the hands of an objective, and a trial as a record."""
import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, Literal, Mapping, Optional, Sequence, SupportsFloat, Tuple

from .errors import UsageError
from .parameters import Categorical, Float, Int, Parameter

if TYPE_CHECKING:
    from .study import Study

EndState = Literal["completed", "failed", "stopped", "paused"]
State = Literal["running", "completed", "failed", "stopped", "paused"]


@dataclass(frozen=True)
class TrialRecord:
    """What is known of a trial: `value` is there when it has completed, or was stopped after a report.

    `values` has one an objective, the first of which is `value`.
    """

    number: int
    state: State
    value: Optional[float]
    parameters: Mapping[str, Any]
    reason: str = ""
    values: Tuple[float, ...] = ()


class Trial:
    """A trial to run: what it is to be run with, and where it reports. Made by a study; any one thread uses it."""

    def __init__(self, study: "Study", owner: object, number: int, parameters: Mapping[str, Any], budget: float,
                 is_resumed: bool, replicate_of: Optional[int] = None) -> None:
        self.number = number
        self.parameters: Dict[str, Any] = dict(parameters)
        self.budget = budget
        #: It was begun before, by a program that has ended or was interrupted, or it was paused.
        self.is_resumed = is_resumed
        #: The trial that it repeats: the same parameters, on another seed. `number` is one that no other trial has.
        self.replicate_of = replicate_of
        self.has_reported = False
        self.stop_reason: Optional[str] = None
        #: The study wants the trial to wait: it may go on later, from what the objective has saved.
        self.is_to_pause = False
        self._study = study
        self._owner = owner

    def __repr__(self) -> str:
        return f"<tune.Trial {self.number} {self.parameters}>"

    def __getitem__(self, name: str) -> Any:
        """The parameter's value."""
        if name not in self.parameters:
            raise self._objection(name)
        return self.parameters[name]

    def report(self, value: SupportsFloat, step: Optional[int] = None, *, metric: Optional[str] = None) -> None:
        """An intermediate value, by which the study may decide to stop the trial. Without a step reports are counted.

        Of two objectives it is of the first, unless `metric` names the second one; report that one before.
        """
        decision, self.stop_reason = self._study._report(self, float(value), step, metric)
        self.is_to_pause = decision == "pause"
        self.has_reported = True

    def should_stop(self) -> bool:
        """Whether the last report was one too many: raise Stopped then, or return what has been reached."""
        return self.stop_reason is not None

    def suggest_float(self, name: str, low: float, high: float, *, step: Optional[float] = None,
                      log: bool = False) -> float:
        """The declared parameter of that name; refused unless it is declared just so."""
        return float(self._declared(name, Float(low, high, log, step)))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """The declared parameter of that name; refused unless it is declared just so."""
        return int(self._declared(name, Int(low, high, log, step)))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """The declared parameter of that name; refused unless it is declared with the same choices."""
        return self._declared(name, Categorical(choices))

    def _declared(self, name: str, wanted: Parameter) -> Any:
        declared = self._study.space.get(name)
        if declared is None:
            raise UsageError(f"the study declares no parameter \"{name}\"{self._nearest(name)}",
                             f"declare it where the study is made: \"{name}\": {wanted!r}")
        if not declared.agrees_with(wanted):
            raise UsageError(f"\"{name}\" is declared as {declared!r}, and asked for as {wanted!r}",
                             "make the two agree; the ranges of a study are fixed when it is made")
        return self[name]

    def _objection(self, name: str) -> UsageError:
        declared = self._study.space.get(name)
        if declared is not None and declared.when is not None:
            return UsageError(f"\"{name}\" is not active in trial {self.number}, whose parameters are {self.parameters}",
                              f"use it only where its condition holds: {dict(declared.when)}")
        return UsageError(f"trial {self.number} has no parameter \"{name}\"{self._nearest(name)}",
                          f"there are: {', '.join(self.parameters)}")

    def _nearest(self, name: str) -> str:
        near = difflib.get_close_matches(name, self._study.space, n=1)
        return f" (did you mean \"{near[0]}\"?)" if near else ""
