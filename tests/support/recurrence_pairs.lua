--- The recurrent ops on a CUDA device against those of the CPU, with sizes, settings and lengths at random.
local agree = require "tests.support.agree"
local core = require "gru.core"
local gru = require "gru"

local pairs_of = {}

local CELLS = {
  {op = "rnn_sequence", variant = 0, gates = 1}, {op = "rnn_sequence", variant = 1, gates = 1},
  {op = "lstm_sequence", variant = 0, gates = 4, pair = true}, {op = "gru_sequence", variant = 0, gates = 3},
  {op = "gru_sequence", variant = 1, gates = 3},
}
pairs_of.cells = CELLS

local NAMES = {"gx", "h_0", "w_hh", "b_ih", "b_hh", "c_0"}

--- A call: its cell, and its inputs on the CPU.
-- @tparam function rng
-- @tparam table fixed what is not drawn: `cell` (1 .. 5), `L`, `N`, `H`, `dtype`, `reverse`, `lengths`,
-- `biases`
function pairs_of.draw(rng, fixed)
  local function pick(name, value)
    if fixed[name] ~= nil then return fixed[name] end
    return value
  end
  local case = {
    cell = CELLS[pick("cell", rng(#CELLS))], L = pick("L", rng(5)), N = pick("N", rng(9)),
    H = pick("H", rng(2) == 1 and 4 * rng(8) or rng(36)),
    dtype = pick("dtype", rng(2) == 1 and "float32" or "float64"), reverse = pick("reverse", rng(2) == 1),
  }
  local L, N, H, rows = case.L, case.N, case.H, case.cell.gates * case.H
  local function normal(scale, ...) return gru.randn(..., {dtype = case.dtype}) * scale end
  case.inputs = {
    gx = normal(1, {L, N, rows}), h_0 = normal(0.5, {N, H}), w_hh = normal(1.5 / math.sqrt(H), {rows, H}),
    c_0 = case.cell.pair and normal(0.5, {N, H}) or nil,
  }
  local biases = pick("biases", rng(4)) -- none, one, the other, both
  if biases == 2 or biases == 4 then case.inputs.b_ih = normal(0.5, {rows}) end
  if biases >= 3 then case.inputs.b_hh = normal(0.5, {rows}) end
  if pick("lengths", rng(2) == 1) then
    local list = {}
    for b = 1, N do list[b] = rng(L) end
    case.lengths = gru.tensor(list)
  end
  case.g = normal(1, case.cell.pair and {2, L, N, H} or {L, N, H})
  return case
end

function pairs_of.title(case)
  return ("%s %d, %s, L %d, N %d, H %d%s%s%s%s"):format(case.cell.op, case.cell.variant, case.dtype, case.L,
    case.N, case.H, case.reverse and ", reverse" or "", case.lengths and ", lengths" or "",
    case.inputs.b_ih and ", b_ih" or "", case.inputs.b_hh and ", b_hh" or "")
end

-- Leaves NaN where the results are going to be.
local function poison(case, device)
  local L, N, H, G = case.L, case.N, case.H, case.cell.gates
  for _, rows in ipairs {L * N, L * N * G, (L + 1) * N, 2 * (L + 1) * N, 5 * L * N, N, 4 * L * N, G * H} do
    for _ = 1, 2 do gru.full({rows * H}, 0 / 0, {dtype = case.dtype, device = device}) end
  end
  collectgarbage()
end

--- Runs the op, forward and backward; `quiet` records nothing, and gives y alone.
-- @treturn table name -> tensor on the CPU: y and the gradients
function pairs_of.run(case, device, quiet)
  if device ~= "cpu" then poison(case, device) end
  local t = {}
  for name, x in pairs(case.inputs) do t[name] = x:to(device):detach() end
  for _, name in ipairs(quiet and {} or NAMES) do
    if t[name] then t[name]:requires_grad_() end
  end
  local lengths = case.lengths and case.lengths:to(device)
  local y = core.recurrence(case.cell.op, t.gx, t.h_0, t.w_hh, t.b_ih, t.b_hh, lengths, t.c_0, case.reverse,
    case.cell.variant)
  local out = {y = y:detach():cpu()}
  if quiet then return out end
  y:backward(case.g:to(device))
  for _, name in ipairs(NAMES) do
    if t[name] then out[name] = t[name].grad:cpu() end
  end
  return out
end

local function compare(got, want, dtype, exact)
  for name, x in pairs(want) do
    local tol = name == "y" and agree.forward[dtype] or agree.backward[dtype]
    local ok, message = agree.tensors(got[name], x, exact and 0 or tol)
    if not ok then return nil, name .. ": " .. message end
  end
  return true
end

--- The CPU's results, the same bits twice, the same y where nothing is recorded.
function pairs_of.check(case, device)
  local want, got = pairs_of.run(case, "cpu"), pairs_of.run(case, device)
  local function hold(ok, message) if not ok then error(pairs_of.title(case) .. ": " .. message, 0) end end
  hold(compare(got, want, case.dtype))
  hold(compare(pairs_of.run(case, device), got, case.dtype, true))
  hold(compare(pairs_of.run(case, device, true), {y = got.y}, case.dtype, true))
end

--- Another first row leaves the bits of the other rows as they are.
function pairs_of.check_rows(case, device)
  local before = pairs_of.run(case, device)
  case.inputs.gx:select(2, 1):add_(0.5)
  case.inputs.h_0:select(1, 1):mul_(-2)
  local after = pairs_of.run(case, device)
  for name, dim in pairs {y = case.cell.pair and 3 or 2, gx = 2, h_0 = 1} do
    local function rest(x) return x:narrow(dim, 2, x:size(dim) - 1) end
    if not rest(before[name]):equal(rest(after[name])) then
      error(pairs_of.title(case) .. ": another first row changes other rows of " .. name, 0)
    end
    if before[name]:equal(after[name]) then
      error(pairs_of.title(case) .. ": another first row changes nothing", 0)
    end
  end
end

return pairs_of
