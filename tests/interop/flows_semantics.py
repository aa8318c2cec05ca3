"""Every row of the semantics table, on both services and across them."""

import os
import threading
import time

from cache import read, take_over, wait_ready, wait_removed
from flow import equal, flow, kind, poll, void_assignment
from server import HEARTBEAT_INTERVAL_MS, LEASE_MS


def outlive_lease() -> None:
    """There is nothing to ask meanwhile: asking would take the entry over."""
    time.sleep(LEASE_MS / 1000 * 1.5)


@flow
def an_absent_entry_is_unassigned_until_somebody_wants_it(case):
    for service in case.services:
        key = service.name.encode()
        kind(service.get(case.namespace, key, assign=False), "unassigned")
        assigned = kind(service.get(case.namespace, key), "assign")
        equal(assigned.heartbeat_interval_ms, HEARTBEAT_INTERVAL_MS, "interval")
        equal(0 < assigned.id < 2**63, True, "an id of 63 bits")
        if service is case.local:
            equal(os.path.isabs(assigned.path), True, "an absolute path")


@flow
def an_entry_that_somebody_works_on_is_loading_for_all(case):
    for owner in case.services:
        key = owner.name.encode()
        kind(owner.get(case.namespace, key), "assign")
        for asker in case.services:
            kind(asker.get(case.namespace, key), "loading")
            kind(asker.get(case.namespace, key, assign=False), "loading")


@flow
def a_published_value_is_ready_on_both_services(case):
    for publisher in case.services:
        key, value = publisher.name.encode(), f"by {publisher.name}".encode()
        publisher.publish(kind(publisher.get(case.namespace, key), "assign"), value)
        for reader in case.services:
            equal(read(reader, case.namespace, key), value, "value")
            again = kind(reader.get(case.namespace, key, assign=True), "ready")
            equal(reader.value_of(again), value, "value with assign")


@flow
def each_local_reader_holds_a_handle_of_its_own(case):
    case.remote.publish(case.remote.get(case.namespace, b"key"), b"value")
    first = wait_ready(case.local, case.namespace, b"key")
    second = kind(case.local.get(case.namespace, b"key"), "ready")
    equal(first.path, second.path, "path")
    equal(first.id != second.id, True, "handles differ")
    equal(os.path.isabs(first.path), True, "an absolute path")
    case.local.heartbeat(first.id)
    case.local.drop(first.id)
    equal(case.local.value_of(second), b"value")


@flow
def heartbeats_keep_an_assignment(case):
    for service in case.services:
        key = service.name.encode()
        assigned = service.get(case.namespace, key)
        until = time.monotonic() + 2.5 * LEASE_MS / 1000
        while time.monotonic() < until:
            service.heartbeat(assigned.id)
            kind(service.get(case.namespace, key), "loading")
            time.sleep(HEARTBEAT_INTERVAL_MS / 1000)
        service.publish(assigned, b"value")
        equal(read(service, case.namespace, key), b"value")


@flow
def an_expired_assignment_is_taken_over_and_its_id_is_void(case):
    for owner in case.services:
        for heir in case.services:
            key = f"{owner.name} to {heir.name}".encode()
            old = owner.get(case.namespace, key)
            new = take_over(heir, case.namespace, key)
            equal(new.id != old.id, True, "ids differ")
            with void_assignment():
                owner.heartbeat(old.id)
            with void_assignment():
                owner.publish(old, b"late")
            heir.publish(new, b"taken over")
            with void_assignment():
                owner.publish_again(old.id)
            equal(read(owner, case.namespace, key), b"taken over")


@flow
def an_expired_assignment_that_nobody_wants_is_removed(case):
    for service in case.services:
        key = service.name.encode()
        old = service.get(case.namespace, key)
        wait_removed(service, case.namespace, key)
        with void_assignment():
            service.heartbeat(old.id)
        with void_assignment():
            service.publish(old, b"late")
        kind(service.get(case.namespace, key), "assign")


@flow
def an_expired_assignment_is_its_holders_until_taken_over(case):
    assigned = [
        (service, key, service.get(case.namespace, key))
        for service in case.services
        for key in (f"revived by {service.name}".encode(), f"by {service.name}".encode())
    ]
    outlive_lease()
    for service, key, reply in assigned:
        if key.startswith(b"revived"):
            service.heartbeat(reply.id)
            kind(service.get(case.namespace, key), "loading")
        service.publish(reply, b"late but accepted")
        equal(read(service, case.namespace, key), b"late but accepted")


@flow
def writing_the_staging_file_counts_as_a_heartbeat(case):
    assigned = case.local.get(case.namespace, b"key")
    os.makedirs(os.path.dirname(assigned.path), exist_ok=True)
    until = time.monotonic() + 2.5 * LEASE_MS / 1000
    with open(assigned.path, "wb", buffering=0) as file:
        while time.monotonic() < until:
            file.write(b"more ")
            poll(lambda: case.remote.get(case.namespace, b"key").kind == "loading", "Loading")
            time.sleep(HEARTBEAT_INTERVAL_MS / 1000)
    case.local.done(assigned.id)
    equal(read(case.remote, case.namespace, b"key")[:10], b"more more ")


@flow
def an_entry_that_is_being_published_is_loading(case):
    assigned = case.local.get(case.namespace, b"key")
    os.makedirs(os.path.dirname(assigned.path), exist_ok=True)
    size = 512 * 1024 * 1024
    with open(assigned.path, "wb") as file:
        file.truncate(size)
    done = [threading.Thread(target=case.local.done, args=[assigned.id]) for _ in range(2)]
    for thread in done:
        thread.start()
    seen = set()

    def is_ready():
        reply = case.local.get(case.namespace, b"key")
        seen.add(reply.kind)
        return reply if reply.kind == "ready" else None

    ready = poll(is_ready, "the end of publishing")
    for thread in done:
        thread.join()
    equal(seen <= {"loading", "ready"}, True, f"what was seen, {seen},")
    equal(os.path.getsize(ready.path), size, "size")
    case.local.drop(ready.id)
