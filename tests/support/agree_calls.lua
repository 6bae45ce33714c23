--- Calls of tests/support/random_calls.lua on the CPU and on another device: do results and gradients agree?
local agree = require "tests.support.agree"
local core = require "gru.core"
local gru = require "gru"
local mirror = require "tests.support.mirror"
local new_rng = require "tests.support.rng"
local rows = require "tests.support.random_calls"

local agree_calls = {}

-- Inputs on two devices, as a row of random_calls draws them.
local function new_inputs(draw, device, dtype, differentiable)
  local g = {draw = draw, dtype = dtype, here = {}, there = {}, text = {}}

  local function add(kind, here, there)
    g.here[#g.here + 1], g.there[#g.there + 1] = here, there
    g.text[#g.text + 1] = ("%s %s [%s]"):format(kind, here.dtype, table.concat(here.shape, ", "))
  end

  function g.values(kinds) return kinds[draw(#kinds)] end

  function g.x(shape, kind, of)
    local layout = mirror.layouts[draw(#mirror.layouts)]
    local leaves = differentiable and (of or dtype):find "float" ~= nil
    local here, there = mirror.pair(draw, device, of or dtype, shape, layout, kind, leaves)
    add(layout .. " " .. (kind or "plain"), here, there)
  end

  function g.ids(shape, n)
    gru.manual_seed(draw(1 << 30))
    local ids = gru.randint(1, math.max(n, 1) + 1, shape, {device = "cpu"})
    if draw(30) == 1 and ids:numel() > 0 then ids:view(-1)[draw(ids:numel())] = n + draw(3) end
    add("ids", ids, ids:to(device))
  end

  return g
end

-- Do two results agree, in the sense of agree.lua?
local function compare(got, want, tolerances)
  if not core.is_tensor(want) then return got == want, "results differ" end
  return agree.tensors(got:detach():cpu(), want:detach(), tolerances[want.dtype])
end

local function plain(message) return (tostring(message):gsub("cuda:0", "cpu")) end

-- Gradients of the sum of all float results, weighted at random.
local function backward(draw, here, there)
  gru.manual_seed(draw(1 << 30))
  for i = 1, here.n do
    local y = here[i]
    if core.is_tensor(y) and y.requires_grad then
      local w = gru.randn(y.shape, {dtype = y.dtype, device = "cpu"})
      y:backward(w, {retain_graph = true})
      there[i]:backward(w:to(there[i].device), {retain_graph = true})
    end
  end
end

-- One call; false where both devices refuse it.
local function check(op, row, device, seed)
  local draw = new_rng(seed)
  local dtype = row.dtypes[draw(#row.dtypes)]
  local g = new_inputs(draw, device, dtype, op.differentiable)
  local call = row.make(g)
  local here = table.pack(pcall(call, table.unpack(g.here)))
  local there = table.pack(pcall(call, table.unpack(g.there)))
  local about = ("%s, seed %d, of %s: "):format(op.name, seed, table.concat(g.text, "; "))
  if not here[1] then
    assert(not there[1], about .. "CUDA should refuse: " .. tostring(here[2]))
    assert(plain(there[2]) == plain(here[2]), ("%s%s, on the CPU: %s"):format(about, there[2], here[2]))
    return false
  end
  assert(there[1], about .. tostring(there[2]))
  for i = 2, here.n do
    local ok, message = compare(there[i], here[i], agree.forward)
    assert(ok, ("%sresult %d: %s"):format(about, i - 1, message))
  end
  if not (op.differentiable and dtype:find "float") then return true end
  backward(draw, here, there)
  for i, x in ipairs(g.here) do
    local base, other = mirror.base(x), mirror.base(g.there[i])
    if base and base.grad then
      local ok, message = compare(other.grad, base.grad, agree.backward)
      assert(ok, ("%sgradient of input %d: %s"):format(about, i, message))
    elseif base then
      assert(other.grad == nil, about .. "a gradient on CUDA alone")
    end
  end
  return true
end

--- Calls of one op; raises what does not agree.
-- @param op one of core.op_names()
-- @param device a name
-- @param rounds how many calls
-- @param first where the seeds begin
function agree_calls.check(op, device, rounds, first)
  local row = assert(rows[op.name], op.name .. " has no row in tests/support/random_calls.lua")
  local worked, start = 0, first
  for i = 1, #op.name do start = start + op.name:byte(i) * 10007 * i end
  for round = 1, rounds do
    if check(op, row, device, start + round) then worked = worked + 1 end
  end
  assert(worked > rounds / 4, "most calls are refused")
end

return agree_calls
