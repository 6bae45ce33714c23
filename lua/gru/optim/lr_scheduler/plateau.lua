--- A rate that falls when a number, the loss say, gets no better.
-- @module gru.optim.lr_scheduler.plateau
local core = require "gru.core"
local Scheduler = require "gru.optim.lr_scheduler.scheduler"

--- lr = max(factor lr, min_lr) once more than `patience` epochs on end brought nothing better than
-- the best so far by `threshold`; then `cooldown` epochs do not count.
--
-- Better is, in mode `"min"`, below best (1 - threshold), or below best - threshold where
-- `threshold_mode` is `"abs"`; in mode `"max"`, above best (1 + threshold) or best + threshold.
-- @function ReduceLROnPlateau
-- @tparam Optimizer optimizer
-- @tparam[opt="min"] string mode or `"max"`
-- @tparam[opt=0.1] number factor below 1
-- @tparam[opt=10] integer patience
-- @tparam[opt=1e-4] number threshold
-- @tparam[opt="rel"] string threshold_mode or `"abs"`
-- @tparam[opt=0] integer cooldown
-- @tparam[opt=0] number|table min_lr for all groups, or a table with one for each
-- @tparam[opt=1e-8] number eps smaller changes are not made
-- @usage local scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, {patience = 3})
local ReduceLROnPlateau = Scheduler.extend("ReduceLROnPlateau", {
  {"mode", "string", "min"}, {"factor", "number", 0.1}, {"patience", "integer", 10},
  {"threshold", "number", 1e-4}, {"threshold_mode", "string", "rel"}, {"cooldown", "integer", 0},
  {"min_lr", "any", 0}, {"eps", "number", 1e-8},
})

local better = {
  min = {
    rel = function(a, best, threshold) return a < best * (1 - threshold) end,
    abs = function(a, best, threshold) return a < best - threshold end,
  },
  max = {
    rel = function(a, best, threshold) return a > best * (threshold + 1) end,
    abs = function(a, best, threshold) return a > best + threshold end,
  },
}

function ReduceLROnPlateau:check()
  if not better[self.mode] then
    return ("mode must be 'min' or 'max', got '%s'"):format(self.mode)
  elseif not better.min[self.threshold_mode] then
    return ("threshold_mode must be 'rel' or 'abs', got '%s'"):format(self.threshold_mode)
  elseif self.factor >= 1 then
    return ("factor must be below 1, got %s"):format(self.factor)
  end
  local problem
  self.min_lrs, problem = self:per_group("min_lr", self.min_lr)
  self.min_lr = nil
  return problem
end

function ReduceLROnPlateau:start()
  self.last_epoch, self.num_bad_epochs, self.cooldown_counter = 0, 0, 0
  self.best = self.mode == "min" and math.huge or -math.huge
  self._last_lr = {}
  for i, group in ipairs(self.optimizer.param_groups) do self._last_lr[i] = group.lr end
end

local function number_of(metric)
  if core.is_tensor(metric) and metric:numel() == 1 then metric = metric:item() end
  return type(metric) == "number" and metric + 0.0 or nil
end

--- Takes the number of this epoch and lowers the rates where it is time.
-- @tparam number|tensor metric a number, or a tensor with one element
function ReduceLROnPlateau:step(metric)
  local current = number_of(metric)
  if not current then
    error("ReduceLROnPlateau: step: a number or a tensor with one element expected, got "
      .. (core.is_tensor(metric) and metric:numel() .. " elements" or type(metric)), 2)
  end
  self.last_epoch = self.last_epoch + 1
  if better[self.mode][self.threshold_mode](current, self.best, self.threshold) then
    self.best, self.num_bad_epochs = current, 0
  else
    self.num_bad_epochs = self.num_bad_epochs + 1
  end
  if self.cooldown_counter > 0 then
    self.cooldown_counter, self.num_bad_epochs = self.cooldown_counter - 1, 0
  end
  local time = self.num_bad_epochs > self.patience
  if time then self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0 end
  for i, group in ipairs(self.optimizer.param_groups) do
    local rate = math.max(group.lr * self.factor, self.min_lrs[i] or 0)
    if time and group.lr - rate > self.eps then group.lr = rate end
    self._last_lr[i] = group.lr
  end
end

return ReduceLROnPlateau
