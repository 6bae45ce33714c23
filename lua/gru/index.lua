--- Indexing: what `x[key]` and `x[key] = value` mean.
--
-- Keys: `i` a row; `{i, j}` positions from dim 1 on; `{{1, 3}, {}}` ranges, both ends included,
-- `{a, b, step}`, `{}` for all of a dim; a tensor of ids picks rows; a bool tensor picks elements.
-- @module gru.index
local core = require "gru.core"

local index = {}
local ops = core.functions

--- Ids of the true elements of a mask, flattened, as an int64 tensor.
local function true_positions(mask)
  local ids = {}
  for i, set in ipairs(mask:reshape(-1):totable()) do
    if set then ids[#ids + 1] = i end
  end
  return core.from_table(ids, "int64", mask.device)
end

--- The positions of the elements that are not 0: int64 (count, dims).
function index.nonzero(x)
  local flat = true_positions(x:ne(0))
  local columns, rest = {}, flat - 1
  for d = x:dim(), 1, -1 do
    table.insert(columns, 1, rest % x:size(d) + 1)
    rest = rest // x:size(d)
  end
  if #columns == 0 then return core.empty({flat:numel(), 0}, "int64", x.device) end
  return ops.stack(columns, 2)
end

-- The rows of the leading dims that the mask covers, where it is true.
local function pick(x, mask)
  local n = mask:dim()
  local sizes = {-1}
  for d = 1, n do
    if x:size(d) ~= mask:size(d) then
      error(("index: a mask of size %d in dim %d, the tensor has %d")
        :format(mask:size(d), d, x:size(d)), 4)
    end
  end
  for d = n + 1, x:dim() do sizes[#sizes + 1] = x:size(d) end
  return x:reshape(sizes):index_select(1, true_positions(mask))
end

--- The elements of x where the mask is true, in one dim; both are broadcast.
function index.masked_select(x, mask)
  x = ops.where(mask, x, x)
  return pick(x, mask:expand(x.shape))
end

-- Applies one part of a key to dim `dim` of x; returns the view and the next dim.
local function narrow(x, dim, part)
  if math.type(part) == "integer" then return x:select(dim, part), dim end
  if type(part) == "table" then
    if #part == 0 then return x, dim + 1 end
    local first, last, step = part[1], part[2], part[3]
    if #part > 3 or math.type(first) ~= "integer" or math.type(last) ~= "integer" then
      error("index: a range is {first, last} or {first, last, step}, in integers", 4)
    end
    return core.slice(x, dim, first, last, step), dim + 1
  end
  if core.is_tensor(part) and part.dtype == "int64" and part:dim() == 1 then
    return x:index_select(dim, part), dim + 1
  end
  error(("index: a position, a range or a tensor of ids expected, got %s"):format(type(part)), 4)
end

local function check_key(key)
  if not core.is_tensor(key) and type(key) ~= "table" then
    error(("index: a position, a table or a tensor expected, got %s %s")
      :format(type(key), tostring(key)), 3)
  end
end

--- x[key]
function index.get(x, key)
  check_key(key)
  if core.is_tensor(key) then
    if key.dtype == "bool" then return pick(x, key) end
    local sizes = key.shape
    for d = 2, x:dim() do sizes[#sizes + 1] = x:size(d) end
    return x:index_select(1, key:reshape(-1)):reshape(sizes)
  end
  local dim = 1
  for _, part in ipairs(key) do x, dim = narrow(x, dim, part) end
  return x
end

--- x[key] = value
function index.set(x, key, value)
  if math.type(key) == "integer" then
    local row = x[key]
    if row == nil then error(("index: position %d is outside dim 1"):format(key), 2) end
    row:copy_(value)
    return
  end
  check_key(key)
  if not core.is_tensor(key) then
    local view, dim = x, 1
    for _, part in ipairs(key) do
      if core.is_tensor(part) then
        error("index: ids among other parts of a key cannot be assigned to; use scatter", 2)
      end
      view, dim = narrow(view, dim, part)
    end
    view:copy_(value)
  elseif key.dtype == "bool" then
    local mask = key
    if core.is_tensor(value) and value:dim() == 1 and mask:dim() == x:dim() and value:numel() > 1 then
      -- as many values as the mask has true elements
      local ids, flat = true_positions(mask), x:reshape(-1)
      if ids:numel() ~= value:numel() then
        error(("index: %d values for %d true elements of the mask")
          :format(value:numel(), ids:numel()), 2)
      end
      x:copy_(flat:scatter(1, ids, value:to(x.dtype)):reshape(x.shape))
      return
    end
    while mask:dim() < x:dim() do mask = mask:unsqueeze(-1) end
    x:copy_(ops.where(mask, value, x))
  else
    local ids = key:reshape(-1):totable()
    local many = core.is_tensor(value) and value:dim() == x:dim()
    for i, id in ipairs(ids) do x[id] = many and value[i] or value end
  end
end

return index
