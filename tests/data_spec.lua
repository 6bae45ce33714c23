-- gru.data: data sets and loaders.
local gru = require "gru"
local describe = require("tests.support.devices").describe

local data = gru.data

local function ids_of(loader)
  local ids = {}
  for x in loader:batches() do
    for _, v in ipairs(x:totable()) do ids[#ids + 1] = v end
  end
  return ids
end

local function sorted(list)
  local copy = {table.unpack(list)}
  table.sort(copy)
  return copy
end

local function range(n)
  local list = {}
  for i = 1, n do list[i] = i end
  return list
end

describe("TensorDataset", function()
  local x, y = gru.arange(6):reshape(3, 2), gru.tensor {7, 8, 9}

  it("gives examples", function()
    local set = data.TensorDataset(x, y)
    assert.equal(3, #set)
    assert.same({2, 3}, set[2][1]:totable())
    assert.equal(8, set[2][2]:item())
    assert.is_nil(set[4])
    assert.is_nil(set[0])
    local count = 0
    for _ in ipairs(set) do count = count + 1 end
    assert.equal(3, count)
    assert.equal("TensorDataset(3 examples of 2 tensors)", tostring(set))
  end)

  it("wants as many rows everywhere", function()
    assert.has_error(function() data.TensorDataset(x, gru.zeros(2)) end,
      "TensorDataset: tensor 2 has 2 rows, the first one has 3")
    assert.has_error(function() data.TensorDataset() end)
    assert.has_error(function() data.TensorDataset(3) end)
  end)
end)

describe("DataLoader", function()
  local set = data.TensorDataset(gru.arange(1, 11), gru.arange(1, 11) * 10)

  it("gives batches in order", function()
    local loader = data.DataLoader(set, {batch_size = 4})
    assert.equal(3, #loader)
    local sizes = {}
    for x, y in loader:batches() do
      assert.is_true((x * 10):equal(y))
      sizes[#sizes + 1] = #x
    end
    assert.same({4, 4, 2}, sizes)
    assert.same(range(10), ids_of(loader))
  end)

  it("is called for the same", function()
    local loader, count = data.DataLoader{dataset = set, batch_size = 5}, 0
    for x, y in loader() do
      count = count + 1
      assert.equal(5, #x)
      assert.equal(5, #y)
    end
    assert.equal(2, count)
  end)

  it("drops a last batch that is smaller", function()
    local loader = data.DataLoader(set, {batch_size = 4, drop_last = true})
    assert.equal(2, #loader)
    assert.same(range(8), ids_of(loader))
    assert.equal(0, #data.DataLoader(set, {batch_size = 11, drop_last = true}))
  end)

  it("shuffles: every example once, in a new order every epoch", function()
    local loader = data.DataLoader(set, {batch_size = 3, shuffle = true})
    local a, b = ids_of(loader), ids_of(loader)
    assert.same(range(10), sorted(a))
    assert.same(range(10), sorted(b))
    assert.not_same(a, b)
    for x, y in loader:batches() do assert.is_true((x * 10):equal(y)) end
  end)

  it("has a stream of its own with a seed", function()
    local function epochs(seed)
      local loader = data.DataLoader(set, {shuffle = true, seed = seed})
      local a = ids_of(loader)
      gru.rand(100)
      return a, ids_of(loader)
    end
    local a, b = epochs(4)
    local c, d = epochs(4)
    assert.same(a, c)
    assert.same(b, d)
    assert.not_same(a, b)
    assert.not_same(a, (epochs(5)))
    gru.manual_seed(3)
    local before = gru.rand(3)
    gru.manual_seed(3)
    epochs(4)
    gru.rand(200)
    gru.manual_seed(3)
    assert.is_true(before:equal(gru.rand(3)))
  end)

  it("follows manual_seed without one", function()
    local function epoch()
      gru.manual_seed(9)
      return ids_of(data.DataLoader(set, {shuffle = true}))
    end
    assert.same(epoch(), epoch())
  end)

  it("is fair", function()
    local counts = {}
    local loader = data.DataLoader(data.TensorDataset(gru.arange(1, 5)), {shuffle = true, seed = 1})
    for _ = 1, 2000 do
      local first = ids_of(loader)[1]
      counts[first] = (counts[first] or 0) + 1
    end
    for i = 1, 4 do assert.is_true(math.abs(counts[i] - 500) < 100, counts[i]) end
  end)

  it("gives batches of their own: changing one leaves the data", function()
    local x = gru.ones(4, 2)
    for batch in data.DataLoader(data.TensorDataset(x), {batch_size = 2})() do batch:fill_(9) end
    assert.equal(8, x:sum():item())
  end)

  it("takes any table of examples", function()
    local list = {{gru.zeros(2), 1}, {gru.ones(2), 2}, {gru.ones(2) * 2, 3}}
    local shapes = {}
    for x, y in data.DataLoader(list, {batch_size = 2})() do
      shapes[#shapes + 1] = {x.shape, y:totable()}
    end
    assert.same({{{2, 2}, {1, 2}}, {{1, 2}, {3}}}, shapes)
    for x in data.DataLoader({5, 6})() do assert.equal("int64", x.dtype) end
  end)

  it("collates as it is told", function()
    local list = {gru.ones(1), gru.ones(3), gru.ones(2)}
    local loader = data.DataLoader(list, {batch_size = 3, collate_fn = function(examples)
      local lengths = {}
      for i, x in ipairs(examples) do lengths[i] = #x end
      return gru.nn.utils.rnn.pad_sequence(examples, {batch_first = true}), lengths
    end})
    for x, lengths in loader() do
      assert.same({3, 3}, x.shape)
      assert.same({1, 3, 2}, lengths)
    end
  end)

  it("is an iterator itself: one epoch a loop, also in a loop of its own", function()
    local loader = data.DataLoader(data.TensorDataset(gru.arange(1, 6), gru.arange(11, 16)), {batch_size = 2})
    local seen = {}
    for x, y in loader do
      local inner = 0
      for z in loader do inner = inner + z:sum():item() end
      seen[#seen + 1] = {x:totable(), y:totable(), inner}
    end
    assert.same({{{1, 2}, {11, 12}, 15}, {{3, 4}, {13, 14}, 15}, {{5}, {15}, 15}}, seen)
    for x in loader do
      if #x == 2 then break end
    end
    local n = 0
    for _ in loader do n = n + 1 end
    assert.equal(3, n)
    assert.has_error(function() loader(nil, 7) end,
      "DataLoader: for x, y in loader do, or loader(), expected")
  end)

  it("says where a seeded order stands, and goes on from there", function()
    local function new()
      return data.DataLoader(data.TensorDataset(gru.arange(1, 21)), {shuffle = true, seed = 4})
    end
    local function epoch(loader)
      local ids = {}
      for x in loader() do ids[#ids + 1] = x:item() end
      return ids
    end
    local a, b = new(), new()
    epoch(a)
    local state = a:state_dict()
    local second = epoch(a)
    b:load_state_dict(state)
    assert.same(second, epoch(b))
    assert.same(epoch(a), epoch(b))
    local unseeded = data.DataLoader(set)
    assert.same({}, unseeded:state_dict())
    unseeded:load_state_dict({})
    assert.has_error(function() unseeded:load_state_dict(state) end,
      "DataLoader: load_state_dict: the state of a loader without seed expected")
  end)

  it("says what is wrong", function()
    assert.has_error(function() data.DataLoader(set, {batch_size = 0}) end,
      "DataLoader: batch_size must be a positive integer, got 0")
    assert.has_error(function() data.DataLoader(set, {seed = "x"}) end,
      "DataLoader: seed must be an integer, got x")
    local ok, message = pcall(data.DataLoader, set, {workers = 2})
    assert.is_false(ok)
    assert.truthy(message:find("DataLoader: unknown option 'workers'", 1, true))
    assert.has_error(function() data.DataLoader(3) end, "DataLoader: a data set expected, got number")
  end)
end)
