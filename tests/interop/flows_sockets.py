"""Unix domain sockets: the C core's own clients of them, and ours."""

import os
import tempfile

from client_case import raises
from flow import equal, flow, kind
from server import Server

import larder

LOCAL = "unix:{}/a ü.local"
REMOTE = "unix:{}/a ü.remote"


@flow
def clients_dial_a_socket(case):
    with tempfile.TemporaryDirectory() as folder:
        server = Server(case.server.command, case.server.folder)
        server.addresses = {"LocalCache": LOCAL.format(folder), "RemoteCache": REMOTE.format(folder)}
        with server:
            equal(server.addresses["LocalCache"], LOCAL.format(folder), "where it answers")
            work = kind(server.local.get("sockets", b"k"), "assign")
            server.local.publish(work, b"from a file")
            equal(server.remote.get("sockets", b"k").value, b"from a file")
            path = REMOTE.format(folder).removeprefix("unix:")
            forms = [f"unix:{path}", f"unix://{path}", f"unix:{os.path.relpath(path)}"]
            for at, form in enumerate(forms):
                with larder.Cache(form) as cache:
                    equal(cache.generate("sockets", b"c", lambda: at), 0, form)
            # What is said of TLS is about the server's other listener.
            names = {"LARDER_REMOTE": forms[0], "LARDER_CA": "/no/such.pem", "http_proxy": "http://127.0.0.1:1"}
            os.environ.update(names)
            try:
                with larder.Cache(token="abc") as cache:
                    equal(cache.get("sockets", b"c"), 0)
                    server.kill()
                    server.start()
                    equal(cache.get("sockets", b"c"), 0, "after a kill")
            finally:
                for name in names:
                    del os.environ[name]
            equal(server.stop(), 0, "exit code")
            equal(os.listdir(folder), [], "what is left of the sockets")


@flow
def client_refuses_what_is_no_path_of_a_socket(_):
    for wrong in ("unix:", "unix://", "unix://host/x", "unix:/a,b", "unix:/a%20b", "unix:/a/", f"unix:/{'x' * 107}"):
        with raises(ValueError, "no unix:PATH of a socket"):
            larder.Cache(wrong)
