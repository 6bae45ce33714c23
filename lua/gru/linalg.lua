--- Norms and products of vectors and matrices, as in `torch.linalg`; what needs a decomposition is not
-- there.
-- @module gru.linalg
local args = require "gru.args"
local core = require "gru.core"

local linalg = {}
local ops = core.functions
local norm = require("gru.reduce").norm

-- Reads `(x, ord, dim, keepdim)` or `(x, {ord =, dim =, keepdim =})`.
local known = {ord = true, dim = true, keepdim = true}
local function read(name, x, ord, dim, keepdim)
  args.tensor(name, x)
  if x.dtype ~= "float32" and x.dtype ~= "float64" then
    error(("%s: wants floats, got %s; convert with :float()"):format(name, x.dtype), 3)
  end
  if type(ord) == "table" then
    args.options(name, ord, known, 4)
    ord, dim, keepdim = ord.ord, ord.dim, ord.keepdim
  end
  if keepdim ~= nil and type(keepdim) ~= "boolean" then
    error(("%s: keepdim must be true or false, got %s"):format(name, tostring(keepdim)), 3)
  end
  return ord, dim, keepdim == true
end

--- The p-norm of vectors (sum |x|^p)^(1 / p), over all elements or over some dims.
-- @usage local lengths = gru.linalg.vector_norm(gru.rand(3, 4), 2, -1)
-- @param x floats
-- @tparam[opt=2] number ord p; also 0 and infinities; or a table of options `ord`, `dim`, `keepdim`
-- @tparam[opt] integer|table dim
-- @tparam[opt=false] boolean keepdim
function linalg.vector_norm(x, ord, dim, keepdim)
  ord, dim, keepdim = read("vector_norm", x, ord, dim, keepdim)
  if ord ~= nil and (type(ord) ~= "number" or ord ~= ord) then
    error("vector_norm: ord must be a number, got " .. tostring(ord), 2)
  end
  return norm(x, ord, dim, keepdim)
end

-- Norms of matrices whose columns run along dim d1 and whose rows along d2, both kept.
--   "fro"  sqrt(sum |a_ij|^2);  1, -1  largest, smallest sum of a column's |a_ij|;  inf, -inf  of a row's
local matrix_norms = {
  fro = function(a, d1, d2) return norm(a, 2, {d1, d2}, true) end,
  [1] = function(a, d1, d2) return a:abs():sum(d1, true):amax(d2, true) end,
  [-1] = function(a, d1, d2) return a:abs():sum(d1, true):amin(d2, true) end,
  [math.huge] = function(a, d1, d2) return a:abs():sum(d2, true):amax(d1, true) end,
  [-math.huge] = function(a, d1, d2) return a:abs():sum(d2, true):amin(d1, true) end,
}

--- A norm of matrices: `"fro"`, 1 and -1 (largest and smallest sum of a column's magnitudes), `math.huge` and
-- `-math.huge` (of a row's).
-- @usage local size = gru.linalg.matrix_norm(gru.rand(3, 4))
-- @param x floats, 2 dims or more
-- @tparam[opt="fro"] string|number ord or a table of options `ord`, `dim`, `keepdim`
-- @tparam[opt={-2,-1}] table dim the dims of rows and of columns
-- @tparam[opt=false] boolean keepdim
function linalg.matrix_norm(x, ord, dim, keepdim)
  ord, dim, keepdim = read("matrix_norm", x, ord, dim, keepdim)
  if ord == nil then ord = "fro" end
  if dim == nil then dim = {-2, -1} end
  local compute = matrix_norms[ord]
  if not compute then
    error(("matrix_norm: ord must be \"fro\", 1, -1, math.huge or -math.huge, got %s; norms of singular "
      .. "values are not there"):format(tostring(ord)), 2)
  elseif x:dim() < 2 or type(dim) ~= "table" or #dim ~= 2 then
    error(("matrix_norm: a tensor of 2 dims or more and two dims expected, got %d dims and %s"):format(
      x:dim(), type(dim) == "table" and #dim .. " of them" or type(dim)), 2)
  end
  local d1, d2 = args.dim("matrix_norm", dim[1], x:dim()), args.dim("matrix_norm", dim[2], x:dim())
  if d1 == d2 then error("matrix_norm: the dim " .. dim[1] .. " is there twice", 2) end
  local y = compute(x, d1, d2)
  return keepdim and y or y:squeeze({d1, d2})
end

--- The norm of a vector or of matrices: without `ord`, the 2-norm of all elements or over `dim`; with it,
-- `matrix_norm` where there are two dims, else `vector_norm`.
-- @usage local size = gru.linalg.norm(gru.rand(3, 4))
-- @param x floats
-- @tparam[opt] number|string ord or a table of options `ord`, `dim`, `keepdim`
-- @tparam[opt] integer|table dim
-- @tparam[opt=false] boolean keepdim
function linalg.norm(x, ord, dim, keepdim)
  ord, dim, keepdim = read("norm", x, ord, dim, keepdim)
  if ord == nil then return norm(x, 2, dim, keepdim) end
  local dims = type(dim) == "table" and #dim or dim and 1 or x:dim()
  if dims > 2 then
    error(("norm: ord wants one dim or two, got %d; say which with dim, or leave ord out"):format(dims), 2)
  end
  return (dims == 2 and linalg.matrix_norm or linalg.vector_norm)(x, ord, dim, keepdim)
end

--- Products of vectors along a dim, sum over i of x_i y_i, with broadcasting.
-- @usage local products = gru.linalg.vecdot(gru.rand(5, 3), gru.rand(5, 3))
-- @param x
-- @param y
-- @tparam[opt=-1] integer dim
function linalg.vecdot(x, y, dim)
  args.tensor("vecdot", x, "x")
  args.tensor("vecdot", y, "y")
  if dim ~= nil and math.type(dim) ~= "integer" then
    error("vecdot: dim must be an integer, got " .. tostring(dim), 2)
  end
  return (x * y):sum(dim or -1)
end

--- A matrix times itself, n times; the unit matrix for 0.
-- @usage local x8 = gru.linalg.matrix_power(gru.eye(3) * 2, 8)
-- @param x square matrices (..., n, n)
-- @tparam integer n from 0 on
function linalg.matrix_power(x, n)
  args.tensor("matrix_power", x)
  if x:dim() < 2 or x:size(-1) ~= x:size(-2) then
    error("matrix_power: square matrices expected, got [" .. table.concat(x.shape, ", ") .. "]", 2)
  elseif math.type(n) ~= "integer" or n < 0 then
    error("matrix_power: the power must be an integer from 0 on, got " .. tostring(n), 2)
  end
  if n == 0 then
    local unit = core.empty({x:size(-1), x:size(-1)}, x.dtype, x.device):fill_(1):tril():triu()
    return unit:expand(x.shape):clone()
  end
  local power, square = nil, x -- of the binary digits of n
  while n > 0 do
    if n & 1 == 1 then power = power and ops.matmul(power, square) or square end
    n = n >> 1
    if n > 0 then square = ops.matmul(square, square) end
  end
  return power == x and x:clone() or power
end

-- cost[i][j], the fewest multiplications for matrices i .. j, and where to split them (Cormen et al., 15.2).
local function splits(rows, n)
  local cost, split = {}, {}
  for i = 1, n do cost[i], split[i] = {[i] = 0}, {} end
  for length = 2, n do
    for i = 1, n - length + 1 do
      local j = i + length - 1
      for k = i, j - 1 do
        local c = cost[i][k] + cost[k + 1][j] + 1.0 * rows[i] * rows[k + 1] * rows[j + 1]
        if not cost[i][j] or c < cost[i][j] then cost[i][j], split[i][j] = c, k end
      end
    end
  end
  return split
end

--- The product of several matrices, in the order that takes the fewest multiplications.  The first one
-- may be a row, the last one a column: vectors.
-- @usage local y = gru.linalg.multi_dot({gru.rand(2, 9), gru.rand(9, 3), gru.rand(3)})
-- @tparam table matrices two or more
function linalg.multi_dot(matrices)
  args.tensors("multi_dot", matrices, "matrices")
  local n, list, rows = #matrices, {}, {}
  if n < 2 then error(("multi_dot: two matrices or more expected, got %d"):format(n), 2) end
  for i, x in ipairs(matrices) do
    local vector = x:dim() == 1 and (i == 1 or i == n)
    if x:dim() ~= 2 and not vector then
      error(("multi_dot: matrix %d has %d dims"):format(i, x:dim()), 2)
    end
    list[i] = vector and x:unsqueeze(i == 1 and 1 or 2) or x
    if i > 1 and list[i - 1]:size(2) ~= list[i]:size(1) then
      error(("multi_dot: matrices %d and %d do not fit: [%s] x [%s]"):format(i - 1, i,
        table.concat(matrices[i - 1].shape, ", "), table.concat(x.shape, ", ")), 2)
    end
    rows[i], rows[i + 1] = list[i]:size(1), list[i]:size(2)
  end
  local split = splits(rows, n)
  local function product(i, j)
    if i == j then return list[i] end
    return ops.matmul(product(i, split[i][j]), product(split[i][j] + 1, j))
  end
  local y = product(1, n)
  if matrices[n]:dim() == 1 then y = y:select(2, 1) end
  if matrices[1]:dim() == 1 then y = y:select(1, 1) end
  return y
end

--- The product of two matrices, or of batches of them: `gru.matmul`.
-- @function matmul
linalg.matmul = ops.matmul

return linalg
