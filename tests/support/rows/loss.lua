--- Cases of the losses.
local core = require "gru.core"
local nd = require "tests.support.nd"

-- -w[y] log softmax(x)[y], smoothed and reduced as in PyTorch.
local function cross_entropy(x, target, weight, ignore, reduction, smoothing)
  local classes = x.shape[#x.shape]
  local total, mass, losses = 0, 0, {}
  for n, t in ipairs(target.data) do
    local top, sum = -math.huge, 0
    for c = 1, classes do top = math.max(top, x.data[(n - 1) * classes + c]) end
    for c = 1, classes do sum = sum + math.exp(x.data[(n - 1) * classes + c] - top) end
    local loss = 0
    if t ~= ignore then
      local function log_p(c) return x.data[(n - 1) * classes + c] - top - math.log(sum) end
      local function w(c) return weight and weight.data[c] or 1 end
      loss = -(1 - smoothing) * w(t) * log_p(t)
      for c = 1, classes do loss = loss - smoothing / classes * w(c) * log_p(c) end
      mass = mass + w(t)
    end
    losses[n] = loss
    total = total + loss
  end
  if reduction == "none" then return nd.new(target.shape, losses) end
  return nd.new({}, {reduction == "sum" and total or total / mass})
end

local TARGETS = {{3, 1, 4, 2, 3}, {3, -100, 4, -100, 3}}

local cases = {}

local function add(name, inputs, options)
  local made = {
    name = name, inputs = inputs,
    call = function(x, target, weight)
      return core.cross_entropy(x, target, weight, options.ignore, options.reduction,
        options.smoothing or 0)
    end,
    ref = function(x, target, weight)
      return cross_entropy(x, target, weight, options.ignore, options.reduction or "mean",
        options.smoothing or 0)
    end,
    -- a row of targets that are all the same is a case of its own
    layouts = {"contiguous", "transposed", "sliced"},
  }
  cases[#cases + 1] = made
  return made
end

for _, reduction in ipairs {"mean", "sum", "none"} do
  for _, smoothing in ipairs {0, 0.1, 1} do
    for _, ignore in ipairs {false, -100} do
      local options = {reduction = reduction, smoothing = smoothing, ignore = ignore or nil}
      local inputs = {{{5, 4}}, {{5}, TARGETS[ignore and 2 or 1], "int64"}}
      add(("%s, smoothing %g, ignore %s"):format(reduction, smoothing, tostring(ignore)), inputs, options)
    end
  end
end

local one = add("one row", {{{4}}, {{}, {2}, "int64"}}, {})
one.layouts = {"contiguous", "sliced"}
add("long rows", {{{3, 1027}, function(r) return r(-20, 20) end}, {{3}, {1027, 1, 500}, "int64"}},
  {}).grad = false
local none = add("no row", {{{0, 4}}, {{0}, {}, "int64"}}, {reduction = "sum"})
none.layouts = {"contiguous"}
add("a row that is shared", {{{5, 4}}, {{5}, {2, 2, 2, 2, 2}, "int64"}}, {}).layouts = {"broadcast"}

return {cross_entropy = cases}
