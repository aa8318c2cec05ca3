"""The Python client: how keys are made, and that programs in TypeScript make the same."""

import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from client_case import HERE, address_of, client, never, raises
from flow import equal, flow

import larder

# As JavaScript writes them: whole, small, large, and the borders between forms.
NUMBERS = [
    *[0, -0.0, 1, -1.0, 0.5, 1e21, 1e20, 123456789012345680000.0, 1e-6, 1e-7, 1.5e-7, 123.456, 1e300, -5e-324],
    *[2**53 - 1, -(2**53 - 1), 2.0**53, 2.0**60, 1 / 3, 100.0, 1e16, 1.7976931348623157e308, 4.35, 0.000123],
]
KEYS = [
    *NUMBERS,
    *[None, True, "", "é 🦊 \u2028 \x00\x1f\x7f\"\\/\b\n", [], {}, [[], {"a": [1.0]}]],
    # In the order of UTF-16 code units, where the fox comes first.
    {"\ufb33": 1, "🦊": 2, "b": 3, "B": 4, "": 5},
]


@flow
def client_in_typescript_makes_the_same_keys_and_reads_the_same_values(case):
    """client.ts does the same with the library for TypeScript."""
    namespace = case.namespace
    question = {"remote": address_of(case), "namespace": namespace, "keys": KEYS, "value": {"ü": [1, 0.5, "🦊", None]}}
    with client(case) as cache:
        equal(cache.set(namespace, {"from": "Python", "n": 1.0}, question["value"]), True)
        equal(cache.set(namespace, b"raw", b"\x00\xff", codec=larder.BYTES), True)
        command = [case.server.command[0], "run", "--quiet", "--no-check", "--allow-all", "client.ts"]
        answer = subprocess.run(
            command, input=json.dumps(question), capture_output=True, text=True, check=False, cwd=HERE
        )
        equal(answer.returncode, 0, answer.stderr)
        said = json.loads(answer.stdout)
        equal(said["keys"], [larder._key_bytes(key).hex() for key in KEYS])
        equal(said["value"], question["value"])
        equal(said["raw"], "00ff")
        equal(cache.generate(namespace, {"from": "TypeScript"}, never), {"ä": [1, None, "é"]})
        equal(cache.generate(namespace, b"their bytes", never, codec=larder.BYTES), b"\xff\x00")
        with raises(larder.StoredError, "line 3"):
            cache.generate(namespace, "stored error", never)

        # A call of a function, as docs/PYTHON.md writes its key.
        @larder.cached(namespace, version=3, cache=cache)
        def simulate(stages, corner="tt"):
            return never()

        key = {"function": f"{__name__}.{simulate.__qualname__}", "version": "3"}
        key["arguments"] = {"corner": "tt", "stages": 7}
        cache.set(namespace, key, {"mhz": 900})
        equal(simulate(7), {"mhz": 900})


def closes_over(constant):
    @larder.cached("a.b", version=1)
    def function(x):
        return x + constant

    return function


class Corner:
    @larder.cached("a.b", key=lambda self, x: [self.name, x])
    def method(self, x):
        return x

    name = "tt"


@flow
def client_keys_tell_apart_what_differs(_):
    def simulate(x, *rest, **more):
        return x

    named = larder.cached("a.b", version=1)(simulate)
    values = [
        *[1, 1.0, True, "1", b"1", bytearray(b"1"), [1], (1,), {1}, frozenset([1]), {"1": 1}, {1: 1}, {1.0: 1}],
        *[None, "", 0, -0.0, 0.0, float("nan"), float("inf"), 2**53, 2.0**53, 2**60, 2**60 + 1, 2.0**60],
        *[{"$tuple": [1]}, {"$float": "1.0"}, {"$dict": []}, {"a": {}}, {"a": []}],
    ]
    keys = [larder._key_bytes(larder.key_of(named, value)) for value in values]
    equal(len(set(keys)), len(values), "different keys")
    equal(larder.key_of(named, {"b": 1, 2: {3, 4}}), larder.key_of(named, {2: {4, 3}, "b": 1}))
    apart = {
        larder._key_bytes(larder.key_of(each, 1))
        for each in (
            named,
            larder.cached("a.b", version=2)(simulate),
            larder.cached("a.b")(simulate),
            closes_over(1),
            closes_over(2),
        )
    }
    equal(len(apart), 5, "keys of different functions")
    equal(larder.key_of(Corner.method, Corner(), 2)["key"], ["tt", 2])


@flow
def client_refuses_what_has_no_key(_):
    @larder.cached("a.b")
    def simulate(model):
        return model

    cyclic = []
    cyclic.append(cyclic)
    for value in (object(), simulate, [{"a": 1j}], Corner(), "\ud800", cyclic):
        with raises(TypeError):
            larder._key_bytes(larder.key_of(simulate, value))
    with raises(TypeError, "the argument model[0]['a'] is of type complex"):
        simulate([{"a": 1j}])
    for key in (float("nan"), 2**53, {1: 2}, [b""], "\ud800", cyclic, {"a": set()}):
        with raises(TypeError, "the key"):
            larder._key_bytes(key)
    with raises(ValueError, "larger than 65536"):
        larder._key_bytes(b"k" * 65_537)
    with raises(TypeError, "lambda"):
        larder.cached("a.b")(lambda: 1)
    with raises(TypeError, "directly above the def"):
        larder.cached("a.b")(staticmethod(never))
    with raises(TypeError, "say which version it is"):
        exec('import larder\n@larder.cached("a.b")\ndef f(): pass')
    with raises(TypeError, "write @larder.cached"):
        larder.cached(simulate)
    with raises(ValueError, "no namespace"):
        larder.cached("a-b")

    async def later():
        pass

    def several():
        yield

    for function in (later, several):
        with raises(TypeError, "async or a generator"):
            larder.cached("a.b")(function)
    with raises(TypeError, "function around it"):
        closes_over(object())(1)
    for address in ("http://127.0.0.1:28056", "127.0.0.1", "127.0.0.1:99999", "a b:1"):
        with raises(ValueError, "not host:port"):
            larder.Cache(address)


@flow
def client_installs_as_a_package(_):
    """As `pip install ./python` does, but from a copy, for that leaves files, and with no network."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(Path(larder.__file__).parent, f"{folder}/python")
        options = ["--quiet", "--disable-pip-version-check", "--no-build-isolation", "--no-deps", "--no-index"]
        install = [sys.executable, "-m", "pip", "install", *options, "--target", f"{folder}/site", f"{folder}/python"]
        subprocess.run(install, check=True)
        shutil.rmtree(f"{folder}/python")
        ended = subprocess.run(
            [sys.executable, "-c", "import larder; print(larder.__file__)"],
            env={**os.environ, "PYTHONPATH": f"{folder}/site"},
            capture_output=True,
            text=True,
            check=True,
        )
        equal(ended.stdout.strip(), f"{folder}/site/larder.py")


@flow
def client_documentation_is_true(case):
    """Each program in docs/PYTHON.md prints what it says."""
    page = HERE.parent.parent / "docs" / "PYTHON.md"
    programs = [each.split("```")[0] for each in page.read_text().split("```python\n")[1:]]
    if len(programs) < 4:
        raise AssertionError(f"{len(programs)} programs in {page}")
    for at, program in enumerate(programs):
        file = Path(case.server.root).parent / f"{Path(case.server.root).name}-{at}.py"
        file.write_text(program.replace("127.0.0.1:28056", address_of(case)))
        try:
            ended = subprocess.run(
                [sys.executable, str(file)],
                env={**os.environ, "LARDER_REMOTE": address_of(case)},
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            file.unlink()
        expected = [line.split("# prints ")[1] for line in program.splitlines() if "# prints " in line]
        equal(ended.stdout.splitlines(), expected, f"program {at + 1}, which says {ended.stderr}:")


@flow
def client_is_one_file_for_python_3_9(_):
    source = Path(larder.__file__).read_text()
    ast.parse(source, feature_version=(3, 9))
    allowed = sys.stdlib_module_names | {"grpc"}
    for node in ast.walk(ast.parse(source)):
        for name in [each.name for each in node.names] if isinstance(node, ast.Import) else []:
            if name.split(".")[0] not in allowed:
                raise AssertionError(f"larder.py imports {name}")
