-- Reductions on CUDA give what they give on the CPU, and the same bits every time.
local gru = require "gru"
local devices = require "tests.support.devices"
local mirror = require "tests.support.mirror"
local rng = require "tests.support.rng"

devices.on_cuda(function(device)
  -- Every result of x:name(...), on both devices; twice on the other one.
  local function check(name, here, there, ulp, scale, ...)
    local want = table.pack(here[name](here, ...))
    local got = table.pack(there[name](there, ...))
    local again = table.pack(there[name](there, ...))
    assert(want.n == got.n)
    for i = 1, want.n do
      local ok, message = mirror.close(got[i], want[i], ulp, scale)
      assert(ok, name .. ": " .. tostring(message))
      assert(mirror.close(again[i], got[i]:to("cpu")), name .. ": two runs differ")
    end
  end

  -- The CPU adds up parts of a float32 row in float32: errors are relative to what was added.
  local function check_sum(here, there, ...)
    check("sum", here, there, 2, here:abs():sum(...), ...)
  end

  -- A few dims to reduce, or none: all.
  local function some_dims(draw, ndim)
    local dims = {}
    for d = 1, ndim do
      if draw(2) == 1 then dims[#dims + 1] = d end
    end
    return #dims > 0 and dims or nil
  end

  local function is_empty(x)
    for _, size in ipairs(x.shape) do
      if size == 0 then return true end
    end
    return false
  end

  local dtypes = {"float32", "float64", "int64"}

  it("sums and multiplies", function()
    mirror.each(60, function(draw, layout)
      local dtype = dtypes[draw(3)]
      local shape = mirror.shape(draw, 4)
      local dims = some_dims(draw, #shape)
      local x, y = mirror.pair(draw, device, dtype, shape, layout)
      check_sum(x, y, dims, draw(2) == 1)
      x, y = mirror.pair(draw, device, dtype, shape, layout, "near 1")
      check("prod", x, y, 20, 0, #shape > 0 and draw(#shape) or nil)
    end)
  end)

  it("finds the largest and smallest, and where", function()
    local kinds = {"ties", "special", "plain"}
    mirror.each(60, function(draw, layout)
      local dtype = ({"float32", "float64", "int64", "bool"})[draw(4)]
      local shape = mirror.shape(draw, 4)
      local x, y = mirror.pair(draw, device, dtype, shape, layout, kinds[draw(3)])
      if is_empty(x) then return end
      local dims = some_dims(draw, #shape)
      local dim = #shape > 0 and draw(#shape) or nil
      for _, name in ipairs {"amax", "amin"} do check(name, x, y, 0, 0, dims) end
      for _, name in ipairs {"max", "min", "argmax", "argmin"} do check(name, x, y, 0, 0, dim) end
      check("argmax", x, y, 0, 0)
      check("argmin", x, y, 0, 0)
    end)
  end)

  it("tells any and all", function()
    mirror.each(30, function(draw, layout)
      local shape = mirror.shape(draw, 4)
      local x, y = mirror.pair(draw, device, "bool", shape, layout)
      local dims = some_dims(draw, #shape)
      check("any", x, y, 0, 0, dims)
      check("all", x, y, 0, 0, dims)
    end)
  end)

  -- Few results of many elements are cut into segments.
  local LONG = {
    {{70001}, 1}, {{3, 33000}, 2}, {{33000, 3}, 1}, {{20000, 2}, 2}, {{700, 90}, 1}, {{2, 5000, 7}, 2},
    {{8, 1027}, 2}, {{1027, 40}, 1},
  }

  it("cuts long rows and columns into segments", function()
    local draw = rng(1)
    for i, case in ipairs(LONG) do
      local shape, dim = table.unpack(case)
      local x, y = mirror.pair(draw, device, dtypes[i % 3 + 1], shape)
      check_sum(x, y, dim)
      check("max", x, y, 0, 0, dim)
      x, y = mirror.pair(draw, device, dtypes[(i + 1) % 3 + 1], shape, "reversed", "ties")
      check_sum(x, y)
      check("min", x, y, 0, 0, dim)
      check("argmax", x, y, 0, 0)
    end
  end)

  it("meets what is alone in a long row", function()
    for _, at in ipairs {1, 12345, 65536, 70001} do
      local x = gru.zeros(70001)
      x[at] = 0 / 0
      local value, place = x:to(device):max(1)
      assert(value:item() ~= value:item())
      assert.equals(at, place:item())
      assert.is_true(x:to(device):ne(0):any():item())
      assert.is_false(x:to(device):eq(0):all():item())
    end
  end)

  it("adds float32 in more than its precision", function()
    local x = gru.full({1 << 17}, 0.1)
    assert.is_true(math.abs(x:to(device):sum():item() - 0.10000000149011612 * (1 << 17)) < 1e-3)
    local column = x:view(-1, 2):to(device):sum(1)
    assert.is_true(math.abs(column[1]:item() - 0.10000000149011612 * (1 << 16)) < 5e-4)
  end)
end)
