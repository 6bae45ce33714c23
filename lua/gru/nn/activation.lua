--- Activations as modules; the formulas stand at the functions of `gru.nn.functional`.
-- @module gru.nn.activation
local functional = require "gru.nn.functional"
local module = require "gru.nn.module"

local activation = {}

-- Makes the class `name`, which calls `compute(module, x)`.  `settings` is a list of {name, default
-- value, type}; they are read from the arguments in this order, or from one option table.
local function define(name, settings, compute)
  local class = module.Module:extend(name)

  function class:init(...)
    local first = ...
    local options = type(first) == "table" and first or {}
    if type(first) == "table" then
      local known = {}
      for _, s in ipairs(settings) do known[s[1]] = true end
      for key in pairs(options) do
        if not known[key] then error(("%s: unknown option '%s'"):format(name, tostring(key)), 3) end
      end
    else
      if select("#", ...) > #settings then
        error(("%s: %d arguments, at most %d expected"):format(name, select("#", ...), #settings), 3)
      end
      for i, s in ipairs(settings) do options[s[1]] = (select(i, ...)) end
    end
    for _, s in ipairs(settings) do
      local value = options[s[1]]
      if value == nil then value = s[2] end
      if type(value) ~= s[3] then
        error(("%s: %s must be a %s, got %s"):format(name, s[1], s[3], tostring(value)), 3)
      end
      self[s[1]] = value
    end
  end

  function class:forward(x) return compute(self, x) end

  function class:extra_repr()
    local text = {}
    for i, s in ipairs(settings) do text[i] = ("%s=%s"):format(s[1], tostring(self[s[1]])) end
    return table.concat(text, ", ")
  end

  activation[name] = class
end

--- 1 / (1 + e^-x)
-- @function Sigmoid
define("Sigmoid", {}, function(_, x) return functional.sigmoid(x) end)

--- tanh x
-- @function Tanh
define("Tanh", {}, function(_, x) return functional.tanh(x) end)

--- max(x, 0)
-- @function ReLU
define("ReLU", {}, function(_, x) return functional.relu(x) end)

--- x / (1 + e^-x)
-- @function SiLU
define("SiLU", {}, function(_, x) return functional.silu(x) end)

--- log(1 / (1 + e^-x))
-- @function LogSigmoid
define("LogSigmoid", {}, function(_, x) return functional.logsigmoid(x) end)

--- See `gru.nn.functional.gelu`.
-- @function GELU
-- @tparam[opt="none"] string approximate "none" or "tanh"
define("GELU", {{"approximate", "none", "string"}}, function(self, x)
  return functional.gelu(x, {approximate = self.approximate})
end)

--- See `gru.nn.functional.softplus`.
-- @function Softplus
-- @tparam[opt=1] number beta
-- @tparam[opt=20] number threshold
define("Softplus", {{"beta", 1, "number"}, {"threshold", 20, "number"}}, function(self, x)
  return functional.softplus(x, {beta = self.beta, threshold = self.threshold})
end)

--- See `gru.nn.functional.leaky_relu`.
-- @function LeakyReLU
-- @tparam[opt=0.01] number negative_slope
define("LeakyReLU", {{"negative_slope", 0.01, "number"}}, function(self, x)
  return functional.leaky_relu(x, self.negative_slope)
end)

--- See `gru.nn.functional.elu`.
-- @function ELU
-- @tparam[opt=1] number alpha
define("ELU", {{"alpha", 1, "number"}}, function(self, x) return functional.elu(x, self.alpha) end)

--- e^x / sum e^x along a dim.
-- @function Softmax
-- @tparam integer dim from 1 on, or negative from the end
-- @usage nn.Softmax(-1)
define("Softmax", {{"dim", nil, "number"}}, function(self, x) return functional.softmax(x, self.dim) end)

--- The logarithm of `Softmax`, without overflow.
-- @function LogSoftmax
-- @tparam integer dim from 1 on, or negative from the end
define("LogSoftmax", {{"dim", nil, "number"}}, function(self, x)
  return functional.log_softmax(x, self.dim)
end)

return activation
