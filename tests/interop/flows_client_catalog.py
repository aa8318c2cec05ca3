"""The Python client: looking at what is kept, replacing it, and taking it away."""

import datetime
import time
from concurrent.futures import ThreadPoolExecutor

from client_case import client, never, raises
from flow import equal, flow, kind

import larder

# Not within the flow: what a function closes over is part of its key.
CALLS: list[int] = []


@flow
def client_looks_at_what_is_kept(case):
    with client(case) as cache:
        equal(cache.stat(case.namespace, b"k"), None)
        equal(list(cache.list(case.namespace)), [])
        began = time.time()
        cache.set(case.namespace, b"k", [1, 2, 3])
        entry = cache.stat(case.namespace, b"k")
        equal((entry.namespace, entry.key, entry.status, entry.size), (case.namespace, b"k", "ready", 7))
        equal(entry.expires, None)
        # The server's clock is ours here; it was published a moment ago.
        if not began - 1 < entry.created <= entry.accessed < time.time() + 1:
            raise AssertionError(f"{entry} began at {began}")
        kind(case.remote.get(case.namespace, b"work"), "assign")
        equal([(each.key, each.status) for each in cache.list(case.namespace)], [(b"k", "ready"), (b"work", "loading")])
        with raises(ValueError, "no namespace"):
            cache.list("two words")


@flow
def client_lists_and_removes_many_pages(case):
    with client(case) as cache:
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda at: cache.set(case.namespace, b"run %03d" % at, at), range(520)))
        cache.set(case.namespace, b"other", "stays")
        equal(len(list(cache.list(case.namespace))), 521)
        gone = cache.invalidate(case.namespace, prefix=b"run ", dry_run=True)
        equal((gone.entries, gone.in_use), (520, 0))
        equal(cache.invalidate(case.namespace, older_than=3600, prefix=b"run ").entries, 0)
        equal(cache.invalidate(case.namespace, unread_for=datetime.timedelta(hours=1)).entries, 0)
        equal(cache.invalidate(case.namespace, prefix=b"run "), gone)
        equal([each.key for each in cache.list(case.namespace)], [b"other"])
        kind(case.remote.get(case.namespace, b"work"), "assign")
        equal(cache.invalidate(case.namespace), larder.Removed(entries=1, bytes=7, in_use=1))
        with raises(TypeError, "keys that are JSON are hashed"):
            cache.invalidate(case.namespace, prefix="run ")


@flow
def client_replaces_a_value(case):
    with client(case) as cache:
        equal(cache.set(case.namespace, b"k", 1, overwrite=True), True, "where there is none")
        equal(cache.set(case.namespace, b"k", 2), False)
        equal(cache.set(case.namespace, b"k", 2, overwrite=True), True)
        equal(cache.generate(case.namespace, b"k", never), 2)


@flow
def client_values_have_a_time_to_live(case):
    CALLS.clear()
    with client(case) as cache:

        @larder.cached(case.namespace, version=1, ttl=datetime.timedelta(days=30), cache=cache)
        def monthly(month):
            CALLS.append(month)
            return month

        equal([monthly(3), monthly(3)], [3, 3])
        equal(CALLS, [3])
        entry = cache.stat(case.namespace, larder.key_of(monthly, 3))
        equal(round(entry.expires - entry.created), 30 * 24 * 60 * 60)

        cache.set(case.namespace, b"soon", 1, ttl=0.001)
        cache.generate(case.namespace, b"soon too", lambda: 1, ttl=0.001)
        # It is over by now, or a moment later.
        until = time.monotonic() + 20
        while cache.get(case.namespace, b"soon") is not None or cache.get(case.namespace, b"soon too") is not None:
            if time.monotonic() > until:
                raise AssertionError("it is kept for longer than its time to live")
        for wrong in (0, -1, float("nan"), 1e12):
            with raises(ValueError, "at most ten years"):
                cache.set(case.namespace, b"k", 1, ttl=wrong)
        with raises(TypeError, "ttl: seconds, or a timedelta, not str"):
            larder.cached(case.namespace, ttl="12h")
