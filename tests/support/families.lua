--- The rows of family ops, and what each of their cases is put through.
--
-- A row is a list of cases:
--   name    of the case
--   inputs  a list of inputs: {shape, draw} for one of the dtype under test, "any" unless drawn
--           otherwise; {shape, draw, dtype} for one that is always of that dtype
--   call    the op on tensors; may give positions as a second result
--   ref     the same on arrays (tests/support/nd.lua)
--   dtypes  under test, float32 and float64 unless given
--   result  the dtype of the result, or a table from dtype to it; the dtype itself unless given
--   make    in place of call: make(rng) gives the call and a list of further leaves, such as the
--           parameters of a module
--   layouts, grad_layouts  names from nd.layouts, all unless given
--   fixed   the layout of inputs of a dtype of their own, where it is not that of the others
--   grad    false: not differentiable (bools, positions)
local agree = require "tests.support.agree"
local gradients = require "tests.support.gradients"
local nd = require "tests.support.nd"
local new_rng = require "tests.support.rng"

local families = {}

for _, file in ipairs {"product", "reduction", "shape", "position", "order", "loss", "recurrence"} do
  for name, cases in pairs(require("tests.support.rows." .. file)) do families[name] = cases end
end

local harness = {rows = families}

local function draw_integer(r) return r(11) - 6 end

local draws = {
  any = function(r) return r(-2, 2) end,
  -- no two within 1e-3 of each other
  distinct = function(r, i) return i * 7 % 97 / 16 - 3 + r(0, 0.01) end,
  -- no two magnitudes, nor 0, within 1e-3 of each other
  magnitudes = function(r, i) return (r(2) * 2 - 3) * (i * 7 % 97 / 16 + 0.5 + r(0, 0.01)) end,
  positive = function(r) return r(0.5, 2) end,
  chance = function(r) return r(0.1, 0.9) end,
  off_grid = function(r) return r(7) - 4 + r(0.1, 0.35) end, -- no k or k + 1/2
  other = function(r) return r(7) - 4 + r(0.6, 0.85) end,    -- no off_grid, nor one and an integer more
  dividend = function(r) return (2 * r(6) - 7) + r(0, 0.05) end,
  divisor = function(r) return r(2, 2.05) end,
  truth = function(r) return r(2) == 1 end,
}

local shuffled = {distinct = true, magnitudes = true} -- as they depend on the place

local function array(input, dtype, rng)
  local shape, draw, fixed = input[1], input[2] or "any", input[3]
  if type(draw) == "table" then return nd.new(shape, draw) end -- the values themselves
  local f = draws[draw] or draw
  if dtype == "int64" and not fixed and draw ~= "distinct" then f = draw_integer end
  if dtype == "bool" and not fixed then f = draws.truth end
  local a = nd.generate(shape, function(i)
    local v = f(rng, i)
    return (dtype == "int64" and not fixed) and math.floor(v * 16) or v
  end)
  if shuffled[draw] then
    for i = #a.data, 2, -1 do
      local j = rng(i)
      a.data[i], a.data[j] = a.data[j], a.data[i]
    end
  end
  return nd.round(a, fixed or dtype)
end

local function arrays_of(case, dtype, seed)
  local rng, list = new_rng(seed), {}
  for k, input in ipairs(case.inputs) do list[k] = array(input, dtype, rng) end
  return list
end

local function views(case, arrays, layout, dtype)
  local tensors, values = {}, {}
  for k, a in ipairs(arrays) do
    local base, view, value = nd.layouts[layout](a)
    tensors[k], values[k] = view(nd.tensor(base, case.inputs[k][3] or dtype)), value
  end
  return tensors, values
end

local function explain(message, case, dtype, layout)
  return message and ("%s, %s, %s: %s"):format(case.name, dtype, layout, message)
end

--- Forward against the reference, in every dtype and layout.
function harness.forward(case)
  for _, dtype in ipairs(case.dtypes or {"float32", "float64"}) do
    local result = case.result or dtype
    if type(result) == "table" then result = result[dtype] or dtype end
    for _, layout in ipairs(case.layouts or nd.layout_names) do
      local tensors, values = views(case, arrays_of(case, dtype, 5), layout, dtype)
      local y, y2 = case.call(table.unpack(tensors))
      local want, want2 = case.ref(table.unpack(values))
      local ok, message = agree.shape(y, want.shape, result)
      if ok then ok, message = agree.values(y, want, agree.forward[result] or 0) end
      assert(ok, explain(message, case, dtype, layout))
      if want2 then
        ok, message = agree.shape(y2, want2.shape, "int64")
        if ok then ok, message = agree.values(y2, want2, 0) end
        assert(ok, explain(message, case, dtype, layout .. ", positions"))
      end
    end
  end
end

-- What is differentiated with respect to the leaves, and these: views of them, in a layout, are the
-- inputs that have the dtype under test.
local function differentiable(case, layout, seed)
  local fixed, leaves, show = {}, {}, {}
  local arrays = arrays_of(case, "float64", seed)
  for k, a in ipairs(arrays) do
    local dtype = case.inputs[k][3]
    local base, view = nd.layouts[dtype and case.fixed or layout](a)
    if dtype then
      fixed[k] = view(nd.tensor(base, dtype))
    else
      leaves[#leaves + 1], show[#leaves + 1] = nd.tensor(base, "float64"), view
    end
  end
  local call, more = case.call, {}
  if case.make then call, more = case.make(new_rng(seed + 1000)) end
  table.move(more, 1, #more, #leaves + 1, leaves)
  return function(...)
    local inputs, at = {}, 0
    for k = 1, #arrays do
      if fixed[k] == nil then at = at + 1 end
      inputs[k] = fixed[k] or show[at]((select(at, ...)))
    end
    return (call(table.unpack(inputs)))
  end, leaves
end

--- The layouts that make a difference to a case's gradients.
function harness.gradient_layouts(case)
  for _, input in ipairs(case.inputs) do
    if #input[1] > 0 and not input[3] then return case.grad_layouts or case.layouts or nd.layout_names end
  end
  return {"contiguous"}
end

--- Gradients of first and second order against differences, in one layout; the first of a case's
-- layouts goes through the loop over all elements, too.
function harness.gradients(case, layout)
  local by_element = layout == harness.gradient_layouts(case)[1]
  gradients.every_seed(function(seed) return differentiable(case, layout, seed) end,
    function(message) return explain(message, case, "gradient", layout) end, by_element)
end

-- The gradients of the inputs of `dtype`, of the result's sum with weights 1, 2, 1, 2 ...
local function plain_gradients(case, arrays, dtype)
  local inputs, leaves = {}, {}
  for k, a in ipairs(arrays) do
    inputs[k] = nd.tensor(a, case.inputs[k][3] or dtype)
    if not case.inputs[k][3] then leaves[#leaves + 1] = inputs[k]:requires_grad_() end
  end
  local y = case.call(table.unpack(inputs))
  local weights = nd.generate(y.shape, function(i) return 1.0 + i % 2 end)
  y:backward(nd.tensor(weights, y.dtype))
  return leaves
end

--- The float32 gradient against the float64 one, which differences have checked.
function harness.float32_gradient(case)
  local arrays = arrays_of(case, "float32", 9)
  local single, double = plain_gradients(case, arrays, "float32"), plain_gradients(case, arrays, "float64")
  for k, leaf in ipairs(single) do
    assert(leaf.grad.dtype == "float32", "the gradient has the dtype of its tensor")
    assert(agree.values(leaf.grad, nd.of(double[k].grad), agree.backward.float32))
  end
end

return harness
