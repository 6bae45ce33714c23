--- Ops that read or write at positions in int64 tensors, which count from 1; methods of tensors, too.
-- @module gru.position
local args = require "gru.args"
local core = require "gru.core"

local position = {}
local ops = core.functions

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
function position.take(x, ids)
  check("take", x, ids)
  return x:reshape(-1):index_select(1, ids:reshape(-1)):reshape(ids.shape)
end

--- x with `value` at the ids along a dim.
-- @param x any shape
-- @tparam integer dim
-- @param ids int64 (n)
-- @param value a number, a boolean or a 0-d tensor
function position.index_fill(x, dim, ids, value)
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
function position.index_copy(x, dim, ids, source)
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
function position.scatter(x, dim, ids, source)
  return scatter(x, dim, ids, source_of("scatter", x, ids, source))
end

--- x with elements of `source`, or a number, added at the ids along a dim.
function position.scatter_add(x, dim, ids, source)
  return scatter_add(x, dim, ids, source_of("scatter_add", x, ids, source))
end

--- Elements of `a` where the condition holds, else of `b`; a condition alone gives the positions of
-- its true elements, a table of one int64 tensor a dim.
-- @param condition bool
-- @param[opt] a tensor or number
-- @param[opt] b tensor or number
function position.where(condition, a, b)
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
function position.one_hot(ids, num_classes)
  check("one_hot", ids, ids)
  if num_classes == nil or num_classes == -1 then
    if ids:numel() == 0 then error("one_hot: without ids, num_classes is wanted", 2) end
    num_classes = ids:max():item()
  end
  return ops.one_hot(ids, num_classes)
end

return position
