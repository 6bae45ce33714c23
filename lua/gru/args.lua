--- Reading arguments: sizes, option tables, and the errors for them.
-- @module gru.args
local core = require "gru.core"

local args = {}

--- Raises `name: message`, blamed on the caller of the caller.
function args.fail(name, message, ...)
  error(name .. ": " .. message:format(...), 3)
end

--- Raises unless `x` is a tensor.
-- @tparam string name who is asking, for the message
-- @param x
-- @tparam[opt] string what the argument is, for the message
function args.tensor(name, x, what)
  if not core.is_tensor(x) then
    error(("%s: %s tensor expected, got %s"):format(name, what and what .. ": a" or "a", type(x)), 3)
  end
end

--- The dim as 1 .. n, of a tensor with n dims; a 0-d tensor has the dims 1 and -1.
function args.dim(name, dim, n)
  local most = math.max(n, 1)
  local d = math.type(dim) == "integer" and (dim < 0 and dim + most + 1 or dim) or 0
  if d < 1 or d > most then
    error(("%s: dim %s of a tensor with %d dims"):format(name, tostring(dim), n), 3)
  end
  return d
end

--- Raises unless `value` is a number, or nil with a default.
-- @return the number, or the default
function args.number(name, what, value, default)
  if value == nil then value = default end
  if type(value) ~= "number" then
    error(("%s: %s must be a number, got %s"):format(name, what, type(value)), 3)
  end
  return value
end

--- Raises unless `list` is a table of tensors, such as `parameters()` gives.
function args.tensors(name, list, what)
  if type(list) ~= "table" then
    error(("%s: a table of %s expected, got %s"):format(name, what, type(list)), 3)
  end
  for i, x in ipairs(list) do
    if not core.is_tensor(x) then
      error(("%s: a table of %s expected, element %d is a %s"):format(name, what, i, type(x)), 3)
    end
  end
end

local dtypes = {
  bool = true, int64 = true, float32 = true, float64 = true, float = true, double = true, long = true,
}

--- Checks the options that say what to make: `dtype`, `device` and `requires_grad`.
-- @tparam string name who is asking, for the message
-- @tparam table options
-- @tparam[opt] integer level of the error, 3 by default
function args.kind(name, options, level)
  local dtype, device, grad = options.dtype, options.device, options.requires_grad
  local problem
  if dtype ~= nil and not dtypes[dtype] then
    problem = ("unknown dtype '%s'; there are float32, float64, int64, bool"):format(tostring(dtype))
  elseif grad ~= nil and type(grad) ~= "boolean" then
    problem = "requires_grad must be true or false, got " .. type(grad)
  elseif device ~= nil and type(device) ~= "string" then
    problem = "device must be a name such as \"cpu\", got " .. type(device)
  elseif device ~= nil and device ~= "cpu" then
    local ok, reason = core.device_check(device)
    problem = not ok and reason
  end
  if problem then error(name .. ": " .. problem, level or 3) end
end

--- Checks the options of a layer: `dtype`, which must be a float one, `device`, and switches.
-- @tparam string name of the class
-- @tparam table options
-- @tparam table switches names of the options that are booleans
-- @tparam[opt=4] integer level of the error
function args.layer(name, options, switches, level)
  level = level or 4
  args.kind(name, options, level + 1)
  local dtype = options.dtype
  if dtype == "int64" or dtype == "long" or dtype == "bool" then
    error(("%s: dtype must be float32 or float64, got %s"):format(name, dtype), level)
  end
  for _, key in ipairs(switches) do
    if options[key] ~= nil and type(options[key]) ~= "boolean" then
      error(("%s: %s must be true or false, got %s"):format(name, key, tostring(options[key])), level)
    end
  end
end

--- Checks that an option table holds known options only.
-- @tparam string name who is asking, for the message
-- @tparam ?table options
-- @tparam table known a set: option -> true
-- @tparam[opt=3] integer level of the error
-- @treturn table the options, or an empty table for nil
function args.options(name, options, known, level)
  level = level or 3
  if options == nil then return {} end
  if type(options) ~= "table" then
    error(("%s: options must be a table, got %s"):format(name, type(options)), level)
  end
  for key in pairs(options) do
    if not known[key] then
      local names = {}
      for k in pairs(known) do names[#names + 1] = k end
      table.sort(names)
      error(("%s: unknown option '%s'; there are: %s")
        :format(name, tostring(key), table.concat(names, ", ")), level)
    end
  end
  return options
end

local function is_sizes(t)
  return type(t) == "table" and (#t > 0 or next(t) == nil)
end

--- Raises unless `sizes` is a table of at most 8 sizes, integers from 0 on.
-- @tparam string name who is asking, for the message
-- @param sizes
-- @tparam[opt] integer level of the error, 3 by default
function args.check_sizes(name, sizes, level)
  local problem
  if type(sizes) ~= "table" then
    problem = "a table of sizes expected, got " .. type(sizes)
  elseif #sizes > 8 then
    problem = ("at most 8 dims, got %d sizes"):format(#sizes)
  end
  for i, size in ipairs(problem and {} or sizes) do
    if math.type(size) ~= "integer" then
      problem = ("sizes must be integers, size %d is a %s"):format(i, math.type(size) or type(size))
    elseif size < 0 then
      problem = ("sizes must not be negative, size %d is %d"):format(i, size)
    end
  end
  if problem then error(name .. ": " .. problem, level or 3) end
end

--- Splits `(2, 3, {dtype = ...})` or `({2, 3}, {dtype = ...})` into sizes and options.
-- @treturn table sizes
-- @treturn ?table options
function args.sizes(name, ...)
  local n = select("#", ...)
  local first, last = (...), select(n > 0 and n or 1, ...)
  if is_sizes(first) then
    if n > 2 then error(name .. ": a table of sizes, then options; got more", 3) end
    args.check_sizes(name, first, 4)
    return first, n == 2 and last or nil
  end
  local options = nil
  if n > 0 and (type(last) == "table" or n > 1 and last == nil) then
    options, n = last, n - 1
  end
  local sizes = {}
  for i = 1, n do
    local size = select(i, ...)
    if math.type(size) ~= "integer" then
      error(("%s: sizes must be integers, argument %d is a %s")
        :format(name, i, math.type(size) or type(size)), 3)
    end
    sizes[i] = size
  end
  args.check_sizes(name, sizes, 4)
  return sizes, options
end

--- The shape that two shapes broadcast to, or nil.
function args.broadcast(a, b)
  local shape, n = {}, math.max(#a, #b)
  for d = 1, n do
    local p, q = a[d - n + #a] or 1, b[d - n + #b] or 1
    if p ~= q and p ~= 1 and q ~= 1 then return nil end
    shape[d] = p == 1 and q or p
  end
  return shape
end

local bounded = setmetatable({}, {__mode = "k"}) -- function -> the one that counts

--- Makes the functions of a table refuse more arguments than they name, as those written in C do:
-- options given twice, or behind a forgotten one, would else be ignored. Nils at the end do not count.
-- In place; names that begin with two underscores are left alone.
-- @tparam table module
-- @treturn table the same
function args.bound(module)
  for name, f in pairs(module) do
    local most = type(f) == "function" and name:sub(1, 2) ~= "__" and core.parameters(f)
    if most and not bounded[f] then
      bounded[f] = function(...)
        local n = select("#", ...)
        while n > most and select(n, ...) == nil do n = n - 1 end
        if n > most then
          error(("%s: too many arguments: %d, at most %d expected"):format(name, n, most), 2)
        end
        return f(...)
      end
    end
    if most then module[name] = bounded[f] end
  end
  return module
end

return args
