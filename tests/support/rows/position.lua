--- Cases of the ops that take or give positions.
local core = require "gru.core"
local nd = require "tests.support.nd"

local ops = core.functions
local EVERY = {"float32", "float64", "int64", "bool"}
local NUMBERS = {"float32", "float64", "int64"}

local function ids(shape, values) return {shape, values, "int64"} end

local function joined(names)
  local list = {}
  for _, part in ipairs(names) do list[#list + 1] = tostring(part) end
  return table.concat(list, " ")
end

local function rows_along(d)
  return function(a, list)
    local shape = {table.unpack(a.shape)}
    shape[d] = nd.numel(list.shape)
    return nd.pick(a, shape, function(at)
      local from = {table.unpack(at)}
      from[d] = list.data[at[d]]
      return from
    end)
  end
end

local function copy_of(a) return nd.new(a.shape, {table.unpack(a.data)}) end

local function index_select(shape, d, list)
  return {grad = nd.numel(shape) < 100, name = joined {"dim", d, "of", table.concat(shape, " ")},
    inputs = {{shape}, ids({#list}, list)}, dtypes = EVERY,
    call = function(x, at) return ops.index_select(x, d, at) end,
    ref = rows_along(d < 0 and d + #shape + 1 or d)}
end

local function index_add(shape, d, list)
  local source = {table.unpack(shape)}
  source[d] = #list
  return {name = joined {"dim", d, "of", table.concat(shape, " ")},
    inputs = {{shape}, ids({#list}, list), {source}}, dtypes = NUMBERS,
    call = function(x, at, from) return ops.index_add(x, d, at, from) end,
    ref = function(a, at, from)
      local y = copy_of(a)
      for place, i in nd.positions(from.shape) do
        local to = {table.unpack(place)}
        to[d] = at.data[place[d]]
        local o = nd.offset(a.shape, to)
        y.data[o] = y.data[o] + from.data[i]
      end
      return y
    end}
end

local function embedding(shape, list_shape, list)
  return {name = joined {"ids", table.concat(list_shape, " ")},
    inputs = {{shape}, ids(list_shape, list)}, dtypes = NUMBERS,
    call = function(w, at) return ops.embedding(w, at) end,
    ref = function(w, at)
      local out = {table.unpack(list_shape)}
      out[#out + 1] = shape[2]
      return nd.reshape(rows_along(1)(w, at), out)
    end}
end

-- The place that element `place` of the ids names along dim d.
local function named(place, at, d)
  local to = {table.unpack(place)}
  to[d] = nd.at(at, place)
  return to
end

local function gather(shape, d, list_shape, list)
  return {name = joined {"dim", d, "ids", table.concat(list_shape, " ")},
    inputs = {{shape}, ids(list_shape, list)}, dtypes = EVERY,
    call = function(x, at) return ops.gather(x, d, at) end,
    ref = function(a, at)
      local e = d < 0 and d + #shape + 1 or d
      return nd.pick(a, at.shape, function(place) return named(place, at, e) end)
    end}
end

local function scatter(name, shape, d, list_shape, list, source)
  return {name = joined {"dim", d, "source", table.concat(source, " ")},
    inputs = {{shape}, ids(list_shape, list), {source}},
    dtypes = name == "scatter" and EVERY or NUMBERS,
    layouts = name == "scatter" and {"contiguous", "transposed", "sliced"} or nil,
    call = function(x, at, from) return ops[name](x, d, at, from) end,
    ref = function(a, at, from)
      local y = copy_of(a)
      for place in nd.positions(at.shape) do
        local o = nd.offset(shape, named(place, at, d))
        local v = from.data[nd.offset(source, place)]
        if name == "scatter_add" then v = y.data[o] + v end
        y.data[o] = v
      end
      return y
    end}
end

local function one_hot(shape, list, classes)
  return {name = joined {"ids", table.concat(shape, " ")}, inputs = {ids(shape, list)},
    dtypes = {"float32"}, grad = false,
    call = function(at) return ops.one_hot(at, classes) end,
    ref = function(at)
      local out = {table.unpack(at.shape)}
      out[#out + 1] = classes
      return nd.generate(out, function(i)
        return at.data[(i - 1) // classes + 1] == (i - 1) % classes + 1 and 1 or 0
      end)
    end}
end

return {
  index_select = {
    index_select({4, 3}, 1, {3, 1, 3}), index_select({2, 4, 3}, 2, {4, 4, 1, 2, 3}),
    index_select({2, 3}, -1, {2}), index_select({5}, 1, {5, 1}), index_select({4, 3}, 1, {}),
    index_select({0, 3}, 2, {3, 1}),
    {name = "0-d", inputs = {{{}}, ids({1}, {1})}, dtypes = EVERY, ref = copy_of,
      call = function(x, at) return ops.index_select(x, 1, at) end},
    index_select({2, 3, 40}, 3, {40, 7, 7, 1}), index_select({4, 70}, 1, {2, 2, 4}),
  },
  index_add = {
    index_add({4, 3}, 1, {3, 1, 3}), index_add({2, 4, 3}, 2, {4, 4, 1}), index_add({2, 3}, 2, {2, 2}),
    {name = "0-d", inputs = {{{}}, ids({1}, {1}), {{}}}, dtypes = NUMBERS,
      call = function(x, at, from) return ops.index_add(x, 1, at, from) end,
      ref = function(a, _, from) return nd.new({}, {a.data[1] + from.data[1]}) end},
    index_add({5}, 1, {5, 5, 5}), index_add({4, 3}, 1, {}), index_add({3, 33}, 1, {1, 3, 1}),
  },
  embedding = {
    embedding({4, 3}, {2}, {4, 1}), embedding({4, 3}, {2, 2}, {2, 2, 2, 1}), embedding({4, 3}, {}, {3}),
    embedding({4, 3}, {0}, {}), embedding({5, 1}, {1, 3}, {5, 5, 1}),
    embedding({4, 0}, {2}, {4, 1}),
  },
  gather = {
    gather({3, 4}, 1, {2, 4}, {1, 2, 3, 1, 3, 3, 1, 2}), gather({3, 4}, 2, {3, 2}, {1, 4, 2, 2, 4, 3}),
    gather({3, 4}, -1, {2, 1}, {4, 1}), gather({4}, 1, {6}, {4, 3, 2, 1, 1, 4}),
    gather({2, 3, 2}, 2, {1, 3, 2}, {3, 1, 2, 2, 1, 3}), gather({3, 4}, 1, {0, 4}, {}),
    gather({}, 1, {}, {1}), gather({0, 3}, 2, {0, 2}, {}),
  },
  scatter = {
    scatter("scatter", {3, 4}, 1, {2, 3}, {1, 2, 3, 2, 1, 1}, {2, 3}),
    scatter("scatter", {3, 4}, 2, {3, 2}, {1, 4, 2, 3, 4, 1}, {3, 2}),
    scatter("scatter", {3, 4}, 1, {1, 2}, {3, 1}, {2, 4}),
    scatter("scatter", {5}, 1, {3}, {5, 1, 3}, {3}), scatter("scatter", {5}, 1, {0}, {}, {0}),
    scatter("scatter", {}, 1, {}, {1}, {}),
  },
  scatter_add = {
    scatter("scatter_add", {3, 4}, 1, {2, 3}, {1, 1, 3, 1, 1, 1}, {2, 3}),
    scatter("scatter_add", {3, 4}, 2, {3, 2}, {4, 4, 2, 2, 1, 1}, {3, 2}),
    scatter("scatter_add", {3, 4}, 1, {1, 2}, {3, 3}, {3, 4}),
    scatter("scatter_add", {4}, 1, {6}, {1, 1, 1, 4, 4, 2}, {6}),
    scatter("scatter_add", {}, 1, {}, {1}, {}), scatter("scatter_add", {0, 3}, 2, {0, 2}, {}, {0, 2}),
  },
  one_hot = {
    one_hot({3}, {2, 1, 3}, 3), one_hot({2, 2}, {1, 5, 5, 2}, 5), one_hot({}, {2}, 2),
    one_hot({0}, {}, 3),
  },
}
