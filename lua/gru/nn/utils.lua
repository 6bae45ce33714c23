--- Gradient clipping, as in `torch.nn.utils`.
-- @module gru.nn.utils
local core = require "gru.core"

local utils = {}

local function with_grads(parameters)
  local grads = {}
  for _, p in ipairs(core.is_tensor(parameters) and {parameters} or parameters) do
    if p.grad then grads[#grads + 1] = p.grad end
  end
  return grads
end

--- Scales all gradients so that their common norm is at most `max_norm`: every one is
-- multiplied by min(1, max_norm / (total + 1e-6)).
-- @tparam table parameters
-- @tparam number max_norm
-- @tparam[opt] table options `norm_type` (2, or math.huge), `error_if_nonfinite` (false)
-- @return the total norm before clipping, a 0-d tensor that stays on the device
function utils.clip_grad_norm_(parameters, max_norm, options)
  options = options or {}
  local p = options.norm_type or 2
  local grads = with_grads(parameters)
  if #grads == 0 then return core.from_table(0.0) end
  local before <close> = require("gru.mode").no_grad()
  local norms = {}
  for i, g in ipairs(grads) do norms[i] = g:norm(p) end
  local total = core.functions.stack(norms, 1):norm(p)
  if options.error_if_nonfinite and not total:isfinite():item() then
    error(("clip_grad_norm_: the total norm is %s; pass {error_if_nonfinite = false} to scale all "
      .. "the same"):format(total:item()), 2)
  end
  local scale = (max_norm / (total + 1e-6)):clamp(nil, 1)
  for _, g in ipairs(grads) do g:mul_(scale) end
  return total
end

--- Limits every element of the gradients to -limit .. limit.
function utils.clip_grad_value_(parameters, limit)
  local before <close> = require("gru.mode").no_grad()
  for _, g in ipairs(with_grads(parameters)) do g:clamp_(-limit, limit) end
end

return utils
