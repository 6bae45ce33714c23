--- Printing tensors as PyTorch does: aligned, summarised when large, with what is not the default.
-- @module gru.format
local core = require "gru.core"

local format = {}

local SUMMARISE_PAST, EDGE, LINE, DIGITS = 1000, 3, 80, 4

--- The shape as text: "[2, 3]".
function format.shape(x)
  return "[" .. table.concat(x.shape, ", ") .. "]"
end

-- The edges of every dim, where the whole would be too much.
local function edges(x, dim)
  if dim > x:dim() then return x end
  local n = x:size(dim)
  if n > 2 * EDGE then
    local parts = {x:narrow(dim, 1, EDGE), x:narrow(dim, n - EDGE + 1, EDGE)}
    x = core.functions.cat(parts, dim)
  end
  return edges(x, dim + 1)
end

local function each(t, f)
  if type(t) ~= "table" then return f(t) end
  for _, v in ipairs(t) do each(v, f) end
end

-- How the elements are written: a function from a value to text.
local function writer(dtype, values)
  if dtype == "bool" then return function(v) return v and "true" or "false" end end
  if dtype == "int64" then return function(v) return ("%d"):format(v) end end
  local largest, smallest, whole = 0, math.huge, true
  each(values, function(v)
    local a = math.abs(v)
    if a == math.huge or a ~= a then return end
    if a > largest then largest = a end
    if a > 0 and a < smallest then smallest = a end
    if a ~= math.floor(a) then whole = false end
  end)
  local scientific = largest > 0
    and (largest / smallest > 1000 or largest > 1e8 or smallest < 1e-4)
  if whole then scientific = largest > 1e8 end
  return function(v)
    if v ~= v then return "nan" end
    if v == math.huge then return "inf" elseif v == -math.huge then return "-inf" end
    if scientific then return ("%." .. DIGITS .. "e"):format(v) end
    if whole then return ("%.0f."):format(v) end
    return ("%." .. DIGITS .. "f"):format(v)
  end
end

-- One dim's values as lines of at most LINE columns; `sizes` are those of the whole tensor.
local function row(t, write, width, total, indent)
  local cells = {}
  for i, v in ipairs(t) do
    local text = write(v)
    if #t < total and i == EDGE + 1 then cells[#cells + 1] = "..." end
    cells[#cells + 1] = (" "):rep(width - #text) .. text
  end
  local lines, line = {}, ""
  for i, cell in ipairs(cells) do
    local piece = cell .. (i < #cells and ", " or "")
    if #line + #piece > LINE - indent and line ~= "" then
      lines[#lines + 1] = line:gsub("%s+$", "")
      line = ""
    end
    line = line .. piece
  end
  lines[#lines + 1] = line
  return "[" .. table.concat(lines, "\n" .. (" "):rep(indent + 1)) .. "]"
end

local function nested(t, sizes, dim, write, width, indent)
  if dim > #sizes then return write(t) end
  if dim == #sizes then return row(t, write, width, sizes[dim], indent) end
  local parts = {}
  for i, v in ipairs(t) do
    if #t < sizes[dim] and i == EDGE + 1 then parts[#parts + 1] = "..." end
    parts[#parts + 1] = nested(v, sizes, dim + 1, write, width, indent + 1)
  end
  local gap = "," .. ("\n"):rep(#sizes - dim) .. (" "):rep(indent + 1)
  return "[" .. table.concat(parts, gap) .. "]"
end

--- A tensor as text.
function format.tensor(x)
  local sizes, dtype = x.shape, x.dtype
  local shown = x:detach()
  if x:numel() > SUMMARISE_PAST then shown = edges(shown, 1) end
  local values = shown:totable()
  local write, width = writer(dtype, values), 0
  each(values, function(v) width = math.max(width, #write(v)) end)
  local prefix = "tensor("
  local text = {prefix .. nested(values, sizes, 1, write, width, #prefix)}
  if x:numel() == 0 and #sizes > 1 then text[#text + 1] = "size=" .. format.shape(x) end
  if x.device ~= "cpu" then text[#text + 1] = ("device='%s'"):format(x.device) end
  local usual = {[core.get_default_dtype()] = true, int64 = true, bool = true}
  if not usual[dtype] or x:numel() == 0 and dtype ~= core.get_default_dtype() then
    text[#text + 1] = "dtype=" .. dtype
  end
  if x.grad_fn then
    text[#text + 1] = ("grad_fn=<%s>"):format(x.grad_fn)
  elseif x.requires_grad then
    text[#text + 1] = "requires_grad=true"
  end
  return table.concat(text, ", ") .. ")"
end

return format
