--- The same tensor on the CPU and on another device, in the same layout; and how close results are.
local gru = require "gru"
local rng = require "tests.support.rng"

local mirror = {}

local EPS = {float32 = 2.0 ^ -23, float64 = 2.0 ^ -52}

-- Numbers of a dtype, on the CPU.
local function numbers(dtype, shape, kind)
  local floats = {dtype = dtype:find "float" and dtype or nil, device = "cpu"}
  local function chance(p) return gru.rand(shape, {device = "cpu"}):lt(p) end
  if dtype == "bool" then return chance(0.5) end
  if dtype == "int64" then return gru.randint(-4, 5, shape, floats) end
  if kind == "near 1" then return gru.rand(shape, floats) * 0.2 + 0.9 end
  local x = gru.randn(shape, floats)
  if kind == "ties" then return x:round() end
  if kind == "small" then return x * 0.3 end
  if kind == "large" then return x + x:sign() * 30 end
  if kind ~= "special" then return x end
  for _, v in ipairs {1 / 0, -1 / 0, 0 / 0} do x = x:masked_fill(chance(0.01), v) end
  return x
end

local function map(list, f)
  local out = {}
  for i, v in ipairs(list) do out[i] = f(v, i) end
  return out
end

local bases = setmetatable({}, {__mode = "k"})

-- A layout gives the shape of the base, and how the base is viewed to have `shape`.
local layouts = {}
mirror.layouts = {"contiguous", "reversed", "rotated", "stepped", "offset", "expanded"}

function layouts.contiguous(shape) return shape, function(t) return t end end

function layouts.reversed(shape)
  local n = #shape
  return map(shape, function(_, d) return shape[n + 1 - d] end),
    function(t) return n > 0 and t:permute(map(shape, function(_, d) return n + 1 - d end)) or t end
end

function layouts.rotated(shape)
  local n = #shape
  return map(shape, function(_, d) return shape[d % n + 1] end),
    function(t) return n > 0 and t:permute(map(shape, function(_, d) return (d + n - 2) % n + 1 end)) or t end
end

function layouts.stepped(shape)
  return map(shape, function(size) return 2 * size + 1 end), function(t)
    if #shape == 0 then return t end
    return t[map(shape, function(size) return size == 0 and {2, 1} or {2, 2 * size, 2} end)]
  end
end

function layouts.offset(shape)
  local n = #shape
  return map(shape, function(size, d) return d == n and size + 3 or size end),
    function(t) return n > 0 and t:narrow(n, 2, shape[n]) or t end
end

function layouts.expanded(shape, draw)
  local d = #shape > 0 and draw(#shape) or 0
  return map(shape, function(size, k) return k == d and math.min(size, 1) or size end),
    function(t) return #shape > 0 and t:expand(shape) or t end
end

--- A tensor on the CPU, and its like on `device`.
-- @param draw a generator of tests/support/rng.lua
-- @param device a name
-- @param dtype its dtype
-- @param shape its shape
-- @param layout one of `mirror.layouts`
-- @param kind "special": with infinities and NaN; "ties": few different ones; "near 1"; "small"; "large":
-- beyond 30
-- @param leaves whether they are views of leaves that require grad
function mirror.pair(draw, device, dtype, shape, layout, kind, leaves)
  gru.manual_seed(draw(1 << 30))
  local base_shape, view = layouts[layout or "contiguous"](shape, draw)
  local base = numbers(dtype, base_shape, kind)
  local there = base:to(device)
  if leaves then
    base:requires_grad_()
    there:requires_grad_()
  end
  local here_view, there_view = view(base), view(there)
  bases[here_view], bases[there_view] = base, there
  return here_view, there_view
end

--- The tensor that one of `mirror.pair` is a view of.
function mirror.base(t) return bases[t] end

--- A shape of up to `most` dims, of which a few are 0.
function mirror.shape(draw, most, sizes)
  sizes = sizes or {1, 2, 3, 5, 8, 17, 33}
  local shape = {}
  for d = 1, draw(most + 1) - 1 do shape[d] = draw(20) == 1 and 0 or sizes[draw(#sizes)] end
  return shape
end

--- Does `got`, wherever it is, hold what `want` on the CPU holds?  Floats may differ by `ulp` units in
-- the last place of the element, or of `scale` where that is larger; others not at all.
-- @return true, or false and a message
function mirror.close(got, want, ulp, scale)
  local place = ("[%s]"):format(table.concat(want.shape, ", "))
  if got.dtype ~= want.dtype or #got.shape ~= #want.shape then
    return false, ("%s [%s], expected %s %s"):format(got.dtype, table.concat(got.shape, ", "),
      want.dtype, place)
  end
  local there = got:to("cpu")
  local agree = there:eq(want)
  if want.dtype:find "float" then
    local size = gru.maximum(want:abs(), scale or 0)
    agree = agree:logical_or((there - want):abs():le(size * (EPS[want.dtype] * (ulp or 0))))
      :logical_or(there:isnan():logical_and(want:isnan()))
  end
  if agree:all():item() then return true end
  local i = agree:flatten():to("float32"):argmin():item()
  return false, ("element %d of %s %s is %s, expected %s"):format(i, want.dtype, place,
    tostring(there:flatten()[i]:item()), tostring(want:flatten()[i]:item()))
end

--- `f(draw, layout)` for a number of seeds, with one layout after the other; names the one that fails.
function mirror.each(seeds, f)
  for seed = 1, seeds do
    local layout = mirror.layouts[(seed - 1) % #mirror.layouts + 1]
    local ok, message = pcall(f, rng(seed), layout)
    if not ok then error(("seed %d, %s: %s"):format(seed, layout, tostring(message)), 2) end
  end
end

return mirror
