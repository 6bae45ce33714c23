--- Losses as modules.
-- @module gru.nn.loss
local functional = require "gru.nn.functional"
local module = require "gru.nn.module"

local CrossEntropyLoss = module.Module:extend("CrossEntropyLoss")

--- See `gru.nn.functional.cross_entropy` for the options.
-- @function CrossEntropyLoss
-- @tparam[opt] table options
-- @usage local loss = nn.CrossEntropyLoss()(logits, targets)
function CrossEntropyLoss:init(options)
  self.options = options or {}
end

function CrossEntropyLoss:forward(input, target)
  return functional.cross_entropy(input, target, self.options)
end

return {CrossEntropyLoss = CrossEntropyLoss}
