"""The readers of models, checkpoints and settings survive any damage with nothing but their own errors.

Every reader runs in a process of its own, which this file is too: `python test_fuzz_readers.py READER FILE N SEED`.
There an audit hook ends everything that would start a program or load a pickle. Memory is the growth of the process's
greatest resident set (ru_maxrss) over all mutations together, after a warm-up with the valid file; for the first
mutations tracemalloc also counts what is allocated for each by itself. The limit is twice the file's size plus 64 MiB.
CHAINRULE_FUZZ says how many mutations each reader meets.
"""

import json
import os
import random
import shutil
import struct
import subprocess
import sys
import time
import traceback
import tracemalloc
from pathlib import Path

import pytest

NUMBER = int(os.environ.get("CHAINRULE_FUZZ", "200"))
TRACED = 25
SLOWEST = 10.0  # seconds for one mutation; a valid file takes milliseconds
ODD = [
    *(
        None,
        True,
        False,
        -1,
        0,
        1,
        7,
        255,
        2**31,
        2**63,
        10**9,
        10**12,
        10**30,
        1.5,
        -0.0,
        1e-320,
        1e308,
        1e999,
        -1e999,
    ),
    *("", "x", "relu(", "relu", "é\0", "a" * 3000, "__import__('os').system('true')", "F64", "BF16", "F8_E4M3", "BOOL"),
    *([], {}, [[]], [10**9, 10**9], [0], [-1], [1] * 3000, {"a": 1}, [None], {"__metadata__": {}}),
]
TOML = [
    *(
        "nan",
        "inf",
        "-1",
        "0",
        "1e400",
        "10" * 400,
        "0x" + "f" * 5000,
        "0o7",
        "1_0",
        "true",
        '""',
        "''",
        "[]",
        "{}",
        "[[",
        "'''",
    ),
    *(
        "1979-05-27T07:32:00Z",
        "[" * 2000,
        "{a=" * 500,
        '"\\ud800"',
        "a.b.c.d = 1",
        "[data]",
        "[[data]]",
        "[data.source]",
    ),
    *('"""', "\r", "\0", "\ufeff", "=", "# comment", "\"__import__('os').system('true')\"", "a" * 5000 + " = 1"),
]


# Mutations


def mutated_bytes(content, rng):
    """Bits flipped, cut off, inserted, deleted, doubled, overwritten."""
    content = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(content) + 1)
        # most of a model file is numbers; half of all damage goes to what stands before them
        if rng.random() < 0.5:
            at = min(at, rng.randrange(min(len(content), 1200) + 1))
        size = rng.choice((1, 1, 2, 8, 64, 1000))
        way = rng.randrange(7)
        if way == 0:
            for _ in range(rng.choice((1, 1, 8))):
                if content:
                    place = rng.randrange(len(content))
                    content[place] ^= 1 << rng.randrange(8)
        elif way == 1:
            del content[at:]
        elif way == 2:
            content[at:at] = rng.randbytes(size)
        elif way == 3:
            del content[at : at + size]
        elif way == 4:
            content[at:at] = content[at : at + size]
        elif way == 5:
            content[at : at + size] = rng.randbytes(size)
        else:
            content[at : at + 8] = rng.choice((b"\xff" * 8, b"\0" * 8, struct.pack("<Q", rng.randrange(2**40))))
    return bytes(content)


def mutated_json(value, rng):
    """A copy with one leaf or branch replaced, taken away, added or doubled; JSON within texts is entered too."""
    value = json.loads(json.dumps(value))
    holders = list(branches(value))
    holder = rng.choice(holders)
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    if not keys or rng.random() < 0.1:
        if isinstance(holder, dict):
            holder[rng.choice(("x", "init", "seed", "epoch", "sha256"))] = rng.choice(ODD)
        else:
            holder.append(rng.choice(ODD))
        return value
    key = rng.choice(keys)
    inner = holder[key]
    if isinstance(inner, str) and inner.startswith("{") and rng.random() < 0.9:
        holder[key] = json.dumps(mutated_json(json.loads(inner), rng))
    elif rng.random() < 0.15:
        del holder[key]
    elif rng.random() < 0.2:
        other = rng.choice(holders)
        holder[key] = json.loads(
            json.dumps(rng.choice(list(other.values() if isinstance(other, dict) else other) or [0]))
        )
    elif isinstance(inner, int) and rng.random() < 0.4:
        holder[key] = inner + rng.choice((-1, 1, 4, 10**6))
    else:
        holder[key] = rng.choice(ODD)
    return value


def branches(value):
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from branches(inner)


def mutated_model(content, rng):
    """Half of them with a right checksum: models pass between strangers, checkpoints do not."""
    return forged(content, rng) if rng.random() < 0.5 else mutated_safetensors(content, rng)


def mutated_safetensors(content, rng):
    if rng.random() < 0.4:
        return mutated_bytes(content, rng)
    header, data = taken_apart(content)
    text = json.dumps(mutated_json(header, rng)).encode()
    if rng.random() < 0.1:
        data = mutated_bytes(data, rng)
    return struct.pack("<Q", len(text) if rng.random() < 0.95 else rng.randrange(2**63)) + text + data


def forged(content, rng):
    """Other settings, other arrays, and a checksum that is right for them, as of a stranger who knows the format."""
    from safetensors.numpy import load, save

    from chainrule.runs.tensors import _digest

    own = json.loads(taken_apart(content)[0]["__metadata__"]["chainrule"])
    arrays = load(content)
    if rng.random() < 0.7:
        own["settings"] = mutated_json(own["settings"], rng)
    if rng.random() < 0.5:
        name = rng.choice(sorted(arrays))
        arrays[rng.choice((name, name, name, "network/W9", "extra"))] = mutated_array(arrays.pop(name), rng)
    own["sha256"] = _digest(arrays, own["settings"])
    return save(arrays, {"chainrule": json.dumps(own)})


def mutated_array(array, rng):
    import numpy as np

    way = rng.randrange(6)
    if way == 0:
        return np.ascontiguousarray(array.reshape(-1)[: rng.randrange(array.size + 1)])
    if way == 1:
        return np.ascontiguousarray(array[..., None])
    if way == 2:
        return array.astype(rng.choice(("float16", "float64", "int8", "int64", "bool", "uint32")))
    if way == 3:
        return np.tile(array, rng.choice((2, 100)))
    if way == 4:
        return np.full_like(array, rng.choice((0, -1, 1, 1e38, float("nan"), float("inf"))), order="C")
    return np.zeros(rng.choice(((), (0,), (0, 3), (1,), (1, 1), (5, 0))), array.dtype)


def taken_apart(content):
    """Header and data of a safetensors file."""
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def mutated_json_file(content, rng):
    if rng.random() < 0.4:
        return mutated_bytes(content, rng)
    return json.dumps(mutated_json(json.loads(content), rng)).encode()


def mutated_toml(content, rng):
    if rng.random() < 0.3:
        return mutated_bytes(content, rng)
    lines = content.decode().split("\n")
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.randrange(len(lines))
        way = rng.randrange(5)
        if way == 0 and "=" in lines[at]:
            lines[at] = lines[at].split("=")[0] + "= " + rng.choice(TOML)
        elif way == 1:
            lines.insert(at, rng.choice(TOML))
        elif way == 2:
            lines.insert(at, lines[rng.randrange(len(lines))])
        elif way == 3 and len(lines) > 1:
            del lines[at]
        else:
            key = rng.choice(("epochs", "hiden", "a.b", '"quoted key"', "[network]", "activation"))
            lines[at] = f"{key} = {rng.choice(TOML)}"
    return "\n".join(lines).encode("utf-8", "replace")


# Readers: what a person does with such a file


def read_model(path):
    """Load the model and write its predictions in every form, as `chainrule predict` does."""
    import chainrule as cr
    from chainrule.cli.predict import WRITERS, _predictions

    net = cr.load(path)
    net.predict_proba([[0.0] * net.layers[0]])
    if net.spec is not None:
        predictions = _predictions(net, net.spec.prepare([[0.0] * net.spec.features]), ["0"])
        for write in WRITERS.values():
            write(predictions)


def read_checkpoint(path):
    """Resume the run in whose folder the file lies; its evaluation and its figures are left out."""
    import chainrule.runs
    from chainrule.runs.folder import Run

    room = sys.modules["chainrule.runs.execute"]
    room.draw = lambda *_: None
    room.evaluate_parts = lambda *_: {}
    folder = path.parent.parent
    (folder / "evaluation.json").unlink(missing_ok=True)
    chainrule.runs.resume(Run(folder))


def read_settings(path):
    from chainrule.runs import read_config

    read_config(path).with_seeds().identity()


READERS = {
    "model": (read_model, mutated_model),
    "checkpoint": (read_checkpoint, mutated_safetensors),
    "toml": (read_settings, mutated_toml),
    "config": (read_settings, mutated_json_file),
}


# The process that survives


def survive(reader, path, number, seed):
    """What went wrong in `number` mutations of the file at `path`, and the growth of memory in bytes."""
    import resource

    from chainrule.errors import ChainruleError

    read, mutate = READERS[reader]
    valid = path.read_bytes()
    os.fsync = lambda _: None  # thousands of files that nobody needs need not reach the disk
    rng = random.Random(seed)
    sys.addaudithook(forbid)
    for _ in range(3):
        path.parent.mkdir(exist_ok=True)  # a run that ends takes its checkpoint with it
        path.write_bytes(valid)
        read(path)
    wrong, refused, sizes = [], 0, [len(valid)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def once(content):
        nonlocal refused
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        began = time.perf_counter()
        try:
            read(path)
        except ChainruleError as error:
            refused += 1
            if len(str(error)) > 5000:
                wrong.append(f"a message of {len(str(error))} characters: {str(error)[:200]}")
        except BaseException:
            wrong.append(traceback.format_exc(limit=-4) + f"content {content[:600]!r}")
        if time.perf_counter() - began > SLOWEST:
            wrong.append(f"{time.perf_counter() - began:.1f} s for {content[:600]!r}")

    for _ in range(number):
        content = mutate(valid, rng)
        sizes.append(len(content))
        once(content)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    peaks = []
    for _ in range(min(number, TRACED)):
        content = mutate(valid, rng)
        tracemalloc.start()
        once(content)
        peaks.append(tracemalloc.get_traced_memory()[1] - 2 * max(len(content), len(valid)))
        tracemalloc.stop()
    return {"wrong": wrong, "refused": refused, "grown": grown - 2 * max(sizes), "peak": max(peaks, default=0)}


def forbid(event, _):
    if event in ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "pickle.find_class", "os.fork"):
        raise RuntimeError(f"{event} while reading a file")


# The tests


@pytest.fixture(scope="module")
def valid(tmp_path_factory):
    """A valid file for every reader, as the program itself writes them."""
    from chainrule.runs import RunConfig, execute
    from chainrule.runs.config import DataSettings, NetworkSettings, TrainingSettings

    room = sys.modules["chainrule.runs.execute"]
    config = RunConfig(
        data=DataSettings(source="moons", samples=40),
        network=NetworkSettings(
            hidden=(5, 4), activation=("elu(0.5)", "tanh"), dropout=(0.1,), batch_norm=(True, False)
        ),
        training=TrainingSettings(epochs=3, batch_size=7, optimizer="adam", early_stopping=2, record_batches=True),
    )
    folder = tmp_path_factory.mktemp("valid")

    class KilledError(BaseException):
        """The end of the process after the checkpoint of the second epoch."""

    def dying(run, state, write=room.Run.write_checkpoint):
        write(run, state)
        if state.epoch == 2:
            raise KilledError

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(room, "draw", lambda *_: None)
        finished = execute(config, runs_dir=folder / "finished").run.path
        patched.setattr(room.Run, "write_checkpoint", dying)
        with pytest.raises(KilledError):
            execute(config, runs_dir=folder / "killed", checkpoint_seconds=0)
    killed = folder / "killed" / finished.name
    settings = folder / "settings.toml"
    settings.write_text(
        'name = "a name"\nseed = 3\n\n[data]\nsource = "digits"\nvalidation = 0.2\nimage_size = [8, 8]\n\n[network]\n'
        'hidden = [32, 16]\nactivation = ["relu", "elu(0.5)"]\ndropout = 0.1\nbatch_norm = [true, false]\n\n'
        '[training]\nepochs = 3\nbatch_size = "full"\nlearning_rate = 1e-3\noptimizer = "adam(beta1=0.8)"\n'
        "shuffle = true\nclip = 1\n"
    )
    return {
        "model": finished / "model.safetensors",
        "checkpoint": killed / "checkpoint" / "state.safetensors",
        "toml": settings,
        "config": finished / "config.json",
    }


@pytest.mark.fuzz
@pytest.mark.parametrize("reader", READERS)
def test_a_reader_survives_mutated_files(valid, tmp_path, reader):
    source = valid[reader]
    if reader == "checkpoint":
        folder = shutil.copytree(source.parent.parent, tmp_path / source.parent.parent.name)
        path = folder / "checkpoint" / source.name
    else:
        path = Path(shutil.copy(source, tmp_path))
    seed = int(os.environ.get("CHAINRULE_FUZZ_SEED", "1"))
    done = subprocess.run(
        [sys.executable, __file__, reader, str(path), str(NUMBER), str(seed)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60 + NUMBER,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    distinct = {text.partition("content ")[0]: text for text in found["wrong"]}
    told = "\n\n".join(list(distinct.values())[:8])
    assert not distinct, f"{len(found['wrong'])} of {NUMBER} mutations, {len(distinct)} kinds:\n{told}"
    assert found["refused"] > NUMBER / 10, "mutations that harm nothing prove nothing"
    assert found["grown"] < 64 << 20
    assert found["peak"] < 64 << 20


def test_the_mutations_of_a_seed_are_always_the_same(valid):
    for reader, (_, mutate) in READERS.items():
        content = valid[reader].read_bytes()
        one, other = ([mutate(content, random.Random(seed)) for seed in range(20)] for _ in range(2))
        assert one == other
        assert any(changed != content for changed in one)


if __name__ == "__main__":
    print(json.dumps(survive(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
