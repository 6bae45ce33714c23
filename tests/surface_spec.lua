-- The tensor section of the contract against PyTorch (tests/golden/surface.lua, made by surface.py),
-- in-place forms, errors, drawing, and printing.
local gru = require "gru"
local agree = require "tests.support.agree"
local gradcheck = require "tests.support.gradcheck"
local cases = require "tests.golden.surface"
local golden = require "tests.support.golden"
local nd = require "tests.support.nd"

local function has(t, shape, dtype, data)
  assert(agree.shape(t, shape, dtype))
  assert(agree.values(t, nd.new(shape, data), 0))
end

describe("PyTorch's numbers:", function()
  for i, case in ipairs(cases.cases) do
    it(("%s of %s, %d"):format(case.call, case.inputs[1][1], i), function() golden.run(case) end)
  end
  for _, case in ipairs(cases.creation) do
    it(case[1], function() golden.check(golden.expression(case[1])(gru), case[2], case[1]) end)
  end
end)

describe("PyTorch's draws:", function()
  teardown(function() gru.manual_seed(1) end)
  for _, case in ipairs(cases.random) do
    it(case[2], function()
      gru.manual_seed(case[1], "torch")
      golden.check(golden.expression(case[2])(gru), case[3], case[2])
    end)
  end
end)

describe("PyTorch's printing:", function()
  for i, case in ipairs(cases.prints) do
    local saved = case[1]
    it(("%s [%s], %d"):format(saved[1], table.concat(saved[2], ", "), i), function()
      assert.equal(case[2], tostring(nd.tensor(golden.array(saved), saved[1])))
    end)
  end

  it("names what is not the default after the elements", function()
    local x = gru.ones(2, {requires_grad = true})
    assert.equal("tensor([1., 1.], requires_grad=true)", tostring(x))
    assert.equal("tensor([2., 2.], grad_fn=<add>)", tostring(x + 1))
    assert.equal("tensor([1., 1.], dtype=float64, requires_grad=true)",
      tostring(gru.ones(2, {requires_grad = true, dtype = "float64"})))
    local long = gru.full({4}, 123456.5, {dtype = "float64", requires_grad = true})
    assert.matches("123456.5000, 123456.5000%], dtype=float64,\n       requires_grad=true%)$", tostring(long))
  end)

  it("prints views and one-hot rows", function()
    local x = gru.arange(6):reshape(2, 3)
    assert.equal("tensor([[0, 3],\n        [1, 4],\n        [2, 5]])", tostring(x:t()))
    assert.equal("tensor([[0., 1.],\n        [1., 0.]])", tostring(gru.one_hot(gru.tensor {2, 1}, 2)))
  end)

  it("follows set_printoptions", function()
    finally(function() gru.set_printoptions {profile = "default"} end)
    gru.set_printoptions {precision = 2}
    assert.equal("tensor([0.33, 1.50])", tostring(gru.tensor {1 / 3, 1.5}))
    gru.set_printoptions {profile = "default", threshold = 5, edgeitems = 1}
    assert.equal("tensor([0,  ..., 9])", tostring(gru.arange(10)))
    gru.set_printoptions {profile = "full", sci_mode = true}
    assert.equal("tensor([1.5000e+00])", tostring(gru.tensor {1.5}))
    assert.error_matches(function() gru.set_printoptions {width = 3} end,
      "set_printoptions: unknown option 'width'")
    assert.error_matches(function() gru.set_printoptions {precision = "x"} end, "precision must be a number")
  end)
end)

describe("second gradients", function()
  local values = {0.5, -1.25, 2.0, 0.75, 1.5, -0.25}
  local ids = gru.tensor {3, 1}
  for name, f in pairs {
    flip = function(x) return x:flip(1, 2):square() end,
    roll = function(x) return x:roll({1, 2}, {1, 2}) * x end,
    repeat_ = function(x) return x:repeat_(2, 2):square() end,
    repeat_interleave = function(x) return x:repeat_interleave(gru.tensor {1, 0, 2}, 2):square() end,
    tril = function(x) return x:tril():exp() end,
    diag = function(x) return x:diag():square() end,
    take = function(x) return x:take(ids):square() end,
    index_fill = function(x) return x:index_fill(2, ids, 2):square() end,
    index_copy = function(x) return x:index_copy(2, ids, x:narrow(2, 1, 2) ^ 2) end,
    masked_scatter = function(x) return x:masked_scatter(x:gt(0.6), x:square()) end,
    masked_select = function(x) return x:masked_select(x:gt(0)):square() end,
    std = function(x) return x:std(2) end,
    var = function(x) return x:var() * x:sum() end,
    norm = function(x) return x:norm() end,
    norm_3 = function(x) return x:norm(3, 2) end,
    logsumexp = function(x) return x:logsumexp(1) end,
    sort = function(x) return (x:sort(2)):square() end,
    topk = function(x) return (x:topk(2, 2)):exp() end,
    kthvalue = function(x) return (x:kthvalue(2, 1)):exp() end,
    median = function(x) return (x:median(2)):square() end,
    amax = function(x) return x:amax({1, 2}):exp() end,
    tan = function(x) return (x * 0.5):tan() end,
  } do
    it(name, function()
      assert(gradcheck.first(f, {nd.new({2, 3}, {table.unpack(values)})}))
      assert(gradcheck.second(f, {nd.new({2, 3}, {table.unpack(values)})}))
    end)
  end

  it("baddbmm", function()
    local function batch(shape, step)
      return nd.generate(shape, function(i) return i * step % 7 / 3 - 1 end)
    end
    local inputs = {batch({2, 2}, 3), batch({2, 2, 3}, 2), batch({2, 3, 2}, 5)}
    local function f(x, a, b) return x:baddbmm(a, b, {beta = 0.5, alpha = 2}) end
    assert(gradcheck.first(f, inputs))
    assert(gradcheck.second(f, inputs))
  end)
end)

describe("in-place forms", function()
  it("write over their tensor and return it", function()
    local x = gru.zeros(2, 3)
    local ids = gru.tensor {{1}, {3}}
    assert(rawequal(x, x:scatter_(2, ids, 5)))
    has(x, {2, 3}, "float32", {5, 0, 0, 0, 0, 5})
    has(x:scatter_add_(2, ids, gru.ones(2, 1)), {2, 3}, "float32", {6, 0, 0, 0, 0, 6})
    has(x:index_fill_(2, gru.tensor {2}, 9), {2, 3}, "float32", {6, 9, 0, 0, 9, 6})
    has(x:clamp_(1), {2, 3}, "float32", {6, 9, 1, 1, 9, 6})
    has(x:clamp_(nil, 8), {2, 3}, "float32", {6, 8, 1, 1, 8, 6})
    has(x:tril_(), {2, 3}, "float32", {6, 0, 0, 1, 8, 0})
    has(x:index_add_(1, gru.tensor {2, 2}, gru.ones(2, 3)), {2, 3}, "float32", {6, 0, 0, 3, 10, 2})
    has(x:index_copy_(1, gru.tensor {1}, gru.ones(1, 3)), {2, 3}, "float32", {1, 1, 1, 3, 10, 2})
    has(x:masked_scatter_(x:gt(2), gru.tensor {7.0, 8.0}), {2, 3}, "float32", {1, 1, 1, 7, 8, 2})
    has(x:cumsum_(2), {2, 3}, "float32", {1, 2, 3, 7, 15, 17})
  end)

  it("keep the value that their gradient needs", function()
    local w = gru.tensor({0.5, 2.0, 3.0}, {requires_grad = true})
    local x = w * 2
    x:clamp_(0, 5)
    x:cumprod_(1)
    x:sum():backward()
    assert(agree.values(w.grad, nd.new({3}, {50, 12, 0}), 1e-6))
    assert.error_matches(function() w:clamp_(0, 1) end, "a leaf that requires grad is changed in place")
  end)

  it("assign through a tensor of ids, the last of equal ones", function()
    local x = gru.arange(6):reshape(3, 2)
    x[gru.tensor {3, 1}] = gru.tensor {{10, 11}, {12, 13}}
    has(x, {3, 2}, "int64", {12, 13, 2, 3, 10, 11})
    x[gru.tensor {1, 1}] = gru.tensor {{1, 2}, {3, 4}}
    has(x, {3, 2}, "int64", {3, 4, 2, 3, 10, 11})
    x[gru.tensor {{2}}] = 0
    has(x, {3, 2}, "int64", {3, 4, 0, 0, 10, 11})
    assert.error_matches(function() x[gru.tensor {4}] = 0 end, "id 4 at position 1 is outside 1 .. 3")
    local w = gru.ones(2, {requires_grad = true})
    local y = gru.zeros(3, 2)
    y[gru.tensor {2}] = w * 3
    y:sum():backward()
    has(w.grad, {2}, "float32", {3, 3})
  end)
end)

describe("new tensors of a tensor's kind", function()
  it("take its dtype", function()
    local x = gru.tensor({1.5}, {dtype = "float64"})
    has(x:new_zeros(2), {2}, "float64", {0, 0})
    has(x:new_ones({1, 2}), {1, 2}, "float64", {1, 1})
    has(x:new_full({2}, 7), {2}, "float64", {7, 7})
    has(x:new_tensor {{1, 2}}, {1, 2}, "float64", {1, 2})
    assert.same({3}, x:new_empty(3, {dtype = "int64"}).shape)
    assert.equal("int64", gru.randint_like(gru.zeros(2, {dtype = "int64"}), 5).dtype)
    assert.same({2}, gru.normal(0, 1, {2}).shape)
  end)

  it("fill long ranges without a table", function()
    local x = gru.arange(1, 10000001)
    assert.equal(10000000, x[-1]:item())
    assert.equal(10000001 * 5000000, x:sum():item())
    assert.equal(math.mininteger + 1, gru.arange(math.mininteger, math.mininteger + 2)[2]:item())
  end)
end)

describe("drawing", function()
  it("follows the weights", function()
    gru.manual_seed(3)
    local w = gru.tensor {1.0, 0.0, 3.0}
    local p = w:multinomial(4000, true)
    local counts = gru.bincount(p, nil, 3):totable()
    assert.equal(0, counts[2])
    assert(math.abs(counts[3] / 4000 - 0.75) < 0.04)
    local first = {0, 0, 0}
    for _ = 1, 400 do
      local at = w:multinomial(1):item()
      first[at] = first[at] + 1
    end
    assert.equal(0, first[2])
    assert(math.abs(first[3] / 400 - 0.75) < 0.1)
    local both = gru.stack({w, w:flip(1)}):multinomial(2):sort(2)
    has(both, {2, 2}, "int64", {1, 3, 1, 3})
  end)

  it("gives the same positions for the same seed, whatever the threads", function()
    local threads = gru.get_num_threads()
    finally(function() gru.set_num_threads(threads) end)
    local draws = {}
    for _, n in ipairs {1, 2, 3} do
      gru.set_num_threads(n)
      gru.manual_seed(5)
      local w = gru.rand(300, 700)
      draws[#draws + 1] = {w:multinomial(3), w:sort(1), w:reshape(-1):argsort(), w:cumsum(2), w:median(2)}
    end
    for k = 1, 5 do
      assert(gru.equal(draws[1][k], draws[2][k]) and gru.equal(draws[1][k], draws[3][k]))
    end
  end)

  it("refuses weights that are none", function()
    local function fails(pattern, w, ...)
      local arguments = {w, ...}
      assert.error_matches(function() gru.multinomial(table.unpack(arguments)) end, pattern)
    end
    fails("multinomial: wants floats, got int64", gru.tensor {1}, 1)
    fails("multinomial: 3 samples without replacement, but only 2", gru.tensor {1.0, 0, 1}, 3)
    fails("multinomial: a row of weights is all 0", gru.zeros(2), 1)
    fails("multinomial: weights must be finite and not negative", gru.tensor {1.0, -1}, 1)
    fails("multinomial: weights must be finite", gru.tensor {1.0, 0 / 0}, 1)
    fails("multinomial: a number of samples expected, got 0", gru.ones(2), 0)
    fails("multinomial: weights .* expected, got %[1, 1, 1%]", gru.ones(1, 1, 1), 1)
  end)
end)

describe("errors name the function and the values:", function()
  local x = gru.arange(6):reshape(2, 3):float()
  for i, case in ipairs {
    {function() x:cumsum(3) end, "cumsum: dim out of range for a tensor of 2 dims: position 3"},
    {function() x:cumsum() end, "dim %(an integer%) expected, got nothing"},
    {function() x:sort(3) end, "sort: dim out of range"},
    {function() x:sort {dims = 1} end, "sort: unknown option 'dims'"},
    {function() x:sort(1, 2) end, "boolean expected, got number"},
    {function() x:topk(4) end, "topk: 4 elements of dim 2 of %[2, 3%], which has 3"},
    {function() x:topk(-1) end, "topk: a count of elements expected, got %-1"},
    {function() x:topk() end, "count %(an integer%) expected"},
    {function() x:kthvalue(0) end, "kthvalue: k must be in 1 .. 3, got 0"},
    {function() gru.zeros(0):median() end, "median: no elements to choose from in %[0%]"},
    {function() x:median({1, 2}) end, "median: takes one dim, got 2"},
    {function() x:amax(3) end, "amax: dim out of range"},
    {function() gru.zeros(0, 3):amax(1) end, "amax: no elements along dim 1 of %[0, 3%]"},
    {function() gru.searchsorted(x, gru.zeros(3, 2)) end, "searchsorted: .*%[2, 3%] and %[3, 2%]"},
    {function() x:flip(1, 1) end, "flip: dim 1 is named twice"},
    {function() x:flip(3) end, "flip: dim 3 of a tensor with 2 dims"},
    {function() x:roll({1, 2}, 1) end, "roll: 2 shifts for 1 dims"},
    {function() x:roll(0.5) end, "roll: shifts must be integers, number 1 is 0.5"},
    {function() x:movedim({1, 1}, {1, 2}) end, "movedim: dim 1 is named twice"},
    {function() x:movedim(1, {1, 2}) end, "movedim: 1 dims to 2 places"},
    {function() x:unflatten(2, 2, 2) end, "unflatten: sizes %[2, 2%] do not make dim 2 of size 3"},
    {function() x:repeat_(2) end, "repeat_: 1 counts for 2 dims"},
    {function() x:repeat_(2, -1) end, "repeat_: counts must not be negative, got %-1"},
    {function() x:repeat_interleave(gru.tensor {1, 2}, 2) end,
      "repeat_interleave: a count, or an int64 tensor of 3"},
    {function() gru.ones(3):tril() end, "tril: two dims or more expected, got 1"},
    {function() x:triu(0.5) end, "triu: the diagonal must be an integer, got 0.5"},
    {function() gru.ones(1, 1, 1):diag() end, "diag: one dim or two expected, got 3"},
    {function() x:take(gru.tensor {7}) end, "id 7 at position 1 is outside 1 .. 6"},
    {function() x:take(gru.tensor {1.5}) end, "take: int64 ids expected, got float32"},
    {function() x:index_fill(2, gru.tensor {0}, 1) end, "id 0 at position 1 is outside 1 .. 3"},
    {function() x:index_fill(3, gru.tensor {1}, 1) end, "index_fill: dim 3 of a tensor with 2 dims"},
    {function() x:index_copy(1, gru.tensor {1}, gru.ones(2, 3)) end,
      "index_copy: %[2, 3%] takes no source %[2, 3%]"},
    {function() x:masked_select(x) end, "masked_select: .*bool.* got float32"},
    {function() x:masked_scatter(x:ge(0), gru.ones(2)) end, "masked_scatter: 2 elements for 6 true ones"},
    {function() return x[{gru.tensor {1, 2}, gru.tensor {1, 2, 3}}] end,
      "index: ids of shapes %[2%] and %[3%] do not broadcast"},
    {function() return x[{gru.tensor {1, 3}, gru.tensor {1, 2}}] end,
      "id 3 at position 2 is outside 1 .. 2"},
    {function() return x[{gru.tensor {1, 2}, gru.tensor {1, -2}}] end,
      "id %-2 at position 2 is outside 1 .. 3"},
    {function() return x[{gru.tensor {1}, gru.tensor {1}, gru.tensor {1}}] end,
      "index: 3 dims named, the tensor has 2"},
    {function() return x[{gru.tensor {1}, gru.tensor {1.5}}] end,
      "index: .* int64 ids or a bool mask, got float32"},
    {function() return x[{1, gru.tensor {true}}] end,
      "index: a mask of size 1 in dim 1, the tensor has 3"},
    {function() x[{gru.tensor {1, 2}, gru.tensor {1, 2}}] = gru.ones(3) end,
      "index: a value of shape %[3%] for elements of shape %[2%]"},
    {function() x[x:ge(0)] = gru.ones(5) end, "index: a value of shape %[5%] for elements of shape %[6%]"},
    {function() gru.one_hot(gru.tensor {1.5}) end, "one_hot: int64 ids expected, got float32"},
    {function() gru.one_hot(gru.tensor({}, {dtype = "int64"})) end,
      "one_hot: without ids, num_classes is wanted"},
    {function() gru.bincount(x) end, "bincount: int64 ids of one dim expected, got float32 of 2 dims"},
    {function() gru.tensor({1}):var() end, "var: wants floats, got int64; convert with :float"},
    {function() gru.tensor({1}):norm() end, "norm: wants floats, got int64"},
    {function() x:norm("nuc") end, "norm: p must be a number or \"fro\", got nuc"},
    {function() x:var {biased = true} end, "var: unknown option 'biased'"},
    {function() gru.arange(0, math.huge) end, "arange: "},
    {function() gru.arange(3, {dtype = "bool"}) end, "arange: numbers are wanted, not bools"},
    {function() gru.arange(0, 2, 0.5, {dtype = "int64"}) end, "arange: the step is 0 as an integer"},
    {function() gru.eye(-1) end, "eye: sizes .*%-1"},
    {function() gru.bernoulli(gru.tensor {1.5}) end, "bernoulli: chances lie in 0 .. 1"},
    {function() gru.flip(3) end, "flip: a tensor expected, got number"},
    {function() gru.unique(x, {counts = true}) end, "unique: unknown option 'counts'"},
  } do
    it(("%d %s"):format(i, case[2]), function() assert.error_matches(case[1], case[2]) end)
  end
end)

describe("ids from unique", function()
  it("say where each element went, and how often", function()
    local x = gru.tensor {{3.5, 1.0}, {3.5, -2.0}}
    local values, inverse, counts = gru.unique(x, {return_inverse = true, return_counts = true})
    has(values, {3}, "float32", {-2, 1, 3.5})
    has(inverse, {2, 2}, "int64", {3, 2, 3, 1})
    has(counts, {3}, "int64", {1, 1, 2})
    has(gru.unique(gru.tensor({}, {dtype = "int64"})), {0}, "int64", {})
  end)
end)

describe("x.ndim", function()
  it("is x:dim()", function()
    assert.equal(2, gru.ones(2, 3).ndim)
    assert.equal(0, gru.tensor(1).ndim)
  end)
end)
