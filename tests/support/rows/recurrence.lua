--- Cases of the recurrent layers, against the equations on plain numbers.
local core = require "gru.core"
local nd = require "tests.support.nd"
local reference = require "tests.support.rnn_reference"

local KIND = {rnn_sequence = "RNN", lstm_sequence = "LSTM", gru_sequence = "GRU"}
local L, H = 3, 2

local function identity(n)
  local wi = reference.zeros(n * n)
  for i = 1, n do wi[(i - 1) * n + i] = 1 end
  return wi
end

-- `count` numbers of a flat list from `first` on, from 0.
local function part(list, first, count) return table.move(list, first + 1, first + count, 1, {}) end

-- y (L, N, H), or h and c below each other; zeros past the lengths.
local function expected(op, variant, reverse, gx, h, w, b_ih, b_hh, lengths, c)
  local N, GH = gx.shape[2], gx.shape[3]
  local net = {kind = KIND[op], H = H, layers = 1, directions = 1,
    reset = variant == 1 and "before" or "after", nonlinearity = variant == 1 and "relu" or "tanh",
    weights = {{{wi = identity(GH), wh = w.data, bi = b_ih and b_ih.data, bh = b_hh and b_hh.data}}}}
  local data = reference.zeros(L * N * H * (c and 2 or 1))
  for n = 1, N do
    local last, xs, at = lengths and lengths.data[n] or L, {}, {}
    for t = 1, last do
      local place = reverse and last + 1 - t or t
      at[t] = ((place - 1) * N + n - 1) * H
      xs[t] = part(gx.data, ((place - 1) * N + n - 1) * GH, GH)
      local _, h_n, c_n = reference.row(net, xs, {part(h.data, (n - 1) * H, H)},
        c and {part(c.data, (n - 1) * H, H)})
      table.move(h_n[1], 1, H, at[t] + 1, data)
      if c then table.move(c_n[1], 1, H, L * N * H + at[t] + 1, data) end
    end
  end
  return nd.new(c and {2, L, N, H} or {L, N, H}, data)
end

local rows = {}

local function add(op, variant, gates, options)
  local GH, N, pair = gates * H, options.rows or 3, op == "lstm_sequence"
  local inputs = {{{L, N, GH}}, {{N, H}}, {{GH, H}}}
  if options.bias then inputs[4], inputs[5] = {{GH}}, {{GH}} end
  if options.lengths then inputs[#inputs + 1] = {{N}, {2, 3, 1}, "int64"} end
  if pair then inputs[#inputs + 1] = {{N, H}} end
  -- The arguments in the op's order, nil where left out.
  local function unpacked(gx, h, w, ...)
    local rest, i = {...}, 0
    local function next_of(there)
      i = i + (there and 1 or 0)
      return there and rest[i] or nil
    end
    return gx, h, w, next_of(options.bias), next_of(options.bias), next_of(options.lengths),
      next_of(pair)
  end
  rows[op] = rows[op] or {}
  table.insert(rows[op], {
    name = ("variant %d%s%s%s"):format(variant, options.bias and ", biases" or "",
      options.lengths and ", lengths" or "", options.reverse and ", reverse" or "")
      .. (N == 0 and ", no row" or ""),
    inputs = inputs,
    call = function(...)
      local gx, h, w, b_ih, b_hh, lengths, c = unpacked(...)
      return core.recurrence(op, gx, h, w, b_ih, b_hh, lengths, c, options.reverse, variant)
    end,
    ref = function(...) return expected(op, variant, options.reverse, unpacked(...)) end,
    layouts = options.bias and not options.lengths and nd.layout_names or {"contiguous"},
    fixed = "contiguous",
  })
end

for _, op in ipairs {{"rnn_sequence", 0, 1}, {"lstm_sequence", 0, 4}, {"gru_sequence", 0, 3},
  {"gru_sequence", 1, 3}} do
  for _, options in ipairs {{bias = true}, {bias = true, lengths = true},
    {lengths = true, reverse = true}, {rows = 0}} do
    add(op[1], op[2], op[3], options)
  end
end
-- no hidden sum within 1e-3 of the kink
add("rnn_sequence", 1, 1, {})
rows.rnn_sequence[#rows.rnn_sequence].inputs[1][2] = function(r) return (r(2) * 2 - 3) * r(20, 30) end

return rows
