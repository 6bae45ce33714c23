-- Tensors as objects: attributes, identity, views and their storage, elements, operators.
local gru = require "gru"
local core = require "gru.core"
local agree = require "tests.support.agree"
local nd = require "tests.support.nd"
local describe = require("tests.support.devices").describe

local function has(t, shape, dtype, data)
  assert(agree.shape(t, shape, dtype))
  assert(agree.values(t, nd.new(shape, data), 0))
end

local function iota(...) return gru.arange(1, 1 + nd.numel {...}):reshape(...) end

describe("attributes", function()
  local x = gru.zeros(2, 3, 4)

  it("say the geometry", function()
    assert.same({2, 3, 4}, x.shape)
    assert.same({2, 3, 4}, x:size())
    assert.equal(3, x:size(2))
    assert.equal(4, x:size(-1))
    assert.equal(3, x:dim())
    assert.equal(24, x:numel())
    assert.equal(2, #x)
    assert.equal(96, x:nbytes())
    assert.same({12, 4, 1}, x:stride())
    assert.equal(0, x:storage_offset())
    assert.is_true(x:is_contiguous())
    assert.same({}, gru.tensor(1).shape)
    assert.equal(1, gru.tensor(1):numel())
    assert.equal(8, gru.tensor(1):nbytes())
    assert.equal(0, gru.zeros(2, 0):numel())
  end)

  it("are copies", function()
    x.shape[1] = 99
    assert.same({2, 3, 4}, x.shape)
  end)

  it("say dtype, device and history", function()
    assert.equal("float32", x.dtype)
    assert.equal(gru.get_default_device(), x.device)
    assert.is_false(x.requires_grad)
    assert.is_true(x.is_leaf)
    assert.is_nil(x.grad)
    assert.is_nil(x.grad_fn)
    local y = gru.ones(2, {requires_grad = true}) * 2
    assert.equal("mul", y.grad_fn)
    assert.is_false(y.is_leaf)
    assert.is_true(y.requires_grad)
  end)

  it("follow views", function()
    local v = x:transpose(1, 3):narrow(1, 2, 2)
    assert.same({1, 4, 12}, v:stride())
    assert.equal(1, v:storage_offset())
    assert.is_false(v:is_contiguous())
    assert.same({0, 1}, gru.zeros(3):expand(2, 3):stride())
  end)

  it("are refused where there are none", function()
    assert.error_matches(function() return x.colour end, "no method or attribute 'colour'")
    assert.error_matches(function() x.colour = 1 end, "no attribute 'colour' that can be set")
    assert.error_matches(function() return x:size(4) end, "dim")
    assert.error_matches(function() return x:size(0) end, "counts from 1")
    assert.error_matches(function() return #gru.tensor(1) end, "0%-d tensor has no length")
    assert.error_matches(function() x.requires_grad = 1 end, "boolean expected")
  end)

  it("are hidden behind the metatable", function()
    assert.equal("userdata", type(x))
    assert.equal("gru.Tensor", getmetatable(x))
    assert.is_true(gru.is_tensor(x))
    assert.is_false(gru.is_tensor({}))
    assert.is_false(gru.is_tensor(nil))
  end)
end)

describe("identity", function()
  it("is kept for gradients", function()
    local x = gru.ones(2, {requires_grad = true})
    x:sum():backward()
    assert.is_true(x.grad == x.grad)
    local seen = {[x.grad] = "gradient", [x] = "tensor"}
    assert.equal("gradient", seen[x.grad])
    assert.equal("tensor", seen[x])
    local g = x.grad
    x:sum():backward()
    assert.is_true(x.grad == g, "accumulation keeps the object")
    assert.same({2.0, 2.0}, g:totable())
  end)

  it("is kept for a gradient that was set", function()
    local x, g = gru.ones(2), gru.zeros(2)
    x.grad = g
    assert.is_true(x.grad == g)
    g[1] = 5
    assert.equal(5, x.grad[1]:item())
    x.grad = nil
    assert.is_nil(x.grad)
    assert.error_matches(function() x.grad = gru.zeros(3) end, "grad: float32 %[3%] cannot be the gradient")
    assert.error_matches(function() x.grad = gru.zeros(2, {dtype = "int64"}) end, "int64 %[2%]")
  end)

  it("survives the collector", function()
    local x = gru.ones(2, {requires_grad = true})
    x:sum():backward()
    x.grad:mul_(3)
    collectgarbage()
    collectgarbage()
    assert.same({3.0, 3.0}, x.grad:totable())
    assert.is_true(rawequal(x.grad, x.grad))
  end)

  it("is kept where an op has nothing to do", function()
    local x = gru.zeros(2, 3)
    assert.is_true(rawequal(x, x:contiguous()))
    assert.is_true(rawequal(x, x:to("float32")))
    assert.is_true(rawequal(x, x:to(x.device)))
    assert.is_true(rawequal(x, x:float()))
    assert.is_true(rawequal(x, x:add_(1)))
    assert.is_true(rawequal(x, x:copy_(gru.zeros(3))))
    assert.is_true(rawequal(x, x:fill_(2)))
    assert.is_true(rawequal(x, x:requires_grad_(false)))
  end)

  it("is what == compares; order is an error that says what to use", function()
    local a, b = gru.ones(2), gru.ones(2)
    assert.is_false(a == b)
    assert.is_true(a == a)
    assert.error_matches(function() return a < b end, ":lt%(")
    assert.error_matches(function() return a <= b end, ":le%(")
    assert.error_matches(function() return a > 1 end, ":lt%(")
  end)
end)

describe("views", function()
  local made = {
    view = function(x) return x:view(4, 3) end,
    reshape = function(x) return x:reshape(-1) end,
    transpose = function(x) return x:transpose(1, 2) end,
    t = function(x) return x:t() end,
    T = function(x) return x.T end,
    permute = function(x) return x:permute(2, 1) end,
    narrow = function(x) return x:narrow(2, 1, 2) end,
    select = function(x) return x:select(1, 1) end,
    row = function(x) return x[1] end,
    range = function(x) return x[{{1, 2}, {}}] end,
    squeeze = function(x) return x:unsqueeze(1):squeeze() end,
    unsqueeze = function(x) return x:unsqueeze(1) end,
    expand = function(x) return x:unsqueeze(1):expand(2, 3, 4) end,
    flatten = function(x) return x:flatten() end,
    chunk = function(x) return x:chunk(2)[1] end,
    split = function(x) return x:split(1)[1] end,
    unbind = function(x) return x:unbind()[1] end,
    detach = function(x) return x:detach() end,
  }

  for name, view in pairs(made) do
    it("share storage: " .. name, function()
      local x = iota(3, 4)
      local v = view(x)
      assert.equal(x:data_ptr(), v:data_ptr())
      assert.equal(1, v:reshape(-1)[1]:item())
      x[{1, 1}] = 77
      assert.equal(77, v:reshape(-1)[1]:item())
      local version = x:_version()
      if name ~= "expand" then
        v:fill_(5)
        assert.equal(5, x[{1, 1}]:item())
        assert.is_true(x:_version() > version, "a change of a view is one of its base")
      end
    end)
  end

  it("of views share it too, and outlive the base", function()
    local x = iota(3, 4)
    local v = x:t():narrow(1, 2, 2)[1]
    x[{2, 2}] = 50
    assert.same({2, 50, 10}, v:totable())
    x = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.same({2, 50, 10}, v:totable())
  end)

  it("are not copies, and copies are not views", function()
    local x = iota(2, 3)
    for _, copy in ipairs {x:clone(), x:t():contiguous(), x:t():reshape(6), x:to("float64"), x + 0} do
      copy:fill_(9)
    end
    has(x, {2, 3}, "int64", {1, 2, 3, 4, 5, 6})
    assert.is_true(x:t():clone():is_contiguous())
  end)

  it("that are impossible are refused, with a way out", function()
    local x = iota(2, 3)
    assert.error_matches(function() x:t():view(6) end, "view: strides %[1, 3%] of %[3, 2%].*use reshape")
    assert.error_matches(function() x:view(4) end, "view: %[2, 3%] has 6 elements")
    assert.error_matches(function() x:reshape(-1, -1) end, "reshape: ")
    assert.error_matches(function() x:reshape(-1, 4) end, "reshape: %[2, 3%] has 6 elements")
    assert.error_matches(function() x:permute(1, 1) end, "permute: dim 1 is named twice")
    assert.error_matches(function() x:permute(1) end, "permute: 1 dims named, the tensor has 2")
    assert.error_matches(function() x:transpose(1, 3) end, "transpose: ")
    assert.error_matches(function() x:transpose(0, 1) end, "counts from 1")
    assert.error_matches(function() x:expand(4, 3) end, "expand: %[2, 3%] does not expand to %[4, 3%]")
    assert.error_matches(function() x:expand(3) end, "expand: ")
    assert.error_matches(function() x:narrow(1, 2, 2) end, "narrow: 2 to 3 by 1 is not in dim 1 of %[2, 3%]")
    assert.error_matches(function() x:narrow(1, 1, -1) end, "narrow: ")
    assert.error_matches(function() x:select(1, 3) end, "select: position 3 is outside dim 1 of %[2, 3%]")
    assert.error_matches(function() x:select(2, -4) end, "select: position %-4")
    assert.error_matches(function() gru.zeros(2, 2, 2):t() end, "t: expected 2 dims at most, got 3")
    assert.error_matches(function() gru.tensor(1):select(1, 1) end, "select: ")
  end)

  it("that show an element twice are not written in place", function()
    local x = gru.zeros(3):expand(2, 3)
    assert.error_matches(function() x:add_(1) end, "share memory; :clone%(%) it first")
    assert.error_matches(function() x:copy_(gru.ones(2, 3)) end, "share memory")
    assert.error_matches(function() x:fill_(1) end, "share memory")
  end)

  it("may be sources of a change of their own storage", function()
    local s = iota(3, 3)
    s:add_(s:t())
    has(s, {3, 3}, "int64", {2, 6, 10, 6, 10, 14, 10, 14, 18})
    local v = iota(9)
    v:narrow(1, 2, 8):add_(v:narrow(1, 1, 8))
    has(v, {9}, "int64", {1, 3, 5, 7, 9, 11, 13, 15, 17})
    local w = iota(5)
    w:mul_(w)
    has(w, {5}, "int64", {1, 4, 9, 16, 25})
  end)

  it("copied over their own storage are read first, or refused", function()
    for _, case in ipairs {
      {iota(9), function(x) return x:narrow(1, 2, 8), x:narrow(1, 1, 8) end, {1, 1, 2, 3, 4, 5, 6, 7, 8}},
      {iota(9), function(x) return x:narrow(1, 1, 8), x:narrow(1, 2, 8) end, {2, 3, 4, 5, 6, 7, 8, 9, 9}},
      {iota(9):reshape(3, 3), function(x) return x, x:t() end, {1, 4, 7, 2, 5, 8, 3, 6, 9}},
    } do
      local x = case[1]
      local to, from = case[2](x)
      local ok, message = pcall(to.copy_, to, from)
      if ok then
        assert.same(case[3], x:reshape(-1):totable())
      else
        assert.matches("copy_: ", message)
      end
    end
  end)
end)

describe("elements", function()
  it("are read one by one with the type of their dtype", function()
    assert.equal("integer", math.type(gru.tensor({7}):item()))
    assert.equal("float", math.type(gru.tensor({7.0}):item()))
    assert.equal(true, gru.tensor(true):item())
    assert.equal(0.5, gru.tensor({{0.5}}):item())
    assert.error_matches(function() gru.zeros(2):item() end, "item: expected one element, the shape is %[2%]")
    assert.error_matches(function() gru.zeros(0):item() end, "item: ")
  end)

  it("come out as nested tables", function()
    assert.same({{1, 2, 3}, {4, 5, 6}}, iota(2, 3):totable())
    assert.same({{1, 4}, {2, 5}, {3, 6}}, iota(2, 3):t():totable())
    assert.same({}, gru.zeros(0):totable())
    assert.same({{}, {}}, gru.zeros(2, 0):totable())
    assert.equal(3, gru.tensor(3):totable())
    assert.same({true, false}, gru.tensor({true, false}):totable())
  end)

  it("come out as bytes, and go in again", function()
    local x = gru.tensor({{1.5, -2}, {0, 3}})
    assert.equal(("ffff"):pack(1.5, -2, 0, 3), x:data())
    assert.equal(("ffff"):pack(1.5, 0, -2, 3), x:t():data())
    assert.equal("\1\0", gru.tensor({true, false}):data())
    has(core.from_data({2, 2}, "float32", x:data(), "cpu"), {2, 2}, "float32", {1.5, -2, 0, 3})
    assert.equal("", gru.zeros(0):data())
  end)

  it("are iterated along dim 1", function()
    local x, seen = iota(3, 2), {}
    for i, row in ipairs(x) do seen[i] = row:totable() end
    assert.same({{1, 2}, {3, 4}, {5, 6}}, seen)
    seen = {}
    for i, row in x:rows() do seen[i] = row:totable() end
    assert.same({{1, 2}, {3, 4}, {5, 6}}, seen)
    local n = 0
    for _ in ipairs(gru.zeros(0)) do n = n + 1 end
    assert.equal(0, n)
    for _, v in ipairs(gru.tensor({1, 2})) do assert.same({}, v.shape) end
  end)

  it("are converted", function()
    local x = gru.tensor({-1.7, 0, 2.5})
    has(x:long(), {3}, "int64", {-1, 0, 2})
    has(x:bool(), {3}, "bool", {true, false, true})
    has(x:double(), {3}, "float64", {("f"):unpack(("f"):pack(-1.7)), 0, 2.5})
    has(gru.tensor({true, false}):float(), {2}, "float32", {1, 0})
    has(x:to(gru.zeros(1, {dtype = "int64"})), {3}, "int64", {-1, 0, 2})
    has(x:type_as(gru.tensor(true)), {3}, "bool", {true, false, true})
    assert.error_matches(function() x:to("int8") end, "int8")
    assert.error_matches(function() x:to(3) end, "to: a dtype or a device expected")
  end)
end)

describe("operators", function()
  it("take numbers on either side", function()
    local x = gru.tensor({1.0, 4.0})
    has(x + 1, {2}, "float32", {2, 5})
    has(1 + x, {2}, "float32", {2, 5})
    has(x - 1, {2}, "float32", {0, 3})
    has(1 - x, {2}, "float32", {0, -3})
    has(2 * x, {2}, "float32", {2, 8})
    has(x / 2, {2}, "float32", {0.5, 2})
    has(2 / x, {2}, "float32", {2, 0.5})
    has(x % 3, {2}, "float32", {1, 1})
    has(9 % x, {2}, "float32", {0, 1})
    has(x // 3, {2}, "float32", {0, 1})
    has(9 // x, {2}, "float32", {9, 2})
    has(x ^ 2, {2}, "float32", {1, 16})
    has(2 ^ x, {2}, "float32", {2, 16})
    has(-x, {2}, "float32", {-1, -4})
    has(gru.sub(10, x), {2}, "float32", {9, 6})
    has(gru.tensor({1, 2}) + 0.5, {2}, "float32", {1.5, 2.5})
    has(gru.tensor({1, 2}) + 1, {2}, "int64", {2, 3})
    has(gru.tensor({1, 2}) * true, {2}, "int64", {1, 2})
  end)

  it("combine masks", function()
    local a, b = gru.tensor({true, true, false}), gru.tensor({true, false, false})
    has(a & b, {3}, "bool", {true, false, false})
    has(a | b, {3}, "bool", {true, true, false})
    has(a ~ b, {3}, "bool", {false, true, false})
    has(~a, {3}, "bool", {false, false, true})
    assert.error_matches(function() return a & gru.tensor({1, 0, 1}) end, "masks are bool tensors, got int64")
    assert.error_matches(function() return ~gru.tensor({1}) end, "masks are bool tensors")
  end)

  it("wrap integers and refuse to divide them by zero", function()
    local top, low = gru.tensor({math.maxinteger}), gru.tensor({math.mininteger})
    assert.equal(math.mininteger, (top + 1):item())
    assert.equal(math.maxinteger, (low - 1):item())
    assert.equal(math.mininteger, (-low):item())
    assert.equal(-2, (top * 2):item())
    assert.equal(math.mininteger, low:abs():item())
    assert.equal(math.mininteger, (low // -1):item())
    assert.equal(0, (low % -1):item())
    assert.equal(math.mininteger, (low // gru.tensor({-1})):item())
    for _, zero in ipairs {0, gru.tensor(0), gru.tensor({1, 0})} do
      assert.error_matches(function() return top // zero end, "floor_divide: int64 division by zero")
      assert.error_matches(function() return top % zero end, "remainder: int64 division by zero")
    end
    assert.equal(math.huge, (top / 0):item())
    has(gru.tensor({7, -7}) // 2, {2}, "int64", {3, -4})
    has(gru.tensor({7, -7}) % 2, {2}, "int64", {1, 1})
  end)

  it("say the op, the rule and the shapes when they fail", function()
    local a, b = gru.zeros(2, 3), gru.zeros(4)
    assert.error_matches(function() return a + b end, "add: shapes do not broadcast: %[2, 3%] and %[4%]")
    assert.error_matches(function() return gru.where(a:bool(), a, b) end, "where: shapes do not broadcast")
    assert.error_matches(function() return a:matmul(b) end, "matmul: inner sizes differ: %[2, 3%] x %[4%]")
    assert.error_matches(function() return a + "1" end, "tensor or number expected, got string")
    assert.error_matches(function() return a + nil end, "tensor or number expected, got nothing")
    assert.error_matches(function() return a:add() end, "tensor or number expected")
    assert.error_matches(function() return gru.add(1, 2) end, "tensor expected")
    assert.error_matches(function() return a:add(1, 2, 3) end, "too many arguments")
    assert.error_matches(function() return a:sum(3) end, "sum: dim")
    assert.error_matches(function() return a:sum({1, 1}) end, "sum: dim 1 is named twice")
    assert.error_matches(function() return a:sum(1, 5) end, "keepdim %(a boolean%) expected")
    assert.error_matches(function() return a:long():mean() end, "mean: wants floats, got int64")
    assert.error_matches(function() return a:long():softmax(1) end, "softmax: wants floats, got int64")
    assert.error_matches(function() return a:bool() - a:bool() end, "sub: not defined for bool")
    assert.error_matches(function() return gru.zeros(0):max() end, "max: ")
    assert.error_matches(function() return gru.cat({a, b}, 1) end, "cat: .*%[2, 3%] and %[4%]")
    assert.error_matches(function() return gru.stack({a, b}, 1) end, "stack: .*%[2, 3%] and %[4%]")
    assert.error_matches(function() return gru.cat({}, 1) end, "at least one tensor")
    assert.error_matches(function() return gru.cat({a, 3}, 1) end, "element 2 is a number")
    assert.error_matches(function() return gru.tensor({1}):mean() end, ":float%(%)")
  end)

  it("need all their operands", function()
    local x, mask = gru.ones(2), gru.tensor({true, false})
    assert.has_error(function() gru.where(mask, 1) end)
    assert.has_error(function() gru.lerp(x, 2) end)
    assert.has_error(function() x:lerp_(2) end)
    assert.has_error(function() core.functions.clamp(x, 1) end)
  end)
end)

describe("changes in place", function()
  it("keep the dtype and refuse what would lose", function()
    local ints, floats = gru.tensor({1, 2}), gru.tensor({1.0, 2.0})
    assert.error_matches(function() ints:add_(0.5) end, "add_: a float32 result cannot be written over int64")
    assert.error_matches(function() ints:exp_() end, "exp_: ")
    assert.error_matches(function() ints:div_(2) end, "div_: ")
    has(floats:add_(gru.tensor({1, 1})), {2}, "float32", {2, 3})
    has(floats:mul_(gru.tensor({2.0, 2.0}, {dtype = "float64"})), {2}, "float32", {4, 6})
    has(ints:add_(gru.tensor({true, false})), {2}, "int64", {2, 2})
    has(ints:copy_(gru.tensor({1.7, -1.7})), {2}, "int64", {1, -1})
    has(ints:fill_(2.9), {2}, "int64", {2, 2})
  end)

  it("do not change the shape", function()
    local x = gru.zeros(3)
    assert.error_matches(function() x:add_(gru.zeros(2, 3)) end,
      "add_: the result has shape %[2, 3%], it is written over %[3%]")
    assert.error_matches(function() x:copy_(gru.zeros(2, 3)) end,
      "copy_: %[2, 3%] does not broadcast to %[3%]")
    assert.error_matches(function() x:fill_(gru.zeros(2)) end, "fill_: expected one value, got shape %[2%]")
    has(x:fill_(gru.tensor(2.0)), {3}, "float32", {2, 2, 2})
  end)

  it("that fail leave the elements as they were", function()
    local x = gru.tensor({1, 2})
    pcall(x.floor_divide_, x, gru.tensor({1, 0}))
    has(x, {2}, "int64", {1, 2})
  end)
end)

describe("comparisons of whole tensors", function()
  it("are equal and allclose", function()
    local a = gru.tensor({1.0, 2.0})
    assert.is_true(gru.equal(a, a:clone()))
    assert.is_false(gru.equal(a, gru.tensor({1.0, 2.5})))
    assert.is_false(gru.equal(a, gru.tensor({{1.0, 2.0}})))
    assert.is_false(gru.equal(a, gru.tensor({1, 2})))
    assert.is_true(gru.equal(gru.zeros(0), gru.zeros(0)))
    assert.is_true(a:allclose(a + 1e-6))
    assert.is_false(a:allclose(a + 1e-3))
    assert.is_true(a:allclose(a + 1e-3, {atol = 1e-2}))
    local edge = gru.tensor({1 / 0, 0 / 0})
    assert.is_false(edge:allclose(edge))
    assert.is_true(edge:allclose(edge, {equal_nan = true}))
    assert.is_true(gru.tensor({1 / 0}):allclose(gru.tensor({1 / 0})))
    assert.is_false(gru.tensor({1 / 0}):allclose(gru.tensor({-1 / 0})))
    assert.is_false(gru.tensor({1 / 0}):allclose(gru.tensor({1.0})))
    assert.is_false(gru.tensor({1.0}):allclose(gru.tensor({1 / 0})))
  end)
end)

describe("parts", function()
  it("split, chunk and unbind", function()
    local x = iota(5, 2)
    local function sizes(parts)
      local list = {}
      for i, p in ipairs(parts) do list[i] = p:size(1) end
      return list
    end
    assert.same({2, 2, 1}, sizes(x:split(2)))
    assert.same({1, 4}, sizes(x:split({1, 4})))
    assert.same({3, 2}, sizes(x:chunk(2)))
    assert.same({2, 2, 1}, sizes(x:chunk(3)))
    assert.same({1, 1, 1, 1, 1}, sizes(x:chunk(9)))
    assert.equal(2, #x:unbind(2))
    assert.same({2, 4, 6, 8, 10}, x:unbind(-1)[2]:totable())
    assert.error_matches(function() x:split({1, 3}) end, "split: the sizes add up to 4, dim 1 has 5")
    assert.error_matches(function() x:split(0) end, "split: ")
    assert.error_matches(function() x:chunk(0) end, "chunk: ")
    assert.error_matches(function() x:unbind(3) end, "unbind: dim 3 of a tensor with 2 dims")
  end)

  it("flatten", function()
    local x = gru.zeros(2, 3, 4)
    assert.same({24}, x:flatten().shape)
    assert.same({2, 12}, x:flatten(2).shape)
    assert.same({6, 4}, x:flatten(1, 2).shape)
    assert.same({2, 3, 4}, x:flatten(2, 2).shape)
    assert.same({1}, gru.tensor(1):flatten().shape)
    assert.same({0}, gru.zeros(0, 3):flatten().shape)
    assert.same({2, 2}, gru.zeros(1, 2):expand_as(gru.zeros(2, 2)).shape)
    assert.same({6, 4}, x:view_as(gru.zeros(6, 4)).shape)
  end)
end)

describe("a released tensor", function()
  it("raises when it is used, and is let go of by no one else", function()
    local x = gru.ones(2)
    local y = x * 2
    core.release(x)
    assert.error_matches(function() return x + 1 end, "released by gru.scope")
    assert.error_matches(function() return x.shape end, "released by gru.scope")
    has(y, {2}, "float32", {2, 2})
  end)
end)
