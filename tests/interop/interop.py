"""Drives the flows against real servers. Usage: interop.py FOLDER COMMAND...

FOLDER is the repository; COMMAND starts a server, its root and flags appended.
"""

import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import flows_client  # noqa: F401 (the imports fill the table)
import flows_client_catalog  # noqa: F401
import flows_client_faults  # noqa: F401
import flows_client_forks  # noqa: F401
import flows_client_keys  # noqa: F401
import flows_client_tls  # noqa: F401
import flows_client_wire  # noqa: F401
import flows_connections  # noqa: F401
import flows_errors  # noqa: F401
import flows_limits  # noqa: F401
import flows_names  # noqa: F401
import flows_restart  # noqa: F401
import flows_semantics  # noqa: F401
import flows_sockets  # noqa: F401
import flows_values  # noqa: F401
from cache import Local, Remote
from flow import FLOWS, Flow
from server import Server, ServerError


@dataclass(frozen=True)
class Case:
    """What a flow on the shared server works with."""

    server: Server
    namespace: str

    @property
    def remote(self) -> Remote:
        return self.server.remote

    @property
    def local(self) -> Local:
        return self.server.local

    @property
    def services(self) -> list[Remote | Local]:
        return [self.server.remote, self.server.local]


def passes(flow: Flow, run: Callable[..., None], *arguments: object) -> bool:
    """Runs a flow and prints one line about it, and why it failed."""
    began = time.monotonic()
    try:
        run(*arguments)
    except Exception as error:  # noqa: BLE001 (whatever it is, the others go on)
        reason = str(error).strip().splitlines()
        print(f"FAIL {flow.name}: {type(error).__name__}: {reason[0] if reason else ''}")
        traceback.print_exc(file=sys.stdout)
        return False
    print(f"ok   {flow.name} ({time.monotonic() - began:.2f} s)", flush=True)
    return True


def run_alone(flow: Flow, command: list[str], folder: str) -> None:
    with Server(command, folder) as server:
        flow.run(server)


def run_shared(flows: list[Flow], command: list[str], folder: str) -> list[bool]:
    results = []
    with Server(command, folder) as server:
        for flow in flows:
            results.append(passes(flow, flow.run, Case(server, flow.namespace)))
            if not results[-1]:
                server.print_output()
    return results


def main() -> int:
    folder, *command = sys.argv[1:]
    try:
        results = run_shared([flow for flow in FLOWS if not flow.alone], command, folder)
    except ServerError as error:
        # Without a server there is nothing to say about any flow.
        print(f"FAIL {error}\n0 passed, 1 failed")
        return 1
    for flow in FLOWS:
        if flow.alone:
            results.append(passes(flow, run_alone, flow, command, folder))
    failed = results.count(False)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
