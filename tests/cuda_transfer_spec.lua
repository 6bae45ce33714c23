-- Tensors between the CPU and a CUDA device: views move as what they show, and nothing beside them.
local devices = require "tests.support.devices"
local gru = require "gru"

local device = devices.cuda()
local test = device and it or pending

describe("between the CPU and " .. (device or "a CUDA device") .. " #cuda", function()
  local function views(x)
    return {x, x[2], x:narrow(1, 2, 2), x:narrow(2, 3, 4), x:t(), x[{1, 2}], x:narrow(1, 4, 0)}
  end

  test("views move, either way", function()
    for _, dtype in ipairs {"float32", "float64", "int64", "bool"} do
      local x = (gru.arange(60):reshape(6, 10) % 3):to(dtype)
      local there = views(x:to(device))
      for i, v in ipairs(views(x)) do
        assert.is_true(v:equal(there[i]:cpu()))
        assert.is_true(v:equal(v:to(device):cpu()))
      end
    end
  end)

  test("what was moved may be changed at once", function()
    local x = gru.arange(500000)
    local wanted = x:clone()
    local there = {}
    for i = 1, 3 do
      there[i] = x:to(device)
      x:add_(1)
    end
    for i = 1, 3 do assert.is_true(there[i]:cpu():equal(wanted + (i - 1))) end
  end)

  test("what lies beside a view stays", function()
    local x, y = gru.zeros(4, 5, {device = device}), gru.zeros(4, 5)
    x[2]:copy_(gru.ones(5))
    y[2]:copy_(gru.ones(5))
    assert.is_true(y:equal(x:cpu()))
    local z = gru.full({4, 5}, 7.0)
    z[3]:copy_(x[2])
    y:fill_(7)
    y[3]:fill_(1)
    assert.is_true(y:equal(z))
  end)

  test("PyTorch's generator fills a view alone", function()
    local x, y = gru.zeros(4, 5, {device = device}), gru.zeros(4, 5)
    for _, t in ipairs {x, y} do
      gru.manual_seed(3, "torch")
      t[1]:uniform_()
    end
    gru.manual_seed(3)
    assert.is_true(y:equal(x:cpu()))
  end)
end)
