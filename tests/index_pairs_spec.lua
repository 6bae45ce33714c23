-- Keys of ids, masks, ranges and positions in any order, against loops over plain arrays.
local gru = require "gru"
local agree = require "tests.support.agree"
local nd = require "tests.support.nd"
local new_rng = require "tests.support.rng"
local describe = require("tests.support.devices").describe

local KEYS = 400

-- ---- random keys ---------------------------------------------------------------------------------

local function draw_range(draw, n)
  local first = draw(n)
  local last, step = math.max(1, first + draw(n - first + 2) - 2), draw(2) -- or none, {2, 1}
  local list = {}
  for i = first, last, step do list[#list + 1] = i end
  return step == 1 and {first, last} or {first, last, step}, list
end

-- Ids of the joint shape, or of one that broadcasts to it.
local function draw_ids(draw, joint, n)
  local shape = {}
  for d = draw(#joint), #joint do shape[#shape + 1] = draw(3) == 1 and 1 or joint[d] end
  local ids = nd.generate(shape, function() return draw(n) end)
  return nd.tensor(ids, "int64"), ids
end

-- A mask with `count` true elements.
local function draw_mask(draw, n, count)
  local data, left = {}, count
  for i = 1, n do data[i] = false end
  while left > 0 do
    local i = draw(n)
    if not data[i] then data[i], left = true, left - 1 end
  end
  return data
end

-- A key for x, and for each dim what it takes: an integer, {list =} of a range, or {ids =}.
local function draw_key(draw, shape)
  local key, takes, joint, d = {}, {}, {draw(3), draw(3)}, 1
  if draw(2) == 1 then joint = {draw(3)} end
  while d <= #shape and (d == 1 or draw(5) > 1) do
    local kind = draw(6)
    if kind == 1 then
      local i = draw(shape[d])
      key[#key + 1], takes[d] = draw(2) == 1 and i or i - shape[d] - 1, i
    elseif kind == 2 then
      local list = {}
      for i = 1, shape[d] do list[i] = i end
      key[#key + 1], takes[d] = {}, {list = list}
    elseif kind == 3 then
      local range, list = draw_range(draw, shape[d])
      key[#key + 1], takes[d] = range, {list = list}
    elseif kind == 4 and #joint == 1 then -- a mask over one dim or two
      local over = d < #shape and draw(2) or 1
      local sizes = {table.unpack(shape, d, d + over - 1)}
      local count = math.min(joint[1], nd.numel(sizes))
      if count == joint[1] then
        local data = draw_mask(draw, nd.numel(sizes), count)
        local mask = nd.new(sizes, data)
        key[#key + 1] = nd.tensor(mask, "bool")
        for e = 1, over do takes[d + e - 1] = {ids = {shape = {count}, data = {}}} end
        for at, i in nd.positions(sizes) do
          for e = 1, data[i] and over or 0 do table.insert(takes[d + e - 1].ids.data, at[e]) end
        end
        d = d + over - 1
      else
        d = d - 1
      end
    else
      local t, ids = draw_ids(draw, joint, shape[d])
      key[#key + 1], takes[d] = t, {ids = ids}
    end
    d = d + 1
  end
  for e = d, #shape do
    local list = {}
    for i = 1, shape[e] do list[i] = i end
    takes[e] = {list = list}
  end
  return key, takes
end

-- ---- the reference -------------------------------------------------------------------------------

-- The shape of x[key], and for each of its elements, in row-major order, where it stands in x.
local function sources(shape, takes)
  local ids, first, last, n = {}, nil, nil, 0
  local kept = {} -- dims that ranges keep
  for d = 1, #shape do
    if type(takes[d]) == "table" then
      n = n + 1
      if takes[d].ids then
        ids[#ids + 1] = takes[d].ids
        first, last = first or n, n
      else
        kept[#kept + 1] = d
      end
    end
  end
  local joint = nd.broadcast_shape(table.unpack(ids))
  local front = first and (last - first + 1 == #ids and first - 1 or 0) or 0
  local result = {}
  for k = 1, front do result[k] = #takes[kept[k]].list end
  for _, size in ipairs(joint) do result[#result + 1] = size end
  for k = front + 1, #kept do result[#result + 1] = #takes[kept[k]].list end
  local places = {}
  for at, i in nd.positions(result) do
    local source, here = {}, {table.unpack(at, front + 1, front + #joint)}
    for k, d in ipairs(kept) do source[d] = takes[d].list[at[k <= front and k or k + #joint]] end
    for d = 1, #shape do
      if type(takes[d]) ~= "table" then source[d] = takes[d] end
      if type(takes[d]) == "table" and takes[d].ids then source[d] = nd.at(takes[d].ids, here) end
    end
    places[i] = nd.offset(shape, source)
  end
  return result, places
end

local function draw_case(draw)
  local shape = {}
  for d = 1, draw(4) do shape[d] = draw(4) end
  local key, takes = draw_key(draw, shape)
  local result, places = sources(shape, takes)
  return shape, key, result, places
end

-- x with these elements, sometimes in another memory order.
local function tensor_of(draw, array)
  local x = nd.tensor(array, "float64")
  if #array.shape > 1 and draw(2) == 1 then x = x:transpose(1, 2):contiguous():transpose(1, 2) end
  return x
end

local function distinct(places)
  local seen = {}
  for _, place in ipairs(places) do
    if seen[place] then return false end
    seen[place] = true
  end
  return true
end

describe("keys of every kind", function()
  it("read what loops read, and give the gradient back", function()
    local draw = new_rng(3)
    for case = 1, KEYS do
      local shape, key, result, places = draw_case(draw)
      local x = tensor_of(draw, nd.generate(shape, function(i) return i end)):requires_grad_()
      local y = x[key]
      local data, grad = {}, {}
      for i, place in ipairs(places) do data[i] = place end
      assert(agree.shape(y, result), case)
      assert(agree.values(y, nd.new(result, data), 0))
      for i = 1, nd.numel(shape) do grad[i] = 0 end
      for i, place in ipairs(places) do grad[place] = grad[place] + i end
      if y.requires_grad then
        y:backward(nd.tensor(nd.generate(result, function(i) return i end), "float64"))
        assert(agree.values(x.grad, nd.new(shape, grad), 0))
      end
    end
  end)

  it("write what loops write, the last of equal places", function()
    local draw = new_rng(4)
    for case = 1, KEYS do
      local shape, key, result, places = draw_case(draw)
      local x = tensor_of(draw, nd.generate(shape, function(i) return -i end))
      local values = nd.generate(result, function(i) return i end)
      local data = {}
      for i = 1, nd.numel(shape) do data[i] = -i end
      for i, place in ipairs(places) do data[place] = i end
      x[key] = nd.tensor(values, "float64")
      assert(agree.values(x, nd.new(shape, data), 0), case)
      for _, place in ipairs(places) do data[place] = 0.5 end
      x[key] = 0.5
      assert(agree.values(x, nd.new(shape, data), 0), case)
    end
  end)

  it("have second gradients", function()
    local draw = new_rng(5)
    for _ = 1, 25 do
      local shape, key, result, places = draw_case(draw)
      if nd.numel(result) > 0 then
        local x = tensor_of(draw, nd.generate(shape, function() return draw(-1, 1) end)):contiguous()
          :requires_grad_()
        local value = nd.tensor(nd.generate(result, function() return draw(-1, 1) end), "float64")
          :requires_grad_()
        local function read(a) return (a[key] * a[key]):sum() + a[key]:exp():sum() end
        local function write(a, v)
          local y = a * a
          y[key] = v * v * v
          return y:square():sum()
        end
        for _, check in ipairs {gru.autograd.gradcheck, gru.autograd.gradgradcheck} do
          assert(check(read, {x}))
          -- a value that another one replaced gets a gradient, as in PyTorch
          assert(check(write, {x, distinct(places) and value or value:detach()}))
        end
      end
    end
  end)
end)

describe("assignment by ids", function()
  it("goes through views, dtypes and broadcasting", function()
    local x = gru.zeros(2, 3, 4)
    local view = x[{2, {}, {2, 3}}]
    view[{gru.tensor {1, 3}, gru.tensor {2, 1}}] = gru.tensor {5, 6}
    assert.same({0.0, 5.0, 0.0, 0.0}, {x[{2, 1, 2}]:item(), x[{2, 1, 3}]:item(), x[{1, 1, 3}]:item(), 0.0})
    assert.equal(6.0, x[{2, 3, 2}]:item())
    local counts = gru.zeros(3, {dtype = "int64"})
    counts[{gru.tensor {1, 1, 3}}] = gru.tensor {1.5, 2.5, 3.5}
    assert.same({2, 0, 3}, counts:totable())
    local hot = gru.one_hot(gru.tensor {1, 3}, 3)
    assert.same({0.0, 1.0}, hot[{gru.tensor {1, 2}, gru.tensor {2, 3}}]:totable())
    hot[{gru.tensor {1, 2}, gru.tensor {2, 3}}] = 7
    assert.same({{1.0, 7.0, 0.0}, {0.0, 0.0, 7.0}}, hot:totable())
  end)

  it("does not reach a leaf that requires grad", function()
    local w = gru.ones(2, 2, {requires_grad = true})
    local ids = gru.tensor {1, 2}
    assert.error_matches(function() w[{ids, ids}] = 0 end, "leaf that requires grad")
    gru.no_grad(function() w[{ids, ids}] = 0 end)
    assert.same({{0.0, 1.0}, {1.0, 0.0}}, w:totable())
  end)
end)
