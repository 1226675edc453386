"""The conversation with `tune ask-tell`."""
import collections
import json
import logging
import os
import queue
import re
import subprocess
import threading
import time
import weakref
from typing import Any, Callable, Deque, Dict, Generic, List, Optional, Sequence, Type, TypeVar

from .errors import ConflictError, Error, ProgramError, SpecError, UsageError
from .parameters import json_text

T = TypeVar("T")
logger = logging.getLogger("tune")

_ERROR_OF_EXIT_CODE: Dict[int, Type[Error]] = {2: UsageError, 3: SpecError, 5: SpecError, 6: ConflictError}

# The program of a Python that was killed lives until its suggestion is done; that long its study is held.
_ORPHAN_SECONDS = 5.0
_END_SECONDS = 10.0


class _Job(Generic[T]):
    """Work for the session's thread, and what came of it."""

    def __init__(self, work: Callable[[], T]) -> None:
        self.work = work
        self.done = threading.Event()
        self.result: Optional[T] = None
        self.error: Optional[BaseException] = None

    def run(self) -> None:
        try:
            self.result = self.work()
        except BaseException as error:  # to the thread that waits for it
            self.error = error
        self.done.set()


class _Process:
    """One `tune ask-tell`: lines of JSON out and in. Used by the session's thread alone."""

    def __init__(self, program: str, arguments: Sequence[str], spec_text: Optional[str]) -> None:
        descriptors = []
        command = [program, "ask-tell", *arguments, "--json"]
        if spec_text is not None:
            # A file without a name: nobody has to remove it, however this program ends.
            descriptors.append(os.memfd_create("search.json"))
            os.write(descriptors[0], spec_text.encode())
            command += ["--spec", f"/proc/self/fd/{descriptors[0]}"]
        try:
            # A session of its own, so that Ctrl-C reaches this program alone.
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                pass_fds=descriptors, start_new_session=True)
        except OSError as error:
            raise ProgramError(f"{program} cannot be started: {error.strerror}",
                               "set TUNE_PROGRAM to the file of the program tune") from None
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        self.program = program
        self.failure: Optional[Error] = None
        self._said: Deque[str] = collections.deque(maxlen=200)
        self._listener = threading.Thread(target=self._listen, name="tune-stderr", daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for raw in self.process.stderr:
            line = raw.decode(errors="replace").rstrip("\n")
            self._said.append(line)
            if line.startswith(("notice: ", "warning: ")):
                logger.warning("%s", re.sub(r"^(\w+): (/proc/self/fd/[0-9:]+ )?", "", line))

    def require_life(self) -> None:
        if self.failure is not None:
            raise type(self.failure)(self.failure.message, self.failure.hint)

    def exchange(self, request: str) -> Dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.require_life()
        try:
            self.process.stdin.write(request.encode() + b"\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except OSError:
            line = b""
        if not line.endswith(b"\n"):
            self.failure = self._death()
            raise self.failure
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            self.failure = ProgramError(f"{self.program} answers with something else than tune does: {line[:200]!r}",
                                        "set TUNE_PROGRAM to the file of the program tune")
            raise self.failure
        return answer

    def _death(self) -> Error:
        code = self.end()
        text = self.said()
        document = next((line for line in reversed(self._said) if line.startswith('{"error"')), None)
        if document is None:
            how = f"was ended by signal {-code}" if code < 0 else f"has ended with exit code {code}"
            return ProgramError(f"{self.program} {how}" + (f":\n{text}" if text else ", and has said nothing"),
                                "a study with a store goes on when the program is started again")
        error = json.loads(document)["error"]
        message = error["message"]
        problems = error.get("problems", [])
        if problems and all(problem["file"].startswith("/proc/self/fd/") for problem in problems):
            message = "the study is not valid:" + "".join(
                f"\n  {problem['pointer']}: {problem['message']}" + (f" ({problem['hint']})" if problem["hint"] else "")
                for problem in problems)
        return _ERROR_OF_EXIT_CODE.get(code, ProgramError)(message, error["hint"])

    def end(self) -> int:
        """Closes its input, at which it records where the study stands; one that does not end then is killed."""
        assert self.process.stdin is not None and self.process.stdout is not None and self.process.stderr is not None
        try:
            self.process.stdin.close()
        except OSError:
            pass
        try:
            code = self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process.stdout.close()
        self._listener.join(1)  # another process may hold its stderr open
        if not self._listener.is_alive():
            self.process.stderr.close()
        return code

    def said(self) -> str:
        return "\n".join(self._said)

    def leave_to_parent(self) -> None:
        """In a forked child: lets go of the pipes, so that the program ends with the parent."""
        nothing = os.open(os.devnull, os.O_RDWR)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None and not pipe.closed:
                os.dup2(nothing, pipe.fileno())
        os.close(nothing)


class Session:
    """Owns the process and the thread that talks with it, one request after the other.

    Others hand it work by `do()` and wait. An interrupted wait (Ctrl-C) leaves the work to be done to its end, so that
    requests and answers never part, and the books that the work keeps are those of the program.
    """

    def __init__(self, program: str, spec_text: Optional[str], arguments: Sequence[str]) -> None:
        self.program = program
        self._spec_text = spec_text
        self._arguments = list(arguments)
        self._process: Optional[_Process] = None
        self._pid = os.getpid()
        self._jobs: "queue.SimpleQueue[Optional[_Job[Any]]]" = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._is_closed = False
        self._thread = threading.Thread(target=self._serve, name="tune-session", daemon=True)
        self._thread.start()
        _sessions.add(self)

    def do(self, work: Callable[[], T]) -> T:
        """Runs `work` on the session's thread, where alone `exchange()` and `start()` may be called."""
        job = self.hand_in(work)
        job.done.wait()
        if job.error is not None:
            raise job.error
        return job.result  # type: ignore[return-value]

    def hand_in(self, work: Callable[[], T]) -> "_Job[T]":
        """Has `work` done after what was handed in before, and does not wait for it."""
        if os.getpid() != self._pid:
            raise UsageError("a study belongs to the process that made it, and this is a fork of it",
                             "ask and tell in the first process, or make a study of another name here")
        job = _Job(work)
        with self._gate:
            if self._is_closed:
                raise UsageError("the study was closed", "make it again: one with a store goes on")
            self._jobs.put(job)
        return job

    def start(self, *more: str) -> None:
        """Starts the program, or starts it again with other options; waits for one whose Python was killed."""
        if self._process is not None:
            self._process.end()
            self._process = None
        until = time.monotonic() + _ORPHAN_SECONDS
        while True:
            self._process = _Process(self.program, [*self._arguments, *more], self._spec_text)
            try:
                self.exchange("pending", True)
                return
            except ConflictError as error:
                holder = re.search(r"(?:another tune works on|a session of ask-tell has) .*: process (\d+)", error.message)
                if holder is not None and int(holder[1]) in _own_processes():
                    raise ConflictError("this program has the study open already", "use it, or close() it first") from None
                if holder is None or time.monotonic() >= until:
                    raise
            time.sleep(0.05)

    def require_program(self) -> None:
        """Raises what the program has died of, if it has."""
        assert self._process is not None
        self._process.require_life()

    def exchange(self, name: str, body: Any) -> Dict[str, Any]:
        assert self._process is not None
        answer = self._process.exchange(json_text({name: body}))
        if "error" in answer:
            raise UsageError(answer["error"]["message"])
        return answer

    def close(self) -> None:
        """Ends the program after what was handed in before; does nothing the second time, and in a fork."""
        if os.getpid() != self._pid:
            return
        with self._gate:
            if not self._is_closed:
                self._is_closed = True
                self._jobs.put(None)
        if threading.current_thread() is self._thread:
            return
        self._thread.join(_END_SECONDS)
        if self._thread.is_alive() and self._process is not None:
            self._process.process.kill()  # it does not answer, and would hold this program up for ever
            self._thread.join()

    def _serve(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None:
                break
            job.run()
            del job  # its work may hold the study, which ends this thread when nobody holds it
        process = self._process
        if process is not None and process.failure is None and process.end() != 0:
            logger.warning("%s ended with exit code %d:\n%s", self.program, process.process.returncode, process.said())

    def leave_to_parent(self) -> None:
        """In a forked child."""
        if self._process is not None:
            self._process.leave_to_parent()

    def process_id(self) -> Optional[int]:
        """Of the program that this one talks with; nothing before the first and after the last."""
        process = self._process
        return None if process is None else process.process.pid


_sessions: "weakref.WeakSet[Session]" = weakref.WeakSet()


def _own_processes() -> List[Optional[int]]:
    return [session.process_id() for session in list(_sessions)]


def _after_fork() -> None:
    for session in list(_sessions):
        session.leave_to_parent()


os.register_at_fork(after_in_child=_after_fork)
