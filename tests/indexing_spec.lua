-- x[key] and x[key] = value.
local gru = require "gru"
local agree = require "tests.support.agree"
local nd = require "tests.support.nd"
local describe = require("tests.support.devices").describe

local function has(t, shape, data)
  assert(agree.shape(t, shape))
  assert(agree.values(t, nd.new(shape, data), 0))
end

local function iota(...) return gru.arange(1, 1 + nd.numel {...}):reshape(...) end

describe("reading", function()
  local x = iota(3, 4)

  it("selects rows, from either end", function()
    has(x[1], {4}, {1, 2, 3, 4})
    has(x[-1], {4}, {9, 10, 11, 12})
    has(x[2][3], {}, {7})
    has(gru.tensor({5, 6})[2], {}, {6})
  end)

  it("ends an ipairs, and refuses what is further off", function()
    assert.is_nil(x[4])
    assert.error_matches(function() return x[5] end, "index: position 5 is outside dim 1 of size 3")
    assert.error_matches(function() return x[0] end, "positions count from 1")
    assert.error_matches(function() return x[-4] end, "index: position %-4")
    assert.error_matches(function() return gru.tensor(1)[1] end, "select: a 0%-d tensor has no dims")
  end)

  it("takes a position a dim", function()
    has(x[{2, 3}], {}, {7})
    has(x[{-1, -1}], {}, {12})
    has(x[{2}], {4}, {5, 6, 7, 8})
    has(x[{}], {3, 4}, x:reshape(-1):totable())
    assert.error_matches(function() return x[{1, 5}] end, "select: position 5 is outside dim")
    assert.error_matches(function() return x[{1, 1, 1}] end, "no dims")
    assert.error_matches(function() return x[{1, 0}] end, "counts from 1")
  end)

  it("takes ranges, with both ends", function()
    has(x[{{1, 2}, {}}], {2, 4}, {1, 2, 3, 4, 5, 6, 7, 8})
    has(x[{{}, {2, 3}}], {3, 2}, {2, 3, 6, 7, 10, 11})
    has(x[{{-2, -1}, 1}], {2}, {5, 9})
    has(x[{{1, 3, 2}, {1, 4, 3}}], {2, 2}, {1, 4, 9, 12})
    has(x[{3, {2, 2}}], {1}, {10})
    has(x[{{2, 1}}], {0, 4}, {})
    has(x[{{}, 1}], {3}, {1, 5, 9})
    has(gru.arange(10)[{{2, -2, 3}}], {3}, {1, 4, 7})
    assert.error_matches(function() return x[{{1, 4}}] end,
      "index: range {1, 4, 1} is not in dim 1 of size 3")
    assert.error_matches(function() return x[{{0, 2}}] end, "index: range {0, 2, 1}.*count from 1")
    assert.error_matches(function() return x[{{1, 2, 0}}] end, "index: range")
    assert.error_matches(function() return x[{{1}}] end, "index: a range is")
    assert.error_matches(function() return x[{{1, 2}, {}, {1, 1}}] end, "3 dims named, the tensor has 2")
  end)

  it("takes steps of any size", function()
    local v = gru.tensor({1, 2, 3})
    has(v[{{1, 3, math.maxinteger}}], {1}, {1})
    has(v[{{2, 3, math.maxinteger - 1}}], {1}, {2})
    has(v[{{3, -1, 1 << 62}}], {1}, {3})
    has(v[{{1, 3, 3}}], {1}, {1})
    assert.has_error(function() return v[{{1, 3, math.mininteger}}] end)
    assert.has_error(function() return v[{{math.mininteger, 3}}] end)
    assert.has_error(function() return v[{{1, math.maxinteger}}] end)
    assert.has_error(function() return v[math.mininteger] end)
    assert.has_error(function() return v[math.maxinteger] end)
  end)

  it("takes ids", function()
    has(x[gru.tensor({3, 1})], {2, 4}, {9, 10, 11, 12, 1, 2, 3, 4})
    has(x[gru.tensor({{1, 1}, {2, 1}})], {2, 2, 4}, {1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4})
    has(x[gru.tensor(2)], {4}, {5, 6, 7, 8})
    has(x[{{}, gru.tensor({4, 4})}], {3, 2}, {4, 4, 8, 8, 12, 12})
    has(x[{2, gru.tensor({1, 3})}], {2}, {5, 7})
    has(gru.tensor({5, 6})[gru.tensor({2, 2, 1})], {3}, {6, 6, 5})
    assert.error_matches(function() return x[gru.tensor({4})] end, "id 4 at position 1 is outside 1 .. 3")
    assert.error_matches(function() return x[gru.tensor({0})] end, "id 0")
    assert.error_matches(function() return x[gru.tensor({-1})] end, "id %-1")
    assert.error_matches(function() return x[gru.tensor({1.5})] end, "int64")
  end)

  it("takes masks", function()
    has(x[x:gt(9)], {3}, {10, 11, 12})
    has(x[gru.tensor({true, false, true})], {2, 4}, {1, 2, 3, 4, 9, 10, 11, 12})
    has(x[x:gt(99)], {0}, {})
    has(x:masked_select(gru.tensor({true, false, false, true})), {6}, {1, 4, 5, 8, 9, 12})
    assert.error_matches(function() return x[gru.tensor({true, false})] end,
      "index: a mask of size 2 in dim 1, the tensor has 3")
  end)

  it("refuses other keys", function()
    assert.error_matches(function() return x[1.5] end, "index: a position, a table or a tensor expected")
    assert.error_matches(function() return x[true] end, "index: ")
    assert.error_matches(function() return x[{"a"}] end, "index: ")
  end)

  it("finds what is not zero", function()
    has(gru.tensor({{0, 1}, {2, 0}}):nonzero(), {2, 2}, {1, 2, 2, 1})
    has(gru.tensor({0.0, 3.0}):nonzero(), {1, 1}, {2})
    has(gru.zeros(2, 2):nonzero(), {0, 2}, {})
    has(gru.tensor(3):nonzero(), {1, 0}, {})
  end)
end)

describe("assigning", function()
  local x
  before_each(function() x = iota(2, 3) end)

  it("writes rows and elements", function()
    x[1] = 0
    has(x, {2, 3}, {0, 0, 0, 4, 5, 6})
    x[-1] = gru.tensor({7, 8, 9})
    has(x, {2, 3}, {0, 0, 0, 7, 8, 9})
    x[{1, 2}] = 5
    has(x, {2, 3}, {0, 5, 0, 7, 8, 9})
    x[{2, -1}] = gru.tensor(1)
    has(x, {2, 3}, {0, 5, 0, 7, 8, 1})
    x[2][1] = 3
    has(x, {2, 3}, {0, 5, 0, 3, 8, 1})
  end)

  it("writes ranges, with broadcasting and conversion", function()
    x[{{}, {2, 3}}] = gru.tensor({8.9, 9.9})
    has(x, {2, 3}, {1, 8, 9, 4, 8, 9})
    x[{{}, 1}] = gru.tensor({0, -1})
    has(x, {2, 3}, {0, 8, 9, -1, 8, 9})
    x[{}] = 2
    has(x, {2, 3}, {2, 2, 2, 2, 2, 2})
    x[{{1, 2}, {1, 3, 2}}] = 0
    has(x, {2, 3}, {0, 2, 0, 0, 2, 0})
  end)

  it("writes where a mask is true", function()
    x[x:gt(4)] = 0
    has(x, {2, 3}, {1, 2, 3, 4, 0, 0})
    x[gru.tensor({true, false})] = 9
    has(x, {2, 3}, {9, 9, 9, 4, 0, 0})
    x[x:eq(9)] = gru.tensor({7, 8, 6})
    has(x, {2, 3}, {7, 8, 6, 4, 0, 0})
  end)

  it("writes rows by id", function()
    x[gru.tensor({2, 1})] = gru.tensor({{10, 20, 30}, {40, 50, 60}})
    has(x, {2, 3}, {40, 50, 60, 10, 20, 30})
    x[gru.tensor({2})] = 0
    has(x, {2, 3}, {40, 50, 60, 0, 0, 0})
    x[gru.tensor({1, 2})] = gru.tensor({1, 2, 3})
    has(x, {2, 3}, {1, 2, 3, 1, 2, 3})
    assert.error_matches(function() x[gru.tensor({3})] = 1 end, "3")
  end)

  it("refuses what does not fit", function()
    assert.error_matches(function() x[3] = 1 end, "index: position 3")
    assert.error_matches(function() x[{1, 4}] = 1 end, "select: position 4")
    assert.error_matches(function() x[1] = gru.zeros(2) end, "copy_: %[2%] does not broadcast to %[3%]")
    assert.error_matches(function() x[1] = "a" end, "tensor or number expected, got string")
    assert.error_matches(function() x[1.5] = 1 end, "index: ")
    has(x, {2, 3}, {1, 2, 3, 4, 5, 6})
  end)

  it("is recorded, but for a leaf that requires grad", function()
    local w = gru.ones(2, {requires_grad = true})
    assert.error_matches(function() w[1] = 0 end, "leaf that requires grad is changed in place")
    gru.no_grad(function() w[1] = 0 end)
    assert.same({0.0, 1.0}, w:totable())
    local y = w * 2
    y[1] = 0
    y:sum():backward()
    assert.same({0.0, 2.0}, w.grad:totable())
    local buffer = gru.zeros(3)
    buffer[{{2, 3}}] = w * 5
    buffer:sum():backward()
    assert.same({5.0, 7.0}, w.grad:totable())
  end)
end)
