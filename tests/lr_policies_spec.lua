-- gru.optim.lr_scheduler: ReduceLROnPlateau and OneCycleLR in detail.
local gru = require "gru"

local optim = gru.optim
local schedulers = optim.lr_scheduler

local function leaf() return gru.zeros(1, {requires_grad = true}) end

-- An optimiser with a group for each rate.
local function optimizer_of(name, rates, initial_lr)
  local groups = {}
  for i, lr in ipairs(rates) do groups[i] = {params = {leaf()}, lr = lr, initial_lr = initial_lr} end
  return optim[name](groups)
end

local function sgd(...) return optimizer_of("SGD", {...}) end

local function rates_of(optimizer)
  local rates = {}
  for i, group in ipairs(optimizer.param_groups) do rates[i] = group.lr end
  return rates
end

-- ---- ReduceLROnPlateau ---------------------------------------------------------------------------------

describe("ReduceLROnPlateau", function()
  local function run(options, metrics, ...)
    local optimizer = sgd(...)
    local scheduler = schedulers.ReduceLROnPlateau(optimizer, options)
    local rates = {}
    for i, metric in ipairs(metrics) do
      scheduler:step(metric)
      rates[i] = optimizer.param_groups[1].lr
    end
    return rates, scheduler, optimizer
  end

  it("counts bad epochs, and cuts after more than patience of them", function()
    assert.same({1, 1, 1, 0.5, 0.5, 0.5, 0.25},
      (run({patience = 2, factor = 0.5}, {1, 1, 1, 1, 1, 1, 1}, 1)))
    assert.same({1, 1, 1, 1, 1, 1, 0.5}, -- better in between
      (run({patience = 2, factor = 0.5}, {1, 1, 1, 0.5, 1, 1, 1}, 1)))
  end)

  it("wants more than the threshold, relative or absolute, in either mode", function()
    local function cuts(mode, kind, threshold, from, to)
      local options = {mode = mode, threshold_mode = kind, threshold = threshold, patience = 0, factor = 0.5}
      return run(options, {from, to}, 1)[2] == 0.5
    end
    assert.is_false(cuts("min", "rel", 0.1, 10, 8.9))
    assert.is_true(cuts("min", "rel", 0.1, 10, 9.1))
    assert.is_true(cuts("min", "rel", 0.5, 10, 5))
    assert.is_false(cuts("min", "abs", 0.5, 10, 9.4))
    assert.is_true(cuts("min", "abs", 0.5, 10, 9.5))
    assert.is_false(cuts("max", "rel", 0.1, 10, 11.1))
    assert.is_true(cuts("max", "rel", 0.1, 10, 10.9))
    assert.is_false(cuts("max", "abs", 0.5, 10, 10.6))
    assert.is_true(cuts("max", "abs", 0.5, 10, 10.5))
  end)

  it("does not count during the cooldown", function()
    assert.same({1, 1, 0.5, 0.5, 0.5, 0.5, 0.25},
      (run({patience = 1, factor = 0.5, cooldown = 2}, {1, 1, 1, 1, 1, 1, 1}, 1)))
  end)

  it("stops at min_lr, one for all groups or one for each", function()
    local _, _, optimizer = run({patience = 0, min_lr = {0.3, 0.001}}, {1, 1, 1, 1}, 1, 1)
    assert.equal(0.3, optimizer.param_groups[1].lr)
    assert.near(0.001, optimizer.param_groups[2].lr, 1e-18)
    _, _, optimizer = run({patience = 0, min_lr = 0.2}, {1, 1, 1, 1}, 1, 2)
    assert.same({0.2, 0.2}, rates_of(optimizer))
  end)

  it("makes no change below eps", function()
    assert.same({1, 0.5, 0.5, 0.5}, (run({patience = 0, factor = 0.5, eps = 0.3}, {1, 1, 1, 1}, 1)))
  end)

  it("takes a tensor with one element", function()
    local rates = run({patience = 0, factor = 0.5}, {gru.tensor(2.0), gru.tensor {2}, gru.tensor {{1.0}}}, 1)
    assert.same({1, 0.5, 0.5}, rates)
  end)

  it("counts NaN as bad", function()
    assert.same({1, 0.5, 0.5}, (run({patience = 0, factor = 0.5}, {1, 0 / 0, 0.5}, 1)))
  end)

  it("knows its rates before the first step", function()
    local scheduler = schedulers.ReduceLROnPlateau(sgd(1, 2))
    assert.same({1, 2}, scheduler:get_last_lr())
    assert.equal(0, scheduler.last_epoch)
  end)

  it("raises without a number", function()
    local scheduler = schedulers.ReduceLROnPlateau(sgd(1))
    assert.error_matches(function() scheduler:step() end,
      "ReduceLROnPlateau: step: a number or a tensor with one element expected, got nil")
    assert.error_matches(function() scheduler:step(gru.ones(2)) end, "got 2 elements")
    assert.equal(0, scheduler.last_epoch)
  end)
end)

-- ---- OneCycleLR -----------------------------------------------------------------------------------------

describe("OneCycleLR", function()
  it("puts its bounds into the groups", function()
    local optimizer = sgd(7, 7)
    schedulers.OneCycleLR(optimizer, {0.5, 1}, {total_steps = 10, div_factor = 10, final_div_factor = 5,
      base_momentum = {0.25, 0.5}, max_momentum = 0.75})
    local group = optimizer.param_groups[2]
    assert.same({0.1, 1, 0.02}, {group.initial_lr, group.max_lr, group.min_lr})
    assert.near(0.1, group.lr, 1e-15)
    assert.same({0.5, 0.75, 0.75}, {group.base_momentum, group.max_momentum, group.momentum})
  end)

  for _, strategy in ipairs {"cos", "linear"} do
    it("goes up and down, the momentum against it: " .. strategy, function()
      local optimizer = sgd(1)
      local group = optimizer.param_groups[1]
      local scheduler = schedulers.OneCycleLR(optimizer, 1.0, {total_steps = 21, pct_start = 11 / 21,
        anneal_strategy = strategy})
      assert.near(1 / 25, group.lr, 1e-15)
      assert.near(0.95, group.momentum, 1e-15)
      for _ = 1, 5 do scheduler:step() end
      assert.near((1 + 1 / 25) / 2, group.lr, 1e-15) -- both strategies pass the middle
      assert.near(0.9, group.momentum, 1e-15)
      for _ = 1, 5 do scheduler:step() end
      assert.near(1, group.lr, 1e-15)
      assert.near(0.85, group.momentum, 1e-15)
      for _ = 1, 10 do scheduler:step() end
      assert.near(1 / 25 / 1e4, group.lr, 1e-15)
      assert.near(0.95, group.momentum, 1e-15)
    end)
  end

  it("cycles the first of Adam's betas, in a table of its own", function()
    local optimizer = optim.AdamW({leaf()})
    local scheduler = schedulers.OneCycleLR(optimizer, 0.1, {total_steps = 10})
    local saved = optimizer:state_dict()
    scheduler:step()
    assert.equal(0.95, saved.param_groups[1].betas[1])
    assert.is_true(optimizer.param_groups[1].betas[1] < 0.95)
    assert.equal(0.999, optimizer.param_groups[1].betas[2])
    assert.equal(0.9, optim.AdamW.defaults.betas[1])
  end)

  it("leaves the momentum alone when it is told to", function()
    local optimizer = optim.SGD({leaf()}, {momentum = 0.5})
    local scheduler = schedulers.OneCycleLR(optimizer, 0.1, {total_steps = 9, cycle_momentum = false})
    scheduler:step()
    assert.equal(0.5, optimizer.param_groups[1].momentum)
    assert.is_nil(optimizer.param_groups[1].max_momentum)
  end)

  it("starts at the top where the way up has no length", function()
    local scheduler = schedulers.OneCycleLR(sgd(1), 0.5, {total_steps = 10, pct_start = 0.1})
    assert.same({0.5}, scheduler:get_last_lr()) -- PyTorch divides by zero
  end)

  it("raises past its end, and changes nothing", function()
    local optimizer = sgd(1)
    local scheduler = schedulers.OneCycleLR(optimizer, 0.5, {epochs = 2, steps_per_epoch = 3})
    for _ = 1, 6 do scheduler:step() end
    local before = {rates_of(optimizer), scheduler:state_dict()}
    assert.error_matches(function() scheduler:step() end,
      "OneCycleLR: step 7 of a cycle of 6; make it longer with total_steps")
    assert.same(before, {rates_of(optimizer), scheduler:state_dict()})
  end)

  it("resumes from the optimiser's state", function()
    local given = {max_lr = 0.5, total_steps = 20}
    local whole = schedulers.OneCycleLR(sgd(1), given)
    for _ = 1, 8 do whole:step() end
    local optimizer = sgd(1)
    optimizer:load_state_dict(whole.optimizer:state_dict())
    given.last_epoch = 8
    local resumed = schedulers.OneCycleLR(optimizer, given)
    whole:step()
    assert.same(whole:get_last_lr(), resumed:get_last_lr())
    assert.equal(whole.optimizer.param_groups[1].momentum, optimizer.param_groups[1].momentum)
    assert.error_matches(function() schedulers.OneCycleLR(sgd(1), given) end,
      "OneCycleLR: group 1 has no max_lr, which last_epoch = 8 wants; load the optimiser's state first")
  end)

  it("leaves groups alone that join later", function()
    local optimizer = sgd(1)
    local scheduler = schedulers.OneCycleLR(optimizer, 0.5, {total_steps = 20})
    optimizer:add_param_group {params = {leaf()}, lr = 3}
    scheduler:step()
    assert.equal(3, optimizer.param_groups[2].lr)
    assert.equal(3, scheduler:get_last_lr()[2])
  end)
end)
