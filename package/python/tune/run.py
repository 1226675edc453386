"""One call of Study.optimize()."""
import logging
import threading
import time
from typing import TYPE_CHECKING, Callable, Optional, Sequence, SupportsFloat, Tuple, Type, Union

from .errors import MustWait, ProgramError, Stopped, UsageError
from .trial import Trial

if TYPE_CHECKING:
    from .study import Study

logger = logging.getLogger("tune")

# What it returns is a number, or of a study with two objectives a list of two.
Objective = Callable[[Trial], Union[SupportsFloat, Sequence[SupportsFloat], None]]

_LONGEST_REASON = 2000  # characters


class Run:
    """Runs an objective until nothing is left, in this thread or in several; owns the trials that it has asked for."""

    def __init__(self, study: "Study", objective: Objective, trials: Optional[int], timeout: Optional[float],
                 catch: Tuple[Type[Exception], ...]) -> None:
        self.trials = trials
        self._study = study
        self._objective = objective
        self._catch = catch
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._changed = study._changed
        self._is_ending = False
        self._error: Optional[BaseException] = None
        self._workers = 0
        self._busy = 0  # workers that have a trial, or ask for one

    def alone(self) -> None:
        """All trials in this thread."""
        try:
            self._workers = 1
            self._work()
        finally:
            self._study._release(self)
        if self._error is not None:
            raise self._error

    def in_threads(self, workers: int) -> None:
        """Trials in so many threads, while this one waits. The first Ctrl-C lets them end, the second leaves them."""
        is_interrupted = False
        try:
            self._workers = workers
            for number in range(workers):
                threading.Thread(target=self._work, name=f"tune-worker-{number + 1}", daemon=True).start()
            try:
                self._wait_for_workers()
            except KeyboardInterrupt:
                is_interrupted = True
                self._end()
                logger.warning("interrupted: %d trials are let end; press Ctrl-C again to leave them", self._busy)
                self._wait_for_workers()
        finally:
            self._end()
            self._study._release(self)
        if is_interrupted:
            raise KeyboardInterrupt
        if self._error is not None:
            raise self._error

    def _wait_for_workers(self) -> None:
        with self._changed:
            while self._workers > 0:
                self._changed.wait()

    def _end(self, error: Optional[BaseException] = None) -> None:
        with self._changed:
            self._is_ending = True
            if self._error is None:
                self._error = error
            self._changed.notify_all()

    def _is_over(self) -> bool:
        return self._is_ending or (self._deadline is not None and time.monotonic() >= self._deadline)

    def _work(self) -> None:
        try:
            while not self._is_over():
                trial = self._next_trial()
                if trial is None:
                    break
                try:
                    self._run_trial(trial)
                finally:
                    self._count_busy(-1)
        except BaseException as error:  # to the thread that called optimize()
            self._end(error)
        finally:
            with self._changed:
                self._workers -= 1
                self._changed.notify_all()

    def _count_busy(self, change: int) -> None:
        with self._changed:
            self._busy += change
            self._changed.notify_all()

    def _next_trial(self) -> Optional[Trial]:
        while not self._is_over():
            told_before = self._study._told
            self._count_busy(1)
            trial = self._study._ask(self, self.trials)
            if isinstance(trial, Trial):
                return trial
            self._count_busy(-1)
            if trial == "exhausted":
                return None
            self._wait_for_result(told_before)
        return None

    def _wait_for_result(self, told_before: int) -> None:
        with self._changed:
            while self._study._told == told_before and not self._is_over():
                if self._busy == 0:
                    raise MustWait("the strategy waits for the results of open trials, and none of them runs here",
                                   "tell the trials that were asked for by ask()")
                self._changed.wait(None if self._deadline is None else max(0, self._deadline - time.monotonic()))

    def _run_trial(self, trial: Trial) -> None:
        try:
            value = self._objective(trial)
        except Stopped as stopped:
            reason = stopped.reason or trial.stop_reason or "stopped by the objective"
            self._study._tell(trial.number, self, None, "paused" if trial.is_to_pause else "stopped", reason)
        except ProgramError:
            raise
        except Exception as error:
            self._fail(trial, error)
        else:
            self._complete(trial, value)

    def _complete(self, trial: Trial, value: Union[SupportsFloat, Sequence[SupportsFloat], None]) -> None:
        if value is None and trial.has_reported:
            self._study._tell_reported(trial.number, self)
            return
        try:
            values = self._study._returned(value)
        except (TypeError, ValueError):
            metrics = self._study.metrics
            what = "a number" if len(metrics) == 1 else f"two numbers, of {' and '.join(metrics)}"
            self._fail(trial, UsageError(f"the objective returned {value!r}, not {what}",
                                         "return what the study is about, or report it as it comes"))
        else:
            self._study._tell(trial.number, self, values, None, "")

    def _fail(self, trial: Trial, error: Exception) -> None:
        is_memory = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
        # A class of failures that strategies know, and avoid.
        reason = "oom" if is_memory else f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
        self._study._tell(trial.number, self, None, "failed", reason)
        if not isinstance(error, self._catch):
            raise error
        logger.warning("trial %d failed", trial.number, exc_info=error)
