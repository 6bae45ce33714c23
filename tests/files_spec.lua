-- Tensors in files: safetensors and npy, and what they must refuse.
local gru = require "gru"
local core = require "gru.core"
local agree = require "tests.support.agree"
local golden = dofile "tests/golden/files.lua"
local malformed = require "tests.support.malformed"
local nd = require "tests.support.nd"
local new_scratch = require "tests.support.scratch"
local describe = require("tests.support.devices").describe

local scratch = new_scratch()
local folder, read, write, list = scratch.folder, scratch.read, scratch.write, scratch.list
local path = folder .. "/file"

teardown(scratch.remove)

local function has(t, want)
  assert(agree.shape(t, want.shape, want.dtype))
  assert(agree.values(t, nd.new(want.shape, want.data), 0))
end

-- The same dtype, shape and bytes.
local function same(a, b)
  assert.same(a.shape, b.shape)
  assert.equal(a.dtype, b.dtype)
  assert.is_true(a:data() == b:data(), "bytes differ")
end

local INF = math.huge
local x = gru.arange(0, 24):to("float32"):view(2, 3, 4)
local CASES = {
  f32 = x, f64 = x:double() / 3, i64 = gru.tensor {math.mininteger, -1, 0, math.maxinteger},
  bool = gru.tensor {{true, false}, {false, true}},
  scalar = gru.tensor(2.5), scalar_i64 = gru.tensor(-7), scalar_bool = gru.tensor(true),
  empty = gru.zeros(0), empty3 = gru.zeros(2, 0, 3, {dtype = "int64"}),
  dims8 = x:reshape(1, 2, 1, 3, 1, 2, 1, 2),
  special = gru.tensor {INF, -INF, 0 / 0, -(0 / 0), -0.0, 1e-45},
  special64 = gru.tensor({INF, -INF, 0 / 0, -0.0, 5e-324}, {dtype = "float64"}),
  transposed = x:transpose(1, 3), permuted = x:permute(2, 3, 1), row = x[2], column = x[{{}, 2}],
  narrowed = x:narrow(3, 2, 2), expanded = x[1][1]:view(1, 4):expand(3, 4),
  one_hot = gru.one_hot(gru.tensor {{2, 1}, {4, 4}}, 4),
  one_hot_view = gru.one_hot(gru.tensor {{2, 1}, {4, 4}}, 4):transpose(1, 2),
  parameter = gru.randn(3, {requires_grad = true}), computed = (gru.randn(3, {requires_grad = true}) * 2),
}

describe("safetensors", function()
  it("come back as they were", function()
    assert.is_true(gru.save(path, CASES, {["ké\"\\\n"] = "", empty = "\u{10FFFF}\1"}))
    local tensors, metadata = assert(gru.load(path))
    assert.same({["ké\"\\\n"] = "", empty = "\u{10FFFF}\1"}, metadata)
    for name, t in pairs(CASES) do same(t, tensors[name]) end
    for name, t in pairs(tensors) do
      assert.is_truthy(CASES[name])
      assert.is_true(t:is_contiguous())
      assert.is_false(t.requires_grad)
      assert.is_true(t.is_leaf)
    end
  end)

  it("are the same bytes for the same tensors, wide ones first", function()
    assert(gru.save(path, CASES))
    local first = read(path)
    assert(gru.save(path, assert(gru.load(path))))
    assert.is_true(first == read(path))
    assert(gru.save(path, {
      b = gru.tensor {true}, z = gru.zeros(1), a = gru.zeros(1), i = gru.tensor {1},
    }, {k = "v"}))
    assert.equal('{"__metadata__":{"k":"v"},"i":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},'
      .. '"a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},'
      .. '"z":{"dtype":"F32","shape":[1],"data_offsets":[12,16]},'
      .. '"b":{"dtype":"BOOL","shape":[1],"data_offsets":[16,17]}}', (read(path):sub(9, -18):gsub(" +$", "")))
    assert.equal(0, string.unpack("<I8", read(path)) % 8)
  end)

  it("hold nothing, or any name", function()
    assert(gru.save(path, {}))
    local tensors, metadata = assert(gru.load(path))
    assert.is_nil(next(tensors))
    assert.is_nil(next(metadata))
    local names = {"", " ", "a.b.c", "想要", "\"", "\\", "\n", "\1", "\u{10FFFF}", ("n"):rep(5000), "dtype"}
    local many = {}
    for i, name in ipairs(names) do many[name] = gru.tensor(i) end
    assert(gru.save(path, many))
    tensors = assert(gru.load(path))
    for i, name in ipairs(names) do assert.equal(i, tensors[name]:item()) end
  end)

  it("leave the tensors and the gradient mode alone", function()
    local w = gru.randn(4, {requires_grad = true})
    local y = (w * 2):sum()
    assert(gru.save(path, {w = w, y = y}))
    y:backward()
    assert.same({2, 2, 2, 2}, w.grad:totable())
    assert.is_true(gru.is_grad_enabled())
    assert.equal(1, select("#", gru.save(path, {w = w})))
  end)

  it("go to a device", function()
    assert(gru.save(path, {x = x}))
    for _, device in ipairs(gru.devices()) do
      local t = assert(gru.load(path, device)).x
      assert.equal(device, t.device)
      same(x, t:cpu())
      assert(gru.save(path, {x = t:transpose(1, 2)}))
      same(x:transpose(1, 2), assert(gru.load(path, "cpu")).x)
      assert(gru.save(path, {x = x}))
    end
    assert.error_matches(function() gru.load(path, "tpu") end, "device 'tpu")
    assert.error_matches(function() gru.load_npy(path, "tpu") end, "device 'tpu")
  end)

  it("widen types that the runtime lacks", function()
    local header = ('{"a":%s,"b":%s}'):format(malformed.entry('"BOOL"', "[3]", "[0,3]"),
      malformed.entry('"BF16"', "[1]", "[3,5]"))
    write(path, malformed.file(header, "\0\2\255" .. "\xC0\x7F"))
    local tensors = assert(gru.load(path))
    assert.same({false, true, true}, tensors.a:totable())
    assert.is_true(tensors.b:item() ~= tensors.b:item())
    local big = ("\255\127\0\128"):rep(70000) -- more than the reader's buffer
    write(path, malformed.file('{"a":' .. malformed.entry('"I16"', "[140000]", "[0,280000]") .. "}", big))
    local t = assert(gru.load(path)).a
    assert.equal("int64", t.dtype)
    assert.equal(-70000, t:sum():item())
  end)

  it("of Python are read", function()
    local tensors, metadata = assert(gru.load "tests/golden/from_python.safetensors")
    assert.same(golden.metadata, metadata)
    for name, want in pairs(golden.tensors) do has(tensors[name], want) end
    for name in pairs(tensors) do assert.is_truthy(golden.tensors[name]) end
  end)

  it("take keys they do not know, and any order", function()
    write(path, malformed.file('{"b":{"x":[{}],"data_offsets":[1,2],"shape":[],"dtype":"U8"} ,\n"a":'
      .. malformed.entry(nil, "[1]", "[0,1]") .. "}  ", "\5\6"))
    local tensors = assert(gru.load(path))
    assert.equal(6, tensors.b:item())
    assert.same({5}, tensors.a:totable())
  end)
end)

describe("npy", function()
  it("comes back as it was", function()
    for _, t in pairs(CASES) do
      assert.is_true(gru.save_npy(path, t))
      assert.equal(t:nbytes(), #read(path) % 64 == t:nbytes() % 64 and t:nbytes())
      same(t, assert(gru.load_npy(path)))
    end
  end)

  it("of Python is read, in Fortran's order too", function()
    has(assert(gru.load_npy "tests/golden/from_python.npy"), golden.tensors.f32)
    local t = assert(gru.load_npy "tests/golden/from_python_fortran.npy")
    has(t, golden.fortran)
    assert.same({1, 2, 6}, t:stride())
    has(assert(gru.load_npy("tests/golden/from_python_fortran.npy", "cpu")):contiguous(), golden.fortran)
  end)

  it("has three versions and any spacing", function()
    for version = 1, 3 do
      write(path, malformed.array(malformed.dict(), "\1\0\255\255", version))
      assert.same({1, -1}, assert(gru.load_npy(path)):totable())
    end
    write(path, malformed.array('{"shape":( 2 ,1),"fortran_order":True,"descr":"|u1"}', "\1\2"))
    assert.same({{1}, {2}}, assert(gru.load_npy(path)):totable())
    for descr, bytes in pairs {
      ["|b1"] = "\3", ["<i1"] = "\1", ["<u4"] = "\1\0\0\0", ["<f2"] = "\0\60",
      ["<u8"] = "\1" .. ("\0"):rep(7),
    } do
      write(path, malformed.array(malformed.dict("'" .. descr .. "'", "True", "()"), bytes))
      local item = assert(gru.load_npy(path)):item()
      assert.is_true(item == 1 or item == true)
    end
  end)
end)

describe("a damaged file", function()
  local function refuses(load, op, bytes, why)
    write(path, bytes)
    local t, message = load(path)
    assert.is_nil(t)
    local begin = op .. ": " .. path .. ": "
    assert.equal(begin, message:sub(1, #begin))
    assert.is_truthy(message:find(why, 1, true), ("'%s' is not in: %s"):format(why, message))
    assert.is_nil(message:find "[\n\r]")
  end

  it("of safetensors is refused with the reason", function()
    assert.is_true(#malformed.safetensors >= 200)
    for _, case in ipairs(malformed.safetensors) do refuses(gru.load, "load", case[1], case[2]) end
  end)

  it("of npy is refused with the reason", function()
    assert.is_true(#malformed.npy >= 100)
    for _, case in ipairs(malformed.npy) do refuses(gru.load_npy, "load_npy", case[1], case[2]) end
  end)

  it("is refused wherever it is cut, and one byte too long", function()
    local tensors = {a = x, b = gru.tensor {true}, ["ü"] = gru.zeros(2, 0)}
    assert(gru.save(path, tensors, {k = "v"}))
    local whole = read(path)
    for n = 0, #whole - 1 do refuses(gru.load, "load", whole:sub(1, n), "") end
    refuses(gru.load, "load", whole .. "\0", "1 bytes behind the last tensor")
    assert(gru.save_npy(path, x))
    whole = read(path)
    for n = 0, #whole - 1 do refuses(gru.load_npy, "load_npy", whole:sub(1, n), "") end
    refuses(gru.load_npy, "load_npy", whole .. "\0", "too long")
  end)

  it("allocates nothing that it does not hold", function()
    local entry = malformed.entry('"F32"', "[1000000000000]", "[0,4000000000000]")
    write(path, malformed.file('{"a":' .. entry .. "}", "abcd"))
    local before = gru.memory().peak
    assert.is_nil((gru.load(path)))
    write(path, malformed.array(malformed.dict("'<f8'", nil, "(1000000000000,)"), "abcd"))
    assert.is_nil((gru.load_npy(path)))
    assert.equal(before, gru.memory().peak)
  end)

  it("that is none, or not there, says so", function()
    for load, op in pairs {[gru.load] = "load", [gru.load_npy] = "load_npy"} do
      local function says(name, why)
        local t, message = load(name)
        assert.is_nil(t)
        assert.equal(("%s: %s: %s"):format(op, name, why), message)
      end
      says(folder .. "/nowhere", "No such file or directory")
      says(folder, "Is a directory")
      says("/dev/zero", "not a regular file; its size must be known")
      assert(os.execute("mkfifo " .. folder .. "/pipe"))
      says(folder .. "/pipe", "not a regular file; its size must be known")
      os.remove(folder .. "/pipe")
    end
  end)
end)

describe("wrong use", function()
  it("raises", function()
    local t = gru.zeros(1)
    for _, case in ipairs {
      {"a table of tensors expected, got nil", gru.save, path},
      {"a table of tensors expected, got a tensor: give it a name", gru.save, path, t},
      {"'a' is a number; a tensor expected", gru.save, path, {a = 1}},
      {"'a' is a table; a tensor expected", gru.save, path, {a = {t}}},
      {"names must be strings, got a number: 1", gru.save, path, {t}},
      {"'__metadata__' is the format's own name", gru.save, path, {__metadata__ = t}},
      {"is not UTF-8", gru.save, path, {["\xFF"] = t}},
      {"it holds a NUL", gru.save, path, {["a\0b"] = t}},
      {"metadata must be a table of strings, got string", gru.save, path, {}, "v"},
      {"metadata 'k' is a number; a string expected", gru.save, path, {}, {k = 1}},
      {"keys of the metadata must be strings, got a number: 1", gru.save, path, {}, {"v"}},
      {"'k' has a value that is not UTF-8", gru.save, path, {}, {k = "\xC3"}},
      {"'\xC3' is not UTF-8", gru.save, path, {}, {["\xC3"] = "v"}},
      {"path: string expected, got number", gru.save, 1, {}},
      {"path: it holds a NUL", gru.save, "a\0b", {}},
      {"path: string expected, got nothing", gru.load},
      {"path: it holds a NUL", gru.load, "a\0b"},
      {"path: string expected, got table", gru.load_npy, {}},
      {"tensor expected, got nothing", gru.save_npy, path},
      {"tensor expected, got table", gru.save_npy, path, {t}},
      {"too many arguments", gru.load, path, "cpu", 1},
    } do
      local ok, message = pcall(table.unpack(case, 2))
      assert.is_false(ok, case[1])
      assert.is_truthy(message:find(case[1], 1, true), message)
    end
    local released = gru.zeros(1)
    core.release(released)
    assert.error_matches(function() gru.save(path, {a = released}) end, "released")
  end)
end)

describe("files, over and over", function()
  -- What is taken from the system for tensors; leaks of other memory show in the sanitizer build.
  local function reserved()
    gru.empty_cache()
    return gru.memory().reserved
  end

  it("take no more memory and no more files", function()
    local big, bad = gru.zeros(1 << 18), malformed.safetensors[#malformed.safetensors][1]
    write(path .. ".bad", bad)
    local function round()
      assert(gru.save(path, {a = big, t = x:transpose(1, 2)}, {k = "v"}))
      assert(gru.load(path))
      assert(gru.save_npy(path, big))
      assert(gru.load_npy(path))
      assert.is_nil((gru.load(path .. ".bad")))
      assert.is_nil((gru.load_npy(path .. ".bad")))
    end
    for _ = 1, 10 do round() end
    collectgarbage()
    local live, before, open = gru.memory().live, reserved(), list "/proc/self/fd"
    for _ = 1, 100 do round() end
    collectgarbage()
    assert.equal(live, gru.memory().live)
    assert.equal(#open, #list "/proc/self/fd")
    assert.equal(before, reserved())
  end)
end)
