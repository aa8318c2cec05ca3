"""Values of all sizes, each call within the common client's second."""

import os
import random

import grpc

from cache import read, wait_ready
from flow import equal, flow, kind, refused
from server import MESSAGE_LIMIT

MIB = 1024 * 1024


def check_size(case, size: int) -> None:
    value = random.Random(size).randbytes(size)
    for publisher in case.services:
        key = publisher.name.encode()
        publisher.publish(kind(publisher.get(case.namespace, key), "assign"), value)
        for reader in case.services:
            got = read(reader, case.namespace, key)
            equal(len(got), size, "size")
            # Not `equal`: it would print megabytes.
            equal(got == value, True, f"bytes from {publisher.name} to {reader.name} are equal")


@flow
def an_empty_value_is_a_value(case):
    check_size(case, 0)


@flow
def a_value_of_1_mib_goes_both_ways(case):
    check_size(case, MIB)


@flow
def a_value_of_16_mib_goes_both_ways(case):
    check_size(case, 16 * MIB)


@flow
def a_message_over_the_limit_is_refused_and_the_connection_lives_on(case):
    assigned = case.remote.get(case.namespace, b"key")
    with refused(grpc.StatusCode.RESOURCE_EXHAUSTED):
        case.remote.set(assigned.id, bytes(MESSAGE_LIMIT + 1))
    case.remote.heartbeat(assigned.id)
    case.remote.set(assigned.id, b"smaller")
    equal(read(case.remote, case.namespace, b"key"), b"smaller")


@flow
def a_file_over_the_message_limit_is_read_locally_only(case):
    assigned = case.local.get(case.namespace, b"key")
    os.makedirs(os.path.dirname(assigned.path), exist_ok=True)
    with open(assigned.path, "wb") as file:
        file.truncate(MESSAGE_LIMIT + 1)
    case.local.done(assigned.id)
    ready = wait_ready(case.local, case.namespace, b"key")
    equal(os.path.getsize(ready.path), MESSAGE_LIMIT + 1, "size")
    case.local.drop(ready.id)
    kind(case.remote.get(case.namespace, b"key"), "unassigned")
    kind(case.remote.get(case.namespace, b"key", assign=False), "unassigned")
