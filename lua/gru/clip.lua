--- Scaling gradients by their common norm, for `nn.utils.clip_grad_norm_` and `d2l.grad_clipping`.
--
--     total = (sum |g|^p)^(1 / p) over all elements of all gradients
--     scale = min(1, max_norm / (total + eps))
--
-- Neither is read by the host.
-- @module gru.clip
local core = require "gru.core"

local clip = {}
local ops = core.functions

-- One dtype, one device?
local function is_uniform(grads)
  local dtype, device = grads[1].dtype, grads[1].device
  for _, g in ipairs(grads) do
    if g.dtype ~= dtype or g.device ~= device then return false end
  end
  return true
end

--- The norm of gradients as one vector, and what clips it.
-- @tparam table grads floats, at least one
-- @tparam number p
-- @tparam number max_norm
-- @tparam number eps
-- @return total, 0-d
-- @return scale, 0-d, on the same device
function clip.norm(grads, p, max_norm, eps)
  if (p == 2 or p == math.huge) and is_uniform(grads) then
    return core.clip_norm(grads, p, max_norm, eps)
  end
  local norms, device = {}, grads[1].device
  for i, g in ipairs(grads) do norms[i] = g:norm(p):to(device) end
  local total = ops.stack(norms, 1):norm(p)
  return total, (max_norm / (total + eps)):clamp(nil, 1)
end

--- Multiplies gradients by a 0-d scale, in place.
-- @tparam table grads
-- @param scale
function clip.scale(grads, scale)
  local by_device, devices = {}, {}
  for _, g in ipairs(grads) do
    local list = by_device[g.device]
    if not list then
      list = {}
      by_device[g.device], devices[#devices + 1] = list, g.device
    end
    list[#list + 1] = g
  end
  for _, device in ipairs(devices) do core.scale_(by_device[device], scale:to(device)) end
end

return clip
