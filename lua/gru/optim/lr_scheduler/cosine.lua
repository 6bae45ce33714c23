--- Half a cosine wave, from SGDR without its restarts (Loshchilov and Hutter 2017).
-- @module gru.optim.lr_scheduler.cosine
local Scheduler = require "gru.optim.lr_scheduler.scheduler"

--- lr = eta_min + (base - eta_min) (1 + cos(pi epoch / T_max)) / 2; it rises again after T_max.
-- @function CosineAnnealingLR
-- @tparam Optimizer optimizer
-- @tparam integer T_max
-- @tparam[opt=0] number eta_min
-- @tparam[opt=-1] integer last_epoch
-- @usage local scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, 160, {eta_min = 1e-5})
local CosineAnnealingLR = Scheduler.extend("CosineAnnealingLR", {
  {"T_max", "integer"}, {"eta_min", "number", 0}, Scheduler.LAST_EPOCH,
})

function CosineAnnealingLR:check() return self.wrong("T_max", self.T_max, 1) end

function CosineAnnealingLR:next_rate(epoch, group, base)
  local period, lowest = self.T_max, self.eta_min
  local function height(e) return 1 + math.cos(math.pi * e / period) end
  if epoch == 0 then return group.lr end
  if self._step_count == 0 then return base and self:rate_at(epoch, base) end -- resumed
  if (epoch - 1 - period) % (2 * period) == 0 then -- on from the lowest point
    return base and group.lr + (base - lowest) * (1 - math.cos(math.pi / period)) / 2
  end
  return height(epoch) / height(epoch - 1) * (group.lr - lowest) + lowest
end

function CosineAnnealingLR:rate_at(epoch, base)
  return self.eta_min
    + (base - self.eta_min) * (1 + math.cos(epoch * math.pi / self.T_max)) / 2
end

return CosineAnnealingLR
