-- Reading and writing at positions on a CUDA device: bit for bit what the CPU reads and writes.  Sums
-- are of numbers that round, so that their order shows.
local gru = require "gru"
local agree = require "tests.support.agree"
local devices = require "tests.support.devices"
local nd = require "tests.support.nd"
local new_rng = require "tests.support.rng"

local DTYPES = {"bool", "int64", "float32", "float64"}

local function draw_tensor(draw, dtype, shape)
  return nd.tensor(nd.generate(shape, function()
    if dtype == "bool" then return draw(2) == 1 end
    if dtype == "int64" then return draw(1 << 40) - (1 << 39) end
    return draw(-1, 1)
  end), dtype):to(gru.get_default_device())
end

local function draw_ids(draw, shape, n)
  return nd.tensor(nd.generate(shape, function() return draw(n) end), "int64"):to(gru.get_default_device())
end

-- t, sometimes with the same elements elsewhere in memory.
local function draw_view(draw, t)
  local how = draw(4)
  if how == 1 and t:dim() > 1 then return t:transpose(1, 2):contiguous():transpose(1, 2) end
  if how == 4 or t:dim() == 0 then return t end
  local shape, last = t.shape, t:dim()
  if how == 2 then shape[last] = shape[last] + 3 else shape[last + 1] = 2 end
  local room = gru.zeros(shape, {dtype = t.dtype})
  local view = how == 2 and room:narrow(last, 3, t:size(last)) or room:select(last + 1, 2)
  return view:copy_(t)
end

devices.on_cuda(function(device)
  -- f(draw, where) gives tensors made with the same draws on both devices.
  local function same(seed, f)
    local function run(where)
      local before = gru.get_default_device()
      gru.set_default_device(where)
      local results = {f(new_rng(seed))}
      gru.set_default_device(before)
      return results
    end
    local want, got, again = run "cpu", run(device), run(device)
    for i, t in ipairs(want) do
      assert.equal(device, got[i].device)
      assert(agree.identical(got[i], t), "case " .. seed)
      assert(agree.identical(again[i], t), "case " .. seed)
    end
  end

  it("takes rows along every dim, of views too", function()
    for seed = 1, 80 do
      same(seed, function(draw)
        local shape = {}
        for d = 1, draw(3) do shape[d] = draw(3) == 1 and draw(50) or draw(8) end
        local d = draw(#shape)
        local x = draw_view(draw, draw_tensor(draw, DTYPES[draw(4)], shape))
        return x:index_select(d, draw_ids(draw, {draw(12) - 1}, shape[d]))
      end)
    end
  end)

  it("takes rows of any width and at any place in memory", function()
    for seed = 1, 40 do
      same(seed, function(draw)
        local rows, width, skip = draw(20), 8 * draw(9) + (draw(2) - 1) * draw(8), (draw(2) - 1) * draw(5)
        local x = draw_tensor(draw, DTYPES[draw(4)], {rows, width + skip}):narrow(2, skip + 1, width)
        local ids = draw_ids(draw, {draw(300)}, rows)
        local packed = x:contiguous()
        local inside = x:new_zeros {rows, 48}:narrow(2, 1 + draw(16), 16)
        inside:copy_(draw_tensor(draw, x.dtype, {rows, 16}))
        return x:index_select(1, ids), packed:index_select(1, ids), packed:t():index_select(2, ids),
          inside:index_select(1, ids)
      end)
    end
  end)

  it("adds rows in the order of their ids", function()
    for seed = 1, 60 do
      same(seed, function(draw)
        local shape = {}
        for d = 1, draw(3) do shape[d] = draw(3) == 1 and draw(50) or draw(8) end
        local d, dtype = draw(#shape), DTYPES[draw(4)]
        local x, size = draw_tensor(draw, dtype, shape), shape[d]
        shape[d] = draw(4) == 1 and draw(400) or draw(20) - 1
        local src = draw_view(draw, draw_tensor(draw, dtype, shape))
        return x:index_add(d, draw_ids(draw, {shape[d]}, size), src)
      end)
    end
  end)

  it("adds many rows, and rows to a large target", function()
    for seed, case in ipairs {
      {60, 300, 2500}, {1027, 40, 1120}, {5, 1, 6000}, {1, 33, 1030}, {1 << 21, 1, 700}, {1 << 18, 17, 5000},
    } do
      same(seed, function(draw)
        local size, width, count = table.unpack(case)
        local ids = draw_ids(draw, {count}, draw(2) == 1 and size or math.min(size, 3))
        local dtype = seed == 1 and "float64" or "float32"
        local zeros = gru.zeros(size, width, {dtype = dtype})
        local y = zeros:index_add(1, ids, draw_tensor(draw, dtype, {count, width}))
        return y:index_select(1, draw_ids(draw, {20}, size)), y:index_select(1, ids)
      end)
    end
  end)

  it("multiplies by one-hot rows, forward and backward", function()
    for seed = 1, 16 do
      same(seed, function(draw)
        local classes, width, count = draw(70), draw(80), draw(60)
        local transposed, dtype = draw(2) == 1, draw(2) == 1 and "float32" or "float64"
        gru.set_default_dtype(dtype)
        local x = gru.one_hot(draw_ids(draw, {count}, classes), classes)
        local w = draw_tensor(draw, dtype, transposed and {width, classes} or {classes, width})
        w:requires_grad_()
        local g = draw_tensor(draw, dtype, {count, width})
        local y = x:matmul(transposed and w:t() or w)
        y:backward(g)
        y = x:matmul(transposed and w:t() or w)
        y:backward(draw_tensor(draw, dtype, {count, width}))
        gru.set_default_dtype "float32"
        return y, w.grad, x:clone():add(0)
      end)
    end
  end)

  it("writes one-hot rows out", function()
    for seed = 1, 20 do
      same(seed, function(draw)
        local classes, dtype = draw(4) == 1 and 1 or draw(40), draw(2) == 1 and "float32" or "float64"
        gru.set_default_dtype(dtype)
        local x = gru.one_hot(draw_ids(draw, {draw(5) - 1, draw(30)}, classes), classes) + 0
        gru.set_default_dtype "float32"
        return x
      end)
    end
  end)

  -- x, ids that fit it along a dim, and a source
  local function draw_along(draw, n)
    local shape, ids, larger = {}, {}, {}
    local d = draw(3)
    for e = 1, 3 do
      shape[e] = e == d and draw(n) or draw(6)
      ids[e] = e == d and draw(n) - (draw(9) == 1 and 1 or 0) or draw(shape[e])
      if ids[e] < 0 then ids[e] = 0 end
      larger[e] = ids[e] + draw(2) - 1
    end
    local dtype = DTYPES[draw(4)]
    local x, src = draw_tensor(draw, dtype, shape), draw_tensor(draw, dtype, larger)
    return x, d, draw_view(draw, draw_ids(draw, ids, draw(2) == 1 and shape[d] or math.min(3, shape[d]))),
      draw_view(draw, src)
  end

  it("gathers and scatters", function()
    for seed = 1, 100 do
      same(seed, function(draw)
        local x, d, ids, src = draw_along(draw, seed % 5 == 0 and 90 or 9)
        return draw_view(draw, x):gather(d, ids), x:scatter(d, ids, src), x:scatter_add(d, ids, src)
      end)
    end
  end)

  it("scatters along lines of thousands, and scalars", function()
    for seed, count in ipairs {3000, 33, 32, 5000, 1} do
      same(seed, function(draw)
        local ids = draw_ids(draw, {count}, seed % 2 == 0 and 4 or 2000)
        local x, src = draw_tensor(draw, "float32", {2000}), draw_tensor(draw, "float32", {count})
        return x:scatter(1, ids, src), x:scatter_add(1, ids, src), x:gather(1, ids), x:scatter(1, ids, 2.5)
      end)
    end
    same(9, function(draw)
      local x, one = draw_tensor(draw, "float32", {}), draw_ids(draw, {}, 1)
      return x:gather(1, one), x:scatter(1, one, x * 2), x:scatter_add(1, one, x)
    end)
  end)

  it("refuses ids outside, with the CPU's words, and writes nothing", function()
    local draw = new_rng(31)
    gru.set_default_device "cpu"
    for _ = 1, 25 do
      local size, count = draw(9), draw(600)
      local bad, at = draw(2) == 1 and size + draw(5) or 1 - draw(5), draw(count)
      local ids, src = draw_ids(draw, {count}, size), draw_tensor(draw, "float32", {count})
      ids[at] = bad
      if at < count and draw(2) == 1 then ids[count] = 99 end
      for name, f in pairs {
        index_select = function(x, i) return x:index_select(1, i) end,
        index_add = function(x, i, s) return x:index_add(1, i, s) end,
        index_add_ = function(x, i, s) return x:index_add_(1, i, s) end,
        gather = function(x, i) return x:gather(1, i) end,
        scatter_ = function(x, i, s) return x:scatter_(1, i, s) end,
        scatter_add_ = function(x, i, s) return x:scatter_add_(1, i, s) end,
        one_hot = function(_, i) return gru.one_hot(i, size) end,
        embedding = function(x, i) return gru.nn.functional.embedding(i, x:reshape(size, 1)) end,
      } do
        local x, messages = gru.rand(size, {device = "cpu"}), {}
        for _, where in ipairs {"cpu", device} do
          local copy = x:to(where):clone()
          local ok, message = pcall(f, copy, ids:to(where), src:to(where))
          assert.is_false(ok, name)
          messages[#messages + 1] = message
          assert(agree.identical(copy, x))
        end
        local told = ("id %d at position %d is outside 1 .. %d"):format(bad, at, size)
        assert.matches(told, messages[1], 1, true)
        assert.equal(messages[1], messages[2])
      end
    end
    gru.set_default_device(device)
  end)
end)
