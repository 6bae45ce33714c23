--- Methods of tensors that are written with other ops, indexing, and printing.
--
-- Each is a function of the module `gru`, too: `x:std(1)` is `gru.std(x, 1)`.
-- @module gru.tensor
local core = require "gru.core"
local format = require "gru.format"
local index = require "gru.index"

local methods, meta, ops = core.methods, core.metatable, core.functions
local functions = {}

-- Defines a method that is a function of the module, too.
local function define(name, f)
  functions[name] = f
  methods[name] = f
end

local function check(name, x)
  if not core.is_tensor(x) then
    error(("%s: a tensor expected, got %s"):format(name, type(x)), 3)
  end
end

local function is_float(x) return x.dtype == "float32" or x.dtype == "float64" end

local function want_float(name, x)
  check(name, x)
  if not is_float(x) then
    error(("%s: wants floats, got %s; convert with :float()"):format(name, x.dtype), 3)
  end
end

-- The dim as 1 .. n.
local function positive(name, dim, n)
  local d = dim < 0 and dim + n + 1 or dim
  if math.type(dim) ~= "integer" or d < 1 or d > n then
    error(("%s: dim %s of a tensor with %d dims"):format(name, tostring(dim), n), 3)
  end
  return d
end

-- ---- conversion ------------------------------------------------------------------------

local to_dtype = ops.to
local dtypes = {bool = 1, int64 = 1, float32 = 1, float64 = 1, float = 1, double = 1, long = 1}

--- Converts to a dtype, or moves to a device; itself where it already is so.
-- @usage x:to("float64")
-- @param target a dtype, a device, or a tensor to follow in both
define("to", function(x, target)
  check("to", x)
  if core.is_tensor(target) then return x:to(target.dtype):to(target.device) end
  if type(target) ~= "string" then
    error("to: a dtype or a device expected, got " .. type(target), 2)
  end
  if dtypes[target] then return to_dtype(x, target) end
  local ok, reason = core.device_check(target)
  if not ok then error("to: " .. reason, 2) end
  if target == "cuda" then target = "cuda:0" end
  if x.device == target then return x end
  return core.empty(x.shape, x.dtype, target):copy_(x)
end)

define("float", function(x) return to_dtype(x, "float32") end)
define("double", function(x) return to_dtype(x, "float64") end)
define("long", function(x) return to_dtype(x, "int64") end)
define("bool", function(x) return to_dtype(x, "bool") end)
define("cpu", function(x) return x:to("cpu") end)
define("cuda", function(x, i) return x:to("cuda:" .. (i or 0)) end)
define("type_as", function(x, other) return to_dtype(x, other.dtype) end)

-- ---- shape -------------------------------------------------------------------------------

--- The transpose of a matrix; a vector is its own.
define("t", function(x)
  check("t", x)
  if x:dim() > 2 then
    error(("t: expected 2 dims at most, got %d; use transpose"):format(x:dim()), 2)
  end
  return x:dim() < 2 and x or x:transpose(1, 2)
end)

--- All slices along a dim (1 by default), in a table.
define("unbind", function(x, dim)
  check("unbind", x)
  dim = positive("unbind", dim or 1, x:dim())
  local slices = {}
  for i = 1, x:size(dim) do slices[i] = x:select(dim, i) end
  return slices
end)

--- Parts of `size` along a dim, the last one smaller where it must be; or parts of the sizes in
-- a table.
define("split", function(x, size, dim)
  check("split", x)
  dim = positive("split", dim or 1, x:dim())
  local parts, at, total = {}, 1, x:size(dim)
  if type(size) == "table" then
    for i, s in ipairs(size) do
      parts[i] = x:narrow(dim, at, s)
      at = at + s
    end
    if at ~= total + 1 then
      error(("split: the sizes add up to %d, dim %d has %d"):format(at - 1, dim, total), 2)
    end
    return parts
  end
  if math.type(size) ~= "integer" or size < 1 then
    error("split: a size of 1 or more expected, got " .. tostring(size), 2)
  end
  while at <= total do
    parts[#parts + 1] = x:narrow(dim, at, math.min(size, total - at + 1))
    at = at + size
  end
  return parts
end)

--- At most `n` parts of equal size along a dim, the last one smaller where it must be.
define("chunk", function(x, n, dim)
  check("chunk", x)
  if math.type(n) ~= "integer" or n < 1 then
    error("chunk: a number of parts expected, got " .. tostring(n), 2)
  end
  dim = positive("chunk", dim or 1, x:dim())
  return x:split(math.max(1, (x:size(dim) + n - 1) // n), dim)
end)

--- Merges the dims first .. last (all by default) into one.
define("flatten", function(x, first, last)
  check("flatten", x)
  local n = x:dim()
  if n == 0 then return x:reshape(1) end
  first, last = positive("flatten", first or 1, n), positive("flatten", last or -1, n)
  local sizes, merged = {}, 1
  for d = 1, n do
    local size = x:size(d)
    if d < first or d > last then
      sizes[#sizes + 1] = size
    else
      merged = merged * size
      if d == last then sizes[#sizes + 1] = merged end
    end
  end
  return x:reshape(sizes)
end)

define("expand_as", function(x, other) return x:expand(other.shape) end)
define("view_as", function(x, other) return x:view(other.shape) end)
define("reshape_as", function(x, other) return x:reshape(other.shape) end)

-- ---- arithmetic --------------------------------------------------------------------------------

local clamp = ops.clamp

--- Limits to lowest .. highest, numbers or tensors; nil leaves a side open.
define("clamp", function(x, lowest, highest)
  check("clamp", x)
  if lowest == nil and highest == nil then error("clamp: a lowest or a highest value expected", 2) end
  local bottom, top = math.mininteger, math.maxinteger
  if is_float(x) then bottom, top = -math.huge, math.huge end
  return clamp(x, lowest == nil and bottom or lowest, highest == nil and top or highest)
end)

--- x where the mask is false, `value` where it is true.
define("masked_fill", function(x, mask, value) return ops.where(mask, value, x) end)
define("masked_fill_", function(x, mask, value) return x:copy_(ops.where(mask, value, x)) end)

--- x + value * a * b
define("addcmul", function(x, a, b, value) return x + a * b * (value or 1) end)
--- x + value * a / b
define("addcdiv", function(x, a, b, value) return x + a / b * (value or 1) end)
define("addcmul_", function(x, a, b, value) return x:add_(a * b * (value or 1)) end)
define("addcdiv_", function(x, a, b, value) return x:add_(a / b * (value or 1)) end)

--- x / 2 (1 + erf(x / sqrt 2)): the exact form of GELU (Hendrycks and Gimpel 2016).
define("gelu", function(x)
  want_float("gelu", x)
  return x * 0.5 * (1 + (x * 0.7071067811865476):erf())
end)

define("zero_", function(x) return x:fill_(0) end)

-- ---- products ------------------------------------------------------------------------------------

local function product(name, dims_a, dims_b)
  define(name, function(a, b)
    check(name, a)
    check(name, b)
    if a:dim() ~= dims_a or b:dim() ~= dims_b then
      error(("%s: wants %d and %d dims, got %s x %s"):format(name, dims_a, dims_b,
        format.shape(a), format.shape(b)), 2)
    end
    return ops.matmul(a, b)
  end)
end

product("mm", 2, 2)
product("bmm", 3, 3)
product("mv", 2, 1)
product("dot", 1, 1)

--- The outer product of two vectors.
define("outer", function(a, b) return a:unsqueeze(2) * b:unsqueeze(1) end)

--- beta x + alpha a b
define("addmm", function(x, a, b, options)
  options = options or {}
  return x * (options.beta or 1) + a:mm(b) * (options.alpha or 1)
end)

-- ---- reductions -----------------------------------------------------------------------------------

local extremes = {max = ops.maximum, min = ops.minimum}
for name, elementwise in pairs(extremes) do
  local reduce = ops[name]
  --- The largest (smallest) element; along a dim also its position; of two tensors, elementwise.
  define(name, function(x, dim, keepdim)
    if core.is_tensor(dim) then return elementwise(x, dim) end
    return reduce(x, dim, keepdim)
  end)
end

-- How many elements a reduction over `dim` takes together.
local function count(x, dim)
  if dim == nil then return x:numel() end
  local n = 1
  for _, d in ipairs(type(dim) == "table" and dim or {dim}) do n = n * x:size(d) end
  return n
end

--- Variance over all or some dims, divided by n - correction (1 by default).
define("var", function(x, dim, keepdim, correction)
  want_float("var", x)
  local d = x - x:mean(dim, true)
  if dim == nil then d = x - x:mean() end
  return d:square():sum(dim, keepdim) / (count(x, dim) - (correction or 1))
end)

--- Standard deviation, the square root of `var`.
define("std", function(x, dim, keepdim, correction)
  want_float("std", x)
  return x:var(dim, keepdim, correction):sqrt()
end)

--- The p-norm (2 by default) over all or some dims; p may be math.huge.
define("norm", function(x, p, dim, keepdim)
  want_float("norm", x)
  p = p or 2
  if p == 2 then return x:square():sum(dim, keepdim):sqrt() end
  if p == math.huge then return (x:abs():max(dim, keepdim)) end
  if p == 1 then return x:abs():sum(dim, keepdim) end
  return x:abs():pow(p):sum(dim, keepdim):pow(1 / p)
end)

--- log sum exp over one dim, without overflow.
define("logsumexp", function(x, dim, keepdim)
  want_float("logsumexp", x)
  local top = (x:detach():max(dim, true))
  top = ops.where(top:isfinite(), top, 0)
  local y = (x - top):exp():sum(dim, true):log() + top
  return keepdim and y or y:squeeze(dim)
end)

-- ---- comparison -------------------------------------------------------------------------------------

--- Have both the same shape, dtype and elements?
define("equal", function(a, b)
  check("equal", a)
  check("equal", b)
  if a.dtype ~= b.dtype or format.shape(a) ~= format.shape(b) then return false end
  return a:eq(b):all():item()
end)

--- |a - b| <= atol + rtol |b| everywhere?
define("allclose", function(a, b, options)
  options = options or {}
  local rtol, atol = options.rtol or 1e-5, options.atol or 1e-8
  local apart = (a - b):abs()
  local close = apart:le(b:abs() * rtol + atol):logical_and(apart:isfinite())
  close = close:logical_or(a:eq(b)) -- equal infinities
  if options.equal_nan then close = close:logical_or(a:isnan():logical_and(b:isnan())) end
  return close:all():item()
end)

-- `&`, `|`, `~` are for masks.
for event, name in pairs {__band = "logical_and", __bor = "logical_or", __bxor = "logical_xor"} do
  meta[event] = function(a, b)
    for _, x in ipairs {a, b} do
      if core.is_tensor(x) and x.dtype ~= "bool" then
        error(("%s: masks are bool tensors, got %s; compare first"):format(name, x.dtype), 2)
      end
    end
    return ops[name](a, b)
  end
end
meta.__bnot = function(a)
  if a.dtype ~= "bool" then error("~: masks are bool tensors, got " .. a.dtype, 2) end
  return ops.logical_not(a)
end

local function no_order(method)
  return function()
    error(("tensors have no order as a whole; use a:%s(b), which compares elements"):format(method), 2)
  end
end
meta.__lt, meta.__le = no_order("lt"), no_order("le")

-- ---- iteration, indexing, printing ---------------------------------------------------------------------

--- Iterates over dim 1: `for i, row in x:rows() do`.
function methods.rows(x)
  local n, i = x:size(1), 0
  return function()
    if i >= n then return nil end
    i = i + 1
    return i, x[i]
  end
end

methods.__getitem = index.get
methods.__setitem = index.set
meta.__tostring = format.tensor
meta.__name = "tensor"
meta.__metatable = "gru.Tensor"

define("masked_select", index.masked_select)
define("nonzero", index.nonzero)

return {functions = functions}
