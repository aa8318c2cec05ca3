"""Reads blocks of ours, and writes some for us, with Python's hpack.

Takes on standard input {"decode": [block, ...], "encode": [[field, ...], ...]}
and answers the other way round. Each list is one connection's; blocks are hex
digits, and names and values strings of one char per octet.
"""

import json
import sys

from hpack import Decoder, Encoder

asked = json.load(sys.stdin)

decoder = Decoder()
decoded = [
    [
        [name.decode("latin-1"), value.decode("latin-1")]
        for name, value in decoder.decode(bytes.fromhex(block), raw=True)
    ]
    for block in asked["decode"]
]

encoder = Encoder()
encoded = [
    encoder.encode(
        [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields],
        huffman=at % 2 == 0,
    ).hex()
    for at, fields in enumerate(asked["encode"])
]

json.dump({"decoded": decoded, "encoded": encoded}, sys.stdout)
