--- Adam (Kingma and Ba 2015), PyTorch's `optim.Adam`.
--
--     g = g + weight_decay p                            (maximize: -g)
--     m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2
--     p = p - lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
--
-- amsgrad (Reddi et al. 2018) takes the largest v so far.
-- @module gru.optim.adam
local core = require "gru.core"
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

local function options_of(group, decoupled)
  return {
    lr = group.lr, beta1 = group.betas[1], beta2 = group.betas[2], eps = group.eps,
    weight_decay = group.weight_decay, decoupled = decoupled, maximize = group.maximize,
  }
end

--- What Adam and AdamW share: the state, and the equations, which the core has.
function Adam.move(list, group, decoupled)
  local items, zeros = {}, Optimizer.zeros
  for i, item in ipairs(list) do
    local p, g, state = item[1], item[2], item[3]
    state.step = state.step or 0
    state.exp_avg, state.exp_avg_sq = state.exp_avg or zeros(p), state.exp_avg_sq or zeros(p)
    if group.amsgrad then state.max_exp_avg_sq = state.max_exp_avg_sq or zeros(p) end
    items[i] = {
      p, g, state.step + 1, state.exp_avg, state.exp_avg_sq, group.amsgrad and state.max_exp_avg_sq,
    }
  end
  core.adam_step(items, options_of(group, decoupled), list.scale)
  for _, item in ipairs(list) do item[3].step = item[3].step + 1 end
end

--- The same for a step that a graph repeats.
function Adam.move_on(graph, step, decoupled)
  local steps = {}
  for i, item in ipairs(step.list) do
    steps[i] = item[3].step + 1
    item[3].step = steps[i]
  end
  core.graph_set_adam(graph, step.number, steps, options_of(step.group, decoupled))
end

function Adam:update_all(list, group) self.move(list, group, false) end

function Adam.form(_, group) return group.amsgrad end

function Adam:replay(graph, step) self.move_on(graph, step, false) end

return Adam
