--- One cycle: up to a high rate, then down to almost nothing, the momentum against it (Smith and
-- Topin 2018, "Super-Convergence"; by default in two phases, as fastai does).
--
-- The phases, with start = max_lr / div_factor and lowest = start / final_div_factor:
--
--     two:    start -> max_lr -> lowest
--     three:  start -> max_lr -> start -> lowest
--
-- The first one ends at epoch pct_start total_steps - 1; with three, the second takes as long.
-- @module gru.optim.lr_scheduler.one_cycle
local Scheduler = require "gru.optim.lr_scheduler.scheduler"

--- Called after every batch, total_steps - 1 times.
--
-- The bounds stand in the groups as `initial_lr`, `max_lr`, `min_lr`, `base_momentum` and
-- `max_momentum`.  The momentum is `momentum`, or `betas[1]` of the Adams.
-- @function OneCycleLR
-- @tparam Optimizer optimizer
-- @tparam number|table max_lr for all groups, or a table with one for each
-- @tparam[opt] integer total_steps, or epochs and steps_per_epoch
-- @tparam[opt] integer epochs
-- @tparam[opt] integer steps_per_epoch
-- @tparam[opt=0.3] number pct_start part of the steps on the way up
-- @tparam[opt="cos"] string anneal_strategy or `"linear"`
-- @tparam[opt=true] boolean cycle_momentum
-- @tparam[opt=0.85] number|table base_momentum
-- @tparam[opt=0.95] number|table max_momentum
-- @tparam[opt=25] number div_factor
-- @tparam[opt=1e4] number final_div_factor
-- @tparam[opt=false] boolean three_phase
-- @tparam[opt=-1] integer last_epoch
-- @usage local scheduler = optim.lr_scheduler.OneCycleLR(optimizer, 0.1, {total_steps = 1000})
local OneCycleLR = Scheduler.extend("OneCycleLR", {
  {"max_lr", "any"}, {"total_steps", "integer", optional = true},
  {"epochs", "integer", optional = true}, {"steps_per_epoch", "integer", optional = true},
  {"pct_start", "number", 0.3}, {"anneal_strategy", "string", "cos"},
  {"cycle_momentum", "boolean", true}, {"base_momentum", "any", 0.85},
  {"max_momentum", "any", 0.95}, {"div_factor", "number", 25}, {"final_div_factor", "number", 1e4},
  {"three_phase", "boolean", false}, Scheduler.LAST_EPOCH,
})

-- From a to b while x goes from 0 to 1.
local strategies = {
  cos = function(a, b, x) return b + (a - b) / 2 * (math.cos(math.pi * x) + 1) end,
  linear = function(a, b, x) return (b - a) * x + a end,
}

-- {last step, names of the bounds: rate from, to, momentum from, to}
local function phases_of(self)
  local up, last = self.pct_start * self.total_steps - 1, self.total_steps - 1
  local down = 2 * self.pct_start * self.total_steps - 2
  if not self.three_phase then
    return {
      {up, "initial_lr", "max_lr", "max_momentum", "base_momentum"},
      {last, "max_lr", "min_lr", "base_momentum", "max_momentum"},
    }
  end
  return {
    {up, "initial_lr", "max_lr", "max_momentum", "base_momentum"},
    {down, "max_lr", "initial_lr", "base_momentum", "max_momentum"},
    {last, "initial_lr", "min_lr", "max_momentum", "max_momentum"},
  }
end

-- The phase of an epoch, and how far into it that is, 0 .. 1.
local function find(phases, epoch)
  local from = 0
  for i, phase in ipairs(phases) do
    local to = phase[1]
    if epoch <= to or i == #phases then
      return phase, to == from and 1 or (epoch - from) / (to - from)
    end
    from = to
  end
end

local function set_momentum(group, value)
  if group.betas then
    group.betas = {value, group.betas[2]}
  else
    group.momentum = value
  end
end

function OneCycleLR:check()
  if not self.total_steps then
    if not (self.epochs and self.steps_per_epoch) then
      return "total_steps expected, or epochs and steps_per_epoch"
    end
    local problem = self.wrong("epochs", self.epochs, 1)
      or self.wrong("steps_per_epoch", self.steps_per_epoch, 1)
    if problem then return problem end
    self.total_steps = self.epochs * self.steps_per_epoch
  end
  self.epochs, self.steps_per_epoch = nil, nil
  local defaults = self.optimizer.defaults
  if not strategies[self.anneal_strategy] then
    return ("anneal_strategy must be 'cos' or 'linear', got '%s'"):format(self.anneal_strategy)
  elseif self.cycle_momentum and defaults.momentum == nil and defaults.betas == nil then
    return ("%s has no momentum to cycle; pass {cycle_momentum = false}"):format(self.optimizer.name)
  elseif self.div_factor <= 0 or self.final_div_factor <= 0 then
    return "div_factor and final_div_factor must be above 0"
  end
  return self.wrong("total_steps", self.total_steps, 1)
    or self.wrong("pct_start", self.pct_start, 0, 1)
end

-- Writes the bounds into the groups, or finds them there where a run goes on.
function OneCycleLR:start()
  local bounds, names = {}, {"max_lr"}
  if self.cycle_momentum then names = {"max_lr", "max_momentum", "base_momentum"} end
  for _, name in ipairs {"max_lr", "max_momentum", "base_momentum"} do
    local problem
    bounds[name], problem = self:per_group(name, self[name])
    if problem then return problem end
    self[name] = nil
  end
  for i, group in ipairs(self.optimizer.param_groups) do
    for _, name in ipairs(names) do
      if self.last_epoch == -1 then
        group[name] = bounds[name][i]
      elseif not group[name] then
        return ("group %d has no %s, which last_epoch = %d wants; load the optimiser's state first")
          :format(i, name, self.last_epoch)
      end
    end
    if self.last_epoch == -1 then
      group.initial_lr = group.max_lr / self.div_factor
      group.min_lr = group.initial_lr / self.final_div_factor
    end
  end
  return Scheduler.start(self)
end

function OneCycleLR:next_rate(epoch, group, base)
  if epoch > self.total_steps then
    error(("OneCycleLR: step %d of a cycle of %d; make it longer with total_steps"):format(epoch,
      self.total_steps), 3)
  end
  if not base then return nil end
  local anneal = strategies[self.anneal_strategy]
  local phase, x = find(phases_of(self), epoch)
  if self.cycle_momentum then set_momentum(group, anneal(group[phase[4]], group[phase[5]], x)) end
  return anneal(group[phase[2]], group[phase[3]], x)
end

return OneCycleLR
