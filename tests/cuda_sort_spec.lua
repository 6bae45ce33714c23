-- Order and search on a CUDA device: values, positions and their order are the CPU's.
local gru = require "gru"
local agree = require "tests.support.agree"
local devices = require "tests.support.devices"
local nd = require "tests.support.nd"
local new_rng = require "tests.support.rng"

local DTYPES = {"bool", "int64", "float32", "float64"}
local SPECIAL = {0 / 0, math.huge, -math.huge, -0.0, 0, 1e-42, -1e-42}

-- Few different values, so that most have equals.
local function draw_element(draw, dtype, range)
  if dtype == "bool" then return draw(2) == 1 end
  local v = draw(range) - range // 2
  if dtype == "int64" then
    local extreme = draw(40)
    return extreme == 1 and math.mininteger or extreme == 2 and math.maxinteger or v
  end
  if draw(8) == 1 then return SPECIAL[draw(#SPECIAL)] end
  return v / 4
end

local function draw_tensor(draw, dtype, shape, range)
  return nd.tensor(nd.generate(shape, function() return draw_element(draw, dtype, range) end), dtype)
end

-- A shape with `n` along one of its dims, and which.
local function draw_lines(draw, n)
  local shape = {draw(4), draw(5), draw(3)}
  local dim = draw(3)
  shape[dim] = n
  return shape, dim
end

devices.on_cuda(function(device)
  -- f(x) gives tensors: those of the device are those of the CPU, and the same a second time.
  local function same(f, ...)
    local there = {}
    for i, t in ipairs {...} do there[i] = t:to(device) end
    local want, got, again = {f(...)}, {f(table.unpack(there))}, {f(table.unpack(there))}
    for i, t in ipairs(want) do
      assert.equal(device, got[i].device)
      assert(agree.identical(got[i], t))
      assert(agree.identical(again[i], t))
    end
  end

  local function on_cpu(f)
    local before = gru.get_default_device()
    gru.set_default_device "cpu"
    f()
    gru.set_default_device(before)
  end

  local function cases(name, f)
    it(name, function() on_cpu(f) end)
  end

  cases("sorts lines of every length along every dim, stably", function()
    local draw = new_rng(21)
    for _, n in ipairs {0, 1, 2, 3, 4, 5, 7, 8, 15, 31, 32, 33, 64, 100, 257, 511, 512, 513} do
      for _, dtype in ipairs(DTYPES) do
        local shape, dim = draw_lines(draw, n)
        local x = draw_tensor(draw, dtype, shape, 1 + draw(30))
        for _, descending in ipairs {false, true} do
          same(function(t) return t:sort(dim, descending) end, x)
        end
      end
    end
  end)

  cases("sorts views, and lines side by side", function()
    local draw = new_rng(22)
    for _ = 1, 12 do
      local dtype = DTYPES[draw(4)]
      local x = draw_tensor(draw, dtype, {draw(20), draw(90)}, 9)
      same(function(t) return t:t():sort(draw(1) == 1 and 1 or 2) end, x)
      same(function(t) return t:t():sort(2, true) end, x)
      same(function(t) return t:narrow(2, 1, math.max(1, t.shape[2] // 2)):sort(1) end, x)
    end
    same(function(t) return t:sort(1) end, draw_tensor(draw, "float32", {3, 700}, 5))
    same(function(t) return t:sort(2) end, draw_tensor(draw, "int64", {700, 3}, 5))
  end)

  cases("sorts long lines in chunks", function()
    local draw = new_rng(23)
    for _, n in ipairs {1500, 2048, 2049, 4096, 5000, 9001} do
      local dtype = n == 9001 and "float32" or DTYPES[draw(4)]
      same(function(t) return t:sort(1, draw(1) == 1) end, draw_tensor(draw, dtype, {n}, n // 3))
    end
    same(function(t) return t:sort(2, true) end, draw_tensor(draw, "float64", {2, 3000}, 100))
    same(function(t) return t:sort(1) end, draw_tensor(draw, "float32", {2500, 3}, 100))
    same(function(t) return t:sort(1) end, draw_tensor(draw, "int64", {4100}, 3))
  end)

  cases("finds the first few, of short lines and of long ones", function()
    local draw = new_rng(24)
    for _, n in ipairs {1, 5, 40, 300, 2048, 2100, 7000} do
      for _, largest in ipairs {true, false} do
        local shape, dim = {n}, 1
        if n < 1000 then shape, dim = draw_lines(draw, n) end
        local x = draw_tensor(draw, DTYPES[draw(4)], shape, 50)
        for _, k in ipairs {0, 1, draw(n), math.min(n, 256), math.min(n, 257)} do
          same(function(t) return t:topk(k, dim, largest) end, x)
        end
      end
    end
    same(function(t) return t:topk(20, 2) end, draw_tensor(draw, "float32", {3, 5000}, 4000))
    -- so many chunks that the few of each are more than one chunk
    same(function(t) return t:topk(250, 1) end, draw_tensor(draw, "float32", {19000}, 9000))
  end)

  cases("finds medians, and the first NaN in place of one", function()
    local draw = new_rng(25)
    for _, n in ipairs {1, 2, 3, 10, 33, 500, 2500} do
      for _, dtype in ipairs {"int64", "float32", "float64"} do
        local shape, dim = {n}, 1
        if n < 1000 then shape, dim = draw_lines(draw, n) end
        local x = draw_tensor(draw, dtype, shape, 1 + draw(40))
        local usual = nd.tensor(nd.generate(shape, function() return draw(20) end), dtype)
        for _, t in ipairs {x, usual} do
          same(function(a) return a:median(dim) end, t)
          same(function(a) return a:median() end, t)
        end
      end
    end
  end)

  cases("finds what is set, in order", function()
    local draw = new_rng(26)
    for _, shape in ipairs {{0}, {1}, {17}, {4096}, {4097}, {9, 7, 5}, {2, 3, 2, 2}, {130, 70}, {3, 0, 2}} do
      for _, share in ipairs {0, 0.02, 0.5, 1} do
        local x = nd.tensor(nd.generate(shape, function() return draw() < share end), "bool")
        same(function(t) return t:nonzero() end, x)
        same(function(t) return t:reshape(-1):narrow(1, 1, math.max(0, t:numel() - 3)):nonzero() end,
          nd.numel(shape) > 3 and x or x:new_zeros {5})
      end
    end
    same(function(t) return t:nonzero() end, draw_tensor(draw, "float32", {60, 9}, 3))
    local x = gru.rand(11000)
    same(function(t) return (t:gt(0.9)):nonzero(), t[t:gt(0.5)] end, x)
  end)

  cases("finds the places of values", function()
    local draw = new_rng(27)
    for _, n in ipairs {0, 1, 2, 33, 400} do
      for _, dtype in ipairs(DTYPES) do
        local line = draw_tensor(draw, dtype, {n}, 30):sort(1)
        local values = draw_tensor(draw, dtype, {draw(5), draw(30)}, 40)
        for _, right in ipairs {false, true} do
          same(function(a, b) return gru.searchsorted(a, b, right) end, line, values)
          local rows = draw_tensor(draw, dtype, {3, 4, n}, 30):sort(3)
          same(function(a, b) return gru.searchsorted(a, b, right) end, rows,
            draw_tensor(draw, dtype, {3, 4, draw(9)}, 40))
        end
      end
    end
  end)
end)
