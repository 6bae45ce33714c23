--- Adagrad (Duchi, Hazan and Singer 2011), PyTorch's `optim.Adagrad`.
--
--     g = g + weight_decay p                            (maximize: -g)
--     s = s + g^2,   s = initial_accumulator_value before the first step
--     p = p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)
-- @module gru.optim.adagrad
local Optimizer = require "gru.optim.optimizer"

--- An optimiser by the equations above.
-- @function Adagrad
-- @tparam table params parameters, or groups of them
-- @tparam[opt] table options `lr` (1e-2), `lr_decay` (0), `weight_decay` (0),
-- `initial_accumulator_value` (0), `eps` (1e-10), `maximize` (false)
-- @usage local optimizer = optim.Adagrad(model:parameters(), {lr = 0.1, lr_decay = 1e-4})
local Adagrad = Optimizer.extend("Adagrad", {
  lr = 1e-2, lr_decay = 0, weight_decay = 0, initial_accumulator_value = 0, eps = 1e-10,
  maximize = false,
})

function Adagrad:check(group)
  for _, name in ipairs {"lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"} do
    local problem = self.wrong(name, group[name], 0)
    if problem then return problem end
  end
end

function Adagrad.rate(state, group) return group.lr / (1 + (state.step or 0) * group.lr_decay) end

function Adagrad:update(p, g, state, group, rate)
  g = self.gradient(p, g, group)
  if not state.step then
    state.step, state.sum = 0, self.zeros(p):fill_(group.initial_accumulator_value)
  end
  state.step = state.step + 1
  state.sum:add_(g * g)
  p:sub_((g * rate):div_(state.sum:sqrt():add_(group.eps)))
end

return Adagrad
