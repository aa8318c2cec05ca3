"""Many callers at once, and callers that connect for a single call."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from cache import Local, Remote, connect, read
from flow import equal, flow

CALLS = 300
THREADS = 50


def one_shot(address: str, service, call: str, *arguments):
    """Connects, calls once, and closes: the channel says GOAWAY."""
    with connect(address) as channel:
        return getattr(service(channel), call)(*arguments)


@flow
def one_connection_per_call_three_hundred_times(case):
    addresses = case.server.addresses
    services = [(addresses["RemoteCache"], Remote), (addresses["LocalCache"], Local)]
    for number in range(CALLS // 5):
        key = str(number).encode()
        address, owner = services[number % 2]
        assigned = one_shot(address, owner, "get", case.namespace, key)
        equal(assigned.kind, "assign")
        one_shot(address, owner, "heartbeat", assigned.id)
        reply = one_shot(*services[(number + 1) % 2], "get", case.namespace, key)
        equal(reply.kind, "loading")
        one_shot(address, owner, "publish", assigned, key)
        address, reader = services[number // 2 % 2]
        with connect(address) as channel:
            equal(read(reader(channel), case.namespace, key), key)


@flow
def fifty_callers_of_one_key_get_one_assignment(case):
    start = Barrier(THREADS)

    def ask(number: int):
        service = case.services[number % 2]
        with connect(case.server.addresses[["RemoteCache", "LocalCache"][number % 2]]) as channel:
            own = type(service)(channel)
            start.wait()
            return own.get(case.namespace, b"key")

    with ThreadPoolExecutor(THREADS) as pool:
        replies = list(pool.map(ask, range(THREADS)))
    equal(Counter(reply.kind for reply in replies), {"assign": 1, "loading": THREADS - 1})
    number = [reply.kind for reply in replies].index("assign")
    case.services[number % 2].publish(replies[number], b"value")
    with ThreadPoolExecutor(THREADS) as pool:
        values = pool.map(
            lambda i: read(case.services[i % 2], case.namespace, b"key"), range(THREADS)
        )
    equal(Counter(values), {b"value": THREADS})


@flow
def fifty_callers_of_fifty_keys_do_not_mix_them(case):
    def cycle(number: int) -> bool:
        owner, reader = case.services[number % 2], case.services[number // 2 % 2]
        value = str(number).encode() * 1000
        for part in range(4):
            key = f"{number} {part}".encode()
            owner.publish(owner.get(case.namespace, key), value)
            if read(reader, case.namespace, key) != value:
                return False
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        equal(all(pool.map(cycle, range(THREADS))), True, "every caller read its own value")
