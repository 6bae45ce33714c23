--- Joining, diagonals and differences, written with other ops; methods of tensors, too, where the first
-- argument is one.
-- @module gru.combine
local args = require "gru.args"
local core = require "gru.core"

local combine = {}
local ops = core.functions

--- `cat` under its other name.
-- @function concat
-- @tparam table tensors
-- @tparam[opt=1] integer dim
combine.concat = ops.cat

-- The tensors of a table, with at least `n` dims.
local function at_least(name, list, n)
  args.tensors(name, list, "tensors")
  local grown = {}
  for i, x in ipairs(list) do
    if x:dim() == 0 then x = x:reshape(1) end
    grown[i] = x:dim() < n and x:unsqueeze(1) or x
  end
  if #grown == 0 then error(name .. ": a table of at least one tensor expected", 3) end
  return grown
end

--- Joins tensors side by side: along dim 2, vectors along dim 1.
-- @tparam table tensors
-- @treturn tensor
function combine.hstack(tensors)
  local list = at_least("hstack", tensors, 1)
  return ops.cat(list, list[1]:dim() == 1 and 1 or 2)
end

--- Joins tensors below each other, vectors as rows.
-- @tparam table tensors
-- @treturn tensor
function combine.vstack(tensors) return ops.cat(at_least("vstack", tensors, 2), 1) end

--- Expands tensors to the shape that they broadcast to.
-- @tparam table tensors
-- @treturn table views, in the same order
function combine.broadcast_tensors(tensors)
  args.tensors("broadcast_tensors", tensors, "tensors")
  local shape = {}
  for _, x in ipairs(tensors) do
    local both = args.broadcast(shape, x.shape)
    if not both then
      error(("broadcast_tensors: shapes do not broadcast: [%s] and [%s]")
        :format(table.concat(shape, ", "), table.concat(x.shape, ", ")), 2)
    end
    shape = both
  end
  local views = {}
  for i, x in ipairs(tensors) do views[i] = x:expand(shape) end
  return views
end

--- The elements in one dim.
-- @param x any shape
-- @return (numel), a view where one is possible
function combine.ravel(x)
  args.tensor("ravel", x)
  return x:reshape(-1)
end

--- A diagonal of two dims, as the last dim of the result; the other dims keep their order.
-- @usage gru.randn(4, 3, 3):diagonal(0, 2, 3) -- (4, 3)
-- @param x two dims or more
-- @tparam[opt=0] integer offset 1 is the diagonal above the main one
-- @tparam[opt=1] integer dim1
-- @tparam[opt=2] integer dim2
function combine.diagonal(x, offset, dim1, dim2)
  args.tensor("diagonal", x)
  local k = offset or 0
  if math.type(k) ~= "integer" then
    error("diagonal: the offset must be an integer, got " .. tostring(offset), 2)
  end
  local first, second = args.dim("diagonal", dim1 or 1, x:dim()), args.dim("diagonal", dim2 or 2, x:dim())
  if first == second then error(("diagonal: dim %d is named twice"):format(first), 2) end
  local y = x:movedim({first, second}, {-2, -1})
  local m, n, sizes = y:size(-2), y:size(-1), y.shape
  local count = math.max(0, math.min(m + math.min(k, 0), n - math.max(k, 0)))
  sizes[#sizes - 1], sizes[#sizes] = m * n, nil
  local start = k >= 0 and k + 1 or -k * n + 1
  return ops.index_select(y:reshape(sizes), -1, core.range(start, n + 1, count, "int64", x.device))
end

local function triangle_indices(name, rows, columns, offset, side)
  for _, size in ipairs {rows == nil and "nil" or rows, columns == nil and "nil" or columns} do
    if math.type(size) ~= "integer" or size < 0 then
      error(("%s: sizes expected, got %s"):format(name, tostring(size)), 3)
    end
  end
  if offset ~= nil and math.type(offset) ~= "integer" then
    error(("%s: the offset must be an integer, got %s"):format(name, tostring(offset)), 3)
  end
  local mask = ops[side](core.range(1, 1, columns, "int64") - core.range(1, 1, rows, "int64"):unsqueeze(2),
    offset or 0)
  return ops.nonzero(mask):t():contiguous()
end

--- The positions of the lower triangle of a matrix, row by row.
-- @usage local at = gru.tril_indices(3, 3); print(gru.randn(3, 3)[{at[1], at[2]}])
-- @tparam integer rows
-- @tparam integer columns
-- @tparam[opt=0] integer offset
-- @treturn tensor int64 (2, n): rows and columns, from 1 on
function combine.tril_indices(rows, columns, offset)
  return triangle_indices("tril_indices", rows, columns, offset, "le")
end

--- The positions of the upper triangle of a matrix, row by row.
-- @tparam integer rows
-- @tparam integer columns
-- @tparam[opt=0] integer offset
-- @treturn tensor int64 (2, n): rows and columns, from 1 on
function combine.triu_indices(rows, columns, offset)
  return triangle_indices("triu_indices", rows, columns, offset, "ge")
end

--- The differences of neighbours along a dim, n times over.
-- @param x any shape with dims
-- @tparam[opt=1] integer n
-- @tparam[opt=-1] integer dim
function combine.diff(x, n, dim)
  args.tensor("diff", x)
  local d = args.dim("diff", dim or -1, x:dim())
  n = n or 1
  if math.type(n) ~= "integer" or n < 0 then
    error("diff: an order from 0 on expected, got " .. tostring(n), 2)
  elseif x:dim() == 0 then
    error("diff: a 0-d tensor has no neighbours", 2)
  end
  local minus = x.dtype == "bool" and ops.logical_xor or ops.sub
  for _ = 1, math.min(n, x:size(d)) do
    local rest = math.max(x:size(d) - 1, 0)
    x = minus(x:narrow(d, math.min(2, x:size(d) + 1), rest), x:narrow(d, 1, rest))
  end
  return x
end

--- The positions of what is not 0, as `nonzero` gives them.
-- @function argwhere
-- @treturn tensor int64 (how many, dims)
combine.argwhere = ops.nonzero

return combine
