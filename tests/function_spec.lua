-- gru.autograd: grad, gradcheck, functions with a gradient of their own, anomaly mode.
local gru = require "gru"
local autograd = gru.autograd
local describe = require("tests.support.devices").describe

local function float64(...) return gru.randn(..., {dtype = "float64", requires_grad = true}) end

local function class(name, forward, backward)
  local c = autograd.Function:extend(name)
  c.forward, c.backward = forward, backward
  return c
end

describe("autograd.grad", function()
  it("gives gradients and leaves .grad alone", function()
    local x, y = gru.tensor({2.0, 3}, {requires_grad = true}), gru.tensor({5.0, 7}, {requires_grad = true})
    local dx, dy = table.unpack(autograd.grad((x * y):sum(), {x, y}))
    assert.same({5, 7}, dx:totable())
    assert.same({2, 3}, dy:totable())
    assert.is_nil(x.grad)
  end)

  it("weighs several outputs", function()
    local x = gru.tensor({2.0, 3}, {requires_grad = true})
    local g = autograd.grad({x * 2, x * x}, x, {grad_outputs = {gru.ones(2), gru.tensor {1.0, 10}}})
    assert.same({2 + 4, 2 + 60}, g[1]:totable())
  end)

  it("names an input that plays no part, or gives false for it", function()
    local x, y = gru.ones(1, {requires_grad = true}), gru.ones(1, {requires_grad = true})
    assert.error_matches(function() autograd.grad((x * 2):sum(), {x, y}) end, "input 2")
    assert.is_false(autograd.grad((x * 2):sum(), {x, y}, {allow_unused = true})[2])
    assert.error_matches(function() autograd.grad(x, x, {retain = true}) end, "unknown option 'retain'")
  end)
end)

describe("autograd.gradcheck", function()
  it("accepts right gradients and names the place of wrong ones", function()
    local x = float64(3)
    assert.is_true(autograd.gradcheck(function(a) return a:sin() end, {x}))
    local Wrong = class("Wrong", function(_, a) return a * 2 end, function(_, g) return g * 2.1 end)
    local ok, message = autograd.gradcheck(Wrong.apply, {x})
    assert.is_false(ok)
    assert.matches("input 1, element 1: backward gives", message)
  end)

  it("takes a function whose gradient is constant", function()
    local x = float64(3)
    assert.is_true(autograd.gradcheck(function(a) return a:floor() end, {x}))
    assert.is_true(autograd.gradgradcheck(function(a) return a:floor() end, {x}))
  end)

  it("is not misled by a result that is a view of the input", function()
    assert.is_true(autograd.gradcheck(function(a) return a:reshape(3, 1) end, {float64(3)}))
  end)

  it("sees a small derivative beside a large value", function()
    local x = gru.tensor({0.3, 21.0}, {dtype = "float64", requires_grad = true})
    assert.is_true(autograd.gradcheck(function(a) return a:exp() end, {x}, {atol = 1e-7, rtol = 1e-7}))
  end)

  it("records again when the function raises", function()
    local calls = 0
    local function f(a)
      calls = calls + 1
      if calls > 1 then error "enough" end
      return a * 2
    end
    assert.error_matches(function() autograd.gradcheck(f, {float64(3)}) end, "enough")
    assert.is_true(gru.is_grad_enabled())
  end)

  it("wants float64", function()
    assert.error_matches(function()
      autograd.gradcheck(function(a) return a end, {gru.ones(2, {requires_grad = true})})
    end, "float64")
  end)
end)

describe("autograd.Function", function()
  local Cube = class("Cube", function(ctx, x)
    ctx:save_for_backward(x)
    return x * x * x
  end, function(ctx, g)
    local x = ctx:saved_tensors()
    return g * 3 * x * x
  end)

  it("has its own gradient, and that one's gradient", function()
    local x = float64(2, 3)
    assert.is_true(autograd.gradcheck(Cube.apply, {x}))
    assert.is_true(autograd.gradgradcheck(Cube.apply, {x}))
  end)

  it("takes other arguments and gives several results", function()
    local Both = class("Both", function(ctx, x, k, y)
      ctx:save_for_backward(x, y)
      ctx.k = k
      return x * y, x:sum() * k
    end, function(ctx, g1, g2)
      local x, y = ctx:saved_tensors()
      return g1 * y + g2 * ctx.k * gru.ones_like(x), nil, g1 * x
    end)
    local x, y = float64(3), float64(3)
    assert.is_true(autograd.gradcheck(function(a, b)
      local p, q = Both.apply(a, 4, b)
      return p * q
    end, {x, y}))
  end)

  it("runs forward unrecorded and is not recorded under no_grad", function()
    local recorded
    local Probe = class("Probe", function(_, x)
      recorded = gru.is_grad_enabled()
      return x * 1
    end, function(_, g) return g end)
    local x = gru.ones(2, {requires_grad = true})
    assert.is_true(Probe.apply(x).requires_grad)
    assert.is_false(recorded)
    assert.is_false(gru.no_grad(function() return Probe.apply(x).requires_grad end))
  end)

  it("passes an error value of backward on unchanged", function()
    local thrown = {code = 7}
    local Bad = class("Bad", function(_, x) return x * 2 end, function() error(thrown) end)
    local ok, err = pcall(function() Bad.apply(gru.ones(2, {requires_grad = true})):sum():backward() end)
    assert.is_false(ok)
    assert.equal(thrown, err)
    assert.is_true(gru.is_grad_enabled())
  end)

  it("checks what backward gives", function()
    local x = gru.ones(2, {requires_grad = true})
    local shape = class("Shape", function(_, a) return a * 2 end, function() return gru.ones(7) end)
    assert.error_matches(function() shape.apply(x):sum():backward() end, "float32 %[7%] for input 1.*%[2%]")
    local kind = class("Kind", function(_, a) return a * 2 end, function() return "g" end)
    assert.error_matches(function() kind.apply(x):sum():backward() end, "Kind: backward must return")
  end)

  it("notices a saved tensor that was changed", function()
    local x = gru.ones(2, {requires_grad = true})
    local y = x * 1
    local z = Cube.apply(y)
    y:add_(1)
    assert.error_matches(function() z:sum():backward() end, "Cube: saved tensor 1")
  end)

  it("keeps memory flat over 30,000 steps with hooks", function()
    local x = gru.ones(50, {requires_grad = true})
    local calls, live, lua = 0, nil, nil
    for step = 1, 30000 do
      local y = Cube.apply(x) * 2
      y:register_hook(function(g) calls = calls + 1 return g * 0.5 end)
      y:sum():backward()
      x.grad = nil
      if step == 500 or step == 30000 then
        y = nil -- luacheck: ignore
        collectgarbage()
        collectgarbage()
        live, lua = live or gru.memory().live, lua or collectgarbage "count"
      end
    end
    assert.equal(30000, calls)
    assert.equal(live, gru.memory().live)
    -- KiB: the smallest object a step would be 1,200; tables that grew once are a few hundred
    assert.is_true(collectgarbage "count" < lua + 900)
  end)
end)

describe("anomaly mode", function()
  after_each(function() gru.set_anomaly_mode(false) end)

  it("names the op and the line that gave NaN", function()
    local x = gru.ones(3, {requires_grad = true})
    gru.set_anomaly_mode(true)
    local y = (x - 1):sqrt() * 0
    assert.error_matches(function() y:sum():backward() end, "sqrt %([^)]*function_spec.lua:%d+%) gave NaN")
  end)

  it("leaves right gradients alone", function()
    local W, x = gru.randn(3, 3, {requires_grad = true}), gru.randn(5, 4, 3)
    local function gradient()
      W.grad = nil
      local sum = 0
      for i = 1, 5 do sum = sum + (x[i]:matmul(W)):tanh():sum() end
      sum:backward()
      return W.grad:clone()
    end
    local plain = gradient()
    gru.set_anomaly_mode(true)
    assert.is_true(gradient():allclose(plain))
  end)
end)
