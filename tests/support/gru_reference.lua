--- The GRU on nested tables, one element at a time.
local nd = require "tests.support.nd"

local gru_reference = {}

function gru_reference.sigmoid(a) return 1 / (1 + math.exp(-a)) end

function gru_reference.tanh(a)
  local e = math.exp(-2 * math.abs(a))
  local y = (1 - e) / (1 + e)
  return a < 0 and -y or y
end

local sigmoid, tanh = gru_reference.sigmoid, gru_reference.tanh

-- row of W times v
local function product(W, row, v)
  local sum = 0
  for i = 1, #v do sum = sum + W[row][i] * v[i] end
  return sum
end

-- One step of one row; `w` has ih, hh, and biases bi, bh, which may be zeros.
local function reference_step(x, h, w, H, reset)
  local r, z, new = {}, {}, {}
  for j = 1, H do
    r[j] = sigmoid(product(w.ih, j, x) + w.bi[j] + product(w.hh, j, h) + w.bh[j])
    z[j] = sigmoid(product(w.ih, H + j, x) + w.bi[H + j] + product(w.hh, H + j, h) + w.bh[H + j])
  end
  local rh = {}
  for j = 1, H do rh[j] = r[j] * h[j] end
  for j = 1, H do
    local at = 2 * H + j
    local recurrent = product(w.hh, at, reset == "after" and h or rh) + w.bh[at]
    if reset == "after" then recurrent = r[j] * recurrent end
    local n = tanh(product(w.ih, at, x) + w.bi[at] + recurrent)
    new[j] = (1 - z[j]) * n + z[j] * h[j]
  end
  return new
end

-- One direction of one layer: x[t][b], h[b] -> out[t][b], h[b].
local function reference_direction(x, h, w, H, reset, reverse, lengths)
  local L, out, last = #x, {}, {}
  for t = 1, L do out[t] = {} end
  for b = 1, #h do
    local n, state = lengths and lengths[b] or L, h[b]
    for t = 1, L do
      out[t][b] = {}
      for j = 1, H do out[t][b][j] = 0 end
    end
    for i = 1, n do
      local t = reverse and n + 1 - i or i
      state = reference_step(x[t][b], state, w, H, reset)
      out[t][b] = state
    end
    last[b] = state
  end
  return out, last
end

local function weights_of(rnn, key)
  local zeros = {}
  for j = 1, 3 * rnn.hidden_size do zeros[j] = 0 end
  local bi, bh = rnn["bias_ih" .. key], rnn["bias_hh" .. key]
  return {ih = rnn["weight_ih" .. key]:totable(), hh = rnn["weight_hh" .. key]:totable(),
          bi = bi and bi:totable() or zeros, bh = bh and bh:totable() or zeros}
end

--- What the module `rnn` gives.
-- @param x (L, N, I) as nested tables
-- @param h_0 (rows, N, H) as nested tables
-- @return output, h_n as nested tables
function gru_reference.run(rnn, x, h_0, lengths)
  local h_n, H = {}, rnn.hidden_size
  for layer = 0, rnn.num_layers - 1 do
    local halves = {}
    for direction = 1, rnn.bidirectional and 2 or 1 do
      local key = "_l" .. layer .. (direction == 2 and "_reverse" or "")
      halves[direction], h_n[#h_n + 1] = reference_direction(x, h_0[#h_n + 1], weights_of(rnn, key),
        H, rnn.reset, direction == 2, lengths)
    end
    x = halves[1]
    if halves[2] then
      for t, rows in ipairs(x) do
        for b, row in ipairs(rows) do
          rows[b] = table.move(halves[2][t][b], 1, H, H + 1, {table.unpack(row)})
        end
      end
    end
  end
  return x, h_n
end

--- An array of a shape from nested tables.
function gru_reference.array(shape, nested)
  local data = {}
  local function walk(t)
    if type(t) ~= "table" then
      data[#data + 1] = t
    else
      for _, v in ipairs(t) do walk(v) end
    end
  end
  walk(nested)
  return nd.new(shape, data)
end


return gru_reference
