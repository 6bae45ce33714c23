-- Copies and conversions on CUDA leave what they leave on the CPU.
local gru = require "gru"
local devices = require "tests.support.devices"
local mirror = require "tests.support.mirror"
local rng = require "tests.support.rng"

devices.on_cuda(function(device)
  local dtypes = {"bool", "int64", "float32", "float64"}

  local function close(got, want)
    local ok, message = mirror.close(got, want)
    assert(ok, message)
  end

  -- A copy of x in dtype `to`; and x copied into a tensor in the given layout, what is around it untouched.
  local function check(draw, here, there, to, layout)
    close(there:to(to):contiguous():clone(), here:to(to):contiguous():clone())
    local seed = draw(1 << 30)
    local into, view = mirror.pair(rng(seed), device, to, here.shape, layout)
    local ok = pcall(into.copy_, into, here) -- not into expanded tensors
    assert(pcall(view.copy_, view, there) == ok)
    close(view, into)
    local base = mirror.base(view):to("cpu")
    close(base, mirror.base(into))
  end

  it("copies between all layouts and dtypes", function()
    mirror.each(120, function(draw, layout)
      local shape = mirror.shape(draw, 4, {1, 2, 3, 4, 8, 9, 16, 33})
      local here, there = mirror.pair(draw, device, dtypes[draw(4)], shape, layout, "special")
      check(draw, here, there, dtypes[draw(4)], mirror.layouts[draw(#mirror.layouts)])
    end)
  end)

  -- Tiles that are full, that are not, and with other dims before, between and after.
  it("transposes", function()
    local draw = rng(1)
    for i, case in ipairs {
      {{64, 32}, {2, 1}}, {{70, 45}, {2, 1}}, {{8, 300}, {2, 1}}, {{7, 40}, {2, 1}}, {{3, 40, 35}, {1, 3, 2}},
      {{40, 3, 35}, {3, 2, 1}}, {{40, 35, 3}, {2, 1, 3}}, {{10, 9, 12}, {3, 1, 2}},
      {{9, 10, 3, 12}, {2, 4, 3, 1}},
    } do
      for k, from in ipairs(dtypes) do
        local here, there = mirror.pair(draw, device, from, case[1])
        here, there = here:permute(case[2]), there:permute(case[2])
        check(draw, here, there, from, "contiguous")
        check(draw, here, there, dtypes[(i + k) % 4 + 1], "offset")
      end
    end
  end)

  it("moves rows in words", function()
    local draw = rng(2)
    for _, dtype in ipairs(dtypes) do
      for _, width in ipairs {1, 2, 3, 4, 6, 8, 16, 48} do
        for _, start in ipairs {1, 2, 3, 5, 9, 17} do
          local here, there = mirror.pair(draw, device, dtype, {5, 64})
          here, there = here:narrow(2, start, width), there:narrow(2, start, width)
          close(there:contiguous(), here:contiguous())
          local into, view = mirror.pair(draw, device, dtype, {5, 32})
          if width <= 16 then
            into:narrow(2, start < 9 and start or 1, width):copy_(here)
            view:narrow(2, start < 9 and start or 1, width):copy_(there)
            close(view, into)
          end
        end
      end
    end
  end)

  -- A view of contiguous elements is moved as it lies, and no more of its storage.
  it("moves a part of a tensor between devices", function()
    local whole = gru.arange(1, 1000, 1, {device = "cpu"})
    local there = whole:to(device)
    for _, at in ipairs {1, 500, 998} do
      close(there:narrow(1, at, 2):to("cpu"), whole:narrow(1, at, 2))
      close(whole:narrow(1, at, 2):to(device), whole:narrow(1, at, 2))
    end
  end)

  it("copies what is long", function()
    local draw = rng(3)
    for _, size in ipairs {70001, 65536} do
      local here, there = mirror.pair(draw, device, "float32", {size})
      close(there:clone(), here)
      close(there:to("float64"), here:to("float64"))
    end
  end)

  it("rounds towards zero, and what is no integer to the least one", function()
    local x = gru.tensor({1.9, -1.9, 0.5, 2 ^ 62, -2.0 ^ 63, 2.0 ^ 63, 1 / 0, -1 / 0, 0 / 0},
      {dtype = "float64", device = "cpu"})
    for _, dtype in ipairs {"float32", "float64"} do
      for _, to in ipairs {"int64", "bool", "float32"} do
        close(x:to(dtype):to(device):to(to), x:to(dtype):to(to))
      end
    end
  end)
end)
