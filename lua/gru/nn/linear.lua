--- y = x W^T + b.
-- @module gru.nn.linear
local args = require "gru.args"
local core = require "gru.core"
local linear = require "gru.nn.functional".linear
local module = require "gru.nn.module"

local Linear = module.Module:extend("Linear")

local known = {in_features = true, out_features = true, bias = true, dtype = true, device = true}

--- A fully connected layer.
--
-- `weight` (out_features, in_features) and `bias` (out_features) are drawn from
-- U(-1 / sqrt(in_features), 1 / sqrt(in_features)), the weight first, as PyTorch does.
-- @function Linear
-- @tparam integer in_features
-- @tparam integer out_features
-- @tparam[opt] table options `bias` (true), `dtype`, `device`
-- @usage local dense = nn.Linear(256, 1027)
function Linear:init(in_features, out_features, options)
  if type(in_features) == "table" then
    options = in_features
    in_features, out_features = options.in_features, options.out_features
  end
  options = args.options("Linear", options, known, 4)
  args.layer("Linear", options, {"bias"})
  self.in_features, self.out_features = in_features, out_features
  for _, name in ipairs {"in_features", "out_features"} do
    if math.type(self[name]) ~= "integer" or self[name] < 1 then
      error(("Linear: %s must be a positive integer, got %s"):format(name, tostring(self[name])), 3)
    end
  end
  local bound = 1 / math.sqrt(in_features)
  local function draw(...)
    local x = core.empty({...}, options.dtype, options.device):uniform_(-bound, bound)
    return module.Parameter(x)
  end
  self.weight = draw(out_features, in_features)
  if options.bias ~= false then self.bias = draw(out_features) end
end

--- @param x (..., in_features)
-- @return (..., out_features)
function Linear:forward(x)
  return linear(x, self.weight, self.bias)
end

function Linear:extra_repr()
  return ("in_features=%d, out_features=%d, bias=%s")
    :format(self.in_features, self.out_features, tostring(self.bias ~= nil))
end

return Linear
