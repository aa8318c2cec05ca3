"""Namespaces and keys at their edges."""

import grpc

from cache import read
from flow import equal, flow, kind, refused

VALID = ["a", "_", "a1", "_1.b2.c_3", "Cache.tom", "cache", "a" * 255, "b." * 127 + "b"]
INVALID = [
    *["", ".", "a.", ".a", "a..b", "1a", "a.1", "a-b", "a b", " a", "a/b", "../a", "/a"],
    *["a\n", "\na", "a\0", "ä", "a:b", "a" * 256, "b." * 128 + "b"],
    *["Cache.toml", "cache.sqlite", ".staging", ".private", ".quarantine"],
]
KEYS = [b"", b"\0", b"\0\0", b"\xff\xfe\x00\x80", bytes(range(256)), "ä".encode(), b"k" * 4096]


@flow
def valid_namespaces_hold_values(case):
    for namespace in VALID:
        for service in case.services:
            key = f"{case.namespace} {service.name}".encode()
            service.publish(kind(service.get(namespace, key), "assign"), namespace.encode())
            equal(read(service, namespace, key), namespace.encode(), namespace)


@flow
def invalid_namespaces_are_refused(case):
    for namespace in INVALID:
        for service in case.services:
            for assign in (True, False):
                try:
                    with refused(grpc.StatusCode.INVALID_ARGUMENT, "invalid namespace"):
                        service.get(namespace, b"key", assign=assign)
                except AssertionError as error:
                    raise AssertionError(f"{service.name} {namespace[:20]!r}: {error}") from error


@flow
def keys_are_opaque_bytes(case):
    for key in KEYS:
        assigned = kind(case.remote.get(case.namespace, key), "assign")
        case.remote.publish(assigned, b"value of " + key)
    for key in KEYS:
        for service in case.services:
            equal(read(service, case.namespace, key), b"value of " + key, repr(key[:9]))


@flow
def one_key_in_two_namespaces_is_two_entries(case):
    for part in ("a", "b"):
        namespace = f"{case.namespace}.{part}"
        case.remote.publish(kind(case.remote.get(namespace, b"key"), "assign"), part.encode())
    for part in ("a", "b"):
        equal(read(case.local, f"{case.namespace}.{part}", b"key"), part.encode())
