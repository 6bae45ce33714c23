--- Layers, activations and losses as functions, as in `torch.nn.functional`.
--
-- Arguments are PyTorch's, positional as there; what PyTorch's users write as keywords may stand in
-- an option table.
-- @module gru.nn.functional
local args = require "gru.args"
local core = require "gru.core"
local tensor = require "gru.tensor"

local functional = {}
local ops = core.functions

-- The losses, from cross_entropy to kl_div.
for name, f in pairs(require "gru.nn.losses") do functional[name] = f end

--- 1 / (1 + e^-x)
-- @function sigmoid
-- @param x any shape

--- The hyperbolic tangent.
-- @function tanh
-- @param x any shape

--- max(x, 0)
-- @function relu
-- @param x any shape

--- x / (1 + e^-x) (Elfwing et al. 2018).
-- @function silu
-- @param x any shape

--- e^x / sum e^x along a dim, without overflow.
-- @function softmax
-- @param x floats, any shape
-- @tparam integer dim

--- The logarithm of `softmax`, without overflow.
-- @function log_softmax
-- @param x floats, any shape
-- @tparam integer dim

for _, name in ipairs {"sigmoid", "tanh", "relu", "silu", "softmax", "log_softmax"} do
  functional[name] = ops[name]
end

local function check(name, x)
  if not core.is_tensor(x) then
    error(("%s: a tensor expected, got %s"):format(name, type(x)), 3)
  end
end

-- A setting that stands alone or in an option table: `elu(x, 2)` or `elu(x, {alpha = 2})`.
local function setting(name, key, value, default)
  if type(value) == "table" then
    for k in pairs(value) do
      if k ~= key then error(("%s: unknown option '%s'"):format(name, tostring(k)), 3) end
    end
    value = value[key]
  end
  if value == nil then return default end
  if type(value) ~= "number" then
    error(("%s: %s must be a number, got %s"):format(name, key, tostring(value)), 3)
  end
  return value
end

-- ---- activations --------------------------------------------------------------------------------

--- x where x > 0, else negative_slope x (Maas et al. 2013).
-- @param x any shape
-- @param[opt=0.01] negative_slope a number, or {negative_slope = ...}
function functional.leaky_relu(x, negative_slope)
  check("leaky_relu", x)
  local slope = setting("leaky_relu", "negative_slope", negative_slope, 0.01)
  return ops.where(x:gt(0), x, x * slope)
end

--- x where x > 0, else alpha (e^x - 1) (Clevert et al. 2016).
-- @param x any shape
-- @param[opt=1] alpha a number, or {alpha = ...}
function functional.elu(x, alpha)
  check("elu", x)
  local positive = x:gt(0)
  -- 0 where x is positive: e^x may overflow there, and infinity times its gradient 0 is NaN.
  local below = ops.where(positive, 0, x):expm1() * setting("elu", "alpha", alpha, 1)
  return ops.where(positive, x, below)
end

--- x Phi(x), with Phi the normal distribution (Hendrycks and Gimpel 2016).
-- @param x any shape
-- @tparam[opt] table options `approximate`: "none" or "tanh", which is
-- x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
function functional.gelu(x, options)
  check("gelu", x)
  local how = args.options("gelu", options, {approximate = true}).approximate or "none"
  if how == "none" then return tensor.functions.gelu(x) end
  if how ~= "tanh" then
    error(("gelu: approximate must be \"none\" or \"tanh\", got %s"):format(tostring(how)), 2)
  end
  local inner = (x + x * x * x * 0.044715) * math.sqrt(2 / math.pi)
  return x * 0.5 * (inner:tanh() + 1)
end

--- log(1 + e^(beta x)) / beta, and x itself where beta x is above the threshold.
-- @param x any shape
-- @tparam[opt] table options `beta` (1), `threshold` (20)
function functional.softplus(x, options)
  check("softplus", x)
  options = args.options("softplus", options, {beta = true, threshold = true})
  local beta = args.number("softplus", "beta", options.beta, 1)
  local threshold = args.number("softplus", "threshold", options.threshold, 20)
  local scaled = beta == 1 and x or x * beta
  local y = ops.softplus(scaled)
  if beta ~= 1 then y = y / beta end
  return ops.where(scaled:gt(threshold), x, y)
end

--- log of the logistic function, -log(1 + e^-x), without overflow.
-- @param x any shape
function functional.logsigmoid(x)
  check("logsigmoid", x)
  return -ops.softplus(-x)
end

-- ---- layers ---------------------------------------------------------------------------------------

--- x W^T + b
-- @param x (..., in)
-- @param weight (out, in)
-- @param[opt] bias (out)
function functional.linear(x, weight, bias)
  if core.are_tensors(x, weight, bias) then return core.linear(x, weight, bias) end
  check("linear", x)
  args.tensor("linear", weight, "weight")
  if bias ~= nil then args.tensor("linear", bias, "bias") end -- which is none
  return ops.matmul(x, weight:t())
end

--- Rows of `weight`.
-- @param ids int64 positions of rows, from 1 on, any shape
-- @param weight (V, E)
-- @tparam[opt] table options `padding_idx`: a row, from 1 on or from the end where negative, which
-- gets no gradient
-- @return (shape of ids, E)
function functional.embedding(ids, weight, options)
  local padding = options
  if type(options) == "table" then
    padding = args.options("embedding", options, {padding_idx = true}).padding_idx
  end
  args.tensor("embedding", ids, "ids")
  args.tensor("embedding", weight, "weight")
  local rows = ops.embedding(weight, ids)
  if padding == nil then return rows end
  local V = weight:size(1)
  if math.type(padding) ~= "integer" or padding == 0 or padding > V or padding < -V then
    error(("embedding: padding_idx must be in 1 .. %d, or negative from the end, got %s")
      :format(V, tostring(padding)), 2)
  end
  if padding < 0 then padding = padding + V + 1 end
  return ops.where(ids:ne(padding):unsqueeze(-1), rows, rows:detach())
end

--- Zeroes each element with probability p and divides the others by 1 - p (Srivastava et al. 2014);
-- every call draws a new mask.
-- @param x any shape
-- @tparam[opt=0.5] number p
-- @tparam[opt=true] boolean training false gives x itself
function functional.dropout(x, p, training)
  check("dropout", x)
  if type(p) == "table" then
    local options = args.options("dropout", p, {p = true, training = true})
    p, training = options.p, options.training
  end
  p = p or 0.5
  if type(p) ~= "number" or not (p >= 0 and p <= 1) then
    error(("dropout: p must be in 0 .. 1, got %s"):format(tostring(p)), 2)
  end
  if x.dtype ~= "float32" and x.dtype ~= "float64" then
    error(("dropout: wants floats, got %s; convert with :float()"):format(x.dtype), 2)
  end
  if training ~= nil and type(training) ~= "boolean" then
    error(("dropout: training must be true or false, got %s"):format(tostring(training)), 2)
  end
  if training == false or p == 0 then return x end
  local mask = core.empty(x.shape, x.dtype, x.device):bernoulli_(1 - p)
  return x * mask * (p < 1 and 1 / (1 - p) or 0)
end

--- (x - mean) / sqrt(var + eps) * weight + bias over the last dims, with the biased variance (Ba et
-- al. 2016).
-- @param x (..., normalized_shape)
-- @tparam ?table|integer normalized_shape the sizes of the last dims
-- @param[opt] weight (normalized_shape)
-- @param[opt] bias (normalized_shape)
-- @tparam[opt=1e-5] number eps
function functional.layer_norm(x, normalized_shape, weight, bias, eps)
  check("layer_norm", x)
  local sizes = type(normalized_shape) == "table" and normalized_shape or {normalized_shape}
  local dims, fits = {}, #sizes > 0 and #sizes <= x:dim()
  for i, size in ipairs(sizes) do
    dims[i] = i - #sizes - 1
    fits = fits and x:size(dims[i]) == size
  end
  if not fits then
    error(("layer_norm: input [%s] does not end with normalized_shape [%s]")
      :format(table.concat(x.shape, ", "), table.concat(sizes, ", ")), 2)
  end
  for what, t in pairs {weight = weight, bias = bias} do
    args.tensor("layer_norm", t, what)
    if table.concat(t.shape, ", ") ~= table.concat(sizes, ", ") then
      error(("layer_norm: %s must be [%s], got [%s]"):format(what, table.concat(sizes, ", "),
        table.concat(t.shape, ", ")), 2)
    end
  end
  eps = args.number("layer_norm", "eps", eps, 1e-5)
  local d = x - x:mean(dims, true)
  local y = d * (d:square():mean(dims, true) + eps):rsqrt()
  if weight then y = y * weight end
  return bias and y + bias or y
end

--- Class ids as one-hot rows of the default dtype, in a layout that stores the ids.
-- @param ids int64, from 1 on, any shape
-- @tparam[opt] integer num_classes the largest id by default
-- @return (shape of ids, num_classes)
function functional.one_hot(ids, num_classes)
  check("one_hot", ids)
  if num_classes == nil or num_classes == -1 then num_classes = ids:max():item() end
  return ops.one_hot(ids, num_classes)
end

-- One dim with `before` and `after` elements of a value more; negative ones cut off.
local function pad_dim(x, dim, before, after, value)
  local size = x:size(dim)
  if size + before + after < 0 then
    error(("pad: {%d, %d} leaves less than nothing of size %d"):format(before, after, size), 3)
  end
  local first, last = 1 + math.max(0, -before), size - math.max(0, -after)
  if first > 1 or last < size then x = x:narrow(dim, first, math.max(0, last - first + 1)) end
  local parts = {x}
  local function add(at, count)
    if count <= 0 then return end
    local sizes = x.shape
    sizes[dim] = count
    table.insert(parts, at, core.empty(sizes, x.dtype, x.device):fill_(value))
  end
  add(1, before)
  add(#parts + 1, after)
  return #parts == 1 and x or ops.cat(parts, dim)
end

--- Extends the last dims by a constant.
-- @param x any shape
-- @tparam table widths {left, right} of the last dim, then of the one before it, and so on;
-- negative widths cut off
-- @tparam[opt="constant"] string mode "constant", the only one
-- @tparam[opt=0] number value
-- @usage F.pad(x, {1, 0, 2, 2}) -- one column on the left, two rows above and below
function functional.pad(x, widths, mode, value)
  check("pad", x)
  if type(mode) == "table" then
    local options = args.options("pad", mode, {mode = true, value = true})
    mode, value = options.mode, options.value
  end
  if mode ~= nil and mode ~= "constant" then
    error(("pad: mode must be \"constant\", got %s"):format(tostring(mode)), 2)
  end
  args.number("pad", "value", value, 0)
  if type(widths) ~= "table" or #widths % 2 ~= 0 or #widths > 2 * x:dim() then
    error(("pad: widths must be {left, right, ...}, for at most %d dims"):format(x:dim()), 2)
  end
  for i, width in ipairs(widths) do
    if math.type(width) ~= "integer" then
      error(("pad: width %d must be an integer, got %s"):format(i, tostring(width)), 2)
    end
  end
  for i = 1, #widths, 2 do
    x = pad_dim(x, x:dim() - i // 2, widths[i], widths[i + 1], value or 0)
  end
  return x
end

return functional
