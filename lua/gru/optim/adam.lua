--- Adam (Kingma and Ba 2015), PyTorch's `optim.Adam`.
--
--     g = g + weight_decay p
--     m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2
--     p = p - lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
--
-- amsgrad takes the largest v so far.
-- @module gru.optim.adam
local core = require "gru.core"
local Optimizer = require "gru.optim.optimizer"

--- @function Adam
-- @tparam table params parameters, or groups of them
-- @tparam[opt] table options `lr` (1e-3), `betas` ({0.9, 0.999}), `eps` (1e-8), `weight_decay` (0),
-- `amsgrad` (false), `maximize` (false)
-- @usage local optimizer = optim.Adam(model:parameters(), {lr = 1e-2})
local Adam = Optimizer.extend("Adam", {
  lr = 1e-3, betas = {0.9, 0.999}, eps = 1e-8, weight_decay = 0, amsgrad = false, maximize = false,
})

function Adam:check(group)
  for _, name in ipairs {"lr", "eps", "weight_decay"} do self:want(group, name, 0) end
  if type(group.betas) ~= "table" or #group.betas ~= 2 then
    error("Adam: betas must be a table of two numbers", 5)
  end
  local pair = {["betas[1]"] = group.betas[1], ["betas[2]"] = group.betas[2]}
  for name in pairs(pair) do self:want(pair, name, 0, 1) end
end

local function zeros_like(p) return core.empty(p.shape, p.dtype, p.device):fill_(0) end

function Adam:update(p, g, state, group)
  local beta1, beta2 = group.betas[1], group.betas[2]
  if not state.step then
    state.step, state.exp_avg, state.exp_avg_sq = 0, zeros_like(p), zeros_like(p)
    if group.amsgrad then state.max_exp_avg_sq = zeros_like(p) end
  end
  state.step = state.step + 1
  if group.maximize then g = -g end
  if group.weight_decay ~= 0 then g = g + p * group.weight_decay end
  state.exp_avg:mul_(beta1):add_(g * (1 - beta1))
  state.exp_avg_sq:mul_(beta2):add_(g:square():mul_(1 - beta2))
  local v = state.exp_avg_sq
  if group.amsgrad then v = state.max_exp_avg_sq:maximum_(v) end
  local denominator = v:sqrt():mul_(1 / math.sqrt(1 - beta2 ^ state.step)):add_(group.eps)
  local rate = group.lr / (1 - beta1 ^ state.step)
  p:sub_((state.exp_avg / denominator):mul_(rate))
end

return Adam
