--- The same bits, the long way: both halves of the article at full size, every run in a process of its
-- own, for 1, 2 and 4 threads and for every flavour of OpenBLAS that is installed.
--
--     build/gru-lua tests/bench/determinism.lua [--runs 20] [--epochs 3] [--optimizer Adam]
--         [--hidden 256] [--chars 10000]
--
-- Prints a table of hashes (tests/support/runs.lua) and fails where a flavour has more than one for a half.
-- Run it from the root of the checkout.
local gru = require "gru"
local runs = require "tests.support.runs"

local THREADS = {1, 2, 4}
local FLAVOURS = "/usr/lib/*/openblas-*/libopenblas.so.0" -- Debian's

local config = {runs = 20, epochs = 3, optimizer = "Adam", hidden = 256, chars = 10000}
for i = 1, #arg, 2 do
  local key = arg[i]:match "^%-%-(%w+)$"
  config[key or error("unknown option " .. arg[i], 0)] = tonumber(arg[i + 1]) or arg[i + 1]
end

-- A child: one training, its hash.
if config.half then
  gru.set_num_threads(config.threads)
  local size = {
    chars = config.chars, hidden = config.hidden, steps = 35, batch = 32, epochs = config.epochs,
  }
  print(config.half == "scratch" and runs.scratch(size) or runs.layers(size, config.optimizer))
  return
end

local function lines_of(command)
  local list, pipe = {}, assert(io.popen(command))
  for line in pipe:lines() do list[#list + 1] = line end
  pipe:close()
  return list
end

-- {name =, folder =}: what the loader is to find first; the system's own where there is no choice.
local function flavours()
  local list = {}
  for _, path in ipairs(lines_of("ls " .. FLAVOURS .. " 2>/dev/null")) do
    local folder = path:match "^(.*)/"
    list[#list + 1] = {name = folder:match "openblas%-(%w+)$", folder = folder}
  end
  return #list > 0 and list or {{name = "system", folder = ""}}
end

local function hash_of(flavour, half, threads)
  local command = ("LD_LIBRARY_PATH=%s '%s' '%s' --half %s --threads %d"):format(flavour.folder, arg[-1],
    arg[0], half, threads)
  for _, key in ipairs {"epochs", "optimizer", "hidden", "chars"} do
    command = ("%s --%s %s"):format(command, key, config[key])
  end
  return lines_of(command)[1] or error("a run failed: " .. command, 0)
end

local failed = false
print(("%-10s %-8s %7s %5s  %s"):format("OpenBLAS", "half", "threads", "runs", "hashes"))
for _, flavour in ipairs(flavours()) do
  for _, half in ipairs {"scratch", "nn"} do
    local all, count = {}, 0
    for _, threads in ipairs(THREADS) do
      local seen, list = {}, {}
      for _ = 1, config.runs do
        local hash = hash_of(flavour, half, threads)
        if not seen[hash] then list[#list + 1] = hash end
        if not all[hash] then count = count + 1 end
        seen[hash], all[hash] = true, true
      end
      print(("%-10s %-8s %7d %5d  %s"):format(flavour.name, half, threads, config.runs,
        table.concat(list, " ")))
      io.stdout:flush()
    end
    failed = failed or count > 1
  end
end
os.exit(not failed)
