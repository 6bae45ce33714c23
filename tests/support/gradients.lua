--- First and second gradients of any function against central differences, over many seeds.
--
-- A seed draws the inputs anew, weights w of the result's elements and directions u and v in the space
-- of inputs and weights.  With L = sum(w * f) and g its gradient,
--     <g, v>           is compared with the difference of L along v, and
--     <d<g, u>, v>     with the difference of <g, u> along v,
-- which costs two further forward and backward passes whatever the number of elements.  All of w, u and
-- v lie in 0.5 .. 1.5, with random signs: an entry of a gradient that is wrong by e moves the sum by
-- e / 2 at least, and to hide it another wrong one would have to cancel it for 20 independent draws.
-- So a random direction a seed sees what a loop over all elements does.  A first seed goes through that
-- loop, too: it is `gru.autograd.gradcheck` and `gradgradcheck`.
local core = require "gru.core"
local devices = require "tests.support.devices"
local gru = require "gru"
local new_rng = require "tests.support.rng"

local gradients = {SEEDS = 20, ATOL = 1e-7, RTOL = 1e-5}

local EPS = 1e-6

-- 0.5 .. 1.5 with random signs, in the shape of x.
local function direction(x, draw)
  local data = {}
  for i = 1, x:numel() do data[i] = (draw() < 0.5 and -1 or 1) * draw(0.5, 1.5) end
  return core.from_data(x.shape, "float64", ("d"):rep(#data):pack(table.unpack(data)))
end

local function directions(leaves, draw)
  local list = {}
  for k, x in ipairs(leaves) do list[k] = direction(x, draw) end
  return list
end

-- sum_k <grads_k, along_k> as a tensor; nil where there is no gradient at all.
local function along(grads, list)
  local sum = nil
  for k, g in ipairs(grads) do
    local part = g and (g * list[k]):sum()
    if part then sum = sum and sum + part or part end
  end
  return sum
end

local function number(t) return t and t:item() or 0 end

-- false for NaN
local function within(d, limit) return math.abs(d) <= limit end

local function shape_text(x) return x.dtype .. " [" .. table.concat(x.shape, ", ") .. "]" end

-- Every gradient has the shape and the dtype of its input.
local function fitting(grads, leaves)
  for k, g in ipairs(grads) do
    if g and shape_text(g) ~= shape_text(leaves[k]) then
      return nil, ("input %d is %s, its gradient %s"):format(k, shape_text(leaves[k]), shape_text(g))
    end
  end
  return true
end

-- The gradients of `loss` as `backward` leaves them.
local function by_backward(loss, leaves)
  local grads = {}
  for _, x in ipairs(leaves) do x.grad = nil end
  loss:backward {retain_graph = true}
  for k, x in ipairs(leaves) do grads[k], x.grad = x.grad or false, nil end
  return grads
end

-- A difference of a sum of numbers that are computed differently.
local function equal(a, b) return within(a - b, 1e-10 * math.max(1, math.abs(b))) end

local function compare(what, got, want)
  if within(got - want, gradients.ATOL + gradients.RTOL * math.abs(want)) then return true end
  return nil, ("%s is %.10g along a direction, differences give %.10g"):format(what, got, want)
end

-- sum_k <above_k - below_k, along_k> / 2 EPS: differences first, which keeps rounding errors small.
local function slope(above, below, list)
  local sum = 0
  for k, a in ipairs(above) do
    if a then
      local d = a - below[k]
      sum = sum + (list and d * list[k] or d):sum():item()
    end
  end
  return sum / (2 * EPS)
end

--- Checks one draw.
-- @param f called with the leaves; gives one float64 tensor
-- @param leaves float64 leaves that require grad; f may also use them by other ways than its arguments
-- @param seed of weights and directions; an odd one goes through `backward`, an even one through `grad`
-- @return true, or nil and a message
function gradients.check(f, leaves, seed)
  local draw = new_rng(seed)
  local all = {table.unpack(leaves)}
  local y = f(table.unpack(leaves))
  local w = direction(y, draw):requires_grad_()
  all[#all + 1] = w
  local u, v = directions(all, draw), directions(all, draw)
  local loss = (y * w):sum()
  local unused = {allow_unused = true, retain_graph = true}
  local plain = seed % 2 == 1 and by_backward(loss, all) or core.grad({loss}, all, nil, unused)
  local ok, message = fitting(plain, all)
  if not ok then return nil, message end
  local first = number(along(plain, v))
  local composed = core.grad({loss}, all, nil, {allow_unused = true, create_graph = true})
  if not equal(number(along(composed, v)), first) then
    return nil, "under create_graph the gradient differs"
  end
  local total, second = along(composed, u), 0
  if total and total.requires_grad then
    local grads = core.grad({total}, all, nil, {allow_unused = true})
    ok, message = fitting(grads, all)
    if not ok then return nil, "second order: " .. message end
    second = number(along(grads, v))
  end
  local at, sides = {}, {}
  for k, x in ipairs(all) do at[k] = x:detach():clone() end
  for side, sign in ipairs {1, -1} do
    gru.no_grad(function()
      for k, x in ipairs(all) do x:copy_(at[k] + v[k] * (sign * EPS)) end
    end)
    local value = f(table.unpack(leaves)) * w
    local grads = core.grad({value:sum()}, all, nil, {allow_unused = true})
    sides[side] = {value = {value:detach()}, grads = grads}
  end
  gru.no_grad(function()
    for k, x in ipairs(all) do x:copy_(at[k]) end
  end)
  ok, message = compare("the gradient", first, slope(sides[1].value, sides[2].value))
  if not ok then return nil, message end
  return compare("the second gradient", second, slope(sides[1].grads, sides[2].grads, u))
end

--- All float64 tensors that a call gives, with those in tables, one after the other.
function gradients.together(...)
  local flat = {}
  local function open(x)
    if type(x) == "table" then
      for _, part in ipairs(x) do open(part) end
    elseif x.dtype == "float64" then
      flat[#flat + 1] = x:reshape(-1)
    end
  end
  open {...}
  return gru.cat(flat, 1)
end

--- Checks one draw with `gru.autograd.gradcheck` and `gradgradcheck`, element by element.
-- @return true, or nil and a message
function gradients.check_public(f, leaves)
  local options = {atol = gradients.ATOL, rtol = gradients.RTOL}
  for _, name in ipairs {"gradcheck", "gradgradcheck"} do
    local ok, message = gru.autograd[name](f, leaves, options)
    if not ok then return nil, name .. ": " .. message end
  end
  return true
end

--- Checks as many draws as there are seeds.
-- @param make make(seed) gives f and leaves
-- @param explain explain(message) says where it was; raised
-- @param by_element does the first seed go through `check_public`?
function gradients.every_seed(make, explain, by_element)
  by_element = by_element and devices.share(true, false)
  for seed = 1, devices.share(gradients.SEEDS, 2) do
    local f, leaves = make(seed)
    for _, x in ipairs(leaves) do x:requires_grad_() end
    local ok, message = gradients.check(f, leaves, seed)
    if ok and seed == 1 and by_element then ok, message = gradients.check_public(f, leaves) end
    if not ok then error(explain(("seed %d: %s"):format(seed, message)), 0) end
  end
end

return gradients
