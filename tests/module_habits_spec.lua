-- nn.Module: what PyTorch scripts ask of states, buffers and moves.
local gru = require "gru"
local describe = require("tests.support.devices").describe

local nn = gru.nn

describe("modules", function()
  it("keep a buffer out of the state that is not persistent", function()
    local net = nn.Linear(2, 2)
    net:register_buffer("mask", gru.ones(2), {persistent = false})
    net:register_buffer("mean", gru.zeros(2))
    local names = {}
    for name in pairs(net:state_dict()) do names[#names + 1] = name end
    table.sort(names)
    assert.same({"bias", "mean", "weight"}, names)
    assert.equal(2, #net:buffers())
    assert.equal("float64", net:double().mask.dtype)
    net:load_state_dict(nn.Linear(2, 2):state_dict(), {strict = false})
    net:register_buffer("mask", gru.ones(2)) -- from now on it is
    assert.is_true(gru.is_tensor(net:state_dict().mask))
  end)

  it("tell what load_state_dict let pass", function()
    local net = nn.Linear(2, 2)
    local same, keys = net:load_state_dict({weight = gru.ones(2, 2), x = gru.ones(1), a = gru.ones(1)},
      {strict = false})
    assert.equal(net, same)
    assert.same({missing_keys = {"bias"}, unexpected_keys = {"a", "x"}}, keys)
    keys = select(2, net:load_state_dict(net:state_dict()))
    assert.same({missing_keys = {}, unexpected_keys = {}}, keys)
  end)

  it("go to a device and a dtype at once", function()
    local net = nn.Linear(2, 2)
    net:register_buffer("ids", gru.tensor {1, 2})
    local weight = net.weight
    assert.equal(net, net:to("cpu", "float64"))
    assert.equal(weight, net.weight)
    assert.equal("float64", net.weight.dtype)
    assert.equal("int64", net.ids.dtype)
    assert.equal("int64", gru.ones(2):to("cpu", "int64").dtype)
  end)

  it("name their children", function()
    local net, names = nn.Sequential {{"a", nn.Linear(2, 3)}, {"b", nn.Sequential(nn.Tanh())}}, {}
    for name, child in net:named_children() do
      names[#names + 1] = name
      assert.equal(net[#names], child)
    end
    assert.same({"a", "b"}, names)
  end)
end)
