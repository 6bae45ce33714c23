-- Tensors of every device: making, printing, reading, moving, counting their memory.
local gru = require "gru"
local devices = require "tests.support.devices"

describe("gru.devices()", function()
  it("names the CPU first, and what can be used", function()
    assert.equal("cpu", gru.devices()[1])
    for _, name in ipairs(gru.devices()) do assert.equal(name, gru.zeros(1, {device = name}).device) end
    assert.equal(#gru.devices() - 1, gru.cuda.device_count())
  end)
end)

-- 0, 1 .. n - 1, made on the host.
local function numbers(n, options)
  local list = {}
  for i = 1, n do list[i] = i - 1 end
  return gru.tensor(list, options)
end

devices.each(function(device)
  local other = device == "cpu" and devices.cuda() or "cpu"

  describe("the default device", function()
    it("is where tensors are made", function()
      local x = gru.tensor {{1, 2}, {3, 4.5}}
      for _, y in ipairs {x, gru.zeros(2), gru.empty(3), gru.ones_like(x),
          gru.full({2}, 7), x + 1, x:t(), x[1]} do
        assert.equal(device, y.device)
      end
    end)

    it("gives way to a device that is named", function()
      assert.equal(other, gru.tensor({1, 2}, {device = other}).device)
      assert.equal(other, gru.zeros(2, {device = other}).device)
      assert.equal(other, gru.zeros_like(gru.zeros(2, {device = other})).device)
      assert.equal("cpu", gru.zeros(2):cpu().device)
    end)
  end)

  it("prints a tensor as any other", function()
    local x = gru.tensor {{1, 2}, {3, 4.5}}
    assert.equal("tensor([[1.0000, 2.0000],\n        [3.0000, 4.5000]])", tostring(x))
    local elsewhere = tostring(gru.tensor({1.5}, {device = other}))
    assert.equal(other == device and "tensor([1.5000])" or ("tensor([1.5000], device='%s')"):format(other),
      elsewhere)
  end)

  it("reads elements back", function()
    local x = gru.tensor {{1, 2}, {3, 4}}
    assert.same({{1, 3}, {2, 4}}, x:t():totable())
    assert.equal(4, x[2][2]:item())
    assert.equal(true, x:gt(3)[2][2]:item())
    assert.equal(("<i8i8i8i8"):pack(1, 3, 2, 4), x:t():data())
    local rows = {}
    for i, row in ipairs(x) do rows[i] = row:totable() end
    assert.same({{1, 2}, {3, 4}}, rows)
  end)

  it("moves tensors, whatever their layout and dtype", function()
    local x = numbers(24):reshape(2, 3, 4)
    for _, dtype in ipairs {"bool", "int64", "float32", "float64"} do
      local whole = x:to(dtype)
      for _, y in ipairs {
        whole, whole:permute(3, 1, 2), whole[{{}, {2, 3}, {1, 4, 2}}], whole[2], whole[1][1][1],
        whole[{{}, {}, {1, 1}}]:expand(2, 3, 5), whole[{{}, {2, 3, 2}}],
      } do
        local there = y:to(other)
        assert.equal(other, there.device)
        assert.equal(dtype, there.dtype)
        assert.same(y:totable(), there:totable())
        assert.same(y:totable(), there:to(device):totable())
        assert.same(y:to("float64"):totable(), there:to(device, "float64"):totable())
      end
    end
  end)

  it("copies between devices, into and out of views", function()
    local x = numbers(12):reshape(3, 4)
    local y = gru.zeros(4, 3, {dtype = "float32", device = other})
    y:t():copy_(x)
    assert.same(x:t():to("float32"):totable(), y:totable())
    y:t()[{{}, {2, 4, 2}}]:copy_(x[{{}, {1, 2}}] * 10)
    assert.same({{0, 4, 8}, {0, 40, 80}, {2, 6, 10}, {10, 50, 90}}, y:totable())
  end)

  it("carries gradients over a move", function()
    local x = gru.tensor({1.0, 2.0}, {requires_grad = true})
    local y = (x:to(other) * gru.tensor({3.0, 4.0}, {device = other})):to(device)
    y:backward(gru.ones(2))
    assert.same({3, 4}, x.grad:totable())
    assert.equal(device, x.grad.device)
  end)

  it("counts the memory of its tensors alone", function()
    collectgarbage()
    collectgarbage()
    local live, elsewhere = gru.memory(device).live, other ~= device and gru.memory(other).live
    local x = gru.zeros(1000)
    local grown = gru.memory(device).live - live
    assert.is_true(grown >= x:nbytes() and grown < x:nbytes() + 1024)
    assert.same(gru.memory(device), gru.memory())
    if elsewhere then assert.equal(elsewhere, gru.memory(other).live) end
    assert.is_true(gru.memory().peak >= live + grown and gru.memory().limit > 0)
  end)
end)
