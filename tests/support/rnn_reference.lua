--- RNN, LSTM and GRU on plain Lua numbers, element by element: forward and backward, written from the
-- equations alone and slow on purpose.
--
-- A network is {kind, I, H, layers, directions, reset, nonlinearity, weights}, weights[layer][dir] =
-- {wi, wh, bi, bh}: flat arrays of (rows, in), (rows, H), (rows), (rows); bi and bh may be nil.
local reference = {}

local GATES = {RNN = 1, LSTM = 4, GRU = 3}

local function sigmoid(x) return 1 / (1 + math.exp(-x)) end

local function tanh(x)
  local e = math.exp(-2 * math.abs(x))
  local y = (1 - e) / (1 + e)
  return x < 0 and -y or y
end

-- w (rows first .. last, #x) times x, plus b.
local function affine(w, b, x, first, last)
  local n, y = #x, {}
  for i = first, last do
    local sum = b and b[i] or 0
    for j = 1, n do sum = sum + w[(i - 1) * n + j] * x[j] end
    y[i] = sum
  end
  return y
end

local steps, steps_back = {}, {}

-- Every step takes (net, p, x, h, c) and gives h', c' and what backward needs; every step_back takes
-- that, dh' and dc', and gives the gradients of the rows of W_ih x + b_ih (gi) and of W_hh h + b_hh
-- (gh), those of h and c by other ways, and, for reset "before", what W_hn was multiplied with.

function steps.RNN(net, p, x, h)
  local H, new = net.H, {}
  local a, b = affine(p.wi, p.bi, x, 1, H), affine(p.wh, p.bh, h, 1, H)
  for k = 1, H do
    local s = a[k] + b[k]
    new[k] = net.nonlinearity == "relu" and math.max(s, 0) or tanh(s)
  end
  return new, nil, {x = x, h = h, new = new}
end

function steps_back.RNN(net, _, s, dh)
  local g, zero = {}, {}
  for k = 1, net.H do
    local y = s.new[k]
    if net.nonlinearity == "relu" then g[k] = y > 0 and dh[k] or 0 else g[k] = dh[k] * (1 - y * y) end
    zero[k] = 0
  end
  return g, g, zero, nil
end

function steps.LSTM(net, p, x, h, c)
  local H = net.H
  local a, b = affine(p.wi, p.bi, x, 1, 4 * H), affine(p.wh, p.bh, h, 1, 4 * H)
  local s = {x = x, h = h, c = c, i = {}, f = {}, g = {}, o = {}, new_c = {}}
  local new = {}
  for k = 1, H do
    s.i[k] = sigmoid(a[k] + b[k])
    s.f[k] = sigmoid(a[H + k] + b[H + k])
    s.g[k] = tanh(a[2 * H + k] + b[2 * H + k])
    s.o[k] = sigmoid(a[3 * H + k] + b[3 * H + k])
    s.new_c[k] = s.f[k] * c[k] + s.i[k] * s.g[k]
    new[k] = s.o[k] * tanh(s.new_c[k])
  end
  return new, s.new_c, s
end

function steps_back.LSTM(net, _, s, dh, dc)
  local H, g, dh_old, dc_old = net.H, {}, {}, {}
  for k = 1, H do
    local t = tanh(s.new_c[k])
    local d = dc[k] + dh[k] * s.o[k] * (1 - t * t)
    g[k] = d * s.g[k] * s.i[k] * (1 - s.i[k])
    g[H + k] = d * s.c[k] * s.f[k] * (1 - s.f[k])
    g[2 * H + k] = d * s.i[k] * (1 - s.g[k] * s.g[k])
    g[3 * H + k] = dh[k] * t * s.o[k] * (1 - s.o[k])
    dh_old[k], dc_old[k] = 0, d * s.f[k]
  end
  return g, g, dh_old, dc_old
end

function steps.GRU(net, p, x, h)
  local H = net.H
  local a = affine(p.wi, p.bi, x, 1, 3 * H)
  local b = affine(p.wh, p.bh, h, 1, 2 * H)
  local s = {x = x, h = h, r = {}, z = {}, n = {}, inner = h}
  for k = 1, H do
    s.r[k] = sigmoid(a[k] + b[k])
    s.z[k] = sigmoid(a[H + k] + b[H + k])
  end
  if net.reset == "before" then
    s.inner = {}
    for k = 1, H do s.inner[k] = s.r[k] * h[k] end
  end
  s.an = affine(p.wh, p.bh, s.inner, 2 * H + 1, 3 * H)
  local new = {}
  for k = 1, H do
    local factor = net.reset == "before" and 1 or s.r[k]
    s.n[k] = tanh(a[2 * H + k] + factor * s.an[2 * H + k])
    new[k] = (1 - s.z[k]) * s.n[k] + s.z[k] * h[k]
  end
  return new, nil, s
end

function steps_back.GRU(net, p, s, dh)
  local H, gi, gh, dh_old = net.H, {}, {}, {}
  for k = 1, H do
    gi[2 * H + k] = dh[k] * (1 - s.z[k]) * (1 - s.n[k] * s.n[k])
    gi[H + k] = dh[k] * (s.h[k] - s.n[k]) * s.z[k] * (1 - s.z[k])
    gh[H + k] = gi[H + k]
    dh_old[k] = dh[k] * s.z[k]
  end
  for k = 1, H do
    local dr
    if net.reset == "before" then
      local q = 0 -- gradient of r (.) h
      for i = 1, H do q = q + gi[2 * H + i] * p.wh[(2 * H + i - 1) * H + k] end
      dr = q * s.h[k]
      dh_old[k] = dh_old[k] + q * s.r[k]
      gh[2 * H + k] = gi[2 * H + k]
    else
      dr = gi[2 * H + k] * s.an[2 * H + k]
      gh[2 * H + k] = gi[2 * H + k] * s.r[k]
    end
    gi[k] = dr * s.r[k] * (1 - s.r[k])
    gh[k] = gi[k]
  end
  return gi, gh, dh_old, nil
end

-- One direction over one row: a list of x -> the list of h' at their places, last h and c, tape.
local function run(net, p, xs, h, c, reverse)
  local out, tape, T = {}, {}, #xs
  for i = 1, T do
    local t = reverse and T + 1 - i or i
    h, c, tape[i] = steps[net.kind](net, p, xs[t], h, c)
    out[t] = h
    tape[i].t = t
  end
  return out, h, c, tape
end

local function zeros(n)
  local list = {}
  for i = 1, n do list[i] = 0 end
  return list
end

-- The way back of `run`: dout[t], dh, dc (of the last state) -> dx[t], dh_0, dc_0; adds to d.
local function run_back(net, p, tape, dout, dh, dc, d)
  local H, rows, dxs = net.H, GATES[net.kind] * net.H, {}
  dh, dc = {table.unpack(dh)}, dc or zeros(H)
  for i = #tape, 1, -1 do
    local s = tape[i]
    for k = 1, H do dh[k] = dh[k] + dout[s.t][k] end
    local gi, gh, dh_old, dc_old = steps_back[net.kind](net, p, s, dh, dc)
    local dx, I = zeros(#s.x), #s.x
    for row = 1, rows do
      local before = net.reset == "before" and net.kind == "GRU" and row > 2 * H
      local h = before and s.inner or s.h
      for j = 1, I do
        d.wi[(row - 1) * I + j] = d.wi[(row - 1) * I + j] + gi[row] * s.x[j]
        dx[j] = dx[j] + gi[row] * p.wi[(row - 1) * I + j]
      end
      for j = 1, H do
        d.wh[(row - 1) * H + j] = d.wh[(row - 1) * H + j] + gh[row] * h[j]
        if not before then dh_old[j] = dh_old[j] + gh[row] * p.wh[(row - 1) * H + j] end
      end
      if d.bi then
        d.bi[row] = d.bi[row] + gi[row]
        d.bh[row] = d.bh[row] + gh[row]
      end
    end
    dxs[s.t], dh, dc = dx, dh_old, dc_old or zeros(H)
  end
  return dxs, dh, dc
end

--- One row of a batch: xs is a list of T inputs, h0 and c0 lists by layer and direction.
-- @return outputs (T lists of directions * H), h_n, c_n, and a function `back(dout, dh_n, dc_n, d)`
-- that gives dxs, dh0, dc0 and adds the gradients of the weights to d[layer][direction]
function reference.row(net, xs, h0, c0)
  local tapes, h_n, c_n, H = {}, {}, {}, net.H
  for layer = 1, net.layers do
    local halves = {}
    for direction = 1, net.directions do
      local at = (layer - 1) * net.directions + direction
      halves[direction], h_n[at], c_n[at], tapes[at] = run(net, net.weights[layer][direction], xs,
        h0[at], c0 and c0[at], direction == 2)
    end
    local joined = {}
    for t = 1, #xs do
      joined[t] = {}
      for _, half in ipairs(halves) do table.move(half[t], 1, H, #joined[t] + 1, joined[t]) end
    end
    xs = joined
  end
  local function back(dout, dh_n, dc_n, d)
    local dh0, dc0 = {}, {}
    for layer = net.layers, 1, -1 do
      local dxs = nil
      for direction = 1, net.directions do
        local at, part = (layer - 1) * net.directions + direction, {}
        for t, g in ipairs(dout) do
          part[t] = table.move(g, (direction - 1) * H + 1, direction * H, 1, {})
        end
        local dx
        dx, dh0[at], dc0[at] = run_back(net, net.weights[layer][direction], tapes[at], part,
          dh_n[at], dc_n and dc_n[at], d[layer][direction])
        for t, g in ipairs(dxs or {}) do
          for j, v in ipairs(g) do dx[t][j] = dx[t][j] + v end
        end
        dxs = dx
      end
      dout = dxs
    end
    return dout, dh0, dc0
  end
  return xs, h_n, c_n, back
end

reference.zeros = zeros
reference.gates = GATES

return reference
