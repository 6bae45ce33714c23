--- The command line of jay_lyrics.lua, and its corpus.
--
-- Wrong usage ends the program with status 2, a file that cannot be used with status 1, each with
-- one line on stderr.
local gru = require "gru"

local options = {}
local PROGRAM = "jay_lyrics"

local function stop(status, message, ...)
  local line = message:format(...):gsub("%s*\n%s*", "; ")
  io.stderr:write(PROGRAM, ": ", line, "\n")
  os.exit(status, true)
end

-- Converters for argparse: a value, or nil and what was expected of the option.
local function integer(option, lowest)
  return function(text)
    local n = math.tointeger(tonumber(text))
    if n and n >= lowest then return n end
    return nil, ("%s: expected an integer of %d or more, got '%s'"):format(option, lowest, text)
  end
end

local function positive(option)
  return function(text)
    local x = tonumber(text)
    if x and x > 0 and x < math.huge then return x end
    return nil, ("%s: expected a positive number, got '%s'"):format(option, text)
  end
end

local function one_of(option, choices)
  return function(text)
    for _, choice in ipairs(choices) do
      if text == choice then return text end
    end
    return nil, ("%s: expected %s, got '%s'"):format(option, table.concat(choices, ", "), text)
  end
end

local function device(text)
  if text == "auto" or text == "cpu" or text:match("^cuda$") or text:match("^cuda:%d+$") then
    return text
  end
  return nil, ("--device: expected auto, cpu, cuda or cuda:N, got '%s'"):format(text)
end

local function make_parser(argparse, here)
  local parser = argparse(PROGRAM, "Trains a GRU to write lyrics: from scratch, then with nn.GRU.")
  parser:option("--half", "Which half to run: scratch, nn or both.")
    :convert(one_of("--half", {"scratch", "nn", "both"})):default "both"
  parser:option("--epochs", "Epochs."):convert(integer("--epochs", 1)):default "160"
  parser:option("--hidden", "Hidden units."):convert(integer("--hidden", 1)):default "256"
  parser:option("--steps", "Steps of a batch."):convert(integer("--steps", 1)):default "35"
  parser:option("--batch", "Sequences of a batch."):convert(integer("--batch", 1)):default "32"
  parser:option("--lr", "Learning rate (default: 1e2 from scratch, 1e-2 with nn.GRU).")
    :convert(positive("--lr"))
  parser:option("--clip", "Norm that gradients are clipped to."):convert(positive("--clip")):default "0.01"
  parser:option("--seed", "Seed; each half seeds anew."):convert(integer("--seed", 0)):default "0"
  parser:option("--generator", "Random generator: default, or torch for PyTorch's draws.")
    :convert(one_of("--generator", {"default", "torch"})):default "default"
  parser:option("--corpus", "A UTF-8 text, or a zip holding one."):default(here .. "/data/lyrics.txt")
  parser:option("--chars", "Characters of the corpus to use, 0 for all."):convert(integer("--chars", 0))
    :default "10000"
  parser:option("--prefix", "A prefix to continue; repeatable (default: 分开 and 不分开)."):count "*"
  parser:option("--period", "Epochs between reports."):convert(integer("--period", 1)):default "40"
  parser:option("--length", "Characters to write after a prefix.")
    :convert(integer("--length", 1)):default "50"
  parser:option("--device", "auto, cpu, cuda or cuda:N."):convert(device):default "auto"
  parser:option("--threads", "CPU threads (default: all cores)."):convert(integer("--threads", 1))
  parser:option("--log", "A file for one JSON object an epoch.")
  function parser.error(_, message) stop(2, "%s (--help shows the options)", message) end
  return parser
end

--- Reads the command line.
-- @tparam table arguments as in `arg`
-- @tparam string here the folder of the example
-- @treturn table the settings
function options.read(arguments, here)
  local found, argparse = pcall(require, "argparse")
  if not found then stop(1, "the Lua library argparse is missing; install lua-argparse (make deps)") end
  local config = make_parser(argparse, here):parse(arguments)
  config.prefixes = #config.prefix > 0 and config.prefix or {"分开", "不分开"}
  if config.generator == "default" then config.generator = "philox" end
  if config.device == "auto" then
    config.device = gru.device_check("cuda") and "cuda:0" or "cpu"
  else
    local there, reason = gru.device_check(config.device)
    if not there then stop(1, "%s", reason) end
  end
  if config.threads then
    local ok, message = pcall(gru.set_num_threads, config.threads)
    if not ok then stop(2, "%s", message) end
  end
  if config.log then
    local json_found, json = pcall(require, "dkjson")
    if not json_found then stop(1, "--log wants the Lua library dkjson; install lua-dkjson (make deps)") end
    config.json = json
  end
  return config
end

--- Loads the corpus and checks that it serves: its length, and the prefixes; opens the log last.
-- @return what gru.d2l.load_data_jay_lyrics returns
function options.load_corpus(config)
  local corpus, message = gru.text.Corpus.from_file(config.corpus, {
    max_chars = config.chars > 0 and config.chars or nil,
  })
  if not corpus then stop(1, "%s", message) end
  local need = config.batch * (config.steps + 1)
  if #corpus < need then
    stop(1, "%s: %d characters are too few for %d sequences of %d steps; at least %d are needed",
      config.corpus, #corpus, config.batch, config.steps, need)
  end
  for _, prefix in ipairs(config.prefixes) do
    local ids, problem = corpus.vocab:encode(prefix)
    if not ids or #ids == 0 then stop(1, "prefix '%s': %s", prefix, problem or "it is empty") end
  end
  if config.log then
    local file, problem = io.open(config.log, "w")
    if not file then stop(1, "cannot write the log: %s", problem) end
    config.log_file = file
  end
  return corpus.indices, corpus.vocab.ids, corpus.vocab.chars, corpus.vocab.size
end

return options
