--- Rates that fall in steps or by a factor: StepLR, MultiStepLR, ExponentialLR, LambdaLR.
-- @module gru.optim.lr_scheduler.decay
local Scheduler = require "gru.optim.lr_scheduler.scheduler"

local decay = {}

--- lr = base gamma^floor(epoch / step_size)
-- @function StepLR
-- @tparam Optimizer optimizer
-- @tparam integer step_size
-- @tparam[opt=0.1] number gamma
-- @tparam[opt=-1] integer last_epoch
-- @usage local scheduler = optim.lr_scheduler.StepLR(optimizer, 30, {gamma = 0.5})
local StepLR = Scheduler.extend("StepLR", {
  {"step_size", "integer"}, {"gamma", "number", 0.1}, Scheduler.LAST_EPOCH,
})
decay.StepLR = StepLR

function StepLR:check() return self.wrong("step_size", self.step_size, 1) end

function StepLR:next_rate(epoch, group)
  if epoch == 0 or epoch % self.step_size ~= 0 then return group.lr end
  return group.lr * self.gamma
end

function StepLR:rate_at(epoch, base) return base * self.gamma ^ (epoch // self.step_size) end

--- lr = base gamma^(number of milestones <= epoch)
-- @function MultiStepLR
-- @tparam Optimizer optimizer
-- @tparam table milestones epochs, in any order; one that is there twice counts twice
-- @tparam[opt=0.1] number gamma
-- @tparam[opt=-1] integer last_epoch
-- @usage local scheduler = optim.lr_scheduler.MultiStepLR(optimizer, {30, 80})
local MultiStepLR = Scheduler.extend("MultiStepLR", {
  {"milestones", "table"}, {"gamma", "number", 0.1}, Scheduler.LAST_EPOCH,
})
decay.MultiStepLR = MultiStepLR

function MultiStepLR:check()
  for i, epoch in ipairs(self.milestones) do
    if math.type(epoch) ~= "integer" then
      return ("milestones[%d] must be an integer, got %s"):format(i, tostring(epoch))
    end
  end
  table.sort(self.milestones)
end

function MultiStepLR:next_rate(epoch, group)
  local count = 0
  for _, milestone in ipairs(self.milestones) do
    if milestone == epoch then count = count + 1 end
  end
  return count == 0 and group.lr or group.lr * self.gamma ^ count
end

function MultiStepLR:rate_at(epoch, base)
  local count = 0
  for _, milestone in ipairs(self.milestones) do
    if milestone <= epoch then count = count + 1 end
  end
  return base * self.gamma ^ count
end

--- lr = base gamma^epoch
-- @function ExponentialLR
-- @tparam Optimizer optimizer
-- @tparam number gamma
-- @tparam[opt=-1] integer last_epoch
-- @usage local scheduler = optim.lr_scheduler.ExponentialLR(optimizer, 0.95)
local ExponentialLR = Scheduler.extend("ExponentialLR", {
  {"gamma", "number"}, Scheduler.LAST_EPOCH,
})
decay.ExponentialLR = ExponentialLR

function ExponentialLR:next_rate(epoch, group)
  return epoch == 0 and group.lr or group.lr * self.gamma
end

function ExponentialLR:rate_at(epoch, base) return base * self.gamma ^ epoch end

--- lr = base f(epoch), epochs from 0 on.  The state does not hold the functions.
-- @function LambdaLR
-- @tparam Optimizer optimizer
-- @tparam function|table lr_lambda `f`, or a table with one for each group
-- @tparam[opt=-1] integer last_epoch
-- @usage local scheduler = optim.lr_scheduler.LambdaLR(optimizer, function(e) return 0.95 ^ e end)
local LambdaLR = Scheduler.extend("LambdaLR", {{"lr_lambda", "any"}, Scheduler.LAST_EPOCH})
decay.LambdaLR = LambdaLR

LambdaLR.unsaved = {optimizer = true, lr_lambda = true}

local function is_callable(f)
  local meta = getmetatable(f)
  return type(f) == "function" or type(meta) == "table" and meta.__call ~= nil
end

function LambdaLR:check()
  local given, groups = self.lr_lambda, #self.optimizer.param_groups
  if is_callable(given) then return end
  if type(given) ~= "table" then
    return "lr_lambda must be a function or a table of functions, got " .. type(given)
  elseif #given ~= groups then
    return ("lr_lambda has %d functions for %d groups"):format(#given, groups)
  end
  for i, f in ipairs(given) do
    if not is_callable(f) then
      return ("lr_lambda[%d] must be a function, got %s"):format(i, type(f))
    end
  end
end

function LambdaLR:next_rate(epoch, _, base, i)
  if not base then return nil end
  local f = is_callable(self.lr_lambda) and self.lr_lambda or self.lr_lambda[i]
  local factor = f(epoch)
  if type(factor) ~= "number" then
    error(("LambdaLR: lr_lambda(%d) must give a number, got %s"):format(epoch, type(factor)), 0)
  end
  return base * factor
end

return decay
