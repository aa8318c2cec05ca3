"""What one caller may take at a time, as grpcio sees it."""

import hashlib
import tempfile
from pathlib import Path

import grpc
import remote_pb2
import remote_pb2_grpc

from cache import DEADLINE_S, connect
from flow import equal, flow, poll
from server import Server

RULES = """
[[token]]
name = "greedy"
sha256 = "{greedy}"
write = ["*"]
limits = {{ assignments = 2, upload-rate = "64KiB" }}

[[token]]
name = "fair"
sha256 = "{fair}"
write = ["*"]
"""


class Caller:
    """Calls RemoteCache with a token."""

    def __init__(self, address: str, token: str) -> None:
        self.channel = connect(address)
        self.stub = remote_pb2_grpc.RemoteCacheStub(self.channel)
        self.metadata = [("authorization", f"Bearer {token}")]

    def get(self, key: bytes) -> remote_pb2.GetReply:
        request = remote_pb2.GetRequest(namespace="n", key=key, assign=True)

        def ask() -> remote_pb2.GetReply | None:
            # A busy machine may have to be asked again.
            reply = self.stub.Get(request, timeout=DEADLINE_S * 10, metadata=self.metadata)
            return None if reply.WhichOneof("entry_status") == "loading" else reply

        return poll(ask, "an answer to Get")

    def set(self, id: int, value: bytes) -> None:
        request = remote_pb2.SetRequest(id=id, value=value)
        self.stub.Set(request, timeout=DEADLINE_S * 10, metadata=self.metadata)


@flow
def a_caller_at_its_limits_is_told_so_and_others_are_served(case):
    with tempfile.TemporaryDirectory() as folder:
        rules = Path(folder) / "access.toml"
        hashes = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("greedy", "fair")}
        rules.write_text(RULES.format(**hashes))
        with Server(case.server.command, case.server.folder, [f"--access={rules}"]) as server:
            address = server.addresses["RemoteCache"]
            greedy, fair = Caller(address, "greedy"), Caller(address, "fair")
            with greedy.channel, fair.channel:
                first = greedy.get(b"a").assign.id
                second = greedy.get(b"b").assign.id
                equal(greedy.get(b"c").WhichOneof("entry_status"), "unassigned", "a third one")
                # A minute and a half's worth at once: those after it pay for it.
                greedy.set(first, bytes(6 * 1024 * 1024))
                equal(greedy.get(b"c").WhichOneof("entry_status"), "assign", "one was published")
                try:
                    greedy.set(second, bytes(10_000))
                    raise AssertionError("it was not refused")
                except grpc.RpcError as error:
                    equal(error.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
                    details = dict(error.trailing_metadata())["grpc-status-details-bin"]
                    equal(b"type.googleapis.com/google.rpc.RetryInfo" in details, True, "RetryInfo")
                    equal("may send 65536 bytes a second" in error.details(), True, "the limit")
                for key in (b"d", b"e", b"f"):
                    fair.set(fair.get(key).assign.id, bytes(10_000))
