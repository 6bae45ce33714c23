--- Plain Lua arrays, `{shape = {...}, data = {...}}` in row-major order: what results of the
-- runtime are compared with.  Nothing in here uses tensors but `nd.of` and `nd.tensor`.
local core = require "gru.core"
require "gru"

local nd = {}

local NAN = 0 / 0

function nd.numel(shape)
  local n = 1
  for _, size in ipairs(shape) do n = n * size end
  return n
end

function nd.new(shape, data)
  assert(#data == nd.numel(shape), "nd: data does not fill the shape")
  return {shape = shape, data = data}
end

--- An array of `f(i)` with i = 1 .. numel in row-major order.
function nd.generate(shape, f)
  local data = {}
  for i = 1, nd.numel(shape) do data[i] = f(i) end
  return nd.new(shape, data)
end

--- The positions of a shape in row-major order, as tables that count from 1: `for at, i in`.
function nd.positions(shape)
  local n, i, at = nd.numel(shape), 0, {}
  for d = 1, #shape do at[d] = 1 end
  return function()
    if i == n then return nil end
    if i > 0 then
      local d = #shape
      while at[d] == shape[d] do
        at[d] = 1
        d = d - 1
      end
      at[d] = at[d] + 1
    end
    i = i + 1
    return at, i
  end
end

--- The place of a position in `data`; sizes of 1 and leading dims that are missing broadcast.
function nd.offset(shape, at)
  local lead, i = #at - #shape, 0
  for d = 1, #shape do
    i = i * shape[d] + (shape[d] == 1 and 0 or at[d + lead] - 1)
  end
  return i + 1
end

function nd.at(a, at) return a.data[nd.offset(a.shape, at)] end

--- The shape that arrays broadcast to.
function nd.broadcast_shape(...)
  local shape = {}
  local ndim = 0
  for _, a in ipairs {...} do ndim = math.max(ndim, #a.shape) end
  for d = 1, ndim do
    shape[d] = 1
    for _, a in ipairs {...} do
      local size = a.shape[d - ndim + #a.shape] or 1
      if size ~= 1 then shape[d] = size end
    end
  end
  return shape
end

--- f elementwise over arrays, with broadcasting.
function nd.map(f, a, b, c)
  local shape = nd.broadcast_shape(a, b, c)
  local data = {}
  for at, i in nd.positions(shape) do
    data[i] = f(nd.at(a, at), b and nd.at(b, at), c and nd.at(c, at))
  end
  return nd.new(shape, data)
end

--- The array spread over a larger shape.
function nd.expand(a, shape)
  local data = {}
  for at, i in nd.positions(shape) do data[i] = nd.at(a, at) end
  return nd.new(shape, data)
end

function nd.reshape(a, shape) return nd.new(shape, a.data) end

--- Dim d of the result is dim order[d] of a.
function nd.permute(a, order)
  local shape, from = {}, {}
  for d, o in ipairs(order) do shape[d] = a.shape[o] end
  local data = {}
  for at, i in nd.positions(shape) do
    for d, o in ipairs(order) do from[o] = at[d] end
    data[i] = nd.at(a, from)
  end
  return nd.new(shape, data)
end

--- The elements of `a` at `pick(at)`, over a shape.
function nd.pick(a, shape, pick)
  local data = {}
  for at, i in nd.positions(shape) do data[i] = nd.at(a, pick(at)) end
  return nd.new(shape, data)
end

--- Folds dims (a set, or nil for all): `f(values)` of the list of values in row-major order.
function nd.reduce(a, dims, keepdim, f)
  local shape, out, lists = {}, {}, {}
  for d, size in ipairs(a.shape) do
    local reduced = not dims or dims[d]
    out[d] = reduced and 1 or size
    if keepdim or not reduced then shape[#shape + 1] = out[d] end
  end
  for i = 1, nd.numel(out) do lists[i] = {} end
  for at, i in nd.positions(a.shape) do
    local list = lists[nd.offset(out, at)]
    list[#list + 1] = a.data[i]
  end
  local data = {}
  for i, list in ipairs(lists) do data[i] = f(list) end
  return nd.new(shape, data)
end

--- Rounds every element to what the dtype can hold.
function nd.round(a, dtype)
  if dtype ~= "float32" then return a end
  local data = {}
  for i, v in ipairs(a.data) do data[i] = string.unpack("f", string.pack("f", v)) end
  return nd.new(a.shape, data)
end

-- ---- to and from tensors ---------------------------------------------------------------------

local formats = {float32 = "f", float64 = "d", int64 = "i8"}

local CHUNK = 200

--- A contiguous tensor with the elements of `a`, on the default device.
function nd.tensor(a, dtype)
  local parts, data, format = {}, a.data, formats[dtype]
  if dtype == "bool" then
    for i, v in ipairs(data) do parts[i] = (v == true or v ~= 0 and v ~= false) and "\1" or "\0" end
  else
    for first = 1, #data, CHUNK do
      local last = math.min(first + CHUNK - 1, #data)
      parts[#parts + 1] = format:rep(last - first + 1):pack(table.unpack(data, first, last))
    end
  end
  return core.from_data(a.shape, dtype, table.concat(parts))
end

local function flatten(t, out)
  if type(t) ~= "table" then
    out[#out + 1] = t
  else
    for _, v in ipairs(t) do flatten(v, out) end
  end
  return out
end

--- The elements of a tensor.
function nd.of(t) return nd.new(t.shape, flatten(t:totable(), {})) end

-- ---- layouts -----------------------------------------------------------------------------------

-- A layout turns an array into a base array, a function that views the base's tensor, and the
-- value that the view shows.
nd.layouts = {}

function nd.layouts.contiguous(a)
  return a, function(t) return t end, a
end

--- Dims stand in memory in reverse order.
function nd.layouts.transposed(a)
  local order = {}
  for d = 1, #a.shape do order[d] = #a.shape - d + 1 end
  return nd.permute(a, order), function(t) return t:permute(order) end, a
end

--- Every second element of a larger tensor, and not from its start on.
function nd.layouts.sliced(a)
  local shape, ranges = {}, {}
  for d, size in ipairs(a.shape) do
    shape[d] = 2 * size + 1
    ranges[d] = {2, 2 * size, 2}
    if size == 0 then ranges[d] = {2, 1} end
  end
  local filler = math.type(a.data[1]) == "float" and NAN or 77
  local base = nd.generate(shape, function() return filler end)
  local to = {}
  for at, i in nd.positions(a.shape) do
    for d = 1, #at do to[d] = 2 * at[d] end
    base.data[nd.offset(shape, to)] = a.data[i]
  end
  return base, function(t) return #ranges == 0 and t or t[ranges] end, a
end

--- Stride 0 along the first dim; the value is that of the first row.
function nd.layouts.broadcast(a)
  local shape = {table.unpack(a.shape)}
  if #shape == 0 then return nd.layouts.contiguous(a) end
  shape[1] = math.min(shape[1], 1)
  local base = nd.pick(a, shape, function(at) return at end)
  local whole = a.shape
  return base, function(t) return t:expand(whole) end, nd.expand(base, whole)
end

nd.layout_names = {"contiguous", "transposed", "sliced", "broadcast"}

return nd
