--- Ops that rearrange elements, written with other ops; methods of tensors, too.
-- @module gru.arrange
local args = require "gru.args"
local core = require "gru.core"

local arrange = {}
local ops = core.functions

local function check(name, x)
  if not core.is_tensor(x) then
    error(("%s: a tensor expected, got %s"):format(name, type(x)), 3)
  end
end

-- The dim as 1 .. n; a 0-d tensor has dim 1.
local function positive(name, dim, n)
  if math.type(dim) ~= "integer" then
    error(("%s: a dim expected, got %s"):format(name, tostring(dim)), 3)
  end
  local d = dim < 0 and dim + math.max(n, 1) + 1 or dim
  if d < 1 or d > math.max(n, 1) then
    error(("%s: dim %s of a tensor with %d dims"):format(name, tostring(dim), n), 3)
  end
  return d
end

-- Integers one by one or in a table.
local function integers(name, what, first, ...)
  local list = type(first) == "table" and first or {first, ...}
  for i, v in ipairs(list) do
    if math.type(v) ~= "integer" then
      error(("%s: %s must be integers, number %d is %s"):format(name, what, i, tostring(v)), 3)
    end
  end
  return list
end

-- ---- order -----------------------------------------------------------------------------------

--- The elements in reverse along some dims.
-- @usage x:flip(1)  x:flip({1, 2})
function arrange.flip(x, ...)
  check("flip", x)
  local seen = {}
  for _, dim in ipairs(integers("flip", "dims", ...)) do
    local d = positive("flip", dim, x:dim())
    if seen[d] then error(("flip: dim %d is named twice"):format(d), 2) end
    seen[d] = true
    if x:dim() > 0 then
      local n = x:size(d)
      x = ops.index_select(x, d, core.range(n, -1, n, "int64", x.device))
    end
  end
  return x
end

--- Reverses the columns of (m, n, ...).
function arrange.fliplr(x) return arrange.flip(x, 2) end

--- Reverses the rows.
function arrange.flipud(x) return arrange.flip(x, 1) end

-- x with the last `shift` places of dim d in front.
local function roll(x, shift, d)
  local n = x:size(d)
  if n == 0 or shift % n == 0 then return x end
  local at = n - shift % n
  return ops.cat({x:narrow(d, at + 1, n - at), x:narrow(d, 1, at)}, d)
end

--- Moves elements on by `shifts` places along dims; what leaves at the end comes back in front.
-- Without dims the flattened tensor is rolled.
-- @usage x:roll(1, 2)  x:roll({1, -1}, {1, 2})
-- @param x any shape
-- @tparam integer|table shifts
-- @tparam[opt] integer|table dims
function arrange.roll(x, shifts, dims)
  check("roll", x)
  shifts = integers("roll", "shifts", shifts)
  if dims == nil then
    if #shifts ~= 1 then error("roll: as many dims as shifts are wanted", 2) end
    return roll(x:reshape(-1), shifts[1], 1):reshape(x.shape)
  end
  dims = integers("roll", "dims", dims)
  if #dims ~= #shifts then
    error(("roll: %d shifts for %d dims"):format(#shifts, #dims), 2)
  end
  for i, dim in ipairs(dims) do x = roll(x, shifts[i], positive("roll", dim, x:dim())) end
  return x
end

--- Swaps two dims.
function arrange.swapaxes(x, first, second) return ops.transpose(x, first, second) end
--- The same.
-- @function swapdims
arrange.swapdims = arrange.swapaxes

--- Moves dims to other places; the others keep their order.
-- @usage x = gru.ones(2, 3, 4):movedim({1, 2}, {2, 3})
-- @param x any shape
-- @tparam integer|table source
-- @tparam integer|table destination
function arrange.movedim(x, source, destination)
  check("movedim", x)
  source = integers("movedim", "dims", source)
  destination = integers("movedim", "dims", destination)
  if #source ~= #destination then
    error(("movedim: %d dims to %d places"):format(#source, #destination), 2)
  end
  local n, order, taken = x:dim(), {}, {}
  if n == 0 then return x end
  for i, dim in ipairs(source) do
    local from = positive("movedim", dim, n)
    local to = positive("movedim", destination[i], n)
    if taken[from] or order[to] then
      error(("movedim: dim %d is named twice"):format(taken[from] and from or to), 2)
    end
    order[to], taken[from] = from, true
  end
  local at = 1
  for d = 1, n do
    if not taken[d] then
      while order[at] do at = at + 1 end
      order[at] = d
    end
  end
  return x:permute(order)
end
--- The same.
-- @function moveaxis
arrange.moveaxis = arrange.movedim

--- Splits dim `dim` into `sizes`, of which one may be -1.
-- @usage x:unflatten(2, {3, -1})
function arrange.unflatten(x, dim, ...)
  check("unflatten", x)
  local d, sizes = positive("unflatten", dim, x:dim()), {}
  local parts = integers("unflatten", "sizes", ...)
  local known, hole = 1, false
  for _, size in ipairs(parts) do
    if size == -1 then hole = true else known = known * size end
  end
  local have = x:dim() > 0 and x:size(d) or 1
  local fits = known == have
  if hole then fits = known > 0 and have % known == 0 end
  if #parts == 0 or not fits then
    error(("unflatten: sizes [%s] do not make dim %d of size %d")
      :format(table.concat(parts, ", "), d, have), 2)
  end
  for e = 1, x:dim() do
    if e ~= d then sizes[#sizes + 1] = x:size(e) end
    for _, size in ipairs(e == d and parts or {}) do
      sizes[#sizes + 1] = size == -1 and have // known or size
    end
  end
  return x:reshape(sizes)
end

-- ---- repetition ---------------------------------------------------------------------------------

-- x, seen as (before, rest), with `count` copies of each row, in the shape `sizes`.
local function spread_copies(x, before, count, rest, sizes)
  return x:reshape(before, 1, rest):expand(before, count, rest):reshape(sizes)
end

--- Repeats the whole tensor along each dim; more counts than dims add dims in front.  It is
-- PyTorch's `repeat`, whose name is a word of Lua.
-- @usage x:repeat_(2, 3)
function arrange.repeat_(x, ...)
  check("repeat_", x)
  local counts = integers("repeat_", "counts", ...)
  local n = #counts
  if n < x:dim() then
    error(("repeat_: %d counts for %d dims"):format(n, x:dim()), 2)
  end
  local split, spread, whole, lead = {}, {}, {}, n - x:dim()
  for d, count in ipairs(counts) do
    if count < 0 then error("repeat_: counts must not be negative, got " .. count, 2) end
    local size = d > lead and x:size(d - lead) or 1
    whole[d] = count * size
    if count ~= 1 or d <= lead then -- few dims: there are at most 8
      split[#split + 1], spread[#spread + 1] = 1, count
    end
    if d > lead then split[#split + 1], spread[#spread + 1] = size, size end
  end
  if #split <= 8 then return x:reshape(split):expand(spread):reshape(whole) end
  for d = n, 1, -1 do -- one dim after the other
    local before, rest = 1, 1
    for e = 1, x:dim() do
      if e + lead < d then before = before * x:size(e) else rest = rest * x:size(e) end
    end
    local sizes = x.shape
    if d > lead then sizes[d - lead] = whole[d] else table.insert(sizes, 1, counts[d]) end
    x = spread_copies(x, before, counts[d], rest, sizes)
    if d <= lead then lead = d - 1 end
  end
  return x
end

--- Repeats the whole tensor along each dim; fewer counts than dims are for the last ones.
-- @usage x:tile(2)  x:tile({2, 1})
function arrange.tile(x, ...)
  check("tile", x)
  local counts = {table.unpack(integers("tile", "counts", ...))}
  while #counts < x:dim() do table.insert(counts, 1, 1) end
  return arrange.repeat_(x, counts)
end

--- Repeats each element along a dim (of the flattened tensor without one).
-- @param x any shape
-- @param repeats a count, or an int64 tensor of one count an element (or of one for all)
-- @tparam[opt] integer dim
function arrange.repeat_interleave(x, repeats, dim)
  check("repeat_interleave", x)
  if dim == nil then x, dim = x:reshape(-1), 1 end
  local d = positive("repeat_interleave", dim, x:dim())
  if x:dim() == 0 then x = x:reshape(1) end
  local n = x:size(d)
  if core.is_tensor(repeats) and repeats:numel() == 1 then repeats = repeats:item() end
  if math.type(repeats) == "integer" and repeats >= 0 then
    local sizes, before, rest = x.shape, 1, 1
    for e, size in ipairs(sizes) do
      if e <= d then before = before * size else rest = rest * size end
    end
    sizes[d] = n * repeats
    return spread_copies(x, before, repeats, rest, sizes)
  end
  if not core.is_tensor(repeats) or repeats.dtype ~= "int64" or repeats:dim() ~= 1
    or repeats:numel() ~= n or n > 0 and repeats:min():item() < 0 then
    error(("repeat_interleave: a count, or an int64 tensor of %d counts expected, got %s"):format(n,
      core.is_tensor(repeats) and repeats.dtype .. " [" .. table.concat(repeats.shape, ", ") .. "]"
      or tostring(repeats)), 2)
  end
  if n > 0 and repeats:max():item() > (1 << 60) // n then
    error("repeat_interleave: the counts add up past 2^60", 2)
  end
  -- element j of the result comes from the first i with j <= repeats_1 + ... + repeats_i
  local ends = repeats:cumsum(1)
  local count = n > 0 and ends[-1]:item() or 0
  return ops.index_select(x, d, ops.searchsorted(ends, core.range(1, 1, count, "int64", x.device)))
end

--- Expands to sizes; sizes of 1 grow.
function arrange.broadcast_to(x, ...)
  check("broadcast_to", x)
  return x:expand(...)
end

-- ---- triangles and diagonals ------------------------------------------------------------------------

local function an_offset(name, diagonal, level)
  if diagonal ~= nil and math.type(diagonal) ~= "integer" then
    error(("%s: the diagonal must be an integer, got %s"):format(name, tostring(diagonal)), level or 3)
  end
  return diagonal or 0
end

-- x where column - row of the last two dims is on one side of a diagonal, the rest 0.
local function triangle(name, x, diagonal, side)
  check(name, x)
  if x:dim() < 2 then
    error(("%s: two dims or more expected, got %d"):format(name, x:dim()), 3)
  end
  local limit = an_offset(name, diagonal, 4)
  if x:numel() == 0 then return x:clone() end
  local rows = core.range(0, 1, x:size(-2), "int64", x.device):unsqueeze(2)
  local mask = ops[side](core.range(0, 1, x:size(-1), "int64", x.device) - rows, limit)
  return ops.where(mask, x, core.empty({}, x.dtype, x.device):fill_(0))
end

--- The lower triangle of the last two dims, the rest 0.
-- @param x (..., m, n)
-- @tparam[opt=0] integer diagonal the last one kept: 1 is the one above the main one
function arrange.tril(x, diagonal) return triangle("tril", x, diagonal, "le") end

--- The upper triangle of the last two dims, the rest 0.
-- @param x (..., m, n)
-- @tparam[opt=0] integer diagonal the first one kept
function arrange.triu(x, diagonal) return triangle("triu", x, diagonal, "ge") end

--- The diagonal of a matrix, or the matrix with a vector as its diagonal.
-- @param x (n) or (m, n)
-- @tparam[opt=0] integer diagonal
function arrange.diag(x, diagonal)
  check("diag", x)
  local k = an_offset("diag", diagonal)
  if x:dim() == 1 then
    local n = x:size(1) + math.abs(k)
    local first = k >= 0 and k + 1 or -k * n + 1
    local ids = core.range(first, n + 1, x:size(1), "int64", x.device)
    local zeros = core.empty({n, n}, x.dtype, x.device):fill_(0)
    return ops.scatter(zeros:reshape(-1), 1, ids, x):reshape(n, n)
  end
  if x:dim() ~= 2 then error(("diag: one dim or two expected, got %d"):format(x:dim()), 2) end
  local m, n = x:size(1), x:size(2)
  local count = math.max(0, math.min(m + math.min(k, 0), n - math.max(k, 0)))
  local first = k >= 0 and k + 1 or -k * n + 1
  return ops.index_select(x:reshape(-1), 1, core.range(first, n + 1, count, "int64", x.device))
end

--- The sum of the diagonal of a matrix.
function arrange.trace(x)
  check("trace", x)
  if x:dim() ~= 2 then error(("trace: two dims expected, got %d"):format(x:dim()), 2) end
  return arrange.diag(x):sum()
end

--- Tensors of vectors' values over their grid, in a table: as matrices rows and columns ("ij").
-- @tparam table vectors
-- @tparam[opt] table options `indexing`: "ij" (the default) or "xy"
function arrange.meshgrid(vectors, options)
  local how = args.options("meshgrid", options, {indexing = true}).indexing or "ij"
  if how ~= "ij" and how ~= "xy" then
    error("meshgrid: indexing must be \"ij\" or \"xy\", got " .. tostring(how), 2)
  end
  if type(vectors) ~= "table" then error("meshgrid: a table of vectors expected", 2) end
  local sizes, place, grids = {}, {}, {}
  for i, x in ipairs(vectors) do
    check("meshgrid", x)
    if x:dim() > 1 then error("meshgrid: vectors expected, number " .. i .. " is none", 2) end
    place[i] = how == "xy" and i <= 2 and #vectors > 1 and 3 - i or i
    sizes[place[i]] = x:numel()
  end
  for i, x in ipairs(vectors) do
    local shape = {}
    for d = 1, #vectors do shape[d] = d == place[i] and sizes[d] or 1 end
    grids[i] = x:reshape(shape):expand(sizes)
  end
  return grids
end

return arrange
