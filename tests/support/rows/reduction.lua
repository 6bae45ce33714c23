--- Cases of the reductions, softmax among them.
local core = require "gru.core"
local nd = require "tests.support.nd"

local ops = core.functions

local function number(v) return v == true and 1 or v == false and 0 or v end

local function sum(list)
  local total = 0
  for _, v in ipairs(list) do total = total + number(v) end
  return total
end

local function prod(list)
  local total = 1
  for _, v in ipairs(list) do total = total * number(v) end
  return total
end

local function mean(list) return sum(list) / #list end

-- The place of the extreme: the first of equals.
local function extreme(list, better)
  local at = 1
  for i, v in ipairs(list) do
    if better(number(v), number(list[at])) then at = i end
  end
  return at
end

local function greater(a, b) return a > b end
local function less(a, b) return a < b end
local function is_set(v) return v ~= 0 and v ~= false end

local function any(list)
  for _, v in ipairs(list) do
    if is_set(v) then return true end
  end
  return false
end

local function all(list)
  for _, v in ipairs(list) do
    if not is_set(v) then return false end
  end
  return true
end

local function set_of(dim, ndim)
  if dim == nil then return nil end
  local set = {}
  for _, d in ipairs(type(dim) == "table" and dim or {dim}) do set[d < 0 and d + ndim + 1 or d] = true end
  return set
end

local function text(dim) return type(dim) == "table" and table.concat(dim, " ") or tostring(dim) end

-- name, shape, dim, keepdim: a case of a reduction `f` over lists
local function case(name, f, shape, dim, keepdim, options)
  local made = {
    name = ("[%s] over %s%s"):format(table.concat(shape, ", "), text(dim), keepdim and ", kept" or ""),
    inputs = {{shape, options and options.draw}},
    call = function(x) return ops[name](x, dim, keepdim) end,
    ref = function(a) return nd.reduce(a, set_of(dim, #shape), keepdim, f) end,
  }
  for key, value in pairs(options or {}) do made[key] = value end
  return made
end

local function cases(name, f, options)
  return {
    case(name, f, {2, 3, 4}, nil, nil, options), case(name, f, {2, 3, 4}, nil, true, options),
    case(name, f, {2, 3, 4}, 1, nil, options), case(name, f, {2, 3, 4}, 2, true, options),
    case(name, f, {2, 3, 4}, -1, nil, options), case(name, f, {2, 3, 4}, {1, 3}, nil, options),
    case(name, f, {2, 3, 4}, {-1, 1}, true, options), case(name, f, {3, 1}, 2, nil, options),
    case(name, f, {}, nil, nil, options), case(name, f, {4}, 1, true, options),
  }
end

local function with_empty(list, name, f, options)
  list[#list + 1] = case(name, f, {0, 3}, 1, nil, options)
  list[#list + 1] = case(name, f, {2, 0}, nil, nil, options)
  list[#list + 1] = case(name, f, {0, 3}, 2, nil, options)
  return list
end

-- Sizes at which the kernels change their plan; forward only.
local function with_large(list, name, f, options)
  local large = {}
  for key, value in pairs(options) do large[key] = value end
  large.grad = false
  large.layouts = {"contiguous", "transposed", "sliced"}
  for _, form in ipairs {{{5, 67}, 2}, {{67, 5}, 1}, {{3, 40, 9}, 2}, {{1500}, 1}, {{300, 31}}} do
    list[#list + 1] = case(name, f, form[1], form[2], nil, large)
  end
  return list
end

local counted = {dtypes = {"float32", "float64", "int64", "bool"}, result = {bool = "int64"}}
local floats = {}
local flags = {dtypes = {"float32", "float64", "int64", "bool"}, result = "bool", grad = false,
  draw = function(r) return r(3) - 2.0 end}

local sums = with_large(with_empty(cases("sum", sum, counted), "sum", sum, counted), "sum", sum, counted)
local prods = with_empty(cases("prod", prod, counted), "prod", prod, counted)
-- with one zero, and with two
prods[#prods + 1] = {name = "a zero", inputs = {{{2, 3}, {1.5, 0.0, 2.0, -1.0, 0.5, 3.0}}},
  call = function(x) return x:prod(2) end,
  ref = function(a) return nd.reduce(a, {[2] = true}, false, prod) end, layouts = {"contiguous", "sliced"}}
prods[#prods + 1] = {name = "two zeros", inputs = {{{2, 3}, {1.5, 0.0, 0.0, -1.0, 0.5, 3.0}}},
  call = function(x) return x:prod(2) end,
  ref = function(a) return nd.reduce(a, {[2] = true}, false, prod) end, layouts = {"contiguous"}}
local means = with_large(cases("mean", mean, floats), "mean", mean, floats)
means[#means + 1] = case("mean", mean, {0, 3}, 2)

-- Over all: the value; along one dim: values and positions.
local function extremes(name, better)
  local list = {}
  local function value(values) return values[extreme(values, better)] end
  for _, form in ipairs {
    {{2, 3, 4}}, {{2, 3, 4}, 1}, {{2, 3, 4}, 2, true}, {{2, 3, 4}, -1}, {{}}, {{5}, 1}, {{0, 3}, 2},
    {{3, 67}, 2, false, true}, {{67, 3}, 1, false, true}, {{3, 70, 5}, 2, true, true},
  } do
    local made = case(name, value, form[1], form[2], form[3], {draw = "distinct",
      dtypes = {"float32", "float64", "int64"}, grad_layouts = {"contiguous", "transposed", "sliced"}})
    if form[4] then made.grad = false end
    if form[4] then made.layouts = {"contiguous", "transposed", "sliced"} end
    if form[2] then
      local values = made.ref
      made.ref = function(a)
        return values(a), nd.reduce(a, set_of(form[2], #form[1]), form[3],
          function(group) return extreme(group, better) end)
      end
    end
    list[#list + 1] = made
  end
  return list
end

local function positions(name, better)
  local list = {}
  for _, form in ipairs {{{2, 3, 4}}, {{2, 3, 4}, 1}, {{2, 3, 4}, 2, true}, {{2, 3, 4}, -1}, {{}}} do
    list[#list + 1] = case(name, function(values) return extreme(values, better) end, form[1], form[2],
      form[3], {draw = "distinct", dtypes = {"float32", "float64", "int64"}, result = "int64",
        grad = false})
  end
  return list
end

local function softmax(list, log)
  local top, total, y = -math.huge, 0, {}
  for _, v in ipairs(list) do top = math.max(top, v) end
  for _, v in ipairs(list) do total = total + math.exp(v - top) end
  for i, v in ipairs(list) do
    y[i] = log and v - top - math.log(total) or math.exp(v - top) / total
  end
  return y
end

-- over dim d of an array: made the last one, row after row, and moved back
local function normalise(log)
  return function(a, d)
    local order = {}
    for e = 1, #a.shape do order[e] = e end
    order[d], order[#order] = #order, d
    local moved, data = nd.permute(a, order), {}
    local width = moved.shape[#moved.shape]
    for first = 1, #moved.data, math.max(width, 1) do
      local row = softmax({table.unpack(moved.data, first, first + width - 1)}, log)
      table.move(row, 1, width, first, data)
    end
    return nd.permute(nd.new(moved.shape, data), order)
  end
end

local function softmaxes(name, f)
  local list = {}
  for _, form in ipairs {
    {{2, 3, 4}, 3}, {{2, 3, 4}, 1}, {{2, 3, 4}, 2}, {{5}, 1}, {{3, 1}, 2}, {{0, 3}, 2}, {{3, 0}, 1},
  } do
    list[#list + 1] = {
      name = ("[%s] over %d"):format(table.concat(form[1], ", "), form[2]), inputs = {{form[1]}},
      call = function(x) return ops[name](x, form[2] - #form[1] - 1) end,
      ref = function(a) return f(a, form[2]) end,
    }
  end
  list[#list + 1] = {name = "0-d", inputs = {{{}}}, call = function(x) return ops[name](x, 1) end,
    ref = function(a) return nd.new({}, softmax(a.data, name == "log_softmax")) end}
  list[#list + 1] = {name = "long rows", inputs = {{{3, 1027}, function(r) return r(-30, 30) end}},
    call = function(x) return ops[name](x, 2) end, ref = function(a) return f(a, 2) end,
    grad = false, layouts = {"contiguous", "transposed"}}
  return list
end

return {
  sum = sums, prod = prods, mean = means,
  max = extremes("max", greater), min = extremes("min", less),
  argmax = positions("argmax", greater), argmin = positions("argmin", less),
  any = with_empty(cases("any", any, flags), "any", any, flags),
  all = with_large(with_empty(cases("all", all, flags), "all", all, flags), "all", all, flags),
  softmax = softmaxes("softmax", normalise(false)),
  log_softmax = softmaxes("log_softmax", normalise(true)),
}
