--- Initialisation in place, as in `torch.nn.init`; nothing is recorded, and x is returned.
--
-- After `gru.manual_seed(s, "torch")` the draws are PyTorch's.  For a weight (out, in, d1, ...),
-- fan_in is in * d1 * ..., fan_out is out * d1 * ....
-- @module gru.nn.init
local args = require "gru.args"
local core = require "gru.core"
local mode = require "gru.mode"
local orthonormal_rows = require "gru.nn.orthogonal"
local quantile = require "gru.nn.quantile"

local init = {}

-- Defines init.<name>(x, ...): f runs unrecorded; an error in it is blamed on the caller.
local function define(name, f)
  init[name] = function(x, ...)
    if not core.is_tensor(x) then
      error(("%s: a tensor expected, got %s"):format(name, type(x)), 2)
    end
    local ok, message
    do
      local _ <close> = mode.no_grad()
      ok, message = pcall(f, x, ...)
    end
    if not ok then error((tostring(message):gsub("^[^\n]-%.lua:%d+: ", "")), 2) end
    return x
  end
end

-- Values of the options `names`, given one after the other or in a table.
local function read(name, names, first, ...)
  if type(first) ~= "table" then
    for i, value in pairs {first, ...} do
      local kind = (names[i] == "mode" or names[i] == "nonlinearity") and "string" or "number"
      if not names[i] then error(("%s: too many arguments"):format(name), 0) end
      if type(value) ~= kind then
        error(("%s: %s must be a %s, got %s"):format(name, names[i], kind, type(value)), 0)
      end
    end
    return first, ...
  end
  local known, values = {}, {}
  for _, key in ipairs(names) do known[key] = true end
  args.options(name, first, known)
  for i, key in ipairs(names) do values[i] = first[key] end
  return table.unpack(values, 1, #names)
end

local function fans(name, x)
  if x:dim() < 2 then
    error(("%s: fans want a tensor of 2 dims or more, got [%s]")
      :format(name, table.concat(x.shape, ", ")), 0)
  end
  local field = 1
  for d = 3, x:dim() do field = field * x:size(d) end
  return x:size(2) * field, x:size(1) * field
end

-- ---- constants -------------------------------------------------------------------------------

--- One value everywhere.
-- @function constant_
-- @param x tensor
-- @tparam number value
define("constant_", function(x, value)
  x:fill_(args.number("constant_", "value", value))
end)

--- 0 everywhere.
-- @function zeros_
-- @param x tensor
define("zeros_", function(x) x:fill_(0) end)

--- 1 everywhere.
-- @function ones_
-- @param x tensor
define("ones_", function(x) x:fill_(1) end)

--- 1 on the diagonal, 0 elsewhere.
-- @function eye_
-- @param x (n, m)
define("eye_", function(x)
  if x:dim() ~= 2 then
    error(("eye_: wants 2 dims, got [%s]"):format(table.concat(x.shape, ", ")), 0)
  end
  x:fill_(0)
  for i = 1, math.min(x:size(1), x:size(2)) do x[i][i] = 1 end
end)

-- ---- plain distributions --------------------------------------------------------------------------

--- Uniform from [a, b).
-- @function uniform_
-- @param x tensor
-- @tparam[opt=0] number a
-- @tparam[opt=1] number b
define("uniform_", function(x, ...)
  local a, b = read("uniform_", {"a", "b"}, ...)
  x:uniform_(a or 0, b or 1)
end)

--- Normal.
-- @function normal_
-- @param x tensor
-- @tparam[opt=0] number mean
-- @tparam[opt=1] number std
define("normal_", function(x, ...)
  local mean, std = read("normal_", {"mean", "std"}, ...)
  x:normal_(mean or 0, std or 1)
end)

--- Normal, cut off at a and b: the quantiles of uniform draws between Phi((a - mean) / std) and
-- Phi((b - mean) / std), which is PyTorch's method.
-- @function trunc_normal_
-- @param x tensor
-- @tparam[opt=0] number mean
-- @tparam[opt=1] number std
-- @tparam[opt=-2] number a the lowest value
-- @tparam[opt=2] number b the highest value
define("trunc_normal_", function(x, ...)
  local mean, std, a, b = read("trunc_normal_", {"mean", "std", "a", "b"}, ...)
  mean, std, a, b = mean or 0, std or 1, a or -2, b or 2
  if not (std > 0) or not (a < b) then
    error(("trunc_normal_: wants std > 0 and a < b, got std %s, a %s, b %s"):format(std, a, b), 0)
  end
  local ends = (core.from_table({a, b}, "float64") - mean) / (std * math.sqrt(2))
  local cdf = ((ends:erf() + 1) * 0.5):totable()
  x:uniform_(2 * cdf[1] - 1, 2 * cdf[2] - 1)
  local values = x:reshape(-1):to("float64"):totable()
  for i, u in ipairs(values) do
    values[i] = math.min(math.max(mean + std * quantile((u + 1) / 2), a), b)
  end
  x:copy_(core.from_table(values, "float64"):to(x.dtype):reshape(x.shape))
end)

-- ---- scaled by the fans ---------------------------------------------------------------------------

local gains = {
  linear = 1, identity = 1, sigmoid = 1, tanh = 5 / 3, relu = math.sqrt(2), selu = 3 / 4,
}

--- The factor that keeps the variance through an activation: 1 for linear and sigmoid, 5 / 3 for
-- tanh, sqrt 2 for relu, sqrt(2 / (1 + a^2)) for leaky_relu of slope a, 3 / 4 for selu.
-- @tparam string nonlinearity
-- @tparam[opt=0.01] number param the slope of leaky_relu
-- @treturn number
function init.calculate_gain(nonlinearity, param)
  if nonlinearity == "leaky_relu" then
    args.number("calculate_gain", "param", param, 0.01)
    return math.sqrt(2 / (1 + (param or 0.01) ^ 2))
  end
  local gain = gains[nonlinearity]
  if not gain then
    error(("calculate_gain: unknown nonlinearity '%s'; there are: identity, leaky_relu, linear, relu, "
      .. "selu, sigmoid, tanh"):format(tostring(nonlinearity)), 2)
  end
  return gain
end

--- Uniform from -b .. b, b = gain sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010).
-- @function xavier_uniform_
-- @param x (out, in, ...)
-- @tparam[opt=1] number gain
define("xavier_uniform_", function(x, ...)
  local fan_in, fan_out = fans("xavier_uniform_", x)
  local gain = read("xavier_uniform_", {"gain"}, ...)
  -- in PyTorch's order of operations, so that the last bit agrees
  local bound = math.sqrt(3) * ((gain or 1) * math.sqrt(2 / (fan_in + fan_out)))
  x:uniform_(-bound, bound)
end)

--- Normal of standard deviation gain sqrt(2 / (fan_in + fan_out)) (Glorot and Bengio 2010).
-- @function xavier_normal_
-- @param x (out, in, ...)
-- @tparam[opt=1] number gain
define("xavier_normal_", function(x, ...)
  local fan_in, fan_out = fans("xavier_normal_", x)
  local gain = read("xavier_normal_", {"gain"}, ...)
  x:normal_(0, (gain or 1) * math.sqrt(2 / (fan_in + fan_out)))
end)

-- gain / sqrt(fan) of the kaiming functions.
local function kaiming_std(name, x, ...)
  local a, which, nonlinearity = read(name, {"a", "mode", "nonlinearity"}, ...)
  local fan_in, fan_out = fans(name, x)
  which = which or "fan_in"
  if which ~= "fan_in" and which ~= "fan_out" then
    error(("%s: mode must be \"fan_in\" or \"fan_out\", got %s"):format(name, tostring(which)), 0)
  end
  local gain = init.calculate_gain(nonlinearity or "leaky_relu", a or 0)
  return gain / math.sqrt(which == "fan_in" and fan_in or fan_out)
end

--- Uniform from -b .. b, b = gain sqrt(3 / fan) (He et al. 2015).
-- @function kaiming_uniform_
-- @param x (out, in, ...)
-- @tparam[opt=0] number a the slope of leaky_relu
-- @tparam[opt="fan_in"] string mode "fan_in" or "fan_out"
-- @tparam[opt="leaky_relu"] string nonlinearity see `calculate_gain`
-- @usage nn.init.kaiming_uniform_(weight, {nonlinearity = "relu"})
define("kaiming_uniform_", function(x, ...)
  local bound = math.sqrt(3) * kaiming_std("kaiming_uniform_", x, ...)
  x:uniform_(-bound, bound)
end)

--- Normal of standard deviation gain / sqrt(fan) (He et al. 2015).
-- @function kaiming_normal_
-- @param x (out, in, ...)
-- @tparam[opt=0] number a the slope of leaky_relu
-- @tparam[opt="fan_in"] string mode "fan_in" or "fan_out"
-- @tparam[opt="leaky_relu"] string nonlinearity see `calculate_gain`
define("kaiming_normal_", function(x, ...)
  x:normal_(0, kaiming_std("kaiming_normal_", x, ...))
end)

--- gain times a random matrix with orthonormal rows, or columns where there are fewer (Saxe et al.
-- 2013): the Q of the QR decomposition of normal draws, columns multiplied by sign(diag R).
-- @function orthogonal_
-- @param x (rows, ...), the further dims taken as one
-- @tparam[opt=1] number gain
define("orthogonal_", function(x, ...)
  if x:dim() < 2 then
    error(("orthogonal_: wants 2 dims or more, got [%s]"):format(table.concat(x.shape, ", ")), 0)
  end
  local gain = read("orthogonal_", {"gain"}, ...)
  if x:numel() == 0 then return end
  local rows = x:size(1)
  local cols = x:numel() // rows
  local draws = core.empty({rows, cols}, x.dtype, x.device):normal_(0, 1):to("float64")
  local wide = rows < cols
  local q = orthonormal_rows((wide and draws or draws:t()):clone())
  x:copy_(((wide and q or q:t()) * (gain or 1)):to(x.dtype):reshape(x.shape))
end)

return init
