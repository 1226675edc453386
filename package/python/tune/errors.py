"""What goes wrong, as one family of exceptions; and the one exception that is no error, Stopped."""
from typing import Optional


class Error(Exception):
    """The family's head: `message` says what is wrong, `hint` what helps (it may be empty)."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class UsageError(Error):
    """A call that cannot be served: an unknown parameter, a trial told twice."""


class SpecError(Error):
    """A space or spec that is not valid; the message lists everything that is wrong with it."""


class ConflictError(Error):
    """A study in the store that another process holds, or that was begun with another spec."""


class ProgramError(Error):
    """The program `tune` is missing, or has ended; the message holds what it said on stderr."""


class Exhausted(Error):
    """No trial is left: the limit is reached, or every point was tried."""


class MustWait(Error):
    """The strategy needs the result of an open trial before it can suggest another."""


class NoResult(Error):
    """No trial has completed yet, so none is the best."""


class Stopped(Exception):
    """Raised by an objective to end its trial early: it counts as stopped, with the value that it had reached."""

    def __init__(self, reason: Optional[str] = None) -> None:
        super().__init__(*(() if reason is None else (reason,)))
        self.reason = reason
