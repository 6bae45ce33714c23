-- gru.profile and gru-lua --profile: what is counted, where, and what is written.
local gru = require "gru"
local core = require "gru.core"
local json = require "dkjson"

local GRU = os.getenv("GRU_LUA") or "build/gru-lua"
local QUIET = {output = false}

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

local function row(list, op, pass)
  for _, r in ipairs(list) do
    if r.op == op and r.pass == pass then return r end
  end
  error(("no row %s %s"):format(op, pass))
end

local function line_of(p, line)
  for _, r in ipairs(p.lines) do
    if r.line:match ":(%d+)$" == tostring(line) then return r end
  end
  error("no row of line " .. line)
end

local function here() return debug.getinfo(2, "l").currentline end

describe("gru.profile", function()
  it("counts calls by op, forward and backward", function()
    local w = gru.randn(8, 8, {requires_grad = true})
    local x = gru.randn(4, 8)
    local p = gru.profile(function()
      for _ = 1, 3 do x:matmul(w):sigmoid():sum():backward() end
    end, QUIET)
    assert.equal(3, row(p.ops, "matmul", "forward").calls)
    assert.equal(3, row(p.ops, "matmul", "backward").calls)
    assert.equal(3, row(p.ops, "sigmoid", "forward").calls)
    assert.equal(3, row(p.ops, "sigmoid", "backward").calls)
    assert.equal(3, row(p.ops, "(engine)", "backward").calls)
    assert.is_false(pcall(row, p.ops, "exp", "forward"))
  end)

  it("has self times that add up to the whole, and totals that hold what is inside", function()
    local x = gru.randn(64, 64, {requires_grad = true})
    local p = gru.profile(function()
      for _ = 1, 5 do gru.nn.functional.cross_entropy(x:tanh(), gru.ones(64):long()):backward() end
    end, QUIET)
    local self, share = p.outside, p.outside / p.seconds
    for _, r in ipairs(p.ops) do
      assert.is_true(r.self >= 0 and r.total >= 0 and r.total <= p.seconds, r.op)
      if r.calls > 0 and r.op == "(engine)" then assert.is_true(r.total > r.self) end
      self, share = self + r.self, share + r.share
    end
    assert.near(p.seconds, self, 1e-9)
    assert.near(1, share, 1e-9)
    for i = 2, #p.ops do assert.is_true(p.ops[i - 1].self >= p.ops[i].self) end
    local by_line, by_op = 0, 0
    for _, r in ipairs(p.lines) do
      assert.near(r.self, r.forward + r.backward, 1e-12)
      by_line = by_line + r.self
    end
    for _, r in ipairs(p.ops) do by_op = by_op + r.self end
    assert.near(by_op, by_line, 1e-9)
  end)

  it("counts rules for the line of the forward call, and in-place ops as the op", function()
    local x, at, back = gru.randn(16, {requires_grad = true}), nil, nil
    local p = gru.profile(function()
      local y = x:exp(); at = here()
      y = y:sum()
      y:backward(); back = here()
      gru.no_grad(function() x:mul_(2):mul_(3) end)
    end, QUIET)
    local line = line_of(p, at)
    assert.equal(2, line.calls) -- exp, and its rule
    assert.is_true(line.forward > 0 and line.backward > 0)
    assert.is_true(line.line:find("profile_spec.lua", 1, true) ~= nil)
    assert.equal(0, line_of(p, back).forward)
    assert.is_true(line_of(p, back).backward > 0)
    -- those of exp's rule are inside it
    assert.equal(2, row(p.ops, "mul", "forward").calls)
  end)

  it("counts put-off products for the line of the matmul", function()
    local w, at = gru.randn(8, 8, {requires_grad = true}), nil
    local h = gru.randn(2, 8)
    local p = gru.profile(function()
      local y = h
      for _ = 1, 4 do y = y:matmul(w) end at = here()
      y:sum():backward()
    end, QUIET)
    local back = row(p.ops, "matmul", "backward")
    assert.equal(4, back.calls)
    assert.equal(4 + 4, line_of(p, at).calls)
    assert.is_true(back.self <= line_of(p, at).backward + 1e-9)
  end)

  it("counts what the library calls for the line of the script, unless told otherwise", function()
    local layer, x, at = gru.nn.GRU(3, 4), gru.randn(5, 2, 3), nil
    local function run() local _ = layer(x); at = here() end
    local p = gru.profile(run, QUIET)
    assert.equal(1, #p.lines)
    assert.is_true(line_of(p, at).calls >= 1)
    local inside = gru.profile(run, {output = false, library = true})
    for _, r in ipairs(inside.lines) do
      assert.is_true(r.line:find "gru/%w" ~= nil, r.line)
    end
  end)

  it("sees fills, also without recording, and counts bytes", function()
    local p = gru.profile(function()
      gru.no_grad(function()
        local x = gru.zeros(1000)
        x:normal_()
        x:copy_(x + 1)
      end)
    end, QUIET)
    assert.equal(1, row(p.ops, "normal_", "forward").calls)
    assert.equal(1, row(p.ops, "copy_", "forward").calls)
    assert.equal(1, row(p.ops, "add", "forward").calls)
    assert.equal(4000, row(p.ops, "add", "forward").bytes)
    assert.equal(0, row(p.ops, "normal_", "forward").bytes)
    for _, r in ipairs(p.lines) do assert.truthy(r.line:find("profile_spec.lua:%d+$"), r.line) end
  end)

  it("sees steps of optimisers and clipping", function()
    local layer = gru.nn.Linear(3, 4)
    local optimizer = gru.optim.Adam(layer:parameters(), {lr = 0.1})
    layer(gru.ones(2, 3)):sum():backward()
    local p = gru.profile(function()
      gru.nn.utils.clip_grad_norm_(layer:parameters(), 1)
      optimizer:step()
    end, QUIET)
    assert.equal(1, row(p.ops, "clip_norm", "forward").calls)
    assert.equal(1, row(p.ops, "adam_step", "forward").calls)
    assert.equal(2, #p.lines)
  end)

  it("sees calls inside hooks and rules in Lua", function()
    local Double = gru.autograd.Function:extend "Double"
    function Double.forward(_, x) return x * 2 end
    function Double.backward(_, g) return g * 2 end
    local x, at = gru.ones(3, {requires_grad = true}), nil
    local p = gru.profile(function()
      local y = Double.apply(x)
      y:register_hook(function(g) return g:neg() end) at = here()
      y:sum():backward()
    end, QUIET)
    assert.equal(1, row(p.ops, "Function", "backward").calls)
    assert.equal(1, row(p.ops, "neg", "backward").calls)
    assert.equal(1, row(p.ops, "mul", "forward").calls)
    assert.equal(1, row(p.ops, "mul", "backward").calls)
    assert.is_true(line_of(p, at).backward > 0)
  end)

  it("shows tables, where it is told", function()
    local file = assert(io.tmpfile())
    local p = gru.profile(function() return (gru.ones(2) + 1):exp() end, {output = file, rows = 1})
    file:seek "set"
    local text = file:read "a"
    file:close()
    assert.equal(tostring(p), text)
    assert.truthy(text:find("^profile: [%d.]+ %a?s, of which [%d.]+ %a?s in ops\n\nop +pass +calls +total "))
    assert.truthy(text:find("\n%(outside ops%) +[%d.]+ %a?s +[%d.]+ %%\n"))
    assert.truthy(text:find("\n... and %d more\n"))
    assert.truthy(text:find("\nline +calls +forward +backward +share +bytes\n"))
    assert.truthy(text:find("profile_spec.lua:%d+ +3 "))
  end)

  it("gives the error of f as it is, and stops", function()
    local failure = setmetatable({}, {__tostring = function() return "mine" end})
    local trace
    local ok, problem = xpcall(gru.profile, function(e)
      trace = debug.traceback()
      return e
    end, function() error(failure) end)
    assert.is_false(ok)
    assert.equal(failure, problem)
    assert.truthy(trace:find("in function 'error'", 1, true)) -- from the place of the error
    assert.is_false(core.is_profiling())
    assert.equal(1, row(gru.profile(function() gru.ones(2):exp() end, QUIET).ops, "exp", "forward").calls)
  end)

  it("ends a call that failed, and counts it", function()
    local p = gru.profile(function()
      pcall(gru.matmul, gru.ones(2, 3), gru.ones(2, 3))
      gru.ones(2):exp()
    end, QUIET)
    assert.equal(1, row(p.ops, "matmul", "forward").calls)
    assert.equal(1, row(p.ops, "exp", "forward").calls)
  end)

  it("does not nest", function()
    local outer = gru.profile(function()
      assert.error_matches(function() gru.profile(print, QUIET) end, "profile: one is running already")
      gru.ones(2):exp()
    end, QUIET)
    assert.equal(1, row(outer.ops, "exp", "forward").calls)
  end)

  it("may end inside backward", function()
    local profile = require "gru.profile"
    local x = gru.ones(3, {requires_grad = true})
    local y = x:exp()
    local running, p = profile.start(QUIET), nil
    y:register_hook(function() p = profile.stop(running) end)
    y:sum():backward()
    assert.equal(1, row(p.ops, "sum", "backward").calls)
    assert.is_false(core.is_profiling())
    assert.near(math.exp(1), x.grad[1]:item(), 1e-6)
    -- and begin there
    local z = x:detach():requires_grad_():exp()
    z:register_hook(function() running = profile.start(QUIET) end)
    z:sum():backward()
    assert.equal(1, row(profile.stop(running).ops, "exp", "backward").calls)
  end)

  it("checks its arguments", function()
    for _, case in ipairs {
      {{}, "profile: a function expected, got nil"}, {{print, 1}, "options must be a table"},
      {{print, {what = 1}}, "unknown option 'what'; there are: library, output, rows, trace"},
      {{print, {trace = 1}}, "trace must be the name of a file"}, {{print, {rows = 0}}, "rows must be"},
      {{print, {output = 1}}, "output must be an open file"}, {{print, {library = 1}}, "library must be"},
    } do
      local ok, message = pcall(function() gru.profile(table.unpack(case[1])) end)
      assert.is_false(ok)
      assert.truthy(message:find(case[2], 1, true), message)
      assert.truthy(message:find("profile_spec.lua:", 1, true), message)
    end
    assert.is_false(core.is_profiling())
  end)
end)

-- ---- traces ------------------------------------------------------------------------------------

-- Checks a file against Chrome's trace event format; returns its complete events.
local function events_of(path)
  local trace = assert(json.decode(read(path)))
  local events, names = {}, {}
  for _, e in ipairs(trace.traceEvents) do
    assert.equal("number", type(e.pid))
    assert.equal("number", type(e.tid))
    assert.equal("string", type(e.name))
    if e.ph == "M" then
      names[e.name] = e.args.name
    else
      assert.equal("X", e.ph)
      assert.equal("string", type(e.cat))
      assert.is_true(e.ts >= 0 and e.dur >= 0)
      events[#events + 1] = e
    end
  end
  assert.equal("gru-lua", names.process_name)
  assert.is_string(names.thread_name)
  return events
end

describe("a trace", function()
  local path = os.tmpname()
  teardown(function() os.remove(path) end)

  it("has an event for every call, inside one another in time", function()
    local x = gru.randn(32, 32, {requires_grad = true})
    local p = gru.profile(function() x:matmul(x):tanh():sum():backward() end,
      {output = false, trace = path})
    local count, last = {}, nil
    for _, e in ipairs(events_of(path)) do
      count[e.name .. " " .. e.cat] = (count[e.name .. " " .. e.cat] or 0) + 1
      assert.truthy(e.args.line:find("profile_spec.lua:%d+$"))
      assert.is_true(e.args.bytes >= 0)
      assert.is_true(e.ts + e.dur <= p.seconds * 1e6 + 1)
      last = e
    end
    assert.equal(1, count["matmul forward"])
    assert.equal(1, count["(engine) backward"])
    assert.equal("(engine)", last.name) -- the longest in backward ends last
    for _, e in ipairs(events_of(path)) do
      if e.cat == "backward" then
        assert.is_true(e.ts >= last.ts and e.ts + e.dur <= last.ts + last.dur + 1e-3)
      end
    end
  end)

  it("is written of what ran before an error", function()
    local ok = pcall(gru.profile, function()
      gru.ones(2):exp()
      error "stop"
    end, {output = false, trace = path})
    assert.is_false(ok)
    assert.equal("exp", events_of(path)[#events_of(path)].name)
  end)

  it("that cannot be written is told before f runs", function()
    local ran = false
    local p, message = gru.profile(function() ran = true end, {trace = "/nowhere/trace.json"})
    assert.is_nil(p)
    assert.equal("profile: cannot write the trace: /nowhere/trace.json: No such file or directory", message)
    assert.is_false(ran)
    assert.is_false(core.is_profiling())
  end)

  it("on a full disk gives the profile and the reason", function()
    local p, message = gru.profile(function()
      for _ = 1, 1000 do gru.ones(2):exp() end
    end, {output = false, trace = "/dev/full"})
    assert.equal(1000, row(p.ops, "exp", "forward").calls)
    assert.equal("profile: cannot write /dev/full: No space left on device", message)
  end)

  it("wants dkjson, and says so", function()
    local loaded, path_before, cpath_before = package.loaded.dkjson, package.path, package.cpath
    package.loaded.dkjson, package.path, package.cpath = nil, "", ""
    local p, message = gru.profile(print, {trace = path})
    package.loaded.dkjson, package.path, package.cpath = loaded, path_before, cpath_before
    assert.is_nil(p)
    assert.truthy(message:find("dkjson", 1, true))
  end)
end)

-- ---- the program -------------------------------------------------------------------------------

describe("gru-lua --profile", function()
  local script, trace = os.tmpname(), os.tmpname()
  teardown(function()
    os.remove(script)
    os.remove(trace)
  end)

  -- Runs a script; returns its exit status, stdout and stderr.
  local function run(options, text, rest)
    local file = assert(io.open(script, "w"))
    file:write(text)
    file:close()
    local out, err = os.tmpname(), os.tmpname()
    local command = ("%s %s %s %s >%s 2>%s"):format(GRU, options, script, rest or "", out, err)
    local _, _, status = os.execute(command)
    local texts = {read(out), read(err)}
    os.remove(out)
    os.remove(err)
    return status, texts[1], texts[2]
  end

  it("shows the tables on stderr and leaves the rest alone", function()
    local status, out, err = run("--profile",
      "local gru = require 'gru'\nlocal x = gru.ones(3):exp()\nprint(..., x:sum():item())", "one")
    assert.equal(0, status)
    assert.truthy(out:find("^one\t8.15"))
    assert.truthy(err:find("^profile: "))
    assert.truthy(err:find("\nexp +forward +1 "))
    assert.truthy(err:find(script .. ":2 ", 1, true))
  end)

  it("writes a trace", function()
    assert.equal(0, (run("--profile=" .. trace, "require('gru').ones(3):exp()")))
    local events = events_of(trace)
    assert.equal("exp", events[#events].name)
  end)

  it("shows them after an error and at os.exit, and keeps the status", function()
    local status, out, err = run("--profile", "require('gru').ones(3):exp() error 'broken'")
    assert.equal("", out)
    assert.equal(1, status)
    assert.truthy(err:find("broken"))
    assert.truthy(err:find("\nexp +forward +1 "))
    status, out, err = run("--profile", "require('gru').ones(3):exp() os.exit(7)")
    assert.equal("", out)
    assert.equal(7, status)
    assert.truthy(err:find("\nexp +forward +1 "))
    local _, tables = err:gsub("profile: ", "")
    assert.equal(1, tables)
  end)

  it("covers -e and stdin", function()
    local pipe = assert(io.popen(("%s --profile -e \"require('gru').ones(3):exp()\" 2>&1"):format(GRU)))
    assert.truthy(pipe:read("a"):find("\nexp +forward +1 "))
    pipe:close()
    pipe = assert(io.popen(("echo \"require('gru').ones(3):neg()\" | %s --profile 2>&1"):format(GRU)))
    assert.truthy(pipe:read("a"):find("\nneg +forward +1 "))
    pipe:close()
  end)

  it("refuses a trace that cannot be written, before the script runs", function()
    local status, out, err = run("--profile=/nowhere/t.json", "print 'ran'")
    assert.equal(1, status)
    assert.equal("", out)
    assert.truthy(err:find("cannot write the trace: /nowhere/t.json", 1, true))
    assert.equal(1, (run("--profile=", "print 'ran'")))
  end)

  it("is in the help", function()
    local pipe = assert(io.popen(GRU .. " --help"))
    assert.truthy(pipe:read("a"):find("--profile[=FILE]", 1, true))
    pipe:close()
  end)
end)
