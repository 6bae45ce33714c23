-- Running sums and products on CUDA are those of the CPU, and the same bits every time.
local gru = require "gru"
local devices = require "tests.support.devices"
local mirror = require "tests.support.mirror"
local rng = require "tests.support.rng"

devices.on_cuda(function(device)
  local dtypes = {"float32", "float64", "int64"}

  local function check(name, here, there, ulp, scale, dim)
    local want, got = here[name](here, dim), there[name](there, dim)
    local ok, message = mirror.close(got, want, ulp, scale)
    assert(ok, ("%s along %d: %s"):format(name, dim, tostring(message)))
    assert(mirror.close(there[name](there, dim), got:to("cpu")), name .. ": two runs differ")
  end

  local function check_both(draw, dtype, shape, layout, dim)
    local here, there = mirror.pair(draw, device, dtype, shape, layout)
    local scale = dtype ~= "int64" and here:abs():cumsum(dim) or nil
    check("cumsum", here, there, dtype == "float64" and 20 or 2, scale, dim)
    here, there = mirror.pair(draw, device, dtype, shape, layout, "near 1")
    check("cumprod", here, there, dtype == "float64" and 40 + shape[dim] or 2, nil, dim)
  end

  it("scans any dim of any layout", function()
    mirror.each(48, function(draw, layout)
      local shape = mirror.shape(draw, 3, {1, 2, 7, 8, 9, 31, 33, 64})
      if #shape == 0 then shape = {5} end
      check_both(draw, dtypes[draw(3)], shape, layout, draw(#shape))
    end)
  end)

  it("meets infinities and NaN", function()
    mirror.each(6, function(draw)
      local here, there = mirror.pair(draw, device, dtypes[draw(2)], {5, 300}, nil, "special")
      for dim = 1, 2 do check("cumsum", here, there, 20, 100, dim) end
    end)
  end)

  -- Lines of a thread, a warp, a block; and cut into chunks, whose totals may be cut again.
  it("cuts long lines into chunks", function()
    local draw = rng(1)
    for i, case in ipairs {
      {{513}, 1}, {{2, 2048}, 2}, {{2, 2049}, 2}, {{40000}, 1}, {{3, 17001}, 2}, {{17001, 3}, 1},
      {{300, 40}, 1}, {{2, 1000, 32}, 2}, {{20000, 33}, 1},
    } do
      check_both(draw, dtypes[i % 3 + 1], case[1], nil, case[2])
    end
  end)

  -- The gradient of a running sum runs from the last element on.
  it("scans backwards", function()
    local draw = rng(2)
    for _, case in ipairs {{{4, 9, 3}, 2}, {{600}, 1}, {{40000}, 1}, {{300, 40}, 1}} do
      local shape, dim = table.unpack(case)
      local here, there = mirror.pair(draw, device, "float64", shape)
      local grads = {}
      for i, x in ipairs {here, there} do
        local leaf = gru.zeros(shape, {dtype = "float64", device = x.device, requires_grad = true})
        leaf:cumsum(dim):backward(x)
        grads[i] = leaf.grad
      end
      local ok, message = mirror.close(grads[2], grads[1], 20, here:abs():sum())
      assert(ok, message)
    end
  end)
end)
