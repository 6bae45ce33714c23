-- Layers, activations and functions of nn: against PyTorch, at the edges, and as objects.
local agree = require "tests.support.agree"
local golden = require "tests.golden.layers"
local gru = require "gru"
local layer_cases = require "tests.support.layer_cases"
local describe = require("tests.support.devices").describe

local nn, F = gru.nn, gru.nn.functional

local function f64(values, grad)
  local t = gru.tensor(values, {dtype = "float64"})
  return grad and t:requires_grad_() or t
end

local function names_of(module)
  local names = {}
  for name in module:named_parameters() do names[#names + 1] = name end
  return names
end

describe("layers have PyTorch's results and gradients:", function()
  for title, test in layer_cases.each(golden.layers) do it(title, test) end
end)

describe("the contract's names exist:", function()
  local lists = {
    nn = "Module Parameter Linear Embedding Dropout LayerNorm Sequential ModuleList Identity Flatten RNN "
      .. "LSTM GRU RNNCell LSTMCell GRUCell Sigmoid Tanh ReLU GELU SiLU Softplus Softmax LogSoftmax "
      .. "LeakyReLU ELU CrossEntropyLoss NLLLoss MSELoss L1Loss SmoothL1Loss HuberLoss "
      .. "BCEWithLogitsLoss BCELoss KLDivLoss",
    ["nn.functional"] = "linear embedding dropout layer_norm softmax log_softmax one_hot pad sigmoid tanh "
      .. "relu gelu silu softplus leaky_relu elu cross_entropy nll_loss mse_loss l1_loss smooth_l1_loss "
      .. "huber_loss binary_cross_entropy binary_cross_entropy_with_logits kl_div",
    ["nn.init"] = "xavier_uniform_ xavier_normal_ kaiming_uniform_ kaiming_normal_ orthogonal_ uniform_ "
      .. "normal_ constant_ zeros_ ones_ eye_ trunc_normal_ calculate_gain",
    ["nn.utils"] = "clip_grad_norm_ clip_grad_value_ parameters_to_vector vector_to_parameters",
    ["nn.utils.rnn"] = "pad_sequence", data = "TensorDataset DataLoader",
  }
  for path, names in pairs(lists) do
    it(path, function()
      local at = gru
      for part in path:gmatch "%w+" do at = at[part] end
      for name in names:gmatch "%S+" do assert.truthy(at[name], path .. "." .. name) end
    end)
  end
end)

describe("activations", function()
  local all = {
    nn.Sigmoid(), nn.Tanh(), nn.ReLU(), nn.GELU(), nn.GELU("tanh"), nn.SiLU(), nn.Softplus(),
    nn.Softplus(2, 1), nn.Softmax(-1), nn.LogSoftmax(1), nn.LeakyReLU(0.1), nn.ELU(2), nn.LogSigmoid(),
  }
  for _, m in ipairs(all) do
    it(tostring(m) .. " has first and second derivatives", function()
      local x = f64({{0.31, -1.2, 2.1}, {1.5, 0.23, -0.7}}, true)
      local function f(y) return m(y) end
      assert(gru.autograd.gradcheck(f, {x}))
      assert(gru.autograd.gradgradcheck(f, {x}))
    end)
  end

  it("stay finite far out", function()
    for _, dtype in ipairs {"float32", "float64"} do
      for _, m in ipairs(all) do
        local x = gru.tensor({-1e4, -100, 0, 100, 1e4}, {dtype = dtype}):requires_grad_()
        local y = m(x)
        assert.is_true(y:isfinite():all():item(), tostring(m))
        y:sum():backward()
        assert.is_true(x.grad:isfinite():all():item(), tostring(m))
      end
    end
  end)

  it("have PyTorch's slopes at the kinks", function()
    local function slope(f)
      local x = f64({0}, true)
      f(x):sum():backward()
      return x.grad:item()
    end
    assert.equal(0, slope(F.relu))
    assert.equal(0.01, slope(F.leaky_relu))
    assert.equal(3, slope(function(x) return F.elu(x, 3) end))
  end)

  it("take settings alone or in a table, and print them", function()
    local x = gru.randn(4)
    assert.is_true(nn.ELU(0.5)(x):equal(nn.ELU{alpha = 0.5}(x)))
    assert.is_true(F.leaky_relu(x, 0.3):equal(F.leaky_relu(x, {negative_slope = 0.3})))
    assert.equal("LeakyReLU(negative_slope=0.3)", tostring(nn.LeakyReLU(0.3)))
    assert.equal("Softmax(dim=-1)", tostring(nn.Softmax{dim = -1}))
    assert.equal("Tanh()", tostring(nn.Tanh()))
    assert.equal("GELU(approximate=none)", tostring(nn.GELU()))
  end)
end)

describe("Embedding", function()
  it("has a zero row without gradient at padding_idx, whatever stands there later", function()
    local e = nn.Embedding(4, 3, {padding_idx = -1, dtype = "float64"})
    assert.equal(4, e.padding_idx)
    assert.same({0, 0, 0}, e.weight[4]:totable())
    gru.no_grad(function() e.weight[4]:fill_(7) end)
    local y = e(gru.tensor {{4, 1}, {1, 2}})
    assert.same({7, 7, 7}, y[1][1]:totable())
    y:sum():backward()
    assert.same({{2, 2, 2}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}}, e.weight.grad:totable())
  end)

  it("adds up the gradients of an id that comes often", function()
    local e = nn.Embedding(2, 1)
    e(gru.ones(1000):long()):sum():backward()
    assert.same({{1000}, {0}}, e.weight.grad:totable())
  end)

  it("is made over given rows", function()
    local rows = gru.randn(3, 2)
    local e = nn.Embedding.from_pretrained(rows)
    assert.is_false(e.weight.requires_grad)
    assert.is_true(e(gru.tensor {2}):equal(rows:narrow(1, 2, 1)))
    assert.is_true(nn.Embedding.from_pretrained(rows, {freeze = false}).weight.requires_grad)
  end)

  it("has second derivatives", function()
    local e = nn.Embedding(3, 2, {dtype = "float64", padding_idx = 1})
    local function f() return e(gru.tensor {1, 2, 3, 2}):narrow(1, 2, 3):square() end
    assert(gru.autograd.gradcheck(f, e:parameters()))
    assert(gru.autograd.gradgradcheck(f, e:parameters()))
  end)
end)

describe("LayerNorm", function()
  it("has mean 0 and variance 1, also of large numbers", function()
    local y = nn.LayerNorm(64, {dtype = "float64"})(gru.randn(3, 64, {dtype = "float64"}) * 5 + 1e6)
    assert.is_true(y:mean(-1):abs():max():item() < 1e-8)
    assert.is_true((y:var(-1, false, 0) - 1):abs():max():item() < 1e-5)
  end)

  it("has first and second derivatives", function()
    local norm = nn.LayerNorm({2, 3}, {dtype = "float64"})
    local inputs = {gru.randn(2, 2, 3, {dtype = "float64"}):requires_grad_(), norm.weight, norm.bias}
    local function f(x) return norm(x) end
    assert(gru.autograd.gradcheck(f, inputs))
    assert(gru.autograd.gradgradcheck(f, inputs))
  end)

  it("goes without weight or bias", function()
    assert.same({}, nn.LayerNorm(4, {elementwise_affine = false}):parameters())
    assert.same({"weight"}, names_of(nn.LayerNorm(4, {bias = false})))
    assert.equal("LayerNorm({2, 3}, eps=1e-05, elementwise_affine=true)", tostring(nn.LayerNorm{2, 3}))
  end)
end)

describe("Dropout", function()
  it("keeps 1 - p of the elements, scaled, with a new mask every time", function()
    gru.manual_seed(1)
    local m, x = nn.Dropout(0.25), gru.ones(100, 100)
    local y = m(x)
    assert.is_true(math.abs(y:eq(0):float():mean():item() - 0.25) < 0.02)
    assert.is_true(y:eq(0):logical_or((y - 4 / 3):abs():lt(1e-6)):all():item())
    assert.is_false(y:equal(m(x)))
    gru.manual_seed(1)
    assert.is_true(y:equal(m(x)))
  end)

  it("has the mask as its gradient, and nothing to do in eval mode", function()
    local m, x = nn.Dropout(), gru.ones(50):requires_grad_()
    local y = m(x)
    y:sum():backward()
    assert.is_true(x.grad:equal(y:detach()))
    assert.equal(x, m:eval()(x))
    assert.equal(x, nn.Dropout(0)(x))
    assert.equal("Dropout(p=0.5)", tostring(m))
  end)

  it("knows p = 1", function()
    local x = gru.ones(5):requires_grad_()
    local y = nn.Dropout(1)(x)
    y:sum():backward()
    assert.same({0, 0, 0, 0, 0}, y:totable())
    assert.same({0, 0, 0, 0, 0}, x.grad:totable())
  end)
end)

describe("Sequential", function()
  it("is a list, with PyTorch's keys", function()
    local net = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    net:append(nn.Linear(3, 1)):insert(2, nn.LayerNorm(3))
    assert.equal(4, #net)
    assert.same({"0.weight", "0.bias", "1.weight", "1.bias", "3.weight", "3.bias"}, names_of(net))
    assert.equal(net[4], net[-1])
    assert.is_nil(net[5])
    local seen = {}
    for i, m in ipairs(net) do seen[i] = m.name end
    assert.same({"Linear", "LayerNorm", "Tanh", "Linear"}, seen)
    local x = gru.randn(5, 2)
    assert.is_true(net(x):equal(net[4](net[3](net[2](net[1](x))))))
  end)

  it("prints as in PyTorch", function()
    assert.equal([[
Sequential(
  (0): Linear(in_features=2, out_features=3, bias=true)
  (1): Sequential(
    (0): ReLU()
  )
)]], tostring(nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU()))))
  end)

  it("takes names", function()
    local net = nn.Sequential{{"fc", nn.Linear(2, 3)}, {"act", nn.Tanh()}}
    assert.same({"fc.weight", "fc.bias"}, names_of(net))
    assert.equal(net.fc, net[1])
    assert.same({4, 3}, net(gru.zeros(4, 2)).shape)
  end)

  it("gives all that its last module gives", function()
    local net = nn.Sequential(nn.Embedding(5, 2), nn.GRU(2, 3))
    local output, h_n = net(gru.tensor {{1, 2}, {3, 4}})
    assert.same({2, 2, 3}, output.shape)
    assert.same({1, 2, 3}, h_n.shape)
    assert.same({2, 2, 4}, nn.Sequential(nn.GRU(2, 3), nn.Linear(3, 4))(gru.zeros(2, 2, 2)).shape)
    local x = gru.zeros(2)
    assert.equal(x, nn.Sequential()(x))
  end)

  it("replaces a module", function()
    local net = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    net[2] = nn.ReLU()
    assert.equal("ReLU", net[2].name)
    assert.equal(2, #net)
  end)

  it("is a class to build on", function()
    local Block = nn.Sequential:extend("Block")
    function Block:init(n) nn.Sequential.init(self, nn.Linear(n, n), nn.ReLU()) end
    local block = Block(3)
    assert.equal(2, #block)
    assert.same({2, 3}, block(gru.zeros(2, 3)).shape)
    assert.truthy(tostring(block):find "^Block%(\n")
  end)
end)

describe("ModuleList", function()
  it("registers what is in it", function()
    local Net = nn.Module:extend "Net"
    function Net:init()
      self.layers = nn.ModuleList{nn.Linear(2, 2), nn.Linear(2, 2, {bias = false})}
      self.layers:append(nn.Linear(2, 1))
    end
    function Net:forward(x)
      for _, layer in ipairs(self.layers) do x = layer(x) end
      return x
    end
    local net = Net()
    assert.same({"layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.2.weight",
                 "layers.2.bias"}, names_of(net))
    assert.equal(3, #net.layers)
    net(gru.randn(4, 2)):sum():backward()
    for _, p in ipairs(net:parameters()) do assert.truthy(p.grad) end
    net:eval()
    assert.is_false(net.layers[2].training)
    local copy = Net()
    copy:load_state_dict(net:state_dict())
    local x = gru.randn(3, 2)
    assert.is_true(copy(x):equal(net(x)))
  end)

  it("inserts in the middle", function()
    local a, b, c = nn.Linear(1, 1), nn.Linear(2, 2), nn.Linear(3, 3)
    local list = nn.ModuleList{a, c}
    list:insert(2, b)
    assert.equal(a, list[1])
    assert.equal(b, list[2])
    assert.equal(c, list[3])
    assert.equal("2.bias", names_of(list)[6])
  end)
end)

describe("functions", function()
  it("pad: gradients, once and twice", function()
    local x = gru.randn(2, 3, {dtype = "float64"}):requires_grad_()
    local function f(y) return F.pad(y, {1, -1, 0, 2}, "constant", 3):square() end
    assert(gru.autograd.gradcheck(f, {x}))
    assert(gru.autograd.gradgradcheck(f, {x}))
    assert.same({2, 0}, F.pad(gru.zeros(2, 3), {0, -3}).shape)
  end)

  it("one_hot counts the classes itself", function()
    assert.same({{1, 0, 0}, {0, 0, 1}}, F.one_hot(gru.tensor {1, 3}):float():totable())
  end)

  it("pad_sequence passes gradients", function()
    local list = {gru.ones(2, 2):requires_grad_(), gru.ones(3, 2):requires_grad_()}
    local y = nn.utils.rnn.pad_sequence(list)
    assert.same({3, 2, 2}, y.shape)
    y:square():sum():backward()
    assert.same({{2, 2}, {2, 2}}, list[1].grad:totable())
  end)

  it("parameters_to_vector and back", function()
    local net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    local vector = nn.utils.parameters_to_vector(net:parameters())
    assert.same({13}, vector.shape)
    local weight = net[1].weight
    nn.utils.vector_to_parameters(vector * 2, net:parameters())
    assert.equal(weight, net[1].weight)
    assert.is_true(agree.tensors(nn.utils.parameters_to_vector(net:parameters()):detach(),
      (vector * 2):detach(), 1e-6) or false)
  end)
end)

describe("wrong use says", function()
  local x = gru.zeros(2, 3)
  local bad = {
    {function() nn.Linear(2.5, 3) end, "Linear: in_features must be a positive integer, got 2.5"},
    {function() nn.Embedding(3, 0) end, "Embedding: embedding_dim must be a positive integer, got 0"},
    {function() nn.Embedding(3, 2, {padding_idx = 0}) end, "Embedding: padding_idx must be in 1 .. 3"},
    {function() nn.Embedding(3, 2, {max_norm = 1}) end, "Embedding: unknown option 'max_norm'"},
    {function() local y = nn.Embedding(3, 2)(gru.tensor {4}) return y end, "id 4 at position 1"},
    {function() nn.LayerNorm(0) end, "LayerNorm: normalized_shape must be positive integers, got 0"},
    {function() nn.LayerNorm(3, {epsilon = 1}) end, "LayerNorm: unknown option 'epsilon'"},
    {function() F.layer_norm(x, 2) end, "layer_norm: input [2, 3] does not end with normalized_shape [2]"},
    {function() nn.Dropout(1.5) end, "Dropout: p must be in 0 .. 1, got 1.5"},
    {function() F.dropout(x, -1) end, "dropout: p must be in 0 .. 1, got -1"},
    {function() nn.Softmax() end, "Softmax: dim must be a number, got nil"},
    {function() nn.ELU{a = 1} end, "ELU: unknown option 'a'"},
    {function() nn.Tanh(1) end, "Tanh: 1 arguments, at most 0 expected"},
    {function() F.elu(x, {beta = 1}) end, "elu: unknown option 'beta'"},
    {function() F.gelu(x, {approximate = "erf"}) end, 'gelu: approximate must be "none" or "tanh", got erf'},
    {function() F.relu(1) end, "relu"},
    {function() nn.Sequential(3) end, "Sequential: a module expected, got number"},
    {function() nn.ModuleList{nn.Tanh(), "x"} end, "ModuleList: a module expected, got string"},
    {function() nn.Sequential(nn.Tanh())[3] = nn.Tanh() end, "a module expected, at 1 .. 1"},
    {function() nn.Sequential():insert(3, nn.Tanh()) end, "insert at 3: positions are 1 .. 1"},
    {function() F.pad(x, {1}) end, "pad: widths must be {left, right, ...}"},
    {function() F.pad(x, {1, 1}, "reflect") end, 'pad: mode must be "constant", got reflect'},
    {function() F.pad(x, {-2, -2}) end, "pad: {-2, -2} leaves less than nothing of size 3"},
    {function() nn.utils.rnn.pad_sequence({}) end, "pad_sequence: a table of at least one tensor expected"},
    {function() nn.utils.vector_to_parameters(gru.zeros(3), {x}) end,
     "vector_to_parameters: 3 numbers for parameters of 6"},
  }
  for _, row in ipairs(bad) do
    it(row[2], function()
      local ok, message = pcall(row[1])
      assert.is_false(ok)
      assert.truthy(message:find(row[2], 1, true), message)
    end)
  end
end)
