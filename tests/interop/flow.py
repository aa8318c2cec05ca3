"""The table of flows, and what their assertions are made of."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc

PATIENCE_S = 20.0


@dataclass(frozen=True)
class Flow:
    """One story; `run` takes a server, alone or shared with other flows."""

    run: Callable[[Any], None]
    alone: bool

    @property
    def name(self) -> str:
        return self.run.__name__.replace("_", " ")

    @property
    def namespace(self) -> str:
        return f"interop.{self.run.__name__}"


FLOWS: list[Flow] = []


def flow(run: Callable[[Any], None]) -> Callable[[Any], None]:
    """A flow on the server that all share: `run(case)`, in its own namespace."""
    FLOWS.append(Flow(run, alone=False))
    return run


def flow_alone(run: Callable[[Any], None]) -> Callable[[Any], None]:
    """A flow on a server of its own, which it may stop and start: `run(server)`."""
    FLOWS.append(Flow(run, alone=True))
    return run


def equal(actual: Any, expected: Any, what: str = "") -> None:
    if actual != expected:
        raise AssertionError(f"{what or 'value'}: {short(actual)} is not {short(expected)}")


def kind(reply: Any, expected: str) -> Any:
    """Asserts which case of the oneof a Get answered."""
    equal(reply.kind, expected, "Get")
    return reply


@contextmanager
def refused(code: grpc.StatusCode, text: str = "") -> Iterator[None]:
    """Asserts that the call fails with this status, and this in its message."""
    try:
        yield
    except grpc.RpcError as error:
        equal(error.code(), code, f"status of '{error.details()}'")
        if text not in (error.details() or ""):
            raise AssertionError(f"'{error.details()}' lacks '{text}'") from error
        return
    raise AssertionError(f"expected {code.name} {text}, got OK")


def void_assignment() -> Any:
    return refused(grpc.StatusCode.INVALID_ARGUMENT, "invalid assignment id")


def poll(ask: Callable[[], Any], what: str) -> Any:
    """Asks until the answer is truthy."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.01)
    raise AssertionError(f"{what} did not come about within {PATIENCE_S} s")


def short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 120 else f"{text[:100]}… ({len(text)} characters)"
