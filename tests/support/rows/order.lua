--- Cases of scans, sorting and searching, and of the extremes over several dims.
local core = require "gru.core"
local nd = require "tests.support.nd"

local ops = core.functions
local EVERY = {"float32", "float64", "int64", "bool"}
local NUMBERS = {"float32", "float64", "int64"}
local STRIDED = {"contiguous", "transposed", "sliced"}

local function number(v) return v == true and 1 or v == false and 0 or v end
local function text(shape) return "[" .. table.concat(shape, ", ") .. "]" end

-- `f(list)` of every line along dim d (negative from the end), which gives the list, or the two
-- lists, of the line's results; `size` of them where that is not the line's own.
local function along(a, d, f, size)
  if #a.shape == 0 then
    local y, p = f(a.data)
    return nd.new({}, y), p and nd.new({}, p)
  end
  d = d < 0 and d + #a.shape + 1 or d
  local shape, keep = {table.unpack(a.shape)}, {table.unpack(a.shape)}
  shape[d] = size or shape[d]
  keep[d] = 1
  local y, p = nd.generate(shape, function() return 0 end), nil
  for at in nd.positions(keep) do
    local line, from = {}, {table.unpack(at)}
    for i = 1, a.shape[d] do
      from[d] = i
      line[i] = nd.at(a, from)
    end
    local values, places = f(line)
    for i = 1, shape[d] do
      from[d] = i
      y.data[nd.offset(shape, from)] = values[i]
      if places then
        p = p or nd.generate(shape, function() return 0 end)
        p.data[nd.offset(shape, from)] = places[i]
      end
    end
  end
  return y, p or nd.new(shape, {table.unpack(y.data)})
end

local function running(join)
  return function(line)
    local y, total = {}, nil
    for i, v in ipairs(line) do
      v = number(v)
      total = total and join(total, v) or v
      y[i] = total
    end
    return y
  end
end

local function plus(a, b) return a + b end
local function times(a, b) return a * b end

local function scans(name, join)
  local list = {}
  for _, form in ipairs {
    {{2, 3, 4}, 1}, {{2, 3, 4}, 2}, {{2, 3, 4}, -1}, {{5}, 1}, {{}, 1}, {{0, 3}, 1}, {{3, 0}, 1},
    {{2, 70}, 1, true}, {{3, 40, 5}, 2, true}, {{4000}, 1, true},
  } do
    list[#list + 1] = {
      name = ("%s along %d"):format(text(form[1]), form[2]), inputs = {{form[1], "positive"}},
      dtypes = form[3] and {"float64"} or EVERY, result = {bool = "int64"},
      grad = not form[3], layouts = form[3] and STRIDED or nil,
      call = function(x) return ops[name](x, form[2]) end,
      ref = function(a) return (along(a, form[2], running(join))) end,
    }
  end
  return list
end

local cumprods = scans("cumprod", times)
for name, values in pairs {
  ["a zero"] = {1.5, 0.0, 2.0, -1.0, 0.5, 3.0}, ["two zeros"] = {1.5, 0.0, 2.0, 0.0, 0.5, 3.0},
  ["a zero in front"] = {0.0, 0.5, 2.0, -1.0, 0.5, 0.0},
} do
  cumprods[#cumprods + 1] = {name = name, inputs = {{{1, 6}, values}}, layouts = {"contiguous"},
    call = function(x) return x:cumprod(2) end,
    ref = function(a) return (along(a, 2, running(times))) end}
end

-- The line sorted, stably: values and positions.
local function sorted(line, descending)
  local places, values = {}, {}
  for i = 1, #line do places[i] = i end
  table.sort(places, function(i, j)
    local a, b = number(line[i]), number(line[j])
    if a == b then return i < j end
    if descending then return a > b end
    return a < b
  end)
  for i, at in ipairs(places) do values[i] = line[at] end
  return values, places
end

local function sorts()
  local list = {}
  for _, form in ipairs {
    {{2, 3, 4}, 3}, {{2, 3, 4}, 1, true}, {{2, 3, 4}, 2}, {{7}, -1, true}, {{}, 1}, {{0, 3}, 2}, {{3, 0}, 2},
    {{3, 67}, 2, true, true}, {{67, 3}, 1, false, true}, {{1500}, 1, true, true},
  } do
    local shape, d, descending, large = table.unpack(form, 1, 4)
    -- integers, of which many are equal
    list[#list + 1] = {name = text(shape) .. " of equals", inputs = {{shape}}, dtypes = {"int64", "bool"},
      layouts = STRIDED, grad = false,
      call = function(x) return ops.sort(x, d, descending) end,
      ref = function(a) return along(a, d, function(l) return sorted(l, descending) end) end}
    list[#list + 1] = {name = ("%s along %d"):format(text(shape), d), inputs = {{shape, "distinct"}},
      layouts = STRIDED, grad = not large,
      call = function(x) return ops.sort(x, d, descending) end,
      ref = function(a) return along(a, d, function(l) return sorted(l, descending) end) end}
  end
  return list
end

local function topks()
  local list = {}
  for _, form in ipairs {
    {{2, 3, 4}, 2, 3, true}, {{2, 3, 4}, 1, 1, true}, {{2, 5}, 3, -1}, {{7}, 7, 1, true}, {{4}, 0, 1},
    {{}, 1, 1}, {{2, 200}, 3, 2, true, true}, {{200, 2}, 12, 1, false, true}, {{1500}, 1, 1, true, true},
    {{0, 3}, 2, 2},
  } do
    local shape, k, d, largest, large = table.unpack(form, 1, 5)
    list[#list + 1] = {name = ("%d of %s along %d"):format(k, text(shape), d),
      inputs = {{shape, large and "any" or "distinct"}}, layouts = STRIDED, dtypes = NUMBERS,
      grad = not large,
      call = function(x) return ops.topk(x, k, d, largest) end,
      ref = function(a)
        return along(a, d, function(l) return sorted(l, largest) end, #shape > 0 and k or nil)
      end}
  end
  return list
end

local function middle(list)
  local values, places = sorted(list)
  local at = (#list + 1) // 2
  return values[at], places[at]
end

local function medians()
  local list = {}
  for _, form in ipairs {
    {{2, 3, 4}}, {{5}}, {{}}, {{2, 3, 4}, 1}, {{2, 3, 4}, 2, true}, {{2, 3, 4}, -1}, {{4, 1}, 1, true},
    {{2, 3}, nil, true}, {{0, 3}, 2},
  } do
    local shape, d, keepdim = table.unpack(form, 1, 3)
    local dims = d and {[d < 0 and d + #shape + 1 or d] = true}
    list[#list + 1] = {name = ("%s over %s"):format(text(shape), tostring(d)),
      inputs = {{shape, "distinct"}}, layouts = STRIDED, dtypes = NUMBERS,
      call = function(x) return ops.median(x, d, keepdim) end,
      ref = function(a)
        local y = nd.reduce(a, dims, keepdim, function(l) return (middle(l)) end)
        if not d then return y end
        return y, nd.reduce(a, dims, keepdim, function(l) return (select(2, middle(l))) end)
      end}
  end
  return list
end

local function extremes(name, better)
  local function best(values)
    local y = values[1]
    for _, v in ipairs(values) do
      if better(number(v), number(y)) then y = v end
    end
    return y
  end
  local list = {}
  for _, form in ipairs {
    {{2, 3, 4}}, {{2, 3, 4}, {1}}, {{2, 3, 4}, {1, 3}, true}, {{2, 3, 4}, {2, 3}}, {{}}, {{2, 3}, nil, true},
    {{0, 3}, {2}},
  } do
    local shape, dims, keepdim, set = form[1], form[2], form[3], nil
    for _, d in ipairs(dims or {}) do
      set = set or {}
      set[d] = true
    end
    list[#list + 1] = {name = ("%s over %s"):format(text(shape), dims and text(dims) or "all"),
      inputs = {{shape, "distinct"}}, layouts = STRIDED, dtypes = NUMBERS,
      call = function(x) return ops[name](x, dims, keepdim) end,
      ref = function(a) return nd.reduce(a, set, keepdim, best) end}
  end
  return list
end

local function nonzeros()
  local list = {}
  for _, shape in ipairs {{2, 3, 4}, {7}, {}, {0, 3}, {300, 250}} do
    list[#list + 1] = {name = text(shape), inputs = {{shape, function(r) return r(3) - 2.0 end}},
      dtypes = #shape == 2 and shape[1] > 0 and {"float32"} or EVERY, result = "int64", grad = false,
      layouts = STRIDED, call = function(x) return ops.nonzero(x) end,
      ref = function(a)
        local data, n = {}, 0
        for at, i in nd.positions(a.shape) do
          if number(a.data[i]) ~= 0 then
            n = n + 1
            for _, place in ipairs(at) do data[#data + 1] = place end
          end
        end
        return nd.new({n, #shape}, data)
      end}
  end
  return list
end

-- The place of v in the line, before or after its equals.
local function place(line, v, right)
  local at = 1
  while at <= #line and (line[at] < v or right and line[at] == v) do at = at + 1 end
  return at
end

local function searches()
  local list = {}
  for _, right in ipairs {false, true} do
    list[#list + 1] = {name = "one sequence, right " .. tostring(right), grad = false, result = "int64",
      inputs = {{{5}, {1.0, 2.0, 2.0, 3.0, 5.0}}, {{2, 4}, {0.0, 1.0, 2.0, 2.5, 3.0, 5.0, 6.0, -1.0}}},
      layouts = STRIDED, call = function(s, x) return ops.searchsorted(s, x, right) end,
      ref = function(s, a) return nd.map(function(v) return place(s.data, v, right) end, a) end}
    list[#list + 1] = {name = "a sequence each, right " .. tostring(right), grad = false, result = "int64",
      inputs = {{{2, 3}, {1, 2, 2, 4, 5, 6}, "int64"}, {{2, 2}, {2, 0, 7, 5}, "int64"}}, layouts = STRIDED,
      dtypes = {"int64"}, call = function(s, x) return ops.searchsorted(s, x, right) end,
      ref = function(s, a)
        return nd.generate({2, 2}, function(i)
          local row = (i - 1) // 2
          return place({table.unpack(s.data, row * 3 + 1, row * 3 + 3)}, a.data[i], right)
        end)
      end}
  end
  return list
end

return {
  cumsum = scans("cumsum", plus), cumprod = cumprods, sort = sorts(), topk = topks(), median = medians(),
  amax = extremes("amax", function(a, b) return a > b end),
  amin = extremes("amin", function(a, b) return a < b end),
  nonzero = nonzeros(), searchsorted = searches(),
}
