"""What a stop, a kill and a new start leave as it was."""

import signal
from itertools import count

from cache import Remote, connect, read, take_over, wait_ready
from flow import equal, flow_alone, kind, poll, void_assignment
from server import STOP_DEADLINE_S

SPACE = "interop.restart"


def restart(server) -> None:
    equal(server.stop(), 0, "exit code")
    server.start()


def services(server):
    return [server.remote, server.local]


@flow_alone
def ready_entries_survive_a_restart(server):
    values = {}
    for service in services(server):
        key = service.name.encode()
        assigned = service.get(SPACE, key)
        values[key] = (assigned.id, b"by " + key)
        service.publish(assigned, b"by " + key)
        equal(read(service, SPACE, key), b"by " + key)
    restart(server)
    for key, (id, value) in values.items():
        for service in services(server):
            equal(read(service, SPACE, key), value, "after the restart")
            service.heartbeat(id)
            service.publish_again(id)
            equal(read(service, SPACE, key), value, "after a repetition")


@flow_alone
def work_in_progress_survives_a_restart_with_its_id(server):
    assigned = {
        service.name: service.get(SPACE, service.name.encode()) for service in services(server)
    }
    restart(server)
    for service in services(server):
        key = service.name.encode()
        kind(service.get(SPACE, key), "loading")
        service.heartbeat(assigned[service.name].id)
        service.publish(assigned[service.name], b"after the restart")
    for service in services(server):
        for key in (b"remote", b"local"):
            equal(read(service, SPACE, key), b"after the restart")


@flow_alone
def work_that_nobody_goes_on_with_is_given_away_after_the_grace(server):
    old = server.remote.get(SPACE, b"key")
    restart(server)
    new = take_over(server.remote, SPACE, b"key")
    with void_assignment():
        server.remote.set(old.id, b"late")
    server.remote.set(new.id, b"taken over")
    equal(read(server.local, SPACE, b"key"), b"taken over")


@flow_alone
def an_id_from_before_a_restart_publishes_under_no_other_key(server):
    old = server.remote.get(SPACE, b"old")
    restart(server)
    fresh = [server.remote.get(SPACE, str(i).encode()) for i in range(20)]
    equal(old.id in {assigned.id for assigned in fresh}, False, "an id is used twice")
    server.remote.set(old.id, b"old")
    equal(read(server.remote, SPACE, b"old"), b"old")
    for i in range(20):
        kind(server.remote.get(SPACE, str(i).encode()), "loading")
    with void_assignment():
        server.remote.set(4242, b"never given out")


@flow_alone
def a_handle_from_before_a_restart_is_dropped(server):
    server.remote.publish(server.remote.get(SPACE, b"key"), b"value")
    handle = wait_ready(server.local, SPACE, b"key")
    restart(server)
    with open(handle.path, "rb") as file:
        equal(file.read(), b"value")
    server.local.drop(handle.id)


@flow_alone
def a_kill_loses_nothing_that_was_acknowledged(server):
    values = {}
    for i in range(50):
        for service in services(server):
            key = f"{service.name} {i}".encode()
            service.publish(service.get(SPACE, key), key * 100)
            values[key] = key * 100
    loading = server.remote.get(SPACE, b"loading")
    server.kill()
    server.start()
    for key, value in values.items():
        for service in services(server):
            equal(read(service, SPACE, key), value, "an acknowledged value")
    server.remote.set(loading.id, b"after the kill")
    equal(read(server.remote, SPACE, b"loading"), b"after the kill")


@flow_alone
def ctrl_c_stops_the_whole_group_cleanly(server):
    server.remote.publish(server.remote.get(SPACE, b"key"), b"value")
    equal(server.stop(signal.SIGINT, group=True), 0, "exit code")
    server.start()
    equal(read(server.remote, SPACE, b"key"), b"value")


@flow_alone
def a_draining_server_lets_running_work_finish(server):
    assigned = server.remote.get(SPACE, b"key")
    server.process.send_signal(signal.SIGTERM)

    def is_draining():
        server.remote.heartbeat(assigned.id)
        return server.remote.get(SPACE, str(next(keys)).encode()).kind == "unassigned"

    keys = count()
    poll(is_draining, "the drain")
    # Most clients connect for each call: the server must still take them.
    with connect(server.addresses["RemoteCache"]) as channel:
        Remote(channel).set(assigned.id, b"in time")
    equal(server.process.wait(STOP_DEADLINE_S), 0, "exit code")
    server.start()
    equal(read(server.remote, SPACE, b"key"), b"in time")
