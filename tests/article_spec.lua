-- The article's example as a user runs it: numbers, reproducibility, memory, bad input.
local gru = require "gru"
local devices = require "tests.support.devices"
local golden = dofile "tests/golden/article.lua"
local json = require "dkjson"

local PROGRAM = os.getenv("GRU_LUA") or "build/gru-lua"
local EXAMPLE = "examples/jay_lyrics.lua"

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- Runs a command; returns its exit status, stdout and stderr.
local function run(command)
  local out, err = os.tmpname(), os.tmpname()
  local _, _, status = os.execute(("%s >%s 2>%s"):format(command, out, err))
  local texts = {read(out), read(err)}
  os.remove(out)
  os.remove(err)
  return status, texts[1], texts[2]
end

-- On the CPU: it sees no CUDA plugin.
local function example(arguments, under)
  return run(("GRU_CUDA_PLUGIN=/nowhere/libgru_cuda.so %s %s %s %s"):format(under or "", PROGRAM, EXAMPLE,
    arguments))
end

local function log_lines(text)
  local lines = {}
  for line in text:gmatch "[^\n]+" do lines[#lines + 1] = assert(json.decode(line)) end
  return lines
end

describe("examples/jay_lyrics.lua", function()
  local log = os.tmpname()
  teardown(function() os.remove(log) end)

  it("has PyTorch's perplexities for PyTorch's draws", function()
    local status, out, err = example(("--hidden %d --epochs 3 --period 3 --generator torch --log %s")
      :format(golden.hidden, log))
    assert.equal("", err)
    assert.equal(0, status)
    local lines = log_lines(read(log))
    assert.equal(6, #lines)
    for i, line in ipairs(lines) do
      local half = i <= 3 and "scratch" or "nn"
      assert.equal(half, line.half)
      local want = golden[half][line.epoch]
      assert.is_true(math.abs(line.perplexity - want) < 1e-5 * want,
        ("%s epoch %d: %f, PyTorch %f"):format(half, line.epoch, line.perplexity, want))
    end
    assert.truthy(out:find("\nepoch 3, perplexity %d+%.%d%d%d%d%d%d, time %d+%.%d%d sec\n %- 分开"))
    local _, written = out:gsub("\n %- [^\n]+", "")
    assert.equal(4, written)
    for text in out:gmatch "\n %- (不分开[^\n]+)" do assert.equal(3 + 50, utf8.len(text)) end
  end)

  it("writes the same log for the same command, but for the times", function()
    local command = ("--hidden 16 --epochs 4 --seed 5 --log %s"):format(log)
    local logs = {}
    for i = 1, 2 do
      assert.equal(0, (example(command .. " --threads " .. i)))
      logs[i] = read(log):gsub('"seconds":[^,]+,"chars_per_second":[^}]+', "")
    end
    assert.equal(logs[1], logs[2])
    assert.equal(8, #log_lines(read(log)))
  end)

  it("has the CPU's perplexities on a CUDA device", function()
    local cuda, reason = devices.cuda()
    if not cuda then return pending(reason) end
    local settings = "--hidden 8 --epochs 2 --period 2 --length 3 --chars 400 --batch 2 --steps 5 --seed 3"
    local logs = {}
    for i, device in ipairs {"cpu", cuda} do
      local status, _, err = run(("%s %s %s --device %s --log %s"):format(PROGRAM, EXAMPLE, settings, device,
        log))
      assert.equal("", err)
      assert.equal(0, status)
      logs[i] = log_lines(read(log))
    end
    assert.equal(4, #logs[1])
    for i, line in ipairs(logs[1]) do
      assert.is_true(math.abs(logs[2][i].perplexity / line.perplexity - 1) < 1e-4)
    end
  end)

  it("takes its settings from the options", function()
    local _, out = example("--half nn --hidden 8 --epochs 2 --period 1 --length 7 --prefix 雨 "
      .. "--prefix 不分开 --chars 3000 --batch 4 --steps 20 --lr 0.001 --clip 1 --threads 1")
    local texts = {}
    for text in out:gmatch "\n %- ([^\n]+)" do texts[#texts + 1] = utf8.len(text) end
    assert.same({8, 10, 8, 10}, texts)
    assert.is_nil(out:find "scratch")
  end)

  it("reads a zip as it reads a text", function()
    local folder = os.tmpname()
    os.remove(folder)
    local zip = folder .. ".zip"
    local made = os.execute(("python3 -c \"import zipfile; zipfile.ZipFile('%s', 'w', "
      .. "zipfile.ZIP_DEFLATED).write('examples/data/lyrics.txt', 'lyrics.txt')\""):format(zip))
    assert.is_true(made)
    local a = assert(gru.text.Corpus.from_file(zip))
    local b = assert(gru.text.Corpus.from_file("examples/data/lyrics.txt"))
    assert.is_true(a.indices:equal(b.indices))
    assert.same(b.vocab.chars, a.vocab.chars)
    os.remove(zip)
  end)

  it("needs no more memory at the end than at the beginning", function()
    local live = {}
    local ids, char_to_idx, idx_to_char, vocab = gru.d2l.load_data_jay_lyrics()
    gru.manual_seed(0)
    local model = gru.d2l.RNNModel(gru.nn.GRU(vocab, 16), vocab)
    gru.d2l.train_and_predict_rnn_pytorch(model, 16, vocab, "cpu", ids, idx_to_char, char_to_idx,
      8, 35, 1e-2, 1e-2, 32, 40, 50, {"分开"}, function()
        collectgarbage()
        collectgarbage()
        live[#live + 1] = gru.memory().live
      end)
    assert.equal(live[2], live[8])
  end)

  -- Without --foreground timeout signals twice, to the program and to its group: a second Ctrl-C kills.
  it("stops cleanly on Ctrl-C", function()
    local status, _, err = example("--epochs 100000 --half nn",
      "timeout --foreground --preserve-status -s INT 2")
    assert.equal(130, status)
    assert.truthy(err:find "interrupted!")
  end)

  describe("says what is wrong, in one line", function()
    local bad = os.tmpname()
    teardown(function() os.remove(bad) end)

    -- arguments, exit status, what stderr says
    local cases = {
      {"--corpus /nowhere/x.txt", 1, "/nowhere/x.txt.*No such file"},
      {"--corpus /tmp", 1, "/tmp.*directory"},
      {"--batch 400", 1, "10000 characters are too few .* at least 14400 are needed"},
      {"--prefix 鑫", 1, "'鑫'.*U%+946B"},
      {"--prefix ''", 1, "empty"},
      {"--device cuda", 1, "/nowhere/libgru_cuda.so: there is no such file"},
      {"--device cuda:99", 1, "cuda:99.*no such file"},
      {"--log /nowhere/log", 1, "cannot write the log: /nowhere/log"},
      {"--device gpu", 2, "%-%-device.*gpu"},
      {"--epochs 0", 2, "%-%-epochs.*'0'"},
      {"--epochs many", 2, "%-%-epochs.*'many'"},
      {"--hidden 2.5", 2, "%-%-hidden"},
      {"--lr fast", 2, "%-%-lr.*'fast'"},
      {"--half third", 2, "third"},
      {"--generator numpy", 2, "numpy"},
      {"--unknown", 2, "%-%-unknown"},
      {"stray", 2, "too many arguments"},
      {"--seed", 2, "%-%-seed"},
    }
    for _, case in ipairs(cases) do
      it(case[1], function()
        local status, out, err = example(case[1])
        assert.equal(case[2], status)
        assert.equal("", out)
        assert.truthy(err:find(case[3]), err)
        local _, lines = err:gsub("\n", "\n")
        assert.equal(1, lines)
      end)
    end

    it("invalid UTF-8, with byte and line", function()
      write(bad, "好\n好\xff好\n")
      local status, _, err = example("--corpus " .. bad)
      assert.equal(1, status)
      assert.truthy(err:find "byte 7 %(line 2%)", err)
    end)

    it("and keeps an old log until the run can start", function()
      write(log, "old")
      assert.equal(1, (example("--corpus /nowhere --log " .. log)))
      assert.equal("old", read(log))
    end)
  end)
end)

describe("examples/custom_training.lua", function()
  it("learns, without gru.d2l", function()
    local status, out, err = run(PROGRAM .. " examples/custom_training.lua 150")
    assert.equal("", err)
    assert.equal(0, status)
    local losses = {}
    for loss in out:gmatch "loss (%d+%.%d+)" do losses[#losses + 1] = tonumber(loss) end
    assert.equal(10, #losses)
    assert.is_true(losses[10] < losses[1] - 0.3)
    assert.is_nil(read("examples/custom_training.lua"):find("gru.d2l", 1, true))
  end)
end)

describe("examples/embed.c", function()
  it("trains in a Lua state of its own and reads the loss back", function()
    local status, out = run((os.getenv("GRU_BUILD") or "build") .. "/tests/embed lua")
    assert.equal(0, status)
    local loss, weight = out:match "loss (%S+), weight (%S+)"
    assert.is_true(tonumber(loss) < 1e-6)
    assert.is_true(math.abs(tonumber(weight) - 3) < 1e-3)
  end)

  it("fails with a message when the library is not found", function()
    local status, _, err = run((os.getenv("GRU_BUILD") or "build") .. "/tests/embed /nowhere")
    assert.equal(1, status)
    assert.truthy(err:find "module 'gru' not found")
  end)
end)
