-- CUDA graphs: what cannot be captured, and errors on the way.
local gru = require "gru"
local core = require "gru.core"
local devices = require "tests.support.devices"
local graphs = require "tests.support.graphs"

local optim = gru.optim
local bits, raises, warnings = graphs.bits, graphs.raises, graphs.warnings

describe("A step in a CUDA graph", function() devices.on_cuda(function(device)
  describe("that cannot be captured stays as it is, and says so once:", function()
    local function refused(name, pattern, step, calls)
      it(name, function()
        local n, f = 0, nil
        local told = warnings(function()
          f = gru.cuda.graph(function(...)
            n = n + 1
            return step(...)
          end)
          for _ = 1, calls or 5 do f(gru.ones({4})) end
        end)
        assert.equal(1, #told)
        assert.truthy(told[1]:find(pattern), told[1])
        assert.truthy(f:info().eager:find(pattern))
        assert.equal(calls or 5, n) -- nothing ran twice
        assert.is_false(core.graph_capturing())
      end)
    end
    refused("item", "graph: item%(%) needs the host; keep a device sum and read it after the call",
      function(x) return x:sum():item() end)
    refused("totable", "graph: reading a tensor needs the host", function(x) return x:totable() end)
    refused("printing", "needs the host", function(x) return tostring(x) end)
    refused("data", "needs the host", function(x) return x:data() end)
    refused("moving to the CPU", "graph: moving a tensor to cpu", function(x) return x:to("cpu") end)
    refused("copies from the CPU", "graph: .*cpu, where it would not be done again",
      function(x) return x + gru.ones({4}, {device = "cpu"}):to(device) end)
    refused("synchronize", "graph: synchronize waits for the device", function(x)
      gru.cuda.synchronize(device)
      return x
    end)
    refused("a permutation", "graph: randperm draws on the host", function(x)
      gru.randperm(4)
      return x
    end)
    refused("an optimiser of one's own", "graph: Own does not say which of its numbers change", (function()
      local p = gru.ones({4}, {device = device}):requires_grad_()
      local Own = optim.Optimizer.extend("Own", {lr = 0.1})
      function Own.check() end
      function Own.update(_, x, g, _, group) x:sub_(g * group.lr) end
      local optimizer = Own({p})
      return function(x)
        (p * x):sum():backward()
        optimizer:step()
      end
    end)())
  end)

  it("raises what it raises, and the device goes on", function()
    local bad = false
    local p = gru.ones({4}):requires_grad_()
    local optimizer = optim.Adam({p}, {lr = 0.1})
    local step = gru.cuda.graph(function(x)
      optimizer:zero_grad();
      (p * x):sum():backward()
      optimizer:step()
      if bad then error("that was wrong") end
      return x * 2
    end)
    step(gru.ones({4}))
    bad = true
    local before, grad, state = p:detach():clone(), p.grad, gru.get_rng_state()
    local running = collectgarbage("isrunning")
    raises("that was wrong", step, gru.ones({4}))
    assert.is_false(core.graph_capturing())
    assert.equal(running, collectgarbage("isrunning"))
    assert.is_true(gru.is_grad_enabled())
    assert.equal(2, optimizer.state[p].step) -- the step as always has run, up to the error
    assert.equal(bits(state), bits(gru.get_rng_state()))
    assert.are_not.equal(bits(before), bits(p))
    assert.are_not.equal(grad, p.grad)
    bad = false
    assert.equal(2, step(gru.ones({4}))[1]:item())
    assert.equal(2, step(gru.ones({4}))[1]:item())
    assert.equal(4, optimizer.state[p].step)
    assert.is_nil(step:info().eager)
    assert.equal(1, step:info().graphs)
  end)

  it("refuses tensors of a capture that failed", function()
    local kept, fail = nil, false
    local step = gru.cuda.graph(function(x)
      local before = kept
      kept = x * 2
      if fail then
        fail = false
        error("no")
      end
      return before and before + x or x
    end)
    step(gru.ones({4}))
    fail = true
    raises("never computed", step, gru.ones({4}))
  end)

  it("tells what is wrong with its arguments", function()
    raises("graph: a function expected, got number", gru.cuda.graph, 1)
    raises("argument 2 requires grad", gru.cuda.graph(function() end), gru.ones({2}),
      gru.ones({2}):requires_grad_())
    local told = warnings(function()
      local f = gru.cuda.graph(function(x, y) return x + y:to(device) end)
      for _ = 1, 3 do assert.equal(2, f(gru.ones({2}), gru.ones({2}, {device = "cpu"}))[1]:item()) end
    end)
    assert.equal(1, #told)
    assert.truthy(told[1]:find "tensor argument 2 is on cpu")
  end)

  it("makes no graphs without end", function()
    local told = warnings(function()
      local f = gru.cuda.graph(function(x, n) return x * n end)
      for n = 1, 40 do
        for _ = 1, 3 do assert.equal(n, f(gru.ones({2}), n)[1]:item()) end
      end
      assert.equal(32, f:info().graphs)
    end)
    assert.equal(1, #told)
  end)
end) end)
