-- AdamW, RMSprop, Adagrad and Adadelta, and all options of every optimiser: PyTorch's numbers
-- (tests/golden/optim.lua), options, state.  What optimisers share stands in optim_spec.lua.
local gru = require "gru"
local agree = require "tests.support.agree"
local expect = require "tests.support.expect"
local nd = require "tests.support.nd"
local draws = require("tests.golden.nn").draws
local golden = require "tests.golden.optim"
local describe = require("tests.support.devices").describe

local optim = gru.optim
local NAMES = {"SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta"}

local function leaf(values, dtype)
  return gru.tensor(values, {dtype = dtype or "float64"}):requires_grad_()
end

local same, identical = expect.values, expect.tensors

local function title(case)
  local parts = {}
  for key, value in pairs(case.options) do
    if type(value) == "table" then value = table.concat(value, "/") end
    parts[#parts + 1] = key .. "=" .. tostring(value)
  end
  table.sort(parts)
  if case.second then parts[#parts + 1] = "and a second group" end
  if case.changes then parts[#parts + 1] = "and changes on the way" end
  return case.name .. " " .. (#parts == 0 and "defaults" or table.concat(parts, " "))
end

-- ---- PyTorch's numbers ---------------------------------------------------------------------------

-- An array as a tensor of a layout, leaf or gradient.
local function tensor(array, dtype, layout)
  local base, view = nd.layouts[layout](array)
  return view(nd.tensor(base, dtype)):detach()
end

local function trace_of(case, dtype, layout)
  local draw, trace = draws(case.seed), {}
  local a = tensor(draw {3}, dtype, layout):requires_grad_()
  local b = tensor(draw {2, 2}, dtype, layout):requires_grad_()
  local groups = {{params = {a}}, {params = {b}}}
  for key, value in pairs(case.second or {}) do groups[2][key] = value end
  local optimizer = optim[case.name](case.second and groups or {a, b}, case.options)
  for step = 1, #case.trace // 7 do
    for key, value in pairs(case.changes and case.changes[step] or {}) do
      optimizer.param_groups[1][key] = value
    end
    a.grad = tensor(draw {3}, dtype, layout)
    b.grad = step % 3 ~= 0 and tensor(draw {2, 2}, dtype, layout) or nil
    local before = a.grad:clone()
    optimizer:step()
    identical(before, a.grad:clone())
    for _, p in ipairs {a, b} do table.move(nd.of(p).data, 1, p:numel(), #trace + 1, trace) end
  end
  return trace, optimizer:state_dict().state[1]
end

local function check(case, dtype, layout)
  local trace, state = trace_of(case, dtype, layout)
  local tol, state_tol = agree.forward[dtype], agree.forward[dtype]
  same(nd.tensor(nd.new({#trace}, trace), "float64"), nd.new({#trace}, case.trace), tol)
  for key, want in pairs(case.state) do
    if key == "step" then
      assert.equal(want, state.step)
    else
      assert.equal(dtype, state[key].dtype)
      same(state[key], nd.new({3}, want), state_tol)
    end
  end
  for key in pairs(state) do assert.is_truthy(case.state[key], key .. " is not in PyTorch's state") end
end

describe("PyTorch's numbers:", function()
  for i, case in ipairs(golden.optimisers) do
    it(("%d. %s"):format(i, title(case)), function()
      check(case, "float64", "contiguous")
      check(case, "float32", "contiguous")
    end)
  end
end)

describe("with strides, the same bits:", function()
  for i, case in ipairs(golden.optimisers) do
    it(("%d. %s"):format(i, title(case)), function()
      for _, dtype in ipairs {"float32", "float64"} do
        local want = trace_of(case, dtype, "contiguous")
        assert.same(want, (trace_of(case, dtype, "transposed")))
        assert.same(want, (trace_of(case, dtype, "sliced")))
      end
    end)
  end
end)

-- ---- state ---------------------------------------------------------------------------------------

-- Every option that brings state of its own.
local KINDS = {
  {"SGD", {lr = 0.1, momentum = 0.9, dampening = 0.25, weight_decay = 0.1}},
  {"Adam", {lr = 0.05, amsgrad = true, weight_decay = 0.1}},
  {"AdamW", {lr = 0.05, amsgrad = true, maximize = true}},
  {"RMSprop", {lr = 0.05, centered = true, momentum = 0.5}},
  {"Adagrad", {lr = 0.5, lr_decay = 0.1, initial_accumulator_value = 0.5}},
  {"Adadelta", {lr = 0.5, weight_decay = 0.1}},
}

-- Steps from .. to on a 3 x 2 and a 0-d parameter, the gradients drawn from the step's number.
local function steps(optimizer, params, from, to)
  for step = from, to do
    local draw = draws(step)
    for i, p in ipairs(params) do
      local skipped = i == 2 and step % 2 == 0
      p.grad = not skipped and nd.tensor(draw(p.shape), p.dtype) or nil
    end
    optimizer:step()
  end
end

local function parameters(dtype)
  return {leaf({{1, -2}, {0.5, 3}, {-1, 0.25}}, dtype), leaf(0.75, dtype)}
end

for _, kind in ipairs(KINDS) do
  local name, options = kind[1], kind[2]
  describe("State of " .. name, function()
    for _, dtype in ipairs {"float32", "float64"} do
      it("goes on as if nothing had happened, bit for bit, in " .. dtype, function()
        local whole, first, second = parameters(dtype), parameters(dtype), parameters(dtype)
        steps(optim[name](whole, options), whole, 1, 9)
        local a = optim[name](first, options)
        steps(a, first, 1, 4)
        for i, p in ipairs(second) do p:detach():copy_(first[i]) end
        local b = optim[name](second, {lr = 7})
        b:load_state_dict(a:state_dict())
        steps(b, second, 5, 9)
        for i, p in ipairs(whole) do identical(p, second[i]) end
      end)
    end

    it("comes back from load_state_dict as it went, and is a copy", function()
      local first, second = parameters(), parameters()
      local a, b = optim[name](first, options), optim[name](second, {})
      steps(a, first, 1, 3)
      b:load_state_dict(a:state_dict())
      local saved, loaded = a:state_dict(), b:state_dict()
      assert.same(saved.param_groups, loaded.param_groups)
      for i, state in pairs(saved.state) do
        for key, value in pairs(state) do
          if gru.is_tensor(value) then
            identical(value, loaded.state[i][key])
            assert.is_false(value:data_ptr() == loaded.state[i][key]:data_ptr())
          else
            assert.equal(value, loaded.state[i][key])
          end
        end
      end
    end)

    it("outlives a scope", function()
      local p, q = parameters(), parameters()
      local a, b = optim[name](p, options), optim[name](q, options)
      for i = 1, 3 do gru.scope(steps, a, p, i, i) end
      steps(b, q, 1, 3)
      for i = 1, 2 do identical(p[i], q[i]) end
    end)
  end)
end

describe("load_state_dict", function()
  it("takes PyTorch's own layout: steps as tensors, options that are not ours", function()
    local p, q = leaf {1, 2}, leaf {1, 2}
    local a, b = optim.AdamW({p}, {lr = 0.1}), optim.AdamW({q}, {lr = 0.5})
    p.grad = gru.ones(2, {dtype = "float64"})
    a:step()
    b:load_state_dict {
      state = {
        [7] = {
          step = gru.tensor(1.0, {dtype = "float32"}),
          exp_avg = a.state[p].exp_avg:float(), exp_avg_sq = a.state[p].exp_avg_sq:clone(),
        },
      },
      param_groups = {{
        params = {7}, lr = 0.1, betas = {0.9, 0.999}, eps = 1e-8, weight_decay = 1e-2,
        amsgrad = false, maximize = false, capturable = false, initial_lr = 0.3,
      }},
    }
    assert.equal("integer", math.type(b.state[q].step))
    assert.equal("float64", b.state[q].exp_avg.dtype)
    assert.equal(0.1, b.param_groups[1].lr)
    assert.equal(0.3, b:state_dict().param_groups[1].initial_lr)
    b.param_groups[1].initial_lr = nil
    q.grad = gru.ones(2, {dtype = "float64"})
    b:step()
    assert.equal(2, b.state[q].step)
  end)

  it("keeps the group objects, and options that the state does not know", function()
    local p = leaf {1}
    local a = optim.RMSprop({p}, {alpha = 0.5})
    local group, saved = a.param_groups[1], a:state_dict()
    saved.param_groups[1].alpha, saved.param_groups[1].lr = nil, 0.25
    a:load_state_dict(saved)
    assert.equal(group, a.param_groups[1])
    assert.equal(0.25, group.lr)
    assert.equal(0.5, group.alpha)
    assert.equal(p, group.params[1])
  end)

  it("raises for what is no state, before anything changes", function()
    local p = leaf {1}
    local a = optim.RMSprop({p}, {alpha = 0.5})
    local function bad(change, pattern)
      local saved = a:state_dict()
      saved = change(saved) or saved
      assert.error_matches(function() a:load_state_dict(saved) end, pattern)
    end
    bad(function() return 5 end, "RMSprop: load_state_dict: what state_dict gave expected")
    bad(function(s) s.param_groups[1] = 5 end, "group 1 has no params in the state")
    bad(function(s) s.param_groups[1].params = nil end, "group 1 has no params in the state")
    bad(function(s) s.param_groups[1].centered = 1 end, "centered must be true or false, got 1")
    bad(function(s) s.param_groups[1].alpha = -1 end, "alpha must be >= 0, got %-1")
    bad(function(s) s.state[1] = {square_avg = gru.ones(2)} end,
      "square_avg of parameter 1 has the shape %[2%], the parameter %[1%]")
    assert.equal(0.5, a.param_groups[1].alpha)
    assert.is_nil(next(a.state))
  end)
end)

describe("Options that change on the way:", function()
  -- What `name` does with `options` from the start, and with them from step 3 on.
  local function late(name, options, field)
    local p = parameters()
    local a = optim[name](p, {lr = 0.05})
    steps(a, p, 1, 2)
    assert.is_nil(a.state[p[1]][field])
    for key, value in pairs(options) do a.param_groups[1][key] = value end
    steps(a, p, 3, 4)
    assert.is_true(a.state[p[1]][field]:isfinite():all():item())
    assert.is_true(p[1]:isfinite():all():item())
  end

  it("SGD's momentum", function() late("SGD", {momentum = 0.9}, "momentum_buffer") end)
  it("Adam's amsgrad", function() late("Adam", {amsgrad = true}, "max_exp_avg_sq") end)
  it("AdamW's amsgrad", function() late("AdamW", {amsgrad = true}, "max_exp_avg_sq") end)
  it("RMSprop's momentum", function() late("RMSprop", {momentum = 0.9}, "momentum_buffer") end)
  it("RMSprop's centered", function() late("RMSprop", {centered = true}, "grad_avg") end)
end)

-- ---- all of them -----------------------------------------------------------------------------------

for _, name in ipairs(NAMES) do
  describe(name, function()
    it("skips what has no gradient entirely", function()
      local p, q = leaf {1, 2}, leaf {3}
      local optimizer = optim[name]({p, q}, {weight_decay = 0.5})
      p.grad = gru.ones(2, {dtype = "float64"})
      optimizer:step()
      assert.equal(3, q:item())
      assert.is_nil(optimizer.state[q])
    end)

    it("writes into the parameter, and nothing is recorded", function()
      local p = leaf {1, 2}
      local view, address = p:detach(), p:data_ptr()
      local optimizer = optim[name]({p}, {lr = 0.1})
      p.grad = gru.ones(2, {dtype = "float64"})
      optimizer:step()
      assert.equal(address, p:data_ptr())
      assert.is_true(p.is_leaf and p.requires_grad)
      identical(p, view)
      assert.is_true(view[1]:item() < 1)
    end)

    it("climbs with maximize", function()
      local p = leaf {1, 2}
      local optimizer = optim[name]({p}, {lr = 0.1, maximize = true, weight_decay = 0})
      p.grad = gru.ones(2, {dtype = "float64"})
      optimizer:step()
      assert.is_true(p:gt(gru.tensor {1.0, 2.0}):all():item())
      assert.same({1, 1}, p.grad:totable())
    end)

    it("brings a parabola down", function()
      local p = leaf({3, -2}, "float32")
      local optimizer = optim[name]({p}, {lr = name == "Adadelta" and 20.0 or 0.1})
      for _ = 1, 200 do
        optimizer:zero_grad()
        p:square():sum():backward()
        optimizer:step()
      end
      assert.is_true(p:square():sum():item() < 1)
    end)

    it("takes one table for all", function()
      local p, q = leaf {1}, leaf {2}
      local optimizer = optim[name] {params = {p, q}, lr = 0.5}
      assert.equal(0.5, optimizer.param_groups[1].lr)
      assert.equal(2, #optimizer.param_groups[1].params)
    end)

    it("raises for options that it does not have, and says which there are", function()
      local p = leaf {1}
      local function bad(options, pattern)
        assert.error_matches(function() optim[name]({p}, options) end, name .. ": " .. pattern)
        options.params = {p}
        assert.error_matches(function() optim[name]({options}) end, name .. ": " .. pattern)
      end
      bad({learning_rate = 1}, "unknown option 'learning_rate'; there are: .*lr.*maximize.*weight_decay")
      bad({lr = -0.1}, "lr must be >= 0, got %-0.1")
      bad({lr = "x"}, "lr must be >= 0, got x")
      bad({weight_decay = -1}, "weight_decay must be >= 0, got %-1")
      bad({weight_decay = 0 / 0}, "weight_decay must be >= 0, got %-?nan")
      bad({maximize = 1}, "maximize must be true or false, got 1")
    end)

    it("blames the caller", function()
      local _, message = pcall(function() optim[name]({leaf {1}}, {lr = -1}) end)
      assert.matches("^[^:]*optimisers_spec.lua:%d+: " .. name, message)
      _, message = pcall(function() optim[name]({{params = {leaf {1}}, lr = -1}}) end)
      assert.matches("^[^:]*optimisers_spec.lua:%d+: " .. name, message)
      _, message = pcall(function() optim[name]({leaf {1}, 5}) end)
      assert.matches("^[^:]*optimisers_spec.lua:%d+: " .. name, message)
      local optimizer = optim[name]({leaf {1}})
      _, message = pcall(function() optimizer:add_param_group {params = {5}} end)
      assert.matches("^[^:]*optimisers_spec.lua:%d+: " .. name, message)
      _, message = pcall(function() optimizer:load_state_dict {} end)
      assert.matches("^[^:]*optimisers_spec.lua:%d+: " .. name, message)
    end)
  end)
end

describe("ranges of options:", function()
  local cases = {
    {"SGD", {momentum = -0.5}, "momentum must be >= 0"},
    {"SGD", {dampening = "no"}, "dampening must be"},
    {"SGD", {nesterov = true}, "nesterov wants a momentum and no dampening"},
    {"SGD", {nesterov = 1, momentum = 0.9}, "nesterov must be true or false, got 1"},
    {"Adam", {betas = {0.9, 1.0}}, "betas%[2%] must be in 0 .. 1, the end excluded, got 1.0"},
    {"Adam", {amsgrad = "yes"}, "amsgrad must be true or false, got yes"},
    {"AdamW", {betas = {-0.1, 0.9}}, "betas%[1%] must be in 0 .. 1, the end excluded, got %-0.1"},
    {"AdamW", {betas = {0.9}}, "betas must be a table of two numbers"},
    {"AdamW", {eps = -1e-8}, "eps must be >= 0, got %-1e%-08"},
    {"RMSprop", {alpha = -1}, "alpha must be >= 0, got %-1"},
    {"RMSprop", {momentum = -1}, "momentum must be >= 0, got %-1"},
    {"RMSprop", {eps = -1}, "eps must be >= 0, got %-1"},
    {"RMSprop", {centered = 0}, "centered must be true or false, got 0"},
    {"Adagrad", {lr_decay = -1}, "lr_decay must be >= 0, got %-1"},
    {"Adagrad", {initial_accumulator_value = -1}, "initial_accumulator_value must be >= 0, got %-1"},
    {"Adagrad", {eps = -1}, "eps must be >= 0, got %-1"},
    {"Adadelta", {rho = -0.1}, "rho must be >= 0, got %-0.1"},
    {"Adadelta", {rho = 1.5}, "rho must be in 0 .. 1, got 1.5"},
    {"Adadelta", {eps = -1}, "eps must be >= 0, got %-1"},
    {"Adadelta", {initial_lr = 1}, "unknown option 'initial_lr'"},
  }
  for _, case in ipairs(cases) do
    it(case[1] .. ", " .. case[3], function()
      assert.error_matches(function() optim[case[1]]({leaf {1}}, case[2]) end,
        case[1] .. ": " .. case[3])
    end)
  end

  it("initial_lr may stand in a group", function()
    local p = leaf {1}
    local optimizer = optim.SGD({{params = {p}, initial_lr = 0.5}})
    assert.equal(0.5, optimizer.param_groups[1].initial_lr)
    assert.error_matches(function() optim.SGD({{params = {p}, initial_lr = "x"}}) end,
      "SGD: initial_lr must be >= 0, got x")
  end)
end)
