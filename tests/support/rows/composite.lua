--- Cases of the functions and methods that are written in Lua with other ops: what the rows of
-- tests/support/families.lua are for their ops, for gradients alone.
--
-- A row is a list of {inputs, call}; an input is its shape, or {shape, draw, dtype} as there.
local gru = require "gru"
local nd = require "tests.support.nd"
local together = require("tests.support.gradients").together

local MASK = {{2, 3}, {true, false, false, true, true, false}, "bool"}
local IDS = {{2}, {3, 1}, "int64"}
local ANY = {{2, 3}, {}, {0, 3}}

-- The same call for one input of each shape.
local function each(shapes, call, draw)
  local list = {}
  for i, shape in ipairs(shapes) do list[i] = {{{shape, draw or "any"}}, call} end
  return list
end

-- The same call for several inputs of each shape.
local function several(count, call, draws)
  local list = {}
  for i, shape in ipairs(ANY) do
    local inputs = {}
    for k = 1, count do inputs[k] = {shape, draws and draws[k] or "any"} end
    list[i] = {inputs, call}
  end
  return list
end

-- What `change` leaves of a copy of x, which it gets as a view of a larger tensor.
local function changed(change)
  return function(x, ...)
    local sizes = {2}
    for d = 1, x:dim() do sizes[d + 1] = x:size(d) end
    local whole = gru.zeros(sizes, {dtype = "float64"})
    local part = whole[2]
    part:copy_(x)
    change(part, ...)
    return whole
  end
end

local rows = {
  -- arithmetic
  log2 = each(ANY, gru.log2, "positive"),
  log10 = each(ANY, gru.log10, "positive"), gelu = each(ANY, gru.gelu),
  clamp = each(ANY, function(x) return x:clamp(-1.0005, 1.0005) end, "off_grid"),
  clip = each(ANY, function(x) return x:clip(-1.0005, 1.0005) end, "off_grid"),
  clamp_min = each(ANY, function(x) return x:clamp_min(-0.5005) end, "off_grid"),
  clamp_max = each(ANY, function(x) return x:clamp_max(0.5005) end, "off_grid"),
  logaddexp = {{{{2, 3}, {3}}, gru.logaddexp}, {{{0, 3}, {0, 3}}, gru.logaddexp}},
  nan_to_num = each(ANY, gru.nan_to_num),
  clamp_ = {
    {{{{2, 3}, "off_grid"}}, changed(function(x) x:clamp_(nil, 0.5005) end)},
    {{{{2, 3}, "off_grid"}}, changed(function(x) x:clamp_(-0.5005) end)},
  },
  masked_fill = {
    {{{2, 3}, MASK}, function(x, mask) return x:masked_fill(mask, 7) end},
    {{{2, 3}, MASK, {}}, function(x, mask, v) return x:masked_fill(mask, v) end},
    {{{2, 2, 3}, MASK}, function(x, mask) return x:masked_fill(mask, -1) end},
  },
  masked_fill_ = {{{{2, 3}, MASK, {}}, changed(function(x, mask, v) x:masked_fill_(mask, v) end)}},
  addcmul = several(3, function(x, a, b) return x:addcmul(a, b, 0.5) end),
  addcdiv = several(3, function(x, a, b) return x:addcdiv(a, b, -2) end, {"any", "any", "positive"}),
  addcmul_ = several(3, changed(function(x, a, b) x:addcmul_(a, b, 0.5) end)),
  addcdiv_ = several(3, changed(function(x, a, b) x:addcdiv_(a, b) end), {"any", "any", "positive"}),
  zero_ = {{{{2, 3}}, changed(function(x) x:narrow(1, 1, 1):zero_() end)}},
  fill_ = {{{{2, 3}}, changed(function(x) x:narrow(2, 2, 1):fill_(3) end)}},
  copy_ = {
    {{{2, 3}, {3}}, changed(function(x, y) x[1]:copy_(y * y) end)},
    {{{2, 3}, {}}, changed(function(x, y) x:copy_(y) end)},
  },

  -- products
  mm = {{{{2, 3}, {3, 2}}, gru.mm}, {{{0, 3}, {3, 2}}, gru.mm}},
  bmm = {{{{2, 2, 3}, {2, 3, 2}}, gru.bmm}, {{{0, 2, 3}, {0, 3, 2}}, gru.bmm}},
  mv = {{{{2, 3}, {3}}, gru.mv}, {{{2, 0}, {0}}, gru.mv}},
  dot = {{{{3}, {3}}, gru.dot}, {{{0}, {0}}, gru.dot}},
  outer = {{{{2}, {3}}, gru.outer}, {{{0}, {3}}, gru.outer}},
  addmm = {
    {{{2}, {2, 3}, {3, 2}}, function(x, a, b) return gru.addmm(x, a, b, {beta = 0.5, alpha = 2}) end},
    {{{2, 2}, {2, 3}, {3, 2}}, gru.addmm},
    {{{2, 2}, {2, 0}, {0, 2}}, function(x, a, b) return gru.addmm(x, a, b, {beta = 3}) end},
  },
  baddbmm = {
    {{{2, 2}, {2, 2, 3}, {2, 3, 2}}, function(x, a, b) return gru.baddbmm(x, a, b, {alpha = 2}) end},
  },
  addmv = {{{{}, {2, 3}, {3}}, gru.addmv}},

  -- shapes
  t = each({{2, 3}, {3}, {}, {0, 2}}, function(x) return x:t() end),
  unbind = {{{{2, 3}}, function(x) return together(x:unbind(2)) end}},
  split = {{{{5, 2}}, function(x) return together(x:split(2), x:split({1, 0, 4})) end}},
  chunk = {{{{5, 2}}, function(x) return together(x:chunk(2)) end}},
  flatten = each({{2, 2, 2}, {}, {0, 3}}, function(x) return x:flatten() end),
  unflatten = each({{2, 6}, {0, 4}}, function(x) return x:unflatten(2, {2, -1}) end),
  expand_as = {{{{3, 1}, {2, 3, 2}}, function(x, y) return x:expand_as(y) * y end}},
  view_as = {{{{2, 6}, {2, 2, 3}}, function(x, y) return x:view_as(y) * y end}},
  reshape_as = {
    {{{2, 6}, {3, 4}}, function(x, y) return x:reshape_as(y) * y end},
    {{{}, {1}}, gru.reshape_as},
  },
  broadcast_to = {{{{3, 1}}, function(x) return x:broadcast_to(2, 3, 2) end}, {{{}}, function(x)
    return x:broadcast_to(2)
  end}},
  flip = {
    {{{2, 3}}, function(x) return x:flip(1) end}, {{{2, 3}}, function(x) return x:flip({1, 2}) end},
    {{{0, 3}}, function(x) return x:flip(2) end}, {{{}}, function(x) return x:flip({}) end},
  },
  fliplr = each({{2, 3}}, gru.fliplr), flipud = each({{2, 3}}, gru.flipud),
  roll = {
    {{{2, 3}}, function(x) return x:roll(1) end}, {{{2, 3}}, function(x) return x:roll({1, -1}, {1, 2}) end},
    {{{0, 3}}, function(x) return x:roll(1, 2) end},
  },
  swapaxes = {{{{2, 3, 2}}, function(x) return x:swapaxes(1, 3) end}},
  swapdims = {{{{2, 3}}, function(x) return x:swapdims(1, -1) end}},
  movedim = {{{{2, 3, 2}}, function(x) return x:movedim({1, 2}, {2, 3}) end}},
  moveaxis = {{{{2, 3, 2}}, function(x) return x:moveaxis(1, -1) end}},
  repeat_ = {
    {{{2, 3}}, function(x) return x:repeat_(2, 1, 2) end}, {{{}}, function(x) return x:repeat_(2) end},
    {{{2, 3}}, function(x) return x:repeat_(2, 0) end}, {{{0, 3}}, function(x) return x:repeat_(2, 2) end},
    {{{1, 2, 1, 2}}, function(x) return x:repeat_(2, 2, 1, 1, 2, 1, 2, 1) end},
  },
  tile = {{{{2, 3}}, function(x) return x:tile(2) end}, {{{}}, function(x) return x:tile(2, 2) end}},
  repeat_interleave = {
    {{{2, 3}}, function(x) return x:repeat_interleave(2) end},
    {{{2, 3}}, function(x) return x:repeat_interleave(2, 2) end},
    {{{}}, function(x) return x:repeat_interleave(3) end},
    {{{3, 2}}, function(x) return x:repeat_interleave(gru.tensor {2, 0, 1}, 1) end},
  },
  meshgrid = {{{{2}, {3}, {}}, function(...) return together(gru.meshgrid {...}) end}},
  tril = each({{3, 3}, {2, 2, 3}, {0, 3}}, function(x) return x:tril(1) end),
  triu = each({{3, 3}, {2, 2, 3}, {0, 3}}, function(x) return x:triu(-1) end),
  tril_ = {{{{3, 3}}, changed(function(x) x:tril_(-1) end)}},
  triu_ = {{{{3, 3}}, changed(function(x) x:triu_() end)}},
  diag = {
    {{{3}}, function(x) return x:diag(1) end}, {{{3, 4}}, function(x) return x:diag(-1) end},
    {{{3, 4}}, function(x) return x:diag(2) end}, {{{0, 3}}, gru.diag},
  },
  trace = each({{2, 3}, {0, 2}}, gru.trace),
  diagonal = {
    {{{2, 3, 3}}, function(x) return x:diagonal(1, 2, 3) end},
    {{{3, 2}}, function(x) return x:diagonal(-1) end},
  },
  diff = each({{2, 3}, {0, 3}}, function(x) return x:diff(2) end),
  ravel = each(ANY, gru.ravel),
  concat = {{{{2, 3}, {2, 1}}, function(x, y) return gru.concat({x, y}, 2) end}},
  hstack = {{{{2, 3}, {2, 1}}, function(...) return gru.hstack {...} end}},
  vstack = {{{{2, 3}, {3}}, function(...) return gru.vstack {...} end}},
  broadcast_tensors = {{{{2, 3}, {3}, {}}, function(...) return together(gru.broadcast_tensors {...}) end}},
  type_as = each(ANY, function(x) return x:type_as(gru.ones(1, {dtype = "float64"})) end),
  double = each(ANY, gru.double), cpu = each(ANY, function(x) return gru.cpu(x):to(x.device) end),

  -- reductions
  var = {
    {{{2, 3}}, function(x) return x:var() end}, {{{2, 3}}, function(x) return x:var(1, true, 0) end},
    {{{0, 3}}, function(x) return x:var(2) end},
  },
  std = {
    {{{2, 3}}, function(x) return x:std(2) end},
    {{{2, 3}}, function(x) return x:std {unbiased = false} end},
  },
  var_mean = {{{{2, 3}}, function(x) return together(x:var_mean(2)) end}},
  std_mean = {{{{2, 3}}, function(x) return together(x:std_mean(1)) end}},
  logsumexp = {
    {{{2, 3}}, function(x) return x:logsumexp(2) end},
    {{{2, 3}}, function(x) return x:logsumexp({1, 2}, true) end},
    {{{}}, function(x) return x:logsumexp() end}, {{{0, 3}}, function(x) return x:logsumexp(2) end},
  },
  nansum = {
    {{{{2, 3}, {1.5, 0 / 0, -2.0, 0.5, 3.0, 0 / 0}}}, function(x) return x:nansum(2) end},
    {{{0, 3}}, function(x) return x:nansum() end}, {{{}}, function(x) return x:nansum() end},
  },
  norm = {},

  -- order and positions
  kthvalue = {
    {{{{2, 3}, "distinct"}}, function(x) return (x:kthvalue(2)) end},
    {{{{2, 3}, "distinct"}}, function(x) return (x:kthvalue(1, 2, true)) end}, {{{}}, function(x)
      return (x:kthvalue(1))
    end},
  },
  bincount = {{{{{4}, {3, 1, 3, 2}, "int64"}, {4}}, function(ids, w) return gru.bincount(ids, w, 5) end}},
  masked_select = {{{{2, 3}, MASK}, gru.masked_select}, {{{3}, MASK}, gru.masked_select}},
  masked_scatter = {{{{2, 3}, MASK, {4}}, gru.masked_scatter}},
  masked_scatter_ = {{{{2, 3}, MASK, {3}}, changed(function(x, mask, y) x:masked_scatter_(mask, y) end)}},
  take = {{{{2, 3}, {{2, 2}, {6, 1, 1, 4}, "int64"}}, gru.take}},
  index_put = {
    {{{2, 3}, IDS, {2}}, function(x, ids, v) return x:index_put({1, ids}, v, true) end},
    {{{2, 3}, IDS, {}}, function(x, ids, v) return x:index_put({{}, ids}, v) end},
  },
  index_put_ = {{{{3, 2}, IDS, {2, 2}}, changed(function(x, ids, v) x:index_put_({ids}, v, true) end)}},
  index_fill = {
    {{{2, 3}, IDS}, function(x, ids) return x:index_fill(2, ids, 5) end},
    {{{2, 3}, IDS, {}}, function(x, ids, v) return x:index_fill(2, ids, v) end},
  },
  index_fill_ = {{{{3, 2}, IDS, {}}, changed(function(x, ids, v) x:index_fill_(1, ids, v) end)}},
  index_copy = {{{{3, 2}, IDS, {2, 2}}, function(x, ids, y) return x:index_copy(1, ids, y) end}},
  index_copy_ = {{{{3, 2}, IDS, {2, 2}}, changed(function(x, ids, y) x:index_copy_(1, ids, y) end)}},
  index_add_ = {{{{3, 2}, IDS, {2, 2}}, changed(function(x, ids, y) x:index_add_(1, ids, y) end)}},
  scatter_ = {{{{3}, IDS, {2}}, changed(function(x, ids, y) x:scatter_(1, ids, y) end)}},
  scatter_add_ = {{{{3}, IDS, {2}}, changed(function(x, ids, y) x:scatter_add_(1, ids, y) end)}},
  cumsum_ = {{{{2, 3}}, changed(function(x) x:cumsum_(2) end)}},
  cumprod_ = {{{{2, 3}}, changed(function(x) x:cumprod_(1) end)}},
  __getitem = {
    {{{2, 3}}, function(x) return x[2] end}, {{{2, 3}}, function(x) return x[{2, -1}] end},
    {{{2, 5}}, function(x) return x[{{}, {1, 5, 2}}] end},
    {{{3, 2}, IDS}, function(x, ids) return x[ids] end},
    {{{2, 3}, IDS}, function(x, ids) return x[{{}, ids}] end},
    {{{2, 3}, MASK}, function(x, mask) return x[mask] end},
    {{{0, 3}}, function(x) return x[{{}, {1, 2}}] end},
  },
  __setitem = {
    {{{2, 3}, {3}}, changed(function(x, y) x[2] = y end)},
    {{{2, 3}, {}}, changed(function(x, y) x[{1, 2}] = y end)},
    {{{2, 5}, {2, 3}}, changed(function(x, y) x[{{}, {1, 5, 2}}] = y end)},
    {{{3, 2}, IDS, {2, 2}}, changed(function(x, ids, y) x[ids] = y end)},
    {{{2, 3}, MASK, {3}}, changed(function(x, mask, y) x[mask] = y end)},
    {{{2, 3}, MASK}, changed(function(x, mask) x[mask] = 4 end)},
  },
  rows = {{{{2, 3}}, function(x)
    local list = {}
    for i, row in x:rows() do list[i] = row end
    return together(list)
  end}},
}

for _, p in ipairs {1, 2, 3, 0.5, math.huge, -math.huge} do
  local list = rows.norm
  list[#list + 1] = {{{{2, 3}, "magnitudes"}}, function(x) return x:norm(p, 2) end}
  list[#list + 1] = {{{{0, 3}}}, function(x) return x:norm(p, 2, true) end}
  list[#list + 1] = {{{{}, "positive"}}, function(x) return x:norm(p) end}
end

-- Operators, with numbers on either side.
local function operator(f, draws)
  return {
    {{{{2, 3}, draws and draws[1]}, {{3}, draws and draws[2]}}, f},
    {{{{2, 3}, draws and draws[1]}}, function(x) return f(x, 2) end},
    {{{{2, 3}, draws and draws[2]}}, function(x) return f(3, x) end},
    {{{{}, draws and draws[1]}, {{0, 3}, draws and draws[2]}}, f},
  }
end
rows.__add = operator(function(a, b) return a + b end)
rows.__sub = operator(function(a, b) return a - b end)
rows.__mul = operator(function(a, b) return a * b end)
rows.__div = operator(function(a, b) return a / b end, {"any", "positive"})
rows.__pow = operator(function(a, b) return a ^ b end, {"positive", "positive"})
rows.__mod = operator(function(a, b) return a % b end, {"dividend", "divisor"})
rows.__idiv = operator(function(a, b) return a // b end, {"dividend", "divisor"})
rows.__unm = each(ANY, function(x) return -x end)

-- As the cases of tests/support/families.lua.
local cases = {}
for name, list in pairs(rows) do
  cases[name] = {}
  for i, row in ipairs(list) do
    local inputs, shapes = {}, {}
    for k, input in ipairs(row[1]) do
      inputs[k] = type(input[1]) == "table" and input or {input}
      shapes[k] = "[" .. table.concat(inputs[k][1], ", ") .. "]"
    end
    cases[name][i] = {name = ("%s of %s, %d"):format(name, table.concat(shapes, ", "), i), inputs = inputs,
      call = row[2], layouts = nd.layout_names, fixed = "contiguous"}
  end
end
return cases
