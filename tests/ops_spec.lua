-- The elementwise rows of ops.def, one row each; the family ops have theirs in tests/support/rows.
-- An op without a row fails.
local core = require "gru.core"
local elementwise = require "tests.support.elementwise"
local families = require("tests.support.families").rows
local describe = require("tests.support.devices").describe

local function erf(x)
  if x ~= x then return x end
  if math.abs(x) > 6 then return x > 0 and 1.0 or -1.0 end
  local term, sum, n = x, x, 0 -- of positive terms: 2/sqrt pi exp(-x^2) sum 2^n x^(2n+1) / (2n+1)!!
  while math.abs(term) > 1e-18 * math.abs(sum) do
    n = n + 1
    term = term * 2 * x * x / (2 * n + 1)
    sum = sum + term
  end
  return 2 / math.sqrt(math.pi) * math.exp(-x * x) * sum
end

local function floor(x) return (math.floor(x)) end
local function ceil(x) return (math.ceil(x)) end

local function round(x) -- halves to even
  if x ~= x or math.abs(x) >= 2.0 ^ 52 then return x end
  local low = math.floor(x)
  local rest = x - low
  if rest > 0.5 or rest == 0.5 and low % 2 == 1 then return low + 1 end
  return low
end

local function trunc(x) return x < 0 and ceil(x) or floor(x) end
local function sign(x) return x > 0 and 1 or x < 0 and -1 or 0 end
local function sigmoid(x) return 1 / (1 + math.exp(-x)) end

local function tanh(x)
  local e = math.exp(-2 * math.abs(x))
  local y = (1 - e) / (1 + e)
  return x < 0 and -y or y
end

local function softplus(x)
  if x > 40 then return x end
  local e = math.exp(x)
  return e < 1e-5 and e - e * e / 2 or math.log(1 + e)
end

local function silu(x) return x * sigmoid(x) end
local function log1p(x) return math.abs(x) < 1e-5 and x - x * x / 2 or math.log(1 + x) end
local function expm1(x) return math.abs(x) < 1e-5 and x + x * x / 2 or math.exp(x) - 1 end

-- C's pow: pow(1, NaN) = pow(NaN, 0) = 1, which Lua's ^ is.
local function pow(a, b) return a ^ b end

local function integer_pow(a, b)
  if b < 0 then return a == 1 and 1 or a == -1 and (b % 2 == 0 and 1 or -1) or 0 end
  local y = 1
  for _ = 1, b do y = y * a end
  return y
end

local function remainder(a, b)
  if b == 0 then return 0 / 0 end
  return a % b
end

local function floor_divide(a, b) -- as Python does it
  if b == 0 then return a / b end
  local rest = math.fmod(a, b)
  local q = (a - rest) / b
  if rest ~= 0 and (rest < 0) ~= (b < 0) then q = q - 1 end
  if q == 0 or q ~= q or math.abs(q) == math.huge then return q end
  local n = math.floor(q)
  return q - n > 0.5 and n + 1 or n
end

local function maximum(a, b)
  if a ~= a or b ~= b then return 0 / 0 end
  return a > b and a or b
end

local function minimum(a, b)
  if a ~= a or b ~= b then return 0 / 0 end
  return a < b and a or b
end

local function clamp(x, low, high)
  return minimum(maximum(x, low), high)
end

-- math_trig.h promises all digits up to 1.6e6
local angles = {0.0, -0.0, 1e-30, 0.5, -1.0, 3.1415926, 100.0, -31415.9, 1.5e6, 1 / 0, -1 / 0, 0 / 0}
local pair = {"any", "other"}

local rows = {
  neg = {f = function(x) return -x end, gens = "any"},
  abs = {f = math.abs, gens = "any"},
  sign = {f = sign, gens = "any"},
  square = {f = function(x) return x * x end, gens = "any"},
  floor = {f = floor, gens = "any"},
  ceil = {f = ceil, gens = "any"},
  round = {f = round, gens = "any"},
  trunc = {f = trunc, gens = "any"},
  relu = {f = function(x) return x <= 0 and 0 or x end, gens = "any"},
  reciprocal = {f = function(x) return 1 / x end, gens = "nonzero", int = "float32", igens = "nonzeros"},
  sqrt = {f = function(x) return math.sqrt(x) end, gens = "positive", int = "float32", igens = "naturals"},
  rsqrt = {f = function(x) return 1 / math.sqrt(x) end, gens = "positive", int = "float32",
    igens = "naturals"},
  sigmoid = {f = sigmoid, gens = "any", int = "float32"},
  tanh = {f = tanh, gens = "any", int = "float32"},
  exp = {f = math.exp, gens = "any", int = "float32"},
  expm1 = {f = expm1, gens = "any", int = "float32"},
  log = {f = math.log, gens = "positive", int = "float32", igens = "naturals"},
  log1p = {f = log1p, gens = "above", int = "float32", igens = "naturals"},
  sin = {f = math.sin, gens = "any", int = "float32", special = angles},
  cos = {f = math.cos, gens = "any", int = "float32", special = angles},
  tan = {f = math.tan, gens = "any", int = "float32", special = angles},
  erf = {f = erf, gens = "any", int = "float32"},
  softplus = {f = softplus, gens = "any", int = "float32"},
  silu = {f = silu, gens = "any", int = "float32"},
  isnan = {f = function(x) return x ~= x end, gens = "any", test = true},
  isinf = {f = function(x) return x == math.huge or x == -math.huge end, gens = "any", test = true},
  isfinite = {f = function(x) return x - x == 0 end, gens = "any", test = true},
  logical_not = {f = function(x) return x == 0 end, gens = "any", test = true},

  add = {f = function(a, b) return a + b end, gens = "any", bool = "bool"},
  sub = {f = function(a, b) return a - b end, gens = "any"},
  mul = {f = function(a, b) return a * b end, gens = "any", bool = "bool"},
  div = {f = function(a, b) return a / b end, gens = {"any", "nonzero"}, int = "float32",
    igens = {"integers", "nonzeros"}},
  pow = {f = pow, i = integer_pow, gens = {"positive", "exponent"}, igens = {"integers", "naturals"},
    bool = "int64"},
  remainder = {f = remainder, gens = {"dividend", "divisor"}, igens = {"integers", "nonzeros"},
    bool = "zero"},
  floor_divide = {f = floor_divide, i = function(a, b) return a // b end,
    gens = {"dividend", "divisor"}, igens = {"integers", "nonzeros"}, bool = "zero"},
  maximum = {f = maximum, gens = pair, bool = "bool"},
  minimum = {f = minimum, gens = pair, bool = "bool"},
  eq = {f = function(a, b) return a == b end, gens = {"any", "any"}, test = true},
  ne = {f = function(a, b) return a ~= b end, gens = pair, test = true},
  lt = {f = function(a, b) return a < b end, gens = pair, test = true},
  le = {f = function(a, b) return a <= b end, gens = pair, test = true},
  gt = {f = function(a, b) return a > b end, gens = pair, test = true},
  ge = {f = function(a, b) return a >= b end, gens = pair, test = true},
  logical_and = {f = function(a, b) return a ~= 0 and b ~= 0 end, gens = pair, test = true},
  logical_or = {f = function(a, b) return a ~= 0 or b ~= 0 end, gens = pair, test = true},
  logical_xor = {f = function(a, b) return (a ~= 0) ~= (b ~= 0) end, gens = pair, test = true},

  -- where(condition, a, b)
  where = {f = function(c, a, b) if c then return a end return b end, gens = {"condition", "any", "other"},
    igens = {"condition", "integers", "integers"}, bool = "bool", fixed = true},
  clamp = {f = clamp, gens = {"any", "low", "high"}, bool = "bool"},
  lerp = {f = function(a, b, c) return a + c * (b - a) end, gens = "any", int = "error"},
}

for _, row in pairs(rows) do
  row.int = row.int or row.test and "bool" or "int64"
  row.bool = row.bool or row.test and "bool" or row.int == "float32" and "float32" or "error"
end

describe("the op table", function()
  it("has a row for every op, and every row an op", function()
    local there = {}
    for _, op in ipairs(core.op_names()) do
      there[op.name] = true
      assert(rows[op.name] or families[op.name], op.name .. " has no row in tests/ops_spec.lua")
      assert.equal(rows[op.name] ~= nil, op.elementwise)
    end
    for name in pairs(rows) do assert(there[name], name .. " is no op") end
    for name in pairs(families) do assert(there[name], name .. " is no op") end
  end)
end)

for _, op in ipairs(core.op_names()) do
  local row = rows[op.name]
  if row then
    describe(op.name, function()
      for _, dtype in ipairs {"float32", "float64", "int64", "bool"} do
        if dtype == "int64" and row.int == "error" then
          it("refuses ints", function()
            local ids = core.from_table({1, 2})
            local function f() core.functions[op.name](ids, ids, ids) end
            assert.error_matches(f, "wants floats, got int64")
          end)
        elseif dtype ~= "bool" or row.bool ~= "error" and row.bool ~= "zero" then
          it("gives the reference for " .. dtype, function()
            elementwise.forward(row, op, dtype)
          end)
          it("handles every size for " .. dtype, function() elementwise.sizes(row, op, dtype) end)
          it("works in place for " .. dtype, function() elementwise.in_place(row, op, dtype) end)
        else
          it("refuses bools", function()
            local mask, inputs = core.from_table({true, false}), {}
            for k = 1, op.inputs do inputs[k] = mask end
            assert.has_error(function() core.functions[op.name](table.unpack(inputs)) end)
          end)
        end
      end
      for _, dtype in ipairs {"float32", "float64"} do
        it("follows the reference at the edges of " .. dtype, function()
          elementwise.special(row, op, dtype)
        end)
      end
      if op.differentiable then
        it("has the gradients that differences give", function() elementwise.gradients(row, op) end)
        it("has them in place, too", function() elementwise.gradients_in_place(row, op) end)
        it("has the same gradient in float32", function() elementwise.float32_gradient(row, op) end)
      end
    end)
  end
end
