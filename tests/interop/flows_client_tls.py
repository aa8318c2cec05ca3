"""The Python client over TLS, with a certificate of its own."""

import hashlib
import os
import re
import tempfile
from pathlib import Path

from client_case import HERE, raises, warnings
from flow import equal, flow
from server import Server

import larder

CERTIFICATES = HERE.parent / "support" / "certificates.ts"


def pem_files(folder: str) -> dict[str, str]:
    """The certificates and keys of the tests, as files."""
    text = CERTIFICATES.read_text()
    files = {}
    for name, rest in re.findall(r"export const (\w+)(.*?);\n", text, re.S):
        for kind, pem in zip(("pem", "key"), re.findall(r"`(.*?)`", rest, re.S)):
            path = Path(folder) / f"{name.lower()}.{kind}"
            path.write_text(pem)
            files[path.name] = str(path)
    return files


@flow
def client_speaks_mutual_tls(case):
    with tempfile.TemporaryDirectory() as folder:
        files = pem_files(folder)
        flags = [
            f"--tls-cert={files['server.pem']}",
            f"--tls-key={files['server.key']}",
            f"--client-ca={files['ca.pem']}",
        ]
        alice = {"ca": files["ca.pem"], "cert": files["alice.pem"], "key": files["alice.key"]}
        with Server(case.server.command, case.server.folder, flags) as server:
            remote = server.addresses["RemoteCache"]
            with larder.Cache(remote, **alice) as cache:
                equal(cache.generate("tls", b"k", lambda: [1, 2]), [1, 2])
                equal([each.key for each in cache.list("tls")], [b"k"])
            with warnings() as said:
                wrong = [
                    ({}, "it speaks TLS, and was spoken to in plain text: give ca"),
                    ({"ca": files["ca.pem"]}, "asks for a certificate of the client: give cert and key"),
                    ({**alice, "ca": files["foreign.pem"]}, "foreign.pem does not vouch for the certificate of the server"),
                    ({**alice, "cert": files["mallory.pem"], "key": files["mallory.key"]}, "the server does not take cert"),
                ]
                for options, message in wrong:
                    with larder.Cache(remote, patience=0.5, **options) as cache:
                        equal(cache.get("tls", b"k"), None, f"with {sorted(options)}")
                    equal(message in said[-1], True, said[-1])
                equal(len(said), len(wrong), "how many were warned")
            names = {"LARDER_REMOTE": remote, "LARDER_CA": alice["ca"]}
            names |= {"LARDER_CERT": alice["cert"], "LARDER_CERT_KEY": alice["key"]}
            os.environ.update(names)
            try:
                with larder.Cache() as cache:
                    equal(cache.get("tls", b"k"), [1, 2])
            finally:
                for name in names:
                    del os.environ[name]


@flow
def client_refuses_what_cannot_be_safe(case):
    with raises(ValueError, "give both"):
        larder.Cache(cert="a.pem")
    with raises(ValueError, "need ca"):
        larder.Cache(cert="a.pem", key="a.key")
    with raises(ValueError, "ca /no/such.pem: No such file"):
        larder.Cache(ca="/no/such.pem")
    with raises(ValueError, "in plain text: give ca"):
        larder.Cache("cache.internal:28056", token="abc")


@flow
def client_computes_whatever_the_environment_says_of_tls(_):
    wrong = [
        ({"LARDER_CA": "/no/such.pem"}, "LARDER_CA: ca /no/such.pem: No such file"),
        ({"LARDER_CA": "/"}, "LARDER_CA: ca /: Is a directory"),
        ({"LARDER_CERT": "a.pem"}, "LARDER_CERT: cert and key belong together"),
        ({"LARDER_TOKEN_FILE": "/no/such"}, "LARDER_TOKEN_FILE: LARDER_TOKEN_FILE /no/such: No such file"),
        ({"LARDER_TOKEN": "a b"}, "LARDER_TOKEN: the token holds"),
        ({"LARDER_TOKEN_FILE": os.devnull}, "LARDER_TOKEN_FILE: the token is empty"),
    ]
    for names, message in wrong:
        os.environ.update(names)
        try:
            with warnings() as said, larder.Cache() as cache:

                @larder.cached("tls", cache=cache)
                def doubled(value):
                    return 2 * value

                equal([doubled(21), doubled(4)], [42, 8])
                equal(len(said), 1, f"warnings: {said}")
                equal(message in said[0], True, f"{said} of {names}")
            with raises(ValueError, "need ca"):
                larder.Cache(cert="a.pem", key="a.key", ca="")
        finally:
            for name in names:
                del os.environ[name]


@flow
def client_has_a_token(case):
    rules = "".join(
        f'[[token]]\nname = "{name}"\nsha256 = "{hashlib.sha256(name.encode()).hexdigest()}"\n{rights}\n'
        for name, rights in (("writer", 'write = ["a"]'), ("reader", 'read = ["*"]'))
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "access.toml"
        path.write_text(rules + "[anyone.remote]\n")
        with Server(case.server.command, case.server.folder, [f"--access={path}"]) as server:
            remote = server.addresses["RemoteCache"]
            with larder.Cache(remote, token="writer") as cache:
                equal(cache.generate("a", b"k", lambda: [1, 2]), [1, 2])
                equal([each.key for each in cache.list("a")], [b"k"])
                with raises(larder.CacheError, "right to admin"):
                    cache.delete("a", b"k")
            with larder.Cache(remote, token="reader") as cache:
                equal(cache.get("a", b"k"), [1, 2])
                equal(cache.generate("a", b"other", lambda: 3), 3)
                equal(cache.get("a", b"other"), None, "what a reader computes is not kept")
            os.environ["LARDER_TOKEN"] = "writer\n"
            try:
                with larder.Cache(remote) as cache:
                    equal(cache.get("a", b"k"), [1, 2], "a secret may end in a newline")
            finally:
                del os.environ["LARDER_TOKEN"]
            with larder.Cache(remote, token="guess") as cache:
                with raises(larder.CacheError, "the token is not known"):
                    cache.stat("a", b"k")
