--- Cases of the ops that move or view elements.
local core = require "gru.core"
local nd = require "tests.support.nd"

local ops = core.functions
local EVERY = {"float32", "float64", "int64", "bool"}

local function case(name, shape, call, ref, options)
  local made = {name = name, inputs = {{shape}}, call = call, ref = ref, dtypes = EVERY}
  for key, value in pairs(options or {}) do made[key] = value end
  return made
end

local function reshaped(op, from, to, full, options)
  return case(table.concat(from, " ") .. " to " .. table.concat(to, " "), from,
    function(x) return ops[op](x, to) end, function(a) return nd.reshape(a, full or to) end, options)
end

-- A view exists whatever the layout where no dims are merged.
local contiguous = {layouts = {"contiguous"}}

local views = {
  reshaped("view", {2, 3, 4}, {6, 4}, nil, contiguous), reshaped("view", {2, 3, 4}, {24}, nil, contiguous),
  reshaped("view", {2, 3, 4}, {2, -1}, {2, 12}, contiguous), reshaped("view", {2, 6}, {2, 2, 3}),
  reshaped("view", {2, 6}, {2, 1, 6, 1}), reshaped("view", {1}, {}), reshaped("view", {}, {1, 1}),
  reshaped("view", {0, 3}, {3, 0, 2}, nil, contiguous),
}

local reshapes = {
  reshaped("reshape", {2, 3, 4}, {6, 4}), reshaped("reshape", {2, 3, 4}, {4, 6}),
  reshaped("reshape", {2, 3, 4}, {-1}, {24}), reshaped("reshape", {2, 3, 4}, {2, 2, -1, 2}, {2, 2, 3, 2}),
  reshaped("reshape", {4}, {2, 1, 2}), reshaped("reshape", {1, 1}, {}), reshaped("reshape", {}, {1, 1}),
  reshaped("reshape", {0, 3}, {0}),
}

local function permuted(order)
  local full = {}
  for d, o in ipairs(order) do full[d] = o < 0 and o + #order + 1 or o end
  return case(table.concat(order, " "), {2, 3, 4}, function(x) return ops.permute(x, order) end,
    function(a) return nd.permute(a, full) end)
end

local function same(a) return a end

local function to_shape(shape)
  return function(a) return nd.reshape(a, shape) end
end

local function swapped(first, second, order)
  return case(first .. " and " .. second, {2, 3, 4},
    function(x) return ops.transpose(x, first, second) end, function(a) return nd.permute(a, order) end)
end

-- Elements first, first + step ... of dim d.
local function part(d, first, count, step)
  return function(a)
    local shape = {table.unpack(a.shape)}
    shape[d] = count
    return nd.pick(a, shape, function(at)
      local from = {table.unpack(at)}
      from[d] = first + (at[d] - 1) * step
      return from
    end)
  end
end

local narrows = {
  case("dim 2, 2 .. 3", {2, 4, 3}, function(x) return x:narrow(2, 2, 2) end, part(2, 2, 2, 1)),
  case("dim -1, from -2", {2, 4, 3}, function(x) return x:narrow(-1, -2, 2) end, part(3, 2, 2, 1)),
  case("dim 1, all", {3, 2}, function(x) return x:narrow(1, 1, 3) end, part(1, 1, 3, 1)),
  case("nothing", {3, 2}, function(x) return x:narrow(1, 2, 0) end, part(1, 2, 0, 1)),
  case("of nothing", {3, 0}, function(x) return x:narrow(1, 2, 2) end, to_shape {2, 0}),
  case("at the end", {3, 2}, function(x) return x:narrow(1, 4, 0) end, part(1, 4, 0, 1)),
  case("every second", {2, 5}, function(x) return core.slice(x, 2, 1, 5, 2) end, part(2, 1, 3, 2)),
  case("every third from 2", {7}, function(x) return x[{{2, -1, 3}}] end, part(1, 2, 2, 3)),
  case("twice", {6}, function(x) return x:narrow(1, 2, 5):narrow(1, 2, 3) end, part(1, 3, 3, 1)),
}

local function selected(d, i)
  return function(a)
    local shape = {table.unpack(a.shape)}
    table.remove(shape, d)
    return nd.pick(a, shape, function(at)
      local from = {table.unpack(at)}
      table.insert(from, d, i)
      return from
    end)
  end
end

local selects = {
  case("dim 1", {2, 3, 4}, function(x) return ops.select(x, 1, 2) end, selected(1, 2)),
  case("dim -1, -1", {2, 3, 4}, function(x) return ops.select(x, -1, -1) end, selected(3, 4)),
  case("dim 2", {2, 3, 4}, function(x) return ops.select(x, 2, 1) end, selected(2, 1)),
  case("of a vector", {3}, function(x) return x[2] end, selected(1, 2)),
  case("of nothing", {2, 0}, function(x) return ops.select(x, 1, 2) end, to_shape {0}),
}

local squeezes = {
  case("all", {1, 3, 1}, function(x) return x:squeeze() end, to_shape {3}),
  case("dim 1", {1, 3, 1}, function(x) return x:squeeze(1) end, to_shape {3, 1}),
  case("dim -1", {1, 3, 1}, function(x) return x:squeeze(-1) end, to_shape {1, 3}),
  case("a dim that is larger", {2, 3}, function(x) return x:squeeze(1) end, to_shape {2, 3}),
  case("two", {1, 3, 1}, function(x) return x:squeeze({1, 3}) end, to_shape {3}),
  case("0-d", {}, function(x) return x:squeeze() end, to_shape {}),
  case("nothing", {1, 0}, function(x) return x:squeeze(1) end, to_shape {0}),
}

local unsqueezes = {
  case("dim 1", {2, 3}, function(x) return x:unsqueeze(1) end, to_shape {1, 2, 3}),
  case("dim 3", {2, 3}, function(x) return x:unsqueeze(3) end, to_shape {2, 3, 1}),
  case("dim -2", {2, 3}, function(x) return x:unsqueeze(-2) end, to_shape {2, 1, 3}),
  case("0-d", {}, function(x) return x:unsqueeze(-1) end, to_shape {1}),
  case("nothing", {0, 3}, function(x) return x:unsqueeze(1) end, to_shape {1, 0, 3}),
}

local function expanded(from, sizes, full)
  return case(table.concat(from, " ") .. " to " .. table.concat(sizes, " "), from,
    function(x) return x:expand(sizes) end, function(a) return nd.expand(a, full or sizes) end)
end

local expands = {
  expanded({3, 1}, {3, 4}), expanded({3, 1}, {2, -1, 4}, {2, 3, 4}), expanded({3}, {2, 3}),
  expanded({}, {2, 2}), expanded({2, 3}, {2, 3}), expanded({1, 3}, {0, 3}),
  expanded({0, 1}, {0, 3}),
}

local shapes = {{2, 3, 4}, {}, {5}, {0, 2}}
local clones, contiguouses = {}, {}
for i, shape in ipairs(shapes) do
  clones[i] = case(table.concat(shape, " "), shape, function(x) return x:clone() end, same)
  contiguouses[i] = case(table.concat(shape, " "), shape, function(x) return x:contiguous() end, same)
end

local function truth(v) return v ~= 0 and v ~= false end
local function as_number(v) return v == true and 1 or v == false and 0 or v end
local function as_integer(v)
  v = as_number(v)
  return v < 0 and math.ceil(v) or math.floor(v)
end

local function converted(dtype, f, grad, shape)
  return case("to " .. dtype, shape or {2, 3}, function(x) return ops.to(x, dtype) end,
    function(a) return nd.round(nd.map(f, a), dtype) end, {result = dtype, grad = grad})
end

local conversions = {
  converted("float32", as_number, false), converted("float64", as_number),
  converted("int64", as_integer, false), converted("bool", truth, false),
  converted("float64", as_number, nil, {}), converted("float64", as_number, nil, {0, 3}),
}

-- Arrays joined along dim d.
local function joined(d, ...)
  local list, shape = {...}, {table.unpack((...).shape)}
  shape[d] = 0
  for _, a in ipairs(list) do shape[d] = shape[d] + a.shape[d] end
  local data = {}
  for at, i in nd.positions(shape) do
    local from, k = {table.unpack(at)}, 1
    while from[d] > list[k].shape[d] do
      from[d] = from[d] - list[k].shape[d]
      k = k + 1
    end
    data[i] = nd.at(list[k], from)
  end
  return nd.new(shape, data)
end

local function several(name, inputs, call, ref)
  return {name = name, inputs = inputs, call = call, ref = ref, dtypes = EVERY}
end

local cats = {
  several("rows", {{{2, 3}}, {{1, 3}}, {{3, 3}}}, function(...) return ops.cat({...}, 1) end,
    function(...) return joined(1, ...) end),
  several("columns", {{{2, 3}}, {{2, 2}}}, function(...) return ops.cat({...}, -1) end,
    function(...) return joined(2, ...) end),
  several("one", {{{2, 3}}}, function(...) return ops.cat({...}, 1) end, same),
  several("with an empty one", {{{2, 3}}, {{0, 3}}}, function(...) return ops.cat({...}, 1) end, same),
  several("the same twice", {{{2, 3}}}, function(x) return ops.cat({x, x}, 2) end,
    function(a) return joined(2, a, a) end),
}

local function stacked(d)
  return function(...)
    local list = {}
    for k, a in ipairs {...} do
      local shape = {table.unpack(a.shape)}
      table.insert(shape, d, 1)
      list[k] = nd.reshape(a, shape)
    end
    return joined(d, table.unpack(list))
  end
end

local stacks = {
  several("in front", {{{2, 3}}, {{2, 3}}, {{2, 3}}}, function(...) return ops.stack({...}, 1) end,
    stacked(1)),
  several("inside", {{{2, 3}}, {{2, 3}}}, function(...) return ops.stack({...}, 2) end, stacked(2)),
  several("last", {{{2, 3}}, {{2, 3}}}, function(...) return ops.stack({...}, -1) end, stacked(3)),
  several("0-d", {{{}}, {{}}}, function(...) return ops.stack({...}, 1) end, stacked(1)),
  several("nothing", {{{0, 3}}, {{0, 3}}}, function(...) return ops.stack({...}, 1) end, stacked(1)),
}

return {
  view = views, reshape = reshapes,
  permute = {
    permuted {2, 3, 1}, permuted {3, 2, 1}, permuted {1, 2, 3}, permuted {-1, 1, 2},
    case("0-d", {}, function(x) return ops.permute(x, {}) end, same),
    case("nothing", {0, 3}, function(x) return ops.permute(x, {2, 1}) end, to_shape {3, 0}),
  },
  transpose = {
    swapped(1, 2, {2, 1, 3}), swapped(-1, 1, {3, 2, 1}), swapped(2, 2, {1, 2, 3}),
    case("0-d", {}, function(x) return ops.transpose(x, 1, -1) end, same),
    case("nothing", {0, 3}, function(x) return ops.transpose(x, 1, 2) end, to_shape {3, 0}),
  },
  narrow = narrows, select = selects, squeeze = squeezes, unsqueeze = unsqueezes, expand = expands,
  clone = clones, contiguous = contiguouses, to = conversions, cat = cats, stack = stacks,
}
