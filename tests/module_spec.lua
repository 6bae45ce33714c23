-- nn.Module: registration, modes; nn.Linear; nn.init.  State is for module_state_spec.lua.
local gru = require "gru"
local expect = require "tests.support.expect"
local fixture = require "tests.support.net"
local nd = require "tests.support.nd"
local golden = dofile "tests/golden/nn.lua"
local describe = require("tests.support.devices").describe

local nn = gru.nn
local Net, keys = fixture.Net, fixture.keys

local same, equal, raises = expect.values, expect.tensors, expect.raises

local function parameter(...) return nn.Parameter(gru.randn(...)) end

-- The names of an iterator over name, value; joined.
local function names(...)
  local list = {}
  for name in ... do list[#list + 1] = name end
  return table.concat(list, " ")
end

describe("Module registers", function()
  local net
  before_each(function() net = nn.Module() end)

  it("what is assigned, in the order of assignment", function()
    net.zeta = parameter(1)
    net.alpha = parameter(2)
    net.layer = nn.Linear(2, 2)
    net.mid = parameter(3)
    assert.equal("zeta alpha mid layer.weight layer.bias", names(net:named_parameters()))
    assert.equal(5, #net:parameters())
    assert.is_true(net:parameters()[2] == net.alpha)
    assert.equal(1, #net:children())
    assert.is_true(net:children()[1] == net.layer)
  end)

  it("parameters as leaves that require grad, over the same storage", function()
    local x = gru.randn(2)
    local p = nn.Parameter(x)
    assert.is_true(p.requires_grad)
    assert.is_true(p.is_leaf)
    assert.is_false(x.requires_grad)
    assert.equal(x:data_ptr(), p:data_ptr())
    assert.is_false(nn.Parameter(x, false).requires_grad)
    net.p = nn.Parameter((parameter(2) * 2))
    assert.is_true(net.p.is_leaf)
    raises("Parameter: a tensor expected, got number", nn.Parameter, 3)
    raises("int64", nn.Parameter, gru.tensor {1, 2})
  end)

  it("no plain tensors, and no plain values", function()
    net.x, net.n, net.t, net.f = gru.randn(2), 3, {1}, function() return 1 end
    assert.equal(0, #net:parameters())
    assert.equal("", keys(net:state_dict()))
    assert.same({3, 1, 1}, {net.n, net.t[1], net.f()})
    assert.same({2}, net.x.shape)
  end)

  it("a replacement in the old place", function()
    for i, name in ipairs {"a", "b", "c"} do net[name] = parameter(i) end
    local new = parameter(5)
    net.b = new
    assert.equal("a b c", names(net:named_parameters()))
    assert.is_true(net:parameters()[2] == new)
    net.layer = nn.Linear(1, 1)
    net.last = nn.Linear(1, 1)
    net.layer = nn.Linear(1, 2, {bias = false})
    assert.equal("a b c layer.weight last.weight last.bias", names(net:named_parameters()))
  end)

  it("nothing for nil, which takes a name out", function()
    net.a = parameter(1)
    net.b = parameter(2)
    net.layer = nn.Linear(1, 1)
    net.a = nil
    net.layer = nil
    assert.equal("b", names(net:named_parameters()))
    assert.is_nil(net.a)
    assert.is_nil(net.layer)
    net.a = parameter(1)
    assert.equal("b a", names(net:named_parameters()))
    net.b = nil
    net.b = 4
    assert.equal(4, net.b)
    assert.equal("a", names(net:named_parameters()))
  end)

  it("a name that was a plain field before", function()
    net.weight = 0
    net.weight = parameter(2)
    net.layer = false
    net.layer = nn.Linear(1, 1)
    net.x = gru.zeros(2)
    net.x = parameter(2)
    assert.equal("weight x layer.weight layer.bias", names(net:named_parameters()))
    assert.same({2}, net.weight.shape)
  end)

  it("a parameter under the name of a module, and the other way round", function()
    net.a = nn.Linear(1, 1)
    net.b = parameter(2)
    net.a = parameter(1)
    net.b = nn.Linear(2, 2)
    assert.equal("a b.weight b.bias", names(net:named_parameters()))
    assert.equal(1, #net:children())
  end)

  it("nothing else under a registered name", function()
    net.weight = parameter(2)
    net.layer = nn.Linear(1, 1)
    net:register_buffer("mean", gru.zeros(1))
    raises("'weight' takes a Parameter or nil, got a plain tensor",
      function() net.weight = net.weight * 2 end)
    raises("'weight' takes a Parameter or nil, got a number", function() net.weight = 3 end)
    raises("'layer' takes a module or nil, got a boolean", function() net.layer = false end)
    raises("'mean' takes a tensor or nil, got a number", function() net.mean = 1 end)
    assert.equal("weight layer.weight layer.bias", names(net:named_parameters()))
  end)

  it("shared parameters and modules once", function()
    net.a = nn.Linear(2, 2)
    net.b = net.a
    net.c = nn.Linear(2, 2, {bias = false})
    net.c.weight = net.a.weight
    net.w = net.a.weight
    assert.equal("w a.bias", names(net:named_parameters()))
    assert.equal(2, #net:parameters())
    assert.equal(" a c", names(net:named_modules()))
    assert.equal(3, #net:modules())
  end)

  it("buffers, which are not trained", function()
    net:register_buffer("mean", gru.zeros(2))
    net:register_buffer("none", nil)
    net.layer = nn.Module()
    net.layer:register_buffer("count", gru.tensor(3))
    assert.equal("mean layer.count", names(net:named_buffers()))
    assert.equal(2, #net:buffers())
    assert.equal(0, #net:parameters())
    local new = gru.ones(2)
    net.mean = new
    assert.is_true(net:buffers()[1] == new)
    net.mean = nil
    assert.equal("layer.count", names(net:named_buffers()))
    raises("register_buffer: a tensor or nil expected, got number", net.register_buffer, net, "x", 3)
    raises("register_buffer: there is a field 'layer' already", net.register_buffer, net, "layer",
      gru.zeros(1))
  end)

  it("parameters under names made at run time", function()
    for i = 1, 3 do net:register_parameter("w" .. i, parameter(i)) end
    net:register_parameter("none", nil)
    assert.equal("w1 w2 w3", names(net:named_parameters()))
    raises("register_parameter: a Parameter or nil expected, got a plain tensor",
      net.register_parameter, net, "x", gru.zeros(2))
  end)
end)

describe("A module", function()
  it("has PyTorch's names in PyTorch's order", function()
    local net = Net()
    assert.equal(table.concat(golden.initial.parameters, " "), names(net:named_parameters()))
    table.sort(golden.initial.state)
    assert.equal(table.concat(golden.initial.state, " "), keys(net:state_dict()))
    assert.equal(" rnn inner inner.first inner.second dense", names(net:named_modules()))
    assert.equal("mean inner.count", names(net:named_buffers()))
  end)

  it("has PyTorch's initial weights after manual_seed(0, \"torch\")", function()
    gru.manual_seed(0, "torch")
    for i, p in ipairs(Net():parameters()) do
      local x = p:detach():double():reshape(-1)
      assert.near(golden.initial.sums[i], x:sum():item(), 1e-6)
      assert.near(golden.initial.last[i], x[-1]:item(), 1e-7)
    end
    gru.manual_seed(7, "torch")
    local layers = {nn.Linear(3, 2, {dtype = "float64"}), nn.GRU(1, 2, {dtype = "float64"})}
    local i = 0
    for _, layer in ipairs(layers) do
      for _, p in ipairs(layer:parameters()) do
        i = i + 1
        same(p, golden.initial_double[i], 1e-12)
      end
    end
    assert.equal(#golden.initial_double, i)
  end)

  it("calls forward with all arguments and gives all results", function()
    local Echo = nn.Module:extend("Echo")
    function Echo:forward(...) return self.training, select("#", ...), ... end
    assert.same({true, 3, 1, nil, 3}, {Echo()(1, nil, 3)})
  end)

  it("says when forward is missing", function()
    raises("Net: the class defines no forward", nn.Module:extend("Net")(), 3)
    raises("Module: the class defines no forward", nn.Module())
  end)

  it("inherits, and reaches the class above by super", function()
    local Base = nn.Module:extend("Base")
    function Base:init(n)
      self.n, self.layer = n, nn.Linear(n, n)
    end
    function Base:forward(x) return self.layer(x) + 1 end
    function Base:kind() return "base" .. self.n end
    local Derived = Base:extend("Derived")
    function Derived:init(n)
      Derived.super.init(self, n + 1)
      self.more = parameter(1)
    end
    function Derived:forward(x) return Derived.super.forward(self, x) * 2 end
    local Third = Derived:extend("Third")
    local net, base = Third(2), Base(3)
    assert.equal(3, net.n)
    assert.equal("base3", net:kind())
    assert.equal("more layer.weight layer.bias", names(net:named_parameters()))
    base.layer.weight, base.layer.bias = net.layer.weight, net.layer.bias
    local x = gru.randn(2, 3)
    equal(net(x), base(x) * 2)
    assert.equal("Third(\n  (layer): Linear(in_features=3, out_features=3, bias=true)\n)", tostring(net))
    assert.is_true(Base.super == nn.Module)
    local Plain = nn.Module:extend("Plain")
    function Plain:init() Plain.super.init(self) end
    assert.equal("Plain()", tostring(Plain()))
    assert.is_true(nn.is_module(net))
    assert.is_false(nn.is_module {})
    assert.is_false(nn.is_module(Third))
  end)

  it("has fields of its own", function()
    local a, b = Net(), Net()
    a.extra, a.name = 3, "encoder"
    assert.is_nil(b.extra)
    a.rnn = nil
    assert.truthy(b.rnn)
    assert.truthy(tostring(a):find "^Net%(")
    assert.equal("encoder", a.name)
  end)

  it("shows itself as PyTorch does", function()
    local net = nn.Module()
    net.rnn = nn.GRU(1027, 256)
    net.head = nn.Module:extend("Head")()
    net.head.dense = nn.Linear(256, 10, {bias = false})
    net.head.extra_repr = function() return "scale=2" end
    assert.equal([[
Module(
  (rnn): GRU(1027, 256)
  (head): Head(
    scale=2
    (dense): Linear(in_features=256, out_features=10, bias=false)
  )
)]], tostring(net))
    assert.equal("Module()", tostring(nn.Module()))
    assert.equal("Linear(in_features=3, out_features=2, bias=true)", tostring(nn.Linear(3, 2)))
    assert.equal("CrossEntropyLoss()", tostring(nn.CrossEntropyLoss()))
  end)

  it("switches between training and evaluation, all the way down", function()
    local net = Net()
    local function modes()
      local count = 0
      for _, m in ipairs(net:modules()) do count = count + (m.training and 1 or 0) end
      return count
    end
    assert.equal(6, modes())
    assert.is_true(net:eval() == net)
    assert.equal(0, modes())
    net.inner:train()
    assert.equal(3, modes())
    assert.is_true(net:train() == net)
    assert.equal(6, modes())
    net:train(false)
    assert.equal(0, modes())
  end)

  it("applies a function to the children first, to itself last", function()
    local net, seen = Net(), {}
    local result = net:apply(function(m) seen[#seen + 1] = tostring(m):match "^%a+" end)
    assert.is_true(result == net)
    assert.equal("GRU", seen[1])
    assert.equal("Linear Linear Module", table.concat(seen, " ", 2, 4))
    assert.equal("Net", seen[#seen])
  end)

  it("drops its gradients with zero_grad", function()
    local net = Net()
    net(gru.randn(3, 2, 2)):sum():backward()
    for name, p in net:named_parameters() do assert.truthy(p.grad, name) end
    net:zero_grad()
    for name, p in net:named_parameters() do assert.is_nil(p.grad, name) end
  end)

  it("switches gradients with requires_grad_", function()
    local net = Net()
    assert.is_true(net:requires_grad_(false) == net)
    for _, p in ipairs(net:parameters()) do assert.is_false(p.requires_grad) end
    assert.is_false(net(gru.randn(3, 2, 2)).requires_grad)
    net.dense:requires_grad_()
    net(gru.randn(3, 2, 2)):sum():backward()
    assert.truthy(net.dense.weight.grad)
    assert.is_nil(net.shared.grad)
  end)
end)

describe("Linear", function()
  it("has PyTorch's initial weights, the weight drawn first", function()
    gru.manual_seed(0, "torch")
    local layer = nn.Linear(2, 1)
    same(layer.weight, nd.new({1, 2}, {-.0053, .3793}), 5.1e-5)
    same(layer.bias, nd.new({1}, {-.5820}), 5.1e-5)
  end)

  it("stays within 1 / sqrt(in_features)", function()
    gru.manual_seed(2)
    local layer = nn.Linear(16, 100)
    for _, p in ipairs(layer:parameters()) do
      local x = p:detach()
      assert.is_true(x:max():item() <= 0.25)
      assert.is_true(x:min():item() >= -0.25)
      assert.is_true(x:max():item() > 0.2)
      assert.is_true(x:min():item() < -0.2)
    end
  end)

  it("computes x W^T + b over the last dim", function()
    local layer = nn.Linear(2, 3, {dtype = "float64"})
    layer:load_state_dict {
      weight = gru.tensor {{1, 2}, {3, 4}, {5, 6}}, bias = gru.tensor {0.5, -0.5, 10},
    }
    local x = gru.tensor({{{1, -1}}, {{2, 0}}}, {dtype = "float64"}):requires_grad_()
    local y = layer(x)
    same(y, nd.new({2, 1, 3}, {-0.5, -1.5, 9, 2.5, 5.5, 20}), 0)
    same(layer(x[1][1]), nd.new({3}, {-0.5, -1.5, 9}), 0)
    y:sum():backward()
    same(x.grad, nd.new({2, 1, 2}, {9, 12, 9, 12}), 0)
    same(layer.weight.grad, nd.new({3, 2}, {3, -1, 3, -1, 3, -1}), 0)
    same(layer.bias.grad, nd.new({3}, {2, 2, 2}), 0)
  end)

  it("has no bias with bias = false", function()
    local layer = nn.Linear{in_features = 4, out_features = 2, bias = false}
    assert.equal("weight", names(layer:named_parameters()))
    assert.is_nil(layer.bias)
    assert.equal(0, layer(gru.zeros(3, 4)):detach():abs():max():item())
  end)

  it("raises for bad sizes", function()
    raises("Linear: in_features must be a positive integer, got 0", nn.Linear, 0, 1)
    raises("Linear: out_features must be a positive integer, got nil", nn.Linear, 4)
    raises("Linear: out_features must be a positive integer, got 2.5", nn.Linear, 4, 2.5)
    raises("Linear: options must be a table", nn.Linear, 4, 2, 5)
  end)
end)

describe("nn.init", function()
  it("fills in place, outside of the graph", function()
    local p = nn.Parameter(gru.zeros(50, 40))
    gru.manual_seed(3)
    assert.is_true(nn.init.uniform_(p, 2, 3) == p)
    local x = p:detach()
    assert.is_true(x:min():item() >= 2 and x:max():item() <= 3)
    assert.is_true(x:max():item() - x:min():item() > 0.98)
    nn.init.normal_(p, 5, 0.5)
    assert.near(5, x:mean():item(), 0.05)
    assert.near(0.5, x:std():item(), 0.05)
    nn.init.constant_(p, 7)
    assert.equal(7, x:min():item())
    nn.init.zeros_(p)
    assert.equal(0, x:abs():max():item())
    nn.init.ones_(p)
    assert.same({1, 1}, {x:min():item(), x:max():item()})
    assert.is_true(p.is_leaf)
    assert.is_true(p.requires_grad)
    assert.is_true(gru.is_grad_enabled())
  end)
end)
