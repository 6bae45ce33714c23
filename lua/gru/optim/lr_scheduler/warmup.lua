--- Rates that start low and reach the base rate: ConstantLR, LinearLR.
-- @module gru.optim.lr_scheduler.warmup
local Scheduler = require "gru.optim.lr_scheduler.scheduler"

local warmup = {}

--- lr = base factor while epoch < total_iters, then base
-- @function ConstantLR
-- @tparam Optimizer optimizer
-- @tparam[opt=1/3] number factor in 0 .. 1
-- @tparam[opt=5] integer total_iters
-- @tparam[opt=-1] integer last_epoch
-- @usage local scheduler = optim.lr_scheduler.ConstantLR(optimizer, {factor = 0.1})
local ConstantLR = Scheduler.extend("ConstantLR", {
  {"factor", "number", 1 / 3}, {"total_iters", "integer", 5}, Scheduler.LAST_EPOCH,
})
warmup.ConstantLR = ConstantLR

function ConstantLR:check()
  return self.wrong("factor", self.factor, 0, 1) or self.wrong("total_iters", self.total_iters, 0)
end

function ConstantLR:next_rate(epoch, group, base)
  if epoch == 0 then return group.lr * self.factor end
  if epoch ~= self.total_iters then return group.lr end
  return self.factor == 0 and base or group.lr * (1 / self.factor)
end

function ConstantLR:rate_at(epoch, base)
  return base * (self.factor + (epoch >= self.total_iters and 1 - self.factor or 0))
end

--- lr = base f, with f on a line from start_factor at epoch 0 to end_factor at total_iters
-- @function LinearLR
-- @tparam Optimizer optimizer
-- @tparam[opt=1/3] number start_factor above 0, at most 1
-- @tparam[opt=1] number end_factor in 0 .. 1
-- @tparam[opt=5] integer total_iters
-- @tparam[opt=-1] integer last_epoch
-- @usage local scheduler = optim.lr_scheduler.LinearLR(optimizer, {total_iters = 10})
local LinearLR = Scheduler.extend("LinearLR", {
  {"start_factor", "number", 1 / 3}, {"end_factor", "number", 1.0}, {"total_iters", "integer", 5},
  Scheduler.LAST_EPOCH,
})
warmup.LinearLR = LinearLR

function LinearLR:check()
  local problem = self.wrong("start_factor", self.start_factor, 0, 1)
    or self.wrong("end_factor", self.end_factor, 0, 1)
    or self.wrong("total_iters", self.total_iters, 1)
  if problem or self.start_factor > 0 then return problem end
  return "start_factor must be above 0: the next rate is a multiple of the last one"
end

function LinearLR:next_rate(epoch, group)
  if epoch == 0 then return group.lr * self.start_factor end
  if epoch > self.total_iters then return group.lr end
  local rise = self.end_factor - self.start_factor
  return group.lr * (1 + rise / (self.total_iters * self.start_factor + (epoch - 1) * rise))
end

function LinearLR:rate_at(epoch, base)
  local rise = self.end_factor - self.start_factor
  return base * (self.start_factor + rise * math.min(self.total_iters, epoch) / self.total_iters)
end

return warmup
