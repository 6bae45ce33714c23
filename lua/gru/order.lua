--- Sorting, searching and drawing; methods of tensors, too.
-- @module gru.order
local args = require "gru.args"
local core = require "gru.core"

local order = {}
local ops = core.functions
local sort, topk, searchsorted = ops.sort, ops.topk, ops.searchsorted

local function check(name, x)
  if not core.is_tensor(x) then
    error(("%s: a tensor expected, got %s"):format(name, type(x)), 3)
  end
end

-- Positional arguments, or an option table in place of the first of them.
local function read(name, names, first, ...)
  if type(first) ~= "table" then return first, ... end
  local known, list = {}, {}
  for _, key in ipairs(names) do known[key] = true end
  local options = args.options(name, first, known)
  for i, key in ipairs(names) do list[i] = options[key] end
  return table.unpack(list, 1, #names)
end

--- The elements along a dim in order, and the positions that they had.  Equals keep their order;
-- NaN is larger than any number.
-- @usage local values, positions = x:sort(1, true)
-- @param x any shape
-- @tparam[opt=-1] integer dim or a table {dim =, descending =, stable =}
-- @tparam[opt=false] boolean descending
function order.sort(x, dim, descending)
  check("sort", x)
  dim, descending = read("sort", {"dim", "descending", "stable"}, dim, descending)
  return sort(x, dim or -1, descending)
end

--- The positions of the elements along a dim in order.
-- @param x any shape
-- @tparam[opt=-1] integer dim or a table {dim =, descending =, stable =}
-- @tparam[opt=false] boolean descending
function order.argsort(x, dim, descending)
  check("argsort", x)
  dim, descending = read("argsort", {"dim", "descending", "stable"}, dim, descending)
  return (select(2, sort(x, dim or -1, descending)))
end

--- The k largest (smallest) elements along a dim, in order, and their positions; of equals the
-- first ones.
-- @usage local values, positions = x:topk(2)
-- @param x any shape
-- @tparam integer k
-- @tparam[opt=-1] integer dim or a table {dim =, largest =, sorted =}
-- @tparam[opt=true] boolean largest
-- @param[opt] sorted ignored: they are in order
function order.topk(x, k, dim, largest, sorted)
  check("topk", x)
  dim, largest = read("topk", {"dim", "largest", "sorted"}, dim, largest, sorted)
  return topk(x, k, dim or -1, largest ~= false)
end

--- The k-th smallest element along a dim, and its position.
-- @param x any shape
-- @tparam integer k from 1 on
-- @tparam[opt=-1] integer dim
-- @tparam[opt=false] boolean keepdim
function order.kthvalue(x, k, dim, keepdim)
  check("kthvalue", x)
  dim = args.dim("kthvalue", dim or -1, x:dim())
  local n = x:dim() > 0 and x:size(dim) or 1
  if math.type(k) ~= "integer" or k < 1 or k > n then
    error(("kthvalue: k must be in 1 .. %d, got %s"):format(n, tostring(k)), 2)
  end
  local values, places = topk(x, k, dim, false)
  if x:dim() == 0 then return values, places end
  values, places = values:narrow(dim, k, 1), places:narrow(dim, k, 1)
  if keepdim then return values, places end
  return values:squeeze(dim), places:squeeze(dim)
end

--- Where each value would stand in an ascending sequence, from 1 on: before its equals, or after
-- them.
-- @param sorted (n), or (..., n) with the leading dims of the values
-- @param values a tensor or a number
-- @tparam[opt=false] boolean right after equals; or a table {right = true}
function order.searchsorted(sorted, values, right)
  check("searchsorted", sorted)
  if type(values) == "number" then
    values = core.empty({}, sorted.dtype, sorted.device):fill_(values)
  end
  return searchsorted(sorted, values, (read("searchsorted", {"right"}, right)))
end

--- The number of the interval between ascending boundaries that each value lies in, from 1 on.
-- @param x any shape
-- @param boundaries (n)
-- @tparam[opt=false] boolean right or a table {right = true}
function order.bucketize(x, boundaries, right)
  check("bucketize", boundaries)
  if not core.is_tensor(x) and type(x) ~= "number" then
    error("bucketize: a tensor or a number expected, got " .. type(x), 2)
  end
  return order.searchsorted(boundaries, x, right)
end

--- The distinct elements in ascending order.
-- @param x any shape, flattened
-- @tparam[opt] table options `return_inverse`: also, for each element of x, its position among them;
-- `return_counts`: also how often each occurs
-- @return values, then what was asked for
function order.unique(x, options)
  check("unique", x)
  options = args.options("unique", options, {return_inverse = true, return_counts = true, sorted = true})
  local flat = x:detach():reshape(-1)
  local n = flat:numel()
  local values, places = sort(flat, 1)
  local starts = core.empty({n}, "bool", x.device):fill_(true) -- where another value begins
  if n > 1 then
    local rest, before = values:narrow(1, 2, n - 1), values:narrow(1, 1, n - 1)
    starts:narrow(1, 2, n - 1):copy_(rest:ne(before))
  end
  local first = ops.nonzero(starts):reshape(-1)
  local results = {ops.index_select(values, 1, first)}
  if options.return_inverse then
    local ranks = starts:cumsum(1)
    results[#results + 1] = ops.scatter(ranks, 1, places, ranks):reshape(x.shape)
  end
  if options.return_counts then
    local ends = core.empty({first:numel()}, "int64", x.device):fill_(n + 1)
    local m = first:numel()
    if m > 1 then ends:narrow(1, 1, m - 1):copy_(first:narrow(1, 2, m - 1)) end
    results[#results + 1] = ends - first
  end
  return table.unpack(results)
end

--- How often each id occurs: element i counts i, from 1 on.
-- @param ids int64 (n)
-- @param[opt] weights (n) what each counts for
-- @tparam[opt=0] integer minlength the least length of the result
function order.bincount(ids, weights, minlength)
  check("bincount", ids)
  if ids:dim() ~= 1 or ids.dtype ~= "int64" then
    error(("bincount: int64 ids of one dim expected, got %s of %d dims"):format(ids.dtype, ids:dim()), 2)
  end
  if minlength ~= nil and (math.type(minlength) ~= "integer" or minlength < 0) then
    error("bincount: minlength must be an integer from 0 on, got " .. tostring(minlength), 2)
  elseif weights ~= nil and not core.is_tensor(weights) then
    error("bincount: weights must be a tensor, got " .. type(weights), 2)
  end
  local most = ids:numel() > 0 and ids:max():item() or 0
  local length = math.max(most, minlength or 0)
  if not weights then weights = core.empty(ids.shape, "int64", ids.device):fill_(1) end
  local zeros = core.empty({length}, weights.dtype, ids.device):fill_(0)
  return ops.index_add(zeros, 1, ids, weights)
end

-- ---- drawing -------------------------------------------------------------------------------------

local function check_weights(weights, count, replacement)
  if weights.dtype ~= "float32" and weights.dtype ~= "float64" then
    error("multinomial: wants floats, got " .. weights.dtype .. "; convert with :float()", 3)
  end
  local n = weights:dim() > 0 and weights:size(-1) or 0
  if weights:dim() < 1 or weights:dim() > 2 or n == 0 then
    error(("multinomial: weights (n) or (rows, n) expected, got [%s]")
      :format(table.concat(weights.shape, ", ")), 3)
  end
  if math.type(count) ~= "integer" or count < 1 then
    error("multinomial: a number of samples expected, got " .. tostring(count), 3)
  end
  if weights:numel() == 0 then return n end
  if not weights:isfinite():logical_and(weights:ge(0)):all():item() then
    error("multinomial: weights must be finite and not negative", 3)
  end
  local possible = weights:gt(0):sum(-1):min():item()
  if possible == 0 then error("multinomial: a row of weights is all 0", 3) end
  if not replacement and count > possible then
    error(("multinomial: %d samples without replacement, but only %d weights are above 0")
      :format(count, possible), 3)
  end
  return n
end

--- Positions drawn with chances in proportion to weights.
--
-- Without replacement (and for one sample): the positions of the largest w_i / E_i, with E_i drawn
-- from an exponential distribution, as PyTorch does it.  With it: where uniform numbers fall among
-- the running sums of the weights.
-- @param weights float (n) or (rows, n), not negative; rows need not add up to 1
-- @tparam integer count samples a row
-- @tparam[opt=false] boolean replacement may a position be drawn again? or {replacement = true}
-- @return int64 (count) or (rows, count), positions from 1 on
function order.multinomial(weights, count, replacement)
  check("multinomial", weights)
  replacement = read("multinomial", {"replacement"}, replacement)
  local n = check_weights(weights, count, replacement)
  local w = weights:detach()
  if count == 1 or not replacement then
    local u = core.empty(w.shape, "float64", w.device):uniform_(0, 1)
    local e = ops.clamp(-(1 - u):log():to(w.dtype), 1e-38, math.huge) -- 0 / 0 must not win
    return (select(2, topk(w / e, count, -1, true)))
  end
  local sums = w:to("float64"):cumsum(-1)
  local sizes = w.shape
  sizes[#sizes] = count
  local u = core.empty(sizes, "float64", w.device):uniform_(0, 1)
  local total = sums:narrow(-1, n, 1)
  local places = searchsorted(sums, u * total, true)
  -- rounding of u * total may reach the total: the last weight above 0 then
  local last = searchsorted(sums, total)
  return ops.minimum(places, last)
end

--- 0 and 1, with the chances of a 1 in a tensor.
-- @param chances floats in 0 .. 1
function order.bernoulli(chances)
  check("bernoulli", chances)
  if chances.dtype ~= "float32" and chances.dtype ~= "float64" then
    error("bernoulli: wants floats, got " .. chances.dtype .. "; convert with :float()", 2)
  end
  if chances:numel() > 0 and not chances:ge(0):logical_and(chances:le(1)):all():item() then
    error("bernoulli: chances lie in 0 .. 1", 2)
  end
  local u = core.empty(chances.shape, chances.dtype, chances.device):uniform_(0, 1)
  return u:lt(chances:detach()):to(chances.dtype)
end

return order
