-- gru.checkpoint: whole training states in files, bit for bit, and files that are none.
local gru = require "gru"
local expect = require "tests.support.expect"
local new_scratch = require "tests.support.scratch"
local describe = require("tests.support.devices").describe

local nn, optim, checkpoint = gru.nn, gru.optim, gru.checkpoint

local scratch, path

-- What tells a tensor of numbers from every other one.
local function bits(x)
  local list = {x.dtype, table.concat(x.shape, "x")}
  for _, value in ipairs(x:reshape(-1):totable()) do
    list[#list + 1] = math.type(value) == "float" and ("%a"):format(value) or tostring(value)
  end
  return table.concat(list, " ")
end

-- Saves and loads.
local function round(state)
  assert(checkpoint.save(path, state))
  return assert(checkpoint.load(path))
end

local raises = expect.raises_text

setup(function()
  scratch = new_scratch()
  path = scratch.folder .. "/run.safetensors"
end)
teardown(function() scratch.remove() end)

describe("checkpoint.save and load", function()
  it("bring tables of plain values back", function()
    local state = {
      epoch = 12, lr = 0.1, best = math.huge, name = "分开 \"x\"\n", done = false, nothing = {},
      vocab = {"分", "开", " "}, history = {{loss = 1.5, epoch = 1}, {loss = 1.0, epoch = 2}},
      sparse = {[1] = "a", [3] = "c", [-7] = "z"}, mixed = {"one", "two", three = 3}, ["$tensor"] = "odd",
      ids = {["分"] = 1, ["$items"] = 2}, state_dict = {["state_dict"] = 5},
    }
    local saved = round(state)
    assert.equal("int64", saved.generator.dtype)
    saved.generator = nil
    assert.same(state, saved)
    assert.equal("integer", math.type(saved.epoch))
    assert.equal("float", math.type(saved.history[2].loss))
  end)

  it("bring tensors back, of every dtype, wherever they stand", function()
    local x = gru.randn(2, 3)
    local state = {
      x = x, list = {x:t(), gru.tensor {1, 2}, {deep = gru.tensor {true, false}}}, zero = gru.tensor(1.5),
      double = gru.randn(3, {dtype = "float64"}), empty = gru.zeros(0, 4),
      hot = gru.one_hot(gru.tensor {2, 1}, 3),
      byte = {[2] = x}, a = {b = gru.ones(1)}, ["a.b"] = gru.zeros(1), param = nn.Parameter(gru.ones(2)),
    }
    local saved = round(state)
    for _, pair in ipairs {
      {state.x, saved.x}, {x:t(), saved.list[1]}, {state.list[2], saved.list[2]},
      {state.list[3].deep:long(), saved.list[3].deep:long()}, {state.zero, saved.zero},
      {state.double, saved.double}, {state.empty, saved.empty}, {state.hot, saved.hot}, {x, saved.byte[2]},
      {gru.ones(1), saved.a.b}, {gru.zeros(1), saved["a.b"]}, {gru.ones(2), saved.param},
    } do
      assert.equal(bits(pair[1]), bits(pair[2]))
    end
    assert.equal("bool", saved.list[3].deep.dtype)
    assert.is_false(saved.param.requires_grad)
  end)

  it("name tensors as a reader of safetensors expects, and state format, version and base", function()
    local net = nn.Sequential(nn.Linear(3, 2))
    assert(checkpoint.save(path, {model = net, epoch = 1}))
    local tensors, metadata = assert(gru.load(path))
    assert.is_true(tensors["model.0.weight"]:equal(net[1].weight:detach()))
    assert.same({"gru.checkpoint", "1", "1"}, {metadata.format, metadata.version, metadata.index_base})
    assert.equal('{"epoch": 1, "generator": {"$tensor": "generator"}, "model": {"0.bias": {"$tensor": '
      .. '"model.0.bias"}, "0.weight": {"$tensor": "model.0.weight"}}}', metadata.state)
  end)

  it("leave the old file where the new one fails", function()
    assert(checkpoint.save(path, {epoch = 1}))
    raises("checkpoint.save: f: a function cannot be saved", checkpoint.save, path, {f = print})
    local ok, message = checkpoint.save(scratch.folder .. "/none/run.safetensors", {epoch = 2})
    assert.is_nil(ok)
    assert.truthy(message:find("none/run.safetensors", 1, true))
    assert.equal(1, checkpoint.load(path).epoch)
    assert.equal("run.safetensors ", scratch.list(scratch.folder))
  end)

  it("take nothing that they could not bring back", function()
    local ring = {}
    ring.ring = ring
    for wanted, value in pairs {
      ["a.b: a function cannot be saved"] = {b = print},
      ["a.1: a userdata cannot be saved"] = {io.stdout},
      ["a: an object without state_dict; save what it can be made from again"] = gru.text.Vocab.new {"a"},
      ["a: a string that is not UTF-8; bytes go into a tensor"] = "\xff",
      ["a: a key is not UTF-8"] = {["\xff"] = 1},
      ["a: keys must be strings or integers, got a float"] = {[1.5] = 1},
      ["a: keys must be strings or integers, got a boolean"] = {[true] = 1},
      ["ring.ring: more than 60 tables in each other"] = ring,
    } do
      raises("checkpoint.save: ", checkpoint.save, path, {a = value})
      raises(wanted, checkpoint.save, path, {a = value})
    end
  end)
end)

describe("checkpoint.load refuses", function()
  -- What load says of a file of these tensors and metadata.
  local function message_of(tensors, metadata)
    assert(gru.save(path, tensors, metadata))
    local state, message = checkpoint.load(path)
    assert.is_nil(state)
    assert.truthy(message:find("checkpoint: " .. path, 1, true), message)
    return message
  end

  local function with(changes)
    local metadata = {
      format = "gru.checkpoint", version = "1", index_base = "1",
      state = '{"generator": {"$tensor": "g"}}',
    }
    for key, value in pairs(changes) do metadata[key] = value or nil end
    return metadata
  end

  it("files that are none", function()
    local state, message = checkpoint.load(scratch.folder .. "/none")
    assert.is_nil(state)
    assert.truthy(message:find("/none", 1, true))
    scratch.write(path, "os.exit(1)")
    state, message = checkpoint.load(path)
    assert.is_nil(state)
    assert.truthy(message:find(path, 1, true), message)
    message = message_of({x = gru.ones(1)})
    assert.truthy(message:find("no checkpoint: a file of tensors, which gru.load reads", 1, true))
    assert.truthy(message_of({}, {format = "pt"}):find("no checkpoint", 1, true))
  end)

  it("other versions and other bases", function()
    local g = {g = gru.get_rng_state()}
    assert.truthy(message_of(g, with {version = "2"}):find("version 2; this library knows", 1, true))
    assert.truthy(message_of(g, with {version = false}):find("version nil", 1, true))
    assert.truthy(message_of(g, with {index_base = "0"}):find("ids that count from 0", 1, true))
    assert.truthy(message_of(g, with {state = false}):find("without its state", 1, true))
  end)

  it("states that are damaged", function()
    local g = {g = gru.get_rng_state()}
    for state, wanted in pairs {
      ['{"generator": '] = "its state is damaged: byte 14", ["[" .. ("["):rep(500)] = "more than 200 levels",
      ["3"] = "no table", ["os.exit(1)"] = "byte 0",
      ['{"generator": {"$tensor": "h"}}'] = "the tensor 'h' is missing",
      ['{"generator": {"$tensor": 1}}'] = "the tensor '1' is missing",
      ['{"generator": 1, "x": {"$tensor": "g"}}'] = "no generator",
      ["{}"] = "nothing refers to the tensor 'g'",
      ['{"generator": {"$tensor": "g"}, "x": {"$items": 1}}'] = "'$items' is no list",
      ['{"generator": {"$tensor": "g"}, "x": {"$items": [1]}}'] = "holds no pairs",
      ['{"generator": {"$tensor": "g"}, "x": {"$items": [[]]}}'] = "holds no pairs",
      ['{"generator": {"$tensor": "g"}, "x": {"$items": [[1.5, 1]]}}'] = "holds no pairs",
      ['{"generator": {"$tensor": "g"}, "x": {"$items": [[1, 1], [1, 2]]}}'] = "holds no pairs",
    } do
      local message = message_of(g, with {state = state})
      assert.truthy(message:find(wanted, 1, true), state .. " -> " .. message)
    end
  end)
end)

-- ---- going on ------------------------------------------------------------------------------------

-- A run with everything that has a state: dropout, a seeded order, momentum, a schedule.
local function new_run(kind)
  local model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 2))
  local optimizer = optim[kind](model:parameters(), {lr = 0.05})
  local scheduler = optim.lr_scheduler.SequentialLR(optimizer, {
    optim.lr_scheduler.LinearLR(optimizer), optim.lr_scheduler.CosineAnnealingLR(optimizer, 5),
  }, {2})
  local x = (gru.arange(0, 80) % 7):reshape(20, 4) / 7
  local loader = gru.data.DataLoader(gru.data.TensorDataset(x, x:sum(2):gt(1.5):long() + 1),
    {batch_size = 6, shuffle = true, seed = 5})
  return {model = model, optimizer = optimizer, scheduler = scheduler, loader = loader}
end

local function train(run, epochs)
  for _ = 1, epochs do
    for x, y in run.loader() do
      run.optimizer:zero_grad()
      nn.functional.cross_entropy(run.model(x), y):backward()
      run.optimizer:step()
    end
    run.scheduler:step()
  end
end

local function fingerprint(run)
  local parts = {}
  for name, p in run.model:named_parameters() do parts[#parts + 1] = name .. bits(p:detach()) end
  parts[#parts + 1] = run.optimizer.param_groups[1].lr
  parts[#parts + 1] = bits(gru.get_rng_state())
  return table.concat(parts, "\n")
end

describe("a run that goes on from a checkpoint", function()
  for _, kind in ipairs {"SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta"} do
    for _, generator in ipairs {"philox", kind == "Adam" and "torch" or nil} do
      it(("is the run that never stopped: %s, %s"):format(kind, generator), function()
        gru.manual_seed(1, generator)
        local whole = new_run(kind)
        train(whole, 3)
        assert(checkpoint.save(path, whole))
        train(whole, 4)
        gru.manual_seed(99) -- new objects, another place in another stream
        local resumed = new_run(kind)
        assert(checkpoint.restore(path, resumed))
        train(resumed, 4)
        assert.equal(fingerprint(whole), fingerprint(resumed))
      end)
    end
  end
end)

describe("checkpoint.restore", function()
  it("gives what else was saved", function()
    local net = nn.Linear(2, 2)
    assert(checkpoint.save(path, {model = net, epoch = 7, vocab = {"a"}}))
    local saved = assert(checkpoint.restore(path, {model = net}))
    assert.equal(7, saved.epoch)
    assert.same({"a"}, saved.vocab)
  end)

  it("changes nothing where the file is not the right one", function()
    local net = nn.Linear(2, 2)
    assert(checkpoint.save(path, {model = nn.Linear(2, 2)}))
    local before = bits(net.weight:detach())
    local optimizer = optim.SGD(net:parameters(), {lr = 1})
    local saved, message = checkpoint.restore(path, {model = net, optimizer = optimizer})
    assert.is_nil(saved)
    assert.equal(("checkpoint: %s: it holds no 'optimizer'"):format(path), message)
    saved = checkpoint.restore(scratch.folder .. "/none", {model = net})
    assert.is_nil(saved)
    raises("shape of weight: [3, 2] here, [2, 2] in the state", checkpoint.restore, path,
      {model = nn.Linear(2, 3)})
    assert.equal(before, bits(net.weight:detach()))
  end)
end)
