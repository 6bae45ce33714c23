--- Schedulers one after the other.
-- @module gru.optim.lr_scheduler.sequential
local Scheduler = require "gru.optim.lr_scheduler.scheduler"

--- Up to milestones[1] the first scheduler steps, then the next one, from its own epoch 0 on.
-- @function SequentialLR
-- @tparam Optimizer optimizer
-- @tparam table schedulers of the same optimiser
-- @tparam table milestones epochs, rising, one fewer than schedulers
-- @tparam[opt=-1] integer last_epoch
-- @usage local scheduler = optim.lr_scheduler.SequentialLR(optimizer, {warmup, cosine}, {5})
local SequentialLR = Scheduler.extend("SequentialLR", {
  {"schedulers", "table"}, {"milestones", "table"}, Scheduler.LAST_EPOCH,
})

SequentialLR.unsaved = {optimizer = true, schedulers = true}

function SequentialLR:check()
  local schedulers, milestones = self.schedulers, self.milestones
  if #schedulers ~= #milestones + 1 then
    return ("%d schedulers want one milestone fewer, got %d"):format(#schedulers, #milestones)
  end
  for i, scheduler in ipairs(schedulers) do
    if type(scheduler) ~= "table" or not scheduler.base_lrs then
      return ("schedulers[%d] must be a scheduler that steps without a number"):format(i)
    elseif scheduler.optimizer ~= self.optimizer then
      return ("schedulers[%d] has another optimiser"):format(i)
    end
  end
  for i, epoch in ipairs(milestones) do
    if math.type(epoch) ~= "integer" or epoch <= (milestones[i - 1] or -1) then
      return ("milestones must be rising integers, got %s"):format(tostring(epoch))
    end
  end
end

-- The first steps that the schedulers took when they were made are taken back.
function SequentialLR:start()
  self.last_epoch = self.last_epoch + 1
  for _, group in ipairs(self.optimizer.param_groups) do group.lr = group.initial_lr end
  for _, scheduler in ipairs(self.schedulers) do scheduler.last_epoch = scheduler.last_epoch - 1 end
  self.schedulers[1]._step_count = 0
  self.schedulers[1]:step()
  self._last_lr = self.schedulers[1]:get_last_lr()
end

--- One step of the scheduler whose turn it is.
function SequentialLR:step()
  self.last_epoch = self.last_epoch + 1
  local at = 1
  while self.milestones[at] and self.milestones[at] <= self.last_epoch do at = at + 1 end
  local scheduler = self.schedulers[at]
  if self.milestones[at - 1] == self.last_epoch then
    scheduler:step(0)
  else
    scheduler:step()
  end
  self._last_lr = scheduler:get_last_lr()
end

--- The state, with those of the schedulers as `_schedulers`.
function SequentialLR:state_dict()
  local out = Scheduler.state_dict(self)
  out._schedulers = {}
  for i, scheduler in ipairs(self.schedulers) do out._schedulers[i] = scheduler:state_dict() end
  return out
end

--- Takes over a state that `state_dict` gave, and hands the schedulers theirs.
function SequentialLR:load_state_dict(saved)
  local states = type(saved) == "table" and saved._schedulers
  if type(states) ~= "table" or #states ~= #self.schedulers then
    error(("SequentialLR: load_state_dict: the state of %d schedulers expected"):format(
      #self.schedulers), 2)
  end
  Scheduler.load_state_dict(self, saved)
  for i, scheduler in ipairs(self.schedulers) do scheduler:load_state_dict(states[i]) end
end

return SequentialLR
