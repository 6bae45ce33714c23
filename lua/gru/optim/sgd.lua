--- Stochastic gradient descent (PyTorch's `optim.SGD`).
--
--     g = g + weight_decay p
--     buf = g at the first step, momentum buf + (1 - dampening) g later
--     g = g + momentum buf if nesterov, else buf        (momentum ~= 0)
--     p = p - lr g
-- @module gru.optim.sgd
local Optimizer = require "gru.optim.optimizer"

--- @function SGD
-- @tparam table params parameters, or groups of them
-- @tparam[opt] table options `lr` (1e-3), `momentum` (0), `dampening` (0), `weight_decay` (0),
-- `nesterov` (false), `maximize` (false)
-- @usage local optimizer = optim.SGD(model:parameters(), {lr = 0.1, momentum = 0.9})
local SGD = Optimizer.extend("SGD", {
  lr = 1e-3, momentum = 0, dampening = 0, weight_decay = 0, nesterov = false, maximize = false,
})

function SGD:check(group)
  for _, name in ipairs {"lr", "momentum", "weight_decay"} do self:want(group, name, 0) end
  if group.nesterov and (group.momentum <= 0 or group.dampening ~= 0) then
    error("SGD: nesterov wants a momentum and no dampening", 5)
  end
end

function SGD:update(p, g, state, group)
  local m = group.momentum
  if group.maximize then g = -g end
  if group.weight_decay ~= 0 then g = g + p * group.weight_decay end
  if m ~= 0 then
    if state.momentum_buffer then
      state.momentum_buffer:mul_(m):add_(g * (1 - group.dampening))
    else
      state.momentum_buffer = g:detach():clone()
    end
    g = group.nesterov and g + state.momentum_buffer * m or state.momentum_buffer
  end
  p:sub_(g * group.lr)
end

return SGD
