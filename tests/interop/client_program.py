"""A program that uses the Python client. Usage: client_program.py ADDRESS NAMESPACE KEY.

Says `asking`, `computing`, and then the value; computes until it is told a line.
"""

import logging
import os
import sys

import larder

address, namespace, key = sys.argv[1:]
logging.basicConfig(format="warning %(message)s", stream=sys.stdout)
cache = larder.Cache(address)


def say(line: str) -> None:
    print(line, flush=True)


@larder.cached(namespace, version=1, cache=cache)
def slow(key: str) -> dict:
    say("computing")
    return {"key": key, "by": os.getpid(), "told": sys.stdin.readline().strip()}


say("asking")
say(f"value {slow(key)['told']}")
