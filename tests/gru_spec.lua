-- nn.GRU: golden numbers, PyTorch's results, a reference written element by element, state.
local gru = require "gru"
local agree = require "tests.support.agree"
local fixture = require "tests.support.fill"
local nd = require "tests.support.nd"
local new_rng = require "tests.support.rng"
local reference = require "tests.support.gru_reference"
local golden = dofile "tests/golden/nn.lua"
local describe = require("tests.support.devices").describe

local nn = gru.nn

local same, equal, fill = fixture.same, fixture.equal, fixture.fill
local fill_random, random_tensor = fixture.fill_random, fixture.random_tensor

-- ---- golden numbers -----------------------------------------------------------------------------

describe("GRU, the golden example", function()
  local function example(reset)
    local rnn = nn.GRU(2, 3, {reset = reset, dtype = "float64"})
    local k = -1
    fill(rnn, function(p)
      return nd.generate(p.shape, function()
        k = k + 1
        return 0.5 * math.sin(0.1 + 0.7 * k)
      end)
    end)
    assert.equal(62, k)
    local x = nd.tensor(nd.generate({3, 1, 2}, function(i) return math.cos(0.3 * (i - 1)) end), "float64")
    local output, h_n = rnn(x)
    local loss = (output:reshape(-1) * gru.arange(0.1, 0.95, 0.1, {dtype = "float64"})):sum()
    loss:backward()
    return rnn, output, h_n, loss
  end

  local function close(want, got) assert.near(want, got, 6e-8) end

  -- place in a parameter's flattened gradient, counted from 0
  local function check_gradients(rnn, wanted)
    for _, row in ipairs(wanted) do
      close(row[3], rnn[row[1]].grad:reshape(-1)[row[2] + 1]:item())
    end
  end

  it("with the reset after the product", function()
    local rnn, output, h_n, loss = example("after")
    same(output, nd.new({3, 1, 3}, {-.1442593069, -.4708966513, -.3426954132, -.3323042330, -.6750306708,
      -.4406788372, -.4793853139, -.7109168815, -.3068721155}), 1e-10)
    equal(output:narrow(1, 3, 1), h_n)
    assert.near(-2.1267463448, loss:item(), 1e-10)
    check_gradients(rnn, {
      {"weight_ih_l0", 0, -.0885296}, {"weight_ih_l0", 17, .3136704}, {"weight_hh_l0", 0, .0254599},
      {"weight_hh_l0", 26, -.2145380}, {"bias_ih_l0", 0, -.1309246}, {"bias_ih_l0", 8, .7813482},
      {"bias_hh_l0", 0, -.1309246}, {"bias_hh_l0", 8, .6252586},
    })
  end)

  it("with the reset before the product", function()
    local rnn, output, h_n, loss = example("before")
    same(output, nd.new({3, 1, 3}, {-.2254708973, -.4770690550, -.3516798641, -.4915450363, -.6917012563,
      -.4532004442, -.6586739219, -.7430356778, -.3626178925}), 1e-10)
    equal(output:narrow(1, 3, 1), h_n)
    assert.near(-2.4197101601, loss:item(), 1e-10)
    check_gradients(rnn, {
      {"weight_ih_l0", 0, .0072891}, {"weight_ih_l0", 17, .3053653}, {"weight_hh_l0", 0, -.0066809},
      {"weight_hh_l0", 26, -.2082431}, {"bias_ih_l0", 0, .0155330}, {"bias_ih_l0", 8, .7393798},
      {"bias_hh_l0", 0, .0155330}, {"bias_hh_l0", 8, .7393798},
    })
  end)
end)

describe("GRU, initial weights", function()
  it("are PyTorch's, drawn in the order of registration", function()
    gru.manual_seed(0, "torch")
    local rnn = nn.GRU(2, 3)
    local wanted = {
      weight_ih_l0 = {-.004323, .309716, -.475185, -.424895},
      weight_hh_l0 = {-.391409, -.251415, .209703, .479425},
      bias_ih_l0 = {-.297641, .364272, .338513, -.256052},
      bias_hh_l0 = {.387105, -.339945, .107586, -.447623},
    }
    for name, values in pairs(wanted) do
      same(rnn[name]:detach():reshape(-1):narrow(1, 1, 4), nd.new({4}, values), 6e-7)
    end
  end)

  it("stay within 1 / sqrt(hidden_size) and fill it", function()
    gru.manual_seed(3)
    local rnn = nn.GRU(7, 16, {num_layers = 2, bidirectional = true})
    for name, p in rnn:named_parameters() do
      local top = p:detach():abs():max():item()
      assert.is_true(top <= 0.25, name)
      assert.is_true(top > 0.2, name)
      assert.is_true(p:detach():min():item() < 0, name)
    end
  end)
end)

-- ---- PyTorch ------------------------------------------------------------------------------------

describe("GRU agrees with PyTorch", function()
  local function title(case)
    local parts = {("I=%d H=%d input {%s}"):format(case.input_size, case.hidden_size,
      table.concat(case.input, ", "))}
    for key, value in pairs(case.options) do parts[#parts + 1] = key .. "=" .. tostring(value) end
    table.sort(parts, function(a, b) return a > b end)
    if not case.h_0 then parts[#parts + 1] = "without h_0" end
    if case.lengths then parts[#parts + 1] = "lengths " .. table.concat(case.lengths, ", ") end
    return table.concat(parts, " ")
  end

  local function check(case, dtype)
    local draw = golden.draws(case.seed)
    local options = {dtype = dtype}
    for key, value in pairs(case.options) do options[key] = value end
    local rnn = nn.GRU(case.input_size, case.hidden_size, options)
    fill(rnn, function(p) return draw(p.shape) end)
    local x = nd.tensor(draw(case.input), dtype):requires_grad_()
    local h_0 = case.h_0 and nd.tensor(draw(case.h_0), dtype):requires_grad_()
    local output, h_n = rnn(x, h_0, {lengths = case.lengths})
    same(output, case.output, agree.forward[dtype])
    same(h_n, case.h_n, agree.forward[dtype])
    local loss = (output * nd.tensor(draw(output.shape), dtype)):sum()
      + (h_n * nd.tensor(draw(h_n.shape), dtype)):sum()
    loss:backward()
    local tol = agree.backward[dtype]
    same(x.grad, case.d_input, tol)
    if h_0 then same(h_0.grad, case.d_h_0, tol) end
    local i = 0
    for name, p in rnn:named_parameters() do
      i = i + 1
      assert.equal(case.names[i], name)
      same(p.grad, case.d_parameters[i], tol)
    end
    assert.equal(#case.names, i)
  end

  for _, case in ipairs(golden.gru) do
    it(title(case), function()
      check(case, "float64")
      check(case, "float32")
    end)
  end
end)

-- ---- the reference ------------------------------------------------------------------------------

describe("GRU agrees with the element-by-element reference", function()
  local function shuffled_lengths(draw, N, L)
    local lengths = {}
    for b = 1, N do lengths[b] = draw(L) end
    return lengths
  end

  local function check(draw, reset, with_lengths)
    local dtype = draw(2) == 1 and "float64" or "float32"
    local I, H, L, N = draw(4), draw(4), draw(5), draw(3)
    local options = {
      num_layers = draw(3), bias = draw(3) > 1, batch_first = draw(2) == 1,
      bidirectional = draw(2) == 1, reset = reset, dtype = dtype,
    }
    local rnn = nn.GRU(I, H, options)
    fill_random(rnn, draw)
    local rows = options.num_layers * (options.bidirectional and 2 or 1)
    local x = random_tensor(draw, dtype, L, N, I)
    local h_0 = draw(2) == 1 and random_tensor(draw, dtype, rows, N, H) or nil
    local lengths = with_lengths and shuffled_lengths(draw, N, L) or nil
    local start = h_0 or gru.zeros(rows, N, H)
    local want, want_h = reference.run(rnn, x:totable(), start:totable(), lengths)
    local output, h_n = rnn(options.batch_first and x:transpose(1, 2) or x, h_0, {lengths = lengths})
    if options.batch_first then output = output:transpose(1, 2) end
    local width = H * (options.bidirectional and 2 or 1)
    same(output, reference.array({L, N, width}, want), agree.forward[dtype])
    same(h_n, reference.array({rows, N, H}, want_h), agree.forward[dtype])
    assert.equal(dtype, output.dtype)
  end

  for _, reset in ipairs {"after", "before"} do
    for _, with_lengths in ipairs {false, true} do
      it(("reset %s%s, 100 random configurations"):format(reset, with_lengths and ", lengths" or ""),
        function()
          local draw = new_rng(#reset * 2 + (with_lengths and 1 or 0))
          for _ = 1, 100 do check(draw, reset, with_lengths) end
        end)
    end
  end
end)

-- ---- equivalences -------------------------------------------------------------------------------

describe("GRU", function()
  -- Runs rnn(x, ...); returns output, h_n and the gradients of the parameters.
  local function run(rnn, x, h_0, options)
    rnn:zero_grad()
    local output, h_n = rnn(x, h_0, options)
    local draw = new_rng(77)
    local loss = (output * random_tensor(draw, output.dtype, table.unpack(output.shape))):sum()
      + (h_n * random_tensor(draw, output.dtype, table.unpack(h_n.shape))):sum()
    loss:backward()
    local grads = {}
    for _, p in ipairs(rnn:parameters()) do grads[#grads + 1] = p.grad end
    return output:detach(), h_n:detach(), grads
  end

  local variants = {
    {}, {reset = "before"}, {bias = false}, {batch_first = true}, {bidirectional = true},
    {num_layers = 2, bidirectional = true, reset = "before"}, {num_layers = 3, batch_first = true},
  }

  local function named(options)
    local parts = {}
    for key, value in pairs(options) do parts[#parts + 1] = key .. "=" .. tostring(value) end
    table.sort(parts)
    return #parts == 0 and "defaults" or table.concat(parts, " ")
  end

  for i, options in ipairs(variants) do
    it("takes one-hot input as it takes the dense one: " .. named(options), function()
      local draw = new_rng(i)
      local rnn = nn.GRU(5, 4, options)
      fill_random(rnn, draw)
      local ids = nd.tensor(nd.generate({6, 3}, function() return draw(5) end), "int64")
      local hot = gru.one_hot(ids, 5)
      assert.is_true(hot:is_one_hot())
      local dense = gru.eye(5)[ids]
      assert.is_false(dense:is_one_hot())
      for _, more in ipairs {{}, {lengths = {2, 6, 3}}} do
        if options.batch_first and more.lengths then more.lengths = {2, 3, 1, 3, 3, 2} end
        local a, a_h, a_grads = run(rnn, hot, nil, more)
        local b, b_h, b_grads = run(rnn, dense, nil, more)
        same(a, nd.of(b), 1e-6)
        same(a_h, nd.of(b_h), 1e-6)
        for k, g in ipairs(a_grads) do same(g, nd.of(b_grads[k]), 1e-5) end
      end
      assert.is_true(hot:is_one_hot(), "the input must stay as it is")
      local a = rnn(hot:select(2, 1)) -- without a batch
      same(a, nd.of(rnn(dense:select(2, 1))), 1e-6)
    end)

    it("takes no h_0 as zeros: " .. named(options), function()
      local draw = new_rng(20 + i)
      local rnn = nn.GRU(2, 3, options)
      fill_random(rnn, draw)
      local x = random_tensor(draw, "float32", 4, 4, 2)
      local rows = rnn.num_layers * (rnn.bidirectional and 2 or 1)
      local a, a_h, a_grads = run(rnn, x)
      local b, b_h, b_grads = run(rnn, x, gru.zeros(rows, 4, 3))
      equal(a, b)
      equal(a_h, b_h)
      for k, g in ipairs(a_grads) do equal(g, b_grads[k]) end
    end)
  end

  it("counts b_hn inside the reset gate at the first step, too", function()
    local rnn = nn.GRU(1, 1, {dtype = "float64"})
    local values = {weight_ih_l0 = {{0.3}, {-0.2}, {0.7}}, weight_hh_l0 = {{5}, {5}, {5}},
                    bias_ih_l0 = {0.1, 0.4, -0.3}, bias_hh_l0 = {-0.6, 0.2, 1.5}}
    fill(rnn, function(p)
      for name, q in rnn:named_parameters() do
        if p == q then return nd.of(gru.tensor(values[name], {dtype = "float64"})) end
      end
    end)
    local output = rnn(gru.tensor({{{2.0}}}, {dtype = "float64"}))
    local r, z = reference.sigmoid(0.6 + 0.1 - 0.6), reference.sigmoid(-0.4 + 0.4 + 0.2)
    local n = reference.tanh(1.4 - 0.3 + r * 1.5)
    assert.near((1 - z) * n, output:item(), 1e-14)
  end)

  it("takes a sequence without a batch as a batch of one", function()
    for i, options in ipairs(variants) do
      local draw = new_rng(40 + i)
      local rnn = nn.GRU(3, 2, options)
      fill_random(rnn, draw)
      local rows = rnn.num_layers * (rnn.bidirectional and 2 or 1)
      local x, h_0 = random_tensor(draw, "float32", 5, 3), random_tensor(draw, "float32", rows, 2)
      local output, h_n = rnn(x, h_0)
      local batch, batch_h = rnn(x:unsqueeze(rnn.batch_first and 1 or 2), h_0:unsqueeze(2))
      equal(output, batch:squeeze(rnn.batch_first and 1 or 2))
      equal(h_n, batch_h:squeeze(2))
    end
  end)

  it("goes on from h_n where the sequence was cut", function()
    local draw = new_rng(60)
    local rnn = nn.GRU(2, 3, {num_layers = 2, dtype = "float64"})
    fill_random(rnn, draw)
    local x = random_tensor(draw, "float64", 7, 2, 2)
    local whole, whole_h = rnn(x)
    local first, h = rnn(x:narrow(1, 1, 3))
    local second, second_h = rnn(x:narrow(1, 4, 4), h)
    same(gru.cat({first, second}, 1), nd.of(whole), 1e-14)
    same(second_h, nd.of(whole_h), 1e-14)
  end)

  it("takes rows that end early as rows run alone", function()
    local draw = new_rng(61)
    for _, reset in ipairs {"after", "before"} do
      local rnn = nn.GRU(2, 3, {num_layers = 2, bidirectional = true, reset = reset, dtype = "float64"})
      fill_random(rnn, draw)
      local x = random_tensor(draw, "float64", 5, 4, 2):requires_grad_()
      local h_0 = random_tensor(draw, "float64", 4, 4, 3)
      local lengths = {3, 1, 5, 4}
      local output, h_n = rnn(x, h_0, {lengths = gru.tensor(lengths)})
      local loss = output:square():sum() + h_n:square():sum()
      loss:backward()
      local together = {}
      for k, p in ipairs(rnn:parameters()) do together[k] = p.grad end
      rnn:zero_grad()
      for b, n in ipairs(lengths) do
        local alone, alone_h = rnn(x:detach():narrow(2, b, 1):narrow(1, 1, n), h_0:narrow(2, b, 1))
        same(output:detach():narrow(2, b, 1):narrow(1, 1, n), nd.of(alone), 1e-13)
        same(h_n:detach():narrow(2, b, 1), nd.of(alone_h), 1e-13)
        loss = alone:square():sum() + alone_h:square():sum()
        loss:backward()
        if n < 5 then
          assert.equal(0, output:detach():narrow(2, b, 1):narrow(1, n + 1, 5 - n):abs():max():item())
          assert.equal(0, x.grad:narrow(2, b, 1):narrow(1, n + 1, 5 - n):abs():max():item())
        end
      end
      for k, p in ipairs(rnn:parameters()) do same(p.grad, nd.of(together[k]), 1e-12) end
    end
  end)

  it("does not look at what stands beyond the lengths", function()
    for _, options in ipairs {{}, {bidirectional = true, num_layers = 2, reset = "before"}} do
      local rnn = nn.GRU(2, 3, options)
      fill_random(rnn, new_rng(62))
      local x = random_tensor(new_rng(63), "float32", 3, 2, 2)
      local a, a_h, a_grads = run(rnn, x, nil, {lengths = {2, 3}})
      x[{3, 1}]:fill_(0 / 0)
      local b, b_h, b_grads = run(rnn, x, nil, {lengths = {2, 3}})
      equal(b, a)
      equal(b_h, a_h)
      for k, g in ipairs(b_grads) do equal(g, a_grads[k]) end
    end
  end)

  it("takes the options in the place of h_0", function()
    local rnn, x = nn.GRU(2, 3), gru.randn(4, 2, 2)
    local a, a_h = rnn(x, {lengths = {1, 4}})
    local b, b_h = rnn(x, nil, {lengths = {1, 4}})
    equal(a, b)
    equal(a_h, b_h)
    assert.equal(0, a[4][1]:detach():abs():max():item())
  end)

  it("takes full lengths as none", function()
    local rnn, x = nn.GRU(2, 3, {bidirectional = true}), gru.randn(4, 2, 2)
    local a, a_h = rnn(x)
    local b, b_h = rnn(x, nil, {lengths = {4, 4}})
    equal(a, b)
    equal(a_h, b_h)
  end)

  it("takes a batch of no rows", function()
    local output, h_n = nn.GRU(2, 3)(gru.zeros(4, 0, 2))
    assert.same({4, 0, 3}, output.shape)
    assert.same({1, 0, 3}, h_n.shape)
  end)

  it("takes one table of settings", function()
    local rnn = nn.GRU{input_size = 4, hidden_size = 3, num_layers = 2, bidirectional = true}
    assert.same({4, 3, 2, true}, {rnn.input_size, rnn.hidden_size, rnn.num_layers, rnn.bidirectional})
    assert.same({9, 6}, rnn.weight_ih_l1_reverse.shape)
  end)

  it("has no biases at all with bias = false", function()
    local rnn = nn.GRU(2, 3, {bias = false, num_layers = 2})
    assert.equal(4, #rnn:parameters())
    assert.is_nil(rnn.bias_ih_l0)
    for name in pairs(rnn:state_dict()) do assert.is_nil(name:find "bias") end
  end)

  it("shows its settings", function()
    assert.equal("GRU(2, 3)", tostring(nn.GRU(2, 3)))
    assert.equal("GRU(2, 3, num_layers=2, bias=false, batch_first=true, dropout=0.5, "
      .. "bidirectional=true, reset=\"before\")", tostring(nn.GRU(2, 3, {num_layers = 2, bias = false,
      batch_first = true, dropout = 0.5, bidirectional = true, reset = "before"})))
  end)
end)
