-- nn.Module: state_dict, load_state_dict, to.
local gru = require "gru"
local expect = require "tests.support.expect"
local fixture = require "tests.support.net"
local describe = require("tests.support.devices").describe

local nn, optim = gru.nn, gru.optim
local Net, keys = fixture.Net, fixture.keys

local equal, raises = expect.tensors, expect.raises

describe("state_dict", function()
  it("shares memory, without history", function()
    local net = nn.Linear(2, 3)
    local state = net:state_dict()
    assert.equal("bias weight", keys(state))
    assert.is_false(state.weight.requires_grad)
    assert.equal(net.weight:data_ptr(), state.weight:data_ptr())
  end)

  it("goes to another module", function()
    gru.manual_seed(1)
    local a, b = Net(), Net()
    a.mean:fill_(3)
    local weight = b.dense.weight
    local x = gru.randn(3, 2, 2)
    assert.is_false(a(x):equal(b(x)))
    b:load_state_dict(a:state_dict())
    assert.is_true(b.dense.weight == weight)
    assert.is_true(weight.requires_grad)
    equal(a(x), b(x))
    equal(a.mean, b.mean)
    assert.not_equal(a.dense.weight:data_ptr(), b.dense.weight:data_ptr())
    assert.is_true(gru.is_grad_enabled())
  end)

  it("converts to the dtype of the module", function()
    local a, b = nn.Linear(2, 3, {dtype = "float64"}), nn.Linear(2, 3)
    b:load_state_dict(a:state_dict())
    assert.equal("float32", b.weight.dtype)
    equal(b.weight:detach(), a.weight:detach():float())
  end)

  local function broken()
    local net = Net()
    local state = Net():state_dict()
    state["dense.bias"], state["rnn.weight_hh_l0"] = nil, nil
    state["dense.scale"], state.stray = gru.ones(1), gru.ones(2)
    state["tied.weight"] = gru.ones(4, 3)
    state.mean = gru.ones(3)
    return net, state
  end

  -- All elements of the module, to see that nothing changed.
  local function snapshot(net)
    local copy = {}
    for name, x in pairs(net:state_dict()) do copy[name] = x:clone() end
    return copy
  end

  local function check_unchanged(net, before)
    for name, x in pairs(net:state_dict()) do equal(x, before[name]) end
  end

  it("reports all that does not fit at once, and changes nothing", function()
    local net, state = broken()
    local before = snapshot(net)
    local message = raises("Net: load_state_dict", net.load_state_dict, net, state)
    for _, part in ipairs {
      "missing: dense.bias", "missing: rnn.weight_hh_l0", "unexpected: dense.scale",
      "unexpected: stray", "shape of tied.weight: [4, 2] here, [4, 3] in the state",
      "shape of mean: [2] here, [3] in the state",
    } do
      assert.truthy(message:find(part, 1, true), message)
    end
    local _, lines = message:gsub("\n", "")
    assert.equal(6, lines)
    check_unchanged(net, before)
  end)

  it("lets missing and unexpected entries pass with strict = false, but no other shapes", function()
    local net, state = broken()
    local before = snapshot(net)
    local message = raises("shape of mean", net.load_state_dict, net, state, {strict = false})
    assert.truthy(message:find("shape of tied.weight", 1, true))
    assert.is_nil(message:find("missing", 1, true))
    assert.is_nil(message:find("unexpected", 1, true))
    check_unchanged(net, before)
    state["tied.weight"], state.mean = nil, nil
    net:load_state_dict(state, {strict = false})
    equal(net.inner.second.weight:detach(), state["inner.second.weight"])
    equal(net.rnn.weight_hh_l0:detach(), before["rnn.weight_hh_l0"])
  end)

  it("takes nothing but tables of tensors", function()
    local net = nn.Linear(2, 3)
    raises("load_state_dict: a table of tensors expected, got nil", net.load_state_dict, net)
    local before = snapshot(net)
    raises("not a tensor: weight is a string", net.load_state_dict, net,
      {weight = "1 2 3", bias = gru.zeros(3)})
    check_unchanged(net, before)
  end)
end)

describe("to", function()
  it("converts in place: parameters stay the same objects", function()
    local net = Net()
    local before, values = net:parameters(), {}
    for i, p in ipairs(before) do values[i] = p:detach():double() end
    net:register_buffer("ids", gru.tensor {1, 2})
    assert.is_true(net:to("float64") == net)
    for i, p in ipairs(net:parameters()) do
      assert.is_true(p == before[i])
      assert.equal("float64", p.dtype)
      assert.is_true(p.requires_grad)
      assert.is_true(p.is_leaf)
      equal(p:detach(), values[i])
    end
    assert.equal("float64", net.mean.dtype)
    assert.equal("int64", net.ids.dtype)
    assert.equal("float64", net(gru.randn(3, 2, 2, {dtype = "float64"})).dtype)
    net:float()
    assert.equal("float32", before[1].dtype)
    net:double()
    assert.equal("float64", before[1].dtype)
    assert.is_true(net:cpu() == net)
    assert.equal("cpu", before[1].device)
  end)

  for _, name in ipairs {"SGD", "Adam"} do
    it("leaves an optimiser of before working: " .. name, function()
      local net = nn.Linear(2, 1)
      local options = name == "SGD" and {lr = 0.1, momentum = 0.9} or {lr = 0.1}
      local optimizer = optim[name](net:parameters(), options)
      local function step()
        local x = gru.ones(3, 2):to(net.weight.dtype)
        optimizer:zero_grad()
        local loss = (net(x) - 5):square():mean()
        loss:backward()
        optimizer:step()
        return loss:item()
      end
      step()
      net:to("float64")
      local first, last = step(), nil
      assert.equal("float64", net.weight.grad.dtype)
      for _, value in pairs(optimizer:state_dict().state[1]) do
        assert.is_true(not gru.is_tensor(value) or value.dtype == "float64")
      end
      for _ = 1, 60 do last = step() end
      assert.is_true(last < first / 10, ("%g -> %g"):format(first, last))
    end)
  end

  it("takes a device or a float dtype", function()
    local net = nn.Linear(2, 3)
    raises("to: .*int64", net.to, net, "int64")
    raises("to: .*nil", net.to, net)
    raises("to: .*nowhere", net.to, net, "nowhere")
    assert.equal("float32", net.weight.dtype)
  end)
end)
