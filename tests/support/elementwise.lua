--- What every elementwise op is put through, given a row of tests/ops_spec.lua.
--
-- A row holds
--   f      the reference, over Lua floats
--   gens   how inputs are drawn: a name of `draws`, or a list of one name an input
--   i      the reference over Lua integers, where it is another function than f
--   igens  how int64 inputs are drawn ("integers" unless given)
--   int    the dtype that int64 inputs give: "int64", "bool" or "float32"
--   bool   the same for bools; "error" where the op refuses them
--   special  numbers to try in place of SPECIAL
--   fixed  input 1 is a condition, without gradient
local core = require "gru.core"
local agree = require "tests.support.agree"
local gradients = require "tests.support.gradients"
local nd = require "tests.support.nd"
local new_rng = require "tests.support.rng"

local elementwise = {}

-- Draws keep 1e-3 and more away from kinks and from each other, so that differences see none.
local draws = {
  any = function(r) return r(7) - 4 + r(0.1, 0.35) end,     -- not near k or k + 1/2
  other = function(r) return r(7) - 4 + r(0.6, 0.85) end,   -- never near `any`
  positive = function(r) return r(0.3, 2.5) end,
  above = function(r) return r(-0.8, 2.5) end,              -- above -1
  nonzero = function(r) return (r(2) * 2 - 3) * r(0.4, 2) end,
  dividend = function(r) return (2 * r(6) - 7) + r(0, 0.05) end,
  divisor = function(r) return (r(2) * 2 - 3) * r(2, 2.05) end,
  exponent = function(r) return (r(2) * 2 - 3) * r(0.3, 2.2) end,
  low = function(r) return r(-1.5, -1.4) end,
  high = function(r) return r(1.4, 1.5) end,
  condition = function(r) return r(2) == 1 end,
  integers = function(r) return r(11) - 6 end,
  nonzeros = function(r) return (r(2) * 2 - 3) * r(5) end,
  naturals = function(r) return r(4) - 1 end,
}

local FORMS = {
  {{{2, 3, 4}}, {{5}}, {{}}, {{0}}, {{2, 0, 3}}, {{1, 1}}},
  {
    {{2, 3, 4}, {2, 3, 4}}, {{2, 3, 4}, {3, 1}}, {{4}, {2, 3, 4}}, {{2, 1, 4}, {1, 3, 1}},
    {{}, {2, 3}}, {{2, 3}, {}}, {{}, {}}, {{0, 3}, {3}}, {{2, 0}, {1}}, {{}, {0}},
  },
  {
    {{2, 3, 4}, {2, 3, 4}, {2, 3, 4}}, {{2, 3}, {3}, {}}, {{}, {2, 3}, {2, 1}},
    {{2, 1}, {1, 3}, {2, 3}}, {{}, {}, {}}, {{0, 3}, {3}, {1}},
  },
}

local GRAD_FORMS = {
  {{{2, 3}}, {{3, 1, 2}}, {{}}, {{0, 3}}},
  {{{2, 3}, {2, 3}}, {{2, 3}, {3}}, {{2, 1}, {1, 3}}, {{}, {2}}, {{}, {}}, {{0, 3}, {3}}},
  {
    {{2, 2}, {2, 2}, {2, 2}}, {{2, 1}, {}, {1, 3}}, {{}, {3}, {2, 1}}, {{}, {}, {}}, {{0, 2}, {2}, {1}},
  },
}

local MIXED = {
  {"contiguous", "transposed", "sliced"}, {"transposed", "sliced", "broadcast"},
  {"sliced", "broadcast", "contiguous"}, {"broadcast", "contiguous", "transposed"},
}

local function generator(row, k, dtype)
  local gens = row.gens
  if dtype == "int64" then gens = row.igens or "integers" end
  if dtype == "bool" or row.fixed and k == 1 then gens = "condition" end
  return draws[type(gens) == "table" and gens[k] or gens]
end

-- The dtype of input k where the others have `dtype`.
local function dtype_of(row, k, dtype) return row.fixed and k == 1 and "bool" or dtype end

local function array(row, k, dtype, shape, rng)
  local draw = generator(row, k, dtype)
  return nd.round(nd.generate(shape, function() return draw(rng) end), dtype_of(row, k, dtype))
end

local function as_number(v)
  if type(v) == "boolean" then return v and 1 or 0 end
  return v
end

-- The dtype and the values that the op should give.
local function expected(row, arrays, dtype)
  local result = dtype
  if dtype == "int64" then result = row.int elseif dtype == "bool" then result = row.bool end
  if row.test then result = "bool" end
  local f = result == "float32" and row.f or dtype ~= "float64" and row.i or row.f
  local function reference(a, b, c)
    if not row.fixed then a = as_number(a) end
    if result == "float32" and a and math.type(a) == "integer" then a = a + 0.0 end
    local y = f(a, as_number(b), as_number(c))
    if result == "bool" then return y ~= 0 and y ~= false end
    return y
  end
  return nd.round(nd.map(reference, table.unpack(arrays)), result), result
end

-- Tensors in the layouts named, and the arrays that they show.
local function lay_out(row, arrays, dtype, layouts)
  local tensors, values = {}, {}
  for k, a in ipairs(arrays) do
    local base, view, value = nd.layouts[layouts[k]](a)
    tensors[k] = view(nd.tensor(base, dtype_of(row, k, dtype)))
    values[k] = value
  end
  return tensors, values
end

local function explain(message, name, dtype, arrays, layouts)
  local shapes = {}
  for k, a in ipairs(arrays) do
    shapes[k] = "[" .. table.concat(a.shape, ", ") .. "] " .. layouts[k]
  end
  return message and ("%s %s of %s: %s"):format(name, dtype, table.concat(shapes, ", "), message)
end

local function check_forward(name, row, arrays, dtype, layouts)
  local tensors, values = lay_out(row, arrays, dtype, layouts)
  local want, result = expected(row, values, dtype)
  local y = core.functions[name](table.unpack(tensors))
  local ok, message = agree.shape(y, want.shape, result)
  if ok then ok, message = agree.values(y, want, agree.forward[result] or 0) end
  assert(ok, explain(message, name, dtype, arrays, layouts))
  return tensors, y, result
end

-- Every choice of layouts: the same for all inputs, then mixed ones.
local function each_layout(n, f)
  for _, layout in ipairs(nd.layout_names) do f({layout, layout, layout}) end
  if n > 1 then
    for _, layouts in ipairs(MIXED) do f(layouts) end
  end
end

local function each_form(row, op, dtype, f)
  local rng = new_rng(#op.name)
  for _, form in ipairs(FORMS[op.inputs]) do
    local arrays = {}
    for k, shape in ipairs(form) do arrays[k] = array(row, k, dtype, shape, rng) end
    f(arrays)
  end
end

--- Forward against the reference: every dtype, shape and layout.
function elementwise.forward(row, op, dtype)
  each_form(row, op, dtype, function(arrays)
    each_layout(op.inputs, function(layouts)
      check_forward(op.name, row, arrays, dtype, layouts)
    end)
  end)
end

--- Sizes around the widths of vectors, from an address that is and one that is not aligned.
function elementwise.sizes(row, op, dtype)
  local rng = new_rng(7)
  for _, n in ipairs {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 1000} do
    local arrays, tensors = {}, {}
    for k = 1, op.inputs do
      local whole = array(row, k, dtype, {n + 1}, rng)
      arrays[k] = nd.new({n}, table.move(whole.data, 2, n + 1, 1, {}))
      tensors[k] = nd.tensor(whole, dtype_of(row, k, dtype)):narrow(1, 2, n)
    end
    local want, result = expected(row, arrays, dtype)
    local tol = agree.forward[result] or 0
    assert(agree.values(core.functions[op.name](table.unpack(tensors)), want, tol))
    for k, t in ipairs(tensors) do tensors[k] = t:clone() end
    assert(agree.values(core.functions[op.name](table.unpack(tensors)), want, tol))
  end
end

local wide = {bool = 1, int64 = 2, float32 = 3, float64 = 3}

--- `x:op_()` leaves in x what `x:op()` gives, whatever x's layout.
function elementwise.in_place(row, op, dtype)
  if row.fixed or dtype == "bool" and row.bool == "error" then return end
  each_form(row, op, dtype, function(arrays)
    local shape = nd.broadcast_shape(table.unpack(arrays))
    if table.concat(shape, " ") ~= table.concat(arrays[1].shape, " ") then return end
    for _, layouts in ipairs {
      {"contiguous", "contiguous", "contiguous"}, {"transposed", "transposed", "sliced"},
      {"sliced", "broadcast", "contiguous"},
    } do
      local tensors, y, result = check_forward(op.name, row, arrays, dtype, layouts)
      if wide[result] > wide[dtype] then return end
      local x = table.remove(tensors, 1)
      local version = x:_version()
      assert(rawequal(x[op.name .. "_"](x, table.unpack(tensors)), x), "it returns its tensor")
      assert(x:_version() > version, "it counts as a change")
      assert(agree.tensors(x, y:to(dtype)))
    end
  end)
end

-- Floats at the edges: the reference is followed there too.
local SPECIAL = {
  {0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 3.7, 1e-30, -1e-30, 1e30, -1e30, 90.0,
    -90.0, 110.0, -110.0, 720.0, -720.0, 1 / 0, -1 / 0, 0 / 0},
  {0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -3.0, 1 / 0, -1 / 0, 0 / 0},
  {0.0, 1.0, -2.0, 1 / 0, -1 / 0, 0 / 0},
}

--- Zeros, halves, large numbers, infinities and NaN, each with each.
function elementwise.special(row, op, dtype)
  local list, arrays = row.special or SPECIAL[op.inputs], {}
  for k = 1, op.inputs do
    local shape = {}
    for d = 1, op.inputs do shape[d] = d == k and #list or 1 end
    local numbers = nd.new(shape, list)
    if row.fixed and k == 1 then numbers = nd.map(function(v) return v > 0 end, numbers) end
    arrays[k] = nd.round(numbers, dtype_of(row, k, dtype))
  end
  local want, result = expected(row, arrays, dtype)
  local y = core.functions[op.name](table.unpack((lay_out(row, arrays, dtype,
    {"contiguous", "contiguous", "contiguous"}))))
  assert(agree.values(y, want, agree.forward[result] and (dtype == "float32" and 2e-6 or 1e-14) or 0,
    true))
end

-- What is differentiated with respect to the leaves, and these: `op` is called with their views.
local function differentiable(row, op, arrays, layouts)
  local leaves, views, fixed = {}, {}, nil
  for k, a in ipairs(arrays) do
    local base, view = nd.layouts[layouts[k]](a)
    if row.fixed and k == 1 then
      fixed = view(nd.tensor(base, "bool"))
    else
      leaves[#leaves + 1], views[#views + 1] = nd.tensor(base, "float64"), view
    end
  end
  return function(...)
    local inputs = {fixed}
    for k, leaf in ipairs {...} do inputs[#inputs + 1] = views[k](leaf) end
    return op(table.unpack(inputs))
  end, leaves
end

-- `x:op_(...)` on a view, in x's layout, of a copy of what it shows: the copy is what comes out.
local function written_over(op, shape, layout)
  local base, view = nd.layouts[layout](nd.generate(shape, function() return 0.5 end))
  return function(x, ...)
    local whole = nd.tensor(base, "float64")
    local part = view(whole)
    part:copy_(x)
    part[op.name .. "_"](part, ...)
    return part
  end
end

local function check_form(row, op, form, layouts, f)
  gradients.every_seed(function(seed)
    local rng, arrays = new_rng(seed * 31 + #op.name), {}
    for k, shape in ipairs(form) do arrays[k] = array(row, k, "float64", shape, rng) end
    return differentiable(row, f, arrays, layouts)
  end, function(message)
    local arrays = {}
    for k, shape in ipairs(form) do arrays[k] = {shape = shape} end
    return explain(message, op.name, "gradient", arrays, layouts)
  end, layouts[1] == "contiguous")
end

-- Is there a dim that can be laid out in different ways?
local function has_dims(form)
  for _, shape in ipairs(form) do
    if #shape > 0 then return true end
  end
  return false
end

--- First and second gradients for every form and layout, and those of the op in place.
function elementwise.gradients(row, op)
  for _, form in ipairs(GRAD_FORMS[op.inputs]) do
    local f = core.functions[op.name]
    local plain = {"contiguous", "contiguous", "contiguous"}
    if has_dims(form) then
      each_layout(op.inputs, function(layouts) check_form(row, op, form, layouts, f) end)
    else
      check_form(row, op, form, plain, f)
    end
  end
end

--- The same of `x:op_()`, where x is a view of another tensor.
function elementwise.gradients_in_place(row, op)
  if row.fixed then return end
  local form = {{2, 3}, {3}, {2, 1}}
  for _, layout in ipairs {"contiguous", "transposed", "sliced"} do
    check_form(row, op, {table.unpack(form, 1, op.inputs)}, {layout, "contiguous", "contiguous"},
      written_over(op, form[1], layout))
  end
end

--- The float32 gradient against the float64 one, which differences have checked.
function elementwise.float32_gradient(row, op)
  local rng, arrays, grads = new_rng(3), {}, {}
  for k = 1, op.inputs do arrays[k] = array(row, k, "float32", {2, 17}, rng) end
  for _, dtype in ipairs {"float32", "float64"} do
    local leaves, inputs = {}, {}
    for k, a in ipairs(arrays) do
      inputs[k] = nd.tensor(a, dtype_of(row, k, dtype))
      if inputs[k].dtype == dtype then leaves[#leaves + 1] = inputs[k]:requires_grad_() end
    end
    core.functions[op.name](table.unpack(inputs)):sum():backward()
    grads[dtype] = leaves
  end
  for k, leaf in ipairs(grads.float32) do
    assert(leaf.grad.dtype == "float32")
    assert(agree.values(leaf.grad, nd.of(grads.float64[k].grad), agree.backward.float32))
  end
end

return elementwise
