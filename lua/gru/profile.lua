--- Where the time of a program goes: by op, by line, and as a trace.
--
-- The core tells of every call of an op and of every gradient rule; the binding adds them up. A rule, and
-- what it calls, counts for the line of the script that called the op, the library's own lines for the
-- line of the script that called the library.
-- @module gru.profile
local args = require "gru.args"
local core = require "gru.core"

local profile = {}

local MOST_EVENTS = 1000000 -- of a trace: beyond, viewers give up
local ROWS = 20

-- What the sources of the library begin with: "@gru/".
local LIBRARY = debug.getinfo(1, "S").source:match "^(.*)profile%.lua$"

-- ---- adding up ---------------------------------------------------------------------------

-- Sums of the numbers of `rows` by the key that `key_of` gives, and what `add` does besides.
local function by(rows, key_of, add)
  local sums, list = {}, {}
  for _, row in ipairs(rows) do
    local key = key_of(row)
    local sum = sums[key]
    if not sum then
      sum = {calls = 0, self = 0, bytes = 0}
      sums[key] = sum
      list[#list + 1] = sum
    end
    sum.self = sum.self + row.self * 1e-9
    sum.bytes = sum.bytes + row.bytes
    add(sum, row)
  end
  return list
end

local function by_op(rows)
  return by(rows, function(row) return row.op .. " " .. row.pass end, function(sum, row)
    sum.op, sum.pass = row.op, row.pass
    sum.calls = sum.calls + row.calls
    sum.total = (sum.total or 0) + row.total * 1e-9
  end)
end

local function by_line(rows)
  return by(rows, function(row) return row.line end, function(sum, row)
    sum.line = row.line
    sum.calls = sum.calls + row.entries
    sum.forward, sum.backward = sum.forward or 0, sum.backward or 0
    sum[row.pass] = sum[row.pass] + row.self * 1e-9
  end)
end

-- Shares of the whole time, and the longest first.
local function finish(list, seconds)
  for _, sum in ipairs(list) do sum.share = seconds > 0 and sum.self / seconds or 0 end
  table.sort(list, function(a, b)
    if a.self ~= b.self then return a.self > b.self end
    return (a.op or a.line) .. (a.pass or "") < (b.op or b.line) .. (b.pass or "")
  end)
  return list
end

-- ---- showing -------------------------------------------------------------------------------

local function duration(seconds)
  if seconds >= 1 then return ("%.2f s"):format(seconds) end
  if seconds >= 1e-3 then return ("%.2f ms"):format(seconds * 1e3) end
  return ("%.1f us"):format(seconds * 1e6)
end

local function size(bytes)
  local units, i = {"B", "kB", "MB", "GB", "TB"}, 1
  while bytes >= 1000 and i < #units do bytes, i = bytes / 1000, i + 1 end
  return (i == 1 and "%d %s" or "%.1f %s"):format(bytes, units[i])
end

local function percent(share) return ("%.1f %%"):format(100 * share) end

-- A table of texts, the first columns flush left, `left` of them.
local function columns(lines, left)
  local widths, out = {}, {}
  for _, line in ipairs(lines) do
    for i, cell in ipairs(line) do widths[i] = math.max(widths[i] or 0, utf8.len(cell) or #cell) end
  end
  for n, line in ipairs(lines) do
    local cells = {}
    for i, cell in ipairs(line) do
      local pad = (" "):rep(widths[i] - (utf8.len(cell) or #cell))
      cells[i] = i <= left and cell .. pad or pad .. cell
    end
    out[n] = table.concat(cells, "  "):gsub("%s+$", "")
  end
  return table.concat(out, "\n")
end

local Profile = {}
Profile.__index = Profile
Profile.__name = "gru.Profile"

-- Appends the first rows of a list, and how many more there are.
local function fill(lines, list, most, cells)
  for i = 1, math.min(most, #list) do lines[#lines + 1] = cells(list[i]) end
  if #list > most then lines[#lines + 1] = {("... and %d more"):format(#list - most)} end
end

local function op_table(self)
  local lines = {{"op", "pass", "calls", "total", "self", "share", "bytes"}}
  fill(lines, self.ops, self.rows, function(r)
    return {r.op, r.pass, tostring(r.calls), duration(r.total), duration(r.self), percent(r.share),
      size(r.bytes)}
  end)
  lines[#lines + 1] = {"(outside ops)", "", "", "", duration(self.outside),
    percent(self.seconds > 0 and self.outside / self.seconds or 0)}
  return columns(lines, 2)
end

local function line_table(self)
  local lines = {{"line", "calls", "forward", "backward", "share", "bytes"}}
  fill(lines, self.lines, self.rows, function(r)
    return {r.line, tostring(r.calls), duration(r.forward), duration(r.backward), percent(r.share),
      size(r.bytes)}
  end)
  return columns(lines, 1)
end

function Profile:__tostring()
  local lost = self.lost > 0 and ("\n%d calls are missing from the trace\n"):format(self.lost) or ""
  return ("profile: %s, of which %s in ops\n\n%s\n\n%s\n%s"):format(duration(self.seconds),
    duration(self.seconds - self.outside), op_table(self), line_table(self), lost)
end

-- ---- a trace ----------------------------------------------------------------------------------

-- The lines of a file in Chrome's trace event format: an object whose `traceEvents` are complete
-- events (ph "X"), times in microseconds.
local function write_trace(file, json, gathered, origin)
  local function event(fields, order) return json.encode(fields, {keyorder = order}) end
  local meta = {"name", "ph", "pid", "tid", "args"}
  local keys = {"name", "cat", "ph", "ts", "dur", "pid", "tid", "args"}
  file:write('{"displayTimeUnit":"ms","traceEvents":[\n',
    event({name = "process_name", ph = "M", pid = 1, tid = 1, args = {name = "gru-lua"}}, meta), ",\n",
    event({name = "thread_name", ph = "M", pid = 1, tid = 1, args = {name = "ops"}}, meta))
  for i = 1, math.huge do
    local op, pass, line, start, stop, bytes = core.profile_event(gathered, i)
    if not op then break end
    file:write(",\n", event({
      name = op, cat = pass, ph = "X", pid = 1, tid = 1, ts = (start - origin) / 1000,
      dur = (stop - start) / 1000, args = {line = line, bytes = bytes},
    }, keys))
  end
  return file:write("\n]}\n")
end

-- ---- running ---------------------------------------------------------------------------------

local known = {trace = true, output = true, rows = true, library = true}

local function check(options, level)
  options = args.options("profile", options, known, level + 1)
  local trace, rows, output = options.trace, options.rows, options.output
  if trace ~= nil and type(trace) ~= "string" then
    error("profile: trace must be the name of a file, got " .. type(trace), level)
  elseif rows ~= nil and (math.type(rows) ~= "integer" or rows < 1) then
    error("profile: rows must be an integer of 1 or more, got " .. tostring(rows), level)
  elseif output ~= nil and output ~= false and io.type(output) ~= "file" then
    error("profile: output must be an open file or false, got " .. tostring(output), level)
  elseif options.library ~= nil and type(options.library) ~= "boolean" then
    error("profile: library must be true or false, got " .. tostring(options.library), level)
  end
  return options
end

-- Opens the file of a trace; nil and a message when that cannot be.
local function open_trace(path)
  local found, json = pcall(require, "dkjson")
  if not found then
    return nil, "profile: a trace wants the Lua library dkjson; install lua-dkjson (make deps)"
  end
  local file, problem = io.open(path, "w")
  if not file then return nil, "profile: cannot write the trace: " .. problem end
  return {file = file, json = json, path = path}
end

local function start(options)
  options = check(options, 4)
  if core.is_profiling() then error("profile: one is running already", 3) end
  local trace, message
  if options.trace then
    trace, message = open_trace(options.trace)
    if not trace then return nil, message end
  end
  core.profile_start(not options.library and LIBRARY or nil, trace and MOST_EVENTS or 0)
  return {options = options, trace = trace, at = core.clock()}
end

--- Starts a profile that `stop` ends; `run` does both.
-- @function start
-- @tparam[opt] table options as of `run`
-- @treturn[1] table to be given to `stop`
-- @treturn[2] nil
-- @treturn[2] string why the trace cannot be written
function profile.start(options)
  local running, message = start(options)
  return running, message
end

-- Writes the trace; nil, or why it could not be written.
local function save_trace(trace, gathered, at)
  local ok, problem = write_trace(trace.file, trace.json, gathered, math.floor(at * 1e9))
  local closed, close_problem = trace.file:close()
  if ok and closed then return nil end
  return ("profile: cannot write %s: %s"):format(trace.path, problem or close_problem)
end

--- Ends a profile: writes its trace and shows its tables.
-- @tparam table running what `start` gave
-- @tparam[opt=false] boolean quiet shows nothing
-- @treturn table the profile, see `run`
-- @treturn ?string why the trace could not be written
function profile.stop(running, quiet)
  local seconds = core.clock() - running.at
  local gathered, options = core.profile_stop(), running.options
  local rows, lost = core.profile_rows(gathered)
  local result = setmetatable({
    seconds = seconds, outside = seconds, lost = lost, rows = options.rows or ROWS,
    ops = finish(by_op(rows), seconds), lines = finish(by_line(rows), seconds),
  }, Profile)
  for _, op in ipairs(result.ops) do result.outside = result.outside - op.self end
  local message = running.trace and save_trace(running.trace, gathered, running.at) or nil
  if not quiet and options.output ~= false then
    local output = options.output or io.stdout
    io.stdout:flush() -- what the program wrote comes first
    output:write(tostring(result))
  end
  return result, message
end

--- Runs f and shows where the time went; `gru.profile` is this function.
-- @tparam function f
-- @tparam[opt] table options `trace`, a file to write in Chrome's trace event format (for
-- chrome://tracing, Perfetto and the like), which wants the Lua library dkjson; `output`, an open file in
-- place of the standard output, or false for silence; `rows` (20), how many rows of each table are shown;
-- `library`, true to count lines of the library by themselves
-- @treturn[1] table the profile: `seconds`, all of it; `outside`, what was spent outside ops; `ops`, by
-- op and pass, {op, pass, calls, total, self, share, bytes}; `lines`, {line, calls, forward, backward,
-- self, share, bytes}; times are in seconds, `self` leaves out what other ops took inside, `share` is
-- self / seconds, `bytes` is the tensor memory that was taken
-- @treturn[1] ?string why the trace could not be written
-- @treturn[2] nil where its file cannot be opened; f has not run
-- @treturn[2] string why
function profile.run(f, options)
  if type(f) ~= "function" then error("profile: a function expected, got " .. type(f), 2) end
  local running, message = start(options)
  if not running then return nil, message end
  do -- an error in f passes through, with its traceback
    local _ <close> = setmetatable({}, {__close = function(_, problem)
      if problem ~= nil then profile.stop(running, true) end
    end})
    f()
  end
  return profile.stop(running)
end

--- Profiles the rest of the program, tables to stderr: what `gru-lua --profile` does. `os.exit` ends the
-- profile, too.
-- @tparam[opt] string trace the name of a file
-- @treturn[1] function to be called at the end
-- @treturn[2] nil where the trace cannot be written
-- @treturn[2] string why
function profile.program(trace)
  local running, message = profile.start({trace = trace, output = io.stderr})
  if not running then return nil, message end
  local exit = os.exit
  local function finish_once()
    if not running then return end
    local _, problem = profile.stop(running)
    running, os.exit = nil, exit -- luacheck: ignore 122
    if problem then io.stderr:write(problem, "\n") end
  end
  os.exit = function(...) -- luacheck: ignore 122
    finish_once()
    return exit(...)
  end
  return finish_once
end

return profile
