-- Arguments that make no sense: every function and method either works or raises a message of its own.
-- A crash here is a crash of the interpreter, which the sanitizers explain; they may be given more calls:
--
--     MISUSE_CALLS=100000 MISUSE_SEED=7 busted tests/misuse_spec.lua
local gru = require "gru"
local core = require "gru.core"
local new_rng = require "tests.support.rng"
local describe = require("tests.support.devices").describe

local nn = gru.nn

local CALLS = tonumber(os.getenv "MISUSE_CALLS") or 12000
local SEED = tonumber(os.getenv "MISUSE_SEED") or 1

-- What has an effect on more than its arguments, or wants a file.
local apart = {
  load = true, save = true, load_npy = true, save_npy = true, manual_seed = true, set_rng_state = true,
  set_default_device = true, set_device = true, set_default_dtype = true, set_num_threads = true,
  set_grad_enabled = true, set_graphs = true, precision = true, no_grad = true, enable_grad = true,
  set_anomaly_mode = true, set_printoptions = true,
}

-- What Lua itself says when a check is missing.
local careless = {
  "attempt to", "stack overflow", "not enough memory",
  "invalid value %(at index", "'for' ", "invalid option",
}

local shared = gru.ones(2, 3)

local function released()
  local x = gru.ones(2, 3)
  core.release(x)
  return x
end

-- Each gives a new argument.
local values = {
  function() return nil end, function() return 0 end, function() return 1 end, function() return -1 end,
  function() return 2 end, function() return 9 end, function() return 0.5 end, function() return 2.0 end,
  function() return 1 / 0 end, function() return 0 / 0 end, function() return 1 << 45 end,
  function() return 1 << 60 end, function() return math.mininteger end, function() return math.maxinteger end,
  function() return true end, function() return false end, function() return "x" end,
  function() return "float64" end, function() return "mean" end, function() return "" end,
  function() return {} end, function() return {2, 3} end, function() return {-1, 1} end,
  function() return {1 << 40, 1 << 40} end, function() return {shared, shared} end,
  function() return {shared, 1} end, function() return {dtype = "float64"} end,
  function() return {reduction = "sum"} end, function() return {dim = 1, keepdim = true} end,
  function() return {[0] = 1} end, function() return {nope = {}} end, function() return {1.5} end,
  function() return {{1, 2}, {}} end, function() return {{1, 2}, {3}} end,
  function() return function() end end,
  function() return function(...) return ... end end, function() return coroutine.create(print) end,
  function() return io.stdout end,
}
local tensors = {
  function() return gru.ones(2, 3) end, function() return gru.randn(3, 2):t() end,
  function() return gru.zeros(0) end, function() return gru.zeros(0, 3) end,
  function() return gru.zeros(2, 0, 3) end, function() return gru.zeros(1 << 16, 0) end,
  function() return gru.tensor(2.5) end, function() return gru.tensor(2) end,
  function() return gru.tensor(true) end, function() return gru.tensor({1, 2, 1}) end,
  function() return gru.tensor({{1, 2, 3}, {3, 2, 1}}) end,
  function() return gru.tensor({true, false, true}) end, function() return gru.ones(3):expand(2, 3) end,
  function() return gru.one_hot(gru.tensor({{1, 3}, {2, 2}}), 3) end,
  function() return gru.ones(2, 3, {requires_grad = true}) end,
  function() return gru.ones(2, 3, {requires_grad = true}) * 2 end,
  function() return gru.randn(4, 6)[{{2, 3}, {1, 6, 2}}] end,
  function() return gru.tensor({math.mininteger, 0, -1}) end,
  function() return gru.tensor({math.maxinteger, 1}) end, function() return gru.tensor({0 / 0, 1 / 0}) end,
  function() return gru.tensor({{0 / 0, 1e308}, {-1e308, 5e-324}}, {dtype = "float64"}) end,
  function() return gru.zeros(1, 1, 1, 1, 1, 1, 1, 1) end, function() return gru.ones(2, 2, 2) end, released,
}

-- Every public function and method: {name =, f =, method =, tensor = does it want one first?}
local function callables()
  local list = {}
  local function add(prefix, source, wants_tensor)
    for name, f in pairs(source) do
      if type(f) == "function" and type(name) == "string" and not apart[name] and name:sub(1, 2) ~= "__" then
        list[#list + 1] = {name = prefix .. name, f = f, method = wants_tensor}
      end
    end
  end
  add("gru.", gru)
  add("x:", core.methods, true)
  add("functional.", nn.functional)
  add("init.", nn.init)
  add("utils.", nn.utils)
  add("utils.rnn.", nn.utils.rnn)
  add("autograd.", gru.autograd)
  add("cuda.", gru.cuda)
  -- operators and keys
  local operators = {
    add = function(a, b) return a + b end, sub = function(a, b) return a - b end,
    mul = function(a, b) return a * b end, div = function(a, b) return a / b end,
    pow = function(a, b) return a ^ b end, mod = function(a, b) return a % b end,
    idiv = function(a, b) return a // b end, unm = function(a) return -a end,
    band = function(a, b) return a & b end, bor = function(a, b) return a | b end,
    bxor = function(a, b) return a ~ b end, bnot = function(a) return ~a end,
    lt = function(a, b) return a < b end, le = function(a, b) return a <= b end,
    index = function(a, key) return a[key] end, newindex = function(a, key, value) a[key] = value end,
    index2 = function(a, i, j) return a[{i, j}] end, text = tostring,
    newindex2 = function(a, i, j, value) a[{i, j}] = value end,
    backward = function(a, g) a:sum():backward(g) end,
  }
  for name, f in pairs(operators) do list[#list + 1] = {name = name, f = f, method = true} end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

local function draw_arguments(draw, callable)
  local n, arguments, chosen = draw(6) - 1, {}, {}
  if callable.method then n = math.max(n, 1) end
  for k = 1, n do
    local first = k == 1 and (callable.method or draw(4) > 1)
    local list, letter = values, "v"
    if first or draw(3) == 1 then list, letter = tensors, "t" end
    local i = draw(#list)
    arguments[k], chosen[k] = list[i](), letter .. i
  end
  return arguments, n, callable.name .. " of " .. table.concat(chosen, " ")
end

-- What is wrong with the error, or nil.
local function fault(message)
  if type(message) ~= "string" then return "it is a " .. type(message) end
  if #message <= 10 then return "it says little: " .. message end
  for _, part in ipairs(careless) do
    if message:find(part) then return message end
  end
end

describe("any arguments", function()
  local limit = collectgarbage("count")

  it("work or raise a message", function()
    local draw, list = new_rng(SEED), callables()
    assert.is_true(#list > 400)
    gru.manual_seed(SEED)
    local worked, problems = {}, {}
    local before = {gru.get_default_dtype(), gru.get_default_device(), gru.get_num_threads()}
    for i = 1, CALLS do
      local callable = list[i <= 4 * #list and (i - 1) % #list + 1 or draw(#list)]
      local arguments, n, call = draw_arguments(draw, callable)
      if os.getenv "MISUSE_TRACE" then io.stderr:write(call, "\n") end
      local results = table.pack(pcall(callable.f, table.unpack(arguments, 1, n)))
      if results[1] then
        worked[callable.name] = true
        for k = 2, results.n do
          if gru.is_tensor(results[k]) then pcall(tostring, results[k]) end -- a released one is given back
        end
      else
        local problem = fault(results[2])
        if problem then problems[#problems + 1] = call .. ": " .. problem end
      end
      if not gru.is_grad_enabled() then
        problems[#problems + 1] = call .. ": it left the grad mode changed"
        gru.set_grad_enabled(true)
      end
    end
    if #problems > 0 then
      local text = table.concat(problems, "\n  ", 1, math.min(#problems, 60))
      error(("%d of %d:\n  %s"):format(#problems, CALLS, text), 0)
    end
    local count = 0
    for _ in pairs(worked) do count = count + 1 end
    assert(count > #list // 2, count .. " functions worked at all")
    assert.same(before, {gru.get_default_dtype(), gru.get_default_device(), gru.get_num_threads()})
  end)

  it("leave no memory behind", function()
    collectgarbage()
    collectgarbage()
    assert.is_true(collectgarbage("count") < limit + 20000)
    assert.is_true(gru.memory().live < 64 << 20)
  end)

  it("of the inner functions are refused where they are no tensors", function()
    for _, junk in ipairs {0, "x", {}, io.stdout} do
      assert.has_error(function() core.release(junk) end)
      assert.has_error(function() core.grad({junk}, {junk}) end)
    end
    assert.has_error(function() core.release(nil) end)
    assert.has_error(function() core.grad(nil, nil) end)
  end)
end)
