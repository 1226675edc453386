"""What a study searches: the declarations of its parameters, and how each stands in a spec."""
import json
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

from .errors import UsageError

Condition = Mapping[str, Any]
"""Parents and their values: {"optimizer": "sgd"}. A list means any of them, several parents mean all of them."""


def json_text(value: Any) -> str:
    """The value as `tune` gets it."""
    try:
        return json.dumps(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{value!r} cannot be written as JSON: {error}",
                         "use numbers, texts, True, False, None, and lists or dictionaries of them") from None


def _identity(value: Any) -> str:
    """What two values have in common when they are the same to `tune`: a tuple and a list, but not 1 and True."""
    return json.dumps(json.loads(json_text(value)), sort_keys=True)


def _number_entry(kind: str, low: float, high: float, log: bool, step: Optional[float]) -> Dict[str, Any]:
    entry: Dict[str, Any] = {"type": kind, "min": low, "max": high}
    if log:
        entry["scale"] = "log"
    if step is not None:
        entry["step"] = step
    return entry


def _with_condition(entry: Dict[str, Any], when: Optional[Condition]) -> Dict[str, Any]:
    if when is not None:
        entry["when"] = dict(when)
    return entry


def _written(name: str, values: Sequence[Any], log: bool, step: Any, when: Optional[Condition]) -> str:
    """A declaration as a program writes it, without what is at its default."""
    words = [repr(value) for value in values]
    if log:
        words.append("log=True")
    if step is not None:
        words.append(f"step={step!r}")
    if when is not None:
        words.append(f"when={when!r}")
    return f"tune.{name}({', '.join(words)})"


@dataclass(frozen=True, repr=False)
class Float:
    """A real number from `low` to `high`, both included."""

    low: float
    high: float
    log: bool = False
    step: Optional[float] = None
    when: Optional[Condition] = None

    def spec_entry(self) -> Dict[str, Any]:
        step = None if self.step is None else float(self.step)
        return _with_condition(_number_entry("float", float(self.low), float(self.high), self.log, step), self.when)

    def value(self, answer: Any) -> float:
        return float(answer)

    def agrees_with(self, other: "Parameter") -> bool:
        return isinstance(other, Float) and (self.low, self.high, self.log, self.step) == (
            other.low, other.high, other.log, other.step)

    def __repr__(self) -> str:
        return _written("Float", (self.low, self.high), self.log, self.step, self.when)


@dataclass(frozen=True, repr=False)
class Int:
    """A whole number from `low` to `high`, both included."""

    low: int
    high: int
    log: bool = False
    step: Optional[int] = None
    when: Optional[Condition] = None

    def spec_entry(self) -> Dict[str, Any]:
        step = None if self._step() == 1 else self._step()
        return _with_condition(_number_entry("int", int(self.low), int(self.high), self.log, step), self.when)

    def value(self, answer: Any) -> int:
        return int(answer)

    def agrees_with(self, other: "Parameter") -> bool:
        return isinstance(other, Int) and (self.low, self.high, self.log, self._step()) == (
            other.low, other.high, other.log, other._step())

    def _step(self) -> int:
        return 1 if self.step is None else int(self.step)

    def __repr__(self) -> str:
        return _written("Int", (self.low, self.high), self.log, None if self._step() == 1 else self.step, self.when)


@dataclass(frozen=True, repr=False)
class Categorical:
    """One of `choices`, which JSON can write; trials get them as they were given here, tuples too."""

    choices: Sequence[Any]
    when: Optional[Condition] = None

    def spec_entry(self) -> Dict[str, Any]:
        return _with_condition({"type": "categorical", "values": list(self.choices)}, self.when)

    def value(self, answer: Any) -> Any:
        wanted = _identity(answer)
        return next((choice for choice in self.choices if _identity(choice) == wanted), answer)

    def agrees_with(self, other: "Parameter") -> bool:
        return isinstance(other, Categorical) and self._identities() == other._identities()

    def _identities(self) -> List[str]:
        return sorted(_identity(choice) for choice in self.choices)

    def __repr__(self) -> str:
        return _written("Categorical", (list(self.choices),), False, None, self.when)


Parameter = Union[Float, Int, Categorical]


def parameter_of_spec(entry: Mapping[str, Any]) -> Parameter:
    """The declaration that a spec's entry stands for; the entry is valid."""
    when = entry.get("when")
    if entry["type"] == "categorical":
        return Categorical(entry["values"], when=when)
    low, high, scale = entry["min"], entry["max"], entry.get("scale", "linear")
    # `auto` is logarithmic from two orders of magnitude on.
    log = scale == "log" or (scale == "auto" and low > 0 and high / low >= 100)
    if entry["type"] == "int":
        return Int(int(low), int(high), log, entry.get("step"), when)
    return Float(low, high, log, entry.get("step"), when)
