"""The Python client and its messages: against protoc, and a server that is none of ours."""

import hashlib
import os
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
from client_case import never, warnings
from flow import equal, flow
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

import larder

SEED = 20261128
VALUE = b'"' + b"v" * 100_000 + b'"'
READY = {"ready": {"size": len(VALUE), "sha256": hashlib.sha256(VALUE).digest()}}


@flow
def client_messages_are_those_of_the_proto_file(_):
    """LARDER_DESCRIPTORS is what protoc has made of cache.proto."""
    files = descriptor_pb2.FileDescriptorSet()
    with open(os.environ["LARDER_DESCRIPTORS"], "rb") as file:
        files.ParseFromString(file.read())
    pool = descriptor_pool.DescriptorPool()
    for each in files.file:
        pool.Add(each)
    pick = random.Random(SEED)
    tables = {
        name: table
        for name, table in vars(larder).items()
        if isinstance(table, dict) and name.isupper() and all(type(each) is int for each in table)
    }
    equal(len(tables), 22, "tables of messages")
    for name, fields in tables.items():
        if name == "_EMPTY":
            continue
        camel = "".join(word.capitalize() for word in name.split("_"))
        theirs = message_factory.GetMessageClass(pool.FindMessageTypeByName(f"larder.v1.{camel}"))
        for _ in range(50):
            message = any_message(fields, pick)
            read = theirs.FromString(larder._encode(fields, message))
            equal(read.SerializeToString(deterministic=True), theirs(**message).SerializeToString(deterministic=True))
            equal(without_defaults(larder._decode_message(fields, read.SerializeToString())), without_defaults(message))


def any_message(fields: dict, pick: random.Random) -> dict:
    made = {
        "uint64": lambda: pick.choice([0, 1, 127, 128, 2**32, 2**63 - 1]),
        "enum": lambda: pick.choice([0, 2, 4]),
        "bool": lambda: pick.choice([True, False]),
        "string": lambda: pick.choice(["", "é🦊", "x" * 200]),
        "bytes": lambda: pick.randbytes(pick.choice([0, 1, 300])),
    }
    chosen = {
        name: [any_message(kind[0], pick) for _ in range(pick.choice([0, 1, 3]))]
        if isinstance(kind, list)
        else any_message(kind, pick)
        if isinstance(kind, dict)
        else made[kind]()
        for name, kind in fields.values()
    }
    # Of FetchReply and PublishRequest one field.
    if "chunk" in chosen:
        name = pick.choice(list(chosen))
        return {name: chosen[name]}
    return chosen


def without_defaults(message: dict) -> dict:
    return {
        name: without_defaults(value)
        if isinstance(value, dict)
        else [without_defaults(each) for each in value]
        if isinstance(value, list)
        else value
        for name, value in message.items()
        if value or name in ("chunk", "begin", "end", "waiting", "assigned", "unassigned", "ready")
    }


@contextmanager
def serving(
    fetch: Callable[[dict, grpc.ServicerContext], Iterator[dict]], **others: grpc.RpcMethodHandler
) -> Iterator[larder.Cache]:
    """A client of a server that answers Fetch like this, and knows no calls but these."""
    server = grpc.server(ThreadPoolExecutor(2))
    encode, decode = larder._codecs(larder._FETCH_REPLY, larder._FETCH_REQUEST)
    handler = grpc.unary_stream_rpc_method_handler(fetch, decode, encode)
    handlers = grpc.method_handlers_generic_handler("larder.v1.Cache", {"Fetch": handler, **others})
    server.add_generic_rpc_handlers([handlers])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with larder.Cache(f"127.0.0.1:{port}", patience=5) as cache:
            yield cache
    finally:
        server.stop(0).wait()


@flow
def client_publishes_small_values_in_one_message_where_the_server_can(_):
    took = []
    assigned = {"assigned": {"id": 7, "heartbeat_interval_ms": 60_000}}

    def whole(request: dict, context: grpc.ServicerContext) -> dict:
        equal(request["sha256"], hashlib.sha256(request["value"]).digest())
        took.append(("whole", len(request["value"])))
        return {}

    def pieces(requests: Iterator[dict], context: grpc.ServicerContext) -> dict:
        took.append(("pieces", sum(len(each.get("chunk", b"")) for each in requests)))
        return {}

    encode, decode = larder._codecs(larder._EMPTY, larder._PUBLISH_VALUE_REQUEST)
    publish_value = {"PublishValue": grpc.unary_unary_rpc_method_handler(whole, decode, encode)}
    encode, decode = larder._codecs(larder._PUBLISH_REPLY, larder._PUBLISH_REQUEST)
    publish = {"Publish": grpc.stream_unary_rpc_method_handler(pieces, decode, encode)}
    small, large = "s" * (larder.WHOLE_BYTES - 2), "l" * (larder.WHOLE_BYTES - 1)
    for methods, expected in (({**publish_value, **publish}, "whole"), (publish, "pieces")):
        took.clear()
        with serving(lambda *_: iter([assigned]), **methods) as cache, warnings() as said:
            for value in (small, large, small):
                equal(cache.generate("a.b", len(took), lambda value=value: value), value)
            equal(said, [], "warnings")
        equal(took, [(expected, 65_536), ("pieces", 65_537), (expected, 65_536)], "what was published")


@flow
def client_refuses_bytes_that_are_not_what_was_told(_):
    for wrong in (VALUE[:-2] + b'w"', VALUE + b" "):

        def fetch(request: dict, context: grpc.ServicerContext, wrong: bytes = wrong) -> Iterator[dict]:
            yield READY
            yield {"chunk": wrong}

        with serving(fetch) as cache, warnings() as said:
            equal(cache.generate("a.b", 1, lambda: "computed"), "computed")
            equal(cache.get("a.b", 1, "absent"), "absent")
            equal(len(said), 1, "warnings")


@flow
def client_goes_on_where_a_download_was_cut(_):
    offsets = []

    def fetch(request: dict, context: grpc.ServicerContext) -> Iterator[dict]:
        at = request["offset"]
        offsets.append(at)
        yield {"waiting": {"holder": "somebody"}}
        yield READY
        yield {"chunk": VALUE[at : at + 40_000]}
        if at + 40_000 < len(VALUE):
            context.abort(grpc.StatusCode.UNAVAILABLE, "ask again")

    with serving(fetch) as cache, warnings() as said:
        equal(cache.generate("a.b", 1, never), "v" * 100_000)
        equal(offsets, [0, 40_000, 80_000])
        equal(said, [])


@flow
def client_begins_anew_where_a_value_was_replaced_in_a_cut(_):
    other = {"ready": {"size": 3, "sha256": hashlib.sha256(b'"b"').digest()}}
    answers = [[READY, {"chunk": VALUE[:100]}], [other], [other, {"chunk": b'"b"'}]]

    def fetch(request: dict, context: grpc.ServicerContext) -> Iterator[dict]:
        yield from answers.pop(0)
        if answers:
            context.abort(grpc.StatusCode.UNAVAILABLE, "ask again")

    with serving(fetch) as cache:
        equal(cache.generate("a.b", 1, never), "b")


@flow
def client_says_what_a_server_is_not(_):
    def fetch(request: dict, context: grpc.ServicerContext) -> Iterator[dict]:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "?")
        yield {}

    with serving(fetch) as cache, warnings() as said:
        equal(cache.generate("a.b", 1, lambda: 7), 7)
        if "does not speak larder.v1" not in said[0]:
            raise AssertionError(said[0])


@flow
def client_computes_when_the_server_keeps_nothing(_):
    def fetch(request: dict, context: grpc.ServicerContext) -> Iterator[dict]:
        yield {"unassigned": {"reason": "the disk is full"}}

    with serving(fetch) as cache, warnings() as said:
        equal([cache.generate("a.b", 1, lambda: 7) for _ in range(3)], [7, 7, 7])
        equal(len(said), 1, "warnings")
        if "the disk is full" not in said[0]:
            raise AssertionError(said[0])


@flow
def client_gives_up_on_a_server_that_says_nothing(_):
    given_up = threading.Event()

    def fetch(request: dict, context: grpc.ServicerContext) -> Iterator[dict]:
        context.add_callback(given_up.set)
        given_up.wait()
        yield {}

    with serving(fetch) as cache, warnings() as said:
        equal([cache.generate("a.b", 1, lambda: 7) for _ in range(20)], [7] * 20)
        equal(len(said), 1, "warnings")
        if "no answer" not in said[0]:
            raise AssertionError(said[0])
