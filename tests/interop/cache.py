"""Clients of both services, with one shape: get, heartbeat, publish, read."""

import os
from dataclasses import dataclass
from typing import Any

import grpc
import local_pb2
import local_pb2_grpc
import remote_pb2
import remote_pb2_grpc

from flow import poll

# The common client gives every call one second.
DEADLINE_S = 1.0
MAX_MESSAGE_BYTES = 128 * 1024 * 1024
OPTIONS = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # Channels to one address would share a connection otherwise.
    ("grpc.use_local_subchannel_pool", 1),
    # No proxy stands between a test and its server.
    ("grpc.enable_http_proxy", 0),
]


def connect(address: str) -> grpc.Channel:
    return grpc.insecure_channel(address, options=OPTIONS)


@dataclass(frozen=True)
class Reply:
    """What a Get answered; `kind` is the case of its oneof."""

    kind: str
    id: int = 0
    path: str = ""
    value: bytes = b""
    heartbeat_interval_ms: int = 0


class Remote:
    """RemoteCache: values travel in the messages."""

    name = "remote"

    def __init__(self, channel: grpc.Channel) -> None:
        self.stub = remote_pb2_grpc.RemoteCacheStub(channel)

    def get(self, namespace: str, key: bytes, assign: bool = True) -> Reply:
        request = remote_pb2.GetRequest(namespace=namespace, key=key, assign=assign)
        reply = self.stub.Get(request, timeout=DEADLINE_S)
        case = reply.WhichOneof("entry_status")
        if case == "assign":
            return Reply(case, reply.assign.id, "", b"", reply.assign.heartbeat_interval_ms)
        return Reply(case, value=reply.ready)

    def heartbeat(self, id: int) -> None:
        self.stub.Heartbeat(remote_pb2.HeartbeatRequest(id=id), timeout=DEADLINE_S)

    def set(self, id: int, value: bytes) -> None:
        self.stub.Set(remote_pb2.SetRequest(id=id, value=value), timeout=DEADLINE_S)

    def publish(self, assigned: Reply, value: bytes) -> None:
        self.set(assigned.id, value)

    def publish_again(self, id: int) -> None:
        self.set(id, b"another value")

    def value_of(self, ready: Reply) -> bytes:
        return ready.value


class Local:
    """LocalCache: values are files, and readers hold handles."""

    name = "local"

    def __init__(self, channel: grpc.Channel) -> None:
        self.stub = local_pb2_grpc.LocalCacheStub(channel)

    def get(self, namespace: str, key: bytes, assign: bool = True) -> Reply:
        request = local_pb2.GetRequest(namespace=namespace, key=key, assign=assign)
        reply = self.stub.Get(request, timeout=DEADLINE_S)
        case = reply.WhichOneof("entry_status")
        if case == "assign":
            assigned = reply.assign
            return Reply(case, assigned.id, assigned.path, b"", assigned.heartbeat_interval_ms)
        if case == "ready":
            return Reply(case, reply.ready.id, reply.ready.path)
        return Reply(case)

    def heartbeat(self, id: int) -> None:
        self.stub.Heartbeat(local_pb2.HeartbeatRequest(id=id), timeout=DEADLINE_S)

    def done(self, id: int) -> None:
        self.stub.Done(local_pb2.DoneRequest(id=id), timeout=DEADLINE_S)

    def drop(self, id: int) -> None:
        self.stub.Drop(local_pb2.DropRequest(id=id), timeout=DEADLINE_S)

    def publish(self, assigned: Reply, value: bytes) -> None:
        write(assigned.path, value)
        self.done(assigned.id)

    def publish_again(self, id: int) -> None:
        self.done(id)

    def value_of(self, ready: Reply) -> bytes:
        """Reads the file and drops the handle."""
        with open(ready.path, "rb") as file:
            value = file.read()
        self.drop(ready.id)
        return value


Service = Any  # Remote or Local.


def write(path: str, value: bytes) -> None:
    """Writes as the common client does: parent folder first."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(value)


def wait_ready(service: Service, namespace: str, key: bytes) -> Reply:
    """A reply may come before publishing ends: asks until it has."""

    def ask() -> Reply | None:
        reply = service.get(namespace, key, assign=False)
        return reply if reply.kind == "ready" else None

    return poll(ask, f"{service.name}: {namespace} being ready")


def read(service: Service, namespace: str, key: bytes) -> bytes:
    return service.value_of(wait_ready(service, namespace, key))


def take_over(service: Service, namespace: str, key: bytes) -> Reply:
    """Asks until the entry's holder has lost it."""

    def ask() -> Reply | None:
        reply = service.get(namespace, key)
        return reply if reply.kind == "assign" else None

    return poll(ask, f"{service.name}: an assignment of {namespace} after its lease")


def wait_removed(service: Service, namespace: str, key: bytes) -> None:
    """Asks, not wanting the work, until the entry has gone."""

    def ask() -> bool:
        return service.get(namespace, key, assign=False).kind == "unassigned"

    poll(ask, f"{service.name}: removal of {namespace} after its lease")
