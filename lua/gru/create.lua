--- Making tensors.
--
-- Every function ends with an option table: `dtype` ("float32", "float64", "int64", "bool"),
-- `device` ("cpu", "cuda:0"), `requires_grad`.
-- @module gru
-- @alias create
local args = require "gru.args"
local core = require "gru.core"

local create = {}

local known = {dtype = true, device = true, requires_grad = true}

-- What every function ends with.
local function finish(x, options)
  if options.requires_grad then x:requires_grad_(true) end
  return x
end

local function empty(name, options, ...)
  local sizes, given = args.sizes(name, ...)
  options = args.options(name, given or options, known)
  args.kind(name, options, 4)
  return core.empty(sizes, options.dtype, options.device), options
end

--- A tensor from a number, a boolean, or nested tables.
-- Integers make int64, floats the default dtype, booleans bool, a mixture the widest.
-- @usage gru.tensor({{1, 2}, {3, 4}}, {dtype = "float32"})
-- @param value number, boolean, table or tensor (which is copied)
-- @tparam[opt] table options
function create.tensor(value, options)
  options = args.options("tensor", options, known)
  args.kind("tensor", options)
  if core.is_tensor(value) then
    local copy = value:detach():clone()
    if options.dtype then copy = copy:to(options.dtype) end
    if options.device then copy = copy:to(options.device) end
    return finish(copy, options)
  end
  return finish(core.from_table(value, options.dtype, options.device), options)
end

--- A tensor of undefined elements.
-- @usage gru.empty(2, 3)
function create.empty(...)
  return finish(empty("empty", nil, ...))
end

--- Zeros.
-- @usage gru.zeros(2, 3, {dtype = "float64"})
function create.zeros(...)
  local x, options = empty("zeros", nil, ...)
  return finish(x:fill_(0), options)
end

--- Ones.
function create.ones(...)
  local x, options = empty("ones", nil, ...)
  return finish(x:fill_(1), options)
end

local function dtype_of(value)
  if type(value) == "boolean" then return "bool" end
  return math.type(value) == "integer" and "int64" or core.get_default_dtype()
end

--- A tensor filled with one value, whose type gives the dtype.
-- @usage gru.full({2, 3}, 0.5)
-- @tparam table sizes
-- @param value number or boolean
-- @tparam[opt] table options
function create.full(sizes, value, options)
  options = args.options("full", options, known)
  args.kind("full", options)
  args.check_sizes("full", sizes)
  if type(value) ~= "number" and type(value) ~= "boolean" then
    error("full: a number or boolean expected, got " .. type(value), 2)
  end
  local x = core.empty(sizes, options.dtype or dtype_of(value), options.device)
  return finish(x:fill_(value), options)
end

--- Uniform numbers from [0, 1).
function create.rand(...)
  local x, options = empty("rand", nil, ...)
  return finish(x:uniform_(0, 1), options)
end

--- Normal numbers, mean 0, standard deviation 1.
function create.randn(...)
  local x, options = empty("randn", nil, ...)
  return finish(x:normal_(0, 1), options)
end

--- Random integers from `low` on, `high` excluded: `randint(high, sizes)` or
-- `randint(low, high, sizes)`.
-- @usage gru.randint(1, 7, {10})
function create.randint(low, high, sizes, options)
  if type(high) == "table" then
    low, high, sizes, options = 0, low, high, sizes
  end
  options = args.options("randint", options, known)
  args.kind("randint", options)
  args.check_sizes("randint", sizes)
  for _, bound in ipairs {low == nil and false or low, high == nil and false or high} do
    if math.type(bound) ~= "integer" then
      error(("randint: integers expected as bounds, got %s"):format(tostring(bound)), 2)
    end
  end
  local x = core.empty(sizes, options.dtype or "int64", options.device)
  return finish(x:random_(low, high), options)
end

--- A random permutation of the positions 1 .. n.
function create.randperm(n, options)
  options = args.options("randperm", options, {device = true})
  args.kind("randperm", options)
  if math.type(n) ~= "integer" or n < 0 then
    error("randperm: a number of positions expected, got " .. tostring(n), 2)
  end
  return core.randperm(n):to(options.device or core.get_default_device())
end

-- A number as an integer, towards 0.
local function truncate(v)
  if math.type(v) == "integer" then return v end
  local i = math.tointeger(v < 0 and math.ceil(v) or math.floor(v))
  if not i then error("arange: " .. v .. " is no int64", 3) end
  return i
end

-- How many numbers start, start + step, ... lie before stop; the integers may be 2^64 - 1 apart.
local function count_integers(start, stop, step)
  if step > 0 and stop <= start or step < 0 and stop >= start then return 0 end
  local gap, by = stop - start - 1, step -- unsigned; a step of -2^63 negated is 2^63
  if step < 0 then gap, by = start - stop - 1, -step end
  if by < 0 then return math.ult(gap, by) and 1 or 2 end
  local whole = ((gap >> 1) // by) << 1
  if not math.ult(gap - whole * by, by) then whole = whole + 1 end
  return whole + 1
end

--- `arange(stop)`, `arange(start, stop [, step])`: from start (0) in steps, stop excluded.
-- Integers make int64, else the default dtype.
-- @usage gru.arange(1, 4) -- 1, 2, 3
function create.arange(...)
  local n, options = select("#", ...), nil
  local list = {...}
  if type(list[n]) == "table" then
    options, list[n], n = list[n], nil, n - 1
  end
  options = args.options("arange", options, known)
  args.kind("arange", options)
  if n < 1 or n > 3 then error("arange: one to three numbers expected, got " .. n, 2) end
  for i = 1, n do
    if type(list[i]) ~= "number" then error("arange: numbers expected, got " .. type(list[i]), 2) end
    if list[i] - list[i] ~= 0 then error("arange: finite numbers expected, got " .. list[i], 2) end
  end
  local start, stop, step = 0, list[1], 1
  if n >= 2 then start, stop, step = list[1], list[2], list[3] or 1 end
  if step == 0 then error("arange: the step must not be 0", 2) end
  local integers = math.type(start) == "integer" and math.type(stop) == "integer"
    and math.type(step) == "integer"
  local dtype = options.dtype or (integers and "int64" or core.get_default_dtype())
  if dtype == "int64" or dtype == "long" then
    start, stop, step = truncate(start), truncate(stop), truncate(step)
    if step == 0 then error("arange: the step is 0 as an integer", 2) end
    integers = true
  end
  local count = integers and count_integers(start, stop, step) or math.ceil((stop - start) / step)
  if math.type(count) ~= "integer" or integers and count < 0 then
    error(("arange: there is no end of steps of %s from %s to %s"):format(step, start, stop), 2)
  end
  return finish(core.range(start, step, math.max(0, count), dtype, options.device), options)
end

--- `steps` numbers from `start` to `stop`, both included, evenly spaced.
-- @usage gru.linspace(0, 1, 5) -- 0, 0.25, 0.5, 0.75, 1
function create.linspace(start, stop, steps, options)
  options = args.options("linspace", options, known)
  if math.type(steps) ~= "integer" or steps < 0 then
    error("linspace: a number of steps expected, got " .. tostring(steps), 2)
  end
  args.kind("linspace", options)
  args.number("linspace", "start", start)
  args.number("linspace", "stop", stop)
  for _, v in ipairs {start or "nil", stop or "nil"} do
    if type(v) ~= "number" then error("linspace: numbers expected, got " .. type(v), 2) end
  end
  local dtype = options.dtype or core.get_default_dtype()
  if dtype == "float32" or dtype == "float64" then
    return finish(core.linspace(start, stop, steps, dtype, options.device), options)
  end
  return finish(core.linspace(start, stop, steps, "float64", options.device):to(dtype), options)
end

--- `steps` numbers base^start .. base^stop, evenly spaced on a logarithmic scale.
-- @param start exponent
-- @param stop exponent
-- @tparam integer steps
-- @tparam[opt=10] number base
-- @tparam[opt] table options
function create.logspace(start, stop, steps, base, options)
  if type(base) == "table" then base, options = nil, base end
  options = args.options("logspace", options, known)
  args.kind("logspace", options)
  args.number("logspace", "start", start)
  args.number("logspace", "stop", stop)
  args.number("logspace", "base", base, 10.0)
  if math.type(steps) ~= "integer" or steps < 0 then
    error("logspace: a number of steps expected, got " .. tostring(steps), 2)
  end
  local dtype = options.dtype or core.get_default_dtype()
  local exponents = create.linspace(start, stop, steps, {dtype = "float64", device = options.device})
  return finish(core.functions.pow(base or 10.0, exponents):to(dtype), options)
end

--- The identity matrix, (n, m) with m = n by default.
function create.eye(n, m, options)
  if type(m) == "table" then m, options = nil, m end
  options = args.options("eye", options, known)
  args.kind("eye", options)
  m = m or n
  for _, size in ipairs {n or "nil", m or "nil"} do
    if math.type(size) ~= "integer" or size < 0 then
      error("eye: sizes expected, got " .. tostring(size), 2)
    end
  end
  local rows = core.range(0, 1, n, "int64", options.device):unsqueeze(2)
  local x = rows:eq(core.range(0, 1, m, "int64", options.device))
  return finish(x:to(options.dtype or core.get_default_dtype()), options)
end

--- A tensor of undefined elements, of the shape, dtype and device of x.
-- @function empty_like
-- @tparam tensor x
-- @tparam[opt] table options

--- Zeros, of the shape, dtype and device of x.
-- @function zeros_like
-- @tparam tensor x
-- @tparam[opt] table options

--- Ones, of the shape, dtype and device of x.
-- @function ones_like
-- @tparam tensor x
-- @tparam[opt] table options

--- Uniform numbers from [0, 1), of the shape, dtype and device of x.
-- @function rand_like
-- @tparam tensor x floats, unless options say otherwise
-- @tparam[opt] table options

--- Normal numbers, mean 0, standard deviation 1, of the shape, dtype and device of x.
-- @function randn_like
-- @tparam tensor x floats, unless options say otherwise
-- @tparam[opt] table options

for name, make in pairs {
  empty_like = function(x) return x end,
  zeros_like = function(x) return x:fill_(0) end,
  ones_like = function(x) return x:fill_(1) end,
  rand_like = function(x) return x:uniform_(0, 1) end,
  randn_like = function(x) return x:normal_(0, 1) end,
} do
  create[name] = function(x, options)
    options = args.options(name, options, known)
    args.kind(name, options)
    args.tensor(name, x)
    local y = core.empty(x.shape, options.dtype or x.dtype, options.device or x.device)
    return finish(make(y), options)
  end
end

--- Random integers of the shape, dtype and device of `x`: `randint_like(x, high)` or
-- `randint_like(x, low, high)`.
function create.randint_like(x, low, high, options)
  if type(high) ~= "number" then low, high, options = 0, low, high end
  args.tensor("randint_like", x)
  options = args.options("randint_like", options, known)
  for _, bound in ipairs {low or false, high or false} do
    if math.type(bound) ~= "integer" then
      error("randint_like: integers expected as bounds, got " .. tostring(bound), 2)
    end
  end
  return finish(create.empty_like(x, options):random_(low, high), options or {})
end

--- Normal numbers: `normal(mean, std, sizes [, options])`; mean and std may be tensors, without sizes.
-- @usage gru.normal(0, 0.01, {2, 3})
function create.normal(mean, std, sizes, options)
  options = args.options("normal", options, known)
  args.kind("normal", options)
  local given = {mean = mean, std = std}
  for _, what in ipairs {"mean", "std"} do
    local value = given[what]
    if type(value) ~= "number" and not core.is_tensor(value) then
      error(("normal: %s must be a number or a tensor, got %s"):format(what, type(value)), 2)
    end
  end
  if sizes ~= nil then args.check_sizes("normal", sizes) end
  if type(mean) == "number" and type(std) == "number" then
    return finish(core.empty(sizes or {}, options.dtype, options.device):normal_(mean, std), options)
  end
  local like = core.functions.add(mean, std)
  return finish(core.empty(like.shape, like.dtype, like.device):normal_(0, 1) * std + mean, options)
end

--- Shape, dtype and device of `x`, filled with `value`.
function create.full_like(x, value, options)
  args.tensor("full_like", x)
  args.kind("full_like", args.options("full_like", options, known))
  if type(value) ~= "number" and type(value) ~= "boolean" then
    error("full_like: a number or boolean expected, got " .. type(value), 2)
  end
  return create.zeros_like(x, options):fill_(value)
end

--- A tensor of undefined elements, of the dtype and device of x: `x:new_empty(2, 3)`.
-- @function new_empty
-- @param ... sizes, integers or one table
-- @tparam[opt] table options

--- Zeros, of the dtype and device of x.
-- @function new_zeros
-- @param ... sizes, integers or one table
-- @tparam[opt] table options

--- Ones, of the dtype and device of x.
-- @function new_ones
-- @param ... sizes, integers or one table
-- @tparam[opt] table options

for name, make in pairs {
  empty = function(x) return x end,
  zeros = function(x) return x:fill_(0) end,
  ones = function(x) return x:fill_(1) end,
} do
  core.methods["new_" .. name] = function(x, ...)
    args.tensor("new_" .. name, x)
    local sizes, options = args.sizes("new_" .. name, ...)
    options = args.options("new_" .. name, options, known)
    args.kind("new_" .. name, options)
    local y = core.empty(sizes, options.dtype or x.dtype, options.device or x.device)
    return finish(make(y), options)
  end
end

--- A tensor filled with one value, of the dtype and device of x.
-- @function new_full
-- @usage x:new_full({2, 3}, 0.5)
function core.methods.new_full(x, sizes, value, options)
  args.tensor("new_full", x)
  options = args.options("new_full", options, known)
  args.kind("new_full", options)
  args.check_sizes("new_full", sizes)
  if type(value) ~= "number" and type(value) ~= "boolean" then
    error("new_full: a number or boolean expected, got " .. type(value), 2)
  end
  local y = core.empty(sizes, options.dtype or x.dtype, options.device or x.device)
  return finish(y:fill_(value), options)
end

--- A tensor from a table, of the dtype and device of x.
-- @function new_tensor
-- @usage x:new_tensor({{1, 2}, {3, 4}})
function core.methods.new_tensor(x, value, options)
  args.tensor("new_tensor", x)
  options = args.options("new_tensor", options, known)
  return create.tensor(value, {dtype = options.dtype or x.dtype, device = options.device or x.device,
    requires_grad = options.requires_grad})
end

return create
