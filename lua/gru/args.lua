--- Reading arguments: sizes, option tables, and the errors for them.
-- @module gru.args
local args = {}

--- Raises `name: message`, blamed on the caller of the caller.
function args.fail(name, message, ...)
  error(name .. ": " .. message:format(...), 3)
end

--- Checks that an option table holds known options only.
-- @tparam string name who is asking, for the message
-- @tparam ?table options
-- @tparam table known a set: option -> true
-- @treturn table the options, or an empty table for nil
function args.options(name, options, known)
  if options == nil then return {} end
  if type(options) ~= "table" then
    error(("%s: options must be a table, got %s"):format(name, type(options)), 3)
  end
  for key in pairs(options) do
    if not known[key] then
      local names = {}
      for k in pairs(known) do names[#names + 1] = k end
      table.sort(names)
      error(("%s: unknown option '%s'; there are: %s")
        :format(name, tostring(key), table.concat(names, ", ")), 3)
    end
  end
  return options
end

local function is_sizes(t)
  return type(t) == "table" and (#t > 0 or next(t) == nil)
end

--- Splits `(2, 3, {dtype = ...})` or `({2, 3}, {dtype = ...})` into sizes and options.
-- @treturn table sizes
-- @treturn ?table options
function args.sizes(name, ...)
  local n = select("#", ...)
  local first, last = (...), select(n > 0 and n or 1, ...)
  if is_sizes(first) then
    if n > 2 then error(name .. ": a table of sizes, then options; got more", 3) end
    return first, n == 2 and last or nil
  end
  local options = nil
  if n > 0 and (type(last) == "table" or last == nil) then
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
  return sizes, options
end

return args
