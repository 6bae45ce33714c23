-- cli_spec.lua - gru-lua does what stock `lua` does, and what it adds.
--
-- The first half runs each command line twice, once with $LUA as stock lua5.4 and once
-- as gru-lua, and compares stdout, stderr and exit status.  To add a case: one row.
--
--   GRU_LUA    the program to test (default build/gru-lua)
--   STOCK_LUA  what it is compared with (default lua5.4)

-- ---- running command lines ------------------------------------------------------

local function capture(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("a")
  pipe:close()
  return text
end

local function absolute(path)
  if path:find("^/") or not path:find("/") then return path end
  return capture("pwd"):gsub("\n", "") .. "/" .. path
end

local GRU = absolute(os.getenv("GRU_LUA") or "build/gru-lua")
local STOCK = absolute(os.getenv("STOCK_LUA") or "lua5.4")
local dir = os.tmpname()

local function write_file(name, text)
  local file = assert(io.open(dir .. "/" .. name, "w"))
  file:write(text)
  file:close()
end

local function read_file(name)
  local file = io.open(dir .. "/" .. name)
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return text
end

local CLEAN_ENVIRONMENT = [[
unset LUA_INIT LUA_INIT_5_4 LUA_PATH LUA_PATH_5_4 LUA_CPATH LUA_CPATH_5_4 INPUTRC
TERM=dumb; LC_ALL=C; export TERM LC_ALL
]]

--- Runs shell text in the scratch folder, with $LUA set to `program`.
-- @return {out =, err =, status =}, with the program's name written as PROGRAM
local function run(program, command, stdin)
  write_file("stdin", stdin or "")
  write_file("command.sh", CLEAN_ENVIRONMENT .. "LUA='" .. program .. "'\n" .. command .. "\n")
  local _, _, status = os.execute(("cd '%s' && timeout 100 sh command.sh <stdin >out 2>err"):format(dir))
  local result = {status = status}
  local pattern = program:gsub("%p", "%%%0")
  for _, name in ipairs {"out", "err"} do
    result[name] = read_file(name):gsub(pattern, "PROGRAM"):gsub("\nusage:.*", "\nusage\n")
      :gsub("0x%x+", "ADDRESS")
  end
  return result
end

local function gru(command, stdin)
  return run(GRU, command, stdin)
end

-- What a session printed.  A stock lua with readline echoes a piped input, a line editor's
-- prompt comes before the results: both go.
local function without_prompts(text, stdin)
  local typed, lines = {}, {}
  for line in (stdin .. "\n"):gmatch("(.-)\n") do typed[line:match("^[> ]*(.*)")] = true end
  for line in text:gmatch("[^\n]+") do
    line = line:match("^[> ]*(.*)")
    if line ~= "" and not typed[line] then lines[#lines + 1] = line end
  end
  return table.concat(lines, "\n")
end

setup(function()
  os.remove(dir)
  assert(os.execute("mkdir '" .. dir .. "'"))
  write_file("args.lua", [[
    print("dots", select("#", ...), ...)
    local low = 0
    while arg[low - 1] do low = low - 1 end
    for i = low, #arg do print(i, arg[i]) end]])
  write_file("fail.lua", "local function f() error('boom') end\nlocal function g() f() end\ng()\n")
  write_file("syntax.lua", "x = = 1\n")
  write_file("shebang.lua", "#!/usr/bin/env lua\nprint('after the first line')\n")
  write_file("mod.lua", "print('mod', ...) return {value = 5}\n")
  write_file("a-b.lua", "print('a-b', ...) return {}\n")
  write_file("no.lua", "return nil\n")
  write_file("broken.lua", "error('cannot load')\n")
  write_file("startup.lua", "print('startup', ...) started = true\n")
  write_file("-", "print('a file called -', ...)\n")
  write_file("-x.lua", "print('a file called -x.lua')\n")
  write_file("ready.lua", "local f = assert(io.open('ready', 'w')) f:write('x') f:close()\n")
  write_file("tiny_spec.lua", "describe('a', function() it('b', function() "
    .. "assert.truthy(require 'lfs') end) end)\n")
end)

teardown(function()
  os.execute("rm -rf '" .. dir .. "'")
end)

-- ---- as stock lua ------------------------------------------------------------------

-- {what, command line [, stdin]}
local SAME = {
  {"runs a script with arguments", "$LUA args.lua a 'b c' ''"},
  {"puts options into negative positions of arg", "$LUA -W -e 'x = 1' args.lua -i --threads"},
  {"counts arg from the script after --", "$LUA -W -- args.lua -x"},
  {"has the program at arg[0] without a script", "$LUA -e 'print(arg[0], arg[1], arg[-1], #arg)'"},
  {"has the options after it without a script", "$LUA -W -e 'print(arg[0], arg[1], arg[2])'"},
  {"passes what a script reads from arg, changed before", "$LUA -e 'arg[1] = 7 arg[2] = 8' args.lua"},
  {"wants arg to be a table", "$LUA -e 'arg = 1' args.lua"},
  {"skips a first line with #", "$LUA shebang.lua"},
  {"says when there is no script", "$LUA missing.lua"},
  {"says when the script is a folder", "$LUA ."},
  {"takes an empty script name as a file", "$LUA ''"},
  {"reports a syntax error", "$LUA syntax.lua"},
  {"reports an error with a traceback", "$LUA fail.lua"},
  {"runs -e", "$LUA -e 'print(1)'"},
  {"runs a joined -e", "$LUA '-eprint(2)'"},
  {"runs several -e in order", "$LUA -e 'x = 1' -e 'print(x)' -e 'print(x + 1)'"},
  {"stops at the first -e that fails", "$LUA -e 'error(\"one\", 0)' -e 'print(2)' args.lua"},
  {"reports a syntax error in -e", "$LUA -e 'x ='"},
  {"wants a value for -e", "$LUA -e"},
  {"wants a value for -e before another option", "$LUA -e -W"},
  {"takes an empty value for -e", "$LUA -e '' args.lua"},
  {"wants a value for -l", "$LUA -l"},
  {"requires -l mod into a global", "$LUA -l mod -e 'print(mod.value)'"},
  {"requires a joined -lmod", "$LUA -lmod -e 'print(mod.value)'"},
  {"requires -l g=mod into another global", "$LUA -l g=mod -e 'print(g.value, mod)'"},
  {"leaves -l g=mod whole in arg", "$LUA -l g=mod args.lua"},
  {"requires a name with a hyphen", "$LUA -l a-b -e 'print(type(_G[\"a-b\"]))'"},
  {"requires a module that returns nothing", "$LUA -l no -e 'print(no)'"},
  {"reports a -l that fails", "$LUA -l broken -e 'print(1)'"},
  {"reports a -l that is not there", "$LUA -l missing.module args.lua"},
  {"does -e and -l in order", "$LUA -e 'print(mod)' -l mod -e 'print(mod.value)'"},
  {"shows the version with -v, and stops", "$LUA -v", "print('not read')"},
  {"shows the version before a script", "$LUA -v args.lua x"},
  {"shows the version before an error", "$LUA -v fail.lua"},
  {"rejects joined flags", "$LUA -iv"},
  {"rejects -Ex", "$LUA -Ex"},
  {"rejects an unknown option", "$LUA -x args.lua"},
  {"rejects an unknown long option", "$LUA --nothing"},
  {"rejects an unknown option after good ones", "$LUA -e 'print(1)' -W -z"},
  {"rejects the old -a", "$LUA -a"},
  {"turns warnings on with -W", "$LUA -W -e 'warn(\"a\", \"b\")'"},
  {"keeps warnings off without -W", "$LUA -e 'warn(\"a\")'"},
  {"turns warnings on where -W stands", "$LUA -e 'warn(\"a\")' -W -e 'warn(\"b\")'"},
  {"follows @on and @off", "$LUA -e 'warn(\"@on\") warn(\"a\") warn(\"@off\") warn(\"b\")'"},
  {"runs stdin without arguments", "$LUA", "print('from stdin', ...) print(arg[0])"},
  {"runs stdin after options that run nothing", "$LUA -W --", "warn('from stdin')"},
  {"runs stdin for -", "$LUA - a b", "print('from stdin', ...) print(arg[0], arg[1])"},
  {"runs a file called - after --", "$LUA -- - a"},
  {"runs a file whose name begins with - after --", "$LUA -- -x.lua"},
  {"does not read stdin after -e", "$LUA -e 'print(1)'", "print('not read')"},
  {"lets a script read stdin", "$LUA -e 'print(io.read(\"n\", \"l\", \"a\"))'", "12 rest\nlast"},
  {"succeeds though stdin fails", "$LUA", "error('x')"},
  {"fails when - fails", "$LUA -", "error('x')"},
  {"reports a syntax error in stdin", "$LUA -", "x = ="},
  {"runs LUA_INIT", "LUA_INIT='print(\"init\", ...)' $LUA args.lua"},
  {"runs a file named by LUA_INIT", "LUA_INIT=@startup.lua $LUA -e 'print(started)'"},
  {"prefers LUA_INIT_5_4", "LUA_INIT='print(1)' LUA_INIT_5_4='print(2)' $LUA -e 'print(3)'"},
  {"takes an empty LUA_INIT_5_4", "LUA_INIT='print(1)' LUA_INIT_5_4= $LUA -e 'print(3)'"},
  {"stops when LUA_INIT fails", "LUA_INIT='error(\"bad init\")' $LUA -e 'print(1)'"},
  {"names LUA_INIT_5_4 in errors", "LUA_INIT_5_4='x = ' $LUA -e 'print(1)'"},
  {"says when the file of LUA_INIT is missing", "LUA_INIT=@missing.lua $LUA -e 'print(1)'"},
  {"runs LUA_INIT before -l", "LUA_INIT='print(mod)' $LUA -l mod"},
  {"ignores LUA_INIT with -E", "LUA_INIT='print(1)' LUA_INIT_5_4='print(2)' $LUA -E args.lua"},
  {"follows LUA_PATH", "LUA_PATH='x/?.lua;;y/?.lua' $LUA -e 'print(package.path)'"},
  {"follows LUA_CPATH_5_4", "LUA_CPATH='a' LUA_CPATH_5_4='b/?.so;;' $LUA -e 'print(package.cpath)'"},
  {"ignores LUA_PATH with -E", "LUA_PATH=x LUA_CPATH=y $LUA -E -e 'print(package.path, package.cpath)'"},
  {"has the same globals", "$LUA -e 't = {} for k in pairs(_G) do t[#t + 1] = k end table.sort(t) "
    .. "print(table.concat(t, \" \"))'"},
  {"reports an error without a position", "$LUA -e 'error(\"plain\", 0)'"},
  {"reports an error that is a number", "$LUA -e 'error(12.5)'"},
  {"reports an error that is a table", "$LUA -e 'error({})'"},
  {"reports an error that is nil", "$LUA -e 'error()'"},
  {"reports an error that is a boolean", "$LUA -e 'error(false)'"},
  {"reports an error with __tostring, without traceback",
    "$LUA -e 'error(setmetatable({}, {__tostring = function() return \"speaks\" end}))'"},
  {"reports an error whose __tostring is no string",
    "$LUA -e 'error(setmetatable({}, {__tostring = function() return {} end}))'"},
  {"reports an error with __name", "$LUA -e 'error(setmetatable({}, {__name = \"My.Type\"}))'"},
  {"reports an error inside a coroutine", "$LUA -e 'coroutine.wrap(function() error(\"inside\") end)()'"},
  {"reports a stack overflow", "$LUA -e 'local function f() return 1 + f() end f()' 2>&1 | head -1"},
  {"exits with os.exit(3)", "$LUA -e 'os.exit(3)' args.lua"},
  {"exits with os.exit(true) and os.exit(false)", "$LUA -e 'os.exit(true)'; $LUA -e 'os.exit(false)'"},
  {"closes the state on os.exit(2, true)",
    "$LUA -e 'setmetatable({}, {__gc = function() print(\"gone\") end}) os.exit(2, true)'"},
  {"runs finalisers at the end", "$LUA -e 'setmetatable({}, {__gc = function() print(\"gone\") end})'"},
  {"runs finalisers after an error",
    "$LUA -e 'setmetatable({}, {__gc = function() print(\"gone\") end}) error(\"x\")'"},
  {"warns of an error in a finaliser",
    "$LUA -W -e 'setmetatable({}, {__gc = function() error(\"in gc\") end})'"},
  {"collects in generational mode", "$LUA -e 'print(collectgarbage(\"incremental\"))'"},
  {"leaves no hook behind", "$LUA -e 'print(debug.gethook())'"},
  {"loads C modules of the system", "$LUA -e 'print(require(\"lfs\")._VERSION)'"},
  {"uses the name it was called by", "ln -sf \"$(command -v $LUA)\" other; ./other -e 'error(\"x\", 0)'"},
  {"does -i after a script", "$LUA -i args.lua a", ""},
  {"does not do -i after a script that fails", "$LUA -i fail.lua", "print('not read')"},
}

describe("gru-lua, as stock lua,", function()
  for _, case in ipairs(SAME) do
    local what, command, stdin = table.unpack(case)
    it(what, function()
      local expected = run(STOCK, command, stdin)
      local got = gru(command, stdin)
      if command:find("^%$LUA %-i ") then
        expected.out = without_prompts(expected.out, stdin)
        got.out = without_prompts(got.out, stdin)
      end
      assert.same(expected, got)
    end)
  end
end)

-- {what, input}
local SESSIONS = {
  {"prints expressions", "1 + 1\n'a', nil, {} == {}\nnil\n"},
  {"prints nothing for statements", "x = 1\nlocal y = 2\n\n   \nprint()\n"},
  {"accepts = as before 5.3", "=1 + 2\n= 'a' .. 'b'\n"},
  {"accepts a semicolon", "40 + 2;\nx = 3;\nx;\n"},
  {"continues a statement", "for i = 1, 3 do\n  print(i * 100)\nend\nx = (\n  7 * 7\n)\nx\n"},
  {"continues a long string", "s = [[one\ntwo\n]]\n#s\n"},
  {"keeps globals, not locals", "a = 5\nlocal b = 6\na, b\n"},
  {"reports errors and goes on", "error('first')\nfoo bar\nerror({})\nnil + 1\n'alive'\n"},
  {"reports errors in functions", "function f() error('deep') end\nf()\n'alive'\n"},
  {"prints through the global print", "old = print print = function(...) old('seen', ...) end\n77\n"},
  {"says when print fails", "print = nil\n5\nprint = 6\n5\n"},
  {"follows os.exit", "os.exit(4)\n'not read'\n"},
  {"prints varargs of functions", "function f(...) return ... end\nf(1, nil, 3)\nf()\n"},
  {"ends without a last newline", "'no newline'"},
  {"warns", "warn('@on')\nwarn('careful')\n"},
}

describe("gru-lua -i", function()
  for _, case in ipairs(SESSIONS) do
    local what, input = table.unpack(case)
    it(what, function()
      local expected = run(STOCK, "$LUA -i", input)
      local got = gru("$LUA -i", input)
      expected.out = without_prompts(expected.out, input)
      got.out = without_prompts(got.out, input)
      assert.same(expected, got)
    end)
  end

  it("writes its prompts", function()
    local got = gru("$LUA -i", "x = (\n1)\nx\n")
    assert.equal(gru("$LUA -v").out .. "> >> > 1\n> \n", got.out)
  end)

  it("writes the prompts that a script set", function()
    local got = gru("$LUA -i -e '_PROMPT = \"in: \" _PROMPT2 = setmetatable({}, "
      .. "{__tostring = function() return \"more: \" end})'", "x = (\n1)\n")
    assert.equal(gru("$LUA -v").out .. "in: more: in: \n", got.out)
  end)

  it("reads long lines", function()
    local got = gru("$LUA -i", "x = '" .. ("y"):rep(100000) .. "'\n#x\n")
    assert.matches("> 100000\n", got.out)
  end)

  it("says what an input that ends too early lacks", function()
    local got = gru("$LUA -i", "x = (")
    assert.equal("stdin:1: unexpected symbol near <eof>\n", got.err)
    assert.equal(0, got.status)
  end)
end)

-- ---- our own options ------------------------------------------------------------------

describe("gru-lua", function()
  local function output(command)
    local got = gru(command)
    assert.same({err = "", status = 0}, {err = got.err, status = got.status})
    return (got.out:gsub("\n$", ""))
  end

  local function rejects(option, message)
    local got = gru("$LUA " .. option .. " -e 'print(1)'")
    assert.same({out = "", err = "PROGRAM: " .. message .. "\nusage\n", status = 1}, got)
  end

  it("finds the library without a path", function()
    assert.equal("table\ttable", output([[LUA_PATH=none $LUA -E -e '
      print(type(require "gru"), type(require "gru.nn"))']]))
  end)

  it("calls the library's files as a searcher does", function()
    -- the first call from the main chunk sees its source and its varargs
    assert.equal("@gru/init.lua\tgru\tgru/init.lua", output([[$LUA -e '
      debug.sethook(function()
        local source = debug.getinfo(2, "S").source
        if source == "@gru/init.lua" then
          debug.sethook()
          local _, name = debug.getlocal(2, -1)
          local _, file = debug.getlocal(2, -2)
          print(source, name, file)
        end
      end, "c")
      require "gru"']]))
  end)

  it("does not load the runtime by itself", function()
    assert.equal("nil\tnil", output([[$LUA --threads 2 -e '
      print(package.loaded["gru.core"], package.loaded.gru)']]))
  end)

  it("sets the number of threads", function()
    local print_threads = [[ -e 'print(require("gru").get_num_threads())']]
    assert.equal("3", output("$LUA --threads 3" .. print_threads))
    assert.equal("2", output("$LUA -W --threads=2" .. print_threads))
    assert.equal("1", output("$LUA --threads 5 --threads 1" .. print_threads))
  end)

  it("sets the seed", function()
    local draw = [[ -e 'print(require("gru").rand(1):item())']]
    local first = output("$LUA --seed 7" .. draw)
    assert.equal(first, output("$LUA --seed=7" .. draw))
    assert.not_equal(first, output("$LUA --seed 8" .. draw))
    assert.equal(first, output(
      [[$LUA -e 'local g = require "gru" g.manual_seed(7) print(g.rand(1):item())']]))
    output("$LUA --seed 18446744073709551615" .. draw)
  end)

  it("sets the memory limit", function()
    local print_limit = [[ -e 'print(require("gru").memory().limit)']]
    assert.equal("500000", output("$LUA --max-memory 500000" .. print_limit))
    assert.equal("524288", output("$LUA --max-memory 512K" .. print_limit))
    assert.equal("67108864", output("$LUA --max-memory=64m" .. print_limit))
    assert.equal("3221225472", output("$LUA --max-memory 3G" .. print_limit))
  end)

  it("sets the default device", function()
    assert.equal("cpu", output([[$LUA --device cpu -e 'print(require("gru").zeros(1).device)']]))
  end)

  it("says at once when the device is not there", function()
    for _, name in ipairs {"cuda:77", "toaster"} do
      local got = gru("$LUA -v --device " .. name .. " -e 'print(1)'")
      assert.equal("", got.out)
      assert.equal(1, got.status)
      assert.matches("^PROGRAM: [^\n]*" .. name .. "[^\n]*\n$", got.err)
    end
  end)

  it("rejects bad values", function()
    local threads = "'--threads' cannot be '%s' (wanted: 1 to 256)"
    for _, value in ipairs {"0", "257", "2x", "1.5", "99999999999999999999999"} do
      rejects("--threads " .. value, threads:format(value))
    end
    rejects("--threads=-1", threads:format("-1"))
    local seed = "'--seed' cannot be '%s' (wanted: 0 to 18446744073709551615)"
    rejects("--seed=-1", seed:format("-1"))
    rejects("--seed 18446744073709551616", seed:format("18446744073709551616"))
    rejects("--seed ' 1'", seed:format(" 1"))
    local size = "'--max-memory' cannot be '%s' (wanted: bytes, such as 500000, 512K, 64M or 2G)"
    for _, value in ipairs {"0", "K", "1T", "1KB", "1.5G", "17179869184G", "x"} do
      rejects("--max-memory " .. value, size:format(value))
    end
  end)

  it("wants values", function()
    for _, name in ipairs {"--device", "--threads", "--seed", "--max-memory"} do
      rejects(name, "'" .. name .. "' needs argument")
      rejects(name .. "=", "'" .. name .. "=' needs argument")
    end
  end)

  it("rejects names that are only similar", function()
    for _, name in ipairs {"--thread=1", "--threads2", "--version=1", "--helpme", "-threads"} do
      rejects(name, "unrecognized option '" .. name .. "'")
    end
  end)

  it("leaves options after the script alone", function()
    assert.equal("dots\t3\t--threads\t0\t--help\n-2\tPROGRAM\n-1\t--seed=1\n"
      .. "0\targs.lua\n1\t--threads\n2\t0\n3\t--help",
      output("$LUA --seed=1 args.lua --threads 0 --help"))
  end)

  it("shows versions and devices", function()
    local text = output("$LUA --threads 2 --version")
    assert.matches("^gru%-lua %d+%.%d+%.%d+ %(Lua 5%.4%.%d+%)\ncpu: 2 threads\ncuda: [^\n]+$", text)
    assert.matches("\ncpu: 1 thread\n", output("$LUA --version --threads 1 missing.lua"))
  end)

  it("shows how it is called", function()
    local own = capture("'" .. GRU .. "' --help")
    local usage = capture("'" .. STOCK .. "' -x 2>&1"):match("Available options.*")
    assert.truthy(own:find("^usage: .- %[options%] %[script %[args%]%]\n"))
    assert.truthy(own:find(usage, 1, true))
    for _, name in ipairs {"device NAME", "threads N", "seed N", "max-memory SIZE", "version", "help"} do
      assert.truthy(own:find("\n  --" .. name, 1, true), name)
    end
    assert.equal("", gru("$LUA --help args.lua").err)
    assert.equal(0, gru("$LUA --help args.lua").status)
    assert.equal(own, capture("'" .. GRU .. "' -x 2>&1"):gsub("^[^\n]*\n", ""))
  end)

  it("runs busted", function()
    local got = gru("busted --lua=$LUA -o plainTerminal tiny_spec.lua")
    assert.matches("1 success", got.out)
    assert.equal(0, got.status)
  end)
end)

-- ---- Ctrl-C ------------------------------------------------------------------------------

describe("Ctrl-C in gru-lua", function()
  -- Runs script.lua in the background, and sends signals once it has run ready.lua.
  local function interrupt(script, signals, command)
    write_file("script.lua", script)
    return gru([[
      rm -f ready
      ]] .. (command or "$LUA script.lua") .. [[ &
      pid=$!
      tries=0
      while [ ! -s ready ] && [ $tries -lt 400 ]; do sleep 0.05; tries=$((tries + 1)); done
      ]] .. (signals or "sleep 0.2; kill -INT $pid") .. [[

      wait $pid]])
  end

  local LOOP = "dofile 'ready.lua'\nlocal i = 0\nwhile true do i = i + 1 end\n"

  local function assert_interrupted(got)
    assert.matches("^PROGRAM: [^\n]*interrupted!\nstack traceback:\n", got.err)
    assert.equal(130, got.status)
  end

  it("ends a script with status 130", function()
    assert_interrupted(interrupt(LOOP))
  end)

  it("ends -e, - and plain stdin with status 130", function()
    assert_interrupted(interrupt(LOOP, nil, [[$LUA -e 'dofile "script.lua"']]))
    assert_interrupted(interrupt(LOOP, nil, "$LUA - <script.lua"))
    assert_interrupted(interrupt(LOOP, nil, "$LUA <script.lua"))
  end)

  it("runs finalisers and to-be-closed variables", function()
    local got = interrupt("local x <close> = setmetatable({}, {__close = function() print 'closed' end})\n"
      .. "y = setmetatable({}, {__gc = function() print 'collected' end})\n" .. LOOP)
    assert_interrupted(got)
    assert.equal("closed\ncollected\n", got.out)
  end)

  it("raises an error that a script can catch", function()
    local got = interrupt("local ok, why = pcall(function() " .. LOOP .. " end)\n"
      .. "print(ok, why:match('interrupted!'), debug.gethook())\n")
    assert.same({out = "false\tinterrupted!\tnil\n", err = "", status = 0}, got)
  end)

  it("gives status 1 for another error after one that was caught", function()
    local got = interrupt("pcall(function() " .. LOOP .. " end)\nerror('another', 0)\n")
    assert.matches("^PROGRAM: another\n", got.err)
    assert.equal(1, got.status)
  end)

  it("gives status 1 for a script that says so itself", function()
    assert.equal(1, gru("$LUA -e 'error(\"interrupted!\")'").status)
  end)

  it("comes back to the prompt", function()
    local got = interrupt("dofile 'ready.lua' while true do end\nprint('alive')\n", nil,
      "$LUA -i <script.lua")
    assert.matches("^[^\n]*interrupted!\n", got.err)
    assert.matches("alive\n", got.out)
    assert.equal(0, got.status)
  end)

  it("kills at the second time, while the first one waits", function()
    -- pattern matching runs in C, where no hook is called
    local got = interrupt("dofile 'ready.lua'\n"
      .. "string.find(('a'):rep(200), ('a-'):rep(30) .. 'b')\nprint('not reached')\n",
      "sleep 0.3; kill -INT $pid; sleep 0.5; kill -0 $pid && echo pending; kill -INT $pid")
    assert.equal("pending\n", got.out)
    assert.equal("", got.err:gsub("Interrupt\n", ""))
    assert.equal(130, got.status)
  end)

  it("stops tensor ops, once", function()
    local got = interrupt([[
      local gru = require "gru"
      local x = gru.ones(1500, 1500)
      local ok, why = pcall(function()
        dofile "ready.lua"
        while true do local _ = x:matmul(x) end
      end)
      print(ok, why:match("interrupted!"))
      for _ = 1, 1000 do local _ = #why end
      print("alive")
    ]])
    assert.same({out = "false\tinterrupted!\nalive\n", err = "", status = 0}, got)
  end)

  it("ends a script inside a tensor op with status 130", function()
    assert_interrupted(interrupt([[
      local x = require("gru").ones(1500, 1500)
      dofile "ready.lua"
      while true do local _ = x:matmul(x) end
    ]]))
  end)
end)
