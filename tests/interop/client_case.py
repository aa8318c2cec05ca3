"""What the flows of the Python client have in common."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from flow import equal

import larder

PATIENCE_S = 30.0
HERE = Path(__file__).parent


class Program:
    """client_program.py, in a process of its own, which ends with the block."""

    def __init__(self, case: Any, key: str) -> None:
        command = [sys.executable, str(HERE / "client_program.py"), address_of(case), case.namespace, key]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def says(self, line: str) -> None:
        equal(self.process.stdout.readline().rstrip("\n"), line, "what the program says")

    def told(self, line: str) -> None:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ends(self) -> None:
        equal(self.process.wait(PATIENCE_S), 0, "exit code")


def address_of(case: Any) -> str:
    return case.server.addresses["RemoteCache"]


@contextmanager
def client(case: Any) -> Iterator[larder.Cache]:
    """A client of the shared server."""
    with larder.Cache(address_of(case)) as cache:
        yield cache


@contextmanager
def warnings() -> Iterator[list[str]]:
    """What the client warns of."""
    said: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    logger, handler = logging.getLogger("larder"), Keep()
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield said
    finally:
        logger.removeHandler(handler)
        logger.propagate = True


@contextmanager
def raises(kind: type[BaseException], text: str = "") -> Iterator[None]:
    """Asserts that this is raised, with this in its message."""
    try:
        yield
    except kind as error:
        if text not in str(error):
            raise AssertionError(f"'{error}' lacks '{text}'") from error
        return
    raise AssertionError(f"expected {kind.__name__} {text}, got nothing")


def never() -> Any:
    raise AssertionError("it is computed, and should have been found")
