--- Making tensors.
--
-- Every function ends with an option table: `dtype` ("float32", "float64", "int64", "bool"),
-- `device` ("cpu", "cuda:0"), `requires_grad`.
-- @module gru
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
  return core.empty(sizes, options.dtype, options.device), options
end

--- A tensor from a number, a boolean, or nested tables.
-- Integers make int64, floats the default dtype, booleans bool, a mixture the widest.
-- @usage gru.tensor({{1, 2}, {3, 4}}, {dtype = "float32"})
-- @param value number, boolean, table or tensor (which is copied)
-- @tparam[opt] table options
function create.tensor(value, options)
  options = args.options("tensor", options, known)
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
  local x = core.empty(sizes, options.dtype or "int64", options.device)
  return finish(x:random_(low, high), options)
end

--- A random permutation of the positions 1 .. n.
function create.randperm(n, options)
  options = args.options("randperm", options, known)
  local x = core.randperm(n)
  return options.device and x:to(options.device) or x
end

--- `arange(stop)`, `arange(start, stop [, step])`: from start (0) in steps, stop excluded.
-- Integers make int64, else the default dtype.
-- @usage gru.arange(1, 4) -- 1, 2, 3
function create.arange(...)
  local n, options = select("#", ...), nil
  local list = {...}
  if type(list[n]) == "table" then
    options, n = list[n], n - 1
  end
  options = args.options("arange", options, known)
  local start, stop, step = 0, list[1], 1
  if n >= 2 then start, stop, step = list[1], list[2], list[3] or 1 end
  for _, v in ipairs {start, stop, step} do
    if type(v) ~= "number" then error("arange: numbers expected, got " .. type(v), 2) end
  end
  if type(stop) ~= "number" or n > 3 then error("arange: one to three numbers expected", 2) end
  if step == 0 or step ~= step then error("arange: the step must not be " .. step, 2) end
  local count = math.max(0, math.ceil((stop - start) / step))
  local values = {}
  for i = 1, count do values[i] = start + (i - 1) * step end
  local integers = math.type(start) == "integer" and math.type(stop) == "integer"
    and math.type(step) == "integer"
  local dtype = options.dtype or (integers and "int64" or core.get_default_dtype())
  return finish(core.from_table(values, dtype, options.device), options)
end

--- `steps` numbers from `start` to `stop`, both included, evenly spaced.
function create.linspace(start, stop, steps, options)
  options = args.options("linspace", options, known)
  if math.type(steps) ~= "integer" or steps < 0 then
    error("linspace: a number of steps expected, got " .. tostring(steps), 2)
  end
  local values = {}
  for i = 1, steps do
    -- from both ends, so that the last value is exactly `stop`
    local step = steps > 1 and (stop - start) / (steps - 1) or 0
    values[i] = i <= steps / 2 and start + (i - 1) * step or stop - (steps - i) * step
  end
  if steps == 1 then values[1] = start end
  local dtype = options.dtype or core.get_default_dtype()
  return finish(core.from_table(values, dtype, options.device), options)
end

--- The identity matrix, (n, m) with m = n by default.
function create.eye(n, m, options)
  if type(m) == "table" then m, options = nil, m end
  options = args.options("eye", options, known)
  m = m or n
  local x = core.empty({n, m}, options.dtype, options.device):fill_(0)
  for i = 1, math.min(n, m) do x[i][i] = 1 end
  return finish(x, options)
end

-- zeros_like(x [, options]) and its siblings: shape, dtype and device of x.
for name, make in pairs {
  empty_like = function(x) return x end,
  zeros_like = function(x) return x:fill_(0) end,
  ones_like = function(x) return x:fill_(1) end,
  rand_like = function(x) return x:uniform_(0, 1) end,
  randn_like = function(x) return x:normal_(0, 1) end,
} do
  create[name] = function(x, options)
    options = args.options(name, options, known)
    if not core.is_tensor(x) then error(name .. ": a tensor expected, got " .. type(x), 2) end
    local y = core.empty(x.shape, options.dtype or x.dtype, options.device or x.device)
    return finish(make(y), options)
  end
end

--- Shape, dtype and device of `x`, filled with `value`.
function create.full_like(x, value, options)
  return create.zeros_like(x, options):fill_(value)
end

return create
