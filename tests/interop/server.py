"""The fixture: a real server process, on a root and ports of its own."""

import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from typing import Self

import grpc

from cache import Local, Remote, connect

HEARTBEAT_INTERVAL_MS = 200
LEASE_MS = 800
GRACE_MS = 2_000
MESSAGE_LIMIT = 20 * 1024 * 1024
FLAGS = [
    f"--heartbeat-interval={HEARTBEAT_INTERVAL_MS}ms",
    f"--heartbeat-timeout={LEASE_MS}ms",
    f"--restart-grace={GRACE_MS}ms",
    f"--max-message-bytes={MESSAGE_LIMIT}",
    f"--max-reply-bytes={MESSAGE_LIMIT}",
]
# The first start of all downloads what the server is made of.
START_DEADLINE_S = 120.0
STOP_DEADLINE_S = 20.0


class ServerError(Exception):
    """The server did not start."""


class Server:
    """Starts on entry; stops, and removes its root, on exit."""

    def __init__(self, command: list[str], folder: str, flags: list[str] | None = None) -> None:
        self.command = command
        self.flags = [*FLAGS, *(flags or [])]
        self.folder = folder
        self.root = tempfile.mkdtemp(prefix="larder-interop-")
        self.addresses = {"LocalCache": "127.0.0.1:0", "RemoteCache": "127.0.0.1:0"}

    def __enter__(self) -> Self:
        try:
            self.start()
        except ServerError as error:
            self.__exit__(error)
            raise
        return self

    def __exit__(self, error: object, *_: object) -> None:
        self.kill()
        if error is not None:
            self.print_output()
        shutil.rmtree(self.root, ignore_errors=True)

    def start(self) -> None:
        """Starts where it was before: the root, and after a restart the ports."""
        addresses = ["-l", self.addresses["LocalCache"], "-r", self.addresses["RemoteCache"]]
        self.process = subprocess.Popen(
            [*self.command, self.root, *addresses, *self.flags],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # The launcher and the server are one group, as in a terminal.
            start_new_session=True,
        )
        self.output: queue.Queue[str | None] = queue.Queue()
        self.reading = threading.Thread(
            target=read_lines, args=[self.process, self.output], daemon=True
        )
        self.reading.start()
        self._channels: dict[str, grpc.Channel] = {}
        self._wait_ready()
        self._channels = {api: connect(address) for api, address in self.addresses.items()}
        self.local = Local(self._channels["LocalCache"])
        self.remote = Remote(self._channels["RemoteCache"])

    def stop(self, signal_number: int = signal.SIGTERM, group: bool = False) -> int:
        """Asks the process that was started to stop; returns its exit code."""
        if group:
            os.killpg(self.process.pid, signal_number)
        else:
            self.process.send_signal(signal_number)
        code = self.process.wait(STOP_DEADLINE_S)
        self._close()
        return code

    def kill(self) -> None:
        """Ends every process of the group at once, and waits until its output ends."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        # The server holds the root, and holds the pipe as long as it lives.
        self.reading.join(STOP_DEADLINE_S)
        self._close()

    def print_output(self) -> None:
        """Prints what the server said since it was ready, or since the last time."""
        while not self.output.empty():
            if (line := self.output.get()) is not None:
                print(f"     | {line}")

    def _close(self) -> None:
        for channel in self._channels.values():
            channel.close()

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + START_DEADLINE_S
        said: list[str] = []
        while True:
            try:
                line = self.output.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                self.process.kill()
                raise ServerError(f"the server did not start; it said: {said}")
            said.append(line)
            if line.split()[:2] == ["larder:", "ready"]:
                return
            if line.startswith("larder: ") and " on " in line:
                api, _, address = line.removeprefix("larder: ").partition(" on ")
                self.addresses[api] = address


def read_lines(process: subprocess.Popen, output: "queue.Queue[str | None]") -> None:
    for line in process.stdout:
        output.put(line.rstrip("\n"))
    # The end: no line is None.
    output.put(None)
