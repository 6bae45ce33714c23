--- Arithmetic and products that are written with other ops; methods of tensors, too.
-- @module gru.arithmetic
local args = require "gru.args"
local core = require "gru.core"

local functions = {}
local ops = core.functions

local function define(name, f) functions[name] = f end

local function shape_of(x) return "[" .. table.concat(x.shape, ", ") .. "]" end

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

-- ---- arithmetic --------------------------------------------------------------------------------

local clamp = ops.clamp

--- Limits to lowest .. highest, numbers or tensors; nil leaves a side open.
-- @function clamp
define("clamp", function(x, lowest, highest)
  check("clamp", x)
  if lowest == nil and highest == nil then error("clamp: a lowest or a highest value expected", 2) end
  local bottom, top = math.mininteger, math.maxinteger
  if is_float(x) then bottom, top = -math.huge, math.huge end
  return clamp(x, lowest == nil and bottom or lowest, highest == nil and top or highest)
end)

--- `clamp` under its other name.
-- @function clip
-- @param[opt] lowest
-- @param[opt] highest
functions.clip = functions.clamp

--- Limits from below.
-- @function clamp_min
-- @param lowest a number or a tensor
define("clamp_min", function(x, lowest) return functions.clamp(x, lowest) end)

--- Limits from above.
-- @function clamp_max
-- @param highest a number or a tensor
define("clamp_max", function(x, highest) return functions.clamp(x, nil, highest) end)

--- log(exp a + exp b), without overflow.
-- @function logaddexp
-- @tparam tensor a floats
-- @tparam tensor b floats
define("logaddexp", function(a, b)
  want_float("logaddexp", a)
  want_float("logaddexp", b)
  local apart = ops.where(a:eq(b):logical_and(a:isinf()), 0, a - b)
  return ops.maximum(a, b) + (-apart:abs()):exp():log1p()
end)

local most = {float32 = 0x1.fffffep127, float64 = 0x1.fffffffffffffp1023}

--- Replaces NaN and infinities.
-- @function nan_to_num
-- @tparam[opt=0] number nan or a table {nan =, posinf =, neginf =}
-- @tparam[opt] number posinf the largest number of the dtype unless given
-- @tparam[opt] number neginf the least number of the dtype unless given
define("nan_to_num", function(x, nan, posinf, neginf)
  check("nan_to_num", x)
  if type(nan) == "table" then
    local options = args.options("nan_to_num", nan, {nan = true, posinf = true, neginf = true})
    nan, posinf, neginf = options.nan, options.posinf, options.neginf
  end
  nan = args.number("nan_to_num", "nan", nan, 0)
  posinf = args.number("nan_to_num", "posinf", posinf, most[x.dtype] or 0)
  neginf = args.number("nan_to_num", "neginf", neginf, -(most[x.dtype] or 0))
  if not is_float(x) then return x:clone() end
  local y = ops.where(x:eq(math.huge), posinf, ops.where(x:eq(-math.huge), neginf, x))
  return ops.where(x:isnan(), nan, y)
end)

--- Logarithm to base 2.
-- @function log2
define("log2", function(x)
  check("log2", x)
  return ops.log(x) * 1.4426950408889634
end)
--- Logarithm to base 10.
-- @function log10
define("log10", function(x)
  check("log10", x)
  return ops.log(x) * 0.4342944819032518
end)

local function check_fill(name, x, mask, value)
  if not core.is_tensor(x) then error(name .. ": a tensor expected, got " .. type(x), 3) end
  if not core.is_tensor(mask) or mask.dtype ~= "bool" then
    error(("%s: the mask must be a bool tensor, got %s"):format(name,
      core.is_tensor(mask) and mask.dtype or type(mask)), 3)
  elseif not core.is_tensor(value) and type(value) ~= "number" and type(value) ~= "boolean" then
    error(("%s: the value must be a number or a tensor, got %s"):format(name, type(value)), 3)
  end
end

--- x where the mask is false, `value` where it is true.
-- @function masked_fill
-- @tparam tensor mask bool, broadcast with x
-- @param value a number, a boolean or a tensor
-- @treturn tensor
define("masked_fill", function(x, mask, value)
  check_fill("masked_fill", x, mask, value)
  return ops.where(mask, value, x)
end)

--- `masked_fill` in place.
-- @function masked_fill_
-- @tparam tensor mask bool, broadcast to x
-- @param value a number, a boolean or a tensor
-- @treturn tensor x
define("masked_fill_", function(x, mask, value)
  check_fill("masked_fill_", x, mask, value)
  return x:copy_(ops.where(mask, value, x))
end)

-- x, a and b of addcmul and its siblings; returns the factor.
local function check_three(name, x, a, b, value)
  local given = {x, a, b}
  for i = 1, 3 do
    if not core.is_tensor(given[i]) then
      error(("%s: three tensors expected, number %d is a %s"):format(name, i, type(given[i])), 3)
    end
  end
  if value ~= nil and type(value) ~= "number" then
    error(("%s: value must be a number, got %s"):format(name, type(value)), 3)
  end
  return value or 1
end

--- x + value * a * b
-- @function addcmul
-- @tparam tensor a
-- @tparam tensor b
-- @tparam[opt=1] number value
-- @treturn tensor
define("addcmul", function(x, a, b, value)
  value = check_three("addcmul", x, a, b, value)
  return x + a * b * value
end)

--- x + value * a / b
-- @function addcdiv
-- @tparam tensor a
-- @tparam tensor b
-- @tparam[opt=1] number value
-- @treturn tensor
define("addcdiv", function(x, a, b, value)
  value = check_three("addcdiv", x, a, b, value)
  return x + a / b * value
end)

--- `addcmul` in place.
-- @function addcmul_
-- @tparam tensor a
-- @tparam tensor b
-- @tparam[opt=1] number value
-- @treturn tensor x
define("addcmul_", function(x, a, b, value)
  value = check_three("addcmul_", x, a, b, value)
  return x:add_(a * b * value)
end)

--- `addcdiv` in place.
-- @function addcdiv_
-- @tparam tensor a
-- @tparam tensor b
-- @tparam[opt=1] number value
-- @treturn tensor x
define("addcdiv_", function(x, a, b, value)
  value = check_three("addcdiv_", x, a, b, value)
  return x:add_(a / b * value)
end)

--- x / 2 (1 + erf(x / sqrt 2)): the exact form of GELU (Hendrycks and Gimpel 2016).
-- @function gelu
define("gelu", function(x)
  want_float("gelu", x)
  return x * 0.5 * (1 + (x * 0.7071067811865476):erf())
end)

--- Sets every element to 0, in place.
-- @function zero_
-- @treturn tensor x
define("zero_", function(x)
  check("zero_", x)
  return x:fill_(0)
end)

-- ---- products ------------------------------------------------------------------------------------

local function product(name, dims_a, dims_b)
  define(name, function(a, b)
    check(name, a)
    check(name, b)
    if a:dim() ~= dims_a or b:dim() ~= dims_b then
      error(("%s: wants %d and %d dims, got %s x %s"):format(name, dims_a, dims_b,
        shape_of(a), shape_of(b)), 2)
    end
    return ops.matmul(a, b)
  end)
end

--- The product of two matrices.
-- @function mm
-- @tparam tensor a (m, k)
-- @tparam tensor b (k, n)
-- @treturn tensor (m, n)
product("mm", 2, 2)

--- The products of two batches of matrices.
-- @function bmm
-- @tparam tensor a (N, m, k)
-- @tparam tensor b (N, k, n)
-- @treturn tensor (N, m, n)
product("bmm", 3, 3)

--- The product of a matrix and a vector.
-- @function mv
-- @tparam tensor a (m, k)
-- @tparam tensor b (k)
-- @treturn tensor (m)
product("mv", 2, 1)

--- The inner product of two vectors.
-- @function dot
-- @tparam tensor a (k)
-- @tparam tensor b (k)
-- @treturn tensor ()
product("dot", 1, 1)

--- The outer product of two vectors.
-- @function outer
define("outer", function(a, b)
  check("outer", a)
  check("outer", b)
  if a:dim() ~= 1 or b:dim() ~= 1 then
    error(("outer: wants two vectors, got %s and %s"):format(shape_of(a), shape_of(b)), 2)
  end
  return a:unsqueeze(2) * b:unsqueeze(1)
end)

-- beta x + alpha (a b), with a product of its name
local function added(name, of)
  define(name, function(x, a, b, options)
    check(name, x)
    options = args.options(name, options, {beta = true, alpha = true})
    args.number(name, "beta", options.beta, 1)
    args.number(name, "alpha", options.alpha, 1)
    local y = functions[of](a, b)
    if options.alpha then y = y * options.alpha end
    if options.beta == 0 then return y end
    return (options.beta and x * options.beta or x) + y
  end)
end

--- beta x + alpha a b, of matrices.
-- @function addmm
-- @param x broadcast to (m, n)
-- @param a (m, k)
-- @param b (k, n)
-- @tparam[opt] table options `beta` (1), `alpha` (1)
added("addmm", "mm")
--- The same of batches of matrices.
-- @function baddbmm
added("baddbmm", "bmm")
--- The same of a matrix and a vector.
-- @function addmv
added("addmv", "mv")

return functions
