--- Adam (Kingma and Ba 2015), PyTorch's `optim.Adam`.
--
--     g = g + weight_decay p                            (maximize: -g)
--     m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2
--     p = p - lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
--
-- amsgrad (Reddi et al. 2018) takes the largest v so far.
-- @module gru.optim.adam
local Optimizer = require "gru.optim.optimizer"

--- An optimiser by the equations above.
-- @function Adam
-- @tparam table params parameters, or groups of them
-- @tparam[opt] table options `lr` (1e-3), `betas` ({0.9, 0.999}), `eps` (1e-8), `weight_decay` (0),
-- `amsgrad` (false), `maximize` (false)
-- @usage local optimizer = optim.Adam(model:parameters(), {lr = 1e-2})
local Adam = Optimizer.extend("Adam", {
  lr = 1e-3, betas = {0.9, 0.999}, eps = 1e-8, weight_decay = 0, amsgrad = false, maximize = false,
})

function Adam:check(group)
  for _, name in ipairs {"lr", "eps", "weight_decay"} do
    local problem = self.wrong(name, group[name], 0)
    if problem then return problem end
  end
  if type(group.betas) ~= "table" or #group.betas ~= 2 then
    return "betas must be a table of two numbers"
  end
  return self.wrong("betas[1]", group.betas[1], 0, 1) or self.wrong("betas[2]", group.betas[2], 0, 1)
end

--- What Adam and AdamW share: both averages, and the step along them.
function Adam.move(p, g, state, group)
  local beta1, beta2 = group.betas[1], group.betas[2]
  if not state.step then
    state.step, state.exp_avg, state.exp_avg_sq = 0, Optimizer.zeros(p), Optimizer.zeros(p)
  end
  state.step = state.step + 1
  state.exp_avg:mul_(beta1):add_(g * (1 - beta1))
  state.exp_avg_sq:mul_(beta2):add_((g * (1 - beta2)):mul_(g))
  local v = state.exp_avg_sq
  if group.amsgrad then
    state.max_exp_avg_sq = state.max_exp_avg_sq or Optimizer.zeros(p)
    v = state.max_exp_avg_sq:maximum_(v)
  end
  local denominator = v:sqrt():div_(math.sqrt(1 - beta2 ^ state.step)):add_(group.eps)
  local rate = group.lr / (1 - beta1 ^ state.step)
  p:sub_((state.exp_avg * rate):div_(denominator))
end

function Adam:update(p, g, state, group)
  self.move(p, self.gradient(p, g, group), state, group)
end

return Adam
