"""The Python client, when processes and servers are killed, stopped and away."""

import functools
import signal
import threading
import time

from client_case import Program, client, never, raises, warnings
from flow import equal, flow, flow_alone, kind, poll
from server import GRACE_MS, HEARTBEAT_INTERVAL_MS, LEASE_MS

import larder

# One that waits for ever after a failure does not keep the others waiting.
Thread = functools.partial(threading.Thread, daemon=True)
# Not within the flow: what a function closes over is part of its key.
CALLS: list[object] = []


@flow
def client_of_two_processes_computes_once(case):
    with Program(case, "k") as first, Program(case, "k") as second:
        first.says("asking")
        second.says("asking")
        # Whoever came first.
        lines = {first: "", second: ""}
        computing = threading.Event()

        def listen(program: Program) -> None:
            lines[program] = program.process.stdout.readline().rstrip("\n")
            computing.set()

        threads = [Thread(target=listen, args=[each]) for each in lines]
        for thread in threads:
            thread.start()
        computing.wait()
        holder = first if lines[first] else second
        equal(lines[holder], "computing")
        holder.told("42")
        for thread in threads:
            thread.join()
        waiter = second if holder is first else first
        equal(lines[waiter], "value 42")
        holder.says("value 42")
        holder.ends()
        waiter.ends()


@flow
def client_takes_over_from_a_killed_one(case):
    with Program(case, "k") as first:
        first.says("asking")
        first.says("computing")
        with Program(case, "k") as second:
            second.says("asking")
            first.process.kill()
            second.says("computing")
            second.told("from the second")
            second.says("value from the second")


@flow
def client_that_was_stopped_too_long_says_that_it_lost_the_work(case):
    """The same happens where an extension holds the GIL for longer than the lease."""
    with Program(case, "k") as first:
        first.says("asking")
        first.says("computing")
        first.process.send_signal(signal.SIGSTOP)
        with Program(case, "k") as second:
            second.says("asking")
            second.says("computing")
            second.told("of the second")
            second.says("value of the second")
        first.process.send_signal(signal.SIGCONT)
        first.told("of the first")
        line = first.process.stdout.readline()
        if "the work went to somebody else" not in line:
            raise AssertionError(line)
        first.says("value of the first")
    with client(case) as cache:
        key = {"function": "client_program.slow", "version": "1", "arguments": {"key": "k"}}
        equal(cache.get(case.namespace, key)["told"], "of the second")


@flow
def client_holds_work_for_longer_than_its_lease(case):
    with client(case) as cache, client(case) as other:
        ended = threading.Event()
        holder = Thread(target=cache.generate, args=[case.namespace, b"k", lambda: ended.wait()])
        holder.start()
        poll(lambda: case.remote.get(case.namespace, b"k", assign=False).kind == "loading", "the work")
        end = time.monotonic() + 3 * LEASE_MS / 1000
        while time.monotonic() < end:
            kind(case.remote.get(case.namespace, b"k"), "loading")
            ended.wait(HEARTBEAT_INTERVAL_MS / 1000)
        ended.set()
        equal(other.generate(case.namespace, b"k", never), True)
        holder.join()


@flow
def client_without_a_server_computes_and_warns_once(case):
    CALLS.clear()
    with larder.Cache("127.0.0.1:1", patience=0.1) as cache, warnings() as said:

        @larder.cached(case.namespace, cache=cache)
        def double(x):
            CALLS.append(x)
            return 2 * x

        equal([double(2) for _ in range(50)], [4] * 50)
        equal(cache.get(case.namespace, "k", "absent"), "absent")
        equal(cache.set(case.namespace, "k", 1), False)
        with raises(larder.CacheError, "127.0.0.1:1"):
            cache.delete(case.namespace, "k")
    equal(len(CALLS), 50, "computations")
    equal(len(said), 1, f"warnings {said}")


@flow_alone
def client_publishes_to_a_server_that_came_back(server):
    address = server.addresses["RemoteCache"]

    def restart_in_the_middle():
        server.kill()
        server.start()
        return "computed across a restart"

    with larder.Cache(address) as cache, larder.Cache(address) as other, warnings() as said:
        equal(cache.generate("a.b", b"k", restart_in_the_middle), "computed across a restart")
        equal(other.generate("a.b", b"k", never), "computed across a restart")

        # Away when the value is ready, and back within the patience.
        back = Thread(target=server.start)

        def kill():
            server.kill()
            back.start()
            return "published late"

        equal(cache.generate("a.b", b"late", kill), "published late")
        back.join()
        equal(other.generate("a.b", b"late", never), "published late")

        # Whoever waits goes on waiting, and heartbeats go on beyond the grace of a restart.
        computing, restarted = threading.Event(), threading.Event()

        def slow():
            computing.set()
            restarted.wait()
            return "waited for"

        holder = Thread(target=cache.generate, args=["a.b", b"wait", slow])
        holder.start()
        computing.wait()
        values = []
        waiter = Thread(target=lambda: values.append(other.generate("a.b", b"wait", never)))
        waiter.start()
        server.kill()
        server.start()
        restarted.wait((GRACE_MS + LEASE_MS) / 1000)
        restarted.set()
        holder.join()
        waiter.join()
        equal(values, ["waited for"])
    equal(said, [], "warnings")
