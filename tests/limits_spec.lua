-- Sizes and positions at the ends of int64: each call gives the right answer or says no; under the
-- sanitizers, none overflows on its way there.
local gru = require "gru"

local LEAST, MOST, BIG = math.mininteger, math.maxinteger, 1 << 40

local function refuses(pattern, f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  assert(message:find(pattern), message)
end

describe("sizes at the limits", function()
  it("count for an empty tensor, too", function()
    local empty = gru.zeros(0)
    for _, f in ipairs {
      function() return gru.zeros(BIG, BIG, 0) end,
      function() return gru.zeros(0, BIG, BIG) end,
      function() return empty:reshape(BIG, BIG, 0) end,
      function() return empty:view(BIG, BIG, -1) end,
      function() return gru.zeros(1, 1, 0):expand(BIG, BIG, 0) end,
      function() return gru.zeros(1):expand(1 << 60) end,
      function() return gru.zeros(1 << 59, 0):matmul(gru.zeros(0, 2)) end,
      function() return gru.full({1 << 31, 1 << 31}, 1) end,
      function() return gru.ones(1):diag((1 << 32) - 1) end,
      function() return gru.zeros(1):repeat_(1 << 32, 1 << 32) end,
      function() return gru.stack({gru.zeros(0, 1 << 59), gru.zeros(0, 1 << 59)}, 2) end,
      function() return gru.cat({gru.zeros(0, 1 << 59), gru.zeros(0, 1 << 59)}, 2) end,
      function() return gru.linspace(0, 1, MOST) end,
    } do refuses("reach 2%^60", f) end
    refuses("too many elements", gru.one_hot, gru.tensor({1}), MOST)
    refuses("do not make", empty.view, gru.zeros(4), 0, -1)
  end)

  it("stay exact just below", function()
    local x = gru.zeros(0):reshape(1 << 30, 1 << 29, 0)
    assert.same({1 << 30, 1 << 29, 0}, x.shape)
    assert.same({1 << 29, 0}, x:sum(1).shape)
    assert.same({0, 1 << 30}, gru.zeros(0, 1 << 29, 1 << 30):transpose(2, 3):amax(3).shape)
    assert.equal(0, gru.zeros(0, 1 << 59):t():unsqueeze(1):flatten():numel())
    assert.equal(1 << 62, gru.zeros(1, {dtype = "float64"}):expand(1 << 59):nbytes())
    local w = gru.zeros(0, 1 << 59, {requires_grad = true})
    w:prod(2):sum():backward()
    assert.same({0, 1 << 59}, w.grad.shape)
  end)
end)

describe("positions at the limits", function()
  local x = gru.arange(6):reshape(2, 3)

  it("are outside", function()
    for _, at in ipairs {LEAST, LEAST + 1, MOST, MOST - 1} do
      for _, length in ipairs {LEAST, -1, 1, MOST} do refuses("narrow", x.narrow, x, 1, at, length) end
      refuses("select", x.select, x, 1, at)
      refuses("index", function() return x[{{at, 1}}] end)
      refuses("index", function() return x[{{1, at}}] end)
      refuses("index", function() return x[{{at, at, at}}] end)
      refuses("dim", x.sum, x, at)
      refuses("dim", x.unsqueeze, x, at)
      refuses("id", x.index_select, x, 1, gru.tensor({at}))
      refuses("id", x.gather, x, 1, gru.tensor({{at}}))
    end
    refuses("narrow", x.narrow, x, 1, 1, MOST)
    refuses("narrow", x.narrow, x, 2, -1, LEAST)
  end)

  it("of no elements may stand past the end", function()
    assert.same({0, 3}, x:narrow(1, 3, 0).shape)
    assert.same({2, 0}, x[{{}, {4, 3}}].shape)
    assert.equal(0, x:narrow(1, 3, 0):storage_offset())
  end)
end)

describe("counts at the limits", function()
  it("of arange are exact", function()
    assert.same({LEAST, -(1 << 62), 0, 1 << 62}, gru.arange(LEAST, MOST, 1 << 62):totable())
    assert.same({LEAST, -1, MOST - 1}, gru.arange(LEAST, MOST, MOST):totable())
    assert.same({MOST, -1}, gru.arange(MOST, LEAST, LEAST):totable())
    assert.same({0}, gru.arange(0, LEAST + 1, LEAST):totable())
    assert.same({1 << 53, (1 << 53) + 1}, gru.arange(1 << 53, (1 << 53) + 2):totable())
    assert.same({MOST - 2, MOST - 1}, gru.arange(MOST - 2, MOST):totable())
    assert.same({5, 3, 1}, gru.arange(5, 0, -2):totable())
    assert.same({}, gru.arange(5, 0):totable())
    assert.same({}, gru.arange(LEAST, MOST, -1):totable())
    refuses("no end of steps", gru.arange, LEAST, MOST)
    refuses("arange: ", gru.arange, MOST)
  end)

  it("of parts and copies", function()
    local x = gru.arange(3)
    assert.same({{0, 1, 2}}, {x:split(MOST)[1]:totable()})
    assert.equal(1, #x:split(MOST))
    assert.equal(3, #x:chunk(MOST))
    assert.equal(1, #gru.zeros(0):split(3))
    refuses("unflatten", x.unflatten, x, 1, 1 << 32, 1 << 32)
    refuses("unflatten", x.unflatten, gru.zeros(0), 1, 0, -1)
    refuses("2%^60", x.repeat_interleave, x, MOST)
    refuses("2%^60", x.repeat_interleave, x, gru.tensor({MOST, 1, 5}))
    refuses("sizes must not be negative", function() return gru.ones(1):diag(LEAST) end)
    assert.equal(0, gru.ones(2, 2):diag(LEAST):numel())
    assert.same({2, 0, 1}, x:roll(LEAST):totable())
    local many = gru.arange(2):reshape(1, 1, 1, 1, 1, 1, 1, 2)
    assert.same({2, 1, 1, 1, 1, 1, 3, 4}, many:repeat_(2, 1, 1, 1, 1, 1, 3, 2).shape)
    assert.same({0, 1, 0, 1}, many:repeat_(2, 1, 1, 1, 1, 1, 3, 2)[{2, 1, 1, 1, 1, 1, 3}]:totable())
    assert.same({0, 1}, many:repeat_(3, 1, 1, 1, 1, 1, 1, 1)[{3, 1, 1, 1, 1, 1, 1}]:totable())
    refuses("2%^60", many.repeat_, many, MOST, 2, 2, 2, 2, 2, 2, 2)
    assert.same({0, 0, 1, 1}, many:repeat_interleave(2, 8):reshape(-1):totable())
  end)
end)
