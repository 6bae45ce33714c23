--- The benchmarks: `make bench`, or
--
--     gru-lua tests/bench/run.lua --only nn,scratch --rounds 7 --json build/bench.json
--     gru-lua tests/bench/run.lua --device cuda
--
-- from the root of the repository.  Every figure is taken in turns with its peer's, a process a turn, and
-- told as median, smallest and largest.  A benchmark is a file in cases/; what it runs stands in
-- ours/ and, for PyTorch, in peers/.
local here = arg[0]:match "^(.*)/[^/]*$" or "."
package.path = here .. "/?.lua;" .. package.path

local argparse = require "argparse"
local Context = require "lib.context"
local corpus = require "lib.corpus"
local article = require "lib.article"
local machine = require "lib.machine"
local process = require "lib.process"
local report = require "lib.report"

local CASES = {
  "nn", "scratch", "gemm", "efficiency", "parts", "generation", "startup", "memory", "overhead", "gates",
  "optimisers", "scaling",
}
local DEVICE_CASES = {"iteration"} -- with --device

local function stop(status, message)
  io.stderr:write("bench: ", message, "\n")
  os.exit(status, true)
end

local function log(line) io.stderr:write("  ", line, "\n") end

local parser = argparse("bench", "Measures gru-lua, and PyTorch beside it where that is installed.")
parser:option("--only", "Benchmarks to run, separated by commas.")
parser:option("--json", "Where the results go, as JSON."):default "build/bench.json"
parser:option("--rounds", "Turns of each side."):convert(math.tointeger):default "5"
parser:option("--threads", "Numbers of threads, separated by commas (default: 1 and 2, or what there is).")
parser:option("--python", "A Python that has PyTorch (default: python3, or /usr/bin/python3).")
parser:option("--device", "Measure on this GPU (cuda, cuda:1) in place of the CPU.")
parser:option("--corpus", "A UTF-8 text in place of the synthetic one; its first 10,000 characters are used.")
parser:flag("--quick", "Small sizes and one round: does it work?")
parser:flag("--list", "Show the benchmarks and exit.")
local options = parser:parse(arg)

local function load_case(name)
  local case = require("cases." .. name)
  case.name = name
  return case
end

if options.list then
  for _, cases in ipairs {CASES, DEVICE_CASES} do
    for _, name in ipairs(cases) do print(("%-12s %s"):format(name, load_case(name).about)) end
  end
  os.exit(0, true)
end

-- The names of --only, in their order.
local function chosen()
  local cases = options.device and DEVICE_CASES or CASES
  if not options.only then return cases end
  local known, list = {}, {}
  for _, name in ipairs(cases) do known[name] = true end
  for name in options.only:gmatch "[^,]+" do
    if not known[name] then stop(2, ("no benchmark '%s'; --list shows them"):format(name)) end
    list[#list + 1] = name
  end
  return list
end

-- The Python that has PyTorch and what peers/about.py says of it; nil where there is none.
local function find_torch()
  for _, python in ipairs(options.python and {options.python} or {"python3", "/usr/bin/python3"}) do
    local about = process.object(("%s %s/peers/about.py 2>/dev/null"):format(process.quote(python), here))
    if about then return python, about end
  end
  if options.python then stop(1, ("'%s' has no PyTorch"):format(options.python)) end
  log "PyTorch was not found: gru-lua is measured alone"
end

-- Numbers of threads: those of --threads, or 1 and 2 as far as there are cores.
local function thread_counts(cores)
  local list = {}
  for word in (options.threads or (cores > 1 and "1,2" or "1")):gmatch "[^,]+" do
    local n = math.tointeger(tonumber(word))
    if not n or n < 1 then stop(2, ("--threads: '%s' is not a number of threads"):format(word)) end
    list[#list + 1] = n
  end
  return list
end

-- The corpus: its file, first character, length and vocabulary.
local function prepare_corpus(scratch)
  local path = options.corpus
  if not path then
    path = scratch .. "/corpus.txt"
    corpus.write(path, article.CHARS, article.VOCAB, 1)
  end
  local loaded, message = require("gru").text.Corpus.from_file(path, {max_chars = article.CHARS})
  if not loaded then stop(1, message) end
  return path, loaded.vocab.chars[1], #loaded, loaded.vocab.size
end

-- The program that runs this script.
local function own_program()
  local i = 0
  while arg[i - 1] do i = i - 1 end
  return arg[i]
end

if not options.rounds or options.rounds < 1 then stop(2, "--rounds: a number of 1 or more expected") end
local scratch = os.tmpname()
os.remove(scratch)
if not os.execute("mkdir " .. process.quote(scratch)) then stop(1, "cannot make " .. scratch) end
local _ <close> = setmetatable({}, {
  __close = function() os.execute("rm -r " .. process.quote(scratch)) end,
})

if options.device then
  local there, reason = require("gru.core").device_check(options.device)
  if not there then stop(1, reason) end
end
local python, torch = find_torch()
local about_machine = machine.describe(own_program(), torch, options.device)
local path, prefix, chars, vocab = prepare_corpus(scratch)
local context = Context.new {
  program = own_program(), python = python, quick = options.quick, log = log, scratch = scratch,
  rounds = options.quick and 1 or options.rounds, threads = thread_counts(about_machine.cores),
  corpus = path, prefix = prefix, chars = chars, vocab = vocab, device = options.device,
}
local all = {
  machine = about_machine,
  settings = {
    quick = options.quick or false, rounds = context.rounds, threads = context.threads,
    corpus = options.corpus or "synthetic", device = options.device,
  },
  results = {},
}
io.stdout:setvbuf "line"
print(machine.line(about_machine))
for _, name in ipairs(chosen()) do
  local case = load_case(name)
  log(name .. ": " .. case.about)
  local result = {name = name, about = case.about, rows = case.run(context)}
  all.results[#all.results + 1] = result
  io.write("\n", report.table(result))
end

local file, message = io.open(options.json, "w")
if not file then stop(1, message) end
file:write(report.json(all))
file:close()
