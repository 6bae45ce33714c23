-- gru.optim.lr_scheduler: PyTorch's rates (tests/golden/optim.lua), arguments, groups, state.
local gru = require "gru"
local golden = require "tests.golden.optim"

local optim = gru.optim
local schedulers = optim.lr_scheduler

-- The functions of optim.py.
local FUNCTIONS = {
  power = function(e) return 0.9 ^ e end,
  warm = function(e) return math.min(1, (e + 1) / 8) end,
  third = function(e) return 1 / (1 + e // 3) end,
}

local function leaf() return gru.zeros(1, {requires_grad = true}) end

-- An optimiser with a group for each rate.
local function optimizer_of(name, rates, initial_lr)
  local groups = {}
  for i, lr in ipairs(rates) do groups[i] = {params = {leaf()}, lr = lr, initial_lr = initial_lr} end
  return optim[name](groups)
end

local function sgd(...) return optimizer_of("SGD", {...}) end

local function arguments(given)
  local out = {}
  for key, value in pairs(given) do out[key] = value end
  local f = out.lr_lambda
  if type(f) == "string" then
    out.lr_lambda = FUNCTIONS[f]
  elseif f then
    out.lr_lambda = {}
    for i, name in ipairs(f) do out.lr_lambda[i] = FUNCTIONS[name] end
  end
  return out
end

local function make(case, optimizer)
  local given = arguments(case.arguments)
  if case.parts then
    given.schedulers = {}
    for i, part in ipairs(case.parts) do
      given.schedulers[i] = schedulers[part.name](optimizer, arguments(part.arguments))
    end
  end
  return schedulers[case.name](optimizer, given)
end

local function rates_of(optimizer)
  local rates = {}
  for i, group in ipairs(optimizer.param_groups) do rates[i] = group.lr end
  return rates
end

local function momentum_of(group) return group.betas and group.betas[1] or group.momentum end

-- One epoch of a case.
local function advance(case, scheduler, epoch)
  if epoch == case.factor_at then
    for _, group in ipairs(scheduler.optimizer.param_groups) do group.lr = group.lr * 0.5 end
  end
  if epoch == case.join_at then
    scheduler.optimizer:add_param_group {params = {leaf()}, lr = 0.75}
  end
  scheduler:step(case.metrics and case.metrics[epoch])
end

-- `near(...)` with the relative tolerance of a few roundings.
local function near(want, got, where)
  local message = ("%s: %.17g, expected %.17g"):format(where, got, want)
  assert.is_true(math.abs(want - got) <= 4e-14 * math.abs(want) + 1e-17, message)
end

local function check_epoch(case, scheduler, epoch)
  local groups = scheduler.optimizer.param_groups
  for i, group in ipairs(groups) do
    local at = epoch + 1 - (31 - #case.rates[i]) -- a group that joined has fewer
    local where = ("epoch %d, group %d"):format(epoch, i)
    near(case.rates[i][at], group.lr, where)
    if case.momenta then near(case.momenta[i][at], momentum_of(group), where .. ", momentum") end
  end
  assert.same(rates_of(scheduler.optimizer), scheduler:get_last_lr())
end

local function title(i, case)
  local parts = {}
  for key, value in pairs(case.arguments) do
    if type(value) == "table" then value = table.concat(value, "/") end
    parts[#parts + 1] = key .. "=" .. tostring(value)
  end
  table.sort(parts)
  for _, key in ipairs {"factor_at", "join_at"} do
    if case[key] then parts[#parts + 1] = ("%s %d"):format(key, case[key]) end
  end
  return ("%d. %s %s"):format(i, case.name, table.concat(parts, " "))
end

describe("PyTorch's rates over 30 epochs:", function()
  for i, case in ipairs(golden.schedulers) do
    it(title(i, case), function()
      local scheduler = make(case, optimizer_of(case.optimizer, case.groups, case.initial_lr))
      check_epoch(case, scheduler, 0)
      for epoch = 1, 30 do
        advance(case, scheduler, epoch)
        check_epoch(case, scheduler, epoch)
      end
    end)
  end
end)

-- ---- state ---------------------------------------------------------------------------------------

local function is_plain(value)
  if type(value) == "table" then
    if getmetatable(value) then return false end
    for k, v in pairs(value) do
      if not is_plain(k) or not is_plain(v) then return false end
    end
    return true
  end
  return type(value) ~= "function" and type(value) ~= "userdata"
end

describe("State round trips, and a run that goes on is the run that was not stopped:", function()
  for i, case in ipairs(golden.schedulers) do
    it(title(i, case), function()
      local function new() return make(case, optimizer_of(case.optimizer, case.groups, case.initial_lr)) end
      local a, b = new(), new()
      for epoch = 1, 11 do advance(case, a, epoch) end
      local saved = a:state_dict()
      assert.is_true(is_plain(saved))
      if case.join_at then b.optimizer:add_param_group {params = {leaf()}, lr = 0.75} end
      b.optimizer:load_state_dict(a.optimizer:state_dict())
      b:load_state_dict(saved)
      assert.same(saved, b:state_dict())
      for epoch = 12, 30 do
        advance(case, a, epoch)
        advance(case, b, epoch)
        assert.same(rates_of(a.optimizer), rates_of(b.optimizer))
        assert.same(a:get_last_lr(), b:get_last_lr())
        for k, group in ipairs(a.optimizer.param_groups) do
          assert.equal(momentum_of(group), momentum_of(b.optimizer.param_groups[k]))
        end
      end
      assert.same(a:state_dict(), b:state_dict())
    end)
  end
end)

describe("state_dict", function()
  it("holds PyTorch's names and shares nothing", function()
    local scheduler = schedulers.MultiStepLR(sgd(0.5, 0.25), {20, 10}, {gamma = 0.5})
    scheduler:step()
    local state = scheduler:state_dict()
    assert.same({
      milestones = {10, 20}, gamma = 0.5, last_epoch = 1, base_lrs = {0.5, 0.25}, _step_count = 2,
      _last_lr = {0.5, 0.25},
    }, state)
    state.milestones[1], state.base_lrs[1] = 2, 99
    scheduler:step()
    assert.same({0.5, 0.25}, scheduler:get_last_lr())
    scheduler:get_last_lr()[1] = 99
    assert.same({0.5, 0.25}, scheduler:get_last_lr())
  end)

  it("is copied by load_state_dict", function()
    local a, b = schedulers.MultiStepLR(sgd(0.5), {2}), schedulers.MultiStepLR(sgd(0.5), {9})
    local state = a:state_dict()
    b:load_state_dict(state)
    state.milestones[1] = 1
    b:step()
    assert.same({0.5}, b:get_last_lr())
  end)

  it("has no functions", function()
    local scheduler = schedulers.LambdaLR(sgd(1), {FUNCTIONS.power})
    scheduler:step()
    assert.same({last_epoch = 1, base_lrs = {1}, _step_count = 2, _last_lr = {0.9}},
      scheduler:state_dict())
  end)

  it("of ReduceLROnPlateau holds the count", function()
    local scheduler = schedulers.ReduceLROnPlateau(sgd(1), {patience = 5, min_lr = 0.5})
    scheduler:step(3)
    scheduler:step(4)
    assert.same({
      mode = "min", factor = 0.1, patience = 5, threshold = 1e-4, threshold_mode = "rel", cooldown = 0,
      min_lrs = {0.5}, eps = 1e-8, best = 3, num_bad_epochs = 1, cooldown_counter = 0, last_epoch = 2,
      _last_lr = {1},
    }, scheduler:state_dict())
  end)

  it("is refused where it is none, before anything changes", function()
    local scheduler = schedulers.StepLR(sgd(1), 3)
    local before = scheduler:state_dict()
    local function bad(saved, pattern)
      assert.error_matches(function() scheduler:load_state_dict(saved) end,
        "StepLR: load_state_dict: " .. pattern)
      assert.same(before, scheduler:state_dict())
    end
    bad(nil, "what state_dict gave expected")
    bad({last_epoch = "x"}, "what state_dict gave expected")
    bad({last_epoch = 5}, "[%w_]+ is missing")
    local other = scheduler:state_dict()
    other.gamma, other.last_epoch = "x", 9
    bad(other, "gamma must be a number, got string")
    local sequence = schedulers.SequentialLR(scheduler.optimizer, {scheduler}, {milestones = {}})
    assert.error_matches(function() sequence:load_state_dict {last_epoch = 1} end,
      "SequentialLR: load_state_dict: the state of 1 schedulers expected")
  end)
end)

-- ---- what they share --------------------------------------------------------------------------------

describe("A scheduler", function()
  it("takes the first step when it is made", function()
    local optimizer = sgd(0.5)
    local scheduler = schedulers.LinearLR(optimizer, {start_factor = 0.5})
    assert.equal(0, scheduler.last_epoch)
    assert.equal(0.25, optimizer.param_groups[1].lr)
    assert.equal(0.5, optimizer.param_groups[1].initial_lr)
    assert.same({0.25}, scheduler:get_last_lr())
    scheduler:step()
    assert.equal(1, scheduler.last_epoch)
  end)

  it("changes what the optimiser does", function()
    local p = gru.zeros(1, {requires_grad = true, dtype = "float64"})
    local optimizer = optim.SGD({p}, {lr = 1})
    local scheduler = schedulers.ExponentialLR(optimizer, 0.5)
    local seen = {}
    for i = 1, 3 do
      p.grad = gru.ones(1, {dtype = "float64"})
      optimizer:step()
      scheduler:step()
      seen[i] = p:item()
    end
    assert.same({-1, -1.5, -1.75}, seen)
  end)

  it("takes arguments in order, by name, or mixed", function()
    local function rates(...)
      local scheduler = schedulers.StepLR(sgd(1), ...)
      for _ = 1, 4 do scheduler:step() end
      return scheduler:get_last_lr()[1], scheduler.last_epoch
    end
    assert.same({0.25, 4}, {rates(2, 0.5)})
    assert.same({0.25, 4}, {rates(2, {gamma = 0.5})})
    assert.same({0.25, 4}, {rates {step_size = 2, gamma = 0.5}})
    assert.same({0.25, 4}, {rates(2, 0.5, -1)})
    assert.same({0.25, 4}, {rates(2, 0.5, {})})
    assert.same({0.5}, schedulers.MultiStepLR(sgd(0.5), {3, 4}):get_last_lr())
    assert.same({0.5}, schedulers.MultiStepLR(sgd(0.5), {milestones = {}}):get_last_lr())
    assert.equal("max", schedulers.ReduceLROnPlateau(sgd(1), "max").mode)
  end)

  it("keeps the initial rates of an earlier one", function()
    local optimizer = sgd(1)
    schedulers.ConstantLR(optimizer, {factor = 0.5})
    local second = schedulers.LambdaLR(optimizer, function() return 0.25 end)
    assert.same({1}, second.base_lrs)
    assert.same({0.25}, second:get_last_lr())
  end)

  it("works beside another one, each from the rate in force", function()
    local optimizer = sgd(1)
    local a = schedulers.ExponentialLR(optimizer, 0.5)
    local b = schedulers.StepLR(optimizer, 2, 0.1)
    for _ = 1, 2 do
      a:step()
      b:step()
    end
    assert.near(0.025, optimizer.param_groups[1].lr, 1e-16)
    assert.same({0.25}, a:get_last_lr())
  end)

  it("goes to an epoch, from the initial rates", function()
    local cases = {
      {"StepLR", {step_size = 3, gamma = 0.5}, 0.25}, {"ExponentialLR", {gamma = 0.5}, 0.5 ^ 7},
      {"MultiStepLR", {milestones = {7, 2, 8}, gamma = 0.5}, 0.25},
      {"ConstantLR", {factor = 0.5, total_iters = 7}, 1}, {"ConstantLR", {total_iters = 8, factor = 0}, 0},
      {"LinearLR", {start_factor = 0.5, total_iters = 14}, 0.75},
      {"CosineAnnealingLR", {T_max = 14}, 0.5}, {"LambdaLR", {lr_lambda = FUNCTIONS.power}, 0.9 ^ 7},
    }
    for _, case in ipairs(cases) do
      local scheduler = schedulers[case[1]](sgd(1), case[2])
      scheduler:step(20)
      scheduler:step(7)
      assert.near(case[3], scheduler:get_last_lr()[1], 1e-15)
      assert.equal(7, scheduler.last_epoch)
    end
  end)

  it("resumes with last_epoch where the groups say their initial rates", function()
    for name, given in pairs {
      StepLR = {step_size = 4}, ExponentialLR = {gamma = 0.9}, CosineAnnealingLR = {T_max = 12},
      LambdaLR = {lr_lambda = FUNCTIONS.third},
    } do
      local whole = schedulers[name](sgd(0.5), given)
      for _ = 1, 6 do whole:step() end
      local group = whole.optimizer.param_groups[1]
      local optimizer = optim.SGD {{params = {leaf()}, lr = group.lr, initial_lr = group.initial_lr}}
      local resumed = {last_epoch = 6}
      for key, value in pairs(given) do resumed[key] = value end
      local scheduler = schedulers[name](optimizer, resumed)
      whole:step()
      assert.equal(7, scheduler.last_epoch)
      assert.near(whole:get_last_lr()[1], scheduler:get_last_lr()[1], 1e-15)
    end
    assert.error_matches(function() schedulers.StepLR(sgd(1), 4, {last_epoch = 3}) end,
      "StepLR: group 1 has no initial_lr, which last_epoch = 3 wants; load the optimiser's state first")
  end)

  it("leaves rates alone when its function fails", function()
    local broken = false
    local optimizer = sgd(1, 2)
    local scheduler = schedulers.LambdaLR(optimizer, {
      function() return 0.5 end,
      function() return not broken and 0.5 or "x" end,
    })
    broken = true
    assert.error_matches(function() scheduler:step() end,
      "LambdaLR: lr_lambda%(1%) must give a number, got string")
    assert.same({0.5, 1}, rates_of(optimizer))
    assert.equal(0, scheduler.last_epoch)
  end)

  it("takes callable objects", function()
    local f = setmetatable({}, {__call = function(_, epoch) return 1 / (1 + epoch) end})
    local scheduler = schedulers.LambdaLR(sgd(1), f)
    scheduler:step()
    assert.same({0.5}, scheduler:get_last_lr())
    scheduler = schedulers.LambdaLR(sgd(1), {f})
    scheduler:step()
    assert.same({0.5}, scheduler:get_last_lr())
  end)

  it("may be a kind of one's own", function()
    local Half = schedulers.Scheduler.extend("Half", {
      {"every", "integer", 2}, schedulers.Scheduler.LAST_EPOCH,
    })
    function Half:next_rate(epoch, group)
      return epoch > 0 and epoch % self.every == 0 and group.lr / 2 or group.lr
    end
    local scheduler = Half(sgd(1, 2))
    for _ = 1, 4 do scheduler:step() end
    assert.same({0.25, 0.5}, scheduler:get_last_lr())
    assert.error_matches(function() Half(sgd(1), {ever = 1}) end,
      "Half: unknown option 'ever'; there are: every, last_epoch")
  end)
end)

-- ---- errors ------------------------------------------------------------------------------------

describe("Wrong arguments:", function()
  local function half() return 0.5 end
  local cases = {
    {"StepLR", {}, "step_size expected"},
    {"StepLR", {step_size = 0}, "step_size must be >= 1, got 0"},
    {"StepLR", {step_size = 2.5}, "step_size must be an integer, got 2.5"},
    {"StepLR", {step_size = "3"}, "step_size must be an integer, got string"},
    {"StepLR", {step_size = 3, gamma = "x"}, "gamma must be a number, got string"},
    {"StepLR", {step_size = 3, gamma = 0 / 0}, "gamma must be a number, got %-?nan"},
    {"StepLR", {step_size = 3, gama = 1}, "unknown option 'gama'; there are: step_size, gamma, last_epoch"},
    {"StepLR", {step_size = 3, last_epoch = 0.5}, "last_epoch must be an integer, got 0.5"},
    {"MultiStepLR", {}, "milestones expected"},
    {"MultiStepLR", {milestones = 5}, "milestones must be a table, got 5"},
    {"MultiStepLR", {milestones = {5, 7.5}}, "milestones%[2%] must be an integer, got 7.5"},
    {"ExponentialLR", {}, "gamma expected"},
    {"ConstantLR", {factor = 1.5}, "factor must be in 0 .. 1, got 1.5"},
    {"ConstantLR", {factor = -0.5}, "factor must be in 0 .. 1, got %-0.5"},
    {"ConstantLR", {total_iters = -1}, "total_iters must be >= 0, got %-1"},
    {"LinearLR", {start_factor = 1.5}, "start_factor must be in 0 .. 1, got 1.5"},
    {"LinearLR", {start_factor = 0}, "start_factor must be above 0"},
    {"LinearLR", {end_factor = -1}, "end_factor must be in 0 .. 1, got %-1"},
    {"LinearLR", {total_iters = 0}, "total_iters must be >= 1, got 0"},
    {"CosineAnnealingLR", {}, "T_max expected"},
    {"CosineAnnealingLR", {T_max = 0}, "T_max must be >= 1, got 0"},
    {"CosineAnnealingLR", {T_max = 5, eta_min = "x"}, "eta_min must be a number, got string"},
    {"LambdaLR", {}, "lr_lambda expected"},
    {"LambdaLR", {lr_lambda = 0.5}, "lr_lambda must be a function or a table of functions, got number"},
    {"LambdaLR", {lr_lambda = {half, half}}, "lr_lambda has 2 functions for 1 groups"},
    {"LambdaLR", {lr_lambda = {5}}, "lr_lambda%[1%] must be a function, got number"},
    {"ReduceLROnPlateau", {mode = "least"}, "mode must be 'min' or 'max', got 'least'"},
    {"ReduceLROnPlateau", {threshold_mode = "x"}, "threshold_mode must be 'rel' or 'abs', got 'x'"},
    {"ReduceLROnPlateau", {factor = 1}, "factor must be below 1, got 1"},
    {"ReduceLROnPlateau", {min_lr = {1, 2}}, "min_lr has 2 values for 1 groups"},
    {"ReduceLROnPlateau", {min_lr = "x"}, "min_lr must be a number, got string"},
    {"ReduceLROnPlateau", {last_epoch = 1}, "unknown option 'last_epoch'"},
    {"OneCycleLR", {total_steps = 5}, "max_lr expected"},
    {"OneCycleLR", {max_lr = 1}, "total_steps expected, or epochs and steps_per_epoch"},
    {"OneCycleLR", {max_lr = 1, epochs = 3}, "total_steps expected, or epochs and steps_per_epoch"},
    {"OneCycleLR", {max_lr = 1, total_steps = 0}, "total_steps must be >= 1, got 0"},
    {"OneCycleLR", {max_lr = 1, epochs = 0, steps_per_epoch = 1}, "epochs must be >= 1, got 0"},
    {"OneCycleLR", {max_lr = 1, epochs = 1, steps_per_epoch = -1}, "steps_per_epoch must be >= 1"},
    {"OneCycleLR", {max_lr = {1, 2}, total_steps = 5}, "max_lr has 2 values for 1 groups"},
    {"OneCycleLR", {max_lr = "x", total_steps = 5}, "max_lr must be a number, got string"},
    {"OneCycleLR", {max_lr = 1, total_steps = 5, pct_start = 1.5}, "pct_start must be in 0 .. 1, got 1.5"},
    {"OneCycleLR", {max_lr = 1, total_steps = 5, anneal_strategy = "x"},
      "anneal_strategy must be 'cos' or 'linear', got 'x'"},
    {"OneCycleLR", {max_lr = 1, total_steps = 5, div_factor = 0}, "div_factor and final_div_factor must be"},
    {"OneCycleLR", {max_lr = 1, total_steps = 5, three_phase = 1}, "three_phase must be a boolean, got 1"},
    {"SequentialLR", {schedulers = {}, milestones = {}}, "0 schedulers want one milestone fewer, got 0"},
    {"SequentialLR", {schedulers = {5}, milestones = {}}, "schedulers%[1%] must be a scheduler"},
  }
  for _, case in ipairs(cases) do
    it(case[1] .. ", " .. case[3], function()
      assert.error_matches(function() schedulers[case[1]](sgd(1), case[2]) end,
        case[1] .. ": " .. case[3])
    end)
  end

  it("are the caller's", function()
    local optimizer = sgd(1)
    local plateau = schedulers.ReduceLROnPlateau(optimizer)
    local cycle = schedulers.OneCycleLR(optimizer, 1, {total_steps = 1})
    local sequence = schedulers.SequentialLR(optimizer, {cycle}, {milestones = {}})
    cycle:step()
    for i, f in ipairs {
      function() schedulers.StepLR(optimizer, 0) end,
      function() schedulers.OneCycleLR(optimizer, "x", {total_steps = 1}) end,
      function() cycle:load_state_dict {} end,
      function() sequence:load_state_dict {} end,
      function() cycle:step("x") end,
      function() cycle:step() end,
      function() plateau:step() end,
    } do
      local _, message = pcall(f)
      assert.matches("^[^:]*lr_scheduler_spec.lua:%d+: ", message, nil, nil, "function " .. i)
    end
  end)

  it("no optimiser", function()
    assert.error_matches(function() schedulers.StepLR(nil, 3) end, "StepLR: an optimiser expected, got nil")
    assert.error_matches(function() schedulers.StepLR({leaf()}, 3) end, "an optimiser expected, got table")
  end)

  it("too many, or twice", function()
    assert.error_matches(function() schedulers.StepLR(sgd(1), 1, 2, 3, 4) end,
      "StepLR: 3 arguments at most, got 4")
    assert.error_matches(function() schedulers.StepLR(sgd(1), 1, {step_size = 2}) end,
      "StepLR: step_size is given twice")
  end)

  it("an epoch that is none", function()
    local scheduler = schedulers.StepLR(sgd(1), 3)
    assert.error_matches(function() scheduler:step("x") end,
      "StepLR: step: epoch must be an integer, got string")
    assert.equal(0, scheduler.last_epoch)
  end)

  it("OneCycleLR for an optimiser without momentum", function()
    assert.error_matches(function()
      schedulers.OneCycleLR(optim.Adagrad({leaf()}), 1, {total_steps = 5})
    end, "OneCycleLR: Adagrad has no momentum to cycle; pass {cycle_momentum = false}")
  end)

  it("SequentialLR of schedulers that do not fit", function()
    local optimizer = sgd(1)
    local function bad(parts, milestones, pattern)
      assert.error_matches(function() schedulers.SequentialLR(optimizer, parts, milestones) end,
        "SequentialLR: " .. pattern)
    end
    local a, b = schedulers.StepLR(optimizer, 2), schedulers.StepLR(sgd(1), 2)
    bad({a, b}, {3}, "schedulers%[2%] has another optimiser")
    bad({a, schedulers.ReduceLROnPlateau(optimizer)}, {3},
      "schedulers%[2%] must be a scheduler that steps without a number")
    bad({a, a, a}, {5, 3}, "milestones must be rising integers, got 3")
    bad({a, a}, {"x"}, "milestones must be rising integers, got x")
    assert.equal(0, a.last_epoch)
  end)
end)
