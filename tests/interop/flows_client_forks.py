"""The Python client in processes that fork.

gRPC's C core survives a fork only while it is at rest. Where nothing saw to that, one
child in ten crashed after a tenth of a second of waiting, so there are many of them.
"""

import functools
import multiprocessing
import os
import threading
import time
from collections.abc import Callable

from client_case import address_of, client, never, warnings
from flow import equal, flow

import larder

# One that waits for ever after a failure does not keep the others waiting.
Thread = functools.partial(threading.Thread, daemon=True)
FORK = multiprocessing.get_context("fork")
CHILD_S = 30


def run_children(run: Callable[[], None]) -> None:
    children = [FORK.Process(target=run) for _ in range(4)]
    for each in children:
        each.start()
    for each in children:
        each.join(CHILD_S)
        code = each.exitcode
        # One that hangs must not outlive the test.
        each.kill()
        equal(code, 0, "exit code of a child")


@flow
def client_survives_forks(case):
    """Also while threads of the parent wait, and while it holds work."""
    with client(case) as cache, warnings() as said:
        cache.set(case.namespace, "before", 1)
        parent_may_end = threading.Event()
        computing = threading.Event()
        values = []

        def slow():
            computing.set()
            parent_may_end.wait()
            return os.getpid()

        holder = Thread(target=cache.generate, args=[case.namespace, "slow", slow])
        holder.start()
        computing.wait()
        waiters = [
            Thread(target=lambda: values.append(cache.generate(case.namespace, "slow", never))) for _ in range(3)
        ]
        for each in waiters:
            each.start()

        def child() -> None:
            assert cache.get(case.namespace, "before") == 1
            value = cache.generate(case.namespace, "children", lambda: "of one of them")
            assert value == "of one of them"
            # Held by the parent, whose heartbeats go on.
            assert cache.get(case.namespace, "slow", "absent") == "absent"

        for _ in range(25):
            # What gRPC does while it waits has many moments at which to fork.
            time.sleep(0.1)
            run_children(child)
        parent_may_end.set()
        for each in [holder, *waiters]:
            each.join()
        equal(values, [os.getpid()] * len(waiters))
    equal(said, [], "warnings")


@flow
def client_survives_forks_after_it_was_closed(case):
    """As a server does that forks its workers when it has prepared everything."""
    for _ in range(20):
        with client(case) as cache:
            cache.set(case.namespace, "before", 1)

        def child(cache: larder.Cache = cache) -> None:
            assert cache.get(case.namespace, "before") == 1

        run_children(child)


@flow
def client_calls_go_on_while_its_process_forks_all_the_time(case):
    with client(case) as cache, warnings() as said:
        ended = threading.Event()
        codes = []

        def fork() -> None:
            while not ended.is_set():
                pid = os.fork()
                if pid == 0:
                    os._exit(0)
                codes.append(os.waitpid(pid, 0)[1])

        forks = [Thread(target=fork) for _ in range(2)]
        for each in forks:
            each.start()
        # Of several messages, as are their downloads.
        value = bytes(1024 * 1024)
        for at in range(20):
            equal(cache.generate(case.namespace, b"%d" % at, lambda: value, codec=larder.BYTES), value)
            equal(cache.get(case.namespace, b"%d" % at, codec=larder.BYTES) == value, True)
        # Forks end its download, which goes on where it was.
        large = os.urandom(4 * larder.FORK_PIECE_BYTES)
        equal(cache.set(case.namespace, b"large", large, codec=larder.BYTES), True)
        equal(cache.get(case.namespace, b"large", codec=larder.BYTES) == large, True)
        ended.set()
        for each in forks:
            each.join()
        equal(set(codes), {0}, "exit codes of the children")
    equal(said, [], "warnings")


@flow
def client_says_in_a_child_that_the_work_is_the_parents(case):
    """One that is forked within the function, and returns from it as its parent does."""
    with client(case) as cache, warnings() as said:
        pid = 0

        def compute() -> str:
            nonlocal pid
            pid = os.fork()
            return "the parent's" if pid else "the child's"

        value = cache.generate(case.namespace, "k", compute)
        if pid == 0:
            is_told = len(said) == 1 and "was forked" in said[0]
            os._exit(0 if value == "the child's" and is_told else 1)
        equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, "exit code of the child")
        with larder.Cache(address_of(case)) as other:
            equal(other.get(case.namespace, "k"), "the parent's")
    equal(said, [], "warnings")
