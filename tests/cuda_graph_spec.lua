-- CUDA graphs: a graphed step does what the step does, bit for bit, whatever happens in between.
local gru = require "gru"
local devices = require "tests.support.devices"
local graphs = require "tests.support.graphs"

local nn, optim = gru.nn, gru.optim
local raises, same = graphs.raises, graphs.same

describe("A step in a CUDA graph", function() devices.on_cuda(function(device)
  -- A network of two products, and data for it.
  local function network(make, options)
    local w = gru.randn({6, 8}):mul_(0.3):requires_grad_()
    local v = gru.randn({8, 3}):mul_(0.3):requires_grad_()
    return {w, v}, optim[make]({{params = {w}}, {params = {v}, lr = 0.3}}, options)
  end

  local function loss_of(params, x, y)
    local d = x:matmul(params[1]):tanh():matmul(params[2]) - y
    return (d * d):mean()
  end

  for _, case in ipairs {
    {"SGD", {lr = 0.1}}, {"SGD", {lr = 0.1, momentum = 0.9, nesterov = true}}, {"Adam", {lr = 0.1}},
    {"Adam", {lr = 0.1, amsgrad = true, weight_decay = 0.01}}, {"AdamW", {lr = 0.1}},
    {"RMSprop", {lr = 0.01, weight_decay = 0.1}}, {"RMSprop", {lr = 0.01, centered = true, momentum = 0.5}},
    {"Adagrad", {lr = 0.1, lr_decay = 0.01}}, {"Adadelta", {lr = 1, rho = 0.8, maximize = true}},
  } do
    it(("trains as it does alone: %s, clipped, with a schedule"):format(case[1]), function()
      same(function(wrap)
        local params, optimizer = network(case[1], case[2])
        local scheduler = optim.lr_scheduler.StepLR(optimizer, {step_size = 3, gamma = 0.5})
        local step = wrap(function(x, y)
          optimizer:zero_grad()
          local loss = loss_of(params, x, y)
          loss:backward()
          nn.utils.clip_grad_norm_(params, 0.5)
          optimizer:step()
          return loss
        end)
        local out = {}
        for _ = 1, 12 do
          out[#out + 1] = step(gru.randn({4, 6}), gru.randn({4, 3})):clone()
          for _, p in ipairs(params) do out[#out + 1] = p.grad:clone() end
          scheduler:step()
        end
        for i, state in ipairs(optimizer:state_dict().state) do
          out[#out + 1] = params[i]
          out[#out + 1] = state.step or 0
          for _, key in ipairs {
            "momentum_buffer", "exp_avg", "exp_avg_sq", "max_exp_avg_sq", "square_avg", "grad_avg", "sum",
            "acc_delta",
          } do
            if state[key] then out[#out + 1] = state[key] end
          end
        end
        return out
      end, function(info) assert.equal(1, info.captured) end)
    end)
  end

  it("makes several steps of an optimiser, whose rates differ", function()
    same(function(wrap)
      local params, optimizer = network("Adagrad", {lr = 0.1, lr_decay = 0.7})
      local step = wrap(function(x, y)
        local loss
        for _ = 1, 2 do
          optimizer:zero_grad()
          loss = loss_of(params, x, y)
          loss:backward()
          optimizer:step()
        end
        return loss
      end)
      local out = {}
      for i = 1, 5 do out[i] = step(gru.randn({4, 6}), gru.randn({4, 3})):clone() end
      return {params[1], params[2], optimizer.state[params[1]].step, table.unpack(out)}
    end)
  end)

  for _, case in ipairs {
    {"RMSprop", "alpha", 0.5}, {"RMSprop", "momentum", 0.4}, {"Adagrad", "lr_decay", 0.5},
    {"Adadelta", "eps", 0.1}, {"SGD", "momentum", 0.7}, {"Adam", "eps", 0.1}, {"AdamW", "weight_decay", 0.5},
  } do
    it(("takes up an option that changes: %s of %s"):format(case[2], case[1]), function()
      same(function(wrap)
        local params, optimizer = network(case[1], {lr = 0.1, [case[2]] = 0.3})
        local step = wrap(function(x, y)
          optimizer:zero_grad()
          local loss = loss_of(params, x, y)
          loss:backward()
          optimizer:step()
          return loss
        end)
        local out = {}
        for i = 1, 9 do
          if i == 5 then optimizer.param_groups[1][case[2]] = case[3] end
          out[i] = step(gru.randn({4, 6}), gru.randn({4, 3})):clone()
        end
        return {params[1], params[2], table.unpack(out)}
      end)
    end)
  end

  it("has a graph for each shape, and steps of the optimiser go on through all of them", function()
    same(function(wrap)
      local params, optimizer = network("Adam", {lr = 0.1})
      local step = wrap(function(x, y)
        optimizer:zero_grad()
        local loss = loss_of(params, x, y)
        loss:backward()
        optimizer:step()
        return loss
      end)
      local out = {}
      for i = 1, 16 do
        local n = ({4, 4, 7, 2})[i % 4 + 1]
        out[#out + 1] = step(gru.randn({n, 6}), gru.randn({n, 3})):clone()
        if i == 9 then -- without the graph
          optimizer:zero_grad()
          loss_of(params, gru.randn({5, 6}), gru.randn({5, 3})):backward()
          optimizer:step()
        end
      end
      return {params[1], params[2], optimizer.state[params[1]].step, table.unpack(out)}
    end, function(info) assert.equal(3, info.graphs) end)
  end)

  it("draws on from the generator", function()
    same(function(wrap)
      local step = wrap(function(x) return x + gru.rand({3, 5}), gru.randn({7}) end)
      local out = {}
      for i = 1, 8 do
        local a, b = step(gru.zeros({3, 5}))
        out[#out + 1], out[#out + 2] = a:clone(), b:clone()
        if i % 3 == 0 then out[#out + 1] = gru.rand({2}) end
        if i == 6 then gru.manual_seed(5) end
      end
      out[#out + 1] = gru.get_rng_state()
      return out
    end)
  end)

  it("takes tables, and its own results; other arguments tell graphs apart", function()
    same(function(wrap)
      local step = wrap(function(state, x, factor, flags)
        local h = state.h * factor + x
        if flags and flags.twice then h = h * 2 end
        return {h = h, c = {state.c[1] - x}}, 5, nil, "text"
      end)
      local state, out = {h = gru.zeros({3}), c = {gru.ones({3})}}, {}
      for i = 1, 12 do
        local five, none, text
        state, five, none, text = step(state, gru.randn({3}), i % 2 == 0 and 0.5 or 2, {twice = i % 3 == 0})
        assert.same({5, nil, "text"}, {five, none, text})
        out[#out + 1], out[#out + 2] = state.h:clone(), state.c[1]:clone()
      end
      return out
    end, function(info) assert.equal(4, info.graphs) end)
  end)

  describe("and gradients:", function()
    local function variants(name, around)
      it(name, function()
        same(function(wrap)
          local params, optimizer = network("SGD", {lr = 0.1})
          local out = {}
          around(wrap, params, optimizer, out)
          for _, p in ipairs(params) do
            out[#out + 1] = p
            out[#out + 1] = p.grad or "none"
          end
          return out
        end)
      end)
    end

    variants("zero_grad around the call", function(wrap, params, optimizer)
      local step = wrap(function(x, y)
        loss_of(params, x, y):backward()
        optimizer:step()
      end)
      for _ = 1, 6 do
        optimizer:zero_grad()
        step(gru.randn({4, 6}), gru.randn({4, 3}))
      end
    end)

    variants("zero_grad at the end", function(wrap, params, optimizer)
      local step = wrap(function(x, y)
        loss_of(params, x, y):backward()
        optimizer:step()
        optimizer:zero_grad()
      end)
      for _ = 1, 6 do step(gru.randn({4, 6}), gru.randn({4, 3})) end
    end)

    variants("zeros in place of none", function(wrap, params, optimizer)
      local step = wrap(function(x, y)
        optimizer:zero_grad {set_to_none = false}
        loss_of(params, x, y):backward()
        optimizer:step()
      end)
      for _ = 1, 8 do step(gru.randn({4, 6}), gru.randn({4, 3})) end
    end)

    variants("added up over calls, the optimiser outside", function(wrap, params, optimizer, out)
      local step = wrap(function(x, y) loss_of(params, x, y):backward() end)
      for i = 1, 12 do
        step(gru.randn({4, 6}), gru.randn({4, 3}))
        out[#out + 1] = params[1].grad:clone()
        if i % 4 == 0 then
          optimizer:step()
          optimizer:zero_grad()
        end
      end
    end)

    variants("made outside, used inside", function(wrap, params, optimizer)
      local step = wrap(function() optimizer:step() end)
      for _ = 1, 6 do
        optimizer:zero_grad()
        loss_of(params, gru.randn({4, 6}), gru.randn({4, 3})):backward()
        step()
      end
    end)
  end)

  it("is captured again when parameters, seeds or states of optimisers are others", function()
    same(function(wrap)
      local params, optimizer = network("Adam", {lr = 0.1})
      local step = wrap(function(x, y)
        optimizer:zero_grad()
        local loss = loss_of(params, x, y)
        loss:backward()
        optimizer:step()
        return loss
      end)
      local out, saved = {}, nil
      for i = 1, 14 do
        out[#out + 1] = step(gru.randn({4, 6}), gru.randn({4, 3})):clone()
        if i == 4 then saved = gru.optim.Adam(params, {lr = 1}):state_dict() end
        if i == 5 then
          saved = {state = {}, param_groups = optimizer:state_dict().param_groups}
          for n, s in ipairs(optimizer:state_dict().state) do
            saved.state[n] = {step = s.step, exp_avg = s.exp_avg:clone(), exp_avg_sq = s.exp_avg_sq:clone()}
          end
          assert.equal(5, saved.state[1].step)
        end
        if i == 8 then optimizer:load_state_dict(saved) end
      end
      out[#out + 1] = optimizer.state[params[1]].step
      return out
    end, function(info) assert.equal(2, info.captured) end)
  end)

  it("keeps what it reads, and is not disturbed by work in between", function()
    same(function(wrap)
      local hidden = {gru.randn({1000})}
      local step = wrap(function(x) return ((hidden[1] * x):exp() + x):sum() end)
      local out = {}
      for i = 1, 6 do
        out[#out + 1] = step(gru.randn({1000})):clone()
        local others = gru.zeros({1000})
        for _ = 1, 30 do others = others + gru.randn({1000}) * i end
        collectgarbage()
        if i == 3 then gru.empty_cache() end
      end
      return out
    end)
  end)

  it("keeps the memory of what it reads, though nobody else does", function()
    local x, held = gru.ones({512}), {gru.ones({512}) * 3}
    local step = gru.cuda.graph(function(y) return y + held[1] end)
    for _ = 1, 2 do assert.equal(4, step(x)[512]:item()) end
    held[1] = nil
    collectgarbage()
    collectgarbage()
    local others = {}
    for k = 1, 30 do others[k] = gru.ones({512}) * 7 end
    assert.equal(7, others[30][512]:item())
    assert.equal(4, step(x)[512]:item())
  end)

  it("reports an id out of range at the next look, and goes on", function()
    local table_of = gru.randn({5, 3})
    local step = gru.cuda.graph(function(ids) return table_of:index_select(1, ids):sum() end)
    local good = gru.tensor {1, 5, 2}
    local sum = step(good):item()
    assert.equal(sum, step(good):item())
    assert.equal(sum, step(good):item())
    local y = step(gru.tensor {1, 6, 2})
    raises("an id in a graph was out of range: 6 at position 2, allowed are 1 to 5", y.item, y)
    assert.equal(sum, step(good):item())
  end)

  it("leaves states that a checkpoint restores as they were", function()
    same(function(wrap)
      local params, optimizer = network("AdamW", {lr = 0.1})
      local function make()
        return wrap(function(x, y)
          optimizer:zero_grad()
          local loss = loss_of(params, x, y)
          loss:backward()
          optimizer:step()
          return loss
        end)
      end
      local step, out = make(), {}
      for _ = 1, 5 do step(gru.randn({4, 6}), gru.randn({4, 3})) end
      local path = os.tmpname()
      assert(gru.checkpoint.save(path, {optimizer = optimizer}))
      for i, p in ipairs(params) do params[i] = p:detach():clone():requires_grad_() end
      optimizer = optim.AdamW({{params = {params[1]}}, {params = {params[2]}}}, {lr = 0.1})
      assert(gru.checkpoint.restore(path, {optimizer = optimizer}))
      os.remove(path)
      out[#out + 1] = optimizer.state[params[1]].step
      step = make()
      for _ = 1, 5 do out[#out + 1] = step(gru.randn({4, 6}), gru.randn({4, 3})):clone() end
      out[#out + 1] = optimizer.state[params[1]].step
      return out
    end)
  end)

  it("lives beside another one", function()
    same(function(wrap)
      local add = wrap(function(x, y) return x + y * 2 end)
      local multiply = wrap(function(x, y) return x * y - 1 end)
      local x, out = gru.randn({50}), {}
      for _ = 1, 6 do
        x = add(x, multiply(x, gru.randn({50})))
        out[#out + 1] = x:clone()
      end
      return out
    end)
  end)

  it("has results without history, and parameters keep theirs", function()
    local p = gru.ones({3}):requires_grad_()
    local step = gru.cuda.graph(function(x) return p * x, p end)
    for _ = 1, 3 do
      local y, q = step(gru.ones({3}))
      assert.is_false(y.requires_grad)
      assert.is_false(q.requires_grad)
      assert.is_true(p.requires_grad)
    end
  end)

  it("notices changes in place of what it writes", function()
    local total = gru.zeros({3})
    local step = gru.cuda.graph(function(x) total:add_(x) end)
    for _ = 1, 2 do step(gru.ones({3})) end
    local w = gru.ones({3}):requires_grad_()
    local loss = (w * total):sum()
    step(gru.ones({3}))
    assert.equal(3, total[1]:item())
    raises("changed in place", loss.backward, loss)
  end)

  it("takes no more memory call after call, and gives it back", function()
    local params, optimizer = network("Adam", {lr = 0.1})
    collectgarbage()
    collectgarbage()
    gru.empty_cache()
    local empty = gru.memory(device)
    local x, y = gru.randn({64, 6}), gru.randn({64, 3})
    local step = gru.cuda.graph(function(a, b)
      optimizer:zero_grad()
      local loss = loss_of(params, a, b)
      loss:backward()
      nn.utils.clip_grad_norm_(params, 1)
      optimizer:step()
      return loss
    end)
    for _ = 1, 5 do step(x, y) end
    collectgarbage()
    local start = gru.memory(device)
    for _ = 1, 1000 do step(x, y) end
    collectgarbage()
    assert.equal(start.live, gru.memory(device).live)
    assert.equal(start.reserved, gru.memory(device).reserved)
    local with = gru.memory(device).reserved
    optimizer:zero_grad()
    step = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    gru.empty_cache()
    assert.truthy(gru.memory(device).reserved < with)
    optimizer.state = {}
    x, y = nil, nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    gru.empty_cache()
    assert.truthy(gru.memory(device).reserved <= empty.reserved)
  end)

  it("outlives its memory's users the other way round, too", function()
    local function result()
      local step = gru.cuda.graph(function(x) return x * 2 end)
      for _ = 1, 2 do step(gru.ones({100})) end
      return step(gru.ones({100}))
    end
    local y = result()
    collectgarbage()
    collectgarbage()
    local others = gru.zeros({100})
    for _ = 1, 50 do others = others + gru.zeros({100}) end
    assert.equal(0, others[1]:item())
    assert.equal(2, y[100]:item())
  end)

  it("runs as always in another one's step, and under no_grad as another graph", function()
    same(function(wrap)
      local inner = wrap(function(x) return x * 3 end)
      local p = gru.ones({4}):requires_grad_()
      local out = {}
      local step = wrap(function(x) return (inner(x) * p):sum() end)
      for i = 1, 6 do
        if i == 1 then for _ = 1, 3 do inner(gru.ones({4})) end end
        out[#out + 1] = step(gru.randn({4})):clone()
        out[#out + 1] = gru.no_grad(step, gru.randn({4})):clone()
      end
      return out
    end)
  end)
end) end)
