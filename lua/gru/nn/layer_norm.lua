--- Layer normalisation.
-- @module gru.nn.layer_norm
local args = require "gru.args"
local core = require "gru.core"
local functional = require "gru.nn.functional"
local module = require "gru.nn.module"

--- y = (x - mean) / sqrt(var + eps) * weight + bias over the last dims, as `torch.nn.LayerNorm` (Ba
-- et al. 2016); the variance is the biased one.
--
-- `weight` is 1 and `bias` 0 in the beginning, both of the shape `normalized_shape`.
-- @function LayerNorm
-- @tparam ?table|integer normalized_shape the sizes of the last dims
-- @tparam[opt] table options `eps` (1e-5), `elementwise_affine` (true: with weight and bias),
-- `bias` (true), `dtype`, `device`
-- @usage local norm = nn.LayerNorm(256)
local LayerNorm = module.Module:extend("LayerNorm")

local known = {
  normalized_shape = true, eps = true, elementwise_affine = true, bias = true, dtype = true,
  device = true,
}

function LayerNorm:init(normalized_shape, options)
  if type(normalized_shape) == "table" and normalized_shape.normalized_shape then
    options, normalized_shape = normalized_shape, normalized_shape.normalized_shape
  end
  options = args.options("LayerNorm", options, known, 4)
  args.layer("LayerNorm", options, {"elementwise_affine", "bias"})
  if options.eps ~= nil and not (type(options.eps) == "number" and options.eps >= 0) then
    error(("LayerNorm: eps must be a number from 0 on, got %s"):format(tostring(options.eps)), 3)
  end
  local sizes = type(normalized_shape) == "table" and {table.unpack(normalized_shape)}
    or {normalized_shape}
  if #sizes == 0 then error("LayerNorm: normalized_shape must name a size", 3) end
  for _, size in ipairs(sizes) do
    if math.type(size) ~= "integer" or size < 1 then
      error(("LayerNorm: normalized_shape must be positive integers, got %s")
        :format(tostring(size)), 3)
    end
  end
  self.normalized_shape, self.eps = sizes, options.eps or 1e-5
  self.elementwise_affine = options.elementwise_affine ~= false
  if not self.elementwise_affine then return end
  local function filled(value)
    return module.Parameter(core.empty(sizes, options.dtype, options.device):fill_(value))
  end
  self.weight = filled(1)
  if options.bias ~= false then self.bias = filled(0) end
end

--- @param x (..., normalized_shape)
-- @return as x
function LayerNorm:forward(x)
  return functional.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
end

function LayerNorm:extra_repr()
  return ("{%s}, eps=%g, elementwise_affine=%s"):format(table.concat(self.normalized_shape, ", "),
    self.eps, tostring(self.elementwise_affine))
end

return LayerNorm
