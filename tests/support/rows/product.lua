--- Cases of the products.
local core = require "gru.core"
local nd = require "tests.support.nd"

local function matmul(a, b)
  local vector_a, vector_b = #a.shape == 1, #b.shape == 1
  if vector_a then a = nd.reshape(a, {1, a.shape[1]}) end
  if vector_b then b = nd.reshape(b, {b.shape[1], 1}) end
  local m, k, n = a.shape[#a.shape - 1], a.shape[#a.shape], b.shape[#b.shape]
  local batch_a = {shape = {table.unpack(a.shape, 1, #a.shape - 2)}}
  local batch_b = {shape = {table.unpack(b.shape, 1, #b.shape - 2)}}
  local shape = nd.broadcast_shape(batch_a, batch_b)
  local data = {}
  for at in nd.positions(shape) do
    local from_a = (nd.offset(batch_a.shape, at) - 1) * m * k
    local from_b = (nd.offset(batch_b.shape, at) - 1) * k * n
    for i = 0, m - 1 do
      for j = 1, n do
        local sum = 0
        for l = 0, k - 1 do
          sum = sum + a.data[from_a + i * k + l + 1] * b.data[from_b + l * n + j]
        end
        data[#data + 1] = sum
      end
    end
  end
  if not vector_a then shape[#shape + 1] = m end
  if not vector_b then shape[#shape + 1] = n end
  return nd.new(shape, data)
end

local function case(a, b, options)
  local made = {
    name = ("[%s] x [%s]"):format(table.concat(a, ", "), table.concat(b, ", ")),
    inputs = {{a}, {b}}, call = core.functions.matmul, ref = matmul,
    dtypes = {"float32", "float64", "int64"},
  }
  for key, value in pairs(options or {}) do made[key] = value end
  return made
end

local function linear(x, w, b)
  local y = matmul(x, nd.permute(w, {2, 1}))
  for i = 1, #y.data do y.data[i] = y.data[i] + b.data[(i - 1) % #b.data + 1] end
  return y
end

-- x [..., in] with `out` outputs.
local function layer(x, out, options)
  local made = case(x, {out, x[#x]}, options)
  made.name = ("[%s] to %d"):format(table.concat(x, ", "), out)
  made.inputs[3] = {{out}}
  made.call, made.ref = core.linear, linear
  return made
end

local large = {grad = false, layouts = {"contiguous", "transposed"}}

return {
  matmul = {
    case({3}, {3}), case({2, 3}, {3}), case({3}, {3, 2}), case({2, 3}, {3, 4}),
    case({2, 2, 3}, {3, 4}), case({2, 2, 3}, {2, 3, 4}), case({3}, {2, 3, 4}),
    case({2, 2, 3}, {3}), case({2, 1, 2, 3}, {3, 3, 2}), case({1, 2, 3}, {2, 3, 2}),
    case({2, 1, 3}, {3, 2}), case({1, 3}, {3, 1}), case({3, 1}, {1, 2}), case({1}, {1}),
    case({2, 0}, {0, 3}), case({0, 2}, {2, 3}), case({2, 3}, {3, 0}), case({0, 2, 3}, {3, 2}),
    case({0}, {0}),
    case({1, 70}, {70, 33}, large), case({17, 33}, {33, 65}, large), case({65, 7}, {7, 1}, large),
    case({5, 9, 20}, {20, 11}, large), case({3, 9, 20}, {3, 20, 11}, large),
    case({34, 130}, {130, 40}, large),
  },
  linear = {
    layer({3}, 2), layer({2, 3}, 4), layer({2, 2, 3}, 2), layer({1, 3}, 1), layer({0, 3}, 2),
    layer({2, 0}, 3), layer({2, 3}, 0), layer({2, 0, 3}, 2), layer({6, 5}, 7),
    layer({1, 70}, 33, large), layer({3, 60}, 50, large), layer({66, 70}, 33, large),
    layer({2, 40, 9}, 130, large), layer({5, 1300}, 18, large), layer({98, 1300}, 50, large),
  },
}
