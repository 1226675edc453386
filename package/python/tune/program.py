"""Where the program `tune` is."""
import importlib.metadata
import os
import pathlib
import shutil
from typing import Iterator

from .errors import ProgramError


def _installed_with_module() -> Iterator[pathlib.Path]:
    """Where a wheel's script may lie: where the installer has recorded it, or beside `pip install --target`."""
    try:
        for file in importlib.metadata.files("tune") or ():
            if file.name == "tune" and file.parent.name == "bin":
                yield pathlib.Path(str(file.locate())).resolve()
    except importlib.metadata.PackageNotFoundError:
        pass
    yield pathlib.Path(__file__).resolve().parent.parent / "bin" / "tune"


def find_program() -> str:
    """TUNE_PROGRAM, else the program that came with this module, else the one on the path."""
    named = os.environ.get("TUNE_PROGRAM")
    if named:
        found = shutil.which(named)
        if found is None:
            raise ProgramError(f"TUNE_PROGRAM names {named}, which is no program",
                               "set it to the file of the program tune, or unset it")
        return found
    for place in _installed_with_module():
        if place.is_file() and os.access(place, os.X_OK):
            return str(place)
    found = shutil.which("tune")
    if found is None:
        raise ProgramError("the program tune was not found beside this module or on the path",
                           "put its folder on PATH, or set TUNE_PROGRAM to its file")
    return found
