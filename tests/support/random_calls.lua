--- Every op with random shapes, layouts and arguments: what agree_devices_spec.lua compares on two devices.
--
-- A row has `dtypes`, of which one is under test, and `make(g)`, which draws the inputs and gives the call:
-- a function of them.  `g` has
--   draw          a generator of tests/support/rng.lua
--   dtype         the one under test
--   x(shape, kind, dtype)  adds an input, of the dtype under test if not told otherwise; kinds are those of
--                 tests/support/mirror.lua
--   ids(shape, n) adds positions 1 .. n, now and then one that is none
--   values(kinds) one of these kinds
local core = require "gru.core"
local mirror = require "tests.support.mirror"

local ops = core.functions
local EVERY, NUMBERS, FLOATS = {"float32", "float64", "int64", "bool"}, {"float32", "float64", "int64"},
  {"float32", "float64"}
local MOST = 4000 -- elements

local rows = {}

-- ---- drawing -------------------------------------------------------------------------------------------

local function pick(draw, list) return list[draw(#list)] end
local function flip(draw) return draw(2) == 1 end

local function shape_of(draw, most_dims)
  local shape, count = mirror.shape(draw, most_dims), 1
  for d, size in ipairs(shape) do
    while count * math.max(size, 1) > MOST do size = size // 2 end
    shape[d], count = size, count * math.max(size, 1)
  end
  return shape
end

-- At least one dim.
local function dims_of(draw, most_dims)
  local shape
  repeat shape = shape_of(draw, most_dims) until #shape > 0
  return shape
end

-- A dim of a shape, counted from either end.
local function dim_of(draw, shape)
  local n = math.max(#shape, 1)
  local d = draw(n)
  return flip(draw) and d or d - n - 1
end

local function at(shape, d) return d < 0 and d + #shape + 1 or d end

local function with(shape, d, size)
  local out = {table.unpack(shape)}
  if #out > 0 then out[at(shape, d)] = size end
  return out
end

-- What broadcasts to `shape`.
local function part_of(draw, shape)
  local out = {table.unpack(shape, draw(4) == 1 and draw(#shape + 1) or 1)}
  for d in ipairs(out) do
    if draw(4) == 1 then out[d] = 1 end
  end
  return out
end

-- Some dims of a shape, or nil: all.
local function some_dims(draw, shape)
  local dims = {}
  for d = 1, #shape do
    if flip(draw) then dims[#dims + 1] = flip(draw) and d or d - #shape - 1 end
  end
  return #dims > 0 and dims or nil
end

local function numel(shape)
  local n = 1
  for _, size in ipairs(shape) do n = n * size end
  return n
end

-- ---- elementwise -----------------------------------------------------------------------------------------

local CONDITION = {where = true}

for _, op in ipairs(core.op_names()) do
  if op.elementwise then
    rows[op.name] = {dtypes = EVERY, make = function(g)
      local whole = shape_of(g.draw, 4)
      for i = 1, op.inputs do
        local shape = op.inputs > 1 and part_of(g.draw, whole) or whole
        g.x(shape, g.values {"plain", "special", "ties"}, i == 1 and CONDITION[op.name] and "bool" or nil)
      end
      return ops[op.name]
    end}
  end
end

-- ---- products --------------------------------------------------------------------------------------------

rows.matmul = {dtypes = FLOATS, make = function(g)
  local draw = g.draw
  local batch = shape_of(draw, 2)
  for d, size in ipairs(batch) do batch[d] = math.min(size, 5) end
  local m, n, k = draw(40) - 1, draw(40) - 1, draw(40) - 1
  local a, b = part_of(draw, batch), part_of(draw, batch)
  table.move({m, k}, 1, 2, #a + 1, a)
  table.move({k, n}, 1, 2, #b + 1, b)
  g.x(draw(6) == 1 and {k} or a)
  g.x(draw(6) == 1 and {k} or b)
  return ops.matmul
end}

rows.linear = {dtypes = FLOATS, make = function(g)
  local draw = g.draw
  local shape, n = dims_of(draw, 3), draw(40)
  g.x(shape)
  g.x {n, shape[#shape]}
  g.x {n}
  return core.linear
end}

-- ---- reductions and scans --------------------------------------------------------------------------------

for _, name in ipairs {"sum", "mean", "amax", "amin"} do
  rows[name] = {dtypes = EVERY, make = function(g)
    local shape = shape_of(g.draw, 4)
    local dims, keep = some_dims(g.draw, shape), flip(g.draw)
    g.x(shape, g.values {"plain", "special", "ties"})
    return function(x) return ops[name](x, dims, keep) end
  end}
end

-- One dim, or all.
local function over_a_dim(name, dtypes, kinds)
  rows[name] = {dtypes = dtypes, make = function(g)
    local shape = shape_of(g.draw, 4)
    local d, keep = not (g.draw(4) == 1) and dim_of(g.draw, shape) or nil, flip(g.draw)
    g.x(shape, g.values(kinds))
    return function(x) return ops[name](x, d, keep) end
  end}
end
for _, name in ipairs {"max", "min", "argmax", "argmin", "any", "all"} do
  over_a_dim(name, EVERY, {"plain", "special", "ties"})
end
over_a_dim("median", NUMBERS, {"plain", "special", "ties"})
over_a_dim("prod", EVERY, {"near 1"})

for name, kind in pairs {
  softmax = "special", log_softmax = "special", cumsum = "special", cumprod = "near 1",
} do
  rows[name] = {dtypes = name:find "softmax" and FLOATS or EVERY, make = function(g)
    local shape = shape_of(g.draw, 4)
    local d = dim_of(g.draw, shape)
    g.x(shape, g.values {"near 1", kind})
    return function(x) return ops[name](x, d) end
  end}
end

-- ---- shapes ----------------------------------------------------------------------------------------------

-- A row whose call has no inputs but x; `make(draw, shape)` gives it.
local function of_shape(name, make, most_dims)
  rows[name] = {dtypes = EVERY, make = function(g)
    local shape = shape_of(g.draw, most_dims or 4)
    g.x(shape, g.values {"plain", "special"})
    return make(g.draw, shape)
  end}
end

-- Another shape of as many elements.
local function other_shape(draw, shape)
  local n = numel(shape)
  if n == 0 then return {0, draw(3)} end
  local divisors = {}
  for d = 1, n do
    if n % d == 0 then divisors[#divisors + 1] = d end
  end
  local d = pick(draw, divisors)
  return flip(draw) and {d, n // d} or {d, -1, 1}
end

for _, name in ipairs {"view", "reshape"} do
  of_shape(name, function(draw, shape)
    local other = other_shape(draw, shape)
    return function(x) return ops[name](x, other) end
  end)
end

of_shape("permute", function(draw, shape)
  local order = {}
  for d = 1, #shape do table.insert(order, draw(#order + 1), d) end
  return function(x) return ops.permute(x, order) end
end)
of_shape("transpose", function(draw, shape)
  local a, b = dim_of(draw, shape), dim_of(draw, shape)
  return function(x) return ops.transpose(x, a, b) end
end)
of_shape("narrow", function(draw, shape)
  local d = dim_of(draw, shape)
  local size = shape[at(shape, d)] or 1
  local start = draw(size + 1)
  local length = draw(size - start + 2) - 1
  return function(x) return ops.narrow(x, d, start, length) end
end)
of_shape("select", function(draw, shape)
  local d = dim_of(draw, shape)
  local i = draw((shape[at(shape, d)] or 1) + 1) * (flip(draw) and 1 or -1) -- now and then one too many
  return function(x) return ops.select(x, d, i) end
end)
of_shape("squeeze", function(draw, shape)
  local d = flip(draw) and dim_of(draw, shape) or nil
  return function(x) return ops.squeeze(x, d) end
end)
of_shape("unsqueeze", function(draw, shape)
  local d = draw(#shape + 1)
  return function(x) return ops.unsqueeze(x, d) end
end)
of_shape("expand", function(draw, shape)
  local sizes = {table.unpack(shape)}
  for d, size in ipairs(sizes) do
    if size == 1 then sizes[d] = draw(3) end
  end
  table.insert(sizes, 1, draw(2))
  return function(x) return ops.expand(x, sizes) end
end, 3)
of_shape("clone", function() return ops.clone end)
of_shape("contiguous", function() return ops.contiguous end)

rows.to = {dtypes = EVERY, make = function(g)
  local dtype = pick(g.draw, EVERY)
  g.x(shape_of(g.draw, 4), dtype == "int64" and "ties" or g.values {"plain", "special"})
  return function(x) return ops.to(x, dtype) end
end}

for _, name in ipairs {"cat", "stack"} do
  rows[name] = {dtypes = EVERY, make = function(g)
    local shape = dims_of(g.draw, 3)
    local d = dim_of(g.draw, shape)
    for _ = 1, g.draw(5) do
      g.x(name == "cat" and with(shape, d, g.draw(6) - 1) or shape, g.values {"plain", "special"})
    end
    return function(...) return ops[name]({...}, d) end
  end}
end

-- ---- positions -------------------------------------------------------------------------------------------

rows.index_select = {dtypes = EVERY, make = function(g)
  local shape = shape_of(g.draw, 4)
  local d = dim_of(g.draw, shape)
  g.x(shape, g.values {"plain", "special"})
  g.ids({g.draw(9) - 1}, #shape == 0 and 1 or shape[at(shape, d)])
  return function(x, ids) return ops.index_select(x, d, ids) end
end}

rows.index_add = {dtypes = NUMBERS, make = function(g)
  local shape = dims_of(g.draw, 4)
  local d, n = dim_of(g.draw, shape), g.draw(9) - 1
  g.x(shape)
  g.ids({n}, shape[at(shape, d)])
  g.x(with(shape, d, n))
  return function(x, ids, from) return ops.index_add(x, d, ids, from) end
end}

rows.embedding = {dtypes = NUMBERS, make = function(g)
  local n = g.draw(40)
  g.x {n, g.draw(70) - 1}
  g.ids(shape_of(g.draw, 2), n)
  return ops.embedding
end}

-- The shape of ids for gather and scatter: no larger than x beside dim d.
local function within(draw, shape, d)
  local out = {}
  for k, size in ipairs(shape) do
    out[k] = k == at(shape, d) and draw(6) - 1 or size - (draw(4) == 1 and size > 0 and 1 or 0)
  end
  return out
end

rows.gather = {dtypes = EVERY, make = function(g)
  local shape = dims_of(g.draw, 3)
  local d = dim_of(g.draw, shape)
  g.x(shape, g.values {"plain", "special"})
  g.ids(within(g.draw, shape, d), shape[at(shape, d)])
  return function(x, ids) return ops.gather(x, d, ids) end
end}

for name, dtypes in pairs {scatter = EVERY, scatter_add = NUMBERS} do
  rows[name] = {dtypes = dtypes, make = function(g)
    local shape = dims_of(g.draw, 3)
    local d = dim_of(g.draw, shape)
    local ids = within(g.draw, shape, d)
    g.x(shape)
    g.ids(ids, shape[at(shape, d)])
    g.x(ids)
    return function(x, i, from) return ops[name](x, d, i, from) end
  end}
end

rows.one_hot = {dtypes = {"int64"}, make = function(g)
  local classes = g.draw(50)
  g.ids(shape_of(g.draw, 2), classes)
  return function(ids) return ops.contiguous(ops.one_hot(ids, classes)) end
end}

-- ---- order -----------------------------------------------------------------------------------------------

rows.sort = {dtypes = EVERY, make = function(g)
  local shape = shape_of(g.draw, 4)
  local d, descending = dim_of(g.draw, shape), flip(g.draw)
  g.x(shape, g.values {"plain", "special", "ties"})
  return function(x) return ops.sort(x, d, descending) end
end}

rows.topk = {dtypes = NUMBERS, make = function(g)
  local shape = dims_of(g.draw, 4)
  local d, largest = dim_of(g.draw, shape), flip(g.draw)
  local k = g.draw(shape[at(shape, d)] + 2) - 1 -- now and then one too many
  g.x(shape, g.values {"plain", "special", "ties"})
  return function(x) return ops.topk(x, k, d, largest) end
end}

rows.nonzero = {dtypes = EVERY, make = function(g)
  g.x(shape_of(g.draw, 4), g.values {"ties", "special"})
  return ops.nonzero
end}

rows.searchsorted = {dtypes = NUMBERS, make = function(g)
  local lines, right = flip(g.draw) and {g.draw(4)} or {}, flip(g.draw)
  local sequence, wanted = {table.unpack(lines)}, {table.unpack(lines)}
  sequence[#lines + 1], wanted[#lines + 1] = g.draw(40) - 1, g.draw(40) - 1
  g.x(sequence, "ties")
  g.x(wanted, "ties")
  return function(s, x) return ops.searchsorted((ops.sort(s, -1)), x, right) end
end}

-- ---- losses and recurrences ------------------------------------------------------------------------------

rows.cross_entropy = {dtypes = FLOATS, make = function(g)
  local draw = g.draw
  local n, classes = draw(20) - 1, draw(2) == 1 and draw(9) or draw(1100)
  local reduction, smoothing = pick(draw, {"mean", "sum", "none"}), pick(draw, {0, 0, 0.1})
  local ignore = draw(3) == 1 and draw(classes) or nil
  g.x {n, classes}
  g.ids({n}, classes)
  if draw(3) == 1 then g.x({classes}, "near 1") end
  return function(x, target, weight)
    return core.cross_entropy(x, target, weight and weight:detach(), ignore, reduction, smoothing)
  end
end}

for name, gates in pairs {rnn_sequence = 1, lstm_sequence = 4, gru_sequence = 3} do
  rows[name] = {dtypes = FLOATS, make = function(g)
    local draw = g.draw
    local L, N, H = draw(5), draw(9) - 1, draw(36)
    local biases, reverse = flip(draw), flip(draw)
    local variant = name == "lstm_sequence" and 0 or draw(2) - 1
    -- no sum within a rounding of the kink of relu
    g.x({L, N, gates * H}, name == "rnn_sequence" and variant == 1 and "large" or "plain")
    g.x({N, H})
    g.x({gates * H, H}, "small")
    if biases then
      g.x {gates * H}
      g.x {gates * H}
    end
    if name == "lstm_sequence" then g.x {N, H} end
    return function(gx, h, w, ...)
      local rest = {...}
      local b_ih, b_hh = table.unpack(rest, 1, biases and 2 or 0)
      local c = name == "lstm_sequence" and rest[#rest] or nil
      return core.recurrence(name, gx, h, w, b_ih, b_hh, nil, c, reverse, variant)
    end
  end}
end

return rows
