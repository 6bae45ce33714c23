-- Every differentiable function and method has gradients that differences give: those written in Lua
-- are checked here, ops in ops_spec.lua and families_spec.lua, layers in layer_gradients_spec.lua.  A
-- public name that is nowhere fails.
local core = require "gru.core"
local families = require "tests.support.families"
local gradients = require "tests.support.gradients"
local gru = require "gru"
local composites = require "tests.support.rows.composite"
local describe = require("tests.support.devices").describe

-- What gives no tensor, makes one out of nothing, gives ints or bools, or passes no gradient on.
local without = [[
  all allclose any argmax argmin argsort backward bernoulli bernoulli_ bool bucketize count_nonzero cuda
  data data_ptr detach dim equal float is_contiguous is_one_hot isclose item long multinomial nbytes normal_
  numel random_ register_hook remove_hook requires_grad_ retain_grad searchsorted size storage_offset stride
  totable uniform_ unique _version nonzero one_hot new_empty new_full new_ones new_tensor new_zeros arange
  empty empty_like eye full full_like linspace logspace normal ones ones_like rand rand_like randint
  randint_like randn randn_like randperm tensor zeros zeros_like device_check devices empty_cache
  enable_grad get_default_device get_default_dtype get_num_threads is_anomaly_mode is_grad_enabled is_tensor
  load load_npy get_rng_state set_rng_state manual_seed memory reset_peak_memory profile no_grad save
  save_npy scope set_anomaly_mode set_default_device set_default_dtype set_grad_enabled set_num_threads
  set_printoptions tril_indices triu_indices argwhere explain precision
  __band __bor __bxor __bnot __gc __index __le __len __lt __newindex __tostring
]]

local constant = {}
for name in without:gmatch "%S+" do constant[name] = true end

-- Names of ops, and of their forms in place: whether they have gradients.
local ops = {}
for _, op in ipairs(core.op_names()) do
  ops[op.name] = op.differentiable
  if op.elementwise then ops[op.name .. "_"] = op.differentiable end
end

-- Every function that a script can call on tensors.
local public = {}
for _, list in ipairs {gru, core.methods, core.metatable} do
  for name, f in pairs(list) do
    if type(f) == "function" then public[name] = true end
  end
end

describe("the tables of gradients", function()
  it("know every public function", function()
    for name in pairs(public) do
      local known = composites[name] or ops[name] ~= nil or constant[name]
      assert(known, name .. " has no row in tests/support/rows/composite.lua, nor a reason why it needs none")
      assert(not (constant[name] and (composites[name] or ops[name])), name .. " has gradients")
    end
  end)

  it("name nothing else", function()
    for _, list in ipairs {composites, constant} do
      for name in pairs(list) do assert(public[name], name .. " is no public function") end
    end
  end)
end)

local names = {}
for name in pairs(composites) do names[#names + 1] = name end
table.sort(names)

for _, name in ipairs(names) do
  describe(name .. " has the gradients that differences give:", function()
    for _, case in ipairs(composites[name]) do
      it(case.name, function()
        for _, layout in ipairs(families.gradient_layouts(case)) do families.gradients(case, layout) end
      end)
    end
  end)
end

describe("a wrong gradient is seen", function()
  local function leaf() return gru.tensor({0.7, -1.3, 2.1}, {dtype = "float64", requires_grad = true}) end

  -- x^3 with a gradient of its own.
  local function cube(backward)
    local Cube = gru.autograd.Function:extend "Cube"
    function Cube.forward(ctx, x)
      ctx:save_for_backward(x)
      return x * x * x
    end
    function Cube.backward(ctx, grad) return backward(grad, (ctx:saved_tensors())) end
    return Cube.apply
  end

  -- of the first and second order: does the check of our own, do the public ones accept it?
  local function accepted(f)
    local x = leaf()
    local ok, message = gradients.check(f, {x}, 2)
    local options = {atol = gradients.ATOL, rtol = gradients.RTOL}
    return ok or message:match "second" or "first", gru.autograd.gradcheck(f, {x}, options),
      gru.autograd.gradgradcheck(f, {x}, options)
  end

  it("but not a right one", function()
    local mine, first, second = accepted(cube(function(g, x) return g * 3 * x * x end))
    assert.same({true, true, true}, {mine, first, second})
  end)

  it("of the first order, in one element by 1e-4", function()
    local off = gru.tensor({1, 1, 1.0001}, {dtype = "float64"})
    local mine, first, second = accepted(cube(function(g, x) return g * 3 * x * x * off end))
    assert.same({"first", false, false}, {mine, first, second})
  end)

  it("of the second order", function()
    local mine, first, second = accepted(cube(function(g, x) return g * 3 * x * x:detach() end))
    assert.same({"second", true, false}, {mine, first, second})
    mine, first, second = accepted(cube(function(g, x) return g:detach() * 3 * x * x end))
    assert.same({"second", true, false}, {mine, first, second})
  end)
end)
