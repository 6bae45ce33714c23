-- Joining tensors on CUDA gives what it gives on the CPU.
local gru = require "gru"
local devices = require "tests.support.devices"
local mirror = require "tests.support.mirror"

devices.on_cuda(function(device)
  local dtypes = {"bool", "int64", "float32", "float64"}

  local function check(pairs_of, f)
    local here, there = {}, {}
    for i, pair in ipairs(pairs_of) do here[i], there[i] = table.unpack(pair) end
    local ok, message = mirror.close(f(there), f(here))
    assert(ok, message)
  end

  -- Lengths along the joined dim that let words of 16, 8, 4 and 1 bytes be moved, and none.
  it("joins along any dim", function()
    local sizes = {0, 1, 2, 3, 4, 8, 12, 16}
    mirror.each(60, function(draw, layout)
      local dtype, shape = dtypes[draw(4)], mirror.shape(draw, 3, {1, 2, 4, 7, 16})
      if #shape == 0 then shape = {1} end
      local dim, list, unit = draw(#shape), {}, draw(3)
      for i = 1, draw(5) do
        local size = {table.unpack(shape)}
        size[dim] = unit == 1 and 16 or unit == 2 and 4 * draw(4) or sizes[draw(#sizes)]
        list[i] = {mirror.pair(draw, device, dtype, size, draw(2) == 1 and layout or "contiguous")}
      end
      check(list, function(tensors) return gru.cat(tensors, dim) end)
    end)
  end)

  it("joins many", function()
    for _, shape in ipairs {{3}, {2, 4}, {4, 1}} do
      mirror.each(2, function(draw)
        local list = {}
        for i = 1, 241 do list[i] = {mirror.pair(draw, device, "float32", shape)} end
        check(list, function(tensors) return gru.cat(tensors, #shape) end)
        check({table.unpack(list, 1, 120)}, gru.cat)
        check({table.unpack(list, 1, 121)}, gru.stack)
      end)
    end
  end)
end)
