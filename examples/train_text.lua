--- A character model of any text, with gru.train.Trainer: train, stop, go on, write.
--
--     gru-lua examples/train_text.lua --corpus book.txt --checkpoint book.safetensors
--
-- The last part of the text is kept for validation.  Where the checkpoint is there already, the run goes
-- on from it and ends as if it had never stopped; Ctrl-C loses the epoch that was not done.
local here = arg[0]:match("^(.*)/[^/]*$") or "."

local gru = require "gru"
local nn, optim, text = gru.nn, gru.optim, gru.text

-- ---- the command line ----------------------------------------------------------------------------

local function stop(status, message)
  io.stderr:write("train_text: ", (message:gsub("%s*\n%s*", "; ")), "\n")
  os.exit(status, true)
end

local function number_of(option, lowest, convert)
  return function(given)
    local value = convert(given)
    if value and value >= lowest then return value end
    return nil, ("%s: expected a number of %s or more, got '%s'"):format(option, lowest, given)
  end
end

local function integer(given) return math.tointeger(tonumber(given)) end

local found, argparse = pcall(require, "argparse")
if not found then stop(1, "the Lua library argparse is missing; install lua-argparse (make deps)") end

local parser = argparse("train_text", "Trains a GRU on a text and lets it write.")
parser:option("--corpus", "A UTF-8 text, or a zip holding one."):default(here .. "/data/lyrics.txt")
parser:option("--checkpoint", "Where the run is kept, and goes on from.")
parser:option("--prompt", "What the model continues."):default "分开"
for _, row in ipairs {
  {"--epochs", "Epochs in all.", 30, 1}, {"--hidden", "Hidden units.", 256, 1},
  {"--layers", "GRU layers.", 1, 1},
  {"--steps", "Steps of a batch.", 35, 1}, {"--batch", "Sequences of a batch.", 32, 1},
  {"--length", "Characters to write.", 100, 0}, {"--seed", "Seed.", 0, 0},
  {"--lr", "Learning rate.", 0.01, 0, tonumber},
  {"--clip", "Norm that gradients are clipped to.", 1, 0, tonumber},
  {"--temperature", "0: the most likely character.", 0.8, 0, tonumber},
} do
  local convert = number_of(row[1], row[4], row[5] or integer)
  parser:option(row[1], row[2]):default(tostring(row[3])):convert(convert)
end
function parser.error(_, message) stop(2, message .. " (--help shows the options)") end
local config = parser:parse(arg)

-- ---- text and model ------------------------------------------------------------------------------

local corpus, problem = text.Corpus.from_file(config.corpus)
if not corpus then stop(1, problem) end
local kept = math.max(#corpus // 20, config.steps + 1) -- characters for validation
local needed = config.batch * (config.steps + 1) + kept
if #corpus < needed then
  stop(1, ("%s: %d characters are too few; at least %d are needed"):format(config.corpus, #corpus, needed))
end
local _, unknown = corpus.vocab:encode(config.prompt)
if unknown then stop(1, "--prompt: " .. unknown) end
local training = corpus.indices:narrow(1, 1, #corpus - kept)
local held_out = corpus.indices:narrow(1, #corpus - kept + 1, kept)

gru.manual_seed(config.seed)
local model = gru.d2l.RNNModel(nn.GRU(corpus.vocab.size, config.hidden, {num_layers = config.layers}),
  corpus.vocab.size)
local optimizer = optim.Adam(model:parameters(), {lr = config.lr})

-- ---- training ------------------------------------------------------------------------------------

local trainer = gru.train.Trainer {
  model = model, optimizer = optimizer, clip = config.clip, stateful = "epoch",
  -- logits are (steps * batch, vocab), targets (batch, steps)
  loss = function(logits, targets) return nn.functional.cross_entropy(logits, targets:t():reshape(-1)) end,
  data = function() return text.consecutive_batches(training, config.batch, config.steps) end,
  validation = function() return text.consecutive_batches(held_out, 1, config.steps) end,
  scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, {factor = 0.5, patience = 2}),
  checkpoint = config.checkpoint,
  metadata = config.checkpoint and {vocab = corpus.vocab.chars},
  on_epoch = function(_, record)
    print(("epoch %d, perplexity %.3f, on new text %.3f, %.2f sec"):format(record.epoch,
      math.exp(record.loss), math.exp(record.validation_loss), record.seconds))
  end,
}

local old = config.checkpoint and io.open(config.checkpoint, "rb")
if old then
  old:close()
  local saved, message = gru.checkpoint.load(config.checkpoint)
  if not saved then stop(1, message) end
  if table.concat(saved.metadata.vocab) ~= table.concat(corpus.vocab.chars) then
    stop(1, config.checkpoint .. ": a run on another text")
  end
  local fits, mismatch = pcall(trainer.resume, trainer)
  if not fits then stop(1, config.checkpoint .. ": a run with other settings: " .. mismatch) end
  print(("going on behind epoch %d"):format(trainer.epoch))
end
trainer:fit(config.epochs)

-- ---- what it has learnt --------------------------------------------------------------------------

io.write(config.prompt)
for char in text.generate(model, corpus.vocab, config.prompt,
  {length = config.length, temperature = config.temperature}) do
  io.write(char)
  io.flush()
end
print()
