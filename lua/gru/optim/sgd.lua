--- Stochastic gradient descent with momentum (Sutskever et al. 2013), PyTorch's `optim.SGD`.
--
--     g = g + weight_decay p                            (maximize: -g)
--     buf = g at the first step, momentum buf + (1 - dampening) g later
--     g = g + momentum buf if nesterov, else buf        (momentum ~= 0)
--     p = p - lr g
-- @module gru.optim.sgd
local core = require "gru.core"
local Optimizer = require "gru.optim.optimizer"

--- An optimiser by the equations above.
-- @function SGD
-- @tparam table params parameters, or groups of them
-- @tparam[opt] table options `lr` (1e-3), `momentum` (0), `dampening` (0), `weight_decay` (0),
-- `nesterov` (false), `maximize` (false)
-- @usage local optimizer = optim.SGD(model:parameters(), {lr = 0.1, momentum = 0.9})
local SGD = Optimizer.extend("SGD", {
  lr = 1e-3, momentum = 0, dampening = 0, weight_decay = 0, nesterov = false, maximize = false,
})

function SGD:check(group)
  for _, name in ipairs {"lr", "momentum", "weight_decay"} do
    local problem = self.wrong(name, group[name], 0)
    if problem then return problem end
  end
  if group.nesterov and (group.momentum <= 0 or group.dampening ~= 0) then
    return "nesterov wants a momentum and no dampening"
  end
  return self.wrong("dampening", group.dampening, -math.huge)
end

function SGD:update_all(list, group)
  local items, moves = {}, group.momentum ~= 0
  for i, item in ipairs(list) do
    local p, g, buffer = item[1], item[2], item[3].momentum_buffer
    items[i] = {p, g, buffer and 2 or 1, moves and (buffer or self.empty(p)) or nil}
  end
  core.sgd_step(items, group, list.scale)
  for i, item in ipairs(moves and list or {}) do item[3].momentum_buffer = items[i][4] end
end

function SGD.form(_, group) return group.momentum ~= 0 end

function SGD.replay(_, graph, step)
  local steps = {}
  for i = 1, #step.list do steps[i] = 2 end -- the buffers have been filled
  core.graph_set_sgd(graph, step.number, steps, step.group)
end

return SGD
