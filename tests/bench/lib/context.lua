--- What a benchmark is given: settings, sides that take turns, and rows of results.
local core = require "gru.core"
local process = require "lib.process"
local stats = require "lib.stats"

local Context = {}
Context.__index = Context

--- @tparam table settings program, python (nil: no PyTorch), quick, rounds, threads (a list), scratch (a
-- folder), corpus (a file), log (a function)
function Context.new(settings)
  return setmetatable(settings, Context)
end

--- gru-lua running ours/`script`.lua.
function Context:ours(script, args)
  local threads = args.threads
  local label = threads > 1 and ("gru-lua, %d threads"):format(threads) or "gru-lua, 1 thread"
  local words = process.arguments(args)
  return {
    label = label,
    command = ("%s tests/bench/ours/%s.lua %s"):format(process.quote(self.program), script, words),
  }
end

--- Python running peers/`script`.py, with as many threads in PyTorch and in the BLAS.
function Context:torch(script, args)
  local t = args.threads
  return {
    is_rival = true, label = t > 1 and ("PyTorch, %d threads"):format(t) or "PyTorch, 1 thread",
    command = ("OMP_NUM_THREADS=%d OPENBLAS_NUM_THREADS=%d MKL_NUM_THREADS=%d %s tests/bench/peers/%s.py %s")
      :format(t, t, t, process.quote(self.python), script, process.arguments(args)),
  }
end

-- One turn of a side: its samples added to `gathered`, or nil and the reason; the seconds it took.
local function turn(s, gathered)
  local start = core.clock()
  local samples, problem
  if s.run then samples = s.run() else samples, problem = process.object(s.command) end
  if not samples then return nil, problem or "failed" end
  for figure, list in pairs(samples) do
    local all = gathered[figure] or {}
    gathered[figure] = table.move(list, 1, #list, #all + 1, all)
  end
  return core.clock() - start
end

--- Lets sides take turns: A B A B ...  Each is {label =, command =}, a process a turn that prints its
-- samples, or {label =, run = a function that returns them}.  Of those with `is_rival`, of which the best
-- will count, only the first round is taken of one that takes more than twice as long as the fastest.
-- @return for each side, a table from the name of a figure to a list of samples; nil where it failed
function Context:turns(sides, rounds)
  local gathered, seconds, fastest = {}, {}, math.huge
  for i in ipairs(sides) do gathered[i] = {} end
  for round = 1, rounds or self.rounds do
    for i, s in ipairs(sides) do
      if gathered[i] and not (s.is_rival and round > 1 and seconds[i] > 2 * fastest) then
        self.log(("round %d: %s"):format(round, s.label))
        local took, problem = turn(s, gathered[i])
        if took then
          seconds[i] = seconds[i] or took
          if s.is_rival then fastest = math.min(fastest, took) end
        else
          self.log(("%s: %s"):format(s.label, problem))
          gathered[i] = false
        end
      end
    end
  end
  for i, g in ipairs(gathered) do gathered[i] = g or nil end
  return gathered
end

--- The same work by gru-lua and by PyTorch, at each number of threads.
-- @tparam string script the name in ours/ and in peers/
-- @tparam table args what both are told
-- @tparam[opt] table threads the numbers of threads; those of the context
-- @treturn table `ours`, `peer`: by number of threads, tables from a figure to samples
function Context:duel(script, args, threads)
  local sides, places = {}, {}
  for _, t in ipairs(threads or self.threads) do
    local told = {threads = t}
    for k, v in pairs(args) do told[k] = v end
    sides[#sides + 1], places[#places + 1] = self:ours(script, told), {"ours", t}
    if self.python then
      sides[#sides + 1], places[#places + 1] = self:torch(script, told), {"peer", t}
    end
  end
  local duel, gathered = {ours = {}, peer = {}}, self:turns(sides)
  for i, place in ipairs(places) do duel[place[1]][place[2]] = gathered[i] end
  return duel
end

--- Of samples by number of threads, the figure's summary with the best median, and that number.
-- @tparam table by_threads
-- @tparam string figure
-- @tparam function summarise samples -> summary
-- @tparam string better "less" or "more"
function Context.best(by_threads, figure, summarise, better)
  local best, at
  for t, figures in pairs(by_threads) do
    local summary = figures[figure] and summarise(figures[figure])
    if summary and (not best or stats.ratio(summary, best, better) > 1) then best, at = summary, t end
  end
  if best then best.threads = at end
  return best
end

--- Rows of a duel: ours at the most threads that it was taken at, against PyTorch's best.
-- @tparam table duel
-- @tparam table figures rows {key, title, unit, scale [, rate = true]}: scale times the sample, or over it
function Context:rows(duel, figures)
  local rows, most = {}, 0
  for t in pairs(duel.ours) do most = math.max(most, t) end
  for _, f in ipairs(figures) do
    local better = f.rate and "more" or "less"
    local function summarise(list) return (f.rate and stats.rate or stats.summary)(list, f.scale) end
    local mine = duel.ours[most]
    if mine and mine[f.key] then
      local ours = summarise(mine[f.key])
      ours.threads = most
      rows[#rows + 1] = {
        figure = f.title, unit = f.unit, better = better, ours = ours,
        peer = self.best(duel.peer, f.key, summarise, better),
      }
    end
  end
  return rows
end

return Context
