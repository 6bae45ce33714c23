-- Softmax, cross-entropy and their gradients on CUDA give what they give on the CPU, and the same bits
-- every time.
local gru = require "gru"
local devices = require "tests.support.devices"
local mirror = require "tests.support.mirror"
local rng = require "tests.support.rng"

devices.on_cuda(function(device)
  local F = gru.nn.functional
  local dtypes = {"float32", "float64"}

  local function close(what, got, want, ulp, scale)
    local ok, message = mirror.close(got, want, ulp, scale)
    assert(ok, what .. ": " .. tostring(message))
  end

  -- f(x) and its gradient for x on both devices, twice on the other one; g: the gradient of the result.
  local function check(what, here, there, f, g, ulp)
    local function run(x)
      x = x:detach():requires_grad_()
      local y = f(x)
      y:backward(g:to(x.device):expand(y.shape))
      return y:detach(), x.grad
    end
    local y, dx = run(here)
    local got, got_dx = run(there)
    local again, again_dx = run(there)
    close(what, got, y, ulp, 1)
    close(what .. ", gradient", got_dx, dx, ulp, math.max(1, here:numel() / math.max(1, here.shape[1]) / 16))
    close(what .. ", run again", again, got:to("cpu"))
    close(what .. ", gradient, run again", again_dx, got_dx:to("cpu"))
  end

  -- Threads of a warp, a warp, a block, a large block a row; and rows that fill no block.
  local SHAPES = {
    {1, 1}, {5, 1}, {3, 2}, {100, 3}, {33, 10}, {7, 31}, {9, 64}, {20, 130}, {5, 512}, {3, 513}, {4, 1027},
    {2, 4096}, {3, 5000}, {1, 9000}, {257, 4100}, {0, 4},
  }

  it("normalises rows", function()
    local draw = rng(1)
    for i, shape in ipairs(SHAPES) do
      local dtype = dtypes[i % 2 + 1]
      local here, there = mirror.pair(draw, device, dtype, shape)
      local g = mirror.pair(draw, device, dtype, shape)
      for _, name in ipairs {"softmax", "log_softmax"} do
        check(("%s of %s [%d, %d]"):format(name, dtype, shape[1], shape[2]), here * 5, there * 5,
          function(x) return x[name](x, 2) end, g, 20)
      end
    end
  end)

  it("normalises any dim of any layout", function()
    mirror.each(24, function(draw, layout)
      local shape = mirror.shape(draw, 3)
      if #shape == 0 then return end
      local dtype, dim = dtypes[draw(2)], draw(#shape)
      local here, there = mirror.pair(draw, device, dtype, shape, layout)
      local g = mirror.pair(draw, device, dtype, shape)
      check("softmax", here, there, function(x) return x:softmax(dim) end, g, 20)
    end)
  end)

  it("meets infinities and NaN as the CPU does", function()
    local inf, nan = 1 / 0, 0 / 0
    for _, cols in ipairs {3, 40, 700} do
      local x = gru.zeros(10, cols, {device = "cpu"})
      local rows = {
        {-inf, 1, 2}, {-inf, -inf, 2}, {inf, 1, 2}, {nan, 1, 2}, {-inf, nan, 1}, {inf, -inf, 0},
        {1e30, -1e30, 0}, {200, -200, 199},
      }
      for r, row in ipairs(rows) do
        for c, v in ipairs(row) do x[{r, c * cols // 3}] = v end
      end
      x[9] = -inf
      x[10] = -inf
      x[{10, cols}] = 3
      for _, name in ipairs {"softmax", "log_softmax"} do
        close(name, x:to(device)[name](x:to(device), 2), x[name](x, 2), 20, 1)
      end
      local classes = gru.full({10}, cols, {dtype = "int64", device = "cpu"})
      local options = {reduction = "none", label_smoothing = 0.1}
      close("cross_entropy", F.cross_entropy(x:to(device), classes:to(device), options),
        F.cross_entropy(x, classes, options), 20, 1)
    end
  end)

  it("computes cross-entropy with every option", function()
    local reductions = {"mean", "sum", "none"}
    mirror.each(48, function(draw)
      local shape = SHAPES[draw(#SHAPES - 2)]
      local rows, cols, dtype = shape[1], shape[2], dtypes[draw(2)]
      local here, there = mirror.pair(draw, device, dtype, shape)
      local g = gru.rand({}, {dtype = dtype, device = "cpu"})
      local target = gru.randint(1, cols + 1, {rows}, {device = "cpu"})
      local options = {reduction = reductions[draw(3)]}
      local weight = draw(2) == 1 and gru.rand({cols}, {dtype = dtype, device = "cpu"}) + 0.1 or nil
      if draw(2) == 1 then options.label_smoothing = 0.2 end
      if draw(2) == 1 then
        options.ignore_index = draw(2) == 1 and -7 or 1
        target:masked_fill_(gru.rand({rows}, {device = "cpu"}):lt(0.3), options.ignore_index)
      end
      check(("cross_entropy of %s [%d, %d]"):format(dtype, rows, cols), here * 3, there * 3, function(x)
        options.weight = weight and weight:to(x.device)
        return F.cross_entropy(x, target:to(x.device), options)
      end, g, 30)
    end)
  end)

  it("names a class that is none, and computes nothing", function()
    local x = gru.zeros(4, 3)
    for _, bad in ipairs {0, 4, -3} do
      local target = gru.tensor({1, 2, bad, 9}, {dtype = "int64"})
      local ok, message = pcall(function() F.cross_entropy(x:to("cpu"), target:to("cpu")) end)
      assert.is_false(ok)
      local _, there = pcall(function() F.cross_entropy(x, target) end)
      assert.equals(message:match("cross_entropy:.*"), there:match("cross_entropy:.*"))
    end
    local loss = F.cross_entropy(x, gru.tensor({1, 2, 3, 9}, {dtype = "int64"}), {ignore_index = 9})
    assert.is_true(math.abs(loss:item() - math.log(3)) < 1e-6)
  end)
end)
