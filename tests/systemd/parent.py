"""Makes sockets that listen, keeps them, and starts programs that inherit them.

Does what systemd does for a service with sockets: they are descriptors 3, 4, …,
and LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES say so. Arguments are NAME=PLACE;
each line of stdin is a command as JSON, of a program that is started when the one
before has ended.
"""

import json
import os
import socket
import sys


def made(place):
    """A socket for `tcp:HOST`, `unix:PATH`, or `udp:HOST`, which cannot listen."""
    kind, where = place.split(":", 1)
    if kind == "unix":
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(where)
    else:
        family = socket.AF_INET6 if ":" in where else socket.AF_INET
        stream = socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM
        listening = socket.socket(family, stream)
        listening.bind((where, 0))
    if kind != "udp":
        listening.listen(1024)
    return listening


names, places = zip(*(word.split("=", 1) for word in sys.argv[1:]))
sockets = [made(place) for place in places]
ports = [s.getsockname()[1] if s.family != socket.AF_UNIX else 0 for s in sockets]
print(json.dumps({"ports": ports}), flush=True)

# Above those that are handed on: no descriptor is overwritten that is still wanted.
high = 3 + 2 * len(sockets)
kept = [os.dup2(s.fileno(), high + at, inheritable=False) for at, s in enumerate(sockets)]

for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        for at, descriptor in enumerate(kept):
            os.dup2(descriptor, 3 + at)
        os.environ["LISTEN_PID"] = str(os.getpid())
        os.environ["LISTEN_FDS"] = str(len(kept))
        os.environ["LISTEN_FDNAMES"] = ":".join(names)
        words = json.loads(line)
        os.execvp(words[0], words)
    print(json.dumps({"pid": pid}), flush=True)
    status = os.waitpid(pid, 0)[1]
    print(json.dumps({"ended": os.waitstatus_to_exitcode(status)}), flush=True)
