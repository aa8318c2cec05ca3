"""Larder for Python: a function that runs once, on whichever machine asks first.

    import larder

    @larder.cached("sim.ring_osc")
    def simulate(stages):
        return {"mhz": 6300 / stages}

    simulate(7)  # computed
    simulate(7)  # from the cache, here and on every other machine

The server is ``LARDER_REMOTE`` (``host:port`` or ``unix:PATH``), or 127.0.0.1:28056. Where no
server answers the function runs all the same, and one warning says so.
docs/PYTHON.md says how keys are made, and what happens when.

It needs grpcio and nothing else: the messages of larder.v1 are described below,
so there is no code to generate, and no version of protobuf to agree on.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import hashlib
import inspect
import json
import logging
import math
import os
import pickle
import random
import re
import socket
import ssl
import sys
import textwrap
import threading
import time
import weakref
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Set, Tuple, TypeVar
from typing import Union, cast

# Else the C core reports each connection that ends, and each fork, on the
# console. It can be told in no other way, and only before it is loaded.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")

import grpc  # noqa: E402

__all__ = [
    "BYTES",
    "Cache",
    "CacheError",
    "Codec",
    "Entry",
    "JSON",
    "PICKLE",
    "Removed",
    "StoredError",
    "cached",
    "default_cache",
    "key_of",
]
__version__ = "0.1.0"

DEFAULT_REMOTE = "127.0.0.1:28056"
# How long to go on without hearing from the server: one that restarts is back by then.
DEFAULT_PATIENCE_S = 10.0
# A server that has never answered may well not be there at all.
FIRST_CONTACT_S = 2.0
# A server that stays away is asked this often, by one call; the others go on without it.
PROBE_S = 5.0
# So long it is looked for what is wrong with TLS, once an outage.
TLS_LOOK_S = 1.0
# Pauses between attempts: the longest first one, the longest of all.
FIRST_RETRY_S, MAX_RETRY_S = 0.05, 2.0
# Of the interval: a heartbeat that comes early leaves the rest to a network that comes back late.
BEAT_SHARE = 3 / 4
# Of the interval: an answer that is not there by then may never come.
BEAT_TIMEOUT_SHARE = 1 / 2
# How often a heartbeat is tried that was not answered.
BEAT_RETRY_S = 0.25
# Giving work back keeps an exception waiting for no longer than this.
ABANDON_S = 1.0
# What one message of a publish carries, as in the server's replies.
CHUNK_BYTES = 256 * 1024
# Up to so large a value is published in one message, as from Node: a stream of them
# makes a miss half as long again.
WHOLE_BYTES = 64 * 1024
# The server's limits.
MAX_KEY_BYTES = 64 * 1024
MAX_NAMESPACE_BYTES = 255
# What is nested deeper is refused, as by the library for TypeScript.
MAX_DEPTH = 500
# Up to here every whole number is one that JavaScript knows, too.
MAX_EXACT_INT = 2**53 - 1
# A time to live is no longer than this.
MAX_TTL_S = 10 * 365 * 24 * 60 * 60
# Values that cannot be read are taken away and computed anew, but not for ever.
MAX_TRIES = 8
# A connection on which something is waited for is asked this often whether it lives.
KEEPALIVE_MS = 3_000
# A fork waits no longer than this for calls that are under way: a server may hang.
FORK_WAIT_S = 5.0
# Nor does it take longer to end a call, which takes no answer.
END_S = 1.0
# What a download gets before a fork may end it, so that it comes on between many of them.
FORK_PIECE_BYTES = 4 * 1024 * 1024

_log = logging.getLogger("larder")

# Seconds, or what says how many.
_Duration = Union[int, float, datetime.timedelta]

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class CacheError(Exception):
    """Something is wrong with the cache, not with what is computed.

    ``code`` is stable: ``unavailable``, ``invalid``, ``lost``, ``full``,
    ``unreadable`` or ``failed``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class StoredError(Exception):
    """An error that a program in TypeScript has kept like a value (``cacheErrors``)."""

    def __init__(self, original_name: str, message: str) -> None:
        super().__init__(message)
        self.original_name = original_name


class Entry(NamedTuple):
    """What the server knows of an entry. Times are seconds since 1970 by its clock, durations seconds."""

    namespace: str
    # As the server has it: of a key that is JSON it is the hash.
    key: bytes
    # ready, loading (it is computed), expired (its work was left), or evicting.
    status: str
    # In bytes; 0 while it is not known, as the times are.
    size: int
    sha256: bytes
    created: float
    accessed: float
    # When its time to live is over; None: it has none.
    expires: Optional[float]
    # What computing it took.
    computed: float


class Removed(NamedTuple):
    """What ``invalidate`` has removed, and how much stays as it is being read or computed."""

    entries: int
    bytes: int
    in_use: int


# --- Values -----------------------------------------------------------------


class Codec(NamedTuple):
    """How values become bytes: ``encode`` raises TypeError for what it would not give back."""

    name: str
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]


def _class_name(value: Any) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _check_json(value: Any, place: str = "$", depth: int = 0) -> None:
    """Raises TypeError for what JSON would drop or change: a tuple comes back as a list."""
    if depth > MAX_DEPTH:
        raise TypeError(f"{place[:40]}… is nested deeper than {MAX_DEPTH}")
    kind = type(value)
    if kind is dict:
        for name, member in value.items():
            if type(name) is not str:
                raise TypeError(f"{place} has the key {name!r}, and JSON has no keys but str")
            _check_json(member, f"{place}.{name}", depth + 1)
    elif kind is list:
        for at, member in enumerate(value):
            _check_json(member, f"{place}[{at}]", depth + 1)
    elif kind is float:
        if value != value or value in (float("inf"), float("-inf")):
            raise TypeError(f"{place} is {value}, which JSON cannot say")
    elif value is not None and kind not in (str, int, bool):
        raise TypeError(f"{place} is of type {_class_name(value)}, which JSON would not give back")


def _to_json(value: Any) -> bytes:
    try:
        _check_json(value)
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except TypeError as error:
        raise TypeError(
            f"not JSON: {error}. Return plain dicts, lists, str, int, float, bool and None, or choose another codec"
        ) from None
    except (ValueError, RecursionError) as error:
        # Half a surrogate pair, or an int of thousands of digits.
        raise TypeError(f"not JSON: {error}") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _from_json(data: bytes) -> Any:
    return json.loads(data.decode("utf-8"), parse_constant=_no_constant)


# So that nothing is unpickled that was not pickled: what it says is code.
_PICKLE_HEAD = b"larder pickle\n"


def _to_pickle(value: Any) -> bytes:
    try:
        return _PICKLE_HEAD + pickle.dumps(value, protocol=4)
    except Exception as error:  # pickle raises PicklingError, AttributeError, TypeError…
        raise TypeError(f"cannot be pickled: {error}") from error


def _from_pickle(data: bytes) -> Any:
    if not data.startswith(_PICKLE_HEAD):
        raise ValueError("this is no pickle of larder's")
    return pickle.loads(memoryview(data)[len(_PICKLE_HEAD) :])


def _to_bytes(value: Any) -> bytes:
    if type(value) is not bytes:
        raise TypeError(f"{_class_name(value)} is not bytes")
    return cast(bytes, value)


JSON = Codec("json", _to_json, _from_json)
"""The default: what JSON would change (tuples, NaN, numpy's numbers) is refused."""

PICKLE = Codec("pickle", _to_pickle, _from_pickle)
"""Any object. **Unpickling runs code**: whoever can write to the cache can run
programs as everybody who reads it. Only where all of them may do that anyway."""

BYTES = Codec("bytes", _to_bytes, bytes)
"""Bytes as they are."""

# Begins an error that the library for TypeScript has kept.
_STORED_ERROR = bytes.fromhex("006c617264657221 9d3af0175bc482ee 610da97f34d816b2 cb45902ef76813ad")


def _decode(data: bytes, codec: Codec) -> Any:
    if data.startswith(_STORED_ERROR):
        try:
            said = _from_json(data[len(_STORED_ERROR) :])
            error = StoredError(str(said["name"]), str(said["message"]))
        except Exception as cause:
            raise CacheError("unreadable", f"no error that was stored: {cause}") from cause
        raise error
    try:
        return codec.decode(data)
    except Exception as cause:  # Whatever a codec raises, it cannot read this.
        raise CacheError("unreadable", f"the codec {codec.name} cannot read it: {cause}") from cause


# --- Keys -------------------------------------------------------------------


def _key_bytes(key: Any) -> bytes:
    """Bytes as they are; of JSON the SHA-256 of its canonical form (RFC 8785)."""
    if type(key) is not bytes:
        try:
            return hashlib.sha256(_canonical(key).encode()).digest()
        except RecursionError:
            raise TypeError("the key is nested too deep") from None
    if len(key) > MAX_KEY_BYTES:
        raise ValueError(f"a key of {len(key)} bytes is larger than {MAX_KEY_BYTES}; use a hash of it")
    return cast(bytes, key)


def _canonical(value: Any, place: str = "$", depth: int = 0) -> str:
    """JSON in the canonical form of RFC 8785, as docs/CLIENT.md defines keys."""
    kind = type(value)
    if depth > MAX_DEPTH:
        raise TypeError(f"the key is nested deeper than {MAX_DEPTH}")
    if value is None or kind is bool:
        return json.dumps(value)
    if kind is str:
        return _canonical_text(value, place)
    if kind is int:
        if abs(value) > MAX_EXACT_INT:
            raise TypeError(f"the key: {place} is {value}, above 2^53 - 1: not every program knows it; use str()")
        return str(value)
    if kind is float:
        return _canonical_float(value, place)
    if kind in (list, tuple):
        return "[" + ",".join([_canonical(each, f"{place}[{at}]", depth + 1) for at, each in enumerate(value)]) + "]"
    if kind is dict:
        names: List[Tuple[bytes, str]] = []
        for name in value:
            if type(name) is not str:
                raise TypeError(f"the key: {place} has the key {name!r}, and JSON has no keys but str")
            _canonical_text(name, place)
            # By UTF-16 code units, as JavaScript does.
            names.append((name.encode("utf-16-be"), name))
        members = [
            f"{_canonical_text(name, place)}:{_canonical(value[name], f'{place}.{name}', depth + 1)}"
            for _, name in sorted(names)
        ]
        return "{" + ",".join(members) + "}"
    raise TypeError(f"the key: {place} is of type {_class_name(value)}, which is no JSON")


def _canonical_text(text: str, place: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise TypeError(f"the key: {place} has a str with half a surrogate pair") from None
    return json.dumps(text, ensure_ascii=False)


def _canonical_float(value: float, place: str) -> str:
    """As JavaScript writes numbers: ``1e21``, ``1e-7``, ``0.000001``, ``100``."""
    if value != value or value in (float("inf"), float("-inf")):
        raise TypeError(f"the key: {place} is {value}, which JSON cannot say")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    # Where the point stands, counted from the first digit that is not 0.
    point = len(whole) + int(exponent or 0) - (len(digits) - len(digits.lstrip("0")))
    digits = digits.strip("0")
    if 0 < point <= 21:
        text = digits.ljust(point, "0")
        text = text if len(text) == point else f"{text[:point]}.{text[point:]}"
    elif -6 < point <= 0:
        text = f"0.{'0' * -point}{digits}"
    else:
        text = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "") + f"e{point - 1:+d}"
    return sign + text


def _plain_whole(value: Any, place: str) -> Any:
    try:
        return _plain(value, place)
    except RecursionError:
        raise TypeError(f"{place} is nested too deep") from None


def _plain(value: Any, place: str, depth: int = 0) -> Any:
    """An argument as JSON, so that no two that differ are the same.

    What JSON has is as it is. A whole float, a large int, a tuple, bytes, a set and
    a dict with other keys than str become an object with one member, such as
    ``{"$tuple": [1, 2]}``.
    """
    if depth > MAX_DEPTH:
        raise TypeError(f"{place[:40]}… is nested deeper than {MAX_DEPTH}")
    kind = type(value)
    if value is None or kind in (bool, str):
        return value
    if kind is int:
        return value if abs(value) <= MAX_EXACT_INT else {"$int": str(value)}
    if kind is float:
        # f(1) may give an int where f(1.0) gives a float; NaN is no JSON.
        return {"$float": repr(value)} if value.is_integer() or value - value != 0 else value
    if kind is list:
        return [_plain(each, f"{place}[{at}]", depth + 1) for at, each in enumerate(value)]
    if kind is tuple:
        return {"$tuple": [_plain(each, f"{place}[{at}]", depth + 1) for at, each in enumerate(value)]}
    if kind in (bytes, bytearray):
        return {f"${kind.__name__}": bytes(value).hex()}
    if kind in (set, frozenset):
        members = [_plain(each, f"{place}{{…}}", depth + 1) for each in value]
        return {f"${kind.__name__}": sorted(members, key=_canonical)}
    if kind is dict:
        if all(type(name) is str and not name.startswith("$") for name in value):
            return {name: _plain(each, f"{place}[{name!r}]", depth + 1) for name, each in value.items()}
        pairs = [
            [_plain(name, f"{place}: a key", depth + 1), _plain(each, f"{place}[{name!r}]", depth + 1)]
            for name, each in value.items()
        ]
        return {"$dict": sorted(pairs, key=_canonical)}
    raise TypeError(
        f"{place} is of type {_class_name(value)}, of which no key can be made: give plain values, "
        "or say what the result depends on: cached(…, key=lambda …: …)"
    )


class _Function:
    """What names a function in keys, and how its arguments become one."""

    def __init__(
        self, function: Callable[..., Any], version: Union[str, int, None], key: Optional[Callable[..., Any]]
    ) -> None:
        name = getattr(function, "__qualname__", None)
        if not inspect.isfunction(function) or name is None:
            raise TypeError(
                f"cached() is for functions, not for {_class_name(function)}: put it directly above the def"
            )
        if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
            raise TypeError(f"{name} is async or a generator: cached() is for functions that return their value")
        if inspect.isasyncgenfunction(function):
            raise TypeError(f"{name} is an async generator: cached() is for functions that return their value")
        if "<lambda>" in name:
            # Several in one line have the same name and the same source.
            raise TypeError("cached() cannot tell one lambda from another: use def")
        self._function = function
        self._key = key
        self._signature = inspect.signature(function)
        self._named: Dict[str, Any] = {"function": f"{_module_of(function)}.{name}"}
        if version is None:
            # Now, for the file may be changed while the program runs.
            self._named["source"] = _source_hash(function)
        else:
            self._named["version"] = str(version)

    def key(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
        """The key of one call; raises TypeError for arguments that have none."""
        if self._key is not None:
            return {**self._named, "key": _plain_whole(self._key(*args, **kwargs), "key")}
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        name = self._function.__qualname__
        arguments: Dict[str, Any] = {}
        for each, value in bound.arguments.items():
            arguments[each] = _plain_whole(value, f"{name}: the argument {each}")
        key = {**self._named, "arguments": arguments}
        if self._function.__closure__:
            # Functions that are made by one def differ in these.
            key["closure"] = {
                each: _plain_whole(cell.cell_contents, f"{name}: the variable {each} of the function around it")
                for each, cell in zip(self._function.__code__.co_freevars, self._function.__closure__)
                # Itself, for a function that calls itself.
                if getattr(cell.cell_contents, "__wrapped__", None) is not self._function
            }
        return key


def _module_of(function: Callable[..., Any]) -> str:
    """A script is named for its file, as it is when it is imported."""
    module = function.__module__
    if module not in ("__main__", "__mp_main__"):
        return module
    spec = getattr(sys.modules.get(module), "__spec__", None)
    if spec is not None and spec.name not in ("__main__", "__mp_main__"):
        return str(spec.name[: -len(".__main__")] if spec.name.endswith(".__main__") else spec.name)
    file = getattr(sys.modules.get(module), "__file__", None)
    return os.path.splitext(os.path.basename(file))[0] if file else module


def _source_hash(function: Callable[..., Any]) -> str:
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):
        raise TypeError(
            f"{function.__qualname__} has no source that could be read: say which version it is, cached(…, version=1)"
        ) from None
    return hashlib.sha256(textwrap.dedent(source).encode()).hexdigest()


# --- Messages ---------------------------------------------------------------
# proto/larder/v1/cache.proto: of each message the fields that are used here, by
# number. A test holds them against what protoc makes of that file.

_WAITING = {1: ("holder", "string"), 2: ("computing_ms", "uint64")}
_ASSIGNED = {1: ("id", "uint64"), 2: ("heartbeat_interval_ms", "uint64"), 3: ("path", "string")}
_UNASSIGNED = {1: ("reason", "string")}
_READY = {
    1: ("size", "uint64"),
    2: ("sha256", "bytes"),
    3: ("handle", "uint64"),
    4: ("path", "string"),
    7: ("value", "bytes"),
}
_FETCH_REQUEST = {
    1: ("namespace", "string"),
    2: ("key", "bytes"),
    3: ("assign", "bool"),
    4: ("wait", "bool"),
    6: ("offset", "uint64"),
    8: ("head", "bool"),
    10: ("ttl_ms", "uint64"),
}
_FETCH_REPLY = {
    1: ("waiting", _WAITING),
    2: ("assigned", _ASSIGNED),
    3: ("unassigned", _UNASSIGNED),
    4: ("ready", _READY),
    5: ("chunk", "bytes"),
}
_PUBLISH_BEGIN = {1: ("id", "uint64"), 4: ("expected_size", "uint64")}
_PUBLISH_END = {1: ("size", "uint64"), 2: ("sha256", "bytes")}
_PUBLISH_REQUEST = {1: ("begin", _PUBLISH_BEGIN), 2: ("chunk", "bytes"), 3: ("end", _PUBLISH_END)}
_PUBLISH_REPLY = {1: ("size", "uint64"), 2: ("sha256", "bytes")}
_PUBLISH_VALUE_REQUEST = {1: ("id", "uint64"), 2: ("value", "bytes"), 3: ("sha256", "bytes")}
_HEARTBEAT_REQUEST = {1: ("id", "uint64")}
_ABANDON_REQUEST = {1: ("id", "uint64"), 2: ("reason", "string")}
_DELETE_REQUEST = {1: ("namespace", "string"), 2: ("key", "bytes"), 3: ("sha256", "bytes")}
_DELETE_REPLY = {1: ("deleted", "bool")}
_STAT_REQUEST = {1: ("namespace", "string"), 2: ("key", "bytes")}
_ENTRY_INFO = {
    1: ("namespace", "string"),
    2: ("key", "bytes"),
    3: ("status", "enum"),
    4: ("size", "uint64"),
    5: ("sha256", "bytes"),
    6: ("created_ms", "uint64"),
    7: ("accessed_ms", "uint64"),
    8: ("expires_ms", "uint64"),
    9: ("computed_ms", "uint64"),
}
_LIST_REQUEST = {1: ("namespace", "string"), 3: ("page_token", "string")}
# A list of one table: any number of these messages.
_LIST_REPLY: "_Fields" = {1: ("entries", [_ENTRY_INFO]), 2: ("next_page_token", "string")}
_REMOVE_REQUEST = {
    1: ("namespace", "string"),
    2: ("prefix", "bytes"),
    3: ("older_than_ms", "uint64"),
    4: ("unread_for_ms", "uint64"),
    5: ("dry_run", "bool"),
    6: ("page_token", "string"),
}
_REMOVE_REPLY = {
    1: ("entries", "uint64"),
    2: ("bytes", "uint64"),
    3: ("in_use", "uint64"),
    4: ("next_page_token", "string"),
}
_EMPTY: "_Fields" = {}

_Fields = Dict[int, Tuple[str, Any]]
_Message = Dict[str, Any]


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _encode(fields: _Fields, message: _Message) -> bytes:
    """A message in bytes; a member that is not there is not sent."""
    out: List[bytes] = []
    for number, (name, kind) in fields.items():
        if name not in message:
            continue
        value = message[name]
        if isinstance(kind, list):
            for each in value:
                data = _encode(kind[0], each)
                out += [_varint(number << 3 | 2), _varint(len(data)), data]
            continue
        if kind in _VARINTS:
            if value:
                out += [_varint(number << 3), _varint(int(value))]
            continue
        data = value.encode() if kind == "string" else value if kind == "bytes" else _encode(kind, value)
        out += [_varint(number << 3 | 2), _varint(len(data)), data]
    return b"".join(out)


def _decode_varint(data: bytes, at: int) -> Tuple[int, int]:
    number = shift = 0
    while shift < 70:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
    raise ValueError("a varint has more than ten bytes")


_VARINTS = ("uint64", "enum", "bool")
_DEFAULTS = {"uint64": 0, "enum": 0, "bool": False, "string": "", "bytes": b""}


def _decode_message(fields: _Fields, data: bytes) -> _Message:
    """Single messages and pieces are there only when they came; other fields always."""
    message: _Message = {
        name: _DEFAULTS[kind]
        for name, kind in fields.values()
        if isinstance(kind, str) and name != "chunk"
    }
    message.update({name: [] for name, kind in fields.values() if isinstance(kind, list)})
    at = 0
    while at < len(data):
        tag, at = _decode_varint(data, at)
        wire, begin = tag & 7, at
        if wire == 0:
            value, at = _decode_varint(data, at)
        elif wire == 2:
            length, begin = _decode_varint(data, at)
            at = begin + length
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            raise ValueError(f"a field has the wire type {wire}")
        if at > len(data):
            raise ValueError("a message is cut short")
        name, kind = fields.get(tag >> 3, ("", ""))
        if wire == 0 and kind in _VARINTS:
            message[name] = bool(value) if kind == "bool" else value
        elif wire == 2 and kind == "string":
            message[name] = data[begin:at].decode()
        elif wire == 2 and kind == "bytes":
            message[name] = data[begin:at]
        elif wire == 2 and isinstance(kind, dict):
            message[name] = _decode_message(kind, data[begin:at])
        elif wire == 2 and isinstance(kind, list):
            message[name].append(_decode_message(kind[0], data[begin:at]))
    return message


# --- The connection ---------------------------------------------------------

_HERE = re.compile(r"(unix:.*|(.*\.)?localhost|127(\.\d+){3}|0\.0\.0\.0|\[?::1?\]?|\[?::ffff:127(\.\d+){3}\]?)", re.I)
_ADDRESS = re.compile(r"[^\s/]+:(\d{1,5})")
_NAMESPACE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*\.)*[A-Za-z_][A-Za-z0-9_]*")


class _Broken(Exception):
    """A call has ended in the middle: the same as a connection that has."""


# The server has understood the call, and another attempt would bring the same.
_FINAL = {
    grpc.StatusCode.INVALID_ARGUMENT: "invalid",
    grpc.StatusCode.NOT_FOUND: "failed",
    grpc.StatusCode.FAILED_PRECONDITION: "failed",
    grpc.StatusCode.PERMISSION_DENIED: "failed",
    grpc.StatusCode.UNAUTHENTICATED: "failed",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "full",
    grpc.StatusCode.UNIMPLEMENTED: "failed",
}
# Nothing has come: another connection may be better.
_SILENT = (grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED)


# What the system takes, and what every client of gRPC can name.
_MAX_SOCKET_PATH_BYTES = 107
_NO_SOCKET = re.compile(r"[,%?#\x00-\x1f\x7f]")


def _is_address(text: str) -> bool:
    if text.startswith("unix:"):
        path = _socket_path(text)
        return path != "" and len(os.fsencode(path)) <= _MAX_SOCKET_PATH_BYTES
    match = _ADDRESS.fullmatch(text)
    return match is not None and int(match[1]) <= 65_535


def _socket_path(address: str) -> str:
    """Absolute: the program may go to another folder. Empty: there is none."""
    path = re.sub(r"^unix:(//(?=/))?", "", address)
    if path == "" or path.startswith("//") or path.endswith("/") or _NO_SOCKET.search(path):
        return ""
    return os.path.abspath(path)


def _fixed(address: str) -> str:
    """As it means the same from every folder."""
    return f"unix:{_socket_path(address)}" if address.startswith("unix:") else address


def _is_here(address: str) -> bool:
    """Whether it is on this machine, for which no proxy is asked."""
    return _HERE.fullmatch(re.sub(r":\d+$", "", address)) is not None


_SECURITY_VARIABLES = ("LARDER_CA", "LARDER_CERT", "LARDER_CERT_KEY", "LARDER_TOKEN", "LARDER_TOKEN_FILE")


class _Security:
    """How the server is spoken to: over TLS where there is a CA, and as whom."""

    def __init__(self, address: str, given: Dict[str, Optional[str]], environment: Mapping[str, str]) -> None:
        """What is not given is what the environment says."""
        values = {
            name: environment.get(variable) if value is None else value
            for (name, value), variable in zip(given.items(), _SECURITY_VARIABLES)
        }
        self._ca, self._cert, self._key, token = (value or None for value in values.values())
        # The server speaks plain text there.
        self._is_tls = self._ca is not None and not address.startswith("unix:")
        if given["token"] is None and token is not None:
            # Secrets of CI systems end in a newline, as files do.
            token = token.strip() or None
        token_file = environment.get("LARDER_TOKEN_FILE")
        if token is None and token_file:
            token = _read("LARDER_TOKEN_FILE", token_file).decode("ascii", "replace").strip()
        if (self._cert is None) != (self._key is None):
            raise ValueError("cert and key belong together: give both")
        if self._cert is not None and self._ca is None:
            raise ValueError("cert and key need ca, which says who vouches for the server: a file, or system")
        if token == "":
            raise ValueError("the token is empty")
        if token is not None and not re.fullmatch(r"[A-Za-z0-9._~+/=-]+", token):
            raise ValueError("the token holds what no token does")
        if token is not None and not self._is_tls and not _is_here(address):
            raise ValueError(f"a token is not sent to {address} in plain text: give ca, so that it is spoken to over TLS")
        self._token = token
        if self._is_tls:
            self._credentials()

    def channel(self, target: str, options: List[Tuple[str, Any]]) -> Any:
        """A new one. Files are read again: they may have been renewed."""
        if not self._is_tls:
            channel = grpc.insecure_channel(target, options=options)
        else:
            channel = grpc.secure_channel(target, self._credentials(), options=options)
        if self._token is None:
            return channel
        return grpc.intercept_channel(channel, _Bearer(self._token))

    def fault(self, address: str) -> Optional[str]:
        """Why TLS gets nowhere, if that is what is wrong: gRPC may tell of another address of the same name."""
        host, _, port = address.rpartition(":")
        if address.startswith("unix:") or port == "":
            return None
        host = host.strip("[]")
        with contextlib.suppress(OSError, ValueError), socket.create_connection((host, int(port)), TLS_LOOK_S) as line:
            return self._tls_fault(host, line) if self._is_tls else _speaks_tls(line)
        return None

    def _tls_fault(self, host: str, line: socket.socket) -> Optional[str]:
        context = ssl.create_default_context(cafile=None if self._ca == "system" else self._ca)
        context.set_alpn_protocols(["h2"])
        if self._cert is not None:
            context.load_cert_chain(self._cert, self._key)
        ours = "asks for a certificate of the client: give cert and key"
        if self._cert is not None:
            ours = f"does not take cert {self._cert}"
        try:
            with context.wrap_socket(line, server_hostname=host) as secure:
                # What the server makes of our certificate comes only now, and
                # what it says of it may be lost with the connection.
                return None if secure.recv(1) else f"the server {ours}"
        except ssl.SSLCertVerificationError as error:
            return f"ca {self._ca} does not vouch for the certificate of the server: {error.verify_message}"
        except ssl.SSLError as error:
            reason = (error.reason or "").replace("_", " ").lower()
            if "alert" in reason:
                return f"the server {ours} ({reason})"
            if "wrong version" in reason or "http request" in reason:
                return "it speaks plain text, and was spoken to over TLS: leave ca out"
            return f"TLS cannot be agreed on: {reason}"
        except ConnectionError:
            return f"the server {ours}"

    def _credentials(self) -> Any:
        return grpc.ssl_channel_credentials(
            None if self._ca == "system" else _read("ca", self._ca),
            None if self._key is None else _read("key", self._key),
            None if self._cert is None else _read("cert", self._cert),
        )


def _speaks_tls(line: socket.socket) -> Optional[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with contextlib.suppress(OSError), context.wrap_socket(line):
        return "it speaks TLS, and was spoken to in plain text: give ca"
    return None


def _read(name: str, path: Optional[str]) -> bytes:
    try:
        with open(path or "", "rb") as file:
            return file.read()
    except OSError as error:
        raise ValueError(f"{name} {path}: {error.strerror}") from error


class _Call(NamedTuple):
    """What grpc asks of the details of a call."""

    method: str
    timeout: Optional[float]
    metadata: Any
    credentials: Any
    wait_for_ready: Optional[bool]
    compression: Any


class _Bearer(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[misc]
    grpc.UnaryStreamClientInterceptor,  # type: ignore[misc]
    grpc.StreamUnaryClientInterceptor,  # type: ignore[misc]
):
    """Says with every call who we are."""

    def __init__(self, token: str) -> None:
        self._field = ("authorization", f"Bearer {token}")

    def _said(self, call: Any) -> _Call:
        metadata = [*(call.metadata or ()), self._field]
        more = (getattr(call, name, None) for name in ("credentials", "wait_for_ready", "compression"))
        return _Call(call.method, call.timeout, metadata, *more)

    def intercept_unary_unary(self, continuation: Any, call: Any, request: Any) -> Any:
        return continuation(self._said(call), request)

    def intercept_unary_stream(self, continuation: Any, call: Any, request: Any) -> Any:
        return continuation(self._said(call), request)

    def intercept_stream_unary(self, continuation: Any, call: Any, requests: Any) -> Any:
        return continuation(self._said(call), requests)


class _UnderWay:
    """A call that is under way, as a fork sees it."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        # How to end it, where that loses nothing.
        self.cancel: Optional[Callable[[], Any]] = None
        # A fork has ended it.
        self.is_cut = False


class _Gate:
    """Keeps this process from forking while gRPC is at work.

    A child has its parent's memory, and only the thread that forked. What other threads
    were doing in gRPC stays half done there, and the child crashes, or hangs. So a fork
    waits until no call is under way, and calls that come meanwhile wait for the fork.
    Calls that could wait at the server for hours are ended, and made again afterwards.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way: Set[_UnderWay] = set()
        # How many calls wait for forks to end.
        self._waiting = 0
        self._forks = 0
        # All is quiet: not even heartbeats begin.
        self._is_shut = False

    @contextlib.contextmanager
    def call(self, is_heartbeat: bool = False) -> Iterator[_UnderWay]:
        """Around each call. Heartbeats go on while a fork waits for other calls."""
        call = _UnderWay()
        with self._changed:
            self._waiting += 1
            try:
                self._changed.wait_for(lambda: not (self._is_shut if is_heartbeat else self._forks))
            finally:
                # Also when ^C comes here: no fork has to wait for this one.
                self._waiting -= 1
            self._under_way.add(call)
            self._changed.notify_all()
        try:
            yield call
        finally:
            with self._changed:
                self._under_way.discard(call)
                self._changed.notify_all()

    def may_end(self, call: _UnderWay, cancel: Callable[[], Any]) -> None:
        """Whoever made the call goes on with another one where it was."""
        with self._changed:
            call.cancel = cancel
            self._changed.notify_all()

    def before_fork(self) -> None:
        with self._changed:
            # Whoever forks all the time lets those in who have waited for the last fork.
            try:
                self._changed.wait_for(lambda: not self._waiting, FORK_WAIT_S)
            finally:
                # The other hook counts down, also when ^C comes here.
                self._forks += 1
            self._changed.wait_for(self._is_quiet, FORK_WAIT_S)
            self._is_shut = True

    def _is_quiet(self) -> bool:
        """Whether no call is under way; ends those that may end."""
        # A signal can have interrupted a call of this thread, which then cannot end.
        others = [call for call in self._under_way if call.thread != threading.get_ident()]
        for call in others:
            if call.cancel is not None:
                call.is_cut = True
                call.cancel()
        return not others

    def after_fork(self) -> None:
        with self._changed:
            self._forks -= 1
            self._is_shut = self._forks > 0
            self._changed.notify_all()


_gate = _Gate()
# Made with the first connection, and never used. When its last channel was closed gRPC's
# threads end in their own time, and a fork does not wait for them: the child may then hang.
_idle_channel: Any = None


def _watch_forks() -> None:
    """After the first connection was made: of the hooks that gRPC may have set with it, ours runs first."""
    global _idle_channel
    if _idle_channel is None and hasattr(os, "register_at_fork"):
        _idle_channel = grpc.insecure_channel("unix:/nowhere")
        os.register_at_fork(before=lambda: _gate.before_fork(), after_in_parent=lambda: _gate.after_fork())


def _end(call: Any) -> None:
    """Ends a stream, and waits until gRPC has done with it."""
    ended = threading.Event()
    is_open = call.add_callback(ended.set)
    call.cancel()
    if is_open:
        ended.wait(END_S)


class _Line:
    """One connection and its calls, as bytes of our own messages."""

    def __init__(self, address: str, security: "_Security") -> None:
        options: List[Tuple[str, Any]] = [
            # One that others of this process share may be the one that is silent.
            ("grpc.use_local_subchannel_pool", 1),
            # A server that comes back is found at once, not after two minutes.
            ("grpc.initial_reconnect_backoff_ms", 50),
            ("grpc.max_reconnect_backoff_ms", 500),
            # This is how long a connection may take to be made.
            ("grpc.min_reconnect_backoff_ms", 2_000),
            ("grpc.keepalive_time_ms", KEEPALIVE_MS),
            ("grpc.keepalive_timeout_ms", KEEPALIVE_MS),
            ("grpc.http2.max_pings_without_data", 0),
            # Retries are ours: what they may do depends on the call.
            ("grpc.enable_retries", 0),
        ]
        if _is_here(address):
            options.append(("grpc.enable_http_proxy", 0))
        target = address if address.startswith("unix:") else f"dns:///{address}"
        self.channel = security.channel(target, options)
        _watch_forks()
        self.heartbeat = self._unary("Heartbeat", _HEARTBEAT_REQUEST, _EMPTY)
        self.abandon = self._unary("Abandon", _ABANDON_REQUEST, _EMPTY)
        self.delete = self._unary("Delete", _DELETE_REQUEST, _DELETE_REPLY)
        self.stat = self._unary("Stat", _STAT_REQUEST, _ENTRY_INFO)
        self.list = self._unary("List", _LIST_REQUEST, _LIST_REPLY)
        self.remove = self._unary("Remove", _REMOVE_REQUEST, _REMOVE_REPLY)
        self.fetch = self.channel.unary_stream("/larder.v1.Cache/Fetch", *_codecs(_FETCH_REQUEST, _FETCH_REPLY))
        self.publish = self.channel.stream_unary(
            "/larder.v1.Cache/Publish", *_codecs(_PUBLISH_REQUEST, _PUBLISH_REPLY)
        )
        self._publish_value = self._unary("PublishValue", _PUBLISH_VALUE_REQUEST, _EMPTY)
        self._is_older = False

    def publish_value(self, request: _Message) -> bool:
        """Whether the server can do that: one that is older cannot."""
        if self._is_older:
            return False
        try:
            self._publish_value(request)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNIMPLEMENTED:
                raise
            self._is_older = True
        return not self._is_older

    def _unary(self, method: str, request: _Fields, reply: _Fields) -> Any:
        return self.channel.unary_unary(f"/larder.v1.Cache/{method}", *_codecs(request, reply))


def _codecs(request: _Fields, reply: _Fields) -> Tuple[Callable[..., Any], Callable[..., Any]]:
    return functools.partial(_encode, request), functools.partial(_decode_message, reply)


class _Patience:
    """How long a call goes on without hearing from the server, with growing pauses."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.heard()

    def heard(self) -> None:
        """The server has said something: it begins anew."""
        self._since = time.monotonic()
        self._pause = FIRST_RETRY_S

    def left(self) -> float:
        return self._since + self._seconds - time.monotonic()

    def pause(self) -> bool:
        """Pauses after a failure; False at once when there is no time left."""
        pause = self._pause * random.uniform(0.5, 1)
        self._pause = min(2 * self._pause, MAX_RETRY_S)
        if pause > self.left():
            return False
        time.sleep(pause)
        return True


class _Watch:
    """Cancels a stream unless something comes in time."""

    def __init__(self, call: Any, seconds: float) -> None:
        def cancel() -> None:
            with _gate.call(is_heartbeat=True):
                call.cancel()

        self._timer = threading.Timer(max(seconds, 0.0), cancel)
        self._timer.daemon = True
        self._timer.start()
        self.heard = self._timer.cancel


class _Connection:
    """One server: made when it is needed, anew in each process and when it fell silent."""

    def __init__(self, address: str, security: Optional[_Security], patience: float, trouble: str = "") -> None:
        self.name = f"larder at {address}"
        self._address = address
        self._security = security
        self._patience = patience
        # Why there is nobody to call, if so.
        self._trouble = trouble
        self._lock = threading.Lock()
        self._line: Optional[_Line] = None
        self._has_answered = False
        # When to ask a server again that is away; 0: it is not.
        self._next_probe = 0.0
        # How many there have been: each is warned of.
        self.outages = 0
        _connections.add(self)

    def line(self) -> _Line:
        with self._lock:
            if self._security is None:
                raise CacheError("unavailable", self._trouble)
            if self._line is None:
                self._line = _Line(self._address, self._security)
            return self._line

    def renew(self, line: _Line) -> None:
        """The next call makes a new connection; calls on this one may still end."""
        with self._lock:
            if self._line is line:
                self._line = None

    def after_fork(self) -> None:
        """The connection is the parent's: the child neither uses nor closes it."""
        self._lock = threading.Lock()
        if self._line is not None:
            _of_parents.append(self._line)
        self._line = None

    def close(self) -> None:
        with self._lock:
            line, self._line = self._line, None
        if line is not None:
            with _gate.call():
                line.channel.close()

    def answered(self) -> None:
        self._has_answered = True
        if self._next_probe:
            self._next_probe = 0.0
            self.outages += 1

    def call(self, action: str, run: Callable[[_Line, _Patience, _UnderWay], T], full: bool = False) -> T:
        """Calls the server until it answers, or the patience ends.

        Where it is known to be away, one call in a while finds out whether it is
        back, with one attempt. ``full``: goes on all the same, for something
        would be lost.
        """
        if self._trouble:
            raise CacheError("unavailable", self._trouble)
        is_probe = not full and self._begin_probe(action)
        known = self._has_answered and not is_probe
        patience = _Patience(self._patience if known else min(self._patience, FIRST_CONTACT_S))
        while True:
            try:
                with _gate.call() as under_way:
                    line = self.line()
                    result = run(line, patience, under_way)
                self.answered()
                return result
            except (grpc.RpcError, _Broken) as error:
                code, reason = (None, str(error)) if isinstance(error, _Broken) else (error.code(), error.details())
                if code in _FINAL:
                    self.answered()
                    if code is grpc.StatusCode.UNIMPLEMENTED:
                        reason = "it does not speak larder.v1: is it an original cache server, or another program?"
                    raise CacheError(_FINAL[code], f"{self.name}: cannot {action}: {reason}") from error
                if under_way.is_cut:
                    continue
                if code in _SILENT:
                    reason = "no answer"
                    self.renew(line)
                if not is_probe and patience.pause():
                    continue
                self._next_probe = time.monotonic() + PROBE_S
                if code is grpc.StatusCode.UNAVAILABLE and not is_probe and self._security is not None:
                    reason = self._security.fault(self._address) or reason
                raise CacheError("unavailable", f"{self.name}: cannot {action}: {reason}") from error

    def _begin_probe(self, action: str) -> bool:
        with self._lock:
            if self._next_probe == 0:
                return False
            if time.monotonic() < self._next_probe:
                raise CacheError("unavailable", f"{self.name}: cannot {action}: the server is away")
            self._next_probe = time.monotonic() + PROBE_S
            return True


_connections: "weakref.WeakSet[_Connection]" = weakref.WeakSet()
# Kept for ever: to end them is for the process that made them.
_of_parents: List[_Line] = []


def _after_fork_in_child() -> None:
    global _default_lock, _gate
    _default_lock = threading.Lock()
    _gate = _Gate()
    for connection in list(_connections):
        connection.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


# --- Asking, and work -------------------------------------------------------


class _Answer(NamedTuple):
    """What a Fetch ended with; ``kind`` is waiting, assigned, unassigned or ready."""

    kind: str
    body: _Message
    data: bytes = b""


class _Fetch:
    """One question: waits, for the server wakes whoever waits, and goes on after a cut where it was."""

    def __init__(self, connection: _Connection, request: _Message) -> None:
        self._connection = connection
        self._request = request
        self._ready: _Message = {}
        self._pieces: List[bytes] = []
        self._got = 0

    def answer(self) -> _Answer:
        """Raises CacheError; of a value nothing but the whole comes back."""
        answer = self._connection.call("ask for the value", self._run)
        if answer.kind != "ready" or "head" in self._request:
            return answer
        data = b"".join(self._pieces)
        if len(data) != answer.body["size"] or hashlib.sha256(data).digest() != answer.body["sha256"]:
            raise CacheError(
                "failed", f"{self._connection.name}: what came is not the value it told of, by its size or SHA-256"
            )
        return _Answer("ready", answer.body, data)

    def _run(self, line: _Line, patience: _Patience, under_way: _UnderWay) -> _Answer:
        begin = self._got
        call = line.fetch({**self._request, "offset": begin})
        watch = _Watch(call, patience.left())
        answer: Optional[_Answer] = None
        try:
            for reply in call:
                watch.heard()
                self._connection.answered()
                if "chunk" in reply:
                    self._pieces.append(reply["chunk"])
                    self._got += len(reply["chunk"])
                    patience.heard()
                    if self._got - begin >= FORK_PIECE_BYTES:
                        _gate.may_end(under_way, call.cancel)
                    continue
                answer = _Answer(*next(iter(reply.items()), ("", {})))
                if answer.kind == "waiting":
                    _gate.may_end(under_way, call.cancel)
                if answer.kind == "ready":
                    self._begins(answer.body)
                    # Of a small value nothing else comes.
                    if self._got == 0 and answer.body.get("value"):
                        self._pieces.append(answer.body["value"])
                        self._got = len(answer.body["value"])
        except grpc.RpcError as error:
            if answer is not None and answer.kind == "waiting":
                # Until now the connection has lived.
                patience.heard()
            if self._ready and error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
                raise _Broken("the server waited too long for us to read") from error
            raise
        finally:
            watch.heard()
            _end(call)
        if answer is None or answer.kind not in ("waiting", "assigned", "unassigned", "ready"):
            raise _Broken("it ended without an answer")
        if answer.kind == "ready" and "head" not in self._request and self._got < answer.body["size"]:
            raise _Broken("the value broke off")
        return answer

    def _begins(self, ready: _Message) -> None:
        is_again = bool(self._ready)
        if is_again and ready["sha256"] != self._ready["sha256"]:
            self._ready, self._pieces, self._got = {}, [], 0
            raise _Broken("the value was replaced meanwhile")
        self._ready = ready


class _Held:
    """The work on an entry, while it is ours: sends its heartbeats until it is let go."""

    def __init__(self, connection: _Connection, assigned: _Message) -> None:
        self._connection = connection
        self._id: int = assigned["id"]
        self._interval = assigned["heartbeat_interval_ms"] / 1000
        self._process = os.getpid()
        self._ended = threading.Event()
        self._is_lost = False
        threading.Thread(target=self._beat, name="larder heartbeats", daemon=True).start()

    def _beat(self) -> None:
        pause = self._interval * BEAT_SHARE
        answered_at = time.monotonic()
        while not self._ended.wait(pause):
            try:
                with _gate.call(is_heartbeat=True):
                    line = self._connection.line()
                    line.heartbeat({"id": self._id}, timeout=self._interval * BEAT_TIMEOUT_SHARE)
                answered_at = time.monotonic()
                pause = self._interval * BEAT_SHARE
            except grpc.RpcError as error:
                if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
                    self._is_lost = True
                    return
                if error.code() in _SILENT:
                    self._connection.renew(line)
                # Often while the lease may last; then there is no hurry.
                is_leased = time.monotonic() < answered_at + 2 * self._interval + FIRST_CONTACT_S
                pause = BEAT_RETRY_S if is_leased else self._interval
            except ValueError:
                # The cache has been closed.
                return

    def publish(self, data: bytes) -> None:
        """Raises CacheError ``lost``, ``full`` or ``unavailable``, and gives the work back."""
        if self._process != os.getpid():
            raise CacheError("lost", "this process was forked from the one that has the work")
        try:
            if self._is_lost:
                raise CacheError("invalid", "")
            sha256 = hashlib.sha256(data).digest()
            begin: _Message = {"begin": {"id": self._id, "expected_size": len(data)}}
            end: _Message = {"end": {"size": len(data), "sha256": sha256}}
            whole = {"id": self._id, "value": data, "sha256": sha256}
            most = 0

            def run(line: _Line, patience: _Patience, _: _UnderWay) -> None:
                def requests() -> Iterator[_Message]:
                    nonlocal most
                    yield begin
                    for at in range(0, len(data), CHUNK_BYTES):
                        yield {"chunk": data[at : at + CHUNK_BYTES]}
                        if at > most:
                            # What goes again and again gets nowhere.
                            most = at
                            patience.heard()
                    yield end

                if len(data) > WHOLE_BYTES or not line.publish_value(whole):
                    line.publish(requests())

            self._connection.call("publish the value", run, full=True)
        except CacheError as error:
            if error.code == "invalid":
                self._ended.set()
                raise CacheError(
                    "lost", f"{self._connection.name}: the work went to somebody else: no heartbeat came in time"
                ) from error
            self.abandon("it could not be published")
            raise
        self._ended.set()

    def abandon(self, reason: str) -> None:
        """Gives the work back: whoever waits gets it at once. Waits only for a server that answers."""
        if self._ended.is_set() or self._process != os.getpid():
            return
        self._ended.set()
        request = {"id": self._id, "reason": reason}
        try:
            with _gate.call():
                self._connection.line().abandon(request, timeout=ABANDON_S)
        except grpc.RpcError as error:
            if error.code() not in _FINAL:
                threading.Thread(target=self._abandon_later, args=[request], daemon=True).start()

    def _abandon_later(self, request: _Message) -> None:
        def run(line: _Line, *_: Any) -> None:
            line.abandon(request, timeout=ABANDON_S)

        try:
            self._connection.call("give the work back", run, full=True)
        except (CacheError, ValueError):
            # Then the lease ends.
            pass


# --- The cache --------------------------------------------------------------


class Cache:
    """A client of one Larder. Threads may share it; a process that is forked gets its own connection.

    ``remote`` is ``host:port``, or ``unix:PATH`` of a Unix domain socket, by default ``LARDER_REMOTE``, else 127.0.0.1:28056.
    ``patience`` is how many seconds a call goes on without hearing from the server.
    ``ca`` is a file of certificates, as PEM, that vouch for the server, or ``"system"``:
    then it is spoken to over TLS. ``cert`` and ``key`` are files with our own certificate
    and its key. ``token`` says who we are. By default these are ``LARDER_CA``,
    ``LARDER_CERT``, ``LARDER_CERT_KEY``, and ``LARDER_TOKEN`` or what the file
    ``LARDER_TOKEN_FILE`` holds.
    """

    def __init__(
        self,
        remote: Optional[str] = None,
        *,
        patience: float = DEFAULT_PATIENCE_S,
        ca: Optional[str] = None,
        cert: Optional[str] = None,
        key: Optional[str] = None,
        token: Optional[str] = None,
    ) -> None:
        trouble = ""
        if remote is None:
            remote = os.environ.get("LARDER_REMOTE") or DEFAULT_REMOTE
            if not _is_address(remote):
                # It may be no fault of the program's.
                trouble = f"LARDER_REMOTE {remote}: not host:port, and no unix:PATH of a socket"
        elif not _is_address(remote):
            raise ValueError(f"remote: {remote!r} is not host:port, such as 127.0.0.1:28056, and no unix:PATH of a socket")
        remote = _fixed(remote) if _is_address(remote) else remote
        given = {"ca": ca, "cert": cert, "key": key, "token": token}
        security: Optional[_Security] = None
        try:
            security = _Security(remote, given, os.environ)
        except ValueError as error:
            # What the program says has to be right by itself.
            _Security(remote, given, {})
            names = ", ".join(name for name in _SECURITY_VARIABLES if os.environ.get(name))
            trouble = trouble or f"{names}: {error}"
        self._connection = _Connection(remote, security, patience, trouble)
        self._said: Set[Tuple[str, str]] = set()

    def generate(
        self,
        namespace: str,
        key: Any,
        compute: Callable[[], T],
        *,
        codec: Codec = JSON,
        ttl: Optional[_Duration] = None,
    ) -> T:
        """The value of a key: from the cache, or computed, and then kept for everyone.

        Of all who ask for it at once, on all machines, one computes and the others
        wait. What ``compute`` raises is raised here, and the next who asks computes.
        When no server answers it is computed here, and nothing is kept. ``ttl``: for
        how many seconds the value is kept; None: for ever.

        Raises TypeError for a key that is none, ValueError for a namespace that is
        none, StoredError where a program in TypeScript has kept one.
        """
        entry = _entry(namespace, key)
        more = _ttl(ttl)
        for _ in range(MAX_TRIES):
            answer = self._ask_to_compute(entry, **more)
            if answer is None:
                break
            if answer.kind == "assigned":
                return self._compute(namespace, _Held(self._connection, answer.body), compute, codec)
            try:
                return cast(T, _decode(answer.data, codec))
            except CacheError as error:
                self._warn(namespace, error, "computing it anew")
                if not self._discard(entry, answer.body["sha256"]):
                    break
        return compute()

    def _ask_to_compute(self, entry: _Message, **more: Any) -> Optional[_Answer]:
        """None: compute it for yourself; that has been said."""
        try:
            answer = _Fetch(self._connection, {**entry, "assign": True, "wait": True, **more}).answer()
            if answer.kind in ("assigned", "ready"):
                return answer
            reason = answer.body.get("reason") or "the server gives out no work"
            raise CacheError("full", f"{self._connection.name}: {reason}")
        except CacheError as error:
            self._go_on(entry["namespace"], error)
            return None

    def _compute(self, namespace: str, held: _Held, compute: Callable[[], T], codec: Codec) -> T:
        try:
            value = compute()
        except BaseException:
            held.abandon("the computation failed")
            raise
        try:
            data = codec.encode(value)
        except Exception as error:  # What has taken hours to compute is not thrown away for that.
            held.abandon("the value could not be encoded")
            self._warn(namespace, CacheError("unreadable", f"a value of {namespace} is {error}"), "it is not kept")
            return value
        try:
            held.publish(data)
        except CacheError as error:
            self._go_on(namespace, error)
        return value

    def _discard(self, entry: _Message, sha256: bytes) -> bool:
        try:
            self._delete({**entry, "sha256": sha256})
            return True
        except CacheError:
            # It is in use, or the server has gone.
            return False

    def get(
        self, namespace: str, key: Any, default: Any = None, *, codec: Codec = JSON, wait: bool = False
    ) -> Any:
        """The value of a key if the cache has it, else ``default``; also when no server answers.

        ``wait``: while somebody computes it. Raises CacheError ``unreadable`` where
        this codec cannot read what is kept.
        """
        entry = _entry(namespace, key)
        try:
            answer = _Fetch(self._connection, {**entry, "wait": wait}).answer()
        except CacheError as error:
            self._go_on(namespace, error)
            return default
        return _decode(answer.data, codec) if answer.kind == "ready" else default

    def set(
        self,
        namespace: str,
        key: Any,
        value: Any,
        *,
        codec: Codec = JSON,
        overwrite: bool = False,
        ttl: Optional[_Duration] = None,
    ) -> bool:
        """Keeps a value that was computed elsewhere. Returns whether it was kept.

        One that is there stays, unless ``overwrite`` says otherwise. ``ttl``: for how
        many seconds it is kept; None: for ever.

        Raises TypeError for a value that the codec does not take; with ``overwrite``
        CacheError ``failed`` while somebody reads the value that is there.
        """
        entry = _entry(namespace, key)
        data = codec.encode(value)
        more = _ttl(ttl)
        for _ in range(MAX_TRIES):
            answer = self._ask_to_compute(entry, head=True, **more)
            if answer is None:
                return False
            if answer.kind == "ready":
                if not overwrite:
                    return False
                self._delete({**entry, "sha256": answer.body["sha256"]})
                continue
            try:
                _Held(self._connection, answer.body).publish(data)
                return True
            except CacheError as error:
                self._go_on(namespace, error)
                return False
        return False

    def delete(self, namespace: str, key: Any) -> bool:
        """Removes a value. Returns whether there was one.

        Raises CacheError: ``failed`` while it is computed or read, ``unavailable``.
        """
        return self._delete(_entry(namespace, key))

    def _delete(self, request: _Message) -> bool:
        def run(line: _Line, patience: _Patience, _: _UnderWay) -> bool:
            return bool(line.delete(request, timeout=max(patience.left(), ABANDON_S))["deleted"])

        return self._connection.call("remove the value", run)

    def stat(self, namespace: str, key: Any) -> Optional[Entry]:
        """What the server knows of an entry; None where there is none. Raises CacheError."""
        request = _entry(namespace, key)

        def run(line: _Line, patience: _Patience, _: _UnderWay) -> Optional[Entry]:
            try:
                return _to_entry(line.stat(request, timeout=max(patience.left(), ABANDON_S)))
            except grpc.RpcError as error:
                if error.code() is grpc.StatusCode.NOT_FOUND:
                    return None
                raise

        return self._connection.call("look the entry up", run)

    def list(self, namespace: str) -> Iterator[Entry]:
        """The entries of a namespace, in the order of their keys' bytes. Raises CacheError."""
        _check_namespace(namespace)
        return self._list(namespace)

    def _list(self, namespace: str) -> Iterator[Entry]:
        token = ""
        while True:
            page = self._page("list the entries", "list", {"namespace": namespace, "page_token": token})
            for each in page["entries"]:
                yield _to_entry(each)
            token = page["next_page_token"]
            if not token:
                return

    def invalidate(
        self,
        namespace: str,
        *,
        prefix: bytes = b"",
        older_than: Optional[_Duration] = None,
        unread_for: Optional[_Duration] = None,
        dry_run: bool = False,
    ) -> Removed:
        """Removes the values of a namespace for which each condition is true, without conditions all.

        ``prefix``: of keys that are bytes, for keys that are JSON are hashed. ``older_than``,
        ``unread_for``: seconds since a value was published, and last read. ``dry_run``:
        only counts. Values that are being read or computed stay.

        Raises CacheError; what has gone by then is gone, and it may be called again.
        """
        _check_namespace(namespace)
        if type(prefix) is not bytes:
            raise TypeError("prefix: the bytes that keys begin with; keys that are JSON are hashed")
        request: _Message = {"namespace": namespace, "prefix": prefix, "dry_run": bool(dry_run)}
        if older_than is not None:
            request["older_than_ms"] = _milliseconds("older_than", older_than)
        if unread_for is not None:
            request["unread_for_ms"] = _milliseconds("unread_for", unread_for)
        sums, token = [0, 0, 0], ""
        while True:
            page = self._page("remove values", "remove", {**request, "page_token": token})
            sums = [total + page[name] for total, name in zip(sums, ("entries", "bytes", "in_use"))]
            token = page["next_page_token"]
            if not token:
                return Removed(*sums)

    def _page(self, action: str, method: str, request: _Message) -> _Message:
        def run(line: _Line, patience: _Patience, _: _UnderWay) -> _Message:
            return cast(_Message, getattr(line, method)(request, timeout=max(patience.left(), ABANDON_S)))

        return self._connection.call(action, run)

    def close(self) -> None:
        """Ends the connection. The cache can be used again: it then makes another one."""
        self._connection.close()

    def __enter__(self) -> "Cache":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _go_on(self, namespace: str, error: CacheError) -> None:
        """Without the cache, unless the mistake is the program's."""
        if error.code == "invalid":
            raise error
        is_away = error.code == "unavailable"
        self._warn(f"outage {self._connection.outages}" if is_away else namespace, error, "going on without the cache")

    def _warn(self, about: str, error: CacheError, what: str) -> None:
        """Once for each kind of trouble; not as a Python warning, which may be an error."""
        if (about, error.code) not in self._said:
            self._said.add((about, error.code))
            _log.warning("%s: %s", what, error)


def _milliseconds(name: str, duration: _Duration) -> int:
    seconds = duration.total_seconds() if isinstance(duration, datetime.timedelta) else duration
    if type(seconds) not in (int, float):
        raise TypeError(f"{name}: seconds, or a timedelta, not {_class_name(duration)}")
    if not 0 < seconds <= MAX_TTL_S:
        raise ValueError(f"{name}: {seconds} s is not above 0 and at most ten years")
    # Rounded up: 0 would be no condition.
    return math.ceil(seconds * 1000)


def _ttl(ttl: Optional[_Duration]) -> _Message:
    return {} if ttl is None else {"ttl_ms": _milliseconds("ttl", ttl)}


_STATUSES = ("unknown", "loading", "ready", "evicting", "expired")


def _to_entry(info: _Message) -> Entry:
    status = info["status"]
    return Entry(
        info["namespace"],
        info["key"],
        _STATUSES[status] if status < len(_STATUSES) else "unknown",
        info["size"],
        info["sha256"],
        info["created_ms"] / 1000,
        info["accessed_ms"] / 1000,
        info["expires_ms"] / 1000 if info["expires_ms"] else None,
        info["computed_ms"] / 1000,
    )


def _entry(namespace: str, key: Any) -> _Message:
    _check_namespace(namespace)
    return {"namespace": namespace, "key": _key_bytes(key)}


def _check_namespace(namespace: str) -> None:
    if type(namespace) is not str:
        raise TypeError('a namespace is a str such as "sim.ring_osc": write @larder.cached("sim.ring_osc")')
    if not _NAMESPACE.fullmatch(namespace) or len(namespace) > MAX_NAMESPACE_BYTES:
        raise ValueError(f"{namespace!r} is no namespace: identifiers with dots between them, such as sim.ring_osc")


_default: Optional[Cache] = None
_default_lock = threading.Lock()


def default_cache() -> Cache:
    """The cache of functions that name none: at ``LARDER_REMOTE``, made with the first call."""
    global _default
    with _default_lock:
        if _default is None:
            _default = Cache()
        return _default


def cached(
    namespace: str,
    *,
    version: Union[str, int, None] = None,
    key: Optional[Callable[..., Any]] = None,
    codec: Codec = JSON,
    ttl: Optional[_Duration] = None,
    cache: Optional[Cache] = None,
) -> Callable[[F], F]:
    """A decorator: the function runs once for the same arguments, on all machines together.

    ``version``: change it whenever the function would give something else. Without
    it the key has a hash of the function's own source, which says nothing of
    what it calls. ``key``: called with the arguments, says what the result depends
    on, instead of the arguments themselves. ``codec``: JSON, PICKLE, BYTES or
    one of your own. ``ttl``: for how many seconds a result is kept; None: for
    ever. ``cache``: another server than ``LARDER_REMOTE``.
    """
    _check_namespace(namespace)
    _ttl(ttl)

    def decorate(function: F) -> F:
        named = _Function(function, version, key)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            here = cache if cache is not None else default_cache()
            run = functools.partial(function, *args, **kwargs)
            return here.generate(namespace, named.key(args, kwargs), run, codec=codec, ttl=ttl)

        call.__larder__ = named  # type: ignore[attr-defined]
        return cast(F, call)

    return decorate


def key_of(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The key of one call of a cached function: for ``get``, ``set``, ``delete`` and other programs."""
    named = getattr(function, "__larder__", None)
    if named is None:
        raise TypeError(f"{function!r} is no function that cached() has made")
    return named.key(args, kwargs)
