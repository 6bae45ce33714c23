"""Files of the reference libraries, and what they hold: where from_python.* and files.lua come from.

    python3 tests/golden/files.py            writes tests/golden/from_python.safetensors, .npy,
                                             from_python_fortran.npy and files.lua
    python3 tests/golden/files.py --check    makes them again and compares; then lets gru-lua
                                             ($GRU_LUA or build/gru-lua) write files, which must
                                             open here with equal values, and be the same bytes as
                                             the reference libraries write

Wants the packages numpy and safetensors.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import safetensors
import safetensors.numpy

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden"
METADATA = {"quote\"\\": "想要 直升机\n"}


def arrays():
    """Every dtype that can be read, and the shapes at the edge."""
    made = {
        "f64": np.array([[0.1, -1e300], [5e-324, 3.0]], np.float64),
        "f32": (np.arange(6, dtype=np.float32) / 3 - 1).reshape(2, 3),
        "f16": np.array([1.5, -65504, 6e-8, 2**-14, 0.1, -0.0], np.float16),
        "special": np.array([np.inf, -np.inf, -0.0, 1e-45, 3.4028235e38], np.float32),
        "special16": np.array([np.inf, -np.inf], np.float16),
        "bool": np.array([[True], [False], [True]]),
        "scalar": np.array(7, np.int64),
        "empty": np.zeros((2, 0, 3), np.float32),
        "名字 \"/\\\n": np.array([-1], np.int64),
        "u64": np.array([0, 2**63 - 1], np.uint64),
        "i64": np.array([-(2**63), 2**63 - 1, 0], np.int64),
    }
    for bits in 8, 16, 32:
        for kind in "iu":
            info = np.iinfo(f"{kind}{bits // 8}")
            made[f"{kind}{bits}"] = np.array([info.min, info.max, 1], info.dtype)
    return made


def lua_number(x):
    if isinstance(x, (bool, np.bool_)):
        return "true" if x else "false"
    if isinstance(x, (int, np.integer)):
        return "math.mininteger" if x == -(2**63) else str(int(x))
    if np.isinf(x):
        return "math.huge" if x > 0 else "-math.huge"
    return float(x).hex()


def lua_text(text):
    return '"' + "".join(f"\\{b}" if b < 32 or b > 126 or b in b'"\\' else chr(b) for b in text.encode()) + '"'


def lua_array(a):
    kind = {"b": "bool", "i": "int64", "u": "int64"}.get(a.dtype.kind)
    dtype = kind or ("float64" if a.dtype == np.float64 else "float32")
    values = ", ".join(lua_number(x) for x in a.ravel())
    shape = ", ".join(map(str, a.shape))
    return f'{{dtype = "{dtype}", shape = {{{shape}}}, data = {{{values}}}}}'


def write(folder):
    made = arrays()
    # numpy has no bfloat16: it goes in as uint16, the upper halves of float32, and is renamed
    bf16 = np.array([1.0, -2.5, 3.0e38, 0.0], np.float32)
    upper = (bf16.view(np.uint32) >> 16).astype(np.uint16)
    data = safetensors.numpy.save({**made, "bf16": upper}, METADATA)
    end = 8 + int.from_bytes(data[:8], "little")
    header = data[8:end].replace(b'"bf16":{"dtype":"U16"', b'"bf16":{"dtype":"BF16"').rstrip(b" ")
    header += b" " * (-len(header) % 8)
    data = len(header).to_bytes(8, "little") + header + data[end:]
    assert dict(safetensors.deserialize(data))["bf16"]["dtype"] == "BF16"
    (folder / "from_python.safetensors").write_bytes(data)
    made["bf16"] = (upper.astype(np.uint32) << 16).view(np.float32)
    np.save(folder / "from_python.npy", made["f32"])
    fortran = np.asfortranarray(np.arange(24, dtype=np.int16).reshape(2, 3, 4))
    np.save(folder / "from_python_fortran.npy", fortran)
    lines = ["-- What the from_python files hold; made by files.py.", "return {"]
    key, value = next(iter(METADATA.items()))
    lines.append(f"  metadata = {{[{lua_text(key)}] = {lua_text(value)}}},")
    lines.append(f"  fortran = {lua_array(fortran)},")
    lines.append("  tensors = {")
    lines += [f"    [{lua_text(k)}] = {lua_array(made[k])}," for k in sorted(made)]
    lines += ["  },", "}", ""]
    (folder / "files.lua").write_text("\n".join(lines))


SCRIPT = """
local gru = require "gru"
local folder = ...
local tensors = assert(gru.load("tests/golden/from_python.safetensors"))
assert(gru.save(folder .. "/all.safetensors", tensors, {k = "v"}))
local x = gru.arange(0, 12):to("float32"):view(3, 4)
local hot = gru.one_hot(gru.tensor {2, 1, 3}, 4)
assert(gru.save(folder .. "/views.safetensors",
  {t = x:t(), row = x[2], part = x[{{}, {2, 3}}], hot = hot, nan = x * (0 / 0)}))
assert(gru.save(folder .. "/nothing.safetensors", {}))
for name, t in pairs {f32 = x, t = x:t(), i64 = gru.arange(0, 1000), scalar = gru.tensor(2.5),
    bool = gru.tensor {true, false}, empty = gru.zeros(0, 3), f64 = tensors.f64} do
  assert(gru.save_npy(("%s/%s.npy"):format(folder, name), t))
end
"""


def check_tensors(folder):
    """What gru-lua wrote has the same values, and the same bytes as the reference writes."""
    written = safetensors.numpy.load_file(folder / "all.safetensors")
    want = arrays()
    for name, a in want.items():
        b = written[name]
        assert b.shape == a.shape and np.array_equal(b, a.astype(b.dtype)), name
    assert set(written) == set(want) | {"bf16"}
    with safetensors.safe_open(folder / "all.safetensors", "numpy") as f:
        assert f.metadata() == {"k": "v"}
    again = safetensors.numpy.save(written, {"k": "v"})
    assert again == (folder / "all.safetensors").read_bytes(), "bytes differ"
    views = safetensors.numpy.load_file(folder / "views.safetensors")
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    for name, a in dict(t=x.T, row=x[1], part=x[:, 1:3], hot=np.eye(4)[[1, 0, 2]]).items():
        assert np.array_equal(views[name], a), name
    assert np.isnan(views["nan"]).all()
    assert safetensors.numpy.load_file(folder / "nothing.safetensors") == {}


def check_npy(folder):
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    want = dict(f32=x, t=np.ascontiguousarray(x.T), i64=np.arange(1000), scalar=np.float32(2.5),
                bool=np.array([True, False]), empty=np.zeros((0, 3), np.float32), f64=arrays()["f64"])
    for name, a in want.items():
        path = folder / f"{name}.npy"
        b = np.load(path, allow_pickle=False)
        assert b.dtype == a.dtype and np.array_equal(a, b), name
        np.save(folder / "again", a)
        assert (folder / "again.npy").read_bytes() == path.read_bytes(), f"{name}: bytes differ"


def check():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write(folder)
        for path in folder.iterdir():
            assert path.read_bytes() == (GOLDEN / path.name).read_bytes(), f"{path.name} differs"
        program = os.environ.get("GRU_LUA", str(ROOT / "build/gru-lua"))
        (folder / "write.lua").write_text(SCRIPT)
        subprocess.run([program, folder / "write.lua", folder], cwd=ROOT, check=True)
        check_tensors(folder)
        check_npy(folder)
    print("files.py: the golden files are current, and what gru-lua writes opens in Python")


if __name__ == "__main__":
    check() if "--check" in sys.argv[1:] else write(GOLDEN)
