-- Steps of optimisers and clipping as one call over a list of tensors: against the same written with
-- tensor ops, on every layout, and what else the lists must get right.
local gru = require "gru"
local core = require "gru.core"
local expect = require "tests.support.expect"
local composed = require "tests.support.composed_steps"
local describe = require("tests.support.devices").describe

local nn, optim, d2l = gru.nn, gru.optim, gru.d2l

-- Blocks of the kernels are 16384 elements: parts of one, and ones that reach over several.
local SHAPES = {{3}, {70, 300}, {}, {0, 3}, {9, 7}, {1, 5}, {17}}

local agrees, raises = expect.tensors, expect.raises

-- A copy of x that lies in memory in another way.
local layouts = {
  contiguous = function(x) return x:clone() end,
  transposed = function(x) return x:dim() == 2 and x:t():contiguous():t() or x:clone() end,
  sliced = function(x)
    local wide = gru.stack({x, x * 0}, -1)
    return wide:select(-1, 1)
  end,
}

local function same_steps(name, options, layout, dtype, tol)
  gru.manual_seed(3)
  local params, own, states = {}, {}, {}
  for i, shape in ipairs(SHAPES) do
    local x = gru.randn(shape, {dtype = dtype})
    params[i] = layouts[layout](x):detach():requires_grad_()
    own[i], states[i] = x:clone(), {}
  end
  local optimizer = optim[name](params, options)
  for step = 1, 4 do
    for i, p in ipairs(params) do
      local g = gru.randn(SHAPES[i], {dtype = dtype})
      local skipped = (i + step) % 4 == 0
      p.grad = not skipped and layouts[(i + step) % 2 == 0 and layout or "contiguous"](g):detach() or nil
      if not skipped then composed[name](own[i], g, states[i], options) end
    end
    optimizer:step()
  end
  for i, p in ipairs(params) do
    agrees(p:detach():clone(), own[i], tol)
    for key, value in pairs(optimizer:state_dict().state[i] or {}) do
      if key == "step" then assert.equal(states[i].step, value) else agrees(value, states[i][key], tol) end
    end
  end
end

describe("A step over a list is that of the equations:", function()
  local cases = {
    {"SGD", {lr = 0.1}}, {"SGD", {lr = 0.1, weight_decay = 0.1, maximize = true}},
    {"SGD", {lr = 0.1, momentum = 0.9}}, {"SGD", {lr = 0.1, momentum = 0.9, nesterov = true}},
    {"SGD", {lr = 0.1, momentum = 0.9, nesterov = true, weight_decay = 0.1}},
    {"SGD", {lr = 0.1, momentum = 0.9, dampening = 0.3, weight_decay = 0.1}},
    {"Adam", {lr = 0.1}}, {"Adam", {lr = 0.1, amsgrad = true}},
    {"Adam", {lr = 0.1, weight_decay = 0.1, betas = {0.5, 0.7}, eps = 0.01, maximize = true}},
    {"Adam", {lr = 0.1, weight_decay = 0.1, amsgrad = true}},
    {"AdamW", {lr = 0.1}}, {"AdamW", {lr = 0.1, weight_decay = 0.5, amsgrad = true, maximize = true}},
  }
  for i, case in ipairs(cases) do
    for layout in pairs(layouts) do
      it(("%s %d, %s"):format(case[1], i, layout), function()
        same_steps(case[1], case[2], layout, "float64", 1e-12)
        same_steps(case[1], case[2], layout, "float32", 1e-5)
      end)
    end
  end
end)

describe("A step over a list", function()
  local function leaf(values, dtype)
    return gru.tensor(values, {dtype = dtype or "float64"}):requires_grad_()
  end

  it("takes parameters of both dtypes at once", function()
    local p, q = leaf({1, 2}, "float32"), leaf {3, 4}
    local optimizer = optim.SGD({p, q}, {lr = 0.5})
    p.grad, q.grad = gru.ones(2), gru.ones(2, {dtype = "float64"})
    optimizer:step()
    assert.same({0.5, 1.5}, p:totable())
    assert.same({2.5, 3.5}, q:totable())
  end)

  it("goes from one to the next where parameters share memory", function()
    local base = gru.arange(1, 7, {dtype = "float64"})
    local a = base:narrow(1, 1, 4):detach():requires_grad_()
    local b = base:narrow(1, 3, 4):detach():requires_grad_()
    a.grad, b.grad = gru.ones(4, {dtype = "float64"}), gru.full({4}, 2.0, {dtype = "float64"})
    optim.SGD({a, b}, {lr = 1, weight_decay = 1}):step() -- p = -g
    assert.same({-1, -1, -2, -2, -2, -2}, base:totable())
    local rows = gru.zeros(3, 2, {dtype = "float64"})
    local c, d = rows:select(2, 1):detach():requires_grad_(), rows:select(2, 1):detach():requires_grad_()
    c.grad, d.grad = gru.ones(3, {dtype = "float64"}), gru.full({3}, 2.0, {dtype = "float64"})
    optim.SGD({c, d}, {lr = 1}):step()
    assert.same({{-3, 0}, {-3, 0}, {-3, 0}}, rows:totable())
  end)

  it("takes one gradient for two parameters, and a gradient that is the parameter itself", function()
    local p, q, g = leaf {1, 2}, leaf {3, 4}, gru.ones(2, {dtype = "float64"})
    p.grad, q.grad = g, g
    optim.SGD({p, q}, {lr = 1}):step()
    assert.same({0, 1}, p:totable())
    assert.same({2, 3}, q:totable())
    assert.same({1, 1}, g:totable())
    local base = gru.arange(1, 5, {dtype = "float64"})
    local r = base:narrow(1, 2, 3):detach():requires_grad_()
    r.grad = base:narrow(1, 1, 3):detach()
    optim.SGD({r}, {lr = 1}):step()
    assert.same({1, 1, 1, 1}, base:totable())
  end)

  it("reads a one-hot gradient", function()
    local p = leaf({{1, 1, 1}, {1, 1, 1}}, "float32")
    p.grad = gru.one_hot(gru.tensor {3, 1}, 3)
    optim.SGD({p}, {lr = 1}):step()
    assert.same({{1, 1, 0}, {0, 1, 1}}, p:totable())
  end)

  it("is an in-place change: versions go up, and a stale backward raises", function()
    local p = leaf {2, 3}
    local optimizer = optim.Adam({p})
    local loss = (p * p):sum()
    loss:backward {retain_graph = true}
    optimizer:step()
    raises("changed in place", loss.backward, loss)
  end)

  it("names what does not fit", function()
    local p, g = gru.ones(2), gru.ones(2)
    local sgd = {lr = 1, momentum = 0, dampening = 0, weight_decay = 0}
    raises("sgd_step: float32 %[3%] does not fit float32 %[2%] of tensor 1",
      core.sgd_step, {{p, gru.ones(3), 1}}, sgd)
    raises("sgd_step: float64 %[2%] does not fit", core.sgd_step, {{p, g:double(), 1}}, sgd)
    raises("sgd_step: tensor 1: float32 or float64 expected, got int64",
      core.sgd_step, {{gru.tensor {1}, gru.tensor {1}, 1}}, sgd)
    raises("sgd_step: item 2: .* step 0", core.sgd_step, {{p, g, 1}, {p, g, 0}}, sgd)
    raises("sgd_step: lr must be a number, got nil", core.sgd_step, {}, {})
    raises("sgd_step: tensor 1: several elements .* share memory",
      core.sgd_step, {{gru.ones(1):expand(2), g, 1}}, sgd)
    raises("sgd_step: the scale must be one number, its shape is %[2%]", core.sgd_step, {{p, g, 1}}, sgd, g)
    sgd.momentum = 0.5
    raises("sgd_step: item 1: state 1 is missing", core.sgd_step, {{p, g, 1}}, sgd)
    local adam = {lr = 1, beta1 = 0.9, beta2 = 1, eps = 0, weight_decay = 0}
    raises("adam_step: betas must be in %[0, 1%), got 0.9 and 1", core.adam_step, {}, adam)
    assert.same({1, 1}, p:totable())
  end)

  it("takes the scale of a clipping from the device", function()
    local p, q, g = gru.ones(2), gru.ones(2), gru.tensor({30.0, 40.0})
    local sgd = {lr = 1, momentum = 0, dampening = 0, weight_decay = 0}
    local total, scale = core.clip_norm({g}, 2, 5, 0)
    assert.equal(50, total:item())
    core.sgd_step({{p, g, 1}}, sgd, scale)
    core.scale_({g}, scale)
    core.sgd_step({{q, g, 1}}, sgd)
    assert.same(q:totable(), p:totable())
    assert.near(1 - 3, p[1]:item(), 1e-6)
  end)
end)

describe("clipping", function()
  local function with_grads(dtype, layout)
    gru.manual_seed(9)
    local params = {}
    for i, shape in ipairs(SHAPES) do
      params[i] = gru.zeros(shape, {dtype = dtype}):requires_grad_()
      params[i].grad = layouts[layout](gru.randn(shape, {dtype = dtype})):detach()
    end
    return params
  end

  local function all(params)
    local parts = {}
    for i, p in ipairs(params) do parts[i] = p.grad:reshape(-1) end
    return gru.cat(parts, 1):clone()
  end

  for layout in pairs(layouts) do
    it("scales by the norm of all, " .. layout, function()
      for dtype, tol in pairs {float32 = 1e-6, float64 = 1e-14} do
        for _, p in ipairs {2, math.huge, 3} do
          local params = with_grads(dtype, layout)
          local before = all(params)
          local want = before:norm(p)
          local total = nn.utils.clip_grad_norm_(params, 0.5, {norm_type = p})
          assert.same({}, total.shape)
          agrees(total, want, tol * 10)
          agrees(all(params), before * (0.5 / (want + 1e-6)), tol)
          params = with_grads(dtype, layout)
          d2l.grad_clipping(params, 0.5)
          agrees(all(params), before * (0.5 / before:norm()), tol)
        end
      end
    end)
  end

  it("leaves the bits alone where the norm is small, and empty gradients", function()
    local params = with_grads("float32", "contiguous")
    local before = all(params)
    nn.utils.clip_grad_norm_(params, 1e6)
    d2l.grad_clipping(params, 1e6)
    assert.equal(before:data(), all(params):data())
    local p = gru.zeros(0, 2, {requires_grad = true})
    p.grad = gru.zeros(0, 2)
    assert.equal(0, nn.utils.clip_grad_norm_({p}, 1):item())
    assert.equal(0, nn.utils.clip_grad_norm_({p}, 1, {norm_type = math.huge}):item())
  end)

  it("keeps zeros, also with a limit of 0", function()
    local p = gru.zeros(3, {requires_grad = true})
    p.grad = gru.zeros(3)
    nn.utils.clip_grad_norm_({p}, 0)
    d2l.grad_clipping({p}, 0)
    assert.same({0, 0, 0}, p.grad:totable())
  end)

  it("adds float32 squares up beyond float32", function()
    local p = gru.zeros(100000, {requires_grad = true})
    p.grad = gru.full({100000}, 1e30)
    assert.near(1, nn.utils.clip_grad_norm_({p}, 1):item() / (1e30 * math.sqrt(100000)), 1e-6)
    assert.near(1 / math.sqrt(100000), p.grad[1]:item(), 1e-8)
    p.grad = gru.full({100000}, 1e-30)
    assert.near(1, nn.utils.clip_grad_norm_({p}, 1):item() / (1e-30 * math.sqrt(100000)), 1e-6)
  end)

  it("passes NaN on, and gives zeros for an infinite norm", function()
    for _, norm_type in ipairs {2, math.huge} do
      local p, q = gru.zeros(40, {requires_grad = true}), gru.zeros(1, {requires_grad = true})
      p.grad, q.grad = gru.ones(40), gru.ones(1)
      p.grad[7] = 0 / 0
      assert.is_true(nn.utils.clip_grad_norm_({p, q}, 1, {norm_type = norm_type}):isnan():item())
      assert.is_true(q.grad:isnan():item())
      p.grad, q.grad = gru.ones(40), gru.ones(1)
      p.grad[40] = math.huge
      assert.equal(math.huge, nn.utils.clip_grad_norm_({p, q}, 1, {norm_type = norm_type}):item())
      assert.equal(0, q.grad:item())
    end
  end)

  it("takes both dtypes, and a gradient that two parameters share twice", function()
    local p = gru.zeros(1, {requires_grad = true})
    local q = gru.zeros(1, {dtype = "float64", requires_grad = true})
    p.grad, q.grad = gru.full({1}, 3.0), gru.full({1}, 4.0, {dtype = "float64"})
    assert.near(5, nn.utils.clip_grad_norm_({p, q}, 1):item(), 1e-6)
    assert.near(0.6, p.grad:item(), 1e-6)
    assert.near(0.8, q.grad:item(), 1e-6)
    local r = gru.zeros(1, {requires_grad = true})
    p.grad = gru.full({1}, 3.0)
    r.grad = p.grad
    nn.utils.clip_grad_norm_({p, r}, math.sqrt(18) / 2)
    assert.near(3 / 4, p.grad:item(), 1e-5)
  end)

  it("names what does not fit", function()
    raises("clip_norm: needs at least one tensor", core.clip_norm, {}, 2, 1, 0)
    local here = gru.get_default_device()
    raises(("clip_norm: float32 on %s and float64 on %s"):format(here, here), core.clip_norm,
      {gru.ones(1), gru.ones(1):double()}, 2, 1, 0)
    raises("clip_norm: the norm must be 2 or infinity, got 3", core.clip_norm, {gru.ones(1)}, 3, 1, 0)
    raises("clip_norm: tensor 1: float32 or float64 expected, got bool", core.clip_norm,
      {gru.ones(1):gt(0)}, 2, 1, 0)
    raises("scale_: tensor 1: several elements of an expanded tensor share memory",
      core.scale_, {gru.ones(1):expand(2)}, gru.tensor(2.0))
  end)
end)
