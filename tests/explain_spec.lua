-- gru.explain and gru.precision: what they say, on every device, and what they refuse.
local command_line = require "tests.support.command_line"
local devices = require "tests.support.devices"
local gru = require "gru"

local nn = gru.nn
local device = devices.cuda()
local test = device and it or pending

local function says(text, ...)
  for _, part in ipairs {...} do
    assert(text:find(part, 1, true), ("%q is not in %q"):format(part, text))
  end
end

describe("gru.explain", function()
  it("tells cells and settings apart", function()
    for title, m in pairs {
      ["RNN tanh, float32, H 5, B 1: "] = nn.RNN(3, 5), ["RNN relu, float32, H 5, B 1: "] = nn.RNN(3, 5,
        {nonlinearity = "relu"}), ["LSTM, float64, H 7, B 1: "] = nn.LSTM(3, 7, {dtype = "float64"}),
      ["GRU after, float32, H 5, B 1: "] = nn.GRUCell(3, 5),
      ["GRU before, float32, H 5, B 1: "] = nn.GRU(3, 5, {reset = "before"}),
    } do
      says(gru.explain(m), tostring(m), "on cpu", title)
    end
  end)

  it("has a line for each recurrent layer of a model", function()
    local model = nn.Sequential(nn.GRU(3, 4, {num_layers = 2, bidirectional = true}), nn.Linear(8, 2))
    model.cell = nn.LSTMCell(3, 6)
    local text = gru.explain(model, 20)
    says(text, "0 on cpu (4 times): GRU after, float32, H 4, B 20", "\ncell on cpu: LSTM, float32, H 6, B 20")
    assert.equal(1, select(2, text:gsub("\n", "")))
  end)

  it("says on the CPU whether the weights are packed, and why not", function()
    local rnn = nn.GRU(3, 512)
    local threads = gru.get_num_threads()
    gru.set_num_threads(2)
    says(gru.explain(rnn, 32), "packed once, the rows on 2 threads")
    says(gru.explain(rnn, 8), "packed once, the columns of each product on 2 threads")
    gru.set_num_threads(1)
    says(gru.explain(rnn, 8), "packed once, the rows on 1 thread")
    gru.set_num_threads(threads)
    says(gru.explain(rnn, 8, 2), "not packed: below 3 steps")
    says(gru.explain(rnn, 3, 9), "not packed: with fewer than 4 rows")
    says(gru.explain(nn.GRUCell(3, 4), 8), "not packed: below 3 steps")
  end)

  it("refuses what has no recurrent layer", function()
    assert.has_error(function() gru.explain(nn.Linear(2, 3)) end,
      "explain: there is no recurrent layer in the module")
    assert.has_error(function() gru.explain(gru.ones(2)) end, "explain: a module expected, got a tensor")
    assert.has_error(function() gru.explain(nn.GRU(2, 3), 0) end,
      "explain: batch must be a positive integer, got 0")
    assert.has_error(function() gru.explain(nn.GRU(2, 3), 1, 1.5) end,
      "explain: steps must be a positive integer, got 1.5")
  end)


  test("says on CUDA which way a layer takes, and why not another #cuda", function()
    local rnn = nn.GRU(3, 256, {device = device})
    says(gru.explain(rnn, 32), "on cuda:0: GRU after, float32, H 256, B 32: one fused kernel each step")
    says(gru.explain(rnn, 65), "a product of cuBLAS and a kernel for the gates each step",
      "; not one fused kernel each step: from B 65 on")
    says(gru.explain(nn.GRU(3, 258, {device = device})), "; not one fused kernel each step: from H 257 on")
    says(gru.explain(nn.GRU(3, 4, {reset = "before", device = device})), ": two fused kernels each step")
    says(gru.explain(nn.LSTM(3, 4, {device = device}), 32), "LSTM, float32, H 4, B 32: one fused")
  end)

  test("follows the precision #cuda", function()
    local rnn = nn.GRU(3, 600, {device = device})
    says(gru.explain(rnn), ": one fused kernel each step")
    gru.precision "tf32"
    local text = gru.explain(rnn)
    gru.precision "fp32"
    says(text, "; not one fused kernel each step: from H 513 on with tf32")
  end)

  test("names the environment where that decides #cuda", function()
    local got = command_line.capture(([[
      GRU_CUDA_RECURRENCE=step '%s' -e 'local gru = require "gru"
      print(gru.explain(gru.nn.GRU(2, 3, {device = "cuda:0"})))' 2>&1]]):format(command_line.program))
    says(got, "not one fused kernel each step: GRU_CUDA_RECURRENCE is step")
  end)
end)

describe("gru.precision", function()
  after_each(function() gru.precision "fp32" end)

  it("is fp32 until it is set", function()
    assert.equal("fp32", gru.precision())
    assert.equal("tf32", gru.precision "tf32")
    assert.equal("tf32", gru.precision())
  end)

  it("changes nothing on the CPU", function()
    local a = gru.randn(20, 30)
    local y = gru.matmul(a, a:t())
    gru.precision "tf32"
    assert.is_true(y:equal(gru.matmul(a, a:t())))
  end)

  test("rounds float32 on CUDA to 10 bits in products, float64 never; at once in graphs too #cuda", function()
    local x = gru.full({64, 64}, 1 + 2.0 ^ -12, {device = device})
    local step = gru.cuda.graph(function(y) return y:matmul(y) end)
    local exact = 64 * (1 + 2.0 ^ -11)
    for _, precision in ipairs {"fp32", "tf32", "fp32", "fp32", "tf32", "tf32"} do
      gru.precision(precision)
      local wanted = precision == "fp32" and exact or 64
      for _ = 1, 3 do assert.near(wanted, step(x):max():item(), 1e-4) end
      assert.near(exact, x:double():matmul(x:double()):max():item(), 1e-4)
    end
    assert.is_nil(step:info().eager)
  end)

  it("refuses other names", function()
    local ok, message = pcall(gru.precision, "bf16")
    assert.is_false(ok)
    says(message, "precision", "bf16")
    assert.is_false(pcall(gru.precision, 32))
    assert.equal("fp32", gru.precision())
  end)
end)
