--- Adadelta (Zeiler 2012), PyTorch's `optim.Adadelta`.
--
--     g = g + weight_decay p                            (maximize: -g)
--     s = rho s + (1 - rho) g^2
--     d = sqrt(a + eps) / sqrt(s + eps) g
--     a = rho a + (1 - rho) d^2
--     p = p - lr d
-- @module gru.optim.adadelta
local Optimizer = require "gru.optim.optimizer"

--- An optimiser by the equations above.
-- @function Adadelta
-- @tparam table params parameters, or groups of them
-- @tparam[opt] table options `lr` (1), `rho` (0.9), `eps` (1e-6), `weight_decay` (0),
-- `maximize` (false)
-- @usage local optimizer = optim.Adadelta(model:parameters())
local Adadelta = Optimizer.extend("Adadelta", {
  lr = 1.0, rho = 0.9, eps = 1e-6, weight_decay = 0, maximize = false,
})

function Adadelta:check(group)
  for _, name in ipairs {"lr", "rho", "eps", "weight_decay"} do
    local problem = self.wrong(name, group[name], 0)
    if problem then return problem end
  end
  if group.rho > 1 then return ("rho must be in 0 .. 1, got %s"):format(group.rho) end
end

function Adadelta.rate(_, group) return group.lr end

function Adadelta:update(p, g, state, group, rate)
  local rho, eps = group.rho, group.eps
  g = self.gradient(p, g, group)
  if not state.step then
    state.step, state.square_avg, state.acc_delta = 0, self.zeros(p), self.zeros(p)
  end
  state.step = state.step + 1
  state.square_avg:mul_(rho):add_((g * (1 - rho)):mul_(g))
  local deviation = (state.square_avg + eps):sqrt_()
  local delta = (state.acc_delta + eps):sqrt_():div_(deviation):mul_(g)
  state.acc_delta:mul_(rho):add_((delta * (1 - rho)):mul_(delta))
  p:sub_(delta:mul_(rate))
end

return Adadelta
