--- Indexing: what `x[key]` and `x[key] = value` mean.
--
-- Keys: `i` a row; `{i, j}` positions from dim 1 on; `{{1, 3}, {}}` ranges, both ends included,
-- `{a, b, step}`, `{}` for all of a dim; a tensor of ids picks rows; a bool tensor picks elements.
-- @module gru.index
local args = require "gru.args"
local core = require "gru.core"

local index = {}
local ops = core.functions

-- Ids of the true elements of a mask, flattened.
local function true_positions(mask)
  return ops.nonzero(mask:reshape(-1)):reshape(-1)
end

-- The rows of the leading dims that the mask covers, where it is true.
local function pick(x, mask)
  local sizes, covered = {}, 1
  for d = 1, mask:dim() do
    if d > x:dim() or x:size(d) ~= mask:size(d) then
      error(("index: a mask of size %d in dim %d, the tensor has %s")
        :format(mask:size(d), d, d > x:dim() and x:dim() .. " dims" or tostring(x:size(d))), 4)
    end
    covered = covered * mask:size(d)
  end
  sizes[1] = covered
  for d = mask:dim() + 1, x:dim() do sizes[#sizes + 1] = x:size(d) end
  return x:reshape(sizes):index_select(1, true_positions(mask))
end

--- The elements of x where the mask is true, in one dim; both are broadcast.
-- @param x any shape
-- @param mask bool
function index.masked_select(x, mask)
  args.tensor("masked_select", x)
  args.tensor("masked_select", mask)
  if mask.dtype ~= "bool" then
    error("masked_select: the mask must be a bool tensor, got " .. mask.dtype, 2)
  end
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
  if core.is_tensor(part) and part:dim() == 1 then
    if part.dtype == "int64" then return x:index_select(dim, part), dim + 1 end
    if part.dtype == "bool" and dim <= x:dim() and part:size(1) == x:size(dim) then
      return x:index_select(dim, true_positions(part)), dim + 1
    end
  end
  error(("index: a position, a range or a tensor of ids expected, got %s"):format(type(part)), 4)
end

local function check_key(key)
  if not core.is_tensor(key) and type(key) ~= "table" then
    error(("index: a position, a table or a tensor expected, got %s %s")
      :format(type(key), tostring(key)), 3)
  elseif type(key) == "table" and #key == 0 and next(key) ~= nil then
    error("index: a key of positions expected, got named fields", 3)
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
  local dim, lists = 1, 0
  for _, part in ipairs(key) do
    if core.is_tensor(part) then lists = lists + 1 end
    if lists > 1 then
      error("index: ids in two dims of a key, which PyTorch would pair; select one dim after the other, "
        .. "or use gather", 3)
    end
    x, dim = narrow(x, dim, part)
  end
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
    local sizes = key.shape
    for d = 2, x:dim() do sizes[#sizes + 1] = x:size(d) end
    if not core.is_tensor(value) then value = core.empty({}, x.dtype, x.device):fill_(value) end
    local rows = x.shape
    rows[1] = key:numel()
    local source = value:detach():to(x.dtype)
    if value.requires_grad then source = value:to(x.dtype) end
    x:copy_(index.index_copy(x, 1, key:reshape(-1), source:expand(sizes):reshape(rows)))
  end
end

-- ---- ops on positions ----------------------------------------------------------------------------

local function check(name, x, ids)
  if not core.is_tensor(x) then
    error(("%s: a tensor expected, got %s"):format(name, type(x)), 3)
  end
  if not core.is_tensor(ids) or ids.dtype ~= "int64" then
    error(("%s: int64 ids expected, got %s"):format(name, core.is_tensor(ids) and ids.dtype or type(ids)), 3)
  end
end

-- The dim as 1 .. n, ids of one dim checked.
local function one_dim(name, x, dim, ids)
  check(name, x, ids)
  local n = math.max(x:dim(), 1)
  if math.type(dim) ~= "integer" or dim == 0 or dim > n or dim < -n then
    error(("%s: dim %s of a tensor with %d dims"):format(name, tostring(dim), x:dim()), 3)
  end
  if ids:dim() > 1 then
    error(("%s: ids must have one dim, got %d"):format(name, ids:dim()), 3)
  end
  return dim < 0 and dim + n + 1 or dim
end

--- The elements of the flattened tensor at ids, in the shape of the ids.
-- @param x any shape
-- @param ids int64, from 1 on
function index.take(x, ids)
  check("take", x, ids)
  return x:reshape(-1):index_select(1, ids:reshape(-1)):reshape(ids.shape)
end

--- x with `value` at the ids along a dim.
-- @param x any shape
-- @tparam integer dim
-- @param ids int64 (n)
-- @param value a number, a boolean or a 0-d tensor
function index.index_fill(x, dim, ids, value)
  local d = one_dim("index_fill", x, dim, ids)
  local n, shape = x:dim() > 0 and x:size(d) or 1, {}
  local line = ops.scatter(core.empty({n}, "bool", x.device):fill_(false), 1, ids:reshape(-1),
    core.empty({ids:numel()}, "bool", x.device):fill_(true))
  for e = 1, x:dim() do shape[e] = e == d and n or 1 end
  if not core.is_tensor(value) then value = core.empty({}, x.dtype, x.device):fill_(value) end
  if value:dim() > 0 then error("index_fill: one value expected; use index_copy", 2) end
  return ops.where(line:reshape(shape), value:to(x.dtype), x)
end

--- x with rows of `source` at the ids along a dim; of equal ids the last one wins.
-- @param x any shape
-- @tparam integer dim
-- @param ids int64 (n)
-- @param source the shape of x, but n along the dim
function index.index_copy(x, dim, ids, source)
  local d = one_dim("index_copy", x, dim, ids)
  if not core.is_tensor(source) then
    error("index_copy: a source tensor expected, got " .. type(source), 2)
  end
  local fits, shape = source:dim() == x:dim(), {}
  for e = 1, x:dim() do
    shape[e] = e == d and ids:numel() or 1
    fits = fits and source:size(e) == (e == d and ids:numel() or x:size(e))
  end
  if not fits then
    error(("index_copy: [%s] takes no source [%s] at %d ids along dim %d"):format(
      table.concat(x.shape, ", "), table.concat(source.shape, ", "), ids:numel(), d), 2)
  end
  return ops.scatter(x, d, ids:reshape(shape):expand(source.shape), source)
end

local scatter, scatter_add = ops.scatter, ops.scatter_add

-- A number as a source of the shape of the ids.
local function source_of(name, x, ids, source)
  args.tensor(name, x)
  if core.is_tensor(source) or not core.is_tensor(ids) then return source end
  if type(source) ~= "number" and type(source) ~= "boolean" then
    error(("%s: a source tensor or a number expected, got %s"):format(name, type(source)), 3)
  end
  return core.empty({}, x.dtype, x.device):fill_(source):expand(ids.shape)
end

--- x with elements of `source`, or a number, at the ids along a dim; of equal places the last wins.
-- @param x any shape
-- @tparam integer dim
-- @param ids int64, as many dims as x
-- @param source of the dtype of x, at least the shape of the ids; or a number
function index.scatter(x, dim, ids, source)
  return scatter(x, dim, ids, source_of("scatter", x, ids, source))
end

--- x with elements of `source`, or a number, added at the ids along a dim.
function index.scatter_add(x, dim, ids, source)
  return scatter_add(x, dim, ids, source_of("scatter_add", x, ids, source))
end

--- x where the mask is false; where it is true, the elements of `source` one after the other.
-- @param x any shape
-- @param mask bool, broadcast to x
-- @param source at least as many elements as the mask has true ones
function index.masked_scatter(x, mask, source)
  if not core.is_tensor(mask) or mask.dtype ~= "bool" then
    error("masked_scatter: a bool mask expected", 2)
  end
  args.tensor("masked_scatter", x)
  args.tensor("masked_scatter", source, "source")
  local at = true_positions(mask:expand(x.shape))
  if source:numel() < at:numel() then
    error(("masked_scatter: %d elements for %d true ones of the mask")
      :format(source:numel(), at:numel()), 2)
  end
  local rows = source:reshape(-1):narrow(1, 1, at:numel())
  return scatter(x:reshape(-1), 1, at, rows:to(x.dtype)):reshape(x.shape)
end

--- Elements of `a` where the condition holds, else of `b`; a condition alone gives the positions of
-- its true elements, a table of one int64 tensor a dim.
-- @param condition bool
-- @param[opt] a tensor or number
-- @param[opt] b tensor or number
function index.where(condition, a, b)
  if a == nil and b == nil and core.is_tensor(condition) then
    local places, columns = ops.nonzero(condition:dim() == 0 and condition:reshape(1) or condition), {}
    for d = 1, places:size(2) do columns[d] = places:select(2, d) end
    return columns
  end
  return ops.where(condition, a, b)
end

--- Class ids as one-hot rows of the default dtype, in a layout that stores the ids.
-- @param ids int64, from 1 on, any shape
-- @tparam[opt] integer num_classes the largest id by default
-- @return (shape of ids, num_classes)
function index.one_hot(ids, num_classes)
  check("one_hot", ids, ids)
  if num_classes == nil or num_classes == -1 then
    if ids:numel() == 0 then error("one_hot: without ids, num_classes is wanted", 2) end
    num_classes = ids:max():item()
  end
  return ops.one_hot(ids, num_classes)
end

return index
