"""What is refused, with its exact status and message, and what is not."""

import os

import grpc

from cache import read, wait_ready, write
from flow import equal, flow, kind, refused, void_assignment

# A random id of the server meets one of these once in 2**60 runs.
STRANGE_IDS = [0, 1, 4242, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1]


def no_regular_file():
    return refused(grpc.StatusCode.FAILED_PRECONDITION)


@flow
def unknown_ids_are_refused(case):
    for id in STRANGE_IDS:
        for service in case.services:
            with void_assignment():
                service.heartbeat(id)
            with void_assignment():
                service.publish_again(id)
        with refused(grpc.StatusCode.INVALID_ARGUMENT, "invalid handle id"):
            case.local.drop(id)


@flow
def ids_are_random_and_differ(case):
    ids = {case.remote.get(case.namespace, str(i).encode()).id for i in range(500)}
    equal(len(ids), 500, "different ids")
    # Of 500 random 63-bit numbers these many are above the halves, but once in 2**100 runs.
    equal(sum(id > 2**60 for id in ids) > 300, True, "large ids")
    equal(max(ids) < 2**63, True, "63 bits")


@flow
def publishing_again_changes_nothing(case):
    for service in case.services:
        key = service.name.encode()
        assigned = service.get(case.namespace, key)
        service.publish(assigned, b"first")
        equal(read(service, case.namespace, key), b"first")
        service.publish_again(assigned.id)
        service.publish_again(assigned.id)
        equal(read(service, case.namespace, key), b"first", "after a repetition")


@flow
def a_heartbeat_for_a_published_id_is_fine(case):
    for service in case.services:
        key = service.name.encode()
        assigned = service.get(case.namespace, key)
        service.publish(assigned, b"value")
        wait_ready(service, case.namespace, key)
        service.heartbeat(assigned.id)


@flow
def a_void_id_does_not_publish_for_its_key(case):
    with void_assignment():
        case.remote.set(4242, b"value")
    kind(case.remote.get(case.namespace, b"key", assign=False), "unassigned")


@flow
def done_without_a_file_leaves_the_assignment(case):
    assigned = case.local.get(case.namespace, b"key")
    with no_regular_file():
        case.local.done(assigned.id)
    kind(case.remote.get(case.namespace, b"key"), "loading")
    case.local.publish(assigned, b"at last")
    equal(read(case.remote, case.namespace, b"key"), b"at last")


@flow
def done_with_something_else_than_a_file_is_refused(case):
    makers = {
        "folder": os.mkdir,
        "symlink": lambda path: os.symlink("/etc/passwd", path),
        "fifo": os.mkfifo,
    }
    for name, make in makers.items():
        assigned = case.local.get(case.namespace, name.encode())
        os.makedirs(os.path.dirname(assigned.path), exist_ok=True)
        make(assigned.path)
        with no_regular_file():
            case.local.done(assigned.id)
        case.local.heartbeat(assigned.id)
        clear(assigned.path)
        case.local.publish(assigned, b"a file")
        equal(read(case.remote, case.namespace, name.encode()), b"a file", name)


@flow
def a_file_that_others_can_write_is_copied(case):
    """What a second link or an open descriptor writes later is not seen."""
    assigned = case.local.get(case.namespace, b"key")
    write(assigned.path, b"as published")
    link = f"{case.server.root}-link"
    os.link(assigned.path, link)
    try:
        case.local.done(assigned.id)
        wait_ready(case.local, case.namespace, b"key")
        with open(link, "r+b") as file:
            file.write(b"AFTERWARDS")
    finally:
        os.unlink(link)
    equal(read(case.local, case.namespace, b"key"), b"as published", "local")
    equal(read(case.remote, case.namespace, b"key"), b"as published", "remote")


def clear(path: str) -> None:
    """Removes what lies there, if the server has not taken it."""
    if os.path.isdir(path) and not os.path.islink(path):
        os.rmdir(path)
    elif os.path.lexists(path):
        os.unlink(path)
