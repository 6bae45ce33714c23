--- Printing tensors as PyTorch does: aligned, summarised when large, with what is not the default.
-- @module gru.format
local args = require "gru.args"
local core = require "gru.core"

local format = {}

-- What set_printoptions changes.
local usual = {precision = 4, threshold = 1000, edgeitems = 3, linewidth = 80}
local settings = {precision = 4, threshold = 1000, edgeitems = 3, linewidth = 80}
local profiles = {
  default = usual, short = {precision = 2, threshold = 1000, edgeitems = 2, linewidth = 80},
  full = {precision = 4, threshold = math.huge, edgeitems = 3, linewidth = 80},
}

--- How tensors are printed.
-- @tparam table options `precision` (4) digits; `threshold` (1000) elements above which the middle is
-- left out; `edgeitems` (3) shown at each end of a dim then; `linewidth` (80); `sci_mode` true, false or
-- "auto"; `profile` "default", "short" or "full"
function format.set_printoptions(options)
  options = args.options("set_printoptions", options, {precision = true, threshold = true,
    edgeitems = true, linewidth = true, sci_mode = true, profile = true})
  if options.profile ~= nil then
    local profile = profiles[options.profile]
    if not profile then
      error("set_printoptions: there is no profile " .. tostring(options.profile), 2)
    end
    for key, value in pairs(profile) do settings[key] = value end
    settings.sci_mode = nil
  end
  for key in pairs(usual) do
    local value = options[key]
    if value ~= nil then
      if type(value) ~= "number" or value < 0 then
        error(("set_printoptions: %s must be a number, got %s"):format(key, tostring(value)), 2)
      end
      settings[key] = value
    end
  end
  if options.sci_mode == "auto" then
    settings.sci_mode = nil
  elseif options.sci_mode ~= nil then
    settings.sci_mode = options.sci_mode
  end
end

--- The shape as text: "[2, 3]".
function format.shape(x)
  return "[" .. table.concat(x.shape, ", ") .. "]"
end

-- The edges of every dim from `dim` on, where the whole would be too much.
local function edges(x, dim)
  if dim > x:dim() then return x end
  local n, edge = x:size(dim), settings.edgeitems
  if n > 2 * edge then
    local parts = {x:narrow(dim, 1, edge), x:narrow(dim, n - edge + 1, edge)}
    x = core.functions.cat(parts, dim)
  end
  return edges(x, dim + 1)
end

local function each(t, f)
  if type(t) ~= "table" then return f(t) end
  for _, v in ipairs(t) do each(v, f) end
end

local function is_finite(v) return v - v == 0 end

-- What the numbers that are neither 0 nor infinite nor NaN are like.
local function survey(values)
  local largest, smallest, whole, any = 0, math.huge, true, false
  each(values, function(v)
    if v == 0 or not is_finite(v) then return end
    local a = math.abs(v)
    largest, smallest, any = math.max(a, largest), math.min(a, smallest), true
    if a ~= math.floor(a) then whole = false end
  end)
  return largest, smallest, whole, any
end

-- How floats are written: a function from a value to text, and the width of a column.
local function float_writer(values)
  local largest, smallest, whole, any = survey(values)
  local scientific = any
    and (largest / smallest > 1000 or largest > 1e8 or not whole and smallest < 1e-4)
  local pattern = "%." .. settings.precision .. (scientific and "e" or "f")
  if whole and not scientific then pattern = "%.0f" end
  local width = 1
  each(values, function(v)
    if v == 0 or not is_finite(v) then return end
    width = math.max(width, #pattern:format(v) + (pattern == "%.0f" and 1 or 0))
  end)
  if settings.sci_mode ~= nil then -- chosen last, as in PyTorch: the width stays
    scientific = settings.sci_mode
    pattern = "%." .. settings.precision .. (scientific and "e" or "f")
    if whole and not scientific then pattern = "%.0f" end
  end
  return function(v)
    if v ~= v then return "nan" end
    if v == math.huge then return "inf" elseif v == -math.huge then return "-inf" end
    local text = pattern:format(v)
    return pattern == "%.0f" and text .. "." or text
  end, width
end

local function writer(dtype, values)
  if dtype == "float32" or dtype == "float64" then return float_writer(values) end
  local width = 1
  each(values, function(v) width = math.max(width, #tostring(v)) end)
  return tostring, width
end

-- One dim's values as lines of at most `linewidth` columns; `total` is the size of the dim.
local function row(t, write, width, total, indent)
  local cells, lines = {}, {}
  for i, v in ipairs(t) do
    local text = write(v)
    if #t < total and i == settings.edgeitems + 1 then cells[#cells + 1] = " ..." end
    cells[#cells + 1] = (" "):rep(width - #text) .. text
  end
  local per_line = math.max(1, math.floor((settings.linewidth - indent) / (width + 2)))
  for i = 1, #cells, per_line do
    lines[#lines + 1] = table.concat(cells, ", ", i, math.min(i + per_line - 1, #cells))
  end
  return "[" .. table.concat(lines, ",\n" .. (" "):rep(indent + 1)) .. "]"
end

local function nested(t, sizes, dim, write, width, indent)
  if dim == #sizes then return row(t, write, width, sizes[dim], indent) end
  local parts = {}
  for i, v in ipairs(t) do
    if #t < sizes[dim] and i == settings.edgeitems + 1 then parts[#parts + 1] = "..." end
    parts[#parts + 1] = nested(v, sizes, dim + 1, write, width, indent + 1)
  end
  local gap = "," .. ("\n"):rep(#sizes - dim) .. (" "):rep(indent + 1)
  return "[" .. table.concat(parts, gap) .. "]"
end

-- The elements as text.
local function elements(x, indent)
  if x:numel() == 0 then return "[]" end
  local sizes, shown = x.shape, x:detach()
  if x:numel() > settings.threshold then shown = edges(shown, 1) end
  local values = shown:totable()
  local write, width = writer(x.dtype, values)
  if #sizes > 0 then return nested(values, sizes, 1, write, width, indent) end
  local text = write(values)
  return (" "):rep(width - #text) .. text
end

-- What is said after the elements.
local function suffixes(x)
  local list, default = {}, core.get_default_dtype()
  if x.device ~= core.get_default_device() then list[1] = ("device='%s'"):format(x.device) end
  if x:numel() == 0 then
    if x:dim() ~= 1 then list[#list + 1] = "size=" .. format.shape(x) end
    if x.dtype ~= default then list[#list + 1] = "dtype=" .. x.dtype end
  elseif x.dtype ~= default and x.dtype ~= "int64" and x.dtype ~= "bool" then
    list[#list + 1] = "dtype=" .. x.dtype
  end
  if x.grad_fn then
    list[#list + 1] = ("grad_fn=<%s>"):format(x.grad_fn)
  elseif x.requires_grad then
    list[#list + 1] = "requires_grad=true"
  end
  return list
end

--- A tensor as text.
function format.tensor(x)
  local indent = #"tensor("
  local text = "tensor(" .. elements(x, indent)
  local length = #text:match("[^\n]*$") + 2 -- as PyTorch counts it
  for _, suffix in ipairs(suffixes(x)) do
    if length + #suffix + 2 > settings.linewidth then
      text = text .. ",\n" .. (" "):rep(indent) .. suffix
      length = indent + #suffix
    else
      text = text .. ", " .. suffix
      length = length + #suffix + 2
    end
  end
  return text .. ")"
end

return format
