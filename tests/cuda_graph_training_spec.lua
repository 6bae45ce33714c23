-- The training loops of gru.d2l and gru.train run as CUDA graphs by themselves, with the bits of the steps
-- done one by one.
local gru = require "gru"
local core = require "gru.core"
local devices = require "tests.support.devices"

local d2l, nn, optim = gru.d2l, gru.nn, gru.optim

local idx_to_char = {"a", "b", "c", "分", "开", " "}
local char_to_idx, V = {}, #idx_to_char
for i, char in ipairs(idx_to_char) do char_to_idx[char] = i end

local function bits(x) return x:detach():to("cpu"):data() end

-- run() with graphs and without gives the same list of strings and numbers; `counts` says how many graphs
-- were run.
local function same(run)
  local results, runs = {}, 0
  local graph_run = core.graph_run
  core.graph_run = function(...)
    runs = runs + 1
    return graph_run(...)
  end
  for i, on in ipairs {true, false} do
    local before = gru.cuda.set_graphs(on)
    gru.manual_seed(3)
    local ok, message = pcall(function() results[i] = run() end)
    gru.cuda.set_graphs(before)
    if not ok then
      core.graph_run = graph_run
      error(message, 0)
    end
    if on then assert.truthy(runs > 0) end
  end
  core.graph_run = graph_run
  assert.same(results[2], results[1])
end

describe("Training as graphs", function() devices.on_cuda(function(device)
  local function corpus(n)
    local ids = {}
    for i = 1, n do ids[i] = (i * i + i // 3) % V + 1 end
    return gru.tensor(ids)
  end

  local H = 5

  -- A recurrent network of one gate, written from scratch.
  local function network()
    local params = {}
    for i, shape in ipairs {{V, H}, {H, H}, {H}, {H, V}, {V}} do
      params[i] = nn.Parameter(gru.randn(shape):mul_(0.3))
    end
    local function rnn(inputs, state, p)
      local h, outputs = state[1], {}
      for i, x in ipairs(inputs) do
        h = (x:matmul(p[1]) + h:matmul(p[2]) + p[3]):tanh()
        outputs[i] = h:matmul(p[4]) + p[5]
      end
      return outputs, {h}
    end
    return rnn, params
  end

  for _, random in ipairs {true, false} do
    it("d2l.train_and_predict_rnn, " .. (random and "random" or "consecutive"), function()
      same(function()
        local rnn, params = network()
        local out = {}
        d2l.train_and_predict_rnn(rnn, function() return params end, function(n, h, where)
          return {gru.zeros({n, h}, {device = where})}
        end, H, V, device, corpus(60), idx_to_char, char_to_idx, random, 4, 4, 0.5, 0.1, 3, 2, 3, {"a"},
          function(e) out[#out + 1] = e.perplexity end)
        for _, p in ipairs(params) do out[#out + 1] = bits(p) end
        return out
      end)
    end)
  end

  for _, layer in ipairs {"GRU", "LSTM"} do
    it("d2l.train_and_predict_rnn_pytorch with nn." .. layer, function()
      same(function()
        local model = d2l.RNNModel(nn[layer](V, H), V)
        local out = {}
        d2l.train_and_predict_rnn_pytorch(model, H, V, device, corpus(60), idx_to_char, char_to_idx, 4, 4,
          0.05, 0.1, 3, 2, 3, {"a"}, function(e) out[#out + 1] = e.perplexity end)
        for _, p in ipairs(model:parameters()) do out[#out + 1] = bits(p) end
        return out
      end)
    end)
  end

  it("Trainer: dropout, clipping, a schedule, a smaller last batch, validation", function()
    same(function()
      local model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 2))
      model:to(device)
      local optimizer = optim.AdamW(model:parameters(), {lr = 0.05})
      local x, y = gru.randn({22, 4}), gru.randn({22, 2})
      local data = gru.data.DataLoader(gru.data.TensorDataset(x, y),
        {batch_size = 5, shuffle = true, seed = 1})
      local trainer = gru.train.Trainer {
        model = model, loss = nn.MSELoss(), optimizer = optimizer, data = data, clip = 0.5, progress = false,
        validation = data, scheduler = optim.lr_scheduler.StepLR(optimizer, {step_size = 3, gamma = 0.7}),
        schedule = "batch",
      }
      local out = {}
      for _, record in ipairs(trainer:fit(4)) do
        out[#out + 1], out[#out + 2] = record.loss, record.validation_loss
        out[#out + 1] = record.lr
      end
      for _, p in ipairs(model:parameters()) do out[#out + 1] = bits(p) end
      return out
    end)
  end)
end) end)
