-- gru.scope: tensors released ahead of the collector.
local gru = require "gru"
local describe = require("tests.support.devices").describe

local function live()
  collectgarbage()
  collectgarbage()
  return gru.memory().live
end

describe("gru.scope", function()
  it("releases what was made and is not returned", function()
    local before, inside, kept = live(), nil, nil
    local result = gru.scope(function()
      inside = gru.ones(1000)
      kept = {gru.zeros(10), deep = {gru.zeros(20)}}
      return inside:sum(), kept
    end)
    assert.equal(1000, result:item())
    assert.equal(10, kept[1]:numel())
    assert.equal(20, kept.deep[1]:numel())
    assert.error_matches(function() return inside + 1 end, "released by gru.scope")
    assert.equal(before + 4 + 40 + 80, gru.memory().live)
  end)

  it("leaves alone what was there before", function()
    local x = gru.ones(3)
    gru.scope(function() x:add_(1) end)
    assert.same({2, 2, 2}, x:totable())
  end)

  it("nests: an outer scope releases what an inner one returned", function()
    local escaped
    gru.scope(function()
      escaped = gru.scope(function() return gru.ones(2) end)
      assert.equal(2, escaped:numel())
    end)
    assert.error_matches(function() return escaped:sum() end, "released")
  end)

  it("keeps gradients, parameters and optimiser state", function()
    local model, optimizer
    gru.scope(function()
      model = gru.nn.Linear(2, 1)
      optimizer = gru.optim.Adam(model:parameters(), {lr = 0.1})
      model(gru.ones(3, 2)):sum():backward()
      optimizer:step()
    end)
    model(gru.ones(3, 2)):sum():backward()
    optimizer:step()
    assert.equal(2, model.weight.grad:numel())
  end)

  it("closes on an error, which passes unchanged", function()
    local thrown, made = {}, nil
    local ok, err = pcall(gru.scope, function()
      made = gru.ones(2)
      error(thrown)
    end)
    assert.is_false(ok)
    assert.equal(thrown, err)
    assert.error_matches(function() return made:sum() end, "released")
    assert.equal(2, gru.ones(2):sum():item()) -- no scope is open any more
  end)

  it("wants a function", function()
    assert.error_matches(function() gru.scope(5) end, "scope: a function expected, got number")
  end)
end)
