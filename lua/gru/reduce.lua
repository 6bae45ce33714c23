--- Reductions that are written with other ops; methods of tensors, too.
-- @module gru.reduce
local args = require "gru.args"
local core = require "gru.core"

local reduce = {}
local ops = core.functions

local function want_float(name, x)
  if not core.is_tensor(x) then
    error(("%s: a tensor expected, got %s"):format(name, type(x)), 3)
  end
  if x.dtype ~= "float32" and x.dtype ~= "float64" then
    error(("%s: wants floats, got %s; convert with :float()"):format(name, x.dtype), 3)
  end
end

-- How many elements a reduction over `dim` takes together.
local function count(x, dim)
  if dim == nil or type(dim) == "table" and #dim == 0 then return x:numel() end
  local n = 1
  for _, d in ipairs(type(dim) == "table" and dim or {dim}) do
    n = n * (x:dim() > 0 and x:size(d) or 1)
  end
  return n
end

-- The square root, with gradient 0 where y is 0.
local function root(y)
  local none = y:eq(0)
  return ops.where(none, y, ops.where(none, 1, y):sqrt())
end

-- The y-th root, likewise.
local function root_of(y, p)
  local none = y:eq(0)
  return ops.where(none, y, ops.where(none, 1, y) ^ (1 / p))
end

local function is_options(t) return type(t) == "table" and #t == 0 and next(t) ~= nil end

-- (dim, keepdim, correction), or an option table last.
local function spread_arguments(name, dim, keepdim, correction)
  local options = is_options(dim) and dim or is_options(keepdim) and keepdim
    or is_options(correction) and correction
  if options then
    args.options(name, options, {dim = true, keepdim = true, correction = true, unbiased = true})
    if dim == options then dim = options.dim end
    if keepdim == options or keepdim == nil then keepdim = options.keepdim end
    correction = options.correction
    if correction == nil and options.unbiased == false then correction = 0 end
  end
  if type(dim) == "boolean" then
    error(name .. ": a dim expected, got a boolean; {unbiased = false} is an option", 3)
  end
  return dim, keepdim, args.number(name, "correction", correction, 1)
end

local function variance(x, dim, keepdim, correction)
  local d = x - x:mean(dim, true)
  return d:square():sum(dim, keepdim) / math.max(count(x, dim) - correction, 0)
end

--- Variance over all or some dims, divided by n - correction.
-- @usage x:var(1)  x:var(1, {unbiased = false, keepdim = true})
-- @param x floats
-- @tparam[opt] integer|table dim
-- @tparam[opt=false] boolean keepdim
-- @tparam[opt=1] number correction or, in place of any of them, a table {dim =, keepdim =,
-- correction =, unbiased =}
function reduce.var(x, dim, keepdim, correction)
  want_float("var", x)
  return variance(x, spread_arguments("var", dim, keepdim, correction))
end

--- Standard deviation, the square root of `var`, with the same arguments.
function reduce.std(x, dim, keepdim, correction)
  want_float("std", x)
  return root(variance(x, spread_arguments("std", dim, keepdim, correction)))
end

--- Variance and mean.
function reduce.var_mean(x, dim, keepdim, correction)
  want_float("var_mean", x)
  dim, keepdim, correction = spread_arguments("var_mean", dim, keepdim, correction)
  return variance(x, dim, keepdim, correction), x:mean(dim, keepdim)
end

--- Standard deviation and mean.
function reduce.std_mean(x, dim, keepdim, correction)
  want_float("std_mean", x)
  dim, keepdim, correction = spread_arguments("std_mean", dim, keepdim, correction)
  return root(variance(x, dim, keepdim, correction)), x:mean(dim, keepdim)
end

--- The p-norm (sum |x|^p)^(1 / p) over all or some dims; its gradient at 0 is 0.
-- @param x floats
-- @tparam[opt=2] number p 0 counts what is not 0; `math.huge` and `-math.huge` take the largest and
-- the smallest magnitude; "fro" is 2
-- @tparam[opt] integer|table dim
-- @tparam[opt=false] boolean keepdim
function reduce.norm(x, p, dim, keepdim)
  want_float("norm", x)
  if is_options(p) then
    p = args.options("norm", p, {p = true, dim = true, keepdim = true})
    p, dim, keepdim = p.p, p.dim, p.keepdim
  end
  if p == nil or p == "fro" then p = 2 end
  if type(p) ~= "number" or p ~= p then
    error("norm: p must be a number or \"fro\", got " .. tostring(p), 2)
  end
  if p == 2 then return root(x:square():sum(dim, keepdim)) end
  local a = x:abs()
  if p == 1 then return a:sum(dim, keepdim) end
  if p == math.huge then return a:amax(dim, keepdim) end
  if p == -math.huge then return a:amin(dim, keepdim) end
  if p == 0 then return x:ne(0):to(x.dtype):sum(dim, keepdim) end
  return root_of((p > 1 and a or ops.where(a:eq(0), a:detach(), a)):pow(p):sum(dim, keepdim), p)
end

--- log sum exp over one dim or several (all without any), without overflow.
-- @param x floats
-- @tparam[opt] integer|table dim
-- @tparam[opt=false] boolean keepdim
function reduce.logsumexp(x, dim, keepdim)
  want_float("logsumexp", x)
  if keepdim ~= nil and type(keepdim) ~= "boolean" then
    error("logsumexp: keepdim (a boolean) expected, got " .. type(keepdim), 2)
  end
  for _, d in ipairs(type(dim) == "table" and dim or {dim}) do args.dim("logsumexp", d, x:dim()) end
  if count(x, dim) == 0 then return x:exp():sum(dim, keepdim):log() end
  local top = x:detach():amax(dim, true)
  top = ops.where(top:isfinite(), top, core.empty({}, x.dtype, x.device):fill_(0))
  local y = (x - top):exp():sum(dim, true):log() + top
  if keepdim then return y end
  return dim == nil and y:reshape({}) or y:squeeze(dim)
end

--- How many elements are not 0, of all or along some dims.
function reduce.count_nonzero(x, dim)
  args.tensor("count_nonzero", x)
  return x:ne(0):sum(dim)
end

--- The sum with NaN taken as 0.
function reduce.nansum(x, dim, keepdim)
  want_float("nansum", x)
  return ops.where(x:isnan(), core.empty({}, x.dtype, x.device):fill_(0), x):sum(dim, keepdim)
end

return reduce
