--- Indexing: what `x[key]` and `x[key] = value` mean.
--
-- Keys: `i` a row; `{i, j}` positions from dim 1 on; `{{1, 3}, {}}` ranges, both ends included,
-- `{a, b, step}`, `{}` for all of a dim; a tensor of ids picks rows; a bool tensor picks elements.
-- Several tensors in a key are taken in pairs, as in PyTorch: they broadcast together, and element
-- (i, j) of `x[{rows, columns}]` is `x[{rows[{i, j}], columns[{i, j}]}]`. Their dims stand where the
-- picked dims stood, or in front where a range parts those. A mask in a key counts as the ids of its
-- true elements. Of equal places the last assignment wins, and gradients add up.
-- @module gru.index
local args = require "gru.args"
local core = require "gru.core"
local position = require "gru.position"

local index = {}
local ops = core.functions

-- Ids of the true elements of a mask, flattened.
local function true_positions(mask)
  return ops.nonzero(mask:reshape(-1)):reshape(-1)
end

-- Raises unless the mask has the sizes of x from dim `dim` on.
local function check_mask(x, dim, mask, level)
  for d = 1, mask:dim() do
    local e = dim + d - 1
    if e > x:dim() or x:size(e) ~= mask:size(d) then
      error(("index: a mask of size %d in dim %d, the tensor has %s")
        :format(mask:size(d), e, e > x:dim() and x:dim() .. " dims" or tostring(x:size(e))), level)
    end
  end
end

-- The rows of the leading dims that the mask covers, where it is true.
local function where_true(x, mask)
  local sizes, covered = {}, 1
  check_mask(x, 1, mask, 5)
  for d = 1, mask:dim() do covered = covered * mask:size(d) end
  sizes[1] = covered
  for d = mask:dim() + 1, x:dim() do sizes[#sizes + 1] = x:size(d) end
  return x:reshape(sizes):index_select(1, true_positions(mask))
end

--- The elements of x where the mask is true, in one dim; both are broadcast.
-- @param x any shape
-- @param mask bool
function index.masked_select(x, mask)
  args.tensor("masked_select", x)
  args.tensor("masked_select", mask)
  if mask.dtype ~= "bool" then
    error("masked_select: the mask must be a bool tensor, got " .. mask.dtype, 2)
  end
  x = ops.where(mask, x, x)
  return where_true(x, mask:expand(x.shape))
end

-- Applies a position or a range of a key to dim `dim` of x; returns the view and the next dim.
local function narrow(x, dim, part)
  if math.type(part) == "integer" then return x:select(dim, part), dim end
  if type(part) == "table" then
    if #part == 0 then return x, dim + 1 end
    local first, last, step = part[1], part[2], part[3]
    if #part > 3 or math.type(first) ~= "integer" or math.type(last) ~= "integer" then
      error("index: a range is {first, last} or {first, last, step}, in integers", 5)
    end
    return core.slice(x, dim, first, last, step), dim + 1
  end
  error(("index: a position, a range or a tensor of ids expected, got %s"):format(type(part)), 5)
end

-- Ids for dim `dim` of x on that a tensor in a key stands for: itself, or for a mask those of its
-- true elements, one tensor a dim.
local function ids_of(x, dim, part)
  if part.dtype == "int64" and dim <= x:dim() then return {part} end
  if part.dtype ~= "bool" or part:dim() == 0 then
    error(dim > x:dim() and ("index: %d dims named, the tensor has %d"):format(dim, x:dim())
      or ("index: a tensor in a key must be int64 ids or a bool mask, got %s"):format(part.dtype), 5)
  end
  check_mask(x, dim, part, 6)
  local places, columns = ops.nonzero(part), {}
  for d = 1, part:dim() do columns[d] = places:select(2, d) end
  return columns
end

-- What the positions and ranges of a key leave of x, a view, and the ids for it: {dim =, ids =}.
local function read_key(x, key)
  local view, dim, picks = x, 1, {}
  for _, part in ipairs(key) do
    if core.is_tensor(part) then
      for _, ids in ipairs(ids_of(view, dim, part)) do
        picks[#picks + 1] = {dim = dim, ids = ids}
        dim = dim + 1
      end
    else
      view, dim = narrow(view, dim, part)
    end
  end
  return view, picks
end

local function text(shape) return "[" .. table.concat(shape, ", ") .. "]" end

-- Element i of the picked tensors together, as a position in their dims taken as one, row by row.
-- Each id is looked up in a table of its dim, where the kernel refuses what is outside.
local function joint_ids(x, picks, level)
  if #picks == 1 then return picks[1].ids end
  local at, step, shape = nil, 1, {}
  for k = #picks, 1, -1 do
    local ids, size = picks[k].ids, x:size(picks[k].dim)
    local both = args.broadcast(shape, ids.shape)
    if not both then
      error(("index: ids of shapes %s and %s do not broadcast"):format(text(ids.shape), text(shape)), level)
    end
    local places = core.range(at and 0 or 1, step, size, "int64", x.device)
    local part = ops.index_select(places, 1, ids:reshape(-1)):reshape(ids.shape)
    at, step, shape = at and at + part or part, step * size, both
  end
  return at
end

-- How ids pick from x: PyTorch's rule.  The picked dims become those of the ids (which broadcast
-- together), in the place of the first where they are neighbours, else in front.
--   order    the dims of x, the picked ones side by side     lead   how many come before those
--   flat     the sizes in that order, the picked dims one     ids    where to pick in that one, flat
--   shape    of the result
local function plan_of(x, picks, level)
  local first, last, picked = picks[1].dim, picks[#picks].dim, {}
  for _, pick in ipairs(picks) do picked[pick.dim] = true end
  local lead = last - first + 1 == #picks and first - 1 or 0
  local order, flat, shape, total = {}, {}, {}, 1
  local ids = joint_ids(x, picks, level + 1)
  local function rest(from, to)
    for d = from, to do
      if not picked[d] then
        order[#order + 1], flat[#flat + 1], shape[#shape + 1] = d, x:size(d), x:size(d)
      end
    end
  end
  rest(1, lead)
  for _, pick in ipairs(picks) do
    order[#order + 1] = pick.dim
    total = total * x:size(pick.dim)
  end
  flat[#flat + 1] = total
  for _, size in ipairs(ids.shape) do shape[#shape + 1] = size end
  rest(lead + 1, x:dim())
  return {order = order, lead = lead, flat = flat, ids = ids:reshape(-1), shape = shape}
end

local function check_key(key)
  if not core.is_tensor(key) and type(key) ~= "table" then
    error(("index: a position, a table or a tensor expected, got %s %s")
      :format(type(key), tostring(key)), 4)
  elseif type(key) == "table" and #key == 0 and next(key) ~= nil then
    error("index: a key of positions expected, got named fields", 4)
  end
end

--- x[key]
function index.get(x, key)
  check_key(key)
  if core.is_tensor(key) and key.dtype == "bool" then return where_true(x, key) end
  local view, picks = read_key(x, core.is_tensor(key) and {key} or key)
  if #picks == 0 then return view end
  local plan = plan_of(view, picks, 4)
  local rows = view:permute(plan.order):reshape(plan.flat)
  return ops.index_select(rows, plan.lead + 1, plan.ids):reshape(plan.shape)
end

-- view[picks] = value: a copy of the view is changed and written back.  Of equal places the last wins.
local function put(view, picks, value, accumulate)
  local plan = plan_of(view, picks, 5)
  if not core.is_tensor(value) then value = core.empty({}, view.dtype, view.device):fill_(value) end
  local both = args.broadcast(plan.shape, value.shape)
  if not both or text(both) ~= text(plan.shape) then
    error(("index: a value of shape %s for elements of shape %s"):format(text(value.shape),
      text(plan.shape)), 4)
  end
  local ordered, back, part = view:permute(plan.order), {}, {table.unpack(plan.flat)}
  for d, from in ipairs(plan.order) do back[from] = d end
  part[plan.lead + 1] = plan.ids:numel()
  local source = value:to(view.dtype):expand(plan.shape):reshape(part)
  local write = accumulate and ops.index_add or position.index_copy
  local changed = write(ordered:reshape(plan.flat), plan.lead + 1, plan.ids, source)
  view:copy_(changed:reshape(ordered.shape):permute(back))
end

--- x[key] = value
function index.set(x, key, value)
  if math.type(key) == "integer" then
    local row = x[key]
    if row == nil then error(("index: position %d is outside dim 1"):format(key), 3) end
    row:copy_(value)
    return
  end
  check_key(key)
  if core.is_tensor(key) and key.dtype == "bool" and not (core.is_tensor(value) and value:numel() ~= 1) then
    local mask = key
    check_mask(x, 1, mask, 4)
    while mask:dim() < x:dim() do mask = mask:unsqueeze(-1) end
    x:copy_(ops.where(mask, value, x))
    return
  end
  local view, picks = read_key(x, core.is_tensor(key) and {key} or key)
  if #picks > 0 then put(view, picks, value) else view:copy_(value) end
end

--- `x[key] = value`, or with `accumulate` `x[key] += value`, where equal places add up.
-- @function index_put_
-- @usage gru.zeros(3, 3):index_put_({gru.tensor {1, 1}, gru.tensor {2, 2}}, 1, true)
-- @param x any shape
-- @tparam table key ids, masks, ranges and positions, as in `x[key]`
-- @param value a number, or a tensor that broadcasts to x[key]
-- @tparam[opt=false] boolean accumulate
-- @treturn tensor x
function index.index_put_(x, key, value, accumulate)
  args.tensor("index_put_", x)
  if type(key) ~= "table" then error("index_put_: a table of ids expected, got " .. type(key), 2) end
  if type(value) ~= "number" and not core.is_tensor(value) then
    error("index_put_: a number or a tensor expected, got " .. type(value), 2)
  end
  local view, picks = read_key(x, key)
  if #picks > 0 then
    put(view, picks, value, accumulate)
  elseif accumulate then
    view:add_(value)
  else
    view:copy_(value)
  end
  return x
end

--- The same, out of place.
-- @function index_put
-- @param x any shape
-- @tparam table key
-- @param value
-- @tparam[opt=false] boolean accumulate
-- @treturn tensor
function index.index_put(x, key, value, accumulate)
  args.tensor("index_put", x)
  return index.index_put_(x:clone(), key, value, accumulate)
end

--- x where the mask is false; where it is true, the elements of `source` one after the other.
-- @param x any shape
-- @param mask bool, broadcast to x
-- @param source at least as many elements as the mask has true ones
function index.masked_scatter(x, mask, source)
  if not core.is_tensor(mask) or mask.dtype ~= "bool" then
    error("masked_scatter: a bool mask expected", 2)
  end
  args.tensor("masked_scatter", x)
  args.tensor("masked_scatter", source, "source")
  local at = true_positions(mask:expand(x.shape))
  if source:numel() < at:numel() then
    error(("masked_scatter: %d elements for %d true ones of the mask")
      :format(source:numel(), at:numel()), 2)
  end
  local rows = source:reshape(-1):narrow(1, 1, at:numel())
  return ops.scatter(x:reshape(-1), 1, at, rows:to(x.dtype)):reshape(x.shape)
end

return index
