"""The Python client: what it finds, computes, keeps and raises."""

import os

from cache import Remote
from client_case import client, never, raises, warnings
from flow import equal, flow, kind, short

import larder

MIB = 1024 * 1024
# Not within the flows: what a function closes over is part of its key.
CALLS: list[object] = []


@flow
def client_computes_once_for_equal_arguments(case):
    """In whatever order a dict has been filled, and however arguments are given."""
    CALLS.clear()
    with client(case) as cache:

        @larder.cached(case.namespace, cache=cache)
        def simulate(model, stages=3, *corners, **options):
            CALLS.append(stages)
            return {"mhz": 6_300 / stages, "model": model}

        first = simulate("ring", 7, limits={"low": 1, "high": 2}, seed=None)
        equal(first, {"mhz": 900.0, "model": "ring"})
        equal(simulate(stages=7, model="ring", seed=None, limits={"high": 2, "low": 1}), first)
        equal(len(CALLS), 1, "computations")
        simulate("ring", 7.0, limits={"low": 1, "high": 2}, seed=None)
        simulate("ring", 7, (1, 2))
        simulate("ring", 7, [1, 2])
        equal(len(CALLS), 4, "computations of what differs")


@flow
def client_plain_calls(case):
    with client(case) as cache:
        equal(cache.get(case.namespace, "é 🦊 \u2028", "absent"), "absent")
        equal(cache.set(case.namespace, "é 🦊 \u2028", {"ü": ["🦊", None, True, 2**70, 1e300]}), True)
        equal(cache.set(case.namespace, "é 🦊 \u2028", 2), False, "setting what is there")
        value = cache.generate(case.namespace, "é 🦊 \u2028", never)
        equal(value, {"ü": ["🦊", None, True, 2**70, 1e300]})
        equal(cache.delete(case.namespace, "é 🦊 \u2028"), True)
        equal(cache.delete(case.namespace, "é 🦊 \u2028"), False)
        equal(cache.get(case.namespace, "é 🦊 \u2028"), None)
        with raises(ValueError, "no namespace"):
            cache.get("two words", 1)


@flow
def client_values_of_any_size(case):
    with client(case) as cache:
        for size in (0, 1, larder.CHUNK_BYTES, 20 * MIB):
            value = os.urandom(size)
            key = b"size %d" % size
            equal(cache.generate(case.namespace, key, lambda: value, codec=larder.BYTES), value)
            equal(cache.generate(case.namespace, key, never, codec=larder.BYTES), value)


@flow
def client_gives_work_back_when_the_function_raises(case):
    def fail():
        raise KeyError("no such corner")

    with client(case) as cache:
        with raises(KeyError, "no such corner"):
            cache.generate(case.namespace, b"k", fail)
        # At once, though its lease would go on.
        kind(case.remote.get(case.namespace, b"k"), "assign")


@flow
def client_keeps_no_value_that_would_change(case):
    """It is returned all the same: it may have taken hours."""
    changed = [(1, 2), {1: "a"}, {"a": [float("nan")]}, "\ud800", [object()], 10**5000]
    with client(case) as cache, warnings() as said:
        for value in changed:
            if cache.generate(case.namespace, b"k", lambda: value) is not value:
                raise AssertionError(f"{short(value)} did not come back")
            with raises(TypeError, "not JSON"):
                cache.set(case.namespace, b"k", value)
        equal(cache.get(case.namespace, b"k", "absent"), "absent")
        equal(len(said), 1, "warnings")
        if "$ is of type tuple" not in said[0]:
            raise AssertionError(said[0])


@flow
def client_pickles_only_when_told(case):
    CALLS.clear()
    with client(case) as cache:

        @larder.cached(case.namespace, codec=larder.PICKLE, version=1, cache=cache)
        def corners(names):
            CALLS.append(names)
            return {(name, 1): {name} for name in names}

        for _ in range(2):
            equal(corners(("slow", "fast")), {("slow", 1): {"slow"}, ("fast", 1): {"fast"}})
        equal(len(CALLS), 1, "computations")
        key = larder.key_of(corners, ("slow", "fast"))
        with raises(larder.CacheError, "the codec json cannot read it"):
            cache.get(case.namespace, key)
        # Bytes of others are not unpickled.
        cache.set(case.namespace, b"theirs", b"cos\nsystem\n(S'exit 1'\ntR.", codec=larder.BYTES)
        with raises(larder.CacheError, "no pickle of larder's"):
            cache.get(case.namespace, b"theirs", codec=larder.PICKLE)


@flow
def client_replaces_what_it_cannot_read(case):
    with client(case) as cache, warnings() as said:
        cache.set(case.namespace, b"k", b"{", codec=larder.BYTES)
        equal(cache.generate(case.namespace, b"k", lambda: [1]), [1])
        equal(cache.generate(case.namespace, b"k", never), [1])
        equal(len(said), 1, "warnings")


@flow
def client_reads_what_older_clients_keep(case):
    remote: Remote = case.remote
    remote.publish(kind(remote.get(case.namespace, b"k"), "assign"), b'{"a": 1}')
    with client(case) as cache:
        equal(cache.generate(case.namespace, b"k", never), {"a": 1})
