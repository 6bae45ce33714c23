--- RMSprop (Hinton, Srivastava and Swersky 2012, lecture 6e; centered: Graves 2013), PyTorch's
-- `optim.RMSprop`.
--
--     g = g + weight_decay p                            (maximize: -g)
--     s = alpha s + (1 - alpha) g^2
--     centered:  a = alpha a + (1 - alpha) g,   d = sqrt(s - a^2) + eps;   else  d = sqrt(s) + eps
--     momentum:  buf = momentum buf + g / d,   p = p - lr buf;   else  p = p - lr g / d
-- @module gru.optim.rmsprop
local Optimizer = require "gru.optim.optimizer"

--- An optimiser by the equations above.
-- @function RMSprop
-- @tparam table params parameters, or groups of them
-- @tparam[opt] table options `lr` (1e-2), `alpha` (0.99), `eps` (1e-8), `weight_decay` (0),
-- `momentum` (0), `centered` (false), `maximize` (false)
-- @usage local optimizer = optim.RMSprop(model:parameters(), {lr = 1e-3, momentum = 0.9})
local RMSprop = Optimizer.extend("RMSprop", {
  lr = 1e-2, alpha = 0.99, eps = 1e-8, weight_decay = 0, momentum = 0, centered = false,
  maximize = false,
})

function RMSprop:check(group)
  for _, name in ipairs {"lr", "alpha", "eps", "weight_decay", "momentum"} do
    local problem = self.wrong(name, group[name], 0)
    if problem then return problem end
  end
end

function RMSprop.rate(_, group) return group.lr end

function RMSprop:update(p, g, state, group, rate)
  local alpha = group.alpha
  g = self.gradient(p, g, group)
  if not state.step then state.step, state.square_avg = 0, self.zeros(p) end
  state.step = state.step + 1
  state.square_avg:mul_(alpha):add_((g * (1 - alpha)):mul_(g))
  local deviation
  if group.centered then
    state.grad_avg = state.grad_avg or self.zeros(p)
    local mean = state.grad_avg:mul_(alpha):add_(g * (1 - alpha))
    deviation = (mean * mean):neg_():add_(state.square_avg):sqrt_():add_(group.eps)
  else
    deviation = state.square_avg:sqrt():add_(group.eps)
  end
  if group.momentum > 0 then
    state.momentum_buffer = state.momentum_buffer or self.zeros(p)
    p:sub_(state.momentum_buffer:mul_(group.momentum):add_(g / deviation) * rate)
  else
    p:sub_((g * rate):div_(deviation))
  end
end

return RMSprop
