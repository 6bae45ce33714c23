--- Adam with decoupled weight decay (Loshchilov and Hutter 2019), PyTorch's `optim.AdamW`.
--
--     p = p - lr weight_decay p
--     m, v, p as in Adam without weight_decay            (maximize: -g)
-- @module gru.optim.adamw
local Adam = require "gru.optim.adam"
local Optimizer = require "gru.optim.optimizer"

--- An optimiser by the equations above.
-- @function AdamW
-- @tparam table params parameters, or groups of them
-- @tparam[opt] table options `lr` (1e-3), `betas` ({0.9, 0.999}), `eps` (1e-8),
-- `weight_decay` (1e-2), `amsgrad` (false), `maximize` (false)
-- @usage local optimizer = optim.AdamW(model:parameters(), {lr = 1e-3, weight_decay = 0.1})
local AdamW = Optimizer.extend("AdamW", {
  lr = 1e-3, betas = {0.9, 0.999}, eps = 1e-8, weight_decay = 1e-2, amsgrad = false,
  maximize = false,
})

AdamW.check = Adam.check

function AdamW.update_all(_, list, group) Adam.move(list, group, true) end

AdamW.form = Adam.form

function AdamW.replay(_, graph, step) Adam.move_on(graph, step, true) end

return AdamW
