--- Methods of tensors that are written with other ops, indexing, and printing.
--
-- Each is a function of the module `gru`, too: `x:std(1)` is `gru.std(x, 1)`.
-- @module gru.tensor
local args = require "gru.args"
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

-- The dim as 1 .. n.
local function positive(name, dim, n)
  local d = math.type(dim) == "integer" and (dim < 0 and dim + n + 1 or dim) or 0
  if d < 1 or d > n then
    error(("%s: dim %s of a tensor with %d dims"):format(name, tostring(dim), n), 3)
  end
  return d
end

-- ---- conversion ------------------------------------------------------------------------

-- The CUDA device that is meant where none is given.
local function current_cuda()
  local default = core.get_default_device()
  return default:find "^cuda:" and default or "cuda:0"
end

local dtypes = {bool = 1, int64 = 1, float32 = 1, float64 = 1, float = 1, double = 1, long = 1}

--- Converts to a dtype, or moves to a device, or both; itself where it already is so.
-- @function to
-- @usage x:to("float64")
-- x:to("cpu", "float64")
-- @param target a dtype, a device, or a tensor to follow in both
-- @tparam[opt] string dtype behind a device
define("to", function(x, target, dtype)
  check("to", x)
  if dtype ~= nil then
    if type(target) ~= "string" or dtypes[target] or not dtypes[dtype] then
      error(("to: a device and a dtype expected, got %s and %s"):format(tostring(target), tostring(dtype)), 2)
    end
    x = ops.to(x, dtype)
  end
  if core.is_tensor(target) then return x:to(target.dtype):to(target.device) end
  if type(target) ~= "string" then
    error("to: a dtype or a device expected, got " .. type(target), 2)
  end
  if dtypes[target] then return ops.to(x, target) end
  local ok, reason = core.device_check(target)
  if not ok then error("to: " .. reason, 2) end
  if target == "cuda" then target = current_cuda() end
  if x.device == target then return x end
  return ops.to(x, target)
end)

--- Converts to float32; itself where it is already.
-- @function float
-- @treturn tensor

--- Converts to float64; itself where it is already.
-- @function double
-- @treturn tensor

--- Converts to int64, towards 0; itself where it is already.
-- @function long
-- @treturn tensor

--- Converts to bool, x ~= 0; itself where it is already.
-- @function bool
-- @treturn tensor

for name, dtype in pairs {float = "float32", double = "float64", long = "int64", bool = "bool"} do
  define(name, function(x)
    check(name, x)
    return ops.to(x, dtype)
  end)
end

--- Copies to the CPU; itself where it already is there.
-- @function cpu
-- @treturn tensor
define("cpu", function(x)
  check("cpu", x)
  return x:to("cpu")
end)

--- Copies to a CUDA device; itself where it already is there.
-- @tparam tensor x
-- @tparam[opt] integer|string i the device's ordinal, or its name; the current device unless given
-- @treturn tensor
function methods.cuda(x, i) -- a method only: gru.cuda is a module
  check("cuda", x)
  local is_name = type(i) == "string" and i:find "^cuda"
  local name = i == nil and current_cuda() or is_name and i or "cuda:" .. tostring(i)
  local ok, reason = core.device_check(name)
  if not ok then error("cuda: " .. reason, 2) end
  return x:to(name)
end

--- Converts to the dtype of another tensor.
-- @function type_as
-- @tparam tensor other
-- @treturn tensor
define("type_as", function(x, other)
  check("type_as", x)
  check("type_as", other)
  return ops.to(x, other.dtype)
end)

-- ---- shape -------------------------------------------------------------------------------

--- The transpose of a matrix; a vector is its own.
-- @function t
define("t", function(x)
  check("t", x)
  local dims = core.sizes(x)
  if dims > 2 then error(("t: expected 2 dims at most, got %d; use transpose"):format(dims), 2) end
  return dims < 2 and x or ops.transpose(x, 1, 2)
end)

--- All slices along a dim (1 by default), in a table.
-- @function unbind
define("unbind", function(x, dim)
  check("unbind", x)
  dim = positive("unbind", dim or 1, x:dim())
  local slices = {}
  for i = 1, x:size(dim) do slices[i] = x:select(dim, i) end
  return slices
end)

--- Parts of `size` along a dim, the last one smaller where it must be; or parts of the sizes in
-- a table.
-- @function split
define("split", function(x, size, dim)
  check("split", x)
  dim = positive("split", dim or 1, x:dim())
  local parts, at, total = {}, 1, x:size(dim)
  if type(size) == "table" then
    local sum = 0
    for i, s in ipairs(size) do
      if math.type(s) ~= "integer" or s < 0 then
        error(("split: sizes must be integers from 0 on, size %d is %s"):format(i, tostring(s)), 2)
      end
      sum = sum + s
    end
    if sum ~= total then
      error(("split: the sizes add up to %d, dim %d has %d"):format(sum, dim, total), 2)
    end
    for i, s in ipairs(size) do
      parts[i] = x:narrow(dim, at, s)
      at = at + s
    end
    return parts
  end
  if math.type(size) ~= "integer" or size < 1 then
    error("split: a size of 1 or more expected, got " .. tostring(size), 2)
  end
  size = math.min(size, math.max(total, 1))
  repeat
    parts[#parts + 1] = x:narrow(dim, at, math.min(size, total - at + 1))
    at = at + size
  until at > total
  return parts
end)

--- At most `n` parts of equal size along a dim, the last one smaller where it must be.
-- @function chunk
define("chunk", function(x, n, dim)
  check("chunk", x)
  if math.type(n) ~= "integer" or n < 1 then
    error("chunk: a number of parts expected, got " .. tostring(n), 2)
  end
  dim = positive("chunk", dim or 1, x:dim())
  return x:split(math.max(1, (x:size(dim) - 1) // n + 1), dim)
end)

--- Merges the dims first .. last (all by default) into one.
-- @function flatten
define("flatten", function(x, first, last)
  check("flatten", x)
  local n = x:dim()
  if n == 0 then return x:reshape(1) end
  first, last = positive("flatten", first or 1, n), positive("flatten", last or -1, n)
  if first > last then
    error(("flatten: the first dim, %d, comes after the last, %d"):format(first, last), 2)
  end
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

--- Expands to the shape of another tensor.
-- @function expand_as
-- @tparam tensor other
-- @treturn tensor a view

--- Views in the shape of another tensor.
-- @function view_as
-- @tparam tensor other with as many elements
-- @treturn tensor a view

--- Reshapes to the shape of another tensor.
-- @function reshape_as
-- @tparam tensor other with as many elements
-- @treturn tensor a view where one is possible, else a copy

for _, op in ipairs {"expand", "view", "reshape"} do
  local name = op .. "_as"
  define(name, function(x, other)
    check(name, x)
    check(name, other)
    return methods[op](x, other.shape)
  end)
end

-- ---- reductions -----------------------------------------------------------------------------------

--- The largest element; along a dim, the largest ones and their positions; of two tensors,
-- `maximum`.  NaN is larger than any number.
-- @function max
-- @param[opt] dim an integer, or a tensor
-- @tparam[opt=false] boolean keepdim
-- @treturn tensor
-- @treturn ?tensor positions, int64 from 1 on, where a dim is given
define("max", function(x, dim, keepdim)
  if core.is_tensor(dim) then
    if keepdim ~= nil then error("max: of two tensors takes nothing else", 2) end
    return ops.maximum(x, dim)
  end
  return ops.max(x, dim, keepdim)
end)

--- The smallest element, as `max`.
-- @function min
-- @param[opt] dim an integer, or a tensor
-- @tparam[opt=false] boolean keepdim
-- @treturn tensor
-- @treturn ?tensor positions, int64 from 1 on, where a dim is given
define("min", function(x, dim, keepdim)
  if core.is_tensor(dim) then
    if keepdim ~= nil then error("min: of two tensors takes nothing else", 2) end
    return ops.minimum(x, dim)
  end
  return ops.min(x, dim, keepdim)
end)

-- ---- comparison -------------------------------------------------------------------------------------

--- Have both the same shape, dtype and elements?
-- @function equal
define("equal", function(a, b)
  check("equal", a)
  check("equal", b)
  if a.dtype ~= b.dtype or format.shape(a) ~= format.shape(b) then return false end
  return a:eq(b):all():item()
end)

-- rtol, atol, equal_nan one by one, or in an option table.
local function closeness(name, options, atol, equal_nan)
  local rtol = options
  if type(options) == "table" then
    options = args.options(name, options, {rtol = true, atol = true, equal_nan = true})
    rtol, atol, equal_nan = options.rtol, options.atol, options.equal_nan
  end
  return args.number(name, "rtol", rtol, 1e-5), args.number(name, "atol", atol, 1e-8), equal_nan
end

--- |a - b| <= atol + rtol |b|, elementwise; equal infinities are close.
-- @function isclose
-- @param a tensor
-- @param b tensor
-- @tparam[opt=1e-5] number rtol or a table {rtol =, atol =, equal_nan =}
-- @tparam[opt=1e-8] number atol
-- @tparam[opt=false] boolean equal_nan
define("isclose", function(a, b, rtol, atol, equal_nan)
  check("isclose", a)
  check("isclose", b)
  rtol, atol, equal_nan = closeness("isclose", rtol, atol, equal_nan)
  if a.dtype == "bool" and b.dtype == "bool" then return a:eq(b) end
  local apart = (a - b):abs()
  local close = apart:le(b:abs() * rtol + atol):logical_and(apart:isfinite()):logical_or(a:eq(b))
  if equal_nan then close = close:logical_or(a:isnan():logical_and(b:isnan())) end
  return close
end)

--- Are all elements close, in the sense of `isclose`?
-- @function allclose
-- @usage gru.allclose(a, b, {rtol = 1e-4})
define("allclose", function(a, b, rtol, atol, equal_nan)
  check("allclose", a)
  check("allclose", b)
  return functions.isclose(a, b, rtol, atol, equal_nan):all():item()
end)

-- `&`, `|`, `~` are for masks.
for event, name in pairs {__band = "logical_and", __bor = "logical_or", __bxor = "logical_xor"} do
  meta[event] = function(a, b)
    for _, x in ipairs {a, b} do
      local kind = core.is_tensor(x) and x.dtype or type(x)
      if kind ~= "bool" and kind ~= "boolean" and kind ~= "number" then
        error(("%s: masks are bool tensors, got %s; compare first"):format(name, kind), 2)
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
-- @function rows
function methods.rows(x)
  check("rows", x)
  if x:dim() == 0 then error("rows: a 0-d tensor has no rows", 2) end
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

-- ---- the other topics ----------------------------------------------------------------------------------

define("masked_select", index.masked_select)
define("masked_scatter", index.masked_scatter)
define("index_put", index.index_put)
methods.index_put_ = index.index_put_
for _, topic in ipairs {"arithmetic", "arrange", "combine", "order", "position", "reduce"} do
  for name, f in pairs(require("gru." .. topic)) do define(name, f) end
end
for _, name in ipairs { -- of no tensor, or of many
  "broadcast_tensors", "concat", "hstack", "meshgrid", "tril_indices", "triu_indices", "vstack",
} do
  methods[name] = nil
end
functions.set_printoptions = format.set_printoptions
functions.detach = methods.detach

local function any_requires_grad(...)
  for i = 1, select("#", ...) do
    local x = select(i, ...)
    if core.is_tensor(x) and x.requires_grad then return true end
  end
  return false
end

-- x:name_(...) writes what name(x, ...) gives over x.
for _, name in ipairs {
  "scatter", "scatter_add", "index_add", "index_fill", "index_copy", "masked_scatter", "clamp", "tril",
  "triu", "cumsum", "cumprod",
} do
  local f = functions[name] or ops[name]
  define(name .. "_", function(x, ...)
    check(name .. "_", x)
    -- the gradient may need the value before
    return x:copy_(f(any_requires_grad(x, ...) and x:clone() or x, ...))
  end)
end

return {functions = functions}
