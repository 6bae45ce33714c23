-- CUDA graphs: what goes in and comes out is what the step alone would be given, and give.
local gru = require "gru"
local devices = require "tests.support.devices"
local graphs = require "tests.support.graphs"

local nn, optim = gru.nn, gru.optim
local raises, same, warnings = graphs.raises, graphs.same, graphs.warnings

describe("A step in a CUDA graph", function() devices.on_cuda(function(device)
  it("tells a tensor that is given twice from two", function()
    same(function(wrap)
      local step = wrap(function(a, b, t) return a - b * t.x end)
      local x, y, out = gru.randn({3}), gru.randn({3}), {}
      for _ = 1, 3 do
        out[#out + 1] = step(x, x, {x = y}):clone()
        out[#out + 1] = step(x, y, {x = y}):clone()
        out[#out + 1] = step(y, x, {x = x}):clone()
        out[#out + 1] = step(x, y, {x = gru.randn({3})}):clone()
      end
      return out
    end)
  end)

  it("may hand an argument on, changed or as a view, and take it back in another place", function()
    same(function(wrap)
      local step = wrap(function(h, before, older)
        return h * 2 + before - older[{1}], h, before:reshape(2, 2)
      end)
      local h, b, c, out = gru.randn({4}), gru.randn({4}), gru.randn({4}), {}
      for _ = 1, 5 do
        h, b, c = step(h, b, c:reshape(4))
        out[#out + 1] = h:clone()
        out[#out + 1] = b:clone()
        out[#out + 1] = c:clone()
      end
      return out
    end)
  end)

  it("is no graph where it changes an argument in place", function()
    local f, x
    local told = warnings(function()
      f, x = gru.cuda.graph(function(a) a:add_(1) return a * 1 end), gru.zeros({2})
      for n = 1, 5 do assert.equal(n, f(x)[2]:item()) end
    end)
    assert.equal(5, x[1]:item())
    assert.equal(1, #told)
    assert.truthy(told[1]:find "tensor argument 1 is changed in place; change a clone, and return it")
  end)

  it("lives longer than a scope around its calls", function()
    local p = gru.randn({3}):requires_grad_()
    local optimizer = optim.RMSprop({p}, {lr = 0.1})
    local f = gru.cuda.graph(function(x)
      optimizer:zero_grad()
      local loss = (p * x):sum()
      loss:backward()
      optimizer:step()
      return loss, {x * 2}
    end)
    for n = 1, 5 do
      local doubled = gru.scope(function()
        local _, t = f(gru.full({3}, n * 1.0))
        return t[1]:sum():item()
      end)
      assert.equal(6 * n, doubled)
    end
    assert.equal(1, f:info().graphs)
  end)

  it("is captured again when a parameter is frozen, or thawed", function()
    same(function(wrap)
      local w, b = gru.randn({3}):requires_grad_(), gru.randn({3}):requires_grad_()
      local optimizer = optim.SGD({w, b}, {lr = 0.1})
      local step = wrap(function(x)
        optimizer:zero_grad()
        local loss = ((w * x + b) ^ 2):sum()
        loss:backward()
        optimizer:step()
        return loss
      end)
      local out = {}
      for n = 1, 12 do
        if n == 4 or n == 8 then b.grad = nil b:requires_grad_(n == 8) end
        out[#out + 1] = step(gru.randn({3})):clone()
        out[#out + 1] = b:clone()
      end
      return out
    end, function(info) assert.truthy(info.captured >= 2) end)
  end)

  it("may freeze parameters for a while, within it or around its calls", function()
    for _, where in ipairs {"within", "around"} do
      same(function(wrap)
        local u, v = gru.randn({3}):requires_grad_(), gru.randn({3}):requires_grad_()
        local of_u, of_v = optim.SGD({u}, {lr = 0.1}), optim.SGD({v}, {lr = 0.1})
        local function frozen(p, f)
          return function(x)
            if where == "within" then p:requires_grad_(false) end
            local loss = f(x)
            if where == "within" then p:requires_grad_(true) end
            return loss
          end
        end
        local function trains(optimizer)
          return function(x)
            optimizer:zero_grad()
            local loss = ((u * x + v) ^ 2):sum()
            loss:backward()
            optimizer:step()
            return loss
          end
        end
        local first, second = wrap(frozen(v, trains(of_u))), wrap(frozen(u, trains(of_v)))
        local out = {}
        for _ = 1, 8 do
          local x = gru.randn({3})
          if where == "around" then v:requires_grad_(false) end
          out[#out + 1] = first(x):clone()
          v:requires_grad_(true)
          if where == "around" then u:requires_grad_(false) end
          out[#out + 1] = second(x):clone()
          u:requires_grad_(true)
          out[#out + 1] = u:clone()
          out[#out + 1] = v:clone()
        end
        return out
      end, function(info) assert.truthy(info.captured <= 2, info.captured .. " captures") end)
    end
  end)

  it("is captured again when the optimiser gets a group", function()
    same(function(wrap)
      local w, b = gru.randn({3}):requires_grad_(), gru.randn({3}):requires_grad_()
      local optimizer = optim.Adam({w}, {lr = 0.1})
      local step = wrap(function(x)
        w.grad, b.grad = nil, nil
        local loss = ((w * x + b) ^ 2):sum()
        loss:backward()
        optimizer:step()
        return loss
      end)
      local out = {}
      for n = 1, 9 do
        if n == 5 then optimizer:add_param_group {params = {b}, lr = 0.5} end
        out[#out + 1] = step(gru.randn({3})):clone()
        out[#out + 1] = b:clone()
      end
      return out
    end)
  end)

  it("is not asked for where there is nothing on a GPU, or a table without end", function()
    local x = gru.ones({2}, {device = "cpu", requires_grad = true})
    local f = gru.cuda.graph(function(y) return y * 2 end)
    gru.set_default_device "cpu"
    assert.equal(2, f(x)[1]:item())
    gru.set_default_device(device)
    raises("tensor argument 1 requires grad", f, gru.ones({2}):requires_grad_())
    local t = {}
    t[1] = {t}
    raises("graph: a table among the arguments holds itself", f, gru.ones({2}), t)
  end)

  it("Trainer: parameters that are frozen between epochs stay as they are, in a scope, too", function()
    local model = nn.Linear(4, 2):to(device)
    local x, y = gru.randn({8, 4}), gru.randint(1, 3, {8})
    local trainer = gru.train.Trainer {
      model = model, optimizer = optim.SGD(model:parameters(), {lr = 1}), loss = nn.CrossEntropyLoss(),
      progress = false,
      data = function()
        local i = 0
        return function()
          i = i + 1
          if i <= 3 then return x, y end
        end
      end,
      on_epoch = function(self)
        if self.epoch == 2 then
          model.bias.grad = nil
          model.bias:requires_grad_(false)
        end
      end,
    }
    gru.scope(function() trainer:fit(2) end)
    local bias, weight = model.bias:cpu():clone(), model.weight:cpu():clone()
    gru.scope(function() trainer:fit(5) end)
    assert.is_true(model.bias:cpu():equal(bias))
    assert.is_false(model.weight:cpu():equal(weight))
  end)

  it("gradients from elsewhere are refused where they come in", function()
    local z = gru.ones({2}):requires_grad_()
    local other = gru.ones({2}, {device = "cpu"})
    raises("backward: the gradient is on cpu, the output on cuda:0; move it with :to%(\"cuda:0\"%)",
      function() (z * 2):backward(other) end)
    local w = z * 2
    w:register_hook(function() return other end)
    raises("hook: it returned a tensor on cpu in place of one on cuda:0", function() w:sum():backward() end)
    local Elsewhere = gru.autograd.Function:extend("Elsewhere")
    function Elsewhere.forward(_, v) return v * 1 end
    function Elsewhere.backward() return other end
    raises("Function: backward gave a tensor on cpu for input 1, which is on cuda:0",
      function() Elsewhere.apply(z):sum():backward() end)
  end)
end) end)
