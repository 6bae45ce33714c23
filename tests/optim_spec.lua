-- Optimisers and gradient clipping: golden numbers, PyTorch's results, groups, state, errors.
local gru = require "gru"
local agree = require "tests.support.agree"
local expect = require "tests.support.expect"
local nd = require "tests.support.nd"
local golden = dofile "tests/golden/nn.lua"
local describe = require("tests.support.devices").describe

local nn, optim = gru.nn, gru.optim

local same, equal, raises = expect.values, expect.tensors, expect.raises

local function parameter(value, dtype)
  return nn.Parameter(gru.tensor(value, {dtype = dtype or "float64"}))
end

local function title(name, options)
  local parts = {}
  for key, value in pairs(options) do
    if type(value) == "table" then value = table.concat(value, "/") end
    parts[#parts + 1] = key .. "=" .. tostring(value)
  end
  table.sort(parts)
  return name .. " " .. (#parts == 0 and "defaults" or table.concat(parts, " "))
end

-- ---- golden numbers -----------------------------------------------------------------------------

describe("optimisers, the golden example:", function()
  local cases = {
    {"Adam", {}, {.999, .998808502, .998461074}},
    {"Adam", {lr = 1e-2, weight_decay = .1}, {.99, .986011586, .980495527}},
    {"AdamW", {lr = 1e-2, weight_decay = 1e-2}, {.9899, .987886030, .984312964}},
    {"SGD", {lr = .1, momentum = .9}, {.95, .935, .9015}},
    {"SGD", {lr = .1, momentum = .9, nesterov = true}, {.905, .9215, .87135}},
    {"SGD", {lr = .1, momentum = .9, dampening = .5, weight_decay = .01}, {.949, .9176255, .878929637}},
    {"RMSprop", {}, {.90000002, .951639789, .918941761}},
    {"RMSprop", {centered = true, momentum = .9}, {.899496239, .860711738, .793039939}},
    {"Adagrad", {}, {.99, .995144958, .991900529}},
  }
  for _, case in ipairs(cases) do
    it(title(case[1], case[2]), function()
      local p = parameter(1.0)
      local optimizer = optim[case[1]]({p}, case[2])
      for step, g in ipairs {.5, -.3, .2} do
        p.grad = gru.tensor(g, {dtype = "float64"})
        optimizer:step()
        -- the numbers have 9 digits; of the centered RMSprop the last ones are open to rounding
        assert.near(case[3][step], p:item(), 6e-9)
      end
    end)
  end
end)

-- ---- scaled gradients ------------------------------------------------------------------------------

describe("step with grad_scale is the step of the gradients times it:", function()
  for _, name in ipairs {"SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta"} do
    it(name, function()
      local one, other = parameter {1.0, -2.0, .5}, parameter {1.0, -2.0, .5}
      local first = optim[name]({one}, {weight_decay = .1})
      local second = optim[name]({other}, {weight_decay = .1})
      for step, scale in ipairs {.25, 1, .7} do
        local g, by = gru.tensor({.5, step, -3}, {dtype = "float64"}), gru.tensor(scale, {dtype = "float64"})
        one.grad, other.grad = g:clone(), g * by
        first:step(nil, {grad_scale = by})
        second:step()
        same(one, nd.of(other), 1e-15)
        equal(one.grad, g)
      end
    end)
  end
end)

-- ---- PyTorch ------------------------------------------------------------------------------------

describe("optimisers agree with PyTorch:", function()
  local function check(case, dtype)
    local draw = golden.draws(case.seed)
    local params = {}
    for i, shape in ipairs {{3}, {2, 2}} do params[i] = nn.Parameter(nd.tensor(draw(shape), dtype)) end
    local optimizer = optim[case.name](params, case.options)
    local trace = nd.tensor(case.trace, "float64")
    for step = 1, trace:size(1) do
      params[1].grad = nd.tensor(draw {3}, dtype)
      params[2].grad = step % 3 ~= 0 and nd.tensor(draw {2, 2}, dtype) or nil
      local kept = nd.of(params[1].grad)
      optimizer:step()
      local now = gru.cat({params[1]:detach(), params[2]:detach():reshape(4)}, 1)
      same(now, nd.of(trace[step]), agree.forward[dtype])
      same(params[1].grad, kept, 0) -- a step changes no gradient
    end
    assert.equal(dtype, params[1].dtype)
    assert.is_true(params[1].is_leaf)
  end

  for i, case in ipairs(golden.optim) do
    it(i .. ". " .. title(case.name, case.options), function()
      check(case, "float64")
      check(case, "float32")
    end)
  end
end)

-- ---- what they share ----------------------------------------------------------------------------

-- A small model, and steps on it that are the same every time.
local function make(seed)
  gru.manual_seed(seed)
  local model = nn.Module()
  model.rnn = nn.GRU(2, 3)
  model.dense = nn.Linear(3, 1)
  return model
end

local function train(model, optimizer, from, to)
  for i = from, to do
    gru.manual_seed(100 + i)
    local x = gru.randn(4, 2, 2)
    optimizer:zero_grad()
    local loss = model.dense((model.rnn(x))):square():mean()
    loss:backward()
    optimizer:step()
  end
end

local kinds = {
  {"SGD", {lr = 0.1}},
  {"SGD", {lr = 0.1, momentum = 0.9, nesterov = true, weight_decay = 0.01}},
  {"Adam", {lr = 0.05}},
  {"Adam", {lr = 0.05, amsgrad = true, weight_decay = 0.1, betas = {0.7, 0.8}}},
  {"AdamW", {lr = 0.05}},
  {"RMSprop", {lr = 0.01, centered = true, momentum = 0.5}},
  {"Adagrad", {lr = 0.05, lr_decay = 0.1}},
  {"Adadelta", {lr = 0.5}},
}

describe("An optimiser", function()
  for _, kind in ipairs(kinds) do
    it("goes on from its state_dict, bit for bit: " .. title(kind[1], kind[2]), function()
      local a = make(1)
      local first = optim[kind[1]](a:parameters(), kind[2])
      train(a, first, 1, 5)
      local b = make(2)
      b:load_state_dict(a:state_dict())
      local second = optim[kind[1]](b:parameters(), {lr = 3})
      second:load_state_dict(first:state_dict())
      train(a, first, 6, 10)
      train(b, second, 6, 10)
      for i, p in ipairs(a:parameters()) do equal(p, b:parameters()[i]) end
      for key, value in pairs(kind[2]) do assert.same(value, second.param_groups[1][key]) end
    end)

    it("skips parameters without a gradient, state and all: " .. title(kind[1], kind[2]), function()
      local p, q = parameter {1, 2}, parameter {3, 4}
      local optimizer = optim[kind[1]]({p, q}, kind[2])
      local function step(g, h)
        p.grad = g and gru.tensor(g, {dtype = "float64"})
        q.grad = h and gru.tensor(h, {dtype = "float64"})
        optimizer:step()
      end
      -- q sees the same gradients as alone, at other times
      step({1, 1}, {0.5, -1})
      local saved = optimizer:state_dict().state[2]
      local before = {}
      for key, value in pairs(saved) do
        before[key] = gru.is_tensor(value) and value:clone() or value
      end
      local values = q:detach():clone()
      for _ = 1, 3 do step({1, -1}, nil) end
      equal(q:detach(), values)
      for key, value in pairs(optimizer:state_dict().state[2]) do
        if gru.is_tensor(value) then equal(value, before[key]) else assert.equal(before[key], value) end
      end
      step(nil, {0.25, 0.5})
      local alone = parameter {3, 4}
      local other = optim[kind[1]]({alone}, kind[2])
      for _, g in ipairs {{0.5, -1}, {0.25, 0.5}} do
        alone.grad = gru.tensor(g, {dtype = "float64"})
        other:step()
      end
      equal(q:detach(), alone:detach())
    end)
  end

  it("has no state for what never had a gradient", function()
    local p, q = parameter {1, 2}, parameter {3, 4}
    local optimizer = optim.Adam({p, q})
    p.grad = gru.ones(2, {dtype = "float64"})
    optimizer:step()
    local state = optimizer:state_dict().state
    assert.equal(1, state[1].step)
    assert.is_nil(state[2])
  end)

  it("copies what it loads, in the parameter's dtype", function()
    local p, q = parameter {1, 2}, parameter({1, 2}, "float32")
    local a, b = optim.Adam({p}), optim.Adam({q})
    p.grad = gru.ones(2, {dtype = "float64"})
    a:step()
    local state = a:state_dict()
    b:load_state_dict(state)
    assert.equal("float32", b:state_dict().state[1].exp_avg.dtype)
    b:load_state_dict(state)
    a:step()
    assert.near(0.1, b:state_dict().state[1].exp_avg[1]:item(), 1e-7)
    assert.equal(1, b:state_dict().state[1].step)
  end)

  it("gives PyTorch's layout of the state, counted from 1", function()
    local p, q, r = parameter {1}, parameter {2}, parameter {3}
    local optimizer = optim.Adam({{params = {p}}, {params = {q, r}, lr = 0.5}}, {lr = 0.1})
    r.grad = gru.ones(1, {dtype = "float64"})
    optimizer:step()
    local state = optimizer:state_dict()
    assert.same({1}, state.param_groups[1].params)
    assert.same({2, 3}, state.param_groups[2].params)
    assert.same({0.1, 0.5}, {state.param_groups[1].lr, state.param_groups[2].lr})
    assert.same({0.9, 0.999}, state.param_groups[2].betas)
    assert.is_nil(state.state[1] or state.state[2])
    assert.equal(1, state.state[3].step)
    same(state.state[3].exp_avg, nd.new({1}, {0.1}), 1e-15)
    same(state.state[3].exp_avg_sq, nd.new({1}, {0.001}), 1e-15)
    local sgd = optim.SGD({p}, {momentum = 0.5})
    p.grad = gru.full({1}, 4.0, {dtype = "float64"})
    sgd:step()
    same(sgd:state_dict().state[1].momentum_buffer, nd.new({1}, {4}), 0)
  end)

  it("takes groups with options of their own", function()
    local p, q, r = parameter {1}, parameter {1}, parameter {1}
    local optimizer = optim.SGD({{params = {p}, lr = 1}, {params = {q}, weight_decay = 0.5}}, {lr = 0.1})
    optimizer:add_param_group {params = {r}, lr = 2, maximize = true}
    for _, x in ipairs {p, q, r} do x.grad = gru.ones(1, {dtype = "float64"}) end
    optimizer:step()
    assert.near(0, p:item(), 1e-15)
    assert.near(1 - 0.1 * 1.5, q:item(), 1e-15)
    assert.near(3, r:item(), 1e-15)
    optimizer.param_groups[2].lr = 0.2
    optimizer:step()
    assert.near(0.85 - 0.2 * (1 + 0.5 * 0.85), q:item(), 1e-15)
    assert.near(-1, p:item(), 1e-15)
  end)

  it("shares no options with another one", function()
    local betas = {0.5, 0.6}
    local p = parameter {1}
    local a = optim.Adam({{params = {p}}, {params = {parameter {2}}}}, {betas = betas})
    a.param_groups[1].betas[1] = 0.1
    assert.same({0.5, 0.6}, betas)
    assert.same({0.5, 0.6}, a.param_groups[2].betas)
    a:add_param_group {params = {parameter {3}}}
    assert.same({0.5, 0.6}, a.param_groups[3].betas)
    local b = optim.Adam({p})
    b.param_groups[1].betas[1] = 0.1
    assert.same({0.9, 0.999}, optim.Adam({p}).param_groups[1].betas)
    local saved = b:state_dict()
    saved.param_groups[1].betas[2] = 0.2
    assert.same({0.1, 0.999}, b.param_groups[1].betas)
    local params = {p}
    local c = optim.SGD(params)
    params[2] = parameter {2}
    assert.equal(1, #c.param_groups[1].params)
  end)

  it("drops gradients with zero_grad, or zeroes them", function()
    local p, q = parameter {1, 2}, parameter {3}
    local optimizer = optim.SGD({p, q}, {lr = 1, momentum = 0.5})
    p.grad = gru.ones(2, {dtype = "float64"})
    optimizer:zero_grad {set_to_none = false}
    assert.same({0, 0}, p.grad:totable())
    assert.is_nil(q.grad)
    optimizer:zero_grad()
    assert.is_nil(p.grad)
    optimizer:step()
    assert.same({1, 2}, p:totable())
  end)

  it("runs a closure with gradients on and returns the loss", function()
    local p = parameter {2}
    local optimizer = optim.SGD({p}, {lr = 0.25})
    local loss = optimizer:step(function()
      optimizer:zero_grad()
      local l = p:square():sum()
      l:backward()
      return l
    end)
    assert.equal(4, loss:item())
    assert.equal(1, p:item())
    assert.is_nil(optimizer:step())
    local inside = gru.no_grad(function()
      return optimizer:step(function() return gru.is_grad_enabled() end)
    end)
    assert.is_true(inside)
    assert.is_true(gru.is_grad_enabled())
  end)

  it("records nothing", function()
    local p = parameter {2}
    local optimizer = optim.Adam({p})
    local g = (p * 3):sum()
    g:backward {create_graph = true}
    optimizer:step()
    assert.is_true(p.is_leaf)
    assert.is_true(p.requires_grad)
    assert.is_false(optimizer:state_dict().state[1].exp_avg.requires_grad)
  end)

  it("gives the grad mode back after an error", function()
    local p = parameter {2}
    local optimizer = optim.SGD({p})
    p.grad = gru.ones(1, {dtype = "float64"})
    optimizer.param_groups[1].lr = "fast"
    assert.is_false(pcall(optimizer.step, optimizer))
    assert.is_true(gru.is_grad_enabled())
    assert.is_false(pcall(optimizer.step, optimizer, function() error "no" end))
    assert.is_true(gru.is_grad_enabled())
  end)
end)

describe("load_state_dict", function()
  local p, q
  before_each(function() p, q = parameter {1}, parameter {2} end)

  it("raises where groups or shapes differ, and changes nothing", function()
    local a = optim.Adam({p, q}, {lr = 0.5})
    local b = optim.Adam({{params = {p}}, {params = {q}}})
    raises("Adam: load_state_dict: 2 groups here, 1 in the state", b.load_state_dict, b, a:state_dict())
    raises("Adam: load_state_dict: 1 groups here, 2 in the state", a.load_state_dict, a, b:state_dict())
    local c = optim.Adam({p})
    raises("group 1 has 1 parameters here, 2 in the state", c.load_state_dict, c, a:state_dict())
    raises("Adam: load_state_dict", c.load_state_dict, c, nil)
    raises("Adam: load_state_dict", c.load_state_dict, c, {})
    q.grad = gru.ones(1, {dtype = "float64"})
    a:step()
    local d = optim.Adam({p, parameter {{1, 2}}})
    raises("Adam: load_state_dict: .*shape %[1%].*%[1, 2%]", d.load_state_dict, d, a:state_dict())
    assert.equal(1e-3, d.param_groups[1].lr)
    local state = a:state_dict()
    state.param_groups[1].lr = -1
    raises("lr", a.load_state_dict, a, state)
    assert.equal(0.5, a.param_groups[1].lr)
    assert.equal(1, a:state_dict().state[2].step)
  end)
end)

describe("optimisers raise", function()
  local p
  before_each(function() p = parameter {1} end)

  it("for bad parameters", function()
    raises("SGD: .*one tensor", optim.SGD, p)
    raises("Adam: .*got nil", optim.Adam)
    raises("Adam: no parameters", optim.Adam, {})
    raises("SGD: parameter 2 is a number", optim.SGD, {p, 3})
    raises("SGD: .*without params", optim.SGD, {{lr = 1}})
    raises("SGD: parameter 1 is not a leaf", optim.SGD, {p * 2})
    raises("SGD: parameter 2 is there twice", optim.SGD, {p, p})
    raises("SGD: parameter 1 is there twice", optim.SGD, {{params = {p}}, {params = {p}}})
    local optimizer = optim.SGD({p})
    raises("SGD: parameter 1 is there twice", optimizer.add_param_group, optimizer, {params = {p}})
    raises("SGD: .*params", optimizer.add_param_group, optimizer, {p})
    assert.equal(1, #optimizer.param_groups)
  end)

  it("for bad options", function()
    raises("Adam: unknown option 'momentum'", optim.Adam, {p}, {momentum = 0.9})
    raises("SGD: unknown option 'learning_rate'", optim.SGD, {{params = {p}, learning_rate = 1}})
    raises("SGD: options must be a table.*number", optim.SGD, {p}, 0.1)
    for _, name in ipairs {"SGD", "Adam"} do
      raises(name .. ": lr must be >= 0, got %-1", optim[name], {p}, {lr = -1})
      raises(name .. ": lr must be >= 0, got .*nan", optim[name], {p}, {lr = 0 / 0})
      raises(name .. ": lr must be >= 0, got fast", optim[name], {{params = {p}, lr = "fast"}})
      raises(name .. ": weight_decay must be >= 0, got %-0.1", optim[name], {p}, {weight_decay = -0.1})
    end
    raises("SGD: momentum must be >= 0", optim.SGD, {p}, {momentum = -0.5})
    raises("SGD: nesterov wants a momentum", optim.SGD, {p}, {nesterov = true})
    raises("SGD: nesterov wants", optim.SGD, {p}, {nesterov = true, momentum = 0.9, dampening = 0.1})
    raises("Adam: eps must be >= 0", optim.Adam, {p}, {eps = -1})
    raises("Adam: betas must be", optim.Adam, {p}, {betas = 0.9})
    raises("Adam: betas must be", optim.Adam, {p}, {betas = {0.9}})
    raises("Adam: betas%[1%] must be in 0 .. 1", optim.Adam, {p}, {betas = {1, 0.9}})
    raises("Adam: betas%[2%] must be in 0 .. 1", optim.Adam, {p}, {betas = {0.9, -0.1}})
    local optimizer = optim.SGD({p})
    raises("SGD: lr must be >= 0", optimizer.add_param_group, optimizer, {params = {parameter {2}}, lr = -1})
    assert.equal(1, #optimizer.param_groups)
  end)
end)

-- ---- clipping -----------------------------------------------------------------------------------

describe("clip_grad_norm_", function()
  local clip = nn.utils.clip_grad_norm_

  for i, case in ipairs(golden.clip) do
    it(("agrees with PyTorch: %d. norm %s"):format(i, tostring(case.norm_type)), function()
      for dtype, tol in pairs(agree.forward) do
        local draw, params = golden.draws(case.seed), {}
        for k, shape in ipairs {{3}, {2, 2}, {1}} do
          params[k] = nn.Parameter(nd.tensor(draw(shape), dtype))
        end
        for k, shape in ipairs {{3}, {2, 2}} do params[k].grad = nd.tensor(draw(shape), dtype) end
        local grad = params[1].grad
        local norm_type = case.norm_type == "inf" and math.huge or case.norm_type
        local total = clip(params, case.max_norm, {norm_type = norm_type})
        same(total, case.total, tol)
        for k, want in ipairs(case.gradients) do same(params[k].grad, want, tol) end
        assert.is_true(params[1].grad == grad)
        assert.is_nil(params[3].grad)
      end
    end)
  end

  local function with_grad(...)
    local p = parameter {...}
    p.grad = gru.tensor({...}, {dtype = "float64"})
    return p
  end

  it("multiplies by min(1, max_norm / (total + 1e-6))", function()
    local p, q = with_grad(3.0), with_grad(0.0, 4.0)
    assert.equal(5, clip({p, q}, 1):item())
    assert.equal(3 * (1 / (5 + 1e-6)), p.grad:item())
    assert.equal(4 * (1 / (5 + 1e-6)), q.grad[2]:item())
    p = with_grad(3.0, 4.0)
    clip({p}, 5.1)
    assert.same({3, 4}, p.grad:totable())
    clip(p, 0) -- one tensor
    assert.same({0, 0}, p.grad:totable())
  end)

  it("takes parameters without gradients", function()
    assert.equal(0, clip({}, 1):item())
    assert.equal(0, clip({parameter {1}}, 1):item())
  end)

  it("makes all NaN where the norm is, unless told to raise", function()
    for _, bad in ipairs {0 / 0, math.huge} do
      local p, q = with_grad(bad, 1), with_grad(2)
      raises("clip_grad_norm_: .*total norm", clip, {p, q}, 1, {error_if_nonfinite = true})
      assert.equal(2, q.grad:item())
      assert.is_true(gru.is_grad_enabled())
      clip({p, q}, 1)
      assert.is_true(p.grad[1]:isnan():item())
      if bad ~= bad then
        assert.is_true(q.grad:isnan():all():item())
      else
        assert.equal(0, q.grad:item())
      end
    end
  end)
end)

describe("clip_grad_value_", function()
  it("limits every element", function()
    local p, q = parameter {1, 2, 3}, parameter {1}
    p.grad = gru.tensor({-3.0, 0.5, 2.0}, {dtype = "float64"})
    local grad = p.grad
    nn.utils.clip_grad_value_({p, q}, 1.5)
    assert.same({-1.5, 0.5, 1.5}, p.grad:totable())
    assert.is_true(p.grad == grad)
    assert.is_nil(q.grad)
    nn.utils.clip_grad_value_(p, 1)
    assert.same({-1, 0.5, 1}, p.grad:totable())
  end)
end)
